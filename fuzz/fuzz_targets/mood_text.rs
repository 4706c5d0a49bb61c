//! Any text, read for what it feels.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/mood_text.rs"]
mod mood_text;

fuzz_target!(|text: &str| mood_text::check(text));
