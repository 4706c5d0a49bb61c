use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use kmidi_device::{
    AudioRequest, Backend, Block, CallbackSizes, DeviceEvent, DeviceManager, Offline, OnLoss,
};

use crate::recorder::Recorder;
use crate::rig::{Noise, noise, wait_for, wait_until};
use crate::server::{jackd, run, with_jack};

fn jack(on_loss: OnLoss) -> AudioRequest {
    AudioRequest { backend: Some(Backend::Jack), on_loss, ..AudioRequest::default() }
}

/// What an offline render of the same callback gives.
fn offline(frames: usize) -> Vec<[f32; 2]> {
    let mut rendered = Vec::new();
    let sink = |block: Block<'_>| -> Result<(), ()> {
        let frames = block.channels[0].iter().zip(block.channels[1]);
        rendered.extend(frames.map(|(&left, &right)| [left, right]));
        Ok(())
    };
    let (mut callback, _) = Noise::new();
    Offline::new(2).render(&mut *callback, &mut CallbackSizes::Random(3), frames as u64, sink).unwrap();
    rendered
}

/// The whole real path, without the noise of timing: not one bit may differ.
#[test]
fn freewheel_capture_is_bit_identical_to_the_offline_render() {
    with_jack("jack::freewheel_capture_is_bit_identical_to_the_offline_render", || {
        let _server = jackd(256);
        let (manager, _events) = DeviceManager::start().unwrap();
        let device = manager.open(jack(OnLoss::Continue)).unwrap();
        assert_eq!((device.sample_rate_hz, device.period_frames), (48_000, 256));
        assert_eq!(device.device, "system");
        let recorder = Recorder::start("kmidi", 60 * 48_000);
        run("jack_freewheel", &["y"]);
        let (engine, _frames) = Noise::new();
        manager.install(engine).unwrap();
        let start = Instant::now();
        let captured = recorder.finish();
        println!("freewheel: {:.1} x real time", 60.0 / start.elapsed().as_secs_f64());
        assert!(captured.len() > 30 * 48_000, "only {} frames", captured.len());
        assert!(captured == offline(captured.len()), "the capture differs");
        let mut altered = captured;
        *altered.last_mut().unwrap() = [0.25; 2];
        assert!(altered != offline(altered.len()), "the control: one altered frame is seen");
    });
}

/// Counts the places where `captured` does not go on with the next frame of the noise.
fn breaks(captured: &[[f32; 2]]) -> usize {
    let key = |frame: &[f32; 2]| frame.map(f32::to_bits);
    let known: HashMap<[u32; 2], u64> = (0..3 * captured.len() as u64)
        .map(|frame| (key(&[noise(frame, 0), noise(frame, 1)]), frame))
        .collect();
    let numbers: Vec<Option<u64>> = captured.iter().map(|frame| known.get(&key(frame)).copied()).collect();
    numbers.windows(2).filter(|pair| pair[1] != pair[0].map(|number| number + 1)).count()
}

#[test]
fn real_time_at_256_is_continuous() {
    with_jack("jack::real_time_at_256_is_continuous", || {
        let _server = jackd(256);
        let (manager, _events) = DeviceManager::start().unwrap();
        manager.open(jack(OnLoss::Continue)).unwrap();
        let recorder = Recorder::start("kmidi", 10 * 48_000);
        let (engine, _frames) = Noise::new();
        manager.install(engine).unwrap();
        let captured = recorder.finish();
        let (found, status) = (breaks(&captured), manager.status());
        println!("10 s at 256: {found} breaks, {} xruns, {:?}", status.xruns, status.scheduling);
        assert!(captured.len() > 9 * 48_000);
        // A shared machine may be late; then JACK says so.
        assert!(found <= 2 * status.xruns as usize + 2, "{found} breaks, {} xruns", status.xruns);
        let mut planted = captured[..4800].to_vec();
        planted.remove(2400);
        assert_eq!(breaks(&planted), breaks(&captured[..4800]) + 1, "the control");
    });
}

