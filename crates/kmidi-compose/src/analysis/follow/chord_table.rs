//! The chords that the follower knows.

use serde::Serialize;

/// What kind of chord it is. Each is told from every other by its tones: no two have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each is shown by its symbol in the table below")]
pub enum ChordQuality {
    Major,
    Minor,
    Diminished,
    Augmented,
    Suspended4,
    Suspended2,
    Fifth,
    Dominant7,
    Minor7,
    Major7,
    HalfDiminished7,
    Diminished7,
    MinorMajor7,
    Dominant7Suspended4,
    Dominant7Flat5,
    Dominant7Sharp5,
    Major7Flat5,
    Major7Sharp5,
    Sixth,
    Minor6,
    SixthNinth,
    Minor6Ninth,
    Added9,
    MinorAdded9,
    Dominant9,
    Minor9,
    Major9,
    MinorMajor9,
    Dominant9Suspended4,
    Dominant7Flat9,
    Dominant7Sharp9,
    Dominant7Sharp11,
    Dominant7Flat13,
    Major7Sharp11,
    Dominant11,
    Minor11,
    Dominant13,
    Minor13,
    Major13,
}

impl ChordQuality {
    /// All of them.
    pub fn all() -> impl Iterator<Item = ChordQuality> {
        TEMPLATES.iter().map(|template| template.quality)
    }

    /// What a lead sheet writes behind the root: `m7b5`; nothing for a major triad.
    pub fn suffix(self) -> &'static str {
        self.template().suffix
    }

    /// Its tones as semitones above the root, from 0 upwards, without octaves; those that are often left out included.
    pub fn semitones(self) -> impl Iterator<Item = u8> {
        let tones = self.template().tones();
        (0..12).filter(move |semitone| tones & (1 << semitone) != 0)
    }

    /// The one of this number in [`ChordQuality::all`].
    pub(super) fn numbered(number: usize) -> Option<Self> {
        TEMPLATES.get(number).map(|template| template.quality)
    }

    fn template(self) -> &'static Template {
        // In the order of the enum: a test looks.
        &TEMPLATES[self as usize]
    }
}

/// A chord as sets of semitones above its root (bit 0 is the root).
pub(super) struct Template {
    pub quality: ChordQuality,
    suffix: &'static str,
    /// Tones without which it is another chord.
    pub needed: u16,
    /// A tone that is often left out: a natural fifth that nothing hangs on, the ninth below an eleventh.
    pub usual: u16,
    /// A tone that may be there and is not missed: the eleventh of a thirteenth.
    pub optional: u16,
    /// Points by which a more usual name for the same tones is preferred.
    pub rarity: i32,
}

impl Template {
    /// Every tone that belongs to it.
    pub const fn tones(&self) -> u16 {
        self.needed | self.usual | self.optional
    }
}

const fn template(
    quality: ChordQuality,
    suffix: &'static str,
    needed: &[u8],
    usual: &[u8],
    optional: &[u8],
    rarity: i32,
) -> Template {
    let (needed, usual, optional) = (set(needed), set(usual), set(optional));
    Template { quality, suffix, needed, usual, optional, rarity }
}

const fn set(semitones: &[u8]) -> u16 {
    let (mut set, mut at) = (0, 0);
    while at < semitones.len() {
        set |= 1 << semitones[at];
        at += 1;
    }
    set
}

use ChordQuality as Q;

