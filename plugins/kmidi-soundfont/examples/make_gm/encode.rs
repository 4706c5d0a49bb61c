//! Vorbis, with loops that stay seamless.

use std::io::{self, Read, Write};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::font::{Font, Loops, Sample};

/// Qualities of the encoder (-1 to 10) to be tried until a loop is seamless.
const QUALITIES: [&str; 4] = ["1", "3", "5", "7"];
/// Largest step where a loop closes, against the loop's own sound.
const SEAM_DB: f64 = -36.0;
/// Frames of repeated loop after a loop: where the decoded sound may have a better place for it, and
/// what keeps the end of the stream, which the codec cannot see past, away from it.
const REPEATED: (usize, usize) = (512, 8192);
/// Frames on both sides of a loop's ends that have to agree: a little more than interpolation sees.
const AROUND: usize = 3;

/// Encodes all samples with one worker a processor; the result does not depend on how many there are.
pub fn encode(font: &mut Font) -> io::Result<Vec<Vec<u8>>> {
    let loops = font.loops();
    let next = AtomicUsize::new(0);
    let samples = &font.samples;
    let results: Vec<Mutex<Option<io::Result<Encoded>>>> = samples.iter().map(|_| Mutex::new(None)).collect();
    let work = || {
        loop {
            let place = next.fetch_add(1, Relaxed);
            let Some(sample) = samples.get(place) else { break };
            let encoded = encode_one(sample, loops[place]);
            *results[place].lock().expect("no worker panics") = Some(encoded);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let mut streams = Vec::new();
    let mut worst = (f64::NEG_INFINITY, String::new());
    for (sample, result) in font.samples.iter_mut().zip(results) {
        let encoded = result.into_inner().expect("no worker panics").expect("every sample was encoded")?;
        if encoded.seam_db > worst.0 {
            worst = (encoded.seam_db, sample.record.name.clone());
        }
        sample.looped = encoded.looped;
        streams.push(encoded.stream);
    }
    eprintln!("worst seam of a loop: {:.0} dB ({})", worst.0, worst.1);
    Ok(streams)
}

struct Encoded {
    stream: Vec<u8>,
    looped: (usize, usize),
    /// Step between the end of the loop and its start, against the loop's own sound.
    seam_db: f64,
}

fn encode_one(sample: &Sample, loops: Loops) -> io::Result<Encoded> {
    let (start, end) = sample.looped;
    if loops != Loops::Always || end < start + 8 {
        // A loop that cannot be moved gets the best quality, to be nearly what it was.
        let quality = QUALITIES[if loops == Loops::Never { 0 } else { QUALITIES.len() - 1 }];
        let stream = oggenc(&sample.frames, sample.record.rate_hz, quality)?;
        check_length(sample, decode(&stream)?.len(), sample.frames.len())?;
        return Ok(Encoded { stream, looped: sample.looped, seam_db: f64::NEG_INFINITY });
    }
    // What follows a loop is never heard: in this SoundFont no loop ends before its note does.
    let mut frames = sample.frames[..end].to_vec();
    let repeated = (end - start).clamp(REPEATED.0, REPEATED.1);
    frames.extend(sample.frames[start..end].iter().cycle().take(repeated));
    let mut best: Option<Encoded> = None;
    for quality in QUALITIES {
        let stream = oggenc(&frames, sample.record.rate_hz, quality)?;
        let decoded = decode(&stream)?;
        check_length(sample, decoded.len(), frames.len())?;
        let (shift, seam_db) = best_shift(&decoded, (start, end), repeated);
        if best.as_ref().is_none_or(|best| seam_db < best.seam_db) {
            best = Some(Encoded { stream, looped: (start + shift, end + shift), seam_db });
        }
        if seam_db < SEAM_DB {
            break;
        }
    }
    Ok(best.expect("there is a quality"))
}

/// How far to move the loop for the smallest step where it closes, and how large that step is.
fn best_shift(frames: &[f32], (start, end): (usize, usize), repeated: usize) -> (usize, f64) {
    let step = |shift: usize| -> f64 {
        let around = |at: usize| (at + shift).saturating_sub(AROUND)..at + shift + AROUND;
        // A loop at the very start has less before it than after; the last frames are what counts.
        let (a, b) = (&frames[around(start)], &frames[around(end)]);
        a.iter().rev().zip(b.iter().rev()).map(|(a, b)| f64::from(a - b).powi(2)).sum()
    };
    let (shift, step) = (0..repeated - 2 * AROUND)
        .map(|shift| (shift, step(shift)))
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .expect("there are places to choose from");
    let power: f64 = frames[start..end].iter().map(|&x| f64::from(x).powi(2)).sum::<f64>();
    let mean = power / (end - start) as f64 * (2 * AROUND) as f64;
    (shift, 10.0 * (step / mean.max(1e-12)).log10())
}

fn check_length(sample: &Sample, is: usize, should_be: usize) -> io::Result<()> {
    match is == should_be {
        true => Ok(()),
        false => Err(io::Error::other(format!("{}: {is} frames, not {should_be}", sample.record.name))),
    }
}

/// 16 bits a frame.
fn pcm(frames: &[f32]) -> Vec<u8> {
    frames.iter().flat_map(|x| ((x * 32_768.0).round() as i16).to_le_bytes()).collect()
}

fn oggenc(frames: &[f32], rate_hz: u32, quality: &str) -> io::Result<Vec<u8>> {
    let rate = rate_hz.to_string();
    // The serial number of the stream is random unless it is given.
    let fixed = ["--quiet", "--serial", "1", "--discard-comments", "--raw", "--raw-chan", "1", "--raw-rate"];
    let arguments = fixed.into_iter().chain([&*rate, "--quality", quality, "--output", "-", "-"]);
    filter("oggenc", arguments, pcm(frames))
}

/// Decoded by the codec's own authors' program, as a check on our reader.
fn decode(stream: &[u8]) -> io::Result<Vec<f32>> {
    let bytes =
        filter("oggdec", ["--quiet", "--raw", "--bits", "16", "--output", "-", "-"], stream.to_vec())?;
    Ok(bytes.as_chunks::<2>().0.iter().map(|it| f32::from(i16::from_le_bytes(*it)) / 32_768.0).collect())
}

/// What a program makes of `input`.
fn filter<'a>(
    program: &str,
    arguments: impl IntoIterator<Item = &'a str>,
    input: Vec<u8>,
) -> io::Result<Vec<u8>> {
    let mut child =
        Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().expect("it is piped");
    // Both pipes at once: the program may fill one before it has emptied the other.
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let mut output = Vec::new();
    child.stdout.take().expect("it is piped").read_to_end(&mut output)?;
    writer.join().expect("writing does not panic")?;
    match child.wait()?.success() {
        true => Ok(output),
        false => Err(io::Error::other(format!("{program} failed"))),
    }
}
