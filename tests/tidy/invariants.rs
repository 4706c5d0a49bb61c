//! ARCHITECTURE.md names, for each invariant, tests that exist; docs/hostile.md does, for each thing that goes wrong.

use super::tree::{self, Source};

/// Names of tests (`function` in `file`) in the last column of the table below a heading that are not there.
fn unknown_tests(document: &str, heading: &str, sources: &[Source]) -> Vec<String> {
    let section = document.lines().skip_while(|line| *line != heading).skip(1);
    let rows: Vec<&str> = section
        .take_while(|line| !line.starts_with("## "))
        .filter(|line| line.starts_with("| "))
        .skip(1)
        .collect();
    assert!(!rows.is_empty(), "no table");
    let mut problems = Vec::new();
    for row in rows {
        let cell = row.trim_end_matches([' ', '|']).rsplit('|').next().unwrap_or_default();
        let names: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
        if names.len() < 2 {
            problems.push(format!("names no test: {row}"));
        }
        for pair in names.chunks(2) {
            let [function, file] = pair else {
                problems.push(format!("`{}` without a file", pair[0]));
                continue;
            };
            let has_it =
                |text: &str| ["(", "<"].iter().any(|it| text.contains(&format!("fn {function}{it}")));
            let there = sources.iter().any(|source| source.path == *file && has_it(&source.text));
            if !there {
                problems.push(format!("no `{function}` in `{file}`"));
            }
        }
    }
    problems
}

#[test]
fn every_invariant_names_tests_that_exist() {
    assert_eq!(unknown_tests(&tree::read("ARCHITECTURE.md"), "## Invariants", &tree::sources()), [""; 0]);
}

#[test]
fn every_case_that_goes_wrong_names_tests_that_exist() {
    assert_eq!(unknown_tests(&tree::read("docs/hostile.md"), "## Cases", &tree::sources()), [""; 0]);
}

#[test]
fn control_a_test_that_is_gone_is_seen() {
    let document = "## Invariants\n| rule | tests |\n|---|---|\n| a | `f` in `x.rs`, `g` in `x.rs` |\n| b | later |\n## Next\n| c | none |\n";
    let sources = [Source { path: "x.rs".to_owned(), text: "fn f() {}".to_owned() }];
    assert_eq!(
        unknown_tests(document, "## Invariants", &sources),
        ["no `g` in `x.rs`", "names no test: | b | later |"]
    );
}
