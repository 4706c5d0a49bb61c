//! The rack between clients, the plugin thread and the engine.

use crossbeam_channel::Sender;

use super::{Conductor, Note, TICK};
use crate::chain;
use crate::rack::{Answer, Rack};
use crate::session::SessionConfig;
use crate::snapshot::{SessionEvent, Severity};

pub(super) fn new(config: &SessionConfig, notes: Sender<Note>) -> Rack {
    let tell = move |answer| {
        // Nobody who has closed wants to know.
        let _ = notes.send(Note::Plugin(answer));
    };
    Rack::new(config.rack.clone(), Box::new(chain::find), Box::new(tell))
}

impl Conductor {
    pub(super) fn hear_plugin(&mut self, answer: Answer) {
        let changed_notes = self.rack.changes_notes();
        let saved = self.rack.hear(answer, self.rig.as_mut());
        if self.rack.changes_notes() && !changed_notes {
            self.load_for_other_notes();
        }
        // Before the states, which have it.
        for (slot, symbol, value) in self.rack.understood() {
            self.emit(SessionEvent::ParameterUnderstood { slot, symbol, value });
        }
        if let Some((ticket, plugins)) = saved {
            // States are not to be lost because of messages that nobody reads.
            let _ = self.events.send_timeout(SessionEvent::PluginsSaved { ticket, plugins }, TICK);
        }
    }

    /// Has the graph follow what is wanted.
    pub(super) fn pump_rack(&mut self) {
        if let Some(rig) = &mut self.rig {
            self.rack.pump(rig);
        }
        for (slot, parameters) in self.rack.moved() {
            self.emit(SessionEvent::ParametersMoved { slot, parameters });
        }
        for slot in self.rack.changed() {
            self.emit(SessionEvent::PluginChanged { slot });
        }
        for (severity, text) in self.rack.said() {
            self.tell(severity, text);
        }
    }

    pub(super) fn tell_guard(&self, slot: u16, non_finite: bool, quantum: u64) {
        let what = if non_finite { "what is no number" } else { "more than +24 dBFS" };
        let rig = self.rig.as_ref();
        let name = rig.and_then(|rig| rig.graph.name_of_slot(slot)).unwrap_or("a node");
        let text = format!("{name} was muted in block {quantum}: it sent {what}");
        self.tell(Severity::Warning, text);
    }
}
