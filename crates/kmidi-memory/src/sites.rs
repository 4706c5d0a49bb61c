//! Where memory comes from: blocks are sampled, one each 512 KiB on average, with the calls that led to
//! them, and counted for as many as they stand for.
//!
//! Tables of fixed size; what finds no place is counted. Entries are claimed by one atomic exchange:
//! no thread waits for another.

use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use Ordering::{AcqRel, Acquire, Relaxed, Release};

use crate::Domain;
use crate::local;
use crate::peaks::SAMPLE_BYTES;

/// Calls that are remembered of each site.
const FRAMES: usize = 24;
/// Places in the program that allocate.
const SITES: usize = 2048;
/// Sampled blocks that live at once.
const BLOCKS: usize = 1 << 14;
/// Places that are tried for an entry, at the front of a table and behind it.
const TRIES: usize = 32;
/// The part of a table that is filled first: entries all over it would make all its pages memory, one after the other, which looks like
/// something that piles up.
const FRONT_PART: usize = 8;

struct SiteEntry {
    /// Hash of the frames; 0 is free.
    key: AtomicU64,
    /// Frames that are there: 0 while they are being written.
    depth: AtomicUsize,
    frames: [AtomicUsize; FRAMES],
    domain: AtomicU8,
    allocations: AtomicU64,
    allocated_bytes: AtomicU64,
    live_blocks: AtomicU64,
    live_bytes: AtomicU64,
    peak_bytes: AtomicU64,
}

struct BlockEntry {
    /// Its address; 0 is free.
    block: AtomicUsize,
    site: AtomicU32,
    bytes: AtomicU64,
    count: AtomicU64,
    born_s: AtomicU64,
}

static SITE_TABLE: [SiteEntry; SITES] = [const {
    SiteEntry {
        key: AtomicU64::new(0),
        depth: AtomicUsize::new(0),
        frames: [const { AtomicUsize::new(0) }; FRAMES],
        domain: AtomicU8::new(0),
        allocations: AtomicU64::new(0),
        allocated_bytes: AtomicU64::new(0),
        live_blocks: AtomicU64::new(0),
        live_bytes: AtomicU64::new(0),
        peak_bytes: AtomicU64::new(0),
    }
}; SITES];
static BLOCK_TABLE: [BlockEntry; BLOCKS] = [const {
    BlockEntry {
        block: AtomicUsize::new(0),
        site: AtomicU32::new(0),
        bytes: AtomicU64::new(0),
        count: AtomicU64::new(0),
        born_s: AtomicU64::new(0),
    }
}; BLOCKS];
static LOST: AtomicU64 = AtomicU64::new(0);

/// A sampled block, and for how much it stands.
#[derive(Clone, Copy)]
pub(crate) struct Sample {
    site: u32,
    bytes: u64,
    count: u64,
    born_s: u64,
}

/// A place in the program that allocates, in estimates from samples.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Site {
    /// Return addresses, the innermost call first.
    pub frames: Vec<usize>,
    /// Who pays.
    pub domain: Domain,
    /// Blocks allocated since the program started.
    pub allocations: u64,
    /// And their bytes.
    pub allocated_bytes: u64,
    /// Blocks in use.
    pub live_blocks: u64,
    /// Bytes in use.
    pub live_bytes: u64,
    /// The most bytes in use at once.
    pub peak_bytes: u64,
    /// Age of the oldest sampled block that is in use, in seconds.
    pub oldest_s: Option<u64>,
}

/// All sites that have been seen, in no order. `[side B]`
pub fn sites() -> Vec<Site> {
    let now = now_s();
    let mut oldest = vec![None::<u64>; SITES];
    for entry in &BLOCK_TABLE {
        if entry.block.load(Acquire) != 0 {
            let age = now.saturating_sub(entry.born_s.load(Relaxed));
            let oldest = &mut oldest[entry.site.load(Relaxed) as usize % SITES];
            *oldest = Some(oldest.map_or(age, |it| it.max(age)));
        }
    }
    let seen = SITE_TABLE.iter().zip(oldest).filter(|(entry, _)| entry.depth.load(Acquire) > 0);
    seen.map(|(entry, oldest_s)| entry.site(oldest_s)).collect()
}

