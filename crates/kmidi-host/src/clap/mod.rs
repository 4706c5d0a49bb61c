//! CLAP plugins.

use std::path::Path;

use crate::plugin::MainHalf;
use crate::{Description, Format, LoadError, PluginId};

/// Loads the plugin with this id.
pub(crate) fn load(path: &Path, id: &str) -> Result<Box<dyn MainHalf>, LoadError> {
    Err(LoadError::NotInFile { id: PluginId::new(Format::Clap, id), path: path.to_owned() })
}

/// All plugins in a file or bundle, each asked what it is. Runs foreign code: in a child process only.
pub(crate) fn describe(path: &Path) -> Result<Vec<Description>, LoadError> {
    let _ = path;
    Ok(Vec::new())
}
