//! What is loaded when it is first used, and can be had again: models, indices, caches.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::{BudgetExceeded, Budgets, Domain, Lease, Meter, Reclaimer};

/// Why a resource cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ResourceError<E> {
    /// There is no room for it.
    #[error(transparent)]
    Budget(#[from] BudgetExceeded),
    /// It cannot be loaded.
    #[error("{name}: {source}")]
    Load {
        /// The resource.
        name: String,
        /// What loading it says.
        source: E,
    },
}

/// How a resource is made.
type Load<T, E> = dyn Fn() -> Result<T, E> + Send + Sync;

/// Something that is loaded by its first user, shared by all, and unloaded when memory is short and
/// nobody uses it. `[side B]`, any thread.
///
/// ```
/// use kmidi_memory::{Budgets, Domain, Limits, Resource, MIB};
///
/// let budgets = Budgets::new(Limits::default());
/// let words = Resource::new(&budgets, Domain::Models, 0, "words", MIB, || {
///     Ok::<_, std::io::Error>(vec!["calm".to_owned(), "hope".to_owned()])
/// });
/// assert!(!words.is_loaded());
/// assert_eq!(words.get().unwrap().len(), 2);
/// assert!(words.is_loaded() && words.unload() && !words.is_loaded());
/// ```
pub struct Resource<T, E> {
    inner: Arc<Inner<T, E>>,
    _reclaimer: Reclaimer,
}

struct Inner<T, E> {
    budgets: Budgets,
    domain: Domain,
    name: String,
    most_bytes: u64,
    load: Box<Load<T, E>>,
    state: Mutex<Option<Loaded<T>>>,
}

struct Loaded<T> {
    value: Arc<T>,
    bytes: u64,
    _lease: Lease,
}

impl<T: Send + Sync + 'static, E: 'static> Resource<T, E> {
    /// Made by `load`, which takes no more than `most_bytes` of `domain`. When memory is short, those of the
    /// lowest priority are unloaded first.
    pub fn new(
        budgets: &Budgets,
        domain: Domain,
        priority: u8,
        name: &str,
        most_bytes: u64,
        load: impl Fn() -> Result<T, E> + Send + Sync + 'static,
    ) -> Self {
        let inner = Arc::new(Inner {
            budgets: budgets.clone(),
            domain,
            name: name.to_owned(),
            most_bytes,
            load: Box::new(load),
            state: Mutex::new(None),
        });
        let weak: Weak<Inner<T, E>> = Arc::downgrade(&inner);
        let unload = move |_| weak.upgrade().map_or(0, |inner| inner.unload().unwrap_or(0));
        let reclaimer = budgets.on_shortage(priority, name, unload);
        Resource { inner, _reclaimer: reclaimer }
    }

    /// The resource, loaded if it is not there. Who comes while it is being loaded waits for that.
    ///
    /// # Errors
    /// [`ResourceError`]; the next call tries again.
    pub fn get(&self) -> Result<Arc<T>, ResourceError<E>> {
        let Inner { budgets, domain, name, most_bytes, load, .. } = &*self.inner;
        let mut state = self.inner.state();
        if let Some(loaded) = &*state {
            return Ok(loaded.value.clone());
        }
        let lease = budgets.lease(*domain, *most_bytes, name)?;
        let (value, bytes) = domain.charge(|| {
            let meter = Meter::start(*domain);
            let loaded = load().map(Arc::new);
            (loaded, u64::try_from(meter.net_bytes()).unwrap_or(0))
        });
        let value = value.map_err(|source| ResourceError::Load { name: name.clone(), source })?;
        lease.settle(bytes);
        *state = Some(Loaded { value: value.clone(), bytes, _lease: lease });
        Ok(value)
    }

    /// Whether it is in memory.
    pub fn is_loaded(&self) -> bool {
        self.inner.state().is_some()
    }

    /// What it takes, as counted while it was loaded; 0 where it is not.
    pub fn bytes(&self) -> u64 {
        self.inner.state().as_ref().map_or(0, |loaded| loaded.bytes)
    }

    /// Gives its memory back, unless somebody uses it. Whether it did.
    pub fn unload(&self) -> bool {
        self.inner.unload().is_some()
    }
}

impl<T, E> Inner<T, E> {
    fn state(&self) -> MutexGuard<'_, Option<Loaded<T>>> {
        // A load that panicked has left nothing behind.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many bytes came back.
    fn unload(&self) -> Option<u64> {
        // Being loaded is being used.
        let mut state = match self.state.try_lock() {
            Ok(state) => state,
            Err(std::sync::TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(std::sync::TryLockError::WouldBlock) => return None,
        };
        let loaded = state.take_if(|loaded| Arc::strong_count(&loaded.value) == 1)?;
        Some(loaded.bytes)
    }
}
