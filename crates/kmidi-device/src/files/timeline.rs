//! Where the packets of a file stand in time: what is missing between them and behind them.

use std::fmt;

use serde::Serialize;
use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::formats::Track;
use symphonia::core::packet::Packet;

/// Most silence that stands in the place of what is lost, in seconds: a damaged file may say anything of its places.
const MAX_SILENCE_SECONDS: u64 = 3600;

/// What of an audio file could not be read. Its text says so in one line, and nothing where all is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReadLoss {
    /// Rate of the file in Hz.
    #[serde(skip)]
    pub sample_rate_hz: u32,
    /// Frames that have been read, with silence in the place of what is lost.
    pub read_frames: u64,
    /// Frames that the file says it has, where it says so exactly.
    pub promised_frames: Option<u64>,
    /// Frames that it has less than that at its end.
    pub missing_frames: u64,
    /// Whether it ends before its end; it need not say how long it should be.
    pub is_cut_off: bool,
    /// Frames in the middle that are lost; they are silent.
    pub silent_frames: u64,
    /// Packets that could not be decoded.
    pub damaged_packets: u64,
}

impl fmt::Display for ReadLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |frames: u64| frames as f64 / f64::from(self.sample_rate_hz.max(1));
        let of = self.promised_frames.map_or(String::new(), |it| format!(" of {:.2} s", seconds(it)));
        let mut told = Vec::new();
        if self.is_cut_off {
            told.push(format!("it is cut off: {:.2} s{of} are there", seconds(self.read_frames)));
        }
        if self.silent_frames > 0 {
            told.push(format!(
                "it is damaged: {:.2} s{of} ({} frames) are lost and silent",
                seconds(self.silent_frames),
                self.silent_frames
            ));
        } else if self.damaged_packets > 0 {
            told.push(format!("it is damaged: {} pieces of it are left out", self.damaged_packets));
        }
        f.write_str(&told.join("; "))
    }
}

/// Counts the frames of a file against what it says of itself and of the places of its packets.
pub(super) struct Timeline {
    /// Frames in all, where the file says so exactly.
    promised: Option<u64>,
    /// Place of the next packet in frames, where its packets say theirs.
    next: Option<i64>,
    /// Frames given out, with silence.
    frames: u64,
    silent: u64,
    most_silent: u64,
    has_ended_early: bool,
}

impl Timeline {
    pub fn new(format: &str, track: &Track, sample_rate_hz: u32, parameters: &AudioCodecParameters) -> Self {
        let in_frames =
            track.time_base.is_none_or(|it| it.numer.get() == 1 && it.denom.get() == sample_rate_hz);
        // WAV has no places, and MP3 has them counted.
        let has_places = in_frames && matches!(format, "flac" | "ogg");
        let promised = track.num_frames.filter(|frames| match format {
            // It is guessed from the size of the file where no encoder has left a word.
            "mp3" => track.delay.is_some(),
            "wave" => !is_placeholder(*frames, parameters),
            _ => true,
        });
        // Ogg says where it ends, not how long it is.
        let promised = promised.map(|frames| frames.saturating_sub(track.start_ts.get().max(0) as u64));
        Timeline {
            promised,
            next: has_places.then(|| track.start_ts.get()),
            frames: 0,
            silent: 0,
            most_silent: MAX_SILENCE_SECONDS * u64::from(sample_rate_hz),
            has_ended_early: false,
        }
    }

    /// The next packet is there; frames that are lost before it.
    pub fn arrive(&mut self, packet: &Packet) -> u64 {
        let Some(next) = &mut self.next else { return 0 };
        let place = packet.pts.get();
        let gap = place.saturating_sub(*next).max(0) as u64;
        *next = place.saturating_add_unsigned(packet.block_dur().get());
        // A stream that was cut out of a longer one begins where it was cut.
        if self.frames == 0 && self.promised.is_none() {
            return 0;
        }
        self.fill(gap)
    }

    /// A packet could not be decoded; frames that are lost with it.
    pub fn lose(&mut self, packet: &Packet) -> u64 {
        self.fill(packet.dur.get())
    }

    fn fill(&mut self, frames: u64) -> u64 {
        let room = self.promised.map_or(u64::MAX, |promised| promised.saturating_sub(self.frames));
        let frames = frames.min(room).min(self.most_silent - self.silent);
        self.silent += frames;
        self.frames += frames;
        frames
    }

    /// So many frames have been decoded.
    pub fn give(&mut self, frames: u64) {
        self.frames += frames;
    }

    /// The file has ended where something more should come.
    pub fn end_early(&mut self) {
        // A WAV file without a length ends so.
        self.has_ended_early |= self.next.is_some();
    }

    /// Another stream follows in the same file, which says nothing of its whole length.
    pub fn follow(&mut self, track: &Track) {
        self.promised = None;
        self.next = self.next.map(|_| track.start_ts.get());
    }

    pub fn loss(&self, sample_rate_hz: u32, damaged_packets: u64, is_over: bool) -> ReadLoss {
        let missing_frames = self.promised.filter(|_| is_over).map_or(0, |it| it.saturating_sub(self.frames));
        ReadLoss {
            sample_rate_hz,
            read_frames: self.frames,
            promised_frames: self.promised,
            missing_frames,
            is_cut_off: missing_frames > 0 || (self.has_ended_early && self.promised.is_none()),
            silent_frames: self.silent,
            damaged_packets,
        }
    }
}

