use kmidi_sys::ProcessMemory;
use serde::{Deserialize, Serialize};

use crate::{
    BudgetStatus, Budgets, Domain, Foreign, Holder, Monitor, Pressure, RegionStatus, Tally, Violations,
    peak_bytes,
};

/// All that is known of the process's memory at one moment: what every report, screen and scraper shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// As the system sees it.
    pub process: ProcessMemory,
    /// The domains in the order of [`Domain::ALL`].
    pub domains: Vec<DomainSnapshot>,
    /// All of them together, as a budget.
    pub total: BudgetStatus,
    /// The most that was in use at once, of all domains together.
    pub total_peak_bytes: u64,
    /// Who holds leases, the oldest first.
    pub holders: Vec<Holder>,
    /// Plugins, whose memory no budget sees, the oldest first.
    #[serde(default)]
    pub foreign: Vec<Foreign>,
    /// Side A's region.
    pub region: RegionStatus,
    /// What side A did that it must not do.
    pub violations: Violations,
    /// How short memory is.
    pub pressure: Pressure,
}

/// A domain at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainSnapshot {
    /// Which.
    pub domain: Domain,
    /// Its budget and what was promised of it.
    pub budget: BudgetStatus,
    /// The most that was in use at once, in bytes.
    pub peak_bytes: u64,
    /// Blocks and bytes so far.
    pub tally: Tally,
}

impl Snapshot {
    /// As it is now. `[side B]`
    pub fn take(budgets: &Budgets, monitor: Option<&Monitor>) -> Self {
        let domain = |domain| DomainSnapshot {
            domain,
            budget: budgets.status(Some(domain)),
            peak_bytes: peak_bytes(Some(domain)),
            tally: crate::tally(domain),
        };
        Snapshot {
            // A system that does not tell has none to tell of.
            process: kmidi_sys::process_memory().unwrap_or_default(),
            domains: Domain::ALL.map(domain).to_vec(),
            total: budgets.status(None),
            total_peak_bytes: peak_bytes(None),
            holders: budgets.holders(),
            foreign: crate::foreign(),
            region: crate::region_status(),
            violations: crate::violations(),
            pressure: monitor.map_or(Pressure::None, Monitor::pressure),
        }
    }
}
