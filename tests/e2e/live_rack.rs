//! `kmidi run`: racks played live, saved, lost and found again.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kmidi_host::{Format, PluginId, State};
use serde_json::Value;

use super::plugins::Machine;
use crate::support::program::{self, DEADLINE, Running};
use crate::support::servers::{self, Jack};
use crate::support::wav::Audio;
use crate::support::{alone, native, root, soundfont};

const GAIN: &str = "clap:org.kmidi.gain";
const SOUNDFONT: &str = "clap:org.kmidi.soundfont";

/// A machine with the plugins of this workspace, and a place for racks.
struct Stage {
    machine: Machine,
}

impl Stage {
    fn new() -> Self {
        let machine = Machine::new();
        machine.install_gain();
        machine.install("libkmidi_soundfont_clap.so", "soundfont.clap");
        machine.scan();
        Stage { machine }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.machine.path(name)
    }

    fn command(&self, arguments: &[&str]) -> std::process::Command {
        self.machine.command(arguments)
    }

    fn rack(&self, text: &str) -> PathBuf {
        let path = self.path("live.toml");
        fs::write(&path, text).expect("written");
        path
    }

    /// Plays a rack on a clock, with commands from a pipe; returns when all plugins are there.
    fn play(&self, rack: &Path) -> (Running, std::process::ChildStdin) {
        let rack = rack.to_str().expect("UTF-8");
        let command = self.command(&["run", rack, "--headless", "--json", "--audio", "null"]);
        let (player, commands) = program::spawn_with_input(command);
        player.wait_for_output("\"ready\"");
        (player, commands)
    }

    /// What a rack that is opened again says of itself.
    fn status(&self, rack: &Path) -> Value {
        let (player, mut commands) = self.play(rack);
        status_after(&player, &mut commands, "")
    }
}

/// Sends commands and waits until they have been done.
fn status_after(player: &Running, commands: &mut std::process::ChildStdin, lines: &str) -> Value {
    let seen = player.printed_lines().len();
    commands.write_all(format!("{lines}\nstatus\n").as_bytes()).expect("it listens");
    let is_status = |line: &String| line.contains("\"event\":\"status\"") && line.ends_with('\n');
    player.wait_for_lines("a status", |lines| lines.iter().skip(seen).any(is_status));
    let line = player.printed_lines().into_iter().skip(seen).find(is_status).expect("a status");
    serde_json::from_str(&line).expect("JSON")
}

fn slot<'a>(status: &'a Value, name: &str) -> &'a Value {
    let slots = status["slots"].as_array().expect("a list");
    slots.iter().find(|slot| slot["name"] == name).unwrap_or_else(|| panic!("no {name} in {status:#}"))
}

fn terminate(player: Running) -> program::Outcome {
    player.signal("TERM");
    player.wait(Duration::from_secs(30)).success()
}

const LEVEL: &str = "# Mine.\n[[slot]]\nname = \"level\"\nplugin = \"clap:org.kmidi.gain\"\n";

#[test]
fn what_was_changed_is_saved_at_the_end_and_the_users_own_text_stays() {
    let machine = Stage::new();
    let rack = machine.rack(LEVEL);
    let (player, mut commands) = machine.play(&rack);
    let status = status_after(
        &player,
        &mut commands,
        "set level gain -6.5\nbypass level on\ngain -3\ntranspose level 2",
    );
    assert_eq!((&status["changed"], &slot(&status, "level")["bypassed"]), (&true.into(), &true.into()));
    assert_eq!(fs::read_to_string(&rack).expect("read"), LEVEL, "not before it is saved");
    terminate(player);
    let text = fs::read_to_string(&rack).expect("read");
    assert!(text.contains("# Mine.\n[[slot]]\n") && text.contains("gain = -6.5"), "{text}");
    let again = machine.status(&rack);
    let level = slot(&again, "level");
    assert_eq!((&again["changed"], &again["gain_db"]), (&false.into(), &(-3.0).into()), "{again:#}");
    assert_eq!((&level["bypassed"], &level["transpose"]), (&true.into(), &2.into()));
    assert_eq!(level["parameters"]["gain"], -6.5);
}

