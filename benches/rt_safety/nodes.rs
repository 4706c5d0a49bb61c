//! Small nodes that make the scenario's graph one with audio inputs, latency and events of its own.

use basedrop::{Collector, Handle, Shared};
use kmidi_core::{Event, NodeInfo, ProcessContext, ProcessStatus, Processor, TimedEvent};
use kmidi_soundfont::{DEFAULT_MODULATORS, GUARD_FRAMES, Generator, Generators, Preset, Sample, Zone};

fn info(name: &str, audio: (u16, u16), events: (u16, u16), latency_frames: u32) -> NodeInfo {
    let ports = |channels| if channels == 0 { vec![] } else { vec![channels] };
    NodeInfo {
        name: name.into(),
        audio_inputs: ports(audio.0),
        audio_outputs: ports(audio.1),
        event_inputs: events.0,
        event_outputs: events.1,
        latency_frames,
        ..NodeInfo::default()
    }
}

/// A low-pass filter, one pole, whose tail decays into the denormals; sleeps when it is silent.
#[derive(Default)]
pub struct Filter {
    state: [f32; 2],
    step: f32,
}

impl Filter {
    pub fn info(latency_frames: u32) -> NodeInfo {
        info("filter", (2, 2), (1, 0), latency_frames)
    }
    pub fn new() -> Box<Self> {
        Box::new(Filter { state: [0.0; 2], step: 0.2 })
    }
}

impl Processor for Filter {
    fn process(&mut self, cx: &mut ProcessContext<'_>) -> ProcessStatus {
        for event in cx.events_in {
            if let Event::Parameter { value, .. } = event.event {
                self.step = (value as f32).clamp(0.01, 0.9);
            }
        }
        let silent_in = cx.audio.inputs_are_silent();
        for (channel, output) in cx.audio.outputs.iter_mut().enumerate() {
            for (output, input) in output.iter_mut().zip(cx.audio.inputs[channel]) {
                self.state[channel] += (input - self.state[channel]) * self.step;
                *output = self.state[channel];
            }
        }
        let still = silent_in && self.state == [0.0; 2];
        if still { ProcessStatus::Sleep } else { ProcessStatus::Continue }
    }

    fn reset(&mut self) {
        self.state = [0.0; 2];
    }
}

/// Passes events on, each note-on and note-off also an octave higher.
pub struct Octave;

impl Octave {
    pub fn info() -> NodeInfo {
        info("octave", (0, 0), (1, 1), 0)
    }
}

impl Processor for Octave {
    fn process(&mut self, cx: &mut ProcessContext<'_>) -> ProcessStatus {
        for timed in cx.events_in {
            let doubled = match timed.event {
                Event::NoteOn { channel, key: key @ ..116, velocity } => {
                    Some(Event::NoteOn { channel, key: key + 12, velocity })
                }
                Event::NoteOff { channel, key: key @ ..116, velocity } => {
                    Some(Event::NoteOff { channel, key: key + 12, velocity })
                }
                _ => None,
            };
            for event in [Some(timed.event), doubled].into_iter().flatten() {
                // A full buffer counts.
                let _ = cx.events_out.push(TimedEvent { event, ..*timed });
            }
        }
        ProcessStatus::Continue
    }

    fn reset(&mut self) {}
}

/// Presets of hand-made samples, and the collector that frees what side A has let go.
pub struct Presets {
    pub collector: Collector,
    handle: Handle,
}

impl Presets {
    pub fn new() -> Self {
        let collector = Collector::new();
        Presets { handle: collector.handle(), collector }
    }

    /// A looped tone with a filter and a release; each `variant` sounds a little different.
    pub fn preset(&self, variant: u32) -> Shared<Preset> {
        const PERIOD: u32 = 109;
        let wave = |i: u32| (i % PERIOD) as f32 / PERIOD as f32 - 0.5;
        let guard = [0.0; GUARD_FRAMES];
        let frames: Vec<f32> = (0..PERIOD * 20).map(wave).collect();
        let sample = Sample {
            name: "saw".into(),
            data: guard.iter().chain(&frames).chain(&guard).copied().collect(),
            rate_hz: 48_000,
            root_key: 69,
            correction_cents: 0,
            loop_start: PERIOD * 4,
            loop_end: PERIOD * 18,
        };
        let mut generators = Generators::default();
        for (generator, value) in [
            (Generator::SampleModes, 1),
            (Generator::InitialFilterFc, 6000 + 100 * variant as i32),
            (Generator::ReleaseVolEnv, -2000),
            (Generator::ModEnvToPitch, 50),
            (Generator::VibLfoToPitch, 20),
            (Generator::ReverbEffectsSend, 200),
            (Generator::ChorusEffectsSend, 100),
        ] {
            generators[generator] = value;
        }
        let zone = Zone {
            keys: 0..=127,
            velocities: 0..=127,
            generators,
            modulators: DEFAULT_MODULATORS.to_vec().into(),
            sample: Shared::new(&self.handle, sample),
        };
        let preset = Preset { bank: 0, program: 0, name: "saw".into(), zones: Box::new([zone]) };
        Shared::new(&self.handle, preset)
    }
}
