//! Any bytes, read as a SoundFont of which everything is loaded.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/sf2.rs"]
mod sf2;

fuzz_target!(|bytes: &[u8]| {
    let _ = sf2::check(bytes);
});
