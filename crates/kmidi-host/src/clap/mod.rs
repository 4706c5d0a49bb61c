//! CLAP plugins.

mod audio_buffers;
mod audio_half;
mod describe;
mod events_in;
mod events_out;
mod host;
mod log;
mod main_half;
mod params;
mod presets;
mod state;
mod text;
mod transport;

use std::collections::HashSet;
use std::path::Path;

use clack_host::prelude::*;

use self::main_half::ClapPlugin;
use crate::plugin::MainHalf;
use crate::{Format, LoadError, PluginId, resident};

/// Plugins of one file; it may say that it has more, these are not seen.
const MAX_PLUGINS: u32 = 4096;

/// Who the host says it is.
fn host_info() -> HostInfo {
    HostInfo::new("KmiDi", "KmiDi", "", env!("CARGO_PKG_VERSION")).expect("no NUL in it")
}

fn open(path: &Path) -> Result<PluginEntry, LoadError> {
    let library = |why: String| LoadError::Library { path: path.to_owned(), why };
    // Without a slash the loader would look in the system's library folders.
    let absolute = std::path::absolute(path).map_err(|error| library(error.to_string()))?;
    // SAFETY: runs the file's initialisers and its entry: foreign code, which nothing can vouch for. Loading a plugin is what
    // was asked for.
    unsafe {
        // `PluginEntry` opens it once more.
        let _opened = resident::open(&absolute).map_err(|error| library(error.to_string()))?;
        PluginEntry::load(&absolute).map_err(|error| library(error.to_string()))
    }
}

/// The ids of the plugins in a file, none of which is started. Runs foreign code all the same.
pub(crate) fn contents(path: &Path) -> Result<Vec<String>, LoadError> {
    names(&open(path)?, path)
}

/// The ids of the plugins in a file, each once.
fn names(entry: &PluginEntry, path: &Path) -> Result<Vec<String>, LoadError> {
    let factory = entry.get_plugin_factory().ok_or_else(|| LoadError::Library {
        path: path.to_owned(),
        why: "it is a CLAP file without plugins".to_owned(),
    })?;
    let descriptors =
        (0..factory.plugin_count().min(MAX_PLUGINS)).filter_map(|at| factory.plugin_descriptor(at));
    // SAFETY: a descriptor's strings live as long as the file is loaded (CLAP); a null pointer and a missing end are looked
    // for.
    let names = descriptors.map(|descriptor| unsafe { text::bounded_text(descriptor.as_raw().id) });
    let mut seen = HashSet::new();
    Ok(names.filter(|name| !name.is_empty() && seen.insert(name.clone())).collect())
}

/// Loads the plugin with this id.
pub(crate) fn load(path: &Path, id: &str) -> Result<Box<dyn MainHalf>, LoadError> {
    let entry = open(path)?;
    if !names(&entry, path)?.iter().any(|it| it == id) {
        return Err(LoadError::NotInFile { id: PluginId::new(Format::Clap, id), path: path.to_owned() });
    }
    Ok(Box::new(ClapPlugin::new(&entry, path, id)?))
}
