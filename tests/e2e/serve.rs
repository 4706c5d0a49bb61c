//! `kmidi serve`: the real program, asked over TCP.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::program::{self, DEADLINE, Outcome, Running};
use crate::support::root;

/// A server on a free port.
struct Server {
    program: Running,
    port: u16,
}

/// What came back.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

impl Server {
    fn start(arguments: &[&str]) -> Server {
        let own = ["serve", "--json", "--port", "0"];
        Server::run(program::command(&[&own, arguments].concat()))
    }

    /// A command that prints where it listens.
    fn run(command: Command) -> Server {
        let (program, line) = program::spawn_until_first_line(command);
        let Ok(said) = serde_json::from_str::<serde_json::Value>(&line) else {
            panic!("no address: {line:?} {:#?}", program.wait(DEADLINE));
        };
        let port = said["port"].as_u64().expect("a port") as u16;
        assert!(said["url"].as_str().is_some_and(|url| url.ends_with(&format!(":{port}"))), "{said}");
        Server { program, port }
    }

    /// That plays, in silence.
    fn playing(arguments: &[&str]) -> Server {
        let server = Server::start(&[&["--play", &song(), "--audio", "null"], arguments].concat());
        server.wait("it plays", |server| server.get("/ready").status == 200);
        server
    }

    fn send(&self, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("a limit");
        // An answer may come before all was sent.
        let _ = stream.write_all(request.as_bytes());
        stream
    }

