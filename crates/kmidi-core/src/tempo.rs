use std::cmp::Ordering;

use crate::time::{SongTime, Ticks};

/// Duration of a quarter note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tempo {
    /// Microseconds per quarter note, as SMF writes it (24 bits there; never 0).
    pub micros_per_quarter: u32,
}

impl Tempo {
    /// Quarter notes per minute.
    pub fn bpm(self) -> f64 {
        60e6 / f64::from(self.micros_per_quarter.max(1))
    }
}

impl Default for Tempo {
    /// 120 quarter notes per minute, the tempo of a file that names none.
    fn default() -> Self {
        Tempo { micros_per_quarter: 500_000 }
    }
}

/// A time signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meter {
    /// Beats in a bar.
    pub numerator: u8,
    /// Power of two of the note that is one beat (2 = quarter), as SMF writes it.
    pub denominator_log2: u8,
}

impl Meter {
    /// The note value of one beat: 4 for a quarter.
    pub fn denominator(self) -> u32 {
        1 << self.denominator_log2.min(16)
    }
}

impl Default for Meter {
    fn default() -> Self {
        Meter { numerator: 4, denominator_log2: 2 }
    }
}

/// Frame rate of an SMPTE division.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmpteRate {
    /// 24 frames per second.
    Fps24,
    /// 25 frames per second.
    Fps25,
    /// 30000/1001 frames per second (the file says 29).
    Fps29,
    /// 30 frames per second.
    Fps30,
}

impl SmpteRate {
    /// Frames per second as a fraction.
    pub const fn fraction(self) -> (u32, u32) {
        match self {
            SmpteRate::Fps24 => (24, 1),
            SmpteRate::Fps25 => (25, 1),
            SmpteRate::Fps29 => (30_000, 1001),
            SmpteRate::Fps30 => (30, 1),
        }
    }
}

/// What one tick of a file means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Division {
    /// Ticks per quarter note, 1..=32767: the tempo map decides how long one is.
    Ppq(u16),
    /// Ticks of absolute time: `subframes` to each frame of `rate`; tempo events do not matter.
    Smpte {
        /// Frames per second.
        rate: SmpteRate,
        /// Ticks per frame, 1..=255.
        subframes: u8,
    },
}

/// From some tick on, a quarter note lasts this long.
#[derive(Clone, Copy, Debug)]
struct Segment {
    tick: i64,
    /// Time of `tick` in units of the map (see [`TempoMap::seconds_fraction`]).
    units: i128,
    units_per_tick: u32,
}

/// When each tick of a song happens: immutable, in exact rational arithmetic both ways.
///
/// Time is counted in integer *units*; `units * numerator / denominator` is the time in seconds,
/// with nothing rounded until a caller asks for frames. A tempo map of any density drifts by nothing.
///
/// ```
/// use kmidi_core::{Division, Frames, TempoMap, Ticks};
/// // 120 bpm, then 60 bpm from the second quarter on.
/// let map = TempoMap::new(Division::Ppq(480), [(Ticks(480), 1_000_000)]);
/// assert_eq!(map.song_time(Ticks(960), 48_000).to_frames(), Frames(24_000 + 48_000));
/// ```
#[derive(Clone, Debug)]
pub struct TempoMap {
    division: Division,
    segments: Vec<Segment>,
}

impl TempoMap {
    /// Builds the map from `(tick, microseconds per quarter)` in any order; of several at one tick
    /// the last given wins. A tempo of 0 is read as 1 µs. `[side B]`: allocates.
    pub fn new(division: Division, changes: impl IntoIterator<Item = (Ticks, u32)>) -> Self {
        let mut map = TempoMap { division, segments: vec![] };
        if let Division::Smpte { .. } = division {
            map.segments.push(Segment { tick: 0, units: 0, units_per_tick: 1 });
            return map;
        }
        let mut changes: Vec<_> = changes.into_iter().map(|(t, us)| (t.0.max(0), us.max(1))).collect();
        changes.sort_by_key(|&(tick, _)| tick);
        map.segments.push(Segment { tick: 0, units: 0, units_per_tick: Tempo::default().micros_per_quarter });
        for (tick, micros) in changes {
            let last = map.segments[map.segments.len() - 1];
            let units = last.units + i128::from(tick - last.tick) * i128::from(last.units_per_tick);
            let segment = Segment { tick, units, units_per_tick: micros };
            match tick.cmp(&last.tick) {
                Ordering::Equal => *map.segments.last_mut().expect("never empty") = segment,
                _ if micros == last.units_per_tick => {}
                _ => map.segments.push(segment),
            }
        }
        map
    }

