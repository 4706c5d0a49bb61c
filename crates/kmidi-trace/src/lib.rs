//! What was planned and done, line by line, in a log that only grows. `[side B]`
//!
//! A [`TraceLog`] is a file of JSON Lines, a [`Record`] each: a plan, a job or a session, with where it came from, what was
//! asked for and how well it went. Several programs may write at once; each append is on the disk when it returns; what a
//! killed program leaves is at most a torn last line, which the next append takes away. Whatever looks through the file does
//! so in constant memory, also where others append meanwhile.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod append;
mod backup;
mod copy;
mod error;
mod follow;
mod index;
mod latest;
mod lock;
mod log;
mod query;
mod record;
mod section;
mod stats;
mod tail;
mod timestamp;
mod verify;

pub use append::{Appended, MAX_APPEND_BYTES};
pub use copy::{Copied, copy_lines};
pub use error::TraceError;
pub use follow::Follow;
pub use index::IndexUse;
pub use kmidi_jsonl::{BadLine, Reason};
pub use log::{Lookup, TraceLog};
pub use query::{Filter, Found, Query};
pub use record::{Draft, Kind, MAX_RECORD_BYTES, Record, SchemaError};
pub use stats::{Group, MOST_GROUPS, Scores, Stats};
pub use timestamp::{BadTimestamp, Timestamp};
pub use uuid::Uuid;
pub use verify::Verdict;
