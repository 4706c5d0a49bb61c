//! The library as its users meet it: real files, a real index, under the allocator that counts.

#[path = "../support/mod.rs"]
mod support;

mod engine;
mod files;
mod history;
mod hostile;
mod searching;
mod sounds;

#[global_allocator]
static HEAP: kmidi_memory::Heap = kmidi_memory::Heap::new();
