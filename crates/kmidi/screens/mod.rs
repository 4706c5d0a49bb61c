//! Terminal screens: clients of a session, drawn from its snapshots.

pub mod keys;
pub mod memory;
pub mod player;
pub mod rack;
pub mod terminal;
