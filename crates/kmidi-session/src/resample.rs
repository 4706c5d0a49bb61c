//! Sound from one sample rate to another.

use rubato::audioadapter_buffers::direct::SequentialSliceOfVecs;
use rubato::{Fft, FixedSync, Resampler as _, WindowFunction};

/// Frames of a block at the lower of the two rates, at least: as long as its filter is. All that is below 0.98 of the
/// lower band stays as it is.
const LEAST_BLOCK_FRAMES: usize = 1024;

/// Resamples a stream by a windowed sinc (`rubato`, in blocks by FFT): linear in phase, with no delay, and exactly as long.
pub(crate) struct Resampler {
    fft: Fft<f64>,
    from_hz: u32,
    to_hz: u32,
    /// What is taken at once, as it comes.
    taken: Vec<Vec<f32>>,
    input: Vec<Vec<f64>>,
    output: Vec<Vec<f64>>,
    /// Frames of `output` that have been given out, or are not wanted.
    given: usize,
    /// Frames by which the filter is late, still to be left out.
    skip: usize,
    frames_in: u64,
    frames_out: u64,
    /// Frames to give in all, as soon as the input has ended.
    total: Option<u64>,
}

impl Resampler {
    /// Resamples `channels` channels.
    ///
    /// # Panics
    /// If a rate or the number of channels is 0.
    pub fn new(from_hz: u32, to_hz: u32, channels: usize) -> Self {
        let gcd = gcd(from_hz, to_hz);
        let (least_in, least_out) = ((from_hz / gcd) as usize, (to_hz / gcd) as usize);
        // An even number: then the middle of the filter is on a frame on both sides, and the delay is a whole number.
        let blocks = LEAST_BLOCK_FRAMES.div_ceil(least_in.min(least_out)).next_multiple_of(2);
        let fft = Fft::new_custom(
            from_hz as usize,
            to_hz as usize,
            blocks * least_in,
            1,
            channels,
            WindowFunction::BlackmanHarris2,
            FixedSync::Both,
        );
        let fft = fft.expect("rates and blocks are not 0");
        let (block_in, block_out) = (fft.input_frames_next(), fft.output_frames_next());
        Resampler {
            from_hz,
            to_hz,
            taken: vec![vec![0.0; block_in]; channels],
            input: vec![vec![0.0; block_in]; channels],
            output: vec![vec![0.0; block_out]; channels],
            given: block_out,
            skip: fft.output_delay(),
            frames_in: 0,
            frames_out: 0,
            total: None,
            fft,
        }
    }

    /// Bytes that resampling between two rates takes at most, about.
    pub fn bytes(from_hz: u32, to_hz: u32, channels: usize) -> u64 {
        let gcd = u64::from(gcd(from_hz, to_hz));
        let least = (u64::from(from_hz) / gcd).max(u64::from(to_hz) / gcd);
        // Twice a block of a channel, and four times two blocks of complex numbers for the transforms.
        (2 * least + 16 * LEAST_BLOCK_FRAMES as u64) * (channels as u64 * 24 + 4 * 32)
    }

    /// Fills `channels` from the front with what comes out; how many frames there were. Fewer than asked for only at the
    /// end. `source` fills what it is given in the same way from what is to go in.
    ///
    /// # Errors
    /// Those of `source`.
    pub fn read<E>(
        &mut self,
        channels: &mut [&mut [f32]],
        mut source: impl FnMut(&mut [&mut [f32]]) -> Result<usize, E>,
    ) -> Result<usize, E> {
        let wanted = channels.first().map_or(0, |channel| channel.len());
        let mut done = 0;
        while done < wanted {
            let left = self.total.map_or(u64::MAX, |total| total - self.frames_out);
            let ready = self.output[0].len() - self.given;
            let frames = ready.min(wanted - done).min(usize::try_from(left).unwrap_or(usize::MAX));
            if left == 0 {
                break;
            }
            if frames == 0 {
                self.next_block(&mut source)?;
                continue;
            }
            for (to, from) in channels.iter_mut().zip(&self.output) {
                let from = &from[self.given..self.given + frames];
                to[done..done + frames].iter_mut().zip(from).for_each(|(to, from)| *to = *from as f32);
            }
            self.given += frames;
            self.frames_out += frames as u64;
            done += frames;
        }
        Ok(done)
    }

