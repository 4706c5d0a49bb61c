//! What was counted while foreign code ran.

use serde::{Deserialize, Serialize};

/// Something that foreign code did and that takes memory, or time that nobody can foretell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deed {
    /// Took memory: malloc and its kin, operator new.
    Allocation,
    /// Gave memory back.
    Free,
    /// Took a lock that nobody held.
    Lock,
    /// Took a lock that another thread held.
    ContendedLock,
    /// Waited: for a condition, a semaphore, another thread, the clock.
    Wait,
    /// Read, wrote, opened or closed a file, a pipe, a socket or the terminal.
    Io,
    /// Changed the address space: mmap, munmap, mprotect, brk.
    Mapping,
    /// Started a thread or a process.
    Thread,
    /// Loaded a library or looked a symbol up.
    Loading,
    /// Any other system call.
    SystemCall,
}

/// All of one kind that was done by way of the same calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// What was done.
    pub deed: Deed,
    /// By what: the function of libc, or the system call with its number.
    pub call: String,
    /// How often.
    pub count: u64,
    /// Bytes taken, where it took memory.
    pub bytes: u64,
    /// The calls, the innermost first, the plugin's own first where they are known: function, library and offset.
    pub stack: Vec<String>,
}

/// What was counted between [`Watch::begin`] and [`Watch::end`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Each deed by its calls, the most frequent first; a deed may have any number of them.
    pub sites: Vec<Site>,
    /// Deeds that had no room among the sites: counted, of unknown kind and place.
    pub unplaced: u64,
    /// Bytes allocated less bytes freed by this thread; negative if more was given back than taken.
    pub live_bytes: i64,
    /// Pages that were touched for the first time, or came from a file in memory.
    pub minor_faults: u64,
    /// Pages that had to be read from a disk.
    pub major_faults: u64,
    /// Times that the thread waited, whatever the cause.
    pub voluntary_switches: u64,
}

impl Tally {
    /// How often this was done.
    pub fn count(&self, deed: Deed) -> u64 {
        self.sites.iter().filter(|site| site.deed == deed).map(|site| site.count).sum()
    }

    /// Bytes that allocations took.
    pub fn allocated_bytes(&self) -> u64 {
        self.sites.iter().map(|site| site.bytes).sum()
    }
}

/// Memory that foreign code holds, whichever threads took it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Bytes now.
    pub live_bytes: u64,
    /// The most bytes at once since the last time that was asked.
    pub peak_bytes: u64,
}

/// Who counts: the program in which foreign code runs on trial.
pub trait Watch {
    /// From here on, what this thread does is counted. With `trap_system_calls` also each system call, which makes all
    /// of them slow; where the system cannot do that, it is as if it was not asked for ([`Watch::sees_system_calls`]).
    fn begin(&mut self, trap_system_calls: bool);

    /// Up to here; what was counted. Symbols are looked up here, outside of what is counted.
    fn end(&mut self) -> Tally;

    /// What foreign code has taken from the heap since there is somebody who counts, and not given back. From here on,
    /// a new peak is looked for.
    fn held(&mut self) -> Held;

    /// Whether system calls are seen here that do not go through libc.
    fn sees_system_calls(&self) -> bool;
}
