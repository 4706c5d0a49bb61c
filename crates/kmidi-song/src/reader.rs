//! The events of one track, in file order, from a window of its bytes: midly where they are clean,
//! our own reading where they are not.

use std::io;

use midly::{EventIter, TrackEventKind};

use crate::event_bytes::{self, EventHead, Fault, HeadKind, LOOK_AHEAD, MAX_HEAD, fixed_meta_len};
use crate::source::{ByteSource, Window, read_full};
use crate::warning::WarningKind;

/// Where the data of an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Payload {
    pub at: u64,
    pub len: u32,
}

/// One event as the file has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RawEvent {
    /// Where it starts in the file.
    pub offset: u64,
    /// Ticks since the event before, those of skipped events included.
    pub delta: u64,
    pub body: Body,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// Status and data (the second 0 where there is only one).
    Channel([u8; 3]),
    SysEx(Payload),
    Escape(Payload),
    Meta {
        kind: u8,
        payload: Payload,
    },
}

/// Where reading stands between two events: enough to go on from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReadState {
    pub position: u64,
    /// Last channel status since the start or the last damage.
    running: Option<u8>,
    /// A meta or SysEx event came after it: the specification says it is void.
    cancelled: bool,
}

impl ReadState {
    pub fn at(position: u64) -> Self {
        ReadState { position, running: None, cancelled: false }
    }

    fn valid_status(&self) -> Option<u8> {
        if self.cancelled { None } else { self.running }
    }
}

/// Reads a track from `state.position` up to `limit`. What it makes of damage depends only on the
/// bytes, the state and the limit, not on the size or place of the window: reading again from a
/// state kept earlier gives the same events.
pub(crate) struct TrackReader {
    pub state: ReadState,
    pub limit: u64,
    window: Window,
    /// The limit is where the next track's chunk was found in the middle of damage.
    pub found_chunk: bool,
}

pub(crate) type Warn<'a> = &'a mut dyn FnMut(u64, WarningKind);

impl TrackReader {
    pub fn new(position: u64, limit: u64, window_bytes: usize) -> Self {
        TrackReader {
            state: ReadState::at(position),
            limit,
            window: Window::new(window_bytes),
            found_chunk: false,
        }
    }

    /// The next event; `None` at the limit.
    #[inline]
    pub fn next(&mut self, source: &dyn ByteSource, warn: Warn<'_>) -> io::Result<Option<RawEvent>> {
        match self.next_clean() {
            Some(event) => Ok(Some(event)),
            None => self.next_carefully(source, warn),
        }
    }

    /// The next event if it is a channel message that the window holds and that midly can read: nearly
    /// all events are.
    #[inline]
    pub fn next_clean(&mut self) -> Option<RawEvent> {
        let offset = self.state.position;
        if offset >= self.limit {
            return None;
        }
        let bytes = self.window.held(offset)?;
        let (delta, message, used) = clean_channel_event(bytes, self.state.valid_status())?;
        self.accept_channel(message, used);
        Some(RawEvent { offset, delta: u64::from(delta), body: Body::Channel(message) })
    }

    #[inline(never)]
    fn next_carefully(&mut self, source: &dyn ByteSource, warn: Warn<'_>) -> io::Result<Option<RawEvent>> {
        let mut carried = 0u64;
        while self.state.position < self.limit {
            let offset = self.state.position;
            let bytes = self.window.bytes(source, offset, MAX_HEAD, self.limit)?;
            match event_bytes::head(bytes, self.state.valid_status()) {
                Ok(EventHead { delta, used, kind }) => {
                    let delta = carried + u64::from(delta);
                    let body = match kind {
                        HeadKind::Channel(message) => {
                            self.accept_channel(message, used);
                            Some(Body::Channel(message))
                        }
                        _ => self.prefixed(source, kind, used, warn)?,
                    };
                    match body {
                        Some(body) => return Ok(Some(RawEvent { offset, delta, body })),
                        None => carried = delta,
                    }
                }
                Err(Fault::NoStatus) => {
                    if let Some((delta, message, used)) = self.status_across_meta(source)? {
                        warn(offset, WarningKind::RunningStatusAcrossMeta { status: message[0] });
                        self.accept_channel(message, used);
                        let delta = carried + u64::from(delta);
                        return Ok(Some(RawEvent { offset, delta, body: Body::Channel(message) }));
                    }
                    // This is no time: it stands where a wrong length, or nothing at all, put us.
                    let skipped = self.resync(source, offset + 1)?;
                    warn(offset, WarningKind::NoStatus { skipped });
                }
                Err(Fault::IllegalStatus { delta, status, used }) => {
                    carried += u64::from(delta);
                    let after = offset + used as u64;
                    let rest = self.window.bytes(source, after, MAX_HEAD, self.limit)?;
                    // These often come in rows: the next one is read as such, not searched over.
                    let skipped = match event_bytes::head(rest, None) {
                        Err(Fault::IllegalStatus { .. }) => {
                            self.state = ReadState::at(after);
                            used as u64
                        }
                        _ => self.resync(source, after)?,
                    };
                    warn(offset, WarningKind::IllegalStatus { status, skipped });
                }
                Err(Fault::DataByte { delta, status, used }) => {
                    carried += u64::from(delta);
                    // The status byte that stands among the data may be the next event's own, its
                    // time missing; or the data byte before it was that time.
                    let skipped = self.resync(source, offset + (used as u64).saturating_sub(1).max(1))?;
                    warn(offset, WarningKind::BrokenMessage { status, skipped });
                }
                Err(Fault::Number) => {
                    let skipped = self.resync(source, offset + 1)?;
                    warn(offset, WarningKind::NumberTooLong { skipped });
                }
                Err(Fault::Short) => {
                    warn(offset, WarningKind::EndsInsideEvent { bytes: self.limit - offset });
                    self.state.position = self.limit;
                }
            }
        }
        Ok(None)
    }

