use std::fmt;

/// Something in a file that is not as it should be: what, where, and what was lost by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Track, counted from 0; `None` for what is outside any track.
    pub track: Option<u32>,
    /// Byte offset in the file.
    pub offset: u64,
    /// What it is.
    pub kind: WarningKind,
}

/// What is wrong at a place of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the Display text of each says what it means")]
pub enum WarningKind {
    JunkBeforeHeader { bytes: u64 },
    MissingHeader,
    ShortHeader { bytes: u64 },
    UnknownFormat { format: u16 },
    UnusableDivision { division: u16 },
    UnknownSmpteRate { rate: u8 },
    SingleTrackFormat { tracks: u32 },
    TrackCount { claimed: u16, found: u32 },
    TooManyTracks { bytes: u64 },
    UnknownChunk { id: [u8; 4], bytes: u64 },
    Junk { bytes: u64 },
    ChunkLength { claimed: u32, found: u64 },
    FileTruncated { missing: u64 },
    IllegalStatus { status: u8, skipped: u64 },
    NoStatus { skipped: u64 },
    BrokenMessage { status: u8, skipped: u64 },
    NumberTooLong { skipped: u64 },
    WrongLength { claimed: u32, found: u64 },
    EndsInsideEvent { bytes: u64 },
    MissingEndOfTrack,
    MusicAfterEnd { bytes: u64 },
    JunkAfterEnd { bytes: u64 },
    RunningStatusAcrossMeta { status: u8 },
    UnterminatedSysEx { bytes: u64 },
    LongSysEx { bytes: u64 },
    UnusableMeta { kind: u8, bytes: u64 },
    TooManyPorts { port: u8 },
    TooMany { what: &'static str, kept: usize },
}

impl WarningKind {
    /// Whether some of the file's content is missing from what is played. The rest are oddities
    /// that were put right.
    pub fn loses_data(&self) -> bool {
        use WarningKind::*;
        !matches!(
            self,
            MissingHeader
                | UnknownFormat { .. }
                | SingleTrackFormat { .. }
                | ChunkLength { .. }
                | MissingEndOfTrack
                | MusicAfterEnd { .. }
                | RunningStatusAcrossMeta { .. }
                | UnterminatedSysEx { .. }
                | TooManyPorts { .. }
        ) && !matches!(self, TrackCount { claimed, found } if *found >= u32::from(*claimed))
    }
}

impl fmt::Display for WarningKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use WarningKind::*;
        match *self {
            JunkBeforeHeader { bytes } => write!(f, "{bytes} bytes before the MIDI header were skipped"),
            MissingHeader => write!(f, "there is no MIDI header; 480 ticks per quarter note were assumed"),
            ShortHeader { bytes } => {
                write!(f, "the MIDI header has only {bytes} of 6 bytes; what is missing was assumed")
            }
            UnknownFormat { format } => {
                write!(f, "unknown file format {format}; its tracks are played together")
            }
            UnusableDivision { division } => {
                write!(
                    f,
                    "time division {division:#06x} is not usable; 480 ticks per quarter note were assumed"
                )
            }
            UnknownSmpteRate { rate } => {
                write!(f, "unknown SMPTE rate of {rate} frames per second; 30 were assumed")
            }
            SingleTrackFormat { tracks } => {
                write!(f, "a file of format 0 has one track, this one has {tracks}; they are played together")
            }
            TrackCount { claimed, found } => {
                write!(f, "the header claims {claimed} tracks, the file has {found}")
            }
            TooManyTracks { bytes } => {
                write!(f, "more than 65535 tracks; the last {bytes} bytes of the file were not read")
            }
            UnknownChunk { id, bytes } => {
                write!(
                    f,
                    "a chunk that is not a MIDI track (\"{}\", {bytes} bytes) was skipped",
                    id.escape_ascii()
                )
            }
            Junk { bytes } => write!(f, "{bytes} bytes between tracks were skipped"),
            ChunkLength { claimed, found } => {
                write!(f, "the track claims to be {claimed} bytes long and is {found}; all of it was read")
            }
            FileTruncated { missing } => {
                write!(f, "the file is cut off: {missing} bytes of this track are missing")
            }
            IllegalStatus { status, skipped } => {
                write!(f, "a {status:#04X} message is not allowed in a file; {skipped} bytes were skipped")
            }
            NoStatus { skipped } => write!(f, "{skipped} bytes make no sense and were skipped"),
            BrokenMessage { status, skipped } => {
                let name = message_name(status);
                write!(f, "a damaged {name} was lost; {skipped} bytes were skipped")
            }
            NumberTooLong { skipped } => {
                write!(f, "a time or length of more than 28 bits was lost; {skipped} bytes were skipped")
            }
            WrongLength { claimed, found } => {
                write!(f, "an event claims {claimed} bytes of data and has {found}; what follows was read")
            }
            EndsInsideEvent { bytes } => {
                write!(f, "the track ends inside an event; its last {bytes} bytes were lost")
            }
            MissingEndOfTrack => write!(f, "the track has no end-of-track event; all of it was read"),
            MusicAfterEnd { bytes } => {
                write!(f, "the track goes on for {bytes} bytes after its end-of-track event; they were read")
            }
            JunkAfterEnd { bytes } => write!(f, "{bytes} bytes after the end-of-track event were skipped"),
            RunningStatusAcrossMeta { status } => {
                let name = message_name(status);
                write!(f, "running status goes on after a meta or SysEx event; read as {name}")
            }
            UnterminatedSysEx { bytes } => {
                write!(f, "a SysEx message of {bytes} bytes has no end; F7 was added")
            }
            LongSysEx { bytes } => {
                write!(f, "a SysEx message of {bytes} bytes is too long to be played and was left out")
            }
            UnusableMeta { kind, bytes } => {
                write!(
                    f,
                    "a meta event {kind:#04X} with {bytes} bytes of data has no usable value and was ignored"
                )
            }
            TooManyPorts { port } => {
                write!(f, "MIDI port {port} is one too many; it shares the channels of another port")
            }
            TooMany { what, kept } => write!(f, "more than {kept} {what}; the rest was left out"),
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(track) = self.track {
            write!(f, "track {}, ", track + 1)?;
        }
        write!(f, "byte {}: {}", self.offset, self.kind)
    }
}

fn message_name(status: u8) -> &'static str {
    match status >> 4 {
        0x8 => "note-off",
        0x9 => "note-on",
        0xa => "key pressure",
        0xb => "control change",
        0xc => "program change",
        0xd => "channel pressure",
        _ => "pitch bend",
    }
}

/// The warnings of one file: the first of them, and how many there were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Warnings {
    list: Vec<Warning>,
    total: u64,
}

impl Warnings {
    /// Warnings that are kept in full; the rest is counted.
    pub const KEPT: usize = 256;

    /// The first [`Warnings::KEPT`] warnings, in the order they were met.
    pub fn as_slice(&self) -> &[Warning] {
        &self.list
    }

    /// All that there were.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Whether nothing was wrong.
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// Whether anything of the file is missing from what is played, as far as the kept warnings say.
    pub fn lose_data(&self) -> bool {
        self.list.iter().any(|w| w.kind.loses_data())
    }

    pub(crate) fn add(&mut self, track: Option<u32>, offset: u64, kind: WarningKind) {
        self.total += 1;
        if self.list.len() < Self::KEPT {
            self.list.push(Warning { track, offset, kind });
        }
    }
}

impl<'a> IntoIterator for &'a Warnings {
    type Item = &'a Warning;
    type IntoIter = std::slice::Iter<'a, Warning>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}
