//! From blocks to a report: what is counted, what the samples are, how long it took, what comes back.

use std::collections::BTreeMap;

use kmidi_core::limits::GUARD_LEVEL;

use super::bench::{Bench, BlockResult};
use super::plan::Phase;
use super::report::{Burst, PhaseReport, Times};
use super::tally::{Deed, Site, Tally};

/// Sites that a phase keeps; the others are counted.
const MAX_SITES: usize = 64;
/// A block is long that takes so many times the median, and so much more.
const LONG_RATIO: u64 = 3;
const LONG_NS: u64 = 20_000;
/// So many times something must come back to be periodic.
const MIN_RETURNS: usize = 4;
/// Blocks that are remembered for that.
const MAX_REMEMBERED: usize = 100_000;

/// A phase on its way.
pub(super) struct Measure {
    report: PhaseReport,
    times_ns: Vec<u64>,
    deed_blocks: Vec<u32>,
    /// From this block on it is the end.
    end: u32,
    /// Sum and number of samples of each channel there.
    sums: Vec<(f64, u64)>,
}

impl Measure {
    pub fn new(phase: Phase, blocks: u32) -> Self {
        Measure {
            report: PhaseReport::new(phase),
            times_ns: Vec::with_capacity((blocks as usize).min(MAX_REMEMBERED)),
            deed_blocks: Vec::new(),
            end: blocks - blocks / 10,
            sums: Vec::new(),
        }
    }

    /// Notes a block.
    pub fn add(&mut self, bench: &Bench, result: BlockResult) {
        let block = self.report.blocks;
        self.report.blocks += 1;
        self.report.block_frames = self.report.block_frames.max(bench.frames);
        self.samples(bench, block);
        if self.times_ns.len() < MAX_REMEMBERED {
            self.times_ns.push(result.time_ns);
        }
        let tally = &result.tally;
        let is_busy = tally.sites.iter().any(is_held_against) || tally.unplaced > 0;
        if is_busy && self.deed_blocks.len() < MAX_REMEMBERED {
            self.deed_blocks.push(block);
        }
        self.report.fault_blocks.add(tally.minor_faults + tally.major_faults, block);
        self.report.switch_blocks.add(tally.voluntary_switches, block);
        add_tally(&mut self.report, result.tally, block);
    }

    fn samples(&mut self, bench: &Bench, block: u32) {
        let sound = &mut self.report.sound;
        let (mut nan, mut infinite, mut denormal, mut over) = (0, 0, 0, 0);
        let mut peak = 0.0f32;
        for (at, channel) in bench.outputs().enumerate() {
            for sample in channel {
                match sample.classify() {
                    std::num::FpCategory::Nan => nan += 1,
                    std::num::FpCategory::Infinite => infinite += 1,
                    std::num::FpCategory::Subnormal => denormal += 1,
                    _ => {
                        over += u64::from(sample.abs() > GUARD_LEVEL);
                        peak = peak.max(sample.abs());
                    }
                }
            }
            if block >= self.end {
                self.sums.resize(self.sums.len().max(at + 1), (0.0, 0));
                let sum = channel.iter().filter(|it| it.is_finite()).map(|it| f64::from(*it)).sum::<f64>();
                self.sums[at].0 += sum;
                self.sums[at].1 += channel.len() as u64;
            }
        }
        sound.not_a_number.add(nan, block);
        sound.infinite.add(infinite, block);
        sound.denormal.add(denormal, block);
        sound.over_level.add(over, block);
        sound.peak = sound.peak.max(peak);
        if block >= self.end {
            sound.end_peak = sound.end_peak.max(peak);
        }
        sound.events_out += bench.events_sent() as u64;
    }

    /// What it all comes to.
    pub fn finish(mut self) -> PhaseReport {
        let means = self.sums.iter().filter(|it| it.1 > 0).map(|(sum, count)| (sum / *count as f64) as f32);
        let farthest = |far: f32, mean: f32| if mean.abs() > far.abs() { mean } else { far };
        self.report.sound.end_dc = means.fold(0.0, farthest);
        self.report.times = times(&self.times_ns);
        if let Some(times) = self.report.times {
            let is_long = |ns: &u64| *ns > times.median_ns * LONG_RATIO && *ns > times.median_ns + LONG_NS;
            let numbered = self.times_ns.iter().enumerate();
            let long: Vec<u32> = numbered.filter(|(_, ns)| is_long(ns)).map(|(at, _)| at as u32).collect();
            self.report.bursts.extend(burst(&long, false));
        }
        self.report.bursts.extend(burst(&self.deed_blocks, true));
        self.report
    }
}

/// A lock that was asked for, and would not have been waited for, is how an audio thread should take one.
pub(super) fn is_held_against(site: &Site) -> bool {
    site.deed != Deed::Lock || !site.call.contains("_try")
}

