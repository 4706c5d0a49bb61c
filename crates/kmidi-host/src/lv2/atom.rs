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

/// Gives every URID in the body of an atom to `renumber`, whatever it is nested in. The bytes of types that it does not
/// know it leaves alone. `[side B]`
pub fn renumber(kind: u32, body: &mut [u8], renumber: &mut dyn FnMut(u32) -> u32) {
    walk(kind, body, renumber, MAX_DEPTH);
}

fn walk(kind: u32, body: &mut [u8], renumber: &mut dyn FnMut(u32) -> u32, depth: u32) {
    let urids = urids();
    if depth == 0 {
        return;
    }
    match kind {
        _ if kind == urids.urid => replace(body, 0, renumber),
        _ if kind == urids.literal => {
            replace(body, 0, renumber);
            replace(body, 4, renumber);
        }
        _ if kind == urids.property => {
            replace(body, 0, renumber);
            walk_atom(body, 8, renumber, depth);
        }
        _ if kind == urids.vector => walk_vector(body, renumber, depth),
        _ if kind == urids.tuple => walk_row(body, 0, 0, renumber, depth),
        _ if kind == urids.sequence => {
            replace(body, 0, renumber);
            walk_row(body, 8, 8, renumber, depth);
        }
        _ if is_object(kind) => {
            replace(body, 0, renumber);
            replace(body, 4, renumber);
            let mut at = HEADER;
            while at + 8 <= body.len() {
                replace(body, at, renumber);
                replace(body, at + 4, renumber);
                let Some(size) = walk_atom(body, at + 8, renumber, depth) else { break };
                at += 8 + padded(HEADER + size);
            }
        }
        _ => {}
    }
}

/// Atoms one after the other, each behind `before` bytes of something else.
fn walk_row(body: &mut [u8], start: usize, before: usize, f: &mut dyn FnMut(u32) -> u32, depth: u32) {
    let mut at = start;
    while let Some(size) = walk_atom(body, at + before, f, depth) {
        at += before + padded(HEADER + size);
    }
}

fn walk_vector(body: &mut [u8], f: &mut dyn FnMut(u32) -> u32, depth: u32) {
    let (Some(size), Some(kind)) = (u32_at(body, 0), u32_at(body, 4)) else { return };
    replace(body, 4, f);
    if size == 0 {
        return;
    }
    for element in body[8..].chunks_exact_mut(size as usize) {
        walk(kind, element, f, depth - 1);
    }
}

/// Walks the atom at `at`; the size of its body.
fn walk_atom(body: &mut [u8], at: usize, f: &mut dyn FnMut(u32) -> u32, depth: u32) -> Option<usize> {
    let (kind, value) = atom_at(body, at)?;
    let size = value.len();
    replace(body, at + 4, f);
    let start = at + HEADER;
    walk(kind, &mut body[start..start + size], f, depth - 1);
    Some(size)
}

/// Replaces the URID at `at`; 0 is none and stays.
fn replace(body: &mut [u8], at: usize, renumber: &mut dyn FnMut(u32) -> u32) {
    if let Some(id) = u32_at(body, at).filter(|id| *id != 0) {
        body[at..at + 4].copy_from_slice(&renumber(id).to_ne_bytes());
    }
}
