//! Which effects can stay where they are while others move.

use std::collections::BTreeMap;

use kmidi_graph::NodeId;

use super::wiring::{Place, Wiring};

/// The row without the fewest effects that must be taken out first, so that none has to stand before and behind
/// another at the same time: it comes in again from there.
pub(super) fn without_movers<'a>(row: &[Place<'a>], now: &Wiring) -> Vec<Place<'a>> {
    let depths = depths(now);
    let depth = |place: &Place| depths.get(&place.nodes.junction).copied().filter(|_| place.is_effect());
    let placed: Vec<(usize, usize)> =
        row.iter().enumerate().filter_map(|(at, place)| Some((at, depth(place)?))).collect();
    let staying = longest_rise(&placed);
    let moves = |at: &usize| placed.iter().any(|(other, _)| other == at) && !staying.contains(at);
    row.iter().enumerate().filter(|(at, _)| !moves(at)).map(|(_, place)| place.clone()).collect()
}

/// How many nodes sound comes through, at most, before it comes to each.
fn depths(wiring: &Wiring) -> BTreeMap<NodeId, usize> {
    let mut depths: BTreeMap<NodeId, usize> = BTreeMap::new();
    // No way is longer than there are connections.
    for _ in 0..wiring.audio.len() {
        let mut changed = false;
        for &(from, to) in wiring.audio.keys() {
            let depth = depths.get(&from).copied().unwrap_or(0) + 1;
            let own = depths.entry(to).or_insert(0);
            changed |= depth > *own;
            *own = depth.max(*own);
        }
        if !changed {
            break;
        }
    }
    depths
}

/// The first parts of a longest run of pairs whose second parts rise.
fn longest_rise(pairs: &[(usize, usize)]) -> Vec<usize> {
    let mut best: Vec<Vec<usize>> = vec![];
    for (n, &(at, depth)) in pairs.iter().enumerate() {
        let before = (0..n).filter(|&m| pairs[m].1 < depth).max_by_key(|&m| best[m].len());
        let mut run = before.map_or(vec![], |m| best[m].clone());
        run.push(at);
        best.push(run);
    }
    best.into_iter().max_by_key(Vec::len).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_few_as_can_be_move() {
        let staying = |depths: &[usize]| {
            let pairs: Vec<_> = depths.iter().copied().enumerate().collect();
            longest_rise(&pairs).into_iter().map(|at| depths[at]).collect::<Vec<_>>()
        };
        assert_eq!(staying(&[1, 2, 3]), [1, 2, 3]);
        assert_eq!(staying(&[3, 1, 2]), [1, 2], "the last one went to the front");
        assert_eq!(staying(&[2, 3, 1]), [2, 3], "the first one went to the end");
        assert_eq!(staying(&[3, 2, 1]).len(), 1);
        assert!(staying(&[]).is_empty());
    }
}
