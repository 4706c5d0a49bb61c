//! `cargo xtask plugins`: our own plugins as files for any host.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::{cargo, root, succeed};

/// The crates, and the files that are made of them.
const PLUGINS: [(&str, &str); 2] =
    [("kmidi-gain-clap", "kmidi-gain.clap"), ("kmidi-soundfont-clap", "kmidi-soundfont.clap")];

/// Builds them and puts them into `target/plugins`.
pub fn run() -> Result<()> {
    let folder = target().join("plugins");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (name, file) in PLUGINS {
        succeed(&mut cargo(&format!("build --release --locked -p {name}")))?;
        let library = format!(
            "{}{}{}",
            std::env::consts::DLL_PREFIX,
            name.replace('-', "_"),
            std::env::consts::DLL_SUFFIX
        );
        let built = target().join("release").join(library);
        // A host may have the old file open: it keeps it.
        let (new, file) = (folder.join(format!(".{file}")), folder.join(file));
        fs::copy(&built, &new)
            .and_then(|_| fs::rename(&new, &file))
            .with_context(|| format!("{} cannot be put to {}", built.display(), file.display()))?;
        println!("{}", file.display());
    }
    Ok(())
}

/// Where cargo puts what it builds.
fn target() -> PathBuf {
    let given = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    root().join(given.unwrap_or_else(|| "target".into()))
}
