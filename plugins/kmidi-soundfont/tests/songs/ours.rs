//! A score through the synthesiser of this crate.

use std::collections::BTreeSet;
use std::fs::File;
use std::sync::Arc;

use basedrop::{Collector, Shared};
use kmidi_core::{
    AudioBuffer, AudioPorts, Event, EventBuffer, ProcessContext, Processor, SysExPool, TimedEvent, Transport,
};
use kmidi_song::SmfEvent;
use kmidi_soundfont::{Preset, PresetKey, SoundFont, SynthConfig, synth};

use crate::score::Score;

const QUANTUM: usize = 64;

pub struct Instruments {
    font: SoundFont,
}

impl Instruments {
    pub fn open(path: &str) -> Self {
        let handle = Collector::new().handle();
        let file =
            File::open(path).unwrap_or_else(|error| panic!("{path}: {error}: install fluid-soundfont-gm"));
        Instruments { font: SoundFont::open(Arc::new(file), &handle).unwrap() }
    }

    /// The preset, or what stands in for it: the same program of bank 0, the first kit.
    pub fn preset(&self, key: PresetKey) -> Option<Shared<Preset>> {
        let stand_in = if key.is_drum() { PresetKey::drum(0) } else { PresetKey::melodic(0, key.program()) };
        let load = |key: PresetKey| self.font.load_preset(key.bank(), key.program(), None).ok();
        load(key).or_else(|| load(stand_in))
    }
}

/// What the score's program changes ask for, in GS's way.
fn programs(score: &Score) -> BTreeSet<PresetKey> {
    let mut keys = BTreeSet::from([PresetKey::melodic(0, 0), PresetKey::drum(0)]);
    let mut banks = [0; 16];
    for event in score.events.iter().filter_map(|(_, event)| event.event()) {
        match event {
            Event::ControlChange { channel, controller: 0, value } => banks[usize::from(channel)] = value,
            Event::ProgramChange { channel: 9, program } => {
                keys.insert(PresetKey::drum(program));
            }
            Event::ProgramChange { channel, program } => {
                keys.insert(PresetKey::melodic(banks[usize::from(channel)], program));
            }
            _ => {}
        }
    }
    keys
}

/// Left and right, dry.
pub fn render(instruments: &Instruments, score: &Score, frames: u64, config: SynthConfig) -> [Vec<f32>; 2] {
    let config = SynthConfig { polyphony: 1024, reverb: false, chorus: false, ..config };
    let (mut handle, mut synth) = synth(config);
    for key in programs(score) {
        if let Some(preset) = instruments.preset(key) {
            handle.install(key, preset).unwrap();
        }
    }
    let mut sysex = SysExPool::new();
    let mut events_out = EventBuffer::with_capacity(1);
    let mut buffers = [QUANTUM, QUANTUM].map(AudioBuffer::silent);
    let mut sound = [Vec::new(), Vec::new()];
    let mut next = 0;
    for start in (0..frames).step_by(QUANTUM) {
        let mut events = Vec::new();
        while let Some((frame, event)) = score.events.get(next).filter(|(at, _)| *at < start + QUANTUM as u64)
        {
            let event = match event {
                SmfEvent::SysEx(bytes) => {
                    let message: Vec<u8> = [0xf0].iter().chain(bytes.iter()).copied().collect();
                    sysex.push(&message).map(Event::SysEx)
                }
                event => event.event(),
            };
            let time = (frame - start) as u32;
            events.extend(event.map(|event| TimedEvent { time, port: 0, event }));
            next += 1;
        }
        synth.process(&mut ProcessContext {
            frames: QUANTUM as u32,
            transport: &Transport::default(),
            audio: AudioPorts { inputs: &[], outputs: &mut buffers, silent_inputs: 0, silent_outputs: 0 },
            events_in: &events,
            events_out: &mut events_out,
            sysex: &mut sysex,
        });
        for (sound, buffer) in sound.iter_mut().zip(&buffers) {
            sound.extend_from_slice(buffer);
        }
    }
    let status = handle.status();
    assert_eq!((status.voices_stolen, status.presets_missing), (0, 0), "{status:?}");
    sound
}
