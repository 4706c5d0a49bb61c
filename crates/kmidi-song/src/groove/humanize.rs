//! Notes that are not in a file yet, humanised all at once.

use kmidi_core::Ticks;

use super::changes::Changes;
use super::law::{self, Hand, Strike, Stroke, Touch};
use super::pairs::{CHAINS, chain_index};
use super::player::Player;
use super::settings::Humanize;
use super::{GrooveError, Pulse};
use crate::note::Note;

const NONE: u32 = u32::MAX;
/// Notes of one key that sound at once and are kept from being heard twice.
const MOST_AT_ONCE: usize = 64;

/// A note and what it becomes.
#[derive(Clone, Copy)]
struct Moving {
    written: Note,
    stroke: Stroke,
    /// It is none of the hand's notes.
    left: bool,
    start: i64,
    end: i64,
    /// No other note of its key sounds where it is written.
    alone: bool,
    /// The note before it of its key.
    before: u32,
}

/// Humanises the notes of one part, in place; they come back in the order of their starts. No note ends after `end`, which
/// is at least the end of the last one. The same notes in a track of a [`Song`](crate::Song) with this seed become the
/// same. `[side B]`
///
/// # Errors
/// [`GrooveError::Range`] if a number of the settings cannot be used; then nothing has changed.
pub fn humanize(
    notes: &mut Vec<Note>,
    pulse: &Pulse,
    end: Ticks,
    settings: &Humanize,
) -> Result<Changes, GrooveError> {
    let settings = settings.clone().checked()?;
    let mut player = Player::new(&settings, pulse, 0);
    Ok(play(notes, law::reach_ticks(pulse.ticks_per_quarter()), end.0, &mut player))
}

/// The notes of one part as a hand plays them.
pub(crate) fn play(notes: &mut Vec<Note>, reach: i64, end: i64, hand: &mut impl Hand) -> Changes {
    if !notes.is_sorted_by_key(|note| note.start) {
        notes.sort_by_key(|note| note.start);
    }
    let mut whole = Whole::new(notes.len(), reach);
    for &note in notes.iter() {
        whole.note(note, hand);
    }
    let end = notes.iter().map(|note| note.end.0).fold(end, i64::max);
    whole.finish(end);
    notes.clear();
    let mut shortened = 0;
    let played = |it: &Moving| {
        shortened += u64::from(it.end - it.start < it.written.length().0);
        let velocity = it.stroke.velocity;
        Note { start: Ticks(it.start), end: Ticks(it.end), velocity, ..it.written }
    };
    notes.extend(whole.notes.iter().map(played));
    whole.changes.shortened = shortened;
    notes.append(&mut whole.ghosts);
    // Nearly in order already: a sort that keeps the order of equals takes runs as they are.
    notes.sort_by_key(|note| note.start);
    whole.changes
}

struct Whole {
    notes: Vec<Moving>,
    ghosts: Vec<Note>,
    /// The last note of each key of each channel.
    last: Box<[u32; CHAINS]>,
    /// Keys that have notes.
    chains: Vec<usize>,
    reach: i64,
    changes: Changes,
}

impl Whole {
    fn new(count: usize, reach: i64) -> Self {
        Whole {
            notes: Vec::with_capacity(count),
            ghosts: vec![],
            last: Box::new([NONE; CHAINS]),
            chains: Vec::with_capacity(64),
            reach,
            changes: Changes::default(),
        }
    }

    #[inline]
    fn note(&mut self, written: Note, hand: &mut impl Hand) {
        let Note { start, channel, key, velocity, .. } = written;
        let (stroke, left) = match hand.touch(Strike { tick: start.0, channel, key, velocity }) {
            Touch::Play(stroke) => (stroke, false),
            Touch::Leave => (Stroke { shift: 0, velocity, ghost: None }, true),
            Touch::Drop => {
                self.changes.dropped += 1;
                return;
            }
        };
        let chain = chain_index(channel, key);
        let before = std::mem::replace(&mut self.last[chain], self.notes.len() as u32);
        let (mut earliest, mut alone) = (start.0.min(0), true);
        if before == NONE {
            self.chains.push(chain);
        } else {
            alone = self.notes[before as usize].written.end <= start;
            let free = self.settle_start(before, start.0);
            earliest = if alone { self.add_ghost(before, start.0).max(free) } else { free };
        }
        // Where it starts is settled when the next of its key is known; until then `start` is the earliest it can.
        self.notes.push(Moving { written, stroke, left, start: earliest, end: 0, alone, before });
    }

    /// Settles where a note starts, with the next of its key (or the end) at `limit`, and with that the ends of those before
    /// it. Gives the earliest start of that next note.
    fn settle_start(&mut self, at: u32, limit: i64) -> i64 {
        let note = &mut self.notes[at as usize];
        let (written, until) = (note.written.start.0, note.written.end.0);
        let length = (until <= limit).then_some(until - written);
        let latest = law::latest(written, length, limit);
        let start = law::start(written, note.stroke.shift, self.reach, note.start, latest);
        note.start = start;
        let mut before = note.before;
        match note.left {
            true => self.changes.left += 1,
            false => self.changes.note(written, start, note.written.velocity, note.stroke.velocity),
        }
        // Those that had ended before this one is written end before it starts; the ends of a chain are in order.
        for _ in 0..MOST_AT_ONCE {
            if before == NONE {
                break;
            }
            let note = &mut self.notes[before as usize];
            let had_ended = note.written.end.0 <= written;
            if had_ended && note.end <= start {
                break;
            }
            if had_ended {
                note.end = start;
            }
            before = note.before;
        }
        let before = self.notes[at as usize].before;
        let order = if before == NONE { i64::MIN } else { self.notes[before as usize].end };
        self.notes[at as usize].end = law::end(start, until - written, i64::MAX, order);
        start + length.map_or(0, law::least_length)
    }

    /// Adds the ghost note of a note; gives where the next of its key can start.
    fn add_ghost(&mut self, at: u32, room: i64) -> i64 {
        let Moving { written, stroke, start, alone, .. } = self.notes[at as usize];
        let Some(ghost) = stroke.ghost.filter(|_| alone) else { return 0 };
        let natural_end = start + written.length().0;
        let Some((from, to)) = law::ghost(ghost, start, natural_end, room, self.reach) else { return 0 };
        self.changes.ghosts += 1;
        let velocity = ghost.velocity;
        self.ghosts.push(Note { start: Ticks(from), end: Ticks(to), velocity, ..written });
        to
    }

    /// Settles the last note of each key.
    fn finish(&mut self, end: i64) {
        for place in 0..self.chains.len() {
            let at = self.last[self.chains[place]];
            self.settle_start(at, end);
            self.add_ghost(at, end);
            let mut at = at;
            while at != NONE && self.notes[at as usize].end > end {
                self.notes[at as usize].end = end;
                at = self.notes[at as usize].before;
            }
        }
    }
}
