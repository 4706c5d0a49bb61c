//! Any bytes, read as chords, progressions, numerals, keys and scales.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/chord.rs"]
mod chord;

fuzz_target!(|bytes: &[u8]| {
    let _ = chord::check(bytes);
});
