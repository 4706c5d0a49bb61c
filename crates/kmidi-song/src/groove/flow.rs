//! The events of a track on their way from where they are written to where they are played.
//!
//! Events go in in the order of the file and come out in the order of their new ticks; what lies between is a window of a few
//! beats, whatever the length of the track. A note's start is settled when the next of its key is read, or when no such note
//! can come near it any more; its end likewise. What does not move keeps its tick and its place among equals.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};

use kmidi_core::limits::{MIDI_CHANNELS, MIDI_KEYS};

use super::changes::Changes;
use super::law::{self, Hand, Strike, Stroke, Touch};
use super::pairs::{CHAINS, NoteMessage, PairCounts, chain_of, note_message};

/// An event: a channel message, or anything else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item<E> {
    Channel([u8; 3]),
    Other(E),
}

/// Events that wait at most. Where more lie within a few beats, what waits is settled as it is: nothing moves across that place.
const MAX_WAITING: usize = 1 << 16;
/// Notes of one key that sound at once and are moved; further ones stay where they are.
const MAX_HELD: usize = 64;

/// A note-off that was read.
struct Off {
    written: i64,
    order: u64,
    message: [u8; 3],
}

/// A note on its way.
struct Moving {
    order: u64,
    written: i64,
    message: [u8; 3],
    stroke: Stroke,
    /// It is none of the hand's notes.
    left: bool,
    earliest: i64,
    /// No other note of its key sounds where it is written.
    alone: bool,
    start: Option<i64>,
    off: Option<Off>,
    /// A later note of its key was read after its end: it ends before that one starts.
    capped: bool,
}

impl Moving {
    fn length(&self) -> Option<i64> {
        self.off.as_ref().map(|off| off.written - self.written)
    }

    /// Ticks by which the next note of its key has to start later, as far as is known.
    fn least(&self) -> i64 {
        self.length().map_or(0, law::least_length)
    }
}

/// The notes of one key of one channel.
#[derive(Default)]
struct Chain {
    /// Something of it was read.
    touched: bool,
    /// Note-ons that were read.
    ons: u64,
    /// Of the notes whose end was not read, oldest first, whether they are played at all.
    held: VecDeque<bool>,
    /// Further notes whose end was not read: they stay where they are.
    unmoved: u64,
    notes: VecDeque<Moving>,
    /// The next note cannot start earlier.
    floor: i64,
    /// End of the last note that is settled.
    last_end: i64,
}

impl Chain {
    /// Forgets everything but its memory.
    fn clear(&mut self) {
        let (mut held, mut notes) = (std::mem::take(&mut self.held), std::mem::take(&mut self.notes));
        held.clear();
        notes.clear();
        *self = Chain { held, notes, ..Chain::default() };
    }
}

/// An event that has its tick.
struct Settled<E> {
    tick: i64,
    order: u64,
    item: Item<E>,
}

impl<E> Ord for Settled<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.tick, self.order).cmp(&(other.tick, other.order))
    }
}

impl<E> PartialOrd for Settled<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> PartialEq for Settled<E> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<E> Eq for Settled<E> {}

pub(crate) struct Flow<E> {
    /// Of the track that comes next, counted before its events are pushed.
    pub pairs: PairCounts,
    pub changes: Changes,
    reach: i64,
    /// Tick of the track's beginning in the song.
    base: i64,
    clock: i64,
    order: u64,
    floor: i64,
    channel_floors: [i64; MIDI_CHANNELS],
    chains: Vec<Chain>,
    touched: Vec<usize>,
    /// Notes whose start may not be settled: written tick, chain, order.
    open_starts: VecDeque<(i64, usize, u64)>,
    /// Notes whose end may not be settled: written tick, chain, order of the note-off.
    open_ends: VecDeque<(i64, usize, u64)>,
    settled: BinaryHeap<Reverse<Settled<E>>>,
}

