//! Addresses in words.

use std::collections::HashMap;
use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::library::{Library, in_words};

/// Libraries whose own frames say nothing of a plugin.
const RUNTIME: [&str; 8] = [
    "libc.so",
    "ld-linux",
    "libpthread.so",
    "libm.so",
    "libdl.so",
    "libgcc_s.so",
    "libstdc++.so",
    "libc++.so",
];

/// A frame in words, and whether it is in a library that every program has.
#[derive(Clone)]
struct Frame {
    text: String,
    is_runtime: bool,
}

/// Frames that have been looked up, while the same libraries are loaded.
pub struct Symbols {
    frames: HashMap<usize, Frame>,
    loaded: (u64, u64),
    /// What the files of libraries say; `None` of one that cannot be read.
    files: HashMap<PathBuf, Option<Library>>,
}

impl Symbols {
    pub fn new() -> Self {
        Symbols { frames: HashMap::new(), loaded: (0, 0), files: HashMap::new() }
    }

    /// Return addresses in words, from the plugin's own innermost one on if there is one.
    pub fn stack(&mut self, addresses: &[usize]) -> Vec<String> {
        let now = loaded();
        if now != self.loaded {
            self.frames.clear();
            self.loaded = now;
        }
        let files = &mut self.files;
        for address in addresses {
            self.frames.entry(*address).or_insert_with(|| frame(*address, files));
        }
        let frames: Vec<&Frame> = addresses.iter().map(|address| &self.frames[address]).collect();
        let own = frames.iter().position(|frame| !frame.is_runtime).unwrap_or(0);
        frames[own..].iter().map(|frame| frame.text.clone()).collect()
    }
}

/// How many libraries have come and gone so far.
fn loaded() -> (u64, u64) {
    extern "C" fn visit(object: *mut libc::dl_phdr_info, _: usize, counts: *mut c_void) -> c_int {
        // SAFETY: the linker gives a valid object, and `counts` is what `loaded` passes.
        unsafe { *counts.cast::<(u64, u64)>() = ((*object).dlpi_adds, (*object).dlpi_subs) };
        1
    }
    let mut counts = (0_u64, 0_u64);
    // SAFETY: `visit` gets the counts that live here.
    unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut counts).cast()) };
    counts
}

/// The call that returns to this address: function, library and offset, and the line if the library says it.
fn frame(address: usize, files: &mut HashMap<PathBuf, Option<Library>>) -> Frame {
    // The call itself, not what comes after it.
    let call = address - 1;
    let Some(place) = Place::of(call) else {
        return Frame { text: format!("? {call:#x}"), is_runtime: false };
    };
    let library = files.entry(place.library.clone()).or_insert_with_key(|path| Library::read(path));
    let code = library.as_ref().map(|library| library.code(place.offset as u64)).unwrap_or_default();
    let exported = || place.exported.as_deref().map(in_words);
    let function = code.function.or_else(exported).unwrap_or_else(|| "?".to_owned());
    let library = place.library.file_name().unwrap_or(place.library.as_os_str()).to_string_lossy();
    let line = code.line.map(|line| format!(" ({line})")).unwrap_or_default();
    let is_runtime = RUNTIME.iter().any(|name| library.starts_with(name));
    Frame { text: format!("{function} {library}+{:#x}{line}", place.offset), is_runtime }
}

/// Where an address is.
struct Place {
    library: PathBuf,
    offset: usize,
    /// What the library exports there.
    exported: Option<String>,
}

impl Place {
    fn of(address: usize) -> Option<Place> {
        let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
        // SAFETY: it only looks the address up, and fills in what it finds.
        let found = unsafe { libc::dladdr(address as *const c_void, info.as_mut_ptr()) } != 0;
        // SAFETY: all zero is valid too.
        let info = unsafe { info.assume_init() };
        // SAFETY: names that the linker keeps while the library is loaded, and it has just found them.
        let text = |name: *const c_char| (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) });
        let library = text(info.dli_fname).filter(|_| found)?;
        Some(Place {
            library: PathBuf::from(OsStr::from_bytes(library.to_bytes())),
            offset: address - info.dli_fbase as usize,
            exported: text(info.dli_sname).map(|name| name.to_string_lossy().into_owned()),
        })
    }
}
