//! Reads audio files of the usual kinds, a block at a time.

use std::fs::{File, FileType};
use std::path::{Path, PathBuf};

use kmidi_core::limits::{MAX_DEVICE_CHANNELS, SAMPLE_RATE_RANGE_HZ};
use symphonia::core::audio::{Channels, Position};
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;

use super::ReadLoss;
use super::ogg::{self, Packets};
use super::timeline::Timeline;

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

impl ReadError {
    /// What is wrong, for a text that names the file itself.
    pub fn reason(&self) -> String {
        match self {
            ReadError::Io { source, .. } => source.to_string(),
            ReadError::NotAudio { reason, .. } => reason.clone(),
        }
    }
}

/// An audio file that is being read, in bounded memory whatever its length. `[side B]`
pub struct AudioFileReader {
    path: PathBuf,
    format: Box<dyn FormatReader>,
    packets_ahead: Packets,
    decoder: Box<dyn AudioDecoder>,
    track: u32,
    sample_rate_hz: u32,
    channels: usize,
    speakers: Vec<Speaker>,
    frames: Option<u64>,
    timeline: Timeline,
    /// Silent frames to give out before the packet, in the place of what is lost.
    silence: u64,
    /// The packet that is being given out, a vector a channel, and how much of it has been.
    packet: Vec<Vec<f32>>,
    given: usize,
    packets: u64,
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
        let kind = file.metadata().map_err(io)?.file_type();
        if kind.is_dir() {
            return Err(io(std::io::ErrorKind::IsADirectory.into()));
        }
        // Some of them never end, and in noise without end a codec finds what looks like sound.
        if is_device(kind) {
            let reason = "this is a device, not a file or a pipe".to_owned();
            return Err(ReadError::NotAudio { path: path.to_owned(), reason });
        }
        if kind.is_file() {
            what_it_is(&file, path)?;
        }
        // A pipe can be read only once.
        let holes = if kind.is_file() { ogg::holes(&file).map_err(io)? } else { Vec::new() };
        // Codecs are large bodies of code fed with whatever a file holds.
        let stream = || MediaSourceStream::new(Box::new(file), Default::default());
        let open = || Self::open_stream(path, stream(), Packets::new(holes));
        unharmed(path, open).and_then(|opened| opened)
    }

    fn open_stream(
        path: &Path,
        stream: MediaSourceStream<'static>,
        packets_ahead: Packets,
    ) -> Result<Self, ReadError> {
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
        let timeline = Timeline::new(format.format_info().short_name, track, sample_rate_hz, parameters);
        let (track, frames) = (track.id, track.num_frames);
        Ok(AudioFileReader {
            path: path.to_owned(),
            format,
            packets_ahead,
            decoder,
            track,
            sample_rate_hz,
            channels,
            speakers,
            frames,
            timeline,
            silence: 0,
            packet: Vec::new(),
            given: 0,
            packets: 0,
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

    /// What of the file could not be read so far; whether its end is missing is known at its end.
    pub fn loss(&self) -> ReadLoss {
        self.timeline.loss(self.sample_rate_hz, self.damaged_packets, self.is_over)
    }

    /// Fills `channels`, a slice for each channel and all of one length, from the front; how many frames there were. Fewer
    /// than asked for only at the end. What is lost in the middle is silent, so that what follows stays in time.
    ///
    /// # Errors
    /// [`ReadError`]; also where more of it is damaged than can be read.
    ///
    /// # Panics
    /// If the number of channels is not [`AudioFileReader::channels`], or their lengths differ.
    pub fn read(&mut self, channels: &mut [&mut [f32]]) -> Result<usize, ReadError> {
        assert_eq!(channels.len(), self.channels);
        let wanted = channels[0].len();
        assert!(channels.iter().all(|channel| channel.len() == wanted));
        let mut done = 0;
        while done < wanted {
            if self.silence > 0 {
                let frames = self.silence.min((wanted - done) as u64) as usize;
                channels.iter_mut().for_each(|channel| channel[done..done + frames].fill(0.0));
                self.silence -= frames as u64;
                done += frames;
                continue;
            }
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

    /// Decodes the next packet; whether there is one, or silence in the place of one.
    fn next_packet(&mut self) -> Result<bool, ReadError> {
        self.given = 0;
        self.packet.iter_mut().for_each(Vec::clear);
        while !self.is_over {
            let path = self.path.clone();
            let decoded = unharmed(&path, || self.decode());
            match decoded? {
                Decoded::Packet => {
                    self.packets += 1;
                    return Ok(true);
                }
                Decoded::Other => {}
                Decoded::Damaged => {
                    self.damaged_packets += 1;
                    self.is_over = self.damaged_packets > MAX_DAMAGED;
                }
                Decoded::End => self.is_over = true,
                Decoded::Failed(source) => return Err(ReadError::Io { path, source }),
            }
            if self.silence > 0 {
                return Ok(true);
            }
        }
        if self.damaged_packets > self.packets {
            let reason = format!(
                "only {} of {} pieces of it can be read",
                self.packets,
                self.packets + self.damaged_packets
            );
            return Err(ReadError::NotAudio { path: self.path.clone(), reason });
        }
        Ok(false)
    }

    fn decode(&mut self) -> Decoded {
        let packet = match self.packets_ahead.next(self.format.as_mut()) {
            Ok(Some(packet)) if packet.track_id == self.track => packet,
            Ok(Some(_)) => return Decoded::Other,
            Ok(None) => return Decoded::End,
            // A file that is cut short ends where it is cut.
            Err(Error::IoError(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                self.timeline.end_early();
                return Decoded::End;
            }
            Err(Error::IoError(error)) => return Decoded::Failed(error),
            // What follows may be good.
            Err(Error::DecodeError(_)) => return Decoded::Damaged,
            Err(Error::ResetRequired) if self.follow() => return Decoded::Other,
            Err(_) => {
                self.timeline.end_early();
                return Decoded::End;
            }
        };
        self.silence = self.timeline.arrive(&packet);
        if self.silence > 0 {
            // What came before it does not go on in it.
            self.decoder.reset();
        }
        self.decode_packet(&packet)
    }

    /// Goes on with the stream that follows in the same file, as radio stations chain them, if it is of the same kind.
    fn follow(&mut self) -> bool {
        let Some(track) = self.format.default_track(TrackType::Audio) else { return false };
        let Some(parameters) = track.codec_params.as_ref().and_then(|it| it.audio()) else { return false };
        let channels = parameters.channels.as_ref().map_or(0, |channels| channels.count());
        if parameters.sample_rate != Some(self.sample_rate_hz) || channels != self.channels {
            return false;
        }
        let made =
            symphonia::default::get_codecs().make_audio_decoder(parameters, &AudioDecoderOptions::default());
        let Ok(decoder) = made else { return false };
        self.timeline.follow(track);
        (self.track, self.decoder) = (track.id, decoder);
        true
    }

    fn decode_packet(&mut self, packet: &Packet) -> Decoded {
        match self.decoder.decode(packet) {
            Ok(buffer) if buffer.num_planes() == self.channels => {
                buffer.copy_to_vecs_planar(&mut self.packet);
                let frames = self.packet[0].len() as u64;
                // Some decoders give nothing of the first packet, which they need for the next one.
                if self.silence > 0 && frames == 0 {
                    self.silence += self.timeline.lose(packet);
                }
                self.timeline.give(frames);
                if self.packet[0].is_empty() { Decoded::Other } else { Decoded::Packet }
            }
            Ok(_) | Err(_) => {
                self.silence += self.timeline.lose(packet);
                Decoded::Damaged
            }
        }
    }
}

#[cfg(unix)]
fn is_device(kind: FileType) -> bool {
    use std::os::unix::fs::FileTypeExt;
    kind.is_char_device() || kind.is_block_device()
}

#[cfg(not(unix))]
fn is_device(_: FileType) -> bool {
    false
}

/// Refuses what people take for a recording and is none.
fn what_it_is(file: &File, path: &Path) -> Result<(), ReadError> {
    let mut front = [0; 4];
    // What cannot be read at its front is told where it is read.
    let reason = match read_at_front(file, &mut front) {
        Ok(0) => "it is empty: there is not a byte in it",
        Ok(4) if &front == b"MThd" => {
            "it is a MIDI file, which has no sound: `kmidi render` makes a recording of it first"
        }
        _ => return Ok(()),
    };
    Err(ReadError::NotAudio { path: path.to_owned(), reason: reason.to_owned() })
}

#[cfg(unix)]
fn read_at_front(file: &File, bytes: &mut [u8]) -> std::io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, bytes, 0)
}

#[cfg(not(unix))]
fn read_at_front(_: &File, bytes: &mut [u8]) -> std::io::Result<usize> {
    Ok(bytes.len())
}

/// Why a file cannot be opened, in words for who has it.
fn why_not(error: &Error) -> String {
    match error {
        Error::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            "it ends before any sound begins".to_owned()
        }
        Error::Unsupported(_) => "it is no audio file of a kind that is known".to_owned(),
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
    fn what_is_no_recording_is_told_by_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        for (bytes, reason) in [
            (&b""[..], "it is empty: there is not a byte in it"),
            (b"MThd\0\0\0\x06", "`kmidi render` makes a recording of it first"),
            (b"nothing but text", "it is no audio file"),
        ] {
            std::fs::write(&path, bytes).unwrap();
            let error = AudioFileReader::open(&path).map(drop).unwrap_err();
            assert!(error.reason().contains(reason), "{error}");
            assert!(!error.reason().contains("a.wav") && error.to_string().contains("a.wav"), "{error}");
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
