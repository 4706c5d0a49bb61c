//! Which keys sound, and which have just been let go.

use kmidi_core::limits::{MAX_MIDI_PORTS, MIDI_CHANNELS, MIDI_KEYS};

/// Channels of all ports.
pub(super) const VOICES: usize = MAX_MIDI_PORTS * MIDI_CHANNELS;

const _: () = assert!(VOICES <= 64, "pedals are a u64");
const _: () = assert!(MIDI_KEYS == 128, "keys are a u128");

/// The keys of all channels. Everything here has its size from the start; no call does more than 128 small steps.
pub(super) struct Sounding {
    down: [u128; VOICES],
    /// Let go while the pedal was down.
    pedalled: [u128; VOICES],
    pedals: u64,
    /// How many channels hold each key.
    holders: [u8; MIDI_KEYS],
    /// Keys with a holder.
    keys: u128,
    /// Keys without, remembered until they are forgotten.
    recent: u128,
    /// The frame at which each of the recent ones was let go.
    released_at: [u64; MIDI_KEYS],
    changed: bool,
}

impl Sounding {
    pub fn new() -> Self {
        Sounding {
            down: [0; VOICES],
            pedalled: [0; VOICES],
            pedals: 0,
            holders: [0; MIDI_KEYS],
            keys: 0,
            recent: 0,
            released_at: [0; MIDI_KEYS],
            changed: false,
        }
    }

    pub fn clear(&mut self) {
        *self = Self::new();
    }

    pub fn note_on(&mut self, voice: usize, key: u8) {
        let key = key & 127;
        let bit = 1 << key;
        let sounded = (self.down[voice] | self.pedalled[voice]) & bit != 0;
        self.down[voice] |= bit;
        self.pedalled[voice] &= !bit;
        if !sounded {
            self.holders[usize::from(key)] += 1;
            self.changed |= self.keys & bit == 0;
            self.keys |= bit;
            self.recent &= !bit;
        }
    }

    pub fn note_off(&mut self, voice: usize, key: u8, now: u64) {
        let bit = 1 << (key & 127);
        if self.down[voice] & bit == 0 {
            return;
        }
        self.down[voice] &= !bit;
        if self.pedals & (1 << voice) != 0 {
            self.pedalled[voice] |= bit;
        } else {
            self.let_go(bit, now);
        }
    }

    pub fn pedal(&mut self, voice: usize, is_down: bool, now: u64) {
        if is_down {
            self.pedals |= 1 << voice;
        } else {
            self.pedals &= !(1 << voice);
            let ended = std::mem::take(&mut self.pedalled[voice]);
            self.let_go(ended, now);
        }
    }

    /// As if all keys of the channel came up: the pedal still holds them.
    pub fn all_notes_off(&mut self, voice: usize, now: u64) {
        let down = std::mem::take(&mut self.down[voice]);
        if self.pedals & (1 << voice) != 0 {
            self.pedalled[voice] |= down;
        } else {
            self.let_go(down, now);
        }
    }

    /// Everything on the channel ends, whatever the pedal says.
    pub fn all_sound_off(&mut self, voice: usize, now: u64) {
        let sounded = std::mem::take(&mut self.down[voice]) | std::mem::take(&mut self.pedalled[voice]);
        self.let_go(sounded, now);
    }

    /// One channel has stopped to hold each of these.
    fn let_go(&mut self, ended: u128, now: u64) {
        for key in bits(ended) {
            let holders = &mut self.holders[key];
            *holders -= 1;
            if *holders == 0 {
                self.keys &= !(1 << key);
                self.recent |= 1 << key;
                self.released_at[key] = now;
                self.changed = true;
            }
        }
    }

    /// Forgets what was let go at or before `frame`.
    pub fn forget_until(&mut self, frame: u64) {
        for key in bits(self.recent) {
            if self.released_at[key] <= frame {
                self.recent &= !(1 << key);
                self.changed = true;
            }
        }
    }

    /// Keys that sound.
    pub fn keys(&self) -> u128 {
        self.keys
    }

    /// Keys that have just been let go.
    pub fn recent(&self) -> u128 {
        self.recent
    }

    /// Whether anything is different from the last time this was asked.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }
}

/// The numbers of the set bits, from 0 upwards.
fn bits(mut set: u128) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lowest = set.trailing_zeros();
        set &= set.wrapping_sub(1);
        (lowest < 128).then_some(lowest as usize)
    })
}

/// Keys as pitch classes, bit 0 is C.
pub(super) fn pitch_classes(keys: u128) -> u16 {
    (0..11).fold(0, |set, octave| set | ((keys >> (12 * octave)) & 0xfff) as u16)
}

/// The pitch class of the lowest of these keys; of none, C.
pub(super) fn bass(keys: u128) -> u8 {
    if keys == 0 { 0 } else { (keys.trailing_zeros() % 12) as u8 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_sounds_until_its_last_channel_lets_go() {
        let mut sounding = Sounding::new();
        sounding.note_on(0, 60);
        sounding.note_on(0, 60);
        sounding.note_on(17, 60);
        sounding.note_off(0, 60, 5);
        assert_eq!(sounding.keys(), 1 << 60);
        sounding.note_off(0, 60, 6);
        sounding.note_off(17, 60, 7);
        assert_eq!((sounding.keys(), sounding.recent()), (0, 1 << 60));
        sounding.forget_until(6);
        assert_eq!(sounding.recent(), 1 << 60);
        sounding.forget_until(7);
        assert_eq!(sounding.recent(), 0);
    }

    #[test]
    fn the_pedal_holds_what_is_let_go_and_a_note_that_comes_again_is_one() {
        let mut sounding = Sounding::new();
        sounding.note_on(3, 60);
        sounding.pedal(3, true, 0);
        sounding.note_off(3, 60, 1);
        assert_eq!(sounding.keys(), 1 << 60);
        sounding.note_on(3, 60);
        sounding.pedal(3, false, 2);
        assert_eq!(sounding.keys(), 1 << 60, "it was struck again");
        sounding.note_off(3, 60, 3);
        assert_eq!(sounding.keys(), 0);
    }

    #[test]
    fn all_notes_off_leaves_what_the_pedal_holds_and_all_sound_off_does_not() {
        let mut sounding = Sounding::new();
        sounding.pedal(0, true, 0);
        sounding.note_on(0, 60);
        sounding.note_on(1, 64);
        sounding.all_notes_off(0, 1);
        sounding.all_notes_off(1, 1);
        assert_eq!(sounding.keys(), 1 << 60);
        sounding.all_sound_off(0, 2);
        assert_eq!(sounding.keys(), 0);
        sounding.pedal(0, false, 3);
        sounding.note_off(1, 64, 3);
        assert_eq!(sounding.keys(), 0, "nothing is let go twice");
    }

    #[test]
    fn sets_of_keys_have_pitch_classes_and_a_bass() {
        let keys = 1 << 127 | 1 << 55 | 1 << 60 | 1 << 64;
        assert_eq!((pitch_classes(keys), bass(keys)), (1 | 1 << 4 | 1 << 7, 7));
        assert_eq!((pitch_classes(0), bass(0)), (0, 0));
    }
}
