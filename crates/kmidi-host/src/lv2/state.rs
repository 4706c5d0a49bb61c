//! Saving and restoring through a plugin's own functions.

use std::ffi::c_void;

use super::abi::*;
use super::instance::Instance;
use super::state_entry::{Entry, MAX_ENTRIES};
use super::urid::{map_str, unmap};

/// Most bytes of the values of a state.
const MAX_BYTES: usize = 64 << 20;
/// `LV2_STATE_ERR_NO_PROPERTY`: a plugin misses a value, as when a state is older than it.
const ERR_NO_PROPERTY: u32 = 5;

/// What a plugin stores, while it does.
#[derive(Default)]
struct Storing {
    entries: Vec<Entry>,
    bytes: usize,
}

/// What a plugin may retrieve, while it does.
struct Retrieving {
    entries: Vec<Stored>,
}

struct Stored {
    key: u32,
    kind: u32,
    flags: u32,
    /// At a multiple of 8, as atoms are.
    words: Vec<u64>,
    len: usize,
}

/// Asks the plugin for its state; none if it keeps none. `[side B]`
pub fn save(instance: &Instance) -> Result<Vec<Entry>, String> {
    let Some(save) = instance.state().and_then(|state| state.save) else { return Ok(Vec::new()) };
    let mut storing = Storing::default();
    let flags = STATE_IS_POD | STATE_IS_PORTABLE;
    let to: *mut Storing = &mut storing;
    // SAFETY: `save` may be called beside `run`; `store` gets the pointer that it is made for, alive during the call.
    let status = unsafe { save(instance.handle(), store, to.cast(), flags, instance.features.as_ptr()) };
    match status {
        STATE_SUCCESS => Ok(storing.entries),
        // A sampler without a sample says that it cannot: what else there is of it is saved all the same.
        _ if storing.entries.is_empty() => Ok(Vec::new()),
        status => Err(format!("its function says {status}")),
    }
}

/// Gives a state to the plugin. `[side B]`
///
/// # Safety
/// Nothing else is in the instance, or the plugin takes states while it runs (`state:threadSafeRestore`).
pub unsafe fn restore(instance: &Instance, entries: &[Entry]) -> Result<(), String> {
    let Some(restore) = instance.state().and_then(|state| state.restore) else { return Ok(()) };
    let mut retrieving = Retrieving { entries: entries.iter().map(Stored::new).collect() };
    let from: *mut Retrieving = &mut retrieving;
    // SAFETY: the caller's promise; `retrieve` gets the pointer that it is made for, alive during the call.
    let status = unsafe { restore(instance.handle(), retrieve, from.cast(), 0, instance.features.as_ptr()) };
    match status {
        STATE_SUCCESS | ERR_NO_PROPERTY => Ok(()),
        // A plugin that stored nothing may miss even that.
        _ if entries.is_empty() => Ok(()),
        status => Err(format!("its function says {status}")),
    }
}

impl Stored {
    fn new(entry: &Entry) -> Self {
        let mut words = vec![0u64; entry.bytes.len().div_ceil(8)];
        for (word, bytes) in words.iter_mut().zip(entry.bytes.chunks(8)) {
            let mut eight = [0; 8];
            eight[..bytes.len()].copy_from_slice(bytes);
            *word = u64::from_ne_bytes(eight);
        }
        let len = entry.bytes.len();
        Stored { key: map_str(&entry.key), kind: entry.kind_id(), flags: entry.flags, words, len }
    }
}

/// `LV2_State_Store_Function`
unsafe extern "C" fn store(
    handle: *mut c_void,
    key: u32,
    value: *const c_void,
    size: usize,
    kind: u32,
    flags: u32,
) -> u32 {
    // SAFETY: the handle is what `save` gave, during that call.
    let storing = unsafe { &mut *handle.cast::<Storing>() };
    let text = |id| unmap(id).and_then(|uri| uri.to_str().ok()).map(str::to_owned);
    let (Some(key), Some(kind)) = (text(key), text(kind)) else { return STATE_ERR_UNKNOWN };
    if flags & STATE_IS_POD == 0 {
        return STATE_ERR_BAD_FLAGS;
    }
    if (value.is_null() && size > 0) || storing.entries.len() >= MAX_ENTRIES {
        return STATE_ERR_UNKNOWN;
    }
    if size > MAX_BYTES - storing.bytes {
        return STATE_ERR_NO_SPACE;
    }
    storing.bytes += size;
    let bytes = match size {
        0 => Vec::new(),
        // SAFETY: the value is not null and has `size` bytes by the plugin's promise.
        size => unsafe { std::slice::from_raw_parts(value.cast::<u8>(), size) }.to_vec(),
    };
    let entry = Entry { key, kind, flags, bytes };
    match storing.entries.iter_mut().find(|it| it.key == entry.key) {
        Some(old) => *old = entry,
        None => storing.entries.push(entry),
    }
    STATE_SUCCESS
}

/// `LV2_State_Retrieve_Function`
unsafe extern "C" fn retrieve(
    handle: *mut c_void,
    key: u32,
    size: *mut usize,
    kind: *mut u32,
    flags: *mut u32,
) -> *const c_void {
    // SAFETY: the handle is what `restore` gave, during that call.
    let retrieving = unsafe { &*handle.cast::<Retrieving>() };
    let Some(stored) = retrieving.entries.iter().find(|it| it.key == key) else { return std::ptr::null() };
    // SAFETY: each is null or a place for the number, by the plugin's promise.
    unsafe {
        if !size.is_null() {
            *size = stored.len;
        }
        if !kind.is_null() {
            *kind = stored.kind;
        }
        if !flags.is_null() {
            *flags = stored.flags;
        }
    }
    stored.words.as_ptr().cast()
}
