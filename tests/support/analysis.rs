//! What can be measured in sound.

use realfft::RealFftPlanner;

/// Frames where a click (one frame above half of the highest) stands.
pub fn clicks(samples: &[f32]) -> Vec<usize> {
    let peak = samples.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
    assert!(peak > 0.0, "silence");
    samples.iter().enumerate().filter(|(_, sample)| sample.abs() > peak / 2.0).map(|(i, _)| i).collect()
}

/// Root mean square.
pub fn rms(samples: &[f32]) -> f64 {
    let power: f64 = samples.iter().map(|&sample| f64::from(sample).powi(2)).sum();
    (power / samples.len().max(1) as f64).sqrt()
}

/// Power in decibels of the octave bands around 63, 125, ... 8000 Hz, over the whole sound.
pub fn octave_bands_db(samples: &[f32], rate_hz: u32) -> [f64; 8] {
    const WINDOW: usize = 8192;
    let fft = RealFftPlanner::<f32>::new().plan_fft_forward(WINDOW);
    let (mut input, mut output) = (fft.make_input_vec(), fft.make_output_vec());
    let window: Vec<f32> =
        (0..WINDOW).map(|i| 0.5 - 0.5 * (std::f32::consts::TAU * i as f32 / WINDOW as f32).cos()).collect();
    let mut power = vec![0.0f64; WINDOW / 2 + 1];
    for start in (0..samples.len().saturating_sub(WINDOW)).step_by(WINDOW / 2) {
        for (i, slot) in input.iter_mut().enumerate() {
            *slot = samples[start + i] * window[i];
        }
        fft.process(&mut input, &mut output).expect("lengths agree");
        power.iter_mut().zip(&output).for_each(|(power, bin)| *power += f64::from(bin.norm_sqr()));
    }
    let mut centre_hz = 31.25;
    [(); 8].map(|()| {
        centre_hz *= 2.0;
        let edge = |ratio: f64| (centre_hz * ratio * WINDOW as f64 / f64::from(rate_hz)).round() as usize;
        let (low, high) = (edge(0.5f64.sqrt()), edge(2f64.sqrt()).min(power.len()));
        10.0 * power[low..high].iter().sum::<f64>().max(1e-20).log10()
    })
}

/// Correlation (-1 to 1) of the levels of two sounds in steps of 50 ms.
pub fn envelope_correlation(a: &[f32], b: &[f32], rate_hz: u32) -> f64 {
    let step = rate_hz as usize / 20;
    let envelope = |samples: &[f32]| samples.chunks_exact(step).map(rms).collect::<Vec<f64>>();
    let (a, b) = (envelope(a), envelope(b));
    let steps = a.len().min(b.len());
    correlation(&a[..steps], &b[..steps])
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let product =
        |f: fn(f64, f64) -> f64| a.iter().zip(b).map(|(a, b)| f(a - mean_a, b - mean_b)).sum::<f64>();
    product(|a, b| a * b) / (product(|a, _| a * a) * product(|_, b| b * b)).sqrt()
}

#[test]
fn a_tone_is_in_its_octave_and_nowhere_else() {
    let tone: Vec<f32> =
        (0..96_000).map(|i| (i as f32 * 1000.0 / 48_000.0 * std::f32::consts::TAU).sin()).collect();
    let bands = octave_bands_db(&tone, 48_000);
    for (i, band) in bands.iter().enumerate().filter(|(i, _)| *i != 4) {
        assert!(bands[4] - band > 60.0, "band {i}: {bands:?}");
    }
}

#[test]
fn a_shifted_envelope_correlates_less() {
    let pulses = |shift: usize| -> Vec<f32> {
        (0..480_000).map(|i| if ((i + shift) / 12_000).is_multiple_of(3) { 0.5 } else { 0.1 }).collect()
    };
    assert!(envelope_correlation(&pulses(0), &pulses(0), 48_000) > 0.999);
    assert!(envelope_correlation(&pulses(0), &pulses(4800), 48_000) < 0.9);
}
