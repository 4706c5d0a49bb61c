use kmidi_core::{Division, Event, SmpteRate, Ticks};
use midly::num::{u4, u7, u15, u28};
use midly::{Fps, Header, MetaMessage, MidiMessage, Timing, TrackEvent, TrackEventKind};

use crate::chunks::{FileReader, Item, MAX_TRACKS};
use crate::error::{SongError, WriteError};
use crate::index::Format;
use crate::reader::Body;
use crate::warning::Warnings;

/// One event of a file, with nothing of it lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SmfEvent {
    /// A channel message: status (`80`..=`EF`) and data, the second 0 where there is only one.
    Channel([u8; 3]),
    /// A SysEx message (or its first packet) without its `F0`.
    SysEx(Box<[u8]>),
    /// A further packet of a SysEx message, or bytes to be sent as they are.
    Escape(Box<[u8]>),
    /// A meta event: kind and data. Never end-of-track: that is [`Track::end`].
    Meta {
        /// Its number in the file format.
        kind: u8,
        /// Its data.
        data: Box<[u8]>,
    },
}

impl SmfEvent {
    /// The channel message, if it is one.
    pub fn event(&self) -> Option<Event> {
        match self {
            SmfEvent::Channel(message) => Event::from_midi1(message),
            _ => None,
        }
    }

    /// The event for a channel message; `None` if it is none.
    pub fn from_event(event: Event) -> Option<Self> {
        let mut message = [0; 3];
        event.to_midi1(&mut message)?;
        Some(SmfEvent::Channel(message))
    }

    /// The tempo event for a duration of a quarter note (24 bits; more is cut to the longest).
    pub fn tempo(micros_per_quarter: u32) -> Self {
        let [_, data @ ..] = micros_per_quarter.clamp(1, 0xff_ffff).to_be_bytes();
        SmfEvent::Meta { kind: 0x51, data: Box::new(data) }
    }
}

/// A track of a [`Song`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Track {
    /// Its events in order, each with its tick from the start of the track.
    pub events: Vec<(Ticks, SmfEvent)>,
    /// Tick of its end-of-track.
    pub end: Ticks,
}

/// A whole file in memory: for changing and writing, where [`SongIndex`](crate::SongIndex) and
/// [`EventStream`](crate::EventStream) are for playing. `[side B]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Song {
    /// How the tracks belong together.
    pub format: Format,
    /// What a tick is.
    pub division: Division,
    /// The tracks in file order.
    pub tracks: Vec<Track>,
}

impl Song {
    /// Reads a file as far as it can be read.
    ///
    /// # Errors
    /// [`SongError`] if it is no MIDI file. Damage is no error: see the [`Warnings`].
    pub fn from_smf(bytes: &[u8]) -> Result<(Song, Warnings), SongError> {
        let mut file = FileReader::open(&bytes)?;
        let mut tracks: Vec<Track> = vec![];
        let mut tick = 0;
        loop {
            match file.next()? {
                Item::TrackStart => {
                    tracks.push(Track::default());
                    tick = 0;
                }
                Item::Event(event) => {
                    tick = i64::saturating_add_unsigned(tick, event.delta).min(1 << 62);
                    let mut data = |payload| -> Result<Box<[u8]>, SongError> {
                        let mut data = vec![];
                        file.payload(payload, usize::MAX, &mut data)?;
                        Ok(data.into_boxed_slice())
                    };
                    let Some(track) = tracks.last_mut() else { continue };
                    track.end = Ticks(tick);
                    let event = match event.body {
                        Body::Channel(message) => SmfEvent::Channel(message),
                        Body::SysEx(payload) => SmfEvent::SysEx(data(payload)?),
                        Body::Escape(payload) => SmfEvent::Escape(data(payload)?),
                        Body::Meta { kind: 0x2f, .. } => continue,
                        Body::Meta { kind, payload } => SmfEvent::Meta { kind, data: data(payload)? },
                    };
                    track.events.push((Ticks(tick), event));
                }
                Item::TrackEnd(_) => {}
                Item::FileEnd => break,
            }
        }
        file.check_track_count();
        if tracks.is_empty() {
            return Err(SongError::NoTracks);
        }
        Ok((Song { format: file.format, division: file.division, tracks }, file.warnings))
    }

