//! From what the phases found to a grade and its reasons.

use super::measure::is_held_against;
use super::plan::Phase;
use super::report::{Count, Grade, Outcome, PhaseReport, Reason, Violation};
use super::tally::Deed;

/// Memory that is touched for the first time is missing once, and can be touched before anybody listens: only where that
/// goes on in one of so many blocks of a phase is it the plugin's way.
const FIRST_TOUCHES: u32 = 4;

/// Blocks in which pages may be missing or the thread may wait without a deed that says why: the system does such things
/// now and then to any program.
const CHANCE_BLOCKS: u32 = 2;

/// How a child ended that did not come to the end of its phases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    pub phase: Phase,
    pub kind: Violation,
    pub text: String,
}

impl Ending {
    fn reason(&self) -> Reason {
        Reason {
            phase: self.phase,
            kind: self.kind,
            count: 1,
            blocks: 0,
            first_block: None,
            text: self.text.clone(),
            call: String::new(),
            stack: Vec::new(),
        }
    }
}

/// The grade, how it all ended, and the reasons, the worst first.
pub(super) fn grade(phases: &[PhaseReport], endings: &[Ending]) -> (Grade, Outcome, Vec<Reason>) {
    let mut red: Vec<Reason> = endings.iter().map(Ending::reason).collect();
    red.extend(phases.iter().flat_map(failures));
    red.extend(phases.iter().filter(|it| it.phase.is_real_time()).flat_map(deeds));
    let by_the_system = phases.iter().filter(|it| it.phase.is_real_time()).flat_map(by_the_system);
    let (first_touches, worse): (Vec<_>, Vec<_>) =
        by_the_system.partition(|reason| is_first_touch(reason, phases));
    red.extend(worse);
    red.extend(phases.iter().flat_map(sound));
    let mut early: Vec<_> = phases.iter().filter(|it| it.phase == Phase::WarmUp).flat_map(deeds).collect();
    early.extend(first_touches);
    let outcome = match endings.first().map(|ending| ending.kind) {
        Some(Violation::NotLoadable) => Outcome::NotLoadable,
        Some(_) => Outcome::Crashed,
        None if red.is_empty() => Outcome::Passed,
        None => Outcome::Violations,
    };
    let grade = match (red.is_empty(), early.is_empty()) {
        (false, _) => Grade::Red,
        (true, false) => Grade::Amber,
        (true, true) => Grade::Green,
    };
    red.extend(early);
    (grade, outcome, red)
}

fn failures(report: &PhaseReport) -> Vec<Reason> {
    let reason = |failure: &super::report::Failure| Reason {
        phase: report.phase,
        kind: failure.kind,
        count: 1,
        blocks: 0,
        first_block: None,
        text: failure.text.clone(),
        call: String::new(),
        stack: Vec::new(),
    };
    report.failures.iter().map(reason).collect()
}

/// One reason for each kind of deed, with the stack of the most frequent.
fn deeds(report: &PhaseReport) -> Vec<Reason> {
    let of_kind = |(deed, count): (&Deed, &Count)| {
        let (deed, Count { count, blocks, first_block }) = (*deed, *count);
        let site = report.tally.sites.iter().find(|site| site.deed == deed && is_held_against(site));
        let (call, stack) = site.map(|site| (site.call.clone(), site.stack.clone())).unwrap_or_default();
        Reason {
            phase: report.phase,
            kind: Violation::Deed(deed),
            count,
            blocks,
            first_block,
            text: format!("{count} {} in {}", deed.words(count), in_blocks(report, blocks, first_block)),
            call,
            stack,
        }
    };
    report.deeds.iter().map(of_kind).collect()
}

/// What the system counted.
fn by_the_system(report: &PhaseReport) -> Vec<Reason> {
    let faults = report.tally.minor_faults + report.tally.major_faults;
    let found = [
        (Violation::PageFaults, report.fault_blocks, faults, "pages were missing"),
        (Violation::Waited, report.switch_blocks, report.tally.voluntary_switches, "waits of the thread"),
    ];
    let reason = |(kind, count, total, what): (Violation, Count, u64, &str)| {
        let where_ = in_blocks(report, count.blocks, count.first_block);
        (count.blocks > CHANCE_BLOCKS)
            .then(|| counted(report, kind, count, format!("{total} {what} in {where_}")))
    };
    found.into_iter().filter_map(reason).collect()
}

fn is_first_touch(reason: &Reason, phases: &[PhaseReport]) -> bool {
    let blocks = phases.iter().find(|it| it.phase == reason.phase).map_or(0, |it| it.blocks);
    reason.kind == Violation::PageFaults && reason.blocks <= blocks / FIRST_TOUCHES
}

/// What is wrong with the samples. A sweep may make things loud: that is what it asks for.
fn sound(report: &PhaseReport) -> Vec<Reason> {
    let sound = &report.sound;
    let is_set_anyhow =
        matches!(report.phase, Phase::Sweep | Phase::OddSizes | Phase::State | Phase::Presets);
    let over = if is_set_anyhow { Count::default() } else { sound.over_level };
    let found = [
        (Violation::NotANumber, sound.not_a_number, "samples that are not a number"),
        (Violation::Infinite, sound.infinite, "infinite samples"),
        (Violation::OverLevel, over, "samples over +24 dBFS"),
        (Violation::Denormal, sound.denormal, "denormal samples"),
    ];
    let reason = |(kind, count, what): (Violation, Count, &str)| {
        let where_ = in_blocks(report, count.blocks, count.first_block);
        (count.count > 0).then(|| counted(report, kind, count, format!("{} {what} in {where_}", count.count)))
    };
    found.into_iter().filter_map(reason).collect()
}

