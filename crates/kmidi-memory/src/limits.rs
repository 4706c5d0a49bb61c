use crate::Domain;

/// Bytes in one MiB: budgets are told in these.
pub const MIB: u64 = 1 << 20;

/// What each domain may have in use at once, and all of them together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    audio: u64,
    models: u64,
    working: u64,
    total: u64,
}

impl Default for Limits {
    /// 64, 512 and 128 MiB; 700 in all, which is less than their sum.
    fn default() -> Self {
        Limits { audio: 64 * MIB, models: 512 * MIB, working: 128 * MIB, total: 700 * MIB }
    }
}

impl Limits {
    /// The limit of a domain in bytes, of all together without one. The program itself has none of its own.
    pub fn bytes(&self, domain: Option<Domain>) -> u64 {
        match domain {
            Some(Domain::Audio) => self.audio,
            Some(Domain::Models) => self.models,
            Some(Domain::Working) => self.working,
            Some(Domain::Program) => u64::MAX,
            None => self.total,
        }
    }

    /// The same with another limit for a domain, or for all together.
    ///
    /// ```
    /// use kmidi_memory::{Domain, Limits, MIB};
    ///
    /// let limits = Limits::default().with(Some(Domain::Working), 96 * MIB);
    /// assert_eq!(limits.bytes(Some(Domain::Working)), 96 * MIB);
    /// assert_eq!(limits.bytes(None), 700 * MIB);
    /// ```
    #[must_use]
    pub fn with(mut self, domain: Option<Domain>, bytes: u64) -> Self {
        match domain {
            Some(Domain::Audio) => self.audio = bytes,
            Some(Domain::Models) => self.models = bytes,
            Some(Domain::Working) => self.working = bytes,
            Some(Domain::Program) | None => self.total = bytes,
        }
        self
    }

    /// The flag that sets a limit, in MiB.
    pub fn flag(domain: Option<Domain>) -> &'static str {
        match domain {
            Some(Domain::Audio) => "--memory-audio-mb",
            Some(Domain::Models) => "--memory-models-mb",
            Some(Domain::Working) => "--memory-working-mb",
            Some(Domain::Program) | None => "--memory-total-mb",
        }
    }

    /// The environment variable that does the same where the flag is not given.
    pub fn variable(domain: Option<Domain>) -> &'static str {
        match domain {
            Some(Domain::Audio) => "KMIDI_MEMORY_AUDIO_MB",
            Some(Domain::Models) => "KMIDI_MEMORY_MODELS_MB",
            Some(Domain::Working) => "KMIDI_MEMORY_WORKING_MB",
            Some(Domain::Program) | None => "KMIDI_MEMORY_TOTAL_MB",
        }
    }
}
