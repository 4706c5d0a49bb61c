//! Plans to arrange.

use kmidi_compose::mood::{Affect, Mood, Step};
use kmidi_compose::plan::{HarmonyPlan, Section, SectionKind};
use kmidi_compose::theory::{Chord, Key, Roman, Scale, diatonic_chord};
use kmidi_core::Meter;

/// The feelings that the system which this one follows has, and the first of those that it lacks.
pub const PRIMARY: [Affect; 14] = [
    Affect::Grief,
    Affect::Rage,
    Affect::Awe,
    Affect::Nostalgia,
    Affect::Fear,
    Affect::Dissociation,
    Affect::Defiance,
    Affect::Tenderness,
    Affect::Confusion,
    Affect::Joy,
    Affect::Calm,
    Affect::Hope,
    Affect::Triumph,
    Affect::Love,
];

pub const SEEDS: [u64; 4] = [1, 2, 3, 4];

fn chord(step: Step, key: Key) -> Chord {
    match step {
        Step::Triad(degree) => diatonic_chord(key, usize::from(degree) - 1, false),
        Step::Seventh(degree) => diatonic_chord(key, usize::from(degree) - 1, true),
        Step::Borrowed(numeral) => {
            let numeral: Roman = numeral.parse().expect("a numeral");
            numeral.in_key(Key { tonic: key.tonic, scale: Scale::IONIAN })
        }
    }
}

/// Sections of a song of 16 bars or more.
pub fn song(bars: u32) -> Vec<Section> {
    let section = |kind, bars, tension, contrast| Section { kind, bars, tension, contrast };
    if bars < 16 {
        return vec![section(SectionKind::Verse, bars, 0.9, false)];
    }
    let long = (bars - 4) / 4;
    let rest = bars - 4 - 3 * long;
    vec![
        section(SectionKind::Intro, 2, 0.5, false),
        section(SectionKind::Verse, long, 0.7, false),
        section(SectionKind::Chorus, long, 1.0, false),
        section(SectionKind::Bridge, rest, 0.8, true),
        section(SectionKind::Chorus, long, 1.1, false),
        section(SectionKind::Outro, 2, 0.5, false),
    ]
}

/// The plan of a feeling, in C and 4/4, at the tempo given for all of them.
pub fn plan(affect: Affect, seed: u64) -> HarmonyPlan {
    let preset = affect.preset();
    let key = Key { tonic: "C".parse().expect("a pitch"), scale: preset.scale };
    HarmonyPlan {
        mood: Mood::of(affect, 0.8),
        key,
        tempo_bpm: 100.0,
        meter: Meter::default(),
        length_bars: 32,
        complexity: 0.3,
        vulnerability: preset.vulnerability,
        progression: preset.progression.iter().map(|step| chord(*step, key)).collect(),
        contrast: preset.contrast.iter().map(|step| chord(*step, key)).collect(),
        sections: song(32),
        character: preset.character,
        reasons: vec![],
        seed,
        resolves: true,
        progression_given: false,
    }
}

/// The same with chords of the user's.
pub fn with_chords(mut plan: HarmonyPlan, chords: &str) -> HarmonyPlan {
    plan.progression = chords.split_whitespace().map(|symbol| symbol.parse().expect("a chord")).collect();
    plan.contrast.clone_from(&plan.progression);
    plan.progression_given = true;
    plan
}
