//! Numbers for URIs, the same for all plugins of the process.
//!
//! A plugin may ask for one while it runs. For a URI that is known this takes one hash of its text and a look into a
//! table: no lock, no allocation. A new one takes a lock and is kept for good.

use std::ffi::{CStr, CString, c_char, c_void};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

use super::uris::*;

/// Most URIs of a process; further ones get 0, which is no URID.
const MAX_URIS: usize = 1 << 15;
/// Places to look a URI up in: half of them stay free.
const PLACES: usize = MAX_URIS * 2;
/// Longest URI, in bytes.
const MAX_URI_BYTES: usize = 4096;

/// URIDs, each at the first free place from its URI's hash on. Written under [`LAST`].
static BY_HASH: [AtomicU32; PLACES] = [const { AtomicU32::new(0) }; PLACES];
/// C strings that are never freed, at their URID less 1. Written under [`LAST`].
static BY_ID: [AtomicPtr<c_char>; MAX_URIS] = [const { AtomicPtr::new(std::ptr::null_mut()) }; MAX_URIS];
/// The highest URID.
static LAST: Mutex<u32> = Mutex::new(0);

/// The URID of a URI; 0 if there is no room left.
pub fn map(uri: &CStr) -> u32 {
    if uri.is_empty() || uri.count_bytes() > MAX_URI_BYTES {
        return 0;
    }
    if let Ok(id) = find(uri) {
        return id;
    }
    let mut last = LAST.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    match find(uri) {
        Ok(id) => id,
        Err(_) if *last as usize >= MAX_URIS => 0,
        Err(place) => {
            *last += 1;
            BY_ID[*last as usize - 1].store(CString::from(uri).into_raw(), Ordering::Release);
            BY_HASH[place].store(*last, Ordering::Release);
            *last
        }
    }
}

/// The URID of a URI in Rust's text; 0 if it has a NUL in it. `[side B]`
pub fn map_str(uri: &str) -> u32 {
    CString::new(uri).map_or(0, |uri| map(&uri))
}

/// The URI of a URID.
pub fn unmap(id: u32) -> Option<&'static CStr> {
    let at = (id as usize).checked_sub(1)?;
    let uri = BY_ID.get(at)?.load(Ordering::Acquire);
    // SAFETY: what is not null there is a C string that is never freed or changed.
    (!uri.is_null()).then(|| unsafe { CStr::from_ptr(uri) })
}

/// The URID, or the place where it belongs.
fn find(uri: &CStr) -> Result<u32, usize> {
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    let mut place = hasher.hash_one(uri.to_bytes()) as usize % PLACES;
    loop {
        match BY_HASH[place].load(Ordering::Acquire) {
            0 => return Err(place),
            id if unmap(id) == Some(uri) => return Ok(id),
            _ => place = (place + 1) % PLACES,
        }
    }
}

/// `LV2_URID_Map::map`
///
/// # Safety
/// `uri` is null or a C string.
pub unsafe extern "C" fn c_map(_: *mut c_void, uri: *const c_char) -> u32 {
    if uri.is_null() {
        return 0;
    }
    // SAFETY: the caller's promise.
    map(unsafe { CStr::from_ptr(uri) })
}

/// `LV2_URI_Map_Feature::uri_to_id`
///
/// # Safety
/// `uri` is null or a C string.
pub unsafe extern "C" fn c_uri_to_id(_: *mut c_void, _: *const c_char, uri: *const c_char) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { c_map(std::ptr::null_mut(), uri) }
}

/// `LV2_URID_Unmap::unmap`
///
/// # Safety
/// None is asked.
pub unsafe extern "C" fn c_unmap(_: *mut c_void, id: u32) -> *const c_char {
    unmap(id).map_or(std::ptr::null(), CStr::as_ptr)
}

macro_rules! urids {
    ($($name:ident = $uri:expr),* $(,)?) => {
        /// The URIDs that this host speaks.
        pub struct Urids {
            $(#[doc = concat!("of `", stringify!($uri), "`")] pub $name: u32,)*
        }

        impl Urids {
            fn map() -> Self {
                Urids { $($name: map_str($uri),)* }
            }
        }
    };
}

urids! {
    sequence = ATOM_SEQUENCE,
    chunk = ATOM_CHUNK,
    object = ATOM_OBJECT,
    blank = ATOM_BLANK,
    resource = ATOM_RESOURCE,
    float = ATOM_FLOAT,
    double = ATOM_DOUBLE,
    int = ATOM_INT,
    long = ATOM_LONG,
    bool = ATOM_BOOL,
    urid = ATOM_URID,
    vector = ATOM_VECTOR,
    tuple = ATOM_TUPLE,
    property = ATOM_PROPERTY,
    literal = ATOM_LITERAL,
    midi_event = MIDI_EVENT,
    patch_set = PATCH_SET,
    patch_get = PATCH_GET,
    patch_put = PATCH_PUT,
    patch_property = PATCH_PROPERTY,
    patch_value = PATCH_VALUE,
    patch_body = PATCH_BODY,
    position = TIME_POSITION,
    frame = TIME_FRAME,
    speed = TIME_SPEED,
    bar = TIME_BAR,
    bar_beat = TIME_BAR_BEAT,
    beat_unit = TIME_BEAT_UNIT,
    beats_per_bar = TIME_BEATS_PER_BAR,
    beats_per_minute = TIME_BEATS_PER_MINUTE,
    min_block = BUF_MIN,
    max_block = BUF_MAX,
    nominal_block = BUF_NOMINAL,
    sequence_size = BUF_SEQUENCE_SIZE,
    sample_rate = PARAM_SAMPLE_RATE,
}

/// The URIDs that this host speaks. The first call maps them: make it on side B.
pub fn urids() -> &'static Urids {
    static URIDS: OnceLock<Urids> = OnceLock::new();
    URIDS.get_or_init(Urids::map)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_threads_that_map_the_same_uris_get_the_same_numbers() {
        let map_all = || (0..500).map(|n| map_str(&format!("urn:test:{n}"))).collect::<Vec<_>>();
        let threads: Vec<_> = (0..8).map(|_| std::thread::spawn(map_all)).collect();
        let mut results: Vec<Vec<u32>> = threads.into_iter().map(|it| it.join().unwrap()).collect();
        results.dedup();
        assert_eq!(results.len(), 1);
        for (n, id) in results[0].iter().enumerate() {
            assert_eq!(unmap(*id).unwrap().to_str().unwrap(), format!("urn:test:{n}"));
        }
        let mut distinct = results[0].clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), 500);
        assert_eq!((map(c""), unmap(0), unmap(u32::MAX)), (0, None, None));
    }
}
