//! What each way of reading between frames does to a tone.

use kmidi_soundfont::{Interpolation, SynthConfig};

use crate::measure::energy;
use crate::rig::*;

/// A sine of so many periods in a frame, played `semitones` higher without a filter.
fn played(interpolation: Interpolation, periods_per_frame: f64, semitones: u8) -> Vec<f32> {
    let wave = |i: usize| (i as f64 * std::f64::consts::TAU * periods_per_frame).sin() as f32 * 0.5;
    let zone = ZoneSketch::of((0..60_000).map(wave).collect()).looped(1000, 59_000);
    let config = SynthConfig { interpolation, ..dry() };
    let [left, _] = Rig::with(config, vec![zone]).play(&[(0, on(60 + semitones, 127))], 16_000, 64);
    left[4000..].to_vec()
}

/// Level in dB, against the tone itself, of what is not the tone.
fn rest_db(interpolation: Interpolation, periods_per_frame: f64, semitones: u8) -> f64 {
    let heard = played(interpolation, periods_per_frame, semitones);
    let step = std::f64::consts::TAU * periods_per_frame * 2f64.powf(f64::from(semitones) / 12.0);
    // The tone is what is left of its sine and cosine by projection.
    let (mut a, mut b) = (0.0, 0.0);
    for (i, x) in heard.iter().enumerate() {
        let angle = step * i as f64;
        a += f64::from(*x) * angle.sin();
        b += f64::from(*x) * angle.cos();
    }
    let scale = 2.0 / heard.len() as f64;
    let (mut rest, mut tone) = (0.0, 0.0);
    for (i, x) in heard.iter().enumerate() {
        let angle = step * i as f64;
        let of_tone = scale * (a * angle.sin() + b * angle.cos());
        rest += (f64::from(*x) - of_tone).powi(2);
        tone += of_tone * of_tone;
    }
    10.0 * (rest / tone).log10()
}

fn power_db(interpolation: Interpolation, periods_per_frame: f64, semitones: u8) -> f64 {
    10.0 * energy(&played(interpolation, periods_per_frame, semitones)).log10()
}

#[test]
fn each_step_of_quality_leaves_less_beside_a_high_tone() {
    // 6 kHz of a sample at 48 kHz, a third higher.
    let [linear, cubic, sinc] = [Interpolation::Linear, Interpolation::Cubic, Interpolation::Sinc]
        .map(|interpolation| rest_db(interpolation, 0.125, 4));
    println!("linear {linear:.1} dB, cubic {cubic:.1} dB, sinc {sinc:.1} dB");
    assert!(linear > cubic + 6.0 && cubic > sinc + 6.0, "{linear:.1} {cubic:.1} {sinc:.1}");
    assert!(sinc < -50.0, "{sinc:.1}");
}

#[test]
fn what_would_fold_back_is_taken_off_by_the_sinc_alone() {
    // 18 kHz played an octave higher would be 36 kHz, heard as 12 kHz.
    let folded = |interpolation| power_db(interpolation, 0.375, 12) - power_db(interpolation, 0.05, 12);
    let (cubic, sinc) = (folded(Interpolation::Cubic), folded(Interpolation::Sinc));
    println!("cubic {cubic:.1} dB, sinc {sinc:.1} dB");
    assert!(cubic > -15.0, "{cubic:.1}");
    assert!(sinc < -40.0, "{sinc:.1}");
}
