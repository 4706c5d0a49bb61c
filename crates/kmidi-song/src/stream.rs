use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::io;
use std::sync::Arc;

use kmidi_core::limits::MAX_SYSEX_BYTES;
use kmidi_core::{Event, Meter, Tempo, Ticks};

use crate::index::SongIndex;
use crate::meta::TextKind;
use crate::reader::{Body, Payload, RawEvent, TrackReader};
use crate::source::ByteSource;

/// What happens at a moment of a song.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Message<'a> {
    /// A channel message.
    Event(Event),
    /// A complete SysEx message, `F0` to `F7`, at most [`MAX_SYSEX_BYTES`] long.
    SysEx(&'a [u8]),
    /// The tempo from here on, from the tempo map: only where it really changes, and at tick 0.
    Tempo(Tempo),
    /// The meter from here on, from the meter map: only where it really changes, and at tick 0.
    Meter(Meter),
    /// A text, as the file has it.
    Text(TextKind, &'a [u8]),
}

/// One event of a song in playing order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StreamEvent<'a> {
    /// When.
    pub tick: Ticks,
    /// Track it comes from, counted from 0 (0 for tempo and meter).
    pub track: u32,
    /// MIDI port, below [`MAX_MIDI_PORTS`](kmidi_core::limits::MAX_MIDI_PORTS).
    pub port: u8,
    /// What.
    pub message: Message<'a>,
}

/// Bytes that the windows of all tracks together may hold.
const WINDOW_BUDGET: usize = 4 << 20;
/// Smallest and largest window of one track.
const WINDOW_RANGE: std::ops::RangeInclusive<usize> = 64..=1 << 15;
/// Bytes of a text that are given.
const MAX_TEXT_BYTES: usize = 1 << 10;

/// What a stream leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filter {
    Nothing,
    /// Texts, and the notes before a tick: what has no part in the state at that tick.
    State {
        until: i64,
    },
}

/// Where one track is.
struct Cursor {
    reader: TrackReader,
    /// Tick of `next`, or of the last event.
    tick: i64,
    /// Port number of the file, and the port that stands for it.
    port: u8,
    dense_port: u8,
    next: Option<RawEvent>,
    /// Packets of a SysEx message of which the last has not come.
    partial: Vec<Payload>,
}

/// The events of a song in playing order, by tick and then by track, read from the source as they
/// are asked for; in bounded memory, and from any tick. `[side B]`
pub struct EventStream<S> {
    index: Arc<SongIndex>,
    source: S,
    filter: Filter,
    cursors: Vec<Cursor>,
    /// Tick and track of the next event of each track that has one.
    heap: BinaryHeap<Reverse<(i64, u32)>>,
    /// The event given last came from the track at the top of the heap.
    advance_top: bool,
    next_tempo: Option<(Ticks, Tempo)>,
    next_meter: usize,
    /// Tick of the next of these two; `i64::MAX` if there is none.
    next_change: i64,
    data: Vec<u8>,
}

impl<S: ByteSource> EventStream<S> {
    /// A stream over the song that `index` was made from, at its start.
    ///
    /// # Errors
    /// The source's.
    pub fn new(index: Arc<SongIndex>, source: S) -> io::Result<Self> {
        Self::filtered(index, source, Filter::Nothing)
    }

    pub(crate) fn filtered(index: Arc<SongIndex>, source: S, filter: Filter) -> io::Result<Self> {
        let window = WINDOW_BUDGET / index.tracks.len().max(1);
        let window = window.clamp(*WINDOW_RANGE.start(), *WINDOW_RANGE.end());
        let cursors = index.tracks.iter().map(|track| Cursor {
            reader: TrackReader::new(track.extent.start, track.extent.limit, window),
            tick: 0,
            port: 0,
            dense_port: 0,
            next: None,
            partial: vec![],
        });
        let cursors = cursors.collect();
        let heap = BinaryHeap::with_capacity(index.tracks.len());
        let mut stream = EventStream {
            index,
            source,
            filter,
            cursors,
            heap,
            advance_top: false,
            next_tempo: None,
            next_meter: 0,
            next_change: 0,
            data: vec![],
        };
        stream.seek(Ticks(0))?;
        Ok(stream)
    }

    pub(crate) fn set_filter(&mut self, filter: Filter) {
        self.filter = filter;
    }

    /// Gives the memory of all windows back until they are needed again.
    pub(crate) fn release(&mut self) {
        self.cursors.iter_mut().for_each(|cursor| cursor.reader.release());
    }

    /// Tick of the next event of a track.
    pub(crate) fn next_tick(&mut self) -> io::Result<Option<i64>> {
        if std::mem::take(&mut self.advance_top) {
            self.advance_track()?;
        }
        Ok(self.heap.peek().map(|&Reverse((tick, _))| tick))
    }

    /// The index that this stream was made with.
    pub fn index(&self) -> &Arc<SongIndex> {
        &self.index
    }

