//! The program, run with a deadline.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Longer than anything here takes on a slow machine; reaching it means that something hangs.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    /// `None` if a signal ended it.
    pub code: Option<i32>,
    pub signal: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    /// Highest `RssAnon` seen, in bytes.
    pub peak_anonymous_bytes: u64,
}

impl Outcome {
    /// What it printed as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// What it printed as JSON on a terminal, after it gave the screen back.
    pub fn json_behind_screen(&self) -> serde_json::Value {
        let behind = self.stdout.rsplit("\x1b[?1049l").next().expect("a last part");
        let object = behind.find('{').and_then(|start| behind.get(start..=behind.rfind('}')?));
        serde_json::from_str(object.unwrap_or_default()).unwrap_or_else(|error| panic!("{error}: {behind}"))
    }

    /// Panics unless it ended with exit code 0.
    pub fn success(self) -> Outcome {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }
}

/// A program that runs.
pub struct Running {
    child: Child,
    stdout: Option<JoinHandle<String>>,
    stderr: Option<JoinHandle<String>>,
    peak_anonymous_bytes: Arc<AtomicU64>,
    printed: Printed,
}

/// What has come through standard output so far.
type Printed = Arc<Mutex<Vec<u8>>>;

/// `kmidi` with these arguments, with nothing of the user's own settings, and never starting a server.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kmidi"));
    command.args(arguments);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if ["KMIDI_", "JACK_", "PULSE_", "XDG_", "ALSA_"].iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command.env("XDG_CONFIG_HOME", "/nonexistent").env("XDG_DATA_HOME", "/nonexistent");
    command.env("JACK_NO_START_SERVER", "1");
    command.env("JACK_NO_AUDIO_RESERVATION", "1").env("JACK_DEFAULT_SERVER", "kmidi-tests-none");
    command.env("PULSE_SERVER", "unix:/nonexistent/pulse").env("NO_COLOR", "1");
    command
}

/// Runs `kmidi` to its end.
pub fn kmidi(arguments: &[&str]) -> Outcome {
    spawn(command(arguments)).wait(DEADLINE)
}

/// Renders to 32-bit floats and reads the result.
pub fn render(arguments: &[&str], output: &Path) -> super::wav::Audio {
    let output_text = output.to_str().expect("a UTF-8 path");
    let mut all = vec!["render", "--bits", "32f", "-o", output_text];
    all.extend(arguments);
    kmidi(&all).success();
    super::wav::Audio::read(output)
}

/// Starts a command with its input closed and its output kept.
pub fn spawn(mut command: Command) -> Running {
    command.stdin(Stdio::null());
    start(command)
}

/// Starts a command, and returns what writes to its standard input too.
pub fn spawn_with_input(mut command: Command) -> (Running, ChildStdin) {
    let mut child = spawn_child(command.stdin(Stdio::piped()));
    let input = child.stdin.take().expect("a pipe");
    let stdout = child.stdout.take().expect("a pipe");
    (watch(child, stdout), input)
}

/// Starts a command and waits for the first line that it prints.
pub fn spawn_until_first_line(mut command: Command) -> (Running, String) {
    let mut child = spawn_child(command.stdin(Stdio::null()));
    let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    stdout.read_line(&mut line).expect("output can be read");
    (watch(child, stdout), line)
}

/// The same command behind another program, which takes it as its last arguments.
pub fn behind(wrapper: &[&str], kmidi: &Command) -> Command {
    let mut command = Command::new(wrapper[0]);
    command.args(&wrapper[1..]).arg(kmidi.get_program()).args(kmidi.get_args());
    for (name, value) in kmidi.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    if let Some(folder) = kmidi.get_current_dir() {
        command.current_dir(folder);
    }
    command
}

/// Runs a command on a disk that is full, as it were: no file may grow beyond so many blocks of 512 bytes, and who tries is told by an
/// error and not by a signal.
pub fn on_full_disk(blocks: u32, kmidi: &Command) -> Outcome {
    let limit = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    spawn(behind(&["sh", "-c", &limit], kmidi)).wait(DEADLINE)
}

/// What cannot be printed is told, and ends with 1; and what can ends with 0.
pub fn check_printing(kmidi: &Command) {
    for (file, code) in [("/dev/full", 1), ("/dev/null", 0)] {
        let into = format!("exec \"$0\" \"$@\" > {file}");
        let ended = spawn(behind(&["sh", "-c", &into], kmidi)).wait(DEADLINE);
        assert_eq!(ended.code, Some(code), "{kmidi:?} to {file}: {ended:#?}");
        assert_eq!(ended.stderr.contains("No space left"), code == 1, "{kmidi:?} to {file}: {ended:#?}");
    }
}

/// Starts `kmidi` on a terminal of 100 by 30 characters, and returns what types on its keyboard too.
pub fn spawn_on_terminal(arguments: &[&str]) -> (Running, ChildStdin) {
    on_terminal(&command(arguments))
}

/// [`spawn_on_terminal`] for a command that is prepared in some way.
pub fn on_terminal(kmidi: &Command) -> (Running, ChildStdin) {
    let words = std::iter::once(kmidi.get_program()).chain(kmidi.get_args());
    let words: Vec<String> = words.map(|word| format!("'{}'", word.to_str().expect("UTF-8"))).collect();
    let mut script = Command::new("script");
    script.args(["--quiet", "--flush", "--return", "--command"]);
    script.arg(format!("stty cols 100 rows 30; exec {}", words.join(" "))).arg("/dev/null");
    for (name, value) in kmidi.get_envs() {
        match value {
            Some(value) => script.env(name, value),
            None => script.env_remove(name),
        };
    }
    script.env("TERM", "xterm").stdin(Stdio::piped());
    let mut running = start(script);
    let keyboard = running.child.stdin.take().expect("a pipe");
    (running, keyboard)
}

