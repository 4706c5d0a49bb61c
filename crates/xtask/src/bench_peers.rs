//! `cargo xtask bench-peers`: KmiDi measured beside other synthesisers, other hosts of plugins and a search in numpy. Takes an
//! hour or two, so no part of the tests.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{cargo, packages, root, succeed};

/// The name that stands for the comparison of hosts.
const PLUGINS: &str = "plugins";

/// The name that stands for the comparison of searches.
const LIBRARY: &str = "library";

/// The name that stands for what is heard in recordings.
const TRANSCRIPTION: &str = "transcription";

/// basic-pitch, and what of its requirements its model needs in onnxruntime: it names others too, of a gigabyte.
const LISTENER: [&str; 1] = ["basic-pitch==0.4.0"];
const LISTENER_NEEDS: [&str; 8] = [
    "onnxruntime==1.32.0",
    "numpy==2.4.6",
    "scipy==1.17.1",
    "librosa==0.11.0",
    "resampy==0.4.3",
    "mir_eval==0.8.2",
    "pretty_midi==0.2.11.post0",
    "setuptools==65.5.0",
];

/// The other hosts, of PyPI, and what searches there.
const HOSTS: [&str; 3] = ["pedalboard==0.9.26", "dawdreamer==0.9.0", "numpy==2.4.6"];

/// Installs what it needs, builds `kmidi` and the comparison, and runs it with `arguments`.
///
/// # Errors
/// Something is missing, does not build, or cannot be measured.
pub fn run(arguments: &[String]) -> Result<()> {
    let names = names(arguments);
    let apart = [PLUGINS, LIBRARY, TRANSCRIPTION];
    let songs = names.is_empty() || names.iter().any(|name| !apart.contains(name));
    let wants = |name| names.is_empty() || names.contains(&name);
    let (plugins, library, transcription) = (wants(PLUGINS), wants(LIBRARY), wants(TRANSCRIPTION));
    packages::ensure(packages::BUILD)?;
    if songs {
        packages::ensure(packages::PEERS)?;
    }
    if plugins || library {
        packages::ensure(packages::PLUGIN_PEERS)?;
    }
    if transcription {
        packages::ensure(packages::PYTHON)?;
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    let target = root().join(target);
    let build = "build --release --locked --bin kmidi --bin kmidi-probe --target-dir";
    succeed(cargo(build).arg(&target))?;
    let own = target.join("peers");
    let build = "build --quiet --release --locked --manifest-path benches/peers/Cargo.toml --target-dir";
    succeed(cargo(build).arg(&own))?;
    let mut peers = Command::new(own.join("release/peers"));
    peers.arg(target.join("release/kmidi"));
    if plugins || library {
        peers.arg("--python").arg(python(&own.join("python"), &[&HOSTS])?);
    }
    if transcription {
        let python = python(&own.join("listening-python"), &[&LISTENER_NEEDS, &LISTENER])?;
        peers.arg("--listening-python").arg(python);
    }
    succeed(peers.args(arguments))
}

/// What is to be measured; all of it where nothing is named.
fn names(arguments: &[String]) -> Vec<&str> {
    let mut words = arguments.iter().map(String::as_str);
    let mut names = Vec::new();
    while let Some(word) = words.next() {
        match word {
            // Its value is no name.
            "--seconds" => drop(words.next()),
            option if option.starts_with('-') => {}
            name => names.push(name),
        }
    }
    names
}

/// The Python of a virtual environment with these packages, made if it is not there. Only the first ones may bring others.
fn python(folder: &Path, packages: &[&[&str]]) -> Result<PathBuf> {
    let python = folder.join("bin/python");
    if !python.is_file() {
        // Debian's, which its package python3-venv is for.
        let made = Command::new("/usr/bin/python3").args(["-m", "venv"]).arg(folder).status();
        succeeded(made, "python3 -m venv")?;
    }
    for (n, packages) in packages.iter().enumerate() {
        let mut install = Command::new(&python);
        install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        install.args(["--only-binary", ":all:"]);
        if n > 0 {
            install.arg("--no-deps");
        }
        succeeded(install.args(*packages).status(), "pip install")?;
    }
    Ok(python)
}

fn succeeded(status: std::io::Result<std::process::ExitStatus>, what: &str) -> Result<()> {
    let status = status.with_context(|| format!("cannot run {what}"))?;
    anyhow::ensure!(status.success(), "{what} failed (its message is above)");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_options_are_no_names() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(names(&words("--seconds 60 plugins")), [PLUGINS]);
        assert_eq!(names(&words("E1M1 --seconds 60 plugins")), ["E1M1", PLUGINS]);
        assert_eq!(names(&words("--seconds 60")), [""; 0]);
        assert_eq!(names(&words("library")), [LIBRARY]);
    }
}
