//! The part of voices that runs at each frame: reading the sample, filter, envelope, busses.
//!
//! Voices stand in blocks of [`LANES`], each quantity an array over the lanes, and a vector unit works
//! on a whole block at once. Every quantity moves by a recurrence per frame, and each lane is
//! computed by the same operations in the same order on every instruction set (no fused
//! multiply-add, no library function): neither the machine nor where a run is cut changes a bit.
//! Values are set afresh at control points only.

use std::array::from_fn;

use basedrop::Shared;
use fearless_simd::prelude::*;
use fearless_simd::{Simd, f32x4, f32x8, mask32x8, u32x8};

use crate::lanes::{LANES, interpolate, sum, transpose};
use crate::reader::{FRAME, Reader};
use crate::sample::Sample;

/// Frames between two control points of the common grid, and the longest run of the kernel.
pub(crate) const CONTROL_FRAMES: u32 = 64;

/// What voices are mixed into: left, right, and the mono sends to reverb and chorus.
pub(crate) const BUSSES: usize = 4;
const DRY_BUSSES: usize = 2;

/// One run of the busses.
pub(crate) type Busses = [[f32; CONTROL_FRAMES as usize]; BUSSES];

/// The busses of one run with the lanes still apart: added up once for all blocks.
pub(crate) type Mix = [MixFrame; CONTROL_FRAMES as usize];
pub(crate) type MixFrame = [[f32; LANES]; BUSSES];

/// What an empty lane reads, and where: the place of its second frame.
const SILENCE: [f32; 4] = [0.0; 4];
const AT_REST: i64 = FRAME;

/// A value that moves by the same step at each frame.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ramp {
    value: f32,
    step: f32,
}

impl Ramp {
    /// From `value` at the next frame to `target` after `frames` frames.
    pub fn new(value: f64, target: f64, frames: u32) -> Self {
        Ramp { value: value as f32, step: ((target - value) / f64::from(frames)) as f32 }
    }
}

/// A value that moves, for each lane.
#[derive(Clone, Copy, Default)]
struct Ramps {
    values: [f32; LANES],
    steps: [f32; LANES],
}

impl Ramps {
    fn set(&mut self, lane: usize, ramp: Ramp) {
        (self.values[lane], self.steps[lane]) = (ramp.value, ramp.step);
    }
}

/// A number of 1/2^32 for each lane, in two halves.
#[derive(Clone, Copy, Default)]
struct Fixed {
    whole: [u32; LANES],
    part: [u32; LANES],
}

impl Fixed {
    fn set(&mut self, lane: usize, value: i64) {
        (self.whole[lane], self.part[lane]) = ((value >> 32) as u32, value as u32);
    }

    fn get(&self, lane: usize) -> i64 {
        i64::from(self.whole[lane].cast_signed()) << 32 | i64::from(self.part[lane])
    }
}

/// [`LANES`] voices at the rate of frames.
pub(crate) struct VoiceBlock {
    samples: [Option<Shared<Sample>>; LANES],
    readers: [Reader; LANES],
    position: Fixed,
    speed: Fixed,
    bend: Fixed,
    /// Where the loop is left for its start, or where the sample ends.
    limit: [u32; LANES],
    /// By how much the position goes back there: 0 until the loop has been gone round once.
    back: [u32; LANES],
    levels: [f32; LANES],
    level_factors: [f32; LANES],
    level_steps: [f32; LANES],
    gains: [Ramps; BUSSES],
    /// A bit for each lane whose filter is in circuit.
    filtered: u8,
    coefficients: [Ramps; 3],
    band: [f32; LANES],
    low: [f32; LANES],
    /// What the voice gave last, where a filter that comes into circuit starts from.
    last_inputs: [f32; LANES],
}

/// How a run went.
pub(crate) struct Ran {
    /// Frames: fewer than asked for when a sample has ended at the last of them.
    pub frames: usize,
    /// A bit for each lane whose sample has ended.
    pub ended: u8,
}

