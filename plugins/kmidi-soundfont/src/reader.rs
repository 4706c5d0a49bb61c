//! The part of a sample that a voice reads, and what its loop does with the place.

use std::array::from_fn;

use crate::generator::Generator;
use crate::sample::GUARD_FRAMES;
use crate::zone::Zone;

/// Frames that the kernel looks at together.
pub(crate) const WINDOW: usize = 16;

/// All in frames from the first of [`Sample::data`], guard frames included.
///
/// A place stands for its frame and those around it that interpolation needs. A place in a loop is
/// so far behind its first frame that those before it belong to the loop too.
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
    /// Frames before a place that are looked at.
    lead: u32,
    /// The [`WINDOW`] frames before the end of the loop and those it goes on with.
    seam: [f32; 2 * WINDOW],
}

impl Reader {
    /// At the start of a zone's sample; `None` if it has nothing to sound. Offsets that lead out of
    /// the sample are held inside it.
    pub fn of_zone(zone: &Zone, lead: u32) -> Option<Self> {
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
        let mut reader = Reader { start, end, loop_start, loop_end, looping, lead, seam: [0.0; 2 * WINDOW] };
        if looping {
            reader.seam = from_fn(|i| {
                let index = (loop_end as usize + i).checked_sub(WINDOW);
                index.map_or(0.0, |index| reader.frame(&zone.sample.data, index))
            });
        }
        Some(reader)
    }

    /// A frame of the sound that would be heard with the loop written out.
    fn frame(&self, data: &[f32], index: usize) -> f32 {
        let (start, end) = (self.loop_start as usize, self.loop_end as usize);
        let index = if self.looping && index >= end { start + (index - end) % (end - start) } else { index };
        data.get(index).copied().unwrap_or(0.0)
    }

    /// By how much a place is too far: whole rounds of the loop.
    pub fn rounds(&self, place: u32) -> u32 {
        if self.looping && place >= self.loop_end + self.lead {
            let length = self.loop_end - self.loop_start;
            (place - self.loop_start - self.lead) / length * length
        } else {
            0
        }
    }

    /// Whether the sample is over at a place.
    pub fn is_over(&self, place: u32) -> bool {
        !self.looping && place >= self.end
    }

    /// The last place whose window lies before the end and before the seam.
    pub fn last_clear(&self) -> u32 {
        let limit = if self.looping { self.loop_end } else { self.end };
        limit.saturating_sub(WINDOW as u32)
    }

    /// The frames around `place`, from the first that is looked at on, where it is beyond [`Reader::last_clear`].
    pub fn at_seam<const N: usize>(&self, data: &[f32], place: u32) -> [f32; N] {
        let first = place.wrapping_sub(self.lead) as usize;
        if !self.looping {
            return from_fn(|i| data.get(first.wrapping_add(i)).copied().unwrap_or(0.0));
        }
        // Held inside for the compiler's sake: places are.
        let from = (first + WINDOW).saturating_sub(self.loop_end as usize).min(WINDOW);
        from_fn(|i| self.seam[from + i])
    }

    /// The sample goes on behind the loop. Returns by how much `place` is too far for that.
    pub fn leave_loop(&mut self, place: u32) -> u32 {
        let is_beyond = self.looping && place > self.loop_end;
        self.looping = false;
        if is_beyond { self.loop_end - self.loop_start } else { 0 }
    }
}
