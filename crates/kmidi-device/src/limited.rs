//! Calls that may never return: each on a thread of its own, waited for only so long.

use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, TryRecvError, bounded};

use crate::DeviceError;

/// A call under way.
pub(crate) struct Pending<T> {
    result: Receiver<T>,
    deadline: Instant,
}

/// What has become of a [`Pending`] call.
pub(crate) enum Progress<T> {
    Done(T),
    Waiting,
    /// It hung or panicked; its thread is left behind.
    GivenUp,
}

impl<T: Send + 'static> Pending<T> {
    /// Starts `call` on a thread of its own. What it returns too late is dropped on that thread.
    pub(crate) fn start(
        name: &str,
        limit: Duration,
        call: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Self, DeviceError> {
        let (sender, result) = bounded(1);
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let value = call();
                // The receiver is gone after the deadline; then the value comes back and drops here.
                let _ = sender.send(value);
            })
            .map_err(|error| DeviceError::NoThread { reason: error.to_string() })?;
        Ok(Pending { result, deadline: Instant::now() + limit })
    }

    pub(crate) fn poll(&self) -> Progress<T> {
        match self.result.try_recv() {
            Ok(value) => Progress::Done(value),
            Err(TryRecvError::Empty) if Instant::now() < self.deadline => Progress::Waiting,
            Err(_) => Progress::GivenUp,
        }
    }

    /// Waits until it is done or given up.
    pub(crate) fn wait(self) -> Option<T> {
        self.result.recv_deadline(self.deadline).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_call_that_never_returns_is_given_up_and_its_late_result_dropped_elsewhere() {
        struct TellThread(mpsc::Sender<std::thread::ThreadId>);
        impl Drop for TellThread {
            fn drop(&mut self) {
                self.0.send(std::thread::current().id()).unwrap();
            }
        }
        let (go, wait) = mpsc::channel::<()>();
        let (dropped, thread) = mpsc::channel();
        let pending = Pending::start("test", Duration::from_millis(20), move || {
            wait.recv().unwrap();
            TellThread(dropped)
        });
        assert!(pending.unwrap().wait().is_none());
        go.send(()).unwrap();
        assert_ne!(thread.recv_timeout(Duration::from_secs(10)).unwrap(), std::thread::current().id());
    }

    #[test]
    fn a_call_that_panics_is_given_up_at_once() {
        let pending = Pending::start("test", Duration::from_secs(3600), || panic!("planted")).unwrap();
        assert!(Option::<()>::is_none(&pending.wait()));
    }
}
