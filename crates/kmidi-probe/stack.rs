//! Who called, as addresses.

use std::ffi::{c_int, c_void};
use std::ops::Range;

/// Calls that are remembered.
pub const FRAMES: usize = 24;

#[repr(C)]
struct Context {
    _opaque: [u8; 0],
}

unsafe extern "C" {
    fn _Unwind_Backtrace(
        visit: extern "C" fn(*mut Context, *mut c_void) -> c_int,
        data: *mut c_void,
    ) -> c_int;
    fn _Unwind_GetIP(context: *mut Context) -> usize;
    fn _Unwind_GetCFA(context: *mut Context) -> usize;
}

const GO_ON: c_int = 0;
const STOP: c_int = 5;

/// The code that was there before any plugin.
pub struct Ground {
    /// This program.
    probe: Range<usize>,
    /// The libraries that it was started with: libc and its kin.
    libraries: Vec<Range<usize>>,
}

impl Ground {
    /// As it is now.
    pub fn now() -> Self {
        extern "C" fn visit(object: *mut libc::dl_phdr_info, _: usize, all: *mut c_void) -> c_int {
            // SAFETY: the linker gives a valid object, and `all` is what `now` passes.
            let (object, all) = unsafe { (&*object, &mut *all.cast::<Vec<Range<usize>>>()) };
            // SAFETY: so many headers are there.
            let headers = unsafe { std::slice::from_raw_parts(object.dlpi_phdr, object.dlpi_phnum.into()) };
            let loaded = headers.iter().filter(|header| header.p_type == libc::PT_LOAD);
            let range = |start: usize, bytes: u64| start..start + bytes as usize;
            let ranges = loaded.map(|it| range(object.dlpi_addr as usize + it.p_vaddr as usize, it.p_memsz));
            all.extend(ranges.reduce(|all, next| all.start.min(next.start)..all.end.max(next.end)));
            0
        }
        let mut all: Vec<Range<usize>> = Vec::new();
        // SAFETY: `visit` gets the vector that lives here.
        unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut all).cast()) };
        // The linker tells the program itself first.
        let probe = if all.is_empty() { 0..0 } else { all.remove(0) };
        Ground { probe, libraries: all }
    }

    /// Whether this is an address of the program itself.
    pub fn is_probe(&self, address: usize) -> bool {
        self.probe.contains(&address)
    }
}

/// Return addresses, the innermost first, up to where the probe called.
pub struct Calls {
    pub depth: usize,
    pub frames: [usize; FRAMES],
    /// Whether any of them is in a library that came later.
    foreign: bool,
    /// Whether the way back to the probe was found.
    reached_probe: bool,
}

impl Calls {
    pub const NONE: Calls = Calls { depth: 0, frames: [0; FRAMES], foreign: false, reached_probe: false };

    pub fn frames(&self) -> &[usize] {
        &self.frames[..self.depth]
    }

    /// Whether it was foreign code that called, and not the probe by itself or by way of libc.
    pub fn are_foreign(&self) -> bool {
        self.foreign || !self.reached_probe
    }
}

struct Walk<'a> {
    calls: &'a mut Calls,
    above: usize,
    ground: &'a Ground,
}

/// Who called the function in whose frame `above` is. Takes no memory and no lock of ours.
pub fn walk(above: usize, ground: &Ground) -> Calls {
    let mut calls = Calls::NONE;
    let mut walk = Walk { calls: &mut calls, above, ground };
    // SAFETY: `visit` gets the walk that lives here.
    unsafe { _Unwind_Backtrace(visit, (&raw mut walk).cast()) };
    calls
}

extern "C" fn visit(context: *mut Context, walk: *mut c_void) -> c_int {
    // SAFETY: what `walk` passes; the context is valid during this call.
    let (walk, address, stack) =
        unsafe { (&mut *walk.cast::<Walk<'_>>(), _Unwind_GetIP(context), _Unwind_GetCFA(context)) };
    // Frames of the hook and of what it called: their stack ends at or below the given address.
    if stack <= walk.above {
        return GO_ON;
    }
    if walk.ground.is_probe(address) {
        walk.calls.reached_probe = true;
        return STOP;
    }
    walk.calls.frames[walk.calls.depth] = address;
    walk.calls.depth += 1;
    walk.calls.foreign |= !walk.ground.libraries.iter().any(|it| it.contains(&address));
    if walk.calls.depth == FRAMES { STOP } else { GO_ON }
}
