//! What the fuzz target promises of chords, for its corpus, and for damage done to it.
#![forbid(unsafe_code)]

use std::path::PathBuf;

use kmidi_song::Random;

#[path = "../../../fuzz/checks/chord.rs"]
mod chord;

fn corpus() -> Vec<Vec<u8>> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/chord"));
    let entries = std::fs::read_dir(folder).expect("the corpus");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("readable")).collect()
}

#[test]
fn every_input_of_the_corpus() {
    let corpus = corpus();
    assert!(corpus.len() >= 20, "only {} inputs", corpus.len());
    let readable = corpus.iter().filter(|bytes| chord::check(bytes) > 0).count();
    assert!(readable >= 15 && readable < corpus.len(), "{readable} of {}", corpus.len());
}

#[test]
fn symbols_damaged_in_a_thousand_ways() {
    let corpus = corpus();
    let short: Vec<&Vec<u8>> = corpus.iter().filter(|bytes| (1..200).contains(&bytes.len())).collect();
    // Each run damages the same bytes.
    let mut random = Random::new(1);
    let mut readable = 0;
    for round in 0..1000 {
        let mut bytes = short[round % short.len()].clone();
        for _ in 0..=random.below(3) {
            let at = random.below(bytes.len() as u32) as usize;
            let other = short[random.below(short.len() as u32) as usize];
            match random.below(4) {
                0 => bytes[at] = random.below(256) as u8,
                1 => bytes.truncate(at.max(1)),
                2 => bytes.insert(at, other[random.below(other.len() as u32) as usize]),
                _ => bytes.extend_from_slice(&other[..other.len().min(8)]),
            }
        }
        readable += usize::from(chord::check(&bytes) > 0);
    }
    assert!(readable > 100, "{readable} of 1000 could be read at all");
}
