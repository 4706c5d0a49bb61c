//! rustysynth as a program: it is a library only.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use rustysynth::{MidiFile, MidiFileSequencer, SoundFont, Synthesizer, SynthesizerSettings};

use crate::score::RATE;

/// The most it takes.
pub const POLYPHONY: usize = 256;

/// Frames asked for at once: any number of its own blocks.
const CHUNK: usize = 64 * 64;

/// Renders `song` into a 16-bit WAV file, from its start to its last event.
pub fn render(soundfont: &Path, song: &Path, wav: &Path, effects: bool) -> Result<()> {
    let font = SoundFont::new(&mut File::open(soundfont).context("cannot open the SoundFont")?)?;
    let mut settings = SynthesizerSettings::new(RATE as i32);
    settings.maximum_polyphony = POLYPHONY;
    settings.enable_reverb_and_chorus = effects;
    let mut sequencer = MidiFileSequencer::new(Synthesizer::new(&Arc::new(font), &settings)?);
    let song = Arc::new(MidiFile::new(&mut File::open(song).context("cannot open the song")?)?);
    sequencer.play(&song, false);
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(wav, spec)?;
    let (mut left, mut right) = ([0.0; CHUNK], [0.0; CHUNK]);
    let frames = (song.get_length() * f64::from(RATE)) as usize;
    for _ in (0..frames).step_by(CHUNK) {
        sequencer.render(&mut left, &mut right);
        let mut samples = file.get_i16_writer(2 * CHUNK as u32);
        for sample in left.iter().zip(&right).flat_map(|(left, right)| [left, right]) {
            samples.write_sample((sample * 32767.0) as i16);
        }
        samples.flush()?;
    }
    Ok(file.finalize()?)
}
