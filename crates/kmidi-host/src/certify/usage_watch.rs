//! What the system itself counts of a thread: page faults and waits, whatever caused them. No deeds.

use kmidi_sys::{ThreadUsage, thread_usage};

use super::tally::{Held, Tally, Watch};

/// A [`Watch`] that any program can have.
#[derive(Debug, Default)]
pub struct UsageWatch {
    before: ThreadUsage,
}

impl Watch for UsageWatch {
    fn begin(&mut self, _trap_system_calls: bool) {
        self.before = thread_usage().unwrap_or_default();
    }

    fn end(&mut self) -> Tally {
        let now = thread_usage().unwrap_or_default();
        Tally {
            minor_faults: now.minor_faults - self.before.minor_faults,
            major_faults: now.major_faults - self.before.major_faults,
            voluntary_switches: now.voluntary_switches - self.before.voluntary_switches,
            ..Tally::default()
        }
    }

    fn held(&mut self) -> Held {
        Held::default()
    }

    fn sees_system_calls(&self) -> bool {
        false
    }
}
