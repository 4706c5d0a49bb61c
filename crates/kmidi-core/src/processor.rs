use crate::audio::AudioPorts;
use crate::event::{EventBuffer, TimedEvent};
use crate::sysex::SysExPool;
use crate::transport::Transport;

/// Everything a node sees of one quantum. `[side A]`
pub struct ProcessContext<'a> {
    /// Length of the quantum; the same at every call until [`Processor::reset`].
    pub frames: u32,
    /// The song, as this node should see it.
    pub transport: &'a Transport,
    /// Audio in and out.
    pub audio: AudioPorts<'a>,
    /// Events for this node, in time order, all before `frames`.
    pub events_in: &'a [TimedEvent],
    /// Events this node sends; emptied by the engine beforehand.
    pub events_out: &'a mut EventBuffer,
    /// Where [`Event::SysEx`](crate::Event::SysEx) handles are read (and written).
    pub sysex: &'a mut SysExPool,
}

/// What a node says after a quantum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessStatus {
    /// There is or may be sound: call again.
    Continue,
    /// Silent until an event or a non-silent input arrives: need not be called before that.
    Sleep,
}

/// The audio half of a node. Made and dropped on side B, called on side A.
pub trait Processor: Send {
    /// Renders one quantum. `[side A]`: must not allocate, free, lock, wait, log or make a system call.
    fn process(&mut self, cx: &mut ProcessContext<'_>) -> ProcessStatus;

    /// Forgets all sound and state of time (tails, voices, envelopes), keeps parameters. `[side A]`
    fn reset(&mut self);
}

/// What a node is from outside; constant while it is in a schedule. By default it has no ports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeInfo {
    /// Name shown to people.
    pub name: String,
    /// Channels of each audio input port.
    pub audio_inputs: Vec<u16>,
    /// Channels of each audio output port.
    pub audio_outputs: Vec<u16>,
    /// Event input ports.
    pub event_inputs: u16,
    /// Event output ports.
    pub event_outputs: u16,
    /// Frames by which its output lags its input.
    pub latency_frames: u32,
    /// Frames of sound after its input has ended; `u32::MAX` if unbounded.
    pub tail_frames: u32,
}
