//! The samples of one preset, loaded side by side.
//!
//! Workers take one sample after the other until there is none left; whoever brings the last one
//! joins the preset and delivers it. Nobody waits for anybody, so no number of presets and workers
//! can come to a standstill.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use basedrop::Shared;
use kmidi_memory::{Budgets, Domain, Lease};
use kmidi_soundfont::{LoadedSample, Sample};

use crate::job::{JobError, Need};
use crate::pool::{PoolFull, Priority, Queues, unharmed};
use crate::presets::{Batch, Loaded, PresetError};
use crate::sound_bank::{BankPlan, SoundBank};

/// Told of the preset, once.
type Deliver = Box<dyn FnOnce(Loaded) + Send>;

/// A preset whose samples are being loaded.
pub(crate) struct Load {
    bank: Arc<SoundBank>,
    plan: BankPlan,
    priority: Priority,
    batch: Batch,
    /// The first sample that nobody has taken.
    next: AtomicUsize,
    budgets: Budgets,
    state: Mutex<State>,
}

struct State {
    samples: Vec<Option<Shared<Sample>>>,
    /// Samples that have not been brought.
    left: usize,
    /// There, once the first sample is about to be loaded.
    memory: Option<Memory>,
    error: Option<PresetError>,
    /// Taken by whoever brings the last sample.
    deliver: Option<Deliver>,
}

/// What a preset takes.
struct Memory {
    lease: Lease,
    /// Number and bytes of those that were not there before.
    loaded: Vec<(usize, u64)>,
}

impl Memory {
    fn loaded_bytes(&self) -> u64 {
        self.loaded.iter().map(|(_, bytes)| bytes).sum()
    }
}

impl Load {
    /// Has the samples of a plan loaded by as many workers as there are. Called on a worker.
    pub fn begin(
        bank: Arc<SoundBank>,
        plan: BankPlan,
        priority: Priority,
        batch: Batch,
        queues: &Queues,
        deliver: Deliver,
    ) {
        let left = plan.samples();
        batch.progress.expect((0..left).map(|number| plan.file_bytes(number)).sum());
        let state =
            State { samples: vec![None; left], left, memory: None, error: None, deliver: Some(deliver) };
        let (next, state, budgets) = (AtomicUsize::new(0), Mutex::new(state), queues.budgets().clone());
        let load = Arc::new(Load { bank, plan, priority, batch, next, budgets, state });
        if left == 0 {
            return load.finish();
        }
        let helpers = left.min(queues.workers());
        let queued = (0..helpers).take_while(|_| load.queue(queues).is_ok()).count();
        // No room for others: it is all done here.
        if queued == 0 {
            load.work(None);
        }
    }

    /// Has a worker help as soon as it can.
    fn queue(self: &Arc<Self>, queues: &Queues) -> Result<(), PoolFull> {
        let (load, again) = (self.clone(), queues.clone());
        let need = Need::working(0, "samples");
        queues.spawn(self.priority, need, move |_| load.work(Some(&again)), |_| ()).map(|_| ())
    }

    /// Asks for the memory of all samples at once, as half a preset is of no use; not before they are loaded,
    /// as many presets share samples.
    fn admit(&self) {
        let mut state = self.state();
        if state.memory.is_some() || state.error.is_some() {
            return;
        }
        let missing_bytes = self.bank.missing_bytes(&self.plan);
        let name = self.bank.purpose(&self.plan);
        match self.budgets.lease(Domain::Working, missing_bytes, &name) {
            Ok(lease) => state.memory = Some(Memory { lease, loaded: vec![] }),
            Err(exceeded) => state.error = Some(JobError::from(exceeded).into()),
        }
    }

    /// Loads samples until there are none left, or, if they are not urgent, until something is.
    fn work(self: &Arc<Self>, queues: Option<&Queues>) {
        self.admit();
        loop {
            let number = self.next.fetch_add(1, Relaxed);
            if number >= self.plan.samples() {
                return;
            }
            self.bring(number);
            let waits = |queues: &&Queues| self.priority == Priority::Ahead && queues.has_urgent();
            if let Some(queues) = queues.filter(waits)
                && self.queue(queues).is_ok()
            {
                return;
            }
        }
    }

