use std::ops::Range;

use arrayvec::ArrayVec;
use kmidi_core::limits::{MAX_EVENTS_PER_QUANTUM, MAX_NODE_CHANNELS};
use kmidi_core::{
    AudioBuffer, AudioPorts, Event, EventBuffer, ProcessContext, ProcessStatus, Smoothed, TimedEvent,
    Transport, copy_finite,
};
use kmidi_sys::FloatModes;

use crate::edge::{AudioEdge, EventEdge, merge, slice};
use crate::gain::{self, Master};
use crate::ledger::Ledger;
use crate::nodes::{NodeEntry, NodeTable};
use crate::report::Report;
use crate::schedule::{Mix, ProcessStep, Quantum, ScheduleSpec};

/// Everything that the steps of a schedule work on. `[side A]`
///
/// A node's output buffers are swapped out of the pool while its inputs are borrowed from it, so the
/// borrow checker sees what the compiler of the graph has made sure of: nothing is read and written at once.
pub(crate) struct Machine {
    pub audio: Box<[AudioBuffer]>,
    /// Which audio buffers are known to be zero.
    silent: Box<[bool]>,
    pub events: Box<[EventBuffer]>,
    pub lists: Box<[u32]>,
    pub audio_edges: Box<[AudioEdge]>,
    pub event_edges: Box<[EventEdge]>,
    /// Where output buffers stand while a node writes them; empty ones otherwise.
    outputs: Box<[AudioBuffer]>,
    /// Stands in the pool while a node writes an event buffer; has no room.
    no_events: EventBuffer,
    /// The transport for a node behind latency, and by how many frames it is.
    delayed: Transport,
    delayed_by: Option<u32>,
    pub master: Master,
    /// Frames since the engine began, at the start of this quantum.
    pub now: u64,
    output_done: bool,
}

fn set(mask: &mut u64, bit: usize, value: bool) {
    *mask |= u64::from(value) << bit;
}

impl Machine {
    /// `[side B]`
    pub fn new(spec: &ScheduleSpec) -> Self {
        let quantum = spec.quantum_frames as usize;
        let smoothing = Smoothed::frames(spec.sample_rate_hz);
        let edge = |edge| AudioEdge::new(edge, spec.quantum_frames, smoothing);
        Machine {
            audio: (0..spec.audio_buffers).map(|_| AudioBuffer::silent(quantum)).collect(),
            silent: (0..spec.audio_buffers).map(|_| true).collect(),
            events: (0..spec.event_buffers)
                .map(|_| EventBuffer::with_capacity(MAX_EVENTS_PER_QUANTUM))
                .collect(),
            lists: spec.lists.iter().copied().collect(),
            audio_edges: spec.audio_edges.iter().map(edge).collect(),
            event_edges: spec.event_edges.iter().map(EventEdge::new).collect(),
            outputs: (0..MAX_NODE_CHANNELS).map(|_| AudioBuffer::default()).collect(),
            no_events: EventBuffer::with_capacity(0),
            delayed: Transport::default(),
            delayed_by: None,
            master: Master::new(spec.sample_rate_hz),
            now: 0,
            output_done: false,
        }
    }

    /// Takes over what belongs to the engine and not to a schedule.
    pub fn continue_from(&mut self, old: &mut Machine) {
        self.master.continue_from(&old.master);
        self.now = old.now;
    }

    pub fn dropped(&self) -> u64 {
        let buffers = self.events.iter().map(EventBuffer::dropped).sum::<u64>();
        let delays = self.event_edges.iter().filter_map(|edge| edge.delay.as_ref());
        buffers + delays.map(|delay| delay.dropped).sum::<u64>()
    }

    pub fn begin(&mut self, quantum: &Quantum<'_>) {
        debug_assert!(self.audio.iter().all(|buffer| buffer.len() == quantum.frames as usize));
        self.delayed_by = None;
        self.output_done = false;
    }

    pub fn end(&mut self, quantum: &mut Quantum<'_>) {
        if !self.output_done {
            quantum.device_out.iter_mut().for_each(|channel| channel.fill(0.0));
        }
        self.audio_edges.iter_mut().for_each(|edge| edge.gain.advance(quantum.frames));
        self.now += u64::from(quantum.frames);
    }

    pub fn clear(&mut self, to: u32) {
        self.audio[to as usize].fill(0.0);
        self.silent[to as usize] = true;
    }

