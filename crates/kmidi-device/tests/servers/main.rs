//! Real servers: JACK with its dummy driver, PulseAudio with a null sink, and none at all.
//!
//! A test whose programs are not installed says so and passes; with `KMIDI_REQUIRE_SERVERS=1` it fails.
#![forbid(unsafe_code)]

mod alsa;
mod jack;
mod jack_midi;
mod none;
mod pulse;
mod recorder;
#[path = "../device/rig.rs"]
mod rig;
mod server;
