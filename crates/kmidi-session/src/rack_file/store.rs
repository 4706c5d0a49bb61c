//! A rack that is open: its text, its states and its journal.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::document::{self, RackDocument};
use super::journal::{Found, Journal};
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
    /// The last change of each place since the last save.
    unsaved: Vec<RackEdit>,
    /// It is not there: the journal had it.
    is_gone: bool,
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
        let there = read_text(path);
        let is_gone =
            matches!(&there, Err(RackFileError::Read { source, .. }) if source.kind() == ErrorKind::NotFound);
        let journaled = (is_gone && keep_journal).then(|| Journal::text_in(&beside(path, ".journal")));
        let text = journaled.flatten().map_or(there, Ok)?;
        let (document, rack, mut warnings) = document::read(path, &text)?;
        if is_gone {
            warnings
                .push(format!("{} was not there any more: it is here as its journal has it", path.display()));
        }
        let mut opened = Reopened { warnings, ..Reopened::default() };
        let mut store = RackStore {
            path: path.to_owned(),
            document,
            saved: rack.clone(),
            rack,
            text: text.clone(),
            journal: None,
            unsaved: Vec::new(),
            is_gone,
            generation: 0,
            stamps: BTreeMap::new(),
        };
        store.generation = states::highest_generation(&store.states());
        if keep_journal {
            let (journal, found) = Journal::open(&store.beside(".journal"), &text)?;
            store.journal = Some(journal);
            store.take_up_journal(found, &mut opened)?;
        }
        store.stamps = store.stamps_now();
        Ok((store, opened))
    }

    /// Has the changes that a program made that crashed.
    fn take_up_journal(&mut self, found: Found, opened: &mut Reopened) -> Result<(), RackFileError> {
        let path = self.path.display().to_string();
        if let Some(aside) = found.put_aside {
            opened.warnings.push(format!(
                "{path} was changed since the crash; what was not saved then is in {}",
                aside.display()
            ));
        }
        if let Some(of_text) = &found.of_text
            && let Ok((mut here, before, _)) = document::read(&self.path, of_text)
            && found.edits.iter().all(|edit| here.apply(edit).is_ok())
        {
            opened.warnings.push(format!("{path} was changed since the crash: both changes are in it"));
            return self.put_together(&before, &here, found.edits, opened);
        }
        self.unsaved.clone_from(&found.edits);
        for edit in &found.edits {
            match self.apply(edit) {
                Ok(()) => opened.restored_edits += 1,
                Err(error) => opened.warnings.push(format!("a change is lost: {error}")),
            }
        }
        Ok(())
    }

    /// Makes changes of the text before in the one that somebody else has written since. Of a place that both changed the
    /// file counts; `here`, which has all changes of this side, is put aside then.
    fn put_together(
        &mut self,
        before: &Rack,
        here: &RackDocument,
        edits: Vec<RackEdit>,
        reopened: &mut Reopened,
    ) -> Result<(), RackFileError> {
        let (mut kept, mut lost) = (Vec::new(), Vec::new());
        for edit in edits {
            let there = edit.as_it_is(&self.saved);
            let is_same_plugin = edit.slot().is_none_or(|name| is_same_plugin(before, &self.saved, name));
            if !is_same_plugin || there != edit.as_it_is(before) {
                if there.as_ref() != Some(&edit) {
                    lost.push(edit.place());
                }
                continue;
            }
            let counted_parts =
                edit.slot().and_then(|name| before.slot(name)).is_some_and(|it| it.counts_parts);
            kept.push(if counted_parts { edit } else { self.rack.as_written(edit) });
        }
        if !lost.is_empty() {
            let aside = self.put_aside(here)?;
            reopened.warnings.push(format!(
                "{} has {} otherwise, and that counts; all as it was here is in {}",
                self.path.display(),
                listed(&lost),
                aside.display()
            ));
        }
        for edit in &kept {
            self.apply(edit)?;
        }
        reopened.restored_edits = kept.len();
        let journal = self.journal.as_mut();
        let begun = journal.map_or(Ok(()), |journal| journal.rebase(&self.text, kept.clone()));
        begun.map_err(|source| self.write_error(source))?;
        self.unsaved = kept;
        Ok(())
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
        self.is_gone || self.rack != self.saved
    }

    /// Whether all changes since the last save are in the journal.
    pub fn is_written_down(&self) -> bool {
        self.journal.as_ref().is_some_and(Journal::is_whole)
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    fn states(&self) -> PathBuf {
        self.folder().join(states::folder_of(&self.path))
    }

    fn beside(&self, ending: &str) -> PathBuf {
        beside(&self.path, ending)
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
        self.unsaved.retain(|old| !old.is_about_the_same(&edit));
        self.unsaved.push(edit.clone());
        let written = self.journal.as_mut().map_or(Ok(()), |journal| journal.append(&edit, now));
        written.map_err(|source| RackFileError::Write { path: self.beside(".journal"), source })
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
        self.put_aside(&self.document)
    }

    /// Writes the rack as it is now into the folder of what is passing, where its own cannot be written; the name is returned.
    ///
    /// # Errors
    /// [`RackFileError::Write`].
    pub fn save_elsewhere(&self) -> Result<PathBuf, RackFileError> {
        let name = PathBuf::from(self.path.file_name().unwrap_or_default());
        self.write_aside(&std::env::temp_dir().join(beside(&name, ".unsaved")), &self.document)
    }

    fn put_aside(&self, document: &RackDocument) -> Result<PathBuf, RackFileError> {
        self.write_aside(&self.beside(".unsaved"), document)
    }

    fn write_aside(&self, path: &Path, document: &RackDocument) -> Result<PathBuf, RackFileError> {
        let path = states::free_name(path);
        let written = states::write_whole(&path, document.to_string().as_bytes());
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
        (self.text, self.is_gone) = (text, false);
        self.unsaved.clear();
        let kept: Vec<&Path> = self.rack.slots.iter().filter_map(|slot| slot.state.as_deref()).collect();
        // A rack that was put aside names states too.
        let aside = states::beginning_with(&self.beside(".unsaved"));
        let texts: Vec<String> = aside.iter().filter_map(|it| read_text(it).ok()).collect();
        states::remove_superseded(&self.states(), &kept, &texts);
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

    /// Reads the file again. Changes that were not saved stay, except where the file was changed too: there the file counts, and
    /// the rack as it was is put aside.
    ///
    /// # Errors
    /// [`RackFileError`]; if it cannot be read or nothing can be put aside, all stays as it was.
    pub fn reload(&mut self) -> Result<Reopened, RackFileError> {
        let text = read_text(&self.path)?;
        let (document, rack, warnings) = document::read(&self.path, &text)?;
        let edits = self.unsaved.clone();
        let mut reopened = Reopened { warnings, ..Reopened::default() };
        let here = std::mem::replace(&mut self.document, document);
        let (rack_here, before) =
            (std::mem::replace(&mut self.rack, rack.clone()), std::mem::replace(&mut self.saved, rack));
        let text_here = std::mem::replace(&mut self.text, text);
        if let Err(error) = self.put_together(&before, &here, edits, &mut reopened) {
            (self.document, self.rack, self.saved, self.text) = (here, rack_here, before, text_here);
            return Err(error);
        }
        let stamps = self.stamps_now();
        let is_other =
            |(slot, stamp): &(&String, &Stamp)| self.stamps.get(*slot).is_some_and(|old| old != *stamp);
        reopened.rewritten_states = stamps.iter().filter(is_other).map(|(slot, _)| slot.clone()).collect();
        self.stamps = stamps;
        Ok(reopened)
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(ending);
    name.into()
}

fn is_same_plugin(before: &Rack, after: &Rack, name: &str) -> bool {
    let plugin = |rack: &Rack| rack.slot(name).map(|slot| slot.plugin.clone());
    plugin(before) == plugin(after)
}

/// The first few, for people.
fn listed(places: &[String]) -> String {
    const SHOWN: usize = 4;
    let more = match places.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    places[..places.len().min(SHOWN)].join(", ") + &more
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
