//! When the notes of a voice begin: by the level of their own harmonics, which a pitch that is held does not tell.
//!
//! A pitch is sure only when most of a window of it has sounded, and where the note before still rings it is the louder one that is
//! heard: notes begin 30 to 100 ms late by it, and the same note struck twice is one. The harmonics of a note's pitch rise when it begins.

use std::collections::VecDeque;
use std::f64::consts::TAU;

use super::segment::VoiceNote;
use super::{FRAME_SECONDS, HOP, SAMPLE_RATE_HZ};

/// Samples from a level to the next: two a frame.
const STEP: usize = HOP / 2;
const STEP_SECONDS: f64 = STEP as f64 / SAMPLE_RATE_HZ as f64;
/// Samples that a level is of, around its time: long enough to part semitones from the middle of the keyboard up.
const WINDOW: usize = 768;
/// Harmonics whose levels are averaged.
const HARMONICS: usize = 3;
/// What is so far below the note's loudest moment counts as silence.
const FLOOR_DB: f64 = 40.0;
/// A note begins where its level has risen by this part of all that it rises, or is so far below where it rises to.
const RISEN: f64 = 0.3;
const BELOW_DB: f64 = 20.0;
/// A window sees a note before it begins.
const EARLY_SECONDS: f64 = 0.01;
/// What rises less tells nothing of where a note begins.
const LEAST_DB: f64 = 3.0;
/// What rises so far within a note is another one of the same pitch.
const AGAIN_DB: f64 = 6.0;
/// How far before and behind where its pitch is heard a note may rise, and within how much it has to.
const BEFORE: usize = steps(0.2);
const BEHIND: usize = steps(0.12);
const RISE: usize = steps(0.1);
/// Between two beginnings, and between the last one and the end.
const APART_SECONDS: f64 = 0.06;
const TAIL_SECONDS: f64 = 0.04;

const fn steps(seconds: f64) -> usize {
    (seconds / STEP_SECONDS) as usize
}

/// What was heard lately.
pub(super) struct Sound {
    /// What the samples of a level count.
    window: Vec<f64>,
    samples: VecDeque<f32>,
    /// Number of the first of them.
    first: u64,
}

/// A note, or one of several of the same pitch that were taken for one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Struck {
    pub start_seconds: f64,
    pub end_seconds: f64,
}

impl Sound {
    pub fn new() -> Self {
        let weight = |n: usize| 0.5 - 0.5 * (TAU * n as f64 / WINDOW as f64).cos();
        Sound { window: (0..WINDOW).map(weight).collect(), samples: VecDeque::new(), first: 0 }
    }

    pub fn push(&mut self, samples: &[f32]) {
        self.samples.extend(samples);
    }

    /// Forgets what no note from this frame on needs.
    pub fn forget_before(&mut self, frame: u64) {
        let needed = (frame * HOP as u64).saturating_sub((BEFORE * STEP + WINDOW) as u64);
        let count = (needed.saturating_sub(self.first) as usize).min(self.samples.len());
        self.samples.drain(..count);
        self.first += count as u64;
    }

