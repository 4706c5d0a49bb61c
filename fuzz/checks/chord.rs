//! What must hold for any bytes at all that are read as chords, progressions, numerals, keys and scales. The fuzz target and the
//! tests both come here.

use kmidi_compose::theory::{
    Chord, Key, PitchName, Progression, Roman, Scale, Voicer, parse_progression, parse_progression_in,
};

/// Panics if anything about these bytes is not as promised; gives how many things they could be read as.
pub fn check(bytes: &[u8]) -> usize {
    let text = &*String::from_utf8_lossy(bytes);
    let chord = text.parse::<Chord>().ok();
    let numeral = text.parse::<Roman>().ok();
    let key = text.parse::<Key>().ok();
    let progression = parse_progression(text).ok();
    if let Some(chord) = &chord {
        check_chord(chord);
    }
    if let Some(numeral) = &numeral {
        check_numeral(numeral);
    }
    if let Some(key) = key {
        assert_eq!(key.to_string().parse(), Ok(key));
        assert!(parse_progression_in("I ii7 V65/V bVI", key).is_ok());
        assert_eq!(key.pitch_classes().len(), key.scale.semitones().len());
    }
    if let Err(error) = text.parse::<PitchName>() {
        assert!(error.to_string().len() < 400);
    }
    let mixed = parse_progression_in(text, "Eb".parse().expect("a key")).ok();
    for progression in progression.iter().chain(&mixed) {
        assert!(!progression.bars.is_empty() && progression.bars.iter().all(|bar| !bar.is_empty()));
        assert!(progression.bars.iter().map(Vec::len).sum::<usize>() <= Progression::MOST_STEPS);
    }
    if let Some(name) = Scale::nearest_name(text) {
        assert!(Scale::named(name).is_some());
    }
    [chord.is_some(), numeral.is_some(), key.is_some(), progression.is_some(), mixed.is_some()]
        .iter()
        .filter(|it| **it)
        .count()
}

fn check_chord(chord: &Chord) {
    let printed = chord.to_string();
    assert_eq!(printed.parse::<Chord>().as_ref(), Ok(chord), "{printed}");
    assert_eq!(chord.tones()[0].semitones, 0);
    assert!(chord.tones().len() <= Chord::MOST_TONES);
    for (name, tone) in chord.spelled().zip(chord.tones()) {
        assert_eq!(name.pitch_class(), chord.class_of(*tone), "{printed}");
    }
    for name in ["C", "F# minor", "Bb dorian", "Db locrian"] {
        let key: Key = name.parse().expect("a key");
        let numeral = Roman::of(chord, key);
        assert!(numeral.in_key(key).sounds_like(chord), "{printed} in {name}: {numeral}");
        check_numeral(&numeral);
        assert!(chord.transposed(5, key).transposed(-5, key).sounds_like(chord), "{printed}");
    }
    let voicing = Voicer::new(36..=84, 4).next(chord);
    assert!(voicing.keys().is_sorted() && !voicing.is_empty(), "{printed}");
}

fn check_numeral(numeral: &Roman) {
    let printed = numeral.to_string();
    let read: Roman = printed.parse().unwrap_or_else(|error| panic!("{printed}: {error}"));
    for name in ["C", "G# minor"] {
        let key: Key = name.parse().expect("a key");
        assert_eq!(read.in_key(key), numeral.in_key(key), "{printed}");
    }
}
