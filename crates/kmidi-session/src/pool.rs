use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded, never, select};
use kmidi_memory::Budgets;

use crate::STACK_BYTES;
use crate::job::{Cancel, JobContext, JobError, Need};

/// Jobs of one priority that can wait.
const QUEUE_JOBS: usize = 256;

/// What is done first when several jobs wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Somebody waits for sound.
    Urgent,
    /// Will be needed soon: the next song.
    Ahead,
}

/// Why a job was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{QUEUE_JOBS} jobs are waiting already: try again when some are done")]
pub struct PoolFull;

type Job = Box<dyn FnOnce() + Send>;

/// A few threads for everything that may take time. Bounded: a job too many is refused. `[side B]`
pub struct Pool {
    /// Taken only by drop.
    queues: Option<Queues>,
    workers: Vec<JoinHandle<()>>,
}

/// Where jobs wait for a worker. A job may hold it, to queue others; it never waits for them, so a
/// full pool cannot come to a standstill. Nothing else may: the pool ends when the last one is gone.
#[derive(Clone)]
pub(crate) struct Queues {
    urgent: Sender<Job>,
    ahead: Sender<Job>,
    workers: usize,
    budgets: Budgets,
}

impl Pool {
    /// Starts `workers` threads (at least one), whose jobs use memory of `budgets`.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub fn new(workers: usize, budgets: &Budgets) -> std::io::Result<Self> {
        let (urgent, urgent_jobs) = bounded(QUEUE_JOBS);
        let (ahead, ahead_jobs) = bounded(QUEUE_JOBS);
        let workers = workers.max(1);
        let queues = Some(Queues { urgent, ahead, workers, budgets: budgets.clone() });
        let workers = (0..workers)
            .map(|n| {
                let (urgent, ahead) = (urgent_jobs.clone(), ahead_jobs.clone());
                let thread = thread::Builder::new().name(format!("kmidi-worker-{n}"));
                thread.stack_size(STACK_BYTES).spawn(move || work(urgent, ahead))
            })
            .collect::<Result<_, _>>()?;
        Ok(Pool { queues, workers })
    }

    /// Runs `job` on a worker, as soon as there is one and the memory that it needs, and hands its result to
    /// `deliver`, on the worker too.
    ///
    /// # Errors
    /// [`PoolFull`]; neither closure is called then.
    pub fn spawn<T: 'static>(
        &self,
        priority: Priority,
        need: Need,
        job: impl FnOnce(JobContext) -> T + Send + 'static,
        deliver: impl FnOnce(Result<T, JobError>) + Send + 'static,
    ) -> Result<Cancel, PoolFull> {
        self.queues().spawn(priority, need, job, deliver)
    }

    /// What a job needs to queue others.
    pub(crate) fn queues(&self) -> &Queues {
        self.queues.as_ref().expect("taken only by drop")
    }
}

impl Queues {
    /// [`Pool::spawn`].
    pub fn spawn<T: 'static>(
        &self,
        priority: Priority,
        need: Need,
        job: impl FnOnce(JobContext) -> T + Send + 'static,
        deliver: impl FnOnce(Result<T, JobError>) + Send + 'static,
    ) -> Result<Cancel, PoolFull> {
        let cancel = Cancel::default();
        let (seen, budgets) = (cancel.clone(), self.budgets.clone());
        let job: Job = Box::new(move || {
            let result = unharmed(|| JobContext::run(&budgets, need, &seen, job)).and_then(|run| run);
            // What a panicking receiver of results does is its own affair, not that of the next job.
            let _ = unharmed(|| deliver(result));
        });
        let queue = match priority {
            Priority::Urgent => &self.urgent,
            Priority::Ahead => &self.ahead,
        };
        match queue.try_send(job) {
            Ok(()) => Ok(cancel),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => Err(PoolFull),
        }
    }

    /// Whose memory the jobs use.
    pub fn budgets(&self) -> &Budgets {
        &self.budgets
    }

    /// How many jobs run at once.
    pub fn workers(&self) -> usize {
        self.workers
    }

    /// Whether somebody waits for sound, and no worker has had time yet.
    pub fn has_urgent(&self) -> bool {
        !self.urgent.is_empty()
    }
}

/// Runs a part of a job that may panic.
pub(crate) fn unharmed<T>(part: impl FnOnce() -> T) -> Result<T, JobError> {
    catch_unwind(AssertUnwindSafe(part)).map_err(|payload| JobError::Panicked(panic_text(&*payload)))
}

impl Drop for Pool {
    /// Lets running and waiting jobs finish; cancel them first to end soon.
    fn drop(&mut self) {
        self.queues = None;
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
pub(crate) mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::sync::{Arc, mpsc};
    use std::time::Duration;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    /// For jobs that need no memory to speak of.
    pub(crate) fn nothing() -> Need {
        Need::working(0, "a test")
    }

    /// A pool of one worker that is held until the sender is used, so that jobs pile up.
    pub(crate) fn held_pool() -> (Pool, mpsc::Sender<()>) {
        let pool = Pool::new(1, &Budgets::default()).unwrap();
        let (release, held) = mpsc::channel::<()>();
        let (started, running) = mpsc::channel();
        let hold = move |_: JobContext| {
            started.send(()).unwrap();
            let _ = held.recv_timeout(PATIENCE);
        };
        pool.spawn(Priority::Urgent, nothing(), hold, |_| ()).unwrap();
        running.recv_timeout(PATIENCE).unwrap();
        (pool, release)
    }

    #[test]
    fn a_panicking_job_harms_no_other() {
        let pool = Pool::new(1, &Budgets::default()).unwrap();
        let (results, received) = mpsc::channel();
        for n in 0..4 {
            let results = results.clone();
            let job = move |_: JobContext| if n % 2 == 0 { panic!("job {n}") } else { n };
            pool.spawn(Priority::Urgent, nothing(), job, move |r| results.send(r).unwrap()).unwrap();
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
            pool.spawn(priority, nothing(), move |_| name, move |r| results.send(r.unwrap()).unwrap())
                .unwrap();
        }
        release.send(()).unwrap();
        let order: Vec<_> = (0..2).map(|_| received.recv_timeout(PATIENCE).unwrap()).collect();
        assert_eq!(order, ["urgent", "ahead"]);
    }

    #[test]
    fn a_cancelled_job_never_begins_and_says_so() {
        let (pool, release) = held_pool();
        let (results, received) = mpsc::channel();
        let cancel =
            pool.spawn(Priority::Ahead, nothing(), |_| "ran", move |r| results.send(r).unwrap()).unwrap();
        cancel.cancel();
        release.send(()).unwrap();
        assert_eq!(received.recv_timeout(PATIENCE).unwrap(), Err(JobError::Cancelled));
    }

    #[test]
    fn a_full_queue_is_an_error_and_drop_waits_for_what_was_taken() {
        let (pool, release) = held_pool();
        let done = Arc::new(AtomicUsize::new(0));
        let count = || {
            let done = done.clone();
            pool.spawn(
                Priority::Urgent,
                nothing(),
                |_| (),
                move |_| {
                    done.fetch_add(1, Relaxed);
                },
            )
        };
        let taken = (0..QUEUE_JOBS + 10).filter(|_| count().is_ok()).count();
        assert_eq!(taken, QUEUE_JOBS);
        release.send(()).unwrap();
        drop(pool);
        assert_eq!(done.load(Relaxed), QUEUE_JOBS);
    }
}
