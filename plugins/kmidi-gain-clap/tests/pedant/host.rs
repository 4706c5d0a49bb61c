//! The host's side: what a plugin may call, and on which thread.

use std::ffi::{CStr, c_char, c_void};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread::{self, ThreadId};

use clap_sys::ext::audio_ports::{CLAP_EXT_AUDIO_PORTS, clap_host_audio_ports};
use clap_sys::ext::latency::{CLAP_EXT_LATENCY, clap_host_latency};
use clap_sys::ext::log::{CLAP_EXT_LOG, CLAP_LOG_HOST_MISBEHAVING, clap_host_log};
use clap_sys::ext::note_ports::{CLAP_EXT_NOTE_PORTS, CLAP_NOTE_DIALECT_CLAP, clap_host_note_ports};
use clap_sys::ext::params::{CLAP_EXT_PARAMS, clap_host_params};
use clap_sys::ext::state::{CLAP_EXT_STATE, clap_host_state};
use clap_sys::ext::tail::{CLAP_EXT_TAIL, clap_host_tail};
use clap_sys::ext::thread_check::{CLAP_EXT_THREAD_CHECK, clap_host_thread_check};
use clap_sys::ext::timer_support::{CLAP_EXT_TIMER_SUPPORT, clap_host_timer_support};
use clap_sys::host::clap_host;
use clap_sys::version::CLAP_VERSION;

/// What the host's functions find behind `host_data`.
struct Data {
    main: ThreadId,
    audio: Mutex<Option<ThreadId>>,
    /// Plugins between `init` and the end of `destroy`.
    alive: AtomicUsize,
    is_creating: AtomicBool,
    is_activating: AtomicBool,
    wants_main_thread: AtomicBool,
    complaints: Mutex<Vec<String>>,
}

/// A host. The plugin holds its address, so it stays where it is.
pub struct Host {
    raw: Box<clap_host>,
    data: Box<Data>,
}

impl Host {
    /// A host whose main thread is this one.
    pub fn new() -> Self {
        let data = Box::new(Data {
            main: thread::current().id(),
            audio: Mutex::new(None),
            alive: AtomicUsize::new(0),
            is_creating: AtomicBool::new(false),
            is_activating: AtomicBool::new(false),
            wants_main_thread: AtomicBool::new(false),
            complaints: Mutex::new(Vec::new()),
        });
        let raw = Box::new(clap_host {
            clap_version: CLAP_VERSION,
            host_data: std::ptr::from_ref(&*data).cast_mut().cast(),
            name: c"Pedant".as_ptr(),
            vendor: c"KmiDi".as_ptr(),
            url: c"".as_ptr(),
            version: c"1".as_ptr(),
            get_extension: Some(get_extension),
            request_restart: Some(request),
            request_process: Some(request),
            request_callback: Some(request_callback),
        });
        Host { raw, data }
    }

    /// What plugins are given.
    pub fn raw(&self) -> *const clap_host {
        &*self.raw
    }

    /// A rule was broken, unless `kept`.
    pub fn rule(&self, kept: bool, text: impl FnOnce() -> String) {
        if !kept {
            self.data.complain(text());
        }
    }

    /// Runs `create_plugin`, in which nothing of the host may be called.
    pub fn creating<R>(&self, create: impl FnOnce() -> R) -> R {
        self.data.is_creating.store(true, SeqCst);
        let created = create();
        self.data.is_creating.store(false, SeqCst);
        created
    }

    /// Runs `activate`, in which alone a latency may change.
    pub fn activating<R>(&self, activate: impl FnOnce() -> R) -> R {
        self.data.is_activating.store(true, SeqCst);
        let activated = activate();
        self.data.is_activating.store(false, SeqCst);
        activated
    }

    /// A plugin is about to be initialised.
    pub fn one_more(&self) {
        self.data.alive.fetch_add(1, SeqCst);
    }

