//! `kmidi mem`: what another terminal sees of a running kmidi, and what is measured of this one.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::program::{self, DEADLINE, Outcome, Running};
use crate::support::root;

/// A folder for sockets that nothing else uses.
struct Case {
    folder: tempfile::TempDir,
}

impl Case {
    fn new() -> Self {
        Case { folder: tempfile::tempdir().expect("a folder") }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program::command(arguments);
        command.env("XDG_RUNTIME_DIR", self.folder.path());
        command
    }

    fn kmidi(&self, arguments: &[&str]) -> Outcome {
        program::spawn(self.command(arguments)).wait(DEADLINE)
    }

    /// A player on a clock, once it can be looked into.
    fn playing(&self) -> Running {
        let song = root().join("tests/data/midi/freedoom/freedoom1_D_E1M1.mid");
        let arguments = [
            "play",
            "--loop",
            "--audio",
            "null",
            "--memory-interval-seconds",
            "0.05",
            song.to_str().expect("UTF-8"),
        ];
        let player = program::spawn(self.command(&arguments));
        let start = Instant::now();
        while UnixStream::connect(self.socket(&player)).is_err() {
            assert!(start.elapsed() < DEADLINE, "it does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        player
    }

    fn socket(&self, player: &Running) -> PathBuf {
        self.folder.path().join(format!("kmidi/{}.sock", player.id()))
    }
}

fn end(player: Running) -> Outcome {
    player.signal("INT");
    player.wait(DEADLINE).success()
}

#[test]
fn another_terminal_sees_budgets_places_and_leaks_of_a_player() {
    let case = Case::new();
    let player = case.playing();
    let mode = |path: PathBuf| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(case.socket(&player)), mode(case.folder.path().join("kmidi"))), (0o600, 0o700));
    // Until it has loaded what it plays.
    let start = Instant::now();
    let json = loop {
        let json = case.kmidi(&["mem", "budget", "--json"]).success().json();
        if json["total"]["live_bytes"].as_u64() > Some(5 << 20) {
            break json;
        }
        assert!(start.elapsed() < DEADLINE, "{json:#}");
    };
    assert_eq!(json["pid"], player.id());
    assert!(
        json["command"].as_str().is_some_and(|it| it.starts_with("play --loop --audio null")),
        "{json:#}"
    );
    assert!(json["process"]["rss_anon_bytes"].as_u64() >= json["total"]["live_bytes"].as_u64(), "{json:#}");
    assert!(json["series"].as_array().is_some_and(|it| it.len() == 4), "{json:#}");
    let text = case.kmidi(&["mem", "budget", "--pid", &player.id().to_string()]).success().stdout;
    for part in
        ["program", "audio ", "models", "working", "total", "700.0", "audio region", "counted, not capped"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let hot = case.kmidi(&["mem", "hot", "--json", "--top", "3"]).success().json();
    let sites = hot["sites"].as_array().expect("sites");
    assert!((1..=3).contains(&sites.len()), "{hot:#}");
    // Names, with files and lines: it is this program.
    let calls = sites[0]["calls"].as_array().expect("calls");
    let is_ours = |call: &Value| {
        call["function"].as_str().is_some_and(|it| it.starts_with("kmidi"))
            && call["place"].as_str().is_some_and(|it| it.contains(".rs:"))
    };
    assert!(calls.iter().any(is_ours), "{hot:#}");
    let collapsed = case.kmidi(&["mem", "hot", "--collapsed"]).success().stdout;
    let line = collapsed.lines().next().expect("a line");
    assert!(
        line.contains(";kmidi") && line.rsplit(' ').next().is_some_and(|it| it.parse::<u64>().is_ok()),
        "{line}"
    );
    for by in ["bytes", "count", "average", "peak"] {
        assert!(case.kmidi(&["mem", "hot", "--by", by]).success().stdout.contains(" 1. "));
    }
    let leaks = case.kmidi(&["mem", "leaks", "--json"]).success().json();
    assert_eq!(leaks["leaks"], Value::Array(vec![]), "nothing is a minute old");
    let picture = case.kmidi(&["mem", "dashboard", "--once"]).success().stdout;
    for part in ["A audio", "B working", "pressure none", "hot sites"] {
        assert!(picture.contains(part) && !picture.contains('\x1b'), "{picture}");
    }
    let socket = case.socket(&player);
    end(player);
    assert!(!socket.exists(), "it is removed at the end");
}

#[test]
fn one_of_several_is_chosen_none_is_told_and_sockets_of_the_dead_go() {
    let case = Case::new();
    let none = case.kmidi(&["mem", "budget"]);
    assert_eq!(none.code, Some(1), "{none:#?}");
    assert!(none.stderr.contains("no kmidi is running") && none.stderr.contains("kmidi play"), "{none:#?}");
    let (first, second) = (case.playing(), case.playing());
    let several = case.kmidi(&["mem", "budget", "--json"]);
    assert_eq!(several.code, Some(2), "{several:#?}");
    for player in [&first, &second] {
        assert!(several.stderr.contains(&format!("--pid {}  play", player.id())), "{several:#?}");
    }
    let own = std::process::id().to_string();
    assert_eq!(case.kmidi(&["mem", "budget", "--pid", &own]).code, Some(1), "no kmidi");
    let stale = case.socket(&first);
    first.signal("KILL");
    assert_eq!(first.wait(DEADLINE).signal, Some(9));
    assert!(stale.exists());
    let json = case.kmidi(&["mem", "budget", "--json"]).success().json();
    assert_eq!(json["pid"], second.id());
    assert!(!stale.exists());
    end(second);
}

#[test]
fn garbage_on_the_socket_is_answered_and_harms_nobody() {
    let case = Case::new();
    let player = case.playing();
    let connect = || UnixStream::connect(case.socket(&player)).expect("it listens");
    let reply = |stream: &UnixStream| {
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).expect("an answer");
        serde_json::from_str::<Value>(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    };
    let mut stream = connect();
    let lines: [&[u8]; 7] = [
        b"\n",
        b"garbage\n",
        b"\xff\x00\xfe\n",
        b"{\"ask\":\"sites\",\"top\":-1}\n",
        b"{\"ask\":\"everything\"}\n",
        b"{\"ask\":\"who\",\"and\":1}\n",
        b"[[[[[[[[\n",
    ];
    for line in lines {
        stream.write_all(line).expect("it reads");
        assert!(reply(&stream)["error"].is_string(), "{line:?}");
    }
    stream.write_all(b"{\"ask\":\"who\"}\n").expect("it still reads");
    assert_eq!(reply(&stream)["ok"]["pid"], player.id());
    stream.write_all(b"{\"ask\":\"sites\",\"top\":999999999}\n").expect("it still reads");
    assert!(reply(&stream)["ok"]["sites"].as_array().is_some_and(|it| it.len() <= 256));
    // It does not read on for ever; the end may be seen while we still write.
    let mut long = connect();
    let _ = long.write_all(&[b'x'; 10_000]);
    // One client too many, while eight others are silent.
    let _silent: Vec<_> = (0..16).map(|_| connect()).collect();
    let busy = connect();
    assert_eq!(reply(&busy)["error"], "too many clients");
    drop((_silent, stream, busy, long));
    let start = Instant::now();
    while case.kmidi(&["mem", "budget"]).code != Some(0) {
        assert!(start.elapsed() < DEADLINE, "places are not given back");
    }
    let outcome = end(player);
    assert!(!outcome.stderr.contains("panicked"), "{outcome:#?}");
}

#[test]
fn the_dashboard_shows_a_player_asks_it_for_relief_and_ends() {
    let case = Case::new();
    let player = case.playing();
    let arguments = ["mem", "dashboard", "--interval", "0.1"];
    let (dashboard, mut keyboard) = program::on_terminal(&case.command(&arguments));
    for part in ["working", "pressure", "violations", "kmidi_"] {
        dashboard.wait_for_output(part);
    }
    program::press(&mut keyboard, "xr");
    dashboard.wait_for_output("asked");
    program::press(&mut keyboard, "q");
    let outcome = dashboard.wait(DEADLINE).success();
    let (enter, leave) = ("\x1b[?1049h", "\x1b[?1049l");
    assert!(outcome.stdout.rfind(enter) < outcome.stdout.rfind(leave), "{outcome:#?}");
    let player = end(player);
    assert!(player.stderr.contains("gave back"), "{player:#?}");
    let without = case.kmidi(&["mem", "dashboard"]);
    assert_eq!(without.code, Some(1), "nothing runs: {without:#?}");
}

#[test]
fn a_folder_that_others_can_enter_is_not_used_and_stops_nobody() {
    let case = Case::new();
    let folder = case.folder.path().join("kmidi");
    fs::create_dir(&folder).expect("a folder");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).expect("ours");
    let song = root().join("tests/data/midi/freedoom/freedoom1_D_E1M1.mid");
    let arguments = ["play", "--audio", "null", "--to", "1s", song.to_str().expect("UTF-8")];
    case.kmidi(&arguments).success();
    assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 0);
}

