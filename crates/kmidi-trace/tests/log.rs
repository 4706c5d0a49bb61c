//! The log in real files, written by real processes.
#![forbid(unsafe_code)]

#[path = "log/support.rs"]
mod support;

#[path = "log/copies.rs"]
mod copies;
#[path = "log/crashes.rs"]
mod crashes;
#[path = "log/ids.rs"]
mod ids;
#[path = "log/queries.rs"]
mod queries;
#[path = "log/schema.rs"]
mod schema;
#[path = "log/writers.rs"]
mod writers;
