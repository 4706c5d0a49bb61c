//! How the index lies on the disk: lines of JSON. The first one has what plugins there are and where; behind it is a line for each of
//! them, so that who wants one need not read them all: their parameters are nearly all of it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::index::{Failure, FileEntry, FindError, IndexError, find};
use super::stamp::Stamp;
use crate::{Description, Format, PluginId, Preset};

/// Of what is in the file; another one is scanned anew.
const VERSION: u32 = 3;
/// More than this is read of no index, in bytes: room for a hundred thousand plugins.
pub(super) const MAX_INDEX_BYTES: u64 = 512 << 20;

/// The first line.
#[derive(Default, Serialize, Deserialize)]
struct Head {
    version: u32,
    files: BTreeMap<PathBuf, FileHead>,
}

/// What is known of a file or bundle, but for what is on the lines behind: one for each of its plugins, and one for its presets.
#[derive(Serialize, Deserialize)]
struct FileHead {
    format: Format,
    stamp: Stamp,
    plugins: Vec<Line>,
    presets_bytes: u64,
    failures: Vec<Failure>,
}

/// Which plugin is on a line, and how long that is without its end.
#[derive(Serialize, Deserialize)]
struct Line {
    id: PluginId,
    name: String,
    bytes: u64,
}

/// Opens a file: a pipe in its place would be waited for.
pub(super) fn open_file(path: &Path) -> io::Result<File> {
    match std::fs::metadata(path)?.is_file() {
        true => File::open(path),
        false => Err(io::Error::other("this is no file")),
    }
}

/// Writes an index.
pub(super) fn write(files: &BTreeMap<PathBuf, FileEntry>, to: &mut impl Write) -> io::Result<()> {
    let (mut head, mut body) = (Head { version: VERSION, ..Head::default() }, vec![]);
    for (path, entry) in files {
        let line = |plugin: &Description, body: &mut Vec<u8>| -> io::Result<Line> {
            Ok(Line { id: plugin.id.clone(), name: plugin.name.clone(), bytes: push(plugin, body)? })
        };
        let file = FileHead {
            format: entry.format,
            stamp: entry.stamp.clone(),
            plugins: entry.plugins.iter().map(|plugin| line(plugin, &mut body)).collect::<io::Result<_>>()?,
            presets_bytes: push(&entry.presets, &mut body)?,
            failures: entry.failures.clone(),
        };
        head.files.insert(path.clone(), file);
    }
    serde_json::to_writer(&mut *to, &head)?;
    to.write_all(b"\n")?;
    to.write_all(&body)
}

/// Adds a line; how long it is without its end.
fn push(value: &impl Serialize, body: &mut Vec<u8>) -> io::Result<u64> {
    let before = body.len();
    serde_json::to_writer(&mut *body, value)?;
    let bytes = body.len() - before;
    body.push(b'\n');
    Ok(bytes as u64)
}

/// Reads all of an index; nothing where it is of another version or damaged.
pub(super) fn read(bytes: &[u8]) -> Option<BTreeMap<PathBuf, FileEntry>> {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let head: Head =
        serde_json::from_slice(lines.next()?).ok().filter(|head: &Head| head.version == VERSION)?;
    let mut files = BTreeMap::new();
    // What the lengths say is what a [`Lookup`] goes by.
    let mut line_of = |bytes: u64| lines.next().filter(|line| line.len() as u64 == bytes);
    for (path, FileHead { format, stamp, plugins, presets_bytes, failures }) in head.files {
        let mut plugin = |line: &Line| described(line_of(line.bytes)?, line);
        let plugins = plugins.iter().map(&mut plugin).collect::<Option<_>>()?;
        let presets: Option<Vec<(PluginId, Preset)>> =
            serde_json::from_slice(line_of(presets_bytes)?).ok()?;
        files.insert(path, FileEntry { format, stamp, plugins, presets, failures });
    }
    Some(files)
}

/// What a line says of a plugin, if it is the one that it should be.
fn described(text: &[u8], line: &Line) -> Option<Description> {
    serde_json::from_slice(text).ok().filter(|found: &Description| found.id == line.id)
}

/// The index for who wants some plugins of it, and not all.
pub struct Lookup {
    file: Option<File>,
    head: Head,
    /// Where the second line begins.
    body: u64,
}