#[test]
fn phases_are_those_of_a_start_and_numbers_those_of_the_system() {
    let case = Case::new();
    let json = case.kmidi(&["mem", "phases", "--json"]).success().json();
    let phases = json["phases"].as_array().expect("phases");
    let names: Vec<_> = phases.iter().filter_map(|phase| phase["name"].as_str()).collect();
    assert_eq!(names, ["baseline", "audio", "models", "ready"]);
    let live = |phase: &Value| -> u64 {
        phase["domains"].as_array().expect("domains").iter().filter_map(|it| it["live_bytes"].as_u64()).sum()
    };
    assert!(live(&phases[0]) < live(&phases[1]) && live(&phases[1]) < live(&phases[3]), "{json:#}");
    for phase in phases {
        let own = phase["rss_anon_mib"].as_f64().expect("a number")
            + phase["rss_shmem_mib"].as_f64().expect("a number");
        assert!(own < 280.0 && live(phase) < 64 << 20, "{phase:#}");
    }
    assert!(case.kmidi(&["mem", "phases"]).success().stdout.contains("rss_anon_mib"));
    let info = case.kmidi(&["mem", "info", "--json"]).success().json();
    let meminfo = fs::read_to_string("/proc/meminfo").expect("linux");
    let total: u64 =
        meminfo.split_whitespace().nth(1).and_then(|it| it.parse().ok()).expect("MemTotal in kB");
    assert_eq!(info["system"]["total_bytes"], total * 1024);
    // Nothing is left in the folder where its songs were.
    assert_eq!(fs::read_dir(case.folder.path().join("kmidi")).expect("a folder").count(), 0);
}

