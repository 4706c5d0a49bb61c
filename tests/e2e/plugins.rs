//! Plugins through the program: found, asked, and used on a file.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use kmidi_gain_clap::ID;
use serde_json::Value;

use crate::support::program::{self, DEADLINE, Outcome};

/// What a plugin may do when it is loaded.
const MISDEEDS: &str = r#"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
__attribute__((constructor)) static void misbehave(void) {
#ifdef CRASH
    *(volatile int *)8 = 1;
#elif defined ABORT
    abort();
#elif defined HANG
    for (;;) pause();
#elif defined EXIT
    _exit(3);
#elif defined PRINT
    puts("{\"contents\":[]}\n\"end\"\n{\"done\":{}}");
    fflush(stdout);
#endif
}
"#;

/// A machine of its own: folders for plugins and for the index.
pub struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    pub fn new() -> Self {
        let machine = Machine { folder: tempfile::tempdir().expect("a folder") };
        fs::create_dir(machine.plugins()).expect("a folder");
        machine
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn plugins(&self) -> PathBuf {
        self.path("clap")
    }

    pub fn install_gain(&self) {
        self.install("libkmidi_gain_clap.so", "gain.clap");
    }

    /// Installs a library that is built with the tests.
    pub fn install(&self, library: &str, name: &str) {
        let built = std::env::current_exe().expect("a path").with_file_name(library);
        fs::copy(built, self.plugins().join(name)).expect("the plugin is built with the tests");
    }

    /// A library that does what the name says as soon as it is loaded.
    fn install_misdeed(&self, name: &str) {
        let source = self.path("misdeed.c");
        fs::write(&source, MISDEEDS).expect("written");
        let output = self.plugins().join(format!("{}.clap", name.to_lowercase()));
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-o"])
            .args([&output, &source])
            .arg(format!("-D{name}"))
            .status()
            .expect("the C compiler that the build needs");
        assert!(built.success());
    }

    /// `kmidi` on this machine, with nothing of what is installed.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.command_with(arguments, &self.plugins())
    }

    fn command_with(&self, arguments: &[&str], lv2_path: &Path) -> Command {
        let mut command = program::command(arguments);
        command.env("HOME", self.path("home")).env("XDG_CACHE_HOME", self.path("cache"));
        // Plugins write there.
        command.env("XDG_CONFIG_HOME", self.path("config"));
        command.env("CLAP_PATH", self.plugins());
        command.env("VST3_PATH", self.plugins()).env("LV2_PATH", lv2_path);
        // As on a machine without a screen.
        for name in ["QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"] {
            command.env_remove(name);
        }
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Outcome {
        self.run_with(arguments, &self.plugins())
    }

    /// [`run`](Self::run), with LV2 plugins from elsewhere.
    pub fn run_with(&self, arguments: &[&str], lv2_path: &Path) -> Outcome {
        program::spawn(self.command_with(arguments, lv2_path)).wait(4 * DEADLINE)
    }

    pub fn scan(&self) -> Value {
        self.run(&["plugin", "scan", "--json", "--timeout", "2"]).success().json()
    }
}

/// The reason that is given for a file.
fn reason<'a>(failures: &'a Value, file: &str) -> &'a str {
    let of_file = |failure: &&Value| failure["path"].as_str().is_some_and(|path| path.ends_with(file));
    let failure = failures.as_array().and_then(|all| all.iter().find(of_file));
    failure.and_then(|failure| failure["reason"].as_str()).unwrap_or_else(|| panic!("{file}: {failures:#}"))
}

/// Whether a plugin is the one that the test installed: those in the standard folders of this machine are found too.
fn is_ours(plugin: &&Value) -> bool {
    plugin["path"].as_str().is_some_and(|path| path.ends_with("/gain.clap"))
}

