use crate::tempo::{Meter, Tempo};
use crate::time::SongTime;

/// Musical time: quarter notes since the song's start, in units of 2^-31 (the fixed point of CLAP).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Beats(pub i64);

/// One quarter note.
const QUARTER: i128 = 1 << 31;
/// Units of song time in a frame.
const UNITS: i128 = 1 << 16;
/// Moments as near as this, 2^-13 of a quarter note, are the same: each change of tempo rounds to a unit of song time.
const SAME: i128 = QUARTER >> 13;

impl Beats {
    /// The song's start.
    pub const ZERO: Beats = Beats(0);

    /// `ticks` of which so many are one quarter note.
    pub fn from_ticks(ticks: i64, ticks_per_quarter: u32) -> Self {
        let beats = i128::from(ticks) * QUARTER / i128::from(ticks_per_quarter.max(1));
        Beats(saturated(beats))
    }

    /// As a number of quarter notes.
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / QUARTER as f64
    }
}

fn saturated(beats: i128) -> i64 {
    beats.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

/// A moment of which song time and musical time are both known, and how musical time goes on from there.
/// The default one is of no song: its musical time stands still. `[side A]` `[side B]`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MusicalAnchor {
    /// The moment.
    pub time: SongTime,
    /// The same moment.
    pub beats: Beats,
    /// Where its bar began.
    pub bar_start: Beats,
    /// The bars before that one.
    pub bar: i32,
    /// Tempo from there on, as written.
    pub tempo: Tempo,
    /// Meter of the bar.
    pub meter: Meter,
    /// Frames of song time in a second; 0 where there is no song.
    pub sample_rate_hz: u32,
}

impl MusicalAnchor {
    /// Musical time at `time`, by the tempo from here on.
    pub fn beats_at(&self, time: SongTime) -> Beats {
        let units = i128::from(time.0) - i128::from(self.time.0);
        let per_quarter = i128::from(self.tempo.micros_per_quarter) * i128::from(self.sample_rate_hz) * UNITS;
        if per_quarter == 0 {
            return self.beats;
        }
        // A quotient rounded to the nearest: the rounding of each change of tempo is 2^-32 of a quarter note.
        let beats = (units * 1_000_000 * QUARTER + per_quarter / 2).div_euclid(per_quarter);
        Beats(saturated(i128::from(self.beats.0) + beats))
    }

    /// Where the bar around `beats` began, and the bars before it, by the meter from here on.
    pub fn bar_at(&self, beats: Beats) -> (Beats, i32) {
        let length = self.bar_length();
        let bars = (i128::from(beats.0) - i128::from(self.bar_start.0)).div_euclid(length);
        let start = Beats(saturated(i128::from(self.bar_start.0) + bars * length));
        let bar = i128::from(self.bar) + bars;
        (start, bar.clamp(i32::MIN.into(), i32::MAX.into()) as i32)
    }

    /// From `time` on the song has another tempo.
    pub fn set_tempo(&mut self, time: SongTime, tempo: Tempo) {
        self.beats = self.beats_at(time);
        self.time = time;
        self.tempo = tempo;
    }

    /// From `time` on the song has another meter: a bar begins there, also in the middle of one.
    pub fn set_meter(&mut self, time: SongTime, meter: Meter) {
        if meter == self.meter {
            return;
        }
        let beats = self.beats_at(time);
        let (start, bar) = self.bar_at(Beats(saturated(i128::from(beats.0) + SAME)));
        let is_at_bar_line = i128::from(beats.0) - i128::from(start.0) <= SAME;
        // A bar that is cut short counts as one.
        (self.bar_start, self.bar) =
            if is_at_bar_line { (start, bar) } else { (beats, bar.saturating_add(1)) };
        self.meter = meter;
    }

