//! Recordings.

use std::path::Path;

use kmidi_compose::analysis::audio::Listener;
use kmidi_device::files::{AudioFileReader, NotNumbers, ReadError};
use kmidi_memory::JobContext;

use super::names::{self, Named};
use super::spectrum::Spectrum;
use super::{DescribeError, tags, tempo_words};
use crate::{Item, ItemKind};

/// How much of a recording is listened to: what comes later seldom changes what it is.
const LISTENED_SECONDS: u64 = 90;
const BLOCK_FRAMES: usize = 8192;
/// Below this a tempo that was heard is a guess.
const LEAST_TEMPO_CONFIDENCE: f64 = 0.35;

struct Heard {
    duration_seconds: f32,
    bpm: Option<f32>,
    onsets: usize,
    rms_dbfs: f32,
    spectrum: Spectrum,
}

pub(super) fn describe(path: &Path, job: &JobContext) -> Result<Item, DescribeError> {
    let heard = listen(path, job)?;
    let tags = tags::read(path);
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    // What somebody wrote is right more often than what was heard.
    let Named { key, bpm } = names::read(&name);
    let key = tags.key.or(key).or_else(|| heard.spectrum.key());
    let bpm = tags.bpm.or(bpm).or(heard.bpm);
    let mut text = tags.text;
    for word in words(&heard, bpm) {
        text.push(' ');
        text.push_str(word);
    }
    if let Some(key) = key {
        text.push_str(&format!(" {key}"));
    }
    Ok(Item {
        kind: ItemKind::Audio,
        part: String::new(),
        name: String::new(),
        text,
        key,
        bpm,
        duration_seconds: Some(heard.duration_seconds),
    })
}

fn listen(path: &Path, job: &JobContext) -> Result<Heard, DescribeError> {
    // Who tells it names the file.
    let damaged = |error: ReadError| DescribeError::damaged(error.reason());
    let mut reader = AudioFileReader::open(path).map_err(damaged)?;
    let rate_hz = reader.sample_rate_hz();
    let mut listener = Listener::new(rate_hz).map_err(DescribeError::damaged)?;
    let mut spectrum = Spectrum::new(rate_hz);
    let mut channels = vec![vec![0.0; BLOCK_FRAMES]; reader.channels()];
    let mut mono = Vec::with_capacity(BLOCK_FRAMES);
    let (mut frames, most) = (0u64, LISTENED_SECONDS * u64::from(rate_hz));
    let (mut is_over, mut not_numbers) = (false, 0);
    while frames < most && !is_over {
        job.check()?;
        let mut slices: Vec<&mut [f32]> = channels.iter_mut().map(Vec::as_mut_slice).collect();
        let count = reader.read(&mut slices).map_err(damaged)?;
        is_over = count < BLOCK_FRAMES;
        frames += count as u64;
        let bad = channels.iter_mut().flat_map(|it| &mut it[..count]).filter(|sample| !sample.is_finite());
        not_numbers += bad.map(|sample| *sample = 0.0).count() as u64;
        let part = 1.0 / channels.len() as f32;
        mono.clear();
        mono.extend((0..count).map(|at| channels.iter().map(|it| it[at]).sum::<f32>() * part));
        listener.push(&mono).map_err(DescribeError::damaged)?;
        spectrum.push(&mono);
    }
    if frames == 0 {
        return Err(DescribeError::damaged("there is no sound in it"));
    }
    if not_numbers > 0 {
        return Err(DescribeError::damaged(NotNumbers(not_numbers)));
    }
    let heard = listener.finish();
    // What a file says of its length is believed where it was not read to its end.
    let told = reader.frames().filter(|_| !is_over).unwrap_or(frames);
    let tempo = heard.tempo.ok().filter(|tempo| tempo.confidence >= LEAST_TEMPO_CONFIDENCE);
    Ok(Heard {
        duration_seconds: told.max(frames) as f32 / rate_hz as f32,
        bpm: tempo.map(|tempo| tempo.bpm as f32),
        onsets: heard.onsets.len(),
        rms_dbfs: 20.0 * heard.levels.rms().max(1e-6).log10(),
        spectrum: spectrum.finish(),
    })
}

/// What people call what was heard.
fn words(heard: &Heard, bpm: Option<f32>) -> Vec<&'static str> {
    let mut words = vec![];
    words.push(match heard.duration_seconds {
        ..0.8 => "one-shot short",
        ..4.0 => "short",
        60.0.. => "long",
        _ => "",
    });
    if heard.rms_dbfs < -90.0 {
        words.push("silence");
        return words;
    }
    if heard.onsets <= 1 && heard.duration_seconds > 2.0 {
        words.push("sustained");
    }
    words.push(match heard.rms_dbfs {
        ..-32.0 => "quiet soft",
        -14.0.. => "loud",
        _ => "",
    });
    words.push(match heard.spectrum.centroid_hz() {
        ..600.0 => "dark warm deep",
        ..1400.0 => "warm",
        2800.0..5500.0 => "bright",
        5500.0.. => "bright airy",
        _ => "",
    });
    words.extend(bpm.map(tempo_words));
    words.retain(|word| !word.is_empty());
    words
}
