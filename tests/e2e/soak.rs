//! A restless user for half a minute: nothing piles up, and what would is told.

use std::time::Duration;

use serde_json::Value;

use crate::support::program;

fn verdict<'a>(report: &'a Value, name: &str) -> &'a Value {
    let verdicts = report["verdicts"].as_array().expect("a list");
    verdicts.iter().find(|it| it["name"] == name).unwrap_or_else(|| panic!("no {name}: {report:#}"))
}

#[test]
fn nothing_piles_up_in_half_a_minute() {
    let arguments = ["soak", "--minutes", "0.5", "--check-fds", "--check-threads", "--seed", "7", "--json"];
    let outcome = program::kmidi(&arguments).success();
    let report = outcome.json();
    assert_eq!((&report["ok"], &report["interrupted"]), (&true.into(), &false.into()), "{report:#}");
    // How much it did is the machine's affair.
    assert!(
        report["deeds"]["actions"].as_u64() > Some(3) && report["samples"].as_u64() > Some(3),
        "{report:#}"
    );
    assert!(report["deeds"]["songs_started"].as_u64() > Some(0), "{report:#}");
    assert!(verdict(&report, "threads")["found"].as_str().expect("a text").contains("before and"));
}

#[test]
fn ctrl_c_ends_it_with_the_verdicts_so_far() {
    let soak = program::spawn(program::command(&["soak", "--minutes", "60", "--json"]));
    std::thread::sleep(Duration::from_secs(4));
    soak.signal("INT");
    let report = soak.wait(Duration::from_secs(30)).success().json();
    assert_eq!(report["interrupted"], true);
    assert!(report["seconds"].as_f64() < Some(40.0), "{report:#}");
    let found = verdict(&report, "resident memory")["found"].as_str().expect("a text");
    assert!(found.ends_with("too few to tell"), "{found}");
}
