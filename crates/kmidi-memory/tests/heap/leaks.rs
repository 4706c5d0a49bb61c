use std::hint::black_box;
use std::time::{Duration, Instant};

use kmidi_memory::{Budgets, LeakRules, LeakWatch, Limits, Monitor, MonitorConfig, Site, sites};

use crate::alone;

type Blocks = Vec<Vec<u8>>;
const BLOCK_BYTES: usize = 256 << 10;

#[inline(never)]
fn planted_leak(blocks: &mut Blocks) {
    (0..8).for_each(|_| blocks.push(black_box(Vec::with_capacity(BLOCK_BYTES))));
}

#[inline(never)]
fn cache_that_fills(blocks: &mut Blocks) {
    while blocks.len() < 100 {
        blocks.push(black_box(Vec::with_capacity(BLOCK_BYTES)));
        if blocks.len().is_multiple_of(5) {
            return;
        }
    }
}

#[inline(never)]
fn cache_that_breathes(blocks: &mut Blocks) {
    if blocks.len() == 40 {
        blocks.clear();
    }
    (0..4).for_each(|_| blocks.push(black_box(Vec::with_capacity(BLOCK_BYTES))));
}

/// The functions that a site was reached through.
fn names(site: &Site) -> Vec<String> {
    let mut names = Vec::new();
    for &frame in &site.frames {
        backtrace::resolve(std::ptr::without_provenance_mut(frame), |symbol| {
            names.extend(symbol.name().map(|name| format!("{name:#}")));
        });
    }
    names
}

#[test]
fn a_planted_leak_is_found_by_the_name_of_its_function_and_caches_are_not() {
    let _alone = alone();
    // The clock is the loop's.
    let mut watch = LeakWatch::new(LeakRules { least_age_s: 0, ..LeakRules::default() });
    let (mut leaked, mut filled, mut breathed) = (Blocks::new(), Blocks::new(), Blocks::new());
    for second in 0..200 {
        planted_leak(&mut leaked);
        cache_that_fills(&mut filled);
        cache_that_breathes(&mut breathed);
        watch.see(f64::from(second), &sites());
    }
    let leaks = watch.leaks();
    let found: Vec<_> = leaks.iter().map(|leak| names(&leak.site)).collect();
    let is_in = |name: &str, leak: &[String]| leak.iter().any(|it| it.contains(name));
    assert!(found.iter().any(|leak| is_in("planted_leak", leak)), "{found:#?}");
    assert!(!found.iter().any(|leak| is_in("cache_that", leak)), "{found:#?}");
    let bytes_per_second: f64 = leaks.iter().map(|leak| leak.bytes_per_second).sum();
    let exact = 8.0 * BLOCK_BYTES as f64;
    assert!((exact / 2.0..exact * 2.0).contains(&bytes_per_second), "{bytes_per_second} for {exact}");
}

#[test]
fn the_monitor_finds_it_too() {
    let _alone = alone();
    const STEP: Duration = Duration::from_millis(2);
    let limits = Limits::default();
    let leaks = LeakRules { least_age_s: 0, step: STEP, ..LeakRules::default() };
    let config = MonitorConfig { interval: STEP, leaks, ..MonitorConfig::new(&limits) };
    let monitor = Monitor::start(Budgets::new(limits), config, drop).unwrap();
    let (mut leaked, start) = (Blocks::new(), Instant::now());
    let found = |monitor: &Monitor| {
        let leaks = monitor.leaks();
        leaks.iter().any(|leak| names(&leak.site).iter().any(|name| name.contains("planted_leak")))
    };
    while !found(&monitor) {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "after {:.1} s: {:?}",
            monitor.watched_s(),
            monitor.leaks()
        );
        planted_leak(&mut leaked);
        std::thread::sleep(STEP);
    }
}
