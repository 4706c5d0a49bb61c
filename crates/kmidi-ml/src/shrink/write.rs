//! A copy of a model with smaller weights, on disk.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::{Counted, Precision, shrink};
use crate::convert::ConvertError;
use crate::model::{COPY_FILE, ModelCache, ModelCopy, ModelError, ModelFile, ModelName, read_copy};

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum ShrinkError {
    /// The model itself cannot be had.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// It cannot be made smaller.
    #[error(transparent)]
    Convert(#[from] ConvertError),
    /// The copy cannot be written.
    #[error("{}: {source}", .path.display())]
    Write {
        /// Where.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Writes a copy of a model into a folder of models, and says what became of its weights and how long its graph is. Where nothing
/// can be made smaller, nothing is written.
///
/// # Errors
/// [`ShrinkError`]; where there is no room, a copy that was there before is what it was, as the model itself is.
pub fn write_copy(
    models: &ModelCache,
    model: ModelName,
    to: Precision,
    folder: &Path,
) -> Result<(Counted, u64), ShrinkError> {
    let entry = models.entry(model);
    let graph = entry.files.first().expect("a catalogue has none without");
    let onnx = models.read(model, &graph.name)?;
    let shrunk = shrink(&onnx, to)?;
    if shrunk.counted.changed == 0 {
        return Ok((shrunk.counted, graph.bytes));
    }
    let folder = folder.join(model.name());
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| ShrinkError::Write { path, source }
    };
    fs::create_dir_all(&folder).map_err(failed(&folder))?;
    let description = folder.join(COPY_FILE);
    let before = read_copy(&description).ok().flatten();
    let name = match graph.name.strip_suffix(".onnx") {
        Some(stem) => format!("{stem}.{to}.onnx"),
        None => format!("{}.{to}", graph.name),
    };
    let written = ModelFile {
        name: name.clone(),
        from: String::new(),
        sha256: Sha256::digest(&shrunk.onnx).iter().map(|byte| format!("{byte:02x}")).collect(),
        bytes: shrunk.onnx.len() as u64,
        mapped: false,
    };
    let mut copy =
        ModelCopy { of_sha256: graph.sha256.clone(), weights: to.name().to_owned(), files: vec![written] };
    let mut files = vec![];
    let mut stage = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        let file = nameless(&folder, bytes).map_err(failed(&path))?;
        files.push((path, file));
        Ok::<_, ShrinkError>(())
    };
    stage(&name, &shrunk.onnx)?;
    for file in &entry.files[1..] {
        stage(&file.name, &models.read(model, &file.name)?)?;
        copy.files.push(ModelFile { mapped: false, ..file.clone() });
    }
    let text = toml::to_string_pretty(&copy).expect("names and numbers can be written");
    stage(COPY_FILE, text.as_bytes())?;
    // Without its description there is no copy: it goes first and comes last.
    match fs::remove_file(&description) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&description)(error)),
        _ => {}
    }
    for (path, file) in files {
        file.persist(&path).map_err(|error| failed(&path)(error.error))?;
    }
    fs::File::open(&folder).and_then(|it| it.sync_all()).map_err(failed(&folder))?;
    if let Some(before) = before {
        remove_graphs(&before, &copy, &graph.name, &folder);
    }
    Ok((shrunk.counted, shrunk.onnx.len() as u64))
}

/// Removes the graphs of the copy that was there before: nobody else knows them. One that stays only takes room.
fn remove_graphs(before: &ModelCopy, now: &ModelCopy, original: &str, folder: &Path) {
    let stem = original.strip_suffix(".onnx").unwrap_or(original);
    for file in &before.files {
        let is_old = now.files.iter().all(|it| it.name != file.name);
        // A description is a file that anybody can have written: only what would be called like a copy goes.
        let is_graph = file.name.starts_with(stem) && file.name != original && !file.name.contains('/');
        if is_old && is_graph {
            let _ = fs::remove_file(folder.join(&file.name));
        }
    }
}

/// A file that is complete, and on the disk, and has no name yet.
fn nameless(folder: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}