    /// The division the map was made with.
    pub fn division(&self) -> Division {
        self.division
    }

    /// Places where the tempo really changes, the start included.
    pub fn changes(&self) -> impl Iterator<Item = (Ticks, Tempo)> + '_ {
        self.segments.iter().map(|s| (Ticks(s.tick), self.segment_tempo(s)))
    }

    /// The first change of tempo after a tick.
    pub fn change_after(&self, tick: Ticks) -> Option<(Ticks, Tempo)> {
        let at = self.segments.partition_point(|s| s.tick <= tick.0);
        self.segments.get(at).map(|s| (Ticks(s.tick), self.segment_tempo(s)))
    }

    /// Seconds in one unit, as a fraction.
    fn unit_seconds(&self) -> (i128, i128) {
        match self.division {
            Division::Ppq(ppq) => (1, i128::from(ppq.max(1)) * 1_000_000),
            Division::Smpte { rate, subframes } => {
                let (frames, seconds) = rate.fraction();
                (i128::from(seconds), i128::from(frames) * i128::from(subframes.max(1)))
            }
        }
    }

    fn segment_tempo(&self, segment: &Segment) -> Tempo {
        match self.division {
            Division::Ppq(_) => Tempo { micros_per_quarter: segment.units_per_tick },
            Division::Smpte { .. } => Tempo::default(),
        }
    }

    fn units_at(&self, tick: Ticks) -> i128 {
        let segment = self.segment_at(tick);
        segment.units + i128::from(tick.0 - segment.tick) * i128::from(segment.units_per_tick)
    }

    fn segment_at(&self, tick: Ticks) -> &Segment {
        &self.segments[self.segments.partition_point(|s| s.tick <= tick.0).saturating_sub(1)]
    }

    /// The exact time of a tick in seconds, as `numerator / denominator`.
    pub fn seconds_fraction(&self, tick: Ticks) -> (i128, i128) {
        let (numerator, denominator) = self.unit_seconds();
        (self.units_at(tick) * numerator, denominator)
    }

    /// The time of a tick in seconds, for display.
    pub fn seconds(&self, tick: Ticks) -> f64 {
        let (numerator, denominator) = self.seconds_fraction(tick);
        numerator as f64 / denominator as f64
    }

    /// The time of a tick at a sample rate, rounded down to 1/65536 frame; saturates at
    /// [`SongTime::MAX`] (some ninety years at 48 kHz).
    pub fn song_time(&self, tick: Ticks, sample_rate_hz: u32) -> SongTime {
        let (numerator, denominator) = self.seconds_fraction(tick);
        let per_second = i128::from(sample_rate_hz) * i128::from(SongTime::PER_FRAME);
        let time = numerator.saturating_mul(per_second).div_euclid(denominator);
        SongTime(i64::try_from(time).unwrap_or(i64::MAX))
    }

    /// The last tick that is not after `time`; the inverse of [`TempoMap::song_time`]:
    /// `ticks(song_time(t)) <= t`, and equal where a tick is longer than 1/65536 frame.
    pub fn ticks(&self, time: SongTime, sample_rate_hz: u32) -> Ticks {
        // Largest `units` with floor(units * k) <= time, that is units * k < time + 1.
        let (numerator, denominator) = self.unit_seconds();
        let per_second = i128::from(sample_rate_hz) * i128::from(SongTime::PER_FRAME);
        let units = ((i128::from(time.0) + 1) * denominator - 1).div_euclid(numerator * per_second);
        let segment = &self.segments[self.segments.partition_point(|s| s.units <= units).saturating_sub(1)];
        let ticks = (units - segment.units).div_euclid(i128::from(segment.units_per_tick));
        Ticks(i64::try_from(i128::from(segment.tick) + ticks).unwrap_or(i64::MAX))
    }

    /// The tempo in force at a tick (120 bpm by convention where the division is SMPTE).
    pub fn tempo(&self, tick: Ticks) -> Tempo {
        self.segment_tempo(self.segment_at(tick))
    }

    /// Ticks in one quarter note; for SMPTE divisions, ticks in half a second.
    pub fn ticks_per_quarter(&self) -> u32 {
        match self.division {
            Division::Ppq(ppq) => u32::from(ppq.max(1)),
            Division::Smpte { rate, subframes } => {
                let (frames, seconds) = rate.fraction();
                (frames * u32::from(subframes.max(1)) / (2 * seconds)).max(1)
            }
        }
    }
}

