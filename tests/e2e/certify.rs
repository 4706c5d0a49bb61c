//! Plugins on trial: who does what must not be done is told so, with where it was done; who does not is green.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::misdeeds::{self, Misdeeds};
use crate::support::program::{self, Outcome, Running};
use crate::support::root;

/// Trials of many plugins on a slow machine.
const DEADLINE: Duration = Duration::from_secs(600);

/// A machine of its own: folders for plugins and for what is kept.
struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        Machine { folder: tempfile::tempdir().expect("a folder") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        self.start(arguments).wait(DEADLINE)
    }

    fn start(&self, arguments: &[&str]) -> Running {
        let mut command = program::command(arguments);
        command.env("HOME", self.path("home")).env("XDG_CACHE_HOME", self.path("cache"));
        let plugins = self.path("plugins");
        ["CLAP_PATH", "VST3_PATH", "LV2_PATH"].iter().for_each(|name| {
            command.env(name, &plugins);
        });
        program::spawn(command)
    }

    /// Certifies a file or an id and gives what it prints and how it ends.
    fn certify(&self, what: &str, more: &[&str]) -> (Value, i32) {
        let outcome = self.run(&[&["certify", what, "--json", "--timeout", "3"], more].concat());
        let code = outcome.code.unwrap_or_else(|| panic!("{outcome:#?}"));
        (outcome.json(), code)
    }
}

/// The plugin of this name among those that were tried.
fn plugin<'a>(report: &'a Value, name: &str) -> &'a Value {
    let plugins = report["plugins"].as_array().expect("a list");
    let id = format!("lv2:urn:misdeed:{name}");
    plugins.iter().find(|it| it["id"] == *id).unwrap_or_else(|| panic!("{name} was not tried"))
}

fn phase<'a>(plugin: &'a Value, name: &str) -> &'a Value {
    let phases = plugin["phases"].as_array().expect("a list");
    phases.iter().find(|it| it["phase"] == name).unwrap_or_else(|| panic!("no phase {name}: {plugin:#}"))
}

/// What must be said of a misdeed: grade, kind of the reason, phase of the reason.
type Verdict = (&'static str, &'static str, Option<&'static str>, &'static str);

const VERDICTS: &[Verdict] = &[
    ("good", "green", None, ""),
    ("allocates", "red", Some("allocation"), "steady"),
    ("frees", "red", Some("free"), "steady"),
    // That block is run when it is activated: it has a port that tells its latency.
    ("first-block-allocates", "green", None, ""),
    ("first-blocks-allocate", "amber", Some("allocation"), "warm-up"),
    ("faults", "red", Some("page-faults"), "steady"),
    ("locks", "red", Some("lock"), "steady"),
    ("locks-contended", "red", Some("contended-lock"), "steady"),
    ("waits", "red", Some("wait"), "steady"),
    ("sleeps", "red", Some("wait"), "steady"),
    ("calls-raw", "red", Some("system-call"), "steady"),
    ("reads-a-file", "red", Some("io"), "steady"),
    ("prints", "red", Some("io"), "steady"),
    ("maps", "red", Some("mapping"), "steady"),
    ("starts-a-thread", "red", Some("thread"), "steady"),
    ("loads", "red", Some("loading"), "steady"),
    ("makes-denormals", "red", Some("denormal"), "warm-up"),
    ("makes-nan", "red", Some("not-a-number"), "warm-up"),
    ("is-too-loud", "red", Some("over-level"), "warm-up"),
    ("tells-another-latency", "red", Some("latency"), "latency"),
    ("is-not-deterministic", "green", None, ""),
    ("works-in-bursts", "green", None, ""),
    ("crashes", "red", Some("crash"), "steady"),
    ("aborts", "red", Some("crash"), "steady"),
    ("hangs", "red", Some("hang"), "steady"),
    ("holds-memory", "green", None, ""),
    ("forgets-its-state", "red", Some("state"), "state"),
];

/// The reason of a kind in a phase.
fn reason<'a>(plugin: &'a Value, kind: &str, phase: &str) -> &'a Value {
    let is_of_kind = |reason: &&Value| reason["kind"] == kind || reason["kind"]["deed"] == kind;
    let reasons = plugin["reasons"].as_array().expect("a list");
    let found = reasons.iter().find(|reason| reason["phase"] == phase && is_of_kind(reason));
    found.unwrap_or_else(|| panic!("no {kind} in {phase}: {reasons:#?}"))
}