impl VoiceBlock {
    /// All lanes empty. `[side B]`: no allocation of its own, but large.
    pub fn new() -> Self {
        let mut block = VoiceBlock {
            samples: from_fn(|_| None),
            readers: [Reader::default(); LANES],
            position: Fixed::default(),
            speed: Fixed::default(),
            bend: Fixed::default(),
            limit: [u32::MAX; LANES],
            back: [0; LANES],
            levels: [0.0; LANES],
            level_factors: [1.0; LANES],
            level_steps: [0.0; LANES],
            gains: [Ramps::default(); BUSSES],
            filtered: 0,
            coefficients: [Ramps::default(); 3],
            band: [0.0; LANES],
            low: [0.0; LANES],
            last_inputs: [0.0; LANES],
        };
        (0..LANES).for_each(|lane| block.clear(lane));
        block
    }

    /// Puts a voice into a lane, silent until its level is set.
    pub fn start(&mut self, lane: usize, sample: Shared<Sample>, reader: Reader) {
        self.clear(lane);
        self.samples[lane] = Some(sample);
        self.readers[lane] = reader;
        self.position.set(lane, i64::from(reader.start) * FRAME);
        self.limit[lane] = reader.limit();
    }

    /// Empties a lane. The sample goes to the collector of its allocator, so nothing is freed here.
    pub fn clear(&mut self, lane: usize) {
        self.samples[lane] = None;
        self.readers[lane] = Reader::default();
        self.position.set(lane, AT_REST);
        self.speed.set(lane, 0);
        self.bend.set(lane, 0);
        (self.limit[lane], self.back[lane]) = (u32::MAX, 0);
        self.set_level(lane, 0.0, 1.0, 0.0);
        for ramps in self.gains.iter_mut().chain(&mut self.coefficients) {
            ramps.set(lane, Ramp::default());
        }
        self.filtered &= !(1 << lane);
        (self.band[lane], self.low[lane], self.last_inputs[lane]) = (0.0, 0.0, 0.0);
    }

    /// The loop is left when its end is next reached.
    pub fn leave_loop(&mut self, lane: usize) {
        self.readers[lane].leave_loop();
        (self.limit[lane], self.back[lane]) = (self.readers[lane].limit(), 0);
    }

    /// The envelope's level at the next frame and its recurrence from there on.
    pub fn set_level(&mut self, lane: usize, level: f64, factor: f64, step: f64) {
        self.levels[lane] = level as f32;
        self.level_factors[lane] = factor as f32;
        self.level_steps[lane] = step as f32;
    }

    /// From the level it has straight to another in `frames` frames.
    pub fn ramp_level(&mut self, lane: usize, target: f64, frames: u32) {
        self.level_factors[lane] = 1.0;
        self.level_steps[lane] = (target as f32 - self.levels[lane]) / frames as f32;
    }

    /// The speed of reading at the next frame and after `frames` frames, in sample frames per frame.
    pub fn set_increment(&mut self, lane: usize, value: f64, target: f64, frames: u32) {
        let fixed = |ratio: f64| (ratio * FRAME as f64) as i64;
        self.speed.set(lane, fixed(value));
        self.bend.set(lane, (fixed(target) - fixed(value)) / i64::from(frames));
    }

    /// The gain into a bus.
    pub fn set_gain(&mut self, lane: usize, bus: usize, ramp: Ramp) {
        self.gains[bus].set(lane, ramp);
    }

    /// Puts the filter into circuit, without a step, or moves it.
    pub fn set_filter(&mut self, lane: usize, coefficients: [Ramp; 3]) {
        if self.filtered & (1 << lane) == 0 {
            self.filtered |= 1 << lane;
            (self.band[lane], self.low[lane]) = (0.0, self.last_inputs[lane]);
        }
        for (ramps, ramp) in self.coefficients.iter_mut().zip(coefficients) {
            ramps.set(lane, ramp);
        }
    }

