//! The part of voices that runs at each frame: reading the sample and mixing into the busses.
//!
//! One voice at a time, eight frames at once. Every value is computed from the number of its frame
//! by the same operations in the same order on every instruction set (no fused multiply-add, no
//! library function): neither the machine nor where a run is cut changes a bit.

use std::array::from_fn;
use std::num::Wrapping;

use basedrop::Shared;
use fearless_simd::prelude::*;
use fearless_simd::{Simd, f32x4, f32x8, u32x8};

use crate::course::{BUSSES, CONTROL_FRAMES, FRAME, LONGEST_COURSE_FRAMES, LevelCurve, Path, Ramp};
use crate::interpolation::{Interpolator, SINC_LEAD, SincTable, sinc};
use crate::lanes::{LANES, interpolate, transpose};
use crate::reader::{Reader, WINDOW};
use crate::sample::Sample;
use crate::taps::taps;

/// Sound of one voice ahead of envelope and gains; frames beyond those asked for are zero up to the
/// next multiple of [`LANES`].
pub(crate) type Row = [f32; CONTROL_FRAMES as usize];

/// One run of the busses. The last frames are room for whole vectors and mean nothing.
pub(crate) type Busses = [[f32; CONTROL_FRAMES as usize + LANES]; BUSSES];

/// Speeds below this let eight frames find their taps in one [`WINDOW`].
const WINDOW_SPEED: i64 = FRAME * (WINDOW as i64 - 5) / (LANES as i64 - 1);

/// Bits behind the point of places inside a course, relative to its first frame.
const PART_BITS: u32 = 24;

/// Those in front of it hold the longest way in one, and what the last vector reads beyond.
const _: () =
    assert!((LONGEST_COURSE_FRAMES as i64 + LANES as i64) * WINDOW_SPEED <= FRAME << (32 - PART_BITS));

/// k (k - 1) / 2 of each lane.
const TRIANGLES: [u32; LANES] = [0, 0, 1, 3, 6, 10, 15, 21];

/// A voice at the rate of frames. `[side A]`
#[derive(Default)]
pub(crate) struct Playback {
    sample: Option<Shared<Sample>>,
    reader: Reader,
    pub path: Path,
    pub level: LevelCurve,
    pub gains: [Ramp; BUSSES],
    /// Frames of the course that have been played.
    pub played: u32,
    /// What was read last, where a filter that comes into circuit starts from.
    pub last: f32,
}

impl Playback {
    /// At the start of a sample, silent until a level is set.
    pub fn start(sample: Shared<Sample>, reader: Reader) -> Self {
        let position = i64::from(reader.start) * FRAME;
        let path = Path { position, ..Path::default() };
        Playback { sample: Some(sample), reader, path, ..Playback::default() }
    }

    /// Ends the course where it is. False if the sample is over.
    pub fn arrive(&mut self) -> bool {
        let position = self.path.at(self.played);
        let rounds = self.reader.rounds((position >> 32) as u32);
        self.path.position = position - i64::from(rounds) * FRAME;
        self.played = 0;
        !self.reader.is_over((self.path.position >> 32) as u32)
    }

    /// How many of the next `frames` frames of the course come before the end of the sample.
    pub fn frames_in_sample(&self, frames: u32) -> u32 {
        let is_over = |frame: u32| self.reader.is_over((self.path.at(frame) >> 32) as u32);
        if !is_over(frames) {
            return frames;
        }
        let (mut inside, mut over) = (0, frames);
        while over - inside > 1 {
            let middle = (inside + over) / 2;
            if is_over(middle) { over = middle } else { inside = middle }
        }
        over
    }

    /// Reads nothing from here on.
    pub fn fall_silent(&mut self) {
        self.sample = None;
    }

    /// The loop is left when its end is next reached.
    pub fn leave_loop(&mut self) {
        let length = self.reader.leave_loop((self.path.position >> 32) as u32);
        self.path.position -= i64::from(length) * FRAME;
    }

    /// The envelope's level at the next frame.
    pub fn current_level(&self) -> f32 {
        self.level.at(self.played)
    }

    /// How loud the voice is where its envelope peaks: its louder side.
    pub fn loudness_at_peak(&self) -> f32 {
        self.gains[0].value.abs().max(self.gains[1].value.abs())
    }

