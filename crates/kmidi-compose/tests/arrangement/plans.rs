//! Plans to arrange.

use kmidi_compose::mood::{Affect, Mood};
use kmidi_compose::plan::{HarmonyPlan, PlanOptions, Scales, Section, SectionKind};

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

/// The plan of a feeling: 32 bars in C and 4/4, at the tempo that is the same for all.
pub fn plan(affect: Affect, seed: u64) -> HarmonyPlan {
    let options =
        PlanOptions { bpm: Some(100.0), bars: Some(32), seed: Some(seed), ..PlanOptions::default() };
    HarmonyPlan::of(Mood::of(affect, 0.8), Scales::default(), &options)
}

/// The same with the sections of [`song`], where a test is to know what is where; it comes to rest.
pub fn song_plan(affect: Affect, seed: u64) -> HarmonyPlan {
    HarmonyPlan { sections: song(32), resolves: true, ..plan(affect, seed) }
}

/// The same with chords of the user's.
pub fn with_chords(mut plan: HarmonyPlan, chords: &str) -> HarmonyPlan {
    plan.progression = chords.split_whitespace().map(|symbol| symbol.parse().expect("a chord")).collect();
    plan.contrast.clone_from(&plan.progression);
    plan.progression_given = true;
    plan
}
