//! Songs for tests: chords voiced as players would.
use kmidi_compose::analysis::{NoteView, Progression, chords_of};
use kmidi_compose::theory::{Chord, Voicer};
use kmidi_core::{Division, Meter, MeterMap, TempoMap, Ticks};
use kmidi_song::Note;

pub const PPQ: i64 = 480;
pub const BAR: i64 = 4 * PPQ;

pub fn note(start: i64, end: i64, key: u8) -> Note {
    Note { start: Ticks(start), end: Ticks(end), channel: 0, key, velocity: 80 }
}

pub fn view_of(notes: Vec<Note>) -> NoteView {
    view_in(notes, Meter::default())
}

pub fn view_in(notes: Vec<Note>, meter: Meter) -> NoteView {
    let tempos = TempoMap::new(Division::Ppq(PPQ as u16), []);
    NoteView::new(notes, tempos, MeterMap::new(PPQ as u32, [(Ticks(0), meter)])).expect("there are notes")
}

/// The keys of a chord: its bass in the octave of `bass_octave` and its tones in close position above.
pub fn keys_of(chord: &Chord, bass_octave: u8) -> Vec<u8> {
    let bass = 12 * bass_octave + chord.bass().pitch_class().number();
    let mut keys = vec![bass];
    for tone in chord.tones() {
        let class = chord.class_of(*tone).number();
        let above = (class + 12 - bass % 12) % 12;
        keys.push(bass + 12 + above);
    }
    keys
}

/// A progression, its chords sharing bars, so many times.
pub fn loop_of(chords: &str, times: usize) -> NoteView {
    let progression: Progression = chords.parse().expect("chords");
    let mut notes = vec![];
    let mut start = 0;
    for _ in 0..times {
        for bar in progression.bars() {
            let length = BAR / bar.len() as i64;
            for chord in bar {
                notes.extend(keys_of(chord, 3).into_iter().map(|key| note(start, start + length - 10, key)));
                start += length;
            }
        }
    }
    view_of(notes)
}

/// The same, with the voice leading of [`Voicer`].
pub fn voiced(chords: &str, range: std::ops::RangeInclusive<u8>, voices: usize) -> NoteView {
    let progression: Progression = chords.parse().expect("chords");
    let mut voicer = Voicer::new(range, voices);
    let mut notes = vec![];
    for (chord, bar) in progression.chords().zip(0..) {
        let voicing = voicer.next(chord);
        notes.extend(voicing.keys().iter().map(|&key| note(bar * BAR, (bar + 1) * BAR, key)));
    }
    view_of(notes)
}

/// The chord that is heard in a bar of this one.
pub fn only_chord(symbol: &str) -> String {
    let found = chords_in(&loop_of(symbol, 1), "C");
    assert_eq!(found.len(), 1, "{symbol}: {found:?}");
    found[0].clone()
}

/// The chords that are heard, named as in a key.
pub fn chords_in(view: &NoteView, key: &str) -> Vec<String> {
    let key = key.parse().expect("a key");
    chords_of(view, Some(key)).into_iter().map(|span| span.chord).collect()
}