    fn accept_channel(&mut self, message: [u8; 3], used: usize) {
        self.state.position += used as u64;
        self.state.running = Some(message[0]);
        self.state.cancelled = false;
    }

    /// Takes an event whose length is written in front of its data, after a look at whether that
    /// length can be right. `None`: nothing of it was usable.
    fn prefixed(
        &mut self,
        source: &dyn ByteSource,
        kind: HeadKind,
        used: usize,
        warn: Warn<'_>,
    ) -> io::Result<Option<Body>> {
        let offset = self.state.position;
        let start = offset + used as u64;
        let (claimed, is_text) = match kind {
            HeadKind::Meta { kind, len } => (len, matches!(kind, 0x01..=0x0f)),
            HeadKind::SysEx { len } | HeadKind::Escape { len } => (len, false),
            HeadKind::Channel(_) => unreachable!("channel messages have no length"),
        };
        let claimed_end = start + u64::from(claimed);
        let mut end = claimed_end;
        if !self.believable_end(source, kind, claimed_end)? {
            // Somewhere in what was claimed as data, events may start again.
            let last = if claimed_end > self.limit {
                self.limit
            } else {
                claimed_end.min(start + MAX_SEARCHED_PAYLOAD)
            };
            let found = match self.standard_end(source, kind, start)? {
                None => self.find_events(source, start, last)?,
                standard => standard,
            };
            if let Some(found) = found {
                end = found;
                warn(offset, WarningKind::WrongLength { claimed, found: end - start });
            } else if claimed_end > self.limit {
                warn(offset, WarningKind::EndsInsideEvent { bytes: self.limit - offset });
                self.state.position = self.limit;
                end = self.limit;
                if !is_text {
                    return Ok(None);
                }
            }
        }
        self.state.position = end;
        self.state.cancelled = true;
        let payload = Payload { at: start, len: (end - start) as u32 };
        Ok(Some(match kind {
            HeadKind::Meta { kind, .. } => Body::Meta { kind, payload },
            HeadKind::SysEx { .. } => Body::SysEx(payload),
            _ => Body::Escape(payload),
        }))
    }

    /// Whether the data of an event can end at `end`: there is such a place, and what follows is an
    /// event by the letter of the specification (or the end). So nothing is ever made of a file
    /// without damage but what it says.
    fn believable_end(&mut self, source: &dyn ByteSource, kind: HeadKind, end: u64) -> io::Result<bool> {
        if end >= self.limit || matches!(kind, HeadKind::Meta { kind: 0x2f, .. }) {
            return Ok(end <= self.limit);
        }
        // The window stays where it is unless the payload leaves it.
        let bytes = self.window.bytes(source, end, MAX_HEAD, self.limit)?;
        Ok(match event_bytes::head(bytes, None) {
            Ok(EventHead { kind: HeadKind::Channel(_), .. }) => true,
            Ok(EventHead {
                used,
                kind: HeadKind::Meta { len, .. } | HeadKind::SysEx { len } | HeadKind::Escape { len },
                ..
            }) => end + used as u64 + u64::from(len) <= self.limit,
            Err(Fault::Short | Fault::IllegalStatus { .. }) => true,
            Err(_) => false,
        })
    }

