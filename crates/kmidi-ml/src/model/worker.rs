//! The one thread that models are loaded and run on.

use std::sync::{Arc, LazyLock, Mutex, PoisonError, TryLockError};

use kmidi_memory::Domain;
use rten::{RunOptions, ThreadPool};

/// One thread with a pool of its own; whatever is allocated on it belongs to [`Domain::Models`].
///
/// A pool of more threads would hold more buffers at once, and take the processors that the audio callback
/// needs.
pub(super) struct Worker {
    pool: Arc<ThreadPool>,
    /// One after the other: a thread of a pool that waits for another pool takes up whatever else is queued.
    turn: Mutex<()>,
}

impl Worker {
    /// The process's own one, which there is from its first use on.
    pub fn get() -> &'static Worker {
        static WORKER: LazyLock<Worker> = LazyLock::new(Worker::new);
        &WORKER
    }

    fn new() -> Self {
        Domain::Models.charge(|| {
            // What depends on nothing but weights is computed while a model is loaded, and that on the threads
            // of a pool which the whole process shares: they only ever work for models.
            rten::thread_pool().run(|| rayon::broadcast(|_| Domain::Models.charge_thread()));
            let pool = Arc::new(ThreadPool::with_num_threads(1));
            pool.run(|| rayon::broadcast(|_| Domain::Models.charge_thread()));
            Worker { pool, turn: Mutex::new(()) }
        })
    }

    /// Runs `work` on the thread when it is its turn, then `after` on the calling thread within the same turn.
    pub fn run<T: Send, U>(&self, work: impl FnOnce() -> T + Send, after: impl FnOnce(T) -> U) -> U {
        // A panic in there has left no state behind.
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        after(self.pool.run(|| Domain::Models.charge(work)))
    }

    /// The same, unless somebody else has his turn: `work` comes back then.
    pub fn try_run<W: FnOnce() + Send>(&self, work: W) -> Result<(), W> {
        let _turn = match self.turn.try_lock() {
            Ok(turn) => turn,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(work),
        };
        self.pool.run(|| Domain::Models.charge(work));
        Ok(())
    }

    pub fn options(&self) -> RunOptions {
        RunOptions::default().with_thread_pool(Some(self.pool.clone()))
    }
}
