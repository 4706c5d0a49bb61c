//! What messages do to notes: on, off, pedals, modes, and system messages.

use std::sync::atomic::Ordering::Relaxed;

use kmidi_core::limits::MIDI_CHANNELS;

use crate::channel::{Mode, cc};
use crate::generator::Generator;
use crate::note::{Holds, Note};
use crate::synth::{Synth, surroundings};
use crate::sysex::SystemMessage;
use crate::units::gain_to_attenuation;

/// Portamento time at the far end of controller 5, in seconds.
const LONGEST_PORTAMENTO_SECONDS: f64 = 2.0;

/// A bit for every key.
const ALL_KEYS: u128 = u128::MAX;

impl Synth {
    /// `velocity` is 0 to 127.
    pub(crate) fn note_on(&mut self, channel: usize, key: u8, velocity: f32) {
        let Some(preset) = self.channels[channel].preset.clone() else {
            self.counters.notes_without_preset.fetch_add(1, Relaxed);
            self.request(channel);
            return;
        };
        if self.is_silent() {
            (self.frame_in_grid, self.has_looked) = (0, false);
        }
        self.notes_begun += 1;
        let (glide_cents, glide_frames) = self.glide(channel, key);
        let id = self.notes_begun;
        let note = Note { channel, key, velocity, id, glide_cents, glide_frames };
        self.channels[channel].last_key = Some(key);
        if self.slur(note) {
            self.keys_down[channel] |= 1 << key;
            return;
        }
        self.end_earlier_notes(channel, key);
        self.keys_down[channel] |= 1 << key;
        let heard = velocity.round().max(1.0) as u8;
        for (index, zone) in preset.zones.iter().enumerate() {
            if !zone.keys.contains(&key) || !zone.velocities.contains(&heard) {
                continue;
            }
            let class = zone.generators[Generator::ExclusiveClass];
            if class != 0 {
                self.voices.choke(self.ahead, self.sample_rate_hz, &note, class);
            }
            let around = surroundings!(self);
            self.voices.start(note, (&preset, index), self.ahead, &around);
        }
    }

    /// Where the slide to a new key starts, and how long it takes.
    fn glide(&mut self, channel: usize, key: u8) -> (f64, f64) {
        let state = &mut self.channels[channel];
        let from =
            state.take_portamento_key().or(if state.is_down(cc::PORTAMENTO) { state.last_key } else { None });
        let time = f64::from(state.controller(cc::PORTAMENTO_TIME)) / 127.0;
        let frames = time * time * LONGEST_PORTAMENTO_SECONDS * self.sample_rate_hz;
        match from {
            Some(from) if frames >= 1.0 => (100.0 * (f64::from(from) - f64::from(key)), frames),
            _ => (0.0, 0.0),
        }
    }

    /// In legato, a note that begins while another is held takes its voices over.
    fn slur(&mut self, note: Note) -> bool {
        self.is_legato(note.channel) && self.voices.retune(note)
    }

    pub(crate) fn is_legato(&self, channel: usize) -> bool {
        self.channels.get(channel).is_some_and(|channel| channel.is_down(cc::LEGATO))
    }

    /// A key struck again ends its former note; in mono mode every key does.
    fn end_earlier_notes(&mut self, channel: usize, key: u8) {
        self.keys_up(channel, if self.channels[channel].mono { ALL_KEYS } else { 1 << key });
    }

    pub(crate) fn note_off(&mut self, channel: usize, key: u8) {
        self.keys_up(channel, 1 << key);
    }

    /// Lifts keys (a bit for each); pedals may hold their notes.
    fn keys_up(&mut self, channel: usize, keys: u128) {
        let sustain = self.channels[channel].is_down(cc::SUSTAIN);
        let mut lifted = self.keys_down[channel] & keys;
        self.keys_down[channel] &= !keys;
        while lifted != 0 {
            let key = lifted.trailing_zeros() as u8;
            lifted &= lifted - 1;
            self.voices.of_key(channel, key, |voice| {
                if voice.holds.key {
                    voice.holds.key = false;
                    voice.holds.sustain = sustain;
                    if voice.holds == Holds::default() {
                        voice.release(self.ahead, self.sample_rate_hz);
                    }
                }
            });
        }
    }

