//! The index: one file in the cache folder, replaced as a whole.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::stamp::Stamp;
use crate::{Description, Format, PluginId, Preset};

/// Of what is in the file; another one is scanned anew.
const VERSION: u32 = 2;

/// Why a plugin, or all of its file, cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Which plugin; `None` if the file did not even say what is in it.
    pub id: Option<PluginId>,
    /// What happened.
    pub reason: String,
}

/// What one file or bundle gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its format.
    pub format: Format,
    /// How it was when it was asked.
    pub stamp: Stamp,
    /// Its plugins.
    pub plugins: Vec<Description>,
    /// Their presets, but those of LV2 plugins; `None` if they have not been asked for these.
    #[serde(default)]
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
#[error("the plugin index {path}: {source}. Look whether its folder can be written to; without it every start scans again", path = path.display())]
pub struct IndexError {
    path: PathBuf,
    source: io::Error,
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

#[derive(Serialize, Deserialize)]
struct Stored<F> {
    version: u32,
    files: F,
}

impl Index {
    /// Reads the index at `path`; an empty one if there is none, or one of another version or damaged.
    ///
    /// # Errors
    /// [`IndexError`]: it is there and cannot be read.
    pub fn open(path: &Path) -> Result<Self, IndexError> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(source) => return Err(IndexError { path: path.to_owned(), source }),
        };
        let stored = serde_json::from_slice::<Stored<BTreeMap<PathBuf, FileEntry>>>(&bytes).ok();
        let files = stored.filter(|stored| stored.version == VERSION).map(|stored| stored.files);
        Ok(Index { files: files.unwrap_or_default(), path: path.to_owned() })
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
            serde_json::to_writer(&mut buffered, &Stored { version: VERSION, files: &self.files })?;
            buffered.flush()?;
            drop(buffered);
            file.as_file().sync_all()?;
            file.persist(&self.path)?;
            Ok(())
        };
        write().map_err(|source| IndexError { path: self.path.clone(), source })
    }

    /// All plugins, each once: where one is installed twice, the first file counts.
    pub fn plugins(&self) -> Vec<&Description> {
        let mut by_id = BTreeMap::new();
        for description in self.files.values().flat_map(|entry| &entry.plugins) {
            by_id.entry(&description.id).or_insert(description);
        }
        by_id.into_values().collect()
    }

    /// The plugin with this id.
    pub fn plugin(&self, id: &PluginId) -> Option<&Description> {
        self.files.values().flat_map(|entry| &entry.plugins).find(|description| description.id == *id)
    }

    /// The plugin that a person means: by its id, also without the format before it (a URI of LV2), or by a name; of the latter
    /// two, where only one has it.
    ///
    /// # Errors
    /// [`FindError`].
    pub fn find(&self, text: &str) -> Result<&Description, FindError> {
        if let Some(description) = text.parse().ok().and_then(|id| self.plugin(&id)) {
            return Ok(description);
        }
        let is_named =
            |it: &&&Description| it.id.name == text || it.name.to_lowercase() == text.to_lowercase();
        let all = self.plugins();
        let named: Vec<_> = all.iter().filter(is_named).copied().collect();
        match named.as_slice() {
            [one] => Ok(one),
            [] => {
                let failure = self
                    .failures()
                    .find(|(_, failure)| failure.id.as_ref().is_some_and(|id| id.to_string() == text));
                Err(match failure {
                    Some((_, failure)) => {
                        FindError::Unusable { text: text.to_owned(), reason: failure.reason.clone() }
                    }
                    None => FindError::NoSuch { text: text.to_owned() },
                })
            }
            several => Err(FindError::Several {
                text: text.to_owned(),
                ids: several.iter().map(|it| it.id.to_string()).collect::<Vec<_>>().join(", "),
            }),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_that_is_missing_damaged_or_old_is_empty_and_a_saved_one_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("below/plugins.json");
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
        for bad in [&text[..text.len() / 2], "{}", "", &text.replace("\"version\":2", "\"version\":99")] {
            fs::write(&path, bad).unwrap();
            assert!(Index::open(&path).unwrap().files.is_empty(), "{bad}");
        }
        assert!(Index::open(folder.path()).is_err(), "a folder");
    }
}