    /// Adds every lane to the frames of the mix, which may not reach beyond a control point of a voice.
    #[inline(always)]
    pub fn render<S: Simd>(&mut self, simd: S, mix: &mut [MixFrame], has_sends: bool) -> Ran {
        let moves = |ramps: &Ramps| ramps.values != [0.0; LANES] || ramps.steps != [0.0; LANES];
        let sends = has_sends && self.gains[DRY_BUSSES..].iter().any(moves);
        let bends = (0..LANES).any(|lane| self.bend.get(lane) != 0);
        match (self.filtered != 0, sends, bends) {
            (false, false, false) => self.run::<S, false, false, false>(simd, mix),
            (false, false, true) => self.run::<S, false, false, true>(simd, mix),
            (false, true, false) => self.run::<S, false, true, false>(simd, mix),
            (false, true, true) => self.run::<S, false, true, true>(simd, mix),
            (true, false, false) => self.run::<S, true, false, false>(simd, mix),
            (true, false, true) => self.run::<S, true, false, true>(simd, mix),
            (true, true, false) => self.run::<S, true, true, false>(simd, mix),
            (true, true, true) => self.run::<S, true, true, true>(simd, mix),
        }
    }

    #[inline(always)]
    fn run<S: Simd, const FILTERS: bool, const SENDS: bool, const BENDS: bool>(
        &mut self,
        simd: S,
        mix: &mut [MixFrame],
    ) -> Ran {
        simd.vectorize(
            #[inline(always)]
            || self.run_here::<S, FILTERS, SENDS, BENDS>(simd, mix),
        )
    }

    #[inline(always)]
    fn run_here<S: Simd, const FILTERS: bool, const SENDS: bool, const BENDS: bool>(
        &mut self,
        simd: S,
        mix: &mut [MixFrame],
    ) -> Ran {
        let floats = |values: &[f32; LANES]| f32x8::load_array_ref(simd, values);
        let words = |values: &[u32; LANES]| u32x8::load_array_ref(simd, values);
        let readers = &mut self.readers;
        let mut windows: [&[f32]; LANES] = from_fn(|lane| {
            self.samples[lane].as_ref().map_or(&SILENCE[..], |sample| readers[lane].window(&sample.data))
        });
        let mut first = words(&from_fn(|lane| readers[lane].first() + 1));
        let mut inside = words(&windows.map(rows_of));
        let (limit, mut back) = (words(&self.limit), words(&self.back));
        let (mut whole, mut part) = (words(&self.position.whole), words(&self.position.part));
        let (mut speed, mut speed_part) = (words(&self.speed.whole), words(&self.speed.part));
        let (bend, bend_part) = (words(&self.bend.whole), words(&self.bend.part));
        let (mut level, factor, step) =
            (floats(&self.levels), floats(&self.level_factors), floats(&self.level_steps));
        let mut gains = self.gains.each_ref().map(|ramps| floats(&ramps.values));
        let gain_steps = self.gains.each_ref().map(|ramps| floats(&ramps.steps));
        let mut coefficients = self.coefficients.each_ref().map(|ramps| floats(&ramps.values));
        let coefficient_steps = self.coefficients.each_ref().map(|ramps| floats(&ramps.steps));
        let (mut band, mut low) = (floats(&self.band), floats(&self.low));
        let filtered = mask32x8::from_bitmask(simd, u64::from(self.filtered));
        let mut last = floats(&self.last_inputs);
        let busses = if SENDS { BUSSES } else { DRY_BUSSES };
        let mut ran = Ran { frames: mix.len(), ended: 0 };

        for (at, out) in mix.iter_mut().enumerate() {
            let places = whole - first;
            let rows: [f32x4<S>; LANES] = if places.simd_lt(inside).all_true() {
                let places = places.to_array();
                from_fn(|lane| {
                    let place = places[lane] as usize;
                    f32x4::from_slice(simd, &windows[lane][place..place + 4])
                })
            } else {
                taps_at_seams(&self.samples, readers, whole.to_array())
                    .map(|row| f32x4::load_array(simd, row))
            };
            let fraction = (part >> 8).to_float::<f32x8<S>>() * (1.0 / 16_777_216.0);
            last = interpolate(transpose(rows), fraction);
            let mut sound = last;
            if FILTERS {
                let [a1, a2, a3] = coefficients;
                let difference = last - low;
                let next_band = a1 * band + a2 * difference;
                let next_low = low + a2 * band + a3 * difference;
                band = next_band * 2.0 - band;
                low = next_low * 2.0 - low;
                for (coefficient, step) in coefficients.iter_mut().zip(coefficient_steps) {
                    *coefficient += step;
                }
                sound = filtered.select(next_low, last);
            }
            sound *= level;
            level = level * factor + step;
            for bus in 0..busses {
                (floats(&out[bus]) + sound * gains[bus]).store_slice(&mut out[bus]);
                gains[bus] += gain_steps[bus];
            }

            let next_part = part + speed_part;
            whole = whole + speed + carry(simd, next_part.simd_lt(part));
            part = next_part;
            if BENDS {
                let next_part = speed_part + bend_part;
                speed = speed + bend + carry(simd, next_part.simd_lt(speed_part));
                speed_part = next_part;
            }
            whole = whole - whole.simd_ge(limit).select(back, u32x8::splat(simd, 0));
            let beyond = whole.simd_ge(limit);
            if beyond.any_true() {
                // The first time round a loop, a loop shorter than a step, or the end of a sample.
                let mut places = whole.to_array();
                for lane in 0..LANES {
                    if places[lane] < self.limit[lane] {
                        continue;
                    }
                    match readers[lane].go_round(places[lane]) {
                        Some(place) => places[lane] = place,
                        None => ran.ended |= 1 << lane,
                    }
                    if let Some(sample) = &self.samples[lane] {
                        windows[lane] = readers[lane].window(&sample.data);
                    }
                    self.back[lane] = readers[lane].back();
                }
                whole = u32x8::load_array(simd, places);
                first = words(&from_fn(|lane| readers[lane].first() + 1));
                inside = words(&windows.map(rows_of));
                back = words(&self.back);
                if ran.ended != 0 {
                    ran.frames = at + 1;
                    break;
                }
            }
        }

        whole.store_slice(&mut self.position.whole);
        part.store_slice(&mut self.position.part);
        speed.store_slice(&mut self.speed.whole);
        speed_part.store_slice(&mut self.speed.part);
        level.store_slice(&mut self.levels);
        for (ramps, gain) in self.gains.iter_mut().zip(gains) {
            gain.store_slice(&mut ramps.values);
        }
        if FILTERS {
            for (ramps, coefficient) in self.coefficients.iter_mut().zip(coefficients) {
                coefficient.store_slice(&mut ramps.values);
            }
            band.store_slice(&mut self.band);
            low.store_slice(&mut self.low);
        }
        last.store_slice(&mut self.last_inputs);
        ran
    }

