//! What several rules need of a score.

use kmidi_core::{Meter, Ticks};
use kmidi_song::Note;

use super::Unbreakable;
use crate::score::{Part, Score, TICKS_PER_QUARTER};
use crate::theory::PitchClass;

/// Ticks of a quarter note.
pub(super) const QUARTER: i64 = TICKS_PER_QUARTER as i64;
/// Ticks of a sixteenth note.
pub(super) const SIXTEENTH: i64 = QUARTER / 4;

/// MIDI channel of the drums.
pub(super) const DRUMS: u8 = 9;
/// Controller for the volume of a part.
pub(super) const VOLUME: u8 = 7;
/// Controller for its place between left (0) and right (127); 64 is the middle.
pub(super) const PAN: u8 = 10;
/// Controller for how much of it goes to the reverb.
pub(super) const REVERB: u8 = 91;
/// Controller for how much of it goes to the chorus.
pub(super) const CHORUS: u8 = 93;

/// The middle of [`PAN`].
pub(super) const MIDDLE: u8 = 64;

pub(super) fn numerator(meter: Meter) -> i64 {
    if meter.numerator == 0 { 4 } else { meter.numerator.into() }
}

/// Ticks of one of the notes that the meter counts.
pub(super) fn unit_ticks(meter: Meter) -> i64 {
    (4 * QUARTER) >> meter.denominator_log2.min(6)
}

pub(super) fn bar_ticks(meter: Meter) -> i64 {
    numerator(meter) * unit_ticks(meter)
}

/// How many of the notes that the meter counts make a beat: three in 6/8, 9/8 and 12/8, else one.
pub(super) fn units_per_beat(meter: Meter) -> i64 {
    let compound = meter.denominator_log2 >= 3 && meter.numerator > 3 && meter.numerator.is_multiple_of(3);
    if compound { 3 } else { 1 }
}

/// The whole bars of a score that keeps one meter.
pub(super) fn bars(score: &Score) -> i64 {
    score.end.0 / bar_ticks(score.meter)
}

/// The tempo in force at a tick.
pub(super) fn tempo_at(tempos: &[(Ticks, f64)], tick: Ticks) -> f64 {
    tempos.iter().take_while(|(at, _)| *at <= tick).last().or(tempos.first()).map_or(120.0, |(_, bpm)| *bpm)
}

/// A chord and how long it lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub start: Ticks,
    pub end: Ticks,
    /// Pitch class of the root.
    pub root: u8,
    /// Pitch classes of all its tones, the root first.
    pub tones: Vec<u8>,
}

/// The chords of a score, one after the other to its end.
pub(super) fn harmony(score: &Score) -> Vec<Span> {
    let starts = score.chords.iter();
    let ends = score.chords.iter().skip(1).map(|(tick, _)| *tick).chain([score.end]);
    let spans = starts.zip(ends).filter(|((start, _), end)| start < end);
    let spans = spans.map(|((start, chord), end)| {
        let root = chord.root().pitch_class();
        let tones = chord.pitch_classes().iter().map(PitchClass::number);
        let mut tones: Vec<u8> = tones.collect();
        tones.sort_by_key(|tone| (tone + 12 - root.number()) % 12);
        Span { start: *start, end, root: root.number(), tones }
    });
    spans.collect()
}

/// The key of this pitch class that is `lowest` or up to eleven semitones above it.
pub(super) fn key_from(lowest: u8, pitch_class: u8) -> u8 {
    lowest + (pitch_class + 120 - lowest) % 12
}

/// The place of a part by its name.
pub(super) fn place_of(score: &Score, name: &'static str) -> Result<usize, Unbreakable> {
    let place = score.parts.iter().position(|part| part.name == name && !part.notes.is_empty());
    place.ok_or(Unbreakable::NoPart(name))
}

/// Whether a part has pitches.
pub(super) fn pitched(part: &Part) -> bool {
    part.channel != DRUMS
}

/// A channel that no part has.
pub(super) fn free_channel(score: &Score) -> Result<u8, Unbreakable> {
    let taken = |channel: &u8| score.parts.iter().any(|part| part.channel == *channel);
    (0..16).find(|channel| *channel != DRUMS && !taken(channel)).ok_or(Unbreakable::NoChannel)
}

/// A new part on a channel of its own. Notes of one key that overlap become one.
pub(super) fn add_part(
    score: &mut Score,
    name: &str,
    program: Option<u8>,
    mut notes: Vec<Note>,
) -> Result<(), Unbreakable> {
    let channel = free_channel(score)?;
    notes.iter_mut().for_each(|note| note.channel = channel);
    let notes = united(notes);
    score.parts.push(Part { name: name.to_owned(), channel, program, notes, ..Part::default() });
    Ok(())
}

/// Notes of which those that share a key and overlap have become one, in order of their starts.
pub(super) fn united(mut notes: Vec<Note>) -> Vec<Note> {
    notes.sort_by_key(|note| (note.channel, note.key, note.start));
    let mut out: Vec<Note> = vec![];
    for note in notes {
        match out.last_mut() {
            Some(last) if (last.channel, last.key) == (note.channel, note.key) && note.start < last.end => {
                last.end = last.end.max(note.end);
                last.velocity = last.velocity.max(note.velocity);
            }
            _ => out.push(note),
        }
    }
    out.sort_by_key(|note| (note.start, note.key));
    out
}

pub(super) fn mean_velocity(part: &Part) -> f64 {
    let sum: u32 = part.notes.iter().map(|note| u32::from(note.velocity)).sum();
    f64::from(sum) / part.notes.len().max(1) as f64
}

/// A velocity that can be played.
pub(super) fn velocity(value: f64) -> u8 {
    (value + 0.5).clamp(1.0, 127.0) as u8
}

/// The volume that a part begins with; 100 where it says nothing, as General MIDI has it.
pub(super) fn volume(part: &Part) -> u8 {
    let first = part.controllers.iter().find(|(_, controller, _)| *controller == VOLUME);
    first.map_or(100, |(_, _, value)| *value)
}

/// Gives a controller one value from the beginning, for good.
pub(super) fn hold_controller(part: &mut Part, controller: u8, value: u8) {
    part.controllers.retain(|(_, other, _)| *other != controller);
    part.controllers.insert(0, (Ticks(0), controller, value));
}