#[test]
fn every_misdeed_is_graded_with_its_reason_and_the_good_ones_are_green() {
    let machine = Machine::new();
    let built = Misdeeds::new();
    let bundle = built.bundle();
    let (report, code) = machine.certify(path(&bundle), &["--level", "6"]);
    assert_eq!(code, 2, "the worst that happened");
    let named: Vec<_> = VERDICTS.iter().map(|it| it.0).collect();
    assert_eq!(named, misdeeds::names(), "there is a verdict for each");
    for (name, grade, kind, in_phase) in VERDICTS {
        let plugin = plugin(&report, name);
        let reasons = &plugin["reasons"];
        assert_eq!(plugin["grade"], *grade, "{name}: {reasons:#}");
        let Some(kind) = kind else { continue };
        let reason = reason(plugin, kind, in_phase);
        // A deed has a place in the plugin; all else has a count.
        let is_deed = reason["kind"]["deed"].is_string();
        let stack = reason["stack"].as_array().expect("a list");
        let is_here = stack.first().is_some_and(|call| call.as_str().unwrap_or("").contains("misdeeds.so"));
        assert!(!is_deed || is_here, "{name}: {reason:#}");
        assert!(reason["count"].as_u64() > Some(0), "{name}: {reason:#}");
    }
    // What is no fault is seen too.
    let notes = phase(plugin(&report, "is-not-deterministic"), "determinism")["notes"].to_string();
    assert!(notes.contains("random"), "{notes}");
    let notes = phase(plugin(&report, "good"), "determinism")["notes"].to_string();
    assert!(notes.contains("\"deterministic\""), "{notes}");
    let bursts = &phase(plugin(&report, "works-in-bursts"), "steady")["bursts"];
    assert_eq!(bursts[0]["every_blocks"], 16, "{bursts:#}");
    let held =
        |name| phase(plugin(&report, name), "activation")["held"]["live_bytes"].as_u64().expect("bytes");
    let more = held("holds-memory") - held("good");
    // The C library maps so large a block: with its own words before it, rounded up to a page;
    // and of small blocks it counts what it gave, which is some bytes more one time than another.
    assert!((1 << 20..(1 << 20) + 4096 + 512).contains(&more), "{more} bytes");
    let block = |name| reason(plugin(&report, name), "allocation", "steady")["blocks"].as_u64();
    assert_eq!(block("allocates"), Some(1000));
}

#[test]
fn a_crash_in_a_song_names_the_file_that_did_it() {
    let machine = Machine::new();
    let built = Misdeeds::new();
    fs::create_dir(machine.path("plugins")).expect("a folder");
    copy_folder(&built.bundle(), &machine.path("plugins").join("misdeeds.lv2"));
    machine.run(&["plugin", "scan"]).success();
    let song = root().join("tests/data/midi/jazzsoft/test-c-major-scale.mid");
    let output = machine.path("out.wav");
    for (name, signal) in [("crashes", "SIGSEGV"), ("aborts", "SIGABRT")] {
        let plugin = format!("lv2:urn:misdeed:{name}");
        let outcome = machine.run(&["render", path(&song), "-o", path(&output), "-p", &plugin]);
        assert_eq!(outcome.code, None, "by a signal: {outcome:#?}");
        let told = outcome.stderr.lines().last().expect("a line");
        assert!(told.starts_with(&format!("kmidi: {signal} in ")) && told.contains("misdeeds.so"), "{told}");
        assert!(!output.exists(), "nothing half-written");
    }
    machine.run(&["render", path(&song), "-o", path(&output), "-p", "lv2:urn:misdeed:good"]).success();
}

