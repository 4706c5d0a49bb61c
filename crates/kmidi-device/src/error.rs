use crate::Backend;

/// Why a device does not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// Correct the request.
    #[error("{what}")]
    BadRequest {
        /// The rule that it breaks.
        what: &'static str,
    },
    /// Nothing answers there: start the server, plug the device in, or choose another backend.
    #[error("{backend}: {reason}")]
    Unavailable {
        /// What was tried.
        backend: Backend,
        /// In plain words.
        reason: String,
    },
    /// There is no such device or port: choose one of those that exist.
    #[error("{backend}: there is no {wanted}; {}", there_are(existing))]
    NotFound {
        /// Where it was looked for.
        backend: Backend,
        /// What was looked for.
        wanted: String,
        /// What there is instead.
        existing: Vec<String>,
    },
    /// The system did not answer in time; the attempt is left behind on a thread of its own.
    #[error("{backend}: no answer within {limit_ms} ms")]
    TimedOut {
        /// What did not answer.
        backend: Backend,
        /// How long was waited, in milliseconds.
        limit_ms: u64,
    },
    /// The file for the WAV tap cannot be written.
    #[error("{reason}")]
    Tap {
        /// In plain words.
        reason: String,
    },
    /// A thread could not be started.
    #[error("no thread for the device: {reason}")]
    NoThread {
        /// The system's answer.
        reason: String,
    },
    /// The engine is inside a callback that does not return.
    #[error("the engine does not return from its callback")]
    EngineStuck,
    /// The manager has ended.
    #[error("the device manager has ended")]
    Ended,
}

fn there_are(existing: &[String]) -> String {
    if existing.is_empty() {
        "there is none at all".to_owned()
    } else {
        format!("there are: {}", existing.join(", "))
    }
}

impl DeviceError {
    pub(crate) fn unavailable(backend: Backend, reason: impl Into<String>) -> Self {
        DeviceError::Unavailable { backend, reason: reason.into() }
    }
}
