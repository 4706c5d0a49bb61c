//! A rack that is in the graph from the first frame on and does not change: for renders.

use kmidi_graph::Graph;
use kmidi_host::{Activation, Plugin, State};

use super::sides::{self, Made, Sides};
use super::wiring::{Nodes, Parts, Place, Routes, Wiring, add, unheard_text};
use super::{PluginRequest, RackConfig};
use crate::chain::{self, ChainError, LinkError};
use crate::command::channel_mask;
use crate::rig::{RigError, db_to_linear};

/// Loads and activates the plugins of a rack, on the thread that will have to end them.
pub(crate) fn load(config: &RackConfig, activation: &Activation) -> Result<Vec<Made>, LinkError> {
    let links = config.plugins.iter().map(|request| {
        let prepare = |plugin: &mut Plugin| prepare(plugin, request);
        // Nobody waits for the first quanta of a render: plugins begin as they come to life.
        sides::link(&chain::find, &request.choice, activation, prepare, |_| {})
    });
    links.collect()
}

/// Takes up what a plugin is to begin with.
pub(super) fn prepare(plugin: &mut Plugin, request: &PluginRequest) -> Result<(), ChainError> {
    if let Some(state) = &request.state {
        plugin.restore(&State::from_bytes(state)?)?;
    }
    chain::set(plugin, &request.choice)
}

/// Puts loaded plugins into the graph of a rig that has not sounded yet. What is to be told of them is in the second part.
pub(crate) fn wire(
    config: &RackConfig,
    links: Vec<Made>,
    graph: &mut Graph,
    parts: &Parts,
) -> Result<(Vec<Sides>, Vec<String>), RigError> {
    let mut plugins = Vec::with_capacity(links.len());
    let mut nodes: Vec<Nodes> = Vec::with_capacity(links.len());
    for Made { processor, sides, info } in links {
        let description = sides.description();
        let no_place = |source| RigError::NoPlace { plugin: info.name.clone(), source };
        nodes.push(add(graph, description, &info, processor, None).map_err(no_place)?);
        plugins.push(sides);
    }
    let row: Vec<Place> =
        nodes.iter().zip(&config.plugins).map(|(nodes, request)| place(nodes, request)).collect();
    let before = Wiring::new(parts, &[], true, false);
    let wiring = Wiring::new(parts, &row, config.synthesiser, false);
    wiring.connect(&before, graph)?;
    let unheard = nodes.iter().zip(&plugins).filter(|(nodes, _)| wiring.unheard.contains(&nodes.plugin));
    let told = unheard.map(|(_, plugin)| unheard_text(&plugin.description().name)).collect();
    Ok((plugins, told))
}

fn place<'a>(nodes: &'a Nodes, request: &PluginRequest) -> Place<'a> {
    Place {
        nodes,
        gain: db_to_linear(request.gain_db),
        is_bypassed: request.bypassed,
        is_leaving: false,
        channels: channel_mask(&request.channels),
        routes: Routes::default(),
    }
}
