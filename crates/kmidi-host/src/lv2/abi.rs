//! The C structures of LV2, as its headers have them.

use std::ffi::{c_char, c_void};

/// The plugin's own instance.
pub type Handle = *mut c_void;

/// `LV2_Feature`
#[repr(C)]
pub struct Feature {
    pub uri: *const c_char,
    pub data: *mut c_void,
}

/// `LV2_Descriptor`
#[repr(C)]
pub struct Descriptor {
    pub uri: *const c_char,
    pub instantiate:
        Option<unsafe extern "C" fn(*const Descriptor, f64, *const c_char, *const *const Feature) -> Handle>,
    pub connect_port: Option<unsafe extern "C" fn(Handle, u32, *mut c_void)>,
    pub activate: Option<unsafe extern "C" fn(Handle)>,
    pub run: Option<unsafe extern "C" fn(Handle, u32)>,
    pub deactivate: Option<unsafe extern "C" fn(Handle)>,
    pub cleanup: Option<unsafe extern "C" fn(Handle)>,
    pub extension_data: Option<unsafe extern "C" fn(*const c_char) -> *const c_void>,
}

/// `lv2_descriptor`
pub type DescriptorFunction = unsafe extern "C" fn(u32) -> *const Descriptor;

/// `LV2_Lib_Descriptor`
#[repr(C)]
pub struct LibDescriptor {
    pub handle: *mut c_void,
    pub size: u32,
    pub cleanup: Option<unsafe extern "C" fn(*mut c_void)>,
    pub get_plugin: Option<unsafe extern "C" fn(*mut c_void, u32) -> *const Descriptor>,
}

/// `lv2_lib_descriptor`
pub type LibDescriptorFunction =
    unsafe extern "C" fn(*const c_char, *const *const Feature) -> *const LibDescriptor;

/// `LV2_URID_Map`
#[repr(C)]
pub struct UridMap {
    pub handle: *mut c_void,
    pub map: unsafe extern "C" fn(*mut c_void, *const c_char) -> u32,
}

/// `LV2_URID_Unmap`
#[repr(C)]
pub struct UridUnmap {
    pub handle: *mut c_void,
    pub unmap: unsafe extern "C" fn(*mut c_void, u32) -> *const c_char,
}

/// `LV2_URI_Map_Feature`, from before URIDs
#[repr(C)]
pub struct UriMap {
    pub handle: *mut c_void,
    pub uri_to_id: unsafe extern "C" fn(*mut c_void, *const c_char, *const c_char) -> u32,
}

/// `LV2_Options_Option`
#[repr(C)]
pub struct OptionEntry {
    pub context: u32,
    pub subject: u32,
    pub key: u32,
    pub size: u32,
    pub value_type: u32,
    pub value: *const c_void,
}

/// `LV2_Resize_Port_Resize`
#[repr(C)]
pub struct ResizePort {
    pub handle: *mut c_void,
    pub resize: unsafe extern "C" fn(*mut c_void, u32, usize) -> u32,
}

/// `LV2_Worker_Respond_Function`
pub type Respond = unsafe extern "C" fn(*mut c_void, u32, *const c_void) -> u32;

/// `LV2_Worker_Interface`
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WorkerInterface {
    pub work: Option<unsafe extern "C" fn(Handle, Respond, *mut c_void, u32, *const c_void) -> u32>,
    pub work_response: Option<unsafe extern "C" fn(Handle, u32, *const c_void) -> u32>,
    pub end_run: Option<unsafe extern "C" fn(Handle) -> u32>,
}

/// `LV2_Worker_Schedule`
#[repr(C)]
pub struct WorkerSchedule {
    pub handle: *mut c_void,
    pub schedule_work: unsafe extern "C" fn(*mut c_void, u32, *const c_void) -> u32,
}

/// `LV2_WORKER_SUCCESS`
pub const WORKER_SUCCESS: u32 = 0;
/// `LV2_WORKER_ERR_UNKNOWN`
pub const WORKER_ERR_UNKNOWN: u32 = 1;
/// `LV2_WORKER_ERR_NO_SPACE`
pub const WORKER_ERR_NO_SPACE: u32 = 2;

/// `LV2_State_Store_Function`
pub type Store = unsafe extern "C" fn(*mut c_void, u32, *const c_void, usize, u32, u32) -> u32;
/// `LV2_State_Retrieve_Function`
pub type Retrieve = unsafe extern "C" fn(*mut c_void, u32, *mut usize, *mut u32, *mut u32) -> *const c_void;

/// `LV2_State_Interface`
#[repr(C)]
#[derive(Clone, Copy)]
pub struct StateInterface {
    pub save: Option<unsafe extern "C" fn(Handle, Store, *mut c_void, u32, *const *const Feature) -> u32>,
    pub restore:
        Option<unsafe extern "C" fn(Handle, Retrieve, *mut c_void, u32, *const *const Feature) -> u32>,
}

/// `LV2_STATE_SUCCESS`
pub const STATE_SUCCESS: u32 = 0;
/// `LV2_STATE_ERR_UNKNOWN`
pub const STATE_ERR_UNKNOWN: u32 = 1;
/// `LV2_STATE_ERR_BAD_FLAGS`
pub const STATE_ERR_BAD_FLAGS: u32 = 3;
/// `LV2_STATE_ERR_NO_SPACE`
pub const STATE_ERR_NO_SPACE: u32 = 6;
/// `LV2_STATE_IS_POD`
pub const STATE_IS_POD: u32 = 1;
/// `LV2_STATE_IS_PORTABLE`
pub const STATE_IS_PORTABLE: u32 = 2;

/// `LV2_State_Make_Path`
#[repr(C)]
pub struct MakePath {
    pub handle: *mut c_void,
    pub path: unsafe extern "C" fn(*mut c_void, *const c_char) -> *mut c_char,
}

/// `LV2_State_Map_Path`
#[repr(C)]
pub struct MapPath {
    pub handle: *mut c_void,
    pub abstract_path: unsafe extern "C" fn(*mut c_void, *const c_char) -> *mut c_char,
    pub absolute_path: unsafe extern "C" fn(*mut c_void, *const c_char) -> *mut c_char,
}

/// `LV2_State_Free_Path`
#[repr(C)]
pub struct FreePath {
    pub handle: *mut c_void,
    pub free_path: unsafe extern "C" fn(*mut c_void, *mut c_char),
}
