//! Where the sockets are: a folder that only this user can enter.

use std::fs::{self, DirBuilder};
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// The ending of a socket's name; before it stands the number of the process.
const ENDING: &str = "sock";

/// This user's number.
pub fn own_uid() -> u32 {
    rustix::process::getuid().as_raw()
}

/// The folder, made if it is not there: in `XDG_RUNTIME_DIR`, else under `/tmp`.
pub fn folder() -> Result<PathBuf> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
    if let Some(folder) = runtime.and_then(|runtime| private(runtime.join("kmidi")).ok()) {
        return Ok(folder);
    }
    private(PathBuf::from(format!("/tmp/kmidi-{}", own_uid())))
}

/// Makes a folder, and makes sure that nobody else can put anything into it.
fn private(folder: PathBuf) -> Result<PathBuf> {
    match DirBuilder::new().mode(0o700).create(&folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(named(&folder, &error)),
        _ => {}
    }
    // Not what a link leads to.
    let is = fs::symlink_metadata(&folder).map_err(|error| named(&folder, &error))?;
    if !is.is_dir() || is.uid() != own_uid() || is.mode() & 0o077 != 0 {
        let text = format!("{} must be a folder of your own that nobody else can enter", folder.display());
        return Err(Error::new(ErrorKind::PermissionDenied, text));
    }
    Ok(folder)
}

fn named(path: &Path, error: &Error) -> Error {
    Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// The socket of a process.
pub fn socket(folder: &Path, pid: u32) -> PathBuf {
    folder.join(format!("{pid}.{ENDING}"))
}

/// The processes that have a socket there on which somebody listens, in order. Sockets of those that have
/// ended are removed.
pub fn listening(folder: &Path) -> Result<Vec<u32>> {
    let mut pids = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|it| it != ENDING) {
            continue;
        }
        let Some(pid) = path.file_stem().and_then(|stem| stem.to_str()?.parse::<u32>().ok()) else {
            continue;
        };
        match UnixStream::connect(&path) {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => remove_stale(&path, pid),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            _ => pids.push(pid),
        }
    }
    pids.sort_unstable();
    Ok(pids)
}

/// One that is about to listen has its name already, but is alive.
fn remove_stale(path: &Path, pid: u32) {
    if !Path::new(&format!("/proc/{pid}")).exists() {
        // Somebody else may have done it.
        let _ = fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_folder_that_others_can_enter_or_that_is_a_link_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let open = place.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
        private(open).unwrap_err();
        let closed = private(place.path().join("closed")).unwrap();
        assert_eq!(fs::metadata(&closed).unwrap().mode() & 0o777, 0o700);
        private(closed.clone()).unwrap();
        let link = place.path().join("link");
        symlink(&closed, &link).unwrap();
        private(link).unwrap_err();
    }

    #[test]
    fn sockets_of_the_dead_are_removed_and_only_theirs() {
        let place = tempfile::tempdir().unwrap();
        let own = std::process::id();
        let alive = UnixListener::bind(socket(place.path(), own)).unwrap();
        // No process has this number: it is beyond what Linux gives.
        let dead = socket(place.path(), 4_194_305);
        drop(UnixListener::bind(&dead).unwrap());
        fs::write(place.path().join("4194305-demo.mid"), "not a socket").unwrap();
        assert_eq!(listening(place.path()).unwrap(), [own]);
        assert!(!dead.exists());
        drop(alive);
        assert_eq!(listening(place.path()).unwrap(), [0; 0]);
        assert!(socket(place.path(), own).exists(), "its process lives");
    }
}