/// A rack of one plugin whose outputs go to five channels of the device.
fn five_channels(machine: &Stage) -> PathBuf {
    machine.machine.install("libkmidi_test_clap.so", "test.clap");
    machine.machine.scan();
    let outputs = "outputs = [{ port = 2, device = \"3-4\" }, { port = 3, device = \"5\" }]";
    let slot = "[[slot]]\nname = \"kit\"\nplugin = \"clap:test.multi\"\n";
    machine.rack(&format!("{slot}{outputs}\n"))
}

#[test]
fn a_jack_server_gets_a_port_for_each_channel() {
    if !servers::available("jackd") {
        return;
    }
    let _alone = alone();
    let machine = Stage::new();
    let rack = five_channels(&machine);
    let jack = Jack::start(256);
    let levels: Vec<f32> = kmidi_test_clap::MULTI_LEVELS.concat();
    for first in [0, 2, 3] {
        let rack = rack.to_str().expect("UTF-8");
        let player = program::spawn(jack.client(machine.command(&[
            "run",
            rack,
            "--headless",
            "--json",
            "--audio",
            "jack",
        ])));
        player.wait_for_output("\"ready\"");
        let mut recorder = jack.client(std::process::Command::new(native::recorder(&machine.path(""))));
        recorder.env("RECORDER_FIRST", first.to_string());
        recorder.arg(machine.path("ports.f32")).args(["0.5", "kmidi", "realtime"]);
        program::spawn(recorder).wait(DEADLINE).success();
        terminate(player);
        let bytes = fs::read(machine.path("ports.f32")).expect("a recording");
        let samples: Vec<f32> =
            bytes.chunks_exact(4).map(|it| f32::from_le_bytes(it.try_into().expect("four bytes"))).collect();
        let (left, right) = (samples[samples.len() - 2], samples[samples.len() - 1]);
        assert_eq!([left, right], levels[first..first + 2], "ports {} and {}", first + 1, first + 2);
    }
}

#[test]
fn outputs_of_one_plugin_go_to_channels_of_their_own() {
    let machine = Stage::new();
    let rack = five_channels(&machine);
    let tap = machine.path("tap.wav");
    let arguments =
        ["run", rack.to_str().expect("UTF-8"), "--headless", "--json", "--audio", "null", "--tap"];
    let command = machine.command(&[&arguments[..], &[tap.to_str().expect("UTF-8")]].concat());
    let (player, _commands) = program::spawn_with_input(command);
    player.wait_for_output("\"ready\"");
    std::thread::sleep(Duration::from_millis(300));
    terminate(player);
    let audio = Audio::read(&tap);
    let levels: Vec<f32> = kmidi_test_clap::MULTI_LEVELS.concat();
    assert_eq!(audio.channels.len(), levels.len(), "as many channels as are named");
    for (channel, level) in audio.channels.iter().zip(levels) {
        let held = channel.iter().filter(|sample| **sample == level).count();
        let highest = channel.iter().copied().fold(0.0, f32::max);
        assert!(held > 4800 && highest == level, "{level}: {highest}, for {held} frames");
    }
}

#[test]
fn a_rack_that_is_only_played_is_left_as_it_was() {
    let machine = Stage::new();
    let rack = machine.rack(LEVEL);
    let (player, _commands) = machine.play(&rack);
    assert!(machine.path("live.toml.journal").exists(), "control: there is one");
    terminate(player);
    assert_eq!(fs::read_to_string(&rack).expect("read"), LEVEL);
    assert!(!machine.path("live.states").exists() && !machine.path("live.toml.journal").exists());
}

#[test]
fn an_end_right_behind_a_save_loses_nothing_though_plugins_are_still_loading() {
    let machine = Stage::new();
    machine.machine.install("libkmidi_test_clap.so", "test.clap");
    machine.machine.scan();
    let slow = "[[slot]]\nname = \"slow\"\nplugin = \"clap:test.slow\"\n";
    let rack = machine.rack(&format!("{LEVEL}{slow}"));
    let path = rack.to_str().expect("UTF-8");
    let command = machine.command(&["run", path, "--headless", "--json", "--audio", "null"]);
    let (player, mut commands) = program::spawn_with_input(command);
    commands.write_all(b"set level gain -3\nsave\nset slow gain 0.5\nquit\n").expect("it listens");
    let outcome = player.wait(Duration::from_secs(30)).success();
    assert!(outcome.stderr.contains("still loading at the end"), "{outcome:#?}");
    assert!(!outcome.stderr.contains("do not say their states"), "{outcome:#?}");
    let text = fs::read_to_string(&rack).expect("read");
    assert!(text.contains("gain = -3.0") && text.contains("gain = 0.5"), "{text}");
    assert!(!machine.path("live.states").exists() && !machine.path("live.toml.journal").exists());
    // Control: with all there nothing is said of it.
    let (player, mut commands) = machine.play(&rack);
    commands.write_all(b"save\nquit\n").expect("it listens");
    let outcome = player.wait(Duration::from_secs(30)).success();
    assert!(!outcome.stderr.contains("loading") && outcome.stderr.contains("saved"), "{outcome:#?}");
}

