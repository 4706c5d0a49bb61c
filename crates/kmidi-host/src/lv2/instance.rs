//! A living instance of a plugin.

use std::cell::UnsafeCell;
use std::ffi::{CString, c_void};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;

use super::abi::{Descriptor, Handle, StateInterface, WorkerInterface};
use super::bundle::PluginText;
use super::features::{Config, Features};
use super::files::Files;
use super::library::{Library, Missing, c_folder};
use super::parameters::Parameters;
use super::ports::{Direction, PortType};
use super::uris::{STATE_INTERFACE, WORKER_INTERFACE};
use super::worker::Worker;
use crate::{Format, LoadError, PluginId};

/// Nobody is in the instance.
const FREE: u8 = 0;
/// The audio half is running it.
const RUNNING: u8 = 1;
/// The main half has it for a while, or waits for the audio half to leave. Besides [`RUNNING`].
const HELD: u8 = 2;

/// An instance with its library and all that it was given. Both halves keep it alive; it ends on side B.
pub struct Instance {
    handle: Handle,
    /// Values of the control ports, each at its port's index.
    controls: Box<[UnsafeCell<f32>]>,
    gate: AtomicU8,
    /// Whether it has ever been activated.
    was_active: AtomicBool,
    /// What it was made for.
    pub config: Config,
    // In order of dropping: nothing that the library may still use goes before it.
    library: Library,
    /// What it was given.
    pub features: Features,
}

// SAFETY: LV2 allows every instance to be used from any thread, as long as calls that exclude each other are not made at
// once. `run` is called by the audio half alone. The main half calls what excludes `run` only while no audio half
// exists or while it holds the gate. `controls` belongs to whoever may call `run`.
unsafe impl Send for Instance {}
// SAFETY: as above.
unsafe impl Sync for Instance {}

impl Instance {
    /// Opens the library and makes an instance. Runs foreign code and may take seconds. `[side B]`
    pub fn new(text: &PluginText, config: Config, files: Arc<Files>) -> Result<Arc<Self>, LoadError> {
        let id = || PluginId::new(Format::Lv2, &text.uri);
        let features = Features::new(config, Arc::new(Worker::new()), files);
        if let Some(what) = text.required.iter().find(|it| !features.has(it)) {
            return Err(LoadError::NeedsFeature { id: id(), what: what.clone() });
        }
        // SAFETY: the features end with null; the instance drops them after the library.
        let library = unsafe { Library::open(&text.binary, &text.folder, &text.uri, features.as_ptr()) };
        let library = library.map_err(|missing| match missing {
            Missing::Library(why) => LoadError::Library { path: text.binary.clone(), why },
            Missing::Plugin => LoadError::NotInFile { id: id(), path: text.binary.clone() },
        })?;
        let handle = instantiate(library.descriptor(), text, config, &features)
            .map_err(|why| LoadError::Instance { id: id(), why: why.to_owned() })?;
        let controls = first_controls(text, config.sample_rate_hz);
        let gate = AtomicU8::new(FREE);
        let was_active = AtomicBool::new(false);
        let instance = Instance { handle, controls, gate, was_active, config, library, features };
        instance.connect_controls(text);
        instance.find_worker();
        Ok(Arc::new(instance))
    }

    fn descriptor(&self) -> &Descriptor {
        self.library.descriptor()
    }

    fn connect_controls(&self, text: &PluginText) {
        for (index, port) in text.ports.iter().enumerate() {
            let data = match port.carries {
                PortType::Control => self.controls[index].get().cast(),
                PortType::Other => std::ptr::null_mut(),
                PortType::Audio | PortType::Cv | PortType::Atom => continue,
            };
            // SAFETY: nothing else uses the instance yet; the value lives as long as the instance.
            unsafe { self.connect(index, data) };
        }
    }

    fn find_worker(&self) {
        let interface: *const WorkerInterface = self.extension(WORKER_INTERFACE).cast();
        if !interface.is_null() {
            // SAFETY: it is not null, so it is what the extension says, and lives as long as the library.
            self.features.worker().set_plugin(self.handle, unsafe { *interface });
        }
    }

    fn extension(&self, uri: &str) -> *const c_void {
        let Some(extension_data) = self.descriptor().extension_data else { return std::ptr::null() };
        let uri = CString::new(uri).expect("no URI of this host has a NUL");
        // SAFETY: the URI is a C string.
        unsafe { extension_data(uri.as_ptr()) }
    }

    /// The functions of its state, if it has both.
    pub fn state(&self) -> Option<StateInterface> {
        let interface: *const StateInterface = self.extension(STATE_INTERFACE).cast();
        // SAFETY: if it is not null it is what the extension says, and lives as long as the library.
        let interface = (!interface.is_null()).then(|| unsafe { *interface })?;
        (interface.save.is_some() && interface.restore.is_some()).then_some(interface)
    }

    /// The plugin's own instance.
    pub fn handle(&self) -> Handle {
        self.handle
    }

    /// Its worker.
    pub fn worker(&self) -> &Worker {
        self.features.worker()
    }

