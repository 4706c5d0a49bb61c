//! Groove: what holds for every song, what each engine does, and what is learnt from a song.
#![forbid(unsafe_code)]

#[path = "../common/mod.rs"]
mod common;

mod engines;
mod extracting;
mod human;
mod invariants;
mod measured;
mod reports;
mod songs;
mod streams;
