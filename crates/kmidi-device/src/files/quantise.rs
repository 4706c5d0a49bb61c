/// How one sample is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SampleFormat {
    /// 16-bit integers, with triangular dither of one step.
    Int16,
    /// 24-bit integers.
    Int24,
    /// 32-bit floats: what the engine gives, bit for bit.
    Float32,
}

impl SampleFormat {
    /// Bytes of one sample.
    pub fn bytes(self) -> u16 {
        match self {
            SampleFormat::Int16 => 2,
            SampleFormat::Int24 => 3,
            SampleFormat::Float32 => 4,
        }
    }
}

/// Turns floats into integers. Its dither starts from a fixed seed, so that the same samples give
/// the same file.
pub(super) struct Quantiser {
    /// Steps from zero to full scale.
    full_scale: f64,
    dither: bool,
    random: u64,
    pub(super) clipped: u64,
}

impl Quantiser {
    pub(super) fn new(format: SampleFormat) -> Self {
        let bits = 8 * u32::from(format.bytes());
        Quantiser {
            full_scale: f64::from(1u32 << (bits - 1)),
            dither: format == SampleFormat::Int16,
            random: 0x9e37_79b9_7f4a_7c15,
            clipped: 0,
        }
    }

    /// The integer nearest to `sample`, dithered where that helps; samples over full scale are
    /// clipped and counted. Digital silence stays silent.
    pub(super) fn quantise(&mut self, sample: f32) -> i32 {
        let exact = f64::from(sample) * self.full_scale;
        let noise = if self.dither && sample != 0.0 { self.triangular() } else { 0.0 };
        let (low, high) = (-self.full_scale, self.full_scale - 1.0);
        if exact < low || exact > high + 0.5 {
            self.clipped += 1;
        }
        (exact + noise).round().clamp(low, high) as i32
    }

    /// Between -1 and 1, most often near 0: the sum of two even distributions.
    fn triangular(&mut self) -> f64 {
        // xorshift64*: two halves of one draw.
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        let draw = self.random.wrapping_mul(0x2545_f491_4f6c_dd1d);
        let halves = ((draw >> 32) as f64, (draw & 0xffff_ffff) as f64);
        (halves.0 - halves.1) / 4_294_967_296.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_scale_silence_and_nonsense() {
        let mut quantiser = Quantiser::new(SampleFormat::Int24);
        let samples = [0.0, 0.5, -1.0, 1.0, 2.0, -2.0, f32::NAN, f32::INFINITY];
        let integers = samples.map(|sample| quantiser.quantise(sample));
        assert_eq!(
            integers,
            [0, 1 << 22, -(1 << 23), (1 << 23) - 1, (1 << 23) - 1, -(1 << 23), 0, (1 << 23) - 1]
        );
        assert_eq!(quantiser.clipped, 4, "1.0 is one step too high too");
        let mut dithered = Quantiser::new(SampleFormat::Int16);
        assert!((0..1000).all(|_| dithered.quantise(0.0) == 0));
    }

    /// Without dither a level between two steps is lost; with it the mean keeps it.
    #[test]
    fn dither_keeps_what_lies_between_two_steps() {
        let level = 0.3 / 32768.0;
        let mean = |quantiser: &mut Quantiser| {
            let sum: i64 = (0..100_000).map(|_| i64::from(quantiser.quantise(level))).sum();
            sum as f64 / 100_000.0
        };
        let mut dithered = Quantiser::new(SampleFormat::Int16);
        assert!((mean(&mut dithered) - 0.3).abs() < 0.02);
        let mut plain = Quantiser { dither: false, ..Quantiser::new(SampleFormat::Int16) };
        assert_eq!(mean(&mut plain), 0.0, "the control");
    }
}
