//! CLAP plugins through the face that every format has.

mod allocations;
mod description;
mod events;
mod latency;
mod life;
mod probe;
mod rig;
mod sound;

/// Counts what this binary allocates; a plugin has an allocator of its own.
#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;
