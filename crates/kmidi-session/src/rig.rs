//! The wiring: song -> synthesiser -> output, in an engine at one sample rate.

use kmidi_core::TempoScale;
use kmidi_core::limits::MAX_MIDI_PORTS;
use kmidi_follower::{FollowerHandle, FollowerNode, follower};
use kmidi_graph::{BorderFull, ConfigError, EngineHandle, Graph, GraphError, NodeId, SetGraphError};
use kmidi_memory::{BudgetExceeded, audio_heap};
use kmidi_rt::{ChannelMasks, Engine, EngineConfig};
use kmidi_soundfont::{Interpolation, SynthConfig, SynthHandle};

use crate::command::silent_mask;
use crate::rack::{Compensation, NoPlace, Parts};

/// Channels of everything here, but of a device that has more.
pub(crate) const CHANNELS: usize = 2;

/// How a song is to sound; the same for playing and rendering.
#[derive(Clone, Debug, PartialEq)]
pub struct SoundSettings {
    /// Voices at the same time.
    pub polyphony: usize,
    /// How samples are read between their frames.
    pub interpolation: Interpolation,
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
            interpolation: Interpolation::default(),
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
    /// A plugin has no place in it.
    #[error("{plugin}: {source}")]
    NoPlace {
        /// Its name.
        plugin: String,
        /// Why.
        source: NoPlace,
    },
    /// There is no room for it.
    #[error(transparent)]
    Budget(#[from] BudgetExceeded),
}

/// What a rig is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RigConfig {
    pub sample_rate_hz: u32,
    pub quantum_frames: u32,
    /// Whether live MIDI plays the synthesiser.
    pub live_in: bool,
    /// Captured channels.
    pub channels_in: u16,
    /// Channels of the device, at least two. All that names none is heard on the first two.
    pub channels_out: u16,
    /// Whether the song's events go to the device's MIDI output.
    pub midi_out: bool,
    /// Whether no sample exceeds full scale.
    pub has_ceiling: bool,
    /// Which paths are delayed so that all arrive together.
    pub compensation: Compensation,
}

/// Side B's ends of a running engine and of what is in it.
pub(crate) struct Rig {
    pub handle: EngineHandle,
    pub synth: SynthHandle,
    /// Hears the chords of what is played, where somebody looks.
    pub follower: Option<FollowerHandle>,
    pub config: RigConfig,
    /// What the engine runs, or is about to.
    pub graph: Graph,
    pub parts: Parts,
}

impl Rig {
    /// One that somebody looks at. Everything that the engine will own is on side A's heap.
    pub fn new(config: RigConfig, sound: &SoundSettings) -> Result<(Rig, Engine), RigError> {
        let mut follower = None;
        let (rig, engine) = Self::with(config, sound, |graph, parts| {
            follower = Some(follow(graph, parts, config.sample_rate_hz)?);
            Ok(())
        })?;
        Ok((Rig { follower, ..rig }, engine))
    }

    /// Without a follower, and with more in the graph before anything sounds.
    pub fn with(
        config: RigConfig,
        sound: &SoundSettings,
        wire: impl FnOnce(&mut Graph, &Parts) -> Result<(), RigError>,
    ) -> Result<(Rig, Engine), RigError> {
        audio_heap("the engine", || Self::build(config, sound, wire))?
    }

    fn build(
        config: RigConfig,
        sound: &SoundSettings,
        wire: impl FnOnce(&mut Graph, &Parts) -> Result<(), RigError>,
    ) -> Result<(Rig, Engine), RigError> {
        let sample_rate_hz = config.sample_rate_hz;
        let effects = sound.effects;
        let (synth, processor) = kmidi_soundfont::synth(SynthConfig {
            polyphony: sound.polyphony,
            interpolation: sound.interpolation,
            reverb: effects,
            chorus: effects,
            ..SynthConfig::new(sample_rate_hz)
        });
        let mut graph = Graph::new();
        let song = graph.add_sequencer()?;
        let instrument = graph.add_processor(processor.info(), Box::new(processor))?;
        connect_ports(&mut graph, song, instrument)?;
        let live = config.live_in.then(|| graph.add_live_in()).transpose()?;
        if let Some(live) = live {
            graph.connect_events((live, 0), (instrument, 0))?;
        }
        if config.midi_out {
            let port = graph.add_midi_out()?;
            graph.connect_events((song, 0), (port, 0))?;
        }
        let mut ports = vec![CHANNELS as u16];
        ports.resize(ports.len() + usize::from(config.channels_out).saturating_sub(CHANNELS), 1);
        let output = graph.add_output_ports(&ports)?;
        graph.connect_audio((instrument, 0), (output, 0))?;
        let channels_in = config.channels_in;
        let device_in = (channels_in > 0).then(|| graph.add_device_in(channels_in)).transpose()?;
        let parts = Parts { song, live, device_in, synth: instrument, output };
        wire(&mut graph, &parts)?;
        let (mut handle, engine) = kmidi_graph::engine(EngineConfig {
            sample_rate_hz,
            quantum_frames: config.quantum_frames,
            channels_in: config.channels_in,
            channels_out: config.channels_out,
            has_ceiling: config.has_ceiling,
        })?;
        handle.compiler().set_compensation(config.compensation.into());
        handle.set_graph(&mut graph)?;
        Ok((Rig { handle, synth, follower: None, config, graph, parts }, engine))
    }

