//! One set of sounding tones as a chord.

use super::chord_table::{ChordQuality, TEMPLATES};

/// Points for each tone that belongs to a chord.
const BELONGS: i32 = 16;
/// Points against each tone that does not.
const FOREIGN: i32 = -24;
/// Points against a tone that is usually there and is not.
const MISSING: i32 = -5;
/// Points for a chord whose root is the lowest tone: what decides between Am7 and C6, or C7b5 and Gb7b5.
const ROOT_IS_BASS: i32 = 12;
/// Least share of tones that must fit: two of the three of a triad without its fifth do, five foreign ones beside
/// the seven of a thirteenth do not.
const LEAST_FIT: f32 = 0.6;

/// What a set of tones is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Match {
    pub root: u8,
    pub bass: u8,
    pub quality: ChordQuality,
    /// Tones that belong to it, of these and of those that are foreign or missing: 0 to 1.
    pub fit: f32,
}

impl Match {
    /// Whether it is the same chord, however well it fits.
    pub fn is_same(&self, other: &Match) -> bool {
        (self.root, self.bass, self.quality) == (other.root, other.bass, other.quality)
    }
}

/// The chord of these pitch classes (bit 0 is C) over this bass, if they make one: a root that does not sound is
/// not guessed. At most 12 × 39 comparisons of sets. `[side A]`
pub(super) fn recognise(pitch_classes: u16, bass: u8) -> Option<Match> {
    let mut best = (i32::MIN, None);
    // From the bass upwards: what is alike in all else is named after the lower root, in every key alike.
    for root in (0..12).map(|above| (bass + above) % 12) {
        let tones = above(pitch_classes, root);
        if tones & 1 == 0 {
            continue;
        }
        for template in &TEMPLATES {
            if tones & template.needed != template.needed {
                continue;
            }
            let belong = (tones & template.tones()).count_ones() as i32;
            let foreign = (tones & !template.tones()).count_ones() as i32;
            let missing = (template.usual & !tones).count_ones() as i32;
            let bonus = if root == bass { ROOT_IS_BASS } else { 0 };
            let points = BELONGS * belong + FOREIGN * foreign + MISSING * missing + bonus - template.rarity;
            if points > best.0 {
                let fit = belong as f32 / (belong + foreign + missing) as f32;
                best = (points, Some(Match { root, bass, quality: template.quality, fit }));
            }
        }
    }
    best.1.filter(|found| found.fit >= LEAST_FIT)
}

/// The tones as semitones above a root.
fn above(pitch_classes: u16, root: u8) -> u16 {
    ((pitch_classes >> root) | (pitch_classes << (12 - root))) & 0xfff
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(root: u8, semitones: impl IntoIterator<Item = u8>) -> u16 {
        semitones.into_iter().fold(0, |set, semitone| set | 1 << ((root + semitone) % 12))
    }

    #[test]
    fn every_chord_in_root_position_is_itself_in_all_twelve_keys() {
        for root in 0..12 {
            for quality in ChordQuality::all() {
                let found = recognise(set(root, quality.semitones()), root).unwrap();
                assert_eq!((found.root, found.quality, found.fit), (root, quality, 1.0), "{quality:?}");
            }
        }
    }

    #[test]
    fn no_two_chords_have_the_same_tones() {
        let mut seen: Vec<u16> = ChordQuality::all().map(|quality| set(0, quality.semitones())).collect();
        seen.sort_unstable();
        assert!(seen.windows(2).all(|pair| pair[0] != pair[1]));
        let mut needed: Vec<u16> = TEMPLATES.iter().map(|template| template.needed).collect();
        needed.sort_unstable();
        assert!(needed.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn triads_and_sevenths_keep_their_root_in_every_inversion() {
        use ChordQuality as Q;
        for quality in [Q::Major, Q::Minor, Q::Dominant7, Q::Major7, Q::MinorMajor7] {
            for root in 0..12 {
                for bass in quality.semitones().map(|above| (root + above) % 12) {
                    let found = recognise(set(root, quality.semitones()), bass).unwrap();
                    assert_eq!((found.root, found.bass, found.quality), (root, bass, quality), "bass {bass}");
                }
            }
        }
    }

    #[test]
    fn a_fifth_may_be_missing_and_a_passing_tone_may_be_there() {
        let found = recognise(set(0, [0, 4, 10]), 0).unwrap();
        assert_eq!((found.quality, found.fit), (ChordQuality::Dominant7, 0.75));
        let found = recognise(set(0, [0, 4, 5, 7]), 0).unwrap();
        assert_eq!((found.quality, found.fit), (ChordQuality::Major, 0.75));
    }

    #[test]
    fn what_is_no_chord_is_none() {
        assert_eq!(recognise(0, 0), None);
        assert_eq!(recognise(1, 0), None, "one tone");
        assert_eq!(recognise(set(0, [0, 1]), 0), None, "a semitone");
        assert_eq!(recognise(set(0, [0, 1, 2, 3]), 0), None, "a cluster");
        assert_eq!(recognise(0xfff, 0), None, "all twelve");
    }

    #[test]
    fn any_set_and_bass_gives_the_same_answer_in_all_keys() {
        for tones in 0..1u16 << 12 {
            for bass in (0..12).filter(|bass| tones & (1 << bass) != 0) {
                let in_c = recognise(tones, bass);
                let in_d = recognise(above(tones, 10), (bass + 2) % 12);
                let moved = in_c.map(|it| Match { root: (it.root + 2) % 12, bass: (it.bass + 2) % 12, ..it });
                assert_eq!(in_d, moved, "{tones:012b} over {bass}");
            }
        }
    }
}
