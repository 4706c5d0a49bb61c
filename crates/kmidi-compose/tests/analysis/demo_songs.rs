//! The songs that come with the program: real files, by other hands.
use std::fs;
use std::path::Path;

use kmidi_compose::analysis::{Analysis, NoteView};
use kmidi_song::Song;

fn analysis_of(name: &str) -> Analysis {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/midi").join(name);
    let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (song, _) = Song::from_smf(&bytes).expect("a MIDI file");
    Analysis::of(&NoteView::from_song(&song).expect("it has notes"))
}

#[test]
fn reports_on_real_songs_are_whole_and_in_order() {
    for name in ["freedoom-e1m1.mid", "freedoom-inter.mid", "freedoom-ultima.mid"] {
        let found = analysis_of(name);
        println!("{name}\n{found}");
        assert_eq!(found.sections.iter().map(|it| it.bars).sum::<u32>(), found.bars, "{name}");
        assert!(found.sections.len() > 1, "{name} has more than one section");
        assert!(found.chords.windows(2).all(|pair| pair[0].start_seconds < pair[1].start_seconds), "{name}");
        assert!(found.chords.iter().any(|it| it.roman.is_some()), "{name}");
        assert_eq!(found.tension.bars.len(), found.bars as usize, "{name}");
        assert!((30.0..300.0).contains(&found.tempo.bpm), "{name}: {}", found.tempo.bpm);
        let beats: f64 = found.chords.iter().map(|it| it.beats).sum();
        let bars = f64::from(found.bars);
        assert!(beats >= bars && beats <= bars * 8.0, "{name}: {beats} beats of chords in {bars} bars");
    }
}
