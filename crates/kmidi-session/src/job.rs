//! What a job may use, and what it has while it runs: `kmidi-memory`'s, tried here on the pool.

pub use kmidi_memory::{Cancel, JobContext, JobError, Need};

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};

    use kmidi_memory::{Budgets, Domain, Limits, MIB, tally};

    use super::*;
    use crate::pool::{Pool, Priority};

    const DOMAINS: [Domain; 3] = [Domain::Audio, Domain::Models, Domain::Working];
    /// The budget of each.
    const BUDGET: u64 = 8 * MIB;

    /// What is in use is the process's: one test at a time looks at it.
    fn alone() -> MutexGuard<'static, ()> {
        static ALONE: Mutex<()> = Mutex::new(());
        ALONE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Room for [`BUDGET`] more than is in use.
    fn budgets() -> Budgets {
        let limit = |limits: Limits, domain| limits.with(Some(domain), BUDGET + tally(domain).live_bytes());
        Budgets::new(DOMAINS.into_iter().fold(Limits::default(), limit))
    }

    /// Runs a job in each domain on a pool; what it comes to, and whether live bytes are then where they were.
    fn check<T: Send + std::fmt::Debug + 'static>(
        bytes: u64,
        prepare: impl Fn(&Budgets, Domain) -> Box<dyn std::any::Any>,
        job: impl Fn(&JobContext) -> Result<T, JobError> + Clone + Send + 'static,
        right: impl Fn(&Result<T, JobError>) -> bool,
    ) {
        let _alone = alone();
        kmidi_memory::charge_panics_to_the_program();
        for domain in DOMAINS {
            let budgets = budgets();
            let pool = Pool::new(1, &budgets).unwrap();
            let before = tally(domain).live_bytes();
            let prepared = prepare(&budgets, domain);
            let (results, received) = mpsc::channel();
            let need = Need { domain, bytes, name: "the job".into() };
            let job = job.clone();
            pool.spawn(
                Priority::Urgent,
                need,
                move |context| job(&context),
                move |result| {
                    results.send(result.and_then(|result| result)).unwrap();
                },
            )
            .unwrap();
            let result = received.recv().unwrap();
            assert!(right(&result), "{domain}: {result:?}");
            drop((result, pool, prepared));
            assert_eq!(tally(domain).live_bytes(), before, "{domain}");
            assert_eq!(budgets.status(Some(domain)).promised_bytes, 0, "{domain}");
        }
    }

    fn no_preparation(_: &Budgets, _: Domain) -> Box<dyn std::any::Any> {
        Box::new(())
    }

    /// Takes so much, a mebibyte at a time.
    fn take(mib: u64) -> impl Fn(&JobContext) -> Result<u64, JobError> + Clone {
        move |context| {
            let mut blocks = Vec::new();
            for _ in 0..mib {
                blocks.push(vec![1u8; MIB as usize]);
                context.check()?;
            }
            Ok(context.used_bytes() / MIB)
        }
    }

    fn is_over<T>(result: &Result<T, JobError>) -> bool {
        matches!(result, Err(JobError::OverBudget(exceeded)) if exceeded.to_string().contains("the job"))
    }

    #[test]
    fn a_job_that_fits_runs_and_knows_what_it_takes() {
        check(6 * MIB, no_preparation, take(5), |result| matches!(result, Ok(5)));
    }

    #[test]
    fn a_job_that_does_not_fit_never_begins() {
        let never = |_: &JobContext| -> Result<(), JobError> { panic!("it began") };
        check(9 * MIB, no_preparation, never, is_over);
    }

    #[test]
    fn a_job_fits_after_what_can_be_had_again_was_freed() {
        let cache = |budgets: &Budgets, domain: Domain| -> Box<dyn std::any::Any> {
            let cache = Mutex::new(domain.charge(|| vec![1u8; 6 * MIB as usize]));
            let empty = move |_| std::mem::take(&mut *cache.lock().unwrap()).len() as u64;
            Box::new(budgets.on_shortage(0, "a cache", empty))
        };
        check(6 * MIB, cache, take(5), |result| matches!(result, Ok(5)));
    }

    #[test]
    fn a_job_that_grows_beyond_its_lease_gets_more_while_there_is_more_and_is_stopped_then() {
        check(MIB, no_preparation, take(7), |result| matches!(result, Ok(7)));
        check(MIB, no_preparation, take(20), is_over);
    }

    #[test]
    fn a_job_that_does_not_ask_is_seen_by_those_that_do() {
        let blind = |context: &JobContext| {
            let block = vec![1u8; 20 * MIB as usize];
            context.check()?;
            Ok(block.len())
        };
        check(MIB, no_preparation, blind, is_over);
    }

    #[test]
    fn a_job_that_panics_leaves_nothing() {
        let panics = |_: &JobContext| -> Result<(), JobError> {
            let _block = vec![1u8; 3 * MIB as usize];
            panic!("broken")
        };
        check(4 * MIB, no_preparation, panics, |result| matches!(result, Err(JobError::Panicked(_))));
    }

    #[test]
    fn a_job_that_is_cancelled_says_so() {
        let cancelled = |context: &JobContext| {
            context.wish().cancel();
            context.check()
        };
        check(MIB, no_preparation, cancelled, |result| *result == Err(JobError::Cancelled));
    }

    /// The control: what a job leaves behind is seen.
    #[test]
    #[should_panic = "assertion `left == right` failed: audio"]
    fn control_what_stays_is_seen() {
        let leaks = |_: &JobContext| {
            std::mem::forget(vec![1u8; 100]);
            Ok(())
        };
        check(MIB, no_preparation, leaks, Result::is_ok);
    }
}
