//! Plugins come and go while notes play: hosted ones, taken in, passed by and let go by the steps that a session's rack
//! takes, under storms of parameters. Nothing of it may be counted, the plugins' own work included.

use fastrand::Rng;
use kmidi_core::{DeviceIo, Event, MidiBuffer};
use kmidi_gain_clap::ID;
use kmidi_graph::{EngineHandle, Graph, NodeId, engine};
use kmidi_host::{Activation, ActivePlugin, Format, Plugin, PluginId, warm_up};
use kmidi_rt::{Engine, EngineConfig, Junction};
use kmidi_soundfont::{PresetKey, SynthConfig, SynthHandle, synth};

use crate::nodes::Presets;
use crate::scenario::Call;
use crate::watch::Watch;

const RATE: u32 = 48_000;
const FRAMES: usize = 64;
const PLUGINS: usize = 4;
/// Quanta of one step of a change: more than fades take.
const STEP_QUANTA: usize = 20;
/// Quanta in which pages are touched for the first time.
const WARM_UP_QUANTA: usize = 2000;
/// The parameter of the plugin, in decibels.
const GAIN: u32 = 0;

/// A plugin in the row.
struct Slot {
    plugin: ActivePlugin,
    node: NodeId,
    junction: NodeId,
}

/// What is under way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Rest,
    /// The last one is there and not yet heard.
    Joined,
    /// It is heard, and the way past it still there.
    Crossed,
    /// The last one is no longer heard.
    Left,
}

struct Racks {
    // The engine first: plugins end when their audio halves have.
    engine: Engine,
    handle: EngineHandle,
    graph: Graph,
    source: NodeId,
    output: NodeId,
    row: Vec<Slot>,
    change: Change,
    leaving: Vec<ActivePlugin>,
    resting: Vec<Plugin>,
    random: Rng,
    outputs: [Vec<f32>; 2],
    midi_in: MidiBuffer,
    midi_out: MidiBuffer,
    changes: usize,
    storms: u64,
    loud: usize,
    _synth: SynthHandle,
    _presets: Presets,
}

impl Racks {
    fn new() -> Self {
        let config = EngineConfig {
            sample_rate_hz: RATE,
            quantum_frames: FRAMES as u32,
            channels_in: 0,
            channels_out: 2,
            has_ceiling: true,
        };
        let (mut handle, engine) = engine(config).expect("the configuration is within the limits");
        let (mut synth, processor) = synth(SynthConfig::new(RATE));
        let presets = Presets::new();
        let _ = synth.install(PresetKey::melodic(0, 0), presets.preset(0));
        let mut graph = Graph::new();
        let live = graph.add_live_in().unwrap();
        let output = graph.add_output(2).unwrap();
        let source = graph.add_processor(processor.info(), Box::new(processor)).unwrap();
        graph.connect_events((live, 0), (source, 0)).unwrap();
        graph.connect_audio((source, 0), (output, 0)).unwrap();
        handle.set_graph(&mut graph).expect("the graph has no cycle");
        Racks {
            engine,
            handle,
            graph,
            source,
            output,
            row: vec![],
            change: Change::Rest,
            leaving: vec![],
            resting: (0..PLUGINS).map(|_| load()).collect(),
            random: Rng::with_seed(64),
            outputs: std::array::from_fn(|_| vec![0.0; FRAMES]),
            midi_in: MidiBuffer::new(256, 1 << 12),
            midi_out: MidiBuffer::new(256, 1 << 12),
            changes: 0,
            storms: 0,
            loud: 0,
            _synth: synth,
            _presets: presets,
        }
    }

    /// What the one at this place hears.
    fn before(&self, at: usize) -> NodeId {
        at.checked_sub(1).map_or(self.source, |before| self.row[before].junction)
    }

    fn gain(&mut self, from: NodeId, to: NodeId, gain: f32) {
        self.graph.set_connection_gain(from, to, gain).expect("they are connected");
    }

    /// The next step of what is under way, or something new.
    fn edit(&mut self) {
        let last = self.row.len().wrapping_sub(1);
        let output = self.output;
        self.change = match self.change {
            Change::Joined => {
                let (before, junction) = (self.before(last), self.row[last].junction);
                self.gain(before, output, 0.0);
                self.gain(junction, output, 1.0);
                Change::Crossed
            }
            Change::Crossed => {
                self.graph.disconnect_audio(self.before(last), output);
                Change::Rest
            }
            Change::Left => {
                let Slot { plugin, node, junction } = self.row.pop().expect("one has left");
                self.graph.remove_node(node).expect("it is there");
                self.graph.remove_node(junction).expect("it is there");
                self.leaving.push(plugin);
                Change::Rest
            }
            Change::Rest if !self.resting.is_empty() && (self.row.is_empty() || self.random.bool()) => {
                self.join();
                Change::Joined
            }
            Change::Rest if self.random.bool() => {
                let (before, junction) = (self.before(last), self.row[last].junction);
                self.graph.connect_audio((before, 0), (output, 0)).expect("both are stereo");
                self.gain(junction, output, 0.0);
                Change::Left
            }
            Change::Rest => {
                self.pass_by();
                Change::Rest
            }
        };
        self.changes += 1;
        self.handle.set_graph(&mut self.graph).expect("there is room, and no cycle");
    }

