//! Where beats are, and how long a tick lasts there.

use std::sync::Arc;

use kmidi_core::{Division, Meter, MeterMap, Tempo, TempoMap, Ticks};

use super::GrooveError;
use crate::index::{Format, SongIndex};
use crate::meta;
use crate::song::{SmfEvent, Song};

/// The beats of a song: its division, its meters and its tempos. `[side B]`
#[derive(Clone, Debug)]
pub struct Pulse {
    ticks_per_quarter: u16,
    meters: Arc<MeterMap>,
    tempos: Arc<TempoMap>,
}

/// A place of a bar, and how far from it something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Counted from 0 at the start of the bar.
    pub slot: usize,
    /// Tick of the place itself.
    pub grid: i64,
    /// It is the second eighth of a quarter note, in a meter that is counted in quarters or longer notes.
    pub offbeat: bool,
}

/// A bar, from its first tick to that of the next.
#[derive(Clone, Copy, Debug)]
struct Bar {
    start: i64,
    end: i64,
    /// It is counted in quarters or longer notes.
    in_quarters: bool,
}

/// The bars of a song, for ticks that are mostly in the bar of the one before.
pub(crate) struct Bars<'a> {
    pulse: &'a Pulse,
    last: Bar,
}

impl<'a> Bars<'a> {
    pub fn new(pulse: &'a Pulse) -> Self {
        Bars { pulse, last: pulse.bar(0) }
    }

    fn at(&mut self, tick: i64) -> Bar {
        if !(self.last.start..self.last.end).contains(&tick) {
            self.last = self.pulse.bar(tick);
        }
        self.last
    }

    /// As [`Pulse::place`], without swing.
    pub fn place(&mut self, tick: i64, per_whole: u8) -> Place {
        let bar = self.at(tick);
        self.pulse.place_in(bar, tick, per_whole, 0.0)
    }

    /// As [`Pulse::quarter_in_bar`].
    pub fn quarter(&mut self, tick: i64) -> usize {
        let bar = self.at(tick);
        self.pulse.quarter_of(bar, tick)
    }
}

impl Pulse {
    /// A steady tempo in 4/4. `ticks_per_quarter` is 1 to 32767, `bpm` 4 to 1000 quarter notes a minute; both are brought there.
    pub fn steady(ticks_per_quarter: u16, bpm: f64) -> Self {
        let ticks_per_quarter = ticks_per_quarter.clamp(1, 0x7fff);
        let micros = (60e6 / bpm.clamp(4.0, 1000.0)).round() as u32;
        Pulse {
            ticks_per_quarter,
            meters: Arc::new(MeterMap::new(ticks_per_quarter.into(), [])),
            tempos: Arc::new(TempoMap::new(Division::Ppq(ticks_per_quarter), [(Ticks(0), micros)])),
        }
    }

    /// The beats of a song, its tempo and meter maps honoured. In a format 2 file the tracks are one after another.
    ///
    /// # Errors
    /// [`GrooveError::Smpte`] if its ticks are fractions of seconds: then it has no beats.
    pub fn of(song: &Song) -> Result<Self, GrooveError> {
        let ticks_per_quarter = quarter(song.division)?;
        let (mut tempos, mut meters) = (vec![], vec![]);
        for ((number, base), track) in bases(song).into_iter().enumerate().zip(&song.tracks) {
            if number > 0 && song.format == Format::Sequential {
                // Each song of a format 2 file starts from the defaults.
                tempos.push((Ticks(base), Tempo::default().micros_per_quarter));
                meters.push((Ticks(base), Meter::default()));
            }
            let mut clock = 0;
            for (tick, event) in &track.events {
                clock = clock.max(tick.0);
                let SmfEvent::Meta { kind, data } = event else { continue };
                let tick = Ticks(base.saturating_add(clock));
                match kind {
                    0x51 => tempos.extend(meta::tempo(data).map(|micros| (tick, micros))),
                    0x58 => meters.extend(meta::meter(data).map(|meter| (tick, meter))),
                    _ => {}
                }
            }
        }
        Ok(Pulse {
            ticks_per_quarter,
            meters: Arc::new(MeterMap::new(ticks_per_quarter.into(), meters)),
            tempos: Arc::new(TempoMap::new(song.division, tempos)),
        })
    }

    /// The beats of a song that is read from a file in pieces.
    ///
    /// # Errors
    /// As [`Pulse::of`].
    pub fn of_index(index: &SongIndex) -> Result<Self, GrooveError> {
        let ticks_per_quarter = quarter(index.division)?;
        let (meters, tempos) = (index.meter_map.clone(), index.tempo_map.clone());
        Ok(Pulse { ticks_per_quarter, meters, tempos })
    }

    /// Ticks of a quarter note.
    pub fn ticks_per_quarter(&self) -> u16 {
        self.ticks_per_quarter
    }

    /// Milliseconds from one tick to another.
    pub fn milliseconds(&self, from: i64, to: i64) -> f64 {
        (self.tempos.seconds(Ticks(to)) - self.tempos.seconds(Ticks(from))) * 1e3
    }

    /// Ticks that so many milliseconds are at the tempo of a tick.
    pub(crate) fn ticks_of(&self, milliseconds: f64, at: i64) -> f64 {
        let micros = f64::from(self.tempos.tempo(Ticks(at)).micros_per_quarter);
        milliseconds * 1e3 * f64::from(self.ticks_per_quarter) / micros
    }

