//! From what the network says to notes.
//!
//! [`create`] is what the package of the network does with a whole piece. A [`Roll`] holds as much of a piece as has
//! room: a longer one is taken piece by piece, each with what follows it in view.

mod create;
#[cfg(test)]
mod golden;
mod mean;
mod roll;

pub(super) use roll::Roll;

use super::network::{CONTOURS, KEYS};

/// The key of the first column.
pub(super) const LOWEST_KEY: u8 = 21;

/// What decides which notes there are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rules {
    /// What an onset is at least.
    pub onset_threshold: f64,
    /// What a frame of a note is at least.
    pub frame_threshold: f64,
    /// A note of so many frames, or fewer, is none.
    pub min_frames: usize,
    /// The first column that counts, and the one behind the last.
    pub keys: (usize, usize),
}

/// A note in frames.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FrameNote {
    /// First frame.
    pub start: u64,
    /// Frame behind the last.
    pub end: u64,
    /// Column.
    pub key: usize,
    /// Mean of its frames, 0 to 1.
    pub amplitude: f32,
    /// For each frame, thirds of a semitone from the key.
    pub bends: Vec<i8>,
}

/// Thirds of a semitone on each side of a key among which its pitch is looked for.
const REACH: usize = 25;

/// Where the pitch of each key is in a frame, in thirds of a semitone from the key: the likeliest, with what is near
/// the key before what is far.
pub(super) struct BendFinder {
    nearness: [f64; 2 * REACH + 1],
}

impl BendFinder {
    pub fn new() -> Self {
        let bell = |n: usize| {
            let away = n as f64 - REACH as f64;
            (-(away * away) / 50.0).exp()
        };
        BendFinder { nearness: std::array::from_fn(bell) }
    }

    /// The bend of a key.
    pub fn of(&self, contours: &[f32], key: usize) -> i8 {
        let middle = 3 * key;
        let first = middle.saturating_sub(REACH);
        let end = (middle + REACH + 1).min(CONTOURS);
        let nearness = &self.nearness[first + REACH - middle..];
        let (mut best, mut at) = (f64::NEG_INFINITY, first);
        for (n, (contour, nearness)) in contours[first..end].iter().zip(nearness).enumerate() {
            let value = f64::from(*contour) * nearness;
            if value > best {
                (best, at) = (value, first + n);
            }
        }
        // Both lie within the reach.
        (at as i64 - middle as i64) as i8
    }
}

/// One bit for each key.
type Keys = u128;

/// A key with its neighbours: what a note silences.
fn with_neighbours(key: usize) -> Keys {
    let mut keys = 1 << key;
    if key > 0 {
        keys |= 1 << (key - 1);
    }
    if key < KEYS - 1 {
        keys |= 1 << (key + 1);
    }
    keys
}
