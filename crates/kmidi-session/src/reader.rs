//! The events of a song as the sequencer wants them: by song time, not by tick.

use std::io;
use std::sync::Arc;

use kmidi_core::{Beats, Event, MusicalAnchor, SongTime, Ticks};
use kmidi_rt::{Chase, Message, Page, PageEvent};
use kmidi_song::{ChaseMessage, Chaser, EventStream, SongIndex};

use crate::input::FileSource;

/// How far [`SongReader::fill`] came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filled {
    /// The page has no more room.
    Page,
    /// Nothing more before the limit.
    Everything,
}

/// Reads a song in time order from any place.
pub(crate) struct SongReader {
    index: Arc<SongIndex>,
    sample_rate_hz: u32,
    stream: EventStream<Arc<FileSource>>,
    chaser: Chaser<Arc<FileSource>>,
    /// Tick and song time of the last event: many share theirs.
    last: (Ticks, SongTime),
    /// Read, but there was no room for it.
    held: Option<Held>,
}

struct Held {
    time: SongTime,
    port: u8,
    message: HeldMessage,
}

enum HeldMessage {
    Event(Event),
    SysEx(Vec<u8>),
}

impl SongReader {
    /// Reads the song of `index` from `source`, in the time of an engine at `sample_rate_hz`.
    pub fn new(index: Arc<SongIndex>, source: Arc<FileSource>, sample_rate_hz: u32) -> io::Result<Self> {
        let stream = EventStream::new(index.clone(), source.clone())?;
        let chaser = Chaser::new(index.clone(), source)?;
        let last = (Ticks(0), SongTime::ZERO);
        Ok(SongReader { index, sample_rate_hz, stream, chaser, last, held: None })
    }

    /// Where the song ends.
    pub fn end(&self) -> SongTime {
        self.index.tempo_map.song_time(self.index.end, self.sample_rate_hz)
    }

    /// Events of the song, of every kind.
    pub fn events(&self) -> u64 {
        self.index.events
    }

    /// Goes to the first event at or after `time`.
    pub fn seek(&mut self, time: SongTime) -> io::Result<()> {
        self.held = None;
        self.stream.seek(self.first_tick(time))
    }

    /// Adds events before `limit` to `page`, until it holds `events` events or its SysEx bytes
    /// would be more than `sysex_bytes`.
    pub fn fill(
        &mut self,
        page: &mut Page,
        limit: SongTime,
        events: usize,
        sysex_bytes: usize,
    ) -> io::Result<Filled> {
        if let Some(held) = self.held.take() {
            if held.time >= limit {
                self.held = Some(held);
                return Ok(Filled::Everything);
            }
            held.put(page);
        }
        while page.events.len() < events {
            let Some(next) = self.stream.next()? else { return Ok(Filled::Everything) };
            if next.tick != self.last.0 {
                self.last = (next.tick, self.index.tempo_map.song_time(next.tick, self.sample_rate_hz));
            }
            let (time, port) = (self.last.1, next.port);
            let bytes = match next.message {
                kmidi_song::Message::Text(..) => continue,
                kmidi_song::Message::SysEx(bytes) => bytes,
                _ => &[],
            };
            let beyond = time >= limit;
            if beyond || page.sysex.len() + bytes.len() > sysex_bytes {
                let message = match event_of(next.message) {
                    Some(event) => HeldMessage::Event(event),
                    None => HeldMessage::SysEx(bytes.to_vec()),
                };
                self.held = Some(Held { time, port, message });
                return Ok(if beyond { Filled::Everything } else { Filled::Page });
            }
            let message = match event_of(next.message) {
                Some(event) => Message::Event(event),
                None => append(&mut page.sysex, bytes),
            };
            page.events.push(PageEvent { time, port, message });
        }
        Ok(Filled::Page)
    }

    /// What a synthesiser needs to go on from `time`.
    pub fn chase(&mut self, time: SongTime) -> io::Result<Chase> {
        let tick = self.first_tick(time);
        let mut chase = Chase::default();
        self.chaser.chase(tick, &mut |port, message| {
            let message = match message {
                ChaseMessage::Event(event) => Message::Event(event),
                ChaseMessage::SysEx(bytes) => append(&mut chase.sysex, bytes),
            };
            chase.events.push(PageEvent { time, port, message });
        })?;
        // What the song says at the very place is no part of the state before it.
        let before = Ticks((tick.0 - 1).max(0));
        let meter = self.index.meter_map.meter(before);
        for event in [Event::Tempo(self.index.tempo_map.tempo(before)), Event::Meter(meter)] {
            chase.events.push(PageEvent { time, port: 0, message: Message::Event(event) });
        }
        chase.musical = self.musical(time);
        Ok(chase)
    }

    /// Musical time at `time`, as the last event before it left it.
    fn musical(&self, time: SongTime) -> MusicalAnchor {
        let (tempo_map, meter_map) = (&self.index.tempo_map, &self.index.meter_map);
        let tick = tempo_map.ticks(time, self.sample_rate_hz);
        let beats = |tick: Ticks| Beats::from_ticks(tick.0, tempo_map.ticks_per_quarter());
        let bar = meter_map.position(tick).bar;
        MusicalAnchor {
            time: tempo_map.song_time(tick, self.sample_rate_hz),
            beats: beats(tick),
            bar_start: beats(meter_map.bar_start(bar)),
            bar: i32::try_from(bar).unwrap_or(i32::MAX) - 1,
            tempo: tempo_map.tempo(tick),
            meter: meter_map.meter(tick),
            sample_rate_hz: self.sample_rate_hz,
        }
    }

    /// The first tick that is not before `time`.
    fn first_tick(&self, time: SongTime) -> Ticks {
        let map = &self.index.tempo_map;
        let tick = map.ticks(time, self.sample_rate_hz);
        if map.song_time(tick, self.sample_rate_hz) < time { Ticks(tick.0.saturating_add(1)) } else { tick }
    }
}

impl Held {
    fn put(self, page: &mut Page) {
        let message = match self.message {
            HeldMessage::Event(event) => Message::Event(event),
            HeldMessage::SysEx(bytes) => append(&mut page.sysex, &bytes),
        };
        page.events.push(PageEvent { time: self.time, port: self.port, message });
    }
}

/// The event of a message that is none of bytes.
fn event_of(message: kmidi_song::Message<'_>) -> Option<Event> {
    match message {
        kmidi_song::Message::Event(event) => Some(event),
        kmidi_song::Message::Tempo(tempo) => Some(Event::Tempo(tempo)),
        kmidi_song::Message::Meter(meter) => Some(Event::Meter(meter)),
        kmidi_song::Message::SysEx(_) | kmidi_song::Message::Text(..) => None,
    }
}

/// Adds the bytes of a SysEx message to those beside the events.
fn append(arena: &mut Vec<u8>, bytes: &[u8]) -> Message {
    let start = arena.len() as u32;
    arena.extend_from_slice(bytes);
    Message::SysEx { start, len: bytes.len() as u16 }
}
