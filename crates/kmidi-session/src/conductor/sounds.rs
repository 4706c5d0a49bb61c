//! SoundFonts and presets, and the change from one stack of SoundFonts to another while it plays.

use std::sync::Arc;

use kmidi_device::MidiPort;
use kmidi_soundfont::{KeySet, PresetKey};

use super::stack::Stack;
use super::{Conductor, Slot};
use crate::job::JobError;
use crate::pool::Priority;
use crate::presets::{self, Loaded};
use crate::snapshot::Severity;
use crate::sound_bank::{SoundBank, SoundBankError};
use crate::sound_fonts::{self, SoundFontChoice};

/// Most warnings about one file that are told one by one.
const TOLD: usize = 10;

impl Conductor {
    /// Has another stack take the place of the one in use, as soon as all that is in use has been
    /// loaded from it. Until then, and if that fails, the one in use plays on.
    pub(super) fn set_sound_fonts(&mut self, choices: &[SoundFontChoice]) {
        self.generations += 1;
        let stack = Stack::new(self.generations, sound_fonts::stack(choices));
        if let Some(given_up) = self.swap.take() {
            given_up.cancel();
        }
        if self.stack.bank.is_some() {
            self.swap = Some(stack);
        } else {
            // Nothing has been heard of the one before.
            let before = std::mem::replace(&mut self.stack, stack);
            self.stack.shelf = before.shelf;
        }
        self.pump_stacks();
    }

    /// Puts the SoundFont on top to the bottom. One that is alone is read again.
    pub(super) fn next_sound_font(&mut self) {
        let mut choices = self.swap.as_ref().unwrap_or(&self.stack).choices.clone();
        choices.rotate_right(1);
        self.set_sound_fonts(&choices);
    }

    /// Gives the pool what it has room for.
    pub(super) fn pump_stacks(&mut self) {
        let handle = self.collector.handle();
        for stack in [Some(&mut self.stack), self.swap.as_mut()].into_iter().flatten() {
            stack.pump(&self.pool, &self.notes, &handle);
        }
    }

    pub(super) fn sound_bank_opened(
        &mut self,
        generation: u32,
        opened: Result<Result<Arc<SoundBank>, SoundBankError>, JobError>,
    ) {
        if self.stack(generation).is_none() {
            return;
        }
        let error = match opened {
            Ok(Ok(bank)) => return self.use_bank(generation, bank),
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        if generation == self.stack.generation {
            self.fail(Severity::UnreadableInput, error);
        } else {
            self.give_up_swap(&error);
        }
    }

    fn use_bank(&mut self, generation: u32, bank: Arc<SoundBank>) {
        for (name, warnings, total) in bank.warnings() {
            self.tell_all(name, &warnings, total as u64);
        }
        let mut asked = self.stack.shelf.asked();
        if self.config.rack.synthesiser && self.config.audio.midi_in != MidiPort::Off {
            // What a keyboard plays before it has chosen a program.
            asked.extend([(PresetKey::melodic(0, 0), KeySet::ALL), (PresetKey::drum(0), KeySet::ALL)]);
        }
        if let Some(stack) = self.stack(generation) {
            stack.opened(bank, &asked);
        }
        self.pump_stacks();
    }

    /// The stack in use, or the one that is to follow it.
    fn stack(&mut self, generation: u32) -> Option<&mut Stack> {
        let stacks = [Some(&mut self.stack), self.swap.as_mut()];
        stacks.into_iter().flatten().find(|stack| stack.generation == generation)
    }

    fn give_up_swap(&mut self, error: &str) {
        if let Some(given_up) = self.swap.take() {
            given_up.cancel();
            self.tell(Severity::UnreadableInput, format!("{error}; the SoundFont before stays in use"));
        }
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
            Slot::Open(song) => Some(presets::wanted(song, self.notes())),
            _ => None,
        }
    }

    /// What becomes of the notes of songs.
    fn notes(&self) -> presets::Notes {
        match () {
            () if self.rack.changes_notes() => presets::Notes::Changed,
            () if self.config.sound.transpose != 0 => presets::Notes::Transposed,
            () => presets::Notes::AsWritten,
        }
    }