impl<E> Flow<E> {
    /// For songs in which notes can be moved by so many ticks.
    pub fn new(reach: i64) -> Self {
        let mut chains = Vec::new();
        chains.resize_with(CHAINS, Chain::default);
        Flow {
            pairs: PairCounts::new(),
            changes: Changes::default(),
            reach,
            base: 0,
            clock: 0,
            order: 0,
            floor: 0,
            channel_floors: [0; MIDI_CHANNELS],
            chains,
            touched: vec![],
            open_starts: VecDeque::new(),
            open_ends: VecDeque::new(),
            settled: BinaryHeap::new(),
        }
    }

    /// Begins a track that starts at tick `base` of the song; [`Flow::pairs`] has been counted.
    pub fn begin(&mut self, base: i64) {
        (self.base, self.clock, self.order, self.floor) = (base, 0, 0, 0);
        self.channel_floors = [0; MIDI_CHANNELS];
        for chain in self.touched.drain(..) {
            self.chains[chain].clear();
        }
    }

    /// Takes the next event of the track; gives to `out` what can come before all that is to follow.
    pub fn push<X>(
        &mut self,
        tick: i64,
        item: Item<E>,
        hand: &mut impl Hand,
        out: &mut impl FnMut(i64, Item<E>) -> Result<(), X>,
    ) -> Result<(), X> {
        self.clock = self.clock.max(tick);
        self.time_out();
        let order = self.order;
        // Each event has room for a ghost note behind it.
        self.order += 3;
        match item {
            Item::Channel(message) => match note_message(message) {
                NoteMessage::On => self.note_on(order, message, hand),
                NoteMessage::Off => self.note_off(order, message),
                NoteMessage::Other => {
                    if is_fence(message) {
                        self.fence_channel(message[0] & 0x0f);
                    }
                    self.send(self.clock, order, message);
                }
            },
            Item::Other(_) => self.settled.push(Reverse(Settled { tick: self.clock, order, item })),
        }
        if self.settled.len() + self.open_starts.len() + self.open_ends.len() > MAX_WAITING {
            self.fence();
            return self.give(self.clock + 1, out);
        }
        self.give(self.clock - 6 * self.reach, out)
    }

    /// Ends the track at `end`, or at its last event if that is later; gives all that is left, and where it ends.
    pub fn finish<X>(
        &mut self,
        end: i64,
        out: &mut impl FnMut(i64, Item<E>) -> Result<(), X>,
    ) -> Result<i64, X> {
        self.clock = self.clock.max(end);
        self.fence();
        self.give(i64::MAX, out)?;
        Ok(self.clock)
    }

    fn give<X>(&mut self, before: i64, out: &mut impl FnMut(i64, Item<E>) -> Result<(), X>) -> Result<(), X> {
        while self.settled.peek().is_some_and(|Reverse(next)| next.tick < before) {
            let Some(Reverse(next)) = self.settled.pop() else { break };
            out(next.tick, next.item)?;
        }
        Ok(())
    }

    fn send(&mut self, tick: i64, order: u64, message: [u8; 3]) {
        self.settled.push(Reverse(Settled { tick, order, item: Item::Channel(message) }));
    }

    fn touch(&mut self, at: usize) -> &mut Chain {
        let chain = &mut self.chains[at];
        if !chain.touched {
            chain.touched = true;
            self.touched.push(at);
        }
        chain
    }

