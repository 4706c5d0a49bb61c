//! One event at the start of some bytes, read with exact knowledge of what is wrong with it.

/// What the bytes of one event say, up to its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EventHead {
    /// Ticks since the event before.
    pub delta: u32,
    /// Bytes of all that is read here: of the whole event if it is a channel message, and up to
    /// the payload if not.
    pub used: usize,
    pub kind: HeadKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeadKind {
    /// Status and data bytes (the second 0 where there is only one).
    Channel([u8; 3]),
    SysEx {
        len: u32,
    },
    Escape {
        len: u32,
    },
    Meta {
        kind: u8,
        len: u32,
    },
}

/// What is wrong, and what could still be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The bytes end inside the event.
    Short,
    /// A delta time or length of more than 28 bits.
    Number,
    /// A data byte where a status byte has to be.
    NoStatus,
    /// A status byte that files cannot have; `used` bytes belong to its message.
    IllegalStatus { delta: u32, status: u8, used: usize },
    /// A channel message with a status byte among its data.
    DataByte { delta: u32, status: u8, used: usize },
}

/// The longest head: delta, status, meta kind, length. Numbers padded with leading zeros get this far.
pub(crate) const MAX_HEAD: usize = 24;
/// Bytes of one number that are looked at.
const MAX_NUMBER: usize = 8;

/// Data bytes that follow a channel status.
pub(crate) fn data_len(status: u8) -> usize {
    if matches!(status & 0xf0, 0xc0 | 0xd0) { 1 } else { 2 }
}

/// A variable-length number and the bytes it takes.
fn number(bytes: &[u8]) -> Result<(u32, usize), Fault> {
    let mut value = 0u64;
    for (i, &byte) in bytes.iter().take(MAX_NUMBER).enumerate() {
        value = value << 7 | u64::from(byte & 0x7f);
        if byte < 0x80 {
            return if value < 1 << 28 { Ok((value as u32, i + 1)) } else { Err(Fault::Number) };
        }
    }
    Err(if bytes.len() < MAX_NUMBER { Fault::Short } else { Fault::Number })
}

/// Reads the head of the event at the start of `bytes`.
pub(crate) fn head(bytes: &[u8], running: Option<u8>) -> Result<EventHead, Fault> {
    let (delta, mut used) = number(bytes)?;
    let first = *bytes.get(used).ok_or(Fault::Short)?;
    let status = if first < 0x80 {
        running.ok_or(Fault::NoStatus)?
    } else {
        used += 1;
        first
    };
    if status < 0xf0 {
        let mut message = [status, 0, 0];
        for slot in &mut message[1..=data_len(status)] {
            let byte = *bytes.get(used).ok_or(Fault::Short)?;
            if byte >= 0x80 {
                return Err(Fault::DataByte { delta, status, used });
            }
            *slot = byte;
            used += 1;
        }
        return Ok(EventHead { delta, used, kind: HeadKind::Channel(message) });
    }
    let mut kind = 0;
    match status {
        0xf0 | 0xf7 => {}
        0xff => {
            kind = *bytes.get(used).ok_or(Fault::Short)?;
            used += 1;
        }
        _ => {
            let data = match status {
                0xf1 | 0xf3 => 1,
                0xf2 => 2,
                _ => 0,
            };
            let follows = bytes[used..].iter().take(data).take_while(|&&b| b < 0x80).count();
            return Err(Fault::IllegalStatus { delta, status, used: used + follows });
        }
    }
    let (len, size) = number(&bytes[used..])?;
    used += size;
    let kind = match status {
        0xf0 => HeadKind::SysEx { len },
        0xf7 => HeadKind::Escape { len },
        _ => HeadKind::Meta { kind, len },
    };
    Ok(EventHead { delta, used, kind })
}

/// How long the payload of a meta event has to be, where the specification says.
pub(crate) fn fixed_meta_len(kind: u8) -> Option<u32> {
    match kind {
        0x20 | 0x21 => Some(1),
        0x2f => Some(0),
        0x51 => Some(3),
        0x54 => Some(5),
        0x58 => Some(4),
        0x59 => Some(2),
        _ => None,
    }
}

/// Bytes that [`plausible`] wants to see.
pub(crate) const LOOK_AHEAD: usize = 512;
/// Events in a row that have to make sense.
const CHAIN: usize = 3;
/// Longer pauses than these are not believed next to damage. The first event's is short because its
/// first byte might as well be the rest of what was damaged: from `C0` on, a status byte.
const BELIEVED_FIRST_DELTA: u32 = 0x40 << 7;
const BELIEVED_DELTA: u32 = 1 << 18;

/// Whether events can be read from here on without knowing what came before: a chain of them, the
/// first with a status byte of its own, or fewer that reach the end of the track exactly.
/// `complete` says that the track ends with `bytes`.
pub(crate) fn plausible(mut bytes: &[u8], complete: bool) -> bool {
    let mut running = None;
    for seen in 0..CHAIN {
        if bytes.is_empty() || bytes.starts_with(b"MTrk") {
            return seen > 0;
        }
        let believed = if seen == 0 { BELIEVED_FIRST_DELTA } else { BELIEVED_DELTA };
        let event = match head(bytes, running) {
            Ok(event) if event.delta < believed => event,
            // What is cut off by the look ahead has to be believed.
            Err(Fault::Short) => return !complete && seen > 0,
            _ => return false,
        };
        let payload = match event.kind {
            HeadKind::Channel(message) => {
                running = Some(message[0]);
                0
            }
            HeadKind::Meta { kind, len } => {
                let known =
                    matches!(kind, 0x00..=0x0f | 0x20 | 0x21 | 0x2f | 0x51 | 0x54 | 0x58 | 0x59 | 0x7f);
                if !known || fixed_meta_len(kind).is_some_and(|fixed| fixed != len) {
                    return false;
                }
                if kind == 0x2f {
                    let rest = &bytes[event.used..];
                    return seen > 0 || rest.is_empty() || rest.starts_with(b"MTrk");
                }
                len as usize
            }
            HeadKind::SysEx { len } | HeadKind::Escape { len } => len as usize,
        };
        if !matches!(event.kind, HeadKind::Channel(_)) {
            running = None;
        }
        let Some(rest) = bytes.get(event.used + payload..) else {
            return !complete && seen > 0;
        };
        bytes = rest;
    }
    true
}
