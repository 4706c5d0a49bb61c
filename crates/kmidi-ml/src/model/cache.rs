use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError, Weak};
use std::time::{Duration, Instant};

use kmidi_memory::{Budgets, Reclaimer};
use serde::Serialize;

use super::{Catalog, FileState, Model, ModelEntry, ModelError, ModelFolders, ModelName, UnusedCopy};

/// When memory is short idle models go first: nobody waits for them, and they can be had again.
const PRIORITY: u8 = 0;

/// The models of a program: each is loaded by whoever needs it first, shared by all, and unloaded when memory is
/// short and nobody uses it, the one that has not been used for the longest time first. `[side B]`, any thread.
pub struct ModelCache {
    shared: Arc<Shared>,
    _reclaimer: Reclaimer,
}

struct Shared {
    catalog: Catalog,
    folders: ModelFolders,
    budgets: Budgets,
    slots: BTreeMap<ModelName, Slot>,
    unused_copies: Vec<UnusedCopy>,
}

#[derive(Default)]
struct Slot {
    /// Held while it is being loaded: whoever else wants it waits for that.
    model: Mutex<Option<Arc<Model>>>,
    counts: Mutex<Counts>,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    loads: u64,
    hits: u64,
    unloads: u64,
    load_seconds: f64,
    last_use: Option<Instant>,
}

/// What became of a model so far.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelStatistics {
    /// Which.
    pub model: ModelName,
    /// Times that it was loaded.
    pub loads: u64,
    /// Times that it was there already.
    pub hits: u64,
    /// Times that it was unloaded.
    pub unloads: u64,
    /// Whether it is in memory.
    pub is_loaded: bool,
    /// What it has allocated, if it is.
    pub heap_bytes: u64,
    /// What it maps, if it is.
    pub mapped_bytes: u64,
    /// How long loading it took, the last time.
    pub load_seconds: f64,
    /// How long ago somebody asked for it.
    pub seconds_since_use: Option<f64>,
}

impl ModelCache {
    /// The program's models, of which nothing is loaded yet. A smaller copy ([`shrink`](crate::shrink)) that lies in one of the folders
    /// takes the place of its model; what keeps one from it is in [`unused_copies`](Self::unused_copies).
    pub fn new(budgets: Budgets, folders: ModelFolders) -> Self {
        let (catalog, unused) = Catalog::of_the_program().clone().with_copies(&folders);
        Self::of(budgets, folders, catalog, unused)
    }

    /// The models of another catalogue, without copies.
    pub fn with_catalog(budgets: Budgets, folders: ModelFolders, catalog: Catalog) -> Self {
        Self::of(budgets, folders, catalog, vec![])
    }

    fn of(budgets: Budgets, folders: ModelFolders, catalog: Catalog, unused_copies: Vec<UnusedCopy>) -> Self {
        let slots = ModelName::ALL.into_iter().map(|model| (model, Slot::default())).collect();
        let shared = Arc::new(Shared { catalog, folders, budgets: budgets.clone(), slots, unused_copies });
        let weak: Weak<Shared> = Arc::downgrade(&shared);
        let reclaim = move |bytes| weak.upgrade().map_or(0, |shared| shared.unload_idle(bytes));
        let reclaimer = budgets.on_shortage(PRIORITY, "idle models", reclaim);
        ModelCache { shared, _reclaimer: reclaimer }
    }

    /// The model, loaded if it is not there. Who comes while it is being loaded waits for that.
    ///
    /// # Errors
    /// [`ModelError`]; the next call tries again.
    pub fn get(&self, model: ModelName) -> Result<Arc<Model>, ModelError> {
        let slot = self.shared.slot(model);
        let mut held = locked(&slot.model);
        if let Some(there) = &*held {
            let mut counts = locked(&slot.counts);
            counts.hits += 1;
            counts.last_use = Some(Instant::now());
            return Ok(there.clone());
        }
        let started = Instant::now();
        let entry = self.shared.catalog.entry(model);
        let loaded = Model::load(entry, &self.shared.folders, &self.shared.budgets)?;
        let loaded = Arc::new(loaded);
        *held = Some(loaded.clone());
        let mut counts = locked(&slot.counts);
        counts.loads += 1;
        counts.load_seconds = started.elapsed().as_secs_f64();
        counts.last_use = Some(Instant::now());
        Ok(loaded)
    }

