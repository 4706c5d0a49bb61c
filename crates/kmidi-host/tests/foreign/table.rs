//! What came of many plugins: a table to read, and whether it is what was to be expected.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::path::{Path, PathBuf};

/// A plugin for which it is known that something does not work.
pub struct Known {
    /// Its id.
    pub id: &'static str,
    /// Words of its failure; nothing where all is well at other times.
    pub says: &'static str,
    /// Why.
    pub why: &'static str,
    /// Whether it also crashes now and then.
    pub crashes_at_times: bool,
}

/// A plugin's cells, or why there are none.
pub type Row = (String, Result<Vec<String>, String>);

/// The folder of the build, which tables are written below.
fn build_folder() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    program.ancestors().find(|it| it.ends_with("target")).map_or_else(std::env::temp_dir, Path::to_owned)
}

/// Prints a table and keeps it; then fails where a row fails that is not known to, where one is known to that does not,
/// and where one has another cause than is known.
pub fn publish(name: &str, columns: &[&str], rows: &[Row], known: &[Known]) {
    let text = markdown(columns, rows, known);
    println!("{text}");
    let folder = build_folder().join("plugin-tables");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(name).with_extension("md"), &text).unwrap();
    let wrong = unexpected(rows, known);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn markdown(columns: &[&str], rows: &[Row], known: &[Known]) -> String {
    let good = rows.iter().filter(|(_, result)| result.is_ok()).count();
    let mut text = format!("{} plugins, {good} good, {} not\n\n", rows.len(), rows.len() - good);
    text += &format!("| plugin | {} |\n|{}\n", columns.join(" | "), "---|".repeat(columns.len() + 1));
    for (id, result) in rows {
        match result {
            Ok(cells) => text += &format!("| {id} | {} |\n", cells.join(" | ")),
            Err(said) => {
                let why = known.iter().find(|it| it.id == id).map_or("unknown", |it| it.why);
                text += &format!("| {id} | FAILS: {why} ({}) |\n", said.replace(['|', '\n'], " "));
            }
        }
    }
    text
}

/// What is not as it is known to be. A plugin that is not installed cannot be.
fn unexpected(rows: &[Row], known: &[Known]) -> Vec<String> {
    let is_known = |known: &Known, said: &str| match known.says {
        _ if known.crashes_at_times && said.starts_with("signal: ") => true,
        "" => false,
        says => said.contains(says),
    };
    let complaint = |(id, result): &Row| match (result, known.iter().find(|it| it.id == id)) {
        (Ok(_), Some(known)) if !known.says.is_empty() => {
            Some(format!("{id} works, and is known not to: {}", known.why))
        }
        (Err(said), None) => Some(format!("{id} fails: {said}")),
        (Err(said), Some(known)) if !is_known(known, said) => {
            Some(format!("{id} fails, but not because {}: {said}", known.why))
        }
        _ => None,
    };
    rows.iter().filter_map(complaint).collect()
}

#[test]
fn a_row_that_is_not_as_known_is_a_complaint() {
    let known = [
        Known { id: "bad", says: "fftw", why: "it is not linked", crashes_at_times: false },
        Known { id: "rash", says: "", why: "its threads", crashes_at_times: true },
    ];
    let row = |id: &str, result: Result<(), &str>| {
        (id.to_owned(), result.map(|()| Vec::new()).map_err(str::to_owned))
    };
    let complaints = |rows: &[Row]| unexpected(rows, &known).len();
    assert_eq!(complaints(&[row("good", Ok(())), row("bad", Err("no symbol fftw_plan"))]), 0);
    assert_eq!(complaints(&[row("good", Err("signal: 11")), row("bad", Err("no symbol fftw_plan"))]), 1);
    assert_eq!(complaints(&[row("bad", Ok(()))]), 1);
    assert_eq!(complaints(&[row("bad", Err("signal: 11"))]), 1);
    assert_eq!(complaints(&[row("rash", Ok(())), row("rash", Err("signal: 11"))]), 0);
    assert_eq!(complaints(&[row("rash", Err("it plays something else"))]), 1);
}
