//! Brings one sample of a file into memory.

use std::io;

use crate::file::{ROM, SampleRecord, SampleSource, Tables, VORBIS, WarningKind, Warnings};
use crate::sample::{GUARD_FRAMES, Sample};
use crate::vorbis::{self, Refused};

/// Rates that samples may have, in Hz. The specification wants 400 to 50,000; there are files with more.
const RATES_HZ: (u32, u32) = (400, 192_000);
/// Key of samples that have no pitch of their own, or an impossible one (section 7.10).
const UNPITCHED_KEY: u8 = 60;
/// Frames of one compressed sample, whose length in the file says nothing: a quarter of an hour.
const MAX_VORBIS_FRAMES: u64 = 15 * 60 * 48_000;
/// Loudest sample of a compressed sound. Its peaks may lie a little above those of the original.
const FULL_SCALE: f32 = 2.0;
const FRAME_BYTES: u64 = size_of::<f32>() as u64;
/// Frames read at once.
const BLOCK_FRAMES: usize = 1 << 14;

/// Why a sample is not there.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It is silent; a warning says why.
    Silent,
    /// It needs more than the bytes allowed; this many, or more.
    TooLarge {
        /// Of memory.
        needed_bytes: u64,
    },
    /// The source cannot be read.
    Io(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Io(error)
    }
}

/// What the file says that it holds of a sample, in bytes.
pub(crate) fn file_bytes(record: &SampleRecord) -> u64 {
    let units = u64::from(record.end.saturating_sub(record.start));
    if record.kind & VORBIS == 0 { 2 * units } else { units }
}

/// What a sample will take in memory, in bytes; of a compressed one as its last page tells.
pub(crate) fn memory_bytes(source: &dyn SampleSource, tables: &Tables, index: u16) -> u64 {
    /// More than a page of Ogg has.
    const TAIL_BYTES: u64 = 66 << 10;
    /// How much smaller compressed sound is, where its end says nothing.
    const RATIO: u64 = 8;
    let record = &tables.samples[usize::from(index)];
    let units = u64::from(record.end.saturating_sub(record.start));
    let frames = if record.kind & VORBIS == 0 {
        units
    } else {
        let end = u64::from(record.end).min(tables.smpl.length);
        let mut tail = vec![0; units.min(TAIL_BYTES).min(end) as usize];
        let read = source.read_exact_at(tables.smpl.offset + end - tail.len() as u64, &mut tail);
        let told = read.ok().and_then(|()| vorbis::told_frames(&tail));
        told.unwrap_or(units * RATIO).min(MAX_VORBIS_FRAMES)
    };
    (frames + 2 * GUARD_FRAMES as u64) * FRAME_BYTES
}

/// Reads and decodes a sample into at most `limit_bytes`. `[side B]`
pub(crate) fn fetch(
    source: &dyn SampleSource,
    tables: &Tables,
    index: u16,
    limit_bytes: u64,
    warnings: &mut Warnings,
) -> Result<Sample, Failure> {
    let record = &tables.samples[usize::from(index)];
    if record.kind & ROM != 0 {
        warnings.push(&record.name, WarningKind::RomSample);
        return Err(Failure::Silent);
    }
    let limit_frames = (limit_bytes / FRAME_BYTES).saturating_sub(2 * GUARD_FRAMES as u64);
    let (data, first) = if record.kind & VORBIS == 0 {
        let (start, count) = place(record, tables.smpl.length / 2, warnings).ok_or(Failure::Silent)?;
        if count > limit_frames {
            return Err(Failure::TooLarge { needed_bytes: (count + 2 * GUARD_FRAMES as u64) * FRAME_BYTES });
        }
        (read_frames(source, tables, start, count)?, record.start)
    } else {
        let (start, count) = place(record, tables.smpl.length, warnings).ok_or(Failure::Silent)?;
        // Compressed sound that is longer than all it may become is no sound.
        if count > limit_bytes {
            return Err(Failure::TooLarge { needed_bytes: count });
        }
        let mut stream = vec![0; count as usize];
        source.read_exact_at(tables.smpl.offset + start, &mut stream)?;
        (decode(record, stream, limit_frames, warnings)?, 0)
    };
    Ok(describe(record, first, data, warnings))
}