/// A meter and where it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeterChange {
    /// First tick of the bar that has this meter.
    pub tick: Ticks,
    /// The meter.
    pub meter: Meter,
    /// Number of the bar that starts here, the first bar of the song being 1.
    pub bar: u32,
}

/// Where bars and beats are.
#[derive(Clone, Debug)]
pub struct MeterMap {
    ticks_per_quarter: u32,
    changes: Vec<MeterChange>,
}

/// Bar and beat, both counted from 1, and ticks into the beat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MusicalPosition {
    /// Bar, from 1.
    pub bar: u32,
    /// Beat inside the bar, from 1.
    pub beat: u32,
    /// Ticks after the beat.
    pub tick: u32,
}

impl MeterMap {
    /// Builds the map from `(tick, meter)` in any order; 4/4 until the first. A change in the
    /// middle of a bar starts a new bar there. A numerator of 0 is read as 4. `[side B]`: allocates.
    pub fn new(ticks_per_quarter: u32, changes: impl IntoIterator<Item = (Ticks, Meter)>) -> Self {
        let mut given: Vec<_> = changes.into_iter().collect();
        given.sort_by_key(|&(tick, _)| tick);
        let first = MeterChange { tick: Ticks(0), meter: Meter::default(), bar: 1 };
        let mut map = MeterMap { ticks_per_quarter: ticks_per_quarter.max(1), changes: vec![first] };
        for (tick, mut meter) in given {
            if meter.numerator == 0 {
                meter.numerator = 4;
            }
            let last = map.changes[map.changes.len() - 1];
            let bars = (tick.0.max(0) - last.tick.0).div_ceil_euclid(map.bar_ticks(last.meter));
            let change =
                MeterChange { tick: Ticks(tick.0.max(0)), meter, bar: last.bar.saturating_add(bars) };
            if change.tick == last.tick {
                *map.changes.last_mut().expect("never empty") = change;
            } else if meter != last.meter {
                map.changes.push(change);
            }
        }
        map
    }

    /// The meters of the song, the first at tick 0.
    pub fn changes(&self) -> &[MeterChange] {
        &self.changes
    }

    fn beat_ticks(&self, meter: Meter) -> i64 {
        (i64::from(self.ticks_per_quarter) * 4 / i64::from(meter.denominator())).max(1)
    }

    fn bar_ticks(&self, meter: Meter) -> i64 {
        self.beat_ticks(meter) * i64::from(meter.numerator)
    }

    /// The meter in force at a tick.
    pub fn meter(&self, tick: Ticks) -> Meter {
        self.change_at(tick).meter
    }

    fn change_at(&self, tick: Ticks) -> MeterChange {
        self.changes[self.changes.partition_point(|c| c.tick <= tick).saturating_sub(1)]
    }

    /// Bar, beat and tick of a tick.
    pub fn position(&self, tick: Ticks) -> MusicalPosition {
        let change = self.change_at(tick);
        let since = (tick.0 - change.tick.0).max(0);
        let (bar, beat) = (self.bar_ticks(change.meter), self.beat_ticks(change.meter));
        MusicalPosition {
            bar: change.bar.saturating_add(u32::try_from(since / bar).unwrap_or(u32::MAX)),
            beat: (since % bar / beat) as u32 + 1,
            tick: (since % bar % beat) as u32,
        }
    }

