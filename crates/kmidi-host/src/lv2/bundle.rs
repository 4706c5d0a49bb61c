//! Bundle folders: where they are, and what a plugin's bundle says of it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::graph::{Graph, Id, path_of};
use super::ports::{Port, read_ports};
use super::properties::{Property, read_properties};
use super::state_entry::{Entry, entries_of};
use super::uris::*;
use crate::{Format, LoadError, PluginId};

/// Most bundles that a search gives.
const MAX_BUNDLES: usize = 65_536;

/// A group of ports.
#[derive(Clone, Debug)]
pub struct Group {
    /// Name shown to people.
    pub name: String,
    /// Whether its signal steers another's.
    pub is_side_chain: bool,
    /// Whether it is the plugin's main input or output.
    pub is_main: bool,
}

/// What a bundle says of a plugin.
#[derive(Clone, Debug)]
pub struct PluginText {
    /// Its URI.
    pub uri: String,
    /// Name shown to people; may be empty.
    pub name: String,
    /// IRIs of its classes.
    pub classes: Vec<String>,
    /// Who made it; may be empty.
    pub vendor: String,
    /// `minor.micro`; may be empty.
    pub version: String,
    /// The library.
    pub binary: PathBuf,
    /// The bundle folder.
    pub folder: PathBuf,
    /// IRIs of features that it cannot do without.
    pub required: Vec<String>,
    /// IRIs of features that it would use.
    pub optional: Vec<String>,
    /// Its ports, each at its index.
    pub ports: Vec<Port>,
    /// Its port groups by IRI.
    pub groups: HashMap<String, Group>,
    /// Its parameters that are no ports.
    pub properties: Vec<Property>,
    /// The state of a fresh instance that asks for one.
    pub default_state: Vec<Entry>,
}

/// Every bundle folder on the LV2 path (`$LV2_PATH`, else `~/.lv2`, `/usr/local/lib/lv2`, `/usr/lib/lv2`), in order of
/// folder and name. Reads folders only. `[side B]`
pub fn bundles() -> Vec<PathBuf> {
    search_path().iter().flat_map(|folder| bundles_in(folder)).take(MAX_BUNDLES).collect()
}

fn search_path() -> Vec<PathBuf> {
    if let Some(path) = std::env::var_os("LV2_PATH").filter(|path| !path.is_empty()) {
        return std::env::split_paths(&path).filter(|it| it.is_absolute()).collect();
    }
    let home = std::env::home_dir().map(|home| home.join(".lv2"));
    home.into_iter().chain(["/usr/local/lib/lv2".into(), "/usr/lib/lv2".into()]).collect()
}

fn bundles_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let folders = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut bundles: Vec<PathBuf> =
        folders.filter(|path| path.join("manifest.ttl").is_file()).take(MAX_BUNDLES).collect();
    bundles.sort();
    bundles
}

/// A bundle whose manifest has been read.
pub struct Bundle {
    /// Its folder, absolute.
    pub folder: PathBuf,
    plugins: Vec<String>,
    graph: Graph,
}

impl Bundle {
    /// Reads the manifest of a bundle folder.
    pub fn open(folder: &Path) -> Result<Self, LoadError> {
        let folder = std::path::absolute(folder)
            .map_err(|error| LoadError::Bundle { path: folder.to_owned(), why: error.to_string() })?;
        let mut graph = Graph::default();
        graph.add_file(&folder.join("manifest.ttl"))?;
        let plugins = graph.subjects_with(RDF_TYPE, LV2_PLUGIN);
        let plugins = plugins.into_iter().filter_map(|id| graph.iri(id)).map(str::to_owned).collect();
        Ok(Bundle { folder, plugins, graph })
    }

    /// The URIs of its plugins.
    pub fn plugins(&self) -> Vec<String> {
        self.plugins.clone()
    }

    /// All that is known by now.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Reads the further files that the bundle names for something, those that exist.
    pub fn see_also(&mut self, uri: &str) -> Result<(), LoadError> {
        let Some(id) = self.graph.id(uri) else { return Ok(()) };
        for url in self.graph.iris(id, RDFS_SEE_ALSO) {
            match path_of(&url) {
                Some(path) if path.is_file() => self.graph.add_file(&path)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Reads all that the bundle says of one of its plugins.
    pub fn plugin(&mut self, uri: &str) -> Result<PluginText, LoadError> {
        let id = || PluginId::new(Format::Lv2, uri);
        if !self.plugins.iter().any(|it| it == uri) {
            return Err(LoadError::NotInFile { id: id(), path: self.folder.clone() });
        }
        self.see_also(uri)?;
        let plugin = self.graph.id(uri).expect("it is among the plugins");
        read_plugin(&self.graph, plugin, uri, &self.folder)
            .map_err(|why| LoadError::Bundle { path: self.folder.clone(), why: format!("{uri}: {why}") })
    }
}

fn read_plugin(graph: &Graph, plugin: Id, uri: &str, folder: &Path) -> Result<PluginText, String> {
    let binary = graph.iris(plugin, LV2_BINARY).first().and_then(|url| path_of(url));
    let ports = read_ports(graph, plugin)?;
    Ok(PluginText {
        uri: uri.to_owned(),
        name: graph.label(plugin, DOAP_NAME).unwrap_or_default().to_owned(),
        classes: graph.iris(plugin, RDF_TYPE),
        vendor: vendor(graph, plugin),
        version: version(graph, plugin),
        binary: binary.ok_or("it names no library")?,
        folder: folder.to_owned(),
        required: graph.iris(plugin, LV2_REQUIRED_FEATURE),
        optional: graph.iris(plugin, LV2_OPTIONAL_FEATURE),
        groups: groups(graph, plugin, &ports),
        properties: read_properties(graph, plugin),
        default_state: graph.object(plugin, STATE_STATE).map_or(Vec::new(), |state| entries_of(graph, state)),
        ports,
    })
}

fn vendor(graph: &Graph, plugin: Id) -> String {
    let projects = graph.objects(plugin, LV2_PROJECT);
    for owner in std::iter::once(plugin).chain(projects) {
        for role in [DOAP_MAINTAINER, DOAP_DEVELOPER] {
            let name = graph.object(owner, role).and_then(|person| graph.label(person, FOAF_NAME));
            if let Some(name) = name {
                return name.to_owned();
            }
        }
    }
    String::new()
}

fn version(graph: &Graph, plugin: Id) -> String {
    let part = |predicate| graph.object(plugin, predicate).and_then(|id| graph.text(id)?.parse::<u32>().ok());
    match (part(LV2_MINOR_VERSION), part(LV2_MICRO_VERSION)) {
        (None, None) => String::new(),
        (minor, micro) => format!("{}.{}", minor.unwrap_or(0), micro.unwrap_or(0)),
    }
}

fn groups(graph: &Graph, plugin: Id, ports: &[Port]) -> HashMap<String, Group> {
    let mains = [graph.iris(plugin, PG_MAIN_INPUT), graph.iris(plugin, PG_MAIN_OUTPUT)].concat();
    let mut groups = HashMap::new();
    for iri in ports.iter().filter_map(|port| port.group.as_ref()) {
        let Some(id) = graph.id(iri) else { continue };
        let name = graph.label(id, LV2_NAME).or_else(|| graph.label(id, RDFS_LABEL));
        let group = Group {
            name: name.or_else(|| graph.label(id, LV2_SYMBOL)).unwrap_or_default().to_owned(),
            is_side_chain: graph.object(id, PG_SIDE_CHAIN_OF).is_some(),
            is_main: mains.contains(iri),
        };
        groups.insert(iri.clone(), group);
    }
    groups
}
