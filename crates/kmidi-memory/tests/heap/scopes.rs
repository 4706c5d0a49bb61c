use kmidi_memory::{Domain, Scope, peak_bytes};

use crate::alone;

const MIB: usize = 1 << 20;
/// Nothing else of the program uses it.
const QUIET: Domain = Domain::Models;

fn block(bytes: usize) -> Vec<u8> {
    QUIET.charge(|| Vec::with_capacity(bytes))
}

#[test]
fn a_scope_sees_what_is_left_behind_and_the_peak_in_between() {
    let _alone = alone();
    let before = kmidi_memory::tally(QUIET).live_bytes();
    let scope = Scope::start();
    drop(block(5 * MIB));
    let kept = block(2 * MIB);
    let usage = scope.finish().of(QUIET);
    assert_eq!((usage.net_bytes, usage.live_bytes), (2 * MIB as i64, before + 2 * MIB as u64));
    assert_eq!((usage.peak_bytes, usage.allocations), (before + 5 * MIB as u64, 2));
    let scope = Scope::start();
    drop(kept);
    assert_eq!(scope.finish().of(QUIET).net_bytes, -(2 * MIB as i64));
}

#[test]
fn a_scope_inside_another_takes_no_peak_from_it_nor_from_the_process() {
    let _alone = alone();
    let before = kmidi_memory::tally(QUIET).live_bytes();
    let peak = |scope: &Scope| scope.usage().of(QUIET).peak_bytes - before;
    drop(block(9 * MIB));
    let of_process = peak_bytes(Some(QUIET));
    let outer = Scope::start();
    drop(block(5 * MIB));
    let inner = Scope::start();
    drop(block(MIB));
    assert_eq!(peak(&inner), MIB as u64);
    drop(inner);
    assert_eq!(peak(&outer), 5 * MIB as u64);
    drop(outer);
    assert_eq!(peak_bytes(Some(QUIET)), of_process);
}
