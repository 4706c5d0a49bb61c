//! Certificates that are kept: a file each in a folder, replaced as a whole. Its first line is a summary, so that a list of
//! plugins need not read what every phase of every plugin found.

use std::collections::HashMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::CERTIFY_VERSION;
use super::report::{Certificate, Grade, Outcome};
use crate::PluginId;

/// Longest summary, and longest file, that are read.
const MAX_SUMMARY_BYTES: u64 = 64 << 10;
const MAX_BYTES: u64 = 64 << 20;
/// The ending of the files.
const ENDING: &str = "certificate";

/// What a list shows of a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Of [`CERTIFY_VERSION`].
    pub version: u32,
    /// Which plugin.
    pub id: PluginId,
    /// Hash of the binary that was tried.
    pub sha256: String,
    /// How strict, 1 to 10.
    pub level: u8,
    /// What the random values followed from.
    pub seed: u64,
    /// The grade.
    pub grade: Grade,
    /// How it ended.
    pub outcome: Outcome,
    /// The first reason, in words.
    pub reason: Option<String>,
    /// Bytes that it holds when it is loaded and activated.
    pub resting_bytes: u64,
}

impl Summary {
    fn of(certificate: &Certificate) -> Self {
        Summary {
            version: CERTIFY_VERSION,
            id: certificate.id.clone(),
            sha256: certificate.sha256.clone(),
            level: certificate.level,
            seed: certificate.seed,
            grade: certificate.grade,
            outcome: certificate.outcome,
            reason: certificate.reasons.first().map(|reason| format!("{}: {}", reason.phase, reason.text)),
            resting_bytes: certificate.resting_bytes(),
        }
    }
}

/// A certificate cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error("the certificates in {path}: {source}. Look whether the folder can be written to; without it every plugin is tried anew", path = path.display())]
pub struct ArchiveError {
    path: PathBuf,
    source: io::Error,
}

/// A folder of certificates.
#[derive(Clone, Debug)]
pub struct Archive {
    folder: PathBuf,
}

impl Archive {
    /// The certificates in a folder, which is made when the first one comes.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Archive { folder: folder.into() }
    }

    /// One file for each plugin, level and seed.
    fn path(&self, id: &PluginId, level: u8, seed: u64) -> PathBuf {
        self.folder.join(format!("{}{level}-{seed}.{ENDING}", beginning(id)))
    }

    /// Keeps a certificate in the place of the one before.
    ///
    /// # Errors
    /// [`ArchiveError`].
    pub fn put(&self, certificate: &Certificate) -> Result<(), ArchiveError> {
        let write = || -> io::Result<()> {
            fs::create_dir_all(&self.folder)?;
            let mut text = serde_json::to_vec(&Summary::of(certificate))?;
            text.push(b'\n');
            serde_json::to_writer(&mut text, certificate)?;
            let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
            file.write_all(&text)?;
            file.as_file().sync_all()?;
            file.persist(self.path(&certificate.id, certificate.level, certificate.seed))?;
            Ok(())
        };
        write().map_err(|source| ArchiveError { path: self.folder.clone(), source })
    }

    /// The certificate of this very binary at this level and seed, if it is there.
    pub fn get(&self, id: &PluginId, sha256: &str, level: u8, seed: u64) -> Option<Certificate> {
        let mut reader = BufReader::new(fs::File::open(self.path(id, level, seed)).ok()?.take(MAX_BYTES));
        let summary = read_summary(&mut reader)?;
        if summary.id != *id || summary.sha256 != sha256 {
            return None;
        }
        let mut rest = Vec::new();
        reader.read_to_end(&mut rest).ok()?;
        serde_json::from_slice(&rest).ok()
    }

    /// Of one plugin the summary at the highest level, whatever binary it is of.
    pub fn summary(&self, id: &PluginId) -> Option<Summary> {
        let beginning = beginning(id);
        let is_of_it = |path: &PathBuf| {
            path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(beginning.as_bytes()))
        };
        let summaries = self.paths().filter(is_of_it).filter_map(|path| summary_of(&path));
        summaries.filter(|summary| summary.id == *id).max_by_key(|summary| summary.level)
    }

    fn paths(&self) -> impl Iterator<Item = PathBuf> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| is_certificate(path))
    }

    /// Of each plugin the summary at the highest level, whatever binary it is of.
    pub fn summaries(&self) -> HashMap<PluginId, Summary> {
        let mut all = HashMap::<PluginId, Summary>::new();
        for summary in self.paths().filter_map(|path| summary_of(&path)) {
            match all.get(&summary.id) {
                Some(known) if known.level >= summary.level => {}
                _ => {
                    all.insert(summary.id.clone(), summary);
                }
            }
        }
        all
    }

    /// The certificate that a summary is of.
    pub fn whole(&self, summary: &Summary) -> Option<Certificate> {
        self.get(&summary.id, &summary.sha256, summary.level, summary.seed)
    }
}