    fn get(&self, path: &str) -> Answer {
        read(self.send(&format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")))
    }

    /// Samples of `/metrics` by name and labels.
    fn scrape(&self) -> BTreeMap<String, f64> {
        let answer = self.get("/metrics");
        assert!(answer.head.contains("text/plain; version=0.0.4"), "{answer:#?}");
        let samples = answer.body.lines().filter(|line| !line.starts_with('#'));
        let sample = |line: &str| {
            let (name, value) = line.rsplit_once(' ').expect("a sample");
            (name.to_owned(), value.parse().expect("a number"))
        };
        samples.map(sample).collect()
    }

    fn wait(&self, what: &str, mut until: impl FnMut(&Server) -> bool) {
        let start = Instant::now();
        while !until(self) {
            assert!(start.elapsed() < DEADLINE, "not in time: {what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Has it end as a service manager does.
    fn end(self) -> Outcome {
        self.program.signal("TERM");
        self.program.wait(DEADLINE).success()
    }
}

fn read(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    // What came before the connection broke off counts.
    let end = stream.read_to_end(&mut bytes);
    let text = String::from_utf8(bytes).expect("UTF-8");
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?} {end:?}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Answer { status, head: head.to_lowercase(), body: body.into() }
}

fn song() -> String {
    root().join("assets/midi/freedoom-e1m1.mid").to_str().expect("UTF-8").to_owned()
}

#[test]
fn the_figures_of_a_song_that_plays_are_alive() {
    let server = Server::playing(&[]);
    let first = server.scrape();
    let position = "kmidi_song_position_seconds";
    server.wait("the song goes on", |server| server.scrape()[position] > first[position]);
    let second = server.scrape();
    for (name, before) in first.iter().filter(|(name, _)| name.contains("_total")) {
        assert!(second[name] >= *before, "{name} fell");
    }
    let answered = "kmidi_http_requests_total{path=\"/metrics\",code=\"200\"}";
    assert!(second[answered] > first[answered]);
    for name in ["kmidi_rt_page_faults_total", "kmidi_rt_xruns_total", "kmidi_audio_load_ratio"] {
        assert!(second.contains_key(name), "{name}: {second:#?}");
    }
    for class in ["allocation", "free"] {
        assert_eq!(second[&format!("kmidi_rt_violations_total{{class=\"{class}\"}}")], 0.0);
    }
    assert!(second["kmidi_process_rss_bytes{kind=\"anon\"}"] > 1e6);
    assert!(second["kmidi_memory_bytes{domain=\"total\",kind=\"live\"}"] > 1e5);
    let health = server.get("/health");
    assert_eq!((health.status, health.json()["status"].as_str()), (200, Some("ok")), "{health:#?}");
    server.end();
}

#[test]
fn without_a_song_memory_is_shown_alone() {
    let server = Server::start(&[]);
    let samples = server.scrape();
    assert!(samples.contains_key("kmidi_api_system_memory_available_bytes"));
    assert!(!samples.keys().any(|name| name.starts_with("kmidi_song") || name.starts_with("kmidi_voices")));
    assert_eq!((server.get("/live").status, server.get("/ready").status), (200, 200));
    let outcome = server.end();
    assert!(outcome.stderr.contains("kmidi: serving at http://127.0.0.1:"), "{outcome:#?}");
}

#[test]
fn a_budget_that_is_too_small_degrades_health_and_nothing_else() {
    // Room for what loading takes at most, and yet more than 85 % of it in use then.
    let tight = ["--memory-total-mb", "27", "--polyphony", "4096"];
    let server = Server::start(&[&["--play", &song(), "--audio", "null"], &tight[..]].concat());
    // While it loads, more is in use now and then; what counts is what stays.
    server.wait("the song plays", |server| server.get("/ready").status == 200);
    server.wait("health is degraded", |server| server.get("/health").status == 503);
    let health = server.get("/health").json();
    let reasons = health["parts"]["memory"]["reasons"].to_string();
    assert_eq!(health["status"], "degraded");
    assert!(reasons.contains("total budget") && reasons.contains("KMIDI_MEMORY_TOTAL_MB"), "{reasons}");
    assert_eq!(server.get("/live").status, 200);
    assert_eq!(server.get("/metrics").status, 200);
    server.end();
}

#[test]
fn a_part_in_trouble_is_named() {
    let files = ["--play", &song(), "--play", "/nonexistent/song.mid"];
    let mut command = program::command(&[&["serve", "--json", "--port", "0"], &files[..]].concat());
    // No audio device works: a clock stands in.
    command.env("ALSA_CONFIG_PATH", "/nonexistent");
    let server = Server::run(command);
    server.wait("the device and the song are in trouble", |server| {
        let parts = &server.get("/health").json()["parts"];
        parts["device"]["status"] == "degraded" && parts["song"]["status"] == "degraded"
    });
    let health = server.get("/health");
    assert_eq!(health.status, 503);
    assert!(health.json()["parts"]["song"]["reasons"].to_string().contains("/nonexistent/song.mid"));
    server.wait("the other song plays all the same", |server| server.get("/ready").status == 200);
    server.end();
}

#[test]
fn what_cannot_play_is_not_ready_and_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let song = folder.path().join("no.mid");
    std::fs::write(&song, "MThd, and no more").expect("written");
    let server = Server::start(&["--play", song.to_str().expect("UTF-8"), "--audio", "null"]);
    server.wait("nothing plays any more", |server| {
        let ready = server.get("/ready");
        ready.status == 503 && ready.json()["reason"].to_string().contains("no.mid")
    });
    assert_eq!(server.get("/health").json()["parts"]["engine"]["status"], "degraded");
    assert_eq!(server.get("/live").status, 200);
    server.end();
}

#[test]
fn too_many_requests_at_once_are_refused() {
    let server = Server::start(&["--limit-concurrency", "1"]);
    let request = "GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    server.wait("a request is refused", |server| {
        let streams: Vec<_> = (0..64).map(|_| server.send(request)).collect();
        let answers: Vec<_> = streams.into_iter().map(read).collect();
        assert!(answers.iter().any(|answer| answer.status == 200));
        let refused = answers.iter().find(|answer| answer.status != 200);
        refused.is_some_and(|answer| {
            assert_eq!(answer.status, 503, "{answer:#?}");
            assert!(answer.head.contains("retry-after: 1") && answer.head.contains("x-request-id: "));
            true
        })
    });
    assert_eq!(server.get("/metrics").status, 200);
    server.end();
}

#[test]
fn slow_and_senseless_clients_harm_nobody() {
    let server = Server::start(&["--limit-concurrency", "1", "--workers", "1"]);
    let slow: Vec<_> =
        ["", "G", "GET /metrics HTTP/1.1\r\nx-slow: ", "POST /health HTTP/1.1\r\ncontent-length: 9\r\n\r\nx"]
            .iter()
            .map(|beginning| server.send(beginning))
            .collect();
    for garbage in
        ["garbage\r\n\r\n", "\u{16}\u{3}\u{1}\0\u{fa}\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n"]
    {
        assert_eq!(read(server.send(garbage)).status, 400, "{garbage:?}");
    }
    for path in ["/metrics", "/health", "/live"] {
        assert_eq!(server.get(path).status, 200);
    }
    let outcome = server.end();
    assert!(!outcome.stderr.contains("panicked"), "{outcome:#?}");
    drop(slow);
}

#[test]
fn it_ends_on_request_also_while_it_plays() {
    for signal in ["INT", "TERM"] {
        let server = Server::playing(&[]);
        let (_idle, port) = (server.send("GET /live HTTP/1.1\r\nhost: x\r\n\r\n"), server.port);
        server.program.signal(signal);
        server.program.wait(DEADLINE).success();
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    }
}

#[test]
fn a_port_in_use_is_a_failure_with_the_next_step() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let outcome = program::kmidi(&["serve", "--port", &port, "--json"]);
    assert_eq!(outcome.code, Some(1), "{outcome:#?}");
    assert!(outcome.stderr.contains("in use already") && outcome.stderr.contains("--port"), "{outcome:#?}");
    assert_eq!(outcome.json()["exit_code"], 1);
    let unreadable = program::kmidi(&["serve", "--port", "0", "--play", "/nonexistent/song.mid"]);
    assert_eq!(unreadable.code, Some(2), "{unreadable:#?}");
}

