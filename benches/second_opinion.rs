//! What a second opinion is worth beside the words: how near valence comes to what people say, and how often the feeling is right.
//!
//! `cargo bench --bench second_opinion -- FILE...`, where each line of a file is a number, a rating and a text with tabs between them. Such
//! are the four files `*_GroundTruth.txt` (20 raters each; MIT) in `additional_resources/hutto_ICWSM_2014.tar.gz` of PyPI's
//! `vaderSentiment==0.5`. What the model's valence weighs is chosen on every other text, the same for all files, and the rest, which
//! had no part in it, shows what it is worth. The feelings are those of `crates/kmidi-compose/tests/data/feelings.tsv`. It wants the
//! model: `kmidi models fetch minilm`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use kmidi_compose::mood::LikenessModel;
use kmidi_compose::plan::TherapySession;
use kmidi_memory::{Budgets, Heap};
use kmidi_ml::embed::Embedder;
use kmidi_ml::model::{ModelCache, ModelFolders};

#[global_allocator]
static HEAP: Heap = Heap::new();

/// Texts of a file that are read, spread over all of it.
const TEXTS: usize = 1000;
const FEELINGS: &str = include_str!("../crates/kmidi-compose/tests/data/feelings.tsv");

struct Rated {
    rating: f64,
    text: String,
}

/// What is said of a text.
struct Said {
    rating: f64,
    words: f64,
    model: f64,
    /// What the model weighs in the program.
    weight: f64,
}

impl Said {
    fn weighed(&self, weight: f64) -> f64 {
        self.words + (self.model - self.words) * weight
    }
}

fn read(path: &Path) -> Vec<Rated> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let rated = |line: &str| {
        let mut parts = line.splitn(3, '\t').skip(1);
        Some(Rated { rating: parts.next()?.trim().parse().ok()?, text: parts.next()?.trim().to_owned() })
    };
    let all: Vec<Rated> = String::from_utf8_lossy(&bytes).lines().filter_map(rated).collect();
    let step = all.len().div_ceil(TEXTS).max(1);
    all.into_iter().step_by(step).collect()
}

fn said(it: &Rated, both: &mut TherapySession) -> Option<Said> {
    let mood = both.process_core_input(&it.text).ok()?;
    let opinion = mood.second_opinion.as_ref()?;
    Some(Said {
        rating: it.rating,
        words: opinion.valence_of_words,
        model: opinion.valence,
        weight: opinion.valence_weight,
    })
}

/// Pearson's correlation with the rating.
fn correlation<'a>(all: impl Iterator<Item = &'a Said> + Clone, value: impl Fn(&Said) -> f64) -> f64 {
    let count = all.clone().count() as f64;
    let mean = |of: &dyn Fn(&Said) -> f64| all.clone().map(of).sum::<f64>() / count;
    let (x, y) = (mean(&value), mean(&|it| it.rating));
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for it in all {
        let (dx, dy) = (value(it) - x, it.rating - y);
        (xy, xx, yy) = (xy + dx * dy, xx + dx * dx, yy + dy * dy);
    }
    xy / (xx * yy).sqrt()
}

/// Every other text of a file, the first or the second of each two.
fn half(all: &[Said], which: usize) -> impl Iterator<Item = &Said> + Clone {
    all.iter().skip(which).step_by(2)
}

/// The weight, in tenths, with which valence is nearest to what people say on the first halves.
fn best_weight(files: &[(String, Vec<Said>)]) -> f64 {
    let mean = |weight: f64| {
        files.iter().map(|(_, all)| correlation(half(all, 0), |it| it.weighed(weight))).sum::<f64>()
    };
    let weights = (0..=10).map(|it| f64::from(it) / 10.0);
    weights.max_by(|a, b| mean(*a).total_cmp(&mean(*b))).unwrap_or_default()
}

fn valence(files: &[PathBuf], both: &mut TherapySession) {
    let mut all = vec![];
    for file in files {
        let start = Instant::now();
        let said: Vec<Said> = read(file).iter().filter_map(|it| said(it, both)).collect();
        let each = start.elapsed().as_secs_f64() * 1e3 / said.len().max(1) as f64;
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        println!("{name}: {} texts, {each:.1} ms a text", said.len());
        all.push((name, said));
    }
    println!("\nweight of the model, chosen on the first halves: {:.1}\n", best_weight(&all));
    println!("| valence, r with the rating, second halves | texts | words | model | both, weight in use |");
    println!("|---|---|---|---|---|");
    for (name, all) in &all {
        let held = half(all, 1);
        let r = [0.0, 1.0].map(|weight| correlation(held.clone(), |it| it.weighed(weight)));
        let both = correlation(held.clone(), |it| it.weighed(it.weight));
        println!("| {name} | {} | {:.3} | {:.3} | {both:.3} |", held.count(), r[0], r[1]);
    }
}

/// Sentences and the feelings that are right, of one kind.
fn feelings(kind: &str) -> impl Iterator<Item = (Vec<&str>, &str)> {
    FEELINGS.lines().filter_map(move |line| {
        let mut parts = line.split('\t');
        (parts.next()? == kind).then_some(())?;
        Some((parts.next()?.split('/').collect(), parts.next()?))
    })
}

/// How often the first feeling is right, and how often the model turned what the words said.
fn primary(words: &mut TherapySession, both: &mut TherapySession) {
    println!("\n| first feeling | sentences | right by words | by the model | by both | turned |");
    println!("|---|---|---|---|---|---|");
    for kind in ["said", "meant"] {
        let (mut count, mut right, mut turned) = (0, [0; 3], 0);
        for (feelings, text) in feelings(kind) {
            let (Ok(by_words), Ok(mood)) = (words.process_core_input(text), both.process_core_input(text))
            else {
                continue;
            };
            let model = mood.second_opinion.as_ref().map_or(mood.primary, |it| it.affect);
            let all = [by_words.primary, model, mood.primary].map(|it| it.to_string());
            count += 1;
            for (right, said) in right.iter_mut().zip(&all) {
                *right += usize::from(feelings.contains(&said.as_str()));
            }
            turned += usize::from(!by_words.is_unknown() && all[0] != all[2]);
            if !feelings.contains(&all[2].as_str()) || all[0] != all[2] {
                eprintln!(
                    "{kind} {}: words {}, model {}, both {}: {text}",
                    feelings.join("/"),
                    all[0],
                    all[1],
                    all[2]
                );
            }
        }
        println!("| {kind} | {count} | {} | {} | {} | {turned} |", right[0], right[1], right[2]);
    }
}

fn main() {
    let files: Vec<PathBuf> =
        std::env::args_os().skip(1).map(PathBuf::from).filter(|it| !it.starts_with("--bench")).collect();
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    let folder = std::env::var_os("XDG_DATA_HOME").map_or(home.join(".local/share"), PathBuf::from);
    let folders = ModelFolders::new([folder.join("kmidi/models")]);
    let embedder = Embedder::new(Arc::new(ModelCache::new(Budgets::default(), folders)));
    let model = match LikenessModel::new("MiniLM", move |text| embedder.embed(text).map(|it| it.to_vec())) {
        Ok(model) => model,
        Err(error) => return eprintln!("passed over: {error}"),
    };
    let (mut words, mut both) = (TherapySession::default(), TherapySession::default());
    both.set_model(Box::new(model));
    if !files.is_empty() {
        valence(&files, &mut both);
    }
    primary(&mut words, &mut both);
}
