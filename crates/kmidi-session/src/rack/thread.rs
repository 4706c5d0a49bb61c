//! A plugin thread: the main thread of all plugins on it.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};

use super::threads::Tell;
use super::worker::{Answer, Order, Worker};
use crate::chain::Find;

/// Between two looks at the plugins.
const IDLE: Duration = Duration::from_millis(33);
/// How long closing may take: a plugin that hangs is left behind.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);

/// Side B's end of the plugin thread. Nobody who gives an order waits for it.
pub(crate) struct PluginThread {
    orders: Sender<Order>,
    ended: Receiver<()>,
    thread: JoinHandle<()>,
}

impl PluginThread {
    /// Starts it; `find` and `tell` are called on it.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub fn start(find: Arc<Find>, tell: Arc<Tell>) -> std::io::Result<Self> {
        let (orders, inbox) = unbounded();
        let (end, ended) = crossbeam_channel::bounded(0);
        // Foreign code runs on it: its stack is of the usual size.
        let thread = thread::Builder::new().name("kmidi-plugins".into()).spawn(move || {
            let _end: Sender<()> = end;
            work(&inbox, Worker::new(find, move |answer| tell(answer)));
        })?;
        Ok(PluginThread { orders, ended, thread })
    }

    /// Has something done, in the order of asking.
    pub fn order(&self, order: Order) {
        // It ends only with this.
        let _ = self.orders.send(order);
    }

    /// Ends all plugins whose audio halves are home, and the thread. Whether it did in time.
    pub fn close(self) -> bool {
        drop(self.orders);
        let ended = self.ended.recv_timeout(CLOSE_LIMIT) == Err(RecvTimeoutError::Disconnected);
        ended && self.thread.join().is_ok()
    }
}

fn work(inbox: &Receiver<Order>, mut worker: Worker<impl FnMut(Answer)>) {
    let mut next = Instant::now() + IDLE;
    loop {
        // Without plugins there is nothing to look at.
        let order = match worker.is_empty() {
            true => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
            false => inbox.recv_deadline(next),
        };
        match order {
            Ok(order) => worker.obey(order),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        // Also where orders come without a pause.
        if Instant::now() >= next {
            worker.idle();
            next = Instant::now() + IDLE;
        }
    }
}
