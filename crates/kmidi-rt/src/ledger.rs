use kmidi_core::Event;
use kmidi_core::limits::{MIDI_CHANNELS, MIDI_KEYS};

/// Note-offs of one key that an edge, and its receiver, can be owed.
pub(crate) const MOST_PER_KEY: u16 = 255;

/// Controllers that hold notes: sustain, sostenuto, hold 2.
const PEDALS: [u8; 3] = [64, 66, 69];

/// What has gone over an event edge and must still be ended: notes and pedals. `[side A]`
///
/// If the edge goes away, its receiver is sent exactly these note-offs and pedals.
pub(crate) struct Ledger {
    /// Note-ons without their note-off, by channel and key.
    notes: Box<[u16]>,
    /// For each pedal a bit per channel where it is down.
    pedals: [u16; PEDALS.len()],
    owed_notes: u32,
    most_per_key: u16,
    /// Keys that have had more notes than can be owed, a bit each: how many ends they may still get is not known.
    overrun: Box<[u64]>,
}

/// What an event does to what is owed.
enum Debt {
    /// One more note-off is owed.
    Note(usize),
    /// One is paid.
    NoteOff(usize),
    /// This pedal of this channel is down.
    PedalDown(usize, u16),
    /// It is up.
    PedalUp(usize, u16),
    /// All pedals of this channel are up.
    PedalsUp(u16),
    /// Nothing.
    None,
}

fn debt(event: &Event) -> Debt {
    let note = |channel: u8, key: u8| usize::from(channel & 15) * MIDI_KEYS + usize::from(key & 127);
    match *event {
        Event::NoteOn { channel, key, .. } => Debt::Note(note(channel, key)),
        Event::NoteOff { channel, key, .. } => Debt::NoteOff(note(channel, key)),
        Event::ControlChange { channel, controller, value } => {
            let bit = 1 << (channel & 15);
            match (PEDALS.iter().position(|&pedal| pedal == controller), controller) {
                (Some(pedal), _) if value >= 64 => Debt::PedalDown(pedal, bit),
                (Some(pedal), _) => Debt::PedalUp(pedal, bit),
                (None, 121) => Debt::PedalsUp(bit),
                _ => Debt::None,
            }
        }
        _ => Debt::None,
    }
}

impl Ledger {
    /// `[side B]` Nothing owed. Of one key no more than `most_per_key` note-offs will be: drums often
    /// have none at all.
    pub fn new(most_per_key: u16) -> Self {
        let notes = (0..MIDI_CHANNELS * MIDI_KEYS).map(|_| 0).collect();
        let overrun = (0..MIDI_CHANNELS * MIDI_KEYS / 64).map(|_| 0).collect();
        Ledger { notes, pedals: [0; 3], owed_notes: 0, most_per_key, overrun }
    }

    /// Events still owed: note-offs and pedals.
    pub fn owed(&self) -> u32 {
        self.owed_notes + self.pedals.iter().map(|pedal| pedal.count_ones()).sum::<u32>()
    }

    /// Whether a pedal is owed on this channel.
    pub fn owes_pedal(&self, channel: u8) -> bool {
        self.pedals.iter().any(|pedal| pedal & (1 << (channel & 15)) != 0)
    }

    /// Forgets all: somebody else has ended it.
    pub fn clear(&mut self) {
        if self.owed() > 0 {
            self.notes.fill(0);
            self.overrun.fill(0);
            (self.pedals, self.owed_notes) = ([0; PEDALS.len()], 0);
        }
    }

    /// Whether `event` ends something that is owed its end.
    pub fn is_owed(&self, event: &Event) -> bool {
        match debt(event) {
            Debt::NoteOff(note) => self.notes[note] > 0,
            Debt::PedalUp(pedal, bit) => self.pedals[pedal] & bit != 0,
            _ => false,
        }
    }

    /// Whether `event` may be sent: the end of a note only where one has begun.
    pub fn allows(&self, event: &Event) -> bool {
        match debt(event) {
            Debt::NoteOff(note) => self.notes[note] > 0 || self.overrun[note / 64] >> (note % 64) & 1 != 0,
            _ => true,
        }
    }

    /// Whether one more would be owed after `event`.
    pub fn would_owe_more(&self, event: &Event) -> bool {
        match debt(event) {
            Debt::Note(note) => self.notes[note] < self.most_per_key,
            Debt::PedalDown(pedal, bit) => self.pedals[pedal] & bit == 0,
            _ => false,
        }
    }

    /// `event` has been sent.
    pub fn track(&mut self, event: &Event) {
        match debt(event) {
            Debt::Note(note) => {
                if self.notes[note] < self.most_per_key {
                    self.notes[note] += 1;
                    self.owed_notes += 1;
                } else {
                    self.overrun[note / 64] |= 1 << (note % 64);
                }
            }
            Debt::NoteOff(note) => {
                if self.notes[note] > 0 {
                    self.notes[note] -= 1;
                    self.owed_notes -= 1;
                }
            }
            Debt::PedalDown(pedal, bit) => self.pedals[pedal] |= bit,
            Debt::PedalUp(pedal, bit) => self.pedals[pedal] &= !bit,
            Debt::PedalsUp(bit) => self.pedals.iter_mut().for_each(|pedal| *pedal &= !bit),
            Debt::None => {}
        }
    }

