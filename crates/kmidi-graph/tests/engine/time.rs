//! Every onset within half a frame of its exact time, without drift, whatever the tempo map.

use kmidi_core::{Division, Event, SmpteRate, SongTime, TempoMap, TempoScale, Ticks};
use kmidi_rt::{Locate, PageEvent, Source, Timeline, When, page_stream};

use crate::rig::{RATE, Rig, at};

const MINUTES: i64 = 3;

/// A click each `step` ticks for three minutes or so, over the tempo changes `(tick, microseconds)`.
struct ClickSong {
    division: Division,
    tempos: Vec<(i64, u32)>,
    step: i64,
    clicks: i64,
}

impl ClickSong {
    fn new(
        division: Division,
        step: i64,
        seconds_per_step: f64,
        tempos: impl Fn(i64) -> Vec<(i64, u32)>,
    ) -> Self {
        let clicks = (MINUTES as f64 * 60.0 / seconds_per_step) as i64;
        ClickSong { division, tempos: tempos(clicks * step), step, clicks }
    }

    fn events(&self) -> (Vec<PageEvent>, SongTime) {
        let map = TempoMap::new(self.division, self.tempos.iter().map(|&(tick, us)| (Ticks(tick), us)));
        let click = |n: i64| {
            at(map.song_time(Ticks(n * self.step), RATE), 0, Event::note_on(0, (n % 128) as u8, 100))
        };
        ((0..self.clicks).map(click).collect(), map.song_time(Ticks(self.clicks * self.step), RATE))
    }

    /// The exact frame of each click as a fraction, worked out apart from `TempoMap`: a walk over the file.
    fn exact_frames(&self) -> (Vec<i128>, i128) {
        let (unit, denominator) = match self.division {
            Division::Ppq(ppq) => (None, i128::from(ppq) * 1_000_000),
            Division::Smpte { rate, subframes } => {
                let (frames, seconds) = rate.fraction();
                (Some(i128::from(seconds)), i128::from(frames) * i128::from(subframes))
            }
        };
        let (mut now, mut tick, mut tempo, mut next) = (0i128, 0i64, 500_000u32, 0usize);
        let mut exact = vec![];
        for click in 0..self.clicks {
            let target = click * self.step;
            while tick < target || self.tempos.get(next).is_some_and(|&(at, _)| at <= tick) {
                while let Some(&(at, us)) = self.tempos.get(next).filter(|(at, _)| *at <= tick) {
                    debug_assert!(at <= tick);
                    (tempo, next) = (us, next + 1);
                }
                let stop = self.tempos.get(next).map_or(target, |&(at, _)| at.min(target));
                now += i128::from(stop - tick) * unit.unwrap_or(i128::from(tempo));
                tick = stop;
                if tick == target && self.tempos.get(next).is_none_or(|&(at, _)| at > tick) {
                    break;
                }
            }
            exact.push(now * i128::from(RATE));
        }
        (exact, denominator)
    }
}

/// Checks the frames against the exact times: each within half a frame, and the mean error of the
/// first and last hundred alike (no drift).
fn check_onsets(onsets: &[(u64, u8)], exact: &[i128], denominator: i128) {
    assert_eq!(onsets.len(), exact.len(), "every click once");
    let mut errors = vec![];
    for (n, (&(frame, key), &exact)) in onsets.iter().zip(exact).enumerate() {
        assert_eq!(usize::from(key), n % 128);
        let twice = 2 * (i128::from(frame) * denominator - exact);
        assert!(
            twice.abs() <= denominator,
            "click {n} at {frame} is off by {} frames",
            twice as f64 / 2.0 / denominator as f64
        );
        errors.push(twice as f64 / 2.0 / denominator as f64);
    }
    let mean = |errors: &[f64]| errors.iter().sum::<f64>() / errors.len() as f64;
    let drift = mean(&errors[errors.len() - 100..]) - mean(&errors[..100]);
    assert!(drift.abs() < 0.5, "drift of {drift} frames");
}

fn check(song: &ClickSong) {
    let (events, end) = song.events();
    let (exact, denominator) = song.exact_frames();
    let total = (exact.last().unwrap() / denominator) as usize + 2 * RATE as usize;

    let mut rig = Rig::new(64);
    rig.load(&events, end);
    rig.handle.play().unwrap();
    rig.render(total, std::iter::repeat(1024));
    let resident = rig.note_ons();
    check_onsets(&resident, &exact, denominator);

    assert_eq!(streamed(&events, end, total), resident, "from pages as from memory");
}

