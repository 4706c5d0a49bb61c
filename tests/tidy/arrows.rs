//! Crates depend on each other exactly as ARCHITECTURE.md draws it.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::{self, Manifest};

type Arrows = BTreeMap<String, BTreeSet<String>>;

/// The arrows of a fenced block of lines `from -> to, to`.
fn drawn(document: &str, block: &str) -> Arrows {
    let mut arrows = Arrows::new();
    for line in tree::fenced(document, block).into_iter().filter(|line| !line.is_empty()) {
        let (from, to) = line.split_once("->").unwrap_or_else(|| panic!("not an arrow: {line}"));
        let to = to.split(',').map(|name| name.trim().to_owned());
        arrows.entry(from.trim().to_owned()).or_default().extend(to);
    }
    arrows
}

/// Arrows that stand on one side only.
fn differences(drawn: &Arrows, real: impl Iterator<Item = (String, BTreeSet<String>)>) -> Vec<String> {
    let real: Arrows = real.filter(|(_, to)| !to.is_empty()).collect();
    let flat = |arrows: &Arrows| -> BTreeSet<String> {
        arrows.iter().flat_map(|(from, to)| to.iter().map(move |to| format!("{from} -> {to}"))).collect()
    };
    let (drawn, real) = (flat(drawn), flat(&real));
    let undrawn = real.difference(&drawn).map(|arrow| format!("not drawn: {arrow}"));
    let stale = drawn.difference(&real).map(|arrow| format!("drawn, but not there: {arrow}"));
    undrawn.chain(stale).collect()
}

fn check(document: &str, manifests: &[Manifest]) -> Vec<String> {
    let product = manifests.iter().map(|it| (it.name.clone(), it.dependencies.clone()));
    let tests = manifests.iter().map(|it| (it.name.clone(), it.test_dependencies.clone()));
    let mut problems = differences(&drawn(document, "arrows"), product);
    problems.extend(differences(&drawn(document, "test-arrows"), tests));
    let core = manifests.iter().find(|it| it.name == "kmidi-core").expect("there is a core");
    if !core.dependencies.is_empty() || !core.test_dependencies.is_empty() {
        problems.push("kmidi-core depends on a crate of ours".to_owned());
    }
    problems.extend(
        manifests
            .iter()
            .filter(|it| it.dependencies.contains("kmidi"))
            .map(|it| format!("{} depends on the program", it.name)),
    );
    problems
}

#[test]
fn crates_depend_on_each_other_as_drawn() {
    assert_eq!(check(&tree::read("ARCHITECTURE.md"), &tree::manifests()), [""; 0]);
}

#[test]
fn control_an_arrow_that_is_not_drawn_is_seen() {
    let document =
        "```arrows\nkmidi-rt -> kmidi-core, kmidi-sys\n```\n```test-arrows\nkmidi-rt -> kmidi-gain\n```\n";
    let manifests: Vec<Manifest> = [
        "[package]\nname = 'kmidi-core'\n[dependencies]\nkmidi-sys = {}\n",
        "[package]\nname = 'kmidi-rt'\n[dependencies]\ncore = { package = 'kmidi-core' }\n[target.'cfg(unix)'.dependencies]\nkmidi-song = {}\nlibc = '1'\n",
    ]
    .iter()
    .map(|text| tree::manifest(&text.parse().unwrap(), &["kmidi-core", "kmidi-sys", "kmidi-song"].into()))
    .collect();
    assert_eq!(
        check(document, &manifests),
        [
            "not drawn: kmidi-core -> kmidi-sys",
            "not drawn: kmidi-rt -> kmidi-song",
            "drawn, but not there: kmidi-rt -> kmidi-sys",
            "drawn, but not there: kmidi-rt -> kmidi-gain",
            "kmidi-core depends on a crate of ours",
        ]
    );
}