    pub fn copy(&mut self, mix: &Mix) {
        if self.is_nothing(mix) {
            return self.clear(mix.to);
        }
        let gain = self.audio_edges[mix.edge as usize].gain;
        if let Ok([from, to]) = self.audio.get_disjoint_mut([mix.from as usize, mix.to as usize]) {
            gain::copy(gain, from, to);
        }
        self.silent[mix.to as usize] = false;
    }

    pub fn add(&mut self, mix: &Mix) {
        if self.is_nothing(mix) {
            return;
        }
        if self.silent[mix.to as usize] {
            return self.copy(mix);
        }
        let gain = self.audio_edges[mix.edge as usize].gain;
        if let Ok([from, to]) = self.audio.get_disjoint_mut([mix.from as usize, mix.to as usize]) {
            gain::add(gain, from, to);
        }
    }

    fn is_nothing(&self, mix: &Mix) -> bool {
        let gain = &self.audio_edges[mix.edge as usize].gain;
        self.silent[mix.from as usize] || (gain.is_settled() && gain.target() == 0.0)
    }

    pub fn delay(&mut self, edge: u32, from: u32, to: u32) {
        let Some(line) = &mut self.audio_edges[edge as usize].line else { return };
        if let Ok([input, output]) = self.audio.get_disjoint_mut([from as usize, to as usize]) {
            self.silent[to as usize] = line.process(input, self.silent[from as usize], output);
        }
    }

    pub fn device_in(&mut self, channel: u32, to: u32, quantum: &Quantum<'_>) {
        let Some(captured) = quantum.device_in.get(channel as usize) else { return self.clear(to) };
        // No guard stands behind a device: what is not a number is silence.
        copy_finite(captured, &mut self.audio[to as usize]);
        self.silent[to as usize] = false;
    }

    pub fn delay_events(&mut self, edge: u32, quantum: &Quantum<'_>) {
        self.event_edges[edge as usize].enter_delay(self.now, &self.events, quantum);
    }

    pub fn merge_events(
        &mut self,
        slot: u16,
        edges: &Range<u32>,
        to: u32,
        nodes: &mut NodeTable,
        quantum: &Quantum<'_>,
    ) {
        let Some(node) = nodes.get_mut(slot) else { return self.events[to as usize].clear() };
        std::mem::swap(&mut self.no_events, &mut self.events[to as usize]);
        let inbox = &mut self.no_events;
        inbox.clear();
        settle(&mut node.owed, inbox);
        for (id, value) in node.parameters.drain(..) {
            // An empty inbox has room for far more than these.
            let _ = inbox.push(TimedEvent { time: 0, port: 0, event: Event::Parameter { id, value } });
        }
        let edges = slice(&mut self.event_edges, edges);
        merge(edges, self.now, &self.events, quantum, &mut node.owed, inbox);
        std::mem::swap(&mut self.no_events, &mut self.events[to as usize]);
    }

    pub fn midi_out(&mut self, edges: &Range<u32>, nodes: &mut NodeTable, quantum: &mut Quantum<'_>) {
        settle(&mut nodes.midi_out_owed, quantum.midi_out);
        std::mem::swap(&mut self.no_events, quantum.midi_out);
        let edges = slice(&mut self.event_edges, edges);
        merge(edges, self.now, &self.events, quantum, &mut nodes.midi_out_owed, &mut self.no_events);
        std::mem::swap(&mut self.no_events, quantum.midi_out);
    }

