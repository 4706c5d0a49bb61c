//! SoundFonts that are installed, as presets.

use std::ffi::{CStr, CString};
use std::path::Path;

use clack_extensions::preset_discovery::prelude::*;
use clack_plugin::prelude::*;

/// Folders in which Linux distributions install SoundFonts.
const FOLDERS: [&str; 3] = ["/usr/share/sounds/sf2", "/usr/share/sounds/sf3", "/usr/share/soundfonts"];

/// Finds them.
pub struct Factory {
    descriptor: ProviderDescriptor,
}

impl Factory {
    pub fn new() -> Self {
        let descriptor = ProviderDescriptor::new("org.kmidi.soundfont.files", "Installed SoundFonts");
        Factory { descriptor: descriptor.with_vendor("KmiDi") }
    }
}

impl PresetDiscoveryFactoryImpl for Factory {
    fn provider_count(&self) -> u32 {
        1
    }

    fn provider_descriptor(&self, index: u32) -> Option<&ProviderDescriptor> {
        (index == 0).then_some(&self.descriptor)
    }

    fn create_provider<'a>(&'a self, indexer: IndexerInfo<'a>, id: &CStr) -> Option<ProviderInstance<'a>> {
        if Some(id) != self.descriptor.id() {
            return None;
        }
        Some(ProviderInstance::new(indexer, &self.descriptor, |mut indexer| {
            for (name, extension) in [(c"SoundFont 2", c"sf2"), (c"SoundFont 3", c"sf3")] {
                let file_extension = Some(extension);
                indexer.declare_filetype(FileType { name, description: None, file_extension })?;
            }
            for folder in FOLDERS.into_iter().filter(|folder| Path::new(folder).is_dir()) {
                let path = CString::new(folder)?;
                let (flags, location) = (Flags::IS_FACTORY_CONTENT, Location::File { path: &path });
                indexer.declare_location(LocationInfo { name: c"SoundFonts", flags, location })?;
            }
            Ok(Files)
        }))
    }
}

/// A file is a preset, by its name.
struct Files;

impl ProviderImpl<'_> for Files {
    fn get_metadata(
        &mut self,
        location: Location<'_>,
        receiver: &mut MetadataReceiver<'_>,
    ) -> Result<(), PluginError> {
        let path = location.file_path().ok_or(PluginError::Message("presets are SoundFont files"))?;
        let path = path.to_str()?;
        let name = Path::new(path).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        receiver.begin_preset(Some(&CString::new(name)?), None)?;
        let id = CString::new(crate::ID)?;
        receiver.add_plugin_id(UniversalPluginId::clap(&id));
        Ok(())
    }
}
