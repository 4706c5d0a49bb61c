//! A small model of random weights in a package like the real one, converted and run, beside the same computed plainly.

use std::io::{Cursor, Write};

use kmidi_memory::{Budgets, Cancel, Domain, JobError, Limits, Need};
use rten::{ModelOptions, Value, ValueView};
use rten_tensor::prelude::*;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;
use crate::model::{Catalog, ModelName, sha256_of};

const SMALL: Sizes =
    Sizes { words: 50, width: 24, inner: 40, heads: 3, layers: 2, places: 30, places_kept: 24 };

type Weights = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// Numbers that are the same every time, about as many below as above 0.
fn weights(sizes: &Sizes) -> Weights {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32 - 0.5
    };
    let tensors = parts(sizes).into_iter().map(|(name, (_, shape))| {
        let count = shape.iter().product();
        // Factors of norms are near 1.
        let around = if name.contains("LayerNorm.weight") { 1.0 } else { 0.0 };
        (name, (shape, (0..count).map(|_| next() + around).collect()))
    });
    tensors.collect()
}

fn safetensors(weights: &Weights) -> Vec<u8> {
    let (mut table, mut at) = (serde_json::Map::new(), 0);
    for (name, (shape, values)) in weights {
        let to = at + values.len() * 4;
        let entry = serde_json::json!({ "dtype": "F32", "shape": shape, "data_offsets": [at, to] });
        table.insert(name.clone(), entry);
        at = to;
    }
    let table = serde_json::to_vec(&table).unwrap();
    let mut bytes = (table.len() as u64).to_le_bytes().to_vec();
    bytes.extend(table);
    bytes.extend(weights.values().flat_map(|(_, values)| values).flat_map(|it| it.to_le_bytes()));
    bytes
}

fn package(weights: &Weights) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file(FILE, SimpleFileOptions::default()).unwrap();
    archive.write_all(&safetensors(weights)).unwrap();
    archive.finish().unwrap().into_inner()
}

fn job<T>(cancel: &Cancel, work: impl FnOnce(JobContext) -> T) -> T {
    let need = Need { domain: Domain::Models, bytes: MINILM_BYTES, name: "converting".to_owned() };
    JobContext::run(&Budgets::new(Limits::default()), need, cancel, work).unwrap()
}

fn convert_bytes(bytes: &[u8], folder: &Path) -> Result<(), ConvertError> {
    job(&Cancel::default(), |job| convert(&SMALL, Cursor::new(bytes), folder, &job, &mut |_, _| ()))
}

fn run(folder: &Path, ids: &[i32]) -> Vec<f32> {
    let model = ModelOptions::with_all_ops().load_file(folder.join(GRAPH)).unwrap();
    let input = ValueView::from_shape([ids.len()], ids).unwrap();
    let (input_id, output_id) =
        (model.node_id("input_ids").unwrap(), model.node_id("token_embeddings").unwrap());
    let [output] = model.run_n(vec![(input_id, input.into())], [output_id], None).unwrap();
    let Value::FloatTensor(output) = output else { panic!("no real numbers") };
    output.to_vec()
}

/// The model as the paper has it, in real numbers.
struct Plain<'a>(&'a Weights);

