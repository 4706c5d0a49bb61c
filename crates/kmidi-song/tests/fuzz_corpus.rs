//! What the fuzz target promises, for its corpus, for the test data, and for damage done to them.
#![forbid(unsafe_code)]

mod common;

use std::path::PathBuf;

#[path = "../../../fuzz/checks/smf.rs"]
mod smf;

fn corpus() -> Vec<Vec<u8>> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/smf"));
    let entries = std::fs::read_dir(folder).expect("the corpus");
    entries.map(|entry| std::fs::read(entry.expect("an entry").path()).expect("readable")).collect()
}

#[test]
fn every_input_of_the_corpus_and_of_the_test_data() {
    let corpus = corpus();
    assert!(corpus.len() >= 40, "only {} inputs", corpus.len());
    corpus.iter().for_each(|bytes| smf::check(bytes));
    common::files().iter().filter(|(_, bytes)| bytes.len() < 30_000).for_each(|(_, bytes)| smf::check(bytes));
}

#[test]
fn files_damaged_in_a_thousand_ways() {
    let small: Vec<_> = common::files()
        .into_iter()
        .map(|file| file.1)
        .filter(|bytes| (30..400).contains(&bytes.len()))
        .collect();
    // Each run damages the same bytes.
    let mut rng = fastrand::Rng::with_seed(1);
    let mut random = |below: usize| rng.usize(..below);
    for round in 0..1000 {
        let mut bytes = small[round % small.len()].clone();
        for _ in 0..=random(4) {
            let at = random(bytes.len());
            match random(4) {
                0 => bytes[at] = random(256) as u8,
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, random(256) as u8),
                _ => bytes.truncate(at.max(20)),
            }
        }
        smf::check(&bytes);
    }
}

#[test]
#[should_panic(expected = "notes are played")]
fn control_a_lost_note_is_seen() {
    let bytes = common::single(&[common::notes(8), common::END.to_vec()].concat());
    let mut silent = bytes.clone();
    silent[25] = 0;
    smf::check_reading(&bytes, &silent);
}
