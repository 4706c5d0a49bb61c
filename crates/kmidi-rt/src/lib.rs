//! Side A: the engine and all that runs in the audio callback.
//!
//! [`Engine`] reads top-down: take mail, then for each quantum snapshot the transport, sequence the
//! song, run the schedule; write out; publish the status. Nothing in here allocates, frees, locks,
//! waits, logs or makes a system call once the engine has been made; this crate's `clippy.toml`
//! bans what would, and names what to use instead.
//!
//! What an item may do is said by `[side A]` (inside the callback) and `[side B]` (everywhere else).
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod clock;
mod delay;
mod feed;
mod guard;
mod history;
mod ledger;
mod nodes;
mod notes;
mod outlet;
mod report;
mod schedule;
mod sequencer;
mod song;
mod swap;

pub use clock::MIN_LOOP;
pub use history::TransportHistory;
pub use nodes::{NodeEntry, NodeTable};
pub use notes::ChannelMasks;
pub use report::{Report, Reports};
pub use schedule::{EventSource, Plan, Quantum, Run, Schedule, Step};
pub use song::{
    Chase, Locate, LoopPlan, Message, Page, PageEvent, Source, Stream, Timeline, TimelineSwap, When,
};
pub use swap::{Carried, GraphSwap};