fn counted(report: &PhaseReport, kind: Violation, count: Count, text: String) -> Reason {
    let Count { count, blocks, first_block } = count;
    Reason {
        phase: report.phase,
        kind,
        count,
        blocks,
        first_block,
        text,
        call: String::new(),
        stack: Vec::new(),
    }
}

fn in_blocks(report: &PhaseReport, blocks: u32, first: Option<u32>) -> String {
    let first = first.map_or(String::new(), |first| format!(", first in block {first}"));
    format!("{blocks} of {} blocks{first}", report.blocks)
}

impl Deed {
    /// What so many of them are called.
    pub fn words(self, count: u64) -> &'static str {
        let (one, many) = match self {
            Deed::Allocation => ("allocation", "allocations"),
            Deed::Free => ("free", "frees"),
            Deed::Lock => ("lock", "locks"),
            Deed::ContendedLock => ("contended lock", "contended locks"),
            Deed::Wait => ("wait", "waits"),
            Deed::Io => ("input or output", "inputs and outputs"),
            Deed::Mapping => ("change of the address space", "changes of the address space"),
            Deed::Thread => ("thread or process started", "threads or processes started"),
            Deed::Loading => ("library looked into", "libraries looked into"),
            Deed::SystemCall => ("system call", "system calls"),
        };
        if count == 1 { one } else { many }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certify::Site;

    fn with_deed(phase: Phase) -> PhaseReport {
        let mut report = PhaseReport::new(phase);
        report.blocks = 100;
        report.deeds.insert(Deed::Allocation, Count { count: 3, first_block: Some(7), blocks: 1 });
        let (call, stack) = ("malloc".into(), vec!["grow x.so+0x1".into()]);
        let site = Site { deed: Deed::Allocation, call, count: 3, bytes: 9, stack };
        report.tally.sites.push(site);
        report
    }

    #[test]
    fn the_same_deed_is_amber_in_the_warm_up_red_later_and_nothing_while_loading() {
        for (phase, wanted) in [
            (Phase::Load, Grade::Green),
            (Phase::WarmUp, Grade::Amber),
            (Phase::Steady, Grade::Red),
            (Phase::OddSizes, Grade::Red),
            (Phase::State, Grade::Green),
        ] {
            let (grade, _, reasons) = grade(&[with_deed(phase)], &[]);
            assert_eq!(grade, wanted, "{phase}");
            assert_eq!(reasons.is_empty(), wanted == Grade::Green);
            for reason in reasons {
                assert_eq!((reason.call.as_str(), reason.stack.len()), ("malloc", 1));
                assert_eq!(reason.text, "3 allocations in 1 of 100 blocks, first in block 7");
            }
        }
    }

    #[test]
    fn loudness_is_held_against_who_was_not_asked_for_it_and_no_number_against_anyone() {
        let mut report = PhaseReport::new(Phase::Sweep);
        report.sound.over_level.add(1, 0);
        assert_eq!(grade(&[report.clone()], &[]).0, Grade::Green);
        report.phase = Phase::WarmUp;
        assert_eq!(grade(&[report], &[]).0, Grade::Red);
        let mut report = PhaseReport::new(Phase::Sweep);
        report.sound.not_a_number.add(1, 4);
        let (grade, outcome, reasons) = grade(&[report], &[]);
        assert_eq!((grade, outcome, reasons[0].first_block), (Grade::Red, Outcome::Violations, Some(4)));
    }

    #[test]
    fn what_the_system_does_to_anybody_is_no_fault_and_more_of_it_is() {
        let faults = |blocks: u32| {
            let mut report = PhaseReport::new(Phase::Steady);
            report.blocks = 100;
            (0..blocks).for_each(|block| report.fault_blocks.add(1, block));
            grade(&[report], &[]).0
        };
        assert_eq!(faults(CHANCE_BLOCKS), Grade::Green);
        assert_eq!([faults(CHANCE_BLOCKS + 1), faults(25)], [Grade::Amber; 2], "memory that is new");
        assert_eq!(faults(26), Grade::Red);
        let mut report = PhaseReport::new(Phase::Steady);
        (0..=CHANCE_BLOCKS).for_each(|block| report.switch_blocks.add(1, block));
        assert_eq!(grade(&[report], &[]).0, Grade::Red);
    }

    #[test]
    fn a_crash_comes_first_and_one_that_does_not_load_has_not_crashed() {
        let ending = |kind| Ending { phase: Phase::Steady, kind, text: "x".into() };
        let (grade_, outcome, reasons) = grade(&[with_deed(Phase::Steady)], &[ending(Violation::Crash)]);
        assert_eq!((grade_, outcome, reasons[0].kind), (Grade::Red, Outcome::Crashed, Violation::Crash));
        assert_eq!(reasons.len(), 2);
        assert_eq!(grade(&[], &[ending(Violation::NotLoadable)]).1, Outcome::NotLoadable);
    }
}
