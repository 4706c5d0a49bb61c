//! SoundFont files: what is read from whole ones, and what becomes of damaged ones.

mod installed;
#[path = "../support/mod.rs"]
mod support;
