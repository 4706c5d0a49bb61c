//! The chunks of a file, and the events of its tracks one after another: the one way in which files
//! are read from their beginning, whatever is then done with the events.

use std::io;

use kmidi_core::{Division, SmpteRate};

use crate::error::SongError;
use crate::event_bytes::{self, LOOK_AHEAD};
use crate::index::Format;
use crate::reader::{Body, Payload, RawEvent, ReadState, TrackReader};
use crate::source::{ByteSource, Window};
use crate::warning::{WarningKind, Warnings};

/// Bytes held of the track being read.
const WINDOW: usize = 1 << 16;
/// How far into a file a header is looked for.
const HEADER_SEARCH: u64 = 1 << 16;
/// What the header's 16 bits can count.
pub(crate) const MAX_TRACKS: u32 = 65_535;
/// Division where the file does not have a usable one.
const ASSUMED_DIVISION: Division = Division::Ppq(480);

/// What comes next in a file.
pub(crate) enum Item {
    TrackStart,
    Event(RawEvent),
    TrackEnd(TrackExtent),
    FileEnd,
}

/// Where a track is: `TrackReader::new(start, limit)` reads it, up to `stop`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TrackExtent {
    pub start: u64,
    pub limit: u64,
    pub stop: u64,
}

/// The track being read.
struct Current {
    reader: TrackReader,
    start: u64,
    /// How far reading may go at most.
    limit: u64,
    /// Length that the chunk claims.
    claimed: u32,
    /// Where the data goes to in the file if the claim is right.
    claimed_end: u64,
    /// The claim fits what stands after it.
    trusted: bool,
    ended: bool,
    /// End of the last end-of-track event, 0 if there was none.
    after_end: u64,
    complained_of_end: bool,
}

pub(crate) struct FileReader<'a> {
    source: &'a dyn ByteSource,
    window: Window,
    /// End of the MIDI data: of the file, or of the data chunk of an RMI wrapper.
    end: u64,
    position: u64,
    pub format: Format,
    pub division: Division,
    claimed_tracks: Option<u16>,
    /// Tracks begun.
    pub tracks: u32,
    current: Option<Current>,
    pub warnings: Warnings,
}

impl<'a> FileReader<'a> {
    /// Reads the header, or finds out what to do without it.
    pub fn open(source: &'a dyn ByteSource) -> Result<Self, SongError> {
        let mut file = FileReader {
            source,
            window: Window::new(4096),
            end: source.len(),
            position: 0,
            format: Format::Parallel,
            division: ASSUMED_DIVISION,
            claimed_tracks: None,
            tracks: 0,
            current: None,
            warnings: Warnings::default(),
        };
        if file.end == 0 {
            return Err(SongError::Empty);
        }
        file.unwrap_riff()?;
        let start = file.position;
        if let Some(at) = file.find(b"MThd", start, start + HEADER_SEARCH)? {
            if at > start {
                file.warn(start, WarningKind::JunkBeforeHeader { bytes: at - start });
            }
            file.position = at;
            file.header()?;
        } else if let Some(at) = file.find(b"MTrk", start, start + HEADER_SEARCH)? {
            file.warn(start, WarningKind::MissingHeader);
            file.position = at;
        } else {
            return Err(SongError::NotMidi);
        }
        Ok(file)
    }

    fn bytes(&mut self, at: u64, want: usize) -> io::Result<&[u8]> {
        self.window.bytes(self.source, at, want, self.end)
    }

    fn warn(&mut self, offset: u64, kind: WarningKind) {
        let track = self.current.is_some().then(|| self.tracks - 1);
        self.warnings.add(track, offset, kind);
    }

    /// The first place of a tag in `from..to`.
    fn find(&mut self, tag: &[u8; 4], from: u64, to: u64) -> io::Result<Option<u64>> {
        let to = to.min(self.end.saturating_sub(3));
        let mut at = from;
        while at < to {
            let bytes = self.bytes(at, 4)?;
            if bytes.len() < 4 {
                return Ok(None);
            }
            if let Some(found) = bytes.windows(4).position(|w| w == tag) {
                let found = at + found as u64;
                return Ok((found < to).then_some(found));
            }
            at += bytes.len() as u64 - 3;
        }
        Ok(None)
    }

    /// An RMI file is a RIFF wrapper with the MIDI file in its `data` chunk.
    fn unwrap_riff(&mut self) -> io::Result<()> {
        let start = self.bytes(0, 12)?;
        if !start.starts_with(b"RIFF") || start.get(8..12) != Some(b"RMID") {
            return Ok(());
        }
        let mut at = 12;
        while let Some((id, len)) = self.chunk_head(at, u32::from_le_bytes)? {
            if &id == b"data" {
                self.position = at + 8;
                self.end = self.end.min(at + 8 + u64::from(len));
                break;
            }
            at += 8 + u64::from(len) + u64::from(len % 2);
        }
        Ok(())
    }

