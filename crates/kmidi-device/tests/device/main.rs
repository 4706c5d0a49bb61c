//! Devices and files through the crate's public door.
#![forbid(unsafe_code)]

mod files;
mod loss;
mod rig;
