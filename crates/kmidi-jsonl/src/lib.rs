//! JSON Lines, read in constant memory and linear time: one JSON value a line, whatever the size of the
//! file and of its lines.
//!
//! - A line that fits the buffer is parsed where it lies; a longer one is parsed as it comes, never kept
//!   whole. What a value holds is the caller's.
//! - A line that is damaged is skipped, counted and reported by its number; those around it are read.
//!
//! All of it is side B.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod lines;
mod long_line;
mod reader;

pub use reader::{BadLine, MOST_BAD_LINES, Reader, Reason, Record};
