//! Atoms: their bytes, and the numbers of URIs in them.
//!
//! An atom is a header of its body's size and its type (4 bytes each) and the body. What stands in a row starts at
//! multiples of 8 bytes.

use super::urid::urids;

/// Bytes of the header of an atom.
pub const HEADER: usize = 8;
/// Deepest nesting that is followed.
const MAX_DEPTH: u32 = 16;

/// The next multiple of 8.
pub const fn padded(bytes: usize) -> usize {
    bytes.saturating_add(7) & !7
}

/// The number at `at`.
pub fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_ne_bytes(four.try_into().ok()?))
}

/// The atom at the start of the bytes: type and body.
pub fn atom_at(bytes: &[u8], at: usize) -> Option<(u32, &[u8])> {
    let size = u32_at(bytes, at)? as usize;
    let kind = u32_at(bytes, at + 4)?;
    let start = at + HEADER;
    Some((kind, bytes.get(start..start.checked_add(size)?)?))
}

/// Whether bodies of this type are objects (the two names of old among them).
pub fn is_object(kind: u32) -> bool {
    let urids = urids();
    [urids.object, urids.blank, urids.resource].contains(&kind)
}

/// The number that an atom stands for.
pub fn number(kind: u32, body: &[u8]) -> Option<f64> {
    let urids = urids();
    let four = body.first_chunk::<4>();
    let eight = body.first_chunk::<8>();
    let number = match kind {
        _ if kind == urids.float => f64::from(f32::from_ne_bytes(*four?)),
        _ if kind == urids.double => f64::from_ne_bytes(*eight?),
        _ if kind == urids.int => f64::from(i32::from_ne_bytes(*four?)),
        _ if kind == urids.long => i64::from_ne_bytes(*eight?) as f64,
        _ if kind == urids.bool => f64::from(u8::from(i32::from_ne_bytes(*four?) != 0)),
        _ => return None,
    };
    number.is_finite().then_some(number)
}

/// The properties of an object's body: key, type, value.
pub fn properties(body: &[u8]) -> impl Iterator<Item = (u32, u32, &[u8])> {
    let mut at = HEADER;
    std::iter::from_fn(move || {
        let key = u32_at(body, at)?;
        let (kind, value) = atom_at(body, at + 8)?;
        at += 8 + padded(HEADER + value.len());
        Some((key, kind, value))
    })
}

/// The class of an object's body.
pub fn class(body: &[u8]) -> Option<u32> {
    u32_at(body, 4)
}

/// Which numbers of types are those of this process while an atom is renumbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Those that are replaced: the atom goes out.
    Old,
    /// Those that they are replaced with: the atom comes in.
    New,
}

/// Gives every URID in the body of an atom to `renumber`, whatever it is nested in. `kind` is a number of this process.
/// The bytes of types that this host does not know are left alone. `[side B]`
pub fn renumber(kind: u32, body: &mut [u8], known: Known, renumber: &mut dyn FnMut(u32) -> u32) {
    Walk { renumber, known }.body(kind, body, MAX_DEPTH);
}

struct Walk<'a> {
    renumber: &'a mut dyn FnMut(u32) -> u32,
    known: Known,
}

impl Walk<'_> {
    fn body(&mut self, kind: u32, body: &mut [u8], depth: u32) {
        let urids = urids();
        if depth == 0 {
            return;
        }
        match kind {
            _ if kind == urids.urid => {
                self.replace(body, 0);
            }
            _ if kind == urids.literal => {
                self.replace(body, 0);
                self.replace(body, 4);
            }
            _ if kind == urids.property => {
                self.replace(body, 0);
                self.atom(body, 8, depth);
            }
            _ if kind == urids.vector => self.vector(body, depth),
            _ if kind == urids.tuple => self.row(body, 0, 0, depth),
            _ if kind == urids.sequence => {
                self.replace(body, 0);
                self.row(body, 8, 8, depth);
            }
            _ if is_object(kind) => self.object(body, depth),
            _ => {}
        }
    }

    fn object(&mut self, body: &mut [u8], depth: u32) {
        self.replace(body, 0);
        self.replace(body, 4);
        let mut at = HEADER;
        while at + 8 <= body.len() {
            self.replace(body, at);
            self.replace(body, at + 4);
            let Some(size) = self.atom(body, at + 8, depth) else { break };
            at += 8 + padded(HEADER + size);
        }
    }

    /// Atoms one after the other, each behind `before` bytes of something else.
    fn row(&mut self, body: &mut [u8], start: usize, before: usize, depth: u32) {
        let mut at = start;
        while let Some(size) = self.atom(body, at + before, depth) {
            at += before + padded(HEADER + size);
        }
    }

    fn vector(&mut self, body: &mut [u8], depth: u32) {
        let Some(size) = u32_at(body, 0) else { return };
        let Some(kind) = self.replace(body, 4) else { return };
        if size == 0 {
            return;
        }
        for element in body[8..].chunks_exact_mut(size as usize) {
            self.body(kind, element, depth - 1);
        }
    }

    /// The atom at `at`; the size of its body.
    fn atom(&mut self, body: &mut [u8], at: usize, depth: u32) -> Option<usize> {
        let size = atom_at(body, at)?.1.len();
        let kind = self.replace(body, at + 4);
        let start = at + HEADER;
        if let Some(kind) = kind {
            self.body(kind, &mut body[start..start + size], depth - 1);
        }
        Some(size)
    }

    /// Replaces the URID at `at` and gives the one of this process; 0 is none and stays.
    fn replace(&mut self, body: &mut [u8], at: usize) -> Option<u32> {
        let old = u32_at(body, at).filter(|id| *id != 0)?;
        let new = (self.renumber)(old);
        body[at..at + 4].copy_from_slice(&new.to_ne_bytes());
        Some(if self.known == Known::Old { old } else { new })
    }
}
