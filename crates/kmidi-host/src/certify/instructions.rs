//! What a block costs in instructions, counted by valgrind's callgrind: the same on every run and under any load.

use std::ffi::OsString;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::bench::CERTIFIED_BLOCK;
use super::line::Line;
use super::parent::{Accused, CertifySettings, arguments};
use super::plan::{Phase, Plan};
use super::report::PhaseInstructions;
use crate::child::{Heard, Run};

/// The program.
pub const VALGRIND: &str = "valgrind";
/// Phases whose blocks are counted.
const COUNTED: [Phase; 3] = [Phase::WarmUp, Phase::Steady, Phase::Notes];
/// Under callgrind all is so much slower.
const SLOWER: u32 = 20;

/// Runs a plugin under callgrind, with nobody else watching; the instructions of its blocks, or in words why there are
/// none. `None` if that was stopped.
pub(super) fn count(
    plugin: &Accused,
    settings: &CertifySettings,
    stop: &AtomicBool,
) -> Option<Result<Vec<PhaseInstructions>, String>> {
    let folder = match tempfile::tempdir() {
        Ok(folder) => folder,
        Err(error) => return Some(Err(format!("no temporary folder: {error}"))),
    };
    let profile = folder.path().join("callgrind");
    let mut run = match Run::start(Path::new(VALGRIND), valgrind_arguments(plugin, settings, &profile)) {
        Ok(run) => run,
        Err(error) => return Some(Err(format!("{VALGRIND} cannot be started: {error}"))),
    };
    let mut phases = Vec::new();
    let limit = settings.limit.saturating_mul(SLOWER);
    loop {
        match run.next(limit, stop) {
            Heard::Line(Line::Done(report)) => phases.push((report.phase, report.blocks)),
            Heard::Line(Line::NotLoadable(why)) => return Some(Err(why)),
            Heard::Line(_) => {}
            Heard::Stopped => return None,
            Heard::Nonsense => return Some(Err("what came back is no answer".to_owned())),
            Heard::TooLong => return Some(Err(format!("did not come back within {} s", limit.as_secs()))),
            Heard::Ended(ended) if ended.signal.is_some() => return Some(Err(ended.text)),
            Heard::Ended(_) => break,
        }
    }
    let profile = std::fs::read_to_string(&profile).unwrap_or_default();
    Some(by_phase(&blocks_of(&profile), &phases))
}

fn valgrind_arguments(plugin: &Accused, settings: &CertifySettings, profile: &Path) -> Vec<OsString> {
    let mut out = OsString::from("--callgrind-out-file=");
    out.push(profile);
    // Whatever modules stand before its name.
    let block = |flag: &str| OsString::from(format!("{flag}=*{CERTIFIED_BLOCK}"));
    let own = ["--tool=callgrind".into(), "--combine-dumps=yes".into(), "--quiet".into(), out];
    let blocks = [block("--toggle-collect"), block("--dump-after"), settings.probe.clone().into_os_string()];
    let leave_out = Phase::ALL.into_iter().filter(|it| it.can_be_left_out() && !COUNTED.contains(it));
    let plan = Plan { leave_out: leave_out.collect(), ..settings.plan.clone() };
    let child = arguments(plugin, &plan).into_iter().chain(["--unwatched".into()]);
    own.into_iter().chain(blocks).chain(child).collect()
}

/// The instructions of each block, in their order: callgrind writes a part of its profile behind each.
fn blocks_of(profile: &str) -> Vec<u64> {
    let totals = profile.lines().filter_map(|line| line.strip_prefix("totals: "));
    let numbers = totals.filter_map(|numbers| numbers.split_whitespace().next()?.parse().ok());
    numbers.filter(|instructions| *instructions > 0).collect()
}

fn by_phase(blocks: &[u64], phases: &[(Phase, u32)]) -> Result<Vec<PhaseInstructions>, String> {
    let expected: usize = phases.iter().map(|(_, blocks)| *blocks as usize).sum();
    if blocks.len() != expected || expected == 0 {
        return Err(format!("callgrind saw {} blocks of {expected}", blocks.len()));
    }
    let mut rest = blocks;
    let mut counted = Vec::new();
    for (phase, length) in phases {
        let (own, behind) = rest.split_at(*length as usize);
        rest = behind;
        let Some((worst_block, worst)) = own.iter().copied().enumerate().max_by_key(|(_, it)| *it) else {
            continue;
        };
        let mut sorted = own.to_vec();
        sorted.sort_unstable();
        let median = sorted[sorted.len() / 2];
        counted.push(PhaseInstructions { phase: *phase, median, worst, worst_block: worst_block as u32 });
    }
    Ok(counted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_a_profile_is_a_block_of_the_phase_it_was_run_in() {
        let profile = "version: 1\nfn=(1)\ntotals: 10\n\ntotals: 30 4\ntotals: 20\ntotals: 0\ntotals: 7\n";
        let blocks = blocks_of(profile);
        assert_eq!(blocks, [10, 30, 20, 7]);
        let phases = [(Phase::Load, 0), (Phase::WarmUp, 3), (Phase::Steady, 1)];
        let expected = [
            PhaseInstructions { phase: Phase::WarmUp, median: 20, worst: 30, worst_block: 1 },
            PhaseInstructions { phase: Phase::Steady, median: 7, worst: 7, worst_block: 0 },
        ];
        assert_eq!(by_phase(&blocks, &phases).unwrap(), expected);
        // A probe without symbols, or a block that is missing.
        assert!(by_phase(&[], &phases).is_err() && by_phase(&blocks[..3], &phases).is_err());
    }
}