#[test]
fn a_profile_tells_what_is_taken_and_fails_above_its_limit() {
    let case = Case::new();
    let json = case.kmidi(&["mem", "profile", "render", "--max-mb", "600", "--json"]).success().json();
    let render = &json["profiles"][0];
    assert_eq!((&render["operation"], &json["over_limit"]), (&"render".into(), &false.into()));
    assert!(render["seconds"].as_f64() > Some(0.0) && render["rss_peak_bytes"].as_u64() > Some(1 << 20));
    assert!(render["total_peak_bytes"].as_u64() > Some(5 << 20), "{json:#}");
    let over = case.kmidi(&["mem", "profile", "load", "--max-mb", "1"]);
    assert_eq!(over.code, Some(1), "{over:#?}");
    for told in ["--max-mb: load had", "(the peak of `all`), more than the 1.0 MiB"] {
        assert!(over.stdout.contains(told), "{told}: {over:#?}");
    }
    // What the process has in RAM is more, and no matter.
    let within = case.kmidi(&["mem", "profile", "read", "--max-mb", "8"]).success().stdout;
    assert!(within.contains("--max-mb: read had") && within.contains("within the 8.0 MiB"), "{within}");
    let song = root().join("tests/data/midi/freedoom/freedoom1_D_E1M1.mid");
    let read =
        case.kmidi(&["mem", "profile", "read", song.to_str().expect("UTF-8"), "--json"]).success().json();
    assert!(read["profiles"][0]["net_bytes"].as_i64().is_some_and(|it| it.abs() < 64 << 10), "{read:#}");
    assert_eq!(case.kmidi(&["mem", "profile", "read", "/nonexistent.mid"]).code, Some(2));
    assert_eq!(case.kmidi(&["mem", "profile"]).code, Some(2));
    // What a feeling leaves are its tables, to the byte.
    let therapy = case.kmidi(&["mem", "profile", "therapy", "--json"]).success().json();
    let of = |name: &str| therapy["profiles"][0][name].as_i64().expect("a number");
    assert!(of("table_bytes") > 100_000 && of("net_bytes") == of("table_bytes"), "{therapy:#}");
}

/// After a change that is meant, with the model for texts fetched: `kmidi mem trend -o assets/memory-baseline.json`.
#[test]
fn no_figure_has_grown_by_more_than_a_tenth_and_a_doctored_baseline_fails() {
    let case = Case::new();
    let baseline = root().join("assets/memory-baseline.json");
    let now = case.folder.path().join("now.json");
    let now_text = now.to_str().expect("UTF-8");
    let baseline = baseline.to_str().expect("UTF-8");
    let arguments = ["mem", "trend", "--baseline", baseline, "-o", now_text, "--commit", "c0ffee", "--json"];
    let (mut trend, home) = (case.command(&arguments), program::home_of("minilm"));
    trend.envs(home.iter().map(|home| ("XDG_DATA_HOME", home)));
    let outcome = program::spawn(trend).wait(DEADLINE);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stdout);
    let comparison = &outcome.json()["comparison"];
    let names = |list: &str| comparison[list].as_array().expect("a list").clone();
    assert_eq!(names("new"), [""; 0], "what is measured is in the baseline");
    let may_be_gone =
        |name: &Value| home.is_none() && name.as_str().is_some_and(|it| it.starts_with("embed: "));
    assert!(names("gone").iter().all(may_be_gone), "{comparison:#}");
    let mut record: Value = serde_json::from_slice(&fs::read(&now).expect("written")).expect("JSON");
    assert_eq!(record["commit"], "c0ffee");
    let figure = "render: peak";
    let bytes = record["figures"][figure].as_u64().expect("a figure");
    record["figures"][figure] = (bytes * 3 / 4).into();
    fs::write(&now, record.to_string()).expect("written");
    let doctored = case.kmidi(&["mem", "trend", "--baseline", now_text]);
    assert_eq!(doctored.code, Some(1), "{doctored:#?}");
    assert!(doctored.stdout.contains(&format!("GROWN: {figure}")), "{doctored:#?}");
    assert_eq!(case.kmidi(&["mem", "trend", "--baseline", "/nonexistent.json"]).code, Some(2));
}
