//! What watches the program from outside: whether it lives, whether it is ready, how it is, and its figures.
//!
//! | route | answer |
//! |---|---|
//! | `GET /live` | 200 as long as the process runs |
//! | `GET /ready` | 200 when what is to play can play; else 503 and why not |
//! | `GET /health` | JSON, part by part; 200 when all is well, 503 when a part is degraded |
//! | `GET /metrics` | all figures, in Prometheus' text format 0.0.4 |
//!
//! A server is bounded in all that others can make it do: connections, requests at once, the size of what is
//! sent, and how long each step may take. It knows what it shows through a [`Source`] alone. All of it is
//! side B.
//!
//! Each answer to a request carries an `x-request-id`: the one that came with it where that is harmless, a new
//! one otherwise. What is no HTTP is answered with 400 (or 431 where it is too long) before there is any
//! request, and without one.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod config;
mod counters;
mod exposition;
mod gate;
mod health;
mod metrics;
mod request_id;
mod routes;
mod server;
mod source;

pub use config::{Limits, ServerConfig};
pub use health::{Health, Part, Readiness, Status};
pub use server::{Listener, Server, ServerError};
pub use source::{Playing, Source, Trouble, TroubledPart};