    /// Quarter notes a minute at a tick.
    pub(crate) fn bpm(&self, at: i64) -> f64 {
        self.tempos.tempo(Ticks(at)).bpm()
    }

    /// Which quarter of its bar a tick is in, counted from 0.
    pub(crate) fn quarter_in_bar(&self, tick: i64) -> usize {
        self.quarter_of(self.bar(tick), tick)
    }

    fn quarter_of(&self, bar: Bar, tick: i64) -> usize {
        ((tick - bar.start) / i64::from(self.ticks_per_quarter)) as usize
    }

    fn bar(&self, tick: i64) -> Bar {
        let number = self.meters.position(Ticks(tick)).bar;
        let start = self.meters.bar_start(number).0;
        let end = self.meters.bar_start(number.saturating_add(1)).0;
        let denominator = self.meters.meter(Ticks(tick)).denominator();
        Bar { start, end: end.max(start + 1), in_quarters: denominator <= 4 }
    }

    /// Ticks of a place of the bar, of which there are `per_whole` in a whole note.
    pub(crate) fn slot_ticks(&self, per_whole: u8) -> f64 {
        4.0 * f64::from(self.ticks_per_quarter) / f64::from(per_whole.max(1))
    }

    /// The place nearest to a tick, of `per_whole` in a whole note. `swing` (0 to 1) has the offbeats later.
    pub(crate) fn place(&self, tick: i64, per_whole: u8, swing: f64) -> Place {
        self.place_in(self.bar(tick), tick, per_whole, swing)
    }

    fn place_in(&self, bar: Bar, tick: i64, per_whole: u8, swing: f64) -> Place {
        let (whole, per_whole) = (4 * i64::from(self.ticks_per_quarter), i64::from(per_whole.max(1)));
        let nearest = (2 * (tick - bar.start) * per_whole + whole) / (2 * whole);
        let place = |slot: i64| {
            let grid = bar.start + (2 * slot * whole + per_whole) / (2 * per_whole);
            let eighths = slot * 8;
            let offbeat = bar.in_quarters && eighths % per_whole == 0 && eighths / per_whole % 2 == 1;
            match grid < bar.end {
                true => Place { slot: slot as usize, grid, offbeat },
                false => Place { slot: 0, grid: bar.end, offbeat: false },
            }
        };
        if swing == 0.0 {
            return place(nearest);
        }
        let distance = |place: &Place| {
            let delay = if place.offbeat { self.swing_ticks(swing) } else { 0.0 };
            ((tick - place.grid) as f64 - delay).abs()
        };
        let around = [nearest - 1, nearest, nearest + 1].into_iter().filter(|&slot| slot >= 0).map(place);
        around.min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or_else(|| place(nearest))
    }

    /// By how many ticks swing has the second eighth of a quarter note later: a quarter of a quarter note at 1. So 0 is
    /// straight, and two thirds are triplets.
    pub(crate) fn swing_ticks(&self, swing: f64) -> f64 {
        swing * f64::from(self.ticks_per_quarter) / 4.0
    }
}

fn quarter(division: Division) -> Result<u16, GrooveError> {
    match division {
        Division::Ppq(ticks) => Ok(ticks.max(1)),
        Division::Smpte { .. } => Err(GrooveError::Smpte),
    }
}

/// Tick of the beginning of each track: not 0 only in the later tracks of a format 2 file.
pub(crate) fn bases(song: &Song) -> Vec<i64> {
    let mut end = 0i64;
    let base = |track: &crate::song::Track| {
        let base = if song.format == Format::Sequential { end } else { 0 };
        let last = track.events.iter().map(|event| event.0.0).max().unwrap_or(0);
        end = end.max(base.saturating_add(track.end.0.max(last)));
        base
    };
    song.tracks.iter().map(base).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_around_beats_and_barlines() {
        let pulse = Pulse::steady(480, 120.0);
        let found = |tick| {
            let place = pulse.place(tick, 16, 0.0);
            (place.slot, place.grid, place.offbeat)
        };
        assert_eq!(found(0), (0, 0, false));
        assert_eq!(found(59), (0, 0, false));
        assert_eq!(found(61), (1, 120, false));
        assert_eq!(found(250), (2, 240, true));
        assert_eq!(found(1910), (0, 1920, false));
        assert_eq!(found(1920 + 730), (6, 1920 + 720, true));
        // With swing the offbeat is later, and what is between it and the next sixteenth goes to the nearer one.
        let swung = |tick| pulse.place(tick, 16, 0.67).slot;
        assert_eq!([swung(300), swung(320), swung(339), swung(345), swung(385)], [2, 2, 2, 3, 3]);
    }

    #[test]
    fn a_division_that_sixteenths_do_not_divide_drifts_by_nothing() {
        let pulse = Pulse::steady(15, 120.0);
        for slot in 0..16 {
            let grid = (slot as f64 * 3.75).round() as i64 + 60 * 1000;
            assert_eq!(pulse.place(grid, 16, 0.0).grid, grid);
        }
    }

    #[test]
    fn milliseconds_follow_the_tempo() {
        let pulse = Pulse::steady(480, 60.0);
        assert!((pulse.milliseconds(0, 480) - 1000.0).abs() < 1e-9);
        assert!((pulse.ticks_of(1000.0, 0) - 480.0).abs() < 1e-9);
    }
}
