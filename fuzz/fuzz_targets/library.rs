//! Any bytes, taken for an index of the library and for changes to one.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/library.rs"]
mod library;

fuzz_target!(|bytes: &[u8]| library::check(bytes));
