//! `kmidi certify`: whether plugins keep the rules of the audio thread.

pub mod args;
mod html;
mod markdown;
pub mod text;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use anyhow::{Context, Result};
use kmidi_session::certify::{
    self, Certificate, Certified, CertifyError, CertifyProgress, CertifyRequest, Grade, Level, Outcome, Which,
};
use serde::Serialize;

use self::args::Certify;
use super::progress_bar;
use crate::exit::{Interrupted, Unreadable, on_signals};
use crate::output::{print, print_json, write_whole};

pub fn run(args: Certify) -> Result<ExitCode> {
    let request = CertifyRequest {
        which: match args.plugin {
            Some(plugin) => Which::One(plugin),
            None => Which::All(args.format.map(Into::into)),
        },
        level: Level::new(args.level),
        seed: args.seed,
        fresh: args.fresh,
        limit: args.timeout,
        instructions: args.instructions,
    };
    // Minutes later would be late.
    if let Some(folder) = &args.html {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("--html {}: this can be no folder", folder.display()))?;
    }
    let stop = Arc::new(AtomicBool::new(false));
    let told = stop.clone();
    on_signals(move || told.store(true, Relaxed))?;
    let bar = progress_bar();
    let certified = certify::certify(&request, &stop, |CertifyProgress { done, total, name }| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
        bar.set_message(name);
    });
    bar.finish_and_clear();
    let certified = certified.map_err(error)?;
    if let Some(folder) = &args.html {
        html::write(folder, &certified.certificates)
            .with_context(|| format!("{} cannot be written", folder.display()))?;
        // Of what was not tried this time the pages stay.
        if !certified.is_cut_short {
            html::remove_others(folder, &certified.certificates)
                .with_context(|| format!("{}: old pages cannot be removed", folder.display()))?;
        }
    }
    if let Some(file) = &args.markdown {
        let text = markdown::page(&certified.certificates, args.level)?;
        write_whole(file, text.as_bytes())
            .with_context(|| format!("{} cannot be written", file.display()))?;
    }
    if args.json {
        print_json(&Report::of(&certified, args.level, args.seed))?;
    } else {
        print(text::all(&certified.certificates)?.as_bytes())?;
    }
    if certified.is_cut_short {
        return Err(Interrupted.into());
    }
    Ok(ExitCode::from(exit_code(&certified.certificates)))
}

fn error(error: CertifyError) -> anyhow::Error {
    match error {
        CertifyError::Find(_)
        | CertifyError::None
        | CertifyError::NoPlugin { .. }
        | CertifyError::NoFile { .. } => Unreadable(error.into()).into(),
        CertifyError::Scan(_) | CertifyError::Archive(_) | CertifyError::NoValgrind => error.into(),
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    level: u8,
    seed: u64,
    green: usize,
    amber: usize,
    red: usize,
    crashed: usize,
    not_loadable: usize,
    /// How many were not tried, for they had a certificate.
    known: usize,
    plugins: &'a [Certificate],
}

impl<'a> Report<'a> {
    fn of(certified: &'a Certified, level: u8, seed: u64) -> Self {
        let all = &certified.certificates;
        let graded = |grade| all.iter().filter(|it| it.grade == grade).count();
        let ended = |outcome| all.iter().filter(|it| it.outcome == outcome).count();
        Report {
            level,
            seed,
            green: graded(Grade::Green),
            amber: graded(Grade::Amber),
            red: graded(Grade::Red),
            crashed: ended(Outcome::Crashed),
            not_loadable: ended(Outcome::NotLoadable),
            known: certified.known,
            plugins: all,
        }
    }
}

/// The worst that happened.
fn exit_code(certificates: &[Certificate]) -> u8 {
    let has = |outcome| certificates.iter().any(|it| it.outcome == outcome);
    let codes = [(Outcome::Crashed, 2), (Outcome::Violations, 1), (Outcome::NotLoadable, 3)];
    codes.into_iter().find(|(outcome, _)| has(*outcome)).map_or(0, |(_, code)| code)
}