    fn note_on(&mut self, order: u64, message: [u8; 3], hand: &mut impl Hand) {
        let at = chain_of(message);
        let chain = self.touch(at);
        chain.ons += 1;
        let ons = chain.ons;
        let too_many = chain.unmoved > 0 || chain.held.len() >= MAX_HELD;
        let without_end = ons > self.pairs.paired(at);
        if without_end || too_many {
            self.chains[at].unmoved += u64::from(!without_end);
            self.stay(at);
            return self.send(self.clock, order, message);
        }
        let [status, key, velocity] = message;
        let strike = Strike { tick: self.base + self.clock, channel: status & 0x0f, key, velocity };
        let (stroke, left) = match hand.touch(strike) {
            Touch::Play(stroke) => (stroke, false),
            Touch::Leave => (Stroke { shift: 0, velocity, ghost: None }, true),
            Touch::Drop => {
                self.chains[at].held.push_back(false);
                self.changes.dropped += 1;
                return;
            }
        };
        let alone = !self.chains[at].held.contains(&true);
        self.before_next(at);
        let chain = &mut self.chains[at];
        let earliest = self.floor.max(self.channel_floors[usize::from(strike.channel)]).max(chain.floor);
        chain.held.push_back(true);
        chain.notes.push_back(Moving {
            order,
            written: self.clock,
            message,
            stroke,
            left,
            earliest,
            alone,
            start: None,
            off: None,
            capped: false,
        });
        self.open_starts.push_back((self.clock, at, order));
    }

    fn note_off(&mut self, order: u64, message: [u8; 3]) {
        let (at, clock) = (chain_of(message), self.clock);
        let chain = self.touch(at);
        match chain.held.pop_front() {
            Some(true) => {
                let Some(place) = chain.notes.iter().position(|note| note.off.is_none()) else { return };
                let is_last = place + 1 == chain.notes.len();
                let note = &mut chain.notes[place];
                note.off = Some(Off { written: clock, order, message });
                if let (true, Some(start)) = (is_last, note.start) {
                    chain.floor = chain.floor.max(start + note.least());
                }
                self.open_ends.push_back((clock, at, order));
            }
            Some(false) => {}
            None => {
                if chain.unmoved > 0 {
                    chain.unmoved -= 1;
                } else {
                    self.stay(at);
                }
                let chain = &mut self.chains[at];
                chain.floor = chain.floor.max(clock);
                chain.last_end = chain.last_end.max(clock);
                self.send(clock, order, message);
            }
        }
    }

    /// Something of a key stays where it is, at the clock: what comes before and after it of its key stays there too.
    fn stay(&mut self, at: usize) {
        self.before_next(at);
        while self.chains[at].notes.front().is_some_and(|note| note.capped) {
            self.settle_first_end(at, self.clock);
        }
        let chain = &mut self.chains[at];
        chain.floor = chain.floor.max(self.clock);
        // What still sounds has company now: a ghost note's end would be taken for the end of that.
        for note in chain.notes.iter_mut().filter(|note| note.off.is_none()) {
            note.alone = false;
        }
    }

    /// The next of a key is here: settles the start of the one before it, adds its ghost note, and lets all that have ended
    /// end before this one.
    fn before_next(&mut self, at: usize) {
        self.settle_last_start(at, self.clock);
        self.add_ghost(at, self.clock);
        for note in self.chains[at].notes.iter_mut().filter(|note| note.off.is_some()) {
            note.capped = true;
        }
    }

    /// Settles the start of the last note of a key, if it is not, no later than lets it end at `limit`.
    fn settle_last_start(&mut self, at: usize, limit: i64) {
        let chain = &mut self.chains[at];
        let Some(note) = chain.notes.back_mut().filter(|note| note.start.is_none()) else { return };
        let latest = law::latest(note.written, note.length(), limit);
        let start = law::start(note.written, note.stroke.shift, self.reach, note.earliest, latest);
        note.start = Some(start);
        chain.floor = chain.floor.max(start + note.least());
        let (order, [status, key, velocity]) = (note.order, note.message);
        match note.left {
            true => self.changes.left += 1,
            false => self.changes.note(note.written, start, velocity, note.stroke.velocity),
        }
        let message = [status, key, note.stroke.velocity];
        while self.chains[at].notes.front().is_some_and(|note| note.capped) {
            self.settle_first_end(at, start);
        }
        self.send(start, order, message);
    }

