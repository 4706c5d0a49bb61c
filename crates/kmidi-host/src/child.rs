//! A child process that runs foreign code and tells what it finds, a line of JSON each: started, listened to, ended with
//! all that it has started.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use serde::de::DeserializeOwned;

/// Longest line a child may send; a plugin with ten thousand parameters needs some 3 MiB.
const MAX_LINE_BYTES: u64 = 64 << 20;
/// Of what a child complains about, the end is kept.
const COMPLAINT_BYTES: usize = 400;
/// Lines that can wait.
const LINES: usize = 64;
/// How often it is looked whether all is to stop.
const LOOK: Duration = Duration::from_millis(50);

/// A child at work.
pub(crate) struct Run<T> {
    child: Child,
    lines: Receiver<Option<T>>,
    complaints: Receiver<String>,
}

/// What is heard of a child.
pub(crate) enum Heard<T> {
    /// A line.
    Line(T),
    /// A line that is none. The child has been ended.
    Nonsense,
    /// Nothing, for too long. The child has been ended.
    TooLong,
    /// Somebody wants all to stop. The child has been ended.
    Stopped,
    /// It has ended by itself.
    Ended(Ended),
}

/// How a child ended by itself.
pub(crate) struct Ended {
    /// The signal it died of.
    pub signal: Option<i32>,
    /// In words, with what it complained about last.
    pub text: String,
}

impl<T: DeserializeOwned + Send + 'static> Run<T> {
    /// Starts a program.
    pub fn start(program: &Path, arguments: impl IntoIterator<Item = OsString>) -> std::io::Result<Self> {
        let mut command = Command::new(program);
        command.args(arguments);
        // No plugin opens a window, nor waits for somebody to answer.
        command.env("QT_QPA_PLATFORM", "offscreen").env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own, so that what it starts ends with it.
        let mut child = command.process_group(0).spawn()?;
        let stdout = child.stdout.take().expect("piped");
        let stderr = child.stderr.take().expect("piped");
        let (send, lines) = bounded(LINES);
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
        Ok(Run { child, lines, complaints })
    }

    /// Waits for what it says next, but no longer than `limit`.
    pub fn next(&mut self, limit: Duration, stop: &AtomicBool) -> Heard<T> {
        let since = Instant::now();
        loop {
            return match self.lines.recv_timeout(LOOK) {
                Ok(Some(line)) => Heard::Line(line),
                Ok(None) => {
                    self.kill();
                    Heard::Nonsense
                }
                Err(RecvTimeoutError::Timeout) if stop.load(Relaxed) => {
                    self.kill();
                    Heard::Stopped
                }
                Err(RecvTimeoutError::Timeout) if since.elapsed() < limit => continue,
                Err(RecvTimeoutError::Timeout) => {
                    self.kill();
                    Heard::TooLong
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let status = self.kill();
                    let signal = status.and_then(|status| status.signal());
                    Heard::Ended(Ended { signal, text: how_it_ended(status, &self.complaint()) })
                }
            };
        }
    }

    /// Ends it and all it has started.
    pub fn kill(&mut self) -> Option<ExitStatus> {
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
