//! The voicer allocates and frees nothing, seen by the allocator itself. In a binary of its own: the allocator is the whole program's.
#![forbid(unsafe_code)]

use assert_no_alloc::{AllocDisabler, assert_no_alloc, reset_violation_count, violation_count};
use kmidi_compose::theory::{Chord, Key, Roman, Voicer, diatonic_chord};

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

// One test, since the count of violations is the whole program's.
#[test]
fn voicing_naming_and_spelling_allocate_nothing_and_a_planted_vector_is_seen() {
    let symbols = ["C", "Am7", "D9", "G13", "Cmaj9/E", "F#m7b5", "B7alt", "Em11", "Asus4", "Bbdim7"];
    let chords: Vec<Chord> = symbols.iter().map(|it| it.parse().expect("a chord")).collect();
    let key: Key = "Eb".parse().expect("a key");
    let mut sounded = 0;
    for voices in 1..=8 {
        let mut voicer = Voicer::new(36..=84, voices);
        reset_violation_count();
        assert_no_alloc(|| {
            for chord in chords.iter().cycle().take(20) {
                sounded += voicer.next(chord).len();
                sounded += Roman::of(chord, key).in_key(key).pitch_classes().len();
                sounded += diatonic_chord(key, voices, true).spelled().count();
            }
        });
        assert_eq!(violation_count(), 0, "{voices} voices");
    }
    assert!(sounded > 1000, "{sounded}");
    assert_no_alloc(|| drop(std::hint::black_box(vec![sounded])));
    assert!(violation_count() >= 1, "the control is seen");
}
