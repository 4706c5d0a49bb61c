//! Names for pitch classes: what a musician would write in a key.
use super::templates::Heard;
use crate::theory::{Chord, Key, Letter, PitchClass, PitchName};

/// The name of a key's tonic that has fewer accidentals in its signature.
pub(crate) fn tonic_name(class: u8, minor: bool) -> PitchName {
    use Letter::{A, B, C, D, E, F, G};
    let names = if minor {
        [(C, 0), (C, 1), (D, 0), (E, -1), (E, 0), (F, 0), (F, 1), (G, 0), (G, 1), (A, 0), (B, -1), (B, 0)]
    } else {
        [(C, 0), (D, -1), (D, 0), (E, -1), (E, 0), (F, 0), (F, 1), (G, 0), (A, -1), (A, 0), (B, -1), (B, 0)]
    };
    let (letter, accidental) = names[usize::from(class % 12)];
    PitchName::new(letter, accidental)
}

/// The name of a pitch class in a key; where that needs a double accidental, a simpler one.
pub(crate) fn name_in(key: Key, class: u8) -> PitchName {
    simple(key.spell(PitchClass::new(class.into())))
}

/// The same name, or one that sounds like it without a double accidental.
pub(crate) fn simple(name: PitchName) -> PitchName {
    if name.accidental().abs() > 1 {
        tonic_name(name.pitch_class().number(), name.accidental() < 0)
    } else {
        name
    }
}

/// A chord from the name of its root and what a lead sheet writes behind it.
pub(crate) fn chord(root: PitchName, quality: &str) -> Option<Chord> {
    Chord::new(root, quality).ok()
}

/// A chord as it was heard, with the names that it has in a key.
pub(crate) fn heard_in(key: Key, heard: &Heard) -> Option<Chord> {
    let chord = chord(name_in(key, heard.root), heard.template().suffix)?;
    // A bass that is one of its tones has the name that it has there.
    let bass = PitchClass::new(heard.bass.into());
    let own = chord.tone_of(bass).map(|tone| chord.name_of(tone));
    Some(chord.over(own.map_or_else(|| name_in(key, heard.bass), simple)))
}
