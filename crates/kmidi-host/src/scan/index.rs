//! The index: one file in the cache folder, replaced as a whole.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::stamp::Stamp;
use super::stored::{self, MAX_INDEX_BYTES};
use crate::{Description, Format, PluginId, Preset};

/// Why a plugin, or all of its file, cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Which plugin; `None` if the file did not even say what is in it.
    pub id: Option<PluginId>,
    /// What happened.
    pub reason: String,
}

/// What one file or bundle gave.
#[derive(Clone, Debug, PartialEq)]
pub struct FileEntry {
    /// Its format.
    pub format: Format,
    /// How it was when it was asked.
    pub stamp: Stamp,
    /// Its plugins.
    pub plugins: Vec<Description>,
    /// Their presets, but those of LV2 plugins; `None` if they have not been asked for these.
    pub presets: Option<Vec<(PluginId, Preset)>>,
    /// What went wrong.
    pub failures: Vec<Failure>,
}

/// All plugins there are, as the last scan found them.
#[derive(Debug, Default)]
pub struct Index {
    /// What each file or bundle gave.
    pub files: BTreeMap<PathBuf, FileEntry>,
    path: PathBuf,
}

/// The index cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "fields are what the messages say")]
pub enum IndexError {
    #[error("the plugin index {path}: {source}. Look whether its folder can be written to; without it every start scans again", path = path.display())]
    File { path: PathBuf, source: io::Error },
    /// [`Index::anew`] is to be filled in its place.
    #[error("the plugin index {path} is damaged, or another version of kmidi has written it: `kmidi plugin scan` makes it anew", path = path.display())]
    Damaged { path: PathBuf },
}

/// No plugin, or not one alone, is meant by a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "fields are what the messages say")]
pub enum FindError {
    #[error(
        "no plugin {text:?} is known: `kmidi plugin list` shows those there are, `kmidi plugin scan` finds new ones{}",
        own(text)
    )]
    NoSuch { text: String },
    #[error("{text:?} can be any of these, say which: {ids}")]
    Several { text: String, ids: String },
    #[error(
        "{text} cannot be used, as the last scan found: {reason}. `kmidi plugin scan --retry` asks it again"
    )]
    Unusable { text: String, reason: String },
    #[error("what the plugin index says of {text} is damaged: `kmidi plugin scan` makes it anew")]
    Damaged { text: String },
}

/// Where a plugin of this project comes from.
fn own(text: &str) -> &'static str {
    let id =
        text.split_once(':').filter(|(format, _)| *format == Format::Clap.name()).map_or(text, |it| it.1);
    match id.starts_with("org.kmidi.") {
        true => {
            ". This one comes with KmiDi: `cargo xtask plugins` builds it into target/plugins, and \
             CLAP_PATH=target/plugins kmidi plugin scan finds it there"
        }
        false => "",
    }
}

impl IndexError {
    pub(super) fn new(path: &Path, source: io::Error) -> Self {
        IndexError::File { path: path.to_owned(), source }
    }
}

