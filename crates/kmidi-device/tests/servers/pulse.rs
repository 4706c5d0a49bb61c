use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use kmidi_device::{AudioRequest, Backend, DeviceEvent, DeviceManager, OnLoss};

use crate::rig::{Noise, noise, wait_for, wait_until};
use crate::server::{Server, isolated, retry, run};

const PROGRAMS: &[&str] = &["pulseaudio", "pactl", "parecord"];
const SINK: &str = "sink_name=kmidi_null rate=48000 channels=2 format=float32le";

/// Runs `body` with a PulseAudio server of its own, which has the sink `kmidi_null`.
pub fn with_pulse(test: &str, body: impl FnOnce(&Path, Server)) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let server = format!("unix:{path}/pulse/native");
    let environment = [("XDG_RUNTIME_DIR", path), ("HOME", path), ("PULSE_SERVER", &server)];
    isolated(test, PROGRAMS, &environment, || {
        let folder = std::env::var("XDG_RUNTIME_DIR").unwrap();
        std::fs::create_dir(Path::new(&folder).join("pulse")).unwrap();
        let mut command = Command::new("pulseaudio");
        command.args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"]);
        command.args(["--disallow-exit", "--realtime=no", "--high-priority=no"]);
        command.args(["-L", &format!("module-null-sink {SINK}")]);
        command.args([
            "-L",
            &format!("module-native-protocol-unix socket={folder}/pulse/native auth-anonymous=1"),
        ]);
        // As a server it must not follow the variable that is meant for clients.
        command.env_remove("PULSE_SERVER");
        let server = Server::start(&mut command);
        retry("pulseaudio answers", || {
            Command::new("pactl").arg("info").output().unwrap().status.success().then_some(())
        });
        body(Path::new(&folder), server);
    });
}

pub fn pulse() -> AudioRequest {
    AudioRequest { backend: Some(Backend::Pulse), on_loss: OnLoss::Continue, ..AudioRequest::default() }
}

#[test]
fn what_is_played_arrives_in_order() {
    with_pulse("pulse::what_is_played_arrives_in_order", |folder, _server| {
        let (manager, _events) = DeviceManager::start().unwrap();
        let device = manager.open(pulse()).unwrap();
        println!("{device:?}");
        assert_eq!((&*device.device, device.sample_rate_hz), ("kmidi_null", 48_000));
        let file = folder.join("captured.raw");
        let mut record = Command::new("parecord");
        record.args([
            "--device=kmidi_null.monitor",
            "--raw",
            "--format=float32le",
            "--rate=48000",
            "--channels=2",
        ]);
        let recorder = Server::start(record.arg(&file));
        let (engine, frames) = Noise::new();
        manager.install(engine).unwrap();
        wait_until("three seconds are played", || frames.load(Ordering::Acquire) > 3 * 48_000);
        drop(recorder);
        let bytes = std::fs::read(&file).unwrap();
        let samples: Vec<f32> =
            bytes.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect();
        let frames: Vec<[f32; 2]> = samples.chunks_exact(2).map(|frame| [frame[0], frame[1]]).collect();
        // Wherever it is in order, one frame follows the other; only an underrun breaks it.
        let known: std::collections::HashMap<u32, u64> =
            (0..5 * 48_000).map(|frame| (noise(frame, 0).to_bits(), frame)).collect();
        let numbers: Vec<Option<u64>> =
            frames.iter().map(|frame| known.get(&frame[0].to_bits()).copied()).collect();
        let heard = numbers.iter().flatten().count();
        let follows =
            |pair: &&[Option<u64>]| pair[0].is_some() && pair[1] == pair[0].map(|number| number + 1);
        let in_order = numbers.windows(2).filter(follows).count();
        println!("{heard} frames heard, {in_order} in order");
        assert!(heard > 48_000 && in_order > heard * 9 / 10);
    });
}

/// cpal says nothing when the sink goes, and dropping its stream hangs: neither may be felt.
#[test]
fn a_sink_that_is_removed_is_told_and_taken_up_again_and_nothing_hangs() {
    with_pulse("pulse::a_sink_that_is_removed_is_told_and_taken_up_again_and_nothing_hangs", |_, _server| {
        let (manager, events) = DeviceManager::start().unwrap();
        manager.open(pulse()).unwrap();
        let (engine, frames) = Noise::new();
        manager.install(engine).unwrap();
        wait_until("it plays", || frames.load(Ordering::Acquire) > 48_000);
        run("pactl", &["load-module", "module-null-sink", "sink_name=another"]);

        let removed = Instant::now();
        run("pactl", &["unload-module", "module-null-sink"]);
        run("pactl", &["load-module", "module-null-sink", "sink_name=another"]);
        let reason = wait_for(&events, "lost", |event| match event {
            DeviceEvent::Lost { reason, .. } => Some(reason.clone()),
            _ => None,
        });
        println!("told after {:?}: {reason}", removed.elapsed());
        let before = frames.load(Ordering::Acquire);
        wait_until("the null clock goes on", || frames.load(Ordering::Acquire) > before + 4 * 48_000);
        assert_eq!(manager.status().calling, Some(Backend::Null), "another sink is not taken instead");

        let mut arguments = vec!["load-module", "module-null-sink"];
        arguments.extend(SINK.split(' '));
        run("pactl", &arguments);
        let device = wait_for(&events, "restored", |event| match event {
            DeviceEvent::Restored(device) => Some(device.clone()),
            _ => None,
        });
        assert_eq!(device.device, "kmidi_null");
        let before = frames.load(Ordering::Acquire);
        wait_until("it plays again", || frames.load(Ordering::Acquire) > before + 9600);
        let start = Instant::now();
        assert!(manager.close().unwrap().is_some());
        drop(manager);
        println!("closed within {:?}", start.elapsed());
        assert!(start.elapsed() < Duration::from_secs(10));
    });
}

#[test]
fn a_killed_server_is_told_and_nothing_hangs() {
    with_pulse("pulse::a_killed_server_is_told_and_nothing_hangs", |_, server| {
        let (manager, events) = DeviceManager::start().unwrap();
        manager.open(pulse()).unwrap();
        let (engine, frames) = Noise::new();
        manager.install(engine).unwrap();
        wait_until("it plays", || frames.load(Ordering::Acquire) > 48_000);
        server.kill();
        wait_for(&events, "lost", |event| matches!(event, DeviceEvent::Lost { .. }).then_some(()));
        let before = frames.load(Ordering::Acquire);
        wait_until("the null clock goes on", || frames.load(Ordering::Acquire) > before + 2 * 48_000);
        let start = Instant::now();
        assert!(manager.close().unwrap().is_some());
        drop(manager);
        assert!(start.elapsed() < Duration::from_secs(10));
    });
}
