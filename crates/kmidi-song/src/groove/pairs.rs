//! Which note-on belongs to which note-off, and the notes of a song in absolute ticks.

use kmidi_core::Ticks;
use kmidi_core::limits::{MIDI_CHANNELS, MIDI_KEYS};

use crate::note::Note;
use crate::song::{SmfEvent, Song, Track};

/// All keys of all channels.
pub(crate) const CHAINS: usize = MIDI_CHANNELS * MIDI_KEYS;

/// What a channel message means for a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoteMessage {
    On,
    Off,
    Other,
}

pub(crate) fn note_message(message: [u8; 3]) -> NoteMessage {
    match (message[0] & 0xf0, message[2]) {
        (0x90, 1..) => NoteMessage::On,
        (0x80, _) | (0x90, 0) => NoteMessage::Off,
        _ => NoteMessage::Other,
    }
}

/// Channel and key as one number below [`CHAINS`].
pub(crate) fn chain_index(channel: u8, key: u8) -> usize {
    usize::from(channel & 0x0f) * MIDI_KEYS + usize::from(key & 0x7f)
}

pub(crate) fn chain_of(message: [u8; 3]) -> usize {
    chain_index(message[0], message[1])
}

/// Of each key of each channel of a track, how many note-ons have a note-off. A note-off ends the oldest note of its key that
/// still sounds, as players do it: so those without one are the last ones.
pub(crate) struct PairCounts {
    paired: Box<[u64]>,
    open: Box<[u64]>,
}

impl PairCounts {
    pub fn new() -> Self {
        PairCounts { paired: vec![0; CHAINS].into(), open: vec![0; CHAINS].into() }
    }

    pub fn reset(&mut self) {
        self.paired.fill(0);
        self.open.fill(0);
    }

    pub fn count(&mut self, message: [u8; 3]) {
        let at = chain_of(message);
        match note_message(message) {
            NoteMessage::On => self.open[at] += 1,
            NoteMessage::Off if self.open[at] > 0 => {
                self.open[at] -= 1;
                self.paired[at] += 1;
            }
            NoteMessage::Off | NoteMessage::Other => {}
        }
    }

    /// Note-ons of a key that have a note-off: the first ones.
    pub fn paired(&self, chain: usize) -> u64 {
        self.paired[chain]
    }
}

/// A note of a track, and which of its events it is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoteEvents {
    /// The note.
    pub note: Note,
    /// Place of its note-on in [`Track::events`].
    pub on: usize,
    /// Place of its note-off.
    pub off: usize,
}

/// The notes of a track in the order of their note-ons. A note-off ends the oldest note of its channel and key that still
/// sounds; a note-on without a note-off and a note-off without a note-on are no notes. `[side B]`
pub fn track_notes(track: &Track) -> Vec<NoteEvents> {
    let mut notes: Vec<NoteEvents> = vec![];
    // Of each chain, the oldest note that still sounds; and of each note the next one of its chain.
    let mut first = vec![usize::MAX; CHAINS];
    let mut last = vec![usize::MAX; CHAINS];
    let mut following: Vec<usize> = vec![];
    let mut ended: Vec<bool> = vec![];
    let mut clock = Ticks(0);
    for (at, (tick, event)) in track.events.iter().enumerate() {
        clock = clock.max(*tick);
        let &SmfEvent::Channel(message) = event else { continue };
        let chain = chain_of(message);
        match note_message(message) {
            NoteMessage::On => {
                let [status, key, velocity] = message;
                let note = Note { start: clock, end: clock, channel: status & 0x0f, key, velocity };
                let this = notes.len();
                notes.push(NoteEvents { note, on: at, off: at });
                following.push(usize::MAX);
                ended.push(false);
                match first[chain] {
                    usize::MAX => first[chain] = this,
                    _ => following[last[chain]] = this,
                }
                last[chain] = this;
            }
            NoteMessage::Off if first[chain] != usize::MAX => {
                let oldest = first[chain];
                notes[oldest].note.end = clock;
                notes[oldest].off = at;
                ended[oldest] = true;
                first[chain] = following[oldest];
            }
            NoteMessage::Off | NoteMessage::Other => {}
        }
    }
    let mut ended = ended.into_iter();
    notes.retain(|_| ended.next().unwrap_or(false));
    notes
}

/// The notes of each track of a song, in the order of their note-ons; see [`track_notes`]. `[side B]`
pub fn notes(song: &Song) -> Vec<Vec<Note>> {
    let of_track = |track| track_notes(track).into_iter().map(|pair| pair.note).collect();
    song.tracks.iter().map(of_track).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(events: &[(i64, [u8; 3])]) -> Track {
        let events: Vec<_> = events.iter().map(|&(tick, m)| (Ticks(tick), SmfEvent::Channel(m))).collect();
        Track { end: events.last().map_or(Ticks(0), |event| event.0), events }
    }

    fn spans(track: &Track) -> Vec<(i64, i64, u8)> {
        track_notes(track).iter().map(|it| (it.note.start.0, it.note.end.0, it.note.velocity)).collect()
    }

    #[test]
    fn a_note_off_ends_the_oldest_note_of_its_key() {
        let track = track(&[
            (0, [0x90, 60, 1]),
            (10, [0x90, 60, 2]),
            (20, [0x80, 60, 0]),
            (30, [0x90, 60, 0]),
            (40, [0x80, 60, 0]),
        ]);
        assert_eq!(spans(&track), [(0, 20, 1), (10, 30, 2)]);
    }

    #[test]
    fn a_note_without_an_end_is_none_and_takes_nobodys_end() {
        let track = track(&[(0, [0x90, 60, 1]), (5, [0x91, 60, 2]), (9, [0x81, 60, 0]), (9, [0x80, 61, 0])]);
        assert_eq!(spans(&track), [(5, 9, 2)]);
        let mut counts = PairCounts::new();
        for (_, event) in &track.events {
            if let SmfEvent::Channel(message) = event {
                counts.count(*message);
            }
        }
        assert_eq!([0, 1].map(|channel| counts.paired(chain_index(channel, 60))), [0, 1]);
    }
}