/// Adds what was counted in a block, or in a call, to a report.
pub(super) fn add_tally(report: &mut PhaseReport, tally: Tally, block: u32) {
    let mut deeds = BTreeMap::<Deed, u64>::new();
    tally
        .sites
        .iter()
        .filter(|it| is_held_against(it))
        .for_each(|site| *deeds.entry(site.deed).or_default() += site.count);
    deeds.iter().for_each(|(deed, count)| report.deeds.entry(*deed).or_default().add(*count, block));
    let Tally { sites, unplaced, live_bytes, minor_faults, major_faults, voluntary_switches } = tally;
    let all = &mut report.tally;
    all.live_bytes += live_bytes;
    all.unplaced += unplaced;
    all.minor_faults += minor_faults;
    all.major_faults += major_faults;
    all.voluntary_switches += voluntary_switches;
    for site in sites {
        let same = |known: &&mut Site| {
            (known.deed, &known.call, &known.stack) == (site.deed, &site.call, &site.stack)
        };
        if let Some(known) = all.sites.iter_mut().find(same) {
            known.count += site.count;
            known.bytes += site.bytes;
        } else if all.sites.len() < MAX_SITES {
            all.sites.push(site);
        } else {
            all.unplaced += site.count;
        }
    }
    all.sites.sort_by_key(|site| std::cmp::Reverse(site.count));
}

fn times(times_ns: &[u64]) -> Option<Times> {
    let worst = times_ns.iter().enumerate().max_by_key(|(_, ns)| **ns)?;
    let mut sorted = times_ns.to_vec();
    sorted.sort_unstable();
    let at = |percent: usize| sorted[(sorted.len() - 1) * percent / 100];
    Some(Times {
        median_ns: at(50),
        spread_ns: at(75) - at(25),
        p99_ns: at(99),
        worst_ns: *worst.1,
        worst_block: worst.0 as u32,
    })
}

/// Whether most of these blocks lie equally far apart, and not side by side.
fn burst(blocks: &[u32], deeds: bool) -> Option<Burst> {
    let gaps: Vec<u32> = blocks.windows(2).map(|pair| pair[1] - pair[0]).collect();
    if gaps.len() < MIN_RETURNS {
        return None;
    }
    let mut sorted = gaps.clone();
    sorted.sort_unstable();
    let usual = sorted[sorted.len() / 2];
    // A period that is no whole number of blocks comes a block earlier or later.
    let regular = gaps.iter().filter(|gap| gap.abs_diff(usual) <= u32::from(usual > 8)).count();
    let is_periodic = usual > 1 && regular * 4 >= gaps.len() * 3;
    is_periodic.then_some(Burst { deeds, every_blocks: usual, count: blocks.len() as u32 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certify::Count;

    #[test]
    fn what_comes_back_is_told_from_what_comes_now_and_then() {
        let every = |n: u32| (0..20).map(|k| k * n).collect::<Vec<_>>();
        assert_eq!(burst(&every(16), true), Some(Burst { deeds: true, every_blocks: 16, count: 20 }));
        assert_eq!(burst(&every(1), true), None, "each block");
        assert_eq!(burst(&[3, 19, 300, 301, 702, 733, 900], false), None);
        assert_eq!(burst(&every(7)[..4], false), None, "too few");
        let uneven: Vec<_> = (0..20u32).map(|k| (f64::from(k) * 93.75) as u32).collect();
        assert_eq!(burst(&uneven, false).unwrap().every_blocks, 94);
    }

    #[test]
    fn times_are_of_the_blocks_that_took_them() {
        let mut blocks = vec![100; 99];
        blocks.push(5000);
        let times = times(&blocks).unwrap();
        assert_eq!((times.median_ns, times.worst_ns, times.worst_block), (100, 5000, 99));
        assert_eq!(super::times(&[]), None);
    }

    #[test]
    fn the_same_deed_at_the_same_place_is_one_and_what_has_no_room_is_counted() {
        let mut report = PhaseReport::new(Phase::Steady);
        let site = |n: usize| Site {
            deed: Deed::Free,
            call: "free".into(),
            count: 2,
            bytes: 3,
            stack: vec![format!("f{n}")],
        };
        for block in 3..5 {
            let sites = (0..MAX_SITES + 5).map(site).collect();
            add_tally(&mut report, Tally { sites, live_bytes: 7, ..Tally::default() }, block);
        }
        assert_eq!(report.tally.sites.len(), MAX_SITES);
        assert!(report.tally.sites.iter().all(|site| (site.count, site.bytes) == (4, 6)));
        assert_eq!((report.tally.unplaced, report.tally.live_bytes), (20, 14));
        let count = Count { count: 4 * (MAX_SITES as u64 + 5), first_block: Some(3), blocks: 2 };
        assert_eq!(report.deeds[&Deed::Free], count);
        let lock = |call: &str| Site { deed: Deed::Lock, call: call.into(), ..site(0) };
        let sites = vec![lock("pthread_mutex_trylock"), lock("pthread_mutex_lock")];
        add_tally(&mut report, Tally { sites, ..Tally::default() }, 0);
        assert_eq!(report.deeds[&Deed::Lock].count, 2, "one of them is no fault");
    }
}
