//! Two presets inside the plugin, and those of a folder.

use std::ffi::{CStr, CString};

use clack_extensions::preset_discovery::prelude::*;
use clack_plugin::prelude::*;

use crate::ids;

/// Where the presets in files are: a folder of the process, so that tests do not meet.
pub fn folder() -> std::path::PathBuf {
    std::env::temp_dir().join(format!("kmidi-test-presets-{}", std::process::id()))
}

pub struct Factory {
    descriptor: ProviderDescriptor,
}

impl Factory {
    pub fn new() -> Self {
        Factory { descriptor: ProviderDescriptor::new("test.presets", "Test presets") }
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
            let extension = Some(c"gain");
            indexer.declare_filetype(FileType {
                name: c"Gain",
                description: None,
                file_extension: extension,
            })?;
            let location = |location| LocationInfo { name: c"", flags: Flags::IS_FACTORY_CONTENT, location };
            indexer.declare_location(location(Location::Plugin))?;
            let path = CString::new(folder().to_string_lossy().into_owned())?;
            indexer.declare_location(location(Location::File { path: &path }))?;
            Ok(Provider)
        }))
    }
}

struct Provider;

impl ProviderImpl<'_> for Provider {
    fn get_metadata(
        &mut self,
        location: Location<'_>,
        receiver: &mut MetadataReceiver<'_>,
    ) -> Result<(), PluginError> {
        let id = CString::new(ids::BOTH)?;
        match location {
            Location::Plugin => {
                for (name, key) in [(c"Loud", c"loud"), (c"Quiet", c"quiet")] {
                    receiver.begin_preset(Some(name), Some(key))?;
                    receiver.add_plugin_id(UniversalPluginId::clap(&id));
                }
                receiver.begin_preset(Some(c"Another's"), Some(c"other"))?;
                receiver.add_plugin_id(UniversalPluginId::clap(c"of.another"));
            }
            Location::File { .. } => {
                receiver.begin_preset(None, None)?;
            }
        }
        Ok(())
    }
}
