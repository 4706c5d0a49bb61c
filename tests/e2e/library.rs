//! `kmidi index` and `kmidi search`: what they print, how they end, and what stays when they are ended.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::program::{self, Outcome};
use crate::support::root;

struct Place(tempfile::TempDir);

impl Place {
    /// Songs of the house, under names that people give.
    fn new() -> Self {
        let place = Place(tempfile::tempdir().expect("a folder"));
        let song = fs::read(root().join("assets/midi/freedoom-inter.mid")).expect("a song");
        for name in ["pads/Warm Pad Am 90bpm.mid", "keys/Soft Piano.mid", "keys/Hard Piano.mid"] {
            place.write(name, &song);
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().canonicalize().expect("it is there").join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path("sounds").join(name);
        fs::create_dir_all(path.parent().expect("it has one")).expect("made");
        fs::write(path, bytes).expect("written");
    }

    /// A command whose cache folder is this one's.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program::command(arguments);
        command.env("XDG_CACHE_HOME", self.path("cache")).current_dir(self.0.path());
        command
    }

    fn kmidi(&self, arguments: &[&str]) -> Outcome {
        program::spawn(self.command(arguments)).wait(program::DEADLINE)
    }

    fn json(&self, arguments: &[&str]) -> Value {
        self.kmidi(&[arguments, &["--json"]].concat()).success().json()
    }

    fn index(&self) -> PathBuf {
        self.path("cache/kmidi/library.index")
    }

    fn names(&self, arguments: &[&str]) -> Vec<String> {
        let found = self.json(&[&["search"], arguments].concat());
        let results = found["results"].as_array().expect("a list").clone();
        results.iter().map(|it| it["name"].as_str().expect("a name").to_owned()).collect()
    }
}

#[test]
fn what_is_indexed_is_found_with_every_option_and_leaves_when_it_is_taken_out() {
    let place = Place::new();
    let early = place.kmidi(&["search", "piano"]);
    assert_eq!(early.code, Some(2));
    assert!(early.stderr.contains("kmidi index add"), "{early:#?}");
    let report = place.json(&["index", "add", "sounds"]);
    assert_eq!((&report["items"], &report["damaged_files"]), (&3.into(), &0.into()), "{report:#}");
    let found = place.json(&["search", "warm", "pad", "--explain"]);
    let best = &found["results"][0];
    assert_eq!(best["name"], "Warm Pad Am 90bpm");
    assert_eq!(best["path"], place.path("sounds/pads/Warm Pad Am 90bpm.mid").to_str().expect("UTF-8"));
    assert_eq!(best["type"], "midi");
    assert!(best["score"].as_f64().is_some_and(|score| score > 0.9), "{found:#}");
    assert!(best["why"].as_array().expect("a list").contains(&"warm".into()), "{found:#}");
    assert!(best["explain"]["word_rank"] == 1, "{found:#}");
    assert_eq!(place.names(&["piano"]).len(), 2);
    assert_eq!(place.names(&["piano", "--limit", "1"]).len(), 1);
    assert_eq!(place.names(&["piano", "--type", "audio"]), [""; 0]);
    assert_eq!(place.names(&["piano", "--duration", "-0.1"]), [""; 0]);
    assert_eq!(place.names(&["soft", "piano", "--min-score", "0.999"]), ["Soft Piano"]);
    let lines = place.kmidi(&["search", "piano", "--paths"]).success().stdout;
    assert!(lines.lines().count() == 2 && lines.lines().all(|line| Path::new(line).is_file()), "{lines}");
    let zeros = place.kmidi(&["search", "piano", "--paths", "-0"]).success().stdout;
    assert_eq!(zeros, lines.replace('\n', "\0"));
    for bad in
        [["--bpm", "fast"], ["--key", "H"], ["--min-score", "2"], ["--limit", "0"], ["--type", "video"]]
    {
        assert_eq!(place.kmidi(&[&["search", "x"], &bad[..]].concat()).code, Some(2), "{bad:?}");
    }
    place.kmidi(&["index", "remove", "sounds/keys"]).success();
    assert_eq!(place.names(&["piano"]), [""; 0]);
    assert_eq!(place.json(&["index", "status"])["remembered"], 1, "two names of one content");
    assert_eq!(place.json(&["index", "compact"])["forgotten"], 1);
}

