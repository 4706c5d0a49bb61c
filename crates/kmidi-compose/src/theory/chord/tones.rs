//! The tones of a chord above its root.
use crate::theory::{PitchClass, PitchClassSet};

/// A tone of a chord.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tone {
    /// 1 (the root), 2 and 4 (suspended), 3, 5, 6, 7, 9, 11 or 13.
    pub degree: u8,
    /// Semitones above the root, 0 to 21: a ninth is 13, 14 or 15.
    pub semitones: u8,
}

const fn tone(degree: u8, semitones: u8) -> Tone {
    Tone { degree, semitones }
}

/// Every tone that a chord may have, in the order in which chords have them; a set of them is bits.
const EVERY: [Tone; 19] = [
    tone(1, 0),
    tone(2, 2),
    tone(3, 3),
    tone(3, 4),
    tone(4, 5),
    tone(5, 6),
    tone(5, 7),
    tone(5, 8),
    tone(6, 9),
    tone(7, 9),
    tone(7, 10),
    tone(7, 11),
    tone(9, 13),
    tone(9, 14),
    tone(9, 15),
    tone(11, 17),
    tone(11, 18),
    tone(13, 20),
    tone(13, 21),
];

/// One bit of a set of tones.
pub(crate) mod bit {
    pub const ROOT: u32 = 1;
    pub const SUS2: u32 = 1 << 1;
    pub const MINOR_3: u32 = 1 << 2;
    pub const MAJOR_3: u32 = 1 << 3;
    pub const SUS4: u32 = 1 << 4;
    pub const FLAT_5: u32 = 1 << 5;
    pub const FIFTH: u32 = 1 << 6;
    pub const SHARP_5: u32 = 1 << 7;
    pub const SIXTH: u32 = 1 << 8;
    pub const DIM_7: u32 = 1 << 9;
    pub const MINOR_7: u32 = 1 << 10;
    pub const MAJOR_7: u32 = 1 << 11;
    pub const FLAT_9: u32 = 1 << 12;
    pub const NINTH: u32 = 1 << 13;
    pub const SHARP_9: u32 = 1 << 14;
    pub const ELEVENTH: u32 = 1 << 15;
    pub const SHARP_11: u32 = 1 << 16;
    pub const FLAT_13: u32 = 1 << 17;
    pub const THIRTEENTH: u32 = 1 << 18;

    pub const THIRDS: u32 = MINOR_3 | MAJOR_3;
    pub const SUSPENDED: u32 = SUS2 | SUS4;
    pub const FIFTHS: u32 = FLAT_5 | FIFTH | SHARP_5;
    pub const SEVENTHS: u32 = DIM_7 | MINOR_7 | MAJOR_7;
}

/// The tones of a chord: its root, and no pitch class twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Tones {
    bits: u32,
    len: u8,
    list: [Tone; Self::MOST],
}

impl Tones {
    /// No more tones than pitch classes.
    pub const MOST: usize = 12;
    pub const MAJOR: Self = Self::new(bit::MAJOR_3 | bit::FIFTH);
    pub const MINOR: Self = Self::new(bit::MINOR_3 | bit::FIFTH);

    /// The tones of these bits and the root. A sixth beside a seventh is a thirteenth; of two tones that sound alike, the one that
    /// comes first in a chord stays.
    pub const fn new(mut bits: u32) -> Self {
        if bits & bit::SEVENTHS != 0 && bits & bit::SIXTH != 0 {
            bits = (bits & !bit::SIXTH) | bit::THIRTEENTH;
        }
        bits |= bit::ROOT;
        let mut tones = Self { bits: 0, len: 0, list: [tone(0, 0); Self::MOST] };
        let mut heard = 0u32;
        let mut at = 0;
        while at < EVERY.len() {
            let class = 1 << (EVERY[at].semitones % 12);
            if bits & (1 << at) != 0 && heard & class == 0 {
                heard |= class;
                tones.bits |= 1 << at;
                tones.list[tones.len as usize] = EVERY[at];
                tones.len += 1;
            }
            at += 1;
        }
        tones
    }

    pub const fn has_minor_third(self) -> bool {
        self.bits & bit::MINOR_3 != 0
    }

    pub const fn has_major_third(self) -> bool {
        self.bits & bit::MAJOR_3 != 0
    }

    pub const fn bits(self) -> u32 {
        self.bits
    }

    pub fn as_slice(&self) -> &[Tone] {
        &self.list[..usize::from(self.len)]
    }

    /// A chord out of a scale (given from the chord's root), of the stacked third, fifth and seventh, in semitones, if there are such.
    pub fn of_scale(scale: PitchClassSet, stacked: [Option<u8>; 3], sevenths: bool) -> Self {
        /// Third and fifth.
        const TRIADS: [(u8, u8, u32); 10] = [
            (4, 7, bit::MAJOR_3 | bit::FIFTH),
            (3, 7, bit::MINOR_3 | bit::FIFTH),
            (3, 6, bit::MINOR_3 | bit::FLAT_5),
            (4, 8, bit::MAJOR_3 | bit::SHARP_5),
            (4, 6, bit::MAJOR_3 | bit::FLAT_5),
            (5, 7, bit::SUS4 | bit::FIFTH),
            (2, 7, bit::SUS2 | bit::FIFTH),
            (3, 8, bit::MINOR_3 | bit::SHARP_5),
            (5, 6, bit::SUS4 | bit::FLAT_5),
            (2, 6, bit::SUS2 | bit::FLAT_5),
        ];
        let has = |semitones: u8| scale.contains(PitchClass::new(i32::from(semitones)));
        let [third, fifth, seventh] = stacked;
        let as_stacked = TRIADS.iter().find(|triad| Some(triad.0) == third && Some(triad.1) == fifth);
        let triad = as_stacked.or_else(|| TRIADS.iter().find(|triad| has(triad.0) && has(triad.1)));
        let triad = triad.map_or(if has(7) { bit::FIFTH } else { 0 }, |triad| triad.2);
        let diminished = triad == bit::MINOR_3 | bit::FLAT_5;
        let named = |semitones: u8| match semitones {
            9 if diminished => Some(bit::DIM_7),
            10 => Some(bit::MINOR_7),
            11 => Some(bit::MAJOR_7),
            _ => None,
        };
        let first = [9, 10, 11].into_iter().filter(|it| has(*it)).find_map(named);
        let seventh = seventh.and_then(named).or(first).or(has(9).then_some(bit::SIXTH));
        Self::new(triad | if sevenths { seventh.unwrap_or(0) } else { 0 })
    }
}
