use std::fs;
use std::io::{Read, Result, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use kmidi_memory::{Budgets, Domain, Monitor, Snapshot};
use serde_json::{Value, json};

use super::folder::{self, own_uid};
use super::protocol::{
    Answer, LONGEST_QUESTION, Leaks, MOST_SITES, Order, Relieved, Request, SERIES, Sites, Status, Who,
};
use super::symbols::Image;

/// Clients at once.
const CLIENTS: usize = 8;
/// How long a client may take to ask.
const ASK_LIMIT: Duration = Duration::from_secs(10);
/// How long it may take to take what it asked for.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// After an error of the system: the next one may follow at once.
const PAUSE: Duration = Duration::from_millis(100);
/// Characters of a command line that are told.
const COMMAND_CHARS: usize = 200;

/// The socket of this process; its file is removed when it is dropped.
pub struct Bound {
    listener: UnixListener,
    path: PathBuf,
}

impl Bound {
    /// Takes the place of this process in the folder.
    pub fn new() -> Result<Self> {
        let folder = folder::folder()?;
        folder::listening(&folder)?;
        let path = folder::socket(&folder, std::process::id());
        // Of one that had the same number and did not end well.
        let _ = fs::remove_file(&path);
        let listener = UnixListener::bind(&path)?;
        let bound = Bound { listener, path };
        fs::set_permissions(&bound.path, fs::Permissions::from_mode(0o600))?;
        Ok(bound)
    }

    /// Answers from here on, on a thread of its own.
    pub fn serve(self, budgets: Budgets, monitor: &Arc<Monitor>) -> Result<Server> {
        let seen = Arc::new(Seen {
            budgets,
            monitor: Arc::downgrade(monitor),
            command: command_line(),
            start: Instant::now(),
        });
        let ended = Arc::new(AtomicBool::new(false));
        let (listener, told) = (self.listener.try_clone()?, ended.clone());
        let thread = thread::Builder::new()
            .name("kmidi-control".into())
            .stack_size(crate::exit::SMALL_STACK_BYTES)
            .spawn(move || accept_all(&listener, &seen, &told))?;
        Ok(Server { bound: self, ended, thread: Some(thread) })
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        // It is gone if somebody has tidied up.
        let _ = fs::remove_file(&self.path);
    }
}

/// Answers until it is dropped.
pub struct Server {
    bound: Bound,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ended.store(true, Relaxed);
        // Wakes the thread that waits for clients.
        let woken = rustix::net::shutdown(&self.bound.listener, rustix::net::Shutdown::Both);
        if let Some(thread) = self.thread.take().filter(|_| woken.is_ok()) {
            let _ = thread.join();
        }
    }
}

fn accept_all(listener: &UnixListener, seen: &Arc<Seen>, ended: &AtomicBool) {
    let clients = Arc::new(AtomicUsize::new(0));
    for client in listener.incoming() {
        if ended.load(Relaxed) {
            return;
        }
        let Ok(client) = client else {
            thread::sleep(PAUSE);
            continue;
        };
        let is_own = rustix::net::sockopt::socket_peercred(&client)
            .is_ok_and(|peer| peer.uid.is_root() || peer.uid.as_raw() == own_uid());
        let place = Place::take(&clients);
        let Some(place) = place.filter(|_| is_own) else {
            let _ = answer(&client, &refusal(if is_own { "too many clients" } else { "not your process" }));
            continue;
        };
        let seen = seen.clone();
        // Without a thread the client finds its connection closed.
        let _ = thread::Builder::new().name("kmidi-client".into()).spawn(move || {
            let _place = place;
            // A client that goes away is no error.
            let _ = converse(&client, &seen);
        });
    }
}