#[test]
fn a_damaged_index_is_told_with_the_way_back() {
    let place = Place::new();
    place.kmidi(&["index", "add", "sounds"]).success();
    let whole = fs::read(place.index()).expect("it is there");
    fs::write(place.index(), &whole[..whole.len() / 2]).expect("written");
    for command in [
        &["search", "pad"][..],
        &["index", "status"],
        &["index", "add", "sounds"],
        &["index", "remove", "sounds"],
        &["index", "compact"],
    ] {
        let told = place.kmidi(command);
        assert_eq!(told.code, Some(2), "{told:#?}");
        assert!(told.stderr.contains("kmidi index add --rebuild"), "{told:#?}");
    }
    place.kmidi(&["index", "add", "--rebuild", "sounds"]).success();
    assert_eq!(place.names(&["warm"]).len(), 1);
}

/// As a full disk is: what is written beyond a size is refused.
#[test]
fn a_full_disk_leaves_the_old_index() {
    let place = Place::new();
    place.kmidi(&["index", "add", "sounds"]).success();
    let whole = fs::read(place.index()).expect("it is there");
    place.write("more/Cello.mid", &fs::read(root().join("assets/midi/freedoom-inter.mid")).expect("a song"));
    let kmidi = place.command(&["index", "add", "--no-plugins"]);
    let full = program::on_full_disk(1, &kmidi);
    assert_eq!(full.code, Some(1), "{full:#?}");
    assert!(full.stderr.contains("library.index"), "{full:#?}");
    assert_eq!(fs::read(place.index()).expect("it is there"), whole);
    let left = fs::read_dir(place.index().parent().expect("a folder")).expect("a folder").count();
    assert_eq!(left, 2, "the index and its lock");
    place.kmidi(&["index", "add"]).success();
    assert_eq!(place.names(&["cello"]), ["Cello"]);
}

#[test]
fn what_cannot_be_printed_is_an_error_also_without_a_last_line() {
    let place = Place::new();
    place.kmidi(&["index", "add", "sounds"]).success();
    for arguments in [
        &["search", "piano", "--json"][..],
        &["search", "piano", "--paths", "-0"],
        &["index", "status"],
        &["index", "add"],
    ] {
        program::check_printing(&place.command(arguments));
    }
}

#[test]
fn a_budget_that_is_too_small_is_told_with_what_raises_it() {
    let place = Place::new();
    let small = ["--memory-working-mb", "1"];
    let check = |arguments: &[&str]| {
        let refused = place.kmidi(&[arguments, &small].concat());
        assert_eq!(refused.code, Some(1), "{refused:#?}");
        assert!(refused.stderr.contains("KMIDI_MEMORY_WORKING_MB"), "{refused:#?}");
        place.kmidi(arguments).success();
    };
    check(&["index", "add", "sounds"]);
    // The most that may be asked for takes more than a song or two.
    let song = fs::read(root().join("assets/midi/freedoom-inter.mid")).expect("a song");
    (0..4).for_each(|number| place.write(&format!("more/{number}.mid"), &song));
    check(&["index", "add"]);
    assert_eq!(place.names(&["piano"]).len(), 2, "nothing was lost");
}

#[test]
fn a_budget_that_is_too_small_for_a_search_is_told_and_loses_nothing() {
    const SONGS: usize = 1500;
    let place = Place::new();
    let add = ["index", "add", "sounds", "--no-plugins"];
    let search = |arguments: &[&str]| place.kmidi(&[&["search", "piano", "--json"], arguments].concat());
    let small = |of: &'static str| [of, "1"];
    place.kmidi(&add).success();
    search(&small("--memory-working-mb")).success();
    let empty = b"MThd\0\0\0\x06\0\0\0\x01\0\x60MTrk\0\0\0\x04\0\xff\x2f\0";
    (0..SONGS).for_each(|number| place.write(&format!("many/Organ {number}.mid"), empty));
    place.kmidi(&add).success();
    let (whole, before) = (fs::read(place.index()).expect("it is there"), search(&[]).success().stdout);
    for (flag, variable) in
        [("--memory-working-mb", "KMIDI_MEMORY_WORKING_MB"), ("--memory-total-mb", "KMIDI_MEMORY_TOTAL_MB")]
    {
        let refused = search(&small(flag));
        assert_eq!(refused.code, Some(1), "{refused:#?}");
        assert!(refused.stderr.contains(variable) && refused.json()["results"].is_null(), "{refused:#?}");
        assert_eq!(search(&[flag, "3"]).success().stdout, before);
    }
    assert!(fs::read(place.index()).expect("it is there") == whole);
}