    fn chunk_head(&mut self, at: u64, order: fn([u8; 4]) -> u32) -> io::Result<Option<([u8; 4], u32)>> {
        if at >= self.end {
            return Ok(None);
        }
        let bytes = self.bytes(at, 8)?;
        let Some((id, rest)) = bytes.split_first_chunk::<4>() else { return Ok(None) };
        Ok(rest.first_chunk().map(|&len| (*id, order(len))))
    }

    fn header(&mut self) -> io::Result<()> {
        let at = self.position;
        let claimed = self.chunk_head(at, u32::from_be_bytes)?.map_or(0, |(_, len)| len);
        let bytes = self.bytes((at + 8).min(self.end), 6)?;
        let mut data = [0u8; 6];
        // A header of another length is allowed to be longer; a shorter one lacks what it lacks.
        let have = bytes.len().min(6).min(claimed as usize);
        data[..have].copy_from_slice(&bytes[..have]);
        let word = |i: usize| u16::from_be_bytes([data[i], data[i + 1]]);
        if have < 6 {
            self.warn(at, WarningKind::ShortHeader { bytes: have as u64 });
        }
        if have >= 2 {
            self.format = match word(0) {
                0 => Format::Single,
                1 => Format::Parallel,
                2 => Format::Sequential,
                format => {
                    self.warn(at + 8, WarningKind::UnknownFormat { format });
                    Format::Parallel
                }
            };
        }
        self.claimed_tracks = (have >= 4).then(|| word(2));
        if have == 6 {
            self.division = self.read_division(at + 12, word(4));
        }
        self.position = at + 8 + u64::from(claimed);
        if self.position > self.end || claimed > 64 && !self.chunk_like(self.position)? {
            self.position = at + 8 + have as u64;
        }
        Ok(())
    }

    fn read_division(&mut self, offset: u64, division: u16) -> Division {
        let [high, low] = division.to_be_bytes();
        if division == 0 || high >= 0x80 && low == 0 {
            self.warn(offset, WarningKind::UnusableDivision { division });
            return ASSUMED_DIVISION;
        }
        if high < 0x80 {
            return Division::Ppq(division);
        }
        let rate = match high.wrapping_neg() {
            24 => SmpteRate::Fps24,
            25 => SmpteRate::Fps25,
            29 => SmpteRate::Fps29,
            30 => SmpteRate::Fps30,
            rate => {
                self.warn(offset, WarningKind::UnknownSmpteRate { rate });
                SmpteRate::Fps30
            }
        };
        Division::Smpte { rate, subframes: low }
    }

    /// The end of the file is here, or something that looks like a chunk.
    fn chunk_like(&mut self, at: u64) -> io::Result<bool> {
        if at == self.end {
            return Ok(true);
        }
        Ok(self
            .chunk_head(at, u32::from_be_bytes)?
            .is_some_and(|(id, _)| id.iter().all(|b| b.is_ascii_graphic() || *b == b' ')))
    }

    /// The next track, event, or end.
    pub fn next(&mut self) -> io::Result<Item> {
        let Some(current) = &mut self.current else {
            return Ok(if self.next_track()? { Item::TrackStart } else { Item::FileEnd });
        };
        if !current.ended {
            if let Some(event) = current.reader.next_clean() {
                return Ok(Item::Event(event));
            }
            let (track, warnings) = (Some(self.tracks - 1), &mut self.warnings);
            let mut warn = |offset, kind| warnings.add(track, offset, kind);
            if let Some(event) = current.reader.next(self.source, &mut warn)? {
                if let Body::Meta { kind: 0x2f, .. } = event.body {
                    current.after_end = current.reader.state.position;
                    self.look_past_the_end()?;
                }
                return Ok(Item::Event(event));
            }
        }
        self.end_track()
    }

    /// Finds the next track chunk and begins it; `false` at the end of the file.
    fn next_track(&mut self) -> io::Result<bool> {
        loop {
            let at = self.position;
            let Some((id, claimed)) = self.chunk_head(at, u32::from_be_bytes)? else {
                if at < self.end {
                    self.warn(at, WarningKind::Junk { bytes: self.end - at });
                }
                return Ok(false);
            };
            if &id == b"MTrk" {
                if self.tracks == MAX_TRACKS {
                    self.warn(at, WarningKind::TooManyTracks { bytes: self.end - at });
                    return Ok(false);
                }
                self.begin_track(at + 8, claimed)?;
                return Ok(true);
            }
            let chunk_end = at + 8 + u64::from(claimed);
            let named = id.iter().all(|b| b.is_ascii_graphic() || *b == b' ');
            if named && chunk_end <= self.end && self.chunk_like(chunk_end)? {
                self.warn(at, WarningKind::UnknownChunk { id, bytes: 8 + u64::from(claimed) });
                self.position = chunk_end;
                continue;
            }
            let next = self.find(b"MTrk", at + 1, self.end)?.unwrap_or(self.end);
            self.warn(at, WarningKind::Junk { bytes: next - at });
            self.position = next;
        }
    }

