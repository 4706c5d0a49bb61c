//! What is appended from now on.

use crate::error::TraceError;
use crate::log::TraceLog;
use crate::query::{Filter, Query};

/// Follows a log as it grows: [`Query::follow`].
pub struct Follow {
    log: TraceLog,
    /// Which file it was, and up to where it was read.
    place: Option<(u64, u64)>,
}

impl Follow {
    pub(crate) fn new(log: TraceLog, place: Option<(u64, u64)>) -> Self {
        Follow { log, place }
    }

    /// What has been added since the last call. A file that has become shorter, or another one of that name, is read from
    /// its start.
    ///
    /// # Errors
    /// As [`TraceLog::query`].
    pub fn news(&mut self) -> Result<Query, TraceError> {
        let Some(moment) = self.log.moment()? else {
            self.place = None;
            return Ok(Query::new(self.log.path(), None, 0, Filter::default()));
        };
        let start = match self.place {
            Some((inode, start)) if inode == moment.inode && start <= moment.bytes => start,
            _ => 0,
        };
        self.place = Some((moment.inode, moment.bytes));
        Ok(Query::new(self.log.path(), Some(moment), start, Filter::default()))
    }
}
