//! A plan as a score: chords, bass, melody, guide tones, drums.
//!
//! Each part is made by itself, from its own stream of chance, on what all of them share: the beats of the meter, the sections
//! with their energy, the chords with the scale that goes with each, and the manner that the mood's figures ask for. The melody
//! comes last of the pitched parts and listens to the others.
mod bass;
mod chart;
mod comping;
mod drums;
mod finish;
mod form;
mod grid;
mod guide;
mod melody;
mod piano_roll;
mod style;
mod voicings;

use kmidi_core::Ticks;
use kmidi_song::Random;

pub use guide::guide_tones;
pub use piano_roll::piano_roll;

use self::chart::Chart;
use self::form::Form;
use self::grid::Grid;
use self::style::Style;
use crate::plan::HarmonyPlan;
use crate::score::{Part, Score};

/// Names of the parts of an arrangement, as [`Part::name`] has them.
pub mod part {
    /// The tune.
    pub const MELODY: &str = "Melody";
    /// Chords, in the voicing and the pattern of the mood.
    pub const CHORDS: &str = "Chords";
    /// The bass.
    pub const BASS: &str = "Bass";
    /// A line of thirds and sevenths.
    pub const GUIDE_TONES: &str = "Guide Tones";
    /// Drums.
    pub const DRUMS: &str = "Drums";
}

/// MIDI channels, counted from 0; the chords have the one that the parts of harmony always had.
mod channel {
    pub const MELODY: u8 = 0;
    pub const CHORDS: u8 = 1;
    pub const BASS: u8 = 2;
    pub const GUIDE_TONES: u8 = 3;
    pub const DRUMS: u8 = 9;
}

/// A note before it has a channel and a velocity.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Tone {
    /// In ticks of the piece.
    start: i64,
    end: i64,
    key: u8,
    /// How much louder than its surroundings it is, as a part of the range between floor and ceiling.
    accent: f64,
}

/// Whether two keys rub: a semitone, or an octave and a semitone.
fn clashes(one: u8, other: u8) -> bool {
    matches!(one.abs_diff(other), 1 | 13)
}

/// A plan as a score. The same plan, with its seed, gives the same score. `[side B]`
///
/// Every part keeps its range and the plan's floor and ceiling of loudness; the piece has exactly the plan's bars, of its meter
/// and tempo, and something sounds in every bar. A drum part is left out where the mood wants none.
pub fn arrange(plan: &HarmonyPlan) -> Score {
    let grid = Grid::new(plan.meter);
    let form = Form::new(plan);
    let chart = Chart::new(plan, &grid, &form);
    let style = Style::new(plan);
    // Streams of chance that have nothing to do with each other: another melody does not change the drums.
    let chance = |part: u64| Random::new(plan.seed.wrapping_mul(31).wrapping_add(part));

    let voicings = voicings::voicings(&chart, &style, &mut chance(1));
    let chords = comping::comping(&chart, &voicings, &grid, &form, &style, &mut chance(2));
    let bass = bass::bass(&chart, &voicings, &grid, &form, &style, &mut chance(3));
    let guide = guide::guide(&chart, &voicings, &grid, &form, &style);
    let sounding = sounding(&chart, &voicings, &guide);
    let tops: Vec<u8> = voicings.iter().map(|keys| keys.iter().copied().max().unwrap_or_default()).collect();
    let ground = melody::Ground {
        plan,
        grid: &grid,
        form: &form,
        chart: &chart,
        style: &style,
        sounding: &sounding,
        tops: &tops,
    };
    let melody = melody::melody(&ground, &mut chance(4));
    let drums = drums::drums(&grid, &form, &style, &mut chance(5));

    let finisher = finish::Finisher { grid: &grid, form: &form, style: &style, bpm: plan.tempo_bpm };
    let programs = style.character.programs;
    let mut parts = vec![
        finisher.part(part::MELODY, channel::MELODY, Some(programs.melody), &melody, &mut chance(6)),
        finisher.part(part::CHORDS, channel::CHORDS, Some(programs.chords), &chords, &mut chance(7)),
        finisher.part(part::BASS, channel::BASS, Some(programs.bass), &bass, &mut chance(8)),
        finisher.part(
            part::GUIDE_TONES,
            channel::GUIDE_TONES,
            Some(programs.guide_tones),
            &guide,
            &mut chance(9),
        ),
        finisher.part(part::DRUMS, channel::DRUMS, None, &drums, &mut chance(10)),
    ];
    parts.retain(|part: &Part| !part.notes.is_empty());
    Score {
        title: title(plan),
        tempos: vec![(Ticks(0), plan.tempo_bpm)],
        meter: plan.meter,
        key: finish::key_signature(plan.key),
        markers: form.sections.iter().map(|it| (Ticks(i64::from(it.start) * grid.bar), it.name())).collect(),
        chords: chart.spans.iter().map(|span| (Ticks(span.start), span.chord)).collect(),
        parts,
        end: Ticks(i64::from(form.bars) * grid.bar),
        ..Score::default()
    }
}

/// The keys of chords and guide tones that sound with each chord.
fn sounding(chart: &Chart, voicings: &[Vec<u8>], guide: &[Tone]) -> Vec<Vec<u8>> {
    let mut sounding = voicings.to_vec();
    for (span, keys) in chart.spans.iter().zip(&mut sounding) {
        let during = guide.iter().filter(|tone| tone.start < span.end && tone.end > span.start);
        keys.extend(during.map(|tone| tone.key));
    }
    sounding
}

/// `Grief in C aeolian`.
fn title(plan: &HarmonyPlan) -> String {
    let mut name = plan.mood.primary.to_string();
    name[..1].make_ascii_uppercase();
    format!("{name} in {}", plan.key)
}
