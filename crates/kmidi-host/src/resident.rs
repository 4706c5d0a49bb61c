//! A plugin's library is closed with its last plugin, so that a new version can take its place. What it needs stays.
//!
//! GLib keeps the types of GTK's widgets for ever, and crashes where GTK is closed, opened again and makes them anew: a plugin
//! that was removed and added once more would end the program. Toolkits that are closed also leave threads and the
//! destructors of thread-local values behind.

use std::ffi::{CStr, CString, OsStr, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use libloading::os::unix::{Library, RTLD_LAZY, RTLD_LOCAL, RTLD_NOW};

/// Held while a library is opened: what comes with it is told from what comes with another.
static OPENING: Mutex<()> = Mutex::new(());

/// Opens a library; those that it brings with it stay in memory until the process ends. `[side B]`
///
/// # Safety
/// Runs the library's initialisers: foreign code, which nothing can vouch for.
pub unsafe fn open(path: &Path) -> Result<Library, libloading::Error> {
    let _one_at_a_time = OPENING.lock().unwrap_or_else(PoisonError::into_inner);
    let was_open = reopen(path.as_os_str(), 0).is_ok();
    // SAFETY: the caller's promise.
    let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }?;
    if !was_open {
        for needed in behind(path) {
            // What cannot be kept is no library, and nothing closes it.
            let _ = reopen(OsStr::from_bytes(needed.as_bytes()), libc::RTLD_NODELETE);
        }
    }
    Ok(library)
}

/// Opens what is open already.
fn reopen(path: &OsStr, flags: c_int) -> Result<Library, libloading::Error> {
    // SAFETY: nothing of it is run, as it has been initialised.
    unsafe { Library::open(Some(path), RTLD_LAZY | libc::RTLD_NOLOAD | flags) }
}

/// The libraries behind this one in the order in which they were loaded.
fn behind(path: &Path) -> Vec<CString> {
    struct Search<'a> {
        path: &'a Path,
        is_behind: bool,
        names: Vec<CString>,
    }
    /// # Safety
    /// Called by `dl_iterate_phdr` with a [`Search`].
    unsafe extern "C" fn look(info: *mut libc::dl_phdr_info, _: usize, search: *mut c_void) -> c_int {
        // SAFETY: `behind` lends it for as long as this is called; the name is a C string while it is.
        let (search, name) = unsafe { (&mut *search.cast::<Search>(), CStr::from_ptr((*info).dlpi_name)) };
        match search.is_behind {
            true => search.names.push(name.to_owned()),
            false => search.is_behind = name.to_bytes() == search.path.as_os_str().as_bytes(),
        }
        0
    }
    let mut search = Search { path, is_behind: false, names: Vec::new() };
    // SAFETY: `look` takes what it is given here.
    unsafe { libc::dl_iterate_phdr(Some(look), (&raw mut search).cast()) };
    search.names
}
