//! Where a voice reads its sample, and what its loop does with the place.

use std::array::from_fn;

use crate::generator::Generator;
use crate::sample::GUARD_FRAMES;
use crate::zone::Zone;

/// One frame of a sample in a voice's fixed-point position.
pub(crate) const FRAME: i64 = 1 << 32;

/// The part of a sample that a voice reads. All in frames from the first of [`Sample::data`], guard
/// frames included.
///
/// [`Sample::data`]: crate::sample::Sample::data
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reader {
    /// Where it begins.
    pub start: u32,
    /// The voice ends here, unless it loops.
    end: u32,
    loop_start: u32,
    loop_end: u32,
    looping: bool,
    /// Whether the loop has been gone round: what comes before its start is then its end.
    wrapped: bool,
}

impl Reader {
    /// At the start of a zone's sample; `None` if it has nothing to sound. Offsets that lead out of
    /// the sample are held inside it.
    pub fn of_zone(zone: &Zone) -> Option<Self> {
        use Generator as G;
        let frames = zone.sample.frames() as i64;
        let offset =
            |fine, coarse| i64::from(zone.generators[fine]) + 32_768 * i64::from(zone.generators[coarse]);
        let place = |at: i64| at.clamp(0, frames) as u32 + GUARD_FRAMES as u32;
        let start = place(offset(G::StartAddrsOffset, G::StartAddrsCoarseOffset));
        let end = place(frames + offset(G::EndAddrsOffset, G::EndAddrsCoarseOffset));
        let loop_start = place(
            i64::from(zone.sample.loop_start)
                + offset(G::StartLoopAddrsOffset, G::StartLoopAddrsCoarseOffset),
        );
        let loop_end = place(
            i64::from(zone.sample.loop_end) + offset(G::EndLoopAddrsOffset, G::EndLoopAddrsCoarseOffset),
        );
        if start >= end {
            return None;
        }
        let looping = zone.generators[G::SampleModes] & 1 == 1 && loop_end > loop_start;
        Some(Reader { start, end, loop_start, loop_end, looping, wrapped: false })
    }

    /// Where the voice goes back, or ends.
    pub fn limit(&self) -> u32 {
        if self.looping { self.loop_end } else { self.end }
    }

    /// How far it goes back there, once it has done so.
    pub fn back(&self) -> u32 {
        if self.looping && self.wrapped { self.loop_end - self.loop_start } else { 0 }
    }

    /// The first frame of [`Reader::window`].
    pub fn first(&self) -> u32 {
        if self.looping && self.wrapped { self.loop_start } else { 0 }
    }

    /// The frames in which taps that stand together belong together.
    pub fn window<'a>(&self, data: &'a [f32]) -> &'a [f32] {
        let end = if self.looping { self.loop_end as usize } else { data.len() };
        data.get(self.first() as usize..end).unwrap_or_default()
    }

    /// The frames one before to two behind a place, also where the end of the loop meets its start.
    pub fn taps(&self, data: &[f32], place: u32) -> [f32; 4] {
        let (start, end) = (self.loop_start as usize, self.loop_end as usize);
        from_fn(|tap| {
            let mut index = (place as usize + tap).wrapping_sub(1);
            if self.looping && index >= end {
                index = start + (index - end) % (end - start);
            } else if self.looping && self.wrapped && index < start {
                index = end - 1;
            }
            data.get(index).copied().unwrap_or(0.0)
        })
    }

    /// From a place at or beyond the limit back into the loop; `None` at the end of the sample.
    pub fn go_round(&mut self, place: u32) -> Option<u32> {
        if !self.looping {
            return None;
        }
        self.wrapped = true;
        Some(self.loop_start + (place - self.loop_end) % (self.loop_end - self.loop_start))
    }

    /// The loop is left when its end is next reached.
    pub fn leave_loop(&mut self) {
        self.looping = false;
    }
}