impl Lookup {
    /// Looks into the index at `path`; nothing is in it if there is none.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn open(path: &Path) -> Result<Self, IndexError> {
        let failed = |source| IndexError::new(path, source);
        let file = match open_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Lookup { file: None, head: Head::default(), body: 0 });
            }
            file => file.map_err(failed)?,
        };
        let mut line = vec![];
        BufReader::new((&file).take(MAX_INDEX_BYTES)).read_until(b'\n', &mut line).map_err(failed)?;
        let head = serde_json::from_slice(&line).ok().filter(|head: &Head| head.version == VERSION);
        let head = head.ok_or_else(|| IndexError::Damaged { path: path.to_owned() })?;
        Ok(Lookup { file: Some(file), head, body: line.len() as u64 })
    }

    /// The plugin that a person means, as [`Index::find`](super::Index::find) has it.
    ///
    /// # Errors
    /// [`FindError`].
    pub fn find(&self, text: &str) -> Result<Description, FindError> {
        let failures = self.head.files.values().flat_map(|file| &file.failures);
        let lines = self.lines().into_iter().map(|(line, at)| (&line.id, &*line.name, (line, at)));
        let (line, at) = find(lines, failures, text)?;
        self.read(line, at).ok_or_else(|| FindError::Damaged { text: text.to_owned() })
    }

    /// The lines of plugins, and where they begin.
    fn lines(&self) -> Vec<(&Line, u64)> {
        let (mut lines, mut at) = (vec![], self.body);
        let behind = |at: u64, bytes: u64| at.saturating_add(bytes).saturating_add(1);
        for file in self.head.files.values() {
            for line in &file.plugins {
                lines.push((line, at));
                at = behind(at, line.bytes);
            }
            at = behind(at, file.presets_bytes);
        }
        lines
    }

    fn read(&self, line: &Line, at: u64) -> Option<Description> {
        let file = self.file.as_ref()?;
        // Not more than there is, whatever the first line says.
        let bytes = line.bytes.min(file.metadata().ok()?.len());
        let mut text = vec![0; bytes as usize];
        file.read_exact_at(&mut text, at).ok()?;
        described(&text, line)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::scan::Index;
    use crate::{Kind, Parameter};

    fn plugin(id: &str, name: &str) -> Description {
        let parameter = |id| Parameter {
            id,
            symbol: format!("p{id}"),
            name: "a\nname".into(),
            group: String::new(),
            unit: "dB".into(),
            min: -1.0,
            max: 1.5,
            default: 0.1,
            steps: 0,
            choices: vec![],
            is_part: false,
            is_output: false,
            is_hidden: false,
            is_bypass: false,
        };
        Description {
            id: id.parse().expect("an id"),
            name: name.into(),
            vendor: "é".into(),
            version: String::new(),
            path: "/a.clap".into(),
            kind: Kind::Effect,
            tags: vec![],
            audio_inputs: vec![],
            audio_outputs: vec![],
            event_inputs: vec![],
            event_outputs: vec![],
            parameters: (0..id.len() as u32).map(parameter).collect(),
        }
    }

    /// Two files with plugins of which some share names, one of them an id; with presets in between, and a failure.
    fn index(path: &Path) -> Index {
        let mut index = Index::open(path).expect("nothing is there");
        let failure = |id: &str| Failure { id: id.parse().ok(), reason: "crashed".into() };
        let mut file = |name: &str, plugins: Vec<Description>, failures: Vec<Failure>| {
            let presets = plugins.first().map(|it| {
                let preset = Preset { key: "k".into(), name: "P".into() };
                vec![(it.id.clone(), preset)]
            });
            let entry =
                FileEntry { format: Format::Clap, stamp: Stamp::default(), plugins, presets, failures };
            index.files.insert(name.into(), entry);
        };
        file("/a.clap", vec![plugin("clap:org.a", "Reverb"), plugin("clap:org.b", "Delay")], vec![]);
        file("/b.clap", vec![], vec![failure("clap:org.bad")]);
        file("/c.lv2", vec![plugin("lv2:urn:c", "reverb"), plugin("clap:org.a", "Another")], vec![]);
        index.save().expect("written");
        index
    }

    const TEXTS: [&str; 11] = [
        "clap:org.a",
        "org.a",
        "REVERB",
        "delay",
        "Delay",
        "lv2:urn:c",
        "urn:c",
        "clap:org.bad",
        "clap:none",
        "Another",
        "",
    ];

    #[test]
    fn what_is_looked_up_is_what_the_whole_index_finds() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("plugins.jsonl");
        let index = index(&path);
        assert_eq!(Index::open(&path).expect("read").files, index.files);
        let lookup = Lookup::open(&path).expect("read");
        let mut found = 0;
        for text in TEXTS {
            assert_eq!(lookup.find(text), index.find(text).cloned(), "{text}");
            found += usize::from(lookup.find(text).is_ok());
        }
        assert_eq!(found, 6);
        assert!(matches!(lookup.find("reverb"), Err(FindError::Several { .. })));
        assert!(matches!(lookup.find("clap:org.bad"), Err(FindError::Unusable { .. })));
        let none = Lookup::open(&folder.path().join("none")).expect("nothing");
        assert!(matches!(none.find("clap:org.a"), Err(FindError::NoSuch { .. })));
        assert!(Lookup::open(folder.path()).is_err(), "a folder");
    }

    #[test]
    fn an_index_that_is_cut_or_changed_anywhere_finds_the_right_one_or_says_so() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("plugins.jsonl");
        let right = index(&path).find("clap:org.b").cloned().expect("found");
        let whole = fs::read(&path).expect("written");
        let (mut found, mut lost) = (0, 0);
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 2;
            for bytes in [&whole[..at], &changed] {
                fs::write(&path, bytes).expect("written");
                let one = Lookup::open(&path).map(|lookup| lookup.find("clap:org.b"));
                match &one {
                    // What is on its line may be other than it was: nothing tells.
                    Ok(Ok(plugin)) => found += usize::from(plugin.id == right.id),
                    Ok(Err(_)) | Err(IndexError::Damaged { .. }) => lost += 1,
                    Err(IndexError::File { .. }) => panic!("{one:?}"),
                }
                // Who is told to scan gets all of it anew.
                if matches!(one, Ok(Err(FindError::Damaged { .. })) | Err(_)) {
                    let whole = Index::open(&path);
                    assert!(matches!(whole, Err(IndexError::Damaged { .. })), "{at}: {one:?}");
                }
            }
        }
        assert!(found > 0 && lost > 0 && found + lost == 2 * whole.len(), "{found}, {lost}");
    }
}
