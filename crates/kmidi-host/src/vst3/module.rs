//! A plugin file in memory: found in its bundle, opened once, left when the last plugin of it is gone.

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::vst3::ComPtr;
use ::vst3::Steinberg::IPluginFactory;
use libloading::os::unix::Library;

use crate::{LoadError, resident};

type EntryFn = unsafe extern "system" fn(*mut c_void) -> bool;
type ExitFn = unsafe extern "system" fn() -> bool;
type FactoryFn = unsafe extern "system" fn() -> *mut IPluginFactory;

/// Every module that is open, by its file. A module is entered once and left once however many plugins of it there are.
static OPEN: Mutex<BTreeMap<PathBuf, Open>> = Mutex::new(BTreeMap::new());

struct Open {
    library: Library,
    users: usize,
}

/// A use of an open module. The last one that is dropped closes it.
pub struct Module {
    file: PathBuf,
}

impl Module {
    /// Opens the module at a path (bundle folder or file) or takes part in one that is open.
    pub fn open(path: &Path) -> Result<Arc<Self>, LoadError> {
        let error = |why: String| LoadError::Library { path: path.to_owned(), why };
        let file = library_file(path).ok_or_else(|| error(format!("it holds no {}", library_folder())))?;
        let file = file.canonicalize().map_err(|why| error(why.to_string()))?;
        let mut open = open_modules();
        match open.get_mut(&file) {
            Some(module) => module.users += 1,
            None => {
                let library = enter(&file).map_err(error)?;
                open.insert(file.clone(), Open { library, users: 1 });
            }
        }
        Ok(Arc::new(Module { file }))
    }

    /// Its factory.
    pub fn factory(&self) -> Option<ComPtr<IPluginFactory>> {
        let open = open_modules();
        let library = &open.get(&self.file)?.library;
        // SAFETY: every VST3 module exports `GetPluginFactory` with this signature.
        let get = unsafe { library.get::<FactoryFn>(b"GetPluginFactory") }.ok()?;
        let get = *get;
        drop(open);
        // SAFETY: the module has been entered and stays open while `self` lives.
        let factory = unsafe { get() };
        // SAFETY: it is null or a factory with a reference that is ours.
        unsafe { ComPtr::from_raw(factory) }
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        let mut open = open_modules();
        let Some(module) = open.get_mut(&self.file) else { return };
        module.users -= 1;
        if module.users == 0
            && let Some(module) = open.remove(&self.file)
        {
            // Under the lock: whoever opens the same file next waits until it has been left.
            leave(module.library);
        }
    }
}

fn open_modules() -> MutexGuard<'static, BTreeMap<PathBuf, Open>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn enter(file: &Path) -> Result<Library, String> {
    // SAFETY: the library's initialisers run: foreign code, which the user asked for by loading this plugin.
    let library = unsafe { resident::open(file) }.map_err(|why| why.to_string())?;
    let handle = library.into_raw();
    // SAFETY: the handle has just been given up by `into_raw`, and is owned once.
    let library = unsafe { Library::from_raw(handle) };
    // SAFETY: every VST3 module on Linux exports `ModuleEntry` with this signature.
    let entry = unsafe { library.get::<EntryFn>(b"ModuleEntry") };
    let entry = entry.map_err(|_| "it has no ModuleEntry, as a VST3 module must".to_owned())?;
    // SAFETY: called once, before anything else of the module, with its handle.
    match unsafe { entry(handle) } {
        true => Ok(library),
        false => Err("its ModuleEntry failed".to_owned()),
    }
}

fn leave(library: Library) {
    // SAFETY: the signature is the one that VST3 has on Linux.
    if let Ok(exit) = unsafe { library.get::<ExitFn>(b"ModuleExit") } {
        // SAFETY: the module was entered, and no object of it is left. What it answers changes nothing.
        unsafe { exit() };
    }
}

/// The folder of a bundle for this machine.
fn library_folder() -> String {
    let arch = match std::env::consts::ARCH {
        "x86" => "i686",
        "arm" => "armv7l",
        arch => arch,
    };
    format!("Contents/{arch}-linux")
}

/// The library of a bundle: the one that is named like the bundle, else the only one. A plain file is its own.
fn library_file(path: &Path) -> Option<PathBuf> {
    if path.is_file() {
        return Some(path.to_owned());
    }
    let folder = path.join(library_folder());
    let mut name = path.file_stem()?.to_owned();
    name.push(".so");
    let named = folder.join(name);
    if named.is_file() {
        return Some(named);
    }
    let entries = std::fs::read_dir(folder).ok()?.flatten().take(super::limits::MAX_FOLDER_ENTRIES);
    let mut libraries =
        entries.map(|entry| entry.path()).filter(|it| it.extension().is_some_and(|so| so == "so"));
    libraries.next().filter(|_| libraries.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_without_this_machine_or_with_two_candidates_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let bundle = dir.path().join("A.vst3");
        let folder = bundle.join(library_folder());
        std::fs::create_dir_all(bundle.join("Contents/mips-linux")).unwrap();
        assert_eq!(library_file(&bundle), None);
        std::fs::create_dir_all(&folder).unwrap();
        assert_eq!(library_file(&bundle), None);
        std::fs::write(folder.join("b.so"), "").unwrap();
        assert_eq!(library_file(&bundle), Some(folder.join("b.so")));
        std::fs::write(folder.join("c.so"), "").unwrap();
        assert_eq!(library_file(&bundle), None);
        std::fs::write(folder.join("A.so"), "").unwrap();
        assert_eq!(library_file(&bundle), Some(folder.join("A.so")));
    }

    #[test]
    fn what_is_no_module_is_an_error_that_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x.vst3");
        assert!(matches!(Module::open(&file), Err(LoadError::Library { .. })));
        std::fs::write(&file, "not a library").unwrap();
        assert!(matches!(Module::open(&file), Err(LoadError::Library { .. })));
    }
}
