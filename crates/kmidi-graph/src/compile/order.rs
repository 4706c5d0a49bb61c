use std::collections::BTreeMap;

use super::CompileError;
use crate::graph::{Graph, NodeId};

/// The nodes in an order in which each comes after all that feed it.
pub fn order(graph: &Graph) -> Result<Vec<NodeId>, CompileError> {
    let edges: Vec<(NodeId, NodeId)> = edges(graph).collect();
    let mut unmet: BTreeMap<NodeId, usize> = graph.nodes.keys().map(|id| (*id, 0)).collect();
    for (_, to) in &edges {
        *unmet.get_mut(to).expect("edges end at nodes") += 1;
    }
    let mut ready: Vec<NodeId> = unmet.iter().filter(|(_, n)| **n == 0).map(|(id, _)| *id).rev().collect();
    let mut order = Vec::with_capacity(graph.nodes.len());
    while let Some(id) = ready.pop() {
        order.push(id);
        for (_, to) in edges.iter().filter(|(from, _)| *from == id) {
            let left = unmet.get_mut(to).expect("edges end at nodes");
            *left -= 1;
            if *left == 0 {
                ready.push(*to);
            }
        }
    }
    if order.len() < graph.nodes.len() {
        unmet.retain(|id, _| !order.contains(id));
        return Err(cycle(graph, &edges, &unmet));
    }
    Ok(order)
}

fn edges(graph: &Graph) -> impl Iterator<Item = (NodeId, NodeId)> + '_ {
    let audio = graph.audio.keys().map(|key| (key.from.0, key.to.0));
    audio.chain(graph.events.keys().map(|key| (key.from.0, key.to.0)))
}

/// Walks backwards among the nodes that could not be ordered until one comes again.
fn cycle(graph: &Graph, edges: &[(NodeId, NodeId)], left: &BTreeMap<NodeId, usize>) -> CompileError {
    let mut path: Vec<NodeId> = left.keys().take(1).copied().collect();
    while let Some(&at) = path.last() {
        let before = edges.iter().find(|(from, to)| *to == at && left.contains_key(from));
        let Some(&(before, _)) = before else { break };
        if let Some(start) = path.iter().position(|id| *id == before) {
            path.drain(..start);
            path.push(before);
            break;
        }
        path.push(before);
    }
    path.reverse();
    CompileError::Cycle(path.into_iter().map(|id| graph.name(id)).collect())
}
