//! A schedule without an engine around it, fed and heard frame by frame.

use std::sync::{Arc, Mutex};

use kmidi_core::limits::{MAX_EVENTS_PER_QUANTUM, MAX_MIDI_PORTS};
use kmidi_core::{
    AudioBuffer, Event, EventBuffer, NodeInfo, ProcessContext, ProcessStatus, Processor, SysExPool,
    TimedEvent,
};
use kmidi_graph::{Compiler, Graph};
use kmidi_rt::{GraphSwap, NodeTable, Quantum, Report, Reports, Schedule, TransportHistory};

pub const RATE: u32 = 8000;
/// Frames in which gains and fades move, at [`RATE`].
pub const SMOOTHING: usize = 80;

pub struct Rig {
    pub graph: Graph,
    pub compiler: Compiler,
    pub schedule: Schedule,
    pub nodes: NodeTable,
    pub quantum_frames: usize,
    pub frame: u64,
    /// All that was heard so far, by channel.
    pub heard: Vec<Vec<f32>>,
    /// All that was sent as MIDI: frame, port, event.
    pub sent: Vec<(u64, u16, Event)>,
    history: TransportHistory,
    sequencer: Vec<EventBuffer>,
    live_in: EventBuffer,
    device_in: Vec<AudioBuffer>,
    device_out: Vec<AudioBuffer>,
    midi_out: EventBuffer,
    sysex: SysExPool,
    reports: Reports,
    inbox: rtrb::Consumer<Report>,
}

impl Rig {
    pub fn new(quantum_frames: usize) -> Self {
        let (reports, inbox) = rtrb::RingBuffer::new(64);
        let frames = quantum_frames as u32;
        Rig {
            graph: Graph::new(),
            compiler: Compiler::new(frames, RATE),
            schedule: Schedule::empty(frames, RATE),
            nodes: NodeTable::new(),
            quantum_frames,
            frame: 0,
            heard: vec![vec![]; 2],
            sent: vec![],
            history: TransportHistory::new(frames),
            sequencer: (0..MAX_MIDI_PORTS)
                .map(|_| EventBuffer::with_capacity(MAX_EVENTS_PER_QUANTUM))
                .collect(),
            live_in: EventBuffer::with_capacity(MAX_EVENTS_PER_QUANTUM),
            device_in: vec![AudioBuffer::silent(quantum_frames)],
            device_out: (0..2).map(|_| AudioBuffer::silent(quantum_frames)).collect(),
            midi_out: EventBuffer::with_capacity(MAX_EVENTS_PER_QUANTUM),
            sysex: SysExPool::new(),
            reports: Reports::new(reports),
            inbox,
        }
    }

    pub fn compile(&mut self) -> GraphSwap {
        self.compiler.compile(&mut self.graph).unwrap()
    }

    /// Compiles and adopts between two quanta, whatever may click.
    pub fn swap_at_once(&mut self) {
        let mut swap = self.compile();
        swap.adopt(&mut self.schedule, &mut self.nodes);
    }

    /// Compiles, and adopts when the time has come, as the engine does.
    pub fn swap(&mut self) {
        let mut swap = self.compile();
        while !swap.ready(&mut self.schedule) {
            self.quantum(&[]);
        }
        swap.adopt(&mut self.schedule, &mut self.nodes);
    }

    /// One quantum with these events of the song: frame in the quantum, port, event.
    pub fn quantum(&mut self, song: &[(u32, usize, Event)]) {
        self.sequencer.iter_mut().for_each(EventBuffer::clear);
        for &(time, port, event) in song {
            self.sequencer[port].push(TimedEvent { time, port: 0, event }).unwrap();
        }
        self.midi_out.clear();
        self.device_out.iter_mut().for_each(|channel| channel.fill(f32::NAN));
        self.schedule.process(
            &mut self.nodes,
            &mut Quantum {
                frames: self.quantum_frames as u32,
                transport: &self.history,
                sequencer: &self.sequencer,
                live_in: &self.live_in,
                device_in: &self.device_in,
                device_out: &mut self.device_out,
                midi_out: &mut self.midi_out,
                sysex: &mut self.sysex,
                reports: &mut self.reports,
            },
        );
        for (heard, channel) in self.heard.iter_mut().zip(&self.device_out) {
            heard.extend_from_slice(channel);
        }
        let sent = self.midi_out.as_slice().iter();
        self.sent.extend(sent.map(|e| (self.frame + u64::from(e.time), e.port, e.event)));
        self.live_in.clear();
        self.frame += self.quantum_frames as u64;
    }

    pub fn run(&mut self, quanta: usize) {
        (0..quanta).for_each(|_| self.quantum(&[]));
    }

