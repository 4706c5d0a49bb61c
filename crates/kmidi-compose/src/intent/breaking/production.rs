//! Rules of how it sounds, as far as MIDI can say it.

use kmidi_core::Ticks;
use kmidi_song::{Note, Random};

use super::tools::{
    CHORUS, MIDDLE, PAN, QUARTER, REVERB, VOLUME, add_part, bar_ticks, hold_controller, key_from, pitched,
    place_of,
};
use super::{BASS, CHORDS, MELODY, Unbreakable};
use crate::score::Score;

/// Lowest of the twelve keys whose fundamentals are all between 200 and 400 Hz: G sharp 3 (207.7 Hz) to G 4 (392 Hz).
pub(super) const MUD_FROM: u8 = 56;

/// Every chord is doubled by all its tones between 200 and 400 Hz.
pub(super) fn excessive_mud(score: &mut Score) -> Result<String, Unbreakable> {
    let chords = &score.parts[place_of(score, CHORDS)?];
    let low = |note: &Note| Note { key: key_from(MUD_FROM, note.key % 12), ..*note };
    let (program, notes): (_, Vec<Note>) = (chords.program, chords.notes.iter().map(low).collect());
    add_part(score, "Mud", program, notes)?;
    Ok("every chord is doubled between 200 and 400 Hz".to_owned())
}

/// Most that a note is out of tune, in cents.
pub(super) const DRIFT_CENTS: u32 = 25;

/// Pitch bend of so many cents, where the bend's whole way is two semitones.
pub(super) fn bend(cents: i32) -> i16 {
    (cents * 8192 / 200).clamp(-8192, 8191) as i16
}

/// Each note of the melody begins up to 25 cents beside its pitch, and a long one drifts on.
pub(super) fn pitch_imperfection(score: &mut Score, chance: &mut Random) -> Result<String, Unbreakable> {
    let end = score.end;
    let place = place_of(score, MELODY)?;
    let melody = &mut score.parts[place];
    let mut notes = melody.notes.clone();
    notes.sort_by_key(|note| note.start);
    notes.dedup_by_key(|note| note.start);
    let mut bends = vec![];
    for note in &notes {
        bends.push((note.start, bend(chance.around_zero(DRIFT_CENTS))));
        if note.length() >= Ticks(QUARTER) {
            let middle = Ticks(note.start.0 + note.length().0 / 2);
            bends.push((middle, bend(chance.around_zero(DRIFT_CENTS))));
        }
    }
    bends.push((end, 0));
    bends.sort_by_key(|(tick, _)| *tick);
    melody.bends = bends;
    Ok(format!("{} notes of the melody are up to {DRIFT_CENTS} cents beside their pitch", notes.len()))
}

/// General MIDI's `Seashore`: noise that comes and goes.
pub(super) const NOISE_PROGRAM: u8 = 122;
/// How loud the room is: velocity and volume.
pub(super) const NOISE_LEVEL: (u8, u8) = (36, 60);

/// A quiet noise from beginning to end, struck again every four bars so that it never dies away.
pub(super) fn room_noise(score: &mut Score) -> Result<String, Unbreakable> {
    let phrase = 4 * bar_ticks(score.meter);
    let starts = (0..).map(|n| n * phrase).take_while(|start| *start < score.end.0);
    let note = |start| Note {
        start: Ticks(start),
        end: Ticks((start + phrase).min(score.end.0)),
        channel: 0,
        key: 60,
        velocity: NOISE_LEVEL.0,
    };
    let notes = starts.map(note).collect();
    add_part(score, "Room", Some(NOISE_PROGRAM), notes)?;
    if let Some(room) = score.parts.last_mut() {
        hold_controller(room, VOLUME, NOISE_LEVEL.1);
    }
    Ok("a quiet noise lies under all of it".to_owned())
}

/// General MIDI's `Overdriven Guitar` and `Distortion Guitar`, and a bass played with a pick.
pub(super) const DRIVEN: (u8, u8, u8) = (29, 30, 34);

/// The velocity behind a circuit that saturates: twice as much where it is soft, no more than there is where it is loud.
pub(super) fn saturated(velocity: u8) -> u8 {
    let left = 127 - u16::from(velocity.min(127));
    (127 - left * left / 127).max(1) as u8
}

/// The instruments overdrive, and what was soft is loud.
pub(super) fn distortion(score: &mut Score) -> Result<String, Unbreakable> {
    let mut names = vec![];
    for part in score.parts.iter_mut().filter(|part| pitched(part)) {
        let (overdriven, distorted, picked) = DRIVEN;
        part.program = Some(match part.name.as_str() {
            BASS => picked,
            MELODY => overdriven,
            _ => distorted,
        });
        part.notes.iter_mut().for_each(|note| note.velocity = saturated(note.velocity));
        names.push(part.name.as_str());
    }
    if names.is_empty() {
        return Err(Unbreakable::NoPart(CHORDS));
    }
    Ok(format!("overdriven: {}", names.join(", ")))
}

/// Everything comes from the middle, without reverb and chorus.
pub(super) fn mono_collapse(score: &mut Score) -> Result<String, Unbreakable> {
    for part in &mut score.parts {
        hold_controller(part, CHORUS, 0);
        hold_controller(part, REVERB, 0);
        hold_controller(part, PAN, MIDDLE);
    }
    Ok(format!("all {} parts are in the middle, dry", score.parts.len()))
}
