use std::time::Duration;

/// How much a server does at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerConfig {
    /// Threads that serve connections.
    pub workers: usize,
    /// Requests that are worked on at once; who comes then is answered 503.
    pub concurrency: usize,
    /// What clients may do.
    pub limits: Limits,
}

impl Default for ServerConfig {
    fn default() -> Self {
        ServerConfig { workers: 1, concurrency: 4, limits: Limits::default() }
    }
}

/// What clients may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once; more wait to be accepted.
    pub connections: usize,
    /// Bytes of a request's head; 8 KiB at least.
    pub head_bytes: usize,
    /// Lines of a request's head.
    pub head_lines: usize,
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// How long a connection may take to send a head, from the end of the answer before.
    pub head_time: Duration,
    /// How long a body may take to come, an answer to be made, and each part of it to be taken.
    pub request_time: Duration,
    /// How long requests under way may take when the server stops.
    pub stop_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections: 256,
            head_bytes: 16 << 10,
            head_lines: 64,
            body_bytes: 64 << 10,
            head_time: Duration::from_secs(10),
            request_time: Duration::from_secs(10),
            stop_time: Duration::from_secs(5),
        }
    }
}
