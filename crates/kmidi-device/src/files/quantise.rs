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

/// Samples that are turned together: so many that the passes can use vectors.
pub(super) const BLOCK: usize = 64;

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

    /// The integers nearest to up to [`BLOCK`] samples, dithered where that helps; samples over full
    /// scale are clipped and counted. Digital silence stays silent, and what is no number becomes it.
    pub(super) fn quantise(&mut self, samples: &[f32]) -> [i32; BLOCK] {
        // Where numbers are this large only whole ones are left: adding it rounds, and the integer
        // stands in the lowest bits.
        const WHOLE: f64 = 6_755_399_441_055_744.0;
        let noise = if self.dither { self.triangular() } else { [0; BLOCK] };
        let (low, high) = (-self.full_scale, self.full_scale - 1.0);
        let mut integers = [0; BLOCK];
        let mut clipped = 0;
        for ((&sample, noise), integer) in samples.iter().zip(noise).zip(&mut integers) {
            let exact = f64::from(if sample.is_nan() { 0.0 } else { sample }) * self.full_scale;
            clipped += u32::from((exact < low) | (exact > high + 0.5));
            let dithered = exact + if exact == 0.0 { 0.0 } else { f64::from(noise) / 65_536.0 };
            *integer = (dithered.clamp(low, high) + WHOLE).to_bits() as i32;
        }
        self.clipped += u64::from(clipped);
        integers
    }

    /// Between -1 and 1 in steps of 1 / 65,536, most often near 0: sums of two even distributions.
    fn triangular(&mut self) -> [i32; BLOCK] {
        let mut noise = [0; BLOCK];
        for pair in noise.as_chunks_mut::<2>().0 {
            // xorshift64*: four quarters of one draw.
            self.random ^= self.random >> 12;
            self.random ^= self.random << 25;
            self.random ^= self.random >> 27;
            let draw = self.random.wrapping_mul(0x2545_f491_4f6c_dd1d);
            let quarter = |shift: u32| (draw >> shift & 0xffff) as i32;
            *pair = [quarter(48) - quarter(32), quarter(16) - quarter(0)];
        }
        noise
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_scale_silence_and_nonsense() {
        let mut quantiser = Quantiser::new(SampleFormat::Int24);
        let samples = [0.0, 0.5, -1.0, 1.0, 2.0, -2.0, f32::NAN, f32::INFINITY];
        assert_eq!(
            quantiser.quantise(&samples)[..8],
            [0, 1 << 22, -(1 << 23), (1 << 23) - 1, (1 << 23) - 1, -(1 << 23), 0, (1 << 23) - 1]
        );
        assert_eq!(quantiser.clipped, 4, "1.0 is one step too high too");
        let mut dithered = Quantiser::new(SampleFormat::Int16);
        assert_eq!(dithered.quantise(&[0.0; BLOCK]), [0; BLOCK]);
    }

    /// Without dither a level between two steps is lost; with it the mean keeps it.
    #[test]
    fn dither_keeps_what_lies_between_two_steps() {
        let level = 0.3 / 32768.0;
        let mean = |quantiser: &mut Quantiser| {
            let sum: i32 = (0..2000).flat_map(|_| quantiser.quantise(&[level; BLOCK])).sum();
            f64::from(sum) / (2000 * BLOCK) as f64
        };
        let mut dithered = Quantiser::new(SampleFormat::Int16);
        assert!((mean(&mut dithered) - 0.3).abs() < 0.02);
        let mut plain = Quantiser { dither: false, ..Quantiser::new(SampleFormat::Int16) };
        assert_eq!(mean(&mut plain), 0.0, "the control");
    }
}