    /// Loads a model and runs it once on nothing, so that its first user does not wait.
    ///
    /// # Errors
    /// [`ModelError`].
    pub fn warm_up(&self, model: ModelName) -> Result<(), ModelError> {
        self.get(model)?.warm_up()
    }

    /// A file of a model that is no graph: a vocabulary.
    ///
    /// # Errors
    /// [`ModelError`]; [`ModelError::Missing`] also where the catalogue knows no such file.
    pub fn read(&self, model: ModelName, name: &str) -> Result<Cow<'static, [u8]>, ModelError> {
        let entry = self.shared.catalog.entry(model);
        let missing = || ModelError::Missing { model, is_copy: entry.is_copy, path: name.into() };
        let file = entry.file(name).ok_or_else(missing)?;
        self.shared.folders.read(entry, file)
    }

    /// Gives a model's memory back, unless somebody uses it. Whether it did.
    pub fn unload(&self, model: ModelName) -> bool {
        self.shared.unload(model).is_some()
    }

    /// Gives the memory of all that nobody uses back. Returns how many bytes that were.
    pub fn unload_idle(&self) -> u64 {
        self.shared.unload_idle(u64::MAX)
    }

    /// What became of each model so far.
    pub fn statistics(&self) -> Vec<ModelStatistics> {
        ModelName::ALL.into_iter().map(|model| self.shared.statistics(model)).collect()
    }

    /// Whether a model can be used; why not, if it cannot. It reads its files.
    pub fn state(&self, model: ModelName) -> (FileState, Option<ModelError>) {
        self.shared.folders.state(self.entry(model))
    }

    /// What the catalogue says of a model.
    pub fn entry(&self, model: ModelName) -> &ModelEntry {
        self.shared.catalog.entry(model)
    }

    /// Copies that lie in the folders and are not used, and why not: their models are used instead.
    pub fn unused_copies(&self) -> &[UnusedCopy] {
        &self.shared.unused_copies
    }

    /// Where fetched models lie.
    pub fn folders(&self) -> &ModelFolders {
        &self.shared.folders
    }
}

impl Shared {
    fn slot(&self, model: ModelName) -> &Slot {
        self.slots.get(&model).expect("each model has a slot")
    }

    /// How many bytes came back.
    fn unload(&self, model: ModelName) -> Option<u64> {
        let slot = self.slot(model);
        // Being loaded is being used.
        let mut held = match slot.model.try_lock() {
            Ok(held) => held,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        let idle = held.take_if(|model| Arc::strong_count(model) == 1)?;
        locked(&slot.counts).unloads += 1;
        Some(idle.heap_bytes() + idle.mapped_bytes())
    }

    fn unload_idle(&self, bytes: u64) -> u64 {
        let last_use = |model: &ModelName| locked(&self.slot(*model).counts).last_use;
        let mut models = ModelName::ALL.to_vec();
        models.sort_by_key(last_use);
        let mut freed = 0;
        for model in models {
            if freed >= bytes {
                break;
            }
            freed += self.unload(model).unwrap_or(0);
        }
        freed
    }

    fn statistics(&self, model: ModelName) -> ModelStatistics {
        let slot = self.slot(model);
        let counts = *locked(&slot.counts);
        let held = match slot.model.try_lock() {
            Ok(held) => held.clone(),
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner().clone(),
            // Somebody loads it.
            Err(TryLockError::WouldBlock) => None,
        };
        ModelStatistics {
            model,
            loads: counts.loads,
            hits: counts.hits,
            unloads: counts.unloads,
            is_loaded: held.is_some(),
            heap_bytes: held.as_ref().map_or(0, |model| model.heap_bytes()),
            mapped_bytes: held.as_ref().map_or(0, |model| model.mapped_bytes()),
            load_seconds: counts.load_seconds,
            seconds_since_use: counts
                .last_use
                .as_ref()
                .map(Instant::elapsed)
                .map(|it: Duration| it.as_secs_f64()),
        }
    }
}

/// What a thread that panicked was doing left nothing half done.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
