use std::ops::Range;

use kmidi_core::{AudioBuffer, Event, EventBuffer, SysExPool};

use crate::check::{Checker, ScheduleFault};
use crate::edge::{AudioEdge, EventEdge};
use crate::execute::Machine;
use crate::history::TransportHistory;
use crate::nodes::NodeTable;
use crate::report::Reports;
use crate::told::Told;

/// One quantum of everything outside the graph. `[side A]`
pub struct Quantum<'a> {
    /// Length of the quantum: the schedule's own.
    pub frames: u32,
    /// The song's transport, now and as far back as a node can lag.
    pub transport: &'a TransportHistory,
    /// The song's events, a buffer for each MIDI port.
    pub sequencer: &'a [EventBuffer],
    /// Events played live.
    pub live_in: &'a EventBuffer,
    /// Captured channels.
    pub device_in: &'a [AudioBuffer],
    /// Channels for the device; every sample is written.
    pub device_out: &'a mut [AudioBuffer],
    /// Events for the MIDI output; emptied by the caller. Their port is the MIDI port.
    pub midi_out: &'a mut EventBuffer,
    /// SysEx bytes of all events.
    pub sysex: &'a mut SysExPool,
    /// What side B should know.
    pub reports: &'a mut Reports,
}

/// Where the events of an edge come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventSource {
    /// A MIDI port of the song.
    Sequencer {
        /// MIDI port.
        port: u16,
    },
    /// What is played live.
    LiveIn,
    /// Those events in an event buffer that a node has sent from this port.
    Node {
        /// Event buffer.
        buffer: u32,
        /// The node's event output port.
        port: u16,
    },
}

/// One step of a schedule. Numbers are indices of audio buffers, event buffers and edges; ranges of
/// channels are ranges of [`ScheduleSpec::lists`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Silences an audio buffer.
    Clear {
        /// Audio buffer.
        to: u32,
    },
    /// Writes a channel with the gain of an edge.
    Copy(Mix),
    /// Adds a channel with the gain of an edge.
    Add(Mix),
    /// Sends a channel through the delay line of an edge.
    Delay {
        /// Audio edge.
        edge: u32,
        /// Audio buffer read.
        from: u32,
        /// Audio buffer written.
        to: u32,
    },
    /// Reads a captured channel (silence if the device has fewer).
    DeviceIn {
        /// Device channel.
        channel: u32,
        /// Audio buffer written.
        to: u32,
    },
    /// Sends the events of an edge into its delay.
    DelayEvents {
        /// Event edge.
        edge: u32,
    },
    /// Merges, in time order, the events that a node receives: what it is owed, changes of
    /// parameters, and those of all its edges.
    MergeEvents {
        /// The node.
        slot: u16,
        /// Event edges.
        edges: Range<u32>,
        /// Event buffer written.
        to: u32,
    },
    /// Runs a node.
    Process(ProcessStep),
    /// Gives channels to the device, with master gain and ceiling.
    Output {
        /// Channels.
        inputs: Range<u32>,
    },
    /// Merges events into the MIDI output.
    MidiOut {
        /// Event edges.
        edges: Range<u32>,
    },
}

/// See [`Step::Copy`] and [`Step::Add`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mix {
    /// Audio edge, for its gain.
    pub edge: u32,
    /// Audio buffer read.
    pub from: u32,
    /// Audio buffer written.
    pub to: u32,
}

/// See [`Step::Process`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessStep {
    /// The node.
    pub slot: u16,
    /// Input channels.
    pub inputs: Range<u32>,
    /// Output channels.
    pub outputs: Range<u32>,
    /// Event buffer it reads.
    pub events_in: u32,
    /// Event buffer it writes, if it sends events.
    pub events_out: Option<u32>,
    /// Frames by which the song at the node's input lags the sequencer.
    pub behind_frames: u32,
}

/// An audio edge to make: one channel to one channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AudioEdgeSpec {
    /// Linear.
    pub gain: f32,
    /// Length of its delay line, if it has one.
    pub delay_frames: Option<u32>,
}

/// Which MIDI channels an event edge lets through, a bit for each. What ends a note or lifts a pedal that the
/// edge has let through passes always, and what concerns no channel does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChannelFilter {
    /// Channels whose notes begin.
    pub notes: u16,
    /// Channels of all else: controllers, programs, bends, pressure.
    pub controls: u16,
}

impl ChannelFilter {
    /// Lets everything through.
    pub const ALL: Self = ChannelFilter { notes: u16::MAX, controls: u16::MAX };

    /// Lets these channels through and nothing of the others.
    pub const fn only(channels: u16) -> Self {
        ChannelFilter { notes: channels, controls: channels }
    }

    /// Whether nothing begins behind it.
    pub const fn is_empty(&self) -> bool {
        self.notes | self.controls == 0
    }

    /// Whether an event passes that ends nothing. `[side A]`
    pub(crate) fn passes(&self, event: &Event) -> bool {
        let Some(channel) = event.channel() else { return true };
        let is_of_note =
            matches!(event, Event::NoteOn { .. } | Event::NoteOff { .. } | Event::PolyPressure { .. });
        let channels = if is_of_note { self.notes } else { self.controls };
        channels >> channel & 1 == 1
    }
}

impl std::ops::BitAnd<u16> for ChannelFilter {
    type Output = Self;

    /// Of what it lets through, these channels.
    fn bitand(self, channels: u16) -> Self {
        ChannelFilter { notes: self.notes & channels, controls: self.controls & channels }
    }
}