#[test]
fn what_a_plugin_does_in_a_scan_costs_that_plugin_alone() {
    let machine = Machine::new();
    machine.install_gain();
    ["CRASH", "ABORT", "HANG", "EXIT", "PRINT"].iter().for_each(|name| machine.install_misdeed(name));
    fs::write(machine.plugins().join("text.clap"), "no library").expect("written");
    // The index cannot name it.
    fs::write(machine.plugins().join(OsStr::from_bytes(b"odd\xff.clap")), "").expect("written");
    let scanned = machine.scan();
    let unnamed = scanned["unnamed"].as_array().map(Vec::as_slice);
    assert!(matches!(unnamed, Some([Value::String(name)]) if name.ends_with(".clap")), "{scanned:#}");
    let failures = &scanned["failures"];
    assert!(reason(failures, "/crash.clap").starts_with("crashed with SIGSEGV"), "{failures:#}");
    assert!(reason(failures, "/abort.clap").starts_with("crashed with SIGABRT"), "{failures:#}");
    assert!(reason(failures, "/hang.clap").starts_with("did not answer within 2 s"), "{failures:#}");
    assert!(reason(failures, "/exit.clap").starts_with("ended the process with exit code 3"), "{failures:#}");
    // What it prints is no answer; what is wrong with it is that it is no plugin.
    assert!(reason(failures, "/print.clap").contains("cannot be loaded"), "{failures:#}");
    assert!(reason(failures, "/text.clap").contains("cannot be loaded"), "{failures:#}");
    let listed = machine.run(&["plugin", "list", "--json"]).success().json();
    let plugins = listed["plugins"].as_array().expect("a list");
    let gain = plugins.iter().find(is_ours).expect("the good one is there");
    assert_eq!(gain["id"], format!("clap:{ID}"));
    assert_eq!((&gain["kind"], &gain["audio_outputs"]), (&"effect".into(), &2.into()));

    // Nothing has changed: nothing is asked. Then something has.
    let again = machine.scan();
    assert_eq!((&again["scanned"], &again["removed"]), (&0.into(), &0.into()), "{again:#}");
    assert_eq!(again["unchanged"], scanned["scanned"]);
    fs::write(machine.plugins().join("text.clap"), "no library either").expect("written");
    fs::remove_file(machine.plugins().join("hang.clap")).expect("removed");
    let changed = machine.scan();
    assert_eq!((&changed["scanned"], &changed["removed"]), (&1.into(), &1.into()), "{changed:#}");
}

/// A file of 32-bit floats, and its samples.
fn sound(path: &Path) -> Vec<f32> {
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 44_100,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut writer = hound::WavWriter::create(path, spec).expect("created");
    let samples: Vec<f32> = (0..100_001 * 2).map(|n| ((n as f32) * 0.0137).sin() * 0.9).collect();
    samples.iter().for_each(|sample| writer.write_sample(*sample).expect("written"));
    writer.finalize().expect("written");
    samples
}

pub fn samples(path: &Path) -> Vec<f32> {
    let mut reader = hound::WavReader::open(path).expect("a WAV file");
    reader.samples().map(|sample| sample.expect("a sample")).collect()
}

