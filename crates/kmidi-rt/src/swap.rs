use kmidi_core::Processor;

use crate::nodes::{NodeEntry, NodeTable};
use crate::schedule::Schedule;

/// What becomes of a slot of the node table.
pub struct SlotChange {
    /// The slot.
    pub slot: u16,
    /// The node to put there, `None` to leave it empty. After adoption: what was there.
    pub entry: Option<NodeEntry>,
}

/// An event edge that is gone while its receiver stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LostEdge {
    /// Its index in the schedule before.
    pub edge: u32,
    /// The receiver, `None` for the MIDI output.
    pub slot: Option<u16>,
    /// The receiver's event input port.
    pub port: u16,
}

/// What stays and what goes, by the indices of edges in the schedule before and in the new one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carry {
    /// Audio edges that stay: (before, new).
    pub audio: Vec<(u32, u32)>,
    /// Event edges that stay: (before, new).
    pub events: Vec<(u32, u32)>,
    /// New audio edges that come in from silence.
    pub fade_in: Vec<u32>,
    /// Audio edges before that go away.
    pub fade_out: Vec<u32>,
    /// Event edges that are gone.
    pub lost: Vec<LostEdge>,
}

/// Another graph on its way to side A; and, once adopted, the one before on its way home.
pub struct GraphSwap {
    schedule: Schedule,
    changes: Box<[SlotChange]>,
    carry: Carry,
    /// The generation of the schedule that this one replaces.
    replaces: u64,
    fading: bool,
}

impl GraphSwap {
    /// `[side B]`
    pub fn new(schedule: Schedule, changes: Vec<SlotChange>, carry: Carry, replaces: u64) -> Self {
        GraphSwap { schedule, changes: changes.into(), carry, replaces, fading: false }
    }

    /// `[side A]` Whether the time for [`GraphSwap::adopt`] has come: the first call begins to fade out the
    /// edges that go away, later ones say whether they are silent by now
    /// ([`SMOOTHING_MS`](kmidi_core::limits::SMOOTHING_MS) later). Adopting earlier is safe, but may click.
    pub fn ready(&mut self, schedule: &mut Schedule) -> bool {
        let begin = !std::mem::replace(&mut self.fading, true);
        let mut silent = true;
        for &edge in &self.carry.fade_out {
            if let Some(edge) = schedule.audio_edges().get_mut(edge as usize) {
                if begin {
                    edge.gain.set_target(0.0);
                }
                silent &= edge.gain.is_settled();
            }
        }
        silent
    }

    /// `[side A]` Exchanges the graph at the start of a quantum, allocating and freeing nothing. What stays
    /// keeps its sound, its gains and what it owes; what is owed over edges that are gone is sent with
    /// the next quantum. Afterwards this holds all that was replaced.
    pub fn adopt(&mut self, schedule: &mut Schedule, nodes: &mut NodeTable) {
        debug_assert_eq!(
            self.replaces, schedule.generation,
            "graphs are adopted in the order of their making"
        );
        debug_assert_eq!(self.schedule.check(), Ok(()));
        self.carry_edges(schedule);
        self.settle_lost(schedule, nodes);
        for change in &mut self.changes {
            if let Some(slot) = nodes.slots.get_mut(usize::from(change.slot)) {
                std::mem::swap(slot, &mut change.entry);
            }
        }
        self.schedule.machine.continue_from(&mut schedule.machine);
        std::mem::swap(&mut self.schedule, schedule);
    }

    fn carry_edges(&mut self, old: &mut Schedule) {
        for &(before, now) in &self.carry.audio {
            let old = old.audio_edges().get_mut(before as usize);
            if let (Some(old), Some(new)) = (old, self.schedule.audio_edges().get_mut(now as usize)) {
                new.continue_from(old);
            }
        }
        for &(before, now) in &self.carry.events {
            let old = old.event_edges().get_mut(before as usize);
            if let (Some(old), Some(new)) = (old, self.schedule.event_edges().get_mut(now as usize)) {
                new.continue_from(old);
            }
        }
        for &edge in &self.carry.fade_in {
            if let Some(edge) = self.schedule.audio_edges().get_mut(edge as usize) {
                edge.fade_in();
            }
        }
    }

    fn settle_lost(&mut self, old: &mut Schedule, nodes: &mut NodeTable) {
        for lost in &self.carry.lost {
            let owed = match lost.slot {
                Some(slot) => nodes.get_mut(slot).map(|node| &mut node.owed[..]),
                None => Some(&mut nodes.midi_out_owed[..]),
            };
            let owed = owed.and_then(|owed| owed.get_mut(usize::from(lost.port)));
            if let (Some(owed), Some(edge)) = (owed, old.event_edges().get_mut(lost.edge as usize)) {
                owed.absorb(&mut edge.ledger);
            }
        }
    }

    /// `[side B]` The processors that have come home (or, if it was never adopted, those that it
    /// would have brought), with their slots.
    pub fn into_processors(self) -> impl Iterator<Item = (u16, Box<dyn Processor>)> {
        self.changes.into_iter().filter_map(|change| Some((change.slot, change.entry?.into_processor())))
    }
}
