//! The wiring: song -> synthesiser -> output, in an engine at one sample rate.

use kmidi_core::TempoScale;
use kmidi_core::limits::MAX_MIDI_PORTS;
use kmidi_graph::{BorderFull, ConfigError, EngineHandle, Graph, GraphError, NodeId, SetGraphError};
use kmidi_rt::{ChannelMasks, Engine, EngineConfig};
use kmidi_soundfont::{SynthConfig, SynthHandle};

use crate::command::silent_mask;

/// Channels of everything here.
pub(crate) const CHANNELS: usize = 2;

/// How a song is to sound; the same for playing and rendering.
#[derive(Clone, Debug, PartialEq)]
pub struct SoundSettings {
    /// Voices at the same time.
    pub polyphony: usize,
    /// Whether there are reverb and chorus.
    pub effects: bool,
    /// Master gain in decibels.
    pub gain_db: f32,
    /// Speed against the written tempo.
    pub tempo_scale: TempoScale,
    /// Semitones by which all but drums are shifted.
    pub transpose: i8,
    /// Channels (1..=16) that are muted.
    pub muted: Vec<u8>,
    /// Channels (1..=16) that alone are heard; empty for all.
    pub soloed: Vec<u8>,
}

impl Default for SoundSettings {
    fn default() -> Self {
        SoundSettings {
            polyphony: 256,
            effects: true,
            gain_db: 0.0,
            tempo_scale: TempoScale::ONE,
            transpose: 0,
            muted: vec![],
            soloed: vec![],
        }
    }
}

/// Why an engine could not be set up or told something.
#[derive(Debug, thiserror::Error)]
pub enum RigError {
    /// The graph refuses a node or a connection.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// No engine can be made like that.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The graph has no schedule.
    #[error(transparent)]
    SetGraph(#[from] SetGraphError),
    /// The engine does not take its mail.
    #[error(transparent)]
    BorderFull(#[from] BorderFull),
}

/// What a rig is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RigConfig {
    pub sample_rate_hz: u32,
    pub quantum_frames: u32,
    /// Whether live MIDI plays the synthesiser.
    pub live_in: bool,
    /// Whether the song's events go to the device's MIDI output.
    pub midi_out: bool,
    /// Whether no sample exceeds full scale.
    pub has_ceiling: bool,
}

/// Side B's ends of a running engine and of what is in it.
pub(crate) struct Rig {
    pub handle: EngineHandle,
    pub synth: SynthHandle,
    pub config: RigConfig,
}

impl Rig {
    pub fn new(config: RigConfig, sound: &SoundSettings) -> Result<(Rig, Engine), RigError> {
        let sample_rate_hz = config.sample_rate_hz;
        let effects = sound.effects;
        let (synth, processor) = kmidi_soundfont::synth(SynthConfig {
            polyphony: sound.polyphony,
            reverb: effects,
            chorus: effects,
            ..SynthConfig::new(sample_rate_hz)
        });
        let mut graph = Graph::new();
        let song = graph.add_sequencer()?;
        let instrument = graph.add_processor(processor.info(), Box::new(processor))?;
        connect_ports(&mut graph, song, instrument)?;
        if config.live_in {
            let live = graph.add_live_in()?;
            graph.connect_events((live, 0), (instrument, 0))?;
        }
        if config.midi_out {
            let port = graph.add_midi_out()?;
            graph.connect_events((song, 0), (port, 0))?;
        }
        let output = graph.add_output(CHANNELS as u16)?;
        graph.connect_audio((instrument, 0), (output, 0))?;
        let (mut handle, engine) = kmidi_graph::engine(EngineConfig {
            sample_rate_hz,
            quantum_frames: config.quantum_frames,
            channels_in: 0,
            channels_out: CHANNELS as u16,
            has_ceiling: config.has_ceiling,
        })?;
        handle.set_graph(&mut graph)?;
        Ok((Rig { handle, synth, config }, engine))
    }

    /// Tells the engine how the song is to sound. `melodic` says which channels are transposed.
    pub fn apply(&mut self, sound: &SoundSettings, melodic: ChannelMasks) -> Result<(), RigError> {
        self.set_silent(silent_mask(&sound.muted, &sound.soloed))?;
        self.handle.set_tempo_scale(sound.tempo_scale)?;
        self.handle.transpose(sound.transpose, melodic)?;
        self.handle.master_gain(db_to_linear(sound.gain_db))?;
        Ok(())
    }

    /// Silences exactly these channels of every port.
    pub fn set_silent(&mut self, channels: u16) -> Result<(), RigError> {
        for port in 0..MAX_MIDI_PORTS as u8 {
            self.handle.mute(port, channels)?;
        }
        Ok(())
    }
}

fn connect_ports(graph: &mut Graph, song: NodeId, instrument: NodeId) -> Result<(), GraphError> {
    (0..MAX_MIDI_PORTS as u16).try_for_each(|port| graph.connect_events((song, port), (instrument, port)))
}

/// Decibels as a factor.
pub(crate) fn db_to_linear(db: f32) -> f32 {
    10f32.powf(db / 20.0)
}
