use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flac_codec::encode::{FlacSampleWriter, Options};

use super::atomic::AtomicFile;
use super::quantise::{BLOCK, Quantiser};
use super::{FileError, SampleFormat, wav};

/// The kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// RIFF/WAVE; RF64 beyond 4 GiB.
    Wav,
    /// Free Lossless Audio Codec: 16 or 24 bits, up to 8 channels.
    Flac,
}

impl Container {
    /// The kind that a file's name ends in.
    ///
    /// # Errors
    /// [`FileError::UnknownContainer`].
    pub fn of(path: &Path) -> Result<Self, FileError> {
        let extension = path.extension().unwrap_or_default();
        if extension.eq_ignore_ascii_case("wav") || extension.eq_ignore_ascii_case("wave") {
            Ok(Container::Wav)
        } else if extension.eq_ignore_ascii_case("flac") {
            Ok(Container::Flac)
        } else {
            Err(FileError::UnknownContainer { path: path.to_owned() })
        }
    }

    /// Whether it can hold such samples, for the file `path`.
    ///
    /// # Errors
    /// [`FileError::NotForFlac`].
    pub fn check(self, path: &Path, format: SampleFormat) -> Result<(), FileError> {
        match (self, format) {
            (Container::Flac, SampleFormat::Float32) => Err(FileError::NotForFlac {
                path: path.to_owned(),
                reason: "32-bit floats; choose 16 or 24 bits, or WAV",
            }),
            _ => Ok(()),
        }
    }
}

/// What an audio file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioSpec {
    /// In Hz.
    pub sample_rate_hz: u32,
    /// 1 or more.
    pub channels: u16,
    /// How a sample is stored.
    pub format: SampleFormat,
}

/// What [`AudioFileWriter::finish`] has written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Written {
    /// Length of the file in frames.
    pub frames: u64,
    /// Samples beyond full scale, which an integer format clips. Always 0 for floats.
    pub clipped_samples: u64,
}

/// Writes one audio file, in bounded memory, whatever its length. `[side B]`
///
/// The file appears, whole and on disk, with [`AudioFileWriter::finish`]. Dropped before, or on any
/// error, it leaves nothing behind, nor does `kill -9`; a file of that name from before stays until then.
pub struct AudioFileWriter {
    spec: AudioSpec,
    file: AtomicFile,
    sink: Sink,
    encoder: Encoder,
    quantiser: Quantiser,
    /// One block, quantised and interleaved.
    integers: Vec<i32>,
    frames: u64,
}

enum Encoder {
    /// Bytes not handed on yet.
    Wav(Vec<u8>),
    Flac(Box<FlacSampleWriter<Sink>>),
}

impl AudioFileWriter {
    /// Opens a writer for the file `path`.
    ///
    /// # Errors
    /// [`FileError`]: the place cannot be written to, or the container cannot hold `spec`.
    pub fn create(path: &Path, container: Container, spec: AudioSpec) -> Result<Self, FileError> {
        let file = AtomicFile::create(path)?;
        let handle = file.handle().map_err(|error| FileError::from_io(path, error))?;
        let mut sink = Sink(Arc::new(Mutex::new(BufWriter::with_capacity(1 << 16, handle))));
        let encoder = match container {
            Container::Wav => {
                let header = wav::header(spec.sample_rate_hz, spec.channels, spec.format, 0);
                sink.write_all(&header).map_err(|error| FileError::from_io(path, error))?;
                Encoder::Wav(Vec::new())
            }
            Container::Flac => Encoder::Flac(Box::new(flac_encoder(path, spec, sink.clone())?)),
        };
        Ok(AudioFileWriter {
            spec,
            file,
            sink,
            encoder,
            quantiser: Quantiser::new(spec.format),
            integers: Vec::new(),
            frames: 0,
        })
    }

    /// Appends one block: `channels` holds one slice per channel, all of the same length.
    ///
    /// # Errors
    /// [`FileError::DiskFull`] and others; the writer is of no more use then.
    ///
    /// # Panics
    /// If the number of channels is not that of the [`AudioSpec`], or their lengths differ.
    pub fn write<C: AsRef<[f32]>>(&mut self, channels: &[C]) -> Result<(), FileError> {
        assert_eq!(channels.len(), usize::from(self.spec.channels));
        let frames = channels[0].as_ref().len();
        assert!(channels.iter().all(|channel| channel.as_ref().len() == frames));
        let result = match &mut self.encoder {
            Encoder::Wav(bytes) => {
                if self.spec.format == SampleFormat::Float32 {
                    interleave(channels, bytes);
                } else {
                    quantise(&mut self.quantiser, channels, &mut self.integers);
                    match self.spec.format {
                        SampleFormat::Int16 => pack::<2>(&self.integers, bytes),
                        _ => pack::<3>(&self.integers, bytes),
                    }
                }
                self.sink.write_all(bytes)
            }
            Encoder::Flac(encoder) => {
                quantise(&mut self.quantiser, channels, &mut self.integers);
                encoder.write(&self.integers).map_err(flac_io)
            }
        };
        result.map_err(|error| FileError::from_io(self.file.path(), error))?;
        self.frames += frames as u64;
        Ok(())
    }

