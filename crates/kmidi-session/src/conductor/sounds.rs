//! SoundFonts and presets.

use std::sync::Arc;

use kmidi_device::MidiPort;
use kmidi_soundfont::{InstallFull, KeySet, PresetKey};

use super::{Conductor, Note, Slot};
use crate::pool::{JobError, Priority};
use crate::presets::{self, Loaded};
use crate::shelf::Shelf;
use crate::snapshot::Severity;
use crate::sound_bank::{SoundBank, SoundBankError};

/// Most warnings about one file that are told one by one.
const TOLD: usize = 10;

impl Conductor {
    pub(super) fn open_sound_bank(&mut self) {
        self.generation += 1;
        let (generation, notes) = (self.generation, self.notes.clone());
        let (path, handle) = (self.config.sound_font.clone(), self.collector.handle());
        let queued = self.pool.spawn(
            Priority::Urgent,
            move |_| SoundBank::open(path.as_deref(), &handle).map(Arc::new),
            move |opened| {
                let _ = notes.send(Note::SoundBank { generation, opened });
            },
        );
        if let Err(full) = queued {
            self.tell(Severity::Warning, full.to_string());
        }
    }

    pub(super) fn sound_bank_opened(
        &mut self,
        generation: u32,
        opened: Result<Result<Arc<SoundBank>, SoundBankError>, JobError>,
    ) {
        if generation != self.generation {
            return;
        }
        let error = match opened {
            Ok(Ok(bank)) => return self.use_bank(bank),
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        if self.bank.is_some() {
            self.tell(Severity::UnreadableInput, format!("{error}; the SoundFont before stays in use"));
        } else {
            self.fail(Severity::UnreadableInput, error);
        }
    }

    fn use_bank(&mut self, bank: Arc<SoundBank>) {
        let (warnings, total) = bank.warnings();
        self.tell_all(bank.name(), &warnings, total as u64);
        self.bank = Some(bank);
        let mut asked = self.shelf.asked();
        self.shelf = Shelf::default();
        if self.config.audio.midi_in != MidiPort::Off {
            // What a keyboard plays before it has chosen a program.
            asked.extend([(PresetKey::melodic(0, 0), KeySet::ALL), (PresetKey::drum(0), KeySet::ALL)]);
        }
        self.load_presets(&asked, Priority::Urgent);
    }

    /// Tells the first few of what is wrong with a file, and how many more there are.
    pub(super) fn tell_all(&self, name: &str, warnings: &[String], total: u64) {
        for warning in warnings.iter().take(TOLD) {
            self.tell(Severity::Warning, format!("{name}: {warning}"));
        }
        let rest = total.saturating_sub(TOLD as u64);
        if rest > 0 {
            self.tell(Severity::Warning, format!("{name}: {rest} more warnings of this kind"));
        }
    }

    /// What a song of the playlist needs, if it has been opened.
    pub(super) fn needed_by(&self, number: usize) -> Option<Vec<(PresetKey, KeySet)>> {
        match self.slots.get(number)? {
            Slot::Open(song) => Some(presets::wanted(song, self.config.sound.transpose != 0)),
            _ => None,
        }
    }

    /// Has presets loaded, unless they are there or on their way.
    pub(super) fn load_presets(&mut self, wanted: &[(PresetKey, KeySet)], priority: Priority) {
        let Some(bank) = self.bank.clone() else {
            // Asked for again when there is a SoundFont.
            self.shelf.ask(wanted);
            return;
        };
        for (key, keys) in self.shelf.ask(wanted) {
            let (generation, notes) = (self.generation, self.notes.clone());
            let queued = presets::load(&self.pool, priority, &bank, key, keys, move |loaded| {
                let _ = notes.send(Note::Preset { generation, key, keys, loaded });
            });
            if let Err(full) = queued {
                self.tell(Severity::Warning, full.to_string());
                self.shelf.put(key, keys, None);
            }
        }
    }

    pub(super) fn preset_loaded(&mut self, generation: u32, key: PresetKey, keys: KeySet, loaded: Loaded) {
        if generation != self.generation {
            return;
        }
        if let Some(complaint) = presets::complaint(key, &loaded) {
            self.tell(Severity::Warning, complaint);
        }
        let preset = loaded.ok().flatten().map(|found| found.preset);
        if preset.is_some() {
            self.to_install.push(key);
        }
        self.shelf.put(key, keys, preset);
    }

    /// Hands presets to the synthesiser, as many as there is room for.
    pub(super) fn install_presets(&mut self) {
        let Some(rig) = &mut self.rig else { return };
        while let Some(key) = self.to_install.last() {
            let preset = self.shelf.presets().find(|(there, _)| there == key);
            if let Some((key, preset)) = preset
                && let Err(InstallFull(_)) = rig.synth.install(key, preset.clone())
            {
                return;
            }
            self.to_install.pop();
        }
    }

    /// Loads what a live player has chosen and the synthesiser lacks. Of a song all is known
    /// beforehand: programs that it asks for and never plays are not worth their memory.
    pub(super) fn answer_requests(&mut self) {
        let Some(rig) = &mut self.rig else { return };
        let requests = std::iter::from_fn(|| rig.synth.next_request());
        let wanted: Vec<_> = requests.map(|request| (request.key, KeySet::ALL)).collect();
        if self.config.audio.midi_in != MidiPort::Off {
            self.missing_programs += wanted.len() as u64;
            self.load_presets(&wanted, Priority::Urgent);
        }
    }
}