    fn bring(self: &Arc<Self>, number: usize) {
        // After an error, or when nobody wants them any more, the rest are only counted.
        let loaded = if self.batch.cancel.is_cancelled() {
            Err(JobError::Cancelled.into())
        } else if self.state().error.is_some() {
            Ok(None)
        } else {
            let load = || Domain::Working.charge(|| self.bank.load_sample(&self.plan, number));
            unharmed(load)
                .map_err(PresetError::from)
                .and_then(|loaded| loaded.map_err(PresetError::from))
                .and_then(|sample| self.fits(number, sample))
        };
        self.batch.progress.done(self.plan.file_bytes(number));
        let mut state = self.state();
        match loaded {
            Ok(sample) => state.samples[number] = sample,
            Err(error) => state.error = state.error.take().or(Some(error)),
        }
        state.left -= 1;
        let is_last = state.left == 0;
        drop(state);
        if is_last {
            self.finish();
        }
    }

    /// Counts a sample that is there now. A compressed one may be larger than its file said.
    fn fits(
        &self,
        number: usize,
        loaded: Option<LoadedSample>,
    ) -> Result<Option<Shared<Sample>>, PresetError> {
        let Some(LoadedSample { sample, is_new }) = loaded else { return Ok(None) };
        if let Some(memory) = &mut self.state().memory
            && is_new
        {
            memory.loaded.push((number, sample.bytes()));
            memory.lease.fill(memory.loaded_bytes());
            memory.lease.grow(memory.loaded_bytes()).map_err(JobError::from)?;
        }
        Ok(Some(sample))
    }

