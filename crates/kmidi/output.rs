//! Results on stdout, everything else on stderr.

use std::fs::Permissions;
use std::io::{self, Write};
use std::path::Path;

use anyhow::Result;
use serde::Serialize;

/// As the standard one, but where nobody can be told (`2>&1 | head`, a full disk) the work goes on:
/// the standard one panics.
macro_rules! eprint {
    ($($argument:tt)*) => {{
        let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!($($argument)*));
    }};
}

/// See [`eprint`].
macro_rules! eprintln {
    ($($argument:tt)*) => { eprint!("{}\n", format_args!($($argument)*)) };
}

/// Prints one JSON object.
pub fn print_json(value: &impl Serialize) -> Result<()> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    print(text.as_bytes())
}

/// Writes to stdout; a reader that has seen enough (`| head`) is no error.
pub fn print(text: &[u8]) -> Result<()> {
    let mut stdout = io::stdout().lock();
    // What ends without a new line stays in a buffer, whose fate nobody is told.
    match stdout.write_all(text).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// Replaces a file as a whole, or not at all.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(io::Error::other(format!("there is no folder {}; make it first", folder.display())));
    }
    if path.is_dir() {
        return Err(io::Error::other("this is a folder"));
    }
    if path.exists() && !path.is_file() {
        return Err(io::Error::other("this is no file: a whole file cannot take its place"));
    }
    // A link stays one: what it leads to is replaced.
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let (path, folder) = (&*target, target.parent().filter(|_| target.is_absolute()).unwrap_or(folder));
    let mut file = tempfile::Builder::new().permissions(readable()).tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// As other files are: others may read it.
fn readable() -> Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o644)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_stays_one_and_what_it_leads_to_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, link) = (folder.path().join("deep/file"), folder.path().join("link"));
        fs::create_dir(folder.path().join("deep")).expect("made");
        fs::write(&file, "before").expect("written");
        symlink(&file, &link).expect("a link");
        write_whole(&link, b"after").expect("written");
        assert_eq!(fs::read(&file).expect("read"), b"after");
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        // One that leads nowhere, and no link at all.
        write_whole(&folder.path().join("new"), b"new").expect("written");
        assert_eq!(fs::read(folder.path().join("new")).expect("read"), b"new");
    }
}
