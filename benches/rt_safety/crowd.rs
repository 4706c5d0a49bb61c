//! A thousand voices: what a burst of a thousand notes costs beside a thousand that sound, and that nothing is
//! counted while their programs and SoundFonts change.

use fastrand::Rng;
use kmidi_core::limits::MIDI_CHANNELS;
use kmidi_core::{DeviceCallback, DeviceIo, Event, MidiBuffer};
use kmidi_graph::{EngineHandle, Graph, engine};
use kmidi_rt::{Engine, EngineConfig};
use kmidi_soundfont::{PresetKey, SynthConfig, SynthHandle, synth};

use crate::nodes::Presets;
use crate::scenario::Call;
use crate::watch::Watch;

const RATE: u32 = 48_000;
const FRAMES: usize = 64;
const VOICES: usize = 1024;
/// Notes of one burst.
const NOTES: usize = 1000;
const PROGRAMS: u8 = 4;
/// Quanta from one burst to the next.
const BURST_QUANTA: usize = 200;
/// Quanta after a burst in which it may still cost something.
const SPIKE_QUANTA: usize = 50;
const BURSTS: usize = 3;
/// The most that a quantum of a burst may cost, as a multiple of one in which as many notes sound.
const MOST: f64 = 2.0;

pub struct Crowd {
    handle: EngineHandle,
    engine: Engine,
    synth: SynthHandle,
    presets: Presets,
    outputs: [Vec<f32>; 2],
    midi_in: MidiBuffer,
    midi_out: MidiBuffer,
    pub most_voices: u32,
}

impl Crowd {
    pub fn new() -> Self {
        let config = EngineConfig {
            sample_rate_hz: RATE,
            quantum_frames: FRAMES as u32,
            channels_in: 0,
            channels_out: 2,
            has_ceiling: true,
        };
        let (mut handle, engine) = engine(config).expect("the configuration is within the limits");
        let (synth, processor) = synth(SynthConfig { polyphony: VOICES, ..SynthConfig::new(RATE) });
        let mut graph = Graph::new();
        let live = graph.add_live_in().unwrap();
        let output = graph.add_output(2).unwrap();
        let node = graph.add_processor(processor.info(), Box::new(processor)).unwrap();
        graph.connect_events((live, 0), (node, 0)).unwrap();
        graph.connect_audio((node, 0), (output, 0)).unwrap();
        handle.set_graph(&mut graph).expect("the graph has no cycle");
        let mut crowd = Crowd {
            handle,
            engine,
            synth,
            presets: Presets::new(),
            outputs: std::array::from_fn(|_| vec![0.0; FRAMES]),
            midi_in: MidiBuffer::new(2048, 1 << 16),
            midi_out: MidiBuffer::new(2048, 1 << 16),
            most_voices: 0,
        };
        crowd.change_sound_font(0);
        // A synthesiser without a note takes nothing: this one ends at once.
        crowd.quantum(&[Event::note_on(0, 0, 1), Event::note_off(0, 0, 1)], &mut |engine, io| {
            engine.process(io)
        });
        crowd
    }

    fn change_sound_font(&mut self, variant: u32) {
        for program in 0..PROGRAMS {
            let preset = self.presets.preset(variant + u32::from(program));
            let _ = self.synth.install(PresetKey::melodic(0, program), preset);
        }
        let _ = self.synth.install(PresetKey::drum(0), self.presets.preset(variant));
    }

    fn quantum(&mut self, events: &[Event], call: Call<'_>) {
        self.midi_in.clear();
        self.midi_out.clear();
        for event in events {
            let mut bytes = [0; 3];
            if let Some(len) = event.to_midi1(&mut bytes) {
                self.midi_in.push(0, &bytes[..len]).expect("there is room for a burst");
            }
        }
        let [left, right] = &mut self.outputs;
        call(
            &mut self.engine,
            &mut DeviceIo {
                frames: FRAMES,
                inputs: &[],
                outputs: &mut [left, right],
                midi_in: &self.midi_in,
                midi_out: &mut self.midi_out,
            },
        );
        self.handle.collect();
        self.presets.collector.collect();
        while self.synth.next_request().is_some() {}
        self.most_voices = self.most_voices.max(self.synth.status().voices);
    }
}

/// Every other key of all channels, and at the next burst those between.
fn notes(burst: usize) -> Vec<Event> {
    let key = |n: usize| (n / MIDI_CHANNELS * 2 + burst % 2) as u8;
    (0..NOTES).map(|n| Event::note_on((n % MIDI_CHANNELS) as u8, key(n), 100)).collect()
}

/// What callgrind looks at: bursts, the first into silence, the others while a thousand notes sound.
pub fn measured_run(call: Call<'_>) {
    let mut crowd = Crowd::new();
    for burst in 0..BURSTS {
        crowd.quantum(&notes(burst), call);
        (1..BURST_QUANTA).for_each(|_| crowd.quantum(&[], call));
    }
}

pub const MEASURED_QUANTA: usize = BURSTS * BURST_QUANTA;

/// Whether no burst costs too much; `quanta` are the instructions of each.
pub fn judge(quanta: &[u64]) -> bool {
    let mut passed = true;
    for (burst, quanta) in quanta.chunks(BURST_QUANTA).enumerate() {
        let (spike, steady) = quanta.split_at(SPIKE_QUANTA);
        let mut steady = steady.to_vec();
        steady.sort_unstable();
        let (worst, steady) = (spike.iter().max().copied().unwrap_or(0), steady[steady.len() / 2]);
        let ratio = worst as f64 / steady as f64;
        println!(
            "burst {burst} of {NOTES} notes: worst quantum {worst} instructions, {ratio:.2} of the {steady} of one after"
        );
        passed &= ratio <= MOST;
    }
    passed
}

/// A thousand voices under the watch, with bursts, program changes and SoundFonts on the way; whether nothing
/// was counted.
pub fn phase(quanta: usize, watch: &mut Watch) -> bool {
    let mut crowd = Crowd::new();
    let mut random = Rng::with_seed(1024);
    let mut counts = None;
    let (mut swaps, mut programs) = (0, 0);
    for n in 0..quanta + 2 * BURST_QUANTA {
        let mut events = vec![];
        if n % BURST_QUANTA == 0 {
            events = notes(n / BURST_QUANTA);
        }
        if n % 7 == 0 {
            let (channel, program) = (random.u8(..16), random.u8(..PROGRAMS));
            events.push(Event::ProgramChange { channel, program });
            programs += 1;
        }
        if n % 40 == 0 {
            swaps += 1;
            crowd.change_sound_font(swaps);
        }
        crowd.quantum(&events, &mut |engine, io| watch.watched(engine, io));
        if n == 2 * BURST_QUANTA {
            // Pages are touched for the first time up to here.
            let warm_up = watch.take();
            counts = Some(warm_up.but_first_touches());
        }
    }
    let clean = watch.take() == Default::default() && counts == Some(Default::default());
    println!(
        "crowd: {quanta} quanta, up to {} voices, {programs} program changes, {swaps} SoundFonts; {}",
        crowd.most_voices,
        if clean { "nothing counted" } else { "FAILED: something counted" }
    );
    clean && crowd.most_voices as usize >= NOTES
}