    /// Decides how far the track that starts here may go.
    fn begin_track(&mut self, start: u64, claimed: u32) -> io::Result<()> {
        let claimed_end = start + u64::from(claimed);
        let trusted = claimed_end <= self.end
            && (self.chunk_like(claimed_end)? || self.ends_properly(start, claimed_end)?);
        // A claim that does not fit the file is not believed: the track goes to the next one.
        let limit = match trusted {
            true => claimed_end,
            false => self.find(b"MTrk", start, self.end)?.unwrap_or(self.end),
        };
        self.current = Some(Current {
            reader: TrackReader::new(start, limit, WINDOW),
            start,
            limit,
            claimed,
            claimed_end,
            trusted,
            ended: false,
            after_end: 0,
            complained_of_end: false,
        });
        self.tracks += 1;
        Ok(())
    }

    fn ends_properly(&mut self, start: u64, end: u64) -> io::Result<bool> {
        Ok(end >= start + 3 && self.bytes(end - 3, 3)?.starts_with(&[0xff, 0x2f, 0x00]))
    }

    /// After an end-of-track event: finds out whether more events of this track follow.
    fn look_past_the_end(&mut self) -> io::Result<()> {
        let Some(current) = &mut self.current else { return Ok(()) };
        let (at, limit) = (current.reader.state.position, current.reader.limit);
        if at >= limit {
            current.ended = true;
            return Ok(());
        }
        let bytes = self.window.bytes(self.source, at, LOOK_AHEAD, limit)?;
        let seen = &bytes[..bytes.len().min(LOOK_AHEAD)];
        let more =
            !seen.starts_with(b"MTrk") && event_bytes::plausible(seen, at + seen.len() as u64 == limit);
        current.ended = !more;
        if more && !current.complained_of_end {
            current.complained_of_end = true;
            self.warn(at, WarningKind::MusicAfterEnd { bytes: limit - at });
        }
        Ok(())
    }

    fn end_track(&mut self) -> io::Result<Item> {
        let Some(current) = &self.current else { return Ok(Item::FileEnd) };
        let stop = current.reader.state.position;
        let (start, claimed, claimed_end) = (current.start, current.claimed, current.claimed_end);
        let (limit, trusted, ended) = (current.limit, current.trusted, current.ended);
        let (has_end, found_chunk) = (current.after_end == stop && stop > 0, current.reader.found_chunk);
        let at_next_track = stop < self.end && self.bytes(stop, 4)?.starts_with(b"MTrk");
        if !has_end {
            if !found_chunk && claimed_end > self.end && limit == self.end {
                self.warn(stop, WarningKind::FileTruncated { missing: claimed_end - self.end });
            } else {
                self.warn(stop, WarningKind::MissingEndOfTrack);
            }
        }
        if trusted && !found_chunk && !(ended && at_next_track) {
            if stop < claimed_end {
                self.warn(stop, WarningKind::JunkAfterEnd { bytes: claimed_end - stop });
            }
            self.position = claimed_end;
        } else {
            let known_wrong = has_end || claimed_end <= self.end;
            if known_wrong && u64::from(claimed) != stop - start {
                self.warn(start - 4, WarningKind::ChunkLength { claimed, found: stop - start });
            }
            self.position = stop;
        }
        self.current = None;
        Ok(Item::TrackEnd(TrackExtent { start, limit, stop }))
    }

    /// Appends the data of an event to `out`, `max` bytes of it at most.
    pub fn payload(&mut self, payload: Payload, max: usize, out: &mut Vec<u8>) -> io::Result<()> {
        match &mut self.current {
            Some(current) => current.reader.payload(self.source, payload, max, out),
            None => Ok(()),
        }
    }

    /// Where reading stands in the track.
    pub fn read_state(&self) -> Option<ReadState> {
        self.current.as_ref().map(|current| current.reader.state)
    }

    /// The status byte of the next event of the track.
    pub fn peek_status(&mut self) -> io::Result<Option<u8>> {
        match &mut self.current {
            Some(current) => current.reader.peek_status(self.source),
            None => Ok(None),
        }
    }

    /// Adds the warnings that only the whole file can give; to be called at its end.
    pub fn check_track_count(&mut self) {
        if let Some(claimed) = self.claimed_tracks
            && u32::from(claimed) != self.tracks
        {
            self.warn(10, WarningKind::TrackCount { claimed, found: self.tracks });
        }
        if self.format == Format::Single && self.tracks > 1 {
            self.warn(8, WarningKind::SingleTrackFormat { tracks: self.tracks });
            self.format = Format::Parallel;
        }
    }

    /// A warning about the event that was just read.
    pub fn warn_at(&mut self, offset: u64, kind: WarningKind) {
        self.warn(offset, kind);
    }
}
