//! A file written event by event: the same bytes as [`Song::to_smf`](crate::Song::to_smf) gives.

use std::io::{self, Seek, SeekFrom, Write};

use kmidi_core::{Division, SmpteRate};

use super::GrooveError;
use crate::chunks::MAX_TRACKS;
use crate::error::WriteError;
use crate::event_bytes::data_len;
use crate::index::Format;
use crate::reader::{Body, Payload};
use crate::source::{ByteSource, read_full};

/// Bytes that are written at once.
const BUFFER: usize = 1 << 16;
const MAX_28_BITS: i64 = (1 << 28) - 1;

pub(crate) struct FileWriter<W> {
    out: W,
    buffer: Vec<u8>,
    /// Bytes of the track so far.
    track_bytes: u64,
    tick: i64,
    running: Option<u8>,
}

impl<W: Write + Seek> FileWriter<W> {
    pub fn begin(out: W, format: Format, division: Division, tracks: usize) -> Result<Self, GrooveError> {
        let count = u16::try_from(tracks).ok().filter(|&count| u32::from(count) <= MAX_TRACKS);
        let count = count.ok_or(WriteError::Tracks(tracks))?;
        let format = match format {
            Format::Single if tracks == 1 => Format::Single,
            Format::Single | Format::Parallel => Format::Parallel,
            Format::Sequential => Format::Sequential,
        };
        let mut buffer = Vec::with_capacity(BUFFER);
        buffer.extend(b"MThd\0\0\0\x06");
        buffer.extend([0, format.number()]);
        buffer.extend(count.to_be_bytes());
        buffer.extend(division_bytes(division));
        Ok(FileWriter { out, buffer, track_bytes: 0, tick: 0, running: None })
    }

    pub fn begin_track(&mut self) -> io::Result<()> {
        self.buffer.extend(b"MTrk\0\0\0\0");
        self.flush()?;
        (self.track_bytes, self.tick, self.running) = (0, 0, None);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.buffer.len() + bytes.len() > BUFFER {
            self.flush()?;
        }
        self.track_bytes += bytes.len() as u64;
        self.buffer.extend(bytes);
        Ok(())
    }

    fn number(&mut self, value: u32) -> io::Result<()> {
        let mut bytes = [0; 4];
        let mut at = bytes.len();
        let mut rest = value;
        loop {
            at -= 1;
            bytes[at] = (rest & 0x7f) as u8 | if at == 3 { 0 } else { 0x80 };
            rest >>= 7;
            if rest == 0 || at == 0 {
                break;
            }
        }
        self.put(&bytes[at..])
    }

    /// Goes on to a tick. A pause longer than the format has is bridged by empty texts.
    fn go_to(&mut self, tick: i64) -> io::Result<()> {
        let mut delta = tick.saturating_sub(self.tick).max(0);
        self.tick = self.tick.max(tick);
        while delta > MAX_28_BITS {
            self.number(MAX_28_BITS as u32)?;
            self.put(&[0xff, 0x01, 0x00])?;
            self.running = None;
            delta -= MAX_28_BITS;
        }
        self.number(delta as u32)
    }

    pub fn channel(&mut self, tick: i64, message: [u8; 3]) -> Result<(), GrooveError> {
        self.go_to(tick)?;
        let from = usize::from(self.running == Some(message[0]));
        self.running = Some(message[0]);
        Ok(self.put(&message[from..=data_len(message[0])])?)
    }

    /// An event that is no channel message, with its data from where it was read.
    pub fn body(&mut self, tick: i64, body: Body, source: &dyn ByteSource) -> Result<(), GrooveError> {
        let payload = match body {
            Body::Channel(message) => return self.channel(tick, message),
            Body::SysEx(payload) | Body::Escape(payload) | Body::Meta { payload, .. } => payload,
        };
        if i64::from(payload.len) > MAX_28_BITS {
            return Err(WriteError::EventBytes(payload.len as usize).into());
        }
        self.go_to(tick)?;
        self.running = None;
        match body {
            Body::SysEx(_) => self.put(&[0xf0])?,
            Body::Meta { kind, .. } => self.put(&[0xff, kind])?,
            _ => self.put(&[0xf7])?,
        }
        self.number(payload.len)?;
        Ok(self.copy(payload, source)?)
    }

    fn copy(&mut self, payload: Payload, source: &dyn ByteSource) -> io::Result<()> {
        let mut piece = [0; 4096];
        let mut done = 0;
        while done < payload.len {
            let count = (payload.len - done).min(piece.len() as u32);
            let piece = &mut piece[..count as usize];
            if read_full(source, payload.at + u64::from(done), piece)? < piece.len() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.put(piece)?;
            done += count;
        }
        Ok(())
    }

    pub fn end_track(&mut self, tick: i64) -> Result<(), GrooveError> {
        self.go_to(tick)?;
        self.put(&[0xff, 0x2f, 0x00])?;
        let length = u32::try_from(self.track_bytes).map_err(|_| WriteError::TrackBytes)?;
        self.flush()?;
        let back = i64::from(length) + 4;
        self.out.seek(SeekFrom::Current(-back))?;
        self.out.write_all(&length.to_be_bytes())?;
        self.out.seek(SeekFrom::Current(i64::from(length)))?;
        Ok(())
    }

    pub fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        self.out.flush()
    }
}

fn division_bytes(division: Division) -> [u8; 2] {
    match division {
        Division::Ppq(ticks) => ticks.clamp(1, 0x7fff).to_be_bytes(),
        Division::Smpte { rate, subframes } => {
            let rate: u8 = match rate {
                SmpteRate::Fps24 => 24,
                SmpteRate::Fps25 => 25,
                SmpteRate::Fps29 => 29,
                SmpteRate::Fps30 => 30,
            };
            [rate.wrapping_neg(), subframes.max(1)]
        }
    }
}