#[test]
fn a_tap_goes_with_a_clock_alone() {
    let machine = Stage::new();
    let rack = machine.rack(LEVEL);
    let (rack, tap) = (rack.to_str().expect("UTF-8"), machine.path("tap.wav"));
    let song = root().join("tests/data/midi/freedoom/freedoom1_D_E1M1.mid");
    for what in [&["run", rack, "--headless"][..], &["play", song.to_str().expect("UTF-8")]] {
        for audio in [&["--audio", "jack"][..], &[]] {
            let arguments = [what, audio, &["--tap", tap.to_str().expect("UTF-8")]].concat();
            let outcome = program::spawn(machine.command(&arguments)).wait(DEADLINE);
            assert_eq!(outcome.code, Some(2), "{outcome:#?}");
            assert!(outcome.stderr.contains("--audio null"), "{outcome:#?}");
        }
    }
    assert!(!tap.exists());
}

#[test]
fn a_rack_that_is_killed_is_there_again_with_all_that_was_changed() {
    let machine = Stage::new();
    let rack = machine.rack(LEVEL);
    let (player, mut commands) = machine.play(&rack);
    status_after(&player, &mut commands, "set level gain -12.25\nbypass level on");
    player.signal("KILL");
    player.wait(DEADLINE);
    assert_eq!(fs::read_to_string(&rack).expect("read"), LEVEL);
    let (player, mut commands) = machine.play(&rack);
    let status = status_after(&player, &mut commands, "");
    let level = slot(&status, "level");
    assert_eq!(
        (&level["parameters"]["gain"], &level["bypassed"]),
        (&(-12.25).into(), &true.into()),
        "{status:#}"
    );
    let outcome = terminate(player);
    assert!(outcome.stderr.contains("2 changes that were not saved"), "{outcome:#?}");
    // Control: without its journal nothing of it is there.
    let rack = machine.rack(LEVEL);
    let (player, mut commands) = machine.play(&rack);
    status_after(&player, &mut commands, "set level gain -12.25");
    player.signal("KILL");
    player.wait(DEADLINE);
    fs::remove_file(machine.path("live.toml.journal")).expect("a journal");
    assert_eq!(slot(&machine.status(&rack), "level")["parameters"], serde_json::json!({}));
}

#[test]
fn a_missing_plugin_keeps_its_place_its_state_and_its_settings_and_the_rest_plays() {
    let machine = Stage::new();
    let text = format!(
        "[[slot]]\nname = \"gone\"\nplugin = \"clap:not.here\"\nstate = \"live.states/gone.7.state\"\nparameters = {{ x = 1 }}\n{LEVEL}"
    );
    let rack = machine.rack(&text);
    let state = State { id: PluginId::new(Format::Clap, "not.here"), data: b"precious".to_vec() }.to_bytes();
    let file = machine.path("live.states/gone.7.state");
    fs::create_dir(machine.path("live.states")).expect("a folder");
    fs::write(&file, &state).expect("written");
    let (player, mut commands) = machine.play(&rack);
    let status = status_after(&player, &mut commands, "set level gain -1\nsave");
    assert!(slot(&status, "gone")["state"]["missing"].is_object(), "{status:#}");
    assert_eq!(slot(&status, "level")["state"], "active");
    let outcome = terminate(player);
    assert!(outcome.stderr.contains("not.here") && outcome.stderr.contains("kmidi plugin"), "{outcome:#?}");
    let saved = fs::read_to_string(&rack).expect("read");
    assert!(saved.starts_with(&text[..text.len() - LEVEL.len()]), "{saved}");
    assert_eq!(fs::read(&file).expect("still there"), state);
}

