use super::grid::Chroma;

/// A chord quality as it is looked for in sounding notes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Template {
    /// How a lead sheet writes it behind its root.
    pub suffix: &'static str,
    /// Its tones in semitones above the root, a bit each.
    pub tones: u16,
    /// The tones that must sound: all but a perfect fifth that has company.
    pub needed: u16,
    /// What it costs to claim it: the rarer, and the more tones, the dearer.
    cost: f64,
}

const fn template(suffix: &'static str, semitones: &[u8], cost: f64) -> Template {
    let mut tones = 0;
    let mut at = 0;
    while at < semitones.len() {
        tones |= 1 << semitones[at];
        at += 1;
    }
    // Without a third or a seventh the fifth is half of the chord.
    let rich = tones & (1 << 3 | 1 << 4 | 1 << 10 | 1 << 11) != 0;
    let needed = if rich { tones & !(1 << 7) } else { tones };
    Template { suffix, tones, needed, cost }
}

/// The qualities that lead sheets use, the plain ones first: of two that fit alike, the earlier is meant.
pub(crate) const TEMPLATES: &[Template] = &[
    template("", &[0, 4, 7], 0.0),
    template("m", &[0, 3, 7], 0.0),
    template("7", &[0, 4, 7, 10], 0.10),
    template("m7", &[0, 3, 7, 10], 0.10),
    template("maj7", &[0, 4, 7, 11], 0.10),
    template("dim", &[0, 3, 6], 0.05),
    template("m7b5", &[0, 3, 6, 10], 0.14),
    template("dim7", &[0, 3, 6, 9], 0.12),
    template("aug", &[0, 4, 8], 0.10),
    template("sus4", &[0, 5, 7], 0.11),
    template("sus2", &[0, 2, 7], 0.13),
    template("5", &[0, 7], 0.13),
    template("6", &[0, 4, 7, 9], 0.15),
    template("m6", &[0, 3, 7, 9], 0.17),
    template("7sus4", &[0, 5, 7, 10], 0.19),
    template("mMaj7", &[0, 3, 7, 11], 0.18),
    template("add9", &[0, 2, 4, 7], 0.19),
    template("madd9", &[0, 2, 3, 7], 0.21),
    template("7#5", &[0, 4, 8, 10], 0.22),
    template("7b5", &[0, 4, 6, 10], 0.24),
    template("maj7#5", &[0, 4, 8, 11], 0.26),
    template("dimMaj7", &[0, 3, 6, 11], 0.27),
    template("9", &[0, 2, 4, 7, 10], 0.22),
    template("m9", &[0, 2, 3, 7, 10], 0.22),
    template("maj9", &[0, 2, 4, 7, 11], 0.22),
    template("7b9", &[0, 1, 4, 7, 10], 0.24),
    template("7#9", &[0, 3, 4, 7, 10], 0.26),
    template("7#11", &[0, 4, 6, 7, 10], 0.28),
    template("maj7#11", &[0, 4, 6, 7, 11], 0.28),
    template("6/9", &[0, 2, 4, 7, 9], 0.28),
    template("9sus4", &[0, 2, 5, 7, 10], 0.28),
    template("m11", &[0, 2, 3, 5, 7, 10], 0.32),
    template("13", &[0, 2, 4, 7, 9, 10], 0.32),
    template("maj13", &[0, 2, 4, 7, 9, 11], 0.32),
];

/// Share of the sounding time below which a tone cannot be one that a chord needs.
const PRESENT: f64 = 0.03;
/// What the root in the bass is worth.
const ROOT_IN_BASS: f64 = 0.10;
/// What a bass outside of the chord costs.
const FOREIGN_BASS: f64 = 0.24;
/// What a perfect fifth that is missing costs.
const NO_FIFTH: f64 = 0.08;
/// What a chord of four tones costs, and of more, none of whose tones would ever sound together: what has the tones of a thirteenth,
/// but three or four at a time, is rather some chords, one after another.
const APART: [f64; 2] = [0.35, 0.5];

