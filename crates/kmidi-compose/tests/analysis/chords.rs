//! Chords from notes: every quality, and what players do to them.
use kmidi_compose::analysis::{NoteView, chords_of};
use kmidi_compose::theory::{Chord, PitchClassSet, PitchName, Voicer};

use crate::songs::{BAR, PPQ, chords_in, note, only_chord, view_of};

/// Qualities that a lead sheet has and that notes alone can tell, in root position.
const QUALITIES: [&str; 33] = [
    "", "m", "dim", "aug", "5", "sus2", "sus4", "6", "m6", "6/9", "7", "maj7", "m7", "mMaj7", "m7b5", "dim7",
    "7sus4", "7#5", "7b5", "maj7#5", "add9", "madd9", "9", "maj9", "m9", "9sus4", "7b9", "7#9", "7#11",
    "maj7#11", "m11", "13", "maj13",
];

fn all_roots() -> Vec<PitchName> {
    ["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"]
        .map(|name| name.parse().unwrap())
        .to_vec()
}

fn heard(view: &NoteView) -> Chord {
    let found = chords_of(view, "C".parse().ok());
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].chord.parse().unwrap_or_else(|_| panic!("{}", found[0].chord))
}

#[test]
fn every_quality_on_every_root_comes_back() {
    for root in all_roots() {
        for quality in QUALITIES {
            let chord = Chord::new(root, quality).unwrap();
            let keys = crate::songs::keys_of(&chord, 3);
            let found = heard(&view_of(keys.into_iter().map(|key| note(0, BAR, key)).collect()));
            assert!(found.sounds_like(&chord), "{chord} was heard as {found}");
            assert_eq!(
                found.root().pitch_class(),
                chord.root().pitch_class(),
                "{chord} was heard as {found}"
            );
        }
    }
}

#[test]
fn every_inversion_keeps_its_tones_and_where_only_one_root_is_possible_its_root() {
    let mut certain = 0;
    for root in all_roots() {
        for quality in QUALITIES {
            let plain = Chord::new(root, quality).unwrap();
            for tone in plain.tones() {
                let chord = plain.over(plain.name_of(*tone));
                let keys = crate::songs::keys_of(&chord, 3);
                let found = heard(&view_of(keys.into_iter().map(|key| note(0, BAR, key)).collect()));
                assert_eq!(found.pitch_classes(), chord.pitch_classes(), "{chord} was heard as {found}");
                assert_eq!(found.bass().pitch_class(), chord.bass().pitch_class());
                if !is_ambiguous(chord.pitch_classes()) {
                    assert_eq!(
                        found.root().pitch_class(),
                        root.pitch_class(),
                        "{chord} was heard as {found}"
                    );
                    certain += 1;
                }
            }
        }
    }
    assert!(certain > 700, "{certain} inversions have one root only");
}

/// Whether two chords on different roots have just these tones: C6 and Am7.
fn is_ambiguous(tones: PitchClassSet) -> bool {
    let same = |root: &PitchName| {
        QUALITIES.iter().any(|quality| Chord::new(*root, quality).unwrap().pitch_classes() == tones)
    };
    all_roots().iter().filter(|root| same(root)).count() > 1
}

#[test]
fn of_c6_and_am7_the_bass_decides() {
    assert_eq!((only_chord("C6").as_str(), only_chord("Am7").as_str()), ("C6", "Am7"));
    assert_eq!(only_chord("Am7/G"), "Am7/G");
    assert_eq!(only_chord("Csus2"), "Csus2");
    assert_eq!(only_chord("Gsus4"), "Gsus4");
}

#[test]
fn slash_basses_are_heard() {
    for symbol in ["C/E", "C/G", "C/Bb", "F/G", "Dm7/G", "C/D", "Am/F#"] {
        let wanted: Chord = symbol.parse().unwrap();
        let found: Chord = only_chord(symbol).parse().unwrap();
        assert_eq!(found.pitch_classes(), wanted.pitch_classes(), "{symbol} was heard as {found}");
        assert_eq!(found.bass(), wanted.bass(), "{symbol} was heard as {found}");
    }
    assert_eq!(only_chord("C/E"), "C/E");
    assert_eq!(only_chord("C/G"), "C/G");
}

#[test]
fn voicings_of_the_voicer_come_back() {
    let symbols = ["Dm7", "G7", "Cmaj7", "Am7", "Fmaj7", "Bm7b5", "E7", "Am"];
    let mut voicer = Voicer::new(45..=76, 5);
    let mut notes = vec![];
    for (symbol, bar) in symbols.iter().zip(0..) {
        let chord: Chord = symbol.parse().unwrap();
        let voicing = voicer.next(&chord);
        notes.extend(voicing.keys().iter().map(|&key| note(bar * BAR, (bar + 1) * BAR, key)));
    }
    assert_eq!(chords_in(&view_of(notes), "Am"), symbols);
}

