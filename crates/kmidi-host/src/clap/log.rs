//! The log extension: as the one of `clack-extensions`, but without its allocation for text that is not UTF-8 and without
//! trust in the pointer, for a plugin may log on the audio thread.

use std::ffi::{CStr, c_char};

use clack_host::extensions::prelude::*;
use clap_sys::ext::log::{CLAP_EXT_LOG, clap_host_log, clap_log_severity};

use super::host::Host;
use super::text::bounded_bytes;

/// Bytes of a message that are looked at.
const MAX_MESSAGE: usize = 256;

#[derive(Clone, Copy)]
pub(super) struct BoundedLog;

// SAFETY: the identifier is the one of `clap_host_log`, which is what `IMPLEMENTATION` points to; this type holds nothing
// and is never made from a pointer's content.
unsafe impl Extension for BoundedLog {
    const IDENTIFIERS: &[&CStr] = &[CLAP_EXT_LOG];
    type ExtensionSide = HostExtensionSide;

    unsafe fn from_raw(_: RawExtension<Self::ExtensionSide>) -> Self {
        BoundedLog
    }
}

// SAFETY: `clap_host_log` is the struct of this extension, and static.
unsafe impl ExtensionImplementation<Host> for BoundedLog {
    const IMPLEMENTATION: RawExtensionImplementation =
        RawExtensionImplementation::new(&clap_host_log { log: Some(log) });
}

unsafe extern "C" fn log(host: *const clap_host, _: clap_log_severity, message: *const c_char) {
    // SAFETY: the plugin promises a string; no more than `MAX_MESSAGE` bytes of it are read, and none of a null pointer.
    let bytes = unsafe { bounded_bytes(message, MAX_MESSAGE) };
    let text = match str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
    };
    // SAFETY: the plugin gives back the host pointer that it was given (CLAP).
    unsafe {
        HostWrapper::<Host>::handle(host, |host| {
            host.shared().0.say(text);
            Ok(())
        });
    }
}
