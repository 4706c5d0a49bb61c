//! A device that is lost, hangs, or comes back changed; played by a null clock with faults.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use kmidi_device::{AudioRequest, Backend, DeviceError, DeviceEvent, DeviceManager, Faults, OnLoss};

use crate::rig::{self, Noise, wait_for, wait_until};

fn null(faults: Faults, on_loss: OnLoss) -> AudioRequest {
    AudioRequest {
        backend: Some(Backend::Null),
        period_frames: Some(256),
        on_loss,
        faults,
        ..AudioRequest::default()
    }
}

#[test]
fn an_open_device_calls_and_closing_gives_the_engine_back() {
    let (manager, _events) = DeviceManager::start().unwrap();
    let device = manager.open(null(Faults::default(), OnLoss::Pause)).unwrap();
    assert_eq!((device.sample_rate_hz, device.period_frames, device.channels_out), (48_000, 256, 2));
    let (engine, frames) = Noise::new();
    assert!(manager.install(engine).unwrap().is_none());
    wait_until("it plays", || frames.load(Ordering::Acquire) > 4800);
    let status = manager.status();
    assert_eq!(status.calling, Some(Backend::Null));
    assert!(status.callbacks > 0 && status.frames > 0 && status.load > 0.0 && status.scheduling.is_some());
    assert!(manager.close().unwrap().is_some());
    let at_close = frames.load(Ordering::Acquire);
    std::thread::sleep(Duration::from_millis(30));
    assert_eq!(frames.load(Ordering::Acquire), at_close);
    assert_eq!(manager.status().device, None);
}

#[test]
fn an_engine_that_is_replaced_comes_back() {
    let (manager, _events) = DeviceManager::start().unwrap();
    manager.open(null(Faults::default(), OnLoss::Pause)).unwrap();
    let (first, first_frames) = Noise::new();
    let (second, second_frames) = Noise::new();
    manager.install(first).unwrap();
    wait_until("the first plays", || first_frames.load(Ordering::Acquire) > 0);
    assert!(manager.install(second).unwrap().is_some());
    wait_until("the second plays", || second_frames.load(Ordering::Acquire) > 0);
    let stopped_at = first_frames.load(Ordering::Acquire);
    wait_until("the second goes on", || second_frames.load(Ordering::Acquire) > 9600);
    assert_eq!(first_frames.load(Ordering::Acquire), stopped_at);
}

/// The device goes silent without a word, and closing it hangs for longer than any limit.
#[test]
fn a_silent_device_is_told_replaced_by_the_null_clock_and_taken_up_again() {
    let (manager, events) = DeviceManager::start().unwrap();
    let faults = Faults {
        stall_at_period: Some(20),
        close_takes: Duration::from_secs(60),
        gone_for_probes: 1,
        ..Faults::default()
    };
    manager.open(null(faults, OnLoss::Continue)).unwrap();
    let (engine, frames) = Noise::new();
    manager.install(engine).unwrap();
    let action = wait_for(&events, "lost", |event| match event {
        DeviceEvent::Lost { action, .. } => Some(*action),
        _ => None,
    });
    assert_eq!(action, OnLoss::Continue);
    let when_lost = frames.load(Ordering::Acquire);
    wait_until("the null clock goes on", || frames.load(Ordering::Acquire) > when_lost + 4800);
    let device = wait_for(&events, "restored", |event| match event {
        DeviceEvent::Restored(device) => Some(device.clone()),
        _ => None,
    });
    assert_eq!((device.backend, device.sample_rate_hz), (Backend::Null, 48_000));
    let when_restored = frames.load(Ordering::Acquire);
    wait_until("the device goes on", || frames.load(Ordering::Acquire) > when_restored + 4800);
    let start = Instant::now();
    assert!(manager.close().unwrap().is_some());
    drop(manager);
    assert!(start.elapsed() < Duration::from_secs(20), "a close that hangs is left behind");
}

#[test]
fn a_device_that_comes_back_at_another_rate_waits_for_an_engine() {
    let (manager, events) = DeviceManager::start().unwrap();
    let faults = Faults { stall_at_period: Some(15), back_at_rate_hz: Some(44_100), ..Faults::default() };
    manager.open(null(faults, OnLoss::Continue)).unwrap();
    let (old, old_frames) = Noise::new();
    manager.install(old).unwrap();
    let device = wait_for(&events, "another rate", |event| match event {
        DeviceEvent::RateChanged(device) => Some(device.clone()),
        _ => None,
    });
    assert_eq!(device.sample_rate_hz, 44_100);
    let before = old_frames.load(Ordering::Acquire);
    wait_until("the old engine goes on meanwhile", || old_frames.load(Ordering::Acquire) > before + 4800);
    let (new, new_frames) = Noise::new();
    assert!(manager.install(new).unwrap().is_some());
    wait_for(&events, "restored", |event| matches!(event, DeviceEvent::Restored(_)).then_some(()));
    wait_until("the new engine plays", || new_frames.load(Ordering::Acquire) > 4800);
    assert_eq!(manager.status().device.unwrap().sample_rate_hz, 44_100);
}

