use std::collections::BTreeMap;
use std::sync::Arc;

use kmidi_core::limits::{MAX_MIDI_PORTS, MAX_SYSEX_BYTES};
use kmidi_core::{Division, Meter, MeterMap, TempoMap, Ticks};

use crate::chunks::{FileReader, Item, TrackExtent};
use crate::error::SongError;
use crate::meta::{self, TextKind};
use crate::reader::{Body, Payload, RawEvent, ReadState};
use crate::source::ByteSource;
use crate::sysex::SystemMode;
use crate::usage::{MAX_CHANGES, ProgramUse, Usage};
use crate::warning::{WarningKind, Warnings};

/// How the tracks of a file belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Format 0: one track.
    Single,
    /// Format 1: tracks played together.
    Parallel,
    /// Format 2: independent songs, played one after another.
    Sequential,
}

impl Format {
    /// The number that the file has for it.
    pub fn number(self) -> u8 {
        match self {
            Format::Single => 0,
            Format::Parallel => 1,
            Format::Sequential => 2,
        }
    }
}

/// What there is to know of one track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackSummary {
    /// Its name; empty if it has none.
    pub name: Box<str>,
    /// Events, meta events and end-of-track included.
    pub events: u64,
    /// Note-ons.
    pub notes: u64,
    /// Channels it sends on, a bit each (of all its ports together).
    pub channels: u16,
    /// Tick of its beginning: not 0 only in the later tracks of a format 2 file.
    pub start: Ticks,
    /// Tick of its end.
    pub end: Ticks,
    pub(crate) extent: TrackExtent,
    pub(crate) checkpoints: Box<[Checkpoint]>,
}

/// A place from which a track can be read without reading what is before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    pub tick: i64,
    pub state: ReadState,
    pub port: u8,
}

/// A key signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySignature {
    /// From when on.
    pub tick: Ticks,
    /// Sharps, or flats if negative: -7..=7.
    pub sharps: i8,
    /// Minor, not major.
    pub minor: bool,
}

/// A text and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextEvent {
    /// When.
    pub tick: Ticks,
    /// In which track, counted from 0.
    pub track: u32,
    /// What for.
    pub kind: TextKind,
    /// The text.
    pub text: Box<str>,
}

/// Everything about a song but its events: those are read again from the source by an
/// [`EventStream`](crate::EventStream). Its memory is bounded whatever the file's size.
#[derive(Clone, Debug)]
pub struct SongIndex {
    /// How the tracks belong together.
    pub format: Format,
    /// What a tick is.
    pub division: Division,
    /// The tracks in file order.
    pub tracks: Vec<TrackSummary>,
    /// When each tick happens.
    pub tempo_map: Arc<TempoMap>,
    /// Where bars are.
    pub meter_map: Arc<MeterMap>,
    /// Tick of the end of the song: of its last end-of-track.
    pub end: Ticks,
    /// Events of all tracks.
    pub events: u64,
    /// Note-ons of all tracks.
    pub notes: u64,
    /// Programs that notes are played with.
    pub programs: Vec<ProgramUse>,
    /// GM, GS and XG messages, and how many of each.
    pub modes: BTreeMap<SystemMode, u64>,
    /// Key signatures in playing order.
    pub keys: Vec<KeySignature>,
    /// Texts in playing order, all but the track names.
    pub texts: Vec<TextEvent>,
    /// Numbers of the MIDI ports (`FF 21`) in the order they are met; the place in this list,
    /// modulo [`MAX_MIDI_PORTS`], is the port that events are given with. Never empty.
    pub ports: Vec<u8>,
    /// What is wrong with the file.
    pub warnings: Warnings,
}

/// Tempo changes that are kept: one each tick for minutes on end.
const MAX_TEMPO_CHANGES: usize = 1 << 20;
const MAX_METER_CHANGES: usize = 1 << 16;
const MAX_KEYS: usize = 1 << 12;
const MAX_TEXTS: usize = 1 << 14;
/// Bytes of one text that are kept.
const MAX_TEXT_BYTES: usize = 1 << 10;
/// Bytes of all texts, and of all track names.
const MAX_ALL_TEXT_BYTES: usize = 1 << 19;
/// Places to start reading from, of all tracks together.
const MAX_CHECKPOINTS: u64 = 1 << 15;
/// Bytes between two of them at least.
const MIN_CHECKPOINT_BYTES: u64 = 1 << 10;
/// Bytes between two reports of progress.
const PROGRESS_BYTES: u64 = 1 << 20;