    /// When a note begins, each time, and ends; not before `least_seconds`.
    pub fn strikes(&self, note: &VoiceNote, least_seconds: f64) -> Vec<Struck> {
        let (pitch_seconds, end_seconds) = (seconds_of(note.start), seconds_of(note.end));
        let at = 2 * note.start as usize;
        let a = at.saturating_sub(BEFORE).max((least_seconds / STEP_SECONDS).ceil() as usize).min(at);
        let last = (self.first as usize + self.samples.len()) / STEP;
        let levels: Vec<f64> =
            (a..last.min(2 * note.end as usize)).map(|step| self.level(note, step)).collect();
        let time = |step: usize| ((a + step) as f64 * STEP_SECONDS - EARLY_SECONDS).max(0.0);
        if levels.len() <= at - a {
            return vec![Struck { start_seconds: pitch_seconds, end_seconds }];
        }
        let (begins, risen_db) = rise(&levels, 0, at - a, levels.len().min(at - a + BEHIND));
        let start = if risen_db >= LEAST_DB { time(begins).max(least_seconds) } else { pitch_seconds };
        let mut starts = vec![start.min(end_seconds - STEP_SECONDS)];
        for step in again(&levels, begins.max(at - a)) {
            let (start, since) = (time(step), starts[starts.len() - 1]);
            if start > since + APART_SECONDS && start < end_seconds - TAIL_SECONDS {
                starts.push(start);
            }
        }
        let ends = starts[1..].iter().copied().chain([end_seconds]);
        starts
            .iter()
            .zip(ends)
            .map(|(start, end)| Struck { start_seconds: *start, end_seconds: end })
            .collect()
    }

    /// The mean level of the note's harmonics around a step, in decibels.
    fn level(&self, note: &VoiceNote, step: usize) -> f64 {
        let frame = (step as u64 / 2).saturating_sub(note.start) as usize;
        let semitone = f64::from(note.course[frame.min(note.course.len() - 1)]);
        let hz = 440.0 * ((semitone - 69.0) / 12.0).exp2();
        let floor_db = f64::from(note.loudest_db()) - FLOOR_DB;
        let below_nyquist = |n: &usize| *n == 1 || hz * (*n as f64) < 7_000.0;
        let harmonics: Vec<f64> = (1..=HARMONICS)
            .filter(below_nyquist)
            .map(|n| self.amplitude(step * STEP, hz * n as f64))
            .map(|amplitude| (20.0 * amplitude.max(1e-9).log10()).max(floor_db))
            .collect();
        harmonics.iter().sum::<f64>() / harmonics.len() as f64
    }

    /// How much there is of a frequency around a sample.
    fn amplitude(&self, centre: usize, hz: f64) -> f64 {
        let turn = TAU * hz / f64::from(SAMPLE_RATE_HZ);
        let (sin_turn, cos_turn) = turn.sin_cos();
        let (mut cos, mut sin, mut real, mut imaginary) = (1.0, 0.0, 0.0, 0.0);
        let begin = centre as i64 - (WINDOW / 2) as i64 - self.first as i64;
        for (n, weight) in self.window.iter().enumerate() {
            let at = usize::try_from(begin + n as i64).ok();
            let sample = at.and_then(|at| self.samples.get(at)).copied().unwrap_or(0.0);
            let weighted = f64::from(sample) * weight;
            (real, imaginary) = (real + weighted * cos, imaginary + weighted * sin);
            (cos, sin) = (cos * cos_turn - sin * sin_turn, sin * cos_turn + cos * sin_turn);
        }
        real.hypot(imaginary) / (WINDOW as f64 / 4.0)
    }
}

fn seconds_of(frame: u64) -> f64 {
    frame as f64 * FRAME_SECONDS
}

/// Where what is loudest from `from` to `to` has begun to rise, not before `low`, and how far it rises.
fn rise(levels: &[f64], low: usize, from: usize, to: usize) -> (usize, f64) {
    let by_level = |a: &usize, b: &usize| levels[*a].total_cmp(&levels[*b]);
    let peak = (from..to).max_by(by_level).unwrap_or(from);
    let lowest = (low..=peak).min_by(by_level).unwrap_or(peak);
    let risen_db = levels[peak] - levels[lowest];
    let level = (levels[lowest] + RISEN * risen_db).max(levels[peak] - BELOW_DB);
    let mut begins = peak;
    while begins > lowest && levels[begins - 1] >= level {
        begins -= 1;
    }
    (begins, risen_db)
}

