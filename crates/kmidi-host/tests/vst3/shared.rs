//! What the test plugin is told to be, and what it has seen.

use std::cell::UnsafeCell;
use std::sync::atomic::{
    AtomicBool, AtomicI32, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering::SeqCst,
};
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;

use vst3::ComRef;
use vst3::Steinberg::Vst::{IComponentHandler, IComponentHandlerTrait as _, ProcessContext};

pub const GAIN: u32 = 100;
pub const METER: u32 = 101;
pub const LATENCY: u32 = 102;
pub const PROGRAM: u32 = 103;
pub const MODE: u32 = 104;
/// Ids of the stand-ins for controllers of MIDI: channel times 130 and the controller on top.
pub const MIDI: u32 = 10_000;

/// Where in its life the plugin is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Life {
    Made,
    Initialised,
    SetUp,
    Active,
    Processing,
    Terminated,
}

const LIVES: [Life; 6] =
    [Life::Made, Life::Initialised, Life::SetUp, Life::Active, Life::Processing, Life::Terminated];

/// How the plugin's own numbers follow those of VST3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Numbers {
    /// Both ways disagree.
    #[default]
    Disagree,
    /// They are the same.
    Same,
    /// In straight lines and steps: decibels, programs from 1 on.
    Straight,
    /// In a curve.
    Curved,
    /// The highest stands for the lowest.
    Reversed,
}

/// A bus: its channels, and whether it is a main one.
pub type Bus = (i32, bool);

/// What the plugin is.
#[derive(Clone, Default)]
pub struct Config {
    pub inputs: Vec<Bus>,
    pub outputs: Vec<Bus>,
    pub event_inputs: i32,
    pub event_outputs: i32,
    /// Whether the controller is an object of its own.
    pub is_separate: bool,
    /// Sends more events and changes than anyone has room for.
    pub floods: bool,
    /// Sends back the events it gets.
    pub echoes: bool,
    /// Says absurd things of itself.
    pub is_hostile: bool,
    /// Numbers of its parameters.
    pub numbers: Numbers,
    /// A stand-in parameter for each controller of each channel.
    pub maps_midi: bool,
    /// Answers `kNotImplemented` to its state.
    pub has_no_state: bool,
    /// Cannot be made.
    pub is_broken: bool,
    /// Takes no speakers but these for every bus.
    pub speakers_wanted: Option<u64>,
}

/// A plugin of these buses that sends events back.
pub fn config(inputs: &[Bus], outputs: &[Bus]) -> Config {
    Config { inputs: inputs.to_vec(), outputs: outputs.to_vec(), echoes: true, ..Config::default() }
}

/// An event that the plugin was given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    pub kind: u16,
    pub offset: i32,
    pub bus: i32,
    pub channel: i16,
    pub pitch: i16,
    pub value: f32,
}

/// A change that the plugin was given: parameter, frame, value.
pub type Point = (u32, i32, f64);

/// What the objects of one plugin share with the test.
pub struct Shared {
    pub config: Config,
    main: ThreadId,
    life: AtomicUsize,
    pub violations: Mutex<Vec<String>>,
    /// Calls in their order, without those of every quantum.
    pub calls: Mutex<Vec<&'static str>>,
    pub live_objects: AtomicI32,
    /// The processor's values, as bits: gain, mode.
    pub gain: AtomicU64,
    pub latency: AtomicU32,
    /// As `setupProcessing` had it last.
    pub process_mode: AtomicI32,
    /// The controller's gain.
    pub shown_gain: AtomicU64,
    pub shown_program: AtomicU64,
    pub shown_meter: AtomicU64,
    pub handler: AtomicPtr<IComponentHandler>,
    pub song: Mutex<Option<ProcessContext>>,
    /// Events and points of the last quantum; of fixed room so that the plugin takes no memory.
    seen: UnsafeCell<([Option<Seen>; 256], usize)>,
    points: UnsafeCell<([Point; 256], usize)>,
    pub input_silence: AtomicU64,
    /// What it says of its outputs.
    pub says_silent: AtomicU64,
    pub fails: AtomicBool,
    pub breaks_float_modes: AtomicBool,
    /// Edits the gain to this from inside the quantum.
    pub edits_in_process: AtomicBool,
    pub allocates: AtomicBool,
    pub messages: AtomicU32,
    pub message_in_process: AtomicI32,
}

// SAFETY: the cells are written in `process` and read by the test when that is not running.
unsafe impl Sync for Shared {}
// SAFETY: as above.
unsafe impl Send for Shared {}

