use kmidi_core::limits::{MAX_EVENTS_PER_QUANTUM, MAX_NODE_CHANNELS};
use kmidi_core::{
    AudioBuffer, AudioPorts, Event, EventBuffer, ProcessContext, ProcessStatus, Ramp, SysExPool, TimedEvent,
    Transport,
};

use crate::delay::{AudioDelay, EventDelay};
use crate::guard::Verdict;
use crate::history::TransportHistory;
use crate::ledger::EdgeLedger;
use crate::nodes::{NodeEntry, NodeTable};
use crate::report::{Report, Reports};

/// Where the events of an edge come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventSource {
    /// A MIDI port of the song.
    Sequencer {
        /// Below [`MAX_MIDI_PORTS`](kmidi_core::limits::MAX_MIDI_PORTS).
        port: u16,
    },
    /// Live MIDI.
    Live,
    /// An event output port of a node.
    Outbox {
        /// Index of the node's outbox.
        outbox: u16,
        /// The node's port.
        port: u16,
    },
}

/// A run of the schedule's index table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// First entry.
    pub start: u16,
    /// Entries.
    pub len: u16,
}

impl Run {
    /// The entries of `table`.
    pub fn of(self, table: &[u16]) -> &[u16] {
        &table[usize::from(self.start)..usize::from(self.start + self.len)]
    }
}

/// One instruction of a schedule. All numbers are indices of the schedule's tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Silence to a buffer.
    Clear {
        /// Audio buffer.
        dst: u16,
    },
    /// A buffer, times the edge's gain, to another.
    Copy {
        /// Audio buffer.
        src: u16,
        /// Audio buffer, not `src`.
        dst: u16,
        /// Edge gain.
        gain: u16,
    },
    /// The same, added to what is there.
    Add {
        /// Audio buffer.
        src: u16,
        /// Audio buffer, not `src`.
        dst: u16,
        /// Edge gain.
        gain: u16,
    },
    /// A buffer, delayed, to another.
    Delay {
        /// Delay line.
        line: u16,
        /// Audio buffer.
        src: u16,
        /// Audio buffer, not `src`.
        dst: u16,
    },
    /// A captured channel of the device to a buffer.
    ReadDevice {
        /// Device channel.
        channel: u16,
        /// Audio buffer.
        dst: u16,
    },
    /// A buffer, times the master gain and under the ceiling, to a channel of the device.
    WriteDevice {
        /// Audio buffer.
        src: u16,
        /// Device channel.
        channel: u16,
    },
    /// Events of one edge into the inbox of their receiver.
    Deliver {
        /// Where from.
        source: EventSource,
        /// Ledger of the edge.
        ledger: u16,
        /// Event delay of the edge, if it has one.
        delay: Option<u16>,
        /// Receiving inbox.
        inbox: u16,
        /// The receiver's port.
        port: u16,
    },
    /// Runs a node.
    Process {
        /// Node slot.
        slot: u16,
        /// Its input buffers in the index table.
        inputs: Run,
        /// Its output buffers in the index table.
        outputs: Run,
        /// Its inbox.
        inbox: u16,
        /// Its outbox, if it sends events.
        outbox: Option<u16>,
        /// Latency it is behind, in frames.
        behind_frames: u32,
    },
    /// An inbox to the device's MIDI output.
    SendMidi {
        /// Inbox.
        inbox: u16,
    },
}

/// What [`Schedule::process`] works with for one quantum.
pub struct Quantum<'a> {
    /// Length of the quantum in frames.
    pub frames: u32,
    /// The song now and as nodes behind latency see it.
    pub transport: &'a TransportHistory,
    /// Events of the song, one buffer per MIDI port.
    pub sequencer: &'a [EventBuffer],
    /// Live MIDI.
    pub live_in: &'a EventBuffer,
    /// Captured audio.
    pub device_in: &'a [AudioBuffer],
    /// Audio for the device; every sample is written.
    pub device_out: &'a mut [AudioBuffer],
    /// MIDI for the device; emptied by the caller.
    pub midi_out: &'a mut EventBuffer,
    /// SysEx bytes.
    pub sysex: &'a mut SysExPool,
    /// Where guard trips are told.
    pub reports: &'a mut Reports,
}

/// How large a schedule's tables are; side B fills it in.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// Buffers of the nodes' inputs and outputs.
    pub indices: Vec<u16>,
    /// Audio buffers.
    pub buffers: u16,
    /// Frames of each audio delay line.
    pub delays: Vec<u32>,
    /// Frames of each event delay.
    pub event_delays: Vec<u32>,
    /// `(value at the start, target)` of each edge gain.
    pub gains: Vec<(f32, f32)>,
    /// Event edges.
    pub ledgers: u16,
    /// For each inbox, whether an event edge ends there (otherwise it takes parameters only).
    pub inboxes: Vec<bool>,
    /// Nodes that send events.
    pub outboxes: u16,
}