    pub fn run_node(&mut self, step: &ProcessStep, nodes: &mut NodeTable, quantum: &mut Quantum<'_>) {
        self.look_back(step.behind_frames, quantum);
        let outputs = &self.lists[step.outputs.start as usize..step.outputs.end as usize];
        for (written, &at) in self.outputs.iter_mut().zip(outputs) {
            std::mem::swap(written, &mut self.audio[at as usize]);
        }
        if let Some(at) = step.events_out {
            std::mem::swap(&mut self.no_events, &mut self.events[at as usize]);
            self.no_events.clear();
        }

        let (tripped, silent_outputs) = {
            let mut inputs = ArrayVec::<&[f32], MAX_NODE_CHANNELS>::new();
            let mut silent_inputs = 0;
            for &at in &self.lists[step.inputs.start as usize..step.inputs.end as usize] {
                set(&mut silent_inputs, inputs.len(), self.silent[at as usize]);
                let fits = inputs.try_push(&self.audio[at as usize]);
                debug_assert!(fits.is_ok(), "the graph refuses nodes of so many channels");
            }
            let mut cx = ProcessContext {
                frames: quantum.frames,
                transport: if step.behind_frames == 0 { quantum.transport.current() } else { &self.delayed },
                audio: AudioPorts {
                    inputs: &inputs,
                    outputs: &mut self.outputs[..outputs.len()],
                    silent_inputs,
                    silent_outputs: 0,
                },
                events_in: self.events[step.events_in as usize].as_slice(),
                events_out: &mut self.no_events,
                sysex: quantum.sysex,
            };
            let tripped = match nodes.get_mut(step.slot) {
                Some(node) => run(node, &mut cx),
                None => {
                    cx.audio.silence_outputs();
                    None
                }
            };
            (tripped, cx.audio.silent_outputs)
        };
        if let Some(non_finite) = tripped {
            nodes.guard_trips += 1;
            let at = self.now / u64::from(quantum.frames);
            quantum.reports.push(Report::GuardTripped { slot: step.slot, non_finite, quantum: at });
        }

        for (channel, (written, &at)) in self.outputs.iter_mut().zip(outputs).enumerate() {
            std::mem::swap(written, &mut self.audio[at as usize]);
            self.silent[at as usize] = silent_outputs & (1 << channel) != 0;
            debug_assert!(
                !self.silent[at as usize] || self.audio[at as usize].iter().all(|&x| x == 0.0),
                "node {} says that output {channel} is silent, and it is not",
                step.slot
            );
        }
        if let Some(at) = step.events_out {
            std::mem::swap(&mut self.no_events, &mut self.events[at as usize]);
        }
    }

    /// Makes the transport as a node sees it that lags the sequencer; nodes often lag alike.
    fn look_back(&mut self, behind_frames: u32, quantum: &Quantum<'_>) {
        if behind_frames != 0 && self.delayed_by != Some(behind_frames) {
            quantum.transport.delayed(behind_frames, &mut self.delayed);
            self.delayed_by = Some(behind_frames);
        }
    }

    pub fn output(&mut self, inputs: &Range<u32>, quantum: &mut Quantum<'_>) {
        self.output_done = true;
        let inputs = &self.lists[inputs.start as usize..inputs.end as usize];
        let channel = |at: u32| &self.audio[at as usize];
        match (inputs, &mut *quantum.device_out) {
            // One speaker for two channels, and two for one; otherwise channel by channel.
            (&[left, right], [mono]) => {
                for ((to, left), right) in
                    mono.iter_mut().zip(channel(left).iter()).zip(channel(right).iter())
                {
                    *to = 0.5 * (left + right);
                }
            }
            (&[mono], [left, right, rest @ ..]) => {
                left.copy_from_slice(channel(mono));
                right.copy_from_slice(channel(mono));
                rest.iter_mut().for_each(|to| to.fill(0.0));
            }
            (inputs, outputs) => {
                for (index, to) in outputs.iter_mut().enumerate() {
                    match inputs.get(index) {
                        Some(&at) => to.copy_from_slice(channel(at)),
                        None => to.fill(0.0),
                    }
                }
            }
        }
        self.master.process(quantum.device_out);
    }
}

/// Sends what is owed from quanta and schedules before this one.
fn settle(owed: &mut [Ledger], to: &mut EventBuffer) {
    for (port, owed) in (0u16..).zip(owed) {
        owed.settle(|event| to.push(TimedEvent { time: 0, port, event }).is_ok());
    }
}

/// Runs a node, unless it sleeps and nothing wakes it, and holds its output against the guard.
/// Returns whether a bad sample was not finite, if there was one.
fn run(node: &mut NodeEntry, cx: &mut ProcessContext<'_>) -> Option<bool> {
    if node.asleep && cx.events_in.is_empty() && cx.audio.inputs_are_silent() && node.guard.is_open() {
        cx.audio.silence_outputs();
        return None;
    }
    let modes = FloatModes::current();
    node.asleep = node.processor.process(cx) == ProcessStatus::Sleep;
    modes.restore();
    let trip = node.guard.process(cx.audio.outputs, &mut cx.audio.silent_outputs)?;
    if trip.non_finite {
        // A filter that has taken in a NaN never gets rid of it by itself.
        node.processor.reset();
        modes.restore();
    }
    Some(trip.non_finite)
}