impl Shared {
    pub fn new(config: Config) -> Arc<Self> {
        Arc::new(Shared {
            config,
            main: std::thread::current().id(),
            life: AtomicUsize::new(0),
            violations: Mutex::default(),
            calls: Mutex::default(),
            live_objects: AtomicI32::new(0),
            process_mode: AtomicI32::new(-1),
            gain: AtomicU64::new(1f64.to_bits()),
            latency: AtomicU32::new(0),
            shown_gain: AtomicU64::new(1f64.to_bits()),
            shown_program: AtomicU64::new(0),
            shown_meter: AtomicU64::new(0),
            handler: AtomicPtr::new(std::ptr::null_mut()),
            song: Mutex::default(),
            seen: UnsafeCell::new(([None; 256], 0)),
            points: UnsafeCell::new(([(0, 0, 0.0); 256], 0)),
            input_silence: AtomicU64::new(0),
            says_silent: AtomicU64::new(0),
            fails: AtomicBool::new(false),
            breaks_float_modes: AtomicBool::new(false),
            edits_in_process: AtomicBool::new(false),
            allocates: AtomicBool::new(false),
            messages: AtomicU32::new(0),
            message_in_process: AtomicI32::new(-1),
        })
    }

    pub fn life(&self) -> Life {
        LIVES[self.life.load(SeqCst)]
    }

    pub fn set_life(&self, life: Life) {
        self.life.store(life as usize, SeqCst);
    }

    /// Notes a call that must come on the main thread, in one of these lives.
    pub fn on_main(&self, call: &'static str, lives: &[Life]) {
        if std::thread::current().id() != self.main {
            self.violate(format!("{call} off the main thread"));
        }
        self.in_life(call, lives);
        self.calls.lock().unwrap().push(call);
    }

    /// Notes a call that must come in one of these lives.
    pub fn in_life(&self, call: &str, lives: &[Life]) {
        let life = self.life();
        if !lives.contains(&life) {
            self.violate(format!("{call} while {life:?}"));
        }
    }

    pub fn violate(&self, what: String) {
        self.violations.lock().unwrap().push(what);
    }

    pub fn gain(&self) -> f64 {
        f64::from_bits(self.gain.load(SeqCst))
    }

    pub fn is_main(&self) -> bool {
        std::thread::current().id() == self.main
    }

    pub fn forget_seen(&self) {
        // SAFETY: only `process` is here, once at a time.
        unsafe { (*self.seen.get()).1 = 0 };
        // SAFETY: as above.
        unsafe { (*self.points.get()).1 = 0 };
    }

    pub fn see(&self, seen: Seen) {
        // SAFETY: only `process` is here, once at a time.
        let (room, len) = unsafe { &mut *self.seen.get() };
        if let Some(place) = room.get_mut(*len) {
            *place = Some(seen);
            *len += 1;
        }
    }

    pub fn see_point(&self, point: Point) {
        // SAFETY: only `process` is here, once at a time.
        let (room, len) = unsafe { &mut *self.points.get() };
        if let Some(place) = room.get_mut(*len) {
            *place = point;
            *len += 1;
        }
    }

    /// The events of the last quantum.
    pub fn seen(&self) -> Vec<Seen> {
        // SAFETY: the test asks when no quantum is running.
        let (room, len) = unsafe { &*self.seen.get() };
        room[..*len].iter().flatten().copied().collect()
    }

    /// The parameter changes of the last quantum.
    pub fn points(&self) -> Vec<Point> {
        // SAFETY: the test asks when no quantum is running.
        let (room, len) = unsafe { &*self.points.get() };
        room[..*len].to_vec()
    }

    /// Calls the handler that the host has set.
    pub fn ask(&self, ask: impl FnOnce(ComRef<'_, IComponentHandler>)) {
        // SAFETY: null, or what the host has set and not taken back.
        if let Some(handler) = unsafe { ComRef::from_raw(self.handler.load(SeqCst)) } {
            ask(handler);
        }
    }

    pub fn restart(&self, flags: i32) {
        // SAFETY: a plain call of a live object.
        self.ask(|handler| assert_eq!(unsafe { handler.restartComponent(flags) }, 0));
    }

    pub fn edit(&self, id: u32, value: f64) {
        // SAFETY: plain calls of a live object.
        self.ask(|handler| unsafe {
            handler.beginEdit(id);
            handler.performEdit(id, value);
            handler.endEdit(id);
        });
    }
}
