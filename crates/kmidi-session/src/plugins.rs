//! The plugins of this machine: where they are looked for, where the index of them is, how it is brought up to date.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::chain::ChainError;
use kmidi_host::scan::{self, PROBE, ScanSettings};

pub use kmidi_host::scan::{Failure, Index, IndexError, Lookup, ScanProgress, ScanSummary};
pub use kmidi_host::{
    AudioPort, Description, EventPort, Format, Kind, Parameter, ParseIdError, PluginId, PortRole, Preset,
};
pub use kmidi_sys::hide_the_screen_from_plugins;

/// How a scan is to go.
#[derive(Clone, Debug)]
pub struct ScanRequest {
    /// Folders beside the standard ones, with plugins of any format.
    pub folders: Vec<PathBuf>,
    /// How long a plugin may take before it is given up.
    pub limit: Duration,
    /// Whether files that have failed and have not changed are asked again.
    pub retry_failed: bool,
    /// Whether all files are asked again.
    pub rescan_all: bool,
}

/// Why there is no scan.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The index cannot be read or written.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// There is no home.
    #[error("no place for the plugin index: set HOME or XDG_CACHE_HOME")]
    NoCache,
    /// The helper program is not where it should be.
    #[error(
        "{PROBE}, the program that looks into plugins, is neither beside kmidi nor in PATH: install it with kmidi, \
         or say where it is with KMIDI_PROBE"
    )]
    NoProbe,
}

/// Where the index is: `$XDG_CACHE_HOME/kmidi/plugins.jsonl`.
///
/// # Errors
/// [`ScanError::NoCache`].
pub fn index_path() -> Result<PathBuf, ScanError> {
    Ok(cache_folder()?.join("plugins.jsonl"))
}

/// Where things are kept that can be found out again: `$XDG_CACHE_HOME/kmidi`.
pub(crate) fn cache_folder() -> Result<PathBuf, ScanError> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
    Ok(cache.ok_or(ScanError::NoCache)?.join("kmidi"))
}

/// The index as the last scan left it; empty if there was none.
///
/// # Errors
/// [`ScanError`].
pub fn open_index() -> Result<Index, ScanError> {
    Ok(Index::open(&index_path()?)?)
}

/// The same for who wants some plugins of it.
///
/// # Errors
/// [`ScanError`].
pub fn lookup() -> Result<Lookup, ScanError> {
    Ok(Lookup::open(&index_path()?)?)
}

/// Brings the index up to date with what is installed. `stop` ends it early and loses nothing.
///
/// # Errors
/// [`ScanError`].
pub fn scan(
    request: &ScanRequest,
    stop: &AtomicBool,
    tell: impl FnMut(ScanProgress),
) -> Result<(Index, ScanSummary), ScanError> {
    let mut index = match open_index() {
        Err(ScanError::Index(IndexError::Damaged { path })) => Index::anew(&path),
        index => index?,
    };
    let mut found = Vec::new();
    for format in Format::ALL {
        let mut folders = request.folders.clone();
        folders.extend(scan::standard_folders(format, |name| std::env::var_os(name)));
        found.extend(scan::candidates(format, &folders));
    }
    let settings = ScanSettings {
        probe: probe()?,
        workers: std::thread::available_parallelism().map_or(1, |n| n.get()),
        limit: request.limit,
        retry_failed: request.retry_failed,
        rescan_all: request.rescan_all,
    };
    let summary = scan::scan(&mut index, &found, &settings, stop, tell)?;
    Ok((index, summary))
}

/// The presets of a plugin, which is loaded for that: foreign code runs in this process.
///
/// # Errors
/// [`ChainError`]: it is not known or cannot be loaded. [`ScanError`]: the index cannot be read.
pub fn presets(plugin: &str) -> Result<Vec<Preset>, PresetsError> {
    let found = lookup()?.find(plugin).map_err(ChainError::from)?;
    let mut plugin = kmidi_host::Plugin::load(&found.path, &found.id).map_err(ChainError::from)?;
    Ok(plugin.presets())
}

/// Why presets cannot be listed.
#[derive(Debug, thiserror::Error)]
pub enum PresetsError {
    /// The plugins cannot be looked up.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// The plugin is not known or cannot be loaded.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// The helper program: `KMIDI_PROBE`, else beside this program, else in `PATH`.
pub(crate) fn probe() -> Result<PathBuf, ScanError> {
    let given = std::env::var_os("KMIDI_PROBE").filter(|path| !path.is_empty()).map(PathBuf::from);
    let beside = || {
        let own = std::env::current_exe().ok()?;
        // Tests run one folder below the program.
        own.ancestors().skip(1).take(2).map(|folder| folder.join(PROBE)).find(|path| path.is_file())
    };
    let in_path = || {
        let folders = std::env::var_os("PATH")?;
        std::env::split_paths(&folders).map(|folder| folder.join(PROBE)).find(|path| path.is_file())
    };
    given.filter(|path| Path::is_file(path)).or_else(beside).or_else(in_path).ok_or(ScanError::NoProbe)
}