    /// How loud the voice is at this frame: its level through its louder side.
    pub fn loudness(&self, lane: usize) -> f32 {
        self.levels[lane].abs() * self.loudness_at_peak(lane)
    }

    /// How loud the voice is where its envelope peaks.
    pub fn loudness_at_peak(&self, lane: usize) -> f32 {
        self.gains[0].values[lane].abs().max(self.gains[1].values[lane].abs())
    }
}

/// Places at which four frames can be read.
fn rows_of(window: &[f32]) -> u32 {
    window.len().saturating_sub(3) as u32
}

/// The four taps of every lane where not all of them stand together.
#[cold]
#[inline(never)]
fn taps_at_seams(
    samples: &[Option<Shared<Sample>>; LANES],
    readers: &[Reader; LANES],
    places: [u32; LANES],
) -> [[f32; 4]; LANES] {
    from_fn(|lane| match &samples[lane] {
        Some(sample) => readers[lane].taps(&sample.data, places[lane]),
        None => SILENCE,
    })
}

/// 1 where the mask is set.
#[inline(always)]
fn carry<S: Simd>(simd: S, mask: mask32x8<S>) -> u32x8<S> {
    mask.select(u32x8::splat(simd, 1), u32x8::splat(simd, 0))
}

/// Adds up the lanes of the first `frames` frames of a mix, and empties it.
#[inline(always)]
pub(crate) fn add_up<S: Simd>(simd: S, mix: &mut Mix, busses: &mut Busses, frames: usize) {
    for (frame, lanes) in mix[..frames].iter_mut().enumerate() {
        for (bus, lanes) in busses.iter_mut().zip(lanes) {
            bus[frame] = sum(f32x8::load_array_ref(simd, lanes));
            *lanes = [0.0; LANES];
        }
    }
}