    /// Where the data of a meta event ends if it has the length that the specification gives to its
    /// kind, and events follow there.
    fn standard_end(
        &mut self,
        source: &dyn ByteSource,
        kind: HeadKind,
        start: u64,
    ) -> io::Result<Option<u64>> {
        let HeadKind::Meta { kind, len } = kind else { return Ok(None) };
        let Some(fixed) = fixed_meta_len(kind) else { return Ok(None) };
        let end = start + u64::from(fixed);
        Ok((len != fixed && self.is_plausible(source, end)?).then_some(end))
    }

    /// The event here, read with the status that a meta event has voided, if that makes sense.
    fn status_across_meta(&mut self, source: &dyn ByteSource) -> io::Result<Option<(u32, [u8; 3], usize)>> {
        let (Some(running), true) = (self.state.running, self.state.cancelled) else {
            return Ok(None);
        };
        let position = self.state.position;
        let bytes = self.window.bytes(source, position, 2 * MAX_HEAD, self.limit)?;
        let Ok(EventHead { delta, used, kind: HeadKind::Channel(message) }) =
            event_bytes::head(bytes, Some(running))
        else {
            return Ok(None);
        };
        let rest = &bytes[used..];
        let goes_on = rest.is_empty() || event_bytes::head(rest, Some(running)).is_ok();
        Ok(goes_on.then_some((delta, message, used)))
    }

    fn is_plausible(&mut self, source: &dyn ByteSource, at: u64) -> io::Result<bool> {
        let limit = self.limit;
        if at >= limit {
            return Ok(at == limit);
        }
        let bytes = self.window.bytes(source, at, LOOK_AHEAD, limit)?;
        let seen = &bytes[..bytes.len().min(LOOK_AHEAD)];
        Ok(event_bytes::plausible(seen, at + seen.len() as u64 == limit))
    }

    /// The first place in `from..to` where events can start.
    fn find_events(&mut self, source: &dyn ByteSource, from: u64, to: u64) -> io::Result<Option<u64>> {
        for at in from..to {
            if self.is_plausible(source, at)? {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// Goes to the next place, `from` or later, where events can start (or the next track does, or
    /// the limit is); returns the bytes skipped.
    fn resync(&mut self, source: &dyn ByteSource, from: u64) -> io::Result<u64> {
        let start = self.state.position;
        let mut at = from.min(self.limit);
        while at < self.limit {
            if self.window.bytes(source, at, 8, self.limit)?.starts_with(b"MTrk") {
                self.limit = at;
                self.found_chunk = true;
                break;
            }
            if self.is_plausible(source, at)? {
                break;
            }
            at += 1;
        }
        self.state = ReadState::at(at);
        Ok(at - start)
    }

    /// The status byte of the event that comes next, if there is one.
    pub fn peek_status(&mut self, source: &dyn ByteSource) -> io::Result<Option<u8>> {
        let bytes = self.window.bytes(source, self.state.position, MAX_HEAD, self.limit)?;
        let at = bytes.iter().position(|&b| b < 0x80).map_or(bytes.len(), |last| last + 1);
        Ok(bytes.get(at).copied())
    }

    /// Appends the data of an event to `out`, `max` bytes of it at most.
    pub fn payload(
        &mut self,
        source: &dyn ByteSource,
        payload: Payload,
        max: usize,
        out: &mut Vec<u8>,
    ) -> io::Result<()> {
        let from = out.len();
        out.resize(from + max.min(payload.len as usize), 0);
        let count = read_full(source, payload.at, &mut out[from..])?;
        out.truncate(from + count);
        Ok(())
    }

    /// Gives the window's memory back.
    pub fn release(&mut self) {
        self.window.release();
    }
}

/// Bytes of a payload that are searched for events if its length cannot be right.
const MAX_SEARCHED_PAYLOAD: u64 = 1 << 16;

/// The event at the start of `bytes` as midly reads it, if it is a channel message: delta, message
/// and bytes used. Of all else (and of a delta longer than the format allows, which midly cuts
/// silently) the length has to be looked at first.
#[inline]
fn clean_channel_event(bytes: &[u8], running: Option<u8>) -> Option<(u32, [u8; 3], usize)> {
    if bytes.len() >= 4 && bytes[..4].iter().all(|&b| b >= 0x80) {
        return None;
    }
    let mut events = EventIter::new(bytes);
    *events.running_status_mut() = running;
    let event = events.next()?.ok()?;
    let TrackEventKind::Midi { .. } = event.kind else { return None };
    let status = events.running_status()?;
    let used = bytes.len() - events.unread().len();
    let data = &bytes[used - event_bytes::data_len(status)..used];
    let message = [status, data[0], data.get(1).copied().unwrap_or(0)];
    Some((event.delta.as_int(), message, used))
}
