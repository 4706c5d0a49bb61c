//! Every plugin of others that is installed, each in a process of its own: found, loaded, run, its state carried over,
//! unloaded. What came of it is a table, in the output and in `target/plugin-tables/`.

mod callbacks;
mod child;
mod clap;
mod lv2;
#[path = "../vst3/rig.rs"]
mod rig;
mod run;
mod table;
mod vst3;

use assert_no_alloc::AllocDisabler;

/// Sees what the host allocates, not what plugins do: these have allocators of their own.
#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;
