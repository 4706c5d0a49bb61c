use kmidi_core::Ticks;

use super::{Rule, broken, changed, written};
use crate::intent::breaking::arrangement::{EXTREMES, FAR_AWAY};
use crate::intent::breaking::production::{DRIFT_CENTS, DRIVEN, NOISE_PROGRAM, bend, saturated};
use crate::intent::breaking::tools::{mean_velocity, volume};
use crate::score::{Part, Score};

fn means(score: &Score) -> Vec<f64> {
    score.parts.iter().map(mean_velocity).collect()
}

/// Whether only loudness differs.
fn same_notes(before: &Score, after: &Score) -> bool {
    before.parts.iter().zip(&after.parts).all(|(one, other)| written(one) == written(other))
}

#[test]
fn unbalanced_dynamics_make_the_softest_part_the_loudest() {
    let (before, after) = broken(Rule::UnbalancedDynamics);
    assert!(same_notes(&before, &after));
    let (was, is) = (means(&before), means(&after));
    let softest = was.iter().enumerate().min_by(|one, other| one.1.total_cmp(other.1)).unwrap().0;
    assert_eq!(before.parts[softest].name, "Bass");
    for (place, mean) in is.iter().enumerate().filter(|(place, _)| *place != softest) {
        assert!(is[softest] >= mean + 25.0, "{is:?}");
        assert!((mean / was[place] - 0.65).abs() < 0.02);
    }
    assert!(after.parts.iter().all(|part| volume(part) <= volume(&after.parts[softest])));
}

#[test]
fn buried_vocals_lie_below_every_instrument_and_far_back() {
    let (before, after) = broken(Rule::BuriedVocals);
    assert_eq!(changed(&before, &after), ["Melody"]);
    assert!(same_notes(&before, &after));
    let (was, is) = (means(&before), means(&after));
    assert!(was[2] > was[0] && was[2] > was[1]);
    for other in [0, 1, 3] {
        assert!(is[2] < 0.65 * is[other], "{is:?}");
        assert!(volume(&after.parts[2]) <= volume(&after.parts[other]));
    }
    assert!(after.parts[2].controllers.contains(&(Ticks(0), 91, FAR_AWAY)));
    assert!(after.parts[2].controllers.contains(&(Ticks(0), 10, 90)), "its place stays");
}

#[test]
fn extreme_dynamic_range_goes_from_silence_to_all_and_keeps_the_order() {
    let (before, after) = broken(Rule::ExtremeDynamicRange);
    assert!(same_notes(&before, &after));
    let velocities = |score: &Score| -> Vec<u8> {
        score.parts.iter().flat_map(|part| &part.notes).map(|note| note.velocity).collect()
    };
    let (was, is) = (velocities(&before), velocities(&after));
    assert_eq!((was.iter().min(), was.iter().max()), (Some(&60), Some(&100)));
    assert_eq!((is.iter().min(), is.iter().max()), (Some(&EXTREMES.0), Some(&EXTREMES.1)));
    let mut pairs: Vec<(u8, u8)> = was.into_iter().zip(is).collect();
    pairs.sort_unstable();
    assert!(pairs.windows(2).all(|pair| pair[0].1 <= pair[1].1));
}

#[test]
fn a_song_of_one_loudness_whispers_and_then_shouts() {
    let mut score = super::song();
    score.parts.iter_mut().flat_map(|part| &mut part.notes).for_each(|note| note.velocity = 64);
    Rule::ExtremeDynamicRange.in_score(&mut score, super::c_major(), 1).unwrap();
    let of = |half: std::ops::Range<i64>| -> Vec<u8> {
        let notes = score.parts.iter().flat_map(|part| &part.notes);
        notes.filter(|note| half.contains(&note.start.0)).map(|note| note.velocity).collect()
    };
    assert!(of(0..8 * 1920).iter().all(|velocity| *velocity == 8));
    assert!(of(8 * 1920..16 * 1920).iter().all(|velocity| *velocity == 127));
}

/// Ticks of sound whose fundamental lies between 200 and 400 Hz.
fn mud(part: &Part) -> i64 {
    let hz = |key: u8| 440.0 * 2f64.powf((f64::from(key) - 69.0) / 12.0);
    let muddy = |note: &&kmidi_song::Note| (200.0..=400.0).contains(&hz(note.key));
    part.notes.iter().filter(muddy).map(|note| note.length().0).sum()
}