    /// Goes to the first event at or after `tick`, forwards or backwards. Reads about a kilobyte
    /// of each track, not what is between.
    ///
    /// # Errors
    /// The source's; seek again before the stream is used on.
    pub fn seek(&mut self, tick: Ticks) -> io::Result<()> {
        self.heap.clear();
        self.advance_top = false;
        for track in 0..self.cursors.len() {
            self.seek_track(track, tick.0)?;
        }
        let before = Ticks(tick.0.saturating_sub(1));
        self.next_tempo = match tick.0 {
            ..=0 => self.index.tempo_map.changes().next(),
            _ => self.index.tempo_map.change_after(before),
        };
        self.next_meter = self.index.meter_map.changes().partition_point(|change| change.tick < tick);
        self.find_next_change();
        Ok(())
    }

    fn seek_track(&mut self, track: usize, tick: i64) -> io::Result<()> {
        let summary = &self.index.tracks[track];
        let cursor = &mut self.cursors[track];
        let extent = summary.extent;
        let after = summary.checkpoints.partition_point(|c| c.tick < tick);
        cursor.reader.limit = extent.limit;
        cursor.partial.clear();
        match after.checked_sub(1).map(|at| summary.checkpoints[at]) {
            Some(checkpoint) => {
                cursor.reader.state = checkpoint.state;
                (cursor.tick, cursor.port) = (checkpoint.tick, checkpoint.port);
            }
            None => {
                cursor.reader.state = crate::reader::ReadState::at(extent.start);
                (cursor.tick, cursor.port) = (summary.start.0, 0);
            }
        }
        cursor.dense_port = self.index.dense_port(cursor.port);
        if summary.end.0 < tick {
            cursor.reader.release();
            cursor.next = None;
            return Ok(());
        }
        loop {
            let more = cursor.advance(&self.source, &self.index, extent.stop, self.filter)?;
            if !more || cursor.tick >= tick {
                break;
            }
            cursor.collect(&self.source)?;
        }
        if cursor.next.is_some() {
            self.heap.push(Reverse((cursor.tick, track as u32)));
        }
        Ok(())
    }

    /// The next event; `None` at the end of the song.
    ///
    /// # Errors
    /// The source's.
    #[allow(clippy::should_implement_trait, reason = "lends its buffer, which an Iterator cannot")]
    pub fn next(&mut self) -> io::Result<Option<StreamEvent<'_>>> {
        loop {
            if std::mem::take(&mut self.advance_top) {
                self.advance_track()?;
            }
            let top = self.heap.peek().map(|&Reverse(top)| top);
            if self.next_change <= top.map_or(self.index.end.0, |(tick, _)| tick)
                && let Some((tick, message)) = self.change()
            {
                return Ok(Some(StreamEvent { tick, track: 0, port: 0, message }));
            }
            let Some((tick, track)) = top else { return Ok(None) };
            self.advance_top = true;
            let cursor = &mut self.cursors[track as usize];
            let Some(event) = cursor.next else { continue };
            // What the message borrows is settled first: a borrow that is only sometimes given
            // back would last to the end of the function.
            let body = match event.body {
                Body::Channel(message) => match Event::from_midi1(&message) {
                    Some(event) => Given::Event(event),
                    None => continue,
                },
                Body::Meta { kind, payload } => match TextKind::from_meta(kind) {
                    Some(kind) => {
                        self.data.clear();
                        cursor.reader.payload(&self.source, payload, MAX_TEXT_BYTES, &mut self.data)?;
                        Given::Text(kind)
                    }
                    None => continue,
                },
                Body::SysEx(_) | Body::Escape(_) => {
                    match cursor.system_message(&self.source, event, &mut self.data)? {
                        Some(given) => given,
                        None => continue,
                    }
                }
            };
            let port = cursor.dense_port;
            let message = match body {
                Given::Event(event) => Message::Event(event),
                Given::SysEx => Message::SysEx(&self.data),
                Given::Text(kind) => Message::Text(kind, &self.data),
            };
            return Ok(Some(StreamEvent { tick: Ticks(tick), track, port, message }));
        }
    }

    /// Moves the track at the top of the heap to its next event.
    fn advance_track(&mut self) -> io::Result<()> {
        let Some(mut top) = self.heap.peek_mut() else { return Ok(()) };
        let track = top.0.1;
        let cursor = &mut self.cursors[track as usize];
        let stop = self.index.tracks[track as usize].extent.stop;
        if cursor.advance(&self.source, &self.index, stop, self.filter)? {
            top.0.0 = cursor.tick;
        } else {
            cursor.reader.release();
            PeekMut::pop(top);
        }
        Ok(())
    }

    /// Takes the next change of tempo or meter.
    fn change(&mut self) -> Option<(Ticks, Message<'static>)> {
        let meter = self.index.meter_map.changes().get(self.next_meter).copied();
        let change = match (self.next_tempo, meter) {
            (Some((tick, tempo)), meter) if meter.is_none_or(|meter| tick <= meter.tick) => {
                self.next_tempo = self.index.tempo_map.change_after(tick);
                Some((tick, Message::Tempo(tempo)))
            }
            (_, Some(meter)) => {
                self.next_meter += 1;
                Some((meter.tick, Message::Meter(meter.meter)))
            }
            (_, None) => None,
        };
        self.find_next_change();
        change
    }

    fn find_next_change(&mut self) {
        let meter = self.index.meter_map.changes().get(self.next_meter).map(|change| change.tick);
        let tempo = self.next_tempo.map(|(tick, _)| tick);
        self.next_change = match self.filter {
            Filter::Nothing => [tempo, meter].into_iter().flatten().min().map_or(i64::MAX, |tick| tick.0),
            Filter::State { .. } => i64::MAX,
        };
    }
}

