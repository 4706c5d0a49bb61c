//! The plugin threads of a rack: one, and another whenever a plugin that does not come holds up the one before.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::thread::PluginThread;
use super::worker::{Answer, Order, Saving};
use crate::chain::Find;

/// What plugin threads say goes through this; it must not wait.
pub(crate) type Tell = dyn Fn(Answer) + Send + Sync;

/// How long a plugin may take to come before it is told, and others go on without it.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct Threads {
    find: Arc<Find>,
    tell: Arc<Tell>,
    /// New plugins come on the last one.
    threads: Vec<Thread>,
    /// Which thread has, or is to have, an instance.
    homes: BTreeMap<u64, usize>,
    pub patience: Duration,
}

struct Thread {
    thread: PluginThread,
    /// What it is about to load, and since when.
    loading: Option<(u64, Instant)>,
    /// It has lost patience with it.
    is_held: bool,
}

impl Threads {
    pub fn new(find: Box<Find>, tell: Box<Tell>) -> Self {
        let (find, tell) = (find.into(), tell.into());
        Threads { find, tell, threads: vec![], homes: BTreeMap::new(), patience: PATIENCE }
    }

    /// Has something done, on the thread whose it is. What concerns an instance that no thread has is passed over.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub fn order(&mut self, order: Order) -> std::io::Result<()> {
        let home = match &order {
            Order::Load { instance, .. } => {
                let last = self.last()?;
                self.homes.insert(*instance, last);
                Some(last)
            }
            Order::Copy { like, instance, .. } => {
                let home = self.homes.get(like).copied();
                if let Some(home) = home {
                    self.homes.insert(*instance, home);
                }
                home
            }
            Order::Unload { instance } => self.homes.remove(instance),
            Order::Activate { instance, .. }
            | Order::Parse { instance, .. }
            | Order::Restore { instance, .. } => self.homes.get(instance).copied(),
            Order::Save(saving) => return self.save(saving.clone(), 0),
        };
        if let Some(thread) = home.and_then(|home| self.threads.get(home)) {
            thread.thread.order(order);
        }
        Ok(())
    }

    /// The thread for what is new.
    fn last(&mut self) -> std::io::Result<usize> {
        if self.threads.last().is_none_or(|thread| thread.is_held) {
            let thread = PluginThread::start(self.find.clone(), self.tell.clone())?;
            self.threads.push(Thread { thread, loading: None, is_held: false });
        }
        Ok(self.threads.len() - 1)
    }

    /// Has the threads from `from` on complete what is to be saved, one after the other.
    fn save(&mut self, saving: Saving, from: usize) -> std::io::Result<()> {
        let next = (from..self.threads.len()).find(|at| !self.threads[*at].is_held);
        let next = next.map_or_else(|| self.last(), Ok)?;
        self.threads[next].thread.order(Order::Save(Saving { thread: next, ..saving }));
        Ok(())
    }

    /// One has added what it knows: whether others have to be asked too, who are by now.
    pub fn has_more(&mut self, saving: &mut Saving) -> bool {
        let next = saving.thread + 1;
        let others = self.threads.get(next..).unwrap_or_default();
        if !others.iter().any(|thread| !thread.is_held) {
            return false;
        }
        // There is one: no thread has to be started.
        self.save(std::mem::take(saving), next).is_ok()
    }

    /// A thread has begun to load this.
    pub fn begins(&mut self, instance: u64) {
        if let Some(thread) = self.homes.get(&instance).and_then(|home| self.threads.get_mut(*home)) {
            thread.loading = Some((instance, Instant::now()));
        }
    }

    /// It has come, or not.
    pub fn ends(&mut self, instance: u64) {
        let is_it = |thread: &&mut Thread| thread.loading.is_some_and(|(it, _)| it == instance);
        if let Some(thread) = self.threads.iter_mut().find(is_it) {
            (thread.loading, thread.is_held) = (None, false);
        }
    }

    /// A plugin that has just taken too long.
    pub fn overdue(&mut self) -> Option<u64> {
        let patience = self.patience;
        self.threads.iter_mut().filter(|thread| !thread.is_held).find_map(|thread| {
            let (instance, since) = thread.loading?;
            thread.is_held = since.elapsed() >= patience;
            thread.is_held.then_some(instance)
        })
    }

    /// Whether an instance is on a thread that waits for a plugin.
    pub fn is_held(&self, instance: u64) -> bool {
        let home = self.homes.get(&instance).and_then(|home| self.threads.get(*home));
        home.is_some_and(|thread| thread.is_held)
    }

    /// Ends all plugins whose audio halves are home, and the threads. Whether all did in time.
    pub fn close(self) -> bool {
        // What hangs is left behind at once.
        let ends = |it: Thread| !it.is_held && it.thread.close();
        self.threads.into_iter().map(ends).filter(|ended| !ended).count() == 0
    }
}