#[test]
fn excessive_mud_doubles_every_chord_tone_between_200_and_400_hz() {
    let (before, after) = broken(Rule::ExcessiveMud);
    assert_eq!(changed(&before, &after), ["+Mud"]);
    let double = after.part("Mud").unwrap();
    let all: i64 = double.notes.iter().map(|note| note.length().0).sum();
    assert_eq!(mud(double), all, "all of it is in the band");
    assert_eq!(all, before.parts[0].notes.iter().map(|note| note.length().0).sum::<i64>());
    let total = |score: &Score| score.parts.iter().filter(|part| part.channel != 9).map(mud).sum::<i64>();
    assert!(total(&after) * 2 >= total(&before) * 3, "{} {}", total(&before), total(&after));
}

#[test]
fn pitch_imperfection_bends_every_note_by_25_cents_at_most_and_ends_in_tune() {
    let (before, after) = broken(Rule::PitchImperfection);
    assert_eq!(changed(&before, &after), ["Melody"]);
    assert!(same_notes(&before, &after));
    let (last, bends) = after.parts[2].bends.split_last().unwrap();
    assert_eq!(*last, (after.end, 0));
    let most = bend(DRIFT_CENTS as i32);
    assert_eq!(most, 1024);
    assert!(bends.iter().all(|(_, bend)| bend.abs() <= most));
    for note in &before.parts[2].notes {
        assert!(bends.iter().any(|(tick, _)| *tick == note.start), "{note:?}");
    }
    let away = bends.iter().filter(|(_, bend)| bend.abs() > 200).count();
    assert!(away * 2 > bends.len(), "five cents and more are usual: {away} of {}", bends.len());
    let mean: f64 = bends.iter().map(|(_, bend)| f64::from(*bend)).sum::<f64>() / bends.len() as f64;
    assert!(mean.abs() < 300.0, "{mean}");
}

#[test]
fn room_noise_is_quiet_and_never_stops() {
    let (before, after) = broken(Rule::RoomNoise);
    assert_eq!(changed(&before, &after), ["+Room"]);
    let room = after.part("Room").unwrap();
    assert_eq!(room.program, Some(NOISE_PROGRAM));
    let mut sounding = Ticks(0);
    for note in &room.notes {
        assert_eq!(note.start, sounding);
        sounding = note.end;
    }
    assert_eq!(sounding, after.end);
    let loudness = |part: &Part| mean_velocity(part) * f64::from(volume(part));
    assert!(before.parts.iter().all(|part| loudness(room) < 0.5 * loudness(part)));
}

#[test]
fn distortion_overdrives_the_instruments_and_presses_loudness_together() {
    let (before, after) = broken(Rule::Distortion);
    assert_eq!(changed(&before, &after), ["Chords", "Bass", "Melody"]);
    assert!(same_notes(&before, &after));
    let programs: Vec<Option<u8>> = after.parts.iter().map(|part| part.program).collect();
    assert_eq!(programs, [Some(DRIVEN.1), Some(DRIVEN.2), Some(DRIVEN.0), None]);
    assert!(means(&after)[..3].iter().zip(&means(&before)).all(|(is, was)| is > was));
    let curve: Vec<u8> = (1..=127).map(saturated).collect();
    assert!(curve.is_sorted() && curve[126] == 127 && curve[0] >= 1);
    // Ten steps of velocity are far apart where it is soft and close together where it is loud.
    assert!(saturated(20) - saturated(10) > 3 * (saturated(110) - saturated(100)));
}

#[test]
fn mono_collapse_puts_everything_in_the_middle_and_dry() {
    let (before, after) = broken(Rule::MonoCollapse);
    assert!(same_notes(&before, &after));
    let values = |part: &Part, controller: u8| -> Vec<u8> {
        part.controllers.iter().filter(|it| it.1 == controller).map(|it| it.2).collect()
    };
    assert_eq!(values(&before.parts[0], 10), [40]);
    for part in &after.parts {
        assert_eq!((values(part, 10), values(part, 91), values(part, 93)), (vec![64], vec![0], vec![0]));
    }
    assert_eq!(values(&after.parts[0], 7), [90], "what is not about width stays");
}
