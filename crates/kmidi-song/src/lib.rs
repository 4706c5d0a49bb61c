//! Standard MIDI Files: read, repair, stream, write. Bytes in, bytes out; no input or output of its own.
//!
//! - [`SongIndex::scan`] reads a file of any size once, in bounded memory, and knows all about it:
//!   tempo and meter map, duration, programs, warnings, and places to start reading from.
//! - [`EventStream`] then gives its events in playing order, in bounded memory, from any tick.
//! - [`ChannelState`] and [`Chaser`] give what a synthesiser needs to start in the middle.
//! - [`Song`] holds a whole file in memory, to be changed and written back.
//! - [`groove`] moves its notes as drummers do, and learns from a song how its notes are moved.
//!
//! Damaged files are read as far as they can be: `midly` reads clean bytes, and where it would give
//! a track up, our own reader finds the place where events make sense again. What was lost, and
//! where, stands in the [`Warning`]s.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod chase;
mod chunks;
mod error;
mod event_bytes;
pub mod groove;
mod index;
mod meta;
mod near;
mod note;
mod parameters;
mod random;
mod reader;
mod song;
mod source;
mod stream;
mod sysex;
mod usage;
mod warning;

pub use chase::{ChannelState, ChaseMessage, Chaser};
pub use error::{SongError, WriteError};
pub use index::{Format, KeySignature, SongIndex, TextEvent, TrackSummary};
pub use meta::TextKind;
pub use near::nearest;
pub use note::Note;
pub use random::Random;
pub use song::{SmfEvent, Song, Track};
pub use source::ByteSource;
pub use stream::{EventStream, Message, StreamEvent};
pub use sysex::SystemMode;
pub use usage::ProgramUse;
pub use warning::{Warning, WarningKind, Warnings};
