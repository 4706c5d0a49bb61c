use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Barrier, Mutex};

use kmidi_memory::{Budgets, Domain, Limits, MIB, Resource, charge_panics_to_the_program, tally};

use crate::alone;

/// 64, 512, 128, 700 MiB, and what is in use as the test says.
fn budgets(live: &Arc<AtomicUsize>) -> Budgets {
    let live = live.clone();
    Budgets::over(
        Limits::default(),
        move |domain| {
            if domain == Domain::Working { live.load(Relaxed) as u64 } else { 0 }
        },
    )
}

#[test]
fn what_fits_is_promised_and_what_does_not_is_refused_with_reasons() {
    let live = Arc::new(AtomicUsize::new(0));
    let budgets = budgets(&live);
    let song = budgets.lease(Domain::Working, 100 * MIB, "big.mid").unwrap();
    let refused = budgets.lease(Domain::Working, 29 * MIB, "choir.sf2").unwrap_err();
    assert_eq!(
        refused.to_string(),
        "choir.sf2 needs 29.0 MiB, and of 128.0 MiB for working memory 28.0 are free \
         (held by big.mid 100.0 MiB): close something, or raise KMIDI_MEMORY_WORKING_MB (--memory-working-mb wins over it)"
    );
    budgets.lease(Domain::Working, 28 * MIB, "choir.sf2").unwrap();
    // What a lease is filled with counts once: as live.
    live.store(60 << 20, Relaxed);
    song.fill(60 * MIB);
    budgets.lease(Domain::Working, 28 * MIB, "choir.sf2").unwrap();
    song.settle(60 * MIB);
    budgets.lease(Domain::Working, 68 * MIB, "choir.sf2").unwrap();
    budgets.lease(Domain::Working, 69 * MIB, "choir.sf2").unwrap_err();
    assert_eq!(budgets.status(Some(Domain::Working)).refused, 2);
}

#[test]
fn the_total_is_a_limit_of_its_own() {
    let budgets = budgets(&Arc::default());
    let _models = budgets.lease(Domain::Models, 512 * MIB, "models").unwrap();
    let _working = budgets.lease(Domain::Working, 128 * MIB, "songs").unwrap();
    let refused = budgets.lease(Domain::Audio, 64 * MIB, "engine").unwrap_err();
    assert_eq!((refused.scope, refused.free_bytes()), (None, 60 * MIB));
    budgets.lease(Domain::Audio, 60 * MIB, "engine").unwrap();
}

#[test]
fn reclaimers_free_by_priority_and_no_more_than_needed() {
    let live = Arc::new(AtomicUsize::new(120 << 20));
    let budgets = budgets(&live);
    let order = Arc::new(Mutex::new(Vec::new()));
    let reclaimer = |priority, name: &'static str, mib: usize| {
        let (live, order) = (live.clone(), order.clone());
        budgets.on_shortage(priority, name, move |wanted| {
            order.lock().unwrap().push((name, wanted / MIB));
            live.fetch_sub(mib << 20, Relaxed);
            (mib as u64) * MIB
        })
    };
    let _all = [reclaimer(2, "pages", 30), reclaimer(0, "old models", 10), reclaimer(1, "peaks", 20)];
    budgets.lease(Domain::Working, 30 * MIB, "choir.sf2").unwrap();
    assert_eq!(*order.lock().unwrap(), [("old models", 22), ("peaks", 12)]);
}

#[test]
fn what_is_used_first_by_many_is_loaded_once_and_its_memory_comes_back() {
    let _alone = alone();
    let budgets = Budgets::new(Limits::default());
    let loads = Arc::new(AtomicUsize::new(0));
    let counted = loads.clone();
    let model = Resource::new(&budgets, Domain::Models, 0, "a model", 40 * MIB, move || {
        counted.fetch_add(1, Relaxed);
        Ok::<_, std::io::Error>(vec![1.0f32; 8 << 20])
    });
    let before = tally(Domain::Models).live_bytes();
    let start = Barrier::new(8);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                start.wait();
                assert_eq!(model.get().unwrap().len(), 8 << 20);
            });
        }
    });
    assert_eq!((loads.load(Relaxed), model.bytes()), (1, 32 * MIB + 40));
    let used = model.get().unwrap();
    assert!(!model.unload(), "somebody uses it");
    drop(used);
    assert!(model.unload());
    assert_eq!(tally(Domain::Models).live_bytes(), before);
    assert_eq!(budgets.status(Some(Domain::Models)).leases, 0);
    model.get().unwrap();
    assert_eq!(loads.load(Relaxed), 2);
}

#[test]
fn an_idle_resource_makes_room_for_another() {
    let _alone = alone();
    let budgets = Budgets::new(Limits::default());
    let resource = |name: &'static str, mib: usize| {
        Resource::new(&budgets, Domain::Models, 0, name, (mib as u64 + 1) * MIB, move || {
            Ok::<_, std::io::Error>(vec![0u8; mib << 20])
        })
    };
    let (first, second, third) = (resource("first", 200), resource("second", 200), resource("third", 300));
    let used = second.get().unwrap();
    first.get().unwrap();
    third.get().unwrap();
    assert!(!first.is_loaded() && second.is_loaded() && third.is_loaded());
    let refused = resource("fourth", 500).get().unwrap_err().to_string();
    assert!(refused.contains("second 200.0 MiB") && !refused.contains("third"), "{refused}");
    assert_eq!(used.len(), 200 << 20);
}

#[test]
fn a_load_that_fails_or_panics_leaves_nothing_and_can_be_tried_again() {
    let _alone = alone();
    charge_panics_to_the_program();
    let budgets = Budgets::new(Limits::default());
    let tries = AtomicUsize::new(0);
    let flaky = Resource::new(&budgets, Domain::Models, 0, "flaky", MIB, move || {
        let block = vec![0u8; 1000];
        match tries.fetch_add(1, Relaxed) {
            0 => Err(std::io::Error::other("not today")),
            1 => panic!("a broken model"),
            _ => Ok(block),
        }
    });
    let before = tally(Domain::Models).live_bytes();
    assert_eq!(flaky.get().unwrap_err().to_string(), "flaky: not today");
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| flaky.get().map(|_| ()))).unwrap_err();
    assert_eq!((tally(Domain::Models).live_bytes(), flaky.is_loaded()), (before, false));
    assert_eq!(budgets.status(Some(Domain::Models)).leases, 0);
    assert_eq!(flaky.get().unwrap().len(), 1000);
}
