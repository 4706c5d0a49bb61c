#[cfg(loom)]
use loom::sync::atomic::{AtomicU64, Ordering, fence};
#[cfg(not(loom))]
use std::sync::atomic::{AtomicU64, Ordering, fence};

/// `N` words that one thread writes without ever waiting and others read as they were at one
/// moment: a sequence lock over atomics.
///
/// The writer makes the sequence odd, writes, and makes it even again; a reader that saw an odd or a
/// changed sequence tries again. The fences order the relaxed words between the two.
pub(crate) struct SeqLock<const N: usize> {
    sequence: AtomicU64,
    words: [AtomicU64; N],
}

impl<const N: usize> SeqLock<N> {
    /// `[side B]`
    pub fn new() -> Self {
        SeqLock { sequence: AtomicU64::new(0), words: std::array::from_fn(|_| AtomicU64::new(0)) }
    }

    /// `[side A]` Writes all words. One thread only.
    pub fn write(&self, words: &[u64; N]) {
        let sequence = self.sequence.load(Ordering::Relaxed);
        self.sequence.store(sequence + 1, Ordering::Relaxed);
        fence(Ordering::Release);
        for (place, &word) in self.words.iter().zip(words) {
            place.store(word, Ordering::Relaxed);
        }
        self.sequence.store(sequence + 2, Ordering::Release);
    }

    /// Reads all words unless the writer is in between.
    fn try_read(&self) -> Option<[u64; N]> {
        let before = self.sequence.load(Ordering::Acquire);
        let words = std::array::from_fn(|i| self.words[i].load(Ordering::Relaxed));
        fence(Ordering::Acquire);
        let after = self.sequence.load(Ordering::Relaxed);
        (before == after && before.is_multiple_of(2)).then_some(words)
    }

    /// `[side B]` Reads all words as they were at one moment.
    #[allow(clippy::disallowed_methods, reason = "side B")]
    pub fn read(&self) -> [u64; N] {
        loop {
            if let Some(words) = self.try_read() {
                return words;
            }
            // The writer holds on for some nanoseconds, or for as long as it is preempted.
            std::thread::yield_now();
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;

    #[test]
    fn a_reader_never_sees_half_of_a_write() {
        let (lock, stop) = (SeqLock::<32>::new(), AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for n in 1..300_000u64 {
                    lock.write(&[n; 32]);
                }
                stop.store(true, Ordering::Release);
            });
            while !stop.load(Ordering::Acquire) {
                let words = lock.read();
                assert!(words.iter().all(|&word| word == words[0]), "{words:?}");
            }
        });
        assert_eq!(lock.read(), [299_999; 32]);
    }
}

/// Run with `RUSTFLAGS="--cfg loom" cargo test -p kmidi-rt --release seqlock`.
#[cfg(all(test, loom))]
mod model {
    use super::*;
    use loom::sync::Arc;

    #[test]
    fn no_interleaving_shows_half_of_a_write() {
        loom::model(|| {
            let lock = Arc::new(SeqLock::<2>::new());
            let writer = {
                let lock = lock.clone();
                loom::thread::spawn(move || {
                    lock.write(&[1, 1]);
                    lock.write(&[2, 2]);
                })
            };
            if let Some([a, b]) = lock.try_read() {
                assert_eq!(a, b);
            }
            writer.join().unwrap();
            assert_eq!(lock.try_read(), Some([2, 2]));
        });
    }
}
