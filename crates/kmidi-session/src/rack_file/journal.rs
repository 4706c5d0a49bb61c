//! What was changed since the last save, line by line, so that a crash costs at most the last second.
//!
//! A line is a checksum, a space, and JSON. The first one has the text that the others are changes of: should somebody else have
//! changed the file since a crash, both changes can be put together.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use kmidi_sys::{FileLock, lock_file};
use serde::{Deserialize, Serialize};

use super::{RackEdit, RackFileError};

/// How long a line may wait until it is on the disk.
const SYNC_WITHIN: Duration = Duration::from_millis(250);
/// Longer than a child process takes from its birth to its own program. Until then it has all files of its parent, also those that
/// the parent has closed: who holds the lock for no longer than that is waited for.
const START_OF_A_CHILD: Duration = Duration::from_millis(500);
/// How often a journal is opened that is removed each time before it is locked.
const MOST_OPENINGS: usize = 8;
/// Longest journal that is read, in bytes.
const MAX_BYTES: u64 = 64 << 20;
/// Length beyond the text over which only the last change of each place is kept, in bytes.
const COMPACT_BYTES: u64 = 1 << 20;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// The text that the lines behind it are changes of.
    Of {
        journal: u32,
        /// Its checksum.
        text: String,
        /// Itself; journals of older programs have it not.
        #[serde(default)]
        whole: Option<String>,
    },
    /// A text that has all changes so far is about to take the place of the other.
    Saving {
        /// Its checksum.
        text: String,
    },
    Edit(RackEdit),
}

/// What no rack is.
const NO_TEXT: &str = "\0";
/// The version of the format.
const VERSION: u32 = 1;

/// What a journal had to say when it was opened.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Found {
    /// Changes of the text, in their order.
    pub edits: Vec<RackEdit>,
    /// The text that they are changes of, if it is another one. [`Journal::rebase`] is to be called then.
    pub of_text: Option<String>,
    /// Changes of another text that is not known; the journal was put aside here.
    pub put_aside: Option<PathBuf>,
}

/// The journal of a rack that is open. Nobody else can open it meanwhile.
pub(super) struct Journal {
    file: File,
    path: PathBuf,
    /// The text that it is about.
    text: String,
    bytes: u64,
    /// The last change of each place.
    edits: Vec<RackEdit>,
    /// When the oldest line was written that may not be on the disk.
    unsynced_since: Option<Duration>,
    /// A change could not be written.
    misses_some: bool,
}

/// In hex.
pub(super) fn checksum(bytes: &[u8]) -> String {
    format!("{:016x}", kmidi_core::fnv1a_64(bytes))
}

/// Opens the file at a path, which nobody else has then.
fn locked(path: &Path) -> Result<File, RackFileError> {
    let fail = |source| RackFileError::Write { path: path.to_owned(), source };
    for _ in 0..MOST_OPENINGS {
        let file =
            File::options().read(true).write(true).create(true).truncate(false).open(path).map_err(fail)?;
        lock_file(&file, FileLock::Exclusive, START_OF_A_CHILD).map_err(|error| match error.kind() {
            io::ErrorKind::ResourceBusy => RackFileError::InUse { path: path.to_owned() },
            _ => fail(error),
        })?;
        // The one before may have removed it between the two.
        if is_at(&file, path) {
            return Ok(file);
        }
    }
    Err(RackFileError::InUse { path: path.to_owned() })
}

/// Whether a path is that of this very file.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let place = |it: std::fs::Metadata| (it.dev(), it.ino());
    let there = std::fs::metadata(path).map(place).ok();
    there.is_some() && there == file.metadata().map(place).ok()
}

#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

impl Drop for Journal {
    /// One that has nothing to say goes, while it is locked: whoever waits for it sees that.
    fn drop(&mut self) {
        if self.bytes == 0 && cfg!(unix) && is_at(&self.file, &self.path) {
            // One that stays takes no room.
            std::fs::remove_file(&self.path).ok();
        }
    }
}

impl Journal {
    /// Opens the journal of a text, and says what it has.
    pub fn open(path: &Path, text: &str) -> Result<(Self, Found), RackFileError> {
        let fail = |source| RackFileError::Write { path: path.to_owned(), source };
        let mut file = locked(path)?;
        let mut bytes = Vec::new();
        (&mut file).take(MAX_BYTES).read_to_end(&mut bytes).map_err(fail)?;
        let read = read(&bytes, text);
        let mut journal = Journal {
            file,
            path: path.to_owned(),
            text: text.to_owned(),
            bytes: read.whole_bytes as u64,
            edits: Vec::new(),
            unsynced_since: None,
            misses_some: false,
        };
        let mut found = Found::default();
        match read.of {
            Of::Unknown if bytes.is_empty() => return Ok((journal, found)),
            Of::Unknown => {
                let aside = super::states::free_name(&path.with_extension("journal.old"));
                super::states::write_whole(&aside, &bytes).map_err(fail)?;
                journal.cut(0).map_err(fail)?;
                found.put_aside = Some(aside);
                return Ok((journal, found));
            }
            Of::This => {}
            Of::Other(text) => found.of_text = Some(text),
        }
        // What was torn off in the middle of a line is not continued.
        journal.cut(read.whole_bytes as u64).map_err(fail)?;
        read.edits.iter().for_each(|edit| journal.remember(edit));
        found.edits = journal.edits.clone();
        Ok((journal, found))
    }

    fn remember(&mut self, edit: &RackEdit) {
        self.edits.retain(|old| !old.is_about_the_same(edit));
        self.edits.push(edit.clone());
    }

    /// Whether it has all changes since the last save.
    pub fn is_whole(&self) -> bool {
        !self.misses_some
    }

