//! MIDI Tuning Standard: where each key of a tuning program lies.

use kmidi_core::limits::MIDI_KEYS;

/// Tuning programs kept; the standard allows 128, real files use one.
const PROGRAMS: usize = 16;

/// Deviation of every key from equal temperament, for each tuning program.
pub(crate) struct Tunings {
    cents: Box<[[f32; MIDI_KEYS]]>,
}

impl Tunings {
    /// All in equal temperament. `[side B]`: allocates.
    pub fn new() -> Self {
        Tunings { cents: vec![[0.0; MIDI_KEYS]; PROGRAMS].into_boxed_slice() }
    }

    /// Deviation of a key in cents; programs beyond the limit are equal temperament.
    pub fn cents(&self, program: u8, key: u8) -> f32 {
        self.cents.get(usize::from(program)).map_or(0.0, |keys| keys[usize::from(key & 127)])
    }

    /// Sets one key from the standard's three bytes: semitone, and 14 bits of a part of it.
    /// 127/127/127 means no change.
    pub fn set(&mut self, program: u8, key: u8, [semitone, high, low]: [u8; 3]) {
        if [semitone, high, low] == [127; 3] {
            return;
        }
        let part = f32::from(u16::from(high) << 7 | u16::from(low)) / 16_384.0;
        if let Some(keys) = self.cents.get_mut(usize::from(program)) {
            let semitones = f32::from(semitone) - f32::from(key & 127);
            keys[usize::from(key & 127)] = 100.0 * (semitones + part);
        }
    }

    /// Back to equal temperament. `[side A]`
    pub fn reset(&mut self) {
        self.cents.fill([0.0; MIDI_KEYS]);
    }
}
