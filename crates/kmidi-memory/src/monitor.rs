//! Looks at memory now and then, tells when it gets short, and has what can be had again freed. A thread of
//! its own: it works whether or not anybody listens.

use std::collections::VecDeque;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::{Budgets, Domain, Leak, LeakRules, LeakWatch, Levels, Limits, MIB, Pressure, Trend};

/// What telling takes, and more.
const STACK_BYTES: usize = 512 << 10;
/// Measurements that are kept of each domain.
const KEPT: usize = 720;

/// How the monitor looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MonitorConfig {
    /// From one look to the next.
    pub interval: Duration,
    /// Bytes in use, of all domains together, from which memory is short.
    pub levels: Levels,
    /// What counts as a leak.
    pub leaks: LeakRules,
}

impl MonitorConfig {
    /// Each second, and the levels of the total budget.
    pub fn new(limits: &Limits) -> Self {
        MonitorConfig {
            interval: Duration::from_secs(1),
            levels: Levels::of_budget(limits.bytes(None)),
            leaks: LeakRules::default(),
        }
    }
}

/// What the monitor has seen or done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MonitorEvent {
    /// Memory is short in another degree than before.
    Pressure {
        /// From here.
        before: Pressure,
        /// To here.
        now: Pressure,
        /// Bytes in use.
        live_bytes: u64,
    },
    /// What could be had again was freed.
    Relieved {
        /// Whether somebody asked for it.
        asked: bool,
        /// What freed something, and how many bytes.
        freed: Vec<(String, u64)>,
    },
}

/// The running monitor; it ends when it is dropped.
pub struct Monitor {
    orders: Option<Sender<()>>,
    series: Arc<Mutex<Series>>,
    leaks: Arc<Mutex<LeakWatch>>,
    thread: Option<JoinHandle<()>>,
}

/// Seconds since the start and bytes, of each domain.
struct Series {
    of_domains: [VecDeque<(f64, f64)>; Domain::COUNT],
    pressure: Pressure,
}

impl Series {
    /// With room for all that is kept: a monitor that grows for its first minutes would be seen by itself.
    fn new() -> Self {
        let of_domains = std::array::from_fn(|_| VecDeque::with_capacity(KEPT));
        Series { of_domains, pressure: Pressure::default() }
    }
}

