//! An engine with a small deterministic instrument, a recorder of what reaches it, and callbacks of any length.

use std::sync::{Arc, Mutex};

use fastrand::Rng;
use kmidi_core::{
    DeviceCallback, DeviceIo, Event, MidiBuffer, NodeInfo, ProcessContext, ProcessStatus, Processor, SongTime,
};
use kmidi_graph::{EngineHandle, Graph, NodeId, engine};
use kmidi_rt::{
    Chase, Engine, EngineConfig, Locate, LoopPlan, Message, Page, PageEvent, Source, Timeline, When,
};

pub const RATE: u32 = 48_000;

/// What reached the recorder: frame since the start, the recorder's input port, event.
pub type Log = Arc<Mutex<Vec<(u64, u16, Event)>>>;

/// Plays decaying clicks; and writes down every event with its frame.
pub struct Recorder {
    frame: u64,
    log: Log,
    voices: [f32; 128],
    /// All voices below this are silent.
    loudest: f32,
}

impl Recorder {
    pub fn new(log: &Log) -> Box<Self> {
        Box::new(Recorder { frame: 0, log: log.clone(), voices: [0.0; 128], loudest: 0.0 })
    }

    pub fn info(name: &str) -> NodeInfo {
        NodeInfo { name: name.into(), audio_outputs: vec![2], event_inputs: 4, ..NodeInfo::default() }
    }
}

impl Processor for Recorder {
    fn process(&mut self, cx: &mut ProcessContext<'_>) -> ProcessStatus {
        let mut events = cx.events_in.iter().peekable();
        let mut log = self.log.lock().unwrap();
        for frame in 0..cx.frames {
            while let Some(event) = events.next_if(|event| event.time <= frame) {
                assert_eq!(event.time, frame, "events are in order and inside the quantum");
                log.push((self.frame + u64::from(frame), event.port, event.event));
                match event.event {
                    Event::NoteOn { key, velocity, .. } => {
                        self.voices[usize::from(key)] = velocity;
                        self.loudest = 1.0;
                    }
                    Event::NoteOff { key, .. } => self.voices[usize::from(key)] *= 0.25,
                    _ => {}
                }
            }
            let (mut left, mut right) = (0.0, 0.0);
            if self.loudest < 1e-6 {
                cx.audio.outputs[0][frame as usize] = 0.0;
                cx.audio.outputs[1][frame as usize] = 0.0;
                continue;
            }
            self.loudest *= 0.98;
            for (key, voice) in self.voices.iter_mut().enumerate().filter(|(_, voice)| **voice > 1e-6) {
                left += *voice * 0.01;
                right += *voice * 0.01 * (key as f32 / 128.0);
                *voice *= 0.98;
            }
            cx.audio.outputs[0][frame as usize] = left;
            cx.audio.outputs[1][frame as usize] = right;
        }
        self.frame += u64::from(cx.frames);
        ProcessStatus::Continue
    }

    fn reset(&mut self) {
        self.voices = [0.0; 128];
    }
}

pub struct Rig {
    pub handle: EngineHandle,
    pub engine: Engine,
    pub graph: Graph,
    pub sequencer: NodeId,
    pub recorder: NodeId,
    pub output: NodeId,
    pub log: Log,
    pub heard: Vec<[f32; 2]>,
    /// MIDI for the next callback: frame inside it, message.
    pub midi_in: Vec<(u32, Vec<u8>)>,
}

impl Rig {
    pub fn new(quantum_frames: u32) -> Self {
        Self::with_ceiling(quantum_frames, true)
    }

    pub fn with_ceiling(quantum_frames: u32, has_ceiling: bool) -> Self {
        let config = EngineConfig {
            sample_rate_hz: RATE,
            quantum_frames,
            channels_in: 0,
            channels_out: 2,
            has_ceiling,
        };
        let (mut handle, engine) = engine(config).unwrap();
        let log = Log::default();
        let mut graph = Graph::new();
        let sequencer = graph.add_sequencer().unwrap();
        let live = graph.add_live_in().unwrap();
        let recorder = graph.add_processor(Recorder::info("recorder"), Recorder::new(&log)).unwrap();
        let output = graph.add_output(2).unwrap();
        for port in 0..4 {
            graph.connect_events((sequencer, port), (recorder, port)).unwrap();
        }
        graph.connect_events((live, 0), (recorder, 0)).unwrap();
        graph.connect_audio((recorder, 0), (output, 0)).unwrap();
        handle.set_graph(&mut graph).unwrap();
        let (heard, midi_in) = (vec![], vec![]);
        Rig { handle, engine, graph, sequencer, recorder, output, log, heard, midi_in }
    }