/// An event edge to make.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EventEdgeSpec {
    /// Where its events come from.
    pub source: EventSource,
    /// What of them it lets through.
    pub filter: ChannelFilter,
    /// The receiver's event input port.
    pub port: u16,
    /// Length of its delay, if it has one.
    pub delay_frames: Option<u32>,
}

/// What a [`Schedule`] is made of.
#[derive(Clone, Debug, Default)]
pub struct ScheduleSpec {
    /// Sample rate in Hz.
    pub sample_rate_hz: u32,
    /// Length of the quantum in frames.
    pub quantum_frames: u32,
    /// Number of audio buffers.
    pub audio_buffers: u32,
    /// Number of event buffers.
    pub event_buffers: u32,
    /// In the order of execution.
    pub steps: Vec<Step>,
    /// Lists of audio buffers, all in one.
    pub lists: Vec<u32>,
    /// Audio edges.
    pub audio_edges: Vec<AudioEdgeSpec>,
    /// Event edges.
    pub event_edges: Vec<EventEdgeSpec>,
    /// Counts the compiles of one engine, from 1 on.
    pub generation: u64,
}

/// The graph as a flat list of steps, with all the buffers, delay lines and edge ledgers that they
/// need. Made on side B, run on side A.
pub struct Schedule {
    pub(crate) steps: Box<[Step]>,
    pub(crate) machine: Machine,
    checker: Checker,
    pub(crate) generation: u64,
}

impl Schedule {
    /// `[side B]` A schedule of nothing: silence.
    pub fn empty(quantum_frames: u32, sample_rate_hz: u32) -> Self {
        let spec = ScheduleSpec { quantum_frames, sample_rate_hz, ..ScheduleSpec::default() };
        Self::build(&spec)
    }

    /// `[side B]` Makes a schedule, all its memory included.
    ///
    /// # Errors
    /// [`ScheduleFault`] if a step reads what no step has written, or uses an index that is not there:
    /// a defect of the compiler.
    pub fn new(spec: &ScheduleSpec) -> Result<Self, ScheduleFault> {
        let mut schedule = Self::build(spec);
        schedule.check()?;
        Ok(schedule)
    }

    fn build(spec: &ScheduleSpec) -> Self {
        Schedule {
            steps: spec.steps.iter().cloned().collect(),
            machine: Machine::new(spec),
            checker: Checker::new(spec),
            generation: spec.generation,
        }
    }

    /// Holds the steps against what they use: again on side A, in debug builds, when it adopts.
    pub(crate) fn check(&mut self) -> Result<(), ScheduleFault> {
        self.checker.check(&self.steps, &self.machine)
    }

    /// `[side A]` Runs one quantum.
    pub fn process(&mut self, nodes: &mut NodeTable, quantum: &mut Quantum<'_>) {
        let Schedule { steps, machine, .. } = self;
        machine.begin(quantum);
        for step in steps.iter() {
            match step {
                Step::Clear { to } => machine.clear(*to),
                Step::Copy(mix) => machine.copy(mix),
                Step::Add(mix) => machine.add(mix),
                Step::Delay { edge, from, to } => machine.delay(*edge, *from, *to),
                Step::DeviceIn { channel, to } => machine.device_in(*channel, *to, quantum),
                Step::DelayEvents { edge } => machine.delay_events(*edge, quantum),
                Step::MergeEvents { slot, edges, to } => {
                    machine.merge_events(*slot, edges, *to, nodes, quantum)
                }
                Step::Process(step) => machine.run_node(step, nodes, quantum),
                Step::Output { inputs } => machine.output(inputs, quantum),
                Step::MidiOut { edges } => machine.midi_out(edges, nodes, quantum),
            }
        }
        machine.end(quantum);
    }

    /// `[side A]` Level of the output, linear; reached smoothly. Survives recompiles.
    pub fn set_master_gain(&mut self, gain: f32) {
        self.machine.master.gain.set_target(gain.clamp(0.0, 1000.0));
    }

    /// `[side A]` As [`Schedule::set_master_gain`], but at once.
    pub fn begin_master_gain(&mut self, gain: f32) {
        self.set_master_gain(gain);
        let target = self.machine.master.gain.target();
        self.machine.master.gain.jump(target);
    }

    /// Whether no sample exceeds full scale. Survives recompiles.
    pub fn set_ceiling(&mut self, has_ceiling: bool) {
        self.machine.master.has_ceiling = has_ceiling;
    }

    /// Frames of output that the master ceiling has lowered since the engine began.
    pub fn ceiling_frames(&self) -> u64 {
        self.machine.master.lowered_frames
    }

    /// The highest sample of the output before the master ceiling lowered it; 0 where it never did.
    pub fn ceiling_peak(&self) -> f32 {
        self.machine.master.met_peak
    }

    /// Events that found a buffer or a delay of this schedule full; the next schedule counts from 0.
    pub fn dropped_events(&self) -> u64 {
        self.machine.dropped()
    }

    /// `[side A]` It has just been adopted: who begins to listen is told what the song has told so far.
    pub(crate) fn join(&mut self, told: &[Told]) {
        self.machine.event_edges.iter_mut().for_each(|edge| edge.join(told));
    }

    pub(crate) fn audio_edges(&mut self) -> &mut [AudioEdge] {
        &mut self.machine.audio_edges
    }

    pub(crate) fn event_edges(&mut self) -> &mut [EventEdge] {
        &mut self.machine.event_edges
    }
}
