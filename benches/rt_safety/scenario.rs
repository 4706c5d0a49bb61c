//! A seeded hour from the life of an engine, on a virtual clock: dense MIDI from the song and live, seeks, loops,
//! rewiring in bursts, parameter storms, full rings, one SoundFont after the other, a stereo input with one silent
//! channel, callbacks of odd lengths, a device that goes away and comes back.

use fastrand::Rng;
use kmidi_core::limits::{MAX_CALLBACK_FRAMES, MAX_EVENTS_PER_QUANTUM};
use kmidi_core::{DeviceIo, Event, Frames, LoopRange, MidiBuffer, SongTime, TempoScale};
use kmidi_follower::{FollowerHandle, FollowerNode, follower};
use kmidi_graph::{EngineHandle, Graph, NodeId, engine};
use kmidi_rt::{
    Chase, Engine, EngineConfig, Locate, LoopPlan, Message, Page, PageEvent, PageSender, Source, Timeline,
    When, page_stream,
};
use kmidi_soundfont::{PresetKey, SynthConfig, SynthHandle, synth};

use crate::nodes::{Filter, Octave, Presets};

const RATE: u32 = 48_000;
const SONG_FRAMES: i64 = 2_000_000;
const INPUTS: usize = 2;
const OUTPUTS: usize = 2;
/// Programs that the song asks for; drum kit 0 beside them.
const PROGRAMS: u32 = 4;
/// Callbacks with one SoundFont.
const SWAP_CALLBACKS: u64 = 40;
/// What the collector holds of one SoundFont: a preset and a sample for each program and the kit.
#[allow(dead_code, reason = "only tests/rt_safety.rs needs it")]
pub const ALLOCATIONS_OF_A_SOUNDFONT: usize = 2 * (PROGRAMS as usize + 1);

/// Calls the engine; the scenario does not know whether anybody watches.
pub type Call<'a> = &'a mut dyn FnMut(&mut Engine, &mut DeviceIo<'_, '_>);

pub struct Scenario {
    pub handle: EngineHandle,
    pub engine: Engine,
    pub graph: Graph,
    pub output: NodeId,
    sequencer: NodeId,
    synth_node: NodeId,
    device_in: NodeId,
    octave: NodeId,
    filters: Vec<NodeId>,
    synth: SynthHandle,
    _follower: FollowerHandle,
    presets: Presets,
    song: Vec<PageEvent>,
    feeder: Option<Feeder>,
    generation: u32,
    timelines: u64,
    random: Rng,
    /// Callbacks for which nobody fetches what comes home.
    neglect: u32,
    /// Callbacks until the feeder works again.
    feeder_pause: u32,
    /// The device has this many outputs just now.
    outputs: usize,
    buffers: Buffers,
    pub peak: f32,
    pub not_finite: u64,
    pub loud_callbacks: u64,
    callbacks: u64,
    /// SoundFonts that took the place of others while these sounded.
    pub swaps: u64,
}

struct Feeder {
    sender: PageSender,
    next: usize,
}

struct Buffers {
    inputs: [Vec<f32>; INPUTS],
    outputs: [Vec<f32>; OUTPUTS],
    midi_in: MidiBuffer,
    midi_out: MidiBuffer,
}

fn time(frame: i64) -> SongTime {
    SongTime::from_frames(Frames(frame))
}

fn channel_event(random: &mut Rng) -> Event {
    let (channel, key, value) = (random.u64(..16) as u8, random.u64(..128) as u8, random.u64(..128) as u8);
    match random.u64(..16) {
        0..=6 => Event::note_on(channel, key, value),
        7..=11 => Event::note_off(channel, key, value),
        12 => Event::ControlChange { channel, controller: key, value },
        13 => Event::PitchBend { channel, value: i16::from(value) * 128 - 8192 },
        14 => Event::ProgramChange { channel, program: value % PROGRAMS as u8 },
        _ => Event::PolyPressure { channel, key, pressure: value },
    }
}