    /// Frames written so far.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Completes the file, waits until it is on disk, and gives it its name.
    ///
    /// # Errors
    /// [`FileError::DiskFull`] and others; then there is no file.
    pub fn finish(self) -> Result<Written, FileError> {
        let AudioFileWriter { spec, file, mut sink, encoder, quantiser, frames, .. } = self;
        let path: PathBuf = file.path().to_owned();
        if frames == 0 && matches!(encoder, Encoder::Flac(..)) {
            return Err(FileError::NotForFlac { path, reason: "it has no frames" });
        }
        let complete = || -> io::Result<()> {
            match encoder {
                Encoder::Wav(_) => {
                    let data_bytes = frames * u64::from(spec.channels) * u64::from(spec.format.bytes());
                    if data_bytes % 2 == 1 {
                        sink.write_all(&[0])?;
                    }
                    sink.seek(SeekFrom::Start(0))?;
                    let header = wav::header(spec.sample_rate_hz, spec.channels, spec.format, data_bytes);
                    sink.write_all(&header)?;
                }
                Encoder::Flac(encoder) => encoder.finalize().map_err(flac_io)?,
            }
            // Only here is a full disk seen for what still waits in the buffer.
            sink.flush()?;
            file.commit()
        };
        complete().map_err(|error| FileError::from_io(&path, error))?;
        Ok(Written { frames, clipped_samples: quantiser.clipped })
    }
}

/// All samples of a block as they are, frame by frame.
fn interleave<C: AsRef<[f32]>>(channels: &[C], bytes: &mut Vec<u8>) {
    let (frames, width) = (channels[0].as_ref().len(), channels.len());
    bytes.resize(frames * width * size_of::<f32>(), 0);
    for (c, channel) in channels.iter().enumerate() {
        let frames = bytes.as_chunks_mut().0.chunks_exact_mut(width);
        for (frame, sample) in frames.zip(channel.as_ref()) {
            frame[c] = sample.to_le_bytes();
        }
    }
}

/// All samples of a block as integers, frame by frame.
fn quantise<C: AsRef<[f32]>>(quantiser: &mut Quantiser, channels: &[C], integers: &mut Vec<i32>) {
    let width = channels.len();
    integers.resize(channels[0].as_ref().len() * width, 0);
    for (i, frames) in integers.chunks_mut(BLOCK * width).enumerate() {
        for (c, channel) in channels.iter().enumerate() {
            let samples = &channel.as_ref()[i * BLOCK..][..frames.len() / width];
            let quantised = quantiser.quantise(samples);
            for (frame, integer) in frames.chunks_exact_mut(width).zip(quantised) {
                frame[c] = integer;
            }
        }
    }
}

/// The lowest `BYTES` bytes of each integer.
fn pack<const BYTES: usize>(integers: &[i32], bytes: &mut Vec<u8>) {
    bytes.resize(integers.len() * BYTES, 0);
    for (bytes, integer) in bytes.as_chunks_mut::<BYTES>().0.iter_mut().zip(integers) {
        bytes.copy_from_slice(&integer.to_le_bytes()[..BYTES]);
    }
}

fn flac_encoder(path: &Path, spec: AudioSpec, sink: Sink) -> Result<FlacSampleWriter<Sink>, FileError> {
    let refuse = |reason| FileError::NotForFlac { path: path.to_owned(), reason };
    Container::Flac.check(path, spec.format)?;
    let channels = u8::try_from(spec.channels).ok().filter(|channels| (1..=8).contains(channels));
    let channels = channels.ok_or_else(|| refuse("more than 8 channels"))?;
    let bits = 8 * u32::from(spec.format.bytes());
    FlacSampleWriter::new(sink, Options::default(), spec.sample_rate_hz, bits, channels, None)
        .map_err(|error| FileError::from_io(path, flac_io(error)))
}

fn flac_io(error: flac_codec::Error) -> io::Error {
    match error {
        flac_codec::Error::Io(error) => error,
        other => io::Error::other(other.to_string()),
    }
}

/// The buffered file, shared with the FLAC encoder: that one hides the errors of its last flush.
#[derive(Clone)]
struct Sink(Arc<Mutex<BufWriter<File>>>);

impl Sink {
    fn lock(&self) -> MutexGuard<'_, BufWriter<File>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.lock().flush()
    }
}

impl Seek for Sink {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.lock().seek(position)
    }
}
