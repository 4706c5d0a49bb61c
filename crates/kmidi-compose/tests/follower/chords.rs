use kmidi_compose::analysis::follow::{ChordQuality, Follower, MEMORY_SECONDS, SETTLE_SECONDS};
use kmidi_song::Random;

use crate::player::{MAJOR, MINOR, Player, RATE};

#[test]
fn every_chord_is_told_in_all_twelve_keys_and_every_octave() {
    for quality in ChordQuality::all() {
        for root in 0..12u8 {
            for octave in [2, 4, 6] {
                let mut player = Player::new();
                let keys: Vec<u8> = quality.semitones().map(|above| octave * 12 + root + above).collect();
                player.hold(&keys, 0.2);
                let chord = player.follower.reading().chord.unwrap();
                assert_eq!((chord.root, chord.bass, chord.quality), (root, root, quality));
                assert_eq!(chord.confidence, 1.0);
            }
        }
    }
}

#[test]
fn open_voicings_and_doublings_are_the_same_chord() {
    let mut player = Player::new();
    player.hold(&[36, 55, 64, 72, 76, 88], 0.2);
    assert_eq!(player.symbol().as_deref(), Some("C"));
    player.hold(&[43, 53, 59, 62, 67, 74], 0.2);
    assert_eq!(player.symbol().as_deref(), Some("G7"));
}

#[test]
fn the_bass_is_told() {
    let mut player = Player::new();
    player.hold(&[52, 60, 67], 0.2);
    assert_eq!(player.symbol().as_deref(), Some("C/E"));
    player.hold(&[48, 53, 57], 0.2);
    assert_eq!(player.symbol().as_deref(), Some("F/C"));
}

#[test]
fn a_chord_whose_notes_come_one_after_another_is_told_once() {
    let mut player = Player::new();
    player.chord(60, MAJOR, 1.0);
    assert_eq!(player.symbol().as_deref(), Some("C"));
    let mut told = vec![];
    for key in [41, 57, 60, 65] {
        player.follower.note_on(0, 0, key);
        for _ in 0..10 {
            player.wait(0.001);
            told.extend(player.symbol());
        }
    }
    for _ in 0..80 {
        player.wait(0.001);
        told.extend(player.symbol());
    }
    told.dedup();
    assert_eq!(told, ["C", "F"]);
}

#[test]
fn another_chord_is_told_after_the_time_that_is_promised_and_not_before() {
    let mut player = Player::new();
    player.chord(60, MAJOR, 1.0);
    let keys = [57, 60, 64, 69];
    keys.iter().for_each(|&key| player.follower.note_on(0, 0, key));
    let settle = (SETTLE_SECONDS * f64::from(RATE)) as u32;
    player.follower.advance(settle - 1);
    assert_eq!(player.symbol().as_deref(), Some("C"));
    player.follower.advance(1);
    assert_eq!(player.symbol().as_deref(), Some("Am"));
}

#[test]
fn arpeggios_make_chords_at_any_usual_speed() {
    for seconds in [0.1, 0.2, 0.3, 0.45] {
        for (keys, symbol) in [
            ([48, 52, 55, 60], "C"),
            ([45, 52, 57, 60], "Am"),
            ([43, 50, 53, 59], "G7"),
            ([41, 45, 48, 52], "Fmaj7"),
        ] {
            let mut player = Player::new();
            let mut last_round = vec![];
            for round in 0..3 {
                for key in keys {
                    player.hold(&[key], seconds);
                    if round == 2 {
                        last_round.extend(player.symbol());
                    }
                }
            }
            // A slow one of four notes is not remembered whole.
            if seconds < 0.3 {
                assert_eq!(last_round, [symbol; 4], "{seconds} s");
            } else {
                assert!(!last_round.is_empty(), "{seconds} s, {symbol}");
            }
        }
    }
}

#[test]
fn a_chord_stays_for_a_moment_when_the_keys_are_up_and_then_there_is_none() {
    let mut player = Player::new();
    // The keys come up one by one: that is no row of chords.
    [48, 52, 55, 59].iter().for_each(|&key| player.follower.note_on(0, 0, key));
    player.wait(0.5);
    for key in [48, 52, 55, 59] {
        player.follower.note_off(0, 0, key);
        player.wait(0.01);
    }
    player.wait(MEMORY_SECONDS - 0.1);
    assert_eq!(player.symbol().as_deref(), Some("Cmaj7"));
    player.wait(0.3);
    assert_eq!(player.symbol(), None);
}

#[test]
fn one_note_is_no_chord_nor_is_a_tune() {
    let mut player = Player::new();
    player.hold(&[60], 3.0);
    assert_eq!(player.symbol(), None);
    player.wait(3.0);
    player.hold(&[60], 0.5);
    player.hold(&[62], 3.0);
    assert_eq!(player.symbol(), None);
}

#[test]
fn two_hands_on_two_channels_and_ports_are_heard_together() {
    let mut player = Player::new();
    player.follower.note_on(0, 0, 45);
    player.follower.note_on(0, 5, 60);
    player.follower.note_on(3, 15, 64);
    player.follower.note_on(0, 9, 42);
    player.wait(0.2);
    assert_eq!(player.symbol().as_deref(), Some("Am"));
    player.follower.all_notes_off(3, 15);
    player.follower.note_on(0, 1, 65);
    player.wait(2.0);
    assert_eq!(player.symbol().as_deref(), Some("F/A"));
}

#[test]
fn readings_do_not_depend_on_the_rate_nor_on_how_often_time_is_told() {
    let play = |rate: u32, step: u32| {
        let mut follower = Follower::new(rate);
        let mut readings = vec![];
        for (root, chord) in [(60, MAJOR), (57, MINOR), (65, MAJOR), (55, MAJOR)] {
            chord.iter().for_each(|above| follower.note_on(0, 0, root + above));
            for (from, to) in [(0, rate / 2), (rate / 2, rate)] {
                let mut at = from;
                while at < to {
                    let frames = step.min(to - at);
                    follower.advance(frames);
                    at += frames;
                }
                let reading = follower.reading();
                readings.push((reading.chord_symbol(), reading.key.map(|key| (key.tonic, key.mode))));
            }
            chord.iter().for_each(|above| follower.note_off(0, 0, root + above));
        }
        readings
    };
    let whole = play(48_000, 64);
    assert_eq!(whole[1].0.as_deref(), Some("C"));
    for (rate, step) in [(48_000, 1), (48_000, 1024), (8000, 32), (192_000, 480), (44_100, 441)] {
        assert_eq!(play(rate, step), whole, "{rate} Hz, {step} frames");
    }
}

#[test]
fn any_storm_of_calls_leaves_it_right() {
    let mut player = Player::new();
    let mut random = Random::new(6);
    for _ in 0..200_000 {
        let (port, channel) = (random.below(6) as u8, random.below(20) as u8);
        let key = random.below(256) as u8;
        match random.below(8) {
            0..=2 => player.follower.note_on(port, channel, key),
            3 | 4 => player.follower.note_off(port, channel, key),
            5 => player.follower.sustain(port, channel, key > 127),
            6 => player.follower.all_notes_off(port, channel),
            _ if key == 0 => player.follower.advance(u32::MAX),
            _ => player.follower.advance(u32::from(key)),
        }
    }
    for port in 0..4 {
        (0..16).for_each(|channel| player.follower.all_sound_off(port, channel));
    }
    player.wait(2.0);
    assert_eq!(player.symbol(), None);
    player.chord(62, MINOR, 0.2);
    assert_eq!(player.symbol().as_deref(), Some("Dm"));
}
