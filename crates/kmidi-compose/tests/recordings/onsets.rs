use kmidi_compose::analysis::audio::{AudioError, MIN_GAP_SECONDS, Onset, OnsetDetector, listen};

use crate::synth::Tape;

/// Clicks at known frames, 0.1 to 0.6 seconds apart.
fn clicks(tape: &mut Tape, level: f64) -> Vec<u64> {
    let (mut frames, mut at) = (vec![], 0.2);
    while at < tape.seconds() - 0.3 {
        let frame = tape.frame(at);
        tape.click(frame, level);
        frames.push(frame);
        at += 0.35 + 0.25 * tape.noise();
    }
    frames
}

fn heard(tape: &Tape) -> Vec<u64> {
    listen(&tape.samples, tape.rate).unwrap().onsets.iter().map(|onset| onset.frame).collect()
}

/// Every click and nothing else, each to the millisecond.
fn check(expected: &[u64], found: &[u64], rate: u32, name: &str) {
    assert_eq!(found.len(), expected.len(), "{name}: {found:?}\n{expected:?}");
    for (found, expected) in found.iter().zip(expected) {
        let milliseconds = (*found as f64 - *expected as f64) / f64::from(rate) * 1e3;
        assert!(milliseconds.abs() <= 1.0, "{name}: {found} for {expected}, {milliseconds:.2} ms off");
    }
}

#[test]
fn every_click_is_found_to_the_millisecond_at_every_rate_and_level() {
    for rate in [8000, 16_000, 22_050, 44_100, 48_000, 96_000] {
        for level in [1.0, 0.1, 0.01] {
            let mut tape = Tape::silent(rate, 8.0);
            let expected = clicks(&mut tape, level);
            check(&expected, &heard(&tape), rate, &format!("{rate} Hz, level {level}"));
        }
    }
}

#[test]
fn so_it_is_in_noise_24_db_below() {
    for rate in [44_100, 48_000] {
        let mut tape = Tape::silent(rate, 10.0);
        let expected = clicks(&mut tape, 0.8);
        let found = heard(&tape.hiss(0.05));
        // The noise itself begins too.
        check(&expected, found.strip_prefix(&[0]).unwrap_or(&found), rate, "noise");
    }
}

#[test]
fn a_click_on_the_first_frame_is_found_and_one_on_the_last_does_no_harm() {
    let mut tape = Tape::silent(44_100, 1.0);
    tape.click(0, 0.7);
    tape.click(44_099, 0.7);
    assert_eq!(heard(&tape), [0]);
}

#[test]
fn the_end_of_a_sound_that_is_cut_off_is_no_onset() {
    let mut tape = Tape::silent(44_100, 1.013);
    for (n, sample) in tape.samples.iter_mut().enumerate() {
        *sample = (n as f32 * 0.05).sin() * 0.5;
    }
    assert_eq!(heard(&tape).len(), 1);
}

#[test]
fn onsets_keep_their_distance_and_none_is_lost_beyond_it() {
    for (gap_ms, heard_of_two) in [(20, 1), (30, 1), (45, 1), (70, 2), (100, 2)] {
        let mut tape = Tape::silent(44_100, 4.0);
        for n in 0..8 {
            tape.click(10_000 + n * 20_000, 0.8);
            tape.click(10_000 + n * 20_000 + gap_ms * 441 / 10, 0.8);
        }
        let found = heard(&tape);
        let least = (MIN_GAP_SECONDS * 44_100.0) as u64;
        assert_eq!(found.len(), 8 * heard_of_two, "{gap_ms} ms: {found:?}");
        assert!(found.windows(2).all(|pair| pair[1] - pair[0] >= least), "{found:?}");
    }
}

#[test]
fn steady_noise_and_a_held_tone_begin_and_that_is_all() {
    for seed in 0..6 {
        let tape = Tape::silent(44_100, 10.0).with_seed(seed).hiss(0.1);
        let found = heard(&tape);
        assert!(found.len() <= 3, "seed {seed}: {found:?}");
    }
}

#[test]
fn the_block_length_makes_no_difference() {
    let mut tape = Tape::silent(44_100, 3.0);
    clicks(&mut tape, 0.8);
    let tape = tape.hiss(0.01);
    let run = |block: usize| {
        let mut detector = OnsetDetector::new(44_100).unwrap();
        let mut found: Vec<Onset> = vec![];
        tape.samples.chunks(block).for_each(|block| detector.push(block, |onset| found.push(onset)).unwrap());
        detector.finish(|onset| found.push(onset));
        found
    };
    let whole = run(usize::MAX);
    assert!(whole.len() > 5);
    for block in [1, 64, 511, 512, 4097] {
        assert_eq!(run(block), whole, "{block}");
    }
}

#[test]
fn an_onset_is_told_within_the_latency_that_is_promised() {
    for rate in [8000, 44_100, 48_000] {
        let mut tape = Tape::silent(rate, 3.0);
        clicks(&mut tape, 0.8);
        let mut detector = OnsetDetector::new(rate).unwrap();
        let latency = detector.latency_frames() as u64;
        assert!(latency < u64::from(rate) / 8, "{latency}");
        for (block, samples) in tape.samples.chunks(64).enumerate() {
            let now = (block as u64 + 1) * 64;
            detector
                .push(samples, |onset| assert!(now - onset.frame <= latency + 64, "{now}: {onset:?}"))
                .unwrap();
        }
    }
}

#[test]
fn samples_that_are_no_numbers_are_refused_with_their_place_and_the_rest_is_heard() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut detector = OnsetDetector::new(44_100).unwrap();
        let none = |_| panic!("nothing begins");
        detector.push(&[0.0; 1000], none).unwrap();
        let mut block = [0.0; 100];
        block[7] = bad;
        assert_eq!(detector.push(&block, none), Err(AudioError::NotFinite { frame: 1007 }));
        let mut tape = Tape::silent(44_100, 1.0);
        tape.click(20_000, 0.5);
        let mut found = vec![];
        detector.push(&tape.samples, |onset| found.push(onset.frame)).unwrap();
        assert!(matches!(found[..], [frame] if frame.abs_diff(21_000) < 45), "{found:?}");
    }
}

#[test]
fn rates_that_there_are_not_are_refused() {
    for rate in [0, 7999, 192_001, u32::MAX] {
        assert!(
            matches!(OnsetDetector::new(rate), Err(AudioError::Rate { sample_rate_hz }) if sample_rate_hz == rate)
        );
    }
    let error = AudioError::Rate { sample_rate_hz: 5 };
    assert_eq!(error.to_string(), "a sample rate of 5 Hz; from 8000 to 192000 Hz can be listened to");
}
