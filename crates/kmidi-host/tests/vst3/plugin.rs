//! A VST3 plugin in the test itself: strict about the order of calls and their threads, and whatever else a test wants
//! it to be.
#![allow(dead_code, unused_imports, reason = "each test and the benchmark use a part")]
#![allow(non_upper_case_globals, reason = "VST3's own names in patterns")]

#[path = "component.rs"]
pub mod component;
#[path = "controller.rs"]
pub mod controller;
#[path = "factory.rs"]
pub mod factory;
#[path = "shared.rs"]
pub mod shared;

pub use factory::Factory;
pub use shared::{Config, GAIN, LATENCY, METER, MIDI, MODE, Numbers, PROGRAM, Seen, Shared, config};

/// Text in a field of UTF-16.
pub fn wide<const N: usize>(text: &str) -> [u16; N] {
    let mut field = [0; N];
    text.encode_utf16().zip(&mut field).for_each(|(unit, place)| *place = unit);
    field
}

/// Text in a field of bytes.
pub fn narrow<const N: usize>(text: &str) -> [std::ffi::c_char; N] {
    let mut field = [0; N];
    text.bytes().zip(&mut field).for_each(|(byte, place)| *place = byte as std::ffi::c_char);
    field
}
