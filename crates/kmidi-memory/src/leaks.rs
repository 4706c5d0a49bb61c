//! Which places in the program leak. What is old and not tiny is a candidate; a candidate whose *floor*
//! goes on rising leaks: see [`Trend`].

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Domain, Site, Trend};

/// Places that are watched at once: those with the most bytes in use.
const WATCHED: usize = 64;
/// Values that are kept of each; when there are more, two become one, the lesser.
const KEPT: usize = 240;

/// What makes a place a candidate, and how often it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeakRules {
    /// Something that it allocated is that old.
    pub least_age_s: u64,
    /// More than this is in use.
    pub least_bytes: u64,
    /// From one value to the next at first; it doubles when there are too many values.
    pub step: Duration,
}

impl Default for LeakRules {
    /// A minute old and larger than 1 KiB, looked at each second.
    fn default() -> Self {
        LeakRules { least_age_s: 60, least_bytes: 1024, step: Duration::from_secs(1) }
    }
}

/// A place in the program whose memory in use goes on growing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Leak {
    /// The place, as it was seen last.
    pub site: Site,
    /// How fast its floor rises.
    pub bytes_per_second: f64,
    /// How many standard deviations that is from chance.
    pub score: f64,
    /// How long it has been watched.
    pub watched_s: f64,
}

/// Watches the largest places over time, in bounded memory. The clock is the caller's. `[side B]`
#[derive(Debug)]
pub struct LeakWatch {
    rules: LeakRules,
    watched: Vec<Watched>,
    first_s: Option<f64>,
    last_s: f64,
}

#[derive(Debug)]
struct Watched {
    site: Site,
    /// Seconds, and the least bytes in use from then to the next.
    series: Vec<(f64, f64)>,
    step_s: f64,
}

/// What tells one place from another.
type Place<'a> = (Domain, &'a [usize]);

fn place(site: &Site) -> Place<'_> {
    (site.domain, &site.frames)
}

impl LeakWatch {
    /// Watches nothing yet.
    pub fn new(rules: LeakRules) -> Self {
        LeakWatch { rules, watched: Vec::new(), first_s: None, last_s: 0.0 }
    }

    /// Whether the next look is due.
    pub fn is_due(&self, now_s: f64) -> bool {
        self.first_s.is_none() || now_s >= self.last_s + self.rules.step.as_secs_f64()
    }

    /// How long places have been watched, in seconds.
    pub fn watched_s(&self) -> f64 {
        self.first_s.map_or(0.0, |first| self.last_s - first)
    }

    /// Takes [`sites`](crate::sites) as they are now.
    pub fn see(&mut self, now_s: f64, sites: &[Site]) {
        self.first_s.get_or_insert(now_s);
        self.last_s = now_s;
        let found: HashMap<Place, &Site> = sites.iter().map(|site| (place(site), site)).collect();
        for watched in &mut self.watched {
            match found.get(&place(&watched.site)) {
                Some(&site) => watched.site.clone_from(site),
                None => (watched.site.live_bytes, watched.site.oldest_s) = (0, None),
            }
        }
        self.watch_the_largest(sites);
        for watched in &mut self.watched {
            watched.push(now_s);
        }
    }

    fn watch_the_largest(&mut self, sites: &[Site]) {
        let known: HashSet<Place> = self.watched.iter().map(|watched| place(&watched.site)).collect();
        let mut new: Vec<&Site> =
            sites.iter().filter(|site| site.live_bytes > 0 && !known.contains(&place(site))).collect();
        new.sort_by_key(|site| std::cmp::Reverse(site.live_bytes));
        let new: Vec<Site> = new.into_iter().take(WATCHED).cloned().collect();
        for site in new {
            // With room for all that is kept: what watches for growth must not grow.
            let series = Vec::with_capacity(KEPT);
            let watched = Watched { site, series, step_s: self.rules.step.as_secs_f64() };
            if self.watched.len() < WATCHED {
                self.watched.push(watched);
                continue;
            }
            let least = self.watched.iter_mut().min_by_key(|watched| watched.site.live_bytes);
            // Much larger, so that two of a size do not take turns and lose what is known of them.
            match least {
                Some(least) if watched.site.live_bytes > 2 * least.site.live_bytes => *least = watched,
                _ => return,
            }
        }
    }

    /// What leaks, the fastest first.
    pub fn leaks(&self) -> Vec<Leak> {
        let mut leaks: Vec<_> =
            self.watched.iter().filter_map(|watched| watched.leak(&self.rules, self.last_s)).collect();
        leaks.sort_by(|a, b| b.bytes_per_second.total_cmp(&a.bytes_per_second));
        leaks
    }
}

