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

    /// The last change of each place since the last save.
    pub fn edits(&self) -> &[RackEdit] {
        &self.edits
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
        if self.bytes > COMPACT_BYTES + 2 * self.text.len() as u64 {
            return self.compact();
        }
        self.write(&Line::Edit(edit.clone()))?;
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
        self.unsynced_since = None;
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
mod tests {
    use super::*;

    const TEXT: &str = "a text";

    fn gain(gain_db: f64) -> RackEdit {
        RackEdit::Gain { gain_db }
    }

    fn bypass(slot: &str) -> RackEdit {
        RackEdit::Bypass { slot: slot.into(), bypassed: true }
    }

    fn open(path: &Path, text: &str) -> (Journal, Found) {
        Journal::open(path, text).unwrap()
    }

    #[test]
    fn what_is_written_is_found_and_torn_or_changed_lines_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.toml.journal");
        let edits = [gain(1.0), bypass("a"), bypass("b")];
        let (mut journal, found) = open(&path, TEXT);
        assert_eq!(found, Found::default());
        edits.iter().for_each(|edit| journal.append(edit, Duration::ZERO).unwrap());
        assert!(matches!(Journal::open(&path, TEXT), Err(RackFileError::InUse { .. })));
        drop(journal);
        let whole = std::fs::read(&path).unwrap();
        let ends: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] == b'\n').map(|at| at + 1).collect();
        for cut in 0..=whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let (mut journal, found) = open(&path, TEXT);
            let lines = ends.iter().filter(|end| **end <= cut).count();
            assert_eq!(found.edits, edits[..lines.saturating_sub(1)], "cut at {cut}");
            // What follows is found too.
            journal.append(&gain(9.0), Duration::ZERO).unwrap();
            drop(journal);
            assert_eq!(open(&path, TEXT).1.edits.last(), Some(&gain(9.0)), "cut at {cut}");
        }
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            std::fs::write(&path, &damaged).unwrap();
            let line = ends.iter().filter(|end| **end <= at).count();
            let (_, found) = open(&path, TEXT);
            assert_eq!(found.edits, edits[..line.saturating_sub(1)], "changed at {at}");
        }
    }

    #[test]
    fn changes_of_another_text_are_told_with_it_and_stay_until_they_are_those_of_this_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.toml.journal");
        open(&path, TEXT).0.append(&gain(1.0), Duration::ZERO).unwrap();
        for _ in 0..2 {
            let (_, found) = open(&path, "another text");
            let of_text = Some(TEXT.to_owned());
            assert_eq!(found, Found { edits: vec![gain(1.0)], of_text, put_aside: None });
        }
        let (mut journal, _) = open(&path, "another text");
        journal.rebase("another text", vec![bypass("a")]).unwrap();
        drop(journal);
        let (mut journal, found) = open(&path, "another text");
        assert_eq!(found, Found { edits: vec![bypass("a")], ..Found::default() });
        journal.rebase(TEXT, vec![]).unwrap();
        drop(journal);
        assert!(!path.exists());
    }

    #[test]
    fn changes_of_a_text_that_is_not_known_are_put_aside_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.toml.journal");
        for name in ["r.toml.journal.old", "r.toml.journal.old.2"] {
            let of = Line::Of { journal: VERSION, text: checksum(TEXT.as_bytes()), whole: None };
            let lines = written(&of).unwrap() + &written(&Line::Edit(gain(1.0))).unwrap();
            std::fs::write(&path, &lines).unwrap();
            assert_eq!(open(&path, TEXT).1, Found { edits: vec![gain(1.0)], ..Found::default() });
            let (journal, found) = open(&path, "another text");
            assert_eq!((found.edits.len(), journal.bytes), (0, 0));
            assert_eq!(found.put_aside, Some(folder.path().join(name)));
            assert_eq!(std::fs::read_to_string(folder.path().join(name)).unwrap(), lines);
        }
    }

    #[test]
    fn a_crash_on_either_side_of_a_save_loses_and_repeats_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.toml.journal");
        let (mut journal, _) = open(&path, TEXT);
        journal.append(&gain(1.0), Duration::ZERO).unwrap();
        journal.saving("new text").unwrap();
        drop(journal);
        let before = std::fs::read(&path).unwrap();
        assert_eq!(open(&path, TEXT).1.edits, [gain(1.0)], "the old text is still there");
        std::fs::write(&path, before).unwrap();
        let (mut journal, found) = open(&path, "new text");
        assert_eq!(found, Found::default());
        journal.append(&bypass("a"), Duration::ZERO).unwrap();
        drop(journal);
        let (mut journal, found) = open(&path, "new text");
        assert_eq!(found.edits, [bypass("a")]);
        journal.saving("newer text").unwrap();
        journal.saved("newer text").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 0);
    }

    #[test]
    fn a_journal_with_nothing_to_say_goes_at_the_end_and_one_with_changes_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.toml.journal");
        let (journal, _) = open(&path, TEXT);
        assert!(path.exists(), "it is the lock");
        drop(journal);
        assert!(!path.exists());
        let (mut journal, _) = open(&path, TEXT);
        journal.append(&gain(1.0), Duration::ZERO).unwrap();
        drop(journal);
        assert!(path.exists());
        // One that somebody has put into its place is not its own.
        let (mut journal, _) = open(&path, TEXT);
        journal.saved(TEXT).unwrap();
        std::fs::rename(&path, folder.path().join("elsewhere")).unwrap();
        std::fs::write(&path, "").unwrap();
        drop(journal);
        assert!(path.exists());
    }

    #[test]
    fn whoever_waits_for_a_journal_that_goes_has_one_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.toml.journal");
        let next = std::sync::atomic::AtomicU32::new(1);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        // Held for long by the others at worst.
                        let Ok((mut journal, found)) = Journal::open(&path, TEXT) else { continue };
                        assert_eq!(found, Found::default());
                        let number = f64::from(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
                        journal.append(&gain(number), Duration::ZERO).unwrap();
                        let written = std::fs::read(&path).expect("the file that it writes is at its path");
                        let read = read(&written, TEXT);
                        assert_eq!((read.of, read.edits), (Of::This, vec![gain(number)]));
                        journal.saved(TEXT).unwrap();
                    }
                });
            }
        });
        assert!(next.into_inner() > 50, "the control: most had it");
        assert!(!path.exists());
    }

    #[test]
    fn a_journal_of_a_storm_stays_small_and_has_the_last_of_each() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.toml.journal");
        let (mut journal, _) = open(&path, TEXT);
        journal.append(&bypass("a"), Duration::ZERO).unwrap();
        for n in 0..40_000 {
            journal.append(&gain(f64::from(n)), Duration::ZERO).unwrap();
        }
        assert!(matches!(Journal::open(&path, TEXT), Err(RackFileError::InUse { .. })), "still its own");
        drop(journal);
        assert!(std::fs::metadata(&path).unwrap().len() < COMPACT_BYTES + 1000);
        assert_eq!(open(&path, TEXT).1.edits, [bypass("a"), gain(39_999.0)]);
    }

    #[test]
    fn a_line_is_on_the_disk_within_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, _) = open(&folder.path().join("r.toml.journal"), TEXT);
        let at = Duration::from_millis;
        journal.append(&gain(1.0), at(1000)).unwrap();
        journal.append(&gain(2.0), at(1200)).unwrap();
        journal.sync_if_due(at(1249)).unwrap();
        assert!(journal.unsynced_since.is_some(), "control: not yet");
        journal.sync_if_due(at(1250)).unwrap();
        assert!(journal.unsynced_since.is_none());
    }
}
