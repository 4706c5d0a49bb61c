use std::process::ExitCode;

use anyhow::Result;
use kmidi_session::doctor::{self, Check};
use serde::Serialize;

use crate::cli::Doctor;
use crate::output::{print, print_json};

#[derive(Serialize)]
struct Report {
    ok: bool,
    checks: Vec<Check>,
}

/// Prints what was looked at; exit code 1 where there is something to mend.
pub fn run(args: Doctor) -> Result<ExitCode> {
    let checks = doctor::check_all(&args.sf.fonts);
    let report = Report { ok: checks.iter().all(|check| check.ok), checks };
    if args.json {
        print_json(&report)?;
    } else {
        print(text(&report).as_bytes())?;
    }
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn text(report: &Report) -> String {
    let mut text = String::new();
    for check in &report.checks {
        let sign = if check.ok { "ok  " } else { "BAD " };
        text += &format!("{sign} {}: {}\n", check.name, check.found);
    }
    let mends: Vec<_> = report.checks.iter().filter_map(|check| check.mend.as_deref()).collect();
    if !mends.is_empty() {
        text += "\nTo mend it, in this order:\n";
        for (n, mend) in mends.iter().enumerate() {
            text += &format!("  {}. {mend}\n", n + 1);
        }
    }
    text
}
