//! What a child that tries a plugin tells its parent: one JSON object a line.

use serde::{Deserialize, Serialize};

use super::plan::Phase;
use super::report::PhaseReport;

/// A line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Line {
    /// What happens from here on is of this phase.
    Begin(Phase),
    /// It goes on.
    Alive,
    /// What the phase found.
    Done(Box<PhaseReport>),
    /// The plugin does not come to life.
    NotLoadable(String),
    /// That was all.
    End {
        /// Whether system calls that do not go through libc were seen.
        sees_system_calls: bool,
    },
}
