//! Plugins on trial: which ones are meant, what is known of them already, and who is tried.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use kmidi_host::certify::{Accused, Archive, ArchiveError, CertifySettings, Plan, VALGRIND, certify_all};
use kmidi_host::scan::{self, Candidate, FileEntry, FindError, Index, ScanSettings, Stamp};

pub use kmidi_host::certify::{
    Burst, Certificate, Count, Deed, Grade, Level, Outcome, Phase, PhaseInstructions, PhaseReport, Reason,
    Site, Sound, Summary, Times, Violation,
};

use crate::plugins::{Format, PluginId, ScanError, cache_folder, lookup, open_index, probe};

/// Whom to try, and how.
#[derive(Clone, Debug)]
pub struct CertifyRequest {
    /// Which plugins.
    pub which: Which,
    /// How strict.
    pub level: Level,
    /// What the random values follow from.
    pub seed: u64,
    /// Whether those are tried again that have a certificate.
    pub fresh: bool,
    /// How long a plugin may be silent before it is given up.
    pub limit: Duration,
    /// Whether the instructions of blocks are counted too.
    pub instructions: bool,
}

/// Which plugins.
#[derive(Clone, Debug)]
pub enum Which {
    /// All that the last scan found, of one format or of each.
    All(Option<Format>),
    /// An id, a name that only one has, or a file.
    One(String),
}

/// Why nobody is tried.
#[derive(Debug, thiserror::Error)]
pub enum CertifyError {
    /// The plugins cannot be looked up.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// The plugin is not known.
    #[error(transparent)]
    Find(#[from] FindError),
    /// There are none.
    #[error("no plugins are known; `kmidi plugin scan` finds those that are installed")]
    None,
    /// Instructions cannot be counted.
    #[error(
        "{VALGRIND}, which counts instructions, is not installed (on Debian: apt-get install {VALGRIND})"
    )]
    NoValgrind,
    /// The file is no plugin.
    #[error("{path} does not look like a plugin: .clap, .vst3, or a folder with a manifest.ttl", path = path.display())]
    NoPlugin {
        /// Which file.
        path: PathBuf,
    },
    /// There is no such file.
    #[error(
        "{path}: there is no such file or folder. A plugin is a .clap or .vst3 file or an .lv2 folder; `kmidi plugin list` shows \
         the ids of those that are installed, which are understood too", path = path.display()
    )]
    NoFile {
        /// Which.
        path: PathBuf,
    },
    /// A certificate cannot be kept.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