#[test]
fn how_it_ends_says_what_happened_and_a_certificate_is_kept_for_the_binary() {
    let machine = Machine::new();
    let built = Misdeeds::new();
    fs::create_dir(machine.path("plugins")).expect("a folder");
    let bundle = machine.path("plugins").join("misdeeds.lv2");
    copy_folder(&built.bundle(), &bundle);
    machine.run(&["plugin", "scan"]).success();
    for (name, code) in [("good", 0), ("first-blocks-allocate", 0), ("allocates", 1), ("crashes", 2)] {
        let id = format!("lv2:urn:misdeed:{name}");
        let (report, ended) = machine.certify(&id, &["--level", "1"]);
        assert_eq!((ended, &report["known"]), (code, &0.into()), "{name}: {report:#}");
        let (again, ended) = machine.certify(&id, &["--level", "1"]);
        assert_eq!((ended, &again["known"]), (code, &1.into()), "{name}");
        assert_eq!(again["plugins"], report["plugins"]);
    }
    let (fresh, _) = machine.certify("lv2:urn:misdeed:good", &["--level", "1", "--fresh"]);
    let (other, _) = machine.certify("lv2:urn:misdeed:good", &["--level", "1", "--seed", "2"]);
    assert_eq!((&fresh["known"], &other["known"]), (&0.into(), &0.into()));

    // Lists show it.
    let grade = |name: &str| {
        let listed = machine.run(&["plugin", "list", "--json"]).success().json();
        plugin(&listed, name)["grade"].clone()
    };
    assert_eq!(
        (grade("good"), grade("allocates"), grade("frees")),
        ("green".into(), "red".into(), Value::Null)
    );
    let info = machine.run(&["plugin", "info", "lv2:urn:misdeed:allocates"]).success().stdout;
    assert!(info.contains("red at level 1") && info.contains("allocations in"), "{info}");
    // And it is said before the plugin is loaded.
    let song = crate::support::root().join("assets/midi/freedoom-e1m1.mid");
    let played = |name: &str| {
        let id = format!("lv2:urn:misdeed:{name}");
        let song = ["--audio", "null", "--from", "85s", "--tempo-scale", "4", path(&song)];
        machine.run(&[&["play", "-p", &id], &song[..]].concat()).success().stderr
    };
    let said = "graded red (steady: ";
    assert!(played("allocates").contains(said), "{}", played("allocates"));
    assert!(!played("good").contains("graded"), "{}", played("good"));
    let output = machine.path("out.wav");
    let rendered = ["-o", path(&output), "--to", "1s", path(&song)];
    let rendered = machine.run(&[&["render", "-p", "lv2:urn:misdeed:allocates"], &rendered[..]].concat());
    assert!(rendered.success().stderr.contains(said));
    // What it holds is told where memory is told.
    let song = ["--audio", "null", "--loop", path(&song)];
    let player = machine.start(&[&["play", "-p", "lv2:urn:misdeed:good"], &song[..]].concat());
    let pid = player.id().to_string();
    let deadline = Instant::now() + DEADLINE;
    let told = loop {
        let status = machine.run(&["mem", "budget", "--json", "--pid", &pid]);
        match status.code {
            Some(0) if status.json()["foreign"][0].is_object() => break status.json()["foreign"].clone(),
            _ => assert!(Instant::now() < deadline, "{status:#?}"),
        }
    };
    assert!(told[0]["name"].as_str().is_some_and(|name| name.contains("urn:misdeed:good")), "{told}");
    assert!(told[0]["estimated_bytes"].as_u64() > Some(0), "{told}");
    let text = machine.run(&["mem", "budget", "--pid", &pid]).success().stdout;
    assert!(text.contains("plugin: "), "{text}");
    player.signal("INT");
    player.wait(DEADLINE).success();
    // Another binary has no grade.
    fs::write(
        bundle.join("manifest.ttl"),
        fs::read_to_string(bundle.join("manifest.ttl")).expect("read") + "\n",
    )
    .expect("written");
    machine.run(&["plugin", "scan"]).success();
    assert_eq!(grade("allocates"), Value::Null);

    // What is no library does not load.
    fs::write(machine.path("text.clap"), "no library").expect("written");
    let (report, code) = machine.certify(path(&machine.path("text.clap")), &[]);
    assert_eq!((code, &report["plugins"][0]["outcome"]), (3, &"not-loadable".into()), "{report:#}");
    let unknown = machine.run(&["certify", "Nothing"]);
    assert_eq!(unknown.code, Some(2), "{unknown:#?}");
}