/// Plays the song from pages, with a feeder that runs between callbacks.
fn streamed(events: &[PageEvent], end: SongTime, total: usize) -> Vec<(u64, u8)> {
    let mut rig = Rig::new(64);
    let (mut sender, stream) = page_stream();
    let timeline = Timeline { id: 1, source: Source::Streamed(stream), end };
    rig.handle
        .set_timeline(Some(timeline), Locate { generation: 7, ..Locate::default() }, When::Now)
        .unwrap();
    rig.handle.play().unwrap();
    // Of odd sizes, so that pages end anywhere.
    let mut pages = events.chunks(61).peekable();
    while rig.heard.len() < total {
        while let Some(chunk) = pages.peek() {
            let Some(mut page) = sender.free_page() else { break };
            page.generation = 7;
            page.events.extend_from_slice(chunk);
            page.last = chunk.last() == events.last();
            if let Err(page) = sender.send(page) {
                sender.give_back(page);
                break;
            }
            pages.next();
        }
        rig.callback(1024);
        rig.handle.collect();
    }
    assert_eq!(rig.handle.status().starvations, 0);
    rig.note_ons()
}

const PPQ: Division = Division::Ppq(480);

#[test]
fn constant_tempo() {
    check(&ClickSong::new(PPQ, 240, 0.25, |_| vec![]));
    check(&ClickSong::new(PPQ, 240, 60.0 / 97.0 / 2.0, |_| vec![(0, 60_000_000 / 97)]));
}

#[test]
fn a_tempo_event_each_eighth_note() {
    let tempos =
        |end: i64| (0..end / 240).map(|n| (n * 240, 400_000 + (n * 7919 % 200_003) as u32)).collect();
    check(&ClickSong::new(PPQ, 240, 0.25, tempos));
}

#[test]
fn a_tempo_event_each_ten_ticks() {
    let tempos =
        |end: i64| (0..end / 10).map(|n| (n * 10, 400_000 + (n * 104_729 % 200_003) as u32)).collect();
    check(&ClickSong::new(PPQ, 240, 0.25, tempos));
}

#[test]
fn the_same_tempo_repeated_every_seven_ticks() {
    check(&ClickSong::new(PPQ, 240, 0.25, |end| (0..end / 7).map(|n| (n * 7, 500_000)).collect()));
}

#[test]
fn smpte_divisions() {
    for rate in [SmpteRate::Fps24, SmpteRate::Fps25, SmpteRate::Fps29, SmpteRate::Fps30] {
        for subframes in [4, 100] {
            let (frames, seconds) = rate.fraction();
            let step = i64::from(subframes) * 7 + 1;
            let per_step = step as f64 * f64::from(seconds) / (f64::from(frames) * f64::from(subframes));
            check(&ClickSong::new(Division::Smpte { rate, subframes }, step, per_step, |_| vec![]));
        }
    }
}

#[test]
fn the_highest_resolution() {
    let tempos = |end: i64| (0..end / 9999).map(|n| (n * 9999, 499_999 + (n % 3) as u32)).collect();
    check(&ClickSong::new(Division::Ppq(32_767), 16_383, 0.25, tempos));
}

#[test]
fn the_check_sees_one_frame_and_a_slow_drift() {
    let song = ClickSong::new(PPQ, 240, 0.25, |_| vec![]);
    let (exact, denominator) = song.exact_frames();
    let right: Vec<_> = (0..).zip(&exact).map(|(n, e)| ((e / denominator) as u64, (n % 128) as u8)).collect();
    check_onsets(&right, &exact, denominator);
    let refuses = |onsets: Vec<(u64, u8)>| {
        std::panic::catch_unwind(|| check_onsets(&onsets, &exact, denominator)).is_err()
    };
    let mut late = right.clone();
    late[300].0 += 1;
    assert!(refuses(late));
    assert!(refuses(
        right.iter().enumerate().map(|(n, &(frame, key))| (frame + n as u64 / 500, key)).collect()
    ));
    assert!(refuses(right[1..].to_vec()));
}

#[test]
fn a_tempo_scale_is_exact_for_the_whole_song() {
    let song = ClickSong::new(PPQ, 240, 0.25, |_| vec![(0, 517_123)]);
    let (events, end) = song.events();
    let (exact, denominator) = song.exact_frames();
    for (numerator, scale_denominator) in [(11, 10), (2, 1), (1, 3), (977, 1000)] {
        let mut rig = Rig::new(64);
        rig.load(&events, end);
        rig.handle.set_tempo_scale(TempoScale::new(numerator, scale_denominator).unwrap()).unwrap();
        rig.handle.play().unwrap();
        let total =
            exact.last().unwrap() * i128::from(scale_denominator) / denominator / i128::from(numerator);
        rig.render(total as usize + 1000, std::iter::repeat(441));
        let scaled: Vec<i128> = exact.iter().map(|exact| exact * i128::from(scale_denominator)).collect();
        let denominator = denominator * i128::from(numerator);
        // SongTime is rounded down to 1/65536 of a frame: at a third of the speed that is thrice as much.
        let slack = denominator / 65_536 * i128::from(scale_denominator) / i128::from(numerator) + 1;
        for (&(frame, _), &exact) in rig.note_ons().iter().zip(&scaled) {
            assert!((2 * (i128::from(frame) * denominator - exact)).abs() <= denominator + 2 * slack);
        }
        assert_eq!(rig.note_ons().len(), scaled.len());
    }
}