    /// Reads the next `frames` frames of the course.
    #[inline(always)]
    pub fn read<S: Simd>(&mut self, simd: S, how: &Interpolator, row: &mut Row, frames: usize) {
        let Some(sample) = &self.sample else { return row.fill(0.0) };
        let top_speed = self.path.top_speed(LONGEST_COURSE_FRAMES);
        match (how, top_speed < WINDOW_SPEED) {
            (Interpolator::Cubic, true) => self.read_windows::<S, false>(simd, &sample.data, row, frames),
            (Interpolator::Cubic, false) => self.read_places::<S, false>(simd, &sample.data, row, frames),
            (Interpolator::Linear, true) => self.read_windows::<S, true>(simd, &sample.data, row, frames),
            (Interpolator::Linear, false) => self.read_places::<S, true>(simd, &sample.data, row, frames),
            (Interpolator::Sinc(sinc), _) => {
                self.read_sinc(simd, &sample.data, sinc.table(top_speed), row, frames);
            }
        }
        row[frames..frames.next_multiple_of(LANES)].fill(0.0);
        self.last = row[frames - 1];
    }

    /// Eight neighbouring frames find their taps in one window.
    #[inline(always)]
    fn read_windows<S: Simd, const LINEAR: bool>(&self, simd: S, data: &[f32], row: &mut Row, frames: usize) {
        let part = |place: i64| Wrapping((place >> (32 - PART_BITS)) as u32);
        let (start, speed, bend) =
            (part(self.path.position & (FRAME - 1)), part(self.path.speed), part(self.path.bend));
        // The place of the first lane is followed as a number of its own.
        let k = Wrapping(self.played);
        let mut first_place = start + k * speed + Wrapping((k * (k - Wrapping(1))).0 >> 1) * bend;
        let mut first_step = Wrapping(8) * speed + (Wrapping(8) * k + Wrapping(28)) * bend;
        let bend_step = Wrapping(64) * bend;
        let lanes = u32x8::load_array(simd, from_fn(|lane| lane as u32));
        let triangles = u32x8::load_array(simd, TRIANGLES);
        let mut places = lanes * (speed + k * bend).0 + triangles * bend.0 + first_place.0;
        let mut steps = lanes * (Wrapping(8) * bend).0 + first_step.0;

        let mut base = (self.path.position >> 32) as u32;
        let last_clear = self.reader.last_clear();
        let mask = (1 << PART_BITS) - 1;
        let scale = 1.0 / (1 << PART_BITS) as f32;
        for group in row[..frames.next_multiple_of(LANES)].as_chunks_mut::<LANES>().0 {
            let whole = first_place.0 >> PART_BITS;
            let index = (places >> PART_BITS) - whole;
            let fraction = (places & mask).to_float::<f32x8<S>>() * scale;
            let mut place = base.wrapping_add(whole);
            if place > last_clear {
                let rounds = self.reader.rounds(place);
                base = base.wrapping_sub(rounds);
                place -= rounds;
            }
            match if place <= last_clear { window(data, place, 1) } else { None } {
                Some(window) => {
                    between::<S, LINEAR>(taps(simd, window, index), fraction).store_slice(group);
                }
                None => {
                    let window = self.reader.at_seam(data, place);
                    between::<S, LINEAR>(taps(simd, &window, index), fraction).store_slice(group);
                }
            }
            first_place += first_step;
            first_step += bend_step;
            places += steps;
            steps += bend_step.0;
        }
    }

    /// Each frame finds its taps by itself: steps are wide.
    #[inline(always)]
    fn read_places<S: Simd, const LINEAR: bool>(&self, simd: S, data: &[f32], row: &mut Row, frames: usize) {
        let (mut at, bend) = (self.path.at(self.played), self.path.bend);
        let mut speed = self.path.speed + i64::from(self.played) * bend;
        let last_clear = self.reader.last_clear();
        for sounds in row[..frames.next_multiple_of(LANES)].as_chunks_mut::<LANES>().0 {
            let mut rows = [f32x4::splat(simd, 0.0); LANES];
            let mut fractions = [0.0; LANES];
            for (row, fraction) in rows.iter_mut().zip(&mut fractions) {
                let mut place = (at >> 32) as u32;
                if place > last_clear {
                    let rounds = self.reader.rounds(place);
                    at -= i64::from(rounds) * FRAME;
                    place -= rounds;
                }
                let clear = if place <= last_clear { data.get(place as usize - 1..) } else { None };
                *row = match clear.and_then(|frames| frames.first_chunk()) {
                    Some(taps) => f32x4::load_array_ref(simd, taps),
                    None => f32x4::load_array(simd, self.reader.at_seam(data, place)),
                };
                *fraction = (at as u32 >> 8) as f32 * (1.0 / 16_777_216.0);
                // What lies beyond the run may be anywhere.
                at = (at + speed).max(FRAME);
                speed += bend;
            }
            between::<S, LINEAR>(transpose(rows), f32x8::load_array(simd, fractions)).store_slice(sounds);
        }
    }

