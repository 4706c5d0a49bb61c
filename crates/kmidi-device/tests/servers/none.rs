use std::sync::atomic::Ordering;

use kmidi_device::{AudioRequest, Backend, DeviceError, DeviceManager};

use crate::rig::{Noise, wait_until};
use crate::server::isolated;

/// No server can be reached under these names.
const NOWHERE: &[(&str, &str)] = &[
    ("JACK_DEFAULT_SERVER", "kmidi-no-such-server"),
    ("PULSE_SERVER", "unix:/nonexistent/kmidi"),
    ("XDG_RUNTIME_DIR", "/nonexistent"),
];

#[test]
fn without_any_server_the_null_clock_plays_and_says_why() {
    isolated("none::without_any_server_the_null_clock_plays_and_says_why", &[], NOWHERE, || {
        let (manager, _events) = DeviceManager::start().unwrap();
        let device = manager.open(AudioRequest::default()).unwrap();
        if device.backend == Backend::Alsa {
            println!("SKIPPED: this machine has a sound card");
            return;
        }
        assert_eq!(device.backend, Backend::Null);
        println!("{:#?}", device.notes);
        for backend in ["JACK: ", "PulseAudio: ", "ALSA: "] {
            assert!(device.notes.iter().any(|note| note.starts_with(backend)), "{backend}{:?}", device.notes);
        }
        let (engine, frames) = Noise::new();
        manager.install(engine).unwrap();
        wait_until("it plays", || frames.load(Ordering::Acquire) > 9600);
    });
}

#[test]
fn a_backend_that_was_asked_for_and_is_not_there_is_an_error() {
    isolated("none::a_backend_that_was_asked_for_and_is_not_there_is_an_error", &[], NOWHERE, || {
        let (manager, _events) = DeviceManager::start().unwrap();
        for backend in [Backend::Jack, Backend::Pulse] {
            let request = AudioRequest { backend: Some(backend), ..AudioRequest::default() };
            let error = manager.open(request).unwrap_err();
            assert!(matches!(error, DeviceError::Unavailable { .. }), "{error:?}");
        }
    });
}