/// A message whose bytes, if it has any, are in the stream's buffer.
enum Given {
    Event(Event),
    SysEx,
    Text(TextKind),
}

impl Cursor {
    /// Goes to the next event of the track that the filter lets through; `false` at the end.
    fn advance(
        &mut self,
        source: &dyn ByteSource,
        index: &SongIndex,
        stop: u64,
        filter: Filter,
    ) -> io::Result<bool> {
        self.next = None;
        while self.reader.state.position < stop {
            let Some(event) = self.reader.next(source, &mut |_, _| {})? else { break };
            self.tick = self.tick.saturating_add_unsigned(event.delta).min(1 << 62);
            match event.body {
                Body::Meta { kind: 0x21, payload } => {
                    let mut port = Vec::with_capacity(1);
                    self.reader.payload(source, payload, 1, &mut port)?;
                    self.port = port.first().copied().unwrap_or(self.port);
                    self.dense_port = index.dense_port(self.port);
                    continue;
                }
                Body::Meta { kind, .. }
                    if filter != Filter::Nothing || TextKind::from_meta(kind).is_none() =>
                {
                    continue;
                }
                Body::Channel([0x80..=0x9f, ..]) => {
                    if let Filter::State { until } = filter
                        && self.tick < until
                    {
                        continue;
                    }
                }
                _ => {}
            }
            self.next = Some(event);
            return Ok(true);
        }
        Ok(false)
    }

    /// Goes past a packet of a SysEx message: those that belong together are given together.
    fn collect(&mut self, source: &dyn ByteSource) -> io::Result<()> {
        if let Some(event @ RawEvent { body: Body::SysEx(_) | Body::Escape(_), .. }) = self.next {
            self.system_message(source, event, &mut vec![])?;
        }
        Ok(())
    }

    /// What a SysEx or escape event amounts to: a complete message (in `data`), with it the packets
    /// before; or nothing yet.
    fn system_message(
        &mut self,
        source: &dyn ByteSource,
        event: RawEvent,
        data: &mut Vec<u8>,
    ) -> io::Result<Option<Given>> {
        data.clear();
        let payload = match event.body {
            Body::SysEx(payload) => {
                self.partial.clear();
                self.partial.push(payload);
                payload
            }
            Body::Escape(payload) if !self.partial.is_empty() => {
                if self.partial.len() < MAX_PACKETS {
                    self.partial.push(payload);
                }
                payload
            }
            Body::Escape(payload) => return self.escape(source, payload, data),
            _ => return Ok(None),
        };
        let last = Payload { at: payload.at + u64::from(payload.len.max(1)) - 1, len: payload.len.min(1) };
        self.reader.payload(source, last, 1, data)?;
        let terminated = data.first() == Some(&0xf7);
        data.clear();
        if !terminated && self.reader.peek_status(source)? == Some(0xf7) {
            return Ok(None);
        }
        data.push(0xf0);
        for packet in std::mem::take(&mut self.partial) {
            let room = (MAX_SYSEX_BYTES + 1).saturating_sub(data.len());
            self.reader.payload(source, packet, room, data)?;
        }
        if !terminated {
            data.push(0xf7);
        }
        Ok((data.len() <= MAX_SYSEX_BYTES).then_some(Given::SysEx))
    }

    /// Bytes to be sent as they are: a whole SysEx message or one channel message is understood.
    fn escape(
        &mut self,
        source: &dyn ByteSource,
        payload: Payload,
        data: &mut Vec<u8>,
    ) -> io::Result<Option<Given>> {
        self.reader.payload(source, payload, MAX_SYSEX_BYTES + 1, data)?;
        Ok(match data[..] {
            [0xf0, .., 0xf7] if data.len() <= MAX_SYSEX_BYTES => Some(Given::SysEx),
            [0x80..=0xef, ..] if data.len() <= 3 => Event::from_midi1(data).map(Given::Event),
            _ => None,
        })
    }
}

/// Packets of one SysEx message.
const MAX_PACKETS: usize = 256;