    /// An initialised plugin has been destroyed.
    pub fn one_less(&self) {
        self.data.alive.fetch_sub(1, SeqCst);
    }

    /// Runs something on a new thread, which is the audio thread for that long.
    pub fn on_audio_thread<R: Send>(&self, act: impl FnOnce() -> R + Send) -> R {
        let audio = &self.data.audio;
        thread::scope(|scope| {
            let thread = scope.spawn(move || {
                *audio.lock().unwrap() = Some(thread::current().id());
                let result = act();
                *audio.lock().unwrap() = None;
                result
            });
            thread.join().unwrap()
        })
    }

    /// Whether the plugin asked for a call on the main thread since the last look.
    pub fn wants_main_thread(&self) -> bool {
        self.data.wants_main_thread.swap(false, SeqCst)
    }

    /// All that was broken up to now, each once.
    pub fn complaints(&self) -> Vec<String> {
        let mut all = self.data.complaints.lock().unwrap().clone();
        all.sort();
        all.dedup();
        all
    }
}

// SAFETY: what it points to is behind locks and atomics, and lives as long as it does.
unsafe impl Sync for Host {}

impl Data {
    fn complain(&self, text: String) {
        self.complaints.lock().unwrap().push(text);
    }

    fn is_audio(&self) -> bool {
        *self.audio.lock().unwrap() == Some(thread::current().id())
    }

    fn expect_stage(&self, what: &str) {
        if self.is_creating.load(SeqCst) || self.alive.load(SeqCst) == 0 {
            self.complain(format!("it calls {what} before it is initialised, or after its end"));
        }
    }

    fn expect_main(&self, what: &str) {
        self.expect_stage(what);
        if thread::current().id() != self.main {
            self.complain(format!("it calls {what} off the main thread"));
        }
    }
}

/// What the host's functions are given.
fn data<'a>(host: *const clap_host) -> &'a Data {
    // SAFETY: plugins give back the host that they were given, which outlives them.
    unsafe { &*(*host).host_data.cast::<Data>() }
}

unsafe extern "C" fn request(host: *const clap_host) {
    data(host).expect_stage("request_restart or request_process");
}

unsafe extern "C" fn request_callback(host: *const clap_host) {
    data(host).expect_stage("request_callback");
    data(host).wants_main_thread.store(true, SeqCst);
}

unsafe extern "C" fn get_extension(host: *const clap_host, id: *const c_char) -> *const c_void {
    data(host).expect_stage("get_extension");
    // SAFETY: extensions are asked for by zero-ended names.
    let id = unsafe { CStr::from_ptr(id) };
    let known: [(&CStr, *const c_void); 9] = [
        (CLAP_EXT_AUDIO_PORTS, (&raw const AUDIO_PORTS).cast()),
        (CLAP_EXT_LATENCY, (&raw const LATENCY).cast()),
        (CLAP_EXT_LOG, (&raw const LOG).cast()),
        (CLAP_EXT_NOTE_PORTS, (&raw const NOTE_PORTS).cast()),
        (CLAP_EXT_PARAMS, (&raw const PARAMS).cast()),
        (CLAP_EXT_STATE, (&raw const STATE).cast()),
        (CLAP_EXT_TAIL, (&raw const TAIL).cast()),
        (CLAP_EXT_THREAD_CHECK, (&raw const THREAD_CHECK).cast()),
        (CLAP_EXT_TIMER_SUPPORT, (&raw const TIMERS).cast()),
    ];
    known.iter().find(|(name, _)| *name == id).map_or(std::ptr::null(), |(_, extension)| *extension)
}

static THREAD_CHECK: clap_host_thread_check =
    clap_host_thread_check { is_main_thread: Some(is_main_thread), is_audio_thread: Some(is_audio_thread) };

unsafe extern "C" fn is_main_thread(host: *const clap_host) -> bool {
    thread::current().id() == data(host).main
}

