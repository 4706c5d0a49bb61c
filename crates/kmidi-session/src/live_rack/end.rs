//! How a live rack ends: with everything saved.

use std::time::Instant;

use super::{Asked, LAST_SAVE_LIMIT, LiveRack, POLL, RackEvent};
use crate::rack::PluginState;
use crate::snapshot::{Severity, Snapshot};

impl LiveRack {
    /// Slots whose plugins are still on their way, for people.
    fn still_loading(&self) -> Option<String> {
        let plugins = self.snapshot().plugins;
        let is_loading = |number: u32| {
            let plugin = plugins.iter().find(|it| it.slot == number);
            plugin.is_none_or(|it| it.state == PluginState::Loading)
        };
        let loading = self.numbers.iter().filter(|(_, number)| is_loading(*number));
        let names: Vec<&str> = loading.map(|(name, _)| name.as_str()).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }

    /// Says why the states of plugins are not those of now, if they may be others.
    fn tell_unsaid(&mut self) {
        let (severity, text) = match (self.still_loading(), self.is_ready) {
            (Some(names), false) => (
                Severity::Info,
                format!("still loading at the end: {names}; their states stay as they were saved last"),
            ),
            // Nobody has had the time to change them.
            (None, false) => return,
            (Some(names), true) => (
                Severity::Warning,
                format!("still loading at the end: {names}; the states of a few seconds ago are saved"),
            ),
            (None, true) => (
                Severity::Warning,
                "the plugins do not say their states: those of a few seconds ago are saved".to_owned(),
            ),
        };
        self.tell(severity, text);
    }

    /// Says where the changes are that could not be saved.
    fn tell_unsaved(&mut self) {
        if !self.store.is_changed() {
            return;
        }
        let path = self.store.path().display().to_string();
        let elsewhere = (!self.store.is_written_down()).then(|| self.store.save_elsewhere());
        let text = match elsewhere {
            None => format!("what is not saved is in {path}.journal, and here again when {path} is opened"),
            Some(Ok(elsewhere)) => {
                format!("what is not saved of {path} is in {} alone: copy it", elsewhere.display())
            }
            Some(Err(error)) => format!("what is not saved of {path} is lost: {error}"),
        };
        self.tell(Severity::Failure, text);
    }

    /// Ends, with everything saved. Returns what happened meanwhile, and how the session ended.
    pub fn finish(mut self) -> (Vec<RackEvent>, Snapshot) {
        let mut events = self.tick();
        let has_ended = events.contains(&RackEvent::Closed);
        // Before it is known how plugins were loaded nothing can have changed in them.
        if self.is_ready && !has_ended {
            self.ask(Asked::Save);
            let start = Instant::now();
            while self.asked.is_some() && start.elapsed() < LAST_SAVE_LIMIT {
                std::thread::sleep(POLL);
                events.append(&mut self.tick());
            }
        }
        if !self.is_ready || self.asked.is_some() || has_ended {
            if !has_ended {
                self.tell_unsaid();
            }
            self.save();
        }
        self.tell_unsaved();
        let last = self.session.snapshot();
        events.append(&mut self.events);
        (events, last)
    }
}
