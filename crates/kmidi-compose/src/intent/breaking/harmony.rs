//! Rules of chords that are broken in the notes; those that are broken in the plan stand in [`super::plan`].

use kmidi_core::Ticks;
use kmidi_song::Note;

use super::tools::{Span, add_part, bar_ticks, harmony, key_from, mean_velocity, place_of, united, velocity};
use super::{CHORDS, Unbreakable};
use crate::score::Score;
use crate::theory::{Key, PitchClass};

/// Lowest root of a power chord: A 2.
const LOWEST_ROOT: u8 = 45;

/// The chords become root, fifth and octave: whatever moves, all of it moves by the same interval.
pub(super) fn parallel_motion(score: &mut Score) -> Result<String, Unbreakable> {
    let spans = harmony(score);
    let place = place_of(score, CHORDS)?;
    let part = &mut score.parts[place];
    let mut notes = std::mem::take(&mut part.notes);
    notes.sort_by_key(|note| note.start);
    let mut moved = vec![];
    for struck in notes.chunk_by(|one, next| one.start == next.start) {
        let start = struck[0].start;
        let Some(span) = spans.iter().find(|span| span.start <= start && start < span.end) else {
            moved.extend(struck);
            continue;
        };
        let root = key_from(LOWEST_ROOT, span.root);
        let end = struck.iter().map(|note| note.end).max().unwrap_or(start);
        let loudest = struck.iter().map(|note| note.velocity).max().unwrap_or(1);
        let voice = |key| Note { key, end, velocity: loudest, ..struck[0] };
        moved.extend([root, root + 7, root + 12].map(voice));
    }
    part.notes = cut_before_next(moved);
    let changes = spans.windows(2).filter(|pair| pair[0].root != pair[1].root).count();
    Ok(format!("power chords move in parallel fifths and octaves, {changes} times"))
}

/// Notes of which none sounds into the next of its key.
fn cut_before_next(mut notes: Vec<Note>) -> Vec<Note> {
    notes.sort_by_key(|note| (note.key, note.start));
    for index in 1..notes.len() {
        let next = notes[index];
        let last = &mut notes[index - 1];
        if last.key == next.key {
            last.end = last.end.min(next.start);
        }
    }
    notes.retain(|note| note.start < note.end);
    notes.sort_by_key(|note| (note.start, note.key));
    notes
}

/// How far the second key is from the first, in semitones.
pub(super) const SECOND_KEY: u8 = 6;
/// Lowest key of the second key's chords: middle C.
const SECOND_KEY_FROM: u8 = 60;

/// The chords sound a second time, a tritone away.
pub(super) fn polytonality(score: &mut Score) -> Result<String, Unbreakable> {
    let chords = &score.parts[place_of(score, CHORDS)?];
    let other = |note: &Note| {
        let key = key_from(SECOND_KEY_FROM, (note.key + SECOND_KEY) % 12);
        Note { key, velocity: velocity(f64::from(note.velocity) * 0.85), ..*note }
    };
    let (program, notes): (_, Vec<Note>) = (chords.program, chords.notes.iter().map(other).collect());
    add_part(score, "Second key", program, notes)?;
    Ok("every chord sounds together with the one a tritone away".to_owned())
}

/// Lowest key of what hangs over: F 4.
const HANGING_FROM: u8 = 65;
/// Bars of a phrase.
pub(super) const PHRASE_BARS: i64 = 4;

/// A seventh and a ninth of the last chord of each phrase sound to its end and half a bar beyond. What plays them is then
/// silent: nothing that they could resolve to follows.
pub(super) fn unresolved_dissonance(score: &mut Score, key: Key) -> Result<String, Unbreakable> {
    let bar = bar_ticks(score.meter);
    let spans = harmony(score);
    let chords = &score.parts[place_of(score, CHORDS)?];
    let (program, soft) = (chords.program, velocity(mean_velocity(chords)));
    let phrase = PHRASE_BARS * bar;
    let ends = (1..).map(|n| (n * phrase).min(score.end.0));
    let mut notes: Vec<Note> = vec![];
    for end in ends.take(((score.end.0 + phrase - 1) / phrase).max(0) as usize) {
        let Some(span) = spans.iter().rev().find(|span| span.start.0 < end) else { continue };
        let until = Ticks((end + bar / 2).min(score.end.0));
        let note = |tone| Note {
            start: span.start,
            end: until,
            channel: 0,
            key: key_from(HANGING_FROM, tone),
            velocity: soft,
        };
        notes.extend(dissonances(span, key).map(note));
    }
    if notes.is_empty() {
        return Err(Unbreakable::NoChords);
    }
    let count = notes.len();
    add_part(score, "Unresolved", program, united(notes))?;
    Ok(format!("{count} sevenths and ninths hang over the ends of the phrases"))
}

/// The seventh and the ninth of a chord, from the key's own notes where it has them.
fn dissonances(span: &Span, key: Key) -> impl Iterator<Item = u8> + use<> {
    let scale = key.pitch_classes();
    let above = |choices: [u8; 2]| {
        let pitches = choices.map(|semitones| (span.root + semitones) % 12);
        let known = pitches.iter().copied().find(|pitch| scale.contains(PitchClass::new((*pitch).into())));
        known.unwrap_or(pitches[0])
    };
    [above([10, 11]), above([2, 1])].into_iter()
}
