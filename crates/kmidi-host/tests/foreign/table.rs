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
    /// Words of a failure that it has now and then; nothing if there is none.
    pub at_times: &'static str,
}

/// How a process ends that crashes.
pub const CRASH: &str = "signal: ";

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

/// Plugins of others of which one, of hundreds, may fail once and then no more: some have threads, dice and memory of their own
/// that go wrong now and then. What always fails is never taken for that, nor what fails for many.
const MOST_SLIPS: usize = 2;

/// Has those that are not as known run twice more: who is as known both times had a slip, which its row tells.
pub fn tried_again(rows: Vec<Row>, known: &[Known], run: impl Fn(usize) -> Row) -> Vec<Row> {
    let is_wrong = |row: &Row| !unexpected(std::slice::from_ref(row), known).is_empty();
    let mut slips = Vec::new();
    let again = |(at, row): (usize, Row)| {
        if !is_wrong(&row) {
            return row;
        }
        let (mut second, third) = (run(at), run(at));
        if is_wrong(&second) || is_wrong(&third) {
            return row;
        }
        let said = row.1.err().unwrap_or_else(|| "it worked".to_owned());
        let slip = format!("{}; not so the first of three times: {said}", row.0);
        match &mut second.1 {
            Ok(cells) => cells.iter_mut().last().into_iter().for_each(|cell| cell.push_str(&slip)),
            Err(said) => said.push_str(&slip),
        }
        slips.push(slip);
        second
    };
    let rows = rows.into_iter().enumerate().map(again).collect();
    assert!(slips.len() <= MOST_SLIPS, "too many go wrong now and then:\n{}", slips.join("\n"));
    rows
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
        _ if !known.at_times.is_empty() && said.contains(known.at_times) => true,
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
fn what_fails_once_is_told_and_what_fails_again_or_for_many_is_a_failure() {
    let row = |id: usize, result: Result<(), &str>| {
        (id.to_string(), result.map(|()| vec!["cell".to_owned()]).map_err(str::to_owned))
    };
    let rows = |bad: usize| -> Vec<Row> {
        (0..5).map(|id| row(id, if id < bad { Err("signal: 11") } else { Ok(()) })).collect()
    };
    let once = tried_again(rows(MOST_SLIPS), &[], |at| row(at, Ok(())));
    assert!(unexpected(&once, &[]).is_empty());
    let cells = |row: &Row| row.1.clone().unwrap().concat();
    assert!(cells(&once[0]).contains("signal: 11") && cells(&once[4]) == "cell", "{once:?}");
    // Once more, or each time.
    for runs in [1, 2] {
        let left = std::cell::Cell::new(runs as u32);
        let fails =
            |at| row(at, if left.replace(left.get().saturating_sub(1)) > 0 { Err("no") } else { Ok(()) });
        assert_eq!(unexpected(&tried_again(rows(1), &[], fails), &[]).len(), 1);
    }
    let many = || tried_again(rows(MOST_SLIPS + 1), &[], |at| row(at, Ok(())));
    assert!(std::panic::catch_unwind(many).is_err());
}

#[test]
fn a_row_that_is_not_as_known_is_a_complaint() {
    let known = [
        Known { id: "bad", says: "fftw", why: "it is not linked", at_times: "" },
        Known { id: "rash", says: "", why: "its threads", at_times: CRASH },
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
