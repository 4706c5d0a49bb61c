//! The file: its entry and its factory.

use std::ffi::{CStr, CString, c_char};
use std::path::Path;

use clap_sys::entry::clap_plugin_entry;
use clap_sys::factory::plugin_factory::{CLAP_PLUGIN_FACTORY_ID, clap_plugin_factory};
use clap_sys::plugin::{clap_plugin, clap_plugin_descriptor};
use clap_sys::plugin_features::{
    CLAP_PLUGIN_FEATURE_ANALYZER, CLAP_PLUGIN_FEATURE_AUDIO_EFFECT, CLAP_PLUGIN_FEATURE_INSTRUMENT,
    CLAP_PLUGIN_FEATURE_NOTE_EFFECT,
};
use clap_sys::version::clap_version_is_compatible;

use super::host::Host;

/// A `.clap` file whose entry has been initialised.
pub struct File<'h> {
    host: &'h Host,
    path: CString,
    entry: clap_plugin_entry,
    // Last: its code is what the others call.
    _library: libloading::Library,
}

/// What may go wrong in a test itself.
const NO_FUNCTION: &str = "the header has this function";

impl<'h> File<'h> {
    /// Opens a file.
    pub fn open(path: &Path, host: &'h Host) -> Self {
        // SAFETY: the file is one that this workspace has built.
        let library = unsafe { libloading::Library::new(path) }.expect("the plugin is built with the tests");
        // SAFETY: the symbol is of this type in every CLAP file; it is copied while the library is there.
        let entry =
            unsafe { **library.get::<*const clap_plugin_entry>(b"clap_entry\0").expect("a CLAP file") };
        host.rule(clap_version_is_compatible(entry.clap_version), || "its CLAP version is none".into());
        let path = CString::new(path.to_str().expect("UTF-8")).expect("no zero");
        let file = File { host, path, entry, _library: library };
        host.rule(file.init(), || "entry.init fails".into());
        file
    }

    fn init(&self) -> bool {
        // SAFETY: as the header has it: a path, zero-ended.
        unsafe { self.entry.init.expect(NO_FUNCTION)(self.path.as_ptr()) }
    }

    fn deinit(&self) {
        // SAFETY: balances an `init`.
        unsafe { self.entry.deinit.expect(NO_FUNCTION)() }
    }

    fn factory(&self) -> &clap_plugin_factory {
        // SAFETY: the entry is initialised; factories live as long as that is so.
        unsafe {
            let factory = self.entry.get_factory.expect(NO_FUNCTION)(CLAP_PLUGIN_FACTORY_ID.as_ptr());
            factory.cast::<clap_plugin_factory>().as_ref().expect("a plugin factory")
        }
    }

    /// A new plugin, not initialised; null if there is none of that id.
    pub fn create(&self, id: &str) -> *const clap_plugin {
        let id = CString::new(id).expect("no zero");
        let factory = self.factory();
        // SAFETY: as the header has it; the host outlives every plugin.
        self.host.creating(|| unsafe {
            factory.create_plugin.expect(NO_FUNCTION)(factory, self.host.raw(), id.as_ptr())
        })
    }

    fn descriptor(&self, index: u32) -> Option<&clap_plugin_descriptor> {
        let factory = self.factory();
        // SAFETY: any index may be asked for; a descriptor lives as long as the factory.
        unsafe { factory.get_plugin_descriptor.expect(NO_FUNCTION)(factory, index).as_ref() }
    }

    /// The rules of entry and factory.
    pub fn check(&self, id: &str) {
        let rule = |kept: bool, text: &str| self.host.rule(kept, || text.to_owned());
        // SAFETY: any name may be asked for.
        let unknown = unsafe { self.entry.get_factory.expect(NO_FUNCTION)(c"no.such-factory".as_ptr()) };
        rule(unknown.is_null(), "it has a factory of a name that nobody knows");
        // A host may initialise more than once, if it ends as often (CLAP 1.2).
        rule(self.init(), "a second entry.init fails");
        self.deinit();
        // SAFETY: the factory is asked for its count alone.
        let count = unsafe { self.factory().get_plugin_count.expect(NO_FUNCTION)(self.factory()) };
        rule(count > 0, "its factory is empty after one of two inits was undone");
        rule(self.descriptor(count).is_none(), "it describes a plugin behind the last");
        rule(self.descriptor(u32::MAX).is_none(), "it describes plugin 4294967295");
        rule(self.create("no.such.plugin").is_null(), "it makes plugins of ids that it does not have");
        rule(self.create("").is_null(), "it makes plugins without an id");
        let found = (0..count).filter_map(|index| self.descriptor(index)).find(|it| text(it.id) == id);
        match found {
            Some(descriptor) => self.check_descriptor(descriptor),
            None => rule(false, "its factory does not list it"),
        }
    }

    fn check_descriptor(&self, descriptor: &clap_plugin_descriptor) {
        let rule = |kept: bool, text: &str| self.host.rule(kept, || text.to_owned());
        rule(clap_version_is_compatible(descriptor.clap_version), "its descriptor is of no CLAP version");
        rule(!text(descriptor.name).is_empty(), "it has no name");
        rule(!descriptor.features.is_null(), "its features are missing");
        let features: Vec<String> = (0..64)
            // SAFETY: the list ends with a null, where this ends too.
            .map(|n| unsafe { *descriptor.features.add(n) })
            .take_while(|feature| !feature.is_null())
            .map(text)
            .collect();
        let main = [
            CLAP_PLUGIN_FEATURE_INSTRUMENT,
            CLAP_PLUGIN_FEATURE_AUDIO_EFFECT,
            CLAP_PLUGIN_FEATURE_NOTE_EFFECT,
            CLAP_PLUGIN_FEATURE_ANALYZER,
        ];
        let main = main.map(|name| name.to_string_lossy().into_owned());
        rule(features.iter().any(|it| main.contains(it)), "its features do not say what it mainly is");
        let mut once = features.clone();
        once.sort();
        once.dedup();
        rule(once.len() == features.len(), "it has a feature twice");
    }
}

impl Drop for File<'_> {
    fn drop(&mut self) {
        self.deinit();
    }
}

/// A text of a plugin; nothing for a null.
pub fn text(text: *const c_char) -> String {
    match text.is_null() {
        true => String::new(),
        // SAFETY: texts of plugins are zero-ended.
        false => unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned(),
    }
}

/// A text in a field of fixed size, up to its zero.
pub fn field(bytes: &[c_char]) -> String {
    let bytes: Vec<u8> = bytes.iter().map(|&byte| byte as u8).take_while(|&byte| byte != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}