/// A chord as it was heard: pitch classes, not yet names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Heard {
    /// Pitch class of the root.
    pub root: u8,
    /// Its quality: a place in [`TEMPLATES`].
    pub quality: usize,
    /// Pitch class of the bass.
    pub bass: u8,
    /// How well it fits: 1 is a chord with nothing missing and nothing besides.
    pub fit: f64,
}

impl Heard {
    pub(crate) fn template(&self) -> &'static Template {
        &TEMPLATES[self.quality]
    }

    /// The same chord, however well it fits.
    pub(crate) fn is(&self, other: &Heard) -> bool {
        (self.root, self.quality, self.bass) == (other.root, other.quality, other.bass)
    }
}

/// A set of pitch classes (a bit each), `semitones` higher.
pub(crate) fn rotated(classes: u16, semitones: u8) -> u16 {
    ((classes << semitones) | (classes >> (12 - semitones))) & 0xfff
}

fn sum(chroma: &Chroma, classes: u16) -> f64 {
    (0..12).filter(|class| classes & (1 << class) != 0).map(|class| chroma[class]).sum()
}

/// The chord that fits sounding time best, the root in the bass preferred; `None` for fewer than two
/// pitch classes and for what no chord fits. `sounding` are the sets of pitch classes that sound together, one after another.
pub(crate) fn best_chord(chroma: &Chroma, bass: Option<u8>, sounding: &[u16]) -> Option<Heard> {
    let total: f64 = chroma.iter().sum();
    if total <= 0.0 {
        return None;
    }
    let chroma = chroma.map(|weight| weight / total);
    let present = (0..12).filter(|&class| chroma[class] >= PRESENT).fold(0u16, |set, class| set | 1 << class);
    let mut best: Option<Heard> = None;
    for root in (0..12u8).filter(|root| present & (1 << root) != 0) {
        for (quality, template) in TEMPLATES.iter().enumerate() {
            if rotated(template.needed, root) & !present != 0 {
                continue;
            }
            let fit = fit(&chroma, present, root, template, bass) - apart(sounding, root, template);
            if best.is_none_or(|best| fit > best.fit + 1e-9) {
                best = Some(Heard { root, quality, bass: bass.unwrap_or(root), fit });
            }
        }
    }
    best
}

/// What it costs that the tones of a chord do not sound together.
fn apart(sounding: &[u16], root: u8, template: &Template) -> f64 {
    let cost = match template.tones.count_ones() {
        ..4 => return 0.0,
        4 => APART[0],
        _ => APART[1],
    };
    let tones = rotated(template.tones, root);
    let (mut together, mut all) = (0, 0);
    for set in sounding.iter().filter(|set| **set != 0) {
        together += (set & tones).count_ones();
        all += tones.count_ones();
    }
    if all == 0 { 0.0 } else { cost * (1.0 - f64::from(together) / f64::from(all)) }
}