    /// Resamples the next block, which is silence behind the end of the input.
    fn next_block<E>(
        &mut self,
        source: &mut impl FnMut(&mut [&mut [f32]]) -> Result<usize, E>,
    ) -> Result<(), E> {
        let block = self.taken[0].len();
        let mut frames = 0;
        if self.total.is_none() {
            let mut taken: Vec<&mut [f32]> = self.taken.iter_mut().map(Vec::as_mut_slice).collect();
            frames = source(&mut taken)?;
            self.frames_in += frames as u64;
            if frames < block {
                self.total = Some(resampled_frames(self.frames_in, self.from_hz, self.to_hz));
            }
        }
        for (input, taken) in self.input.iter_mut().zip(&self.taken) {
            input[..frames].iter_mut().zip(taken).for_each(|(input, taken)| *input = f64::from(*taken));
            input[frames..].fill(0.0);
        }
        let (channels, block_out) = (self.input.len(), self.output[0].len());
        let input = SequentialSliceOfVecs::new(&self.input, channels, block).expect("blocks of this length");
        let output = SequentialSliceOfVecs::new_mut(&mut self.output, channels, block_out);
        let done = self.fft.process_into_buffer(&input, &mut output.expect("the same"), None);
        done.expect("both blocks are as long as the resampler wants them");
        self.given = self.skip.min(block_out);
        self.skip -= self.given;
        Ok(())
    }
}

/// How many frames at `to_hz` last as long as `frames` at `from_hz`; the nearest whole number.
pub(crate) fn resampled_frames(frames: u64, from_hz: u32, to_hz: u32) -> u64 {
    let (frames, from, to) = (u128::from(frames), u128::from(from_hz), u128::from(to_hz));
    ((frames * to + from / 2) / from) as u64
}

