//! A plugin from creation to destruction, called on the threads that the headers name.

use std::ffi::CStr;

use clap_sys::plugin::clap_plugin;
use clap_sys::process::clap_process;

use super::file::{File, text};
use super::host::Host;

const NO_FUNCTION: &str = "the header has this function";

/// An initialised plugin.
pub struct Instance<'a> {
    /// Whose rules count.
    pub host: &'a Host,
    raw: *const clap_plugin,
}

// SAFETY: what is called from the audio thread, while the main thread waits, is what the headers allow there.
unsafe impl Sync for Instance<'_> {}

impl<'a> Instance<'a> {
    /// Creates and initialises one. One that was made before it and is thrown away without `init` must do no harm.
    pub fn new(file: &File<'_>, id: &str, host: &'a Host) -> Self {
        let unused = file.create(id);
        // SAFETY: a plugin may be destroyed whatever state it is in.
        unsafe { (*unused).destroy.expect(NO_FUNCTION)(unused) };
        let raw = file.create(id);
        assert!(!raw.is_null(), "{id} is in the file");
        let instance = Instance { host, raw };
        // SAFETY: the descriptor belongs to the plugin.
        let named = unsafe { text((*(*raw).desc).id) };
        host.rule(named == id, || format!("asked for {id} it makes {named:?}"));
        host.one_more();
        // SAFETY: once, on the main thread, before all else.
        let is_well = unsafe { (*raw).init.expect(NO_FUNCTION)(raw) };
        host.rule(is_well, || "init fails".into());
        let unknown = instance.extension::<u8>(c"no.such.extension");
        host.rule(unknown.is_none(), || "it has an extension of a name that nobody knows".into());
        instance
    }

    /// What extensions are called with.
    pub fn raw(&self) -> *const clap_plugin {
        self.raw
    }

    /// An extension, of the type that the name stands for.
    pub fn extension<T>(&self, id: &CStr) -> Option<&T> {
        // SAFETY: an extension lives as long as its plugin, and its name says of what type it is.
        unsafe { (*self.raw).get_extension.expect(NO_FUNCTION)(self.raw, id.as_ptr()).cast::<T>().as_ref() }
    }

    /// `[main thread]`
    pub fn activate(&self, sample_rate_hz: f64, min_frames: u32, max_frames: u32) -> bool {
        // SAFETY: called only while it is not active.
        let is_well = self.host.activating(|| unsafe {
            (*self.raw).activate.expect(NO_FUNCTION)(self.raw, sample_rate_hz, min_frames, max_frames)
        });
        self.host.rule(is_well, || format!("it does not run at {sample_rate_hz} Hz"));
        is_well
    }

    /// `[main thread]`
    pub fn deactivate(&self) {
        // SAFETY: called only while it is active and does not process.
        unsafe { (*self.raw).deactivate.expect(NO_FUNCTION)(self.raw) }
    }

    /// `[audio thread]`
    pub fn start_processing(&self) -> bool {
        // SAFETY: called only while it is active and does not process.
        let is_well = unsafe { (*self.raw).start_processing.expect(NO_FUNCTION)(self.raw) };
        self.host.rule(is_well, || "start_processing fails".into());
        is_well
    }

    /// `[audio thread]`
    pub fn stop_processing(&self) {
        // SAFETY: called only while it processes.
        unsafe { (*self.raw).stop_processing.expect(NO_FUNCTION)(self.raw) }
    }

    /// `[audio thread]`
    pub fn reset(&self) {
        // SAFETY: called only while it is active.
        unsafe { (*self.raw).reset.expect(NO_FUNCTION)(self.raw) }
    }

    /// `[audio thread]`
    pub fn process(&self, process: &clap_process) -> i32 {
        // SAFETY: called only while it processes, with buffers of the counts that it asked for.
        unsafe { (*self.raw).process.expect(NO_FUNCTION)(self.raw, process) }
    }

    /// What it wants done on the main thread, if it asked for that.
    pub fn idle(&self) {
        if self.host.wants_main_thread() {
            // SAFETY: it is initialised, and this is the main thread.
            unsafe { (*self.raw).on_main_thread.expect(NO_FUNCTION)(self.raw) }
        }
    }
}

impl Drop for Instance<'_> {
    fn drop(&mut self) {
        // SAFETY: it is inactive, on the main thread, and nothing uses it any more.
        unsafe { (*self.raw).destroy.expect(NO_FUNCTION)(self.raw) };
        self.host.one_less();
    }
}