fn fit(chroma: &Chroma, present: u16, root: u8, template: &Template, bass: Option<u8>) -> f64 {
    let tones = rotated(template.tones, root);
    let mut fit = -template.cost;
    let bass_class = bass.map_or(0, |bass| 1 << bass);
    match bass {
        Some(bass) if bass == root => fit += ROOT_IN_BASS,
        Some(_) if tones & bass_class == 0 => fit -= FOREIGN_BASS,
        _ => {}
    }
    // A foreign bass has paid for itself: it is written behind the slash.
    let inside = sum(chroma, tones | bass_class);
    if tones & !present != 0 {
        fit -= NO_FIFTH;
    }
    // What is inside counts for the chord, what is outside against it.
    fit + inside - (1.0 - inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chord(classes: u16, bass: u8) -> Heard {
        best_chord(&std::array::from_fn(|class| f64::from((classes >> class) & 1)), Some(bass), &[]).unwrap()
    }

    fn roots_with(classes: u16) -> Vec<(u8, usize)> {
        let all = (0..12).flat_map(|root| (0..TEMPLATES.len()).map(move |quality| (root, quality)));
        all.filter(|&(root, quality)| rotated(TEMPLATES[quality].tones, root) == classes).collect()
    }

    #[test]
    fn every_quality_on_every_root_is_heard_in_root_position() {
        for (quality, template) in TEMPLATES.iter().enumerate() {
            for root in 0..12 {
                let heard = chord(rotated(template.tones, root), root);
                assert_eq!((heard.root, heard.quality), (root, quality), "{}", template.suffix);
            }
        }
    }

    #[test]
    fn inversions_keep_their_root_where_no_other_chord_has_the_same_tones() {
        let mut tried = 0;
        for (quality, template) in TEMPLATES.iter().enumerate() {
            for root in 0..12 {
                let classes = rotated(template.tones, root);
                for bass in (0..12).filter(|bass| classes & (1 << bass) != 0) {
                    let heard = chord(classes, bass);
                    let same = roots_with(classes);
                    assert!(same.contains(&(heard.root, heard.quality)), "{} over {bass}", template.suffix);
                    if same.len() == 1 {
                        assert_eq!((heard.root, heard.quality, heard.bass), (root, quality, bass));
                        tried += 1;
                    }
                }
            }
        }
        assert!(tried > 700, "{tried}");
    }

    #[test]
    fn of_two_chords_with_the_same_tones_the_bass_decides() {
        let a_c_e_g = 1 << 9 | 1 | 1 << 4 | 1 << 7;
        let named = |heard: Heard| (heard.root, heard.template().suffix);
        assert_eq!(named(chord(a_c_e_g, 9)), (9, "m7"));
        assert_eq!(named(chord(a_c_e_g, 0)), (0, "6"));
        assert_eq!(named(chord(a_c_e_g, 4)), (9, "m7"));
    }

    #[test]
    fn a_short_foreign_tone_changes_nothing_and_a_long_one_does() {
        let mut chroma = [0.0; 12];
        (chroma[0], chroma[4], chroma[7]) = (1.0, 1.0, 1.0);
        chroma[10] = 0.1;
        assert_eq!(best_chord(&chroma, Some(0), &[]).unwrap().template().suffix, "");
        chroma[10] = 1.0;
        assert_eq!(best_chord(&chroma, Some(0), &[]).unwrap().template().suffix, "7");
    }

    #[test]
    fn one_pitch_class_and_silence_are_no_chord() {
        let mut chroma = [0.0; 12];
        assert_eq!(best_chord(&chroma, None, &[]), None);
        chroma[3] = 2.0;
        assert_eq!(best_chord(&chroma, Some(3), &[]), None);
    }

    #[test]
    fn tones_that_never_sound_together_make_no_thirteenth() {
        // G, E minor and D major in turns have the tones of Gmaj13; struck together they are it.
        let turns = [1 << 7 | 1 << 11 | 1 << 2, 1 << 4 | 1 << 7 | 1 << 11, 1 << 2 | 1 << 6 | 1 << 9];
        let all = turns[0] | turns[1] | turns[2];
        let chroma = std::array::from_fn(|class| f64::from((all >> class) & 1));
        let fit = |sounding: &[u16]| best_chord(&chroma, Some(7), sounding).unwrap().fit;
        let triad = |set: u16| {
            let chroma = std::array::from_fn(|class| f64::from((set >> class) & 1));
            best_chord(&chroma, None, &[set]).unwrap().fit
        };
        let apart = turns.map(triad).iter().sum::<f64>() / 3.0;
        assert!(fit(&turns) < apart - 0.4, "{} {apart}", fit(&turns));
        assert!(fit(&[all; 3]) > fit(&turns) + 0.2, "control: {}", fit(&[all; 3]));
    }

    #[test]
    fn a_fifth_may_be_missing_and_a_third_may_not() {
        let c_e_b_flat = 1 | 1 << 4 | 1 << 10;
        assert_eq!(chord(c_e_b_flat, 0).template().suffix, "7");
        assert_eq!(chord(1 | 1 << 7, 0).template().suffix, "5");
    }
}
