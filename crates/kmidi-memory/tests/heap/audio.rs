use std::collections::BTreeMap;

use kmidi_memory::{Domain, Violations, audio_heap, forbid, is_in_region, region_status, tally, violations};

use crate::alone;

#[test]
fn what_is_built_inside_is_in_the_region_and_grows_there() {
    let _alone = alone();
    let before = tally(Domain::Audio).live_bytes();
    let mut built = audio_heap("a buffer", || vec![7u32; 1000]).unwrap();
    assert!(is_in_region(built.as_ptr()));
    assert_eq!(tally(Domain::Audio).live_bytes() - before, 4000);
    built.reserve_exact(100_000);
    assert!(is_in_region(built.as_ptr()), "a block stays where it belongs");
    assert!(built.iter().all(|&word| word == 7));
    let outside = vec![0u8; 1000];
    assert!(!is_in_region(outside.as_ptr()), "the control");
    std::thread::spawn(move || drop(built)).join().unwrap();
    assert_eq!(tally(Domain::Audio).live_bytes(), before);
}

#[test]
fn zeroed_memory_is_zero_where_others_have_been() {
    let _alone = alone();
    for _ in 0..3 {
        let mut block = audio_heap("zeros", || vec![0u8; 300_000]).unwrap();
        assert!(block.iter().all(|&byte| byte == 0));
        block.fill(0xff);
    }
}

#[test]
fn a_full_region_fails_the_build_and_nothing_else() {
    let _alone = alone();
    let before = tally(Domain::Audio).live_bytes();
    let spills = region_status().spills;
    let refused = audio_heap("too much", || {
        let all: Vec<Vec<u8>> = (0..100).map(|_| vec![1u8; 1 << 20]).collect();
        assert!(all.iter().flatten().all(|&byte| byte == 1), "never null, never shared");
    });
    let refusal = refused.unwrap_err().to_string();
    assert!(refusal.contains("too much") && refusal.contains("audio memory"), "{refusal}");
    assert!(region_status().spills > spills);
    assert_eq!(tally(Domain::Audio).live_bytes(), before);
    audio_heap("a little", || vec![0u8; 1000]).unwrap();
}

/// Pages that are there when the engine comes to them.
#[test]
fn blocks_come_with_their_pages() {
    let _alone = alone();
    let block = audio_heap("pages", || Vec::<u8>::with_capacity(8 << 20)).unwrap();
    let faults = || kmidi_sys::thread_usage().unwrap().minor_faults;
    let before = faults();
    let mut block = block;
    for page in block.spare_capacity_mut().chunks_mut(4096) {
        page[0].write(1);
    }
    assert!(faults() - before <= 2, "{}", faults() - before);
    let mut control = Vec::<u8>::with_capacity(8 << 20);
    let before = faults();
    for page in control.spare_capacity_mut().chunks_mut(4096) {
        page[0].write(1);
    }
    assert!(faults() - before > 2, "the control");
}

/// Any sequence of blocks: what is in one is never changed by another.
#[test]
fn blocks_of_both_heaps_never_overlap() {
    let _alone = alone();
    let mut random = fastrand(1);
    let mut kept: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for n in 0..20_000u64 {
        let words = (random() % 400) as usize;
        let block = if random().is_multiple_of(2) {
            audio_heap("a block", || vec![n; words]).unwrap()
        } else {
            vec![n; words]
        };
        kept.insert(n, block);
        let victim = random() % (n + 1);
        if let Some(mut block) = kept.remove(&victim) {
            assert!(block.iter().all(|&word| word == victim));
            if random().is_multiple_of(3) {
                block.resize((random() % 900) as usize, victim);
                kept.insert(victim, block);
            }
        }
    }
    assert!(kept.iter().all(|(n, block)| block.iter().all(|word| word == n)));
}

fn fastrand(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    }
}

#[test]
fn the_callback_that_allocates_or_frees_is_counted() {
    let _alone = alone();
    let before = violations();
    let held = vec![1u8; 10];
    forbid(|| std::hint::black_box(3 + 4));
    assert_eq!(violations(), before, "the control");
    let made = forbid(|| {
        drop(held);
        vec![2u8; 10]
    });
    drop(made);
    let after = violations();
    let seen =
        Violations { allocations: after.allocations - before.allocations, frees: after.frees - before.frees };
    assert_eq!(seen, Violations { allocations: 1, frees: 1 });
}