/// Some forty events a second of song on average, in clusters, on all ports; with SysEx, tempo changes and
/// one storm.
fn song(random: &mut Rng) -> Vec<PageEvent> {
    let mut events = vec![];
    while events.len() < 8000 {
        let at = time(random.u64(..SONG_FRAMES as u64) as i64);
        let port = random.u64(..4) as u8;
        for _ in 0..1 + random.u64(..8) {
            let message = match random.u64(..60) {
                0 => Message::SysEx { start: 0, len: 6 },
                1 => Message::Event(Event::Tempo(kmidi_core::Tempo { micros_per_quarter: 400_000 })),
                _ => Message::Event(channel_event(random)),
            };
            events.push(PageEvent { time: at, port, message });
        }
    }
    // At one place more than a quantum takes: the song's buffer is full there.
    let pressure = |n: usize| Event::ChannelPressure { channel: (n % 16) as u8, pressure: (n % 128) as u8 };
    events.extend((0..MAX_EVENTS_PER_QUANTUM + 100).map(|n| PageEvent {
        time: time(SONG_FRAMES / 2),
        port: 0,
        message: Message::Event(pressure(n)),
    }));
    events.sort_by_key(|event| event.time);
    events
}

/// GM system on, the song's only SysEx.
const SYSEX: [u8; 6] = [0xf0, 0x7e, 0x7f, 0x09, 0x01, 0xf7];

impl Scenario {
    pub fn new(seed: u64, quantum_frames: u32) -> Self {
        let mut random = Rng::with_seed(seed);
        let config = EngineConfig {
            sample_rate_hz: RATE,
            quantum_frames,
            channels_in: INPUTS as u16,
            channels_out: OUTPUTS as u16,
            has_ceiling: true,
        };
        let (handle, engine) = engine(config).expect("the configuration is within the limits");
        let (synth_handle, processor) = synth(SynthConfig { polyphony: 48, ..SynthConfig::new(RATE) });
        let mut graph = Graph::new();
        let sequencer = graph.add_sequencer().unwrap();
        let live = graph.add_live_in().unwrap();
        let device_in = graph.add_device_in(INPUTS as u16).unwrap();
        let output = graph.add_output(OUTPUTS as u16).unwrap();
        let midi_out = graph.add_midi_out().unwrap();
        let synth_node = graph.add_processor(processor.info(), Box::new(processor)).unwrap();
        let octave = graph.add_processor(Octave::info(), Box::new(Octave)).unwrap();
        let (follower, node) = follower(RATE);
        let listener = graph.add_processor(FollowerNode::info(), Box::new(node)).unwrap();
        for port in 0..4 {
            graph.connect_events((sequencer, port), (synth_node, port)).unwrap();
            graph.connect_events((sequencer, port), (listener, port)).unwrap();
        }
        graph.connect_events((live, 0), (listener, 0)).unwrap();
        graph.connect_events((live, 0), (octave, 0)).unwrap();
        graph.connect_events((octave, 0), (synth_node, 0)).unwrap();
        graph.connect_events((sequencer, 0), (midi_out, 0)).unwrap();
        graph.connect_audio((synth_node, 0), (output, 0)).unwrap();
        graph.connect_audio((device_in, 0), (output, 0)).unwrap();

        let song = song(&mut random);
        let buffers = Buffers {
            inputs: std::array::from_fn(|_| vec![0.0; MAX_CALLBACK_FRAMES]),
            outputs: std::array::from_fn(|_| vec![0.0; MAX_CALLBACK_FRAMES]),
            midi_in: MidiBuffer::new(2048, 1 << 16),
            midi_out: MidiBuffer::new(2048, 1 << 16),
        };
        let mut scenario = Scenario {
            handle,
            engine,
            graph,
            output,
            sequencer,
            synth_node,
            device_in,
            octave,
            filters: vec![],
            synth: synth_handle,
            _follower: follower,
            presets: Presets::new(),
            song,
            feeder: None,
            generation: 0,
            timelines: 0,
            random,
            neglect: 0,
            feeder_pause: 0,
            outputs: OUTPUTS,
            buffers,
            peak: 0.0,
            not_finite: 0,
            loud_callbacks: 0,
            callbacks: 0,
            swaps: 0,
        };
        (0..PROGRAMS).for_each(|program| scenario.install(program));
        scenario.send_graph();
        scenario.load(false, When::Now);
        let _ = scenario.handle.play();
        scenario
    }