    /// Tells the engine how the song is to sound. `melodic` says which channels are transposed.
    pub fn apply(&mut self, sound: &SoundSettings, melodic: ChannelMasks) -> Result<(), RigError> {
        self.set_silent(silent_mask(&sound.muted, &sound.soloed))?;
        self.handle.set_tempo_scale(sound.tempo_scale)?;
        self.handle.transpose(sound.transpose, melodic)?;
        self.handle.master_gain(db_to_linear(sound.gain_db))?;
        Ok(())
    }

    /// Has the synthesiser take what has been installed, even if it sleeps: an event that it ignores.
    pub fn wake_synth(&mut self) -> Result<(), RigError> {
        let slot = self.graph.slot(self.parts.synth).expect("it is in the schedule");
        Ok(self.handle.parameter(slot, 0, 0.0)?)
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

/// Has a follower listen to all that the synthesiser is told.
fn follow(graph: &mut Graph, parts: &Parts, sample_rate_hz: u32) -> Result<FollowerHandle, GraphError> {
    let (handle, node) = follower(sample_rate_hz);
    let node = graph.add_processor(FollowerNode::info(), Box::new(node))?;
    connect_ports(graph, parts.song, node)?;
    if let Some(live) = parts.live {
        graph.connect_events((live, 0), (node, 0))?;
    }
    Ok(handle)
}

/// Decibels as a factor.
pub(crate) fn db_to_linear(db: f32) -> f32 {
    10f32.powf(db / 20.0)
}

#[cfg(test)]
mod tests {
    use kmidi_device::{CallbackSizes, Offline};
    use kmidi_memory::audit::{Reached, reached};
    use kmidi_memory::{Budgets, Domain};
    use kmidi_rt::When;

    use super::*;
    use crate::feed::Feed;
    use crate::job::Cancel;
    use crate::pool::Pool;
    use crate::presets;
    use crate::reader::SongReader;
    use crate::song::OpenSong;
    use crate::sound_bank::SoundBank;

    const CONFIG: RigConfig = RigConfig {
        sample_rate_hz: 48_000,
        quantum_frames: 64,
        live_in: true,
        channels_in: 0,
        channels_out: CHANNELS as u16,
        midi_out: true,
        has_ceiling: true,
        compensation: Compensation::Song,
    };

    /// Plays a song, with a seek on the way, in an engine that `make` makes; then all blocks that it reaches.
    fn reached_by_an_engine(
        resident_events: u64,
        make: impl Fn(RigConfig, &SoundSettings) -> Result<(Rig, Engine), RigError>,
    ) -> Vec<Reached> {
        let budgets = Budgets::default();
        let path =
            concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/midi/freedoom/freedoom1_D_E1M1.mid");
        let song = OpenSong::open_here(path.as_ref(), &budgets, &Cancel::default()).unwrap();
        let collector = presets::collector();
        let bank = SoundBank::open_here(&[], &collector.handle(), &budgets, &Cancel::default()).unwrap();
        let pool = Pool::new(1, &budgets).unwrap();
        let wanted = presets::wanted(&song, presets::Notes::AsWritten);
        let set = presets::load_all(&pool, &bank.into(), &wanted, &Cancel::default(), |_| ());
        let (mut rig, mut engine) = make(CONFIG, &SoundSettings::default()).unwrap();
        for (key, preset) in set.presets {
            rig.synth.install(key, preset).ok().unwrap();
        }
        let reader = SongReader::new(song.index.clone(), song.source.clone(), 48_000).unwrap();
        let (mut feed, timeline) = Feed::open(reader, None, 1, resident_events).unwrap();
        let locate = feed.locate(kmidi_core::SongTime::ZERO, None).unwrap();
        let place =
            feed.locate(kmidi_core::SongTime::from_frames(kmidi_core::Frames(480_000)), None).unwrap();
        let sent = audio_heap("messages", || {
            rig.handle.set_timeline(Some(timeline), locate, When::Now)?;
            rig.handle.play()?;
            rig.handle.locate(place)
        });
        sent.unwrap().unwrap();
        let mut driver = Offline::new(CHANNELS);
        for frames in CallbackSizes::Constant(512).take(200) {
            feed.pump().unwrap();
            driver.run(&mut engine, frames);
            rig.handle.collect();
        }
        assert!(rig.synth.status().voices > 0 && rig.handle.status().playing);
        // What only looks like an address, in the unused half of some enum, is none any more when nothing but
        // the engine is left.
        drop((rig, feed, driver, song, pool));
        reached(&engine)
    }

    /// Samples and presets are the session's, lent to the engine.
    fn is_foreign(block: &Reached) -> bool {
        !block.is_in_region && block.domain != Domain::Working
    }

    #[test]
    fn everything_that_the_engine_owns_is_on_its_heap() {
        for resident_events in [u64::MAX, 0] {
            let blocks = reached_by_an_engine(resident_events, Rig::new);
            let own: Vec<_> = blocks.iter().filter(|block| block.is_in_region).collect();
            let bytes: usize = own.iter().map(|block| block.size).sum();
            assert!(own.len() > 50 && bytes > 1 << 20, "{} blocks, {bytes} bytes", own.len());
            let foreign: Vec<_> = blocks.iter().filter(|block| is_foreign(block)).collect();
            assert!(foreign.is_empty(), "{foreign:?}");
        }
    }

    #[test]
    fn control_an_engine_that_is_made_elsewhere_is_found_elsewhere() {
        let blocks = reached_by_an_engine(u64::MAX, |config, sound| Rig::build(config, sound, |_, _| Ok(())));
        assert!(blocks.iter().any(is_foreign), "{} blocks", blocks.len());
    }
}
