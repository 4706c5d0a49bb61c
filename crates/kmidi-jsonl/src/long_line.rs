//! A line that is longer than the buffer, as a parser reads it: part by part.

use std::io::{self, Read};
use std::str;

use crate::lines::Lines;
use crate::reader::is_blank;

/// Why a long line cannot be read on.
#[derive(Debug)]
pub(crate) enum Trouble {
    TooLong,
    NotUtf8,
    Input(io::Error),
}

/// Ends where the line does. Each part is checked before it is given out.
pub(crate) struct LongLine<'a, R> {
    lines: &'a mut Lines<R>,
    most_bytes: u64,
    /// Checked so far.
    bytes: u64,
    /// Checked, and not given out.
    ready: usize,
    is_over: bool,
    is_blank: bool,
    trouble: Option<Trouble>,
}

impl<'a, R: Read> LongLine<'a, R> {
    pub fn new(lines: &'a mut Lines<R>, most_bytes: u64) -> Self {
        LongLine { lines, most_bytes, bytes: 0, ready: 0, is_over: false, is_blank: true, trouble: None }
    }

    /// What stopped the parser, if it was not the JSON; and whether there was nothing on the line so far.
    pub fn end(self) -> (Option<Trouble>, bool) {
        (self.trouble, self.is_blank)
    }

    /// Makes something ready, unless the line is over.
    fn advance(&mut self) -> Result<(), Trouble> {
        while self.ready == 0 && !self.is_over {
            let (part, is_last) = self.lines.part();
            let valid = match str::from_utf8(part) {
                Ok(_) => part.len(),
                // A character may be cut where the buffer ends.
                Err(error) if error.error_len().is_none() && !is_last => error.valid_up_to(),
                Err(_) => return Err(Trouble::NotUtf8),
            };
            self.is_blank = self.is_blank && is_blank(&part[..valid]);
            self.bytes += valid as u64;
            if self.bytes > self.most_bytes {
                return Err(Trouble::TooLong);
            }
            (self.ready, self.is_over) = (valid, is_last);
            if valid == 0 && !is_last {
                self.lines.fill().map_err(Trouble::Input)?;
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for LongLine<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ready == 0
            && let Err(trouble) = self.advance()
        {
            self.trouble = Some(trouble);
            // The parser passes it on as it is; what is told is the trouble itself.
            return Err(io::ErrorKind::Other.into());
        }
        let bytes = self.ready.min(buffer.len());
        let (part, _) = self.lines.part();
        buffer[..bytes].copy_from_slice(&part[..bytes]);
        self.lines.consume(bytes);
        self.ready -= bytes;
        Ok(bytes)
    }
}
