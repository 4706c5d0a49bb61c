//! A session that is used again and again takes no more memory than one that is used once.

use std::sync::{Mutex, PoisonError};

use kmidi_compose::plan::{HarmonyPlan, TherapySession};
use kmidi_memory::{Domain, Scope};

#[global_allocator]
static HEAP: kmidi_memory::Heap = kmidi_memory::Heap::new();

/// Counters are the process's: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

const TEXTS: [&str; 6] = [
    "feeling grief and loss",
    "I am so happy, but also a little scared 😢",
    "tables and chairs",
    "",
    "je suis triste",
    "I used to be strong; now nothing feels real, and I can't breathe. I miss my home, the old days, and you.",
];

fn call(session: &mut TherapySession, turn: usize) -> HarmonyPlan {
    let _ = session.process_core_input(TEXTS[turn % TEXTS.len()]);
    session.set_scales((turn % 12) as f64, (turn % 5) as f64 / 4.0);
    session.generate_plan()
}

#[test]
fn a_session_used_again_and_again_does_not_grow() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut session = TherapySession::default();
    // Each round ends with the same text, whose mood stays in the session.
    (0..60).for_each(|turn| drop(call(&mut session, turn)));
    let scope = Scope::start();
    (0..12_000).for_each(|turn| drop(call(&mut session, turn)));
    let first = scope.usage();
    (0..12_000).for_each(|turn| drop(call(&mut session, turn)));
    let both = scope.finish();
    assert_eq!((first.net_bytes(), both.net_bytes()), (0, 0));
    let allocations = |usage: &kmidi_memory::Usage| usage.of(Domain::Program).allocations;
    assert_eq!(allocations(&both), 2 * allocations(&first), "no call costs more than the same call before");
}

#[test]
fn the_first_text_and_the_longest_take_little() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    kmidi_memory::restart_peak(None);
    let before = kmidi_memory::peak_bytes(None);
    let mut session = TherapySession::default();
    drop(call(&mut session, 0));
    let usual = kmidi_memory::peak_bytes(None) - before;
    assert!((10_000..300_000).contains(&usual), "{usual} bytes");
    session.process_core_input(&"sad I ".repeat(3333)).expect("long, but not too long");
    let longest = kmidi_memory::peak_bytes(None) - before;
    assert!((500_000..5_000_000).contains(&longest), "{longest} bytes");
}

#[test]
fn control_plans_that_are_kept_are_seen() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut session = TherapySession::default();
    drop(call(&mut session, 0));
    let scope = Scope::start();
    let kept: Vec<HarmonyPlan> = (0..10).map(|turn| call(&mut session, turn)).collect();
    assert!(scope.finish().net_bytes() > 10_000);
    drop(kept);
}