    fn join(&mut self) {
        let plugin = self.resting.pop().expect("one rests");
        let activation = Activation { sample_rate_hz: RATE, quantum_frames: FRAMES as u32, offline: false };
        let Ok((plugin, mut half)) = plugin.activate(&activation) else { panic!("it does not run") };
        let info = plugin.node_info().clone();
        warm_up(&mut *half, &info, FRAMES as u32);
        let before = self.before(self.row.len());
        let graph = &mut self.graph;
        let node = graph.add_processor(info, half).expect("there is room");
        let (junction, _) = Junction::new();
        let junction =
            graph.add_processor(Junction::info("sum".into()), Box::new(junction)).expect("there is room");
        for (from, to, port, gain) in [
            (before, node, 0, 1.0),
            (before, junction, Junction::DRY, 0.0),
            (node, junction, Junction::WET, 1.0),
            (junction, self.output, 0, 0.0),
        ] {
            graph.connect_audio((from, 0), (to, port)).expect("both are stereo");
            graph.set_connection_gain(from, to, gain).expect("they are connected");
        }
        self.row.push(Slot { plugin, node, junction });
    }

    /// Lets the sound go past one of them, or through it.
    fn pass_by(&mut self) {
        let at = self.random.usize(..self.row.len());
        let (before, Slot { node, junction, .. }) = (self.before(at), &self.row[at]);
        let (node, junction, dry) = (*node, *junction, f32::from(u8::from(self.random.bool())));
        self.gain(before, junction, dry);
        self.gain(node, junction, 1.0 - dry);
    }

    /// More parameters than a node takes, and more than there is room for on the way.
    fn storm(&mut self) {
        let Some(slot) = self.row.first().and_then(|slot| self.graph.slot(slot.node)) else { return };
        for n in 0..self.random.u32(..400) {
            let id = if n.is_multiple_of(3) { GAIN } else { n };
            self.storms += u64::from(self.handle.parameter(slot, id, -f64::from(n % 20)).is_err());
        }
    }

    fn quantum(&mut self, n: usize, call: Call<'_>) {
        self.midi_in.clear();
        self.midi_out.clear();
        let key = 40 + self.random.u8(..40);
        let event =
            if n.is_multiple_of(3) { Event::note_on(0, key, 100) } else { Event::note_off(0, key, 64) };
        let mut bytes = [0; 3];
        let len = event.to_midi1(&mut bytes).expect("a note");
        self.midi_in.push(0, &bytes[..len]).expect("there is room");
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
        self.loud += usize::from(self.outputs[0].iter().any(|sample| sample.abs() > 1e-3));
        self.handle.collect();
        self.row.iter_mut().for_each(|slot| {
            slot.plugin.idle();
            while slot.plugin.told().is_some() {}
        });
        for plugin in std::mem::take(&mut self.leaving) {
            match plugin.deactivate() {
                Ok(plugin) => self.resting.push(plugin),
                Err((plugin, _)) => self.leaving.push(plugin),
            }
        }
    }
}

fn load() -> Plugin {
    let file = std::env::current_exe().expect("a path").with_file_name("libkmidi_gain_clap.so");
    let id = PluginId::new(Format::Clap, ID);
    Plugin::load(&file, &id).unwrap_or_else(|error| panic!("built with the bench: {error}"))
}

/// Racks that change under the watch; whether nothing was counted.
pub fn phase(quanta: usize, watch: &mut Watch) -> bool {
    let mut racks = Racks::new();
    let mut warm_up = None;
    for n in 0..quanta + WARM_UP_QUANTA {
        if n % STEP_QUANTA == 0 && racks.handle.has_taken_graphs() && racks.handle.room() > 0 {
            racks.edit();
        }
        if n % 50 == 7 {
            racks.storm();
        }
        racks.quantum(n, &mut |engine, io| watch.watched(engine, io));
        if n == WARM_UP_QUANTA {
            warm_up = Some(watch.take().but_first_touches());
        }
    }
    let counts = watch.take();
    let status = racks.handle.status();
    let clean =
        counts == Default::default() && warm_up == Some(Default::default()) && status.guard_trips == 0;
    let lively = racks.changes > quanta / (2 * STEP_QUANTA) && racks.loud > quanta / 2 && racks.storms > 0;
    println!(
        "racks: {quanta} quanta, {} changes, {} parameters refused and {:?} dropped; {}",
        racks.changes,
        racks.storms,
        status.drops,
        if clean { "nothing counted".to_owned() } else { format!("FAILED: {counts:?}, warm-up {warm_up:?}") }
    );
    if !lively {
        println!("  FAILED: the racks did not do what they are for: loud in {} quanta", racks.loud);
    }
    clean && lively
}
