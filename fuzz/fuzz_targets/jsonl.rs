//! Any bytes, read as JSON Lines.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/jsonl.rs"]
mod jsonl;

fuzz_target!(|bytes: &[u8]| jsonl::check(bytes));