    fn bar_length(&self) -> i128 {
        // A numerator of 0 is read as 4, as in `MeterMap`.
        let numerator = if self.meter.numerator == 0 { 4 } else { self.meter.numerator };
        (QUARTER * 4 * i128::from(numerator) / i128::from(self.meter.denominator())).max(1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tempo::{Division, MeterMap, TempoMap};
    use crate::time::Ticks;

    const RATE_HZ: u32 = 44_100;
    const PPQ: u32 = 480;

    fn bar_lines() -> impl Strategy<Value = i64> {
        (0i64..50).prop_map(|bars| bars * 4 * i64::from(PPQ))
    }

    proptest! {
        /// Followed from change to change, musical time is that of the maps.
        #[test]
        fn an_anchor_that_follows_the_song_agrees_with_its_maps(
            tempos in prop::collection::vec((0i64..100_000, 1_000u32..5_000_000), 0..40),
            // Half of the meters begin at a line between bars of 4/4, as those of songs do.
            meters in prop::collection::vec((prop_oneof![0i64..100_000, bar_lines()], 1u8..13, 0u8..5), 0..20),
            at in 0i64..200_000,
        ) {
            let tempo_map = TempoMap::new(Division::Ppq(PPQ as u16), tempos.iter().map(|(tick, it)| (Ticks(*tick), *it)));
            let meter = |n: &(i64, u8, u8)| (Ticks(n.0), Meter { numerator: n.1, denominator_log2: n.2 });
            let meter_map = MeterMap::new(PPQ, meters.iter().map(meter));
            let time = |tick| tempo_map.song_time(tick, RATE_HZ);
            let mut anchor = MusicalAnchor {
                tempo: tempo_map.tempo(Ticks(0)),
                meter: meter_map.meter(Ticks(0)),
                sample_rate_hz: RATE_HZ,
                ..MusicalAnchor::default()
            };
            let mut changes: Vec<_> = tempo_map.changes().map(|(tick, tempo)| (tick, Some(tempo), None)).collect();
            changes.extend(meters.iter().map(meter).map(|(tick, meter)| (tick, None, Some(meter))));
            changes.sort_by_key(|(tick, ..)| *tick);
            for (tick, tempo, meter) in changes.into_iter().filter(|(tick, ..)| *tick <= Ticks(at)) {
                tempo.into_iter().for_each(|tempo| anchor.set_tempo(time(tick), tempo));
                meter.into_iter().for_each(|meter| anchor.set_meter(time(tick), meter));
            }
            let beats = anchor.beats_at(time(Ticks(at)));
            let exact = at as f64 / f64::from(PPQ);
            // Song time is exact to 1/65536 frame at each change.
            prop_assert!((beats.as_f64() - exact).abs() < 1e-4, "{} {exact}", beats.as_f64());
            // A moment into the beat, so that this does not decide on which side of a bar line it is.
            let (start, bar) = anchor.bar_at(Beats(beats.0 + (1 << 20)));
            let here = meter_map.position(Ticks(at));
            prop_assert_eq!(bar + 1, here.bar as i32);
            let bar_start = Beats::from_ticks(meter_map.bar_start(here.bar).0, PPQ);
            prop_assert!((start.as_f64() - bar_start.as_f64()).abs() < 1e-4);
        }
    }

    #[test]
    fn without_a_song_musical_time_stands_still_and_extremes_do_not_overflow() {
        assert_eq!(MusicalAnchor::default().beats_at(SongTime::MAX), Beats::ZERO);
        let mut anchor = MusicalAnchor { sample_rate_hz: 1, ..MusicalAnchor::default() };
        anchor.set_tempo(SongTime::MAX, Tempo { micros_per_quarter: 1 });
        let beats = anchor.beats_at(SongTime::MAX);
        anchor.bar_at(beats);
        anchor.set_meter(SongTime(i64::MIN), Meter { numerator: 0, denominator_log2: 255 });
        anchor.bar_at(anchor.beats_at(SongTime::MAX));
    }
}