/// A compiled graph: flat steps over buffers that are all there. `[side A]` but for its making.
///
/// Safe Rust throughout: the output buffers of a step are swapped out of the pool while its inputs
/// are borrowed from it.
pub struct Schedule {
    steps: Box<[Step]>,
    indices: Box<[u16]>,
    buffers: Box<[AudioBuffer]>,
    silent: Box<[bool]>,
    scratch: Box<[AudioBuffer]>,
    pub(crate) delays: Box<[AudioDelay]>,
    pub(crate) event_delays: Box<[EventDelay]>,
    pub(crate) gains: Box<[Ramp]>,
    pub(crate) ledgers: Box<[EdgeLedger]>,
    pub(crate) inboxes: Box<[EventBuffer]>,
    outboxes: Box<[EventBuffer]>,
    /// For a node that sends no events.
    no_outbox: EventBuffer,
    behind: Transport,
    pub(crate) master: Master,
}

/// The last stage: gain and ceiling.
pub(crate) struct Master {
    gain: Ramp,
    /// The gain of each frame of this quantum, while it moves.
    curve: AudioBuffer,
    /// Samples held at the ceiling.
    limited: u64,
}

impl Schedule {
    /// `[side B]` Makes all that `plan` names, for quanta of `quantum_frames`.
    #[allow(clippy::disallowed_macros, reason = "side B")]
    pub fn new(plan: Plan, quantum_frames: u32, sample_rate_hz: u32) -> Self {
        let frames = quantum_frames as usize;
        let inbox = |edges: &bool| {
            EventBuffer::with_capacity(if *edges { MAX_EVENTS_PER_QUANTUM } else { PARAMETER_INBOX })
        };
        let gain = |&(start, target): &(f32, f32)| {
            let mut ramp = Ramp::new(start, sample_rate_hz);
            ramp.set(target);
            ramp
        };
        Schedule {
            steps: plan.steps.into_boxed_slice(),
            indices: plan.indices.into_boxed_slice(),
            buffers: (0..plan.buffers).map(|_| AudioBuffer::silent(frames)).collect(),
            silent: vec![true; usize::from(plan.buffers)].into_boxed_slice(),
            scratch: (0..MAX_NODE_CHANNELS).map(|_| AudioBuffer::default()).collect(),
            delays: plan.delays.into_iter().map(AudioDelay::new).collect(),
            event_delays: plan.event_delays.into_iter().map(EventDelay::new).collect(),
            gains: plan.gains.iter().map(gain).collect(),
            ledgers: (0..plan.ledgers).map(|_| EdgeLedger::new()).collect(),
            inboxes: plan.inboxes.iter().map(inbox).collect(),
            outboxes: (0..plan.outboxes)
                .map(|_| EventBuffer::with_capacity(MAX_EVENTS_PER_QUANTUM))
                .collect(),
            no_outbox: EventBuffer::with_capacity(0),
            behind: Transport::default(),
            master: Master {
                gain: Ramp::new(1.0, sample_rate_hz),
                curve: AudioBuffer::silent(frames),
                limited: 0,
            },
        }
    }

    /// `[side B]` A schedule that plays silence.
    pub fn empty(quantum_frames: u32, sample_rate_hz: u32) -> Self {
        Self::new(Plan::default(), quantum_frames, sample_rate_hz)
    }

    /// `[side A]` Moves the master gain (linear) towards `gain`.
    pub fn set_master_gain(&mut self, gain: f32) {
        self.master.gain.set(gain);
    }

    /// `[side A]` Arrives at the master gain at once: before the first sound.
    pub fn finish_master_gain(&mut self) {
        self.master.gain.finish();
    }

    /// Samples that the master ceiling (0 dBFS) held back.
    pub fn limited_samples(&self) -> u64 {
        self.master.limited
    }

    /// Events that found a buffer full.
    pub fn dropped_events(&self) -> u64 {
        let boxes = self.inboxes.iter().chain(&self.outboxes).chain(std::iter::once(&self.no_outbox));
        let delays: u64 = self.event_delays.iter().map(EventDelay::dropped).sum();
        boxes.map(EventBuffer::dropped).sum::<u64>() + delays
    }

