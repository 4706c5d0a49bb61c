//! What `kmidi certify` prints for people.

use std::fmt::Write;

use kmidi_session::certify::{Burst, Certificate, Grade, Outcome, PhaseInstructions, PhaseReport, Reason};

pub type Text = Result<String, std::fmt::Error>;

/// Reasons of a plugin that are printed.
const MAX_REASONS: usize = 12;
/// Calls of a stack that are printed.
const MAX_CALLS: usize = 6;

pub fn all(certificates: &[Certificate]) -> Text {
    if let [one] = certificates {
        return whole(one);
    }
    let mut out = String::new();
    let width = certificates.iter().map(|it| it.name.chars().count()).max().unwrap_or(0).min(40);
    for it in certificates {
        let reason = it.reasons.first().map_or(String::new(), |reason| format!("  {}", in_short(reason)));
        writeln!(out, "{:<5}  {:width$}  {}{reason}", it.grade.name(), it.name, it.id)?;
    }
    let graded = |grade| certificates.iter().filter(|it| it.grade == grade).count();
    let ended = |outcome| certificates.iter().filter(|it| it.outcome == outcome).count();
    writeln!(
        out,
        "{} plugins: {} green, {} amber, {} red ({} of them crashed, {} cannot be loaded)",
        certificates.len(),
        graded(Grade::Green),
        graded(Grade::Amber),
        graded(Grade::Red),
        ended(Outcome::Crashed),
        ended(Outcome::NotLoadable),
    )?;
    Ok(out)
}

/// What was called, and from where.
pub fn stack<'a>(call: &'a str, calls: &'a [String]) -> Vec<&'a str> {
    let call = (!call.is_empty()).then_some(call);
    call.into_iter().chain(calls.iter().map(String::as_str)).collect()
}

/// A reason in one line.
pub fn in_short(reason: &Reason) -> String {
    format!("{}: {}", reason.phase, reason.text)
}

/// One plugin with all that was found.
fn whole(certificate: &Certificate) -> Text {
    let mut out = String::new();
    let Certificate { name, id, level, seed, .. } = certificate;
    writeln!(out, "{name} ({id}): {} at level {level}, seed {seed}", certificate.grade.name())?;
    for reason in certificate.reasons.iter().take(MAX_REASONS) {
        writeln!(out, "  {}", in_short(reason))?;
        for call in stack(&reason.call, &reason.stack).iter().take(MAX_CALLS) {
            writeln!(out, "      {call}")?;
        }
    }
    if certificate.reasons.len() > MAX_REASONS {
        writeln!(out, "  and {} more (--json has all)", certificate.reasons.len() - MAX_REASONS)?;
    }
    out += &phases(certificate)?;
    for line in instructions(certificate) {
        writeln!(out, "  {line}")?;
    }
    if !certificate.sees_system_calls {
        writeln!(out, "  system calls that go past the C library are not seen on this machine")?;
    }
    Ok(out)
}

/// What each phase found, in a table.
pub fn phases(certificate: &Certificate) -> Text {
    let mut out = String::new();
    writeln!(
        out,
        "  {:<13} {:>6}  {:>6} {:>6} {:>6}  {:>11}  {:>9} {:>9}  {:>7}",
        "phase", "blocks", "deeds", "faults", "waits", "KiB held", "median us", "worst us", "peak dB"
    )?;
    for report in &certificate.phases {
        let deeds = deeds(report);
        let faults = report.tally.minor_faults + report.tally.major_faults;
        let us = |ns: u64| format!("{:.1}", ns as f64 / 1000.0);
        let (median, worst) =
            report.times.map_or((String::new(), String::new()), |it| (us(it.median_ns), us(it.worst_ns)));
        let row = format!(
            "  {:<13} {:>6}  {deeds:>6} {faults:>6} {:>6}  {:>11}  {median:>9} {worst:>9}  {:>7}",
            report.phase,
            report.blocks,
            report.tally.voluntary_switches,
            report.held.live_bytes / 1024,
            peak(report),
        );
        writeln!(out, "{}", row.trim_end())?;
        for line in remarks(report) {
            writeln!(out, "      {line}")?;
        }
    }
    Ok(out)
}

/// What blocks cost, and what is worth knowing of all phases.
pub fn instructions(certificate: &Certificate) -> Vec<String> {
    let line = |it: &PhaseInstructions| {
        let PhaseInstructions { phase, median, worst, worst_block } = it;
        format!("{phase}: {median} instructions a block, {worst} at most (block {worst_block})")
    };
    certificate.instructions.iter().map(line).chain(certificate.notes.iter().cloned()).collect()
}

/// How much was done that must not be done while somebody listens.
pub fn deeds(report: &PhaseReport) -> u64 {
    report.deeds.values().map(|count| count.count).sum::<u64>() + report.tally.unplaced
}

fn peak(report: &PhaseReport) -> String {
    match report.blocks {
        0 => String::new(),
        _ if report.sound.peak == 0.0 => "-inf".to_owned(),
        _ => format!("{:.1}", 20.0 * report.sound.peak.log10()),
    }
}

/// What is worth knowing of a phase.
pub fn remarks(report: &PhaseReport) -> Vec<String> {
    let burst = |it: &Burst| {
        let what = if it.deeds { "something is done" } else { "a block takes long" };
        format!("{what} every {} blocks, {} times", it.every_blocks, it.count)
    };
    report.bursts.iter().map(burst).chain(report.notes.iter().cloned()).collect()
}
