//! `certify FORMAT FILE ID [--level N] [--seed N] [--leave-out PHASE]... [--unwatched]`: one plugin through all its phases.

use std::ffi::OsString;
use std::fs::File;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail};
use kmidi_host::Format;
use kmidi_host::certify::{Held, Level, Plan, Tally, Watch, certify_for_parent};

use crate::watch::Hooks;

pub fn run(
    format: Format,
    path: PathBuf,
    rest: &mut dyn Iterator<Item = OsString>,
    out: &mut File,
) -> Result<()> {
    let id = super::plugin_id(&rest.next().context("an id is missing")?)?;
    if id.format != format {
        bail!("{id} is of another format than {format}");
    }
    let mut plan = Plan { level: Level::new(5), seed: 1, leave_out: Vec::new() };
    let mut watch: Box<dyn Watch + Send> = Box::new(Hooks::new());
    while let Some(flag) = rest.next() {
        if flag == "--unwatched" {
            watch = Box::new(Unwatched);
            continue;
        }
        let value = rest.next().and_then(|value| value.into_string().ok()).context("a value is missing")?;
        match flag.to_str() {
            Some("--level") => plan.level = Level::new(value.parse()?),
            Some("--seed") => plan.seed = value.parse()?,
            Some("--leave-out") => {
                let phase = value.parse().map_err(|()| anyhow!("there is no phase {value}"))?;
                plan.leave_out.push(phase);
            }
            _ => bail!("{} is no flag", flag.display()),
        }
    }
    certify_for_parent(&path, &id, &plan, watch, out)?;
    Ok(())
}

/// Nobody looks: what is counted from outside is the plugin's alone.
struct Unwatched;

impl Watch for Unwatched {
    fn begin(&mut self, _trap_system_calls: bool) {}

    fn end(&mut self) -> Tally {
        Tally::default()
    }

    fn held(&mut self) -> Held {
        Held::default()
    }

    fn sees_system_calls(&self) -> bool {
        false
    }
}