    /// The first tick of a bar (counted from 1).
    pub fn bar_start(&self, bar: u32) -> Ticks {
        let at = self.changes.partition_point(|c| c.bar <= bar).saturating_sub(1);
        let change = self.changes[at];
        let start = change.tick.0 + i64::from(bar.saturating_sub(change.bar)) * self.bar_ticks(change.meter);
        // A bar cut short by a change of meter ends there.
        Ticks(self.changes.get(at + 1).map_or(start, |next| start.min(next.tick.0)))
    }
}

trait DivCeil {
    fn div_ceil_euclid(self, by: i64) -> u32;
}
impl DivCeil for i64 {
    fn div_ceil_euclid(self, by: i64) -> u32 {
        u32::try_from((self + by - 1).div_euclid(by)).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Frames;

    #[test]
    fn the_same_tempo_repeated_adds_nothing() {
        let map = TempoMap::new(Division::Ppq(480), (0..10_000).map(|i| (Ticks(i * 7), 500_000)));
        assert_eq!(map.changes().count(), 1);
        assert_eq!(map.seconds_fraction(Ticks(480 * 1000)), (500 * 480 * 1_000_000, 480 * 1_000_000));
    }

    #[test]
    fn a_dense_tempo_map_is_exact() {
        // 499_999 and 500_001 µs in turn, every tick: each pair is exactly 1_000_000 / ppq µs.
        let changes = (0..200_000).map(|i| (Ticks(i), if i % 2 == 0 { 499_999 } else { 500_001 }));
        let map = TempoMap::new(Division::Ppq(32_767), changes);
        let (numerator, denominator) = map.seconds_fraction(Ticks(200_000));
        assert_eq!(numerator * 32_767, denominator * 100_000);
    }

    #[test]
    fn the_changes_are_found_one_after_another() {
        let map = TempoMap::new(Division::Ppq(96), [(Ticks(10), 7), (Ticks(50), 8), (Ticks(60), 8)]);
        let mut found = vec![map.changes().next().unwrap()];
        while let Some(next) = map.change_after(found[found.len() - 1].0) {
            found.push(next);
        }
        assert_eq!(found, map.changes().collect::<Vec<_>>());
        assert_eq!(map.change_after(Ticks(49)).map(|(tick, _)| tick), Some(Ticks(50)));
    }

    #[test]
    fn smpte_time_ignores_tempo() {
        let map = TempoMap::new(Division::Smpte { rate: SmpteRate::Fps29, subframes: 80 }, [(Ticks(0), 1)]);
        // 30000 * 80 ticks last 1001 seconds.
        assert_eq!(map.song_time(Ticks(2_400_000), 48_000).to_frames(), Frames(48_000 * 1001));
    }

    #[test]
    fn ticks_and_song_time_are_inverse() {
        let map = TempoMap::new(
            Division::Ppq(96),
            [(Ticks(50), 333_333), (Ticks(777), 1), (Ticks(900), 16_777_215)],
        );
        for tick in (0..2000).map(Ticks) {
            let time = map.song_time(tick, 44_100);
            assert_eq!(map.song_time(map.ticks(time, 44_100), 44_100), time);
            assert!(map.ticks(SongTime(time.0 - 1), 44_100) < tick, "{tick:?}");
        }
    }

    #[test]
    fn endless_time_saturates_instead_of_wrapping() {
        let map = TempoMap::new(Division::Ppq(1), [(Ticks(0), u32::MAX)]);
        assert_eq!(map.song_time(Ticks(i64::MAX), 192_000), SongTime::MAX);
    }

    #[test]
    fn bars_and_beats_across_a_change_of_meter() {
        let waltz = Meter { numerator: 3, denominator_log2: 2 };
        let map = MeterMap::new(480, [(Ticks(480 * 8), waltz)]);
        let position = |quarter: i64| {
            let p = map.position(Ticks(quarter * 480));
            (p.bar, p.beat)
        };
        assert_eq!(
            [position(0), position(7), position(8), position(10), position(11)],
            [(1, 1), (2, 4), (3, 1), (3, 3), (4, 1)]
        );
        assert_eq!((map.meter(Ticks(480 * 8 - 1)), map.meter(Ticks(480 * 8))), (Meter::default(), waltz));
        for bar in 1..20 {
            assert_eq!(map.position(map.bar_start(bar)), MusicalPosition { bar, beat: 1, tick: 0 });
        }
    }
}
