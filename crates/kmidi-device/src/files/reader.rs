//! Reads audio files of the usual kinds, a block at a time.

use std::fs::File;
use std::path::{Path, PathBuf};

use kmidi_core::limits::{MAX_DEVICE_CHANNELS, SAMPLE_RATE_RANGE_HZ};
use symphonia::core::audio::{Channels, Position};
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;

/// Damaged packets that are passed over; a file with more of them is given up.
const MAX_DAMAGED: u64 = 1000;

/// Why an audio file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system does not give it.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// It is of another kind, or damaged from the start.
    #[error("{}: {reason}. WAV, FLAC, MP3 and Ogg Vorbis can be read", path.display())]
    NotAudio {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// An audio file that is being read, in bounded memory whatever its length. `[side B]`
pub struct AudioFileReader {
    path: PathBuf,
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track: u32,
    sample_rate_hz: u32,
    channels: usize,
    speakers: Vec<Speaker>,
    frames: Option<u64>,
    /// The packet that is being given out, a vector a channel, and how much of it has been.
    packet: Vec<Vec<f32>>,
    given: usize,
    damaged_packets: u64,
    is_over: bool,
}

impl AudioFileReader {
    /// Opens a file; its kind is told from what is in it.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let io = |source| ReadError::Io { path: path.to_owned(), source };
        let file = File::open(path).map_err(io)?;
        if file.metadata().map_err(io)?.is_dir() {
            return Err(io(std::io::ErrorKind::IsADirectory.into()));
        }
        // Codecs are large bodies of code fed with whatever a file holds.
        let open = || Self::open_stream(path, MediaSourceStream::new(Box::new(file), Default::default()));
        unharmed(path, open).and_then(|opened| opened)
    }

    fn open_stream(path: &Path, stream: MediaSourceStream<'static>) -> Result<Self, ReadError> {
        let not_audio = |reason: String| ReadError::NotAudio { path: path.to_owned(), reason };
        let mut hint = Hint::new();
        if let Some(extension) = path.extension().and_then(|it| it.to_str()) {
            hint.with_extension(extension);
        }
        let probe = symphonia::default::get_probe();
        let format = probe
            .probe(&hint, stream, FormatOptions::default(), MetadataOptions::default())
            .map_err(|error| not_audio(why_not(&error)))?;
        let no_audio = || not_audio("there is no audio in it".to_owned());
        let track = format.default_track(TrackType::Audio).ok_or_else(no_audio)?;
        let parameters = track.codec_params.as_ref().and_then(|it| it.audio()).ok_or_else(no_audio)?;
        let decoder = symphonia::default::get_codecs()
            .make_audio_decoder(parameters, &AudioDecoderOptions::default())
            .map_err(|error| not_audio(error.to_string()))?;
        let sample_rate_hz = parameters.sample_rate.unwrap_or(0);
        if !SAMPLE_RATE_RANGE_HZ.contains(&sample_rate_hz) {
            return Err(not_audio(format!("its sample rate of {sample_rate_hz} Hz is out of range")));
        }
        let channels = parameters.channels.as_ref().map_or(0, |channels| channels.count());
        if !(1..=MAX_DEVICE_CHANNELS).contains(&channels) {
            return Err(not_audio(format!(
                "it has {channels} channels, and 1 to {MAX_DEVICE_CHANNELS} can be"
            )));
        }
        let speakers = parameters.channels.as_ref().map(speakers).unwrap_or_default();
        let (track, frames) = (track.id, track.num_frames);
        Ok(AudioFileReader {
            path: path.to_owned(),
            format,
            decoder,
            track,
            sample_rate_hz,
            channels,
            speakers,
            frames,
            packet: Vec::new(),
            given: 0,
            damaged_packets: 0,
            is_over: false,
        })
    }

    /// Sample rate in Hz.
    pub fn sample_rate_hz(&self) -> u32 {
        self.sample_rate_hz
    }

    /// Channels.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Where each channel is to be heard.
    pub fn speakers(&self) -> &[Speaker] {
        &self.speakers
    }

    /// Frames in the file, as far as it says.
    pub fn frames(&self) -> Option<u64> {
        self.frames
    }

    /// Packets that were damaged and are left out.
    pub fn damaged_packets(&self) -> u64 {
        self.damaged_packets
    }

    /// Fills `channels`, a slice for each channel and all of one length, from the front; how many frames there were. Fewer
    /// than asked for only at the end.
    ///
    /// # Errors
    /// [`ReadError`].
    ///
    /// # Panics
    /// If the number of channels is not [`AudioFileReader::channels`], or their lengths differ.
    pub fn read(&mut self, channels: &mut [&mut [f32]]) -> Result<usize, ReadError> {
        assert_eq!(channels.len(), self.channels);
        let wanted = channels[0].len();
        assert!(channels.iter().all(|channel| channel.len() == wanted));
        let mut done = 0;
        while done < wanted {
            let left = self.packet.first().map_or(0, Vec::len) - self.given;
            if left == 0 {
                if !self.next_packet()? {
                    break;
                }
                continue;
            }
            let frames = left.min(wanted - done);
            for (channel, samples) in channels.iter_mut().zip(&self.packet) {
                channel[done..done + frames].copy_from_slice(&samples[self.given..self.given + frames]);
            }
            self.given += frames;
            done += frames;
        }
        Ok(done)
    }

    /// Decodes the next packet; whether there is one.
    fn next_packet(&mut self) -> Result<bool, ReadError> {
        self.given = 0;
        self.packet.iter_mut().for_each(Vec::clear);
        while !self.is_over {
            let path = self.path.clone();
            let decoded = unharmed(&path, || self.decode());
            match decoded? {
                Decoded::Packet => return Ok(true),
                Decoded::Other => {}
                Decoded::Damaged => {
                    self.damaged_packets += 1;
                    self.is_over = self.damaged_packets > MAX_DAMAGED;
                }
                Decoded::End => self.is_over = true,
                Decoded::Failed(source) => return Err(ReadError::Io { path, source }),
            }
        }
        Ok(false)
    }

    fn decode(&mut self) -> Decoded {
        let packet = match self.format.next_packet() {
            Ok(Some(packet)) if packet.track_id == self.track => packet,
            Ok(Some(_)) => return Decoded::Other,
            Ok(None) => return Decoded::End,
            // A file that is cut short ends where it is cut.
            Err(Error::IoError(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                return Decoded::End;
            }
            Err(Error::IoError(error)) => return Decoded::Failed(error),
            Err(_) => return Decoded::End,
        };
        match self.decoder.decode(&packet) {
            Ok(buffer) if buffer.num_planes() == self.channels => {
                buffer.copy_to_vecs_planar(&mut self.packet);
                if self.packet[0].is_empty() { Decoded::Other } else { Decoded::Packet }
            }
            Ok(_) | Err(_) => Decoded::Damaged,
        }
    }
}

/// Why a file cannot be opened, in words for who has it.
fn why_not(error: &Error) -> String {
    match error {
        Error::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            "it ends before any sound begins".to_owned()
        }
        Error::Unsupported(_) => "it is empty, or no audio file of a kind that is known".to_owned(),
        error => error.to_string(),
    }
}

