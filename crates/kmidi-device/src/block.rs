//! Between a device that asks for any number of frames and a callback of constant length.

use arrayvec::ArrayVec;
use cpal::{FromSample, Sample};
use kmidi_core::limits::MAX_DEVICE_CHANNELS;

/// Renders blocks of constant length as they are needed, and hands them out in pieces of any length.
pub(crate) struct FixedBlock<R> {
    /// Fills one block.
    render: R,
    block: Vec<Box<[f32]>>,
    /// Frames of the block that have been handed out.
    used: usize,
}

impl<R: FnMut(&mut [&mut [f32]])> FixedBlock<R> {
    /// Blocks of `frames` frames with `channels` channels. `[side B]`: allocates.
    pub(crate) fn new(channels: usize, frames: usize, render: R) -> Self {
        let block = (0..channels).map(|_| vec![0.0; frames].into_boxed_slice()).collect();
        FixedBlock { render, block, used: frames }
    }

    /// Fills `interleaved`, whose frames have `device_channels` samples. A device with one channel
    /// hears the mean of all; one with more than there are hears silence on the others. `[side A]`
    pub(crate) fn fill<T: Sample + FromSample<f32>>(
        &mut self,
        interleaved: &mut [T],
        device_channels: usize,
    ) {
        for frame in interleaved.chunks_exact_mut(device_channels) {
            let Some(length) = self.block.first().map(|channel| channel.len()) else {
                frame.fill(T::EQUILIBRIUM);
                continue;
            };
            if self.used == length {
                let mut block: ArrayVec<&mut [f32], MAX_DEVICE_CHANNELS> =
                    self.block.iter_mut().map(|channel| &mut **channel).collect();
                (self.render)(&mut block);
                self.used = 0;
            }
            if let [mono] = frame {
                let sum: f32 = self.block.iter().map(|channel| channel[self.used]).sum();
                *mono = T::from_sample(sum / self.block.len() as f32);
            } else {
                for (channel, sample) in frame.iter_mut().enumerate() {
                    let level = self.block.get(channel).map(|channel| channel[self.used]);
                    *sample = level.map_or(T::EQUILIBRIUM, T::from_sample);
                }
            }
            self.used += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block counts on from where the last one ended; the right channel is negative.
    fn counting(frames: usize) -> FixedBlock<impl FnMut(&mut [&mut [f32]])> {
        let mut next = 0;
        FixedBlock::new(2, frames, move |block: &mut [&mut [f32]]| {
            for frame in 0..block[0].len() {
                block[0][frame] = next as f32;
                block[1][frame] = -(next as f32);
                next += 1;
            }
        })
    }

    /// Asked for any lengths, the device gets every frame once.
    fn check(block_frames: usize, lengths: &[usize]) {
        let mut blocks = counting(block_frames);
        let mut heard = Vec::new();
        for &frames in lengths {
            let mut piece = vec![9.0f32; frames * 3];
            blocks.fill(&mut piece, 3);
            heard.extend(piece);
        }
        for (frame, samples) in heard.chunks_exact(3).enumerate() {
            assert_eq!(samples, [frame as f32, -(frame as f32), 0.0]);
        }
    }

    #[test]
    fn a_device_that_asks_for_any_length_gets_every_frame_once() {
        check(64, &[51, 128, 1, 64, 0, 8000, 77]);
        check(1, &[5, 5]);
        check(8192, &[1, 8192, 3]);
    }

    #[test]
    fn one_channel_hears_the_mean_and_integers_are_rounded_to_their_range() {
        let mut mono = [9.0f32; 4];
        counting(3).fill(&mut mono, 1);
        assert_eq!(mono, [0.0; 4]);
        let mut integers = [7i16; 4];
        FixedBlock::new(2, 1, |block: &mut [&mut [f32]]| {
            block[0][0] = 0.5;
            block[1][0] = 2.0;
        })
        .fill(&mut integers, 4);
        assert_eq!(integers, [16_384, i16::MAX, 0, 0]);
    }
}
