//! Where the sound that goes past a plugin and the sound that comes out of it meet.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use kmidi_core::{NodeInfo, ProcessContext, ProcessStatus, Processor, peak};

/// Channels of each of its ports.
const CHANNELS: usize = 2;
/// Under this a plugin is silent: -96 dBFS, half a step of 16 bits.
const SILENCE: f32 = 1.0 / 65_536.0;

/// For how long the plugin in front of a [`Junction`] has been silent.
#[derive(Clone)]
pub struct Quiet(Arc<AtomicU32>);

impl Quiet {
    /// Frames, not more than `u32::MAX`.
    pub fn frames(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Adds two stereo inputs, the dry sound and the wet one, and counts how long the wet one has been silent:
/// so side B knows when a tail has died away. Bits pass where the other input is silent.
pub struct Junction {
    quiet: Arc<AtomicU32>,
}

impl Junction {
    /// The input port that is only added.
    pub const DRY: u16 = 0;
    /// The input port that is listened to.
    pub const WET: u16 = 1;

    /// `[side B]`
    #[allow(clippy::disallowed_methods, reason = "side B")]
    pub fn new() -> (Self, Quiet) {
        let quiet = Arc::new(AtomicU32::new(0));
        (Junction { quiet: quiet.clone() }, Quiet(quiet))
    }

    /// What the graph must know of it. `[side B]`
    #[allow(clippy::disallowed_macros, reason = "side B")]
    pub fn info(name: String) -> NodeInfo {
        let channels = CHANNELS as u16;
        NodeInfo {
            name,
            audio_inputs: vec![channels, channels],
            audio_outputs: vec![channels],
            ..NodeInfo::default()
        }
    }

    /// `[side A]`
    fn listen(&self, wet: &[&[f32]], is_silent: bool, frames: u32) {
        let is_quiet = is_silent || wet.iter().all(|channel| peak(channel) < SILENCE);
        let before = self.quiet.load(Ordering::Relaxed);
        self.quiet.store(if is_quiet { before.saturating_add(frames) } else { 0 }, Ordering::Relaxed);
    }
}

impl Processor for Junction {
    fn process(&mut self, cx: &mut ProcessContext<'_>) -> ProcessStatus {
        let (inputs, silent) = (cx.audio.inputs, cx.audio.silent_inputs);
        let is_silent = |channel: usize| silent >> channel & 1 == 1;
        let wet_is_silent = (CHANNELS..2 * CHANNELS).all(is_silent);
        self.listen(&inputs[CHANNELS..], wet_is_silent, cx.frames);
        for (channel, out) in cx.audio.outputs.iter_mut().enumerate() {
            let (dry, wet) = (inputs[channel], inputs[CHANNELS + channel]);
            match (is_silent(channel), is_silent(CHANNELS + channel)) {
                (true, true) => {
                    out.fill(0.0);
                    cx.audio.silent_outputs |= 1 << channel;
                }
                (true, false) => out.copy_from_slice(wet),
                (false, true) => out.copy_from_slice(dry),
                (false, false) => {
                    let both = dry.iter().zip(wet);
                    out.iter_mut().zip(both).for_each(|(out, (dry, wet))| *out = dry + wet);
                }
            }
        }
        ProcessStatus::Continue
    }

    fn reset(&mut self) {}
}

#[cfg(test)]
mod tests {
    use kmidi_core::{AudioBuffer, AudioPorts, EventBuffer, SysExPool, Transport};

    use super::*;

    /// One quantum of four frames; the outputs and which of them are told to be silent.
    fn run(junction: &mut Junction, inputs: [[f32; 4]; 4], silent_inputs: u64) -> ([[f32; 4]; 2], u64) {
        let inputs: Vec<&[f32]> = inputs.iter().map(<[f32; 4]>::as_slice).collect();
        let mut outputs = [AudioBuffer::silent(4), AudioBuffer::silent(4)];
        let mut cx = ProcessContext {
            frames: 4,
            transport: &Transport::default(),
            audio: AudioPorts { inputs: &inputs, outputs: &mut outputs, silent_inputs, silent_outputs: 0 },
            events_in: &[],
            events_out: &mut EventBuffer::with_capacity(0),
            sysex: &mut SysExPool::new(),
        };
        junction.process(&mut cx);
        let silent = cx.audio.silent_outputs;
        (outputs.map(|output| output[..].try_into().unwrap()), silent)
    }

    #[test]
    fn bits_pass_where_the_other_side_is_silent_and_both_are_added_else() {
        let (mut junction, _) = Junction::new();
        let (dry, wet) = ([-0.0, 0.1, -0.2, 1e-40], [0.25; 4]);
        let (out, silent) = run(&mut junction, [dry, dry, wet, wet], 0b1100);
        let bits = |samples: [f32; 4]| samples.map(f32::to_bits);
        assert_eq!((bits(out[0]), bits(out[1]), silent), (bits(dry), bits(dry), 0));
        let (out, silent) = run(&mut junction, [dry, wet, wet, wet], 0b0001);
        assert_eq!((out[0], out[1], silent), (wet, [0.5; 4], 0));
        let (out, silent) = run(&mut junction, [dry, dry, wet, wet], 0b1111);
        assert_eq!((out, silent), ([[0.0; 4]; 2], 0b11));
    }

    #[test]
    fn how_long_the_wet_side_has_been_silent_is_known() {
        let (mut junction, quiet) = Junction::new();
        let (loud, low) = ([0.5; 4], [1e-6; 4]);
        run(&mut junction, [loud, loud, low, low], 0);
        run(&mut junction, [loud, loud, loud, loud], 0b1100);
        assert_eq!(quiet.frames(), 8, "the dry side does not count");
        run(&mut junction, [low, low, low, loud], 0);
        assert_eq!(quiet.frames(), 0);
    }
}
