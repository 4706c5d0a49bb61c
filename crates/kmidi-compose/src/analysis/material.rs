//! Which sections are the same music again.
use std::fmt;

use super::sections::{Window, cosine, difference};

/// Music that may come several times, counted in the order of its first appearance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Material(usize);

impl fmt::Display for Material {
    /// `A` to `Z`, then `A1` and so on.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = char::from(b'A' + (self.0 % 26) as u8);
        match self.0 / 26 {
            0 => write!(f, "{letter}"),
            round => write!(f, "{letter}{round}"),
        }
    }
}

/// Likeness from which two sections are the same music.
const SAME: f64 = 0.86;

/// The material of each span of windows.
pub(crate) fn materials(windows: &[Window], spans: &[(usize, usize)]) -> Vec<Material> {
    let mut known: Vec<(usize, usize)> = vec![];
    spans
        .iter()
        .map(|&(first, end)| {
            let likeness = |&(other_first, other_end): &(usize, usize)| {
                likeness(&windows[first..end], &windows[other_first..other_end])
            };
            let best = (0..known.len()).max_by(|&a, &b| likeness(&known[a]).total_cmp(&likeness(&known[b])));
            match best.filter(|&at| likeness(&known[at]) >= SAME) {
                Some(at) => Material(at),
                None => {
                    known.push((first, end));
                    Material(known.len() - 1)
                }
            }
        })
        .collect()
}

/// 0 to 1: the tones of the windows one by one in the same order, as far as both go, and the manner of all of it.
fn likeness(one: &[Window], other: &[Window]) -> f64 {
    let common = one.len().min(other.len());
    let in_order: f64 =
        one.iter().zip(other).map(|(a, b)| cosine(&a.chroma, &b.chroma)).sum::<f64>() / common.max(1) as f64;
    0.5 * in_order + 0.5 * (1.0 - difference(one, other))
}
