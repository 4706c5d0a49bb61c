//! Advisory locks of the log.

use std::fs::File;
use std::io;
use std::time::Duration;

use kmidi_sys::{FileLock, lock_file};

/// How long a lock is waited for. A writer holds it for one write and one sync.
const PATIENCE: Duration = Duration::from_secs(10);

/// Waits for the lock that keeps all others out.
pub(crate) fn exclusive(file: &File) -> io::Result<()> {
    lock_file(file, FileLock::Exclusive, PATIENCE)
}

/// Waits for the lock that keeps writers out.
pub(crate) fn shared(file: &File) -> io::Result<()> {
    lock_file(file, FileLock::Shared, PATIENCE)
}
