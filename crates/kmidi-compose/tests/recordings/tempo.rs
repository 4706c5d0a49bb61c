use kmidi_compose::analysis::audio::{AudioError, Heard, Listener, NoTempo, Tempo, listen};
use kmidi_song::Random;

use crate::synth::Tape;

/// Clicks from 0.21 seconds on, at `bpm`.
fn metronome(rate: u32, bpm: f64, seconds: f64, level: f64) -> Tape {
    let mut tape = Tape::silent(rate, seconds);
    let mut beat = 0.0;
    while 0.21 + beat * 60.0 / bpm < seconds {
        tape.click(tape.frame(0.21 + beat * 60.0 / bpm), level);
        beat += 1.0;
    }
    tape
}

fn heard(tape: &Tape) -> Heard {
    listen(&tape.samples, tape.rate).unwrap()
}

fn tempo(tape: &Tape, name: &str) -> Tempo {
    heard(tape).tempo.unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn is_near(bpm: f64, expected: f64) -> bool {
    (bpm / expected - 1.0).abs() < 0.01
}

/// Beats of a metronome: all of them, none beside them, to 3 ms.
fn check_beats(tempo: &Tempo, bpm: f64, seconds: f64, name: &str) {
    let beats = &tempo.beats_seconds;
    let expected = ((seconds - 0.21) * bpm / 60.0).floor();
    assert!((beats.len() as f64 - expected).abs() <= 1.0, "{name}: {} beats for {expected}", beats.len());
    for beat in beats {
        let off = (beat - 0.21) * bpm / 60.0;
        assert!((off - off.round()).abs() * 60.0 / bpm < 0.003, "{name}: a beat at {beat}");
    }
}

fn every_bpm(rate: u32) {
    for bpm in 60..=180 {
        let bpm = f64::from(bpm);
        let seconds = 0.5 + 8.0 * 60.0 / bpm;
        let name = format!("{bpm} bpm at {rate} Hz");
        let tempo = tempo(&metronome(rate, bpm, seconds, 0.6), &name);
        assert!(is_near(tempo.bpm, bpm), "{name}: {tempo:?}");
        assert!(tempo.confidence > 0.8, "{name}: {tempo:?}");
        check_beats(&tempo, bpm, seconds, &name);
    }
}

#[test]
fn every_bpm_from_60_to_180_at_44100_hz() {
    every_bpm(44_100);
}

#[test]
fn every_bpm_from_60_to_180_at_48000_hz() {
    every_bpm(48_000);
}

#[test]
fn clicks_at_other_rates() {
    for rate in [8000, 11_025, 96_000] {
        for bpm in [61.0, 97.0, 127.5, 179.0] {
            let name = format!("{bpm} bpm at {rate} Hz");
            let tempo = tempo(&metronome(rate, bpm, 8.0, 0.6), &name);
            assert!(is_near(tempo.bpm, bpm), "{name}: {tempo:?}");
        }
    }
}

#[test]
fn clicks_in_noise() {
    for bpm in [60.0, 75.0, 90.0, 113.0, 140.0, 180.0] {
        for rms in [0.01, 0.03, 0.05] {
            let name = format!("{bpm} bpm, noise of {rms}");
            let tempo = tempo(&metronome(44_100, bpm, 12.0, 0.8).hiss(rms), &name);
            assert!(is_near(tempo.bpm, bpm), "{name}: {tempo:?}");
        }
    }
}

#[test]
fn swung_eighths_beat_at_their_quarter() {
    for bpm in (70..=180).step_by(10).map(f64::from) {
        for long in [0.58, 0.667, 0.72] {
            let mut tape = metronome(44_100, bpm, 10.0, 0.7);
            let mut beat = 0.0;
            while 0.21 + (beat + 1.0) * 60.0 / bpm < 10.0 {
                tape.click(tape.frame(0.21 + (beat + long) * 60.0 / bpm), 0.5);
                beat += 1.0;
            }
            let name = format!("{bpm} bpm swung {long}");
            let tempo = tempo(&tape, &name);
            assert!(is_near(tempo.bpm, bpm), "{name}: {tempo:?}");
            check_beats(&tempo, bpm, 10.0, &name);
        }
    }
}

/// Kick on one and three and before three, snare on two and four, hats on eighths, each a few milliseconds off.
fn drums(bpm: f64, seconds: f64, human_ms: f64) -> Tape {
    let mut tape = Tape::silent(44_100, seconds);
    let mut random = Random::new(bpm as u64);
    let beat = 60.0 / bpm;
    for bar in 0..(seconds / beat / 4.0) as u32 {
        let mut at = |beats: f64| {
            0.1 + (f64::from(bar) * 4.0 + beats) * beat + (random.unit() - 0.5) * human_ms * 2e-3
        };
        [0.0, 1.5, 2.0].map(&mut at).into_iter().for_each(|at| tape.kick(at));
        [1.0, 3.0].map(&mut at).into_iter().for_each(|at| tape.snare(at));
        for eighth in 0..8 {
            tape.hat(at(f64::from(eighth) * 0.5), if eighth % 2 == 0 { 1.0 } else { 0.6 });
        }
    }
    tape
}

#[test]
fn a_drum_pattern_has_its_tempo_and_its_beats() {
    for bpm in [72.0, 84.0, 96.0, 104.0, 120.0, 128.0, 140.0, 160.0, 174.0] {
        for human_ms in [0.0, 8.0] {
            let name = format!("{bpm} bpm, {human_ms} ms");
            let tempo = tempo(&drums(bpm, 16.0, human_ms), &name);
            // Where its eighths are a tempo too, that may be the beat, and the quarters the other one.
            let also = tempo.alternative.filter(|_| bpm <= 90.0).map_or(bpm, |it| it.bpm);
            assert!(is_near(tempo.bpm, bpm) || is_near(tempo.bpm, 2.0 * bpm), "{name}: {tempo:?}");
            assert!(is_near(tempo.bpm, bpm) || is_near(also, bpm) && bpm <= 90.0, "{name}: {tempo:?}");
            for beat in &tempo.beats_seconds {
                let off = (beat - 0.1) * bpm / 60.0;
                let off = off * (tempo.bpm / bpm).round();
                assert!((off - off.round()).abs() < 0.06, "{name}: a beat at {beat}");
            }
        }
    }
}

#[test]
fn half_and_double_are_told_as_the_other_tempo() {
    let of = |bpm| tempo(&metronome(44_100, bpm, 12.0, 0.7), "clicks").alternative.map(|it| it.bpm);
    assert!(of(180.0).is_some_and(|bpm| is_near(bpm, 90.0)), "{:?}", of(180.0));
    assert!(of(140.0).is_some_and(|bpm| is_near(bpm, 70.0)), "{:?}", of(140.0));
    assert!(of(70.0).is_none(), "nothing beats at 140: {:?}", of(70.0));
    // Of a slow song with eighths on the hat, quarters and eighths are both a good beat.
    let drums = tempo(&drums(84.0, 16.0, 0.0), "drums");
    let mut both = [drums.bpm, drums.alternative.map_or(0.0, |it| it.bpm)];
    both.sort_by(f64::total_cmp);
    assert!(is_near(both[0], 84.0) && is_near(both[1], 168.0), "{both:?}");
}

#[test]
fn silence_and_what_is_too_short_have_none() {
    assert_eq!(listen(&[], 44_100).unwrap().tempo, Err(NoTempo::Silent));
    assert_eq!(heard(&Tape::silent(44_100, 5.0)).tempo, Err(NoTempo::Silent));
    let short = heard(&metronome(44_100, 120.0, 0.1, 0.5).hiss(0.001));
    assert!(matches!(short.tempo, Err(NoTempo::TooShort { seconds }) if (seconds - 0.1).abs() < 1e-6));
    let few = heard(&metronome(44_100, 60.0, 2.5, 0.5));
    assert_eq!(few.tempo, Err(NoTempo::TooFewOnsets { onsets: 3 }));
    assert_eq!(few.tempo.unwrap_err().to_string(), "it has 3 onsets, too few for a tempo");
}

#[test]
fn noise_has_none() {
    for seed in 0..8 {
        for seconds in [3.0, 12.0] {
            let tape = Tape::silent(44_100, seconds).with_seed(seed).hiss(0.1);
            let tempo = heard(&tape).tempo;
            assert!(
                matches!(tempo, Err(NoTempo::TooFewOnsets { .. } | NoTempo::NoPulse { .. })),
                "{tempo:?}"
            );
        }
    }
}

#[test]
fn clicks_without_a_beat_have_none() {
    for seed in 0..12 {
        let mut tape = Tape::silent(44_100, 20.0).with_seed(seed);
        let mut at = 0.2;
        while at < 19.5 {
            tape.click(tape.frame(at), 0.7);
            // As rain falls: at any moment with the same chance.
            at += 0.06 - 0.4 * (0.5 + 0.499 * tape.noise()).ln();
        }
        let tempo = heard(&tape).tempo;
        assert!(matches!(tempo, Err(NoTempo::NoPulse { .. })), "seed {seed}: {tempo:?}");
    }
}

#[test]
fn blocks_of_any_length_give_the_same_and_long_recordings_take_no_more_memory() {
    let tape = drums(110.0, 12.0, 5.0);
    let whole = heard(&tape);
    for block in [64, 1000, 44_100] {
        let mut listener = Listener::new(44_100).unwrap();
        tape.samples.chunks(block).for_each(|block| listener.push(block).unwrap());
        assert_eq!(listener.finish(), whole, "{block}");
    }
    assert!((whole.duration_seconds - 12.0).abs() < 1e-9 && whole.onsets_not_kept == 0);
    assert!(whole.levels.peak() > 0.5 && whole.levels.rms() > 0.01);
}

#[test]
fn damaged_samples_are_an_error_and_no_tempo() {
    let mut tape = metronome(44_100, 120.0, 4.0, 0.5);
    tape.samples[99_999] = f32::NAN;
    assert_eq!(listen(&tape.samples, 44_100), Err(AudioError::NotFinite { frame: 99_999 }));
}