#[test]
fn a_file_that_is_read_again_is_what_plays() {
    let machine = Stage::new();
    let rack = machine.rack(LEVEL);
    let (player, mut commands) = machine.play(&rack);
    status_after(&player, &mut commands, "bypass level on");
    let more =
        format!("{LEVEL}parameters = {{ gain = -2.0 }}\n[[slot]]\nname = \"more\"\nplugin = \"{GAIN}\"\n");
    fs::write(&rack, &more).expect("written");
    player.signal("HUP");
    player.wait_for_output("\"reloaded\"");
    let status = status_after(&player, &mut commands, "");
    let level = slot(&status, "level");
    assert_eq!(
        (&level["bypassed"], &level["parameters"]["gain"]),
        (&true.into(), &(-2.0).into()),
        "{status:#}"
    );
    assert_eq!(status["slots"].as_array().map(Vec::len), Some(2));
    // One that cannot be read changes nothing.
    fs::write(&rack, "slot = 1").expect("written");
    player.signal("HUP");
    let status = status_after(&player, &mut commands, "bypass more on");
    assert_eq!(status["slots"].as_array().map(Vec::len), Some(2), "{status:#}");
    fs::write(&rack, &more).expect("written");
    terminate(player);
}

#[test]
fn what_somebody_else_writes_into_the_file_is_not_lost_by_a_save() {
    let machine = Stage::new();
    let rack = machine.rack(LEVEL);
    let (player, mut commands) = machine.play(&rack);
    status_after(&player, &mut commands, "set level gain -6.5\ngain -3");
    fs::write(&rack, format!("{LEVEL}zone = {{ transpose = -24 }}\n# precious\n")).expect("written");
    commands.write_all(b"save\n").expect("it listens");
    player.wait_for_output("\"saved\"");
    let text = fs::read_to_string(&rack).expect("read");
    assert!(text.contains("# precious") && text.contains("transpose = -24"), "theirs: {text}");
    assert!(text.contains("gain = -6.5") && text.contains("gain_db = -3"), "and ours: {text}");
    let status = status_after(&player, &mut commands, "set level gain -7.5");
    assert_eq!(slot(&status, "level")["transpose"], -24);
    // One that is half typed is theirs; the rack goes beside it.
    fs::write(&rack, "[[slot").expect("written");
    player.signal("TERM");
    let outcome = player.wait(Duration::from_secs(30));
    assert!(outcome.stderr.contains("live.toml.unsaved"), "{outcome:#?}");
    assert_eq!(fs::read_to_string(&rack).expect("read"), "[[slot");
    let aside = fs::read_to_string(machine.path("live.toml.unsaved")).expect("written");
    assert!(aside.contains("gain = -7.5") && aside.contains("# precious"), "{aside}");
}

#[test]
fn a_value_that_is_saved_at_once_is_the_one_that_was_set() {
    let machine = Stage::new();
    let rack = machine.rack(LEVEL);
    let (player, mut commands) = machine.play(&rack);
    for value in 1..=12 {
        let seen = player.printed_lines().len();
        // The plugin may not have it yet when it is asked for its values.
        commands.write_all(format!("set level gain -{value}\nsave\n").as_bytes()).expect("it listens");
        player
            .wait_for_lines("a save", |lines| lines.iter().skip(seen).any(|line| line.contains("\"saved\"")));
        let text = fs::read_to_string(&rack).expect("read");
        assert!(text.contains(&format!("gain = -{value}.0")), "{value}: {text}");
    }
    terminate(player);
    assert!(fs::read_to_string(&rack).expect("read").contains("gain = -12.0"));
}