fn gcd(mut a: u32, mut b: u32) -> u32 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    /// Resamples two channels, read in pieces of a length that divides nothing.
    fn resampled(from_hz: u32, to_hz: u32, sound: &[Vec<f32>; 2]) -> Vec<Vec<f32>> {
        let mut resampler = Resampler::new(from_hz, to_hz, 2);
        let mut at = 0;
        let mut source = |channels: &mut [&mut [f32]]| {
            let frames = channels[0].len().min(sound[0].len() - at);
            for (channel, sound) in channels.iter_mut().zip(sound) {
                channel[..frames].copy_from_slice(&sound[at..at + frames]);
            }
            at += frames;
            Ok::<_, ()>(frames)
        };
        let mut all = vec![Vec::new(); 2];
        loop {
            let mut block = [vec![0.0; 777], vec![0.0; 777]];
            let [left, right] = &mut block;
            let frames = resampler.read(&mut [left, right], &mut source).unwrap();
            all.iter_mut().zip(&block).for_each(|(all, block)| all.extend(&block[..frames]));
            if frames < 777 {
                return all;
            }
        }
    }

    fn sine(hz: f64, rate_hz: u32, frames: usize) -> Vec<f32> {
        let step = TAU * hz / f64::from(rate_hz);
        (0..frames).map(|n| (n as f64 * step).sin() as f32 * 0.9).collect()
    }

    fn db(of: f64, to: f64) -> f64 {
        20.0 * (of / to).log10()
    }

    /// Amplitude at a frequency, under a window that lets nothing else in.
    fn amplitude(sound: &[f32], hz: f64, rate_hz: u32) -> f64 {
        let (mut re, mut im, mut sum) = (0.0, 0.0, 0.0);
        for (n, sample) in sound.iter().enumerate() {
            let turn = n as f64 / sound.len() as f64 * TAU;
            let window =
                0.35875 - 0.48829 * turn.cos() + 0.14128 * (2.0 * turn).cos() - 0.01168 * (3.0 * turn).cos();
            let angle = TAU * hz * n as f64 / f64::from(rate_hz);
            re += window * f64::from(*sample) * angle.cos();
            im += window * f64::from(*sample) * angle.sin();
            sum += window;
        }
        2.0 * re.hypot(im) / sum
    }

    /// What is left of a sine when the same sine at the other rate is taken off, away from both ends: alias, image, noise,
    /// and any error of level or time.
    fn residue_db(sound: &[f32], expected: &[f32]) -> f64 {
        let middle = expected.len() / 4..expected.len() / 4 * 3;
        let rms = |samples: &mut dyn Iterator<Item = f64>| samples.map(|it| it * it).sum::<f64>().sqrt();
        let error = rms(&mut middle.clone().map(|n| f64::from(sound[n]) - f64::from(expected[n])));
        db(error, rms(&mut middle.map(|n| f64::from(expected[n]))))
    }

    const RATES: [(u32, u32); 7] = [
        (44_100, 48_000),
        (48_000, 44_100),
        (44_100, 96_000),
        (96_000, 44_100),
        (192_000, 8_000),
        (8_000, 192_000),
        (44_100, 44_101),
    ];

    #[test]
    fn a_sine_is_the_same_sine_at_the_other_rate_and_nothing_else() {
        // The filter of the last pair is longer than the sound: it hears that the sine begins and ends at once.
        for (from_hz, to_hz) in RATES.into_iter().filter(|rates| rates.1 != 44_101) {
            let seconds = |rate_hz: u32| rate_hz as usize;
            for part in [0.02, 0.5, 0.95] {
                let hz = f64::from(from_hz.min(to_hz)) / 2.0 * part;
                let input = sine(hz, from_hz, seconds(from_hz));
                let output = resampled(from_hz, to_hz, &[input.clone(), vec![0.0; input.len()]]);
                let expected = sine(hz, to_hz, seconds(to_hz));
                assert_eq!(output[0].len(), expected.len());
                let residue = residue_db(&output[0], &expected);
                println!("{from_hz} -> {to_hz} Hz, sine of {hz:.0} Hz: residue {residue:.1} dB");
                assert!(residue < -140.0, "{from_hz} -> {to_hz}, {hz} Hz: {residue} dB");
                assert!(output[1].iter().all(|sample| *sample == 0.0), "the other channel is silent");
                // A frame too late is seen.
                let late = residue_db(&output[0][..expected.len() - 1], &expected[1..]);
                assert!(late > -60.0, "{late}");
            }
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_hold_leaves_nothing_behind() {
        for (from_hz, to_hz) in RATES.into_iter().filter(|(from_hz, to_hz)| from_hz > to_hz) {
            for part in [1.005, 1.3, 1.9].map(|part| part * f64::from(to_hz) / 2.0) {
                if part > 0.98 * f64::from(from_hz) / 2.0 {
                    continue;
                }
                let input = sine(part, from_hz, from_hz as usize);
                let output = resampled(from_hz, to_hz, &[input.clone(), input]);
                // The sine begins and ends at once, which the lower rate hears.
                let middle = &output[1][to_hz as usize / 4..to_hz as usize / 4 * 3];
                let loudest = db(kmidi_core::peak(middle).into(), 0.9);
                let alias = db(amplitude(&output[0], f64::from(to_hz) - part, to_hz), 0.9);
                println!(
                    "{from_hz} -> {to_hz} Hz, sine of {part:.0} Hz: alias {alias:.1}, all {loudest:.1} dB"
                );
                assert!(loudest < -100.0, "{from_hz} -> {to_hz}, {part} Hz: {loudest} dB");
            }
        }
    }

    #[test]
    fn an_impulse_stays_where_it_is() {
        for (from_hz, to_hz) in RATES {
            let gcd = gcd(from_hz, to_hz);
            // A frame that both rates have. The last pair has one each second.
            let (every_in, every_out) = ((from_hz / gcd) as usize, (to_hz / gcd) as usize);
            let times = 5000usize.div_ceil(every_in.max(every_out)).max(1);
            let mut input = vec![0.0; times * every_in * 2 + 1];
            input[times * every_in] = 1.0;
            let frames = resampled_frames(input.len() as u64, from_hz, to_hz);
            let output = &resampled(from_hz, to_hz, &[input.clone(), input])[1];
            assert_eq!(output.len() as u64, frames);
            let at = times * every_out;
            let loudest = (0..output.len()).max_by(|a, b| output[*a].abs().total_cmp(&output[*b].abs()));
            assert_eq!(loudest, Some(at), "{from_hz} -> {to_hz}");
            // As much before as behind: it is not between two frames.
            for n in 1..500.min(output.len() - at) {
                assert!((output[at - n] - output[at + n]).abs() < 1e-6, "{from_hz} -> {to_hz}: {n}");
            }
        }
    }

    #[test]
    fn any_length_comes_out_to_the_frame() {
        for (from_hz, to_hz) in [(44_100, 48_000), (48_000, 44_100), (8_000, 192_000), (192_000, 8_000)] {
            for frames in [0, 1, 2, 100, 1023, 1176, 5000] {
                let output = resampled(from_hz, to_hz, &[vec![0.5; frames], vec![0.5; frames]]);
                let expected = (frames as f64 * f64::from(to_hz) / f64::from(from_hz)).round() as usize;
                assert_eq!(output[0].len(), expected, "{frames} frames, {from_hz} -> {to_hz}");
            }
        }
    }
}
