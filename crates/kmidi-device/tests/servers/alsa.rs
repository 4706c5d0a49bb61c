//! ALSA without a sound card: its own plugin that plays to PulseAudio.

use std::sync::atomic::Ordering;

use kmidi_device::{AudioRequest, Backend, DeviceError, DeviceEvent, DeviceManager};

use crate::pulse::{pulse, with_pulse};
use crate::rig::{Noise, wait_for, wait_until};
use crate::server::skip;

#[test]
fn a_device_of_alsa_plays_and_its_loss_is_told() {
    let test = "alsa::a_device_of_alsa_plays_and_its_loss_is_told";
    with_pulse(test, |_, server| {
        let (manager, events) = DeviceManager::start().unwrap();
        let request = AudioRequest {
            backend: Some(Backend::Alsa),
            device: Some("pulse".to_owned()),
            period_frames: Some(1024),
            ..pulse()
        };
        let device = match manager.open(request) {
            Err(DeviceError::NotFound { existing, .. }) => {
                return skip(test, &format!("ALSA has no device `pulse` (libasound2-plugins): {existing:?}"));
            }
            opened => opened.unwrap(),
        };
        println!("{device:?}");
        let (engine, frames) = Noise::new();
        manager.install(engine).unwrap();
        wait_until("it plays", || frames.load(Ordering::Acquire) > 2 * 48_000);
        // On a busy machine it may have been lost in between, and come back.
        wait_until("the device plays", || manager.status().calling == Some(Backend::Alsa));
        events.try_iter().for_each(drop);
        server.kill();
        let reason = wait_for(&events, "lost", |event| match event {
            DeviceEvent::Lost { reason, .. } => Some(reason.clone()),
            _ => None,
        });
        println!("{reason}");
        let before = frames.load(Ordering::Acquire);
        wait_until("the null clock goes on", || frames.load(Ordering::Acquire) > before + 48_000);
        assert!(manager.close().unwrap().is_some());
    });
}

#[test]
fn a_device_without_a_clock_is_refused() {
    let (manager, _events) = DeviceManager::start().unwrap();
    let request = AudioRequest {
        backend: Some(Backend::Alsa),
        device: Some("null".to_owned()),
        ..AudioRequest::default()
    };
    assert!(matches!(manager.open(request), Err(DeviceError::BadRequest { .. })));
}
