//! A rack that is open: its text, its states and its journal.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::document::{self, RackDocument};
use super::journal::Journal;
use super::{MAX_RACK_BYTES, Rack, RackEdit, RackFileError, RackSlot, states};

/// A rack file that is open.
pub struct RackStore {
    path: PathBuf,
    document: RackDocument,
    /// As it is now.
    rack: Rack,
    /// As the file says.
    saved: Rack,
    /// The file's text as it was read or saved here.
    text: String,
    journal: Option<Journal>,
    generation: u64,
    /// Files of states as they were, by their slots.
    stamps: BTreeMap<String, Stamp>,
}

/// When a file was written, and its bytes.
type Stamp = (SystemTime, u64);

/// What there is to tell about a rack file that was opened or read again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reopened {
    /// One line each.
    pub warnings: Vec<String>,
    /// Changes that were not saved the last time, and are here again.
    pub restored_edits: usize,
    /// Slots whose states are others in the same files.
    pub rewritten_states: Vec<String>,
}

impl RackStore {
    /// Opens a rack file, with what was changed since it was saved, should the last one have crashed. Without a journal
    /// (`keep_journal`) nothing is written before [`RackStore::save`].
    ///
    /// # Errors
    /// [`RackFileError`].
    pub fn open(path: &Path, keep_journal: bool) -> Result<(Self, Reopened), RackFileError> {
        let text = read_text(path)?;
        let (document, rack, warnings) = document::read(path, &text)?;
        let mut opened = Reopened { warnings, ..Reopened::default() };
        let mut store = RackStore {
            path: path.to_owned(),
            document,
            saved: rack.clone(),
            rack,
            text: text.clone(),
            journal: None,
            generation: 0,
            stamps: BTreeMap::new(),
        };
        store.generation = states::highest_generation(&store.states());
        if keep_journal {
            let (journal, found) = Journal::open(&store.journal_path(), &text)?;
            for edit in &found.edits {
                match store.apply(edit) {
                    Ok(()) => opened.restored_edits += 1,
                    Err(error) => opened.warnings.push(format!("a change is lost: {error}")),
                }
            }
            opened.warnings.extend(found.put_aside.map(|aside| {
                format!(
                    "{} was changed since the crash; what was not saved then is in {}",
                    path.display(),
                    aside.display()
                )
            }));
            store.journal = Some(journal);
        }
        store.stamps = store.stamps_now();
        Ok((store, opened))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The rack as it is now.
    pub fn rack(&self) -> &Rack {
        &self.rack
    }

    /// Whether something was changed since the last save.
    pub fn is_changed(&self) -> bool {
        self.rack != self.saved
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    fn states(&self) -> PathBuf {
        self.folder().join(states::folder_of(&self.path))
    }

    fn journal_path(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".journal");
        name.into()
    }

    fn write_error(&self, source: std::io::Error) -> RackFileError {
        RackFileError::Write { path: self.path.clone(), source }
    }

    fn apply(&mut self, edit: &RackEdit) -> Result<(), RackFileError> {
        self.rack.apply(edit)?;
        self.document.apply(edit)
    }

    /// Makes a change and writes it down. `now` is a clock that does not go back.
    ///
    /// # Errors
    /// [`RackFileError::NoSlot`]; [`RackFileError::Write`]: it is made, but would not survive a crash.
    pub fn edit(&mut self, edit: RackEdit, now: Duration) -> Result<(), RackFileError> {
        if edit.as_it_is(&self.rack).as_ref() == Some(&edit) {
            return Ok(());
        }
        self.apply(&edit)?;
        let written = self.journal.as_mut().map_or(Ok(()), |journal| journal.append(&edit, now));
        written.map_err(|source| self.write_error(source))
    }

    /// Keeps the state of a slot in a file of its own, if it is another than before. Says whether it was.
    ///
    /// # Errors
    /// [`RackFileError`]; the state kept before stays.
    pub fn keep_state(&mut self, slot: &str, state: &[u8], now: Duration) -> Result<bool, RackFileError> {
        if self.rack.slot(slot).is_none() {
            return Err(RackFileError::NoSlot(slot.to_owned()));
        }
        if self.state(slot).is_ok_and(|before| before.as_deref() == Some(state)) {
            return Ok(false);
        }
        self.generation += 1;
        let file = states::file_of(&states::folder_of(&self.path), slot, self.generation);
        let written = states::write_whole(&self.folder().join(&file), state);
        written.map_err(|source| self.write_error(source))?;
        let file = file.to_str().ok_or_else(|| {
            self.write_error(std::io::Error::other(
                "its name is no text, so the states cannot be named in it",
            ))
        })?;
        let edit = RackEdit::State { slot: slot.to_owned(), file: file.to_owned() };
        self.edit(edit, now)?;
        self.stamps = self.stamps_now();
        Ok(true)
    }

    fn stamps_now(&self) -> BTreeMap<String, Stamp> {
        let stamp = |slot: &RackSlot| {
            let file = std::fs::metadata(self.folder().join(slot.state.as_ref()?)).ok()?;
            Some((slot.name.clone(), (file.modified().ok()?, file.len())))
        };
        self.rack.slots.iter().filter_map(stamp).collect()
    }

    /// Whether somebody else has changed the file since it was read or saved here.
    pub fn is_overtaken(&self) -> bool {
        match states::read_limited(&self.path, MAX_RACK_BYTES) {
            Ok(bytes) => bytes != self.text.as_bytes(),
            Err(error) => error.kind() != std::io::ErrorKind::NotFound,
        }
    }

    /// Writes the rack as it is now into a file beside its own, whose name is returned.
    ///
    /// # Errors
    /// [`RackFileError::Write`].
    pub fn save_aside(&self) -> Result<PathBuf, RackFileError> {
        let mut name = self.path.clone().into_os_string();
        name.push(".unsaved");
        let path = PathBuf::from(name);
        let written = states::write_whole(&path, self.document.to_string().as_bytes());
        written.map_err(|source| RackFileError::Write { path: path.clone(), source })?;
        Ok(path)
    }

    /// The state that is kept of a slot.
    ///
    /// # Errors
    /// [`RackFileError`]: there is one, and it cannot be read.
    pub fn state(&self, slot: &str) -> Result<Option<Vec<u8>>, RackFileError> {
        let Some(file) = self.rack.slot(slot).and_then(|slot| slot.state.as_ref()) else { return Ok(None) };
        let path = self.folder().join(file);
        states::read(&path).map(Some).map_err(|source| RackFileError::Read { path, source })
    }

    /// Puts changes on the disk that have waited long enough; to be called several times a second.
    ///
    /// # Errors
    /// [`RackFileError::Write`].
    pub fn sync_if_due(&mut self, now: Duration) -> Result<(), RackFileError> {
        let done = self.journal.as_mut().map_or(Ok(()), |journal| journal.sync_if_due(now));
        done.map_err(|source| self.write_error(source))
    }

    /// Saves: the states are there already, now the text that names them takes the old one's place, as a whole or not at all.
    ///
    /// # Errors
    /// [`RackFileError::Write`]; what was saved before is still there, and so is the journal.
    pub fn save(&mut self) -> Result<(), RackFileError> {
        let text = self.document.to_string();
        self.save_text(&text).map_err(|source| self.write_error(source))?;
        self.saved = self.rack.clone();
        self.text = text;
        let kept: Vec<&Path> = self.rack.slots.iter().filter_map(|slot| slot.state.as_deref()).collect();
        states::remove_superseded(&self.states(), &kept);
        Ok(())
    }

    fn save_text(&mut self, text: &str) -> std::io::Result<()> {
        if let Some(journal) = &mut self.journal {
            journal.sync()?;
            journal.saving(text)?;
        }
        // A link's target is what gets replaced, not the link.
        let path = std::fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        states::write_whole(&path, text.as_bytes())?;
        self.journal.as_mut().map_or(Ok(()), |journal| journal.saved(text))
    }

    /// Reads the file again. Changes that were not saved stay, except where the file was changed too: there the file counts.
    ///
    /// # Errors
    /// [`RackFileError`]; all stays as it was.
    pub fn reload(&mut self, now: Duration) -> Result<Reopened, RackFileError> {
        let text = read_text(&self.path)?;
        let (document, rack, warnings) = document::read(&self.path, &text)?;
        let edits = self.journal.as_ref().map_or(&[][..], Journal::edits).to_vec();
        let before = std::mem::replace(&mut self.saved, rack.clone());
        (self.document, self.rack) = (document, rack);
        let begun = self.journal.as_mut().map_or(Ok(()), |journal| journal.saved(&text));
        begun.map_err(|source| self.write_error(source))?;
        self.text = text;
        let stamps = self.stamps_now();
        let is_other =
            |(slot, stamp): &(&String, &Stamp)| self.stamps.get(*slot).is_some_and(|old| old != *stamp);
        let rewritten = stamps.iter().filter(is_other).map(|(slot, _)| slot.clone());
        let mut reopened = Reopened { warnings, restored_edits: 0, rewritten_states: rewritten.collect() };
        self.stamps = stamps;
        for edit in edits {
            let is_untouched = edit.as_it_is(&before) == edit.as_it_is(&self.saved);
            if is_untouched && edit.slot().is_none_or(|name| self.is_same_plugin(&before, name)) {
                let counted_parts =
                    edit.slot().and_then(|name| before.slot(name)).is_some_and(|it| it.counts_parts);
                let edit = if counted_parts { edit } else { self.rack.as_written(edit) };
                self.edit(edit, now)?;
                reopened.restored_edits += 1;
            }
        }
        Ok(reopened)
    }

    fn is_same_plugin(&self, before: &Rack, name: &str) -> bool {
        let plugin = |slot: &RackSlot| slot.plugin.clone();
        before.slot(name).map(plugin) == self.saved.slot(name).map(plugin)
    }
}

fn read_text(path: &Path) -> Result<String, RackFileError> {
    let fail = |source| RackFileError::Read { path: path.to_owned(), source };
    let bytes = states::read_limited(path, MAX_RACK_BYTES).map_err(fail)?;
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
        RackFileError::Wrong { path: path.to_owned(), line, what: "this is no text in UTF-8".to_owned() }
    })
}

#[cfg(test)]
mod tests;
