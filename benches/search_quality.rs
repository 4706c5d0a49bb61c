//! How well questions find what people mean by them, by the weight of likeness against words: where `LIKENESS_WEIGHT` and
//! `LEAST_LIKENESS` of `kmidi-library` come from.
//!
//! A last column has questions that nobody here has written: definitions of instruments. Who described the items knew the others, which
//! favours words; so a weight must do for both.
//!
//! `cargo bench --bench search_quality` scans the installed plugins, indexes them with their presets, the SoundFonts in
//! `/usr/share/sounds` and the songs of `assets/midi`, asks the questions of `benches/search_quality/questions.tsv` and orders the
//! answers by other weights. It wants the model (`kmidi models fetch minilm`) and the plugins that the questions are about.

use std::path::{Path, PathBuf};
use std::process::Command;

use kmidi_library::{LEAST_LIKENESS, LIKENESS_WEIGHT};
use serde_json::Value;

/// As `kmidi-library` has it.
const FUSION_K: f64 = 60.0;
/// The same: later places are not added.
const LEAST_PLACES: f64 = 1000.0;
/// Results that count.
const TOP: usize = 10;
const WEIGHTS: [f64; 11] = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];
const FLOORS: [f64; 5] = [0.2, 0.25, 0.3, 0.4, 0.5];
/// How far the recall of the weight that is used may be below the best.
const TOLERANCE: f64 = 0.02;

struct Question {
    text: String,
    /// Right ones that there are.
    there: usize,
    found: Vec<Found>,
}

/// An answer, and its places in both orders; 0 for none.
struct Found {
    is_right: bool,
    likeness: f64,
    likeness_rank: f64,
    word_rank: f64,
}

/// Means over questions.
struct Means {
    /// One by the place of the first that is right.
    reciprocal_rank: f64,
    /// Of the first ten, or of all that are right where these are fewer.
    recall: f64,
}

struct Library(tempfile::TempDir);

impl Library {
    fn kmidi(&self, arguments: &[&str]) -> Value {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kmidi"));
        command.args(arguments).arg("--json").env("XDG_CACHE_HOME", self.0.path());
        let output = command.output().expect("kmidi runs");
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("kmidi {arguments:?}: {}", String::from_utf8_lossy(&output.stderr)))
    }

    fn new() -> Self {
        let library = Library(tempfile::tempdir().expect("a folder"));
        library.kmidi(&["plugin", "scan"]);
        let songs = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/midi");
        let folders = [songs, PathBuf::from("/usr/share/sounds")];
        let mut add = vec!["index", "add"];
        add.extend(folders.iter().filter(|it| it.is_dir()).filter_map(|it| it.to_str()));
        let added = library.kmidi(&add);
        println!("{} items, {} without a vector", added["items"], added["without_vector"]);
        library
    }

    /// All results, or those for a text.
    fn search(&self, text: &str) -> Vec<Value> {
        let found = self.kmidi(&["search", text, "--limit", "100000", "--explain"]);
        found["results"].as_array().cloned().unwrap_or_default()
    }
}

fn main() {
    let library = Library::new();
    let all = library.search("");
    let blocks = ask_all(&library, &all, include_str!("search_quality/questions.tsv"));
    let definitions = ask_all(&library, &all, include_str!("search_quality/definitions.tsv"));
    let everything = || blocks.iter().flatten();
    println!(
        "\n| weight of likeness | all: MRR, recall@{TOP} | words of names | other words | slips, beginnings | definitions |"
    );
    println!("|---|---|---|---|---|---|");
    for weight in WEIGHTS {
        let blocks = blocks.iter().chain(&definitions);
        let cells = blocks.map(|block| cell(&means(block.iter(), weight, LEAST_LIKENESS.into())));
        let all = cell(&means(everything(), weight, LEAST_LIKENESS.into()));
        println!("| {weight} | {all} | {} |", cells.collect::<Vec<_>>().join(" | "));
    }
    println!("\n| least likeness (weight {LIKENESS_WEIGHT}) | all |\n|---|---|");
    for floor in FLOORS {
        println!("| {floor} | {} |", cell(&means(everything(), LIKENESS_WEIGHT.into(), floor)));
    }
    for question in everything().chain(definitions.iter().flatten()) {
        if place(&ordered(question, LIKENESS_WEIGHT.into(), LEAST_LIKENESS.into())).is_none_or(|it| it > TOP)
        {
            println!("not among the first {TOP}: {}", question.text);
        }
    }
    let recall = |weight| {
        let of_own = means(everything(), weight, LEAST_LIKENESS.into()).recall;
        (of_own + means(definitions.iter().flatten(), weight, LEAST_LIKENESS.into()).recall) / 2.0
    };
    let best = WEIGHTS.into_iter().map(recall).fold(0.0, f64::max);
    let own = recall(LIKENESS_WEIGHT.into());
    assert!(own > best - TOLERANCE, "recall {own:.3} at the weight that is used, {best:.3} at the best");
}

