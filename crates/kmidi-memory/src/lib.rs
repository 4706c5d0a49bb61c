//! Two heaps, one for each side, that count what they give and keep within budgets.
//!
//! - [`Heap`] is the global allocator of a program. It charges each block to a [`Domain`], exactly and at
//!   little cost, and samples where blocks come from ([`sites`]).
//! - What the audio callback will own is built inside [`audio_heap`]: it comes from one region whose pages
//!   are there beforehand.
//!
//! A program that does not declare the [`Heap`] may use all of this too: everything counts as nothing then.
#![deny(clippy::undocumented_unsafe_blocks)]
#![warn(missing_docs)]
// Under loom there is nothing but what its models look at.
#![cfg_attr(loom, allow(dead_code))]

#[cfg(not(loom))]
mod audio;
#[cfg(all(feature = "audit", not(loom)))]
pub mod audit;
#[cfg(not(loom))]
mod base;
#[cfg(not(loom))]
mod budget;
mod domain;
#[cfg(not(loom))]
mod foreign;
#[cfg(not(loom))]
mod heap;
#[cfg(not(loom))]
mod job;
#[cfg(not(loom))]
mod leaks;
#[cfg(not(loom))]
mod levels;
#[cfg(not(loom))]
mod limits;
#[cfg(not(loom))]
mod local;
#[cfg(not(loom))]
mod meter;
#[cfg(not(loom))]
mod monitor;
#[cfg(not(loom))]
mod peaks;
#[cfg(not(loom))]
mod region;
#[cfg(not(loom))]
mod resource;
#[cfg(not(loom))]
mod scope;
mod shards;
#[cfg(not(loom))]
mod sites;
#[cfg(not(loom))]
mod snapshot;
#[cfg(not(loom))]
mod trend;

#[cfg(not(loom))]
pub use audio::{audio_heap, is_in_region};
#[cfg(not(loom))]
pub use base::Base;
#[cfg(not(loom))]
pub use budget::{BudgetExceeded, BudgetStatus, Budgets, Holder, Lease, Reclaimer};
pub use domain::Domain;
#[cfg(not(loom))]
pub use domain::charge_panics_to_the_program;
#[cfg(not(loom))]
pub use foreign::{Foreign, ForeignNote, foreign, note_foreign};
#[cfg(not(loom))]
pub use heap::{Heap, Violations, forbid, violations};
#[cfg(not(loom))]
pub use job::{Cancel, JobContext, JobError, Need};
#[cfg(not(loom))]
pub use kmidi_sys::{ProcessMemory, SystemMemory, process_memory, system_memory};
#[cfg(not(loom))]
pub use leaks::{Leak, LeakRules, LeakWatch};
#[cfg(not(loom))]
pub use levels::{Levels, LevelsError, Pressure, RETURN};
#[cfg(not(loom))]
pub use limits::{Limits, MIB};
#[cfg(not(loom))]
pub use meter::Meter;
#[cfg(not(loom))]
pub use monitor::{Monitor, MonitorConfig, MonitorEvent};
#[cfg(not(loom))]
pub use region::{
    DEFAULT_REGION_BYTES, LARGEST_REGION_BYTES, RegionError, RegionStatus, reserve as reserve_region,
    status as region_status,
};
#[cfg(not(loom))]
pub use resource::{Resource, ResourceError};
#[cfg(not(loom))]
pub use scope::{DomainUsage, Scope, Usage};
pub use shards::Tally;
#[cfg(not(loom))]
pub use sites::{Site, lost_samples, sites};
#[cfg(not(loom))]
pub use snapshot::{DomainSnapshot, Snapshot};
#[cfg(not(loom))]
pub use trend::Trend;

#[cfg(not(loom))]
/// What a domain has allocated and freed so far. `[side B]`
pub fn tally(domain: Domain) -> Tally {
    local::SHARDS_OF_ALL.tally(domain)
}

#[cfg(not(loom))]
/// The most bytes that a domain had in use at once, within 64 KiB for each thread; of all domains
/// together without one. `[side B]`
pub fn peak_bytes(domain: Option<Domain>) -> u64 {
    peaks::peak(domain)
}

#[cfg(not(loom))]
/// Looks for a new peak from here on. `[side B]`
pub fn restart_peak(domain: Option<Domain>) {
    peaks::restart_peak(domain);
}

#[cfg(not(loom))]
/// Gives back to the system what the calling thread has freed and the allocator still keeps. `[side B]`
pub fn release_unused() {
    base::release();
}
