//! The key of a plan: as asked, of the chords that were given, or of the mood.
use super::Chords;
use super::build::Builder;
use crate::analysis::Progression;
use crate::theory::{Chord, Key, Letter, PitchClass, PitchName, Scale, Spelling};

/// The modes that chords on a tonic are looked for in, the most usual first.
const MODES: [Scale; 8] = [
    Scale::IONIAN,
    Scale::AEOLIAN,
    Scale::DORIAN,
    Scale::MIXOLYDIAN,
    Scale::LYDIAN,
    Scale::PHRYGIAN,
    Scale::HARMONIC_MINOR,
    Scale::LOCRIAN,
];

/// A key, why this mode, and why this tonic.
type Choice = (Key, String, String);

impl Builder<'_> {
    /// The key, with its reasons told.
    pub(super) fn key(&mut self) -> Key {
        let given = self.options.progression.as_ref().and_then(Chords::without_key);
        let (key, mode, tonic) = match given {
            Some(chords) if !chords.is_empty() => self.key_of_chords(&chords),
            _ => self.key_of_mood(),
        };
        self.say(format!("mode {}", key.scale), mode);
        self.say(format!("key of {}", key.tonic), tonic);
        key
    }

    /// The mode that was asked for, and how.
    fn mode_asked(&self) -> Option<(Scale, String)> {
        let with_key = || self.options.key.and_then(|key| key.scale);
        let alone = self.options.mode.map(|scale| (scale, "as asked".to_owned()));
        alone.or_else(|| with_key().map(|scale| (scale, "asked for with the key".to_owned())))
    }

    fn mode_of_mood(&self) -> (Scale, String) {
        match self.mood.shade {
            Some(shade) => (shade.modes[0], format!("the first mode of {}", shade.name.to_lowercase())),
            None => (self.preset.scale, format!("the mode of {}", self.mood.primary)),
        }
    }

    fn key_of_mood(&self) -> Choice {
        let (scale, mode) = self.mode_asked().unwrap_or_else(|| self.mode_of_mood());
        let (tonic, because) = match (self.options.key, &self.options.progression) {
            (Some(key), _) => (key.tonic, "as asked"),
            (None, Some(_)) => (C, "numerals are of C if no key is asked for"),
            (None, None) => (C, "C if nothing else is asked"),
        };
        (Key::new(tonic, scale), mode, because.to_owned())
    }

    /// The key that holds the user's chords: as much of it as was not asked for.
    fn key_of_chords(&self, chords: &[Chord]) -> Choice {
        let most = |scale: &Scale| format!("of all {scale} keys it has most tones of the chords");
        let asked = self.options.key.map(|key| key.tonic);
        match (asked, self.mode_asked()) {
            (Some(tonic), Some((scale, mode))) => (Key::new(tonic, scale), mode, "as asked".to_owned()),
            (None, Some((scale, mode))) => {
                (Key::new(fitting_tonic(chords, scale), scale), mode, most(&scale))
            }
            (Some(tonic), None) => {
                let (scale, mode) = self.mode_of_mood();
                let own = Key::new(tonic, scale);
                if tones_in(chords, own) == tones(chords) {
                    return (own, mode, "as asked".to_owned());
                }
                // Of several with the most, the first.
                let key = |scale: &Scale| Key::new(tonic, *scale);
                let found = MODES.iter().rev().max_by_key(|scale| tones_in(chords, key(scale)));
                let found = key(found.unwrap_or(&scale));
                let because = format!("of the modes on {tonic} it has most tones of the chords");
                (found, because, "as asked".to_owned())
            }
            (None, None) => {
                let (scale, mode) = self.mode_of_mood();
                let own = Key::new(fitting_tonic(chords, scale), scale);
                let ends = [chords.first(), chords.last()];
                let at_home = ends.into_iter().flatten().any(|chord| chord.root() == own.tonic);
                if at_home && tones_in(chords, own) == tones(chords) {
                    return (own, format!("{mode}, which the chords allow"), most(&scale));
                }
                let key = heard(chords).unwrap_or(own);
                let because = || "the chords are heard in it".to_owned();
                (key, because(), because())
            }
        }
    }
}

const C: PitchName = PitchName::new(Letter::C, 0);

/// The key that a listener hears the chords in, written as they write its tonic.
fn heard(chords: &[Chord]) -> Option<Key> {
    let estimate = Progression::one_a_bar(chords)?.key();
    let tonic = estimate.key.tonic;
    let written = chords.iter().map(Chord::root).find(|root| root.pitch_class() == tonic.pitch_class());
    let tonic = written.unwrap_or(tonic);
    let (plain, modal) = (Key::new(tonic, estimate.key.scale), Key::new(tonic, estimate.mode));
    Some(if tones_in(chords, modal) > tones_in(chords, plain) { modal } else { plain })
}

/// The tonic whose key of this scale has most tones of the chords; of several, the root of the first chord, of the last, of another, any.
fn fitting_tonic(chords: &[Chord], scale: Scale) -> PitchName {
    let any = (0..12).map(|class| PitchClass::new(class).spelled(Spelling::Flats));
    let roots = chords.first().into_iter().chain(chords.last()).chain(chords).map(Chord::root).chain(any);
    // `rev`, as the last of several with the most is taken.
    let roots: Vec<PitchName> = roots.collect();
    roots.into_iter().rev().max_by_key(|tonic| tones_in(chords, Key::new(*tonic, scale))).unwrap_or(C)
}

/// How many tones of the chords a key has.
fn tones_in(chords: &[Chord], key: Key) -> usize {
    chords.iter().map(|chord| chord.pitch_classes().intersection(key.pitch_classes()).len()).sum()
}

fn tones(chords: &[Chord]) -> usize {
    chords.iter().map(|chord| chord.pitch_classes().len()).sum()
}
