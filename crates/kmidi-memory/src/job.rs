//! What a job may use, and what it has while it runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::{BudgetExceeded, Budgets, Domain, Lease, Meter};

/// Tells a job to stop early; it is polite to look often.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Asks the job to stop.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the job has been asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Why a job has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// It was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// There is not enough memory for it.
    #[error(transparent)]
    OverBudget(#[from] BudgetExceeded),
    /// It panicked; no other job is harmed.
    #[error("an internal error: {0}")]
    Panicked(String),
}

/// What a job is expected to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// Whose memory.
    pub domain: Domain,
    /// How much, at most.
    pub bytes: u64,
    /// What for: who is told that it does not fit reads this.
    pub name: String,
}

impl Need {
    /// So many bytes of the working memory.
    pub fn working(bytes: u64, name: impl Into<String>) -> Self {
        Need { domain: Domain::Working, bytes, name: name.into() }
    }
}

/// What a running job has: its promise of memory, its own tally, and whether it is still wanted.
///
/// It belongs to the thread that the job runs on.
pub struct JobContext {
    cancel: Cancel,
    budgets: Budgets,
    need: Need,
    lease: Lease,
    meter: Meter,
}

impl JobContext {
    /// Runs a job on the calling thread: what it allocates is charged to its domain.
    ///
    /// # Errors
    /// There is no room for it, or it was cancelled before it began.
    pub fn run<T>(
        budgets: &Budgets,
        need: Need,
        cancel: &Cancel,
        job: impl FnOnce(JobContext) -> T,
    ) -> Result<T, JobError> {
        if cancel.is_cancelled() {
            return Err(JobError::Cancelled);
        }
        let lease = budgets.lease(need.domain, need.bytes, &need.name)?;
        let domain = need.domain;
        let (cancel, budgets) = (cancel.clone(), budgets.clone());
        Ok(domain.charge(|| job(JobContext { cancel, budgets, need, lease, meter: Meter::start(domain) })))
    }

    /// Whether the job may go on. It takes well under a microsecond: ask often.
    ///
    /// # Errors
    /// It is not wanted any more, or it has grown beyond what it was promised and there is no more.
    pub fn check(&self) -> Result<(), JobError> {
        if self.cancel.is_cancelled() {
            return Err(JobError::Cancelled);
        }
        let used = self.used_bytes();
        self.lease.fill(used);
        self.lease.grow(used)?;
        Ok(self.budgets.check(self.need.domain, &self.need.name)?)
    }

    /// What it is stopped by: for those who do a part of it.
    pub fn wish(&self) -> &Cancel {
        &self.cancel
    }

    /// Promises the job more than it was promised, for as long as the lease is kept: for a step that takes much at once.
    ///
    /// # Errors
    /// There is no room for it.
    pub fn lease(&self, bytes: u64, step: &str) -> Result<Lease, JobError> {
        Ok(self.budgets.lease(self.need.domain, bytes, &format!("{}, {step}", self.need.name))?)
    }

    /// Bytes that the job has in use, as counted on its thread.
    pub fn used_bytes(&self) -> u64 {
        u64::try_from(self.meter.net_bytes()).unwrap_or(0)
    }

    /// The same, ended by another wish: that of whoever has several jobs done.
    #[must_use]
    pub fn wanted_by(self, cancel: Cancel) -> Self {
        JobContext { cancel, ..self }
    }

    /// The job is done, and what it has in use now stays: the lease names who holds it.
    pub fn settle(self) -> Lease {
        self.lease.settle(self.used_bytes());
        self.lease
    }
}
