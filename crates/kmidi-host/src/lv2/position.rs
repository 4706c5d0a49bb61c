//! The song's position as plugins hear of it.

use kmidi_core::{Frames, Transport};

use super::sequence::AtomBuffer;
use super::urid::urids;
use super::uris::*;

/// Song time that may differ from what was to be expected without being a jump, in units of song time.
const TOLERANCE: i64 = 4;

/// What a plugin knows of the song, and what is to be expected of the next quantum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    playing: bool,
    /// Song time in units of 1/65536 frame.
    time: i64,
    frame: i64,
    bar: i64,
    bar_beat: f32,
    beat_unit: i32,
    beats_per_bar: f32,
    beats_per_minute: f32,
}

impl Position {
    /// The position at the start of a quantum. A beat is the note that the meter counts. `[side A]`
    pub fn of(transport: &Transport) -> Self {
        let beat_unit = transport.meter.denominator();
        let beats_per_quarter = f64::from(beat_unit) / 4.0;
        let into_bar = transport.beats.as_f64() - transport.bar_start.as_f64();
        Position {
            playing: transport.playing,
            time: transport.position.0,
            frame: transport.position.to_frames().0,
            bar: i64::from(transport.bar),
            bar_beat: (into_bar * beats_per_quarter) as f32,
            beat_unit: beat_unit as i32,
            beats_per_bar: f32::from(transport.meter.numerator),
            beats_per_minute: (transport.tempo.bpm() * beats_per_quarter) as f32,
        }
    }

    /// Whether it is what whoever knew of `before` a quantum ago can reckon. `[side A]`
    pub fn follows(&self, before: &Position, transport: &Transport, frames: u32) -> bool {
        let passed = match before.playing {
            true => transport.scale.song_time_in(Frames(i64::from(frames))).0,
            false => 0,
        };
        self.playing == before.playing
            && (self.time - before.time - passed).abs() <= TOLERANCE
            && self.beat_unit == before.beat_unit
            && self.beats_per_bar == before.beats_per_bar
            && self.beats_per_minute == before.beats_per_minute
    }

    /// Writes it as an event at the first frame; whether there was room. `[side A]`
    pub fn push_to(&self, buffer: &mut AtomBuffer) -> bool {
        let urids = urids();
        let speed = f32::from(u8::from(self.playing));
        buffer.push_object(
            0,
            urids.position,
            &[
                (urids.frame, urids.long, &self.frame.to_ne_bytes()),
                (urids.speed, urids.float, &speed.to_ne_bytes()),
                (urids.bar, urids.long, &self.bar.to_ne_bytes()),
                (urids.bar_beat, urids.float, &self.bar_beat.to_ne_bytes()),
                (urids.beat_unit, urids.int, &self.beat_unit.to_ne_bytes()),
                (urids.beats_per_bar, urids.float, &self.beats_per_bar.to_ne_bytes()),
                (urids.beats_per_minute, urids.float, &self.beats_per_minute.to_ne_bytes()),
            ],
        )
    }

    /// The value for a control port with this designation. `[side A]`
    pub fn field(&self, field: Field) -> f32 {
        match field {
            Field::Frame => self.frame as f32,
            Field::Speed => f32::from(u8::from(self.playing)),
            Field::Bar => self.bar as f32,
            Field::BarBeat => self.bar_beat,
            Field::BeatUnit => self.beat_unit as f32,
            Field::BeatsPerBar => self.beats_per_bar,
            Field::BeatsPerMinute => self.beats_per_minute,
        }
    }
}

/// What of a position a control port wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names of the time extension")]
pub enum Field {
    Frame,
    Speed,
    Bar,
    BarBeat,
    BeatUnit,
    BeatsPerBar,
    BeatsPerMinute,
}

impl Field {
    /// The field of a designation.
    pub fn of(designation: &str) -> Option<Self> {
        Some(match designation {
            TIME_FRAME => Field::Frame,
            TIME_SPEED => Field::Speed,
            TIME_BAR => Field::Bar,
            TIME_BAR_BEAT => Field::BarBeat,
            TIME_BEAT_UNIT => Field::BeatUnit,
            TIME_BEATS_PER_BAR => Field::BeatsPerBar,
            TIME_BEATS_PER_MINUTE => Field::BeatsPerMinute,
            _ => return None,
        })
    }
}