/// How far it has come.
#[derive(Clone, Debug)]
pub struct CertifyProgress {
    /// Plugins that are done, those included that had a certificate.
    pub done: usize,
    /// Plugins in all.
    pub total: usize,
    /// The one that was done last.
    pub name: String,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Certified {
    /// One for each plugin, in the order of their ids.
    pub certificates: Vec<Certificate>,
    /// Plugins that had a certificate already.
    pub known: usize,
    /// Whether it was told to stop before all were tried.
    pub is_cut_short: bool,
}

/// Tries plugins in child processes, as many at a time as there are processors. Each certificate is kept as soon as it
/// is there, and whoever has one for the same binary, level and seed is not tried again. `stop` ends it early.
///
/// # Errors
/// [`CertifyError`].
pub fn certify(
    request: &CertifyRequest,
    stop: &AtomicBool,
    mut tell: impl FnMut(CertifyProgress),
) -> Result<Certified, CertifyError> {
    let workers = std::thread::available_parallelism().map_or(1, |n| n.get());
    let plan = Plan { level: request.level, seed: request.seed, leave_out: Vec::new() };
    if request.instructions && Command::new(VALGRIND).arg("--version").output().is_err() {
        return Err(CertifyError::NoValgrind);
    }
    let settings = CertifySettings {
        probe: probe()?,
        workers,
        limit: request.limit,
        plan,
        instructions: request.instructions,
    };
    let accused = accused(request, &settings, stop)?;
    let archive = archive()?;
    let mut certified = Certified::default();
    let mut to_try = Vec::new();
    for plugin in accused {
        let known = archive
            .get(&plugin.id, &plugin.sha256, request.level.number(), request.seed)
            .filter(|known| !request.fresh && (!request.instructions || has_instructions(known)));
        match known {
            Some(certificate) => certified.certificates.push(certificate),
            None => to_try.push(plugin),
        }
    }
    certified.known = certified.certificates.len();
    let total = certified.known + to_try.len();
    let mut kept = Ok(());
    certify_all(&to_try, &settings, stop, |certificate| {
        if kept.is_ok() {
            kept = archive.put(&certificate);
        }
        let name = certificate.name.clone();
        certified.certificates.push(certificate);
        tell(CertifyProgress { done: certified.certificates.len(), total, name });
    });
    kept?;
    certified.is_cut_short = certified.certificates.len() < total;
    certified.certificates.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(certified)
}

/// Whether it was asked for them; of what crashes there are none.
fn has_instructions(known: &Certificate) -> bool {
    let can_have = matches!(known.outcome, Outcome::Passed | Outcome::Violations);
    !can_have || !known.instructions.is_empty() || !known.notes.is_empty()
}

fn archive() -> Result<Archive, ScanError> {
    Ok(Archive::new(cache_folder()?.join("certificates")))
}

/// The grade of each plugin of an index whose file is what was tried, at the highest level.
///
/// # Errors
/// [`ScanError::NoCache`].
pub fn grades(index: &Index) -> Result<HashMap<PluginId, Summary>, ScanError> {
    let mut all = archive()?.summaries();
    let stamps: HashMap<&PluginId, &Stamp> = index
        .files
        .values()
        .rev()
        .flat_map(|entry| entry.plugins.iter().map(move |description| (&description.id, &entry.stamp)))
        .collect();
    all.retain(|id, summary| stamps.get(id).is_some_and(|stamp| stamp.sha256 == summary.sha256));
    Ok(all)
}

/// All that is known of a plugin that has a grade.
///
/// # Errors
/// [`ScanError::NoCache`].
pub fn certificate(summary: &Summary) -> Result<Option<Certificate>, ScanError> {
    Ok(archive()?.whole(summary))
}

fn accused(
    request: &CertifyRequest,
    settings: &CertifySettings,
    stop: &AtomicBool,
) -> Result<Vec<Accused>, CertifyError> {
    match &request.which {
        Which::All(format) => {
            let index = open_index()?;
            let entries = index.files.iter().filter(|(_, entry)| format.is_none_or(|it| it == entry.format));
            let mut all: Vec<_> = entries.flat_map(|(path, entry)| of_entry(path, entry)).collect();
            all.sort_by(|one, other| one.id.cmp(&other.id));
            all.dedup_by(|one, other| one.id == other.id);
            if all.is_empty() { Err(CertifyError::None) } else { Ok(all) }
        }
        // A word without a slash is a name, whatever files lie about.
        Which::One(text) if text.contains('/') && Path::new(text).exists() => {
            of_file(Path::new(text), settings, stop)
        }
        Which::One(text) => {
            let index = open_index()?;
            let id = match index.find(text) {
                Ok(description) => description.id.clone(),
                // It is known not to work: let it be seen how.
                Err(FindError::Unusable { text, .. }) => {
                    text.parse().map_err(|_| FindError::NoSuch { text })?
                }
                Err(FindError::NoSuch { text }) if is_path(&text) => {
                    return Err(CertifyError::NoFile { path: text.into() });
                }
                Err(error) => return Err(error.into()),
            };
            let mut all = index.files.iter().flat_map(|(path, entry)| of_entry(path, entry));
            Ok(all.find(|plugin| plugin.id == id).into_iter().collect())
        }
    }
}

/// Whether it is meant as the path of a file: ids have slashes too.
fn is_path(text: &str) -> bool {
    text.contains('/') && !text.contains("://") && text.parse::<PluginId>().is_err()
}

/// The plugins of a file, those too that could not be asked.
fn of_entry(path: &Path, entry: &FileEntry) -> Vec<Accused> {
    let now = Stamp::times_of(path).filter(|now| !entry.stamp.has_times_of(now));
    let stamp = now.and_then(|_| Stamp::of(path)).unwrap_or_else(|| entry.stamp.clone());
    let good = entry.plugins.iter().map(|description| Accused::new(description, &stamp));
    let bad = entry.failures.iter().filter_map(|failure| failure.id.clone());
    let bad = bad.map(|id| Accused {
        name: id.name.clone(),
        id,
        vendor: String::new(),
        path: path.to_owned(),
        sha256: stamp.sha256.clone(),
    });
    good.chain(bad).collect()
}

/// The plugins of a file that need not be in the index.
fn of_file(path: &Path, settings: &CertifySettings, stop: &AtomicBool) -> Result<Vec<Accused>, CertifyError> {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let ends_with = |ending| path.extension().is_some_and(|it| it.eq_ignore_ascii_case(ending));
    let format = match () {
        () if ends_with("clap") => Format::Clap,
        () if ends_with("vst3") => Format::Vst3,
        () if path.join("manifest.ttl").is_file() => Format::Lv2,
        () => return Err(CertifyError::NoPlugin { path }),
    };
    let scan = ScanSettings {
        probe: settings.probe.clone(),
        workers: 1,
        limit: settings.limit,
        retry_failed: true,
        rescan_all: true,
    };
    let Some(entry) = scan::look_into(&Candidate { path: path.clone(), format }, &scan, stop) else {
        return Ok(Vec::new());
    };
    let mut all = of_entry(&path, &entry);
    if all.is_empty() {
        // Not even that could be asked: what happens when it is loaded is what there is to tell.
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let id = PluginId::new(format, name.clone());
        all.push(Accused { id, name, vendor: String::new(), path, sha256: entry.stamp.sha256 });
    }
    Ok(all)
}

/// What is to be said before these plugins are loaded: who has a red grade, and for what. Nothing where that cannot be
/// looked up.
pub fn warnings<'a>(plugins: impl IntoIterator<Item = &'a crate::PluginChoice>) -> Vec<String> {
    let mut plugins = plugins.into_iter().peekable();
    if plugins.peek().is_none() {
        return Vec::new();
    }
    let Ok(known) = lookup() else { return Vec::new() };
    let found = plugins.filter_map(|choice| known.find(&choice.plugin).ok());
    found.filter_map(|plugin| Some(format!("{}: {}", plugin.name, warning(&plugin)?))).collect()
}

/// The same for one plugin, without its name.
pub(crate) fn warning(plugin: &kmidi_host::Description) -> Option<String> {
    let summary = summary(plugin).filter(|summary| summary.grade == Grade::Red)?;
    let reason = summary.reason.as_deref().unwrap_or("see the certificate");
    Some(format!("graded red ({reason}): `kmidi certify {}` says more", plugin.id))
}

/// Bytes that a plugin held when it was certified, at rest; `None` where this binary was not.
pub(crate) fn resting_bytes(plugin: &kmidi_host::Description) -> Option<u64> {
    summary(plugin).map(|summary| summary.resting_bytes)
}

/// The grade of a plugin, of its binary as it is now.
pub fn summary(plugin: &kmidi_host::Description) -> Option<Summary> {
    let summary = archive().ok()?.summary(&plugin.id)?;
    (Stamp::of(&plugin.path)?.sha256 == summary.sha256).then_some(summary)
}
