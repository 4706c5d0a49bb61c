//! State: what is saved, whole or in crumbs, and what is read.

use std::ffi::c_void;

use clap_sys::ext::state::*;
use clap_sys::stream::{clap_istream, clap_ostream};

use super::events::parameter;
use super::file::File;
use super::host::Host;
use super::instance::Instance;
use super::parameters::Parameters;

/// A stream that gives or takes `crumb` bytes at a time, as CLAP allows any.
struct Stream {
    bytes: Vec<u8>,
    at: usize,
    crumb: usize,
    /// Fails from here on.
    broken_at: usize,
}

unsafe extern "C" fn write(stream: *const clap_ostream, buffer: *const c_void, size: u64) -> i64 {
    // SAFETY: `ctx` is the stream that made it, which nobody else uses meanwhile.
    let stream = unsafe { &mut *(*stream).ctx.cast::<Stream>() };
    if stream.bytes.len() >= stream.broken_at {
        return -1;
    }
    let len = (size as usize).min(stream.crumb);
    // SAFETY: the plugin lends `size` bytes.
    stream.bytes.extend_from_slice(unsafe { std::slice::from_raw_parts(buffer.cast::<u8>(), len) });
    len as i64
}

unsafe extern "C" fn read(stream: *const clap_istream, buffer: *mut c_void, size: u64) -> i64 {
    // SAFETY: as for `write`.
    let stream = unsafe { &mut *(*stream).ctx.cast::<Stream>() };
    if stream.at >= stream.broken_at {
        return -1;
    }
    let rest = &stream.bytes[stream.at..];
    let len = rest.len().min(size as usize).min(stream.crumb);
    // SAFETY: the plugin lends `size` bytes to write to.
    unsafe { std::ptr::copy_nonoverlapping(rest.as_ptr(), buffer.cast::<u8>(), len) };
    stream.at += len;
    len as i64
}

/// Saves; `None` if it says that it failed.
fn save(instance: &Instance<'_>, crumb: usize, broken_at: usize) -> Option<Vec<u8>> {
    let extension = instance.extension::<clap_plugin_state>(CLAP_EXT_STATE)?;
    let mut stream = Stream { bytes: vec![], at: 0, crumb, broken_at };
    let raw = clap_ostream { ctx: (&raw mut stream).cast(), write: Some(write) };
    // SAFETY: on the main thread; the stream lives longer than the call.
    let is_well = unsafe { extension.save.expect("in the header")(instance.raw(), &raw) };
    is_well.then_some(stream.bytes)
}

fn load(instance: &Instance<'_>, bytes: &[u8], crumb: usize, broken_at: usize) -> bool {
    let Some(extension) = instance.extension::<clap_plugin_state>(CLAP_EXT_STATE) else { return false };
    let mut stream = Stream { bytes: bytes.to_vec(), at: 0, crumb, broken_at };
    let raw = clap_istream { ctx: (&raw mut stream).cast(), read: Some(read) };
    // SAFETY: as for `save`.
    unsafe { extension.load.expect("in the header")(instance.raw(), &raw) }
}

const WHOLE: usize = usize::MAX;

/// The rules of states.
pub fn check(file: &File<'_>, id: &str, host: &Host) {
    let first = Instance::new(file, id, host);
    if first.extension::<clap_plugin_state>(CLAP_EXT_STATE).is_none() {
        return;
    }
    let rule = |kept: bool, text: &str| host.rule(kept, || text.to_owned());
    if let Some(parameters) = Parameters::of(&first) {
        let third = |info: &clap_sys::ext::params::clap_param_info| {
            let value = info.min_value + (info.max_value - info.min_value) / 3.0;
            parameter(0, info.id, value.trunc().max(info.min_value).min(info.max_value))
        };
        parameters.flush(parameters.infos().iter().map(third).collect());
    }
    let Some(bytes) = save(&first, WHOLE, WHOLE) else { return rule(false, "its state cannot be saved") };
    rule(save(&first, WHOLE, WHOLE).as_ref() == Some(&bytes), "saved twice, it is not the same");
    for crumb in [1, 3, 7] {
        rule(save(&first, crumb, WHOLE).as_ref() == Some(&bytes), "saved in crumbs, it is not the same");
    }
    rule(save(&first, WHOLE, 0).is_none(), "it says that it is saved where nothing could be written");
    for crumb in [WHOLE, 1, 5] {
        let second = Instance::new(file, id, host);
        rule(load(&second, &bytes, crumb, WHOLE), "it does not take its own state");
        rule(values(&second) == values(&first), "its parameters are others after its state was taken");
        rule(save(&second, WHOLE, WHOLE).as_ref() == Some(&bytes), "its state is another after it was taken");
    }
    let before = values(&first);
    let mut noise = bytes.clone();
    noise.iter_mut().for_each(|byte| *byte = !*byte);
    let half = &bytes[..bytes.len() / 2];
    for (what, bad) in [("nothing", &[][..]), ("half of it", half), ("noise", &noise)] {
        rule(!load(&first, bad, WHOLE, WHOLE), &format!("it takes {what} for a state"));
        rule(
            values(&first) == before,
            &format!("its parameters change by {what} that it refused as a state"),
        );
    }
    rule(!load(&first, &bytes, 1, 2), "it takes a state that breaks off");
}

fn values(instance: &Instance<'_>) -> Vec<Option<f64>> {
    Parameters::of(instance).map(|parameters| parameters.values()).unwrap_or_default()
}