    /// Delivers the preset, or why there is none.
    fn finish(&self) {
        let (samples, memory, error, deliver) = {
            let state = &mut *self.state();
            let memory = state.memory.take();
            (std::mem::take(&mut state.samples), memory, state.error.take(), state.deliver.take())
        };
        if let Some(memory) = memory.filter(|memory| !memory.loaded.is_empty()) {
            memory.lease.settle(memory.loaded_bytes());
            self.bank.pay(&self.plan, memory.lease, memory.loaded.into_iter());
        }
        let joined = || {
            let join = || Domain::Working.charge(|| self.bank.join(&self.plan, &samples));
            unharmed(join)
        };
        let loaded = match error {
            Some(error) => Err(error),
            None => joined()
                .map_err(PresetError::from)
                .and_then(|found| found.map_err(PresetError::from))
                .map(Some),
        };
        if let Some(deliver) = deliver {
            deliver(loaded);
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // Nothing under this lock panics half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{self, Receiver};
    use std::time::Duration;

    use basedrop::Collector;
    use kmidi_soundfont::{KeySet, PresetKey};

    use super::*;
    use crate::job::Cancel;
    use crate::pool::Pool;
    use crate::pool::tests::{held_pool, nothing};
    use crate::presets::{self, LoadedSet};

    const PATIENCE: Duration = Duration::from_secs(20);
    const KIT: PresetKey = PresetKey::drum(0);

    fn bank() -> Arc<SoundBank> {
        // What the collector holds is as good as leaked.
        Arc::new(
            SoundBank::open_here(&[], &Collector::new().handle(), &Budgets::default(), &Cancel::default())
                .unwrap(),
        )
    }

    /// Starts loading all keys of a preset.
    fn start(pool: &Pool, priority: Priority, key: PresetKey, batch: &Batch) -> Receiver<Loaded> {
        let (sender, loaded) = mpsc::channel();
        presets::load(pool, priority, &bank(), (key, KeySet::ALL), batch, move |it| sender.send(it).unwrap())
            .unwrap();
        loaded
    }

    fn load_all(workers: usize, wanted: &[(PresetKey, KeySet)]) -> LoadedSet {
        let pool = Pool::new(workers, &Budgets::default()).unwrap();
        presets::load_all(&pool, &bank(), wanted, &Cancel::default(), |_| ())
    }

    #[test]
    fn any_number_of_workers_gives_the_same_preset_with_its_zones_in_order() {
        let frames = |workers| {
            let set = load_all(workers, &[(KIT, KeySet::ALL)]);
            let zones = set.presets[0].1.zones.iter();
            zones.map(|zone| (zone.keys.clone(), zone.sample.name.clone(), zone.sample.data.len())).collect()
        };
        let one: Vec<_> = frames(1);
        assert!(one.len() > 20, "a kit of {} zones", one.len());
        assert_eq!(one, frames(4));
    }

    #[test]
    fn the_part_that_is_done_is_told_while_it_is_loaded() {
        let pool = Pool::new(1, &Budgets::default()).unwrap();
        let wanted: Vec<_> = (0..128).map(|program| (PresetKey::melodic(0, program), KeySet::ALL)).collect();
        let mut parts = vec![];
        presets::load_all(&pool, &bank(), &wanted, &Cancel::default(), |part| parts.push(part));
        assert!(parts.iter().any(|part| *part > 0.0), "{parts:?}");
        assert!(parts.is_sorted() && parts.iter().all(|part| (0.0..=1.0).contains(part)), "{parts:?}");
    }

    #[test]
    fn more_presets_than_a_pool_takes_at_once_all_come() {
        let keys = KeySet::from_iter([60]);
        let banks = (0..5).flat_map(|bank| (0..128).map(move |program| PresetKey::melodic(bank, program)));
        let wanted: Vec<_> = banks.map(|key| (key, keys)).collect();
        let set = load_all(1, &wanted);
        assert_eq!(set.presets.len(), wanted.len());
        // The banks beyond the first are not there.
        assert_eq!(set.complaints.len(), wanted.len() - 128);
    }

    #[test]
    fn what_somebody_waits_for_overtakes_samples_that_are_loaded_ahead() {
        let (pool, batch) = (Pool::new(1, &Budgets::default()).unwrap(), Batch::default());
        let kit = start(&pool, Priority::Ahead, KIT, &batch);
        while batch.progress.part() == 0.0 {
            std::thread::yield_now();
        }
        let (sender, ran) = mpsc::channel();
        pool.spawn(Priority::Urgent, nothing(), |_| (), move |_| sender.send(()).unwrap()).unwrap();
        ran.recv_timeout(PATIENCE).unwrap();
        assert!(kit.try_recv().is_err(), "the kit is done before what is urgent");
        assert!(kit.recv_timeout(PATIENCE).unwrap().is_ok());
        assert_eq!(batch.progress.part(), 1.0);
    }

    #[test]
    fn what_is_cancelled_ends_early_and_says_so() {
        let (pool, batch) = (Pool::new(2, &Budgets::default()).unwrap(), Batch::default());
        let kit = start(&pool, Priority::Urgent, KIT, &batch);
        while batch.progress.part() == 0.0 {
            std::thread::yield_now();
        }
        batch.cancel.cancel();
        let loaded = kit.recv_timeout(PATIENCE).unwrap();
        assert!(matches!(loaded, Err(PresetError::Job(JobError::Cancelled))));
        // What had not even begun has nothing to say.
        let other = start(&pool, Priority::Urgent, KIT, &batch);
        assert!(other.recv_timeout(PATIENCE).unwrap().is_ok_and(|found| found.is_none()));
    }

    #[test]
    fn what_there_is_no_room_for_is_refused_and_all_the_rest_comes() {
        let limits = |mib| kmidi_memory::Limits::default().with(Some(Domain::Working), mib << 20);
        let budgets = Budgets::default();
        let pool = Pool::new(2, &budgets).unwrap();
        let bank = bank();
        let all: Vec<_> = (0..128).map(|program| (PresetKey::melodic(0, program), KeySet::ALL)).collect();
        // At any size something may be refused, and nothing may be lost.
        for mib in [0, 1, 2, 4, 16] {
            budgets.set_limits(limits(mib));
            let set = presets::load_all(&pool, &bank, &all, &Cancel::default(), |_| ());
            assert_eq!((set.presets.len() + set.complaints.len()) / all.len(), 1, "{mib} MiB");
            assert!(set.refused.is_some_and(|exceeded| exceeded.scope == Some(Domain::Working)));
            assert!(kmidi_memory::tally(Domain::Working).live_bytes() < (mib + 4) << 20, "{mib} MiB");
        }
        budgets.set_limits(limits(500));
        let set = presets::load_all(&pool, &bank, &all, &Cancel::default(), |_| ());
        assert!(set.refused.is_none() && set.presets.len() == all.len());
    }

    #[test]
    fn a_pool_that_takes_no_helpers_still_delivers() {
        let (pool, release) = held_pool();
        while pool.spawn(Priority::Urgent, nothing(), |_| (), |_| ()).is_ok() {}
        let (sender, loaded) = mpsc::channel();
        let deliver = Box::new(move |it| sender.send(it).unwrap());
        let bank = bank();
        let plan = bank.plan(KIT, &KeySet::ALL).unwrap().unwrap();
        Load::begin(bank, plan, Priority::Urgent, Batch::default(), pool.queues(), deliver);
        assert!(loaded.try_recv().unwrap().is_ok_and(|found| found.is_some()));
        drop(release);
    }
}
