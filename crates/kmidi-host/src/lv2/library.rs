//! A plugin's library and the descriptor in it.

use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use libloading::os::unix::Library as Opened;

use super::abi::{Descriptor, DescriptorFunction, Feature, LibDescriptor, LibDescriptorFunction};
use crate::resident;

/// Most plugins of a library that are looked at.
const MAX_DESCRIPTORS: u32 = 65_536;

/// An open library with one plugin of it.
pub struct Library {
    descriptor: *const Descriptor,
    whole: *const LibDescriptor,
    // Dropped last: the pointers above point into it.
    _opened: Opened,
}

/// Why there is no plugin.
pub enum Missing {
    /// The library does not open, or is none of LV2.
    Library(String),
    /// The plugin is not in it.
    Plugin,
}

impl Library {
    /// Opens a library and looks for a plugin. Runs foreign code. `[side B]`
    ///
    /// # Safety
    /// `features` ends with null, and lives longer than the library.
    pub unsafe fn open(
        path: &Path,
        folder: &Path,
        uri: &str,
        features: *const *const Feature,
    ) -> Result<Self, Missing> {
        // SAFETY: what a library does when it is opened is its own; that is why plugins are scanned in a process of their
        // own first.
        let opened = unsafe { resident::open(path) }.map_err(|error| Missing::Library(reason(&error)))?;
        let mut library = Library { descriptor: std::ptr::null(), whole: std::ptr::null(), _opened: opened };
        // SAFETY: the type is the one that LV2 gives this name, and the caller's promise about the features is passed on.
        unsafe {
            if let Ok(function) = library._opened.get::<LibDescriptorFunction>(b"lv2_lib_descriptor\0") {
                return library.find_in_whole(*function, folder, uri, features);
            }
        }
        // SAFETY: the type is the one that LV2 gives this name.
        let function = unsafe { library._opened.get::<DescriptorFunction>(b"lv2_descriptor\0") };
        let function =
            *function.map_err(|_| Missing::Library("it is no library of LV2 plugins".to_owned()))?;
        // SAFETY: any index may be asked.
        library.descriptor = find(uri, |index| unsafe { function(index) }).ok_or(Missing::Plugin)?;
        Ok(library)
    }

    /// # Safety
    /// As [`Library::open`].
    unsafe fn find_in_whole(
        mut self,
        function: LibDescriptorFunction,
        folder: &Path,
        uri: &str,
        features: *const *const Feature,
    ) -> Result<Self, Missing> {
        let folder = c_folder(folder);
        // SAFETY: the path is a C string, the features are the caller's promise.
        self.whole = unsafe { function(folder.as_ptr(), features) };
        if self.whole.is_null() {
            return Err(Missing::Library("it gives no description".to_owned()));
        }
        // SAFETY: it is not null, and lives until its `cleanup`, which `drop` calls.
        let whole = unsafe { &*self.whole };
        let get = whole.get_plugin.ok_or_else(|| Missing::Library("it gives no plugins".to_owned()))?;
        // SAFETY: any index may be asked.
        let found = find(uri, |index| unsafe { get(whole.handle, index) });
        self.descriptor = found.ok_or(Missing::Plugin)?;
        Ok(self)
    }

    /// The plugin's descriptor.
    pub fn descriptor(&self) -> &Descriptor {
        // SAFETY: it is not null once the library has been made, and lives as long as the library.
        unsafe { &*self.descriptor }
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        if self.whole.is_null() {
            return;
        }
        // SAFETY: it is what the library gave, given back once, before the library is closed.
        unsafe {
            if let Some(cleanup) = (*self.whole).cleanup {
                cleanup((*self.whole).handle);
            }
        }
    }
}

fn find(uri: &str, at: impl Fn(u32) -> *const Descriptor) -> Option<*const Descriptor> {
    for index in 0..MAX_DESCRIPTORS {
        let descriptor = at(index);
        if descriptor.is_null() {
            return None;
        }
        // SAFETY: it is not null, so it is a descriptor, whose URI is null or a C string.
        let is_it = unsafe {
            let name = (*descriptor).uri;
            !name.is_null() && CStr::from_ptr(name).to_bytes() == uri.as_bytes()
        };
        if is_it {
            return Some(descriptor);
        }
    }
    None
}

/// A bundle folder as C wants it, with `/` at the end.
pub fn c_folder(folder: &Path) -> CString {
    let mut bytes = folder.as_os_str().as_bytes().to_vec();
    if bytes.last() != Some(&b'/') {
        bytes.push(b'/');
    }
    CString::new(bytes).unwrap_or_default()
}

fn reason(error: &libloading::Error) -> String {
    use std::error::Error;
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}
