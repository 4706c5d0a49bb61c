//! What the rendered files sound like: the start of a file, and how far notes are from their time.

use std::path::Path;

use anyhow::{Result, ensure};

use crate::score::RATE;

/// Left and right.
pub type Sound = [Vec<f32>; 2];

/// The first `seconds` of a 16-bit stereo file.
pub fn read(wav: &Path, seconds: u32) -> Result<Sound> {
    let mut reader = hound::WavReader::open(wav)?;
    let spec = reader.spec();
    ensure!(spec.channels == 2 && spec.sample_rate == RATE, "{}: not stereo at {RATE} Hz", wav.display());
    let mut sound = [Vec::new(), Vec::new()];
    for (i, sample) in reader.samples::<i16>().take(2 * (seconds * RATE) as usize).enumerate() {
        sound[i % 2].push(f32::from(sample?) / 32768.0);
    }
    Ok(sound)
}

/// Length of a file in seconds.
pub fn seconds(wav: &Path) -> Result<f64> {
    Ok(f64::from(hound::WavReader::open(wav)?.duration()) / f64::from(RATE))
}

/// How far notes are from where they are due, in frames.
#[derive(Debug, PartialEq)]
pub struct OnsetError {
    /// Of the median note: the way the sound itself takes to rise, and the engine's own delay.
    pub offset: i64,
    /// Of the median note, from the offset.
    pub median: i64,
    /// Of the worst note, from the offset.
    pub worst: i64,
    /// Notes that were not heard.
    pub missing: usize,
}

/// Finds the notes that are due at `frames`, half a second apart or more.
pub fn onset_error(sound: &Sound, frames: &[u64]) -> Option<OnsetError> {
    let errors: Vec<i64> = frames.iter().filter_map(|due| Some(onset(sound, *due)? - *due as i64)).collect();
    let offset = median(errors.clone())?;
    let spread: Vec<i64> = errors.iter().map(|error| (error - offset).abs()).collect();
    let worst = *spread.iter().max()?;
    Some(OnsetError { offset, median: median(spread)?, worst, missing: frames.len() - errors.len() })
}

/// The first frame near `due` at which a tenth of the stroke's peak is reached.
fn onset(sound: &Sound, due: u64) -> Option<i64> {
    const BEFORE: u64 = 4_000;
    const AFTER: u64 = 8_000;
    let start = due.saturating_sub(BEFORE) as usize;
    let end = ((due + AFTER) as usize).min(sound[0].len());
    let level: Vec<f32> =
        (start..end).map(|i| sound[0].get(i).unwrap_or(&0.0).abs() + sound[1][i].abs()).collect();
    let peak = level.iter().copied().fold(0.0, f32::max);
    let first = level.iter().position(|level| peak > 0.001 && *level >= 0.1 * peak)?;
    Some((start + first) as i64)
}

fn median(mut values: Vec<i64>) -> Option<i64> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_and_missing_notes_are_seen() {
        let due = [10_000, 40_000, 70_000, 100_000, 130_000];
        let mut channel = vec![0.0; 140_000];
        for (at, late) in due.iter().zip([5, 5, 9, 2]) {
            channel[*at as usize + late] = 0.5;
        }
        let error = onset_error(&[channel.clone(), channel], &due);
        assert_eq!(error, Some(OnsetError { offset: 5, median: 3, worst: 4, missing: 1 }));
    }
}
