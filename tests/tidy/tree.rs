//! What the checks look at: the manifests, the Rust sources and ARCHITECTURE.md.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A first-party crate.
pub struct Manifest {
    pub name: String,
    /// First-party crates it depends on, build dependencies included.
    pub dependencies: BTreeSet<String>,
    /// First-party crates that its tests depend on.
    pub test_dependencies: BTreeSet<String>,
}

/// A Rust file of the project, by its path from the root.
pub struct Source {
    pub path: String,
    pub text: String,
}

/// The folder of the workspace.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A text file at the root.
pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every manifest of the workspace, the root's included.
pub fn manifests() -> Vec<Manifest> {
    let workspace = read("Cargo.toml").parse::<toml::Table>().expect("the root manifest is TOML");
    let members = workspace["workspace"]["members"].as_array().expect("members is a list");
    let paths = members.iter().map(|member| format!("{}/Cargo.toml", member.as_str().expect("a path")));
    let tables: Vec<toml::Table> = paths
        .map(|path| read(&path).parse().expect("a manifest is TOML"))
        .chain([workspace.clone()])
        .collect();
    let ours: BTreeSet<&str> = tables.iter().map(package_name).collect();
    tables.iter().map(|table| manifest(table, &ours)).collect()
}

fn package_name(table: &toml::Table) -> &str {
    table["package"]["name"].as_str().expect("a package has a name")
}

/// A manifest, of whose dependencies only those in `ours` are kept.
pub fn manifest(table: &toml::Table, ours: &BTreeSet<&str>) -> Manifest {
    let mut dependencies = BTreeSet::new();
    let mut test_dependencies = BTreeSet::new();
    let targets = table.get("target").and_then(toml::Value::as_table);
    let of_targets =
        targets.into_iter().flat_map(|targets| targets.values()).filter_map(toml::Value::as_table);
    for table in of_targets.chain([table]) {
        let ours_in = |section: &str| -> Vec<String> {
            let section = table.get(section).and_then(toml::Value::as_table);
            section.into_iter().flatten().map(real_name).filter(|name| ours.contains(name.as_str())).collect()
        };
        dependencies.extend(ours_in("dependencies"));
        dependencies.extend(ours_in("build-dependencies"));
        test_dependencies.extend(ours_in("dev-dependencies"));
    }
    Manifest { name: package_name(table).to_owned(), dependencies, test_dependencies }
}

/// The crate behind a dependency, whatever it is called where it is used.
fn real_name((key, value): (&String, &toml::Value)) -> String {
    value.get("package").and_then(toml::Value::as_str).unwrap_or(key).to_owned()
}

/// Every Rust file of the project.
pub fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    for folder in ["crates", "plugins", "tests", "benches", "fuzz"] {
        collect(&root().join(folder), &mut found);
    }
    assert!(found.len() > 20, "the project has more files than {}", found.len());
    found
}

fn collect(folder: &Path, found: &mut Vec<Source>) {
    let Ok(entries) = folder.read_dir() else { return };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() && !path.ends_with("target") {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a source is UTF-8");
            let path = path.strip_prefix(root()).expect("below the root").to_string_lossy().into_owned();
            found.push(Source { path, text });
        }
    }
}

/// The lines of the fenced block of `document` whose info string is `kind`.
pub fn fenced<'a>(document: &'a str, kind: &str) -> Vec<&'a str> {
    let opening = format!("```{kind}");
    let block: Vec<&str> = document
        .lines()
        .skip_while(|line| *line != opening)
        .skip(1)
        .take_while(|line| *line != "```")
        .collect();
    assert!(document.lines().any(|line| line == opening), "no block `{opening}`");
    block
}