#[test]
fn a_file_goes_through_a_plugin_in_time_and_through_none_unchanged() {
    let machine = Machine::new();
    machine.install_gain();
    machine.scan();
    let (input, output) = (machine.path("in.wav"), machine.path("out.wav"));
    let before = sound(&input);
    let fx = |more: &[&str]| {
        let [input, output] = [&input, &output].map(|path| path.to_str().expect("UTF-8"));
        machine.run(&[&["fx", input, "-o", output, "--bits", "32f", "--json"], more].concat())
    };
    fx(&[]).success();
    assert!(samples(&output) == before, "bit for bit");

    let plugin = format!("clap:{ID}");
    let report = fx(&["-p", &plugin, "-c", "gain=-6.0206"]).success().json();
    assert_eq!((&report["input_frames"], &report["frames"]), (&100_001.into(), &100_001.into()));
    let after = samples(&output);
    assert_eq!(after.len(), before.len());
    // As soon as the gain is where it was set to, every sample is half of that at the same place.
    let is_half = |(before, after): (&f32, &f32)| (after - before / 2.0).abs() < 1e-4;
    assert!(before.iter().zip(&after).skip(44_100).all(is_half));
    assert!(!before.iter().skip(2).zip(&after).skip(44_100).all(is_half), "a frame of delay is seen");

    for (more, said) in [
        (vec!["-p", "Nothing"], "no plugin \"Nothing\" is known"),
        (vec!["-p", &plugin, "-c", "loudness=1"], "has no parameter \"loudness\""),
        (vec!["-p", &plugin, "-c", "gain=loud"], "\"loud\" is no value of gain"),
        (vec!["-p", &plugin, "--preset", "Warm"], "has no preset \"Warm\""),
        (vec!["-c", "gain=1"], "stands behind the --plugin"),
    ] {
        fs::remove_file(&output).ok();
        let refused = fx(&more);
        assert_eq!(refused.code, Some(2), "{refused:#?}");
        assert!(refused.stderr.contains(said), "{refused:#?}");
        assert!(!output.exists());
    }
}

#[test]
fn an_id_is_understood_without_its_format_and_no_presets_are_said_to_be_none() {
    let machine = Machine::new();
    machine.install_gain();
    machine.scan();
    let info = machine.run(&["plugin", "info", ID, "--json"]).success().json();
    assert_eq!(info["id"], format!("clap:{ID}"));
    let presets = machine.run(&["plugin", "presets", ID]).success();
    assert!(presets.stdout.is_empty() && presets.stderr.contains("has no presets"), "{presets:#?}");
}

/// Debian's compressor as VST3, if it is installed.
const VST3: &str = "/usr/lib/vst3/ZamComp.vst3";

#[test]
fn vst3_parameters_are_set_in_their_own_units_and_an_old_rack_means_what_it_meant() {
    if !Path::new(VST3).exists() {
        assert!(std::env::var_os("KMIDI_REQUIRE_PLUGINS").is_none(), "zam-plugins is missing");
        return println!("passed over: zam-plugins is not installed");
    }
    let machine = Machine::new();
    machine.scan();
    let listed = machine.run(&["plugin", "list", "--json", "--format", "vst3"]).success().json();
    let plugins = listed["plugins"].as_array().expect("a list");
    let found = plugins.iter().find(|plugin| plugin["name"] == "ZamComp").expect("it is found");
    let id = found["id"].as_str().expect("an id");
    let info = machine.run(&["plugin", "info", id, "--json"]).success().json();
    let parameters = info["parameters"].as_array().expect("a list");
    let threshold = parameters.iter().find(|it| it["symbol"] == "threshold").expect("a threshold");
    assert_eq!((&threshold["min"], &threshold["max"]), (&(-80.0).into(), &0.0.into()), "{threshold:#}");
    assert_eq!((&threshold["unit"], &threshold["is_part"]), (&"dB".into(), &false.into()), "{threshold:#}");

    let (input, output) = (machine.path("in.wav"), machine.path("out.wav"));
    sound(&input);
    let fx = |settings: &[&str]| {
        let [input, output] = [&input, &output].map(|path| path.to_str().expect("UTF-8"));
        machine.run(&[&["fx", input, "-o", output, "--bits", "32f", "-p", id], settings].concat()).success();
        samples(output.as_ref())
    };
    let plain = fx(&["-c", "threshold=-30", "-c", "makeup=6"]);
    assert!(plain == fx(&["-c", "threshold=-30 dB", "-c", "makeup=6.0 dB"]), "as it is shown");
    assert!(plain != fx(&["-c", "threshold=-10", "-c", "makeup=6"]), "the control");

    // A rack from before: the same figures are parts of the range there.
    let rack = machine.path("live.toml");
    let text = |version: &str, value: &str| {
        format!(
            "{version}[[slot]]\nname = \"comp\"\nplugin = \"{id}\"\nparameters = {{ threshold = {value} }}\n"
        )
    };
    let run = |text: &str, lines: &str| {
        fs::write(&rack, text).expect("written");
        let command = machine.command(&[
            "run",
            rack.to_str().expect("UTF-8"),
            "--headless",
            "--json",
            "--audio",
            "null",
        ]);
        let (player, mut commands) = program::spawn_with_input(command);
        player.wait_for_output("\"ready\"");
        std::io::Write::write_all(&mut commands, lines.as_bytes()).expect("it listens");
        let outcome = player.wait(4 * DEADLINE).success();
        (fs::read_to_string(&rack).expect("read"), outcome)
    };
    let old = text("", "0.5");
    let (after, outcome) = run(&old, "quit\n");
    assert_eq!(after, old, "only played");
    assert!(outcome.stderr.contains("go from 0 to 1 in this rack") && outcome.stderr.contains("version = 2"));
    let (after, _) = run(&old, "set comp makeup 6\nquit\n");
    assert!(after.contains("threshold = 0.5") && after.contains("makeup = \"6\""), "{after}");
    let (after, outcome) = run(&text("version = 2\n", "-40"), "set comp makeup 6\nquit\n");
    assert!(after.contains("threshold = -40") && after.contains("makeup = 6.0"), "{after}");
    assert!(!outcome.stderr.contains("go from 0 to 1"), "{outcome:#?}");
}

