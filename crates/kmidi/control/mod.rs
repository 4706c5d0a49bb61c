//! How a second terminal looks into a running kmidi: each command that runs for long listens on a socket of
//! its own, whose thread sleeps until somebody asks.
//!
//! One line of JSON is a question, one line the answer: `{"ask":"snapshot"}` and `{"ok":{...}}`, or
//! `{"error":"..."}`. Nothing here touches the audio side.

pub mod client;
mod folder;
pub mod protocol;
mod server;
pub mod symbols;

pub use folder::folder;
pub use server::{Bound, Server};