    /// One callback and what the world did before it.
    pub fn step(&mut self, call: Call<'_>) {
        self.side_b();
        self.feed();
        let quantum = u64::from(self.handle.config().quantum_frames);
        let frames = match self.random.u64(..40) {
            0 => 1 + self.random.u64(..MAX_CALLBACK_FRAMES as u64),
            1..=9 => 1 + self.random.u64(..4 * quantum),
            10 => 1,
            _ => quantum * (1 + self.random.u64(..3)),
        };
        self.callback((frames as usize).min(MAX_CALLBACK_FRAMES), call);
    }

    /// A callback of exactly one quantum, as callgrind wants it.
    #[allow(dead_code, reason = "tests/rt_safety.rs shares this file and has no need of it")]
    pub fn step_one_quantum(&mut self, call: Call<'_>) {
        self.side_b();
        self.feed();
        self.callback(self.handle.config().quantum_frames as usize, call);
    }

    /// A callback of one quantum in which nothing happens but the music.
    pub fn quiet_quantum(&mut self, call: Call<'_>) {
        self.handle.collect();
        self.callback(self.handle.config().quantum_frames as usize, call);
    }

    /// One time out of some, one of the things that happen to an engine.
    fn side_b(&mut self) {
        if self.neglect > 0 {
            self.neglect -= 1;
        } else {
            self.handle.collect();
            self.handle.reports().for_each(drop);
            self.presets.collector.collect();
            while self.synth.next_request().is_some() {}
        }
        self.callbacks += 1;
        if self.callbacks.is_multiple_of(SWAP_CALLBACKS) {
            self.swap_sound_font();
        }
        if self.random.u64(..12) != 0 {
            return;
        }
        // What finds the border full is not done: that is the scenario's full ring.
        let _ = match self.random.u64(..16) {
            0 => self.handle.pause(),
            1 | 2 => self.handle.play(),
            3 => self.seek(false),
            4 | 5 => self.seek(true),
            6 => self.handle.mute(self.random.u64(..4) as u8, self.random.u64(..) as u16),
            7 => self.handle.transpose(self.random.u64(..25) as i8 - 12, [!(1 << 9); 4]),
            8 => self.handle.set_tempo_scale(TempoScale::new(1 + self.random.u64(..30) as u32, 10).unwrap()),
            9 => {
                // Rewiring in a burst: more graphs than the engine has quanta to take them.
                (0..1 + self.random.u64(..6)).for_each(|_| self.rewire());
                Ok(())
            }
            10 => self.storm(),
            11 => {
                self.neglect = self.random.u64(..400) as u32;
                Ok(())
            }
            12 => {
                let (streamed, when) =
                    (self.random.bool(), if self.random.bool() { When::Now } else { When::AtEnd });
                self.load(streamed, when);
                self.handle.play()
            }
            13 => {
                let program = self.random.u64(..6) as u32;
                self.install(program);
                self.handle.panic()
            }
            14 => self.handle.master_gain(self.random.u64(..100) as f32 / 100.0),
            _ => {
                // The device goes away for a while, and comes back with fewer channels.
                self.outputs = 1 + self.random.u64(..OUTPUTS as u64) as usize;
                self.handle.panic()
            }
        };
    }

