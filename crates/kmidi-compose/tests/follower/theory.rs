use kmidi_compose::analysis::follow::{ChordQuality, ChordReading, KeyReading, Mode};
use kmidi_compose::theory::{Chord, Key};

#[test]
fn symbols_mean_to_the_theory_what_was_heard() {
    for quality in ChordQuality::all() {
        for root in 0..12 {
            let bass = (root + quality.semitones().nth(1).unwrap()) % 12;
            let reading = ChordReading { root, quality, bass, confidence: 1.0 };
            let symbol = reading.to_string();
            let chord: Chord = symbol.parse().unwrap_or_else(|error| panic!("{symbol}: {error}"));
            assert_eq!(chord.root().pitch_class().number(), root, "{symbol}");
            assert_eq!(chord.bass().pitch_class().number(), bass, "{symbol}");
            let heard: Vec<u8> = quality.semitones().collect();
            let mut written: Vec<u8> = chord.tones().iter().map(|tone| tone.semitones % 12).collect();
            written.sort_unstable();
            written.dedup();
            // A tone that may be there need not be written: the ninth of 7#11, the eleventh of 13.
            let may_be_there = heard.len() - written.len();
            assert!(
                written.iter().all(|tone| heard.contains(tone)) && may_be_there <= 1,
                "{symbol}: {written:?}"
            );
        }
    }
}

#[test]
fn keys_mean_to_the_theory_what_was_heard() {
    for tonic in 0..12 {
        for mode in Mode::ALL {
            let name = KeyReading { tonic, mode, confidence: 1.0 }.to_string();
            let key: Key = name.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(key.tonic.pitch_class().number(), tonic, "{name}");
            assert_eq!(key.pitch_classes().len(), 7, "{name}");
        }
    }
}
