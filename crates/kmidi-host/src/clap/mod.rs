//! CLAP plugins.

use std::path::Path;

use crate::plugin::MainHalf;
use crate::{Format, LoadError, PluginId};

/// Loads the plugin with this id.
pub(crate) fn load(path: &Path, id: &str) -> Result<Box<dyn MainHalf>, LoadError> {
    Err(LoadError::NotInFile { id: PluginId::new(Format::Clap, id), path: path.to_owned() })
}

/// The ids of the plugins in a file or bundle.
pub(crate) fn contents(path: &Path) -> Result<Vec<String>, LoadError> {
    let _ = path;
    Ok(Vec::new())
}