    /// Other notes may sound from now on: of some presets they have not been loaded.
    pub(super) fn load_for_other_notes(&mut self) {
        let parts = [&self.current, &self.next].map(|part| part.as_ref().map(|part| part.number));
        let wanted = self.wanted.as_ref().map(|wanted| wanted.number);
        for number in parts.into_iter().chain([wanted]).flatten() {
            let needed = self.needed_by(number).unwrap_or_default();
            self.load_presets(&needed, Priority::Urgent);
        }
    }

    /// Has presets loaded, unless they are there or on their way.
    pub(super) fn load_presets(&mut self, wanted: &[(PresetKey, KeySet)], priority: Priority) {
        for stack in [Some(&mut self.stack), self.swap.as_mut()].into_iter().flatten() {
            stack.ask(wanted, priority);
        }
        self.pump_stacks();
    }

    pub(super) fn preset_loaded(&mut self, generation: u32, key: PresetKey, keys: KeySet, loaded: Loaded) {
        let complaint = presets::complaint(key, &loaded);
        let in_use = generation == self.stack.generation;
        let Some(stack) = self.stack(generation) else { return };
        let preset = match loaded {
            // A stack that cannot play what is in use does not take the place of one that can.
            Err(error) if !in_use => {
                let text = format!("{}: {}: {error}", stack.name(), presets::describe(key));
                return self.give_up_swap(&text);
            }
            loaded => loaded.ok().flatten().map(|found| found.preset),
        };
        let is_there = preset.is_some();
        stack.loaded(key, keys, preset);
        if in_use {
            if is_there {
                self.to_install.push(key);
            }
            complaint.into_iter().for_each(|complaint| self.tell(Severity::Warning, complaint));
        } else {
            stack.complaints.extend(complaint);
        }
    }

    /// Lets the next stack take its place, once all that is in use has been loaded from it.
    pub(super) fn finish_swap(&mut self) {
        let Some(swap) = &self.swap else { return };
        if !swap.is_settled() || !swap.shelf.has(&self.stack.shelf.asked()) {
            return;
        }
        // One swap at a time, so that no more than two stacks are ever in memory.
        let taken = self.rig.as_ref().is_none_or(|rig| rig.synth.has_taken_all());
        let Some(swap) = self.swap.take_if(|_| taken && self.to_install.is_empty()) else { return };
        let before = std::mem::replace(&mut self.stack, swap);
        before.cancel();
        // A preset that the new stack has nothing for is replaced by silence.
        let mut keys: Vec<_> =
            before.shelf.presets().chain(self.stack.shelf.presets()).map(|it| it.0).collect();
        keys.sort();
        keys.dedup();
        self.to_install = keys;
        self.wake_synth = true;
        for complaint in std::mem::take(&mut self.stack.complaints) {
            self.tell(Severity::Warning, complaint);
        }
        self.tell(Severity::Info, format!("SoundFont: {}", self.stack.name()));
    }

    /// Hands presets to the synthesiser, as many as there is room for.
    pub(super) fn install_presets(&mut self) {
        let Some(rig) = &mut self.rig else { return };
        while let Some(&key) = self.to_install.last() {
            let preset = self.stack.shelf.preset(key).cloned();
            let preset = preset.unwrap_or_else(|| presets::silence(key, &self.collector.handle()));
            if rig.synth.install(key, preset).is_err() {
                return;
            }
            self.to_install.pop();
        }
        // One that sleeps would hold on to what it has until the next note.
        self.wake_synth = self.wake_synth && rig.wake_synth().is_err();
    }

    /// Loads what a live player has chosen and the synthesiser lacks. Of a song all is known
    /// beforehand: programs that it asks for and never plays are not worth their memory.
    pub(super) fn answer_requests(&mut self) {
        let Some(rig) = &mut self.rig else { return };
        let requests = std::iter::from_fn(|| rig.synth.next_request());
        let wanted: Vec<_> = requests.map(|request| (request.key, KeySet::ALL)).collect();
        if self.config.rack.synthesiser && self.config.audio.midi_in != MidiPort::Off {
            self.missing_programs += wanted.len() as u64;
            self.load_presets(&wanted, Priority::Urgent);
        }
    }
}
