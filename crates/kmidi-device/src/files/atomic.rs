use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::FileError;

/// A file that gets its name only when it is complete. Dropped before [`AtomicFile::commit`],
/// it leaves nothing; after a power cut or `kill -9` either the old file is there or the new one.
pub(super) struct AtomicFile {
    file: File,
    path: PathBuf,
    target: Target,
}

enum Target {
    /// Without a name so far: it vanishes with the process.
    Unnamed,
    /// Under another name in the same folder, where the file system knows no unnamed files.
    Named(PathBuf),
    /// A character device, such as `/dev/null`: written to in place.
    Device,
}

impl AtomicFile {
    pub(super) fn create(path: &Path) -> Result<Self, FileError> {
        let fail = |error| FileError::from_io(path, error);
        // A link's target is what gets replaced, not the link.
        let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        match fs::metadata(path) {
            Ok(existing) if is_character_device(&existing) => {
                let file = File::options().write(true).open(path).map_err(fail)?;
                return Ok(AtomicFile { file, path: path.clone(), target: Target::Device });
            }
            Ok(existing) if !existing.is_file() => return Err(FileError::NotAFile { path: path.clone() }),
            Ok(existing) if existing.permissions().readonly() => {
                return Err(FileError::NotPermitted { path: path.clone() });
            }
            _ => {}
        }
        let folder = folder_of(path);
        if !folder.is_dir() {
            return Err(FileError::NoFolder { path: path.clone(), folder });
        }
        #[cfg(target_os = "linux")]
        if let Ok(file) = kmidi_sys::create_unnamed(&folder) {
            return Ok(AtomicFile { file, path: path.clone(), target: Target::Unnamed });
        }
        let temporary = temporary_name(path);
        let file = File::options().write(true).create_new(true).open(&temporary).map_err(fail)?;
        Ok(AtomicFile { file, path: path.clone(), target: Target::Named(temporary) })
    }

    /// A second handle to write through.
    pub(super) fn handle(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the content durable, then gives it the name it was created for.
    pub(super) fn commit(mut self) -> io::Result<()> {
        if let Target::Device = self.target {
            return Ok(());
        }
        self.file.sync_all()?;
        #[cfg(target_os = "linux")]
        if let Target::Unnamed = self.target {
            // A link does not replace what is there; a rename does, in one step.
            let temporary = temporary_name(&self.path);
            kmidi_sys::name_file(&self.file, &temporary)?;
            self.target = Target::Named(temporary);
        }
        if let Target::Named(temporary) = &self.target {
            fs::rename(temporary, &self.path)?;
            self.target = Target::Unnamed;
        }
        // The name is durable once the folder is. Some file systems refuse this; the file is whole anyway.
        File::open(folder_of(&self.path)).and_then(|folder| folder.sync_all()).ok();
        Ok(())
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if let Target::Named(temporary) = &self.target {
            fs::remove_file(temporary).ok();
        }
    }
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn temporary_name(path: &Path) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Names may be 255 bytes long; the start is enough to recognise it.
    let start: String = name.chars().take(32).collect();
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    path.with_file_name(format!(".{start}.{}-{number}.part", std::process::id()))
}

fn is_character_device(metadata: &fs::Metadata) -> bool {
    #[cfg(unix)]
    return std::os::unix::fs::FileTypeExt::is_char_device(&metadata.file_type());
    #[cfg(not(unix))]
    return {
        let _ = metadata;
        false
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn entries(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        names.map(|name| name.to_string_lossy().into_owned()).collect()
    }

    /// Forces the way that file systems without unnamed files take.
    fn named(path: &Path) -> AtomicFile {
        let temporary = temporary_name(path);
        let file = File::create_new(&temporary).unwrap();
        AtomicFile { file, path: path.to_owned(), target: Target::Named(temporary) }
    }

    fn check(create: impl Fn(&Path) -> AtomicFile) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("song.wav");
        fs::write(&path, "old").unwrap();

        let given_up = create(&path);
        given_up.handle().unwrap().write_all(b"half").unwrap();
        drop(given_up);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(entries(folder.path()), ["song.wav"]);

        let complete = create(&path);
        complete.handle().unwrap().write_all(b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old", "not before it is complete");
        complete.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(entries(folder.path()), ["song.wav"]);
    }

    #[test]
    fn the_old_file_stays_until_the_new_one_is_complete() {
        check(|path| AtomicFile::create(path).unwrap());
    }

    #[test]
    fn the_old_file_stays_also_where_no_file_can_be_unnamed() {
        check(named);
    }

    #[test]
    fn what_is_not_a_regular_file_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(AtomicFile::create(folder.path()), Err(FileError::NotAFile { .. })));
        AtomicFile::create(Path::new("/dev/null")).unwrap().commit().unwrap();
        assert!(is_character_device(&fs::metadata("/dev/null").unwrap()));
        let missing = folder.path().join("no/such/song.wav");
        assert!(matches!(AtomicFile::create(&missing), Err(FileError::NoFolder { .. })));
    }

    #[test]
    #[cfg(unix)]
    fn a_link_keeps_pointing_at_the_file_that_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target.wav"), folder.path().join("link.wav"));
        fs::write(&target, "old").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let file = AtomicFile::create(&link).unwrap();
        file.handle().unwrap().write_all(b"new").unwrap();
        file.commit().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }
}
