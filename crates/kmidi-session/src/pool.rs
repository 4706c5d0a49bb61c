use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded, never, select};

/// Jobs of one priority that can wait.
const QUEUE_JOBS: usize = 256;

/// What is done first when several jobs wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// Somebody waits for sound.
    Urgent,
    /// Will be needed soon: the next song.
    Ahead,
}

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

/// Why a job was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{QUEUE_JOBS} jobs are waiting already: try again when some are done")]
pub struct PoolFull;

/// Why a job has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// It was cancelled before it began.
    #[error("cancelled")]
    Cancelled,
    /// It panicked; no other job is harmed.
    #[error("an internal error: {0}")]
    Panicked(String),
}

type Job = Box<dyn FnOnce() + Send>;

/// A few threads for everything that may take time. Bounded: a job too many is refused. `[side B]`
pub struct Pool {
    urgent: Option<Sender<Job>>,
    ahead: Option<Sender<Job>>,
    workers: Vec<JoinHandle<()>>,
}

impl Pool {
    /// Starts `workers` threads (at least one).
    ///
    /// # Errors
    /// The system refuses a thread.
    pub fn new(workers: usize) -> std::io::Result<Self> {
        let (urgent, urgent_jobs) = bounded(QUEUE_JOBS);
        let (ahead, ahead_jobs) = bounded(QUEUE_JOBS);
        let workers = (0..workers.max(1))
            .map(|n| {
                let (urgent, ahead) = (urgent_jobs.clone(), ahead_jobs.clone());
                thread::Builder::new().name(format!("kmidi-worker-{n}")).spawn(move || work(urgent, ahead))
            })
            .collect::<Result<_, _>>()?;
        Ok(Pool { urgent: Some(urgent), ahead: Some(ahead), workers })
    }

    /// Runs `job` on a worker and hands its result to `deliver`, on the worker too.
    ///
    /// # Errors
    /// [`PoolFull`]; neither closure is called then.
    pub fn spawn<T: 'static>(
        &self,
        priority: Priority,
        job: impl FnOnce(&Cancel) -> T + Send + 'static,
        deliver: impl FnOnce(Result<T, JobError>) + Send + 'static,
    ) -> Result<Cancel, PoolFull> {
        let cancel = Cancel::default();
        let seen = cancel.clone();
        let job: Job = Box::new(move || {
            let result = if seen.is_cancelled() {
                Err(JobError::Cancelled)
            } else {
                catch_unwind(AssertUnwindSafe(|| job(&seen))).map_err(|p| JobError::Panicked(panic_text(&*p)))
            };
            // What a panicking receiver of results does is its own affair, not that of the next job.
            let _ = catch_unwind(AssertUnwindSafe(|| deliver(result)));
        });
        let queue = match priority {
            Priority::Urgent => &self.urgent,
            Priority::Ahead => &self.ahead,
        };
        match queue.as_ref().expect("taken only by drop").try_send(job) {
            Ok(()) => Ok(cancel),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => Err(PoolFull),
        }
    }
}

impl Drop for Pool {
    /// Lets running and waiting jobs finish; cancel them first to end soon.
    fn drop(&mut self) {
        self.urgent = None;
        self.ahead = None;
        for worker in self.workers.drain(..) {
            let _ = worker.join();
        }
    }
}

fn work(mut urgent: Receiver<Job>, mut ahead: Receiver<Job>) {
    let (mut urgent_open, mut ahead_open) = (true, true);
    while urgent_open || ahead_open {
        // `select!` picks at random among what is ready: look at the urgent jobs first.
        if let Ok(job) = urgent.try_recv() {
            job();
            continue;
        }
        select! {
            recv(urgent) -> job => match job {
                Ok(job) => job(),
                Err(_) => (urgent_open, urgent) = (false, never()),
            },
            recv(ahead) -> job => match job {
                Ok(job) => job(),
                Err(_) => (ahead_open, ahead) = (false, never()),
            },
        }
    }
}

fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|s| s.to_string());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panic".into())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    /// A pool of one worker that is held until the sender is used, so that jobs pile up.
    fn held_pool() -> (Pool, mpsc::Sender<()>) {
        let pool = Pool::new(1).unwrap();
        let (release, held) = mpsc::channel::<()>();
        let (started, running) = mpsc::channel();
        let hold = move |_: &Cancel| {
            started.send(()).unwrap();
            let _ = held.recv_timeout(PATIENCE);
        };
        pool.spawn(Priority::Urgent, hold, |_| ()).unwrap();
        running.recv_timeout(PATIENCE).unwrap();
        (pool, release)
    }

    #[test]
    fn a_panicking_job_harms_no_other() {
        let pool = Pool::new(1).unwrap();
        let (results, received) = mpsc::channel();
        for n in 0..4 {
            let results = results.clone();
            let job = move |_: &Cancel| if n % 2 == 0 { panic!("job {n}") } else { n };
            pool.spawn(Priority::Urgent, job, move |r| results.send(r).unwrap()).unwrap();
        }
        let mut seen: Vec<_> = (0..4).map(|_| received.recv_timeout(PATIENCE).unwrap()).collect();
        seen.sort_by_key(|r| format!("{r:?}"));
        assert_eq!(
            seen,
            [Err(JobError::Panicked("job 0".into())), Err(JobError::Panicked("job 2".into())), Ok(1), Ok(3)]
        );
    }

    #[test]
    fn urgent_jobs_overtake_those_done_ahead() {
        let (pool, release) = held_pool();
        let (results, received) = mpsc::channel();
        for (priority, name) in [(Priority::Ahead, "ahead"), (Priority::Urgent, "urgent")] {
            let results = results.clone();
            pool.spawn(priority, move |_| name, move |r| results.send(r.unwrap()).unwrap()).unwrap();
        }
        release.send(()).unwrap();
        let order: Vec<_> = (0..2).map(|_| received.recv_timeout(PATIENCE).unwrap()).collect();
        assert_eq!(order, ["urgent", "ahead"]);
    }

    #[test]
    fn a_cancelled_job_never_begins_and_says_so() {
        let (pool, release) = held_pool();
        let (results, received) = mpsc::channel();
        let cancel = pool.spawn(Priority::Ahead, |_| "ran", move |r| results.send(r).unwrap()).unwrap();
        cancel.cancel();
        release.send(()).unwrap();
        assert_eq!(received.recv_timeout(PATIENCE).unwrap(), Err(JobError::Cancelled));
    }

    #[test]
    fn a_full_queue_is_an_error_and_drop_waits_for_what_was_taken() {
        let (pool, release) = held_pool();
        let done = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let count = || {
            let done = done.clone();
            pool.spawn(
                Priority::Urgent,
                |_| (),
                move |_| {
                    done.fetch_add(1, Ordering::Relaxed);
                },
            )
        };
        let taken = (0..QUEUE_JOBS + 10).filter(|_| count().is_ok()).count();
        assert_eq!(taken, QUEUE_JOBS);
        release.send(()).unwrap();
        drop(pool);
        assert_eq!(done.load(Ordering::Relaxed), QUEUE_JOBS);
    }
}
