//! Which presets a song will ask for, found out before it sounds.

use std::collections::BTreeMap;

use kmidi_core::Event;
use kmidi_core::limits::{MAX_MIDI_PORTS, MIDI_CHANNELS};

use crate::channel::{Channel, cc};
use crate::key_set::KeySet;
use crate::preset_key::PresetKey;
use crate::synth::CHANNELS;
use crate::sysex::SystemMessage;

/// Follows the events of a song by the same rules as the synthesiser and notes the presets that its
/// notes sound, with their keys. `[side B]`
pub struct PresetUse {
    channels: Box<[Channel]>,
    used: BTreeMap<PresetKey, KeySet>,
    sounding: [u16; MAX_MIDI_PORTS],
    drums: [u16; MAX_MIDI_PORTS],
}

impl Default for PresetUse {
    fn default() -> Self {
        Self::new()
    }
}

impl PresetUse {
    /// As the synthesiser stands after power-on.
    pub fn new() -> Self {
        let channels = (0..CHANNELS).map(|i| Channel::new((i % MIDI_CHANNELS) as u8)).collect();
        PresetUse {
            channels,
            used: BTreeMap::new(),
            sounding: [0; MAX_MIDI_PORTS],
            drums: [0; MAX_MIDI_PORTS],
        }
    }

    /// Follows a channel message. A port beyond the synthesiser's is ignored, as there.
    pub fn event(&mut self, port: u8, event: Event) {
        let Some(channels) = self.port(port) else { return };
        match event {
            Event::NoteOn { channel, key, .. } => {
                let wanted = channels[usize::from(channel & 15)].wanted;
                self.used.entry(wanted).or_default().insert(key);
                self.sounding[usize::from(port)] |= 1 << (channel & 15);
                self.drums[usize::from(port)] |= u16::from(wanted.is_drum()) << (channel & 15);
            }
            Event::ProgramChange { channel, program } => {
                channels[usize::from(channel & 15)].set_program(program & 127);
            }
            Event::ControlChange {
                channel,
                controller: controller @ (cc::BANK_MSB | cc::BANK_LSB),
                value,
            } => {
                channels[usize::from(channel & 15)].set_controller(controller, value & 127);
            }
            _ => {}
        }
    }

    /// Follows a SysEx message, `F0` to `F7`.
    pub fn sysex(&mut self, port: u8, message: &[u8]) {
        let Some(channels) = self.port(port) else { return };
        match SystemMessage::parse(message) {
            Some(SystemMessage::Reset(mode)) => {
                channels.iter_mut().for_each(|channel| channel.reset_system(mode))
            }
            Some(SystemMessage::DrumPart { channel, is_drum }) => {
                channels[usize::from(channel & 15)].set_drum(is_drum);
            }
            _ => {}
        }
    }

    /// The presets that notes sounded so far, and with which keys.
    pub fn used(&self) -> impl Iterator<Item = (PresetKey, KeySet)> + '_ {
        self.used.iter().map(|(&preset, &keys)| (preset, keys))
    }

    /// The channels of each port, a bit each, that had notes so far.
    pub fn sounding_channels(&self) -> [u16; MAX_MIDI_PORTS] {
        self.sounding
    }

    /// The channels of each port, a bit each, whose notes sounded a drum kit so far.
    pub fn drum_channels(&self) -> [u16; MAX_MIDI_PORTS] {
        self.drums
    }

    fn port(&mut self, port: u8) -> Option<&mut [Channel]> {
        let first = usize::from(port) * MIDI_CHANNELS;
        self.channels.get_mut(first..first + MIDI_CHANNELS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(channel: u8, program: u8) -> Event {
        Event::ProgramChange { channel, program }
    }

    fn bank(channel: u8, value: u8) -> Event {
        Event::ControlChange { channel, controller: cc::BANK_MSB, value }
    }

    fn check(events: &[(u8, Event)], reset: &[u8], expected: &[(PresetKey, u8)]) {
        let mut seen = PresetUse::new();
        seen.sysex(0, reset);
        events.iter().for_each(|&(port, event)| seen.event(port, event));
        let one_key = |&(preset, key): &(PresetKey, u8)| (preset, KeySet::from_iter([key]));
        assert_eq!(seen.used().collect::<Vec<_>>(), expected.iter().map(one_key).collect::<Vec<_>>());
        assert_eq!(seen.drum_channels(), [1 << 9, 1 << 9, 0, 0]);
        assert_eq!(seen.sounding_channels(), [1 << 9 | 1, 1 << 9, 0, 0]);
    }

    #[test]
    fn only_what_sounds_is_needed_under_the_rules_of_the_mode() {
        let song = [
            (0, Event::note_on(0, 60, 1)),
            (0, bank(0, 8)),
            (0, program(0, 5)),
            (0, Event::note_on(0, 61, 1)),
            (0, program(1, 7)),
            (0, Event::note_on(9, 36, 1)),
            (1, program(9, 8)),
            (1, Event::note_on(9, 38, 1)),
            (9, Event::note_on(0, 1, 1)),
        ];
        let piano = (PresetKey::melodic(0, 0), 60);
        let kits = [(PresetKey::drum(0), 36), (PresetKey::drum(8), 38)];
        let gm_reset = [0xf0, 0x7e, 0x7f, 9, 1, 0xf7];
        check(&song, &gm_reset, &[piano, (PresetKey::melodic(0, 5), 61), kits[0], kits[1]]);
        check(&song, &[], &[piano, (PresetKey::melodic(8, 5), 61), kits[0], kits[1]]);
    }
}