/// Why plugins of Debian cannot be had: words of the reason, and how many they are.
const KNOWN_FAILURES: [(&str, usize); 3] = [("fftw", 2), ("powf_finite", 3), ("is not in", 2)];

#[test]
fn every_installed_plugin_is_found_and_one_that_wants_a_screen_ends_nothing() {
    let (machine, installed) = (Machine::new(), Path::new("/usr/lib/lv2"));
    if !installed.join("synthv1.lv2").exists() || !Path::new("/usr/lib/clap/ZamComp.clap").exists() {
        assert!(std::env::var_os("KMIDI_REQUIRE_PLUGINS").is_none(), "synthv1-lv2 or zam-plugins is missing");
        return println!("passed over: synthv1-lv2 or zam-plugins is not installed");
    }
    let run = |arguments: &[&str]| machine.run_with(arguments, installed).success().json();
    let scanned = run(&["plugin", "scan", "--json", "--timeout", "60"]);
    let failures = scanned["failures"].as_array().expect("a list");
    let reasons: Vec<&str> = failures.iter().filter_map(|it| it["reason"].as_str()).collect();
    for (words, count) in KNOWN_FAILURES {
        assert_eq!(reasons.iter().filter(|it| it.contains(words)).count(), count, "{words}: {reasons:#?}");
    }
    let known: usize = KNOWN_FAILURES.iter().map(|(_, count)| count).sum();
    assert_eq!(reasons.len(), known, "{reasons:#?}");
    let listed = run(&["plugin", "list", "--json"]);
    let plugins = listed["plugins"].as_array().expect("a list");
    for (format, least) in [("lv2:", 500), ("clap:", 17), ("vst3:", 17)] {
        let is_of = |plugin: &&Value| plugin["id"].as_str().is_some_and(|id| id.starts_with(format));
        let count = plugins.iter().filter(is_of).count();
        println!("{format} {count} plugins");
        assert!(count >= least, "{format} {count}");
    }
    let again = run(&["plugin", "scan", "--json"]);
    assert_eq!(again["scanned"], 0, "nothing has changed: {again:#}");

    // Qt ends a process that has no screen, unless it is told to do without.
    let (input, output) = (machine.path("in.wav"), machine.path("out.wav"));
    sound(&input);
    let [input, output] = [&input, &output].map(|path| path.to_str().expect("UTF-8"));
    run(&["fx", input, "-o", output, "--json", "-p", "lv2:http://synthv1.sourceforge.net/lv2"]);
}
