use kmidi_compose::analysis::follow::Mode;

use crate::player::{MAJOR, MAJOR_SEVENTH, MINOR, MINOR_SEVENTH, Player, SEVENTH};

type Progression<'a> = &'a [(u8, &'a [u8])];

/// Plays a progression (roots above the tonic) four times, in a key whose tonic is this pitch class.
fn played(tonic: u8, progression: Progression<'_>) -> Player {
    let mut player = Player::new();
    for _ in 0..4 {
        for &(above, chord) in progression {
            player.chord(48 + (tonic + above) % 12, chord, 0.8);
        }
    }
    player
}

fn check(name: &str, mode: Mode, progression: Progression<'_>) {
    for tonic in 0..12 {
        let player = played(tonic, progression);
        assert_eq!(player.key(), Some((tonic, mode)), "{name} on {tonic}: {:?}", player.follower.reading());
    }
}

#[test]
fn cadences_of_all_twelve_major_keys() {
    check("I IV V I", Mode::Ionian, &[(0, MAJOR), (5, MAJOR), (7, MAJOR), (0, MAJOR)]);
    check("I V vi IV", Mode::Ionian, &[(0, MAJOR), (7, MAJOR), (9, MINOR), (5, MAJOR)]);
    check("I vi ii V7 I", Mode::Ionian, &[(0, MAJOR), (9, MINOR), (2, MINOR), (7, SEVENTH), (0, MAJOR)]);
    check(
        "ii7 V7 I",
        Mode::Ionian,
        &[(2, MINOR_SEVENTH), (7, SEVENTH), (0, MAJOR_SEVENTH), (0, MAJOR_SEVENTH)],
    );
}

#[test]
fn cadences_of_all_twelve_minor_keys() {
    check("i iv V i", Mode::Aeolian, &[(0, MINOR), (5, MINOR), (7, MAJOR), (0, MINOR)]);
    check("i iv v i", Mode::Aeolian, &[(0, MINOR), (5, MINOR), (7, MINOR), (0, MINOR)]);
    check("i VII VI V", Mode::Aeolian, &[(0, MINOR), (10, MAJOR), (8, MAJOR), (7, MAJOR)]);
    check("i VI iv V7 i", Mode::Aeolian, &[(0, MINOR), (8, MAJOR), (5, MINOR), (7, SEVENTH), (0, MINOR)]);
}

#[test]
fn vamps_of_the_other_modes_on_all_twelve_tonics() {
    check("dorian", Mode::Dorian, &[(0, MINOR_SEVENTH), (5, SEVENTH), (0, MINOR_SEVENTH), (5, SEVENTH)]);
    check("mixolydian", Mode::Mixolydian, &[(0, MAJOR), (10, MAJOR), (5, MAJOR), (0, MAJOR)]);
    check("lydian", Mode::Lydian, &[(0, MAJOR), (2, MAJOR), (0, MAJOR)]);
    check("phrygian", Mode::Phrygian, &[(0, MINOR), (1, MAJOR), (0, MINOR)]);
    check("locrian", Mode::Locrian, &[(0, &[0, 3, 6]), (1, MAJOR), (0, &[0, 3, 6])]);
}

#[test]
fn scales_up_and_down_in_all_24_keys() {
    let scales: [(Mode, &[u8]); 3] = [
        (Mode::Ionian, &[0, 2, 4, 5, 7, 9, 11]),
        (Mode::Aeolian, &[0, 2, 3, 5, 7, 8, 10]),
        (Mode::Aeolian, &[0, 2, 3, 5, 7, 8, 11]),
    ];
    for (mode, scale) in scales {
        for tonic in 0..12u8 {
            let mut player = Player::new();
            for _ in 0..2 {
                let up = scale.iter().copied().chain([12]);
                let down = scale.iter().rev().copied();
                up.chain(down).for_each(|above| player.hold(&[60 + tonic + above], 0.25));
            }
            assert_eq!(player.key(), Some((tonic, mode)), "{scale:?} on {tonic}");
        }
    }
}

#[test]
fn a_modulation_is_followed_in_some_bars_and_a_borrowed_chord_is_none() {
    let mut player = played(0, &[(0, MAJOR), (5, MAJOR), (7, MAJOR), (0, MAJOR)]);
    player.chord(56, MAJOR, 0.8);
    player.chord(58, MAJOR, 0.8);
    assert_eq!(player.key(), Some((0, Mode::Ionian)), "bVI and bVII are borrowed");
    player.chord(60, MAJOR, 1.6);
    let mut seconds = 0.0;
    while player.key() != Some((4, Mode::Ionian)) {
        for root in [52, 57, 59, 52] {
            player.chord(root, MAJOR, 0.8);
        }
        seconds += 3.2;
        assert!(seconds < 20.0, "{:?}", player.follower.reading());
    }
    assert!(seconds > 3.0, "that was no key yet");
}

#[test]
fn a_key_says_how_sure_it_is() {
    let sure = played(0, &[(0, MAJOR), (5, MAJOR), (7, SEVENTH), (0, MAJOR)]);
    let unsure = played(0, &[(0, MAJOR), (9, MINOR), (0, MAJOR), (9, MINOR)]);
    let confidence = |player: &Player| player.follower.reading().key.map_or(0.0, |key| key.confidence);
    assert!(confidence(&sure) > 0.8, "{}", confidence(&sure));
    assert!(confidence(&unsure) < confidence(&sure) - 0.1, "{}", confidence(&unsure));
}

#[test]
fn all_twelve_tones_are_no_key() {
    let mut player = Player::new();
    for key in (48..72).chain((48..72).rev()) {
        player.hold(&[key], 0.2);
    }
    assert_eq!(player.key(), None);
}