/// First unit and number of units of a sample in `smpl`, which has `available` of them.
fn place(record: &SampleRecord, available: u64, warnings: &mut Warnings) -> Option<(u64, u64)> {
    let (start, end) = (u64::from(record.start), u64::from(record.end));
    if end > available {
        warnings.push(&record.name, WarningKind::SampleCut);
    }
    let end = end.min(available);
    if start >= end {
        warnings.push(&record.name, WarningKind::EmptySample);
        return None;
    }
    Some((start, end - start))
}

/// Zeros between which frames will stand.
fn silence(frames: usize) -> Vec<f32> {
    vec![0.0; frames + 2 * GUARD_FRAMES]
}

fn read_frames(source: &dyn SampleSource, tables: &Tables, start: u64, count: u64) -> io::Result<Vec<f32>> {
    let mut data = silence(count as usize);
    let mut high = [0; 2 * BLOCK_FRAMES];
    let mut low = [0; BLOCK_FRAMES];
    let mut frame = start;
    for block in data[GUARD_FRAMES..][..count as usize].chunks_mut(BLOCK_FRAMES) {
        let high = &mut high[..2 * block.len()];
        let low = &mut low[..block.len()];
        source.read_exact_at(tables.smpl.offset + 2 * frame, high)?;
        if let Some(sm24) = tables.sm24 {
            source.read_exact_at(sm24.offset + frame, low)?;
        }
        for ((value, high), low) in block.iter_mut().zip(high.as_chunks::<2>().0).zip(low) {
            let value_24 = i32::from(i16::from_le_bytes(*high)) << 8 | i32::from(*low);
            *value = value_24 as f32 / (1 << 23) as f32;
        }
        frame += block.len() as u64;
    }
    Ok(data)
}

fn decode(
    record: &SampleRecord,
    stream: Vec<u8>,
    limit_frames: u64,
    warnings: &mut Warnings,
) -> Result<Vec<f32>, Failure> {
    match vorbis::decode(stream, limit_frames.min(MAX_VORBIS_FRAMES)) {
        Ok(decoded) => {
            if decoded.is_damaged {
                warnings.push(&record.name, WarningKind::DamagedSample);
            }
            if decoded.frames.is_empty() {
                warnings.push(&record.name, WarningKind::EmptySample);
                return Err(Failure::Silent);
            }
            let mut data = silence(decoded.frames.len());
            for (value, frame) in data[GUARD_FRAMES..].iter_mut().zip(decoded.frames) {
                // A damaged stream may hold anything.
                *value = if frame.is_finite() { frame.clamp(-FULL_SCALE, FULL_SCALE) } else { 0.0 };
            }
            Ok(data)
        }
        Err(Refused::NotVorbis) => {
            warnings.push(&record.name, WarningKind::NoVorbis);
            Err(Failure::Silent)
        }
        Err(Refused::TooLong) => Err(Failure::TooLarge { needed_bytes: limit_frames * FRAME_BYTES }),
    }
}

/// Puts rate, pitch and loop, brought into range, to the frames. Places of the loop count from `first`.
fn describe(record: &SampleRecord, first: u32, data: Vec<f32>, warnings: &mut Warnings) -> Sample {
    let mut sample = Sample {
        name: record.name.clone(),
        data: data.into_boxed_slice(),
        rate_hz: record.rate_hz.clamp(RATES_HZ.0, RATES_HZ.1),
        root_key: if record.root_key > 127 { UNPITCHED_KEY } else { record.root_key },
        correction_cents: record.correction_cents,
        loop_start: record.loop_start.saturating_sub(first),
        loop_end: record.loop_end.saturating_sub(first),
    };
    if sample.rate_hz != record.rate_hz {
        warnings.push(&record.name, WarningKind::BadRate);
    }
    let frames = sample.frames() as u32;
    // Samples that do not loop often have no sensible loop, which is no reason to say anything.
    if record.loop_start < record.loop_end && (record.loop_start < first || sample.loop_end > frames) {
        warnings.push(&record.name, WarningKind::BadLoop);
    }
    sample.loop_end = sample.loop_end.min(frames);
    sample.loop_start = sample.loop_start.min(sample.loop_end);
    sample
}
