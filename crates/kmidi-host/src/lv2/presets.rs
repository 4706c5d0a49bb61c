//! Presets: settings of a plugin that any bundle may bring.

use std::path::{Path, PathBuf};

use super::bundle::{Bundle, bundles};
use super::graph::{Graph, Id};
use super::packed::Saved;
use super::properties::last_word;
use super::state_entry::entries_of;
use super::uris::*;
use crate::{LoadError, Preset};

/// Most presets of a plugin.
const MAX_PRESETS: usize = 65_536;

/// A preset and the bundle that has it.
#[derive(Clone, Debug)]
pub struct Found {
    /// As others see it; the key is its URI.
    pub preset: Preset,
    /// The bundle folder.
    pub folder: PathBuf,
}

/// The presets of a plugin in its own bundle and in all on the LV2 path, by name. A bundle that cannot be read has none.
/// `[side B]`: reads every manifest.
pub fn find(uri: &str, own: &Path) -> Vec<Found> {
    let mut folders = bundles();
    if !folders.iter().any(|it| it == own) {
        folders.push(own.to_owned());
    }
    let mut found: Vec<Found> = folders
        .iter()
        .flat_map(|folder| find_in(uri, folder).unwrap_or_default())
        .take(MAX_PRESETS)
        .collect();
    found.sort_by(|a, b| (&a.preset.name, &a.preset.key).cmp(&(&b.preset.name, &b.preset.key)));
    found.dedup_by(|a, b| a.preset.key == b.preset.key);
    found
}

/// All presets that bundles on the LV2 path bring, each with the URI of the plugin it is for, by bundle. No library is
/// loaded; a bundle that cannot be read has none. `[side B]`: reads every manifest.
pub fn all() -> Vec<(String, Preset)> {
    bundles().iter().flat_map(|folder| all_in(folder).unwrap_or_default()).take(MAX_PRESETS).collect()
}

fn all_in(folder: &Path) -> Result<Vec<(String, Preset)>, LoadError> {
    let mut bundle = Bundle::open(folder)?;
    let mut found = Vec::new();
    for id in bundle.graph().subjects_with(RDF_TYPE, PSET_PRESET) {
        let Some(key) = bundle.graph().iri(id).map(str::to_owned) else { continue };
        let is_told = |graph: &Graph| {
            graph.label(id, RDFS_LABEL).is_some() && graph.object(id, LV2_APPLIES_TO).is_some()
        };
        if !is_told(bundle.graph()) {
            bundle.see_also(&key)?;
        }
        let graph = bundle.graph();
        let name = graph.label(id, RDFS_LABEL).unwrap_or_else(|| last_word(&key)).to_owned();
        for plugin in graph.iris(id, LV2_APPLIES_TO) {
            found.push((plugin, Preset { key: key.clone(), name: name.clone() }));
        }
    }
    Ok(found)
}

fn find_in(uri: &str, folder: &Path) -> Result<Vec<Found>, LoadError> {
    let mut bundle = Bundle::open(folder)?;
    let mut found = Vec::new();
    for id in bundle.graph().subjects_with(LV2_APPLIES_TO, uri) {
        let graph = bundle.graph();
        let Some(key) = graph.iri(id).filter(|_| graph.is_a(id, PSET_PRESET)).map(str::to_owned) else {
            continue;
        };
        if graph.label(id, RDFS_LABEL).is_none() {
            bundle.see_also(&key)?;
        }
        let name = bundle.graph().label(id, RDFS_LABEL).unwrap_or_else(|| last_word(&key)).to_owned();
        found.push(Found { preset: Preset { key, name }, folder: folder.to_owned() });
    }
    Ok(found)
}

/// What a preset sets.
pub fn read(found: &Found) -> Result<Saved, LoadError> {
    let mut bundle = Bundle::open(&found.folder)?;
    bundle.see_also(&found.preset.key)?;
    let graph = bundle.graph();
    let Some(id) = graph.id(&found.preset.key) else { return Ok(Saved::default()) };
    let state = graph.object(id, STATE_STATE);
    Ok(Saved {
        entries: state.map_or(Vec::new(), |state| entries_of(graph, state)),
        values: graph.objects(id, LV2_PORT).filter_map(|port| port_value(graph, port)).collect(),
        files: Vec::new(),
    })
}

fn port_value(graph: &Graph, port: Id) -> Option<(String, f64)> {
    let value = graph.number(port, PSET_VALUE).or_else(|| graph.number(port, LV2_DEFAULT))?;
    Some((graph.label(port, LV2_SYMBOL)?.to_owned(), value))
}
