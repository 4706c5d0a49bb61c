//! Answers that were given before.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use crate::search::Hit;

/// How much a cache of questions keeps, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheLimits {
    /// Bytes of all that is kept, its own bookkeeping included.
    pub bytes: usize,
    /// Answers.
    pub answers: usize,
    /// How old an answer may be.
    pub age: Duration,
}

impl Default for CacheLimits {
    /// 192 KiB, 1,000 answers, five minutes.
    fn default() -> Self {
        CacheLimits { bytes: 192 << 10, answers: 1000, age: Duration::from_secs(300) }
    }
}

/// How a cache was used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct CacheCounts {
    /// Questions that had their answer here.
    pub hits: u64,
    /// Questions that had not.
    pub misses: u64,
    /// Answers that made room for others.
    pub evicted: u64,
    /// Answers that were too old.
    pub expired: u64,
}

const NONE: u32 = u32::MAX;
/// What an entry costs beside its key and hits: its slot, and its place in the table.
const ENTRY_BYTES: usize = size_of::<Entry>() + size_of::<(u64, u32)>() * 8 / 7 * 2 + 2;

struct Entry {
    hash: u64,
    key: Box<[u8]>,
    hits: Box<[Hit]>,
    asked: Instant,
    /// Used next before and after it.
    newer: u32,
    older: u32,
}

impl Entry {
    fn bytes(&self) -> usize {
        ENTRY_BYTES + self.key.len() + size_of_val(&*self.hits)
    }
}

/// Answers by all that they follow from. What was not used for longest makes room. Looking up takes no memory.
pub(crate) struct QueryCache {
    limits: CacheLimits,
    slots: Vec<Option<Entry>>,
    free: Vec<u32>,
    /// By the hash of the key; of two keys with one hash the later one stays.
    places: HashMap<u64, u32>,
    hasher: RandomState,
    newest: u32,
    oldest: u32,
    bytes: usize,
    /// When all were last looked at for their age.
    swept: Option<Instant>,
    counts: CacheCounts,
}

impl QueryCache {
    pub fn new(limits: CacheLimits) -> Self {
        QueryCache {
            limits,
            slots: vec![],
            free: vec![],
            places: HashMap::new(),
            hasher: RandomState::new(),
            newest: NONE,
            oldest: NONE,
            bytes: 0,
            swept: None,
            counts: CacheCounts::default(),
        }
    }

    pub fn counts(&self) -> CacheCounts {
        self.counts
    }

    /// What is kept, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The most that it takes, room for slots that are free included.
    pub fn limit_bytes(&self) -> u64 {
        (self.limits.bytes + self.limits.answers * 2 * size_of::<Option<Entry>>()) as u64
    }

    #[cfg(test)]
    pub fn answers(&self) -> usize {
        self.places.len()
    }

    /// The answer to a question, if it is known and not too old.
    pub fn get(&mut self, key: &[u8], now: Instant) -> Option<&[Hit]> {
        self.expire(now);
        let hash = self.hasher.hash_one(key);
        let slot = self.places.get(&hash).copied();
        let entry = slot.and_then(|slot| self.slots[slot as usize].as_ref());
        match (slot, entry.filter(|entry| *entry.key == *key && !self.is_old(entry, now))) {
            (Some(slot), Some(_)) => {
                self.counts.hits += 1;
                self.unlink(slot);
                self.link(slot);
                self.slots[slot as usize].as_ref().map(|entry| &*entry.hits)
            }
            _ => {
                self.counts.misses += 1;
                None
            }
        }
    }

    fn is_old(&self, entry: &Entry, now: Instant) -> bool {
        now.saturating_duration_since(entry.asked) > self.limits.age
    }

    /// What is too old goes, whether anybody asks for it or not.
    fn expire(&mut self, now: Instant) {
        let since = now.saturating_duration_since(*self.swept.get_or_insert(now));
        if since <= self.limits.age / 4 {
            return;
        }
        self.swept = Some(now);
        for slot in 0..self.slots.len() {
            if self.slots[slot].as_ref().is_some_and(|entry| self.is_old(entry, now)) {
                self.remove(slot as u32);
                self.counts.expired += 1;
            }
        }
    }

    /// The answer that [`Self::get`] has just given.
    pub fn again(&self, key: &[u8]) -> &[Hit] {
        let slot = self.slots.get(self.newest as usize).and_then(Option::as_ref);
        slot.filter(|entry| *entry.key == *key).map_or(&[], |entry| &entry.hits)
    }

