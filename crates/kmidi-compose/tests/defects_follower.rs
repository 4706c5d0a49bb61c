//! What the harmony and groove engines of the older system got wrong, each a test.

#[path = "follower/player.rs"]
#[allow(dead_code, reason = "the other tests use more of it")]
mod player;

use assert_no_alloc::{AllocDisabler, assert_no_alloc, reset_violation_count, violation_count};
use kmidi_compose::analysis::audio::{OnsetDetector, listen};
use kmidi_compose::analysis::follow::{ChordQuality, Follower, Mode};
use kmidi_song::Random;
use player::{MAJOR, Player, RATE};

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

fn told(keys: &[u8]) -> (String, f32) {
    let mut player = Player::new();
    player.hold(keys, 0.2);
    let chord = player.follower.reading().chord.expect("it is a chord");
    (chord.to_string(), chord.confidence)
}

#[test]
fn the_tonic_is_right_in_12_of_12_keys_and_not_in_2() {
    for tonic in 0..12 {
        let mut player = Player::new();
        [0, 5, 7, 0].iter().for_each(|above| player.chord(48 + (tonic + above) % 12, MAJOR, 1.0));
        assert_eq!(player.key(), Some((tonic, Mode::Ionian)));
    }
}

#[test]
fn d_major_is_not_a_sharp_and_f_is_not_g() {
    for (tonic, name) in [(2, "D major"), (5, "F major")] {
        let mut player = Player::new();
        [0, 2, 4, 5, 7, 9, 11, 12].iter().for_each(|above| player.hold(&[60 + tonic + above], 0.5));
        assert_eq!(player.follower.reading().key.map(|key| key.to_string()).as_deref(), Some(name));
    }
}

#[test]
fn am7_is_not_c_add6_and_c6_is_not_am7() {
    assert_eq!(told(&[45, 60, 64, 67]).0, "Am7");
    assert_eq!(told(&[48, 64, 67, 69]).0, "C6");
}

#[test]
fn c11_is_not_a_ninth() {
    assert_eq!(told(&[48, 52, 55, 58, 62, 65]).0, "C11");
    assert_eq!(told(&[48, 52, 55, 58, 62]).0, "C9");
}

#[test]
fn c7b5_has_no_natural_fifth() {
    assert_eq!(told(&[48, 52, 54, 58]), ("C7b5".into(), 1.0));
    assert!(ChordQuality::Dominant7Flat5.semitones().eq([0, 4, 6, 10]));
}

#[test]
fn no_chord_is_in_the_table_twice() {
    let mut tones: Vec<Vec<u8>> = ChordQuality::all().map(|quality| quality.semitones().collect()).collect();
    tones.sort();
    assert!(tones.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn a_decay_by_calls_would_hear_another_key_at_another_block_length() {
    let confidence = |frames: u32| {
        let mut follower = Follower::new(RATE);
        for root in [48, 53, 55, 48] {
            MAJOR.iter().for_each(|above| follower.note_on(0, 0, root + above));
            (0..RATE / frames).for_each(|_| follower.advance(frames));
            MAJOR.iter().for_each(|above| follower.note_off(0, 0, root + above));
        }
        follower.reading().key.map(|key| (key.tonic, key.confidence))
    };
    let (tonic, fine) = confidence(32).expect("a key");
    let (same, coarse) = confidence(960).expect("a key");
    assert!(tonic == same && (fine - coarse).abs() < 0.01, "{fine} {coarse}");
}

/// Both share the counter: one after the other.
#[test]
fn neither_the_follower_nor_the_onset_detector_allocates() {
    let mut follower = Follower::new(RATE);
    let mut random = Random::new(1);
    reset_violation_count();
    let mut chords = 0;
    for _ in 0..100_000 {
        let (channel, key) = (random.below(16) as u8, 30 + random.below(60) as u8);
        let (kind, frames) = (random.below(5), random.below(2000));
        assert_no_alloc(|| {
            match kind {
                0 | 1 => follower.note_on(0, channel, key),
                2 => follower.note_off(0, channel, key),
                3 => follower.all_sound_off(0, channel),
                _ => follower.sustain(0, channel, key > 60),
            }
            follower.advance(frames);
            chords += usize::from(follower.reading().chord.is_some());
        });
    }
    assert!(chords > 1000, "{chords} of 100,000");
    // A beat every 0.4 s in noise, in the blocks of a callback.
    let mut detector = OnsetDetector::new(RATE).unwrap();
    let sound: Vec<f32> = (0..RATE * 10)
        .map(|i| {
            let since = (i % 19_200) as f32;
            (random.unit() as f32 - 0.5) * (0.01 + 0.8 * (-since / 500.0).exp())
        })
        .collect();
    let mut onsets = 0;
    for block in sound.chunks(512) {
        assert_no_alloc(|| detector.push(block, |_| onsets += 1)).unwrap();
    }
    assert_no_alloc(|| detector.finish(|_| onsets += 1));
    assert_eq!((onsets, violation_count()), (25, 0));

    // The watch is awake: the same with a planted allocation.
    assert_no_alloc(|| drop(std::hint::black_box(Box::new(1))));
    assert!(violation_count() > 0, "a planted allocation must be caught");
}

/// The older one gave a transform for real numbers complex ones, and read bins that were others.
#[test]
fn a_bin_that_is_read_wrongly_would_not_hear_a_tone_change_at_the_same_level() {
    for (from_hz, to_hz) in [(220.0, 247.0), (440.0, 660.0), (1000.0, 5000.0), (9000.0, 3000.0)] {
        let mut phase = 0.0f64;
        let sound: Vec<f32> = (0..RATE * 2)
            .map(|i| {
                phase += if i < RATE { from_hz } else { to_hz } / f64::from(RATE);
                (phase * std::f64::consts::TAU).sin() as f32 * 0.4
            })
            .collect();
        let onsets: Vec<u64> = listen(&sound, RATE).unwrap().onsets.iter().map(|onset| onset.frame).collect();
        assert_eq!(onsets.len(), 2, "{from_hz} to {to_hz}: {onsets:?}");
        assert!(onsets[1].abs_diff(u64::from(RATE)) < u64::from(RATE) / 20, "{onsets:?}");
    }
}

/// The older one had a fixed threshold.
#[test]
fn a_quiet_recording_has_the_onsets_of_a_loud_one() {
    let mut random = Random::new(3);
    let loud: Vec<f32> = (0..RATE * 4)
        .map(|i| (random.unit() as f32 - 0.5) * (-((i % 16_000) as f32) / 800.0).exp())
        .collect();
    let onsets = |gain: f32| {
        let sound: Vec<f32> = loud.iter().map(|x| x * gain).collect();
        listen(&sound, RATE).unwrap().onsets.iter().map(|onset| onset.frame).collect::<Vec<_>>()
    };
    let expected = onsets(1.0);
    assert_eq!(expected.len(), 12);
    for gain in [1.9, 0.1, 0.01] {
        assert_eq!(onsets(gain), expected, "{gain}");
    }
}
