//! Addresses in words.

use std::collections::HashMap;
use std::ffi::{CStr, c_int, c_void};
use std::path::Path;

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
}

impl Symbols {
    pub fn new() -> Self {
        Symbols { frames: HashMap::new(), loaded: (0, 0) }
    }

    /// Return addresses in words, from the plugin's own innermost one on if there is one.
    pub fn stack(&mut self, addresses: &[usize]) -> Vec<String> {
        let now = loaded();
        if now != self.loaded {
            self.frames.clear();
            backtrace::clear_symbol_cache();
            self.loaded = now;
        }
        let frames: Vec<&Frame> = {
            for address in addresses {
                self.frames.entry(*address).or_insert_with(|| frame(*address));
            }
            addresses.iter().map(|address| &self.frames[address]).collect()
        };
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
fn frame(address: usize) -> Frame {
    // The call itself, not what comes after it.
    let call = address - 1;
    let (mut function, mut line) = (None, None);
    backtrace::resolve(call as *mut c_void, |symbol| {
        // The innermost of those that were inlined comes first.
        function = function.take().or_else(|| symbol.name().map(|name| format!("{name:#}")));
        let file =
            symbol.filename().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        line = line.take().or_else(|| Some(format!(" ({}:{})", file?, symbol.lineno()?)));
    });
    let place = place(call);
    let (library, offset, exported) = match &place {
        Some((library, offset, exported)) => (library.as_str(), *offset, exported.clone()),
        None => ("?", call, None),
    };
    let function = function.or(exported).unwrap_or_else(|| "?".to_owned());
    let is_runtime = RUNTIME.iter().any(|name| library.starts_with(name));
    Frame { text: format!("{function} {library}+{offset:#x}{}", line.unwrap_or_default()), is_runtime }
}

/// The library of an address, the offset in it, and the name that it exports there.
fn place(address: usize) -> Option<(String, usize, Option<String>)> {
    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: it only looks the address up, and fills in what it finds.
    let found = unsafe { libc::dladdr(address as *const c_void, info.as_mut_ptr()) } != 0;
    // SAFETY: all zero is valid too.
    let info = unsafe { info.assume_init() };
    if !found || info.dli_fname.is_null() {
        return None;
    }
    // SAFETY: names that the linker keeps while the library is loaded, which it is: it is on the stack.
    let text = |name: *const std::ffi::c_char| unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned();
    let path = text(info.dli_fname);
    let library =
        Path::new(&path).file_name().map_or_else(|| path.clone(), |it| it.to_string_lossy().into_owned());
    let exported = (!info.dli_sname.is_null()).then(|| text(info.dli_sname));
    Some((library, address - info.dli_fbase as usize, exported))
}