impl Plain<'_> {
    fn at(&self, name: &str) -> &[f32] {
        &self.0[name].1
    }

    fn norm(&self, x: &mut [Vec<f32>], name: &str) {
        for row in x {
            let mean = row.iter().sum::<f32>() / row.len() as f32;
            let variance = row.iter().map(|it| (it - mean).powi(2)).sum::<f32>() / row.len() as f32;
            let (weight, bias) = (self.at(&format!("{name}.weight")), self.at(&format!("{name}.bias")));
            for ((it, weight), bias) in row.iter_mut().zip(weight).zip(bias) {
                *it = (*it - mean) / (variance + 1e-12).sqrt() * weight + bias;
            }
        }
    }

    fn linear(&self, x: &[Vec<f32>], name: &str) -> Vec<Vec<f32>> {
        let (weight, bias) = (self.at(&format!("{name}.weight")), self.at(&format!("{name}.bias")));
        let output = |row: &Vec<f32>| {
            let sums = weight.chunks(row.len()).map(|it| it.iter().zip(row).map(|(a, b)| a * b).sum::<f32>());
            sums.zip(bias).map(|(sum, bias)| sum + bias).collect()
        };
        x.iter().map(output).collect()
    }

    fn attention(&self, x: &[Vec<f32>], name: &str, heads: usize) -> Vec<Vec<f32>> {
        let of = |part: &str| self.linear(x, &format!("{name}.self.{part}"));
        let (query, key, value) = (of("query"), of("key"), of("value"));
        let width = x[0].len() / heads;
        let mut heard = vec![vec![0.0; x[0].len()]; x.len()];
        for head in 0..heads {
            let part = head * width..(head + 1) * width;
            for (at, query) in query.iter().enumerate() {
                let score = |key: &Vec<f32>| {
                    let products = query[part.clone()].iter().zip(&key[part.clone()]).map(|(a, b)| a * b);
                    (products.sum::<f32>() / (width as f32).sqrt()).exp()
                };
                let scores: Vec<f32> = key.iter().map(score).collect();
                let sum: f32 = scores.iter().sum();
                for (score, value) in scores.iter().zip(&value) {
                    for it in part.clone() {
                        heard[at][it] += score / sum * value[it];
                    }
                }
            }
        }
        self.linear(&heard, &format!("{name}.output.dense"))
    }

    fn run(&self, ids: &[i32], sizes: &Sizes) -> Vec<f32> {
        let row = |name: &str, at: usize| self.at(name)[at * sizes.width..][..sizes.width].to_vec();
        let embedded = ids.iter().enumerate().map(|(place, id)| {
            let parts = [row(WORD_ROWS, *id as usize), row(PLACE_ROWS, place), row(TYPE_ROWS, 0)];
            (0..sizes.width).map(|it| parts.iter().map(|part| part[it]).sum()).collect()
        });
        let mut x: Vec<Vec<f32>> = embedded.collect();
        self.norm(&mut x, "embeddings.LayerNorm");
        for layer in 0..sizes.layers {
            let name = |part: &str| format!("encoder.layer.{layer}.{part}");
            let heard = self.attention(&x, &name("attention"), sizes.heads);
            add(&mut x, &heard);
            self.norm(&mut x, &name("attention.output.LayerNorm"));
            let mut inner = self.linear(&x, &name("intermediate.dense"));
            let gelu = |it: &mut f32| *it *= 0.5 * (1.0 + error_function(*it / 2.0_f32.sqrt()));
            inner.iter_mut().flatten().for_each(gelu);
            add(&mut x, &self.linear(&inner, &name("output.dense")));
            self.norm(&mut x, &name("output.LayerNorm"));
        }
        x.concat()
    }
}

fn add(x: &mut [Vec<f32>], y: &[Vec<f32>]) {
    x.iter_mut().flatten().zip(y.iter().flatten()).for_each(|(x, y)| *x += y);
}

/// Abramowitz & Stegun 7.1.26, right to 1.5e-7.
fn error_function(x: f32) -> f32 {
    let t = 1.0 / (1.0 + 0.327_591_1 * x.abs());
    let sum = [1.061_405_4, -1.453_152, 1.421_413_7, -0.284_496_74, 0.254_829_6];
    let sum = sum.iter().fold(0.0, |sum, it| (sum + it) * t);
    (1.0 - sum * (-x * x).exp()).copysign(x)
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn what_is_converted_says_nearly_what_the_real_numbers_say() {
    let folder = tempfile::tempdir().unwrap();
    let weights = weights(&SMALL);
    convert_bytes(&package(&weights), folder.path()).unwrap();
    // Sixteen rows is where an offset for each of them went wrong.
    let sixteen: Vec<i32> = (0..16).map(|it| it * 3).collect();
    for ids in [&[1, 7, 49, 0, 7, 3, 2, 9][..], &[5], &[0, 1], &sixteen] {
        let (whole, real) = (run(folder.path(), ids), Plain(&weights).run(ids, &SMALL));
        assert_eq!(whole.len(), ids.len() * SMALL.width);
        let near = cosine(&whole, &real);
        assert!(near > 0.998, "{ids:?}: {near}");
    }
    // The control: two words that changed places, and the last layer's norm left out.
    let exchanged = Plain(&weights).run(&[7, 1, 49, 0], &SMALL);
    assert!(cosine(&run(folder.path(), &[1, 7, 49, 0]), &exchanged) < 0.99);
    let mut other = weights.clone();
    other.get_mut("encoder.layer.1.output.LayerNorm.bias").unwrap().1.fill(0.0);
    assert!(cosine(&run(folder.path(), &[1, 7]), &Plain(&other).run(&[1, 7], &SMALL)) < 0.99);
}

#[test]
fn the_same_package_gives_the_same_bytes() {
    let bytes = package(&weights(&SMALL));
    let files = || {
        let folder = tempfile::tempdir().unwrap();
        convert_bytes(&bytes, folder.path()).unwrap();
        [GRAPH, WEIGHTS].map(|it| std::fs::read(folder.path().join(it)).unwrap())
    };
    let [graph, weights] = files();
    assert_eq!([graph.clone(), weights.clone()], files());
    assert!(graph.len() < 100 << 10 && !weights.is_empty());
}

#[test]
fn another_package_is_refused_and_says_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let all = weights(&SMALL);
    let refused = |weights: &Weights| match convert_bytes(&package(weights), folder.path()) {
        Err(ConvertError::Package(reason)) => reason,
        other => panic!("{other:?}"),
    };
    let mut without = all.clone();
    without.remove("encoder.layer.1.output.dense.bias");
    assert_eq!(refused(&without), "it has no encoder.layer.1.output.dense.bias");
    let mut wrong = all.clone();
    let (shape, values) = wrong.get_mut(TYPE_ROWS).unwrap();
    (*shape, *values) = (vec![1, SMALL.width], values[..SMALL.width].to_vec());
    assert_eq!(refused(&wrong), format!("{TYPE_ROWS} is not of the shape [2, 24]"));
    let mut strange = all.clone();
    strange.get_mut(WORD_ROWS).unwrap().1[77] = f32::INFINITY;
    assert_eq!(refused(&strange), format!("{WORD_ROWS} has values that are no numbers"));
}