unsafe extern "C" fn is_audio_thread(host: *const clap_host) -> bool {
    data(host).is_audio()
}

static LOG: clap_host_log = clap_host_log { log: Some(log) };

unsafe extern "C" fn log(host: *const clap_host, severity: i32, message: *const c_char) {
    data(host).expect_stage("log");
    if message.is_null() {
        data(host).complain("it logs a null".into());
    } else if severity == CLAP_LOG_HOST_MISBEHAVING {
        // SAFETY: messages are zero-ended texts.
        let message = unsafe { CStr::from_ptr(message) }.to_string_lossy();
        data(host).complain(format!("it says that this host misbehaves: {message}"));
    }
}

static TIMERS: clap_host_timer_support = clap_host_timer_support {
    register_timer: Some(register_timer),
    unregister_timer: Some(unregister_timer),
};

unsafe extern "C" fn register_timer(host: *const clap_host, _: u32, id: *mut u32) -> bool {
    data(host).expect_main("timer_support.register_timer");
    // A timer that takes its time: it never rings.
    // SAFETY: the plugin lends the place for an id.
    unsafe { id.write(0) };
    true
}

unsafe extern "C" fn unregister_timer(host: *const clap_host, _: u32) -> bool {
    data(host).expect_main("timer_support.unregister_timer");
    true
}

static PARAMS: clap_host_params =
    clap_host_params { rescan: Some(rescan), clear: Some(clear), request_flush: Some(request_flush) };

unsafe extern "C" fn rescan(host: *const clap_host, _: u32) {
    data(host).expect_main("params.rescan");
}

unsafe extern "C" fn clear(host: *const clap_host, _: u32, _: u32) {
    data(host).expect_main("params.clear");
}

unsafe extern "C" fn request_flush(host: *const clap_host) {
    data(host).expect_stage("params.request_flush");
    if data(host).is_audio() {
        data(host).complain("it calls params.request_flush on the audio thread".into());
    }
}

static STATE: clap_host_state = clap_host_state { mark_dirty: Some(mark_dirty) };

unsafe extern "C" fn mark_dirty(host: *const clap_host) {
    data(host).expect_main("state.mark_dirty");
}

static LATENCY: clap_host_latency = clap_host_latency { changed: Some(latency_changed) };

unsafe extern "C" fn latency_changed(host: *const clap_host) {
    data(host).expect_main("latency.changed");
    if !data(host).is_activating.load(SeqCst) {
        data(host).complain("it calls latency.changed while it is not being activated".into());
    }
}

static TAIL: clap_host_tail = clap_host_tail { changed: Some(tail_changed) };

unsafe extern "C" fn tail_changed(host: *const clap_host) {
    data(host).expect_stage("tail.changed");
    if !data(host).is_audio() {
        data(host).complain("it calls tail.changed off the audio thread".into());
    }
}

static AUDIO_PORTS: clap_host_audio_ports = clap_host_audio_ports {
    is_rescan_flag_supported: Some(is_rescan_flag_supported),
    rescan: Some(audio_ports_rescan),
};

unsafe extern "C" fn is_rescan_flag_supported(host: *const clap_host, _: u32) -> bool {
    data(host).expect_main("audio_ports.is_rescan_flag_supported");
    true
}

unsafe extern "C" fn audio_ports_rescan(host: *const clap_host, _: u32) {
    data(host).expect_main("audio_ports.rescan");
}

static NOTE_PORTS: clap_host_note_ports =
    clap_host_note_ports { supported_dialects: Some(supported_dialects), rescan: Some(note_ports_rescan) };

unsafe extern "C" fn supported_dialects(host: *const clap_host) -> u32 {
    data(host).expect_main("note_ports.supported_dialects");
    CLAP_NOTE_DIALECT_CLAP
}

unsafe extern "C" fn note_ports_rescan(host: *const clap_host, _: u32) {
    data(host).expect_main("note_ports.rescan");
}
