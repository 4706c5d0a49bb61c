//! What can come over a feeling.
use kmidi_song::Random;
use serde::Serialize;

use super::{Character, Feel};

/// Something that comes over a feeling and changes its music. Pure: the same in gives the same out, and nothing remembers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Modifier {
    /// What cannot be kept out breaks in; see [`Modifier::intrusions`].
    PtsdIntrusion,
    /// Thinner, higher, late.
    Dissociation,
    /// The music says something else than it means.
    Misdirection,
    /// Held back.
    Suppressed,
    /// Let out.
    CatharticRelease,
}

/// What breaks in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Intrusion {
    /// The melody leaps up.
    RegisterSpike,
    /// Chords come at twice the pace.
    HarmonicRush,
    /// A dissonance is left as it is.
    UnresolvedDissonance,
    /// A sudden loudness.
    DynamicSpike,
    /// The beat trips.
    RhythmicStumble,
}

impl Modifier {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::PtsdIntrusion,
        Self::Dissociation,
        Self::Misdirection,
        Self::Suppressed,
        Self::CatharticRelease,
    ];

    /// Its name: `ptsd_intrusion`.
    pub fn name(self) -> &'static str {
        match self {
            Self::PtsdIntrusion => "ptsd_intrusion",
            Self::Dissociation => "dissociation",
            Self::Misdirection => "misdirection",
            Self::Suppressed => "suppressed",
            Self::CatharticRelease => "cathartic_release",
        }
    }

    /// A tempo in quarter notes a minute and a character, changed. Every value stays in its range.
    pub fn apply(self, tempo_bpm: f64, mut character: Character) -> (f64, Character) {
        let mut tempo_bpm = tempo_bpm;
        match self {
            // It does not change the music, it breaks into it.
            Self::PtsdIntrusion => {}
            Self::Dissociation => {
                character.dissonance -= 0.1;
                character.density_per_beat -= 0.3;
                character.register = character.register.raised(5);
                character.feel = Feel::Behind;
            }
            Self::Misdirection => character.dissonance += 0.1,
            Self::Suppressed => {
                character.density_per_beat -= 0.5;
                character.dissonance += 0.15;
                character.feel = Feel::Behind;
            }
            Self::CatharticRelease => {
                tempo_bpm += 10.0;
                character.dissonance -= 0.2;
                character.density_per_beat += 0.5;
            }
        }
        (tempo_bpm, character.within_ranges())
    }

    /// The part of bars that something breaks into.
    pub const INTRUDED: f64 = 0.15;

    /// What breaks in at which bars, counted from 0: nothing but for [`Modifier::PtsdIntrusion`].
    pub fn intrusions(self, bars: u32, seed: u64) -> Vec<(u32, Intrusion)> {
        const ALL: [Intrusion; 5] = [
            Intrusion::RegisterSpike,
            Intrusion::HarmonicRush,
            Intrusion::UnresolvedDissonance,
            Intrusion::DynamicSpike,
            Intrusion::RhythmicStumble,
        ];
        if self != Self::PtsdIntrusion {
            return Vec::new();
        }
        let mut random = Random::new(seed);
        let mut intrusion =
            |bar| random.chance(Self::INTRUDED).then(|| (bar, ALL[random.below(ALL.len() as u32) as usize]));
        (0..bars).filter_map(&mut intrusion).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mood::Affect;

    #[test]
    fn a_modifier_changes_what_it_is_given_and_nothing_else() {
        for modifier in Modifier::ALL {
            for affect in Affect::all() {
                let before = affect.preset().clone();
                let once = modifier.apply(before.base_tempo_bpm, before.character);
                let again = modifier.apply(before.base_tempo_bpm, before.character);
                assert_eq!(once, again);
                assert_eq!(&before, affect.preset());
            }
        }
        let grief = Affect::Grief.preset();
        let (tempo_bpm, released) = Modifier::CatharticRelease.apply(70.0, grief.character);
        assert_eq!((tempo_bpm, released.density_per_beat), (80.0, 1.0));
        let (_, far) = Modifier::Dissociation.apply(70.0, grief.character);
        assert_eq!((far.register.centre, far.feel), (63, Feel::Behind));
        assert!((far.density_per_beat - 0.2).abs() < 1e-9 && (far.dissonance - 0.2).abs() < 1e-9);
    }

    #[test]
    fn intrusions_are_as_many_as_said_and_the_same_for_a_seed() {
        let bars = 10_000;
        let intrusions = Modifier::PtsdIntrusion.intrusions(bars, 1);
        assert_eq!(intrusions, Modifier::PtsdIntrusion.intrusions(bars, 1));
        assert_ne!(intrusions, Modifier::PtsdIntrusion.intrusions(bars, 2));
        assert!((1350..1650).contains(&intrusions.len()), "{}", intrusions.len());
        assert_eq!(Modifier::Suppressed.intrusions(bars, 1), []);
    }
}