/// Where the speaker of a channel stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// Left or right in front; also each channel of a file that is no surround sound.
    Front,
    /// In the middle in front of a surround layout.
    Centre,
    /// Beside, behind or above in a surround layout.
    Surround,
    /// Anywhere, for low frequencies only.
    LowFrequencies,
}

/// Where the channels of a file are to be heard, in its order.
///
/// Fewer than six channels of which the file says no more are taken for a layout with one for low frequencies, which they seldom
/// are: they are all of one kind.
fn speakers(channels: &Channels) -> Vec<Speaker> {
    const LEAST_SURROUND: usize = 6;
    const FRONT: Position = Position::FRONT_LEFT
        .union(Position::FRONT_RIGHT)
        .union(Position::FRONT_LEFT_CENTER)
        .union(Position::FRONT_RIGHT_CENTER)
        .union(Position::FRONT_LEFT_WIDE)
        .union(Position::FRONT_RIGHT_WIDE);
    const LOW: Position = Position::LFE1.union(Position::LFE2);
    let (count, plain) = (channels.count(), vec![Speaker::Front; channels.count()]);
    let Channels::Positioned(positions) = channels else { return plain };
    let is_guessed = positions.intersects(LOW) && count < LEAST_SURROUND;
    if is_guessed || !positions.contains(Position::FRONT_LEFT | Position::FRONT_RIGHT) {
        return plain;
    }
    let speaker = |position: Position| match position {
        Position::FRONT_CENTER => Speaker::Centre,
        it if LOW.contains(it) => Speaker::LowFrequencies,
        it if FRONT.contains(it) => Speaker::Front,
        _ => Speaker::Surround,
    };
    positions.iter().map(speaker).collect()
}