    pub(crate) fn control_change(&mut self, channel: usize, controller: u8, value: u8) {
        match controller {
            cc::ALL_SOUND_OFF => {
                self.voices.fade(self.ahead, self.sample_rate_hz, |voice| voice.note.channel == channel);
            }
            cc::RESET_ALL => {
                self.channels[channel].reset_controllers();
                self.pedal_moved(channel, cc::SUSTAIN);
                self.pedal_moved(channel, cc::SOSTENUTO);
            }
            cc::ALL_NOTES_OFF | cc::OMNI_OFF | cc::OMNI_ON => self.keys_up(channel, ALL_KEYS),
            cc::MONO | cc::POLY => {
                self.keys_up(channel, ALL_KEYS);
                self.channels[channel].mono = controller == cc::MONO;
            }
            _ => {
                self.channels[channel].set_controller(controller, value);
                if matches!(controller, cc::SUSTAIN | cc::SOSTENUTO) {
                    self.pedal_moved(channel, controller);
                }
            }
        }
    }

    /// Sustain up frees what it held; sostenuto down catches the keys held now, up frees them.
    fn pedal_moved(&mut self, channel: usize, pedal: u8) {
        let down = self.channels[channel].is_down(pedal);
        for voice in self.voices.iter_mut().filter(|voice| voice.note.channel == channel) {
            if voice.holds == Holds::default() {
                continue;
            }
            match pedal {
                cc::SUSTAIN if !down => voice.holds.sustain = false,
                cc::SOSTENUTO if !down => voice.holds.sostenuto = false,
                cc::SOSTENUTO => voice.holds.sostenuto |= voice.holds.key,
                _ => {}
            }
            if voice.holds == Holds::default() {
                voice.release(self.ahead, self.sample_rate_hz);
            }
        }
    }

    pub(crate) fn system_exclusive(&mut self, port: usize, message: &[u8]) {
        let Some(message) = SystemMessage::parse(message) else { return };
        let channels = port * MIDI_CHANNELS..(port + 1) * MIDI_CHANNELS;
        match message {
            SystemMessage::Reset(mode) => self.reset_port(channels, mode),
            SystemMessage::MasterVolume(volume) => {
                let gain = (f64::from(volume) / 16_383.0).powi(2);
                let attenuation = if gain > 0.0 { gain_to_attenuation(gain).min(1440.0) } else { 1440.0 };
                for channel in &mut self.channels[channels] {
                    channel.set_master_attenuation(attenuation as f32);
                }
            }
            SystemMessage::MasterTune(cents) => {
                self.channels[channels].iter_mut().for_each(|channel| channel.set_master_tune(cents));
            }
            SystemMessage::MasterKeyShift(semitones) => {
                self.channels[channels].iter_mut().for_each(|channel| channel.set_key_shift(semitones));
            }
            SystemMessage::DrumPart { channel, is_drum } => {
                let channel = channels.start + usize::from(channel & 15);
                self.channels[channel].set_drum(is_drum);
                self.select(channel);
            }
            SystemMessage::BulkTuning { program, keys } => {
                for (key, &[a, b, c]) in keys.as_chunks().0.iter().enumerate() {
                    self.tunings.set(program, key as u8, [a, b, c]);
                }
                self.tunings_changed();
            }
            SystemMessage::KeyTuning { program, changes } => {
                for &[key, a, b, c] in changes.as_chunks().0 {
                    self.tunings.set(program, key, [a, b, c]);
                }
                self.tunings_changed();
            }
            SystemMessage::OctaveTuning { channels: mask, cents } => {
                for (number, channel) in self.channels[channels].iter_mut().enumerate() {
                    if mask >> number & 1 == 1 {
                        channel.set_octave_tuning(cents);
                    }
                }
            }
        }
    }

    /// A system reset: silence, and every channel as after power-on.
    fn reset_port(&mut self, channels: std::ops::Range<usize>, mode: Mode) {
        self.voices.fade(self.ahead, self.sample_rate_hz, |voice| channels.contains(&voice.note.channel));
        if channels.start == 0 {
            self.tunings.reset();
        }
        for channel in channels {
            self.channels[channel].reset_system(mode);
            // A channel that no program change follows, and no note, needs nothing.
            self.channels[channel].preset = None;
            self.select_if_installed(channel);
        }
    }

    fn tunings_changed(&mut self) {
        self.channels.iter_mut().for_each(|channel| channel.tuning_changed());
    }
}
