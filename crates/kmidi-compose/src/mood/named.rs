//! The moods that have a name of their own and are a shade of a feeling.
use serde::{Serialize, Serializer};

use super::Affect;
use crate::theory::Scale;

/// A mood with a name, modes and a range of tempo of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedMood {
    /// Its name: `Triumphant Hope`.
    pub name: &'static str,
    /// The feeling that it is a shade of.
    pub affect: Affect,
    /// Modes that fit, the best first.
    pub modes: &'static [Scale],
    /// Slowest and fastest, in quarter notes a minute.
    pub tempo_bpm: (f64, f64),
}

const fn mood(
    name: &'static str,
    affect: Affect,
    modes: &'static [Scale],
    slowest: f64,
    fastest: f64,
) -> NamedMood {
    NamedMood { name, affect, modes, tempo_bpm: (slowest, fastest) }
}

use Scale as S;

static MOODS: [NamedMood; 18] = [
    mood("Grief", Affect::Grief, &[S::AEOLIAN, S::PHRYGIAN, S::DORIAN], 50.0, 80.0),
    mood("Joy", Affect::Joy, &[S::IONIAN, S::LYDIAN, S::MIXOLYDIAN], 100.0, 140.0),
    mood("Nervousness", Affect::Fear, &[S::LOCRIAN, S::PHRYGIAN], 90.0, 130.0),
    mood("Defiance", Affect::Defiance, &[S::MIXOLYDIAN, S::DORIAN], 110.0, 150.0),
    mood("Liberation", Affect::Triumph, &[S::LYDIAN, S::IONIAN], 100.0, 130.0),
    mood("Longing", Affect::Longing, &[S::DORIAN, S::AEOLIAN], 60.0, 90.0),
    mood("Rage", Affect::Rage, &[S::PHRYGIAN, S::LOCRIAN], 130.0, 180.0),
    mood("Acceptance", Affect::Gratitude, &[S::IONIAN, S::MIXOLYDIAN], 70.0, 100.0),
    mood("Nostalgia", Affect::Nostalgia, &[S::DORIAN, S::MIXOLYDIAN], 70.0, 100.0),
    mood("Dissociation", Affect::Dissociation, &[S::LOCRIAN, S::PHRYGIAN], 60.0, 90.0),
    mood("Triumphant Hope", Affect::Hope, &[S::LYDIAN, S::IONIAN], 100.0, 130.0),
    mood("Bittersweet", Affect::Nostalgia, &[S::DORIAN, S::MIXOLYDIAN], 70.0, 100.0),
    mood("Melancholy", Affect::Melancholy, &[S::AEOLIAN, S::DORIAN], 50.0, 80.0),
    mood("Euphoria", Affect::Joy, &[S::LYDIAN, S::IONIAN], 120.0, 150.0),
    mood("Desperation", Affect::Fear, &[S::PHRYGIAN, S::AEOLIAN], 90.0, 130.0),
    mood("Serenity", Affect::Calm, &[S::IONIAN, S::LYDIAN], 60.0, 90.0),
    mood("Confusion", Affect::Confusion, &[S::LOCRIAN, S::PHRYGIAN], 80.0, 120.0),
    mood("Determination", Affect::Defiance, &[S::DORIAN, S::MIXOLYDIAN], 100.0, 130.0),
];

impl NamedMood {
    /// All of them.
    pub fn all() -> &'static [Self] {
        &MOODS
    }

    /// By its name, in any case; blanks, `-` and `_` are the same.
    pub fn named(name: &str) -> Option<&'static Self> {
        let plain = |name: &str| name.trim().replace(['-', '_'], " ").to_lowercase();
        let wanted = plain(name);
        MOODS.iter().find(|mood| plain(mood.name) == wanted)
    }
}

impl Serialize for NamedMood {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found_by_its_name() {
        for mood in NamedMood::all() {
            assert_eq!(NamedMood::named(&mood.name.to_uppercase()), Some(mood));
            assert!(mood.tempo_bpm.0 < mood.tempo_bpm.1 && !mood.modes.is_empty());
        }
        assert_eq!(NamedMood::named("triumphant_hope").map(|mood| mood.affect), Some(Affect::Hope));
        assert_eq!(NamedMood::named("hope"), None);
    }
}
