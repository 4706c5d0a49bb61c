//! What the audio half of a plugin tells its main half.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Tellings that can wait; more are dropped and counted.
const RING: usize = 1024;
/// Bytes of a message of a plugin; the rest is cut off.
const TEXT: usize = 112;

/// What a plugin said while it ran.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Told {
    /// It changed a parameter itself, or an output parameter changed.
    Parameter {
        /// Which.
        id: u32,
        /// Its value in the units of [`Parameter`](crate::Parameter).
        value: f64,
    },
    /// A line for the log.
    Log(Line),
    /// It failed in a quantum and was silent in it.
    ProcessFailed,
}

/// A line of text of fixed size.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Line {
    len: u8,
    bytes: [u8; TEXT],
}

impl Line {
    /// The text, cut where it is too long. `[side A]`
    pub fn new(text: &str) -> Self {
        let mut len = text.len().min(TEXT);
        while !text.is_char_boundary(len) {
            len -= 1;
        }
        let mut bytes = [0; TEXT];
        bytes[..len].copy_from_slice(&text.as_bytes()[..len]);
        Line { len: len as u8, bytes }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or_default()
    }
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_str().fmt(f)
    }
}

/// The audio half's end. `[side A]`
pub(crate) struct Teller {
    ring: rtrb::Producer<Told>,
    lost: Arc<AtomicU64>,
}

impl Teller {
    /// Says it, or counts it as lost where the ring is full.
    pub fn tell(&mut self, told: Told) {
        if self.ring.push(told).is_err() {
            self.lost.fetch_add(1, Relaxed);
        }
    }
}

/// The main half's end.
pub struct Tellings {
    ring: rtrb::Consumer<Told>,
    lost: Arc<AtomicU64>,
}

impl Tellings {
    /// The next one.
    #[allow(clippy::should_implement_trait, reason = "more may come after the last")]
    pub fn next(&mut self) -> Option<Told> {
        self.ring.pop().ok()
    }

    /// How many did not fit.
    pub fn lost(&self) -> u64 {
        self.lost.load(Relaxed)
    }
}

/// Both ends.
pub(crate) fn tellings() -> (Teller, Tellings) {
    let (producer, consumer) = rtrb::RingBuffer::new(RING);
    let lost = Arc::new(AtomicU64::new(0));
    (Teller { ring: producer, lost: lost.clone() }, Tellings { ring: consumer, lost })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_that_tells_too_much_is_counted_and_a_long_line_is_cut_between_characters() {
        let (mut teller, mut tellings) = tellings();
        for _ in 0..RING + 5 {
            teller.tell(Told::ProcessFailed);
        }
        assert_eq!(std::iter::from_fn(|| tellings.next()).count(), RING);
        assert_eq!(tellings.lost(), 5);
        let line = Line::new(&"é".repeat(TEXT));
        assert_eq!(line.as_str(), "é".repeat(TEXT / 2));
    }
}