    /// `[side A]` Renders one quantum.
    pub fn process(&mut self, nodes: &mut NodeTable, quantum: &mut Quantum<'_>) {
        for output in quantum.device_out.iter_mut() {
            output.fill(0.0);
        }
        self.master.start_quantum();
        for at in 0..self.steps.len() {
            match self.steps[at] {
                Step::Clear { dst } => {
                    self.buffers[usize::from(dst)].fill(0.0);
                    self.silent[usize::from(dst)] = true;
                }
                Step::Copy { src, dst, gain } => self.copy(src, dst, gain),
                Step::Add { src, dst, gain } => self.add(src, dst, gain),
                Step::Delay { line, src, dst } => self.delay(line, src, dst),
                Step::ReadDevice { channel, dst } => {
                    let dst = usize::from(dst);
                    match quantum.device_in.get(usize::from(channel)) {
                        Some(input) => self.buffers[dst].copy_from_slice(input),
                        None => self.buffers[dst].fill(0.0),
                    }
                    self.silent[dst] = self.buffers[dst].iter().all(|sample| *sample == 0.0);
                }
                Step::WriteDevice { src, channel } => {
                    if let Some(output) = quantum.device_out.get_mut(usize::from(channel)) {
                        self.master.write(&self.buffers[usize::from(src)], output);
                    }
                }
                Step::Deliver { source, ledger, delay, inbox, port } => {
                    self.deliver(source, ledger, delay, inbox, port, quantum);
                }
                Step::Process { slot, inputs, outputs, inbox, outbox, behind_frames } => {
                    let place = Place { slot, inputs, outputs, inbox, outbox, behind_frames };
                    self.run_node(place, nodes, quantum);
                }
                Step::SendMidi { inbox } => {
                    let inbox = &mut self.inboxes[usize::from(inbox)];
                    for event in inbox.as_slice() {
                        // A full buffer counts the drop itself.
                        quantum.midi_out.push(*event).unwrap_or(());
                    }
                    inbox.clear();
                }
            }
        }
    }

    fn copy(&mut self, src: u16, dst: u16, gain: u16) {
        let (src, dst) = (usize::from(src), usize::from(dst));
        let mut output = std::mem::take(&mut self.buffers[dst]);
        let (input, ramp) = (&self.buffers[src], &mut self.gains[usize::from(gain)]);
        match ramp.settled() {
            Some(1.0) => output.copy_from_slice(input),
            Some(gain) => output.iter_mut().zip(input.iter()).for_each(|(o, i)| *o = i * gain),
            None => output.iter_mut().zip(input.iter()).for_each(|(o, i)| *o = i * ramp.next_frame()),
        }
        self.buffers[dst] = output;
        self.silent[dst] = self.silent[src];
    }

    fn add(&mut self, src: u16, dst: u16, gain: u16) {
        let (src, dst) = (usize::from(src), usize::from(dst));
        let ramp = &mut self.gains[usize::from(gain)];
        if self.silent[src] && ramp.settled().is_some() {
            return;
        }
        let mut output = std::mem::take(&mut self.buffers[dst]);
        let input = &self.buffers[src];
        match ramp.settled() {
            Some(1.0) => output.iter_mut().zip(input.iter()).for_each(|(o, i)| *o += i),
            Some(gain) => output.iter_mut().zip(input.iter()).for_each(|(o, i)| *o += i * gain),
            None => output.iter_mut().zip(input.iter()).for_each(|(o, i)| *o += i * ramp.next_frame()),
        }
        self.buffers[dst] = output;
        self.silent[dst] &= self.silent[src];
    }

    fn delay(&mut self, line: u16, src: u16, dst: u16) {
        let (src, dst) = (usize::from(src), usize::from(dst));
        let mut output = std::mem::take(&mut self.buffers[dst]);
        let line = &mut self.delays[usize::from(line)];
        self.silent[dst] = line.process(&self.buffers[src], self.silent[src], &mut output);
        self.buffers[dst] = output;
    }

    fn deliver(
        &mut self,
        source: EventSource,
        ledger: u16,
        delay: Option<u16>,
        inbox: u16,
        port: u16,
        quantum: &Quantum<'_>,
    ) {
        let (events, from_port): (&[TimedEvent], Option<u16>) = match source {
            EventSource::Sequencer { port } => (quantum.sequencer[usize::from(port)].as_slice(), None),
            EventSource::Live => (quantum.live_in.as_slice(), None),
            EventSource::Outbox { outbox, port } => {
                (self.outboxes[usize::from(outbox)].as_slice(), Some(port))
            }
        };
        let inbox = &mut self.inboxes[usize::from(inbox)];
        let ledger = &mut self.ledgers[usize::from(ledger)];
        let mut give = |time: u32, event: Event| {
            if inbox.push(TimedEvent { time, port, event }).is_ok() {
                ledger.record(&event);
            }
        };
        let events = events.iter().filter(|event| from_port.is_none_or(|port| event.port == port));
        match delay {
            None => events.for_each(|event| give(event.time, event.event)),
            Some(delay) => {
                let delay = &mut self.event_delays[usize::from(delay)];
                events.for_each(|event| delay.push(*event));
                delay.drain(quantum.frames, give);
            }
        }
    }