/// With the model for meaning, where it has been fetched.
#[test]
fn without_room_for_the_model_words_are_enough_and_what_is_not_known_is_told() {
    let Some(home) = program::home_of("minilm") else {
        return eprintln!("passed over: the model for meaning has not been fetched");
    };
    let place = Place::new();
    let run = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        command.env("XDG_DATA_HOME", &home);
        program::spawn(command).wait(program::DEADLINE).success()
    };
    run(&["index", "add", "sounds", "--no-plugins"]);
    let small = run(&["search", "piano", "--json", "--memory-models-mb", "1"]);
    for part in ["KMIDI_MEMORY_MODELS_MB", "going by words alone"] {
        assert!(small.stderr.contains(part), "{part}: {small:#?}");
    }
    let (small, whole) = (small.json(), run(&["search", "piano", "--json"]));
    assert_eq!(small["searched_by"], "words-no-model");
    assert_eq!(small["results"].as_array().expect("a list").len(), 2, "{small:#}");
    assert!(!whole.stderr.contains("words alone"), "{whole:#?}");
    let whole = whole.json();
    assert_eq!((&whole["searched_by"], &whole["note"]), (&"likeness-and-words".into(), &Value::Null));
    let first = |found: &Value, name: &str| found["results"][0][name].clone();
    let (slip, right) = (run(&["search", "sotf piano", "--json"]), run(&["search", "soft piano", "--json"]));
    assert_eq!(first(&slip.json(), "name"), "Soft Piano");
    let like = |found: &Value| first(found, "why").as_array().expect("a list").last().cloned();
    assert_eq!(like(&slip.json()), like(&right.json()), "the model is asked what was meant");
    let nonsense = run(&["search", "qwer zxcv", "--json"]);
    assert!(nonsense.stderr.contains("no word of the text is known"), "{nonsense:#?}");
    let nonsense = nonsense.json();
    assert!(nonsense["note"].as_str().is_some_and(|it| it.contains("no word")), "{nonsense:#}");
    assert_eq!(nonsense["unknown_words"], serde_json::json!(["qwer", "zxcv"]));
    let lovely = run(&["search", "lovely zxcv", "--json"]);
    assert!(!lovely.stderr.contains("no word"), "control: the model knows one: {lovely:#?}");
    assert_eq!(lovely.json()["unknown_words"], serde_json::json!(["zxcv"]));
}

#[test]
fn what_a_filter_is_there_for_is_told_and_a_range_upside_down_too() {
    let place = Place::new();
    place.kmidi(&["index", "add", "sounds", "--no-plugins"]).success();
    let told = |arguments: &[&str]| place.kmidi(&[&["search", "--json"], arguments].concat()).success();
    let hinted = told(&["piano", "186", "bpm", "in D minor"]);
    for flag in ["--bpm 186", "--key \"D minor\""] {
        assert!(hinted.stderr.contains(flag), "{hinted:#?}");
    }
    let asked = told(&["piano 186 bpm in D minor", "--bpm", "186", "--key", "Dm"]);
    assert!(!asked.stderr.contains("--bpm") && !asked.stderr.contains("--key"), "{asked:#?}");
    assert_eq!(told(&["piano qwer"]).json()["unknown_words"], serde_json::json!(["qwer"]));
    let turned = place.kmidi(&["search", "piano", "--bpm", "120-90"]);
    assert!(turned.code == Some(2) && turned.stderr.contains("90-120"), "{turned:#?}");
    told(&["piano", "--bpm", "90-120"]);
}

