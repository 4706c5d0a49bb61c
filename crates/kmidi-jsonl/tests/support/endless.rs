//! JSON Lines of any size that are nowhere stored.

use std::io::{self, Read};

const LINE: &[u8] =
    b"{\"domain\":\"working\",\"bytes\":123456,\"frames\":[\"alloc::vec\",\"kmidi::render\"]}\n";
const ELEMENT: &[u8] = b"123,";

/// Lines of a few words.
pub fn lines(count: u64) -> impl Read {
    Repeated { part: LINE, at: 0, end: count * LINE.len() as u64 }
}

/// How many [`lines`] have so many bytes.
pub fn lines_in(bytes: u64) -> u64 {
    bytes / LINE.len() as u64
}

/// A list of numbers on one line of about so many bytes.
pub fn one_line(bytes: u64) -> impl Read {
    let end = bytes.next_multiple_of(ELEMENT.len() as u64) - 1;
    b"[".chain(Repeated { part: ELEMENT, at: 0, end }).chain(&b"]"[..])
}

/// The same part again and again.
struct Repeated {
    part: &'static [u8],
    at: u64,
    end: u64,
}

impl Read for Repeated {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut given = 0;
        while given < buffer.len() && self.at < self.end {
            let from = (self.at % self.part.len() as u64) as usize;
            let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
            let bytes = (self.part.len() - from).min(buffer.len() - given).min(left);
            buffer[given..given + bytes].copy_from_slice(&self.part[from..from + bytes]);
            (given, self.at) = (given + bytes, self.at + bytes as u64);
        }
        Ok(given)
    }
}