impl SongIndex {
    /// Reads a whole file once. `progress` is called now and then with the bytes read so far.
    /// `[side B]`
    ///
    /// # Errors
    /// [`SongError`] if it is no MIDI file, or cannot be read. Damage is no error: see
    /// [`SongIndex::warnings`].
    pub fn scan(source: &dyn ByteSource, progress: &mut dyn FnMut(u64)) -> Result<SongIndex, SongError> {
        let mut file = FileReader::open(source)?;
        let mut scan = Scan::new(&file, source.len());
        let mut next_report = PROGRESS_BYTES;
        loop {
            match file.next()? {
                Item::TrackStart => scan.begin_track(&file),
                Item::Event(event) => {
                    scan.event(&mut file, &event)?;
                    if event.offset >= next_report {
                        next_report = event.offset + PROGRESS_BYTES;
                        progress(event.offset);
                    }
                }
                Item::TrackEnd(extent) => scan.end_track(extent),
                Item::FileEnd => break,
            }
        }
        file.check_track_count();
        progress(source.len());
        if scan.tracks.is_empty() {
            return Err(SongError::NoTracks);
        }
        Ok(scan.finish(file))
    }

    /// The duration to the end of the last track, exactly, as a fraction of seconds.
    pub fn duration_fraction(&self) -> (i128, i128) {
        self.tempo_map.seconds_fraction(self.end)
    }

    /// The duration to the end of the last track in seconds, for display.
    pub fn duration_seconds(&self) -> f64 {
        self.tempo_map.seconds(self.end)
    }

    /// Name of the song: of the first track that has one.
    pub fn title(&self) -> Option<&str> {
        self.tracks.iter().map(|track| &*track.name).find(|name| !name.is_empty())
    }

    /// The first copyright notice.
    pub fn copyright(&self) -> Option<&str> {
        self.texts.iter().find(|text| text.kind == TextKind::Copyright).map(|text| &*text.text)
    }

    /// The port (below [`MAX_MIDI_PORTS`]) that stands for a port number of the file.
    pub(crate) fn dense_port(&self, number: u8) -> u8 {
        dense_port(&self.ports, number)
    }
}

fn dense_port(ports: &[u8], number: u8) -> u8 {
    let at = ports.iter().position(|&port| port == number).unwrap_or(0);
    (at % MAX_MIDI_PORTS) as u8
}

/// A SongIndex in the making.
struct Scan {
    sequential: bool,
    checkpoint_spacing: u64,
    tracks: Vec<TrackSummary>,
    tempo_changes: Vec<(Ticks, u32)>,
    meter_changes: Vec<(Ticks, Meter)>,
    keys: Vec<KeySignature>,
    texts: Vec<TextEvent>,
    text_bytes: usize,
    ports: Vec<u8>,
    usage: Usage,
    end: i64,
    // Of the track being read:
    track: u32,
    base: i64,
    tick: i64,
    port: u8,
    /// What stands for `port`, once something was sent to it.
    dense_port: Option<u8>,
    name: Box<str>,
    events: u64,
    notes: u64,
    channels: u16,
    checkpoints: Vec<Checkpoint>,
    next_checkpoint: u64,
    /// Start of a SysEx message of which more packets follow.
    partial: Vec<u8>,
    data: Vec<u8>,
}

impl Scan {
    fn new(file: &FileReader<'_>, bytes: u64) -> Self {
        Scan {
            sequential: file.format == Format::Sequential,
            checkpoint_spacing: (bytes / MAX_CHECKPOINTS).max(MIN_CHECKPOINT_BYTES),
            tracks: vec![],
            tempo_changes: vec![],
            meter_changes: vec![],
            keys: vec![],
            texts: vec![],
            text_bytes: 0,
            ports: vec![],
            usage: Usage::new(),
            end: 0,
            track: 0,
            base: 0,
            tick: 0,
            port: 0,
            dense_port: None,
            name: "".into(),
            events: 0,
            notes: 0,
            channels: 0,
            checkpoints: vec![],
            next_checkpoint: 0,
            partial: vec![],
            data: vec![],
        }
    }

