//! A synthesiser with one preset of hand-made zones, and a way to play it.

use basedrop::{Collector, Shared};
use kmidi_core::{
    AudioBuffer, AudioPorts, Event, EventBuffer, ProcessContext, ProcessStatus, Processor, SysExPool,
    TimedEvent, Transport,
};
use kmidi_soundfont::{
    DEFAULT_MODULATORS, GUARD_FRAMES, Generator, Generators, Modulator, Preset, PresetKey, Sample, Synth,
    SynthConfig, SynthHandle, Zone, synth,
};

/// Sample rate of all tests, and of the hand-made samples, in Hz.
pub const RATE: u32 = 48_000;

/// What a test wants to happen at a frame.
pub enum Action {
    Event(Event),
    SysEx(Vec<u8>),
}

impl From<Event> for Action {
    fn from(event: Event) -> Self {
        Action::Event(event)
    }
}

pub fn on(key: u8, velocity: u8) -> Action {
    Event::note_on(0, key, velocity).into()
}

pub fn off(key: u8) -> Action {
    Event::note_off(0, key, 64).into()
}

pub fn cc(controller: u8, value: u8) -> Action {
    Event::ControlChange { channel: 0, controller, value }.into()
}

/// A zone over all keys and velocities, to be changed by [`ZoneSketch::set`] and others.
pub struct ZoneSketch {
    pub generators: Generators,
    pub modulators: Vec<Modulator>,
    pub sample: Vec<f32>,
    pub loop_frames: (u32, u32),
    pub root_key: u8,
    pub keys: std::ops::RangeInclusive<u8>,
    pub velocities: std::ops::RangeInclusive<u8>,
}

impl ZoneSketch {
    pub fn of(sample: Vec<f32>) -> Self {
        let loop_frames = (0, sample.len() as u32);
        ZoneSketch {
            generators: Generators::default(),
            modulators: DEFAULT_MODULATORS.to_vec(),
            sample,
            loop_frames,
            root_key: 60,
            keys: 0..=127,
            velocities: 0..=127,
        }
    }

    /// A looped sine of 1000 Hz at key 60: 48 frames a period, the loop 1 s long.
    pub fn sine() -> Self {
        let wave = |i: u32| (std::f64::consts::TAU * f64::from(i) / 48.0).sin() as f32;
        Self::of((0..RATE + 8).map(wave).collect()).looped(0, RATE)
    }

    /// A looped constant of 1: what comes out is the gain.
    pub fn constant() -> Self {
        Self::of(vec![1.0; 1024]).looped(0, 1024)
    }

    pub fn looped(mut self, start: u32, end: u32) -> Self {
        self.loop_frames = (start, end);
        self.set(Generator::SampleModes, 1)
    }

    pub fn set(mut self, generator: Generator, value: i32) -> Self {
        self.generators[generator] = value;
        self
    }
}

/// Presets must not outlive their collector's list; tests leak it.
pub fn preset(zones: Vec<ZoneSketch>) -> Shared<Preset> {
    let handle = Collector::new().handle();
    let zones = zones
        .into_iter()
        .map(|sketch| {
            let guard = [0.0; GUARD_FRAMES];
            let sample = Sample {
                name: "test".into(),
                data: guard.iter().chain(&sketch.sample).chain(&guard).copied().collect(),
                rate_hz: RATE,
                root_key: sketch.root_key,
                correction_cents: 0,
                loop_start: sketch.loop_frames.0,
                loop_end: sketch.loop_frames.1,
            };
            Zone {
                keys: sketch.keys,
                velocities: sketch.velocities,
                generators: sketch.generators,
                modulators: sketch.modulators.into(),
                sample: Shared::new(&handle, sample),
            }
        })
        .collect();
    Shared::new(&handle, Preset { bank: 0, program: 0, name: "test".into(), zones })
}

/// Dry, at gain 1, with all default modulators.
pub fn dry() -> SynthConfig {
    let new = SynthConfig::new(RATE);
    SynthConfig { reverb: false, chorus: false, velocity_to_cutoff: true, gain: 1.0, ..new }
}

pub struct Rig {
    pub handle: SynthHandle,
    pub synth: Synth,
    sysex: SysExPool,
    events_out: EventBuffer,
    transport: Transport,
}

impl Rig {
    pub fn new(config: SynthConfig) -> Self {
        let (handle, synth) = synth(config);
        let (sysex, events_out) = (SysExPool::new(), EventBuffer::with_capacity(1));
        Rig { handle, synth, sysex, events_out, transport: Transport::default() }
    }

    /// With the preset as program 0 of bank 0 and as drum kit 0.
    pub fn with(config: SynthConfig, zones: Vec<ZoneSketch>) -> Self {
        let mut rig = Rig::new(config);
        let preset = preset(zones);
        rig.handle.install(PresetKey::melodic(0, 0), preset.clone()).unwrap();
        rig.handle.install(PresetKey::drum(0), preset).unwrap();
        rig
    }

    /// Plays actions given in time order through quanta of one size.
    pub fn play(&mut self, actions: &[(usize, Action)], frames: usize, quantum: usize) -> [Vec<f32>; 2] {
        let mut sound = [Vec::new(), Vec::new()];
        let mut buffers = [AudioBuffer::silent(quantum), AudioBuffer::silent(quantum)];
        let mut next = 0;
        for start in (0..frames).step_by(quantum) {
            let mut events = Vec::new();
            while let Some((time, action)) = actions.get(next).filter(|(time, _)| *time < start + quantum) {
                let event = match action {
                    Action::Event(event) => *event,
                    Action::SysEx(bytes) => Event::SysEx(self.sysex.push(bytes).unwrap()),
                };
                events.push(TimedEvent { time: (time - start) as u32, port: 0, event });
                next += 1;
            }
            // What a buffer held before must not matter.
            buffers.iter_mut().for_each(|buffer| buffer.fill(f32::NAN));
            self.quantum(&events, &mut buffers);
            for (sound, buffer) in sound.iter_mut().zip(&buffers) {
                sound.extend_from_slice(buffer);
            }
        }
        sound.iter_mut().for_each(|channel| channel.truncate(frames));
        sound
    }

    pub fn quantum(&mut self, events: &[TimedEvent], buffers: &mut [AudioBuffer]) -> ProcessStatus {
        let frames = buffers[0].len() as u32;
        self.synth.process(&mut ProcessContext {
            frames,
            transport: &self.transport,
            audio: AudioPorts { inputs: &[], outputs: buffers, silent_inputs: 0, silent_outputs: 0 },
            events_in: events,
            events_out: &mut self.events_out,
            sysex: &mut self.sysex,
        })
    }
}

/// Plays one preset of these zones, dry at gain 1, in quanta of 64 frames.
pub fn play(zones: Vec<ZoneSketch>, actions: &[(usize, Action)], frames: usize) -> [Vec<f32>; 2] {
    Rig::with(dry(), zones).play(actions, frames, 64)
}
