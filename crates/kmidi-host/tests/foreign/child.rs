//! A test of this binary run again, as a process of its own: a plugin may crash, hang, exit or print there.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::ffi::OsStr;
use std::fs::File;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// After this a child is stuck. There are plugins that take seconds for each change of a setting.
const LONGEST: Duration = Duration::from_secs(180);
/// What stands before a line that a child has for its parent.
const RESULT: &str = "RESULT ";
/// Most bytes of a cause that is shown.
const CAUSE_BYTES: usize = 400;

/// Runs an ignored test of this binary; what it told, or how it ended.
pub fn run(test: &str, environment: &[(&str, &OsStr)]) -> Result<Vec<String>, String> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--ignored", "--nocapture"]);
    // Without a screen, Qt ends a process that does not say so.
    command.env("QT_QPA_PLATFORM", "offscreen").envs(environment.iter().copied());
    watch(&mut command).map(|text| {
        text.lines().filter_map(|line| line.split_once(RESULT)).map(|(_, told)| told.to_owned()).collect()
    })
}

/// A line for the parent, from the child.
pub fn tell(line: &str) {
    println!("{RESULT}{line}");
}

/// Runs a program with a home of its own; what it wrote, or how it ended.
pub fn watch(command: &mut Command) -> Result<String, String> {
    let home = tempfile::tempdir().unwrap();
    // A file, not a pipe: a plugin that writes much must not wait for a reader.
    let path = home.path().join("output");
    let output = File::create(&path).unwrap();
    let mut child = command
        .env("HOME", home.path())
        .env("RUST_BACKTRACE", "0")
        .env_remove("XDG_CONFIG_HOME")
        .stdin(Stdio::null())
        .stdout(output.try_clone().unwrap())
        .stderr(output)
        .spawn()
        .map_err(|error| error.to_string())?;
    let began = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if began.elapsed() > LONGEST => {
                child.kill().unwrap();
                child.wait().unwrap();
                return Err(format!("did not end within {} s", LONGEST.as_secs()));
            }
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
    match status.success() {
        true => Ok(text),
        false => Err(cause(status, &text)),
    }
}

/// How a process ended: its panic, or else the last line that it wrote.
fn cause(status: ExitStatus, text: &str) -> String {
    let behind_place = |rest: &str| {
        let lines = rest.lines().skip(1).take_while(|line| !line.starts_with("note: "));
        lines.collect::<Vec<_>>().join(" ")
    };
    let panic = text.split_once("panicked at ").map(|(_, rest)| behind_place(rest));
    let last = || text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().to_owned();
    let mut said = panic.unwrap_or_else(last);
    said.truncate((0..=CAUSE_BYTES).rev().find(|at| said.is_char_boundary(*at)).unwrap_or(0));
    format!("{status}: {said}")
}

/// Runs each job, as many at a time as there are processors; results in order of the jobs.
pub fn in_parallel<T: Sync, R: Send>(jobs: &[T], run: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let workers = std::thread::available_parallelism().map_or(1, |it| it.get());
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Relaxed);
                    let Some(job) = jobs.get(at) else { return };
                    let result = run(job);
                    results.lock().unwrap().push((at, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap();
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Whether something that a test needs is there; where it must be, that it is not is a failure.
pub fn is_there(what: &str, is_there: bool) -> bool {
    if !is_there {
        assert!(std::env::var_os("KMIDI_REQUIRE_PLUGINS").is_none(), "{what} is not installed");
        println!("passed over: {what} is not installed");
    }
    is_there
}
