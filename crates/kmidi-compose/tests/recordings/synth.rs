//! Clicks, noise and drums.

use std::f64::consts::TAU;

use kmidi_song::Random;

pub struct Tape {
    pub rate: u32,
    pub samples: Vec<f32>,
    random: Random,
}

impl Tape {
    pub fn silent(rate: u32, seconds: f64) -> Self {
        let samples = vec![0.0; (seconds * f64::from(rate)) as usize];
        Tape { rate, samples, random: Random::new(u64::from(rate)) }
    }

    pub fn with_seed(mut self, seed: u64) -> Self {
        self.random = Random::new(seed);
        self
    }

    pub fn seconds(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.rate)
    }

    /// In -1 to 1, each alike.
    pub fn noise(&mut self) -> f64 {
        self.random.unit() * 2.0 - 1.0
    }

    /// Adds `sound` (of seconds since its beginning) from a frame on, for so long.
    fn add(&mut self, frame: u64, seconds: f64, mut sound: impl FnMut(f64, f64) -> f64) {
        for n in 0..(seconds * f64::from(self.rate)) as usize {
            let noise = self.noise();
            let Some(sample) = self.samples.get_mut(frame as usize + n) else { return };
            *sample += sound(n as f64 / f64::from(self.rate), noise) as f32;
        }
    }

    pub fn frame(&self, seconds: f64) -> u64 {
        (seconds * f64::from(self.rate)).round() as u64
    }

    /// A metronome's click: 20 ms of a tone that dies away.
    pub fn click(&mut self, frame: u64, level: f64) {
        self.add(frame, 0.02, |t, _| level * (TAU * 1500.0 * t).cos() * (-t / 0.004).exp());
    }

    pub fn kick(&mut self, seconds: f64) {
        let frame = self.frame(seconds);
        self.add(frame, 0.3, |t, _| {
            let phase = 50.0 * t + 90.0 * 0.03 * (1.0 - (-t / 0.03).exp());
            0.8 * (TAU * phase).sin() * (-t / 0.09).exp()
        });
    }

    pub fn snare(&mut self, seconds: f64) {
        let frame = self.frame(seconds);
        self.add(frame, 0.25, |t, noise| {
            0.35 * noise * (-t / 0.06).exp() + 0.3 * (TAU * 190.0 * t).sin() * (-t / 0.05).exp()
        });
    }

    pub fn hat(&mut self, seconds: f64, level: f64) {
        let frame = self.frame(seconds);
        let mut before = 0.0;
        // The difference of noise has little below 5 kHz.
        self.add(frame, 0.06, |t, noise| {
            let high = noise - std::mem::replace(&mut before, noise);
            0.5 * level * high * (-t / 0.015).exp()
        });
    }

    /// Noise of this power under all of it.
    pub fn hiss(mut self, rms: f64) -> Self {
        let level = rms * 3f64.sqrt();
        for at in 0..self.samples.len() {
            let noise = self.noise();
            self.samples[at] += (level * noise) as f32;
        }
        self
    }
}