#[test]
fn one_value_that_cannot_be_costs_a_slot_nothing_else() {
    let machine = Stage::new();
    let rack = machine
        .rack(&format!("{LEVEL}preset = \"Hall\"\naudio_in = true\nparameters = {{ gain = \"loud\" }}\n"));
    let (player, mut commands) = machine.play(&rack);
    let sets = [r#"nosuch 1"#, "Gain -2", r#"gain "-3 dB""#, "gain 1000", "gain nan", "gain 1e9"];
    let sets = sets.map(|set| format!("set level {set}")).join("\n");
    let status = status_after(&player, &mut commands, &sets);
    assert_eq!(slot(&status, "level")["state"], "active", "{status:#}");
    let outcome = terminate(player);
    for told in [
        "\"loud\" is no value of gain",
        "no parameter \"nosuch\"",
        "\"1000\" is no value of gain",
        "--audio-in",
        "no preset \"Hall\"",
    ] {
        assert!(outcome.stderr.contains(told), "{told}: {outcome:#?}");
    }
    let text = fs::read_to_string(&rack).expect("read");
    assert!(!text.contains("nosuch") && !text.contains("Gain"), "{text}");
    assert!(text.contains("gain = -3.0"), "what is understood is written, what is refused is not: {text}");
}

#[test]
fn another_plugin_in_a_slot_gets_the_values_that_the_file_has_for_it() {
    let machine = Stage::new();
    machine.machine.install("libkmidi_test_clap.so", "test.clap");
    machine.machine.scan();
    let rack = machine.rack(&format!("{LEVEL}parameters = {{ gain = -3 }}\n"));
    let (player, mut commands) = machine.play(&rack);
    let text = fs::read_to_string(&rack).expect("read");
    let other = text.replace(GAIN, "clap:test.late").replace("gain = -3", "frames = 64");
    fs::write(&rack, other).expect("written");
    let begun = Instant::now();
    let mut status = status_after(&player, &mut commands, "reload");
    // It is late by 1000 frames as it comes.
    while slot(&status, "level")["latency_frames"] != 64 {
        assert!(begun.elapsed() < DEADLINE, "{status:#}");
        status = status_after(&player, &mut commands, "");
    }
    status_after(&player, &mut commands, "save");
    terminate(player);
    let text = fs::read_to_string(&rack).expect("read");
    assert!(text.contains("clap:test.late") && text.contains("frames = 64"), "{text}");
}

#[test]
fn hostile_racks_end_with_one_line_and_exit_code_2() {
    let machine = Stage::new();
    let play = |path: &Path| {
        let path = path.to_str().expect("UTF-8");
        program::spawn(machine.command(&["run", path, "--headless", "--audio", "null"])).wait(DEADLINE)
    };
    let slot = |more: &str| format!("[[slot]]\nname = \"a\"\nplugin = \"{GAIN}\"\n{more}");
    for (text, said) in [
        (b"\xff\xfe".to_vec(), "live.toml:1: "),
        (b"[[slot]]\nname = 3".to_vec(), "live.toml:2: "),
        (vec![b'['; 100_000], "live.toml:1: "),
        (vec![b'\n'; 2 << 20], "live.toml: "),
        (slot("state = \"../../../etc/passwd\"").into_bytes(), "live.toml:4: "),
        (slot("zone = { keys = [9, 3] }").into_bytes(), "live.toml:4: "),
        ((slot("\n") + &slot("")).into_bytes(), "live.toml:5: "),
        (slot("side_chain = \"b\"").into_bytes(), "live.toml:1: "),
    ] {
        let path = machine.path("live.toml");
        fs::write(&path, &text).expect("written");
        let outcome = play(&path);
        assert_eq!((outcome.code, outcome.stderr.lines().count()), (Some(2), 1), "{outcome:#?}");
        assert!(outcome.stderr.contains(said), "{outcome:#?}");
    }
    let outcome = play(&machine.path("none.toml"));
    assert_eq!((outcome.code, outcome.stderr.lines().count()), (Some(2), 1), "{outcome:#?}");
}

#[test]
fn a_rack_is_played_by_one_program_at_a_time() {
    let machine = Stage::new();
    let rack = machine.rack(LEVEL);
    let (player, _commands) = machine.play(&rack);
    let path = rack.to_str().expect("UTF-8");
    let other =
        program::spawn(machine.command(&["run", path, "--headless", "--audio", "null"])).wait(DEADLINE);
    assert_eq!(other.code, Some(1), "{other:#?}");
    assert!(other.stderr.contains("in use by another kmidi"), "{other:#?}");
    terminate(player);
}

#[test]
fn the_rack_that_comes_with_the_program_plays() {
    let machine = Stage::new();
    let rack = machine.rack(&fs::read_to_string(root().join("assets/racks/split.toml")).expect("an example"));
    let status = machine.status(&rack);
    let slots = status["slots"].as_array().expect("a list");
    assert_eq!(slots.len(), 3);
    assert!(slots.iter().all(|slot| slot["state"] == "active"), "{status:#}");
}

/// A SoundFont whose notes are a click of this height, as the state of a slot.
fn click(machine: &Stage, slot: &str, height: i16) {
    let font = machine.path(&format!("{slot}.sf2"));
    let mut click = soundfont::click(48_000);
    click.frames[soundfont::CLICK_FRAME] = height;
    fs::write(&font, click.bytes()).expect("written");
    let data = [b"KmiDiSf1", font.to_str().expect("UTF-8").as_bytes()].concat();
    let state = State { id: SOUNDFONT.parse().expect("an id"), data };
    fs::create_dir_all(machine.path("live.states")).expect("a folder");
    fs::write(machine.path(&format!("live.states/{slot}.1.state")), state.to_bytes()).expect("written");
}

/// Has a recorder play these messages in turn, one each 12,345 frames; returns the peak behind each.
fn peaks(machine: &Stage, jack: &Jack, messages: &str) -> Vec<f32> {
    const STEP: usize = 12_345;
    let mut recorder = jack.client(std::process::Command::new(native::recorder(&machine.path(""))));
    let output = machine.path("recording.f32");
    recorder.arg(&output).args(["5", "kmidi", "keys"]).env("RECORDER_MESSAGES", messages);
    program::spawn(recorder).wait(DEADLINE).success();
    let bytes = fs::read(&output).expect("a recording");
    let samples: Vec<f32> =
        bytes.chunks_exact(8).map(|it| f32::from_le_bytes(it[..4].try_into().expect("four bytes"))).collect();
    let notes = fs::read_to_string(output.with_extension("f32.notes")).expect("a list");
    let notes = notes.lines().map(|line| line.parse::<usize>().expect("a frame"));
    let peak = |note: usize| {
        samples[note..(note + STEP).min(samples.len())].iter().fold(0.0f32, |a, b| a.max(b.abs()))
    };
    notes.filter(|note| note + STEP <= samples.len()).map(peak).collect()
}

#[test]
fn splits_and_layers_sound_where_they_should_and_a_port_that_comes_again_is_connected_again() {
    if !servers::available("jackd") {
        return;
    }
    let _alone = alone();
    let machine = Stage::new();
    click(&machine, "low", 16_000);
    click(&machine, "high", 8_000);
    let rack = machine.rack(&format!(
        "[[slot]]\nname = \"low\"\nplugin = \"{SOUNDFONT}\"\nstate = \"live.states/low.1.state\"\n\
         zone = {{ keys = [0, 60], transpose = 12 }}\n\
         [[slot]]\nname = \"high\"\nplugin = \"{SOUNDFONT}\"\nstate = \"live.states/high.1.state\"\n\
         zone = {{ keys = [60, 127], channels = [1] }}\n\
         [[slot]]\nname = \"level\"\nplugin = \"{GAIN}\"\n\
         map = [{{ from = \"cc 74\", parameter = \"gain\", range = [-120, 0] }}]\n"
    ));
    let jack = Jack::start(256);
    let rack = rack.to_str().expect("UTF-8");
    let arguments = ["run", rack, "--headless", "--json", "--audio", "jack", "--midi-in", "recorder:keys"];
    let player = program::spawn(jack.client(machine.command(&arguments)));
    player.wait_for_output("\"ready\"");
    // Low, both, high, high on a channel that only the low one plays: silence.
    let heard = peaks(&machine, &jack, "90307f,903c7f,90487f,91487f");
    assert!(heard.len() >= 12, "{heard:?}");
    let (low, high) = (heard[0], heard[2]);
    assert!(low > 0.02 && (low / high - 2.0).abs() < 0.05, "{heard:?}");
    for (turn, expected) in heard.iter().zip([low, low + high, high, 0.0].into_iter().cycle()) {
        assert!((turn - expected).abs() < 0.01 * low, "{heard:?}");
    }
    // The keyboard has gone and comes again. Its knob takes hold at once where the level is, then turns it down.
    let heard = peaks(&machine, &jack, "b04a7f,90307f,b04a00,90307f");
    assert!((heard[1] - low).abs() < 0.01 * low, "{heard:?}");
    assert!(heard[3] < 0.01 * low, "{heard:?}");
    player.wait_for_output("\"event\":\"parameter\"");
    player.signal("INT");
    let outcome = player.wait(Duration::from_secs(30)).success();
    assert!(outcome.stderr.contains("no MIDI port recorder:keys yet"), "{outcome:#?}");
}
