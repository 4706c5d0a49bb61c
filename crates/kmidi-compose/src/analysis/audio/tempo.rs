use serde::Serialize;

use super::beats::beats;
use super::comb::{Period, periods};
use super::onsets::Onset;
use super::pulse::Pulse;

/// Tempos that are looked for, in beats a minute.
pub const TEMPO_RANGE_BPM: std::ops::RangeInclusive<f64> = 60.0..=180.0;
/// How far beyond the range a period is still looked at, as a factor: a human 60 may be 59.
const MARGIN: f64 = 1.03;
/// Shortest recording that can have a tempo.
const SHORTEST_SECONDS: f64 = 2.0;
/// Fewest onsets that can have one.
const FEWEST_ONSETS: usize = 4;
/// Below this peak (-80 dBFS) it is silence.
const SILENCE: f32 = 1e-4;
/// Mean likeness that a pulse must have, ...
const LEAST_LIKENESS: f64 = 0.12;
/// ... and by how many times more than chance would give it: the likeness of noise is that of 1 / √values.
const BEYOND_CHANCE: f64 = 5.0;
/// Of two pulses one of which is two or three times the other, the faster is the beat if it is this part as good:
/// clicks at 180 are as good a pulse at 90, while a bar of eighths is a worse one at twice its beat.
const FASTER_IS_AS_GOOD: f64 = 0.92;
/// Another tempo is worth a mention if its pulse is this part as good.
const WORTH_A_MENTION: f64 = 0.6;
/// Beats over which intervals are measured.
const LONGEST_INTERVAL_BEATS: f64 = 8.0;
/// How far an interval may be from whole beats to be counted, in beats and at most in seconds.
const TOLERANCE_BEATS: f64 = 0.1;
const TOLERANCE_SECONDS: f64 = 0.04;

/// A tempo that was heard.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tempo {
    /// Beats a minute, within [`TEMPO_RANGE_BPM`] or hardly beyond.
    pub bpm: f64,
    /// How like the recording is to itself one to four beats later, 0 to 1: near 1 for a machine, 0.3 for a band. Where the music also
    /// beats at half or twice this tempo, [`Tempo::alternative`] says so.
    pub confidence: f64,
    /// The next best tempo, often half or twice.
    pub alternative: Option<Alternative>,
    /// Where the beats are, in seconds from the beginning; from the first onset to the last.
    pub beats_seconds: Vec<f64>,
}

/// Another tempo that it could be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Alternative {
    /// Beats a minute.
    pub bpm: f64,
    /// As [`Tempo::confidence`].
    pub confidence: f64,
}

/// Why a recording has no tempo.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum NoTempo {
    /// No beat can come again in it.
    #[error("{seconds:.2} seconds are too short for a tempo; it takes {SHORTEST_SECONDS}")]
    TooShort {
        /// Its length.
        seconds: f64,
    },
    /// There is nothing to hear.
    #[error("it is silent")]
    Silent,
    /// Hardly anything begins: noise, a held tone.
    #[error("it has {onsets} onsets, too few for a tempo")]
    TooFewOnsets {
        /// How many.
        onsets: usize,
    },
    /// What begins does not come again in time.
    #[error(
        "it has no steady pulse: the best is {likeness:.2} like itself a beat later, by chance that may be {chance:.2}"
    )]
    NoPulse {
        /// Of the best pulse.
        likeness: f64,
        /// What is asked for.
        chance: f64,
    },
}

