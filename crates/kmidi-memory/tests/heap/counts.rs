use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, realloc};
use std::hint::black_box;

use kmidi_memory::{Domain, Tally, peak_bytes, restart_peak, tally};

use crate::alone;

/// Nothing else of the program uses it.
const QUIET: Domain = Domain::Models;

/// What `work` leaves behind in a domain.
fn check(work: impl FnOnce(), expected: Tally) {
    let _alone = alone();
    let before = tally(QUIET);
    QUIET.charge(work);
    let after = tally(QUIET);
    let left = Tally {
        allocated_bytes: after.allocated_bytes - before.allocated_bytes,
        allocations: after.allocations - before.allocations,
        freed_bytes: after.freed_bytes - before.freed_bytes,
        frees: after.frees - before.frees,
    };
    assert_eq!(left, expected);
}

fn block(bytes: usize) -> Layout {
    Layout::from_size_align(bytes, 8).unwrap()
}

#[test]
fn every_way_to_get_a_block_is_counted_once() {
    check(
        || {
            // SAFETY: each block is used with the layout it has.
            unsafe {
                let one = black_box(alloc(block(100)));
                let two = black_box(alloc_zeroed(block(1000)));
                assert!((0..1000).all(|i| *two.add(i) == 0));
                let one = black_box(realloc(one, block(100), 250));
                let two = black_box(realloc(two, block(1000), 10));
                dealloc(one, block(250));
                dealloc(two, block(10));
            }
        },
        Tally { allocated_bytes: 100 + 1000 + 150, allocations: 2, freed_bytes: 990 + 250 + 10, frees: 2 },
    );
}

#[test]
fn what_another_thread_frees_comes_off_the_domain_that_paid() {
    check(
        || {
            let block = vec![1u8; 5000];
            Domain::Working.charge(|| std::thread::spawn(move || drop(block)).join().unwrap());
        },
        Tally { allocated_bytes: 5000, allocations: 1, freed_bytes: 5000, frees: 1 },
    );
}

#[test]
fn blocks_keep_their_domain_when_they_grow_elsewhere() {
    check(
        || {
            let mut block = Vec::<u8>::with_capacity(10);
            Domain::Working.charge(|| block.reserve_exact(5000));
        },
        Tally { allocated_bytes: 5000, allocations: 1, freed_bytes: 5000, frees: 1 },
    );
}

#[test]
fn many_threads_at_once_lose_nothing() {
    let _alone = alone();
    let before = tally(QUIET);
    let (give, take) = std::sync::mpsc::channel::<Vec<u8>>();
    std::thread::scope(|scope| {
        for seed in 0..8u64 {
            let give = give.clone();
            scope.spawn(move || {
                let mut kept: Vec<Vec<u8>> = Vec::new();
                let mut random = seed + 1;
                for _ in 0..5000 {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let bytes = QUIET.charge(|| vec![0u8; (random >> 40) as usize % 3000 + 1]);
                    // Some are freed here, some elsewhere.
                    if random >> 63 == 0 { kept.push(bytes) } else { give.send(bytes).unwrap() }
                }
            });
        }
        drop(give);
        scope.spawn(move || take.into_iter().for_each(drop));
    });
    let after = tally(QUIET);
    assert_eq!(after.allocations - before.allocations, 40_000);
    assert_eq!((after.live_bytes(), after.live_blocks()), (before.live_bytes(), before.live_blocks()));
}

#[test]
fn the_peak_is_within_64_kib_a_thread() {
    let _alone = alone();
    restart_peak(Some(QUIET));
    let before = tally(QUIET).live_bytes();
    const MOST: u64 = 20 << 20;
    QUIET.charge(|| {
        let blocks: Vec<_> = (0..MOST / 1000).map(|_| Vec::<u8>::with_capacity(1000)).collect();
        drop(blocks);
        drop(Vec::<u8>::with_capacity(1 << 20));
    });
    let table = MOST / 1000 * size_of::<Vec<u8>>() as u64;
    let peak = peak_bytes(Some(QUIET)) - before;
    let exact = MOST / 1000 * 1000 + table;
    assert!(peak.abs_diff(exact) <= 64 << 10, "{peak} for {exact}");
}

/// A request that is too large is refused, not wrapped around.
#[test]
fn a_block_of_all_addresses_is_refused() {
    let mut bytes = Vec::<u8>::new();
    assert!(bytes.try_reserve_exact(isize::MAX as usize).is_err());
    assert!(bytes.try_reserve_exact(isize::MAX as usize - 64).is_err());
}
