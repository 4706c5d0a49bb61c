//! Rules of who plays what, and how loud.

use kmidi_core::Ticks;

use super::tools::{REVERB, VOLUME, hold_controller, mean_velocity, pitched, place_of, velocity, volume};
use super::{MELODY, Unbreakable};
use crate::score::{Part, Score};

/// How loud a part is heard to be: General MIDI multiplies both (as 40 log10 of each; squares keep the order).
fn loudness(part: &Part) -> f64 {
    mean_velocity(part) * f64::from(volume(part))
}

/// Mean velocity of the part that was softest, once it is out of balance.
pub(super) const LOUD: f64 = 116.0;
/// What the velocities of all others are multiplied by.
pub(super) const SOFTER: f64 = 0.65;

/// The softest part with pitches becomes by far the loudest.
pub(super) fn unbalanced_dynamics(score: &mut Score) -> Result<String, Unbreakable> {
    let playing = |part: &&Part| !part.notes.is_empty();
    if score.parts.iter().filter(playing).count() < 2 {
        return Err(Unbreakable::Alone);
    }
    let candidates = score.parts.iter().enumerate().filter(|(_, part)| playing(part) && pitched(part));
    let softest = candidates.min_by(|one, other| loudness(one.1).total_cmp(&loudness(other.1)));
    let (place, part) = softest.ok_or(Unbreakable::NoPart(MELODY))?;
    let (mean, loudest) = (mean_velocity(part), score.parts.iter().map(volume).max().unwrap_or(100));
    for (other, part) in score.parts.iter_mut().enumerate() {
        for note in &mut part.notes {
            let now = f64::from(note.velocity);
            note.velocity = velocity(if other == place { now - mean + LOUD } else { now * SOFTER });
        }
    }
    let part = &mut score.parts[place];
    hold_controller(part, VOLUME, loudest);
    Ok(format!("{} was the softest part and is now the loudest", part.name))
}

/// Mean velocity of a buried melody, as a part of that of the softest instrument.
pub(super) const BURIED: f64 = 0.6;
/// Reverb of a buried melody.
pub(super) const FAR_AWAY: u8 = 110;

/// The melody is softer than every instrument, and far back in the room.
pub(super) fn buried_vocals(score: &mut Score) -> Result<String, Unbreakable> {
    let place = place_of(score, MELODY)?;
    let others = || {
        let others = score.parts.iter().enumerate().filter(|(other, _)| *other != place);
        others.map(|(_, part)| part).filter(|part| !part.notes.is_empty())
    };
    let softest = others().map(mean_velocity).min_by(f64::total_cmp).ok_or(Unbreakable::Alone)?;
    let lowest_volume = others().map(volume).min().unwrap_or(100);
    let melody = &mut score.parts[place];
    let factor = (softest * BURIED / mean_velocity(melody)).min(1.0);
    for note in &mut melody.notes {
        note.velocity = velocity(f64::from(note.velocity) * factor);
    }
    let quieter = volume(melody).min(lowest_volume);
    hold_controller(melody, VOLUME, quieter);
    hold_controller(melody, REVERB, FAR_AWAY);
    Ok(format!("the melody has {:.0} % of the loudness it had, and more reverb", factor * 100.0))
}

/// Softest and loudest velocity of an extreme range.
pub(super) const EXTREMES: (u8, u8) = (8, 127);

/// The velocities are stretched until they go from all but silent to as loud as it goes.
pub(super) fn extreme_dynamic_range(score: &mut Score) -> Result<String, Unbreakable> {
    let velocities = || score.parts.iter().flat_map(|part| &part.notes).map(|note| note.velocity);
    let (Some(low), Some(high)) = (velocities().min(), velocities().max()) else {
        return Err(Unbreakable::NoPart(MELODY));
    };
    let half = Ticks(score.end.0 / 2);
    let (softest, loudest) = (f64::from(EXTREMES.0), f64::from(EXTREMES.1));
    for note in score.parts.iter_mut().flat_map(|part| &mut part.notes) {
        let place = match high - low {
            // There is nothing to stretch: the first half is a whisper.
            0 => f64::from(u8::from(note.start >= half)),
            range => f64::from(note.velocity - low) / f64::from(range),
        };
        note.velocity = velocity(softest + place * (loudest - softest));
    }
    Ok(format!("velocities went from {low} to {high} and go from {} to {}", EXTREMES.0, EXTREMES.1))
}
