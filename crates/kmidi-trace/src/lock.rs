//! Advisory locks, with an end to patience.

use std::fs::{File, TryLockError};
use std::io;
use std::time::{Duration, Instant};

/// How long a lock is waited for. A writer holds it for one write and one sync.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
const BETWEEN: Duration = Duration::from_millis(1);

/// Waits for the lock that keeps all others out.
pub(crate) fn exclusive(file: &File) -> io::Result<()> {
    wait(|| file.try_lock())
}

/// Waits for the lock that keeps writers out.
pub(crate) fn shared(file: &File) -> io::Result<()> {
    wait(|| file.try_lock_shared())
}

fn wait(mut attempt: impl FnMut() -> Result<(), TryLockError>) -> io::Result<()> {
    let since = Instant::now();
    loop {
        match attempt() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if since.elapsed() > PATIENCE => {
                return Err(io::ErrorKind::ResourceBusy.into());
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(BETWEEN),
        }
    }
}