impl Monitor {
    /// Starts to look. `tell` is called on the monitor's thread.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub fn start(
        budgets: Budgets,
        config: MonitorConfig,
        tell: impl FnMut(MonitorEvent) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (orders, ordered) = mpsc::channel();
        let series = Arc::new(Mutex::new(Series::new()));
        let leaks = Arc::new(Mutex::new(LeakWatch::new(config.leaks)));
        let mut janitor = Janitor {
            budgets,
            levels: config.levels,
            series: series.clone(),
            leaks: leaks.clone(),
            start: Instant::now(),
            live_bytes: 0,
        };
        let thread =
            thread::Builder::new().name("kmidi-memory".into()).stack_size(STACK_BYTES).spawn(move || {
                let mut tell = tell;
                loop {
                    match ordered.recv_timeout(config.interval) {
                        Err(RecvTimeoutError::Disconnected) => return,
                        Err(RecvTimeoutError::Timeout) => janitor.look(&mut tell),
                        Ok(()) => {
                            let freed = janitor.budgets.relieve();
                            tell(MonitorEvent::Relieved { asked: true, freed });
                            janitor.look(&mut tell);
                        }
                    }
                }
            })?;
        Ok(Monitor { orders: Some(orders), series, leaks, thread: Some(thread) })
    }

    /// Has all that can be had again freed, soon, on the monitor's thread: the emergency.
    pub fn relieve(&self) {
        if let Some(orders) = &self.orders {
            // The thread lives as long as this.
            let _ = orders.send(());
        }
    }

    /// How a domain has gone since the monitor started; None as long as that is too short.
    pub fn trend(&self, domain: Domain) -> Option<Trend> {
        Trend::of(self.series(domain).as_slice())
    }

    /// How short memory was when the monitor looked last.
    pub fn pressure(&self) -> Pressure {
        lock(&self.series).pressure
    }

    /// The last measurements of a domain: seconds since the start, bytes in use.
    pub fn series(&self, domain: Domain) -> Vec<(f64, f64)> {
        lock(&self.series).of_domains[domain as usize].iter().copied().collect()
    }

    /// The places in the program whose memory goes on growing, the fastest first.
    pub fn leaks(&self) -> Vec<Leak> {
        lock(&self.leaks).leaks()
    }

    /// How long places have been watched, in seconds.
    pub fn watched_s(&self) -> f64 {
        lock(&self.leaks).watched_s()
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the thread has.
struct Janitor {
    budgets: Budgets,
    levels: Levels,
    series: Arc<Mutex<Series>>,
    leaks: Arc<Mutex<LeakWatch>>,
    start: Instant,
    /// As it was seen last.
    live_bytes: u64,
}

impl Janitor {
    fn look(&mut self, tell: &mut impl FnMut(MonitorEvent)) {
        let now = self.start.elapsed().as_secs_f64();
        crate::peaks::look_at_all();
        for domain in Domain::ALL {
            let live = self.budgets.status(Some(domain)).live_bytes;
            let mut series = lock(&self.series);
            let series = &mut series.of_domains[domain as usize];
            if series.len() == KEPT {
                series.pop_front();
            }
            series.push_back((now, live as f64));
        }
        self.compare(tell);
        self.watch_leaks(now);
    }

    fn watch_leaks(&self, now_s: f64) {
        let is_due = lock(&self.leaks).is_due(now_s);
        if is_due {
            let sites = crate::sites();
            lock(&self.leaks).see(now_s, &sites);
        }
    }

    /// Compares with the levels; frees on the way up.
    fn compare(&mut self, tell: &mut impl FnMut(MonitorEvent)) {
        let live_bytes = self.budgets.status(None).live_bytes;
        if live_bytes + MIB < std::mem::replace(&mut self.live_bytes, live_bytes) {
            crate::base::release();
        }
        let Some(before) = self.levels.see(live_bytes) else { return };
        let now = self.levels.pressure();
        lock(&self.series).pressure = now;
        tell(MonitorEvent::Pressure { before, now, live_bytes });
        if now < Pressure::Cleanup || now < before {
            return;
        }
        let freed = if now == Pressure::Critical {
            self.budgets.relieve()
        } else {
            // Down to where it would not be short any more.
            let [alert, ..] = self.levels.bounds();
            self.budgets.reclaim(live_bytes.saturating_sub(alert))
        };
        tell(MonitorEvent::Relieved { asked: false, freed });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    /// A monitor over memory that the test sets, with a cache of 300 bytes in it.
    fn monitored() -> (Monitor, Arc<AtomicU64>, mpsc::Receiver<MonitorEvent>, crate::Reclaimer) {
        let live = Arc::new(AtomicU64::new(0));
        let seen = live.clone();
        let of = move |domain| if domain == Domain::Working { seen.load(Relaxed) } else { 0 };
        let budgets = Budgets::over(Limits::default(), of);
        let cache = live.clone();
        let left = AtomicU64::new(300);
        let reclaimer = budgets.on_shortage(0, "a cache", move |wanted| {
            let freed = left.load(Relaxed).min(wanted);
            left.fetch_sub(freed, Relaxed);
            cache.fetch_sub(freed, Relaxed);
            freed
        });
        let levels = Levels::new(1000, 1500, 2000).unwrap();
        let leaks = LeakRules::default();
        let config = MonitorConfig { interval: Duration::from_millis(10), levels, leaks };
        let (events, told) = mpsc::channel();
        let monitor = Monitor::start(budgets, config, move |event| drop(events.send(event))).unwrap();
        (monitor, live, told, reclaimer)
    }

    fn pressure(before: Pressure, now: Pressure, live_bytes: u64) -> MonitorEvent {
        MonitorEvent::Pressure { before, now, live_bytes }
    }

    #[test]
    fn levels_are_told_and_what_can_be_had_again_is_freed() {
        let (_monitor, live, told, _reclaimer) = monitored();
        let next = || told.recv_timeout(PATIENCE).unwrap();
        live.store(1100, Relaxed);
        assert_eq!(next(), pressure(Pressure::None, Pressure::Alert, 1100));
        live.store(1550, Relaxed);
        assert_eq!(next(), pressure(Pressure::Alert, Pressure::Cleanup, 1550));
        assert_eq!(next(), MonitorEvent::Relieved { asked: false, freed: vec![("a cache".into(), 300)] });
        assert_eq!(next(), pressure(Pressure::Cleanup, Pressure::Alert, 1250));
        live.store(2000, Relaxed);
        assert_eq!(next(), pressure(Pressure::Alert, Pressure::Critical, 2000));
        assert_eq!(next(), MonitorEvent::Relieved { asked: false, freed: vec![] });
        live.store(0, Relaxed);
        assert_eq!(next(), pressure(Pressure::Critical, Pressure::None, 0));
    }

    #[test]
    fn relief_can_be_asked_for() {
        let (monitor, live, told, _reclaimer) = monitored();
        live.store(500, Relaxed);
        monitor.relieve();
        let event = told.recv_timeout(PATIENCE).unwrap();
        assert_eq!(event, MonitorEvent::Relieved { asked: true, freed: vec![("a cache".into(), 300)] });
        assert_eq!(live.load(Relaxed), 200);
    }
}