    /// Takes over what `event` would have ended in `other`, because it could not be sent.
    pub fn take_debt(&mut self, other: &mut Ledger, event: &Event) {
        if other.is_owed(event) {
            other.track(event);
            match debt(event) {
                Debt::NoteOff(note) if self.notes[note] < self.most_per_key => {
                    self.notes[note] += 1;
                    self.owed_notes += 1;
                }
                Debt::PedalUp(pedal, bit) => self.pedals[pedal] |= bit,
                _ => {}
            }
        }
    }

    /// Takes over all that `other` owes.
    pub fn absorb(&mut self, other: &mut Ledger) {
        if other.owed() == 0 {
            return;
        }
        for (mine, theirs) in self.notes.iter_mut().zip(&mut other.notes) {
            let sum = mine.saturating_add(std::mem::take(theirs)).min(self.most_per_key);
            self.owed_notes += u32::from(sum - *mine);
            *mine = sum;
        }
        other.owed_notes = 0;
        for (mine, theirs) in self.pedals.iter_mut().zip(&mut other.pedals) {
            *mine |= std::mem::take(theirs);
        }
    }

    /// Pays: calls `send` for each event owed, pedals last; what it refuses stays owed.
    pub fn settle(&mut self, mut send: impl FnMut(Event) -> bool) {
        if self.owed() == 0 {
            return;
        }
        for (index, note) in self.notes.iter_mut().enumerate() {
            let (channel, key) = ((index / MIDI_KEYS) as u8, (index % MIDI_KEYS) as u8);
            while *note > 0 && send(Event::NoteOff { channel, key, velocity: 0.5 }) {
                *note -= 1;
                self.owed_notes -= 1;
            }
        }
        for (pedal, controller) in self.pedals.iter_mut().zip(PEDALS) {
            for channel in 0..MIDI_CHANNELS as u8 {
                let down = *pedal & (1 << channel) != 0;
                if down && send(Event::ControlChange { channel, controller, value: 0 }) {
                    *pedal &= !(1 << channel);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pedal(value: u8) -> Event {
        Event::ControlChange { channel: 3, controller: 64, value }
    }

    fn paid(ledger: &mut Ledger) -> Vec<Event> {
        let mut events = Vec::new();
        ledger.settle(|event| {
            events.push(event);
            true
        });
        events
    }

    #[test]
    fn exactly_what_sounds_is_owed() {
        let mut ledger = Ledger::new(9);
        for event in [
            Event::note_on(0, 60, 100),
            Event::note_on(0, 60, 100),
            Event::note_off(0, 60, 0),
            Event::note_on(15, 127, 1),
            Event::note_off(9, 9, 9),
            pedal(127),
            Event::ControlChange { channel: 4, controller: 66, value: 64 },
            Event::ControlChange { channel: 4, controller: 121, value: 0 },
        ] {
            ledger.track(&event);
        }
        assert_eq!(ledger.owed(), 3);
        let off = |channel, key| Event::NoteOff { channel, key, velocity: 0.5 };
        assert_eq!(paid(&mut ledger), [off(0, 60), off(15, 127), pedal(0)]);
        assert_eq!((ledger.owed(), paid(&mut ledger)), (0, vec![]));
    }

    #[test]
    fn drums_without_note_offs_do_not_pile_up() {
        let mut ledger = Ledger::new(9);
        (0..1000).for_each(|_| ledger.track(&Event::note_on(9, 36, 100)));
        assert_eq!(ledger.owed(), 9);
    }

    #[test]
    fn no_end_of_a_note_is_held_back_however_many_sound() {
        let mut ledger = Ledger::new(9);
        let (on, off) = (Event::note_on(0, 60, 100), Event::note_off(0, 60, 0));
        assert!(!ledger.allows(&off) && ledger.allows(&on) && ledger.allows(&pedal(0)));
        (0..9).for_each(|_| ledger.track(&on));
        (0..9).for_each(|_| ledger.track(&off));
        assert!(!ledger.allows(&off), "all that began have ended");
        (0..20).for_each(|_| ledger.track(&on));
        for _ in 0..20 {
            assert!(ledger.allows(&off));
            ledger.track(&off);
        }
        assert!(!ledger.allows(&Event::note_off(0, 61, 0)), "another key is another key");
    }

    #[test]
    fn what_could_not_be_sent_stays_owed() {
        let (mut edge, mut node) = (Ledger::new(9), Ledger::new(9));
        (0..100).for_each(|key| edge.track(&Event::note_on(1, key, 1)));
        edge.track(&pedal(127));
        node.take_debt(&mut edge, &Event::note_off(1, 7, 0));
        assert_eq!((node.owed(), edge.owed()), (1, 100));
        node.absorb(&mut edge);
        assert_eq!((node.owed(), edge.owed()), (101, 0));
        let mut room = 10;
        node.settle(|_| {
            room -= 1;
            room >= 0
        });
        assert_eq!((node.owed(), paid(&mut node).len()), (91, 91));
    }
}