    /// Writes the song as a file: [`Song::from_smf`] of it gives the same song. Events are written
    /// in their order; where ticks go back, the later event is written at the earlier one's tick.
    /// A pause longer than the 28 bits of the format is bridged by empty texts.
    ///
    /// # Errors
    /// [`WriteError`] if the song does not fit the format.
    pub fn to_smf(&self) -> Result<Vec<u8>, WriteError> {
        if self.tracks.len() > MAX_TRACKS as usize {
            return Err(WriteError::Tracks(self.tracks.len()));
        }
        let tracks = self.tracks.iter().map(track_events).collect::<Result<Vec<_>, _>>()?;
        let format = match self.format {
            Format::Single if tracks.len() == 1 => midly::Format::SingleTrack,
            Format::Single | Format::Parallel => midly::Format::Parallel,
            Format::Sequential => midly::Format::Sequential,
        };
        let mut bytes = vec![];
        midly::write(&Header { format, timing: timing(self.division) }, &tracks, &mut bytes)
            .map_err(|_| WriteError::TrackBytes)?;
        Ok(bytes)
    }
}

fn timing(division: Division) -> Timing {
    match division {
        Division::Ppq(ticks) => Timing::Metrical(u15::new(ticks.max(1))),
        Division::Smpte { rate, subframes } => {
            let fps = match rate {
                SmpteRate::Fps24 => Fps::Fps24,
                SmpteRate::Fps25 => Fps::Fps25,
                SmpteRate::Fps29 => Fps::Fps29,
                SmpteRate::Fps30 => Fps::Fps30,
            };
            Timing::Timecode(fps, subframes.max(1))
        }
    }
}

/// Longest data of one event, and longest delta time.
const MAX_28_BITS: u32 = (1 << 28) - 1;

fn track_events(track: &Track) -> Result<Vec<TrackEvent<'_>>, WriteError> {
    let mut events = Vec::with_capacity(track.events.len() + 1);
    let mut at = 0;
    let mut push = |tick: Ticks, kind| {
        let mut delta = tick.0.saturating_sub(at).max(0);
        at = at.max(tick.0);
        while delta > i64::from(MAX_28_BITS) {
            let filler = TrackEventKind::Meta(MetaMessage::Text(&[]));
            events.push(TrackEvent { delta: u28::max_value(), kind: filler });
            delta -= i64::from(MAX_28_BITS);
        }
        events.push(TrackEvent { delta: u28::new(delta as u32), kind });
    };
    for (tick, event) in &track.events {
        let kind = match event {
            SmfEvent::Channel(message) => channel_message(*message),
            SmfEvent::SysEx(data) => TrackEventKind::SysEx(checked(data)?),
            SmfEvent::Escape(data) => TrackEventKind::Escape(checked(data)?),
            SmfEvent::Meta { kind, data } => {
                TrackEventKind::Meta(MetaMessage::Unknown(*kind, checked(data)?))
            }
        };
        push(*tick, kind);
    }
    push(track.end, TrackEventKind::Meta(MetaMessage::EndOfTrack));
    Ok(events)
}

fn checked(data: &[u8]) -> Result<&[u8], WriteError> {
    if data.len() > MAX_28_BITS as usize { Err(WriteError::EventBytes(data.len())) } else { Ok(data) }
}

fn channel_message([status, one, two]: [u8; 3]) -> TrackEventKind<'static> {
    let (one, two) = (u7::new(one), u7::new(two));
    let message = match status & 0xf0 {
        0x80 => MidiMessage::NoteOff { key: one, vel: two },
        0x90 => MidiMessage::NoteOn { key: one, vel: two },
        0xa0 => MidiMessage::Aftertouch { key: one, vel: two },
        0xb0 => MidiMessage::Controller { controller: one, value: two },
        0xc0 => MidiMessage::ProgramChange { program: one },
        0xd0 => MidiMessage::ChannelAftertouch { vel: one },
        _ => {
            let bend = u16::from(one.as_int()) | u16::from(two.as_int()) << 7;
            MidiMessage::PitchBend { bend: midly::PitchBend(bend.into()) }
        }
    };
    TrackEventKind::Midi { channel: u4::new(status & 0x0f), message }
}
