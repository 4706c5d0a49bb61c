//! A server with made-up figures, asked over TCP.
#![forbid(unsafe_code)]

mod answers;
mod bounds;
mod figures;
mod rig;
mod rules;
mod stop;
