//! The parent's side: one child process after the other, until every plugin of a file has been asked.

use std::ffi::OsString;
use std::sync::atomic::AtomicBool;

use super::folders::Candidate;
use super::index::{Failure, FileEntry};
use super::report::Report;
use super::stamp::Stamp;
use super::{PROBE, ScanSettings};
use crate::PluginId;
use crate::child::{Heard, Run};

/// Asks all plugins of a file; `None` if the scan was stopped before that.
pub(super) fn ask(candidate: &Candidate, settings: &ScanSettings, stop: &AtomicBool) -> Option<FileEntry> {
    let stamp = Stamp::of(&candidate.path).unwrap_or_default();
    let mut entry = FileEntry { format: candidate.format, stamp, plugins: Vec::new(), failures: Vec::new() };
    loop {
        let done = entry.plugins.len() + entry.failures.len();
        match Run::start(&settings.probe, arguments(candidate, &entry)) {
            Ok(run) => match follow(run, settings, &mut entry, stop) {
                End::Whole => break,
                End::Stopped => return None,
                // What it died of has been noted; unless that was no plugin's fault, the others are asked.
                End::Died { blamed: true } if entry.plugins.len() + entry.failures.len() > done => {}
                End::Died { .. } => break,
            },
            Err(error) => {
                let reason = format!("{PROBE} cannot be started ({}): {error}", settings.probe.display());
                entry.failures.push(Failure { id: None, reason });
                break;
            }
        }
    }
    Some(entry)
}

/// How a child ended.
enum End {
    /// After it had said all.
    Whole,
    /// Because the scan was stopped.
    Stopped,
    /// Of a plugin, or before there was one to blame.
    Died { blamed: bool },
}

fn arguments(candidate: &Candidate, entry: &FileEntry) -> Vec<OsString> {
    let failed = entry.failures.iter().filter_map(|failure| failure.id.as_ref());
    let asked = entry.plugins.iter().map(|description| &description.id).chain(failed);
    let start = ["describe".into(), candidate.format.name().into(), candidate.path.clone().into_os_string()];
    start.into_iter().chain(asked.map(|id| PluginId::to_string(id).into())).collect()
}

/// Notes what it says until it ends.
fn follow(mut run: Run<Report>, settings: &ScanSettings, entry: &mut FileEntry, stop: &AtomicBool) -> End {
    let mut asked: Option<PluginId> = None;
    loop {
        match run.next(settings.limit, stop) {
            Heard::Line(Report::Contents(_)) => {}
            Heard::Line(Report::Begin(id)) => asked = Some(id),
            // Only the plugin that was asked may answer.
            Heard::Line(Report::Done(description)) if asked.take().as_ref() == Some(&description.id) => {
                entry.plugins.push(*description);
            }
            Heard::Line(Report::Failed(reason)) => entry.failures.push(Failure { id: asked.take(), reason }),
            Heard::Line(Report::End) => {
                run.kill();
                return End::Whole;
            }
            Heard::Line(Report::Done(_)) | Heard::Nonsense => {
                run.kill();
                return blame(entry, asked, "what came back is no answer".to_owned());
            }
            Heard::Stopped => return End::Stopped,
            Heard::TooLong => {
                let reason = format!("did not answer within {} s", settings.limit.as_secs_f64());
                return blame(entry, asked, reason);
            }
            Heard::Ended(ended) => return blame(entry, asked, ended.text),
        }
    }
}

fn blame(entry: &mut FileEntry, asked: Option<PluginId>, reason: String) -> End {
    let blamed = asked.is_some();
    entry.failures.push(Failure { id: asked, reason });
    End::Died { blamed }
}
