//! CLAP plugins through the face that every format has.

mod foreign;
mod rig;