    /// The text that the journal at a path is about.
    pub fn text_in(path: &Path) -> Option<String> {
        let bytes = super::states::read_limited(path, MAX_BYTES).ok()?;
        match read(&bytes, NO_TEXT).of {
            Of::Other(text) => Some(text),
            Of::This | Of::Unknown => None,
        }
    }

    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)?;
        self.file.seek(SeekFrom::Start(bytes))?;
        self.bytes = bytes;
        Ok(())
    }

    /// Writes a change down. It survives the end of this process at once, and that of the machine as soon as
    /// [`Journal::sync`] has been called.
    pub fn append(&mut self, edit: &RackEdit, now: Duration) -> io::Result<()> {
        self.remember(edit);
        // The text may be twice as long as JSON.
        if self.misses_some || self.bytes > COMPACT_BYTES + 2 * self.text.len() as u64 {
            return self.compact();
        }
        self.write(&Line::Edit(edit.clone())).inspect_err(|_| self.misses_some = true)?;
        self.unsynced_since.get_or_insert(now);
        Ok(())
    }

    fn write(&mut self, line: &Line) -> io::Result<()> {
        let mut lines = String::new();
        if self.bytes == 0 {
            lines += &written(&self.first_line())?;
        }
        lines += &written(line)?;
        if let Err(error) = self.file.write_all(lines.as_bytes()) {
            // Half a line would hide those behind it.
            self.cut(self.bytes)?;
            return Err(error);
        }
        self.bytes += lines.len() as u64;
        Ok(())
    }

    fn first_line(&self) -> Line {
        let text = checksum(self.text.as_bytes());
        Line::Of { journal: VERSION, text, whole: Some(self.text.clone()) }
    }

    /// Leaves only the last change of each place: all of them appear in the file at once.
    fn compact(&mut self) -> io::Result<()> {
        let mut lines = written(&self.first_line())?;
        for edit in &self.edits {
            lines += &written(&Line::Edit(edit.clone()))?;
        }
        // The lock belongs to the file: the new one is locked before it takes the name.
        let mut file = super::states::write_whole_and_keep(&self.path, lines.as_bytes())?;
        file.seek(SeekFrom::End(0))?;
        (self.file, self.bytes, self.unsynced_since) = (file, lines.len() as u64, None);
        self.misses_some = false;
        Ok(())
    }

    /// Puts on the disk what has waited long enough; to be called several times a second. `now` is a clock that
    /// does not go back.
    pub fn sync_if_due(&mut self, now: Duration) -> io::Result<()> {
        match self.unsynced_since {
            Some(since) if now.saturating_sub(since) >= SYNC_WITHIN => self.sync(),
            _ => Ok(()),
        }
    }

    /// Puts all on the disk.
    pub fn sync(&mut self) -> io::Result<()> {
        if self.unsynced_since.is_some() {
            self.file.sync_data()?;
            self.unsynced_since = None;
        }
        Ok(())
    }

    /// A text with all changes is about to be put in place of the old one.
    pub fn saving(&mut self, text: &str) -> io::Result<()> {
        if self.edits.is_empty() {
            return Ok(());
        }
        self.write(&Line::Saving { text: checksum(text.as_bytes()) })?;
        self.file.sync_data()
    }

    /// Goes on with changes of another text: there is either all that was before, or all of this.
    pub fn rebase(&mut self, text: &str, edits: Vec<RackEdit>) -> io::Result<()> {
        if edits.is_empty() {
            return self.saved(text);
        }
        let text = std::mem::replace(&mut self.text, text.to_owned());
        let edits = std::mem::replace(&mut self.edits, edits);
        self.compact().inspect_err(|_| (self.text, self.edits) = (text, edits))
    }

    /// It is there: nothing has changed since.
    pub fn saved(&mut self, text: &str) -> io::Result<()> {
        self.text = text.to_owned();
        self.edits.clear();
        (self.unsynced_since, self.misses_some) = (None, false);
        self.cut(0)?;
        self.file.sync_data()
    }
}

fn written(line: &Line) -> io::Result<String> {
    let json = serde_json::to_string(line)?;
    Ok(format!("{} {json}\n", checksum(json.as_bytes())))
}

/// Whose changes a journal has.
#[derive(Debug, PartialEq)]
enum Of {
    /// Of the text that was asked for.
    This,
    /// Of this one.
    Other(String),
    /// There is none, or only its checksum.
    Unknown,
}

/// What a journal has.
struct Contents {
    of: Of,
    edits: Vec<RackEdit>,
    /// Bytes of it that are whole.
    whole_bytes: usize,
}

fn read(bytes: &[u8], text: &str) -> Contents {
    let this = checksum(text.as_bytes());
    let mut read = Contents { of: Of::Unknown, edits: Vec::new(), whole_bytes: 0 };
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let Some(found) = read_line(line) else { break };
        read.whole_bytes += line.len();
        match found {
            Line::Of { journal, text, whole } => {
                read.edits.clear();
                read.of = match whole.filter(|whole| checksum(whole.as_bytes()) == text) {
                    _ if journal != VERSION => Of::Unknown,
                    _ if text == this => Of::This,
                    Some(whole) => Of::Other(whole),
                    None => Of::Unknown,
                };
            }
            // The crash came behind the new text or before it.
            Line::Saving { text } if text == this => (read.of, read.edits) = (Of::This, Vec::new()),
            Line::Saving { .. } => {}
            Line::Edit(edit) => read.edits.push(edit),
        }
    }
    read
}

fn read_line(line: &[u8]) -> Option<Line> {
    let (sum, json) = str::from_utf8(line).ok()?.strip_suffix('\n')?.split_once(' ')?;
    (checksum(json.as_bytes()) == sum).then(|| serde_json::from_str(json).ok())?
}

#[cfg(test)]
mod tests;
