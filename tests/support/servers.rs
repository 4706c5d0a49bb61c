//! Sound servers of the tests' own, with nothing behind them.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Whether the servers are installed. Where they must be, their absence fails the test.
pub fn available(program: &str) -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).exists()));
    let required = std::env::var_os("KMIDI_REQUIRE_SERVERS").is_some();
    assert!(found || !required, "{program} is not installed");
    if !found {
        eprintln!("{program} is not installed: nothing tested");
    }
    found
}

/// A process that ends with the test.
struct Server(Child);

impl Server {
    fn is_running(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }

    /// Ends it as a crash would.
    fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Server {
    /// Asks it to end: a JACK server that is killed leaves its entry in the machine's table of eight.
    fn drop(&mut self) {
        if self.is_running() {
            let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        }
        let start = Instant::now();
        while self.is_running() && start.elapsed() < Duration::from_secs(2) {
            std::thread::sleep(Duration::from_millis(10));
        }
        self.kill();
    }
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(60), "no {what} after a minute");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A JACK server with the dummy driver.
pub struct Jack {
    name: String,
    period: u32,
    rate_hz: u32,
    server: Option<Server>,
    /// No other test uses the name meanwhile.
    _name_lock: File,
}

/// There are only a few names: what a crashed server has left under one is taken over by the next.
const JACK_NAMES: u32 = 3;

impl Jack {
    /// Starts it at 48 kHz with this period.
    pub fn start(period: u32) -> Jack {
        let start = Instant::now();
        let (name, _name_lock) = loop {
            let free = (0..JACK_NAMES).find_map(|number| {
                let name = format!("kmidi-tests-{number}");
                let lock = File::create(std::env::temp_dir().join(format!("{name}.lock"))).ok()?;
                lock.try_lock().ok().map(|()| (name, lock))
            });
            match free {
                Some(free) => break free,
                None => assert!(start.elapsed() < Duration::from_secs(300), "no name for a JACK server"),
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        let mut jack = Jack { name, period, rate_hz: 48_000, server: None, _name_lock };
        jack.restart();
        jack
    }

    /// Starts it again, after [`Jack::kill`], at another sample rate.
    pub fn restart_at(&mut self, rate_hz: u32) {
        self.rate_hz = rate_hz;
        self.restart();
    }

    /// Starts it again, after [`Jack::kill`].
    pub fn restart(&mut self) {
        let (period, rate_hz) = (self.period.to_string(), self.rate_hz.to_string());
        let mut jackd = Command::new("jackd");
        jackd.args(["--name", &self.name, "-R", "-P70", "-ddummy", "-C2", "-P2", "-p", &period]);
        jackd.args(["-r", &rate_hz]);
        jackd.env("JACK_NO_AUDIO_RESERVATION", "1");
        jackd.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.server = Some(Server(jackd.spawn().expect("jackd starts")));
        wait_until("JACK server", || {
            self.tool("jack_wait")
                .args(["-c"])
                .output()
                .is_ok_and(|it| String::from_utf8_lossy(&it.stdout).starts_with("running"))
        });
        // One that was left under the name would answer in its place.
        assert!(self.server.as_mut().is_some_and(Server::is_running), "another JACK server has the name");
        let told = self.tool("jack_bufsize").output().expect("jack_bufsize runs").stdout;
        assert_eq!(String::from_utf8_lossy(&told).trim(), period, "the server's own word");
    }

    /// Ends it as a crash would.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill();
        }
    }

    /// A command that talks to this server.
    pub fn client(&self, mut command: Command) -> Command {
        command.env("JACK_DEFAULT_SERVER", &self.name).env("JACK_NO_START_SERVER", "1");
        command
    }

    /// Waits until some client has this port.
    pub fn wait_for_port(&self, name: &str) {
        wait_until(name, || {
            let ports = self.tool("jack_lsp").output();
            ports.is_ok_and(|it| String::from_utf8_lossy(&it.stdout).lines().any(|port| port == name))
        });
    }

    /// A program of jack-tools.
    pub fn tool(&self, name: &str) -> Command {
        self.client(Command::new(name))
    }
}

/// A PulseAudio server with a null sink.
pub struct Pulse {
    folder: PathBuf,
    _server: Server,
}

impl Pulse {
    /// Name of the sink.
    pub const SINK: &str = "kmidi_null";

    /// Starts it with its socket in `folder`.
    pub fn start(folder: &Path) -> Pulse {
        let socket = folder.join("native");
        let sink =
            format!("module-null-sink sink_name={} rate=48000 channels=2 format=float32le", Self::SINK);
        let protocol = format!("module-native-protocol-unix socket={} auth-anonymous=1", socket.display());
        let mut pulseaudio = Command::new("pulseaudio");
        pulseaudio.args([
            "-n",
            "--daemonize=no",
            "--exit-idle-time=-1",
            "--use-pid-file=no",
            "--disallow-exit",
        ]);
        pulseaudio.args(["--realtime=no", "--high-priority=no", "-L", &sink, "-L", &protocol]);
        pulseaudio.env("XDG_RUNTIME_DIR", folder).env("HOME", folder);
        pulseaudio.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let server = Server(pulseaudio.spawn().expect("pulseaudio starts"));
        let pulse = Pulse { folder: folder.to_owned(), _server: server };
        wait_until("PulseAudio server", || pulse.control(&["info"]).status().is_ok_and(|it| it.success()));
        pulse
    }

    /// A command that talks to this server.
    pub fn client(&self, mut command: Command) -> Command {
        command.env("PULSE_SERVER", format!("unix:{}", self.folder.join("native").display()));
        command.env("XDG_RUNTIME_DIR", &self.folder).env("HOME", &self.folder);
        command
    }

    /// `pactl` with these arguments.
    pub fn control(&self, arguments: &[&str]) -> Command {
        let mut pactl = self.client(Command::new("pactl"));
        pactl.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        pactl
    }
}