/// The tempo of what a pulse and a list of onsets were taken from.
pub(super) fn find_tempo(
    pulse: &Pulse,
    onsets: &[Onset],
    sample_rate_hz: u32,
    duration_seconds: f64,
    peak: f32,
) -> Result<Tempo, NoTempo> {
    if peak < SILENCE {
        return Err(NoTempo::Silent);
    }
    if duration_seconds < SHORTEST_SECONDS {
        return Err(NoTempo::TooShort { seconds: duration_seconds });
    }
    if onsets.len() < FEWEST_ONSETS {
        return Err(NoTempo::TooFewOnsets { onsets: onsets.len() });
    }
    let longest = 60.0 / TEMPO_RANGE_BPM.start() * MARGIN;
    let shortest = 60.0 / TEMPO_RANGE_BPM.end() / MARGIN;
    let likeness = pulse.likeness().unwrap_or_default();
    let mut found = periods(&likeness, pulse.hop_seconds(), shortest, longest);
    found.sort_by(|a, b| b.likeness.total_cmp(&a.likeness));
    let chance = LEAST_LIKENESS.max(BEYOND_CHANCE / (pulse.count() as f64).sqrt());
    let best = found.first().map_or(0.0, |best| best.likeness);
    if best < chance {
        return Err(NoTempo::NoPulse { likeness: best, chance });
    }
    let beat = the_beat(&found);
    let seconds: Vec<(f64, f64)> = onsets
        .iter()
        .map(|onset| (onset.frame as f64 / f64::from(sample_rate_hz), f64::from(onset.strength)))
        .collect();
    let period = refined(&seconds, beat.seconds);
    Ok(Tempo {
        bpm: 60.0 / period,
        confidence: beat.likeness.clamp(0.0, 1.0),
        alternative: alternative(&found, beat, period),
        beats_seconds: beats(&seconds, period),
    })
}

/// Of pulses, best first, the one that is the beat: the fastest that is about as good as the best and fits into it.
fn the_beat(found: &[Period]) -> Period {
    let best = found[0];
    let good = best.likeness * FASTER_IS_AS_GOOD;
    found
        .iter()
        .copied()
        .filter(|it| {
            it.likeness >= good && (2..=3).any(|times| is_near(it.seconds * f64::from(times), best.seconds))
        })
        .min_by(|a, b| a.seconds.total_cmp(&b.seconds))
        .unwrap_or(best)
}

fn is_near(a: f64, b: f64) -> bool {
    (a / b - 1.0).abs() < 0.03
}

/// The next best pulse; of about equal ones, that at twice the beat or half of it, whose period is then exact.
fn alternative(found: &[Period], beat: Period, period: f64) -> Option<Alternative> {
    let mut others = found.iter().filter(|it| !is_near(it.seconds, beat.seconds));
    let best = others.clone().next().filter(|it| it.likeness >= beat.likeness * WORTH_A_MENTION)?;
    let octave = |it: &Period| {
        [2.0, 0.5].map(|times| period * times).into_iter().find(|&exact| is_near(it.seconds, exact))
    };
    let good = best.likeness * FASTER_IS_AS_GOOD;
    let other = others.find(|it| it.likeness >= good && octave(it).is_some()).unwrap_or(best);
    let seconds = octave(other).unwrap_or(other.seconds);
    Some(Alternative { bpm: 60.0 / seconds, confidence: other.likeness.clamp(0.0, 1.0) })
}

/// The period that fits best to the intervals between onsets (seconds, strength) that are about whole beats. Twice: the
/// second time with a better idea of what a beat is.
fn refined(onsets: &[(f64, f64)], rough: f64) -> f64 {
    let mut period = rough;
    for _ in 0..2 {
        let tolerance = (TOLERANCE_BEATS * period).min(TOLERANCE_SECONDS);
        let (mut lengths, mut squares) = (0.0, 0.0);
        for (number, (from, strong)) in onsets.iter().enumerate() {
            let later = onsets[number + 1..].iter().map(|(to, other)| (to - from, strong * other));
            for (interval, weight) in
                later.take_while(|it| it.0 <= LONGEST_INTERVAL_BEATS * period + tolerance)
            {
                let beats = (interval / period).round();
                if beats >= 1.0 && (interval - beats * period).abs() <= tolerance {
                    lengths += weight * beats * interval;
                    squares += weight * beats * beats;
                }
            }
        }
        if squares > 0.0 {
            period = lengths / squares;
        }
    }
    // Intervals of something else entirely do not move it.
    if is_near(period, rough) { period } else { rough }
}
