use kmidi_core::limits::{MAX_CALLBACK_FRAMES, MAX_DEVICE_CHANNELS};
use kmidi_core::{DeviceCallback, DeviceIo, MidiBuffer};

use arrayvec::ArrayVec;

use crate::stream::{MIDI_BYTES, MIDI_MESSAGES};

/// Calls a [`DeviceCallback`] as fast as it can answer, with callbacks of any length. `[side B]`
///
/// It is what `render` uses in place of a device; nothing of it depends on time.
pub struct Offline {
    inputs: Vec<Box<[f32]>>,
    outputs: Vec<Box<[f32]>>,
    midi_in: MidiBuffer,
    midi_out: MidiBuffer,
}

/// What one callback gave.
pub struct Block<'a> {
    /// One slice per output channel.
    pub channels: ArrayVec<&'a [f32], MAX_DEVICE_CHANNELS>,
    /// MIDI that was sent.
    pub midi_out: &'a MidiBuffer,
}

impl Offline {
    /// A driver with `channels_out` output channels and no input.
    ///
    /// # Panics
    /// If there are more than [`MAX_DEVICE_CHANNELS`].
    pub fn new(channels_out: usize) -> Self {
        Self::duplex(0, channels_out)
    }

    /// A driver with input and output channels; the input is silent until it is [written](Self::inputs).
    ///
    /// # Panics
    /// If there are more than [`MAX_DEVICE_CHANNELS`] of either.
    pub fn duplex(channels_in: usize, channels_out: usize) -> Self {
        assert!(channels_in.max(channels_out) <= MAX_DEVICE_CHANNELS);
        let channels =
            |count| (0..count).map(|_| vec![0.0; MAX_CALLBACK_FRAMES].into_boxed_slice()).collect();
        Offline {
            inputs: channels(channels_in),
            outputs: channels(channels_out),
            midi_in: MidiBuffer::new(0, 0),
            midi_out: MidiBuffer::new(MIDI_MESSAGES, MIDI_BYTES),
        }
    }

    /// The first `frames` frames of each input channel, to be written before the callback that takes them.
    ///
    /// # Panics
    /// If `frames` is more than [`MAX_CALLBACK_FRAMES`].
    pub fn inputs(&mut self, frames: usize) -> ArrayVec<&mut [f32], MAX_DEVICE_CHANNELS> {
        self.inputs.iter_mut().map(|channel| &mut channel[..frames]).collect()
    }

    /// One callback of `frames` frames.
    ///
    /// # Panics
    /// If `frames` is 0 or more than [`MAX_CALLBACK_FRAMES`].
    pub fn run(&mut self, callback: &mut dyn DeviceCallback, frames: usize) -> Block<'_> {
        assert!((1..=MAX_CALLBACK_FRAMES).contains(&frames));
        self.midi_out.clear();
        let mut outputs: ArrayVec<&mut [f32], MAX_DEVICE_CHANNELS> =
            self.outputs.iter_mut().map(|channel| &mut channel[..frames]).collect();
        let inputs: ArrayVec<&[f32], MAX_DEVICE_CHANNELS> =
            self.inputs.iter().map(|channel| &channel[..frames]).collect();
        callback.process(&mut DeviceIo {
            frames,
            inputs: &inputs,
            outputs: &mut outputs,
            midi_in: &self.midi_in,
            midi_out: &mut self.midi_out,
        });
        drop(outputs);
        Block {
            channels: self.outputs.iter().map(|channel| &channel[..frames]).collect(),
            midi_out: &self.midi_out,
        }
    }

    /// Runs `frames` frames in callbacks of the lengths that `sizes` gives (the last is cut to fit)
    /// and hands each block to `sink`, whose first error ends it.
    ///
    /// # Errors
    /// Those of `sink`.
    ///
    /// # Panics
    /// As [`Offline::run`]; if `sizes` ends too early.
    pub fn render<E>(
        &mut self,
        callback: &mut dyn DeviceCallback,
        sizes: &mut dyn Iterator<Item = usize>,
        frames: u64,
        mut sink: impl FnMut(Block<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut left = frames;
        while left > 0 {
            let size = sizes
                .next()
                .expect("callback sizes do not end")
                .min(usize::try_from(left).unwrap_or(usize::MAX));
            sink(self.run(callback, size))?;
            left -= size as u64;
        }
        Ok(())
    }
}

/// An endless sequence of callback lengths.
#[derive(Debug, Clone)]
pub enum CallbackSizes {
    /// Always the same.
    Constant(usize),
    /// Anything from 1 to [`MAX_CALLBACK_FRAMES`], short ones more often; the number is the seed.
    Random(u64),
}

impl Iterator for CallbackSizes {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        Some(match self {
            CallbackSizes::Constant(frames) => *frames,
            CallbackSizes::Random(state) => {
                // SplitMix64: good enough for sizes, and any seed will do.
                *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mut draw = *state;
                draw = (draw ^ (draw >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                draw = (draw ^ (draw >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                draw ^= draw >> 31;
                // The number of bits is drawn first: as many callbacks of 1 to 16 as of 512 to 8192.
                let bits = 1 + (draw >> 32) % u64::from(MAX_CALLBACK_FRAMES.ilog2());
                1 + (draw & ((1 << bits) - 1)) as usize
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers its frames: what a callback gives then shows where it began.
    struct Count(u64);

    impl DeviceCallback for Count {
        fn process(&mut self, io: &mut DeviceIo<'_, '_>) {
            for channel in io.outputs.iter_mut() {
                for (frame, sample) in channel.iter_mut().enumerate() {
                    *sample = (self.0 + frame as u64) as f32;
                }
            }
            self.0 += io.frames as u64;
        }
    }

    #[test]
    fn every_frame_comes_once_whatever_the_callback_sizes() {
        for sizes in [CallbackSizes::Constant(1), CallbackSizes::Constant(441), CallbackSizes::Random(7)] {
            let mut out = Vec::new();
            let mut sizes = sizes;
            let sink = |block: Block<'_>| -> Result<(), ()> {
                out.extend_from_slice(block.channels[1]);
                Ok(())
            };
            Offline::new(2).render(&mut Count(0), &mut sizes, 20_000, sink).unwrap();
            assert!(out.len() == 20_000 && out.iter().enumerate().all(|(frame, &it)| it == frame as f32));
        }
    }

    #[test]
    fn random_sizes_reach_both_ends_and_repeat() {
        let sizes: Vec<usize> = CallbackSizes::Random(1).take(100_000).collect();
        assert_eq!((sizes.iter().min(), sizes.iter().max()), (Some(&1), Some(&MAX_CALLBACK_FRAMES)));
        assert!(CallbackSizes::Random(1).take(100_000).eq(sizes));
    }
}