/// Samples for which there was no place.
pub fn lost_samples() -> u64 {
    LOST.load(Relaxed)
}

impl SiteEntry {
    fn site(&self, oldest_s: Option<u64>) -> Site {
        let depth = self.depth.load(Acquire).min(FRAMES);
        Site {
            frames: self.frames[..depth].iter().map(|frame| frame.load(Relaxed)).collect(),
            domain: Domain::ALL[usize::from(self.domain.load(Relaxed)) % Domain::COUNT],
            allocations: self.allocations.load(Relaxed),
            allocated_bytes: self.allocated_bytes.load(Relaxed),
            live_blocks: self.live_blocks.load(Relaxed),
            live_bytes: self.live_bytes.load(Relaxed),
            peak_bytes: self.peak_bytes.load(Relaxed),
            oldest_s,
        }
    }

    fn add(&self, bytes: u64, count: u64) {
        self.allocations.fetch_add(count, Relaxed);
        self.allocated_bytes.fetch_add(bytes, Relaxed);
        self.live_blocks.fetch_add(count, Relaxed);
        let live = self.live_bytes.fetch_add(bytes, Relaxed) + bytes;
        self.peak_bytes.fetch_max(live, Relaxed);
    }
}

/// Remembers a block. Whether there was a place for it.
#[cold]
pub(crate) fn sample(block: *mut u8, size: usize, domain: usize) -> bool {
    // Walking the stack may allocate.
    if local::with(|local| local.busy.replace(true)) {
        return false;
    }
    let stack = Stack::here();
    local::with(|local| local.busy.set(false));
    // A block is met with the probability 1 - exp(-size / mean): it stands for as many.
    let size = size as f64;
    let count = 1.0 / -(-size / SAMPLE_BYTES).exp_m1();
    let found = stack.site(domain).and_then(|site| {
        let (bytes, count) = ((size * count) as u64, count.round() as u64);
        SITE_TABLE[site].add(bytes, count);
        put(block, Sample { site: site as u32, bytes, count, born_s: now_s() }).then_some(())
    });
    if found.is_none() {
        LOST.fetch_add(1, Relaxed);
    }
    found.is_some()
}

/// A sampled block has been resized and may be elsewhere now.
#[cold]
pub(crate) fn put_back(block: *mut u8, sample: Sample) -> bool {
    let site = &SITE_TABLE[sample.site as usize];
    site.live_blocks.fetch_add(sample.count, Relaxed);
    site.live_bytes.fetch_add(sample.bytes, Relaxed);
    put(block, sample)
}

fn put(block: *mut u8, sample: Sample) -> bool {
    let address = block.addr();
    for entry in places(&BLOCK_TABLE, address as u64) {
        if entry.block.compare_exchange(0, address, AcqRel, Relaxed).is_ok() {
            entry.site.store(sample.site, Relaxed);
            entry.bytes.store(sample.bytes, Relaxed);
            entry.count.store(sample.count, Relaxed);
            entry.born_s.store(sample.born_s, Relaxed);
            return true;
        }
    }
    SITE_TABLE[sample.site as usize].gone(sample);
    false
}

/// A sampled block is about to come back.
#[cold]
pub(crate) fn forget(block: *mut u8) -> Option<Sample> {
    let address = block.addr();
    let entry = places(&BLOCK_TABLE, address as u64).find(|entry| entry.block.load(Acquire) == address)?;
    let sample = Sample {
        site: entry.site.load(Relaxed),
        bytes: entry.bytes.load(Relaxed),
        count: entry.count.load(Relaxed),
        born_s: entry.born_s.load(Relaxed),
    };
    entry.block.store(0, Release);
    SITE_TABLE[sample.site as usize].gone(sample);
    Some(sample)
}

impl SiteEntry {
    fn gone(&self, sample: Sample) {
        self.live_blocks.fetch_sub(sample.count, Relaxed);
        self.live_bytes.fetch_sub(sample.bytes, Relaxed);
    }
}