/// Types keys.
pub fn press(keyboard: &mut ChildStdin, keys: &str) {
    keyboard
        .write_all(keys.as_bytes())
        .and_then(|()| keyboard.flush())
        .expect("the program reads its keyboard");
}

fn start(mut command: Command) -> Running {
    let mut child = spawn_child(&mut command);
    let stdout = child.stdout.take().expect("a pipe");
    watch(child, stdout)
}

fn spawn_child(command: &mut Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

fn watch(mut child: Child, stdout: impl Read + Send + 'static) -> Running {
    let stderr = child.stderr.take().expect("a pipe");
    let peak_anonymous_bytes = Arc::new(AtomicU64::new(0));
    let (id, peak) = (child.id(), Arc::downgrade(&peak_anonymous_bytes));
    std::thread::spawn(move || {
        while let Some(peak) = peak.upgrade() {
            peak.fetch_max(anonymous_bytes(id), Ordering::Relaxed);
            drop(peak);
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    let printed = Printed::default();
    let (stdout, stderr) = (collect(stdout, printed.clone()), collect(stderr, Printed::default()));
    Running { child, stdout: Some(stdout), stderr: Some(stderr), peak_anonymous_bytes, printed }
}

fn collect(mut from: impl Read + Send + 'static, so_far: Printed) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut part = [0; 4096];
        loop {
            match from.read(&mut part).expect("output can be read") {
                0 => break,
                bytes => so_far.lock().expect("no panic").extend_from_slice(&part[..bytes]),
            }
        }
        let bytes = so_far.lock().expect("no panic");
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

impl Running {
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("our own child").is_none()
    }

    /// Waits until this has been printed.
    pub fn wait_for_output(&self, text: &str) {
        self.wait_for_lines(text, |lines| lines.iter().any(|line| line.contains(text)));
    }

    /// Waits until `what` has been printed: until the whole lines so far are as they should be.
    pub fn wait_for_lines(&self, what: &str, are_there: impl Fn(&[String]) -> bool) {
        let start = Instant::now();
        while !are_there(&self.printed_lines()) {
            let printed = self.printed_lines();
            assert!(start.elapsed() < DEADLINE, "{what} is not in {printed:#?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The lines that it has printed so far; the last one may be half of one.
    pub fn printed_lines(&self) -> Vec<String> {
        let printed = String::from_utf8_lossy(&self.printed.lock().expect("no panic")).into_owned();
        printed.split_inclusive('\n').map(str::to_owned).collect()
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.id().to_string()).status();
        assert!(status.expect("kill runs").success());
    }

    /// Waits for its end; one that does not come within `deadline` fails the test.
    pub fn wait(mut self, deadline: Duration) -> Outcome {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("our own child") {
                break status;
            }
            if start.elapsed() > deadline {
                self.child.kill().expect("our own child");
                let (stdout, stderr) = self.output();
                panic!("no end after {deadline:?}\nstdout: {stdout}\nstderr: {stderr}");
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        let (stdout, stderr) = self.output();
        let peak_anonymous_bytes = self.peak_anonymous_bytes.load(Ordering::Relaxed);
        Outcome { code: status.code(), signal: status.signal(), stdout, stderr, peak_anonymous_bytes }
    }

    fn output(&mut self) -> (String, String) {
        let text = |reader: Option<JoinHandle<String>>| {
            reader.map_or_else(String::new, |reader| reader.join().expect("a reader that does not panic"))
        };
        (text(self.stdout.take()), text(self.stderr.take()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Of a test that fails half-way nothing may go on running.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until a process has a child of this name, and returns its number.
pub fn wait_for_child(id: u32, name: &str) -> u32 {
    let start = Instant::now();
    loop {
        let comm = |child: &u32| fs::read_to_string(format!("/proc/{child}/comm")).unwrap_or_default();
        if let Some(child) = children(id).find(|child| comm(child).trim() == name) {
            return child;
        }
        assert!(start.elapsed() < DEADLINE, "{id} has no child {name}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a process, not our own, runs. One that has ended may wait for its parent for ever.
pub fn is_alive(id: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:") && !line.contains('Z') && !line.contains('X'))
}

fn children(id: u32) -> impl Iterator<Item = u32> {
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    children.split_whitespace().filter_map(|child| child.parse().ok()).collect::<Vec<_>>().into_iter()
}

/// `RssAnon` of a process and its children, in bytes; 0 once they have ended.
fn anonymous_bytes(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let own =
        line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok()).map_or(0, |kb| kb * 1024);
    own + children(id).map(anonymous_bytes).sum::<u64>()
}

/// Where a model has been fetched to: the folder that is the user's for data.
pub fn home_of(model: &str) -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let data = absolute("XDG_DATA_HOME").or_else(|| Some(absolute("HOME")?.join(".local/share")));
    let found = data.filter(|data| data.join(format!("kmidi/models/{model}/{model}.onnx")).is_file());
    let is_required = std::env::var_os("KMIDI_REQUIRE_MODELS").is_some();
    assert!(found.is_some() || !is_required, "kmidi models fetch {model}");
    found
}