#[test]
fn broken_chords_are_chords() {
    let bars = [[48, 60, 64, 67], [45, 57, 60, 64], [41, 57, 60, 65], [43, 59, 62, 67]];
    let mut notes = vec![];
    for (bar, keys) in bars.iter().enumerate() {
        for (beat, &key) in keys.iter().enumerate() {
            let at = bar as i64 * BAR + beat as i64 * PPQ;
            notes.push(note(at, at + PPQ, key));
        }
    }
    assert_eq!(chords_in(&view_of(notes), "C"), ["C", "Am", "F", "G"]);
}

#[test]
fn an_oom_pah_has_its_bass_on_the_beat() {
    let mut notes = vec![];
    for (bar, (root, fifth, chord)) in
        [(48, 43, [64, 67, 72]), (41, 48, [65, 69, 72]), (43, 50, [65, 67, 71]), (48, 43, [64, 67, 72])]
            .iter()
            .enumerate()
    {
        let at = bar as i64 * BAR;
        notes.push(note(at, at + PPQ, *root));
        notes.push(note(at + 2 * PPQ, at + 3 * PPQ, *fifth));
        for beat in [1, 3] {
            notes.extend(chord.iter().map(|&key| note(at + beat * PPQ, at + (beat + 1) * PPQ - 40, key)));
        }
    }
    assert_eq!(chords_in(&view_of(notes), "C"), ["C", "F", "G7", "C"]);
}

#[test]
fn passing_and_neighbour_notes_are_no_chord_tones() {
    let mut notes = vec![];
    for (bar, keys) in [[48, 55, 64], [43, 55, 62]].iter().enumerate() {
        let at = bar as i64 * BAR;
        notes.extend(keys.iter().map(|&key| note(at, at + BAR, key)));
    }
    // C D E F G F E D over C; B C D E D C B A over G: every second eighth is passing.
    for (at, key) in [72, 74, 76, 77, 79, 77, 76, 74, 71, 72, 74, 76, 74, 72, 71, 69].into_iter().enumerate()
    {
        notes.push(note(at as i64 * 240, at as i64 * 240 + 240, key));
    }
    assert_eq!(chords_in(&view_of(notes), "C"), ["C", "G"]);
}

#[test]
fn harmony_changes_within_the_bar_and_off_the_beat() {
    let mut notes = vec![];
    let mut chord = |from: i64, to: i64, keys: [u8; 4]| notes.extend(keys.map(|key| note(from, to, key)));
    chord(0, 2 * PPQ, [48, 64, 67, 72]);
    chord(2 * PPQ, 3 * PPQ, [45, 64, 69, 72]);
    chord(3 * PPQ, 4 * PPQ, [50, 65, 69, 72]);
    // The next bar's chord comes half a beat early, as it does in pop.
    chord(4 * PPQ, 7 * PPQ + 240, [43, 62, 67, 71]);
    chord(7 * PPQ + 240, 12 * PPQ, [48, 64, 67, 72]);
    let view = view_of(notes);
    let found = chords_of(&view, "C".parse().ok());
    let places: Vec<(u32, f64, &str)> = found.iter().map(|it| (it.bar, it.beat, &*it.chord)).collect();
    assert_eq!(places, [(1, 1.0, "C"), (1, 3.0, "Am"), (1, 4.0, "Dm7"), (2, 1.0, "G"), (2, 4.5, "C")]);
}

#[test]
fn silence_and_single_tones_are_no_chord() {
    let mut notes = vec![note(0, BAR, 48), note(0, BAR, 52), note(0, BAR, 55)];
    notes.extend([note(3 * BAR, 4 * BAR, 50), note(3 * BAR, 4 * BAR, 53), note(3 * BAR, 4 * BAR, 57)]);
    assert_eq!(chords_in(&view_of(notes), "C"), ["C", "N.C.", "Dm"]);
    assert_eq!(chords_in(&view_of(vec![note(0, BAR, 60)]), "C"), ["N.C."]);
    let unison = vec![note(0, BAR, 48), note(0, BAR, 60), note(0, BAR, 72)];
    assert_eq!(chords_in(&view_of(unison), "C"), ["N.C."]);
}

#[test]
fn chords_have_the_names_of_the_key() {
    let keys = [49, 65, 68, 73];
    let chord = |key: &str| chords_in(&view_of(keys.map(|it| note(0, BAR, it)).to_vec()), key);
    assert_eq!(chord("Ab"), ["Db"]);
    assert_eq!(chord("F#"), ["C#"]);
}

#[test]
fn drums_have_no_harmony() {
    let mut notes = vec![note(0, BAR, 48), note(0, BAR, 64), note(0, BAR, 67)];
    notes.extend((0..16).map(|at| kmidi_song::Note { channel: 9, ..note(at * 120, at * 120 + 60, 42) }));
    let view = view_of(notes);
    assert_eq!((view.notes().len(), view.drums().len()), (3, 16));
    assert_eq!(chords_in(&view, "C"), ["C"]);
}
