//! The thread of one song that plays: it reads the file, so that nobody else waits for a disk.

use std::io;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use kmidi_core::{LoopRange, SongTime};
use kmidi_rt::{Locate, Timeline};

use crate::STACK_BYTES;
use crate::feed::{Feed, RESIDENT_EVENTS};
use crate::reader::SongReader;

/// How often the rings of a streamed song are looked at: a small part of what they hold.
const PUMP: Duration = Duration::from_millis(2);
/// Orders that can wait; the conductor waits for each answer, so there are never many.
const ORDERS: usize = 16;

/// A place to begin a song at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Begin {
    pub position: SongTime,
    pub looping: Option<LoopRange>,
    /// Nothing at or after this is played.
    pub end: Option<SongTime>,
}

/// What the feeder is asked to think out.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Order {
    Seek { position: SongTime, looping: Option<LoopRange> },
    Loop { now: SongTime, before: Option<LoopRange>, looping: Option<LoopRange> },
}

impl Order {
    /// One order for this and the one after it.
    fn then(self, next: Order) -> Order {
        match (self, next) {
            (Order::Seek { position, .. }, Order::Loop { looping, .. }) => Order::Seek { position, looping },
            (Order::Loop { before, .. }, Order::Loop { now, looping, .. }) => {
                Order::Loop { now, before, looping }
            }
            (_, seek) => seek,
        }
    }
}

/// What comes of it.
pub(crate) enum Answer {
    /// The song is ready to be played.
    Open(Timeline, Locate),
    /// A seek or a change of the loop is.
    Located(Locate),
    /// The file cannot be read any more.
    Failed(io::Error),
}

/// Holds the feeder of the timeline `id`; it ends when this is dropped.
pub(crate) struct Feeder {
    id: u64,
    orders: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
}

impl Feeder {
    /// Starts reading; `answer` is called on the feeder's thread.
    pub fn start(
        open: impl FnOnce() -> io::Result<SongReader> + Send + 'static,
        begin: Begin,
        id: u64,
        answer: impl FnMut(Answer) + Send + 'static,
    ) -> io::Result<Self> {
        let (orders, received) = bounded(ORDERS);
        let thread = thread::Builder::new().name("kmidi-feeder".into());
        let thread =
            thread.stack_size(STACK_BYTES).spawn(move || feed(open, begin, id, &received, answer))?;
        Ok(Feeder { id, orders: Some(orders), thread: Some(thread) })
    }

    /// Name of the timeline in the engine's reports.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Has something thought out; the answer comes when it is.
    pub fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            // Full only when somebody seeks faster than the file can be read: later seeks will do.
            let _ = orders.try_send(order);
        }
    }
}

impl Drop for Feeder {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn feed(
    open: impl FnOnce() -> io::Result<SongReader>,
    begin: Begin,
    id: u64,
    orders: &Receiver<Order>,
    mut answer: impl FnMut(Answer),
) {
    let served = open().and_then(|reader| serve(reader, begin, id, orders, &mut answer));
    if let Err(error) = served {
        answer(Answer::Failed(error));
    }
}

fn serve(
    reader: SongReader,
    begin: Begin,
    id: u64,
    orders: &Receiver<Order>,
    answer: &mut impl FnMut(Answer),
) -> io::Result<()> {
    let (mut feed, timeline) = Feed::open(reader, begin.end, id, RESIDENT_EVENTS)?;
    let locate = feed.locate(begin.position, begin.looping)?;
    feed.pump()?;
    answer(Answer::Open(timeline, locate));
    let wait = if feed.is_streamed() { PUMP } else { Duration::MAX };
    loop {
        match orders.recv_timeout(wait) {
            Ok(first) => {
                // Only what several orders come to is worth its reading.
                let located = match orders.try_iter().fold(first, Order::then) {
                    Order::Seek { position, looping } => feed.locate(position, looping)?,
                    Order::Loop { now, before, looping } => feed.relocate(now, before, looping)?,
                };
                answer(Answer::Located(located));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
        feed.pump()?;
    }
}
