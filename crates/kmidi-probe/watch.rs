//! Who counts what plugins do on trial.

use std::cmp::Reverse;
use std::collections::HashMap;

use kmidi_host::certify::{Deed, Held, Site, Tally, Watch};
use kmidi_sys::{ThreadUsage, prefault_stack, thread_usage};

use crate::hooks::{self, memory};
use crate::symbols::Symbols;
use crate::table::{Entry, Recorder};
use crate::{dispatch, state};

/// What a signal and the look at a stack need.
const STACK_BYTES: usize = 128 << 10;

/// The hooks of this program as a [`Watch`]. There is one at a time.
pub struct Hooks {
    /// From a box. While a thread is watched, it is that thread's.
    recorder: *mut Recorder,
    symbols: Symbols,
    before: ThreadUsage,
    is_watching: bool,
    sees_system_calls: bool,
}

// SAFETY: nothing of it belongs to a thread but while that thread is watched, and then only that thread ends it. The
// symbols refer to nothing but each other, and go as a whole.
unsafe impl Send for Hooks {}

impl Hooks {
    /// Counts the memory of foreign code from here on.
    pub fn new() -> Self {
        hooks::resolve();
        let recorder = Box::into_raw(Box::new(Recorder::new()));
        memory::count(true);
        Hooks {
            recorder,
            symbols: Symbols::new(),
            before: ThreadUsage::default(),
            is_watching: false,
            sees_system_calls: dispatch::is_available(),
        }
    }

    /// Ends what [`Watch::begin`] began, if this is the thread that did.
    fn stop(&mut self) -> ThreadUsage {
        let usage = match state::recorder() == self.recorder {
            true => {
                state::stop();
                let usage = thread_usage().unwrap_or_default();
                dispatch::untrap();
                self.is_watching = false;
                usage
            }
            false => self.before,
        };
        assert!(!self.is_watching, "a thread that is watched ends that itself");
        usage
    }
}

impl Watch for Hooks {
    fn begin(&mut self, trap_system_calls: bool) {
        self.stop();
        if state::is_new_here() {
            prefault_stack(STACK_BYTES);
        }
        // SAFETY: no thread is watched: it is only here.
        unsafe { (*self.recorder).clear() };
        let trap = trap_system_calls && self.sees_system_calls && dispatch::trap();
        self.is_watching = true;
        self.before = thread_usage().unwrap_or_default();
        // SAFETY: it is in a box, and left alone until `stop`.
        unsafe { state::start(self.recorder, trap) };
    }

    fn end(&mut self) -> Tally {
        let after = self.stop();
        // SAFETY: no thread is watched any more: it is only here.
        let recorder = unsafe { &*self.recorder };
        let sites = sites(recorder.entries(), &mut self.symbols);
        let between = |field: fn(&ThreadUsage) -> u64| {
            (field(&after) - field(&self.before)).saturating_sub(field(&recorder.own))
        };
        Tally {
            unplaced: recorder.unplaced,
            live_bytes: recorder.live_bytes,
            minor_faults: between(|it| it.minor_faults),
            major_faults: between(|it| it.major_faults),
            voluntary_switches: between(|it| it.voluntary_switches),
            sites,
        }
    }

    fn held(&mut self) -> Held {
        memory::held()
    }

    fn sees_system_calls(&self) -> bool {
        self.sees_system_calls
    }
}

impl Drop for Hooks {
    fn drop(&mut self) {
        if state::recorder() == self.recorder {
            self.stop();
        }
        memory::count(false);
        if !self.is_watching {
            // SAFETY: it came from a box, and no thread has it.
            drop(unsafe { Box::from_raw(self.recorder) });
        }
    }
}

/// Entries in words, the most frequent first. What differs only in how a library of every program did it is one.
fn sites(entries: &[Entry], symbols: &mut Symbols) -> Vec<Site> {
    let mut sites: HashMap<(Deed, String, Vec<String>), (u64, u64)> = HashMap::new();
    for entry in entries {
        let key = (entry.what.deed(), entry.what.name(), symbols.stack(entry.frames()));
        let (count, bytes) = sites.entry(key).or_default();
        *count += entry.count;
        *bytes += entry.bytes;
    }
    let site = |((deed, call, stack), (count, bytes))| Site { deed, call, count, bytes, stack };
    let mut sites: Vec<Site> = sites.into_iter().map(site).collect();
    sites.sort_by(|a, b| (Reverse(a.count), &a.call, &a.stack).cmp(&(Reverse(b.count), &b.call, &b.stack)));
    sites
}
