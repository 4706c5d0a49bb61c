//! States of plugins in files of their own beside the rack, and files that are whole or not there.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::MAX_STATE_BYTES;

/// Ending of a state's file.
const ENDING: &str = "state";

/// The folder of a rack's states, from the rack's own folder.
pub(super) fn folder_of(rack: &Path) -> PathBuf {
    let mut name = rack.file_stem().unwrap_or_default().to_owned();
    name.push(".states");
    PathBuf::from(name)
}

/// The file of a state. Each has a generation of its own, so that no file ever changes.
pub(super) fn file_of(folder: &Path, slot: &str, generation: u64) -> PathBuf {
    folder.join(format!("{slot}.{generation}.{ENDING}"))
}

/// Slot and generation of a state's file.
fn parts_of(name: &str) -> Option<(&str, u64)> {
    let (slot, generation) = name.strip_suffix(ENDING)?.strip_suffix('.')?.rsplit_once('.')?;
    Some((slot, generation.parse().ok()?))
}

/// The highest generation that there is in a folder.
pub(super) fn highest_generation(folder: &Path) -> u64 {
    let names = fs::read_dir(folder).into_iter().flatten().flatten();
    names.filter_map(|it| parts_of(it.file_name().to_str()?).map(|(_, it)| it)).max().unwrap_or(0)
}

/// This name, or with a number behind it if there is such a file.
pub(super) fn free_name(path: &Path) -> PathBuf {
    let numbered = |number: u32| match number {
        1 => path.to_owned(),
        _ => {
            let mut name = path.to_owned().into_os_string();
            name.push(format!(".{number}"));
            name.into()
        }
    };
    (1..).map(numbered).find(|it: &PathBuf| it.symlink_metadata().is_err()).unwrap_or_else(|| path.to_owned())
}

/// Files in the folder of `path` whose names begin with its own.
pub(super) fn beginning_with(path: &Path) -> Vec<PathBuf> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let begin = path.file_name().unwrap_or_default().as_encoded_bytes();
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_one = |it: &PathBuf| it.file_name().is_some_and(|it| it.as_encoded_bytes().starts_with(begin));
    entries.map(|it| it.path()).filter(is_one).collect()
}

/// Removes states of these slots that are older than the ones that are `kept`, unless one of the texts has its name. Those of
/// other slots stay: perhaps the slot comes back.
pub(super) fn remove_superseded(folder: &Path, kept: &[&Path], texts: &[String]) {
    let kept: Vec<(&str, u64)> = kept.iter().filter_map(|it| parts_of(it.file_name()?.to_str()?)).collect();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let Some((slot, generation)) = parts_of(name) else { continue };
        if texts.iter().any(|text| text.contains(name)) {
            continue;
        }
        if kept.iter().any(|(kept_slot, newest)| *kept_slot == slot && generation < *newest) {
            // One that stays takes room and nothing else.
            fs::remove_file(entry.path()).ok();
        }
    }
}

/// Reads a file that is not longer than a state may be.
pub(super) fn read_limited(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is longer than {limit} bytes")));
    }
    Ok(bytes)
}

/// Reads a state's file.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    read_limited(path, MAX_STATE_BYTES)
}

/// Replaces a file by another one, as a whole or not at all, and durably.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    written(path, bytes)?.persist(path)?;
    sync_folder(path);
    Ok(())
}

/// The same, with the new file locked and open.
pub(super) fn write_whole_and_keep(path: &Path, bytes: &[u8]) -> io::Result<File> {
    let file = written(path, bytes)?;
    file.as_file().try_lock().map_err(io::Error::from)?;
    let file = file.persist(path)?;
    sync_folder(path);
    Ok(file)
}

fn written(path: &Path, bytes: &[u8]) -> io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().prefix(".kmidi-").tempfile_in(folder)?;
    // As the file that it replaces can be read, this one can.
    if let Ok(before) = fs::metadata(path) {
        file.as_file().set_permissions(before.permissions())?;
    } else {
        readable(file.as_file())?;
    }
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// A temporary file is for its owner alone; a rack is a file like others.
#[cfg(unix)]
fn readable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_: &File) -> io::Result<()> {
    Ok(())
}

/// A name is durable once its folder is. Some file systems refuse this; the file is whole anyway.
fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).ok();
}
