//! Pitches and their names, scales, keys, chord symbols, Roman numerals, voicings.
//!
//! - [`PitchClass`] is what sounds, [`PitchName`] how it is written; a [`Key`] spells the one as the other.
//! - [`Scale`] is a table of scales, each with its source.
//! - [`Chord`] reads and prints symbols as lead sheets write them; [`parse_progression`] reads rows of them.
//! - [`Roman`] is a chord by its place in a key, both ways.
//! - [`Voicer`] makes keys of chords, with good voice leading and without allocating.
//! - [`teach`] explains all of it in short lessons.
//!
//! No item here does input or output or uses chance. Where nothing else is said, semitones are those of twelve equal ones to the
//! octave, and degrees are counted from 0 in code and from 1 in texts. `[side B]`, but for voicings.

mod chord;
mod key;
mod pitch;
mod roman;
mod scale;
mod serial;
pub mod teach;
mod voicing;

pub use chord::{
    Chord, ChordError, Progression, Step, Tone, diatonic_chord, parse_progression, parse_progression_in,
};
pub use key::{Key, KeyError};
pub(crate) use kmidi_song::nearest;
pub use pitch::{Letter, PitchClass, PitchClassSet, PitchError, PitchName, Spelling};
pub use roman::Roman;
pub use scale::{Family, Scale};
pub use voicing::{Cost, Voicer, Voicing, shape_cost, unresolved, voice_leading_cost};

/// A text as it may stand in a message: its first characters, without control characters.
pub(crate) fn shortened(text: &str) -> String {
    const MOST: usize = 24;
    let clean = |it: char| if it.is_control() { '\u{fffd}' } else { it };
    let mut short: String = text.chars().take(MOST).map(clean).collect();
    if text.chars().nth(MOST).is_some() {
        short.push('…');
    }
    short
}
