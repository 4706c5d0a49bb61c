//! Bytes cut into lines, inside one buffer that never grows.

use std::io::{self, Read};
use std::ops::Range;

use memchr::memchr;

/// What comes next.
pub(crate) enum Found {
    /// A line that is in the buffer as a whole, without its newline.
    Line(Range<usize>),
    /// The start of a line that is longer than the buffer.
    Long,
    /// The end of the input.
    End,
}

/// Each byte is looked at once for its newline, and moved once at most: the rest of a buffer goes to its
/// start before more is read.
pub(crate) struct Lines<R> {
    input: R,
    buffer: Box<[u8]>,
    /// First byte that was not given out.
    start: usize,
    /// No newline from `start` to here.
    scanned: usize,
    /// End of what was read.
    end: usize,
    /// Bytes that were given out.
    given: u64,
    /// The input has no more.
    is_over: bool,
}

impl<R: Read> Lines<R> {
    pub fn new(input: R, buffer_bytes: usize) -> Self {
        let buffer = vec![0; buffer_bytes].into_boxed_slice();
        Lines { input, buffer, start: 0, scanned: 0, end: 0, given: 0, is_over: false }
    }

    /// The next line. After [`Found::Long`] come [`Lines::part`]s.
    pub fn next(&mut self) -> io::Result<Found> {
        loop {
            if let Some(newline) = self.newline() {
                let line = self.start..newline;
                self.consume(newline + 1 - self.start);
                return Ok(Found::Line(line));
            }
            if self.is_over {
                // The last line may do without a newline.
                let line = self.start..self.end;
                self.consume(line.len());
                return Ok(if line.is_empty() { Found::End } else { Found::Line(line) });
            }
            if self.end - self.start == self.buffer.len() {
                return Ok(Found::Long);
            }
            self.fill()?;
        }
    }

    /// The bytes of a line that was found.
    pub fn bytes(&self, line: Range<usize>) -> &[u8] {
        &self.buffer[line]
    }

    /// What is in the buffer of the line that is read, and whether the line ends with it.
    pub fn part(&mut self) -> (&[u8], bool) {
        let newline = self.newline();
        (&self.buffer[self.start..newline.unwrap_or(self.end)], newline.is_some() || self.is_over)
    }

    /// Bytes of the input up to what comes next.
    pub fn given(&self) -> u64 {
        self.given
    }

    /// Gives `bytes` out.
    pub fn consume(&mut self, bytes: usize) {
        self.start += bytes;
        self.given += bytes as u64;
        self.scanned = self.scanned.max(self.start);
    }

    /// Goes to the start of the next line.
    pub fn skip_line(&mut self) -> io::Result<()> {
        loop {
            if let Some(newline) = self.newline() {
                self.consume(newline + 1 - self.start);
                return Ok(());
            }
            self.consume(self.end - self.start);
            if self.is_over {
                return Ok(());
            }
            self.fill()?;
        }
    }

    /// Reads more, after what is in the buffer.
    pub fn fill(&mut self) -> io::Result<()> {
        if self.end == self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            self.scanned -= self.start;
            self.end -= self.start;
            self.start = 0;
        }
        let bytes = loop {
            match self.input.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        self.is_over = bytes == 0;
        self.end += bytes;
        Ok(())
    }

    fn newline(&mut self) -> Option<usize> {
        let found = memchr(b'\n', &self.buffer[self.scanned..self.end]).map(|i| self.scanned + i);
        self.scanned = found.unwrap_or(self.end);
        found
    }
}
