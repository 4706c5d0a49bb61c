//! What the engine costs in memory, as the allocator counts it.

use kmidi_library::{CacheLimits, Filter, IndexJobError, ItemKind, Plugins, Query, Range, Searcher};
use kmidi_memory::{
    Budgets, Cancel, Domain, JobContext, JobError, Limits, MIB, Meter, Need, peak_bytes, restart_peak, tally,
};

use crate::support::{Hashing, Place, questions, write_pack};

/// The goal for 5,000 items.
const GOAL_BYTES: u64 = 3_000_000;

/// Everything that the engine has in memory after a thousand questions: what was allocated and not freed since
/// before it was opened (its cache is part of that), and what of the mapped index is resident.
fn steady_state_bytes(place: &Place, planted_bytes: usize) -> u64 {
    Domain::Working.charge(|| {
        let meter = Meter::start(Domain::Working);
        let mut searcher = Searcher::open(&place.index(), CacheLimits::default()).unwrap();
        let planted = vec![0u8; planted_bytes];
        let mut model = Hashing::new();
        for (number, text) in questions().iter().enumerate() {
            let filter = Filter {
                kind: (number % 7 == 0).then_some(ItemKind::Midi),
                bpm: (number % 11 == 0).then_some(Range { from: 80.0, to: 130.0 }),
                ..Filter::default()
            };
            let limit = [5, 10, 50][number % 3];
            let hits =
                searcher.search(&Query { filter, limit, ..Query::of(text) }, Some(&mut model)).unwrap();
            assert!(hits.is_empty() || hits[0].score > 0.0);
        }
        let counts = searcher.cache_counts();
        assert!(counts.hits > 100 && counts.misses > 400, "{counts:?}");
        let memory = searcher.memory().unwrap();
        let tracked = u64::try_from(meter.net_bytes()).unwrap();
        assert!(
            tracked >= memory.cache_bytes + memory.scratch_bytes + planted.len() as u64,
            "{tracked} {memory:?}"
        );
        println!(
            "tracked {tracked} bytes, of which cache {} and scratch {}; resident {} of {} mapped",
            memory.cache_bytes, memory.scratch_bytes, memory.index_resident_bytes, memory.index_mapped_bytes
        );
        tracked + memory.index_resident_bytes
    })
}

#[test]
fn five_thousand_items_are_searched_in_less_than_3_mb_and_a_planted_copy_is_seen() {
    let place = Place::new();
    write_pack(&place.sounds(), 5000);
    let report = place.add();
    assert_eq!((report.items, report.without_vector), (5000, 0));
    let bytes = steady_state_bytes(&place, 0);
    assert!(bytes < GOAL_BYTES, "{bytes}");
    // An index that keeps the vectors as they come, in 32 bits, has this beside it.
    assert!(steady_state_bytes(&place, 5000 * 384 * 4) > GOAL_BYTES);
}

/// `Models` is charged by nobody else here: tests run side by side.
#[test]
fn indexing_takes_no_more_than_it_was_promised_and_a_budget_that_is_too_small_is_told() {
    let place = Place::new();
    write_pack(&place.sounds(), 2500);
    let index = |budget: u64| {
        let limits = Limits::default().with(Some(Domain::Models), budget);
        let budgets = Budgets::new(limits);
        let need = Need { domain: Domain::Models, bytes: 4 * MIB, name: "index".into() };
        let (sounds, mut promised) = ([place.sounds()], 0);
        restart_peak(Some(Domain::Models));
        let done = JobContext::run(&budgets, need, &Cancel::default(), |job| {
            let mut model = Hashing::new();
            place.indexer().add(&sounds, Plugins::default(), Some(&mut model), &job, &mut |_| {
                let held: u64 = budgets.holders().iter().map(|it| it.bytes).sum();
                promised = promised.max(held);
            })
        });
        (done.unwrap(), peak_bytes(Some(Domain::Models)), promised)
    };
    let (refused, ..) = index(5 * MIB);
    assert!(matches!(refused, Err(IndexJobError::Job(JobError::OverBudget(_)))), "{refused:?}");
    let (done, peak, promised) = index(64 * MIB);
    let writing = 4 * MIB + 2500 * 512;
    println!("peak {peak} bytes, promised {promised} and {writing} while it was written");
    assert_eq!(done.unwrap().items, 2500);
    assert!(peak <= promised + writing, "{peak} {promised}");
}

#[test]
fn a_question_that_was_asked_before_takes_no_memory_and_a_new_one_does() {
    let place = Place::new();
    write_pack(&place.sounds(), 300);
    place.add();
    // Audio is charged by nobody else here: tests run side by side.
    Domain::Audio.charge(|| {
        let mut searcher = Searcher::open(&place.index(), CacheLimits::default()).unwrap();
        let mut model = Hashing::new();
        let mut allocated = |text: &str| {
            let before = tally(Domain::Audio);
            let hits = searcher.search(&Query::of(text), Some(&mut model)).unwrap().len();
            assert!(hits > 0);
            let after = tally(Domain::Audio);
            (after.allocations - before.allocations, after.allocated_bytes - before.allocated_bytes)
        };
        assert!(allocated("warm piano").1 > 0);
        assert!(allocated("bright piano").1 > 0, "the control");
        assert_eq!(allocated("warm piano"), (0, 0));
        assert_eq!(allocated("bright piano"), (0, 0));
        assert_eq!(model.calls, 2, "the model neither");
    });
}
