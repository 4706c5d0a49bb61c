//! What must hold for any bytes at all that are read as JSON Lines, however they come. The fuzz target and
//! the tests both come here.

use std::io::{self, Read};

use kmidi_jsonl::Reader;
use serde_json::Value;

/// Lines longer than this are bad, here.
const MOST_LINE_BYTES: u64 = 100;

/// Panics if anything about these bytes is not as promised, whatever the buffer and the reads.
pub fn check(bytes: &[u8]) {
    let expected = expected(bytes);
    for (buffer_bytes, seed) in [(4, 1), (7, 2), (16, 3), (64, 4), (4096, 5), (4096, 0)] {
        let input = ShortReads { bytes, state: seed };
        let mut reader = Reader::with_capacity(buffer_bytes, input).most_line_bytes(MOST_LINE_BYTES);
        let starts = starts(bytes);
        let read = reader.by_ref().map(|it| {
            it.map(|record| {
                assert_eq!(record.offset, starts[record.line as usize - 1]);
                (record.line, record.value)
            })
        });
        let read: io::Result<Vec<_>> = read.collect();
        assert_eq!(reader.offset(), bytes.len() as u64);
        let read = (read.expect("nothing fails here"), reader.bad_lines());
        assert_eq!(read, expected, "with a buffer of {buffer_bytes} bytes");
        assert!(reader.first_bad_lines().len() as u64 <= reader.bad_lines());
        assert!(reader.first_bad_lines().is_sorted_by(|a, b| a.line < b.line));
    }
}

/// Where each line begins.
fn starts(bytes: &[u8]) -> Vec<u64> {
    let behind = bytes.iter().zip(1..).filter(|(byte, _)| **byte == b'\n').map(|(_, behind)| behind);
    std::iter::once(0).chain(behind).collect()
}

/// The good lines and the number of bad ones, read in the plainest way.
fn expected(bytes: &[u8]) -> (Vec<(u64, Value)>, u64) {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let (mut good, mut bad) = (vec![], 0);
    for (number, line) in (1..).zip(bytes.split(|&byte| byte == b'\n')) {
        let is_short = line.len() as u64 <= MOST_LINE_BYTES;
        let text = std::str::from_utf8(line).ok().filter(|_| is_short);
        match text.map(|text| text.trim_matches([' ', '\t', '\r'])) {
            Some("") => {}
            Some(text) => match serde_json::from_str(text) {
                Ok(value) => good.push((number, value)),
                Err(_) => bad += 1,
            },
            None => bad += 1,
        }
    }
    (good, bad)
}

/// Gives a few bytes at a time, with an interruption here and there; all at once where the state is 0.
struct ShortReads<'a> {
    bytes: &'a [u8],
    state: u32,
}

impl Read for ShortReads<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.state = self.state.wrapping_mul(0x0019_660d).wrapping_add(self.state.min(1) * 0x3c6e_f35f);
        let most = match self.state {
            0 => usize::MAX,
            state if state >> 29 == 0 => return Err(io::ErrorKind::Interrupted.into()),
            state => (state >> 24) as usize % 9 + 1,
        };
        let most = buffer.len().min(most);
        self.bytes.read(&mut buffer[..most])
    }
}