#[test]
fn a_package_that_is_cut_off_or_changed_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = package(&weights(&SMALL));
    assert!(matches!(convert_bytes(&bytes[..bytes.len() / 2], folder.path()), Err(ConvertError::Package(_))));
    assert!(matches!(convert_bytes(b"", folder.path()), Err(ConvertError::Package(_))));
    let mut changed = bytes.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 0x10;
    assert!(matches!(convert_bytes(&changed, folder.path()), Err(ConvertError::Package(_))));
}

#[test]
fn it_stops_when_it_is_not_wanted_and_says_how_far_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = package(&weights(&SMALL));
    let cancel = Cancel::default();
    let mut told = Vec::new();
    let stopped = job(&cancel, |job| {
        convert(&SMALL, Cursor::new(&bytes), folder.path(), &job, &mut |done, all| {
            told.push((done, all));
            if done * 2 > all {
                cancel.cancel();
            }
        })
    });
    assert!(matches!(stopped, Err(ConvertError::Stopped(JobError::Cancelled))), "{stopped:?}");
    assert!(told.windows(2).all(|it| it[0].0 <= it[1].0 && it[1].0 <= it[1].1), "{told:?}");
}

#[test]
fn without_a_place_to_write_it_says_which() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let failed = convert_bytes(&package(&weights(&SMALL)), &missing);
    assert!(matches!(failed, Err(ConvertError::Write { path, .. }) if path == missing.join(WEIGHTS)));
}

#[test]
fn the_real_one_has_what_its_package_has() {
    let parts = parts(&MINILM);
    let numbers: usize = parts.values().map(|(_, shape)| shape.iter().product::<usize>()).sum();
    // 22,713,216 with the pooler's 147,840, which is not used.
    assert_eq!((parts.len(), numbers), (101, 22_713_216 - 147_840));
}

/// The real package, where `KMIDI_MINILM_PACKAGE` names its file: 83 MB that no test fetches.
#[test]
fn the_real_package_gives_what_the_catalogue_says() {
    let Some(package) = std::env::var_os("KMIDI_MINILM_PACKAGE") else {
        assert!(std::env::var_os("KMIDI_REQUIRE_MODELS").is_none(), "KMIDI_MINILM_PACKAGE names no package");
        return eprintln!("passed over: KMIDI_MINILM_PACKAGE names no package");
    };
    let folder = tempfile::tempdir().unwrap();
    let start = std::time::Instant::now();
    let mut steps = 0;
    job(&Cancel::default(), |job| {
        let mut told = |_, _| steps += 1;
        minilm(Path::new(&package), folder.path(), &job, &mut told)
    })
    .unwrap();
    println!("converted in {:.1} s, {steps} steps", start.elapsed().as_secs_f64());
    let entry = Catalog::of_the_program().entry(ModelName::MiniLm);
    let found = [GRAPH, WEIGHTS].map(|name| {
        let path = folder.path().join(name);
        (std::fs::metadata(&path).unwrap().len(), sha256_of(&path).unwrap())
    });
    let expected: Vec<_> = entry.files.iter().map(|file| (file.bytes, file.sha256.clone())).collect();
    assert_eq!(found.to_vec(), expected);
}
