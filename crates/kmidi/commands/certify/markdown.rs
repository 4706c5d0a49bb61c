//! The table over many plugins, for a page of documentation.

use std::fmt::Write;

use kmidi_session::certify::{Certificate, Grade, Outcome, Phase};

use super::text::{Text, in_short};

pub fn table(certificates: &[Certificate], level: &u8) -> Text {
    let mut out = String::new();
    let graded = |grade| certificates.iter().filter(|it| it.grade == grade).count();
    let ended = |outcome| certificates.iter().filter(|it| it.outcome == outcome).count();
    writeln!(
        out,
        "{} plugins at level {level}: {} green, {} amber, {} red, of which {} crashed and {} cannot be loaded.\n",
        certificates.len(),
        graded(Grade::Green),
        graded(Grade::Amber),
        graded(Grade::Red),
        ended(Outcome::Crashed),
        ended(Outcome::NotLoadable),
    )?;
    writeln!(out, "| plugin | id | grade | what for | MiB | median, worst block in µs |")?;
    writeln!(out, "|---|---|---|---|---|---|")?;
    for it in certificates {
        let reason = it.reasons.first().map_or(String::new(), in_short);
        let steady = it.phases.iter().find(|report| report.phase == Phase::Steady);
        let times = steady.and_then(|report| report.times).map_or(String::new(), |times| {
            format!("{:.0}, {:.0}", times.median_ns as f64 / 1e3, times.worst_ns as f64 / 1e3)
        });
        writeln!(
            out,
            "| {} | `{}` | {} | {} | {:.1} | {times} |",
            escaped(&it.name),
            it.id,
            it.grade.name(),
            escaped(&reason),
            it.resting_bytes() as f64 / f64::from(1 << 20),
        )?;
    }
    Ok(out)
}

/// Text that makes no cells of its own.
fn escaped(text: &str) -> String {
    let text: String = text.chars().filter(|it| !it.is_control()).collect();
    text.replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;").replace('`', "'")
}
