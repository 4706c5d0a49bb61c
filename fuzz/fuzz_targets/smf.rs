//! Any bytes, read as a Standard MIDI File.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/smf.rs"]
mod smf;

fuzz_target!(|bytes: &[u8]| smf::check(bytes));