impl Index {
    /// Reads the index at `path`; an empty one if there is none.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn open(path: &Path) -> Result<Self, IndexError> {
        let read = || -> io::Result<Vec<u8>> {
            let mut bytes = vec![];
            stored::open_file(path)?.take(MAX_INDEX_BYTES).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        match read() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Index::anew(path)),
            Err(source) => Err(IndexError::new(path, source)),
            Ok(bytes) => match stored::read(&bytes) {
                Some(files) => Ok(Index { files, path: path.to_owned() }),
                None => Err(IndexError::Damaged { path: path.to_owned() }),
            },
        }
    }

    /// An empty one, in place of what is at `path` once it is saved.
    pub fn anew(path: &Path) -> Self {
        Index { files: BTreeMap::new(), path: path.to_owned() }
    }

    /// Replaces the file as a whole, or not at all.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn save(&self) -> Result<(), IndexError> {
        let write = || -> io::Result<()> {
            let folder = self.path.parent().unwrap_or(Path::new("."));
            fs::create_dir_all(folder)?;
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            let mut buffered = io::BufWriter::new(file.as_file_mut());
            stored::write(&self.files, &mut buffered)?;
            buffered.flush()?;
            drop(buffered);
            file.as_file().sync_all()?;
            file.persist(&self.path)?;
            Ok(())
        };
        write().map_err(|source| IndexError::new(&self.path, source))
    }

    /// All plugins, each once: where one is installed twice, the first file counts.
    pub fn plugins(&self) -> Vec<&Description> {
        let mut by_id = BTreeMap::new();
        for description in self.files.values().flat_map(|entry| &entry.plugins) {
            by_id.entry(&description.id).or_insert(description);
        }
        by_id.into_values().collect()
    }

    /// The plugin that a person means: by its id, also without the format before it (a URI of LV2), or by a name; of the latter
    /// two, where only one has it.
    ///
    /// # Errors
    /// [`FindError`].
    pub fn find(&self, text: &str) -> Result<&Description, FindError> {
        let all = self.files.values().flat_map(|entry| &entry.plugins);
        find(all.map(|it| (&it.id, &*it.name, it)), self.failures().map(|it| it.1), text)
    }

    /// All presets that the scan knows, with their plugins: of CLAP and VST3.
    pub fn presets(&self) -> impl Iterator<Item = &(PluginId, Preset)> {
        self.files.values().filter_map(|entry| entry.presets.as_ref()).flatten()
    }

    /// All failures, with their files.
    pub fn failures(&self) -> impl Iterator<Item = (&Path, &Failure)> {
        self.files
            .iter()
            .flat_map(|(path, entry)| entry.failures.iter().map(|failure| (path.as_path(), failure)))
    }
}

/// What a person means by a text: by the id of a plugin, also without the format before it, or by a name; of the latter two, where only
/// one has it. Where one id is there twice, the first counts.
pub(super) fn find<'a, T>(
    all: impl Iterator<Item = (&'a PluginId, &'a str, T)>,
    mut failures: impl Iterator<Item = &'a Failure>,
    text: &str,
) -> Result<T, FindError> {
    let mut by_id = BTreeMap::new();
    for (id, name, plugin) in all {
        by_id.entry(id).or_insert((name, plugin));
    }
    if let Some((_, found)) = text.parse().ok().and_then(|id: PluginId| by_id.remove(&id)) {
        return Ok(found);
    }
    let name = text.to_lowercase();
    by_id.retain(|id, it| id.name == text || it.0.to_lowercase() == name);
    if by_id.len() > 1 {
        let ids = by_id.keys().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        return Err(FindError::Several { text: text.to_owned(), ids });
    }
    by_id.into_values().next().map(|it| it.1).ok_or_else(|| {
        let text = text.to_owned();
        match failures.find(|failure| failure.id.as_ref().is_some_and(|id| id.to_string() == text)) {
            Some(failure) => FindError::Unusable { text, reason: failure.reason.clone() },
            None => FindError::NoSuch { text },
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_that_is_missing_is_empty_one_that_is_damaged_or_old_is_told_and_a_saved_one_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("below/plugins.jsonl");
        let mut index = Index::open(&path).unwrap();
        assert!(index.files.is_empty());
        let failure = Failure { id: Some(PluginId::new(Format::Clap, "a")), reason: "crashed".into() };
        let entry = FileEntry {
            format: Format::Clap,
            stamp: Stamp::default(),
            plugins: vec![],
            presets: None,
            failures: vec![failure],
        };
        index.files.insert("/a.clap".into(), entry);
        index.save().unwrap();
        assert_eq!(Index::open(&path).unwrap().files, index.files);
        let text = fs::read_to_string(&path).unwrap();
        for bad in [&text[..text.len() / 2], "{}", "", &text.replace("\"version\":3", "\"version\":99")] {
            fs::write(&path, bad).unwrap();
            assert!(matches!(Index::open(&path), Err(IndexError::Damaged { .. })), "{bad}");
        }
        Index::anew(&path).save().unwrap();
        assert!(Index::open(&path).unwrap().files.is_empty());
        assert!(matches!(Index::open(folder.path()), Err(IndexError::File { .. })), "a folder");
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        assert!(matches!(Index::open(&pipe), Err(IndexError::File { .. })), "a pipe is not waited for");
        assert!(matches!(stored::Lookup::open(&pipe), Err(IndexError::File { .. })));
    }
}
