//! The table over many plugins, as a page of documentation.

use std::collections::BTreeMap;
use std::fmt::Write;

use kmidi_session::certify::{Certificate, Deed, Grade, Outcome, Phase, Reason, Violation};

use super::text::{Text, in_short};

/// The whole page.
pub fn page(certificates: &[Certificate], level: u8) -> Text {
    let mut out = String::new();
    writeln!(out, "# Plugins and the rules of the audio thread\n")?;
    writeln!(
        out,
        "Made by `kmidi certify --all --level {level} --markdown FILE`, not by hand. What the grades mean and what is tried at"
    )?;
    writeln!(
        out,
        "which level: `kmidi certify --help`. Times are without what the machine did meanwhile for others.\n"
    )?;
    out += &counts(certificates)?;
    out += &kinds(certificates)?;
    out += &table(certificates)?;
    Ok(out)
}

fn counts(certificates: &[Certificate]) -> Text {
    let mut out = String::new();
    writeln!(
        out,
        "| format | plugins | green | amber | red | of these crashed | cannot be loaded |\n|---|---|---|---|---|---|---|"
    )?;
    let mut formats: BTreeMap<_, Vec<&Certificate>> = BTreeMap::new();
    certificates.iter().for_each(|it| formats.entry(it.id.format.name()).or_default().push(it));
    for (name, all) in formats.into_iter().chain([("all", certificates.iter().collect())]) {
        let graded = |grade| all.iter().filter(|it| it.grade == grade).count();
        let ended = |outcome| all.iter().filter(|it| it.outcome == outcome).count();
        let (green, amber, red) = (graded(Grade::Green), graded(Grade::Amber), graded(Grade::Red));
        let (crashed, dead) = (ended(Outcome::Crashed), ended(Outcome::NotLoadable));
        writeln!(out, "| {name} | {} | {green} | {amber} | {red} | {crashed} | {dead} |", all.len())?;
    }
    Ok(out)
}

/// How many plugins broke which rule, in the warm-up alone or later.
fn kinds(certificates: &[Certificate]) -> Text {
    let mut out = String::new();
    let mut kinds: BTreeMap<Violation, (usize, usize)> = BTreeMap::new();
    for it in certificates {
        let mut of_one: BTreeMap<Violation, bool> = BTreeMap::new();
        let is_early =
            |reason: &Reason| reason.phase == Phase::WarmUp && matches!(reason.kind, Violation::Deed(_));
        it.reasons.iter().for_each(|reason| *of_one.entry(reason.kind).or_default() |= !is_early(reason));
        for (kind, is_late) in of_one {
            let (early, late) = kinds.entry(kind).or_default();
            *(if is_late { late } else { early }) += 1;
        }
    }
    writeln!(out, "\n| rule | plugins that broke it | and in their first 32 blocks alone |\n|---|---|---|")?;
    for (kind, (early, late)) in kinds {
        writeln!(out, "| {} | {late} | {early} |", words(kind))?;
    }
    Ok(out)
}

fn words(kind: Violation) -> &'static str {
    match kind {
        Violation::Deed(Deed::Allocation) => "allocates",
        Violation::Deed(Deed::Free) => "frees",
        Violation::Deed(Deed::Lock) => "locks",
        Violation::Deed(Deed::ContendedLock) => "locks what another holds",
        Violation::Deed(Deed::Wait) => "waits",
        Violation::Deed(Deed::Io) => "reads or writes",
        Violation::Deed(Deed::Mapping) => "maps memory",
        Violation::Deed(Deed::Thread) => "starts threads",
        Violation::Deed(Deed::Loading) => "loads libraries",
        Violation::Deed(Deed::SystemCall) => "other system calls",
        Violation::PageFaults => "touches pages that are not there",
        Violation::Waited => "was seen waiting",
        Violation::NotANumber => "output is not a number",
        Violation::Infinite => "output is infinite",
        Violation::OverLevel => "output over +24 dBFS",
        Violation::Denormal => "output has denormal numbers",
        Violation::ProcessFailed => "says that it failed",
        Violation::State => "is not as it was saved",
        Violation::Preset => "does not take its preset",
        Violation::Latency => "tells another latency than it has",
        Violation::Activation => "does not start anew",
        Violation::Crash => "crashes",
        Violation::Hang => "hangs",
        Violation::Exit => "ends the process",
        Violation::Nonsense => "writes what is no answer",
        Violation::NotLoadable => "cannot be loaded",
    }
}

fn table(certificates: &[Certificate]) -> Text {
    let mut out = String::new();
    writeln!(out, "\n| plugin | id | grade | what for | KiB at rest | median, worst block in µs |")?;
    writeln!(out, "|---|---|---|---|---|---|")?;
    for it in certificates {
        let reason = it.reasons.first().map_or(String::new(), in_short);
        let steady = it.phases.iter().find(|report| report.phase == Phase::Steady);
        let times = steady.and_then(|report| report.times).map_or(String::new(), |times| {
            format!("{:.1}, {:.0}", times.median_ns as f64 / 1e3, times.worst_ns as f64 / 1e3)
        });
        let (name, id, grade) = (escaped(&it.name), &it.id, it.grade.name());
        let bytes = it.resting_bytes() / 1024;
        writeln!(out, "| {name} | `{id}` | {grade} | {} | {bytes} | {times} |", escaped(&reason))?;
    }
    Ok(out)
}

/// Text that makes no cells of its own.
fn escaped(text: &str) -> String {
    let text: String = text.chars().filter(|it| !it.is_control()).collect();
    text.replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;").replace('`', "'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_plugin_calls_itself_stays_in_its_cell() {
        assert_eq!(escaped("a|b\n`c` <d>"), "a\\|b'c' &lt;d>");
    }
}
