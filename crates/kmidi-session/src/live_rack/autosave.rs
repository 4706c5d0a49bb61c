//! When the states of plugins are to be kept.

use std::time::Duration;

/// How long changed states wait until they are kept.
const AFTER: Duration = Duration::from_secs(5);
/// How often states are looked at though nothing was heard of a change: some plugins never say so.
const ANYWAY: Duration = Duration::from_secs(60);

/// Times are from when the rack was started.
#[derive(Default)]
pub(super) struct Autosave {
    /// When something was changed that no kept state has.
    changed_at: Option<Duration>,
    kept_at: Duration,
}

impl Autosave {
    /// Something is not as it was kept.
    pub fn changed(&mut self, now: Duration) {
        self.changed_at.get_or_insert(now);
    }

    /// What there is is kept.
    pub fn kept(&mut self, now: Duration) {
        (self.changed_at, self.kept_at) = (None, now);
    }

    /// Whether it is time to keep what there is.
    pub fn is_due(&self, now: Duration) -> bool {
        self.changed_at.is_some_and(|since| now.saturating_sub(since) >= AFTER)
            || now.saturating_sub(self.kept_at) >= ANYWAY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_is_kept_soon_and_all_else_now_and_then() {
        let seconds = Duration::from_secs;
        let mut autosave = Autosave::default();
        autosave.kept(seconds(1));
        assert!(!autosave.is_due(seconds(60)) && autosave.is_due(seconds(61)));
        autosave.changed(seconds(10));
        // Who goes on changing things does not put it off.
        autosave.changed(seconds(14));
        assert!(!autosave.is_due(seconds(14)) && autosave.is_due(seconds(15)));
        autosave.kept(seconds(15));
        assert!(!autosave.is_due(seconds(74)) && autosave.is_due(seconds(75)));
    }
}