/// Asks the questions of a file, block by block.
fn ask_all(library: &Library, all: &[Value], questions: &str) -> Vec<Vec<Question>> {
    let mut blocks: Vec<Vec<Question>> = vec![];
    let mut is_within = false;
    for line in questions.lines() {
        let Some((text, right)) = line.split_once('\t') else {
            is_within = false;
            continue;
        };
        if !std::mem::replace(&mut is_within, true) {
            blocks.push(vec![]);
        }
        let question = ask(library, all, text, right);
        match question.there {
            0 => println!("left out, as nothing is right here: {text}"),
            _ => blocks.last_mut().expect("one was begun").push(question),
        }
    }
    blocks
}

fn ask(library: &Library, all: &[Value], text: &str, right: &str) -> Question {
    let right: Vec<String> = right.split(',').map(str::to_owned).collect();
    let there = all.iter().filter(|item| is_right(item, &right)).count();
    let number = |value: &Value| value.as_f64().unwrap_or_default();
    let found = library.search(text).into_iter().map(|item| Found {
        is_right: is_right(&item, &right),
        likeness: number(&item["explain"]["likeness"]),
        likeness_rank: number(&item["explain"]["likeness_rank"]),
        word_rank: number(&item["explain"]["word_rank"]),
    });
    let found = found.collect();
    Question { text: text.to_owned(), there, found }
}

/// What is right has the beginning of a word in its name, or is a program of General MIDI.
fn is_right(item: &Value, right: &[String]) -> bool {
    let name = item["name"].as_str().unwrap_or_default().to_lowercase();
    let begins_a_word = |words: &str| {
        name.match_indices(words).any(|(at, _)| !name[..at].ends_with(|c: char| c.is_ascii_alphanumeric()))
    };
    right.iter().any(|right| match right.strip_prefix("gm:") {
        Some(program) => item["part"].as_str() == Some(&format!("0:{program}")),
        None => begins_a_word(right),
    })
}

/// Whether each answer is right, best first.
fn ordered(question: &Question, weight: f64, floor: f64) -> Vec<bool> {
    let part = |weight: f64, rank: f64| {
        if (1.0..=LEAST_PLACES).contains(&rank) { weight * (FUSION_K + 1.0) / (FUSION_K + rank) } else { 0.0 }
    };
    let score = |it: &Found| {
        let rank = if it.likeness >= floor { it.likeness_rank } else { 0.0 };
        part(weight, rank) + part(1.0 - weight, it.word_rank)
    };
    let mut scored: Vec<_> =
        question.found.iter().map(|it| (score(it), it)).filter(|it| it.0 > 0.0).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.likeness.total_cmp(&a.1.likeness)));
    scored.into_iter().map(|(_, it)| it.is_right).collect()
}

/// Place of the first that is right, from 1.
fn place(ordered: &[bool]) -> Option<usize> {
    ordered.iter().position(|it| *it).map(|at| at + 1)
}

fn means<'a>(questions: impl Iterator<Item = &'a Question>, weight: f64, floor: f64) -> Means {
    let (mut reciprocal_rank, mut recall, mut count) = (0.0, 0.0, 0.0);
    for question in questions {
        let ordered = ordered(question, weight, floor);
        reciprocal_rank += place(&ordered).map_or(0.0, |place| 1.0 / place as f64);
        let among = ordered.iter().take(TOP).filter(|it| **it).count();
        recall += among as f64 / question.there.min(TOP) as f64;
        count += 1.0;
    }
    Means { reciprocal_rank: reciprocal_rank / count, recall: recall / count }
}

fn cell(means: &Means) -> String {
    format!("{:.3}, {:.3}", means.reciprocal_rank, means.recall)
}