#[test]
fn an_address_beyond_this_machine_is_warned_of() {
    let own = ["serve", "--json", "--port", "0", "--bind"];
    for (address, is_warned_of) in [("0.0.0.0", true), ("127.0.0.2", false)] {
        let command = program::command(&[&own[..], &[address]].concat());
        let (running, _) = program::spawn_until_first_line(command);
        running.signal("TERM");
        let outcome = running.wait(DEADLINE).success();
        assert_eq!(outcome.stderr.contains("other machines can reach"), is_warned_of, "{outcome:#?}");
    }
}

#[test]
fn what_a_container_runs_works() {
    let file = |name: &str| {
        let path = root().join("assets/monitoring").join(name);
        std::fs::read_to_string(path).expect("a text")
    };
    let container = file("Containerfile");
    let line = container.lines().find_map(|line| line.strip_prefix("CMD ["));
    let words: Vec<String> =
        serde_json::from_str(&format!("[{}", line.expect("a command"))).expect("a list of words");
    let here = root().join("assets/midi").to_str().expect("UTF-8").to_owned();
    let words: Vec<_> = words.iter().map(|word| word.replace("/usr/local/share/kmidi/midi", &here)).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).chain(["--json", "--port", "0"]).collect();
    let mut command = program::command(&words);
    let compose = file("compose.yml");
    for line in compose.lines().map(str::trim).filter(|line| line.starts_with("KMIDI_")) {
        let (name, value) = line.split_once(": ").expect("a variable");
        let flag = name.trim_start_matches("KMIDI_").to_lowercase().replace('_', "-");
        let help = program::kmidi(&["serve", "--help"]).success();
        assert!(help.stdout.contains(&format!("--{flag} ")), "{flag}");
        command.env(name, value.trim_matches('"'));
    }
    let server = Server::run(command);
    server.wait("it plays", |server| server.get("/ready").status == 200);
    assert_eq!(server.get("/health").status, 200);
    let outcome = server.end();
    // What the small container may use.
    assert!(outcome.peak_anonymous_bytes < 512 << 20, "{}", outcome.peak_anonymous_bytes);
}