/// What the names of a plugin's files begin with.
fn beginning(id: &PluginId) -> String {
    let hash = Sha256::digest(id.to_string());
    let hash: String = hash.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("{hash}-")
}

fn is_certificate(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == ENDING)
}

fn summary_of(path: &Path) -> Option<Summary> {
    read_summary(&mut BufReader::new(fs::File::open(path).ok()?))
}

/// The first line; nothing of another version.
fn read_summary(reader: &mut impl BufRead) -> Option<Summary> {
    let mut line = Vec::new();
    reader.take(MAX_SUMMARY_BYTES).read_until(b'\n', &mut line).ok()?;
    let summary: Summary = serde_json::from_slice(&line).ok()?;
    (summary.version == CERTIFY_VERSION).then_some(summary)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Format;

    fn certificate(level: u8, grade: Grade) -> Certificate {
        Certificate {
            id: PluginId::new(Format::Clap, "a.b"),
            name: "A".into(),
            vendor: String::new(),
            path: "/a.clap".into(),
            sha256: "1234".into(),
            level,
            seed: 7,
            sees_system_calls: true,
            grade,
            outcome: Outcome::Passed,
            reasons: vec![],
            phases: vec![],
            instructions: vec![],
            notes: vec![],
            took_ms: 5,
        }
    }

    #[test]
    fn a_certificate_is_of_one_binary_level_and_seed_and_lists_show_the_strictest() {
        let folder = tempfile::tempdir().unwrap();
        let archive = Archive::new(folder.path().join("below"));
        assert!(archive.summaries().is_empty());
        let (low, high) = (certificate(2, Grade::Green), certificate(9, Grade::Red));
        archive.put(&high).unwrap();
        archive.put(&low).unwrap();
        assert_eq!(archive.get(&low.id, "1234", 2, 7), Some(low.clone()));
        for (sha256, level, seed) in [("1235", 2, 7), ("1234", 3, 7), ("1234", 2, 8)] {
            assert_eq!(archive.get(&low.id, sha256, level, seed), None);
        }
        let summary = archive.summaries().remove(&low.id).unwrap();
        assert_eq!((summary.grade, summary.level), (Grade::Red, 9));
        assert_eq!(archive.summary(&low.id).as_ref(), Some(&summary));
        assert_eq!(archive.summary(&PluginId::new(Format::Clap, "a.c")), None);
        assert_eq!(archive.whole(&summary), Some(high));
    }

    #[test]
    fn what_is_damaged_or_of_another_version_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let archive = Archive::new(folder.path());
        let whole = certificate(5, Grade::Green);
        archive.put(&whole).unwrap();
        let path = archive.path(&whole.id, 5, 7);
        let text = fs::read_to_string(&path).unwrap();
        let version = format!("\"version\":{CERTIFY_VERSION}");
        for bad in [&text[..30], "", &text[..text.len() - 3], &text.replace(&version, "\"version\":0")] {
            fs::write(&path, bad).unwrap();
            assert_eq!(archive.get(&whole.id, "1234", 5, 7), None, "{bad}");
        }
        assert!(archive.summaries().is_empty());
    }
}