    /// Settles the end of the first note of a key, whose start is settled.
    fn settle_first_end(&mut self, at: usize, cap: i64) {
        let chain = &mut self.chains[at];
        let Some(Moving { start: Some(start), off: Some(off), written, .. }) = chain.notes.pop_front() else {
            return;
        };
        let length = off.written - written;
        let end = law::end(start, length, cap, chain.last_end);
        chain.last_end = end;
        self.changes.shortened += u64::from(end - start < length);
        self.send(end, off.order, off.message);
    }

    /// Adds the ghost note of the last note of a key if that has ended and there is room for one up to `room`.
    fn add_ghost(&mut self, at: usize, room: i64) {
        let chain = &mut self.chains[at];
        let Some(note) = chain.notes.back_mut().filter(|note| note.alone && !note.capped) else { return };
        let (Some(start), Some(length)) = (note.start, note.length()) else { return };
        let Some(ghost) = note.stroke.ghost.take() else { return };
        let Some((from, to)) = law::ghost(ghost, start, start + length, room, self.reach) else { return };
        chain.floor = chain.floor.max(to);
        let (order, [status, key, _]) = (note.order, note.message);
        let off = note.off.as_ref().map_or([status, key, 0], |off| off.message);
        self.changes.ghosts += 1;
        self.send(from, order + 1, [status, key, ghost.velocity]);
        self.send(to, order + 2, off);
    }

    /// Settles what no later event can have a part in.
    fn time_out(&mut self) {
        while let Some(&(written, at, order)) = self.open_starts.front() {
            if written + self.reach >= self.clock {
                break;
            }
            self.open_starts.pop_front();
            if self.chains[at].notes.back().is_some_and(|note| note.order == order) {
                self.settle_last_start(at, i64::MAX);
            }
        }
        while let Some(&(written, at, order)) = self.open_ends.front() {
            if written + 3 * self.reach >= self.clock {
                break;
            }
            self.open_ends.pop_front();
            self.end_alone(at, order, i64::MAX);
        }
    }

    /// Settles an end before which no other note of its key is known to start.
    fn end_alone(&mut self, at: usize, order: u64, limit: i64) {
        let is_it = |note: &Moving| !note.capped && note.off.as_ref().is_some_and(|off| off.order == order);
        if self.chains[at].notes.front().is_some_and(is_it) {
            if self.chains[at].notes.len() == 1 {
                self.add_ghost(at, limit);
            }
            self.settle_first_end(at, limit);
        }
    }

    /// Settles everything: what was read stays before the clock, what comes stays behind it.
    fn fence(&mut self) {
        let clock = self.clock;
        while let Some((_, at, order)) = self.open_starts.pop_front() {
            if self.chains[at].notes.back().is_some_and(|note| note.order == order) {
                self.settle_last_start(at, clock);
            }
        }
        while let Some((_, at, order)) = self.open_ends.pop_front() {
            self.end_alone(at, order, clock);
        }
        self.floor = clock;
    }

    /// No note of a channel moves across the clock: what comes there changes how it sounds.
    fn fence_channel(&mut self, channel: u8) {
        for place in 0..self.open_starts.len() {
            let (_, at, order) = self.open_starts[place];
            let its_channel = at / MIDI_KEYS == usize::from(channel);
            if its_channel && self.chains[at].notes.back().is_some_and(|note| note.order == order) {
                self.settle_last_start(at, self.clock);
            }
        }
        self.channel_floors[usize::from(channel)] = self.clock;
    }
}

/// Whether a message changes what a note that starts after it sounds like, or whether it sounds: a program, a bank, all notes
/// off and the other channel mode messages.
fn is_fence([status, controller, _]: [u8; 3]) -> bool {
    match status & 0xf0 {
        0xc0 => true,
        0xb0 => matches!(controller, 0 | 32 | 120..),
        _ => false,
    }
}
