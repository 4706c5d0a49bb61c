//! The plugin's audio ports over the engine's channels.

use clap_sys::audio_buffer::clap_audio_buffer;

use super::describe::PortLayout;

/// The ports of one direction: made once, pointed at the engine's memory at each quantum.
pub(super) struct PortBuffers {
    ports: Vec<clap_audio_buffer>,
    layout: Vec<PortLayout>,
    pointers: Vec<*mut f32>,
    /// For channels that the engine has not: silence in, waste out.
    scratch: Vec<f32>,
    /// Whether the plugin had it at the last quantum.
    needs_scratch: bool,
}

// SAFETY: the pointers are written before each use, by the one thread that has this exclusively.
unsafe impl Send for PortBuffers {}

impl PortBuffers {
    /// `[side B]`: allocates.
    pub fn new(layout: &[PortLayout], max_frames: usize) -> Self {
        let unused = clap_audio_buffer {
            data32: std::ptr::null_mut(),
            data64: std::ptr::null_mut(),
            channel_count: 0,
            latency: 0,
            constant_mask: 0,
        };
        let ports = layout.iter().map(|port| clap_audio_buffer { channel_count: port.channels, ..unused });
        let channels = layout.iter().map(|port| port.channels as usize).sum();
        PortBuffers {
            ports: ports.collect(),
            layout: layout.to_vec(),
            pointers: vec![std::ptr::null_mut(); channels],
            scratch: vec![0.0; max_frames],
            needs_scratch: false,
        }
    }

    /// Points the ports at the engine's channels: `channel` gives each by its place in the engine's flat order, `None`
    /// where there is none long enough; bit *n* of `constant` says that the engine's channel *n* holds one value.
    /// `[side A]`
    pub fn point(&mut self, constant: u64, mut channel: impl FnMut(usize) -> Option<*mut f32>) {
        if self.needs_scratch {
            // What a plugin wrote there at an earlier quantum must not come in as sound.
            self.scratch.fill(0.0);
            self.needs_scratch = false;
        }
        let scratch = self.scratch.as_mut_ptr();
        let base = self.pointers.as_mut_ptr();
        let (mut at, mut engine) = (0, 0);
        for (port, layout) in self.ports.iter_mut().zip(&self.layout) {
            port.constant_mask = 0;
            port.latency = 0;
            // SAFETY: `at` is the sum of the channels before, and the vector holds the sum of all.
            port.data32 = unsafe { base.add(at) };
            for of_port in 0..layout.channels as usize {
                let given = if layout.is_seen { channel(engine) } else { None };
                self.needs_scratch |= given.is_none();
                let is_constant = given.is_none() || (engine < 64 && constant >> engine & 1 == 1);
                if is_constant && of_port < 64 {
                    port.constant_mask |= 1 << of_port;
                }
                engine += usize::from(layout.is_seen);
                // SAFETY: as above: one place for each channel of each port.
                unsafe { base.add(at).write(given.unwrap_or(scratch)) };
                at += 1;
            }
        }
    }

    /// The ports, valid until the next [`PortBuffers::point`] and while the engine's memory is. `[side A]`
    pub fn ports(&mut self) -> &mut [clap_audio_buffer] {
        &mut self.ports
    }

    /// The engine's channels that the plugin says hold one value, as a mask. `[side A]`
    pub fn constant(&self) -> u64 {
        let (mut mask, mut engine) = (0, 0);
        for (port, layout) in self.ports.iter().zip(&self.layout).filter(|(_, layout)| layout.is_seen) {
            for of_port in 0..layout.channels as usize {
                if of_port < 64 && engine < 64 && port.constant_mask >> of_port & 1 == 1 {
                    mask |= 1 << engine;
                }
                engine += 1;
            }
        }
        mask
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_port_has_its_own_mask_and_unseen_ports_are_silent() {
        let port = |channels, is_seen| PortLayout { channels, is_seen };
        let layout = [port(2, true), port(0, false), port(3, false), port(2, true)];
        let mut buffers = PortBuffers::new(&layout, 8);
        let mut engine = [[1.0f32; 8]; 4];
        // The engine's channels 1 and 2: the second of the first port and the first of the last.
        let pointers: Vec<_> = engine.iter_mut().map(|it| it.as_mut_ptr()).collect();
        buffers.point(0b0110, |at| pointers.get(at).copied());
        let ports = buffers.ports();
        let masks: Vec<_> = ports.iter().map(|port| port.constant_mask).collect();
        assert_eq!(masks, [0b10, 0, 0b111, 0b01]);
        // SAFETY: the pointers are those given, or the scratch of `buffers`, which lives.
        let first = |port: usize, at: usize| unsafe { **ports[port].data32.add(at) };
        assert_eq!((first(0, 1), first(2, 2), first(3, 1)), (1.0, 0.0, 1.0));
        assert_eq!(buffers.constant(), 0b0110);
        buffers.point(0, |_| None);
        assert_eq!(buffers.constant(), 0b1111, "the control: nothing given is silence");
    }
}