    fn begin_track(&mut self, file: &FileReader<'_>) {
        self.track = file.tracks - 1;
        self.base = if self.sequential { self.end } else { 0 };
        self.tick = self.base;
        (self.port, self.dense_port) = (0, None);
        (self.events, self.notes, self.channels) = (0, 0, 0);
        self.partial.clear();
        if self.sequential && self.track > 0 {
            // Each song of a format 2 file starts from the defaults.
            self.tempo_changes.push((Ticks(self.base), kmidi_core::Tempo::default().micros_per_quarter));
            self.meter_changes.push((Ticks(self.base), Meter::default()));
        }
    }

    fn end_track(&mut self, extent: TrackExtent) {
        self.end = self.end.max(self.tick);
        self.tracks.push(TrackSummary {
            name: std::mem::take(&mut self.name),
            events: self.events,
            notes: self.notes,
            channels: self.channels,
            start: Ticks(self.base),
            end: Ticks(self.tick),
            extent,
            checkpoints: std::mem::take(&mut self.checkpoints).into_boxed_slice(),
        });
    }

    fn event(&mut self, file: &mut FileReader<'_>, event: &RawEvent) -> Result<(), SongError> {
        // 2^62 ticks are out of reach for real files; a cap keeps sums of them from overflowing.
        self.tick = self.tick.saturating_add_unsigned(event.delta).min(1 << 62);
        self.events += 1;
        match event.body {
            Body::Channel(message) => {
                self.channels |= 1 << (message[0] & 0x0f);
                self.notes += u64::from(message[0] & 0xf0 == 0x90 && message[2] > 0);
                let port = self.port(file, event.offset);
                self.usage.channel_message(self.tick, self.track, port, message);
            }
            Body::SysEx(payload) => {
                self.partial.clear();
                self.sysex(file, event.offset, payload, true)?;
            }
            Body::Escape(payload) if !self.partial.is_empty() => {
                self.sysex(file, event.offset, payload, false)?;
            }
            Body::Escape(_) => {}
            Body::Meta { kind, payload } => self.meta(file, event.offset, kind, payload)?,
        }
        if event.offset >= self.next_checkpoint && self.partial.is_empty() {
            self.next_checkpoint = event.offset + self.checkpoint_spacing;
            let checkpoint = |state| Checkpoint { tick: self.tick, state, port: self.port };
            self.checkpoints.extend(file.read_state().map(checkpoint));
        }
        Ok(())
    }

    /// The dense port of the current port number.
    fn port(&mut self, file: &mut FileReader<'_>, offset: u64) -> u8 {
        if let Some(port) = self.dense_port {
            return port;
        }
        if !self.ports.contains(&self.port) {
            self.ports.push(self.port);
            if self.ports.len() > MAX_MIDI_PORTS {
                file.warn_at(offset, WarningKind::TooManyPorts { port: self.port });
            }
        }
        *self.dense_port.insert(dense_port(&self.ports, self.port))
    }

    fn sysex(
        &mut self,
        file: &mut FileReader<'_>,
        offset: u64,
        payload: Payload,
        first: bool,
    ) -> Result<(), SongError> {
        if first {
            self.partial.push(0xf0);
        }
        let room = (MAX_SYSEX_BYTES + 1).saturating_sub(self.partial.len());
        file.payload(payload, room, &mut self.partial)?;
        let mut complete = self.partial.last() == Some(&0xf7) && self.partial.len() > 1;
        if !complete && payload.len as usize <= room && file.peek_status()? != Some(0xf7) {
            file.warn_at(offset, WarningKind::UnterminatedSysEx { bytes: self.partial.len() as u64 });
            self.partial.push(0xf7);
            complete = true;
        }
        let port = self.port(file, offset);
        if self.partial.len() > MAX_SYSEX_BYTES {
            file.warn_at(offset, WarningKind::LongSysEx { bytes: u64::from(payload.len) + 1 });
            self.partial.clear();
        } else if complete {
            self.usage.sysex(self.tick, self.track, port, &self.partial);
            self.partial.clear();
        }
        Ok(())
    }

