//! The buffers of one direction's buses as a plugin gets them. All `[side A]` except what makes them.

use ::vst3::Steinberg::Vst::{AudioBusBuffers, AudioBusBuffers__type0};
use kmidi_core::AudioBuffer;

use super::layout::Bus;

/// Marks a channel that the graph does not see.
const NOWHERE: u16 = u16::MAX;

/// Where a bus lies among the pointers, and among the channels of the node.
struct Place {
    first: usize,
    channels: usize,
    /// Its first channel in the node; none if the graph does not see it.
    node_channel: Option<usize>,
}

/// Buses, pointers to their channels, and a buffer for channels that the graph does not see.
pub struct BusBuffers {
    buses: Box<[AudioBusBuffers]>,
    places: Box<[Place]>,
    pointers: Box<[*mut f32]>,
    /// For each pointer the channel of the node.
    node_channels: Box<[u16]>,
    spare: Box<[f32]>,
    needs_spare: bool,
}

impl BusBuffers {
    /// For quanta of at most `frames`. `[side B]`
    pub fn new(buses: &[Bus], frames: usize) -> Self {
        let mut places = Vec::new();
        let mut node_channels = Vec::new();
        let mut next = 0;
        for bus in buses {
            let channels = usize::from(bus.port.channels);
            places.push(Place {
                first: node_channels.len(),
                channels,
                node_channel: bus.is_port.then_some(next),
            });
            for channel in 0..bus.room {
                let is_seen = bus.is_port && channel < channels;
                node_channels.push(if is_seen { (next + channel) as u16 } else { NOWHERE });
            }
            if bus.is_port {
                next += channels;
            }
        }
        let blank = |place: &Place| AudioBusBuffers {
            numChannels: place.channels as i32,
            silenceFlags: 0,
            __field0: AudioBusBuffers__type0 { channelBuffers32: std::ptr::null_mut() },
        };
        BusBuffers {
            buses: places.iter().map(blank).collect(),
            places: places.into_boxed_slice(),
            pointers: vec![std::ptr::null_mut(); node_channels.len()].into_boxed_slice(),
            needs_spare: node_channels.contains(&NOWHERE),
            node_channels: node_channels.into_boxed_slice(),
            spare: vec![0.0; frames].into_boxed_slice(),
        }
    }

    /// Points to the inputs of a quantum; a channel that is missing or too short is given silence.
    pub fn point_to_inputs(&mut self, inputs: &[&[f32]], silent: u64, frames: usize) {
        if self.needs_spare || inputs.len() < self.pointers.len() {
            self.spare.fill(0.0);
        }
        let spare = self.spare.as_mut_ptr();
        for (pointer, &channel) in self.pointers.iter_mut().zip(&self.node_channels) {
            let input = inputs.get(usize::from(channel)).filter(|input| input.len() >= frames);
            *pointer = input.map_or(spare, |input| input.as_ptr().cast_mut());
        }
        self.point_buses();
        for (bus, place) in self.buses.iter_mut().zip(&self.places) {
            bus.silenceFlags = match place.node_channel {
                Some(first) => silent >> first.min(63) & mask(place.channels),
                None => mask(place.channels),
            };
        }
    }

    /// Points to the outputs of a quantum; a channel that is missing or too short is written nowhere.
    pub fn point_to_outputs(&mut self, outputs: &mut [AudioBuffer], frames: usize) {
        let spare = self.spare.as_mut_ptr();
        for (pointer, &channel) in self.pointers.iter_mut().zip(&self.node_channels) {
            let output = outputs.get_mut(usize::from(channel)).filter(|output| output.len() >= frames);
            *pointer = output.map_or(spare, |output| output.as_mut_ptr());
        }
        self.point_buses();
        for bus in &mut self.buses {
            bus.silenceFlags = 0;
        }
    }

    fn point_buses(&mut self) {
        let pointers = self.pointers.as_mut_ptr();
        for (bus, place) in self.buses.iter_mut().zip(&self.places) {
            // The first of no channels is at most one behind the end, and is not read.
            bus.__field0 = AudioBusBuffers__type0 { channelBuffers32: pointers.wrapping_add(place.first) };
        }
    }

    /// The buses for the plugin: how many, and where. Valid until `self` is moved or borrowed again.
    pub fn as_raw(&mut self) -> (i32, *mut AudioBusBuffers) {
        (self.buses.len() as i32, self.buses.as_mut_ptr())
    }

    /// Channels of the node that the plugin says it left silent.
    pub fn silent_channels(&self) -> u64 {
        let buses = self.buses.iter().zip(&self.places);
        buses.fold(0, |silent, (bus, place)| match place.node_channel {
            Some(first) if first < 64 => silent | (bus.silenceFlags & mask(place.channels)) << first,
            _ => silent,
        })
    }
}

fn mask(channels: usize) -> u64 {
    if channels >= 64 { u64::MAX } else { (1 << channels) - 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AudioPort, PortRole};

    fn bus(channels: u16, room: usize, is_port: bool) -> Bus {
        let port = AudioPort { name: String::new(), channels, role: PortRole::Main };
        Bus { port, room, is_port }
    }

    #[test]
    fn every_bus_points_to_its_own_channels_and_hidden_ones_to_the_spare_buffer() {
        let mut buffers =
            BusBuffers::new(&[bus(2, 2, true), bus(0, 0, false), bus(2, 2, false), bus(1, 3, true)], 8);
        let channels = [[1.0; 8], [2.0; 8], [3.0; 8]];
        let inputs: Vec<&[f32]> = channels.iter().map(|it| it.as_slice()).collect();
        buffers.point_to_inputs(&inputs, 0b110, 8);
        let (count, raw) = buffers.as_raw();
        let read = |bus: usize, channel: usize| {
            // SAFETY: every bus has a pointer for each channel of its room, each to eight samples.
            unsafe { **(*raw.add(bus)).__field0.channelBuffers32.add(channel) }
        };
        assert_eq!(count, 4);
        assert_eq!(
            [read(0, 0), read(0, 1), read(2, 0), read(2, 1), read(3, 0), read(3, 2)],
            [1., 2., 0., 0., 3., 0.]
        );
        // SAFETY: there are four buses.
        let flags: Vec<u64> = (0..4).map(|at| unsafe { (*raw.add(at)).silenceFlags }).collect();
        assert_eq!(flags, [0b10, 0, 0b11, 0b1]);
    }

    #[test]
    fn missing_or_short_channels_of_the_graph_are_no_way_out_of_the_buffers() {
        let mut buffers = BusBuffers::new(&[bus(3, 3, true)], 8);
        let mut outputs = [AudioBuffer::silent(8), AudioBuffer::silent(4)];
        buffers.point_to_outputs(&mut outputs, 8);
        let spare = buffers.spare.as_mut_ptr();
        assert_eq!(buffers.pointers[1..], [spare, spare]);
        assert_eq!(buffers.pointers[0], outputs[0].as_mut_ptr());
        buffers.point_to_inputs(&[], 0, 8);
        assert!(buffers.pointers.iter().all(|&pointer| pointer == spare));
    }

    #[test]
    fn silence_flags_beyond_the_channels_of_a_bus_are_not_believed() {
        let mut buffers = BusBuffers::new(&[bus(1, 1, true), bus(2, 2, true)], 8);
        buffers.buses[0].silenceFlags = u64::MAX;
        assert_eq!(buffers.silent_channels(), 0b001);
        buffers.buses[0].silenceFlags = 0;
        buffers.buses[1].silenceFlags = u64::MAX << 1;
        assert_eq!(buffers.silent_channels(), 0b100);
    }
}