    fn run_node(&mut self, place: Place, nodes: &mut NodeTable, quantum: &mut Quantum<'_>) {
        let outputs = place.outputs.of(&self.indices);
        let inbox = &mut self.inboxes[usize::from(place.inbox)];
        let outbox = match place.outbox {
            Some(outbox) => &mut self.outboxes[usize::from(outbox)],
            None => &mut self.no_outbox,
        };
        outbox.clear();
        let Some(node) = nodes.slot(place.slot) else {
            // The verifier lets no such schedule through; silence is what an empty slot sounds like.
            for &output in outputs {
                self.buffers[usize::from(output)].fill(0.0);
                self.silent[usize::from(output)] = true;
            }
            inbox.clear();
            return;
        };
        for event in node.pending.as_slice() {
            inbox.push(*event).unwrap_or(());
        }
        node.pending.clear();

        let mut inputs: [&[f32]; MAX_NODE_CHANNELS] = [&[]; MAX_NODE_CHANNELS];
        let mut silent_inputs = 0;
        let input_indices = place.inputs.of(&self.indices);
        for (channel, &input) in input_indices.iter().enumerate() {
            silent_inputs |= u64::from(self.silent[usize::from(input)]) << channel;
        }
        let all_inputs = mask(input_indices.len());
        if node.asleep && inbox.as_slice().is_empty() && silent_inputs == all_inputs {
            for &output in outputs {
                if !self.silent[usize::from(output)] {
                    self.buffers[usize::from(output)].fill(0.0);
                    self.silent[usize::from(output)] = true;
                }
            }
            return;
        }
        let output_buffers = &mut self.scratch[..outputs.len()];
        for (scratch, &output) in output_buffers.iter_mut().zip(outputs) {
            std::mem::swap(scratch, &mut self.buffers[usize::from(output)]);
        }
        for (input, &index) in inputs.iter_mut().zip(input_indices) {
            *input = &self.buffers[usize::from(index)];
        }
        let transport = if place.behind_frames == 0 {
            quantum.transport.current()
        } else {
            quantum.transport.delayed(place.behind_frames, &mut self.behind);
            &self.behind
        };
        let mut context = ProcessContext {
            frames: quantum.frames,
            transport,
            audio: AudioPorts {
                inputs: &inputs[..input_indices.len()],
                outputs: output_buffers,
                silent_inputs,
                silent_outputs: 0,
            },
            events_in: inbox.as_slice(),
            events_out: outbox,
            sysex: quantum.sysex,
        };
        node.asleep = node.processor.process(&mut context) == ProcessStatus::Sleep;
        let silent_outputs = guard(node, place.slot, output_buffers, quantum.reports);
        for (channel, (scratch, &output)) in output_buffers.iter_mut().zip(outputs).enumerate() {
            std::mem::swap(scratch, &mut self.buffers[usize::from(output)]);
            self.silent[usize::from(output)] = silent_outputs & (1 << channel) != 0;
        }
        inbox.clear();
    }
}

/// The inbox of a node that no event edge reaches.
const PARAMETER_INBOX: usize = 256;

/// The fields of [`Step::Process`].
#[derive(Clone, Copy)]
struct Place {
    slot: u16,
    inputs: Run,
    outputs: Run,
    inbox: u16,
    outbox: Option<u16>,
    behind_frames: u32,
}

fn mask(channels: usize) -> u64 {
    if channels >= 64 { u64::MAX } else { (1 << channels) - 1 }
}

/// Checks a node's output; returns a bit for each silent channel.
fn guard(node: &mut NodeEntry, slot: u16, outputs: &mut [AudioBuffer], reports: &mut Reports) -> u64 {
    let (verdict, silent) = node.guard.check(outputs);
    if let Verdict::Tripped { non_finite } = verdict {
        // What made the garbage (a filter's state, say) would make it for ever.
        node.processor.reset();
        reports.push(Report::GuardTripped { slot, non_finite });
    }
    silent
}

impl Master {
    fn start_quantum(&mut self) {
        if self.gain.settled().is_none() {
            let gain = &mut self.gain;
            self.curve.iter_mut().for_each(|value| *value = gain.next_frame());
        } else {
            let settled = self.gain.target();
            self.curve.fill(settled);
        }
    }

    fn write(&mut self, input: &AudioBuffer, output: &mut AudioBuffer) {
        for ((output, input), gain) in output.iter_mut().zip(input.iter()).zip(self.curve.iter()) {
            let sample = input * gain;
            *output = sample.clamp(-1.0, 1.0);
            self.limited += u64::from(*output != sample);
        }
    }
}