/// Where the level rises again behind `from`.
fn again(levels: &[f64], from: usize) -> Vec<usize> {
    let apart = steps(APART_SECONDS);
    let (mut since, mut at, mut found) = (from + apart, from + apart, vec![]);
    while at + 1 < levels.len() {
        let low = since.max(at.saturating_sub(RISE));
        let lowest = levels[low..=at].iter().copied().fold(f64::INFINITY, f64::min);
        if levels[at] - lowest < AGAIN_DB {
            at += 1;
            continue;
        }
        while at + 1 < levels.len() && levels[at + 1] > levels[at] {
            at += 1;
        }
        found.push(rise(levels, low, at, at + 1).0);
        at += apart;
        since = at;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A note of three harmonics, whose level follows `decibels` at each second.
    fn sound(semitone: f64, seconds: f64, decibels: impl Fn(f64) -> f64) -> Sound {
        let mut sound = Sound::new();
        let hz = 440.0 * ((semitone - 69.0) / 12.0).exp2();
        let rate = f64::from(SAMPLE_RATE_HZ);
        let sample = |n: usize| {
            let time = n as f64 / rate;
            let wave: f64 = (1..=3).map(|n| (TAU * hz * f64::from(n) * time).sin() / f64::from(n)).sum();
            (0.3 * 10f64.powf(decibels(time) / 20.0) * wave) as f32
        };
        sound.push(&(0..(seconds * rate) as usize).map(sample).collect::<Vec<_>>());
        sound
    }

    fn note(semitone: f64, start: u64, end: u64) -> VoiceNote {
        let count = (end - start) as usize;
        VoiceNote {
            start,
            end,
            semitone,
            levels_db: vec![-12.0; count],
            course: vec![semitone as f32; count],
        }
    }

    #[test]
    fn a_note_begins_where_its_harmonics_rise_however_late_its_pitch_is_heard() {
        let sound = sound(72.0, 2.0, |time| if time < 0.5 { -90.0 } else { 0.0 });
        for late in [0, 2, 6] {
            let strikes = sound.strikes(&note(72.0, 32 + late, 100), 0.0);
            assert_eq!(strikes.len(), 1);
            assert!((strikes[0].start_seconds - 0.5).abs() < 0.016, "{late}: {strikes:?}");
        }
        // The control: what does not rise begins where its pitch is heard.
        let strikes = self::sound(72.0, 2.0, |_| 0.0).strikes(&note(72.0, 40, 100), 0.0);
        assert!((strikes[0].start_seconds - 0.64).abs() < 1e-9, "{strikes:?}");
    }

    #[test]
    fn the_same_note_again_is_another_one_and_a_tremolo_is_not() {
        // Struck each half second, and dying away by 20 dB until the next.
        let struck = |depth: f64| move |time: f64| -depth * (time % 0.5) / 0.5;
        let strikes = sound(60.0, 2.0, struck(20.0)).strikes(&note(60.0, 0, 125), 0.0);
        let starts: Vec<i64> = strikes.iter().map(|it| (it.start_seconds * 10.0).round() as i64).collect();
        assert_eq!(starts, [0, 5, 10, 15], "{strikes:?}");
        assert!(strikes.windows(2).all(|pair| pair[0].end_seconds == pair[1].start_seconds));
        let tremolo = |time: f64| -2.0 + 2.0 * (TAU * 5.0 * time).sin();
        assert_eq!(sound(60.0, 2.0, tremolo).strikes(&note(60.0, 0, 125), 0.0).len(), 1);
    }

    #[test]
    fn what_is_needed_no_more_is_forgotten_and_what_is_needed_is_not() {
        let whole = sound(60.0, 4.0, |time| if time < 2.5 { -90.0 } else { 0.0 });
        let mut part = sound(60.0, 4.0, |time| if time < 2.5 { -90.0 } else { 0.0 });
        part.forget_before(160);
        assert!(part.samples.len() < 2 * SAMPLE_RATE_HZ as usize);
        let note = note(60.0, 160, 240);
        assert_eq!(part.strikes(&note, 0.0), whole.strikes(&note, 0.0));
    }
}
