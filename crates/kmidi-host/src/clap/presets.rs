//! Presets: the preset discovery factory of a file, and the preset-load extension of a plugin.

use std::collections::HashSet;
use std::ffi::{CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use clack_extensions::preset_discovery::PluginPresetLoad;
use clack_extensions::preset_discovery::factory::PresetDiscoveryFactory;
use clack_extensions::preset_discovery::indexer::IndexerImpl;
use clack_extensions::preset_discovery::metadata_receiver::MetadataReceiverImpl;
use clack_extensions::preset_discovery::preset_data::{FileType, Flags, Location, LocationInfo, Soundpack};
use clack_extensions::preset_discovery::provider::Provider;
use clack_host::prelude::*;
use clack_host::utils::{Timestamp, UniversalPluginId};

use super::host_info;
use crate::walk::{Walk, walk};

/// Providers of one file.
const MAX_PROVIDERS: u32 = 64;
/// Locations and file types of one provider.
const MAX_DECLARED: usize = 1024;
/// Presets of one plugin.
const MAX_PRESETS: usize = 65_536;
/// Folders in a folder of presets.
const MAX_DEPTH: usize = 8;

/// A preset and where it is.
pub(super) struct Found {
    pub key: String,
    pub name: String,
    /// The file; `None` if it is inside the plugin.
    file: Option<CString>,
    load_key: Option<CString>,
}

/// All presets for the plugin with this id, of all providers in its file.
pub(super) fn find(entry: &PluginEntry, plugin_id: &str) -> Vec<Found> {
    let Some(factory) = entry.get_factory::<PresetDiscoveryFactory>() else { return Vec::new() };
    let mut receiver = Receiver::new(plugin_id);
    for index in 0..factory.provider_count().min(MAX_PROVIDERS) {
        let id = factory.get_provider_descriptor(index).and_then(|it| it.id());
        let Some(id) = id else { continue };
        // A provider that does not start costs its presets, not the others'.
        let Ok(mut provider) = Provider::instantiate(Indexer::default(), entry, id, &host_info()) else {
            continue;
        };
        ask(&mut provider, &mut receiver);
    }
    let mut keys = HashSet::new();
    receiver.found.retain(|found| keys.insert(found.key.clone()));
    receiver.found
}

fn ask(provider: &mut Provider<Indexer>, receiver: &mut Receiver<'_>) {
    let locations = std::mem::take(&mut provider.indexer_mut().locations);
    let extensions = std::mem::take(&mut provider.indexer_mut().extensions);
    for location in locations {
        let Some(path) = location else {
            receiver.begin(None, String::new());
            provider.get_metadata(Location::Plugin, receiver);
            receiver.end();
            continue;
        };
        let path = Path::new(OsStr::from_bytes(path.to_bytes())).to_owned();
        let files = match () {
            () if path.is_dir() => preset_files(&path, &extensions),
            () if path.is_file() => vec![path],
            () => Vec::new(),
        };
        for file in files {
            let Ok(name) = CString::new(file.as_os_str().as_bytes()) else { continue };
            let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            receiver.begin(Some(name.clone()), stem);
            provider.get_metadata(Location::File { path: &name }, receiver);
            receiver.end();
        }
    }
}

/// The files of a folder and those in it that have one of the extensions; all where none is named.
fn preset_files(folder: &Path, extensions: &[String]) -> Vec<std::path::PathBuf> {
    let is_preset = |path: &Path| {
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        extensions.is_empty()
            || extensions.iter().any(|it| it.is_empty() || it.eq_ignore_ascii_case(&extension))
    };
    walk(folder, MAX_DEPTH, &mut |path| if is_preset(path) { Walk::Take } else { Walk::Enter })
}

/// Gives the plugin a preset.
pub(super) fn load(handle: &PluginMainThreadHandle, preset: &Found) -> Result<(), String> {
    let Some(extension) = handle.get_extension::<PluginPresetLoad>() else {
        return Err("it cannot load presets".to_owned());
    };
    let location = match &preset.file {
        Some(path) => Location::File { path },
        None => Location::Plugin,
    };
    extension
        .load_from_location(handle, location, preset.load_key.as_deref())
        .map_err(|error| error.to_string())
}

/// What a provider declares.
#[derive(Default)]
struct Indexer {
    extensions: Vec<String>,
    /// Files and folders; `None` is the plugin itself.
    locations: Vec<Option<CString>>,
}

impl IndexerImpl for Indexer {
    fn declare_filetype(&mut self, file_type: FileType<'_>) -> Result<(), HostError> {
        if self.extensions.len() >= MAX_DECLARED {
            return Err(HostError::Message("too many file types"));
        }
        let extension = file_type.file_extension.unwrap_or_default();
        self.extensions.push(extension.to_string_lossy().into_owned());
        Ok(())
    }

    fn declare_location(&mut self, location: LocationInfo<'_>) -> Result<(), HostError> {
        if self.locations.len() >= MAX_DECLARED {
            return Err(HostError::Message("too many locations"));
        }
        self.locations.push(location.location.file_path().map(CStr::to_owned));
        Ok(())
    }

    fn declare_soundpack(&mut self, _: Soundpack<'_>) -> Result<(), HostError> {
        Ok(())
    }
}

/// Takes what a provider says of a location.
struct Receiver<'a> {
    plugin_id: &'a str,
    found: Vec<Found>,
    file: Option<CString>,
    /// The name of a preset that has none.
    stem: String,
    /// The preset that is being told, and whether it is for this plugin (if it says for which).
    current: Option<(Found, Option<bool>)>,
}