#[test]
fn on_loss_stop_no_longer_calls_the_engine() {
    let (manager, events) = DeviceManager::start().unwrap();
    let faults = Faults { stall_at_period: Some(15), ..Faults::default() };
    manager.open(null(faults, OnLoss::Stop)).unwrap();
    let (engine, frames) = Noise::new();
    manager.install(engine).unwrap();
    wait_for(&events, "lost", |event| matches!(event, DeviceEvent::Lost { .. }).then_some(()));
    wait_until("nothing calls", || manager.status().calling.is_none());
    let stopped_at = frames.load(Ordering::Acquire);
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(frames.load(Ordering::Acquire), stopped_at);
    assert!(manager.close().unwrap().is_some(), "the engine is kept for its owner");
}

/// Each late wake-up is one xrun, and what was missed is not caught up.
#[test]
fn a_late_null_clock_counts_xruns_and_never_bursts() {
    let (manager, events) = DeviceManager::start().unwrap();
    let faults = Faults { late_at_periods: vec![10, 20, 30], ..Faults::default() };
    let opened = Instant::now();
    manager.open(null(faults, OnLoss::Pause)).unwrap();
    let (engine, _frames) = Noise::new();
    manager.install(engine).unwrap();
    let mut total = 0;
    while total < 3 {
        total = wait_for(&events, "xruns", |event| match event {
            DeviceEvent::Xruns { total, .. } => Some(*total),
            _ => None,
        });
    }
    let status = manager.status();
    let most = opened.elapsed().as_secs_f64() * 48_000.0 / 256.0 - 3.0 * 3.0 + 2.0;
    assert!((status.callbacks as f64) <= most, "{} callbacks, at most {most}", status.callbacks);
}

/// An engine inside a callback that does not return cannot be taken away, and nothing waits for it for ever.
#[test]
fn an_engine_that_never_returns_hangs_nobody() {
    struct Stuck(std::sync::mpsc::Receiver<()>);
    impl kmidi_core::DeviceCallback for Stuck {
        fn process(&mut self, _: &mut kmidi_core::DeviceIo<'_, '_>) {
            self.0.recv().ok();
        }
    }
    let (manager, events) = DeviceManager::start().unwrap();
    manager.open(null(Faults::default(), OnLoss::Continue)).unwrap();
    let (release, wait) = std::sync::mpsc::channel();
    manager.install(Box::new(Stuck(wait))).unwrap();
    wait_for(&events, "stuck", |event| matches!(event, DeviceEvent::EngineStuck).then_some(()));
    assert!(matches!(manager.close(), Err(DeviceError::EngineStuck)));
    drop(release);
}

#[test]
fn the_wav_tap_holds_what_was_played() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tap.wav");
    let (manager, _events) = DeviceManager::start().unwrap();
    let request = AudioRequest { wav_tap: Some(path.clone()), ..null(Faults::default(), OnLoss::Pause) };
    manager.open(request).unwrap();
    let (engine, frames) = Noise::new();
    manager.install(engine).unwrap();
    wait_until("it has played", || frames.load(Ordering::Acquire) > 10_000);
    assert_eq!(manager.status().tap_dropped_frames, 0);
    manager.close().unwrap();
    let samples: Vec<f32> =
        hound::WavReader::open(&path).unwrap().samples::<f32>().map(Result::unwrap).collect();
    let played: Vec<f32> = samples.into_iter().skip_while(|&sample| sample == 0.0).collect();
    let played = &played[..2 * frames.load(Ordering::Acquire) as usize];
    for (position, &sample) in played.iter().enumerate() {
        assert_eq!(sample, rig::noise(position as u64 / 2, position as u64 % 2), "at {position}");
    }
}

#[test]
fn a_tap_that_cannot_be_written_is_an_error_at_once() {
    let (manager, _events) = DeviceManager::start().unwrap();
    let request = AudioRequest {
        wav_tap: Some("/no/such/folder/tap.wav".into()),
        ..null(Faults::default(), OnLoss::Pause)
    };
    assert!(matches!(manager.open(request), Err(DeviceError::Tap { .. })));
}
