//! For tests: which blocks an object reaches, to see that what side A owns is all on its heap.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{Domain, Heap, is_in_region};

/// A [`Heap`] that remembers every block.
pub struct AuditedHeap {
    heap: Heap,
}

/// Size and domain of each block, by address.
static BLOCKS: Mutex<BTreeMap<usize, (usize, Domain)>> = Mutex::new(BTreeMap::new());

thread_local! {
    /// What the table itself needs is not in it.
    static BUSY: Cell<bool> = const { Cell::new(false) };
}

fn blocks() -> MutexGuard<'static, BTreeMap<usize, (usize, Domain)>> {
    BLOCKS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn note(work: impl FnOnce(&mut BTreeMap<usize, (usize, Domain)>)) {
    if !BUSY.replace(true) {
        Domain::Program.charge(|| work(&mut blocks()));
        BUSY.set(false);
    }
}

impl AuditedHeap {
    /// For a `static`.
    #[allow(clippy::new_without_default, reason = "there is one, and it is a constant")]
    pub const fn new() -> Self {
        AuditedHeap { heap: Heap::new() }
    }
}

// SAFETY: the heap does all of it.
unsafe impl GlobalAlloc for AuditedHeap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let domain = Domain::current();
        // SAFETY: the caller's promise.
        let block = unsafe { self.heap.alloc(layout) };
        note(|blocks| {
            blocks.insert(block.addr(), (layout.size(), domain));
        });
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // Before another thread can be given the address.
        note(|blocks| {
            blocks.remove(&block.addr());
        });
        // SAFETY: the caller's promise.
        unsafe { self.heap.dealloc(block, layout) };
    }
}

/// A block that an object reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// In bytes.
    pub size: usize,
    /// Who pays for it.
    pub domain: Domain,
    /// Whether it is on side A's heap.
    pub is_in_region: bool,
    /// Size of the block, or of the object, that has its address; and where in it.
    pub within: (usize, usize),
}

/// All blocks that `object` reaches through others on side A's heap: what any word of it, or of these, could
/// be an address in. Blocks elsewhere are told, but not entered. Needs an [`AuditedHeap`].
pub fn reached<T>(object: &T) -> Vec<Reached> {
    BUSY.set(true);
    let blocks = blocks().clone();
    let mut found = BTreeMap::new();
    let mut waiting = vec![(std::ptr::from_ref(object).addr(), size_of::<T>())];
    while let Some((start, size)) = waiting.pop() {
        for place in start.div_ceil(8)..(start + size) / 8 {
            let within = (size, place * 8 - start);
            let word = std::ptr::with_exposed_provenance::<usize>(place * 8);
            // SAFETY: inside of an object that is borrowed, or of a block that is live as the test runs nothing
            // beside this. What was never written is some number too: it is read as the machine has it.
            let address = unsafe { word.read_volatile() };
            let Some((&block, &(length, domain))) = blocks.range(..=address).next_back() else { continue };
            if address >= block + length || found.contains_key(&block) {
                continue;
            }
            let is_in_region = is_in_region(std::ptr::without_provenance::<u8>(block));
            found.insert(block, Reached { size: length, domain, is_in_region, within });
            if is_in_region {
                waiting.push((block, length));
            }
        }
    }
    BUSY.set(false);
    found.into_values().collect()
}
