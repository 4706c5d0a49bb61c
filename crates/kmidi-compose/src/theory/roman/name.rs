//! The Roman numeral of a chord, and how it is written.
use super::{Above, MAJOR, Place, Roman};
use crate::theory::chord::Tones;
use crate::theory::pitch::accidental_text;
use crate::theory::{Chord, Key, Letter, PitchName, Scale, diatonic_chord};

/// The numeral of a chord in a key of seven tones.
pub(super) fn of(chord: &Chord, key: Key) -> Roman {
    let applied = if is_diatonic(chord, key) { None } else { applied(chord, key) };
    let place = applied.map_or(key, |of| of.key(key));
    let (root, small) = (chord.root(), chord.is_minor());
    let bass = (chord.bass() != root).then(|| above(root, chord.bass()));
    Roman { place: Place::of(root, small, place), tones: chord.tone_set(), bass, of: applied }
}

/// How far a bass is above a root, by a name that two accidentals reach.
fn above(root: PitchName, bass: PitchName) -> Above {
    let semitones = root.pitch_class().up_to(bass.pitch_class());
    let letters = root.letter().up_to(bass.letter());
    let plain = Above { letters: [0, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6][usize::from(semitones)], semitones };
    let named = Above { letters, semitones };
    if named.accidental().abs() <= 2 { named } else { plain }
}

impl Above {
    /// Over the degree of the major scale: -6 to 5.
    fn accidental(self) -> i8 {
        (self.semitones as i8 - MAJOR[usize::from(self.letters)] + 6).rem_euclid(12) - 6
    }
}

/// Is it made of the key's tones? In minor, the sixth and the seventh degree may be raised.
fn is_diatonic(chord: &Chord, key: Key) -> bool {
    let classes = chord.pitch_classes();
    let within = |scale: Scale| Key::new(key.tonic, scale).pitch_classes().contains_all(classes);
    within(key.scale)
        || key.scale == Scale::AEOLIAN && (within(Scale::HARMONIC_MINOR) || within(Scale::MELODIC_MINOR))
}

/// The degree whose dominant or leading-tone chord a chord is.
fn applied(chord: &Chord, key: Key) -> Option<Place> {
    let has = |semitones: u8| chord.tones().iter().any(|tone| tone.semitones == semitones);
    let seventh = chord.seventh().map(|tone| tone.semitones);
    let root = chord.root();
    let triad = has(7) && seventh.is_none() && root.pitch_class() != key.tonic.pitch_class();
    let (target, major_only) = if has(4) && (triad || seventh == Some(10)) {
        (root.up(3, 5), false)
    } else if has(3) && has(6) && seventh != Some(11) {
        (root.up(1, 1), seventh == Some(10))
    } else {
        return None;
    };
    let degree = key.degree_of(target.pitch_class()).filter(|degree| *degree != 0)?;
    if key.degree(degree) != target {
        return None;
    }
    let tonic = diatonic_chord(key, degree, false);
    // The dominant of a minor key is major as a goal, too.
    let major = tonic.tone_set() == Tones::MAJOR || degree == 4;
    let minor = tonic.tone_set() == Tones::MINOR && !major;
    if !(major || minor && !major_only) {
        return None;
    }
    Place::named(target, minor, key)
}

/// What stands behind the numeral: quality, figures, bass.
pub(super) fn suffix(roman: &Roman) -> String {
    let quality = quality(roman.tones);
    let Some(bass) = roman.bass else { return quality };
    let tone = roman.tones.as_slice().iter().find(|tone| tone.semitones % 12 == bass.semitones);
    let degree = tone.filter(|tone| (tone.degree - 1) % 7 == bass.letters).map_or(0, |tone| tone.degree);
    if let Some(mark) =
        quality.strip_suffix('7').filter(|mark| matches!(*mark, "" | "o" | "ø" | "maj" | "omaj" | "+maj"))
    {
        match degree {
            3 => return format!("{mark}65"),
            5 => return format!("{mark}43"),
            7 => return format!("{mark}42"),
            _ => {}
        }
    }
    if matches!(quality.as_str(), "" | "o" | "+") {
        match degree {
            3 => return format!("{quality}6"),
            5 => return format!("{quality}64"),
            _ => {}
        }
    }
    format!("{quality}/{}{}", accidental_text(bass.accidental()), bass.letters + 1)
}

/// The quality as numerals write it: the letters say the third, figures are kept for inversions.
fn quality(tones: Tones) -> String {
    let symbol = Chord::from_tones(C, tones).quality();
    match symbol.as_str() {
        "dim" => return "o".to_owned(),
        "dim7" => return "o7".to_owned(),
        "m7b5" => return "ø7".to_owned(),
        "aug" => return "+".to_owned(),
        "mMaj7b5" => return "omaj7".to_owned(),
        "maj7#5" => return "+maj7".to_owned(),
        _ => {}
    }
    let small = tones.has_minor_third() && symbol.starts_with('m');
    let rest = if small { &symbol[1..] } else { &symbol };
    let rest = rest.strip_prefix("Maj").map_or_else(|| rest.to_owned(), |number| format!("maj{number}"));
    if let Some(more) = rest.strip_prefix("6/9") {
        format!("add6add9{more}")
    } else if let Some(more) = rest.strip_prefix('6') {
        format!("add6{more}")
    } else {
        rest
    }
}

const C: PitchName = PitchName::new(Letter::C, 0);
