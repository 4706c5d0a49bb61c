//! `cargo xtask models`: the models that are not part of the program.

use std::process::Command;

use anyhow::{Context, Result};

use crate::{packages, root, succeed};

/// Installs what the build needs, builds, and has `kmidi models fetch` get each model that is named, or all.
pub fn run(names: &[String]) -> Result<()> {
    packages::ensure(packages::BUILD)?;
    let all = fetched(&read_catalogue()?);
    let names = if names.is_empty() { &all } else { names };
    let manifest = root().join("Cargo.toml");
    for name in names {
        let mut fetch = Command::new("cargo");
        fetch.args(["run", "--quiet", "--release", "--locked", "--bin", "kmidi", "--manifest-path"]);
        succeed(fetch.arg(&manifest).args(["--", "models", "fetch", name]))?;
    }
    Ok(())
}

fn read_catalogue() -> Result<String> {
    let path = root().join("assets/models/manifest.toml");
    std::fs::read_to_string(&path).with_context(|| path.display().to_string())
}

/// Names of the models that a catalogue has as not built in. It is a table of lines that this project writes.
fn fetched(catalogue: &str) -> Vec<String> {
    let models =
        catalogue.split("[[model]]").filter(|model| model.lines().any(|it| it == "built_in = false"));
    let name = |model: &str| {
        let line = model.lines().find_map(|line| line.strip_prefix("name = \""))?;
        Some(line.trim_end_matches('"').to_owned())
    };
    models.filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_part_of_the_program_is_fetched() {
        let catalogue =
            "[[model]]\nname = \"small\"\nbuilt_in = true\n\n[[model]]\nname = \"large\"\nbuilt_in = false\n";
        assert_eq!(fetched(catalogue), ["large"]);
        let own = fetched(&read_catalogue().unwrap());
        assert!(
            own.iter().any(|name| name == "minilm") && !own.iter().any(|name| name == "swift-f0"),
            "{own:?}"
        );
    }
}