/// Whether a WAV file has the length that programs write which do not know it yet: the most that 32 or 31 bits hold, or
/// a little less.
fn is_placeholder(frames: u64, parameters: &AudioCodecParameters) -> bool {
    const LITTLE: u64 = 0x1_0000;
    let bytes = u64::from(parameters.bits_per_sample.unwrap_or(0).div_ceil(8));
    let channels = parameters.channels.as_ref().map_or(1, |it| it.count()) as u64;
    let length = frames.saturating_mul(bytes * channels);
    [1 << 31, 1 << 32].iter().any(|most| (most - LITTLE..=most + LITTLE).contains(&length))
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::files::{AudioFileReader, AudioFileWriter, AudioSpec, Container, ReadError, SampleFormat};

    const FRAMES: usize = 40_000;
    /// Frames of a packet of our FLAC files.
    const PACKET: usize = 4096;

    fn written(folder: &Path, name: &str) -> (PathBuf, Vec<u8>) {
        let path = folder.join(name);
        let spec = AudioSpec { sample_rate_hz: 10_000, channels: 1, format: SampleFormat::Int16 };
        let mut writer = AudioFileWriter::create(&path, Container::of(&path).unwrap(), spec).unwrap();
        let sound = (0..FRAMES).map(|n| (n as f32 * 0.01).sin() * (n as f32 * 0.0013).sin() * 0.7);
        writer.write(&[sound.collect::<Vec<f32>>()]).unwrap();
        writer.finish().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        (path, bytes)
    }

    fn read(path: &Path, bytes: &[u8]) -> Result<(Vec<f32>, ReadLoss), ReadError> {
        std::fs::write(path, bytes).unwrap();
        let mut reader = AudioFileReader::open(path)?;
        let (mut all, mut block) = (Vec::new(), vec![0.0; 777]);
        loop {
            let frames = reader.read(&mut [&mut block[..]])?;
            all.extend(&block[..frames]);
            if frames < block.len() {
                return Ok((all, reader.loss()));
            }
        }
    }

    #[test]
    fn a_hole_in_a_file_is_silent_and_what_follows_stays_in_time() {
        let folder = tempfile::tempdir().unwrap();
        let (path, mut bytes) = written(folder.path(), "a.flac");
        let (whole, loss) = read(&path, &bytes).unwrap();
        assert_eq!((whole.len(), loss.to_string().as_str()), (FRAMES, ""));
        let middle = bytes.len() / 2;
        bytes[middle..middle + 16].fill(0x55);
        let (holed, loss) = read(&path, &bytes).unwrap();
        assert_eq!((holed.len(), loss.silent_frames), (FRAMES, PACKET as u64), "{loss:?}");
        let hole =
            (0..FRAMES).step_by(PACKET).find(|at| whole[*at..] != holed[*at..] && holed[at + 1] == 0.0);
        let hole = hole.unwrap()..hole.unwrap() + PACKET;
        assert!(whole[..hole.start] == holed[..hole.start] && whole[hole.end..] == holed[hole.end..]);
        assert!(holed[hole.clone()].iter().all(|it| *it == 0.0) && whole[hole].iter().any(|it| *it != 0.0));
        assert_eq!(loss.to_string(), "it is damaged: 0.41 s of 4.00 s (4096 frames) are lost and silent");
    }

    #[test]
    fn a_file_that_is_cut_off_says_how_much_of_it_is_there() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.wav", "a.flac"] {
            let (path, bytes) = written(folder.path(), name);
            assert_eq!(read(&path, &bytes).unwrap().1.to_string(), "", "{name}");
            let (sound, loss) = read(&path, &bytes[..bytes.len() / 2]).unwrap();
            assert_eq!(sound.len() as u64 + loss.missing_frames, FRAMES as u64, "{name}");
            let seconds = sound.len() as f64 / 10_000.0;
            assert_eq!(loss.to_string(), format!("it is cut off: {seconds:.2} s of 4.00 s are there"));
        }
    }

    #[test]
    fn a_length_that_stands_for_an_unknown_one_promises_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (path, mut bytes) = written(folder.path(), "a.wav");
        let at = bytes.windows(4).position(|it| it == b"data").unwrap() + 4;
        for (length, promises) in
            [(u32::MAX, false), (0x7fff_f000, false), (0x7fff_ffff - 44, false), (1 << 30, true)]
        {
            bytes[at..at + 4].copy_from_slice(&length.to_le_bytes());
            bytes[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
            let (sound, loss) = read(&path, &bytes).unwrap();
            assert_eq!((sound.len(), loss.is_cut_off), (FRAMES, promises), "{length:x}: {loss:?}");
        }
    }

    #[test]
    fn noise_and_devices_are_no_audio() {
        let folder = tempfile::tempdir().unwrap();
        let mut random = 0x2545_f491_u32;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            random ^= random << 13;
            random ^= random >> 17;
            random ^= random << 5;
            random as u8
        })
        .take(1 << 20)
        .collect();
        let read = read(&folder.path().join("noise.mp3"), &noise);
        assert!(matches!(read, Err(ReadError::NotAudio { .. })), "{:?}", read.map(|it| (it.0.len(), it.1)));
        for device in ["/dev/urandom", "/dev/zero"] {
            let opened = AudioFileReader::open(Path::new(device)).map(|_| ());
            assert!(
                matches!(&opened, Err(ReadError::NotAudio { reason, .. }) if reason.contains("a device")),
                "{opened:?}"
            );
        }
    }
}
