//! Every crate that is built into the product has a licence of the list in deny.toml.

use std::collections::BTreeSet;
use std::process::Command;

use super::tree;

/// Packages of `cargo metadata` whose licence expression the list does not satisfy.
fn refused(metadata: &serde_json::Value, allowed: &BTreeSet<&str>) -> Vec<String> {
    let packages = metadata["packages"].as_array().expect("metadata lists packages");
    let satisfied = |expression: &str| {
        let expression = spdx::Expression::parse_mode(expression, spdx::ParseMode::LAX);
        expression
            .is_ok_and(|it| it.evaluate(|requirement| allowed.contains(requirement.to_string().as_str())))
    };
    let refused = packages.iter().filter(|package| !package["license"].as_str().is_some_and(satisfied));
    refused.map(|package| format!("{}: {}", package["name"], package["license"])).collect()
}

#[test]
fn every_dependency_has_an_allowed_licence() {
    let deny = tree::read("deny.toml").parse::<toml::Table>().expect("deny.toml is TOML");
    let allowed = deny["licenses"]["allow"].as_array().expect("allow is a list");
    let allowed = allowed.iter().map(|licence| licence.as_str().expect("a name")).collect();
    let host = Command::new("rustc").args(["--print", "host-tuple"]).output().expect("rustc runs").stdout;
    // Of other platforms' crates nothing may be downloaded yet; they are built nowhere here.
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--format-version", "1", "--filter-platform"])
        .arg(String::from_utf8_lossy(&host).trim())
        .current_dir(tree::root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata = serde_json::from_slice(&output.stdout).expect("metadata is JSON");
    assert_eq!(refused(&metadata, &allowed), [""; 0]);
}

#[test]
fn control_a_licence_outside_the_list_is_seen() {
    let metadata = serde_json::json!({ "packages": [
        { "name": "free", "license": "MIT/Apache-2.0" },
        { "name": "choice", "license": "GPL-3.0-only OR MIT" },
        { "name": "both", "license": "MIT AND GPL-3.0-only" },
        { "name": "bound", "license": "LGPL-2.1-or-later" },
        { "name": "silent", "license": null },
    ]});
    let refused = refused(&metadata, &["MIT", "Apache-2.0"].into());
    let names: Vec<&str> = refused.iter().map(|it| it.split(':').next().unwrap().trim_matches('"')).collect();
    assert_eq!(names, ["both", "bound", "silent"]);
}