impl<'a> Receiver<'a> {
    fn new(plugin_id: &'a str) -> Self {
        Receiver { plugin_id, found: Vec::new(), file: None, stem: String::new(), current: None }
    }

    fn begin(&mut self, file: Option<CString>, stem: String) {
        (self.file, self.stem) = (file, stem);
    }

    /// The preset that was being told is complete.
    fn end(&mut self) {
        if let Some((preset, is_ours)) = self.current.take()
            && is_ours != Some(false)
            && self.found.len() < MAX_PRESETS
        {
            self.found.push(preset);
        }
    }
}

impl MetadataReceiverImpl for Receiver<'_> {
    /// What cannot be read is not listed.
    fn on_error(&mut self, _: i32, _: Option<&CStr>) {
        self.current = None;
    }

    fn begin_preset(&mut self, name: Option<&CStr>, load_key: Option<&CStr>) -> Result<(), HostError> {
        self.end();
        if self.found.len() >= MAX_PRESETS {
            return Err(HostError::Message("too many presets"));
        }
        let place = self.file.as_deref().map_or("plugin".into(), |path| path.to_string_lossy());
        let key = match load_key {
            Some(load_key) => format!("{place}#{}", load_key.to_string_lossy()),
            None => place.into_owned(),
        };
        let name = name.map(|name| name.to_string_lossy().into_owned()).filter(|name| !name.is_empty());
        let name = name.unwrap_or_else(|| self.stem.clone());
        let load_key = load_key.map(CStr::to_owned);
        self.current = Some((Found { key, name, file: self.file.clone(), load_key }, None));
        Ok(())
    }

    fn add_plugin_id(&mut self, id: UniversalPluginId<'_>) {
        if let Some((_, is_ours)) = &mut self.current {
            let this = id.abi == c"clap" && id.id.to_bytes() == self.plugin_id.as_bytes();
            *is_ours = Some(this || *is_ours == Some(true));
        }
    }

    fn set_soundpack_id(&mut self, _: &CStr) {}
    fn set_flags(&mut self, _: Flags) {}
    fn add_creator(&mut self, _: &CStr) {}
    fn set_description(&mut self, _: &CStr) {}
    fn set_timestamps(&mut self, _: Option<Timestamp>, _: Option<Timestamp>) {}
    fn add_feature(&mut self, _: &CStr) {}
    fn add_extra_info(&mut self, _: &CStr, _: &CStr) {}
}