impl Watched {
    fn push(&mut self, now_s: f64) {
        let live = self.site.live_bytes as f64;
        if let Some((since, least)) = self.series.last_mut()
            && now_s < *since + self.step_s
        {
            *least = least.min(live);
            return;
        }
        if self.series.len() == KEPT {
            for at in 0..KEPT / 2 {
                let [(since, one), (_, other)] = [self.series[2 * at], self.series[2 * at + 1]];
                self.series[at] = (since, one.min(other));
            }
            self.series.truncate(KEPT / 2);
            self.step_s *= 2.0;
        }
        self.series.push((now_s, live));
    }

    /// It grows all in all, and still does in the later half: what filled up once and stays is no leak.
    fn leak(&self, rules: &LeakRules, now_s: f64) -> Option<Leak> {
        let site = &self.site;
        let is_old = site.oldest_s.is_some_and(|age| age >= rules.least_age_s);
        if !is_old || site.live_bytes <= rules.least_bytes {
            return None;
        }
        let (all, late) = (Trend::of(&self.series)?, Trend::of(&self.series[self.series.len() / 2..])?);
        (all.rises() && late.rises()).then(|| Leak {
            site: site.clone(),
            bytes_per_second: late.slope,
            score: all.score,
            watched_s: now_s - self.series[0].0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: f64 = 1048576.0;

    fn site(place: usize, live_bytes: f64, oldest_s: u64) -> Site {
        Site {
            frames: vec![place, 7],
            domain: Domain::Working,
            allocations: 1,
            allocated_bytes: live_bytes as u64,
            live_blocks: 1,
            live_bytes: live_bytes as u64,
            peak_bytes: live_bytes as u64,
            oldest_s: Some(oldest_s),
        }
    }

    /// A number that is the same on every run, 0 to 1.
    fn noise(n: usize) -> f64 {
        let x = (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((x ^ x >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f64 / f64::from(1 << 24)
    }

    fn watch(seconds: usize, sites: impl Fn(usize) -> Vec<Site>) -> LeakWatch {
        let mut watch = LeakWatch::new(LeakRules::default());
        (0..seconds).for_each(|n| watch.see(n as f64, &sites(n)));
        watch
    }

    fn check(name: &str, seconds: usize, live: impl Fn(usize) -> f64, leaks: bool) {
        let found = watch(seconds, |n| vec![site(1, live(n), n as u64)]).leaks();
        assert_eq!(found.len(), usize::from(leaks), "{name}: {found:?}");
    }

    #[test]
    fn a_leak_is_told_from_what_only_looks_like_one() {
        for seconds in [150, 1000, 5000] {
            let whole = seconds as f64;
            let part = |n: usize| n as f64 / whole;
            check("a leak", seconds, |n| n as f64 * 4096.0, true);
            check("a leak under noise", seconds, |n| n as f64 * 4096.0 + noise(n) * MIB / 8.0, true);
            // As samples see it: now and then half a MiB more.
            check("a leak in steps", seconds, |n| (part(n) * 40.0).floor() * MIB / 2.0, true);
            check("a cache that fills and stays", seconds, |n| (part(n) * 5.0).min(1.0) * 9.0 * MIB, false);
            check("one that fills late", seconds, |n| (part(n) * 2.4).min(1.0) * 9.0 * MIB, false);
            check("a cache that breathes", seconds, |n| (n % 10) as f64 * MIB, false);
            check("noise", seconds, |n| noise(n) * MIB, false);
            check("nothing new", seconds, |_| MIB, false);
            check("a tiny one", seconds, |n| part(n) * 1000.0, false);
        }
    }

    #[test]
    fn what_is_young_is_no_candidate() {
        let found = watch(300, |n| vec![site(1, n as f64 * 4096.0, 59)]).leaks();
        assert_eq!(found, []);
    }

    #[test]
    fn its_pace_is_told() {
        let found = watch(3000, |n| vec![site(1, n as f64 * 4096.0, n as u64)]).leaks();
        assert!((4000.0..4200.0).contains(&found[0].bytes_per_second), "{found:?}");
        assert!(found[0].watched_s > 2900.0, "{found:?}");
    }

    #[test]
    fn memory_is_bounded_whatever_there_is_and_the_largest_are_kept() {
        let many = |n: usize| {
            let mut sites: Vec<_> = (0..500).map(|i| site(10 + i, 2000.0 + i as f64, 100)).collect();
            // It comes when all places are taken.
            if n > 100 {
                sites.push(site(1, (n as f64 - 100.0) * 4096.0, n as u64));
            }
            sites
        };
        let watch = watch(2000, many);
        assert_eq!(watch.watched.len(), WATCHED);
        assert!(watch.watched.iter().all(|watched| watched.series.len() <= KEPT));
        let places: Vec<_> = watch.leaks().iter().map(|leak| leak.site.frames[0]).collect();
        assert_eq!(places, [1]);
    }
}
