//! A copy of a log.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use crate::error::TraceError;
use crate::log::TraceLog;
use crate::section::Section;

impl TraceLog {
    /// Copies all whole lines to a new file, which appears when it is complete, and says how many bytes that are. Others may
    /// append meanwhile.
    ///
    /// # Errors
    /// [`TraceError::Exists`]: nothing is replaced. [`TraceError::Copy`]; as [`TraceLog::query`].
    pub fn back_up(&self, to: &Path) -> Result<u64, TraceError> {
        let Some(moment) = self.moment()? else {
            return Err(self.unreadable(io::ErrorKind::NotFound.into()));
        };
        let exists = || TraceError::Exists { path: to.to_owned() };
        if to.symlink_metadata().is_ok() {
            return Err(exists());
        }
        let fail = |source| TraceError::Copy { path: to.to_owned(), source };
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            let text = format!("there is no folder {}; make it first", folder.display());
            return Err(fail(io::Error::other(text)));
        }
        let mut copy = tempfile::NamedTempFile::new_in(folder).map_err(fail)?;
        let mut log = Section::new(moment.file, 0, moment.bytes);
        let bytes = io::copy(&mut log, copy.as_file_mut()).map_err(fail)?;
        copy.flush().and_then(|()| copy.as_file().sync_all()).map_err(fail)?;
        copy.persist_noclobber(to).map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => exists(),
            _ => fail(error.error),
        })?;
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(fail)?;
        Ok(bytes)
    }
}