#[test]
fn a_model_that_is_damaged_is_told_and_words_are_enough() {
    let place = Place::new();
    let models = place.path("models");
    fs::create_dir_all(models.join("minilm")).expect("made");
    for file in ["minilm.onnx", "minilm.data"] {
        fs::write(models.join("minilm").join(file), "no model").expect("written");
    }
    let models = ["--models", models.to_str().expect("UTF-8")];
    let told = place.kmidi(&[&["index", "add", "sounds"], &models[..]].concat()).success();
    for part in ["the model minilm is damaged", "kmidi models fetch minilm", "going by words alone"] {
        assert!(told.stderr.contains(part), "{part}: {told:#?}");
    }
    assert_eq!(place.names(&[&["warm"][..], &models[..]].concat()), ["Warm Pad Am 90bpm"]);
    let missing = place.kmidi(&["index", "add", "--no-plugins"]).success();
    assert!(
        !missing.stderr.contains("damaged"),
        "control: one that is not there is not damaged: {missing:#?}"
    );
}

/// Where the model has been fetched: an index that has vectors, searched by a model that is gone, cut or changed.
#[test]
fn a_search_by_meaning_without_its_model_goes_by_words_and_says_why() {
    let Some(home) = program::home_of("minilm") else { return };
    let place = Place::new();
    let fetched = home.join("kmidi/models");
    let with = |models: &Path, arguments: &[&str]| {
        place.kmidi(&[arguments, &["--models", models.to_str().expect("UTF-8"), "--json"]].concat())
    };
    with(&fetched, &["index", "add", "sounds"]).success();
    let search = |models: &Path| with(models, &["search", "warm", "pad"]).success();
    assert_eq!(search(&fetched).json()["searched_by"], "likeness-and-words");
    let folder = place.path("models");
    let check = |why: &str| {
        let told = search(&folder);
        assert!(told.stderr.contains(why) && told.stderr.contains("kmidi models fetch minilm"), "{told:#?}");
        assert_eq!(told.json()["searched_by"], "words-no-model", "{told:#?}");
        assert_eq!(told.json()["results"][0]["name"], "Warm Pad Am 90bpm");
    };
    check("by words alone");
    fs::create_dir_all(folder.join("minilm")).expect("made");
    for file in ["minilm.onnx", "minilm.data"] {
        fs::copy(fetched.join("minilm").join(file), folder.join("minilm").join(file)).expect("copied");
    }
    assert_eq!(search(&folder).json()["searched_by"], "likeness-and-words", "control");
    let graph = folder.join("minilm/minilm.onnx");
    let mut bytes = fs::read(&graph).expect("it is there");
    bytes[1000] ^= 1;
    fs::write(&graph, &bytes).expect("written");
    check("is damaged");
    fs::write(&graph, &bytes[..1000]).expect("written");
    check("has 1000 bytes of");
}

