//! The PulseAudio backend against a real server with a null sink.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::support::program;
use crate::support::servers::{self, Pulse};
use crate::support::wav::Audio;
use crate::support::{alone, root};

fn song() -> String {
    root().join("tests/data/midi/freedoom/freedoom1_D_E1M1.mid").to_str().expect("UTF-8").to_owned()
}

/// Two seconds of what the sink gets.
fn record(pulse: &Pulse, folder: &Path) -> Audio {
    let output = folder.join("heard.wav");
    let device = format!("{}.monitor", Pulse::SINK);
    let mut parecord = pulse.client(Command::new("parecord"));
    parecord.args([
        "--device",
        &device,
        "--format=float32le",
        "--rate=48000",
        "--channels=2",
        "--file-format=wav",
    ]);
    parecord.arg(&output);
    let recorder = program::spawn(parecord);
    std::thread::sleep(Duration::from_secs(2));
    recorder.signal("INT");
    recorder.wait(Duration::from_secs(10));
    assert!(fs::metadata(&output).expect("a recording").len() > 48_000, "nothing recorded");
    Audio::read(&output)
}

#[test]
fn a_removed_sink_is_told_and_hangs_nothing() {
    if !servers::available("pulseaudio") {
        return;
    }
    let _alone = alone();
    let folder = tempfile::tempdir().expect("a folder");
    let pulse = Pulse::start(folder.path());
    let arguments = ["play", "--audio", "pulse", "--on-device-loss", "pause", &song()];
    let mut player = program::spawn(pulse.client(program::command(&arguments)));
    std::thread::sleep(Duration::from_secs(2));
    assert!(player.is_running());
    assert!(record(&pulse, folder.path()).peak() > 0.001, "silence");
    assert!(pulse.control(&["unload-module", "module-null-sink"]).status().expect("pactl runs").success());
    std::thread::sleep(Duration::from_secs(4));
    assert!(player.is_running(), "held, not ended");
    player.signal("INT");
    let outcome = player.wait(Duration::from_secs(10)).success();
    let text = outcome.stderr.to_lowercase();
    assert!(text.contains("lost") || text.contains("gone"), "{outcome:#?}");
    assert!(!outcome.stderr.contains("panicked"), "{outcome:#?}");
}
