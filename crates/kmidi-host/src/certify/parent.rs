//! The parent's side: a child process for a plugin, and what it tells put together.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crossbeam_channel::unbounded;

use super::grade::{self, Ending};
use super::instructions;
use super::line::Line;
use super::plan::{Phase, Plan};
use super::report::{Certificate, Outcome, PhaseReport, Violation};
use crate::PluginId;
use crate::child::{Heard, Run};
use crate::scan::{PROBE, Stamp};

/// How to certify.
#[derive(Clone, Debug)]
pub struct CertifySettings {
    /// The `kmidi-probe` program.
    pub probe: PathBuf,
    /// Plugins at a time.
    pub workers: usize,
    /// How long a plugin may be silent before it is given up.
    pub limit: Duration,
    /// What it is run through.
    pub plan: Plan,
    /// Whether the instructions of its blocks are counted too, which takes long and needs [`VALGRIND`](super::VALGRIND).
    pub instructions: bool,
}

/// A plugin to be tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accused {
    /// Which plugin.
    pub id: PluginId,
    /// Name shown to people.
    pub name: String,
    /// Who made it; may be empty.
    pub vendor: String,
    /// Its file or bundle.
    pub path: PathBuf,
    /// The hash of that.
    pub sha256: String,
}

/// Tries plugins side by side; each is told of when it is done. `stop` ends it early.
pub fn certify_all(
    plugins: &[Accused],
    settings: &CertifySettings,
    stop: &AtomicBool,
    mut done: impl FnMut(Certificate),
) {
    let next = AtomicUsize::new(0);
    let (results, received) = unbounded();
    std::thread::scope(|scope| {
        for _ in 0..settings.workers.min(plugins.len()) {
            let (results, next) = (results.clone(), &next);
            scope.spawn(move || {
                while !stop.load(Relaxed)
                    && let Some(plugin) = plugins.get(next.fetch_add(1, Relaxed))
                    && let Some(certificate) = certify(plugin, settings, stop)
                {
                    let _ = results.send(certificate);
                }
            });
        }
        drop(results);
        received.into_iter().for_each(&mut done);
    });
}

/// Tries a plugin; `None` if that was stopped. A phase that ends the process, and that the others can do without, is left
/// out in a second child.
pub fn certify(plugin: &Accused, settings: &CertifySettings, stop: &AtomicBool) -> Option<Certificate> {
    let start = Instant::now();
    let mut endings: Vec<Ending> = Vec::new();
    let mut found;
    loop {
        let mut plan = settings.plan.clone();
        plan.leave_out.extend(endings.iter().map(|ending| ending.phase));
        found = Found::default();
        match follow(plugin, settings, &plan, &mut found, stop) {
            End::Whole => break,
            End::Stopped => return None,
            End::Died(ending) => {
                let goes_on = ending.phase.can_be_left_out()
                    && ending.kind != Violation::NotLoadable
                    && !endings.iter().any(|before| before.phase == ending.phase);
                endings.push(ending);
                if !goes_on {
                    break;
                }
            }
        }
    }
    let (grade, outcome, reasons) = grade::grade(&found.phases, &endings);
    let (mut phase_instructions, mut notes) = (Vec::new(), Vec::new());
    // One that crashes would do it there too.
    if settings.instructions && matches!(outcome, Outcome::Passed | Outcome::Violations) {
        match instructions::count(plugin, settings, stop)? {
            Ok(counted) => phase_instructions = counted,
            Err(why) => notes.push(format!("instructions are not counted: {why}")),
        }
    }
    let Accused { id, name, vendor, path, sha256 } = plugin.clone();
    Some(Certificate {
        id,
        name,
        vendor,
        path,
        sha256,
        level: settings.plan.level.number(),
        seed: settings.plan.seed,
        sees_system_calls: found.sees_system_calls,
        grade,
        outcome,
        reasons,
        phases: found.phases,
        instructions: phase_instructions,
        notes,
        took_ms: start.elapsed().as_millis() as u64,
    })
}

/// What a child told.
#[derive(Default)]
struct Found {
    phases: Vec<PhaseReport>,
    sees_system_calls: bool,
}

/// How a child ended.
enum End {
    Whole,
    Stopped,
    Died(Ending),
}

pub(super) fn arguments(plugin: &Accused, plan: &Plan) -> Vec<OsString> {
    let start = ["certify".into(), plugin.id.format.name().into(), plugin.path.clone().into_os_string()];
    let (level, seed) = (plan.level.number().to_string(), plan.seed.to_string());
    let rest = [plugin.id.to_string(), "--level".to_owned(), level, "--seed".to_owned(), seed];
    let leave_out = plan.leave_out.iter().flat_map(|phase| ["--leave-out".into(), phase.name().into()]);
    start.into_iter().chain(rest.into_iter().map(OsString::from)).chain(leave_out).collect()
}

fn follow(
    plugin: &Accused,
    settings: &CertifySettings,
    plan: &Plan,
    found: &mut Found,
    stop: &AtomicBool,
) -> End {
    let mut phase = Phase::Load;
    let died = |phase, kind, text: String| End::Died(Ending { phase, kind, text });
    let mut run = match Run::start(&settings.probe, arguments(plugin, plan)) {
        Ok(run) => run,
        Err(error) => return died(phase, Violation::NotLoadable, not_started(&settings.probe, &error)),
    };
    loop {
        match run.next(settings.limit, stop) {
            Heard::Line(Line::Begin(next)) => phase = next,
            Heard::Line(Line::Alive) => {}
            Heard::Line(Line::Done(report)) if report.phase == phase => found.phases.push(*report),
            Heard::Line(Line::NotLoadable(why)) => {
                run.kill();
                return died(phase, Violation::NotLoadable, why);
            }
            Heard::Line(Line::End { sees_system_calls }) => {
                found.sees_system_calls = sees_system_calls;
                run.kill();
                return End::Whole;
            }
            Heard::Line(Line::Done(_)) | Heard::Nonsense => {
                run.kill();
                return died(phase, Violation::Nonsense, "what came back is no answer".to_owned());
            }
            Heard::Stopped => return End::Stopped,
            Heard::TooLong => {
                let seconds = settings.limit.as_secs_f64();
                return died(phase, Violation::Hang, format!("did not come back within {seconds} s"));
            }
            Heard::Ended(ended) => {
                let kind = if ended.signal.is_some() { Violation::Crash } else { Violation::Exit };
                return died(phase, kind, ended.text);
            }
        }
    }
}

fn not_started(probe: &Path, error: &std::io::Error) -> String {
    format!("{PROBE} cannot be started ({}): {error}", probe.display())
}

impl Accused {
    /// The plugin that an index describes, with the stamp of its file.
    pub fn new(description: &crate::Description, stamp: &Stamp) -> Self {
        Accused {
            id: description.id.clone(),
            name: description.name.clone(),
            vendor: description.vendor.clone(),
            path: description.path.clone(),
            sha256: stamp.sha256.clone(),
        }
    }
}