    /// One callback of `frames` frames.
    pub fn callback(&mut self, frames: usize) {
        let (mut left, mut right) = (vec![f32::NAN; frames], vec![f32::NAN; frames]);
        let mut midi_in = MidiBuffer::new(4096, 1 << 16);
        for (frame, message) in self.midi_in.drain(..) {
            midi_in.push(frame, &message).unwrap();
        }
        let mut midi_out = MidiBuffer::new(4096, 1 << 16);
        self.engine.process(&mut DeviceIo {
            frames,
            inputs: &[],
            outputs: &mut [&mut left, &mut right],
            midi_in: &midi_in,
            midi_out: &mut midi_out,
        });
        self.heard.extend(left.into_iter().zip(right).map(|(l, r)| [l, r]));
    }

    /// Callbacks of the given lengths until `frames` frames are rendered.
    pub fn render(&mut self, frames: usize, mut sizes: impl Iterator<Item = usize>) {
        let end = self.heard.len() + frames;
        while self.heard.len() < end {
            let size = sizes.next().unwrap().min(end - self.heard.len());
            self.callback(size);
            self.handle.collect();
        }
    }

    pub fn load(&mut self, song: &[PageEvent], end: SongTime) {
        self.handle.set_timeline(Some(resident(1, song, end)), Locate::default(), When::Now).unwrap();
    }

    /// Frames of all note-ons so far, with their keys.
    pub fn note_ons(&self) -> Vec<(u64, u8)> {
        let log = self.log.lock().unwrap();
        let on = |&(frame, _, event): &(u64, u16, Event)| match event {
            Event::NoteOn { key, .. } => Some((frame, key)),
            _ => None,
        };
        log.iter().filter_map(on).collect()
    }
}

pub fn resident(id: u64, song: &[PageEvent], end: SongTime) -> Timeline {
    let page = Page { events: song.to_vec(), last: true, ..Page::default() };
    Timeline { id, source: Source::Resident(Box::new(page)), end }
}

pub fn frames(frames: i64) -> SongTime {
    SongTime::from_frames(kmidi_core::Frames(frames))
}

pub fn at(time: SongTime, port: u8, event: Event) -> PageEvent {
    PageEvent { time, port, message: Message::Event(event) }
}

/// Where a resident song is to be played from, and its loop.
pub fn locate(song: &[PageEvent], position: SongTime, looping: Option<(SongTime, SongTime)>) -> Locate {
    let cursor = |time: SongTime| song.partition_point(|event| event.time < time);
    Locate {
        position: Some(position),
        generation: 0,
        cursor: cursor(position),
        chase: chase(song, position),
        looping: looping.map(|(start, end)| LoopPlan {
            range: kmidi_core::LoopRange { start, end },
            cursor: cursor(start),
            chase: chase(song, start),
        }),
    }
}

/// The controllers of the song before `position`, in full: enough for a test.
fn chase(song: &[PageEvent], position: SongTime) -> Chase {
    let is_state = |event: &&PageEvent| {
        let note = matches!(event.message, Message::Event(Event::NoteOn { .. } | Event::NoteOff { .. }));
        event.time < position && !note
    };
    Chase { events: song.iter().filter(is_state).copied().collect(), ..Chase::default() }
}

/// A dense song: `notes` notes on all ports and channels, with controllers, pedals and bends between.
pub fn dense_song(seed: u64, notes: usize, length: SongTime) -> Vec<PageEvent> {
    let mut random = Rng::with_seed(seed);
    let mut song = vec![];
    for _ in 0..notes {
        let time = SongTime(random.u64(..length.0 as u64) as i64);
        let (port, channel, key) = (random.u64(..4) as u8, random.u64(..16) as u8, random.u64(..128) as u8);
        let off = SongTime((time.0 + random.u64(..length.0 as u64 / 20) as i64).min(length.0));
        song.push(at(time, port, Event::note_on(channel, key, 1 + random.u64(..127) as u8)));
        song.push(at(off, port, Event::note_off(channel, key, 64)));
        let value = random.u64(..128) as u8;
        song.push(match random.u64(..4) {
            0 => at(time, port, Event::ControlChange { channel, controller: 64, value }),
            1 => at(time, port, Event::ControlChange { channel, controller: 7, value }),
            2 => at(time, port, Event::PitchBend { channel, value: i16::from(value) * 64 - 4096 }),
            _ => at(time, port, Event::PolyPressure { channel, key, pressure: value }),
        });
    }
    song.sort_by_key(|event| event.time);
    song
}
