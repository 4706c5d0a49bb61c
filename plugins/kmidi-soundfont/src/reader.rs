//! Reading a sample at any speed, with its loop.

use std::array::from_fn;

use crate::generator::Generator;
use crate::sample::GUARD_FRAMES;
use crate::zone::Zone;

/// One frame of a sample in a voice's fixed-point position.
pub(crate) const FRAME: u64 = 1 << 32;

/// Where a voice is in its sample. Positions are in 1/2^32 frames, from the first frame of
/// [`Sample::data`], guard frames included.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reader {
    pub position: u64,
    pub increment: i64,
    pub increment_step: i64,
    /// The voice ends here, unless it loops.
    pub end: u64,
    pub loop_start: u64,
    pub loop_end: u64,
    pub looping: bool,
    /// Whether the loop has been gone round: what comes before its start is then its end.
    pub wrapped: bool,
}

impl Reader {
    /// At the start of a zone's sample; `None` if it has nothing to sound. Offsets that lead out of
    /// the sample are held inside it.
    pub fn of_zone(zone: &Zone) -> Option<Self> {
        use Generator as G;
        let frames = zone.sample.frames() as i64;
        let offset =
            |fine, coarse| i64::from(zone.generators[fine]) + 32_768 * i64::from(zone.generators[coarse]);
        let place = |at: i64| (at.clamp(0, frames) as u64 + GUARD_FRAMES as u64) * FRAME;
        let position = place(offset(G::StartAddrsOffset, G::StartAddrsCoarseOffset));
        let end = place(frames + offset(G::EndAddrsOffset, G::EndAddrsCoarseOffset));
        let loop_start = place(
            i64::from(zone.sample.loop_start)
                + offset(G::StartLoopAddrsOffset, G::StartLoopAddrsCoarseOffset),
        );
        let loop_end = place(
            i64::from(zone.sample.loop_end) + offset(G::EndLoopAddrsOffset, G::EndLoopAddrsCoarseOffset),
        );
        if position >= end {
            return None;
        }
        let looping = zone.generators[G::SampleModes] & 1 == 1 && loop_end > loop_start;
        Some(Reader { position, end, loop_start, loop_end, looping, ..Reader::default() })
    }

    /// The sample at the position.
    #[inline]
    pub fn sample(&self, data: &[f32]) -> f32 {
        interpolate(self.taps(data), self.fraction())
    }

    /// The four frames around the position: one before, three from it on.
    #[inline]
    fn taps(&self, data: &[f32]) -> [f32; 4] {
        let at = (self.position / FRAME) as usize;
        let near_seam = self.looping
            && (at + 2 >= self.loop_end_frame() || (self.wrapped && at <= self.loop_start_frame()));
        match data.get(at.wrapping_sub(1)..at.wrapping_add(3)) {
            Some(&[a, b, c, d]) if !near_seam => [a, b, c, d],
            _ if near_seam => self.taps_at_seam(data, at),
            _ => [0.0; 4],
        }
    }

    /// As [`Reader::taps`] where the end of the loop meets its start.
    #[cold]
    fn taps_at_seam(&self, data: &[f32], at: usize) -> [f32; 4] {
        let (start, end) = (self.loop_start_frame(), self.loop_end_frame());
        from_fn(|tap| {
            let mut index = at + tap - 1;
            if index >= end {
                index = start + (index - end) % (end - start);
            } else if self.wrapped && index < start {
                index = end - 1;
            }
            data.get(index).copied().unwrap_or(0.0)
        })
    }

    fn loop_start_frame(&self) -> usize {
        (self.loop_start / FRAME) as usize
    }

    fn loop_end_frame(&self) -> usize {
        (self.loop_end / FRAME) as usize
    }

    /// How far the position is beyond its frame, to the 24 bits that a float holds exactly.
    #[inline]
    fn fraction(&self) -> f32 {
        ((self.position as u32) >> 8) as f32 * (1.0 / 16_777_216.0)
    }

    /// Moves on by one frame; false when the sample has ended.
    #[inline]
    pub fn advance(&mut self) -> bool {
        self.position = self.position.saturating_add_signed(self.increment);
        self.increment += self.increment_step;
        if self.looping && self.position >= self.loop_end {
            let length = self.loop_end - self.loop_start;
            self.position = self.loop_start + (self.position - self.loop_end) % length;
            self.wrapped = true;
        }
        self.position < self.end || self.looping
    }
}

/// Third-order interpolation between the two middle taps (Hermite, from central differences).
#[inline]
pub(crate) fn interpolate([a, b, c, d]: [f32; 4], x: f32) -> f32 {
    let c1 = 0.5 * (c - a);
    let c2 = a - 2.5 * b + 2.0 * c - 0.5 * d;
    let c3 = 0.5 * (d - a) + 1.5 * (b - c);
    ((c3 * x + c2) * x + c1) * x + b
}