    /// Each frame is the sum of all that stand around it.
    #[inline(always)]
    fn read_sinc<S: Simd>(&self, simd: S, data: &[f32], table: &SincTable, row: &mut Row, frames: usize) {
        let (mut at, bend) = (self.path.at(self.played), self.path.bend);
        let mut speed = self.path.speed + i64::from(self.played) * bend;
        let last_clear = self.reader.last_clear();
        for sound in &mut row[..frames] {
            let mut place = (at >> 32) as u32;
            if place > last_clear {
                let rounds = self.reader.rounds(place);
                at -= i64::from(rounds) * FRAME;
                place -= rounds;
            }
            let clear = if place <= last_clear { window(data, place, SINC_LEAD) } else { None };
            *sound = match clear {
                Some(window) => sinc(simd, window, table, at as u32),
                None => sinc(simd, &self.reader.at_seam(data, place), table, at as u32),
            };
            at += speed;
            speed += bend;
        }
    }

    /// Adds a row, through envelope and gains, to the frames of the busses from `at` on, and moves on.
    #[inline(always)]
    pub fn mix<S: Simd>(
        &mut self,
        simd: S,
        row: &mut Row,
        busses: &mut Busses,
        (at, frames): (usize, usize),
        has_sends: bool,
    ) {
        let groups = frames.div_ceil(LANES);
        let row = &mut row.as_chunks_mut::<LANES>().0[..groups];
        let lanes = f32x8::load_array(simd, from_fn(|i| i as f32)) + self.played as f32;
        let level = self.level;
        let mut folded = 1.0;
        if level.is_constant() {
            folded = level.start;
        } else {
            let mut k = lanes;
            for sounds in row.iter_mut() {
                let level = (k * level.bend + level.slope) * k + level.start;
                (f32x8::load_array_ref(simd, sounds) * level).store_slice(sounds);
                k += LANES as f32;
            }
        }
        let used = if has_sends { BUSSES } else { 2 };
        for (bus, gain) in busses.iter_mut().zip(&self.gains).take(used) {
            if gain.is_zero() {
                continue;
            }
            let frames = &mut bus[at..at + groups * LANES].as_chunks_mut::<LANES>().0[..groups];
            let value = f32x8::splat(simd, gain.value * folded);
            if gain.step == 0.0 {
                for (frames, sounds) in frames.iter_mut().zip(row.iter()) {
                    let sound = f32x8::load_array_ref(simd, sounds) * value;
                    (f32x8::load_array_ref(simd, frames) + sound).store_slice(frames);
                }
            } else {
                let step = gain.step * folded;
                let mut k = lanes;
                for (frames, sounds) in frames.iter_mut().zip(row.iter()) {
                    let sound = f32x8::load_array_ref(simd, sounds) * (k * step + value);
                    (f32x8::load_array_ref(simd, frames) + sound).store_slice(frames);
                    k += LANES as f32;
                }
            }
        }
        self.played += frames as u32;
    }
}

/// The frames from `lead` before `place` on.
#[inline(always)]
fn window(data: &[f32], place: u32, lead: u32) -> Option<&[f32; WINDOW]> {
    data.get(place.wrapping_sub(lead) as usize..)?.first_chunk()
}

/// Between the two middle taps.
#[inline(always)]
fn between<S: Simd, const LINEAR: bool>(taps: [f32x8<S>; 4], x: f32x8<S>) -> f32x8<S> {
    let [_, b, c, _] = taps;
    if LINEAR { b + (c - b) * x } else { interpolate(taps, x) }
}
