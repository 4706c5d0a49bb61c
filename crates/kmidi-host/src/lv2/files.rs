//! Files that belong to a plugin's state: made below a private folder, kept inside of the saved bytes.

use std::collections::BTreeMap;
use std::ffi::{CString, c_char, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;

use super::features::text_of;

/// Most bytes of the files of one state.
pub const MAX_FILE_BYTES: u64 = 64 << 20;
/// Most files of one state.
const MAX_FILES: usize = 4096;
/// Deepest folder in a folder of a state.
const MAX_DEPTH: usize = 16;
/// Folders of restored states that stay: a plugin may still read from the one before the last.
const KEPT_FOLDERS: usize = 2;

/// The files of one instance. Its folder is made when it is needed and goes when the instance goes.
#[derive(Default)]
pub struct Files {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    folder: Option<tempfile::TempDir>,
    restored: Vec<PathBuf>,
    restores: u64,
    /// While a state is saved: the files in it by their names there.
    saved: Option<BTreeMap<String, PathBuf>>,
}

impl Files {
    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// From now on paths are noted as part of a state.
    pub fn begin_save(&self) {
        self.inner().saved = Some(BTreeMap::new());
    }

    /// The contents of the files noted since [`Files::begin_save`].
    pub fn end_save(&self) -> Result<Vec<(String, Vec<u8>)>, String> {
        let saved = self.inner().saved.take().unwrap_or_default();
        let mut files = Vec::new();
        let mut room = MAX_FILE_BYTES;
        for (name, path) in saved {
            collect(&name, &path, &mut files, &mut room, MAX_DEPTH)?;
        }
        Ok(files)
    }

    /// Puts the files of a state into a folder of their own, which relative paths then mean.
    pub fn restore(&self, files: &[(String, Vec<u8>)]) -> Result<(), String> {
        let mut inner = self.inner();
        inner.restores += 1;
        let folder = inner.root()?.join(format!("restored-{}", inner.restores));
        let text = |error: std::io::Error| error.to_string();
        std::fs::create_dir(&folder).map_err(text)?;
        for (name, bytes) in files {
            let path = folder.join(safe_name(name).ok_or_else(|| format!("{name:?} is no name of a file"))?);
            std::fs::create_dir_all(path.parent().expect("it is in the folder")).map_err(text)?;
            std::fs::write(&path, bytes).map_err(text)?;
        }
        inner.restored.push(folder);
        if inner.restored.len() > KEPT_FOLDERS {
            let old = inner.restored.remove(0);
            let _ = std::fs::remove_dir_all(old);
        }
        Ok(())
    }

    /// Where a plugin may make a file.
    fn make(&self, name: &str) -> Option<PathBuf> {
        let name = safe_name(name)?;
        let mut inner = self.inner();
        let path = inner.root().ok()?.join("made").join(&name);
        std::fs::create_dir_all(path.parent()?).ok()?;
        if let (Some(saved), Some(name)) = (&mut inner.saved, name.to_str()) {
            saved.insert(name.to_owned(), path.clone());
        }
        Some(path)
    }

    /// The name in a state of a path: relative for what is the instance's own, else as it is.
    fn abstract_path(&self, path: &str) -> String {
        let mut inner = self.inner();
        let Some(name) = inner.own_name(Path::new(path)) else { return path.to_owned() };
        let Some(saved) = &mut inner.saved else { return name };
        let is_free = |name: &String| saved.get(name).is_none_or(|it| it == Path::new(path));
        let numbered = (2..).map(|n| format!("{n}/{name}"));
        let name = std::iter::once(name.clone()).chain(numbered).find(is_free).expect("numbers do not end");
        saved.insert(name.clone(), PathBuf::from(path));
        name
    }

    /// The path of a name in a state.
    fn absolute_path(&self, name: &str) -> PathBuf {
        let inner = self.inner();
        match (safe_name(name), inner.restored.last()) {
            (Some(name), Some(folder)) => folder.join(name),
            _ => PathBuf::from(name),
        }
    }
}

impl Inner {
    fn root(&mut self) -> Result<PathBuf, String> {
        if self.folder.is_none() {
            let folder = tempfile::Builder::new().prefix("kmidi-lv2-").tempdir();
            self.folder = Some(folder.map_err(|error| error.to_string())?);
        }
        Ok(self.folder.as_ref().expect("made above").path().to_owned())
    }

    /// What comes behind `made/` or `restored-N/`.
    fn own_name(&self, path: &Path) -> Option<String> {
        let inside = path.strip_prefix(self.folder.as_ref()?.path()).ok()?;
        let name: PathBuf = inside.components().skip(1).collect();
        safe_name(name.to_str()?)?.to_str().map(str::to_owned)
    }
}

/// A relative path that leads nowhere else.
fn safe_name(name: &str) -> Option<PathBuf> {
    let path = Path::new(name);
    let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    let is_safe = !name.is_empty() && !name.contains('\0') && path.components().all(is_plain);
    let clean: PathBuf = path.components().filter(|part| *part != Component::CurDir).collect();
    (is_safe && !clean.as_os_str().is_empty()).then_some(clean)
}

/// Reads a file, or all files of a folder. What does not exist is passed over: the plugin made none.
fn collect(
    name: &str,
    path: &Path,
    files: &mut Vec<(String, Vec<u8>)>,
    room: &mut u64,
    depth: usize,
) -> Result<(), String> {
    let Ok(metadata) = std::fs::symlink_metadata(path) else { return Ok(()) };
    if metadata.is_dir() && depth > 0 {
        for entry in std::fs::read_dir(path).map_err(|error| error.to_string())?.flatten() {
            let Ok(inner) = entry.file_name().into_string() else { continue };
            collect(&format!("{name}/{inner}"), &entry.path(), files, room, depth - 1)?;
        }
        return Ok(());
    }
    // A link is followed, for a plugin may link to what is large; what it leads to must be a file.
    let Ok(metadata) = std::fs::metadata(path) else { return Ok(()) };
    if !metadata.is_file() {
        return Ok(());
    }
    if metadata.len() > *room || files.len() >= MAX_FILES {
        return Err(format!("its files have over {MAX_FILE_BYTES} bytes, or are over {MAX_FILES}"));
    }
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    *room = room.saturating_sub(bytes.len() as u64);
    files.push((name.to_owned(), bytes));
    Ok(())
}

/// A path as C string that [`c_free_path`] frees.
fn c_path(path: &Path) -> *mut c_char {
    let Ok(text) = CString::new(path.as_os_str().as_bytes()) else { return std::ptr::null_mut() };
    // SAFETY: the text is a C string. Plugins of old free it with `free`, so it must come from `malloc`.
    unsafe { libc::strdup(text.as_ptr()) }
}

/// `LV2_State_Make_Path::path`
///
/// # Safety
/// `handle` is a [`Files`], `path` null or a C string.
pub unsafe extern "C" fn c_make_path(handle: *mut c_void, path: *const c_char) -> *mut c_char {
    // SAFETY: the handle is what the feature was made with; the text is the plugin's promise.
    let (files, name) = unsafe { (&*handle.cast::<Files>(), text_of(path)) };
    name.and_then(|name| files.make(name)).map_or(std::ptr::null_mut(), |path| c_path(&path))
}

/// `LV2_State_Map_Path::abstract_path`
///
/// # Safety
/// As [`c_make_path`].
pub unsafe extern "C" fn c_abstract_path(handle: *mut c_void, path: *const c_char) -> *mut c_char {
    // SAFETY: as in `c_make_path`.
    let (files, path) = unsafe { (&*handle.cast::<Files>(), text_of(path)) };
    path.map_or(std::ptr::null_mut(), |path| c_path(Path::new(&files.abstract_path(path))))
}

/// `LV2_State_Map_Path::absolute_path`
///
/// # Safety
/// As [`c_make_path`].
pub unsafe extern "C" fn c_absolute_path(handle: *mut c_void, path: *const c_char) -> *mut c_char {
    // SAFETY: as in `c_make_path`.
    let (files, path) = unsafe { (&*handle.cast::<Files>(), text_of(path)) };
    path.map_or(std::ptr::null_mut(), |path| c_path(&files.absolute_path(path)))
}

/// `LV2_State_Free_Path::free_path`
///
/// # Safety
/// `path` is null or came from one of the functions above.
pub unsafe extern "C" fn c_free_path(_: *mut c_void, path: *mut c_char) {
    // SAFETY: it came from `strdup`.
    unsafe { libc::free(path.cast()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_made_while_saving_comes_back_in_another_instance_and_no_name_leads_out() {
        let (first, second) = (Files::default(), Files::default());
        first.begin_save();
        let path = first.make("a/loop.wav").unwrap();
        std::fs::write(&path, b"sound").unwrap();
        assert_eq!(first.abstract_path(path.to_str().unwrap()), "a/loop.wav");
        assert_eq!(first.abstract_path("/usr/share/x.wav"), "/usr/share/x.wav");
        let files = first.end_save().unwrap();
        assert_eq!(files, [("a/loop.wav".to_owned(), b"sound".to_vec())]);
        second.restore(&files).unwrap();
        let restored = second.absolute_path("a/loop.wav");
        assert_eq!(std::fs::read(&restored).unwrap(), b"sound");
        assert_eq!(second.absolute_path("/usr/share/x.wav"), Path::new("/usr/share/x.wav"));
        for name in ["../x", "/etc/x", "a/../../x", "", ".", "a\0b"] {
            assert_eq!(first.make(name), None, "{name}");
            assert!(second.restore(&[(name.to_owned(), vec![])]).is_err(), "{name}");
        }
        let folder = restored.parent().unwrap().to_owned();
        drop(second);
        assert!(!folder.exists());
    }

    #[test]
    fn two_files_of_the_same_name_from_two_states_are_both_kept() {
        let files = Files::default();
        files.restore(&[("x".to_owned(), b"old".to_vec())]).unwrap();
        let old = files.absolute_path("x");
        files.begin_save();
        let new = files.make("x").unwrap();
        std::fs::write(&new, b"new").unwrap();
        assert_eq!(files.abstract_path(new.to_str().unwrap()), "x");
        assert_eq!(files.abstract_path(old.to_str().unwrap()), "2/x");
        let saved = files.end_save().unwrap();
        assert_eq!(saved, [("2/x".to_owned(), b"old".to_vec()), ("x".to_owned(), b"new".to_vec())]);
    }
}
