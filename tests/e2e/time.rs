//! Every note starts within half a sample of its exact time, whatever the tempo map.
//!
//! Each song is a row of notes played with a sound that is one frame long, so that their onsets can be read
//! from the rendered file to the frame. The exact times are computed here, as fractions.

use std::fs;

use crate::support::analysis;
use crate::support::midi::{self, Track};
use crate::support::program;
use crate::support::soundfont::{self, CLICK_FRAME};

const RATE_HZ: i128 = 48_000;

/// A time in frames as numerator and denominator.
type Exact = (i128, i128);

struct Case {
    division: [u8; 2],
    /// (tick, microseconds a quarter note)
    tempos: Vec<(u64, u32)>,
    /// Ticks between two notes, and how many there are.
    step: u64,
    notes: u64,
}

impl Case {
    fn song(&self) -> Vec<u8> {
        let mut conductor = Track::default();
        for &(tick, microseconds) in &self.tempos {
            conductor.tempo(tick, microseconds);
        }
        let mut clicks = Track::default();
        for i in 0..self.notes {
            clicks.note(i * self.step, self.step / 2, 0, 60, 127);
        }
        midi::file(1, self.division, &[conductor, clicks])
    }

    /// Time per tick of an SMPTE division.
    fn smpte_tick(&self) -> Option<Exact> {
        let frames = -i128::from(self.division[0] as i8);
        let ticks = i128::from(self.division[1]);
        match frames {
            ..=0 => None,
            29 => Some((RATE_HZ * 1001, 30_000 * ticks)),
            _ => Some((RATE_HZ, frames * ticks)),
        }
    }

    fn exact_time(&self, tick: u64) -> Exact {
        if let Some((numerator, denominator)) = self.smpte_tick() {
            return (i128::from(tick) * numerator, denominator);
        }
        let (mut sum, mut from, mut tempo) = (0, 0, 500_000u32);
        for &(at, microseconds) in self.tempos.iter().take_while(|(at, _)| *at < tick) {
            sum += i128::from(at - from) * i128::from(tempo);
            (from, tempo) = (at, microseconds);
        }
        sum += i128::from(tick - from) * i128::from(tempo);
        (sum * RATE_HZ, i128::from(u16::from_be_bytes(self.division)) * 1_000_000)
    }

    fn exact_times(&self) -> Vec<Exact> {
        (0..self.notes).map(|i| self.exact_time(i * self.step)).collect()
    }
}

/// Notes that are further than half a sample from where they belong.
fn misplaced(onsets: &[usize], exact: &[Exact]) -> Vec<(usize, usize)> {
    let pairs = onsets.iter().zip(exact).enumerate();
    let wrong = pairs.filter(|(_, (onset, (numerator, denominator)))| {
        ((**onset as i128) * denominator - numerator).abs() * 2 > *denominator
    });
    wrong.map(|(note, (onset, _))| (note, *onset)).collect()
}

fn check(case: &Case) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    fs::write(path("song.mid"), case.song()).expect("written");
    fs::write(path("click.sf2"), soundfont::click(RATE_HZ as u32).bytes()).expect("written");
    let arguments =
        ["--no-effects", "--tail", "0.1", "--rate", "48000", &path("song.mid"), &path("click.sf2")];
    let audio = program::render(&arguments, &folder.path().join("out.wav"));
    let peaks = analysis::clicks(&audio.mono());
    let onsets: Vec<usize> = peaks.iter().map(|peak| peak - CLICK_FRAME).collect();
    assert_eq!(
        onsets.len() as u64,
        case.notes,
        "notes heard; the first at {:?}",
        &onsets[..onsets.len().min(5)]
    );
    assert_eq!(misplaced(&onsets, &case.exact_times()), []);
}

/// Notes each 1/8 at 120 to the minute for about three minutes.
fn three_minutes(tempos: Vec<(u64, u32)>) -> Case {
    Case { division: midi::ppq(480), tempos, step: 240, notes: 714 }
}

const SONG_TICKS: u64 = 714 * 240;

#[test]
fn constant_tempo() {
    check(&three_minutes(vec![(0, 500_000)]));
    check(&three_minutes(vec![(0, 483_871)]));
}

#[test]
fn a_tempo_event_every_eighth_note() {
    let tempo = |i: u64| 400_000 + (i * 7919 % 200_003) as u32;
    check(&three_minutes((0..SONG_TICKS / 240).map(|i| (i * 240, tempo(i))).collect()));
}

#[test]
fn a_tempo_event_every_ten_ticks() {
    let tempo = |i: u64| 450_000 + (i * 104_729 % 100_003) as u32;
    check(&three_minutes((0..SONG_TICKS / 10).map(|i| (i * 10, tempo(i))).collect()));
}

#[test]
fn the_same_tempo_repeated_every_seven_ticks() {
    check(&three_minutes((0..SONG_TICKS / 7).map(|i| (i * 7, 500_000)).collect()));
}

#[test]
fn a_tempo_event_on_every_tick() {
    let tempo = |i: u64| if i.is_multiple_of(2) { 333_333 } else { 666_667 };
    check(&three_minutes((0..20_000).map(|i| (i, tempo(i))).collect()));
}

#[test]
fn smpte_divisions() {
    for frames in [24, 25, 29, 30] {
        for ticks in [4, 40, 80, 100] {
            let step = u64::from(ticks) * 7;
            // Tempo events have no effect on time counted in SMPTE frames.
            check(&Case {
                division: midi::smpte(frames, ticks),
                tempos: vec![(step * 3, 250_000)],
                step,
                notes: 100,
            });
        }
    }
}

#[test]
fn the_finest_and_the_coarsest_quarter() {
    check(&Case { division: midi::ppq(32_767), tempos: vec![(0, 500_001)], step: 16_383, notes: 700 });
    check(&Case { division: midi::ppq(1), tempos: vec![(0, 250_007)], step: 2, notes: 200 });
}

#[test]
fn a_slow_and_a_fast_extreme() {
    check(&Case { division: midi::ppq(96), tempos: vec![(0, 0xff_ffff)], step: 12, notes: 30 });
    check(&Case {
        division: midi::ppq(96),
        tempos: vec![(0, 20_000), (9600, 500_000)],
        step: 96,
        notes: 150,
    });
}

#[test]
fn control_a_note_one_sample_off_is_seen() {
    let case = three_minutes(vec![(0, 483_871)]);
    let exact = case.exact_times();
    let nearest =
        |(numerator, denominator): &Exact| ((2 * numerator + denominator) / (2 * denominator)) as usize;
    let mut onsets: Vec<usize> = exact.iter().map(nearest).collect();
    assert_eq!(misplaced(&onsets, &exact), []);
    onsets[100] += 1;
    onsets[200] -= 1;
    assert_eq!(misplaced(&onsets, &exact), [(100, onsets[100]), (200, onsets[200])]);
}

#[test]
fn control_a_tempo_event_in_whole_milliseconds_is_seen() {
    let case = three_minutes((0..SONG_TICKS / 10).map(|i| (i * 10, 483_871)).collect());
    let rounded = |i: u64| (i * case.step * 483_871 / 480 / 1000 * 48) as usize;
    let onsets: Vec<usize> = (0..case.notes).map(rounded).collect();
    assert!(misplaced(&onsets, &case.exact_times()).len() > 600);
}
