//! Who may use how much: leases that are asked for before memory is taken.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::{Domain, Limits, MIB};

/// What is in use in a domain, in bytes.
type Live = dyn Fn(Domain) -> u64 + Send + Sync;

/// Frees some of what could be had again: told how many bytes are wanted, says how many it freed.
type Reclaim = dyn Fn(u64) -> u64 + Send + Sync;

/// Who may use how much. `[side B]`, any thread.
///
/// ```
/// use kmidi_memory::{Budgets, Domain, Limits, MIB};
///
/// let budgets = Budgets::new(Limits::default());
/// let song = budgets.lease(Domain::Working, 100 * MIB, "song.mid")?;
/// let refused = budgets.lease(Domain::Working, 50 * MIB, "choir.sf2").unwrap_err();
/// assert!(refused.to_string().contains("song.mid"), "{refused}");
/// drop(song);
/// budgets.lease(Domain::Working, 50 * MIB, "choir.sf2")?;
/// # Ok::<(), kmidi_memory::BudgetExceeded>(())
/// ```
#[derive(Clone)]
pub struct Budgets {
    shared: Arc<Shared>,
}

struct Shared {
    live: Box<Live>,
    state: Mutex<State>,
}

struct State {
    limits: Limits,
    next: u64,
    leases: BTreeMap<u64, Held>,
    /// By priority: what is missed least comes first.
    reclaimers: BTreeMap<(u8, u64), (String, Arc<Reclaim>)>,
    refused: [u64; Domain::COUNT],
    /// The most that all leases were for at once.
    most_leased: u64,
}

struct Held {
    domain: Domain,
    name: String,
    bytes: u64,
    /// Of these, what is in use already and counted as live.
    filled: u64,
}

impl Held {
    fn holder(&self) -> Holder {
        Holder { domain: self.domain, name: self.name.clone(), bytes: self.bytes }
    }
}

impl State {
    /// Bytes that were promised and are not in use yet.
    fn promised(&self, domain: Domain) -> u64 {
        let of_domain = self.leases.values().filter(|held| held.domain == domain);
        of_domain.map(|held| held.bytes.saturating_sub(held.filled)).sum()
    }

    fn note_most(&mut self) {
        let leased = self.leases.values().map(|held| held.bytes).sum();
        self.most_leased = self.most_leased.max(leased);
    }
}

impl Budgets {
    /// With these limits, over what [`tally`](crate::tally) counts.
    pub fn new(limits: Limits) -> Self {
        Self::over(limits, |domain| crate::tally(domain).live_bytes())
    }

