//! What this host offers to a plugin.

use std::ffi::{CString, c_char, c_void};
use std::sync::Arc;

use super::abi::*;
use super::files::{Files, c_absolute_path, c_abstract_path, c_free_path, c_make_path};
use super::urid::{c_map, c_unmap, c_uri_to_id, urids};
use super::uris::*;
use super::worker::{Worker, schedule};

/// Room for atoms in a port that asks for none, in bytes.
pub const SEQUENCE_BYTES: usize = 1 << 16;

/// What is fixed for an instance when it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Sample rate in Hz.
    pub sample_rate_hz: u32,
    /// Frames of every quantum.
    pub quantum_frames: u32,
}

/// The features of an instance, in the shape of C. They live at one place as long as the instance.
pub struct Features {
    // Pointed at by `pointers`, which point into `list`, whose entries point into the boxes.
    pointers: Vec<*const Feature>,
    _list: Box<[Feature]>,
    uris: Vec<CString>,
    _data: Box<Data>,
    worker: Arc<Worker>,
    // The handle of three features.
    _files: Arc<Files>,
}

struct Data {
    map: UridMap,
    unmap: UridUnmap,
    uri_map: UriMap,
    schedule: WorkerSchedule,
    make_path: MakePath,
    map_path: MapPath,
    free_path: FreePath,
    resize: ResizePort,
    blocks: [i32; 2],
    sequence_bytes: i32,
    sample_rate: f32,
    options: [OptionEntry; 6],
}

/// `LV2_Resize_Port_Resize::resize`: the buffers have their size before the plugin is active.
unsafe extern "C" fn refuse_resize(_: *mut c_void, _: u32, _: usize) -> u32 {
    1
}

impl Features {
    /// The features for a new instance. `[side B]`
    pub fn new(config: Config, worker: Arc<Worker>, files: Arc<Files>) -> Self {
        let mut data = data(config, &worker, &files);
        let offers = offers(&mut data, config);
        let uris: Vec<CString> = offers
            .iter()
            .map(|(uri, _)| CString::new(*uri).expect("no URI of this host has a NUL"))
            .collect();
        let features = uris.iter().zip(&offers);
        let list: Box<[Feature]> =
            features.map(|(uri, (_, data))| Feature { uri: uri.as_ptr(), data: *data }).collect();
        let pointers = list.iter().map(std::ptr::from_ref).chain([std::ptr::null()]).collect();
        Features { pointers, _list: list, uris, _data: data, worker, _files: files }
    }

    /// The list as C wants it.
    pub fn as_ptr(&self) -> *const *const Feature {
        self.pointers.as_ptr()
    }

    /// Whether a feature is among them.
    pub fn has(&self, uri: &str) -> bool {
        self.uris.iter().any(|it| it.as_bytes() == uri.as_bytes())
    }

    /// The worker behind the schedule.
    pub fn worker(&self) -> &Worker {
        &self.worker
    }
}

fn data(config: Config, worker: &Arc<Worker>, files: &Arc<Files>) -> Box<Data> {
    let none = std::ptr::null_mut();
    let files = Arc::as_ptr(files).cast_mut().cast::<c_void>();
    let worker = Arc::as_ptr(worker).cast_mut().cast::<c_void>();
    let end =
        || OptionEntry { context: 0, subject: 0, key: 0, size: 0, value_type: 0, value: std::ptr::null() };
    let mut data = Box::new(Data {
        map: UridMap { handle: none, map: c_map },
        unmap: UridUnmap { handle: none, unmap: c_unmap },
        uri_map: UriMap { handle: none, uri_to_id: c_uri_to_id },
        schedule: WorkerSchedule { handle: worker, schedule_work: schedule },
        make_path: MakePath { handle: files, path: c_make_path },
        map_path: MapPath { handle: files, abstract_path: c_abstract_path, absolute_path: c_absolute_path },
        free_path: FreePath { handle: files, free_path: c_free_path },
        resize: ResizePort { handle: none, resize: refuse_resize },
        // The shortest block is 1: a test of odd block sizes may give less than the quantum.
        blocks: [1, config.quantum_frames as i32],
        sequence_bytes: SEQUENCE_BYTES as i32,
        sample_rate: config.sample_rate_hz as f32,
        options: std::array::from_fn(|_| end()),
    });
    let urids = urids();
    let int = |key, value: *const i32| OptionEntry {
        key,
        size: 4,
        value_type: urids.int,
        value: value.cast(),
        ..end()
    };
    let rate: *const f32 = &data.sample_rate;
    data.options = [
        int(urids.min_block, &data.blocks[0]),
        int(urids.max_block, &data.blocks[1]),
        int(urids.nominal_block, &data.blocks[1]),
        int(urids.sequence_size, &data.sequence_bytes),
        OptionEntry { key: urids.sample_rate, size: 4, value_type: urids.float, value: rate.cast(), ..end() },
        end(),
    ];
    data
}

fn offers(data: &mut Data, config: Config) -> Vec<(&'static str, *mut c_void)> {
    fn at<T>(data: &mut T) -> *mut c_void {
        std::ptr::from_mut(data).cast()
    }
    let none = std::ptr::null_mut();
    let mut offers = vec![
        (URID_MAP, at(&mut data.map)),
        (URID_UNMAP, at(&mut data.unmap)),
        (URI_MAP, at(&mut data.uri_map)),
        (OPTIONS, at(&mut data.options)),
        (WORKER_SCHEDULE, at(&mut data.schedule)),
        (STATE_MAKE_PATH, at(&mut data.make_path)),
        (STATE_MAP_PATH, at(&mut data.map_path)),
        (STATE_FREE_PATH, at(&mut data.free_path)),
        (RSZ_RESIZE, at(&mut data.resize)),
        (BUF_BOUNDED, none),
        (BUF_FIXED, none),
        (BUF_COARSE, none),
        (STATE_LOAD_DEFAULT, none),
        (STATE_THREAD_SAFE_RESTORE, none),
        (LV2_IS_LIVE, none),
        (LV2_HARD_RT, none),
        (LV2_IN_PLACE_BROKEN, none),
        (PPROPS_SUPPORTS_STRICT_BOUNDS, none),
    ];
    if config.quantum_frames.is_power_of_two() {
        offers.push((BUF_POWER_OF_2, none));
    }
    offers
}

/// A C string of a plugin as text of Rust; `None` if it is null, or not UTF-8.
///
/// # Safety
/// `text` is null or a C string that lives while the result is used.
pub unsafe fn text_of<'a>(text: *const c_char) -> Option<&'a str> {
    if text.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    unsafe { std::ffi::CStr::from_ptr(text) }.to_str().ok()
}
