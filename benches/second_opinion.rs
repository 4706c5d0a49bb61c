//! How near valence comes to what people say: by words alone, by the model alone, and by both as `kmidi therapy` has them.
//!
//! `cargo bench --bench second_opinion -- FILE...`, where each line of a file is a number, a rating and a text with tabs between them. Such
//! are the four files `*_GroundTruth.txt` (20 raters each; MIT) in `additional_resources/hutto_ICWSM_2014.tar.gz` of PyPI's
//! `vaderSentiment==0.5`. It wants the model: `kmidi models fetch minilm`.

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

struct Rated {
    rating: f64,
    text: String,
}

/// What is said of a text.
struct Said {
    rating: f64,
    words: f64,
    model: f64,
    both: f64,
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

fn said(it: &Rated, words: &mut TherapySession, both: &mut TherapySession) -> Option<Said> {
    let words = words.process_core_input(&it.text).ok()?.valence;
    let mood = both.process_core_input(&it.text).ok()?;
    let model = mood.second_opinion.as_ref()?.valence;
    Some(Said { rating: it.rating, words, model, both: mood.valence })
}

/// Pearson's correlation with the rating.
fn correlation(all: &[Said], value: fn(&Said) -> f64) -> f64 {
    let count = all.len() as f64;
    let mean = |of: &dyn Fn(&Said) -> f64| all.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(&value), mean(&|it| it.rating));
    let product = |a: fn(&Said) -> f64, ma: f64, b: fn(&Said) -> f64, mb: f64| {
        all.iter().map(|it| (a(it) - ma) * (b(it) - mb)).sum::<f64>()
    };
    let rating: fn(&Said) -> f64 = |it| it.rating;
    product(value, x, rating, y) / (product(value, x, value, x) * product(rating, y, rating, y)).sqrt()
}

fn main() {
    let files: Vec<PathBuf> =
        std::env::args_os().skip(1).map(PathBuf::from).filter(|it| !it.starts_with("--bench")).collect();
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    let folder = std::env::var_os("XDG_DATA_HOME").map_or(home.join(".local/share"), PathBuf::from);
    let folders = ModelFolders::new([folder.join("kmidi/models")]);
    let embedder = Embedder::new(Arc::new(ModelCache::new(Budgets::default(), folders)));
    let start = Instant::now();
    let model = match LikenessModel::new("MiniLM", move |text| embedder.embed(text).map(|it| it.to_vec())) {
        Ok(model) => model,
        Err(error) => return eprintln!("passed over: {error}"),
    };
    println!("model and sentences: {:.0} ms", start.elapsed().as_secs_f64() * 1e3);
    let (mut words, mut both) = (TherapySession::default(), TherapySession::default());
    both.set_model(Box::new(model));
    println!(
        "{:40} {:>5} {:>7} {:>7} {:>7} {:>9}",
        "valence, r with the rating", "texts", "words", "model", "both", "ms a text"
    );
    for file in &files {
        let rated = read(file);
        let start = Instant::now();
        let all: Vec<Said> = rated.iter().filter_map(|it| said(it, &mut words, &mut both)).collect();
        let each = start.elapsed().as_secs_f64() * 1e3 / all.len().max(1) as f64;
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let r =
            [|it: &Said| it.words, |it: &Said| it.model, |it: &Said| it.both].map(|it| correlation(&all, it));
        println!("{name:40} {:>5} {:>7.3} {:>7.3} {:>7.3} {each:>9.1}", all.len(), r[0], r[1], r[2]);
    }
}