/// One of the [`CLIENTS`].
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(clients: &Arc<AtomicUsize>) -> Option<Self> {
        let place = Place(clients.clone());
        (clients.fetch_add(1, Relaxed) < CLIENTS).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

fn refusal(reason: &str) -> Value {
    json!({ "error": reason })
}

fn converse(client: &UnixStream, seen: &Seen) -> Result<()> {
    let mut read = Vec::new();
    loop {
        let Some(line) = next_line(client, &mut read, ASK_LIMIT)? else { return Ok(()) };
        let Ok(line) = line else {
            return answer(client, &refusal(&format!("a question has at most {LONGEST_QUESTION} bytes")));
        };
        let reply = match serde_json::from_slice::<Request>(&line) {
            Ok(request) => seen.reply(&request).unwrap_or_else(|error| refusal(&error)),
            Err(error) => refusal(&error.to_string()),
        };
        answer(client, &reply)?;
    }
}

/// A question is too long.
struct TooLong;

/// The next line, or None at the end.
fn next_line(
    mut client: &UnixStream,
    read: &mut Vec<u8>,
    limit: Duration,
) -> Result<Option<std::result::Result<Vec<u8>, TooLong>>> {
    let until = Instant::now() + limit;
    loop {
        if let Some(end) = read.iter().position(|&byte| byte == b'\n') {
            let rest = read.split_off(end + 1);
            return Ok(Some(Ok(std::mem::replace(read, rest))));
        }
        if read.len() > LONGEST_QUESTION {
            return Ok(Some(Err(TooLong)));
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        client.set_read_timeout(Some(left))?;
        let mut part = [0; 512];
        match client.read(&mut part)? {
            0 => return Ok(None),
            bytes => read.extend_from_slice(&part[..bytes]),
        }
    }
}

fn answer(mut client: &UnixStream, reply: &Value) -> Result<()> {
    client.set_write_timeout(Some(ANSWER_LIMIT))?;
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    client.write_all(&line)
}

/// What answers are made of.
struct Seen {
    budgets: Budgets,
    monitor: Weak<Monitor>,
    command: String,
    start: Instant,
}

impl Seen {
    fn reply(&self, request: &Request) -> std::result::Result<Value, String> {
        let monitor = self.monitor.upgrade().ok_or("kmidi is about to end")?;
        let value = match request {
            Request::Who {} => to_value(self.who()),
            Request::Snapshot {} => to_value(Status {
                who: self.who(),
                memory: Snapshot::take(&self.budgets, Some(&monitor)),
                series: Domain::ALL.map(|domain| last(monitor.series(domain))).to_vec(),
            }),
            Request::Sites { top, by } => to_value(hot(*top, *by)),
            Request::Leaks { top } => to_value(self.leaks(&monitor, *top)),
            Request::Relieve {} => {
                monitor.relieve();
                to_value(Relieved { asked: true })
            }
        };
        value.map_err(|error| error.to_string())
    }

    fn who(&self) -> Who {
        Who {
            pid: std::process::id(),
            command: self.command.clone(),
            uptime_seconds: self.start.elapsed().as_secs_f64(),
        }
    }

    fn leaks(&self, monitor: &Monitor, top: usize) -> Leaks {
        let mut leaks = monitor.leaks();
        leaks.truncate(top.min(MOST_SITES));
        Leaks { image: Image::own(), watched_seconds: monitor.watched_s(), leaks }
    }
}

fn hot(top: usize, by: Order) -> Sites {
    let mut sites = kmidi_memory::sites();
    sites.retain(|site| by.of(site) > 0);
    sites.sort_by_key(|site| std::cmp::Reverse(by.of(site)));
    sites.truncate(top.min(MOST_SITES));
    Sites { image: Image::own(), sites, lost_samples: kmidi_memory::lost_samples() }
}

fn to_value(value: impl serde::Serialize) -> serde_json::Result<Value> {
    serde_json::to_value(Answer::Ok(value))
}

fn last(mut series: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    series.split_off(series.len().saturating_sub(SERIES))
}

/// What was typed behind `kmidi`.
fn command_line() -> String {
    let words: Vec<_> = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    words.join(" ").chars().take(COMMAND_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_that_drips_is_not_waited_for() {
        let (client, mut other) = UnixStream::pair().unwrap();
        let dripping = thread::spawn(move || {
            while other.write_all(b"x").is_ok() {
                thread::sleep(Duration::from_millis(5));
            }
        });
        let line = next_line(&client, &mut Vec::new(), Duration::from_millis(100));
        assert!(!matches!(line, Ok(Some(Ok(_)))), "no line has come");
        drop(client);
        dripping.join().unwrap();
    }

    #[test]
    fn questions_in_one_piece_are_taken_apart_and_long_ones_refused() {
        let (client, mut other) = UnixStream::pair().unwrap();
        let mut read = Vec::new();
        let mut next = || next_line(&client, &mut read, Duration::from_secs(20)).unwrap();
        other.write_all(b"one\ntwo\nthr").unwrap();
        assert!(next().is_some_and(|line| line.is_ok_and(|it| it == b"one\n")));
        assert!(next().is_some_and(|line| line.is_ok_and(|it| it == b"two\n")));
        other.write_all(&[b'x'; LONGEST_QUESTION]).unwrap();
        assert!(next().is_some_and(|line| line.is_err()));
    }
}