/// Killed in the middle, again and again: there is an index that can be searched, and the next run goes on.
#[test]
fn kill_9_in_the_middle_leaves_an_index_that_can_be_searched() {
    let place = Place::new();
    place.kmidi(&["index", "add", "sounds"]).success();
    let song = fs::read(root().join("assets/midi/freedoom-inter.mid")).expect("a song");
    for number in 0..300u32 {
        // Each with a content of its own, so that each is analysed.
        let bytes = [&song[..], &number.to_le_bytes()].concat();
        place.write(&format!("many/Song {number}.mid"), &bytes);
    }
    for millis in [30, 80, 200, 400] {
        let mut child = place.command(&["index", "add"]).spawn().expect("it starts");
        std::thread::sleep(std::time::Duration::from_millis(millis));
        let _ = child.kill();
        child.wait().expect("it has ended");
        assert!(place.names(&["warm", "pad"]).contains(&"Warm Pad Am 90bpm".to_owned()));
    }
    assert_eq!(place.json(&["index", "add"])["items"], 303);
    let left: Vec<_> = fs::read_dir(place.index().parent().expect("a folder")).expect("a folder").collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

/// Of two that index at once one is told that the other does, or both come in turn; whoever it is, all is there in the end.
#[test]
fn two_programs_that_index_at_once_leave_one_whole_index() {
    let place = Place::new();
    let song = fs::read(root().join("assets/midi/freedoom-inter.mid")).expect("a song");
    for number in 0..100u32 {
        place.write(&format!("many/Song {number}.mid"), &[&song[..], &number.to_le_bytes()].concat());
    }
    let running = [0, 1].map(|_| program::spawn(place.command(&["index", "add", "sounds"])));
    let ended = running.map(|it| it.wait(program::DEADLINE));
    assert!(ended.iter().any(|it| it.code == Some(0)), "{ended:#?}");
    let refused = ended.iter().filter(|it| it.code != Some(0));
    assert!(
        refused.clone().all(|it| it.code == Some(1) && it.stderr.contains("another kmidi")),
        "{ended:#?}"
    );
    assert_eq!(place.json(&["index", "add"])["items"], 103);
    assert_eq!(place.names(&["warm", "pad"])[0], "Warm Pad Am 90bpm");
}

#[test]
fn indexing_and_searching_take_no_more_than_they_were_promised() {
    for operation in ["index", "search"] {
        let report = program::kmidi(&["mem", "profile", operation, "--json"]).success().json();
        let profile = &report["profiles"][0];
        let of = |name: &str| profile[name].as_u64().unwrap_or_else(|| panic!("no {name}: {profile:#}"));
        assert!(of("observed_bytes") > 32 << 10 && of("observed_bytes") <= of("leased_bytes"), "{profile:#}");
        assert_eq!(report["over_lease"], false);
    }
}

/// What a plugin tells of its presets in a scan is found, without loading the plugin again.
#[test]
fn presets_of_a_plugin_are_found_and_leave_with_it() {
    let (place, plugins) = (Place::new(), tempfile::tempdir().expect("a folder"));
    let installed = plugins.path().join("test.clap");
    let built = std::env::current_exe().expect("a path").with_file_name("libkmidi_test_clap.so");
    fs::copy(built, &installed).expect("the plugin is built with the tests");
    let run = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        for name in ["CLAP_PATH", "VST3_PATH", "LV2_PATH", "HOME"] {
            command.env(name, plugins.path());
        }
        program::spawn(command).wait(2 * program::DEADLINE).success().json()
    };
    run(&["plugin", "scan", "--json"]);
    run(&["index", "add", "--json"]);
    let of_plugin = |found: &Value| {
        let results = found["results"].as_array().expect("a list").clone();
        let ours = results.into_iter().filter(|it| it["path"] == installed.to_str().expect("UTF-8"));
        ours.map(|it| it["part"].as_str().expect("a text").to_owned()).collect::<Vec<_>>()
    };
    let loud = ["search", "loud", "--type", "preset", "--json"];
    let parts = of_plugin(&run(&loud));
    assert!(parts.len() == 1 && parts[0].ends_with(" plugin#loud"), "{parts:?}");
    assert_eq!(of_plugin(&run(&["search", "another", "--type", "preset", "--json"])), [""; 0], "of another");
    fs::remove_file(&installed).expect("removed");
    run(&["plugin", "scan", "--json"]);
    run(&["index", "add", "--json"]);
    assert_eq!(of_plugin(&run(&loud)), [""; 0]);
}

/// Presets of a SoundFont are items of their own, found by what programs are in General MIDI.
#[test]
fn presets_of_a_soundfont_are_found() {
    let font = Path::new("/usr/share/sounds/sf2/TimGM6mb.sf2");
    if !font.is_file() {
        assert!(std::env::var_os("KMIDI_REQUIRE_PLUGINS").is_none(), "timgm6mb-soundfont is not installed");
        eprintln!("passed over: timgm6mb-soundfont is not installed");
        return;
    }
    let place = Place::new();
    place.kmidi(&["index", "add", font.to_str().expect("UTF-8"), "--no-plugins"]).success();
    let found = place.json(&["search", "church organ", "--type", "preset"]);
    let best = &found["results"][0];
    assert_eq!(best["part"], "0:19", "{found:#}");
    assert!(place.names(&["drum", "kit", "--type", "preset", "-n", "50"]).len() > 3);
}