    fn storm(&mut self) -> Result<(), kmidi_graph::BorderFull> {
        let slot = self.filters.first().and_then(|&filter| self.graph.slot(filter)).unwrap_or(200);
        loop {
            let value = self.random.u64(..1000) as f64 / 1000.0;
            self.handle.parameter(slot, 1, value)?;
        }
    }

    fn install(&mut self, program: u32) {
        let key = PresetKey::melodic(0, (program % PROGRAMS) as u8);
        // A full ring gives the preset back: dropped here, on side B.
        let _ = self.synth.install(key, self.presets.preset(program));
        let _ = self.synth.install(PresetKey::drum(0), self.presets.preset(program + 1));
    }

    /// All presets at once are replaced by others, with samples of their own; what sounds goes on.
    fn swap_sound_font(&mut self) {
        self.swaps += 1;
        for program in 0..PROGRAMS {
            let key = PresetKey::melodic(0, program as u8);
            let _ = self.synth.install(key, self.presets.preset(program + self.swaps as u32 % 7));
        }
        let _ = self.synth.install(PresetKey::drum(0), self.presets.preset(self.swaps as u32 % 5));
    }

    /// What the collector has to free some time: presets and samples that are in use, and those that were.
    #[allow(dead_code, reason = "only tests/rt_safety.rs needs it")]
    pub fn sound_allocations(&mut self) -> usize {
        self.presets.collector.collect();
        self.presets.collector.alloc_count()
    }

    fn rewire(&mut self) {
        let random = &mut self.random;
        match random.u64(..6) {
            0 | 1 if self.filters.len() < 8 => {
                let latency = if random.bool() { random.u64(..60_000) as u32 } else { 0 };
                let filter = self.graph.add_processor(Filter::info(latency), Filter::new()).unwrap();
                let source = if random.bool() { self.synth_node } else { self.device_in };
                self.graph.connect_audio((source, 0), (filter, 0)).unwrap();
                self.graph.connect_audio((filter, 0), (self.output, 0)).unwrap();
                self.filters.push(filter);
            }
            2 | 3 if !self.filters.is_empty() => {
                let index = random.u64(..self.filters.len() as u64) as usize;
                self.graph.remove_node(self.filters.swap_remove(index)).unwrap();
            }
            4 => {
                let port = random.u64(..4) as u16;
                self.graph.disconnect_events(self.sequencer, self.synth_node);
                self.graph.connect_events((self.sequencer, port), (self.synth_node, 0)).unwrap();
                self.graph.connect_events((self.sequencer, port), (self.octave, 0)).unwrap();
            }
            _ => {
                for port in 0..4 {
                    self.graph.connect_events((self.sequencer, port), (self.synth_node, port)).unwrap();
                }
                self.graph.disconnect_events(self.sequencer, self.octave);
            }
        }
        self.send_graph();
    }

    pub fn send_graph(&mut self) {
        if self.handle.room() > 0 {
            self.handle.set_graph(&mut self.graph).expect("the scenario's graphs have no cycle");
        }
    }

    fn place(&mut self, frame: i64, looping: bool) -> Locate {
        let cursor = |song: &[PageEvent], frame: i64| song.partition_point(|event| event.time < time(frame));
        let is_state = |event: &&PageEvent| {
            !matches!(event.message, Message::Event(Event::NoteOn { .. } | Event::NoteOff { .. }))
        };
        let chase = |song: &[PageEvent], frame: i64| {
            let before = &song[..cursor(song, frame)];
            let events = before.iter().filter(is_state).rev().take(300).copied().collect();
            Chase { events, sysex: SYSEX.to_vec(), ..Chase::default() }
        };
        self.generation += 1;
        // Short loops around the place, so that they wrap often before the next seek.
        let (start, length) = ((frame - 2000).max(0), 4096 + self.random.u64(..8000) as i64);
        Locate {
            position: Some(time(frame)),
            generation: self.generation,
            cursor: cursor(&self.song, frame),
            chase: chase(&self.song, frame),
            looping: looping.then(|| LoopPlan {
                range: LoopRange { start: time(start), end: time(start + length) },
                cursor: cursor(&self.song, start),
                chase: chase(&self.song, start),
            }),
        }
    }