    /// With these limits, over what `live` says is in use.
    pub fn over(limits: Limits, live: impl Fn(Domain) -> u64 + Send + Sync + 'static) -> Self {
        let state = State {
            limits,
            next: 0,
            leases: BTreeMap::new(),
            reclaimers: BTreeMap::new(),
            refused: [0; Domain::COUNT],
            most_leased: 0,
        };
        Budgets { shared: Arc::new(Shared { live: Box::new(live), state: Mutex::new(state) }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Promises `bytes` of a domain to `name`, until the lease is dropped. Where they are not free,
    /// reclaimers are asked first, those of the lowest priority before others.
    ///
    /// # Errors
    /// [`BudgetExceeded`]; nothing has been promised then.
    pub fn lease(&self, domain: Domain, bytes: u64, name: &str) -> Result<Lease, BudgetExceeded> {
        let mut result = self.promise(domain, bytes, name);
        if result.is_err() {
            // Without the lock: what they free may hold leases.
            let reclaimers: Vec<_> =
                self.state().reclaimers.values().map(|(_, reclaim)| reclaim.clone()).collect();
            for reclaim in reclaimers {
                let Err(refusal) = &result else { break };
                if reclaim(refusal.missing_bytes()) > 0 {
                    result = self.promise(domain, bytes, name);
                }
            }
        }
        if result.is_err() {
            self.state().refused[domain as usize] += 1;
        }
        result
    }

    fn promise(&self, domain: Domain, bytes: u64, name: &str) -> Result<Lease, BudgetExceeded> {
        let mut state = self.state();
        // Who needs nothing makes nothing worse.
        if bytes > 0 {
            self.admit(&state, domain, bytes, name)?;
        }
        let number = state.next;
        state.next += 1;
        state.leases.insert(number, Held { domain, name: name.to_owned(), bytes, filled: 0 });
        state.note_most();
        Ok(Lease { budgets: self.clone(), number })
    }

    fn admit(&self, state: &State, domain: Domain, bytes: u64, name: &str) -> Result<(), BudgetExceeded> {
        // Whoever asks for nothing asks whether what is in use is within the limits.
        let in_use =
            |domain: Domain| (self.shared.live)(domain) + if bytes == 0 { 0 } else { state.promised(domain) };
        let of_all = || Domain::ALL.into_iter().map(in_use).sum();
        for (scope, used) in [(Some(domain), in_use(domain)), (None, of_all())] {
            let limit = state.limits.bytes(scope);
            if used.saturating_add(bytes) > limit {
                let held = state.leases.values().filter(|held| scope.is_none_or(|it| it == held.domain));
                let mut holders: Vec<_> = held.map(Held::holder).collect();
                holders.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
                return Err(BudgetExceeded {
                    scope,
                    name: name.to_owned(),
                    asked_bytes: bytes,
                    used_bytes: used,
                    limit_bytes: limit,
                    holders,
                });
            }
        }
        Ok(())
    }

    /// Whether a domain, or all together, has more in use than it may: somebody took more than was promised.
    ///
    /// # Errors
    /// [`BudgetExceeded`] in the name of who asks.
    pub fn check(&self, domain: Domain, name: &str) -> Result<(), BudgetExceeded> {
        self.admit(&self.state(), domain, 0, name)
    }

    /// Registers something that can free memory when it is needed elsewhere: caches, what can be loaded
    /// again. Never what a user made. The lowest priority is asked first.
    pub fn on_shortage(
        &self,
        priority: u8,
        name: &str,
        reclaim: impl Fn(u64) -> u64 + Send + Sync + 'static,
    ) -> Reclaimer {
        let mut state = self.state();
        let key = (priority, state.next);
        state.next += 1;
        state.reclaimers.insert(key, (name.to_owned(), Arc::new(reclaim)));
        Reclaimer { budgets: self.clone(), key }
    }

    /// Asks every reclaimer for all that it has. Returns the names of those that freed something, and how
    /// many bytes.
    pub fn relieve(&self) -> Vec<(String, u64)> {
        self.reclaim(u64::MAX)
    }

    /// Asks reclaimers, those of the lowest priority first, until `bytes` are free. Returns the names of those
    /// that freed something, and how many bytes.
    pub fn reclaim(&self, bytes: u64) -> Vec<(String, u64)> {
        // Without the lock: what they free may hold leases.
        let reclaimers: Vec<_> = self.state().reclaimers.values().cloned().collect();
        let mut left = bytes;
        let mut freed = Vec::new();
        for (name, reclaim) in reclaimers {
            if left == 0 {
                break;
            }
            let bytes = reclaim(left);
            left = left.saturating_sub(bytes);
            if bytes > 0 {
                freed.push((name, bytes));
            }
        }
        crate::base::release();
        freed
    }

    /// Changes the limits; what is in use stays.
    pub fn set_limits(&self, limits: Limits) {
        self.state().limits = limits;
    }

    /// The most that leases were for at once, of all domains together.
    pub fn most_leased_bytes(&self) -> u64 {
        self.state().most_leased
    }

    /// Who holds leases, of all domains, the oldest first.
    pub fn holders(&self) -> Vec<Holder> {
        self.state().leases.values().map(Held::holder).collect()
    }

    /// A domain, or all together, as it is now.
    pub fn status(&self, domain: Option<Domain>) -> BudgetStatus {
        let state = self.state();
        let domains = || Domain::ALL.into_iter().filter(|it| domain.is_none_or(|domain| domain == *it));
        BudgetStatus {
            limit_bytes: state.limits.bytes(domain),
            live_bytes: domains().map(|it| (self.shared.live)(it)).sum(),
            promised_bytes: domains().map(|it| state.promised(it)).sum(),
            leases: state.leases.values().filter(|held| domains().any(|it| it == held.domain)).count(),
            refused: domains().map(|it| state.refused[it as usize]).sum(),
        }
    }
}

/// A budget in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetStatus {
    /// What may be in use at once.
    pub limit_bytes: u64,
    /// What is in use.
    pub live_bytes: u64,
    /// What was promised on top of that.
    pub promised_bytes: u64,
    /// Leases that are held.
    pub leases: usize,
    /// Leases that were refused so far.
    pub refused: u64,
}

/// A promise of memory; dropping it gives back what was promised, not what is in use.
pub struct Lease {
    budgets: Budgets,
    number: u64,
}

impl Lease {
    fn with<T>(&self, work: impl FnOnce(&mut Held) -> T) -> Option<T> {
        self.budgets.state().leases.get_mut(&self.number).map(work)
    }

    /// So much of it is in use now: counted as live, no longer as promised.
    pub fn fill(&self, bytes: u64) {
        self.with(|held| held.filled = bytes);
    }

    /// So much is in use now: more than was promised is accepted as long as it is within the limits.
    ///
    /// # Errors
    /// [`BudgetExceeded`]; what was promised before stays so.
    pub fn grow(&self, bytes: u64) -> Result<(), BudgetExceeded> {
        let Some((domain, name, before)) = self.with(|held| (held.domain, held.name.clone(), held.bytes))
        else {
            return Ok(());
        };
        if bytes > before {
            // They are in use already: the question is whether that is within the limits.
            let within = self.budgets.lease(domain, 1, &name);
            within.map_err(|exceeded| BudgetExceeded { asked_bytes: bytes - before, ..exceeded })?;
            self.with(|held| held.bytes = bytes);
            self.budgets.state().note_most();
        }
        Ok(())
    }

    /// All is there: keeps the name as a holder of `bytes`, and promises nothing more.
    pub fn settle(&self, bytes: u64) {
        self.with(|held| (held.bytes, held.filled) = (bytes, bytes));
    }

    /// Bytes that were promised.
    pub fn bytes(&self) -> u64 {
        self.with(|held| held.bytes).unwrap_or(0)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.budgets.state().leases.remove(&self.number);
    }
}

impl fmt::Debug for Budgets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budgets").field("limits", &self.state().limits).finish_non_exhaustive()
    }
}

