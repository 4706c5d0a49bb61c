//! Starting servers, each for one test, in a process of its own.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Set in the child that runs a test's body.
const INSIDE: &str = "KMIDI_TEST_INSIDE";

/// Runs `body` in a child process whose environment is `environment`: which server a client talks
/// to is a matter of the environment, and a process has one. `programs` have to be installed.
pub fn isolated(test: &str, programs: &[&str], environment: &[(&str, &str)], body: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        return body();
    }
    let missing: Vec<&&str> = programs.iter().filter(|program| find(program).is_none()).collect();
    if !missing.is_empty() {
        return skip(test, &format!("these programs are not installed: {missing:?}"));
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(INSIDE, "1");
    child.envs(environment.iter().copied());
    let output = child.output().unwrap();
    println!("{}", String::from_utf8_lossy(&output.stdout));
    eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{test}: {}", output.status);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("1 passed"), "{test} did not run in the child");
}

/// Says loudly that a test could not run; fails where it has to.
pub fn skip(test: &str, why: &str) {
    let required = std::env::var_os("KMIDI_REQUIRE_SERVERS").is_some_and(|value| value == "1");
    assert!(!required, "{test}: {why}");
    println!("SKIPPED {test}: {why}");
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// A server that ends with the test.
pub struct Server(Child);

impl Server {
    pub fn start(command: &mut Command) -> Self {
        Server(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// As a crash does it.
    pub fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Server {
    /// Asks it to end: a killed JACK server leaves its entry in a table of eight.
    fn drop(&mut self) {
        if !matches!(self.0.try_wait(), Ok(None)) {
            return;
        }
        Command::new("kill").arg(self.0.id().to_string()).status().ok();
        for _ in 0..100 {
            if !matches!(self.0.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Runs a tool to its end.
pub fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Tries until it works.
pub fn retry<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(done) = attempt() {
            return done;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "waited 60 s until {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The programs of the JACK tests.
pub const JACK: &[&str] = &["jackd", "jack_freewheel", "jack_bufsize"];

/// Runs `body` with a JACK server name that no other test uses meanwhile. There are only a few
/// names: what a crashed server has left under one is taken over by the next.
pub fn with_jack(test: &str, body: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        return body();
    }
    let (name, _lock) = retry("a server name is free", || {
        (0..3).find_map(|slot| {
            let name = format!("kmidi-device-{slot}");
            let lock = File::create(std::env::temp_dir().join(format!("{name}.lock"))).ok()?;
            lock.try_lock().ok().map(|()| (name, lock))
        })
    });
    let environment = [("JACK_DEFAULT_SERVER", &*name), ("JACK_NO_AUDIO_RESERVATION", "1")];
    isolated(test, JACK, &environment, body);
}

/// A JACK server with the dummy driver at 48 kHz; waits until it answers.
pub fn jackd(period_frames: u32) -> Server {
    let name = std::env::var("JACK_DEFAULT_SERVER").unwrap();
    let real_time = std::thread::spawn(|| kmidi_sys::set_fifo(70).is_ok()).join().unwrap();
    let mut command = Command::new("jackd");
    command.args(["--name", &name]);
    command.args(if real_time { &["-R", "-P70"][..] } else { &["-r"][..] });
    command.args(["-ddummy", "-r48000", &format!("-p{period_frames}"), "-C2", "-P2"]);
    let server = Server::start(&mut command);
    retry("jackd answers", || {
        jack::Client::new("probe", jack::ClientOptions::NO_START_SERVER).ok().map(drop)
    });
    server
}
