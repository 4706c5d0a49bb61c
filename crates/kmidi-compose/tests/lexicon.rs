//! The word lists that are built in are those that their manifest names, and can be searched.
#![forbid(unsafe_code)]

use std::path::PathBuf;

use sha2::{Digest, Sha256};

fn asset(name: &str) -> Vec<u8> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/lexicon")).join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn text(name: &str) -> String {
    String::from_utf8(asset(name)).expect("UTF-8")
}

fn sum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_files_are_those_of_the_manifest() {
    let manifest = text("SHA256SUMS");
    for line in manifest.lines() {
        let (expected, name) = line.split_once("  ").expect("a sum and a name");
        assert_eq!(sum(&asset(name)), expected, "{name}");
    }
    for name in ["vader.tsv", "emoji.tsv", "make.py", "LICENSE-vader.txt"] {
        assert!(manifest.contains(name), "{name}");
    }
    assert!(text("LICENSE-vader.txt").contains("Permission is hereby granted, free of charge"));
    assert_ne!(sum(b"a"), sum(b"b"));
}

#[test]
fn lines_are_a_word_and_a_value_in_the_order_of_bytes() {
    for (name, lines) in [("vader.tsv", 7506), ("emoji.tsv", 1207)] {
        let text = text(name);
        let keys: Vec<&str> = text.lines().map(|line| line.split_once('\t').expect("a tab").0).collect();
        assert_eq!(keys.len(), lines);
        assert!(keys.is_sorted_by(|a, b| a.as_bytes() < b.as_bytes()), "{name}");
    }
    let rated = text("vader.tsv");
    let mut values =
        rated.lines().map(|line| line.split_once('\t').expect("a tab").1.parse::<f64>().expect("a number"));
    assert!(values.all(|value| (-4.0..=4.0).contains(&value)));
}
