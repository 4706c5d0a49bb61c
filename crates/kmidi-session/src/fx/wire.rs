//! The plugins of a chain: how many instances of each, and how they are connected.

use kmidi_graph::{Compensation, EngineHandle, Graph, NodeId};
use kmidi_host::{Activation, ActivePlugin, Description, Kind};
use kmidi_rt::{Engine, EngineConfig};

use super::{FxError, FxPlugin};
use crate::chain::{self, ChainError, Link, PluginChoice};
use crate::rig::RigError;
use crate::tail::Tails;

/// One place of the chain.
pub struct Stage {
    /// One, or one for each channel.
    links: Vec<Link>,
}

/// A chain that is loaded.
pub struct Chain {
    stages: Vec<Stage>,
    channels_in: u16,
    /// Channels that come out of it.
    pub channels_out: u16,
}

impl Chain {
    /// Loads the plugins for a file of `channels` channels. May take seconds, and runs foreign code.
    pub fn load(
        find: &dyn Fn(&str) -> Result<Description, ChainError>,
        choices: &[PluginChoice],
        activation: &Activation,
        channels: u16,
    ) -> Result<Self, FxError> {
        let mut chain = Chain {
            stages: Vec::with_capacity(choices.len()),
            channels_in: channels,
            channels_out: channels,
        };
        let mut from = "the file".to_owned();
        for choice in choices {
            let load = || chain::load(find, std::slice::from_ref(choice), activation);
            let mut links = load()?;
            let info = &links[0].info;
            let main = |ports: &[u16], what| {
                let channels = ports.first().copied();
                channels.ok_or_else(|| {
                    let (plugin, kind) = (info.name.clone(), links[0].plugin.description().kind);
                    FxError::NoAudio { plugin, what, advice: advice(kind) }
                })
            };
            let (takes, gives) = (main(&info.audio_inputs, "input")?, main(&info.audio_outputs, "output")?);
            let plugin = info.name.clone();
            match (chain.channels_out, takes, gives) {
                // What is different on both sides stays so.
                (2, 1, 1) => links.extend(load()?),
                (given, takes, _) if given == takes || (given.max(takes) == 2 && given.min(takes) == 1) => {
                    chain.channels_out = gives;
                }
                (from_channels, to_channels, _) => {
                    return Err(FxError::Channels { from, from_channels, to: plugin, to_channels });
                }
            }
            from = plugin;
            chain.stages.push(Stage { links });
        }
        Ok(chain)
    }

    /// What there is to tell of its plugins.
    pub fn report(&self) -> Vec<FxPlugin> {
        let told = |stage: &Stage| {
            let Link { plugin, info, .. } = &stage.links[0];
            FxPlugin {
                id: plugin.description().id.to_string(),
                name: info.name.clone(),
                instances: stage.links.len(),
                latency_frames: stage.links.iter().map(|it| it.info.latency_frames).max().unwrap_or(0),
            }
        };
        self.stages.iter().map(told).collect()
    }

    /// What is known of the tails of its plugins; of two for both sides, which are alike, one counts.
    pub fn tails(&self) -> Tails {
        Tails::of(self.stages.iter().map(|stage| &stage.links[0].info))
    }

    /// An engine with input, plugins and output in a row, and the plugins that it runs.
    pub fn wire(self, config: EngineConfig) -> Result<(EngineHandle, Engine, Vec<ActivePlugin>), FxError> {
        let mut graph = Graph::new();
        let mut plugins = Vec::new();
        let input = graph.add_device_in(self.channels_in)?;
        let mut signal: Vec<(NodeId, u16)> = channels_of(input, self.channels_in).collect();
        for Stage { links } in self.stages {
            let mut nodes = Vec::with_capacity(links.len());
            for Link { plugin, processor, info } in links {
                let (takes, gives) = (info.audio_inputs[0], info.audio_outputs[0]);
                nodes.push((graph.add_processor(info, processor)?, takes, gives));
                plugins.push(plugin);
            }
            let inputs: Vec<_> = nodes.iter().flat_map(|it| channels_of(it.0, it.1)).collect();
            connect(&mut graph, &signal, &inputs)?;
            signal = nodes.iter().flat_map(|it| channels_of(it.0, it.2)).collect();
        }
        let output = graph.add_output(self.channels_out)?;
        connect(&mut graph, &signal, &channels_of(output, self.channels_out).collect::<Vec<_>>())?;
        let (mut handle, engine) = kmidi_graph::engine(config).map_err(RigError::from)?;
        // Nobody plays live here.
        handle.compiler().set_compensation(Compensation::All);
        handle.set_graph(&mut graph).map_err(RigError::from)?;
        Ok((handle, engine, plugins))
    }
}

/// What can be done with a plugin that has no place in a chain of effects.
fn advice(kind: Kind) -> &'static str {
    match kind {
        Kind::Instrument => {
            ". It is an instrument: `kmidi render SONG.mid -o FILE -p PLUGIN` plays a song with it"
        }
        Kind::NoteEffect => ". It changes notes, not sound: `kmidi render` takes it, before an instrument",
        Kind::Effect | Kind::Analyzer => "",
    }
}

fn channels_of(node: NodeId, channels: u16) -> impl Iterator<Item = (NodeId, u16)> {
    (0..channels).map(move |channel| (node, channel))
}

/// One to one; mono to both sides; both sides to mono as their mean.
fn connect(graph: &mut Graph, from: &[(NodeId, u16)], to: &[(NodeId, u16)]) -> Result<(), FxError> {
    let gain = if from.len() > to.len() { to.len() as f32 / from.len() as f32 } else { 1.0 };
    for channel in 0..from.len().max(to.len()) {
        graph.connect_channel(from[channel % from.len()], to[channel % to.len()], gain)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use kmidi_host::scan::{FileEntry, Index, Stamp};
    use kmidi_host::{Format, Plugin, PluginId};
    use kmidi_test_clap::ids;

    use super::*;

    /// What a chain of one test plugin is refused with.
    fn refusal(id: &str) -> Option<String> {
        let file = std::env::current_exe().unwrap().with_file_name("libkmidi_test_clap.so");
        let plugin = Plugin::load(&file, &PluginId::new(Format::Clap, id)).unwrap();
        let mut index = Index::default();
        let entry = FileEntry {
            format: Format::Clap,
            stamp: Stamp::of(&file).unwrap(),
            plugins: vec![plugin.description().clone()],
            presets: None,
            failures: vec![],
        };
        index.files.insert(file, entry);
        let choice = PluginChoice { plugin: format!("clap:{id}"), ..PluginChoice::default() };
        let activation = Activation { sample_rate_hz: 48_000, quantum_frames: 64, offline: true };
        let find = |text: &str| Ok(index.find(text)?.clone());
        let loaded = Chain::load(&find, &[choice], &activation, 2);
        loaded.err().map(|error| {
            assert!(error.is_usage(), "{error:?}");
            error.to_string()
        })
    }

    #[test]
    fn instruments_and_what_changes_notes_are_told_where_they_can_stand() {
        let instrument = refusal(ids::STAMP).expect("it takes no sound");
        assert!(
            instrument.contains("no audio input") && instrument.contains("It is an instrument"),
            "{instrument}"
        );
        assert!(instrument.contains("`kmidi render SONG.mid -o FILE -p PLUGIN`"), "{instrument}");
        let note_effect = refusal(ids::SHIFT).expect("it takes no sound");
        assert!(note_effect.contains("It changes notes, not sound"), "{note_effect}");
        assert_eq!(refusal(ids::GAIN), None, "the control");
    }
}
