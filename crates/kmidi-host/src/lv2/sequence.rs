//! The buffer of an atom port: a sequence of events.

use super::atom::{HEADER, atom_at, padded, u32_at};
use super::urid::urids;

/// Bytes before the first event: the header of the sequence, its unit, 4 unused bytes.
const START: usize = 16;
/// Bytes before an event's body: its frame and its header.
const EVENT_HEADER: usize = 16;

/// Memory for one sequence, at a multiple of 8 as LV2 asks. `[side A]` but for [`AtomBuffer::with_bytes`].
pub struct AtomBuffer {
    words: Box<[u64]>,
    /// Bytes written.
    len: usize,
}

impl AtomBuffer {
    /// A buffer of at least so many bytes. `[side B]`
    pub fn with_bytes(bytes: usize) -> Self {
        let mut words: Box<[u64]> = vec![0; bytes.max(START).div_ceil(8)].into();
        // Each page is written once here, so that none has to be found in the audio callback.
        std::hint::black_box(&mut words).fill(0);
        let mut buffer = AtomBuffer { words, len: 0 };
        buffer.start_sequence();
        buffer
    }

    /// What the port is connected to.
    pub fn as_mut_ptr(&mut self) -> *mut u64 {
        self.words.as_mut_ptr()
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: any 8 bytes of a number may be read as bytes, which need no alignment.
        unsafe { std::slice::from_raw_parts(self.words.as_ptr().cast(), self.words.len() * 8) }
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`; any bytes make a number.
        unsafe { std::slice::from_raw_parts_mut(self.words.as_mut_ptr().cast(), self.words.len() * 8) }
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes_mut()[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn put_u32(&mut self, at: usize, number: u32) {
        self.put(at, &number.to_ne_bytes());
    }

    /// Makes an empty sequence of it, for a plugin to read.
    pub fn start_sequence(&mut self) {
        self.len = START;
        self.put_u32(4, urids().sequence);
        self.put(8, &[0; 8]);
        self.put_size();
    }

    /// Makes room of it, for a plugin to write a sequence.
    pub fn start_chunk(&mut self) {
        let size = self.bytes().len() - HEADER;
        self.put_u32(0, size as u32);
        self.put_u32(4, urids().chunk);
    }

    fn put_size(&mut self) {
        self.put_u32(0, (self.len - HEADER) as u32);
    }

    /// Adds an event; whether there was room.
    pub fn push(&mut self, frame: u32, kind: u32, body: &[u8]) -> bool {
        let Some(at) = self.begin(frame, kind, body.len()) else { return false };
        self.put(at, body);
        true
    }

    /// Adds an object: its class, and key, type and value of each property; whether there was room.
    pub fn push_object(&mut self, frame: u32, class: u32, properties: &[(u32, u32, &[u8])]) -> bool {
        let size: usize = properties.iter().map(|(_, _, value)| 16 + padded(value.len())).sum();
        let Some(mut at) = self.begin(frame, urids().object, HEADER + size) else { return false };
        self.put_u32(at, 0);
        self.put_u32(at + 4, class);
        at += HEADER;
        for (key, kind, value) in properties {
            self.put_u32(at, *key);
            self.put_u32(at + 4, 0);
            self.put_u32(at + 8, value.len() as u32);
            self.put_u32(at + 12, *kind);
            self.put(at + 16, &[0; 8][..padded(value.len()).min(8)]);
            self.put(at + 16, value);
            at += 16 + padded(value.len());
        }
        true
    }

    /// Writes the header of an event; where its body begins.
    fn begin(&mut self, frame: u32, kind: u32, size: usize) -> Option<usize> {
        let at = self.len;
        let end = at.checked_add(EVENT_HEADER)?.checked_add(padded(size))?;
        if end > self.bytes().len() {
            return None;
        }
        self.put(at, &i64::from(frame).to_ne_bytes());
        self.put_u32(at + 8, size as u32);
        self.put_u32(at + 12, kind);
        self.len = end;
        self.put_size();
        Some(at + EVENT_HEADER)
    }

    /// The events that a plugin wrote: frame, type and body. What does not fit together ends them.
    pub fn events(&self) -> impl Iterator<Item = (i64, u32, &[u8])> {
        let bytes = self.bytes();
        let is_sequence = u32_at(bytes, 4) == Some(urids().sequence);
        let size = if is_sequence { u32_at(bytes, 0).unwrap_or(0) as usize } else { 0 };
        let events = bytes.get(..HEADER.saturating_add(size)).unwrap_or_default();
        let mut at = START;
        std::iter::from_fn(move || {
            let frame = events.get(at..at + 8)?;
            let frame = i64::from_ne_bytes(frame.try_into().ok()?);
            let (kind, body) = atom_at(events, at + 8)?;
            at += EVENT_HEADER + padded(body.len());
            Some((frame, kind, body))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn events_are_read_as_they_were_written_and_what_does_not_fit_is_refused_whole() {
        let mut buffer = AtomBuffer::with_bytes(80);
        assert!(buffer.push(3, 77, &[1, 2, 3]));
        assert!(buffer.push(5, 78, &[4; 8]));
        assert!(!buffer.push(6, 79, &[5; 8]));
        assert!(buffer.push(7, 80, &[]));
        let events: Vec<_> = buffer.events().collect();
        assert_eq!(events, [(3, 77, &[1, 2, 3][..]), (5, 78, &[4; 8][..]), (7, 80, &[][..])]);
        buffer.start_chunk();
        assert_eq!(buffer.events().count(), 0);
        buffer.start_sequence();
        assert_eq!(buffer.events().count(), 0);
    }

    proptest! {
        #[test]
        fn whatever_a_plugin_writes_is_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..512), size in any::<u32>()) {
            let mut buffer = AtomBuffer::with_bytes(512);
            buffer.put(0, &bytes);
            buffer.put_u32(0, size);
            buffer.put_u32(4, urids().sequence);
            for (_, kind, body) in buffer.events() {
                super::super::atom::properties(body).for_each(drop);
                super::super::atom::renumber(kind, &mut body.to_vec(), super::super::atom::Known::New, &mut |id| id);
                super::super::atom::number(kind, body);
            }
        }
    }
}
