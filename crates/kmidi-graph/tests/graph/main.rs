//! The compiled graph: what arrives, when, and what happens to it when the graph changes.

mod rig;

mod fades;
mod guards;
mod latencies;
mod random_graphs;
mod refusals;
mod rewiring;
mod silence;