#[test]
fn a_live_change_of_the_buffer_size_is_followed() {
    with_jack("jack::a_live_change_of_the_buffer_size_is_followed", || {
        let _server = jackd(256);
        let (manager, events) = DeviceManager::start().unwrap();
        manager.open(jack(OnLoss::Continue)).unwrap();
        let (engine, frames) = Noise::new();
        manager.install(engine).unwrap();
        for period in [64, 1024] {
            run("jack_bufsize", &[&period.to_string()]);
            let told = wait_for(&events, "the period changes", |event| match event {
                DeviceEvent::PeriodChanged { period_frames } => Some(*period_frames),
                DeviceEvent::Lost { .. } => panic!("lost"),
                _ => None,
            });
            assert_eq!(told, period);
            assert_eq!(manager.status().device.unwrap().period_frames, period);
            let before = frames.load(Ordering::Acquire);
            wait_until("it plays on", || frames.load(Ordering::Acquire) > before + 9600);
            assert_eq!(manager.status().calling, Some(Backend::Jack));
        }
    });
}

/// The server is killed, nothing else: the song goes on, the client hears of it, and when the server
/// is there again so is the sound.
#[test]
fn a_killed_server_is_told_and_taken_up_again() {
    with_jack("jack::a_killed_server_is_told_and_taken_up_again", || {
        let server = jackd(256);
        let (manager, events) = DeviceManager::start().unwrap();
        manager.open(jack(OnLoss::Continue)).unwrap();
        let (engine, frames) = Noise::new();
        manager.install(engine).unwrap();
        wait_until("it plays", || frames.load(Ordering::Acquire) > 9600);
        let killed = Instant::now();
        server.kill();
        let reason = wait_for(&events, "lost", |event| match event {
            DeviceEvent::Lost { reason, action: OnLoss::Continue, .. } => Some(reason.clone()),
            _ => None,
        });
        println!("told after {:?}: {reason}", killed.elapsed());
        let before = frames.load(Ordering::Acquire);
        wait_until("the null clock goes on", || frames.load(Ordering::Acquire) > before + 48_000);
        assert_eq!(manager.status().calling, Some(Backend::Null));

        let _again = jackd(256);
        wait_for(&events, "restored", |event| matches!(event, DeviceEvent::Restored(_)).then_some(()));
        println!("restored {:?} after the kill", killed.elapsed());
        assert_eq!(manager.status().calling, Some(Backend::Jack));
        let captured = Recorder::start("kmidi", 48_000).finish();
        assert!(!captured.is_empty(), "it sounds again");
        let start = Instant::now();
        assert!(manager.close().unwrap().is_some());
        drop(manager);
        assert!(start.elapsed() < Duration::from_secs(10));
    });
}

#[test]
fn a_device_that_is_not_there_is_an_error_that_names_those_that_are() {
    with_jack("jack::a_device_that_is_not_there_is_an_error_that_names_those_that_are", || {
        let _server = jackd(256);
        let (manager, _events) = DeviceManager::start().unwrap();
        let request = AudioRequest { device: Some("elsewhere".to_owned()), ..jack(OnLoss::Continue) };
        let error = manager.open(request).unwrap_err().to_string();
        assert!(error.contains("elsewhere") && error.contains("system"), "{error}");
    });
}

#[test]
fn the_list_names_what_can_be_opened() {
    with_jack("jack::the_list_names_what_can_be_opened", || {
        let _server = jackd(256);
        let listed = kmidi_device::list_devices();
        let offered = listed.iter().find(|info| info.backend == Backend::Jack).unwrap();
        assert_eq!(offered.unavailable, None);
        let system = &offered.devices[0];
        assert!(system.id == "system" && system.is_default && system.channels == Some(2));
        assert_eq!(system.sample_rate_hz, Some(48_000));
        let (manager, _events) = DeviceManager::start().unwrap();
        for device in &offered.devices {
            let request = AudioRequest { device: Some(device.id.clone()), ..jack(OnLoss::Continue) };
            assert_eq!(manager.open(request).unwrap().device, device.id);
        }
    });
}