impl Default for Budgets {
    /// The default limits.
    fn default() -> Self {
        Budgets::new(Limits::default())
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lease({} bytes)", self.bytes())
    }
}

/// A registered reclaimer, until it is dropped.
pub struct Reclaimer {
    budgets: Budgets,
    key: (u8, u64),
}

impl Drop for Reclaimer {
    fn drop(&mut self) {
        self.budgets.state().reclaimers.remove(&self.key);
    }
}

/// Who holds a part of a budget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Of which budget.
    pub domain: Domain,
    /// What the lease was asked for.
    pub name: String,
    /// Bytes.
    pub bytes: u64,
}

/// A budget has not enough left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetExceeded {
    /// Whose budget; without a domain that of all together.
    pub scope: Option<Domain>,
    /// What it was asked for.
    pub name: String,
    /// Bytes asked for.
    pub asked_bytes: u64,
    /// Bytes in use or promised.
    pub used_bytes: u64,
    /// The budget.
    pub limit_bytes: u64,
    /// Who holds it, the largest first.
    pub holders: Vec<Holder>,
}

impl BudgetExceeded {
    /// What is free.
    pub fn free_bytes(&self) -> u64 {
        self.limit_bytes.saturating_sub(self.used_bytes)
    }

    /// What would have to be freed.
    pub fn missing_bytes(&self) -> u64 {
        self.asked_bytes.saturating_sub(self.free_bytes())
    }
}

/// Holders that a message names.
const NAMED: usize = 3;

impl fmt::Display for BudgetExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: u64| format!("{:.1}", bytes as f64 / MIB as f64);
        let of = self.scope.map_or("all memory".to_owned(), |domain| format!("{domain} memory"));
        let Self { name, asked_bytes, limit_bytes, .. } = self;
        let (asked, free, limit) = (mib(*asked_bytes), mib(self.free_bytes()), mib(*limit_bytes));
        write!(f, "{name} needs {asked} MiB, and of {limit} MiB for {of} {free} are free")?;
        if !self.holders.is_empty() {
            let named: Vec<_> = self.holders.iter().take(NAMED).collect();
            let named: Vec<_> = named.iter().map(|it| format!("{} {} MiB", it.name, mib(it.bytes))).collect();
            write!(f, " (held by {}", named.join(", "))?;
            let others = self.holders.len().saturating_sub(NAMED);
            if others > 0 { write!(f, " and {others} more)")? } else { write!(f, ")")? }
        }
        let (variable, flag) = (Limits::variable(self.scope), Limits::flag(self.scope));
        write!(f, ": close something, or raise {variable} ({flag} wins over it)")
    }
}

impl std::error::Error for BudgetExceeded {}
