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
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        clippy::disallowed_macros,
        clippy::disallowed_types,
        reason = "tests run on side B"
    )
)]

mod border;
mod check;
mod clock;
mod delay;
mod edge;
mod engine;
mod execute;
mod feed;
mod gain;
mod guard;
mod history;
mod junction;
mod ledger;
mod load;
mod mail;
mod meters;
mod midi_map;
mod nodes;
mod notes;
mod outlet;
mod pool;
mod rack_input;
mod report;
mod schedule;
mod seqlock;
mod sequencer;
mod song;
mod status;
mod swap;
mod told;
mod zone;

pub use check::ScheduleFault;
pub use clock::MIN_LOOP;
pub use engine::{Engine, EngineConfig, EngineEnds};
pub use history::TransportHistory;
pub use junction::{Junction, Quiet};
pub use load::LoadMeter;
pub use mail::{Control, Mail, Swap};
pub use meters::Level;
pub use midi_map::{MapSource, Mapping, MidiMap};
pub use nodes::{NodeEntry, NodeTable};
pub use notes::ChannelMasks;
pub use pool::{PageSender, page_stream};
pub use rack_input::{RackInput, RackInputHandle, rack_input};
pub use report::{Report, Reports};
pub use schedule::{
    AudioEdgeSpec, ChannelFilter, EventEdgeSpec, EventSource, Mix, ProcessStep, Quantum, Schedule,
    ScheduleSpec, Step,
};
pub use song::{
    Chase, Locate, LoopPlan, Message, Page, PageEvent, Source, Stream, Timeline, TimelineSwap, When,
};
pub use status::{Drops, EngineStatus, StatusCell};
pub use swap::{Carry, GraphSwap, LostEdge, SlotChange};
pub use zone::Zone;