    /// The value of a control port.
    ///
    /// # Safety
    /// Only by whoever may call [`Instance::run`] at the time.
    pub unsafe fn control(&self, index: usize) -> f32 {
        // SAFETY: the caller's promise.
        unsafe { *self.controls[index].get() }
    }

    /// Sets the value of a control port.
    ///
    /// # Safety
    /// As [`Instance::control`].
    pub unsafe fn set_control(&self, index: usize, value: f32) {
        // SAFETY: the caller's promise.
        unsafe { *self.controls[index].get() = value }
    }

    /// Connects a port. `[side A]`
    ///
    /// # Safety
    /// As [`Instance::control`]; `data` is what the port's type asks for, and lives until it is connected anew.
    pub unsafe fn connect(&self, index: usize, data: *mut c_void) {
        if let Some(connect_port) = self.descriptor().connect_port {
            // SAFETY: the caller's promise.
            unsafe { connect_port(self.handle, index as u32, data) }
        }
    }

    /// Runs it. `[side A]`, as far as the plugin keeps to it.
    ///
    /// # Safety
    /// By the audio half alone, on an active instance all of whose ports are connected to `frames` frames.
    pub unsafe fn run(&self, frames: u32) {
        if let Some(run) = self.descriptor().run {
            // SAFETY: the caller's promise.
            unsafe { run(self.handle, frames) }
        }
    }

    /// Makes it ready to run, without memory of what it heard before.
    ///
    /// # Safety
    /// No other call of the instance is under way, and it is not active.
    pub unsafe fn activate(&self) {
        self.was_active.store(true, Ordering::Relaxed);
        if let Some(activate) = self.descriptor().activate {
            // SAFETY: the caller's promise.
            unsafe { activate(self.handle) }
        }
    }

    /// Ends what [`Instance::activate`] began.
    ///
    /// # Safety
    /// No other call of the instance is under way, and it is active.
    pub unsafe fn deactivate(&self) {
        if let Some(deactivate) = self.descriptor().deactivate {
            // SAFETY: the caller's promise.
            unsafe { deactivate(self.handle) }
        }
    }

    /// Lets the audio half in, unless the main half holds the instance. `[side A]`
    pub fn enter(&self) -> bool {
        self.gate.compare_exchange(FREE, RUNNING, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// The audio half is out again. `[side A]`
    pub fn leave(&self) {
        self.gate.fetch_and(!RUNNING, Ordering::Release);
    }

    /// Keeps the audio half out while `f` runs: it is silent meanwhile. Waits for a quantum under way, no longer.
    /// `[side B]`, on the main thread alone.
    pub fn hold<T>(&self, f: impl FnOnce() -> T) -> T {
        self.gate.fetch_or(HELD, Ordering::Acquire);
        while self.gate.load(Ordering::Acquire) & RUNNING != 0 {
            std::thread::sleep(Duration::from_micros(100));
        }
        let result = f();
        self.gate.fetch_and(!HELD, Ordering::Release);
        result
    }
}

impl Drop for Instance {
    /// There are plugins that make in `activate` what `cleanup` frees, without a look whether it is there: an instance that
    /// has never been active is made so once before it ends.
    fn drop(&mut self) {
        if !self.was_active.load(Ordering::Relaxed) {
            // SAFETY: this is the last user of the instance, which is not active.
            unsafe {
                self.activate();
                self.deactivate();
            }
        }
        if let Some(cleanup) = self.descriptor().cleanup {
            // SAFETY: this was the last use of the instance, which is not active.
            unsafe { cleanup(self.handle) }
        }
    }
}

fn instantiate(
    descriptor: &Descriptor,
    text: &PluginText,
    config: Config,
    features: &Features,
) -> Result<Handle, &'static str> {
    let (Some(instantiate), Some(_), Some(_)) =
        (descriptor.instantiate, descriptor.connect_port, descriptor.run)
    else {
        return Err("its library lacks a function that every plugin has");
    };
    let folder = c_folder(&text.folder);
    let rate = f64::from(config.sample_rate_hz);
    // SAFETY: the arguments are what LV2 asks for; the features live as long as the instance.
    let handle = unsafe { instantiate(descriptor, rate, folder.as_ptr(), features.as_ptr()) };
    match handle.is_null() {
        true => Err("it made no instance"),
        false => Ok(handle),
    }
}

/// Defaults of the inputs. An output that has none begins at 0, as elsewhere: there are plugins that read theirs.
fn first_controls(text: &PluginText, sample_rate_hz: u32) -> Box<[UnsafeCell<f32>]> {
    let parameters = Parameters::of(text, sample_rate_hz);
    let value = |index: usize| {
        let port = &text.ports[index];
        if port.direction == Direction::Output {
            return port.default.map(|default| default as f32);
        }
        let at = parameters.find(index as u32)?;
        Some(parameters.turn(at, parameters.list[at].default) as f32)
    };
    (0..text.ports.len()).map(|index| UnsafeCell::new(value(index).unwrap_or(0.0))).collect()
}
