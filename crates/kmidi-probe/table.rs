//! Where deeds are counted: a table of fixed size, each kind with its calls.

use kmidi_host::certify::Deed;
use kmidi_sys::{ThreadUsage, thread_usage};

use crate::hooks::Function;
use crate::stack::{self, Calls, FRAMES, Ground};
use crate::system_calls;

/// Different sites of one tally.
const SITES: usize = 2048;
/// Places of the index: never more than half full.
const PLACES: usize = 2 * SITES;
const EMPTY: u16 = u16::MAX;

/// By what something was done.
#[derive(Clone, Copy)]
pub enum What {
    /// A function that has a hook.
    Function(&'static Function, Deed),
    /// A system call, by its number.
    System(i64, Deed),
}

impl What {
    pub fn deed(&self) -> Deed {
        match self {
            What::Function(_, deed) | What::System(_, deed) => *deed,
        }
    }

    pub fn name(&self) -> String {
        match self {
            What::Function(function, _) => function.name().to_owned(),
            What::System(number, _) => system_calls::name(*number),
        }
    }

    /// Different for each function and system call.
    fn key(&self) -> u64 {
        match self {
            What::Function(function, deed) => ((&raw const **function) as u64) ^ ((*deed as u64) << 56),
            What::System(number, deed) => *number as u64 ^ ((*deed as u64) << 56) ^ (1 << 63),
        }
    }
}

/// All of one kind by way of the same calls.
pub struct Entry {
    pub what: What,
    pub count: u64,
    pub bytes: u64,
    depth: usize,
    frames: [usize; FRAMES],
}

impl Entry {
    pub fn frames(&self) -> &[usize] {
        &self.frames[..self.depth]
    }
}

/// Counts for one thread at a time. Takes no memory while it does.
pub struct Recorder {
    entries: Vec<Entry>,
    index: Box<[u16]>,
    /// Deeds for which there was no entry left.
    pub unplaced: u64,
    /// Bytes taken less bytes given back.
    pub live_bytes: i64,
    /// What the recorder itself cost the thread: looking at the stack touches pages too.
    pub own: ThreadUsage,
    ground: Ground,
}

impl Recorder {
    pub fn new() -> Self {
        let mut recorder = Recorder {
            entries: Vec::with_capacity(SITES),
            index: vec![EMPTY; PLACES].into(),
            unplaced: 0,
            live_bytes: 0,
            own: ThreadUsage::default(),
            ground: Ground::now(),
        };
        // Its pages are there before they are needed.
        for _ in 0..SITES {
            let what = What::System(0, Deed::SystemCall);
            recorder.entries.push(Entry { what, count: 0, bytes: 0, depth: 0, frames: [1; FRAMES] });
        }
        recorder.clear();
        recorder
    }

    pub fn clear(&mut self) {
        if !self.entries.is_empty() {
            self.entries.clear();
            self.index.fill(EMPTY);
        }
        (self.unplaced, self.live_bytes) = (0, 0);
        self.own = ThreadUsage::default();
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Notes something that was done out of the frame above `frame`, unless it was the probe that did it. Changes nothing
    /// that its caller could see: what libc says of the last error stays.
    pub fn note(&mut self, what: What, bytes: usize, frame: usize) {
        // SAFETY: it is the thread's own, and always there.
        let error = unsafe { *libc::__errno_location() };
        let before = thread_usage().unwrap_or_default();
        let calls = stack::walk(frame, &self.ground);
        if calls.are_foreign() {
            self.count(what, bytes, &calls);
        }
        let after = thread_usage().unwrap_or_default();
        self.own.minor_faults += after.minor_faults - before.minor_faults;
        self.own.major_faults += after.major_faults - before.major_faults;
        self.own.voluntary_switches += after.voluntary_switches - before.voluntary_switches;
        // SAFETY: as above.
        unsafe { *libc::__errno_location() = error };
    }

    fn count(&mut self, what: What, bytes: usize, calls: &Calls) {
        let Some(entry) = self.entry(what, calls) else {
            self.unplaced += 1;
            return;
        };
        entry.count += 1;
        entry.bytes += bytes as u64;
    }

    /// The entry for this, a new one if there is none yet; `None` if there is no room.
    fn entry(&mut self, what: What, calls: &Calls) -> Option<&mut Entry> {
        let mut place = hash(what.key(), calls.frames()) as usize % PLACES;
        let found = loop {
            let found = self.index[place];
            let Some(entry) = self.entries.get(usize::from(found)) else { break None };
            if entry.what.key() == what.key() && entry.frames() == calls.frames() {
                break Some(found);
            }
            place = (place + 1) % PLACES;
        };
        if found.is_none() {
            if self.entries.len() == SITES {
                return None;
            }
            self.index[place] = self.entries.len() as u16;
            let Calls { depth, frames, .. } = *calls;
            self.entries.push(Entry { what, count: 0, bytes: 0, depth, frames });
        }
        self.entries.get_mut(usize::from(self.index[place]))
    }
}

/// FNV over whole words, with its high bits brought down.
fn hash(key: u64, frames: &[usize]) -> u64 {
    let mixed = frames.iter().fold(key ^ 0xcbf2_9ce4_8422_2325, |hash, frame| {
        let hash = (hash ^ *frame as u64).wrapping_mul(0x0100_0000_01b3);
        hash ^ hash >> 29
    });
    mixed ^ mixed >> 17
}
