use std::fmt;
use std::io::{self, Read};
use std::marker::PhantomData;
use std::str;

use serde::de::DeserializeOwned;

use crate::lines::{Found, Lines};
use crate::long_line::{LongLine, Trouble};

/// Bad lines whose numbers and reasons are kept; the others are counted.
pub const MOST_BAD_LINES: usize = 32;

const BUFFER_BYTES: usize = 64 << 10;
/// A line may have so many bytes where nothing else was asked for.
const LINE_BYTES: u64 = 64 << 20;
/// A reason may quote what was read: so much of it is kept.
const REASON_BYTES: usize = 200;

/// The values of a file, line by line: an iterator. `[side B]`
///
/// Lines may end with CR LF, the last one without any; empty ones are passed over; a byte order mark is
/// allowed at the start. A line that is none of JSON, not a `T`, not UTF-8 or too long is skipped:
/// [`Reader::bad_lines`]. An error of the input ends the iterator.
///
/// ```
/// use kmidi_jsonl::Reader;
///
/// let file = b"[1, 2]\r\noops\n\n[3]";
/// let mut reader = Reader::<_, Vec<u8>>::new(&file[..]);
/// let lines: Vec<_> = reader.by_ref().map(|it| it.map(|record| (record.line, record.value))).collect::<Result<_, _>>()?;
/// assert_eq!(lines, [(1, vec![1, 2]), (4, vec![3])]);
/// assert_eq!(reader.bad_lines(), 1);
/// assert_eq!(reader.first_bad_lines()[0].to_string(), "line 2: expected value at column 1");
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Reader<R, T> {
    lines: Lines<R>,
    most_line_bytes: u64,
    /// Lines so far.
    number: u64,
    bad_lines: u64,
    first_bad_lines: Vec<BadLine>,
    /// The input has failed.
    is_over: bool,
    values: PhantomData<fn() -> T>,
}

/// A line that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<T> {
    /// Its number, from 1.
    pub line: u64,
    /// Bytes of the input before it.
    pub offset: u64,
    /// What is on it.
    pub value: T,
}

/// A line that was skipped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct BadLine {
    /// Its number, from 1.
    pub line: u64,
    /// Why.
    pub reason: Reason,
}

/// Why a line was skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is not JSON, or another value than was asked for.
    Json {
        /// Bytes from the start of the line, from 1; 0 where the line ended too soon to tell.
        column: usize,
        /// What is wrong there.
        text: String,
    },
    /// It is not UTF-8.
    NotUtf8,
    /// It is longer than it may be.
    TooLong {
        /// So many bytes are allowed.
        most_bytes: u64,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Json { column, text } => write!(f, "{text} at column {column}"),
            Reason::NotUtf8 => f.write_str("not UTF-8"),
            Reason::TooLong { most_bytes } => write!(f, "longer than {most_bytes} bytes"),
        }
    }
}

impl<R: Read, T: DeserializeOwned> Reader<R, T> {
    /// Reads lines of up to 64 MiB.
    pub fn new(input: R) -> Self {
        Self::with_capacity(BUFFER_BYTES, input)
    }

    /// The same with a buffer of this many bytes, 4 at least: all the memory that the reader takes.
    pub fn with_capacity(buffer_bytes: usize, input: R) -> Self {
        Reader {
            // A character and a byte order mark fit in.
            lines: Lines::new(input, buffer_bytes.max(4)),
            most_line_bytes: LINE_BYTES,
            number: 0,
            bad_lines: 0,
            first_bad_lines: vec![],
            is_over: false,
            values: PhantomData,
        }
    }

    /// Skips lines that are longer than this, without their newline.
    #[must_use]
    pub fn most_line_bytes(mut self, bytes: u64) -> Self {
        self.most_line_bytes = bytes;
        self
    }

    /// Lines that were skipped so far.
    pub fn bad_lines(&self) -> u64 {
        self.bad_lines
    }

    /// The first [`MOST_BAD_LINES`] of them.
    pub fn first_bad_lines(&self) -> &[BadLine] {
        &self.first_bad_lines
    }

    /// Bytes of the input up to the line that comes next.
    pub fn offset(&self) -> u64 {
        self.lines.given()
    }

    /// The next line that is good; None at the end.
    fn read(&mut self) -> io::Result<Option<Record<T>>> {
        loop {
            let offset = self.lines.given();
            let found = self.lines.next()?;
            self.number += 1;
            let parsed = match found {
                Found::End => return Ok(None),
                Found::Line(line) => {
                    let mark = byte_order_mark(self.number, self.lines.bytes(line.clone()));
                    parse(&self.lines.bytes(line)[mark..], self.most_line_bytes)
                }
                Found::Long => self.parse_long()?,
            };
            match parsed {
                Ok(None) => {}
                Ok(Some(value)) => return Ok(Some(Record { line: self.number, offset, value })),
                Err(reason) => self.report(reason),
            }
        }
    }

    /// A line that does not fit the buffer.
    fn parse_long(&mut self) -> io::Result<Result<Option<T>, Reason>> {
        let mark = byte_order_mark(self.number, self.lines.part().0);
        self.lines.consume(mark);
        let mut line = LongLine::new(&mut self.lines, self.most_line_bytes);
        let mut parser = serde_json::Deserializer::from_reader(&mut line);
        let parsed = T::deserialize(&mut parser).and_then(|value| parser.end().map(|()| value));
        let (trouble, is_blank) = line.end();
        let parsed = match trouble {
            Some(Trouble::Input(error)) => return Err(error),
            Some(Trouble::NotUtf8) => Err(Reason::NotUtf8),
            Some(Trouble::TooLong) => Err(Reason::TooLong { most_bytes: self.most_line_bytes }),
            None if is_blank => Ok(None),
            None => parsed.map(Some).map_err(|error| reason(&error)),
        };
        self.lines.skip_line()?;
        Ok(parsed)
    }

    fn report(&mut self, reason: Reason) {
        self.bad_lines += 1;
        if self.first_bad_lines.len() < MOST_BAD_LINES {
            self.first_bad_lines.push(BadLine { line: self.number, reason });
        }
    }
}

impl<R: Read, T: DeserializeOwned> Iterator for Reader<R, T> {
    type Item = io::Result<Record<T>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let next = self.read().transpose();
        self.is_over = !matches!(next, Some(Ok(_)));
        next
    }
}

/// A line that is there as a whole; None if there is nothing on it.
fn parse<T: DeserializeOwned>(line: &[u8], most_bytes: u64) -> Result<Option<T>, Reason> {
    if line.len() as u64 > most_bytes {
        return Err(Reason::TooLong { most_bytes });
    }
    if is_blank(line) {
        return Ok(None);
    }
    // The parser looks only at the characters that it keeps.
    let line = str::from_utf8(line).map_err(|_| Reason::NotUtf8)?;
    serde_json::from_str(line).map(Some).map_err(|error| reason(&error))
}

/// Whether there is nothing but what JSON passes over.
pub(crate) fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
}

/// The length of the mark with which some editors begin a file.
fn byte_order_mark(line: u64, bytes: &[u8]) -> usize {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    if line == 1 && bytes.starts_with(MARK) { MARK.len() } else { 0 }
}

fn reason(error: &serde_json::Error) -> Reason {
    let mut text = error.to_string();
    // The parser saw one line only, and counts it.
    if let Some(place) = text.rfind(" at line ") {
        text.truncate(place);
    }
    text.truncate(text.floor_char_boundary(REASON_BYTES));
    Reason::Json { column: error.column(), text }
}
