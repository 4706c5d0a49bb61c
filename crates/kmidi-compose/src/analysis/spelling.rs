//! Names for pitch classes: what a musician would write in a key.
use super::templates::Heard;
use crate::theory::{Chord, Key, Letter, PitchClass, PitchName, Scale};

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

/// Letters above the tonic's for each semitone above it: chromatic degrees are flat but for the fourth, which is sharp.
const LETTERS_UP: [u8; 12] = [0, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6];

/// The name of a pitch class in a key; where that needs a double accidental, a simpler one.
pub(crate) fn name_in(key: Key, class: u8) -> PitchName {
    let class = PitchClass::new(class.into());
    let up = LETTERS_UP[usize::from(key.tonic.pitch_class().up_to(class))];
    PitchName::with_letter(key.tonic.letter().up(up), class)
        .filter(|name| name.accidental().abs() <= 1)
        .unwrap_or_else(|| tonic_name(class.number(), key.tonic.accidental() > 0))
}

/// A chord from the name of its root, what a lead sheet writes behind it, and its bass.
pub(crate) fn chord(root: PitchName, suffix: &str, bass: PitchName) -> Option<Chord> {
    let symbol = if bass.pitch_class() == root.pitch_class() {
        format!("{root}{suffix}")
    } else {
        format!("{root}{suffix}/{bass}")
    };
    symbol.parse().ok()
}

/// A chord as it was heard, with the names that it has in a key.
pub(crate) fn heard_in(key: Key, heard: &Heard) -> Option<Chord> {
    chord(name_in(key, heard.root), heard.template().suffix, name_in(key, heard.bass))
}

/// The major or minor key that is nearest to a key of any mode: by its third.
pub(crate) fn is_minor(key: Key) -> bool {
    let steps = key.scale.semitones();
    steps.contains(&3) && !steps.contains(&4)
}

/// The key on the same tonic with the other third.
pub(crate) fn parallel(key: Key) -> Key {
    Key { tonic: key.tonic, scale: if is_minor(key) { Scale::IONIAN } else { Scale::AEOLIAN } }
}
