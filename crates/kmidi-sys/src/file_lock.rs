use std::fs::{File, TryLockError};
use std::io;
use std::time::{Duration, Instant};

/// Between two looks: the system waits for such a lock for ever or not at all.
const BETWEEN: Duration = Duration::from_millis(1);

/// Whom a lock keeps out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileLock {
    /// All others.
    Exclusive,
    /// Those who want it for themselves.
    Shared,
}

/// Waits for the advisory lock of a file, which ends with the file, but no longer than `patience`. `[side B]`
///
/// # Errors
/// Of kind [`ResourceBusy`](io::ErrorKind::ResourceBusy) where others hold it for longer; others are the system's.
pub fn lock_file(file: &File, lock: FileLock, patience: Duration) -> io::Result<()> {
    let since = Instant::now();
    loop {
        let tried = match lock {
            FileLock::Exclusive => file.try_lock(),
            FileLock::Shared => file.try_lock_shared(),
        };
        match tried {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if since.elapsed() >= patience => {
                return Err(io::ErrorKind::ResourceBusy.into());
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(BETWEEN),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_waited_for_and_one_that_does_not_come_is_told() {
        let path = std::env::temp_dir().join(format!("kmidi-lock-{}", std::process::id()));
        let open = || File::options().create(true).truncate(false).write(true).open(&path).unwrap();
        let (first, second) = (open(), open());
        lock_file(&first, FileLock::Shared, Duration::ZERO).unwrap();
        lock_file(&second, FileLock::Shared, Duration::ZERO).unwrap();
        second.unlock().unwrap();
        let refused = lock_file(&second, FileLock::Exclusive, Duration::from_millis(20)).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ResourceBusy);
        let waits =
            std::thread::spawn(move || lock_file(&second, FileLock::Exclusive, Duration::from_secs(60)));
        drop(first);
        waits.join().unwrap().unwrap();
        std::fs::remove_file(path).unwrap();
    }
}