/// What became of a packet.
enum Decoded {
    Packet,
    /// Nothing of the sound.
    Other,
    Damaged,
    End,
    Failed(std::io::Error),
}

/// Runs a codec; should it panic, the file is at fault.
fn unharmed<T>(path: &Path, work: impl FnOnce() -> T) -> Result<T, ReadError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).map_err(|_| ReadError::NotAudio {
        path: path.to_owned(),
        reason: "it is damaged in a way that its decoder does not survive".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::{AudioFileWriter, AudioSpec, Container, SampleFormat};

    const FRAMES: usize = 10_000;

    fn sound() -> [Vec<f32>; 2] {
        let wave = |step: f32| (0..FRAMES).map(|n| (n as f32 * step).sin() * 0.7).collect();
        [wave(0.01), wave(0.013)]
    }

    fn written(folder: &Path, name: &str, format: SampleFormat) -> PathBuf {
        let path = folder.join(name);
        let spec = AudioSpec { sample_rate_hz: 44_100, channels: 2, format };
        let mut writer = AudioFileWriter::create(&path, Container::of(&path).unwrap(), spec).unwrap();
        writer.write(&sound()).unwrap();
        writer.finish().unwrap();
        path
    }

    /// Reads all of it in blocks of a length that divides nothing.
    fn read(path: &Path) -> Result<Vec<Vec<f32>>, ReadError> {
        let mut reader = AudioFileReader::open(path)?;
        let mut all = vec![Vec::new(); reader.channels()];
        let mut blocks = vec![vec![0.0; 777]; reader.channels()];
        loop {
            let mut slices: Vec<&mut [f32]> = blocks.iter_mut().map(|block| &mut block[..]).collect();
            let frames = reader.read(&mut slices)?;
            for (all, block) in all.iter_mut().zip(&blocks) {
                all.extend(&block[..frames]);
            }
            if frames < 777 {
                return Ok(all);
            }
        }
    }

    #[test]
    fn what_was_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let exact = read(&written(folder.path(), "a.wav", SampleFormat::Float32)).unwrap();
        assert!(exact == sound());
        for (name, format, step) in [
            ("b.wav", SampleFormat::Int24, 1.0 / 8_388_608.0),
            ("c.flac", SampleFormat::Int24, 1.0 / 8_388_608.0),
            ("d.wav", SampleFormat::Int16, 2.0 / 32_768.0),
        ] {
            let near = read(&written(folder.path(), name, format)).unwrap();
            for (one, other) in near.iter().flatten().zip(sound().iter().flatten()) {
                assert!((one - other).abs() <= step, "{name}: {one} {other}");
            }
            assert_eq!(near[1].len(), FRAMES, "{name}");
        }
    }

    #[test]
    fn a_file_cut_anywhere_or_of_another_kind_gives_what_there_is_or_an_error() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.wav", "b.flac"] {
            let bytes = std::fs::read(written(folder.path(), name, SampleFormat::Int16)).unwrap();
            let cut = folder.path().join(format!("cut-{name}"));
            for length in (0..bytes.len()).step_by(bytes.len() / 50) {
                std::fs::write(&cut, &bytes[..length]).unwrap();
                if let Ok(channels) = read(&cut) {
                    assert!(channels[0].len() < FRAMES, "{name}: {length} bytes");
                }
            }
        }
        let text = folder.path().join("text.wav");
        std::fs::write(&text, "no sound at all").unwrap();
        assert!(matches!(read(&text), Err(ReadError::NotAudio { .. })));
        assert!(matches!(read(folder.path()), Err(ReadError::Io { .. })));
        assert!(matches!(read(Path::new("/nonexistent.wav")), Err(ReadError::Io { .. })));
    }
}