    /// Keeps an answer. One that takes more than an eighth of all room is not kept.
    pub fn put(&mut self, key: &[u8], hits: &[Hit], now: Instant) {
        self.expire(now);
        let hash = self.hasher.hash_one(key);
        if let Some(slot) = self.places.get(&hash).copied() {
            self.remove(slot);
        }
        let size = ENTRY_BYTES + key.len() + size_of_val(hits);
        if size > self.limits.bytes / 8 || self.limits.answers == 0 {
            return;
        }
        while self.bytes + size > self.limits.bytes || self.places.len() >= self.limits.answers {
            self.remove(self.oldest);
            self.counts.evicted += 1;
        }
        let entry = Entry { hash, key: key.into(), hits: hits.into(), asked: now, newer: NONE, older: NONE };
        self.bytes += entry.bytes();
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = Some(entry);
                slot
            }
            None => {
                self.slots.push(Some(entry));
                // Taking an old answer out takes no memory then.
                self.free.reserve(self.slots.len());
                (self.slots.len() - 1) as u32
            }
        };
        self.places.insert(hash, slot);
        self.link(slot);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        let counts = self.counts;
        *self = QueryCache { counts, ..QueryCache::new(self.limits) };
    }

    fn remove(&mut self, slot: u32) {
        self.unlink(slot);
        if let Some(entry) = self.slots.get_mut(slot as usize).and_then(Option::take) {
            self.bytes -= entry.bytes();
            self.places.remove(&entry.hash);
            self.free.push(slot);
        }
    }

    fn entry(&mut self, slot: u32) -> Option<&mut Entry> {
        self.slots.get_mut(slot as usize)?.as_mut()
    }

    /// Takes an entry out of the order of use.
    fn unlink(&mut self, slot: u32) {
        let Some((newer, older)) = self.entry(slot).map(|entry| (entry.newer, entry.older)) else { return };
        match self.entry(newer) {
            Some(newer) => newer.older = older,
            None => self.newest = older,
        }
        match self.entry(older) {
            Some(older) => older.newer = newer,
            None => self.oldest = newer,
        }
    }

    /// Puts it at the end that is used last.
    fn link(&mut self, slot: u32) {
        let before = self.newest;
        if let Some(entry) = self.entry(slot) {
            (entry.newer, entry.older) = (NONE, before);
        }
        match self.entry(before) {
            Some(before) => before.newer = slot,
            None => self.oldest = slot,
        }
        self.newest = slot;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(item: u32) -> Hit {
        Hit { item, ..Hit::default() }
    }

    fn cache(answers: usize, bytes: usize) -> QueryCache {
        QueryCache::new(CacheLimits { bytes, answers, age: Duration::from_secs(10) })
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first_not_what_was_put_first() {
        let (mut cache, now) = (cache(3, 1 << 20), Instant::now());
        for key in [b"a", b"b", b"c"] {
            cache.put(key, &[hit(u32::from(key[0]))], now);
        }
        assert_eq!(cache.get(b"a", now).unwrap()[0].item, 97);
        cache.put(b"d", &[], now);
        assert!(cache.get(b"b", now).is_none(), "the one that was used least lately");
        assert!(cache.get(b"a", now).is_some() && cache.get(b"c", now).is_some());
        assert_eq!(cache.get(b"d", now), Some(&[][..]));
        assert_eq!(cache.counts(), CacheCounts { hits: 4, misses: 1, evicted: 1, expired: 0 });
    }

    #[test]
    fn what_is_too_old_is_gone_and_gives_its_room_back() {
        let (mut cache, now) = (cache(3, 1 << 20), Instant::now());
        cache.put(b"a", &[hit(1)], now);
        cache.put(b"never asked for", &[hit(1)], now);
        assert!(cache.get(b"a", now + Duration::from_secs(10)).is_some());
        assert!(cache.get(b"a", now + Duration::from_secs(11)).is_none());
        cache.put(b"b", &[hit(1)], now + Duration::from_secs(14));
        assert_eq!((cache.answers(), cache.counts().expired), (1, 2));
        assert!(cache.get(b"b", now + Duration::from_secs(25)).is_none() && cache.bytes() == 0);
    }

    #[test]
    fn bytes_are_bounded_whatever_is_put_and_order_is_that_of_a_list() {
        let (mut cache, now) = (cache(40, 20_000), Instant::now());
        // Newest last: what the links must say.
        let mut model: Vec<u8> = vec![];
        for step in 0..5000u32 {
            let key = (step.wrapping_mul(2_654_435_761) >> 24) as u8 % 60;
            if step % 3 == 0 {
                let known = model.iter().position(|it| *it == key);
                assert_eq!(cache.get(&[key], now).is_some(), known.is_some(), "{step}");
                if let Some(at) = known {
                    model.remove(at);
                    model.push(key);
                }
            } else {
                cache.put(&[key], &vec![hit(step); usize::from(key)], now);
                model.retain(|it| *it != key);
                model.push(key);
                let kept = cache.answers();
                model.drain(..model.len() - kept);
            }
            assert!(cache.bytes() <= 20_000 && cache.answers() <= 40);
        }
        assert!(cache.counts().evicted > 100);
        for key in model {
            assert!(cache.get(&[key], now).is_some());
        }
    }

    #[test]
    fn an_answer_that_would_fill_the_cache_is_not_kept() {
        let (mut cache, now) = (cache(40, 8000), Instant::now());
        cache.put(b"a", &[hit(1)], now);
        cache.put(b"all", &vec![hit(0); 1000], now);
        assert!(cache.get(b"all", now).is_none() && cache.get(b"a", now).is_some());
    }
}
