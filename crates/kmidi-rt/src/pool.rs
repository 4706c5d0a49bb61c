//! Pages of a streamed song: a fixed number of boxes that go round. Each has one owner at any
//! moment, and a ring home; nothing is ever taken from a shared free list.

use kmidi_core::limits::{PAGE_EVENTS, PAGE_RING, PAGE_SYSEX_BYTES};
use rtrb::{Consumer, Producer, RingBuffer};

use crate::song::{Page, Stream};

/// The feeder's end of a streamed song. `[side B]`
pub struct PageSender {
    pages: Producer<Box<Page>>,
    home: Consumer<Box<Page>>,
    /// Pages that have not been out yet.
    #[allow(clippy::vec_box, reason = "boxes go round; none is made anew")]
    unused: Vec<Box<Page>>,
}

/// The two ends of a streamed song, with all the pages it will ever use. `[side B]`
#[allow(clippy::disallowed_methods, reason = "side B")]
pub fn page_stream() -> (PageSender, Stream) {
    // One more than fit on the way out: the page being played.
    let count = PAGE_RING + 1;
    let (pages, pages_out) = RingBuffer::new(PAGE_RING);
    let (home, home_out) = RingBuffer::new(count);
    let page = || {
        Box::new(Page {
            events: Vec::with_capacity(PAGE_EVENTS),
            sysex: Vec::with_capacity(PAGE_SYSEX_BYTES),
            ..Page::default()
        })
    };
    let unused = std::iter::repeat_with(page).take(count).collect();
    (PageSender { pages, home: home_out, unused }, Stream::new(pages_out, home))
}

impl PageSender {
    /// An empty page to fill, if one is free: a new one, or one that has come home.
    pub fn free_page(&mut self) -> Option<Box<Page>> {
        let mut page = self.unused.pop().or_else(|| self.home.pop().ok())?;
        page.events.clear();
        page.sysex.clear();
        page.last = false;
        page.loop_wrap = false;
        Some(page)
    }

    /// Sends a page to the sequencer; `Err` gives it back if the ring is full: try again later.
    pub fn send(&mut self, page: Box<Page>) -> Result<(), Box<Page>> {
        self.pages.push(page).map_err(|rtrb::PushError::Full(page)| page)
    }

    /// Takes back a page that will not be sent.
    #[allow(clippy::disallowed_methods, reason = "side B")]
    pub fn give_back(&mut self, page: Box<Page>) {
        self.unused.push(page);
    }

    /// Whether the sequencer's end is gone (its song came home and was dropped).
    pub fn is_abandoned(&self) -> bool {
        self.pages.is_abandoned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const BLOCKS: usize = 8;
    const THREADS: usize = 4;
    const FREE: usize = usize::MAX;

    /// Who holds each block, to be told at every change of hands.
    struct Owners([AtomicUsize; BLOCKS]);

    impl Owners {
        fn new() -> Self {
            Owners(std::array::from_fn(|_| AtomicUsize::new(FREE)))
        }
        /// Whether the block was free before.
        fn take(&self, block: usize, thread: usize) -> bool {
            self.0[block].swap(thread, Ordering::SeqCst) == FREE
        }
        /// Whether it was still ours.
        fn free(&self, block: usize, thread: usize) -> bool {
            self.0[block].swap(FREE, Ordering::SeqCst) == thread
        }
    }

    /// The scenario that corrupted a lock-free list of free blocks: four threads on two cores,
    /// eight blocks. Here blocks go round on rings from owner to owner.
    #[test]
    fn eight_blocks_on_four_threads_never_have_two_owners() {
        const PASSES: usize = 400_000;
        let (owners, passed) = (Owners::new(), AtomicUsize::new(0));
        let (mut senders, mut receivers): (Vec<_>, Vec<_>) =
            (0..THREADS).map(|_| RingBuffer::<Box<usize>>::new(BLOCKS)).unzip();
        (0..BLOCKS).for_each(|block| senders[0].push(Box::new(block)).unwrap());
        // Thread n takes from ring n and gives to ring n + 1.
        senders.rotate_left(1);
        std::thread::scope(|scope| {
            for (thread, (mut to, mut from)) in senders.drain(..).zip(receivers.drain(..)).enumerate() {
                let (owners, passed) = (&owners, &passed);
                scope.spawn(move || {
                    while passed.load(Ordering::Relaxed) < PASSES {
                        let Ok(block) = from.pop() else {
                            std::thread::yield_now();
                            continue;
                        };
                        assert!(owners.take(*block, thread), "block {block} had an owner");
                        assert!(owners.free(*block, thread), "block {block} was taken away");
                        to.push(block).expect("the ring holds every block");
                        passed.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        assert!((0..BLOCKS).all(|block| owners.take(block, 0)));
    }

    /// The control: the interleaving that breaks an untagged list of free blocks, step by step. The
    /// check above sees it.
    #[test]
    fn the_check_sees_the_block_that_an_untagged_free_list_hands_out_twice() {
        let owners = Owners::new();
        let next = [1, 2, FREE];
        let mut head = 0;
        // Thread 0 reads the head and its next, and is preempted before its compare-and-swap.
        let (seen_head, seen_next) = (head, next[head]);
        // Thread 1 takes blocks 0 and 1, and gives block 0 back: it is the head again.
        assert!(owners.take(0, 1) && owners.take(1, 1));
        assert!(owners.free(0, 1));
        // Thread 0 goes on: the head is what it saw, so the swap succeeds, with a stale next.
        assert_eq!(head, seen_head);
        head = seen_next;
        assert!(owners.take(0, 0));
        // The next taker gets block 1, which thread 1 still holds.
        assert!(!owners.take(head, 0), "two owners, and the check must say so");
    }

    #[test]
    fn pages_go_round_and_a_full_ring_gives_the_page_back() {
        let (mut sender, mut stream) = page_stream();
        for round in 0..5 {
            let mut sent = 0;
            while let Some(mut page) = sender.free_page() {
                assert!(page.events.is_empty() && page.events.capacity() >= PAGE_EVENTS);
                page.generation = round;
                if let Err(page) = sender.send(page) {
                    sender.give_back(page);
                    break;
                }
                sent += 1;
            }
            assert_eq!(sent, PAGE_RING);
            while let Ok(page) = stream.pages.pop() {
                assert_eq!(page.generation, round);
                stream.home.push(page).unwrap();
            }
        }
        drop(stream);
        assert!(sender.is_abandoned());
    }
}
