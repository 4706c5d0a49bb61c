//! The parent's side: one child process after the other, until every plugin of a file has been asked.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};

use super::folders::Candidate;
use super::index::{Failure, FileEntry};
use super::report::Report;
use super::stamp::Stamp;
use super::{PROBE, ScanSettings};
use crate::PluginId;

/// Longest line a child may send; a plugin with ten thousand parameters needs some 3 MiB.
const MAX_LINE_BYTES: u64 = 64 << 20;
/// Of what a child complains about, the end is kept.
const COMPLAINT_BYTES: usize = 400;
/// Lines that can wait.
const LINES: usize = 64;
/// How often it is looked whether the scan is to stop.
const LOOK: Duration = Duration::from_millis(50);

/// Asks all plugins of a file; `None` if the scan was stopped before that.
pub(super) fn ask(candidate: &Candidate, settings: &ScanSettings, stop: &AtomicBool) -> Option<FileEntry> {
    let stamp = Stamp::of(&candidate.path).unwrap_or_default();
    let mut entry = FileEntry { format: candidate.format, stamp, plugins: Vec::new(), failures: Vec::new() };
    loop {
        let done = entry.plugins.len() + entry.failures.len();
        match Run::start(candidate, settings, &entry) {
            Ok(run) => match run.follow(settings, &mut entry, stop) {
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

/// A child at work.
struct Run {
    child: Child,
    reports: Receiver<Option<Report>>,
    complaints: Receiver<String>,
}

impl Run {
    fn start(candidate: &Candidate, settings: &ScanSettings, entry: &FileEntry) -> std::io::Result<Run> {
        let mut command = Command::new(&settings.probe);
        command.arg("describe").arg(candidate.format.name()).arg(&candidate.path);
        let failed = entry.failures.iter().filter_map(|failure| failure.id.as_ref());
        let asked = entry.plugins.iter().map(|description| &description.id).chain(failed);
        command.args(asked.map(PluginId::to_string));
        // No plugin opens a window, nor waits for somebody to answer.
        command.env("QT_QPA_PLATFORM", "offscreen").env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own, so that what it starts ends with it.
        let mut child = command.process_group(0).spawn()?;
        let stdout = child.stdout.take().expect("piped");
        let stderr = child.stderr.take().expect("piped");
        let (send, reports) = bounded(LINES);
        std::thread::spawn(move || {
            let mut reader = BufReader::new(stdout);
            let mut line = Vec::new();
            while matches!((&mut reader).take(MAX_LINE_BYTES).read_until(b'\n', &mut line), Ok(1..)) {
                if send.send(serde_json::from_slice(&line).ok()).is_err() {
                    return;
                }
                line.clear();
            }
        });
        let (send, complaints) = bounded(1);
        std::thread::spawn(move || {
            let _ = send.send(last_words(stderr));
        });
        Ok(Run { child, reports, complaints })
    }

    /// Notes what it says until it ends.
    fn follow(mut self, settings: &ScanSettings, entry: &mut FileEntry, stop: &AtomicBool) -> End {
        let mut asked: Option<PluginId> = None;
        let mut heard = Instant::now();
        loop {
            let report = match self.reports.recv_timeout(LOOK) {
                Ok(report) => report,
                Err(RecvTimeoutError::Timeout) if stop.load(Relaxed) => {
                    self.kill();
                    return End::Stopped;
                }
                Err(RecvTimeoutError::Timeout) if heard.elapsed() < settings.limit => continue,
                Err(RecvTimeoutError::Timeout) => {
                    self.kill();
                    let reason = format!("did not answer within {} s", settings.limit.as_secs_f64());
                    return blame(entry, asked, reason);
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let status = self.kill();
                    let reason = how_it_ended(status, &self.complaint());
                    return blame(entry, asked, reason);
                }
            };
            heard = Instant::now();
            match report {
                Some(Report::Contents(_)) => {}
                Some(Report::Begin(id)) => asked = Some(id),
                // Only the plugin that was asked may answer.
                Some(Report::Done(description)) if asked.take().as_ref() == Some(&description.id) => {
                    entry.plugins.push(*description);
                }
                Some(Report::Failed(reason)) => entry.failures.push(Failure { id: asked.take(), reason }),
                Some(Report::End) => {
                    self.kill();
                    return End::Whole;
                }
                Some(Report::Done(_)) | None => {
                    self.kill();
                    return blame(entry, asked, "what came back is no answer".to_owned());
                }
            }
        }
    }

    /// Ends it and all it has started.
    fn kill(&mut self) -> Option<ExitStatus> {
        // A moment for one that is ending by itself, so that its own status is told.
        let ended = (0..20).find_map(|_| {
            let status = self.child.try_wait().ok().flatten();
            if status.is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
            status
        });
        let group = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(group) = group {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        ended.or_else(|| self.child.wait().ok())
    }

    fn complaint(&self) -> String {
        self.complaints.recv_timeout(Duration::from_secs(1)).unwrap_or_default()
    }
}

fn blame(entry: &mut FileEntry, asked: Option<PluginId>, reason: String) -> End {
    let blamed = asked.is_some();
    entry.failures.push(Failure { id: asked, reason });
    End::Died { blamed }
}

fn how_it_ended(status: Option<ExitStatus>, complaint: &str) -> String {
    let how = match status {
        Some(status) => match (status.signal(), status.code()) {
            (Some(signal), _) => format!("crashed with {}", signal_name(signal)),
            (None, Some(code)) => format!("ended the process with exit code {code}"),
            (None, None) => "ended the process".to_owned(),
        },
        None => "ended the process".to_owned(),
    };
    if complaint.is_empty() { how } else { format!("{how}: {complaint}") }
}

fn signal_name(signal: i32) -> String {
    let names =
        [(4, "SIGILL"), (6, "SIGABRT"), (7, "SIGBUS"), (8, "SIGFPE"), (9, "SIGKILL"), (11, "SIGSEGV")];
    let name = names.iter().find(|(number, _)| *number == signal).map(|(_, name)| (*name).to_owned());
    name.unwrap_or_else(|| format!("signal {signal}"))
}

/// The end of what a child complains about, in one line.
fn last_words(mut stderr: impl Read) -> String {
    let (mut kept, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = stderr.read(&mut buffer) {
        kept.extend(&buffer[..read]);
        let excess = kept.len().saturating_sub(COMPLAINT_BYTES);
        kept.drain(..excess);
    }
    let text = String::from_utf8_lossy(&kept);
    let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.last().map(|line| line.chars().filter(|it| !it.is_control()).collect()).unwrap_or_default()
}