    fn seek(&mut self, looping: bool) -> Result<(), kmidi_graph::BorderFull> {
        let frame = self.random.u64(..SONG_FRAMES as u64) as i64;
        let place = self.place(frame, looping && self.feeder.is_none());
        if let Some(feeder) = &mut self.feeder {
            feeder.next = place.cursor;
        }
        self.handle.locate(place)
    }

    fn load(&mut self, streamed: bool, when: When) {
        if self.handle.room() == 0 {
            return;
        }
        self.timelines += 1;
        // A song that only follows starts from memory: its feeder would have to wait.
        let source = if streamed && when == When::Now {
            let (sender, stream) = page_stream();
            self.feeder = Some(Feeder { sender, next: 0 });
            Source::Streamed(stream)
        } else {
            if when == When::Now {
                self.feeder = None;
            }
            let page =
                Page { events: self.song.clone(), sysex: SYSEX.to_vec(), last: true, ..Page::default() };
            Source::Resident(Box::new(page))
        };
        let place = self.place(0, false);
        let timeline = Timeline { id: self.timelines, source, end: time(SONG_FRAMES) };
        self.handle.set_timeline(Some(timeline), place, when).expect("there is room: seen above");
    }

    /// Sends pages, but not always in time: now and then the disk is slow.
    fn feed(&mut self) {
        self.feeder_pause = self.feeder_pause.saturating_sub(1);
        if self.random.u64(..400) == 0 {
            self.feeder_pause = 300;
        }
        let Some(feeder) = &mut self.feeder else { return };
        if feeder.sender.is_abandoned() {
            self.feeder = None;
            return;
        }
        if self.feeder_pause > 0 {
            return;
        }
        while let Some(mut page) = feeder.sender.free_page() {
            let end = (feeder.next + 10).min(self.song.len());
            page.generation = self.generation;
            page.events.extend_from_slice(&self.song[feeder.next..end]);
            page.sysex.extend_from_slice(&SYSEX);
            page.last = end == self.song.len();
            match feeder.sender.send(page) {
                Ok(()) => feeder.next = end,
                Err(page) => {
                    feeder.sender.give_back(page);
                    return;
                }
            }
        }
    }

    fn callback(&mut self, frames: usize, call: Call<'_>) {
        let Buffers { inputs, outputs, midi_in, midi_out } = &mut self.buffers;
        // The right channel of the input is silent all the time.
        for sample in &mut inputs[0][..frames] {
            *sample = (self.random.u64(..) as i32 as f32) * 1e-11;
        }
        midi_in.clear();
        midi_out.clear();
        let burst = if self.random.u64(..50) == 0 { 300 } else { self.random.u64(..4) };
        for n in 0..burst {
            let mut bytes = [0; 3];
            if let Some(len) = channel_event(&mut self.random).to_midi1(&mut bytes) {
                let _ = midi_in.push((n as usize * frames / burst as usize) as u32, &bytes[..len]);
            }
        }
        let [left, right] = outputs;
        let mut outputs: [&mut [f32]; OUTPUTS] = [&mut left[..frames], &mut right[..frames]];
        let inputs = [&inputs[0][..frames], &inputs[1][..frames]];
        let io = &mut DeviceIo {
            frames,
            inputs: &inputs,
            outputs: &mut outputs[..self.outputs],
            midi_in,
            midi_out,
        };
        call(&mut self.engine, io);
        let mut peak = 0f32;
        for output in &outputs[..self.outputs] {
            for sample in output.iter() {
                self.not_finite += u64::from(!sample.is_finite());
                peak = peak.max(sample.abs());
            }
        }
        self.loud_callbacks += u64::from(peak > 1e-3);
        self.peak = self.peak.max(peak);
    }
}
