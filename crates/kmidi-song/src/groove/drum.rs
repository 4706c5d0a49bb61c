//! The drums of General MIDI, in the groups that a drummer's hands and feet make of them.

/// MIDI channel of the drums, counted from 0.
pub const DRUM_CHANNEL: u8 = 9;

/// A part of the drum kit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Drum {
    /// Bass drum.
    Kick,
    /// Snare drum, side stick.
    Snare,
    /// Hi-hat, closed.
    ClosedHat,
    /// Hi-hat, open.
    OpenHat,
    /// Hi-hat, played with the foot.
    PedalHat,
    /// A tom.
    Tom,
    /// A crash, splash or Chinese cymbal.
    Crash,
    /// The ride cymbal or its bell.
    Ride,
    /// Any other percussion.
    Other,
}

impl Drum {
    /// The drum of a key of the drum channel, by General MIDI's list.
    pub fn from_key(key: u8) -> Self {
        match key {
            35 | 36 => Drum::Kick,
            37..=40 if key != 39 => Drum::Snare,
            42 => Drum::ClosedHat,
            44 => Drum::PedalHat,
            46 => Drum::OpenHat,
            41 | 43 | 45 | 47 | 48 | 50 => Drum::Tom,
            49 | 52 | 55 | 57 => Drum::Crash,
            51 | 53 | 59 => Drum::Ride,
            _ => Drum::Other,
        }
    }

    /// The drum of a note; `None` on other channels.
    pub fn of(channel: u8, key: u8) -> Option<Self> {
        (channel == DRUM_CHANNEL).then(|| Drum::from_key(key))
    }

    /// How surely a drummer does not leave it out, 0 to 1: what carries the beat stays.
    pub(crate) fn protection(self) -> f64 {
        match self {
            Drum::Kick => 0.8,
            Drum::Snare => 0.7,
            Drum::ClosedHat | Drum::PedalHat => 0.2,
            Drum::OpenHat | Drum::Tom | Drum::Other => 0.5,
            Drum::Crash => 0.9,
            Drum::Ride => 0.3,
        }
    }

    /// Drums that are played softly between the beats by practice: ghost notes are theirs.
    pub(crate) fn takes_ghosts(self) -> bool {
        matches!(self, Drum::Snare | Drum::ClosedHat | Drum::Tom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_the_drums_of_general_midi() {
        let of = |drum| (0..128).filter(|&key| Drum::from_key(key) == drum).collect::<Vec<u8>>();
        assert_eq!(of(Drum::Kick), [35, 36]);
        assert_eq!(of(Drum::Snare), [37, 38, 40]);
        assert_eq!(of(Drum::Tom), [41, 43, 45, 47, 48, 50]);
        assert_eq!(of(Drum::Crash), [49, 52, 55, 57]);
        assert_eq!(of(Drum::Ride), [51, 53, 59]);
        assert_eq!((Drum::of(8, 36), Drum::of(9, 42)), (None, Some(Drum::ClosedHat)));
    }
}