    /// An event played live in the next quantum.
    pub fn play_live(&mut self, time: u32, event: Event) {
        self.live_in.push(TimedEvent { time, port: 0, event }).unwrap();
    }

    pub fn reports(&mut self) -> Vec<Report> {
        std::iter::from_fn(|| self.inbox.pop().ok()).collect()
    }
}

pub fn info(name: &str, inputs: u16, outputs: u16, latency_frames: u32) -> NodeInfo {
    let port = |channels: u16| if channels == 0 { vec![] } else { vec![channels] };
    NodeInfo {
        name: name.into(),
        audio_inputs: port(inputs),
        audio_outputs: port(outputs),
        event_inputs: 4,
        event_outputs: 1,
        latency_frames,
        ..NodeInfo::default()
    }
}

/// How loud the click of a note is.
pub fn click(key: u8) -> f64 {
    f64::from(key) / f64::from(1 << 22)
}

/// Passes audio and events on after its latency; each note-on adds a click.
pub struct Late {
    latency: usize,
    /// The future of each output channel.
    ahead: Vec<Vec<f32>>,
    events: Vec<(u64, Event)>,
    frame: u64,
}

impl Late {
    pub fn new(outputs: u16, latency_frames: u32) -> Box<Self> {
        let latency = latency_frames as usize;
        Box::new(Late { latency, ahead: vec![vec![0.0; latency]; outputs.into()], events: vec![], frame: 0 })
    }
}

impl Processor for Late {
    fn process(&mut self, cx: &mut ProcessContext<'_>) -> ProcessStatus {
        let frames = cx.frames as usize;
        for (channel, ahead) in self.ahead.iter_mut().enumerate() {
            match cx.audio.inputs.len() {
                0 => ahead.resize(self.latency + frames, 0.0),
                inputs => ahead.extend_from_slice(cx.audio.inputs[channel % inputs]),
            }
        }
        for event in cx.events_in {
            if let Event::NoteOn { key, .. } = event.event {
                let at = self.latency + event.time as usize;
                self.ahead.iter_mut().for_each(|ahead| ahead[at] += click(key) as f32);
            }
            let due = self.frame + u64::from(event.time) + self.latency as u64;
            self.events.push((due, event.event));
        }
        for (output, ahead) in cx.audio.outputs.iter_mut().zip(&mut self.ahead) {
            output.copy_from_slice(&ahead[..frames]);
            ahead.drain(..frames);
        }
        let now = self.frame;
        self.frame += frames as u64;
        let later = self.events.split_off(self.events.partition_point(|(due, _)| *due < self.frame));
        for (due, event) in std::mem::replace(&mut self.events, later) {
            cx.events_out.push(TimedEvent { time: (due - now) as u32, port: 0, event }).unwrap();
        }
        ProcessStatus::Continue
    }

    fn reset(&mut self) {
        self.ahead.iter_mut().for_each(|ahead| ahead.fill(0.0));
    }
}

/// A node made of a function from its frame and its context.
pub struct Function<F>(pub F);

impl<F: FnMut(&mut ProcessContext<'_>) -> ProcessStatus + Send> Processor for Function<F> {
    fn process(&mut self, cx: &mut ProcessContext<'_>) -> ProcessStatus {
        (self.0)(cx)
    }
    fn reset(&mut self) {}
}

/// Plays `signal(frame)` on all its outputs.
pub fn source(signal: impl Fn(u64) -> f32 + Send + 'static) -> Box<dyn Processor> {
    let mut frame = 0;
    Box::new(Function(move |cx: &mut ProcessContext<'_>| {
        for output in cx.audio.outputs.iter_mut() {
            (frame..).zip(output.iter_mut()).for_each(|(frame, out)| *out = signal(frame));
        }
        frame += u64::from(cx.frames);
        ProcessStatus::Continue
    }))
}

/// What reached a recorder: port and event.
pub type Log = Arc<Mutex<Vec<(u16, Event)>>>;

/// Writes down the events that reach it.
pub fn recorder(log: &Log) -> Box<dyn Processor> {
    let log = log.clone();
    Box::new(Function(move |cx: &mut ProcessContext<'_>| {
        assert!(cx.events_in.is_sorted_by_key(|event| event.time), "events in order");
        assert!(cx.events_in.iter().all(|event| event.time < cx.frames));
        log.lock().unwrap().extend(cx.events_in.iter().map(|event| (event.port, event.event)));
        cx.audio.silence_outputs();
        ProcessStatus::Continue
    }))
}

pub fn largest_step(samples: &[f32]) -> f32 {
    samples.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max)
}