/// Chords of lead sheets (symbols as in Brandt and Roemer, Standardized Chord Symbol Notation, 1976).
///
/// The ninth, eleventh and thirteenth are 2, 5 and 9 semitones above the root: octaves do not count here.
pub(super) const TEMPLATES: [Template; 39] = [
    template(Q::Major, "", &[0, 4], &[7], &[], 0),
    template(Q::Minor, "m", &[0, 3], &[7], &[], 0),
    template(Q::Diminished, "dim", &[0, 3, 6], &[], &[], 1),
    template(Q::Augmented, "aug", &[0, 4, 8], &[], &[], 1),
    template(Q::Suspended4, "sus4", &[0, 5, 7], &[], &[], 2),
    template(Q::Suspended2, "sus2", &[0, 2, 7], &[], &[], 3),
    template(Q::Fifth, "5", &[0, 7], &[], &[], 0),
    template(Q::Dominant7, "7", &[0, 4, 10], &[7], &[], 1),
    template(Q::Minor7, "m7", &[0, 3, 10], &[7], &[], 1),
    template(Q::Major7, "maj7", &[0, 4, 11], &[7], &[], 1),
    template(Q::HalfDiminished7, "m7b5", &[0, 3, 6, 10], &[], &[], 1),
    template(Q::Diminished7, "dim7", &[0, 3, 6, 9], &[], &[], 1),
    template(Q::MinorMajor7, "mMaj7", &[0, 3, 7, 11], &[], &[], 2),
    template(Q::Dominant7Suspended4, "7sus4", &[0, 5, 7, 10], &[], &[], 2),
    template(Q::Dominant7Flat5, "7b5", &[0, 4, 6, 10], &[], &[], 2),
    template(Q::Dominant7Sharp5, "7#5", &[0, 4, 8, 10], &[], &[], 2),
    template(Q::Major7Flat5, "maj7b5", &[0, 4, 6, 11], &[], &[], 3),
    template(Q::Major7Sharp5, "maj7#5", &[0, 4, 8, 11], &[], &[], 3),
    template(Q::Sixth, "6", &[0, 4, 7, 9], &[], &[], 3),
    template(Q::Minor6, "m6", &[0, 3, 7, 9], &[], &[], 3),
    template(Q::SixthNinth, "6/9", &[0, 2, 4, 9], &[7], &[], 4),
    template(Q::Minor6Ninth, "m6/9", &[0, 2, 3, 9], &[7], &[], 4),
    template(Q::Added9, "add9", &[0, 2, 4, 7], &[], &[], 3),
    template(Q::MinorAdded9, "m(add9)", &[0, 2, 3, 7], &[], &[], 3),
    template(Q::Dominant9, "9", &[0, 2, 4, 10], &[7], &[], 2),
    template(Q::Minor9, "m9", &[0, 2, 3, 10], &[7], &[], 2),
    template(Q::Major9, "maj9", &[0, 2, 4, 11], &[7], &[], 2),
    template(Q::MinorMajor9, "mMaj9", &[0, 2, 3, 11], &[7], &[], 4),
    template(Q::Dominant9Suspended4, "9sus4", &[0, 2, 5, 10], &[7], &[], 3),
    template(Q::Dominant7Flat9, "7b9", &[0, 1, 4, 10], &[7], &[], 3),
    template(Q::Dominant7Sharp9, "7#9", &[0, 3, 4, 10], &[7], &[], 3),
    template(Q::Dominant7Sharp11, "7#11", &[0, 4, 6, 7, 10], &[], &[2], 3),
    template(Q::Dominant7Flat13, "7b13", &[0, 4, 7, 8, 10], &[], &[], 4),
    template(Q::Major7Sharp11, "maj7#11", &[0, 4, 6, 7, 11], &[], &[2], 3),
    template(Q::Dominant11, "11", &[0, 4, 5, 10], &[2, 7], &[], 4),
    template(Q::Minor11, "m11", &[0, 3, 5, 10], &[2, 7], &[], 3),
    template(Q::Dominant13, "13", &[0, 4, 9, 10], &[2, 7], &[5], 4),
    template(Q::Minor13, "m13", &[0, 3, 9, 10], &[2, 7], &[5], 4),
    template(Q::Major13, "maj13", &[0, 4, 9, 11], &[2, 7], &[], 4),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_stand_in_the_order_of_their_names() {
        for (number, template) in TEMPLATES.iter().enumerate() {
            assert_eq!(template.quality as usize, number);
            assert_eq!(template.quality.suffix(), template.suffix);
        }
        assert_eq!(ChordQuality::numbered(TEMPLATES.len()), None);
    }

    #[test]
    fn every_template_has_its_root_and_its_sets_do_not_overlap() {
        for template in &TEMPLATES {
            assert!(template.needed & 1 == 1 && template.tones() < 1 << 12, "{}", template.suffix);
            assert_eq!(template.needed & template.usual, 0, "{}", template.suffix);
            assert_eq!((template.needed | template.usual) & template.optional, 0, "{}", template.suffix);
        }
        assert!(Q::HalfDiminished7.semitones().eq([0, 3, 6, 10]));
    }
}