/// The entries where a key may stand, in the order in which they are tried.
fn places<'a, T>(table: &'a [T], key: u64) -> impl Iterator<Item = &'a T> {
    let first = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize;
    let (front, rest) = table.split_at(table.len() / FRONT_PART);
    let tried = move |part: &'a [T]| (0..TRIES).map(move |i| &part[(first + i) % part.len()]);
    tried(front).chain(tried(rest))
}

/// The calls that led here.
struct Stack {
    frames: [usize; FRAMES],
    depth: usize,
}

unsafe extern "C" {
    fn _Unwind_Backtrace(each: extern "C" fn(*mut c_void, *mut c_void) -> c_int, data: *mut c_void) -> c_int;
    fn _Unwind_GetIP(context: *mut c_void) -> usize;
}

impl Stack {
    #[inline(never)]
    fn here() -> Self {
        extern "C" fn each(context: *mut c_void, data: *mut c_void) -> c_int {
            const GO_ON: c_int = 0;
            const STOP: c_int = 5;
            // SAFETY: the unwinder passes on what it was given below, and a context that is good for now.
            let (stack, frame) = unsafe { (&mut *data.cast::<Stack>(), _Unwind_GetIP(context)) };
            let Some(place) = stack.frames.get_mut(stack.depth) else { return STOP };
            *place = frame;
            stack.depth += 1;
            GO_ON
        }
        let mut stack = Stack { frames: [0; FRAMES], depth: 0 };
        // SAFETY: `each` gets back a pointer to `stack`, which outlives the call.
        unsafe { _Unwind_Backtrace(each, (&raw mut stack).cast()) };
        stack
    }

    /// The number of the site with these frames, made if it is new.
    fn site(&self, domain: usize) -> Option<usize> {
        let frames = &self.frames[..self.depth];
        let hash = frames.iter().fold(0xcbf2_9ce4_8422_2325 ^ domain as u64, |hash: u64, &frame| {
            (hash ^ frame as u64).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23)
        });
        let key = hash | 1;
        for entry in places(&SITE_TABLE, key) {
            match entry.key.compare_exchange(0, key, AcqRel, Acquire) {
                Ok(_) => {
                    for (place, &frame) in entry.frames.iter().zip(frames) {
                        place.store(frame, Relaxed);
                    }
                    entry.domain.store(domain as u8, Relaxed);
                    entry.depth.store(self.depth.max(1), Release);
                }
                Err(other) if other != key => continue,
                Err(_) => {}
            }
            return Some(index_of(entry));
        }
        None
    }
}

fn index_of(entry: &SiteEntry) -> usize {
    let start = SITE_TABLE.as_ptr().addr();
    (std::ptr::from_ref(entry).addr() - start) / size_of::<SiteEntry>()
}

/// Seconds of a clock that goes on evenly.
fn now_s() -> u64 {
    kmidi_sys::monotonic_ns() / 1_000_000_000
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_table_fills_its_front_before_the_rest_and_takes_as_many_as_before() {
        let mut table = vec![0u64; 1 << 14];
        // Entries are tried in turn and the first free one is taken, as both tables do it.
        let mut put = |key: u64| {
            let free: Option<*const u64> = places(&table, key).find(|it| **it == 0).map(std::ptr::from_ref);
            let at = free.map(|it| (it.addr() - table.as_ptr().addr()) / size_of::<u64>());
            at.inspect(|at| table[*at] = key)
        };
        // Addresses of blocks lie at places that have much in common.
        let keys: Vec<u64> = (1..=12_000).map(|number| 0x7f00_0000_0000 + number * 65_536).collect();
        let few: Vec<usize> = keys[..1000].iter().filter_map(|key| put(*key)).collect();
        assert!(few.len() == 1000 && few.iter().all(|at| *at < (1 << 14) / FRONT_PART));
        let all: HashSet<usize> = keys[1000..].iter().filter_map(|key| put(*key)).chain(few).collect();
        assert!(all.len() > 11_500, "{} of 12,000 have a place", all.len());
        for key in keys.iter().filter(|key| table.contains(key)) {
            assert!(places(&table, *key).any(|it| it == key), "it is found again");
        }
    }
}