    fn meta(
        &mut self,
        file: &mut FileReader<'_>,
        offset: u64,
        kind: u8,
        payload: Payload,
    ) -> Result<(), SongError> {
        self.data.clear();
        file.payload(payload, MAX_TEXT_BYTES, &mut self.data)?;
        let tick = Ticks(self.tick);
        let usable = match kind {
            0x21 => {
                self.port = self.data.first().copied().unwrap_or(self.port);
                self.dense_port = None;
                !self.data.is_empty()
            }
            0x51 => meta::tempo(&self.data)
                .map(|micros| {
                    keep(
                        file,
                        offset,
                        &mut self.tempo_changes,
                        MAX_TEMPO_CHANGES,
                        "tempo changes",
                        (tick, micros),
                    )
                })
                .is_some(),
            0x58 => meta::meter(&self.data)
                .map(|meter| {
                    keep(
                        file,
                        offset,
                        &mut self.meter_changes,
                        MAX_METER_CHANGES,
                        "meter changes",
                        (tick, meter),
                    )
                })
                .is_some(),
            0x59 => meta::key(&self.data)
                .map(|(sharps, minor)| {
                    let key = KeySignature { tick, sharps, minor };
                    keep(file, offset, &mut self.keys, MAX_KEYS, "key signatures", key)
                })
                .is_some(),
            _ => {
                if let Some(kind) = TextKind::from_meta(kind) {
                    self.text(file, offset, kind);
                }
                true
            }
        };
        if !usable {
            file.warn_at(offset, WarningKind::UnusableMeta { kind, bytes: u64::from(payload.len) });
        }
        Ok(())
    }

    fn text(&mut self, file: &mut FileReader<'_>, offset: u64, kind: TextKind) {
        let text = meta::text(&self.data).into_boxed_str();
        if self.text_bytes + text.len() > MAX_ALL_TEXT_BYTES {
            if self.text_bytes <= MAX_ALL_TEXT_BYTES {
                // Said once; what counts from here on is only that it has been said.
                self.text_bytes = MAX_ALL_TEXT_BYTES + 1;
                file.warn_at(
                    offset,
                    WarningKind::TooMany { what: "bytes of text", kept: MAX_ALL_TEXT_BYTES },
                );
            }
            return;
        }
        self.text_bytes += text.len();
        if kind == TextKind::TrackName && self.name.is_empty() {
            self.name = text;
        } else {
            let event = TextEvent { tick: Ticks(self.tick), track: self.track, kind, text };
            keep(file, offset, &mut self.texts, MAX_TEXTS, "texts", event);
        }
    }

    fn finish(mut self, mut file: FileReader<'_>) -> SongIndex {
        if self.usage.overflowed() {
            file.warn_at(0, WarningKind::TooMany { what: "program and bank changes", kept: MAX_CHANGES });
        }
        if self.ports.is_empty() {
            self.ports.push(0);
        }
        self.keys.sort_by_key(|key| key.tick);
        self.texts.sort_by_key(|text| text.tick);
        let tempo_map = TempoMap::new(file.division, self.tempo_changes);
        let meter_map = MeterMap::new(tempo_map.ticks_per_quarter(), self.meter_changes);
        SongIndex {
            format: file.format,
            division: file.division,
            events: self.tracks.iter().map(|track| track.events).sum(),
            notes: self.tracks.iter().map(|track| track.notes).sum(),
            tracks: self.tracks,
            tempo_map: Arc::new(tempo_map),
            meter_map: Arc::new(meter_map),
            end: Ticks(self.end),
            modes: std::mem::take(&mut self.usage.modes),
            programs: self.usage.programs(),
            keys: self.keys,
            texts: self.texts,
            ports: self.ports,
            warnings: file.warnings,
        }
    }
}

/// Adds to a list that has a limit; the first time it is full, that is a warning.
fn keep<T>(
    file: &mut FileReader<'_>,
    offset: u64,
    list: &mut Vec<T>,
    limit: usize,
    what: &'static str,
    item: T,
) {
    if list.len() < limit {
        list.push(item);
        if list.len() == limit {
            file.warn_at(offset, WarningKind::TooMany { what, kept: limit });
        }
    }
}
