use kmidi_core::TimedEvent;

use crate::nodes::{NodeEntry, NodeTable};
use crate::schedule::Schedule;

/// `(index in the old schedule, index in the new one)`.
pub type Carried = (u16, u16);

/// A new schedule and what changes with it, complete with every capacity its adoption needs.
/// After [`GraphSwap::adopt`] it holds the old things and goes home to be dropped on side B.
pub struct GraphSwap {
    /// The new schedule; afterwards the old one.
    pub schedule: Schedule,
    /// Nodes to insert, by slot; afterwards what was in these slots (nothing).
    pub insert: Vec<(u16, Option<Box<NodeEntry>>)>,
    /// Slots to empty; afterwards with the nodes that were there.
    pub remove: Vec<(u16, Option<Box<NodeEntry>>)>,
    /// Audio delay lines that go on.
    pub delays: Vec<Carried>,
    /// Event delays that go on.
    pub event_delays: Vec<Carried>,
    /// Edge gains that go on from where they are.
    pub gains: Vec<Carried>,
    /// Note ledgers that go on.
    pub ledgers: Vec<Carried>,
    /// Ledgers of edges that are gone while their receiver stays: `(old ledger, new inbox, port)`.
    pub orphans: Vec<(u16, u16, u16)>,
}

impl GraphSwap {
    /// `[side A]` Puts the new schedule in place of the old one, between two quanta. Note-offs and
    /// pedals that removed event edges owe go first into the next quantum of their receivers.
    pub fn adopt(&mut self, schedule: &mut Schedule, nodes: &mut NodeTable) {
        let (old, new) = (schedule, &mut self.schedule);
        for &(from, to) in &self.delays {
            new.delays[usize::from(to)].take_over(&mut old.delays[usize::from(from)]);
        }
        for &(from, to) in &self.event_delays {
            new.event_delays[usize::from(to)].take_over(&mut old.event_delays[usize::from(from)]);
        }
        for &(from, to) in &self.gains {
            let target = new.gains[usize::from(to)].target();
            new.gains[usize::from(to)] = old.gains[usize::from(from)];
            new.gains[usize::from(to)].set(target);
        }
        for &(from, to) in &self.ledgers {
            std::mem::swap(&mut new.ledgers[usize::from(to)], &mut old.ledgers[usize::from(from)]);
        }
        for &(from, inbox, port) in &self.orphans {
            let inbox = &mut new.inboxes[usize::from(inbox)];
            old.ledgers[usize::from(from)].settle(|event| {
                // The room kept back for note-offs holds them all; a drop would be counted.
                inbox.push(TimedEvent { time: 0, port, event }).unwrap_or(());
            });
        }
        std::mem::swap(&mut new.master, &mut old.master);
        std::mem::swap(old, new);
        for (slot, node) in self.remove.iter_mut().chain(&mut self.insert) {
            *node = nodes.replace(*slot, node.take());
        }
    }
}