#[test]
fn instructions_of_blocks_are_the_same_again_and_tell_the_long_ones() {
    let machine = Machine::new();
    let built = Misdeeds::new();
    let bundle = machine.path("plugins").join("misdeeds.lv2");
    fs::create_dir(machine.path("plugins")).expect("a folder");
    copy_folder(&built.bundle(), &bundle);
    machine.run(&["plugin", "scan"]).success();
    let counted = |name: &str, more: &[&str]| {
        let flags = ["--level", "1", "--instructions"];
        let (report, _) = machine.certify(&format!("lv2:urn:misdeed:{name}"), &[&flags[..], more].concat());
        let plugin = plugin(&report, name).clone();
        let of = |phase: &str, what: &str| {
            let all = plugin["instructions"].as_array().expect("a list");
            let found = all.iter().find(|it| it["phase"] == phase);
            found.unwrap_or_else(|| panic!("{plugin:#}"))[what].as_u64().expect("a number")
        };
        (of("steady", "median"), of("steady", "worst"), report["known"].as_u64())
    };
    let (median, worst, _) = counted("good", &[]);
    assert!(median > 256 && worst < 2 * median, "one addition a frame: {median}, {worst}");
    let again = counted("good", &[]);
    assert_eq!(again, (median, worst, Some(1)), "it is kept");
    let (fresh, ..) = counted("good", &["--fresh"]);
    assert!(fresh.abs_diff(median) * 1000 <= median, "{fresh} after {median}");
    let (median, worst, _) = counted("works-in-bursts", &[]);
    assert!(worst > 4 * median, "every sixteenth block is long: {median}, {worst}");
}

#[test]
fn pages_need_nothing_but_themselves_and_text_of_a_plugin_stays_text() {
    let machine = Machine::new();
    let built = Misdeeds::new();
    let (pages, table) = (machine.path("pages"), machine.path("table.md"));
    let more = ["--level", "1", "--html", path(&pages), "--markdown", path(&table)];
    let (report, _) = machine.certify(path(&built.bundle()), &more);
    let count = report["plugins"].as_array().expect("a list").len();
    let index = fs::read_to_string(pages.join("index.html")).expect("an index");
    assert_eq!(fs::read_dir(&pages).expect("a folder").count(), count + 1);
    assert_eq!(index.matches("<tr>").count(), count + 1);
    for page in fs::read_dir(&pages).expect("a folder").flatten() {
        let text = fs::read_to_string(page.path()).expect("a page");
        assert!(
            !text.contains("http://") && !text.contains("https://") && !text.contains("<script"),
            "{text}"
        );
        assert!(text.ends_with("</html>\n"));
    }
    let text = fs::read_to_string(&table).expect("a table");
    let rows = text.lines().filter(|line| line.starts_with("| ") && line.contains("urn:misdeed")).count();
    assert_eq!(rows, count);
    // What an earlier run wrote goes, and what somebody else wrote does not.
    fs::copy(pages.join("index.html"), pages.join("9999-lv2-Gone.html")).expect("written");
    fs::write(pages.join("9998-lv2-Mine.html"), "<html>mine</html>").expect("written");
    machine.certify(path(&built.bundle()), &more);
    assert!(!pages.join("9999-lv2-Gone.html").exists());
    assert!(pages.join("9998-lv2-Mine.html").exists());
    assert_eq!(fs::read_dir(&pages).expect("a folder").count(), count + 2);
}

#[test]
fn a_path_that_leads_nowhere_is_told_with_the_next_step() {
    let machine = Machine::new();
    for (what, said) in [
        ("/no/such/path", "/no/such/path: there is no such file or folder"),
        ("./nothing.clap", "./nothing.clap: there is no such file or folder"),
        ("lv2:http://no/such", "no plugin \"lv2:http://no/such\" is known"),
        ("Nothing", "no plugin \"Nothing\" is known"),
    ] {
        let outcome = machine.run(&["certify", what]);
        assert_eq!(outcome.code, Some(2), "{outcome:#?}");
        assert!(
            outcome.stderr.contains(said) && outcome.stderr.contains("kmidi plugin list"),
            "{outcome:#?}"
        );
    }
}

/// Our own plugins.
#[test]
fn our_own_plugins_pass_at_the_highest_level() {
    let machine = Machine::new();
    for name in ["gain", "soundfont"] {
        let built =
            std::env::current_exe().expect("a path").with_file_name(format!("libkmidi_{name}_clap.so"));
        let file = machine.path(&format!("{name}.clap"));
        fs::copy(built, &file).expect("the plugin is built with the tests");
        let (report, code) = machine.certify(path(&file), &["--level", "10"]);
        let plugin = &report["plugins"][0];
        assert_eq!((code, &plugin["grade"]), (0, &"green".into()), "{name}: {:#}", plugin["reasons"]);
        assert_eq!(plugin["phases"].as_array().expect("a list").len(), 15, "all phases were run");
        let peak = phase(plugin, "notes")["sound"]["peak"].as_f64();
        assert!(peak > Some(0.01), "{name} makes sound: {peak:?}");
    }
}

fn path(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
    }
}
