//! A small network of random weights in a package like the real one, converted and run, beside what the package's own code computes with
//! the same weights (`tests/data/piano/small.py`); and packages that are none.

use std::collections::BTreeMap;
use std::io::Cursor;

use kmidi_memory::{Budgets, Cancel, Domain, JobError, Limits, Need};
use rten::{ModelOptions, Value, ValueView};
use rten_tensor::prelude::*;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;
use crate::model::{Catalog, ModelName, sha256_of};

const SMALL: Sizes =
    Sizes { frames: 12, bands: 21, windows: 6, window: 64, planes: 8, heads: 2, layers: 2, hidden: 16 };

#[derive(serde::Deserialize)]
struct Golden {
    tensors: usize,
    tracks: Vec<usize>,
    context: Vec<Vec<f32>>,
    scores: Vec<Vec<f32>>,
    velocities: Vec<f32>,
    times: Vec<f32>,
}

struct Chance(u32);

impl Chance {
    fn numbers(&mut self, count: usize) -> Vec<f32> {
        let mut next = || {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (self.0 >> 8) as f32 / (1 << 24) as f32 - 0.5
        };
        (0..count).map(|_| next()).collect()
    }
}

type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// What a checkpoint of these sizes has.
fn shapes(sizes: &Sizes) -> BTreeMap<String, Vec<usize>> {
    let (width, inner) = (sizes.width(), sizes.inner());
    let mut shapes = BTreeMap::new();
    let mut put = |name: String, shape: &[usize]| assert!(shapes.insert(name, shape.to_vec()).is_none());
    let fronts = [
        vec![sizes.window / 2 + 1, sizes.bands],
        vec![sizes.window],
        vec![sizes.windows - 1],
        vec![sizes.windows - 1],
    ];
    SPECTRA.iter().zip(fronts).for_each(|(name, shape)| put((*name).to_owned(), &shape));
    let mut both = |name: &str, shape: &[usize]| {
        put(format!("{name}.weight"), shape);
        put(format!("{name}.bias"), &shape[..1]);
    };
    both("backbone.inputConv", &[sizes.planes, sizes.windows, 3, 3]);
    for halving in &HALVINGS {
        let [inputs, outputs] = halving.planes.map(|it| it * sizes.planes);
        both(halving.convolution, &[outputs, inputs, 3, 3]);
        both(halving.norm, &[outputs]);
    }
    for (name, coordinates, width) in [(BANDS, 1, sizes.planes), (PLACES[0], 2, width), (PLACES[1], 2, width)]
    {
        both(&format!("{name}.proj"), &[width, coordinates]);
        both(&format!("{name}.mlp.0"), &[4 * width, width]);
        both(&format!("{name}.mlp.3"), &[width, 4 * width]);
    }
    both(FRAMES, &[width, width, STEP]);
    both(SCORES, &[2 * width + 1, width]);
    for (name, outputs) in [(VELOCITY, VELOCITIES), (ENDS, 4)] {
        both(&format!("{name}.0"), &[sizes.hidden, 3 * width]);
        both(&format!("{name}.3"), &[outputs, sizes.hidden]);
    }
    for (layer, along) in (0..sizes.layers).flat_map(|layer| Along::BOTH.map(|along| (layer, along))) {
        both(&format!("{}.module.out_proj", layout::attention(layer, along)), &[width, width]);
        both(&format!("{}.module.0", layout::inner(layer, along)), &[inner, width]);
        both(&format!("{}.module.3", layout::inner(layer, along)), &[width, inner]);
    }
    for (layer, along) in (0..sizes.layers).flat_map(|layer| Along::BOTH.map(|along| (layer, along))) {
        let name = layout::attention(layer, along);
        for part in ["q", "k", "v"] {
            put(format!("{name}.module.{part}_proj_weight"), &[width, width]);
        }
        put(format!("{name}.scale"), &[width]);
        put(format!("{}.scale", layout::inner(layer, along)), &[width]);
    }
    shapes
}

fn tensors(sizes: &Sizes) -> Tensors {
    let mut chance = Chance(1);
    let tensors = shapes(sizes).into_iter().map(|(name, shape)| {
        let numbers = chance.numbers(shape.iter().product());
        (name, (shape, numbers))
    });
    tensors.collect()
}

/// The list of tensors as PyTorch writes it, without what it remembers to write it shorter.
fn list(tensors: &Tensors) -> Vec<u8> {
    let mut bytes = b"\x80\x02}".to_vec();
    let text = |bytes: &mut Vec<u8>, text: &str| {
        bytes.push(b'X');
        bytes.extend((text.len() as u32).to_le_bytes());
        bytes.extend(text.as_bytes());
    };
    let number = |bytes: &mut Vec<u8>, number: usize| {
        bytes.push(b'J');
        bytes.extend((number as u32).to_le_bytes());
    };
    text(&mut bytes, "state_dict");
    bytes.extend(b"ccollections\nOrderedDict\n)R(");
    for (file, (name, (shape, numbers))) in tensors.iter().enumerate() {
        text(&mut bytes, name);
        bytes.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        text(&mut bytes, "storage");
        bytes.extend(b"ctorch\nFloatStorage\n");
        text(&mut bytes, &file.to_string());
        text(&mut bytes, "cpu");
        number(&mut bytes, numbers.len());
        bytes.extend(b"tQK\x00(");
        shape.iter().for_each(|length| number(&mut bytes, *length));
        bytes.extend(b"t(");
        (0..shape.len()).for_each(|axis| number(&mut bytes, shape[axis + 1..].iter().product()));
        bytes.extend(b"t\x89ccollections\nOrderedDict\n)RtR");
    }
    bytes.extend(b"us.");
    bytes
}

fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn checkpoint(list: &[u8], order: &[u8], tensors: &Tensors) -> Vec<u8> {
    let numbers: Vec<(String, Vec<u8>)> = tensors
        .values()
        .enumerate()
        .map(|(n, (_, numbers))| {
            (format!("2.0/data/{n}"), numbers.iter().flat_map(|it| it.to_le_bytes()).collect())
        })
        .collect();
    let mut files = vec![("2.0/data.pkl", list), ("2.0/byteorder", order)];
    files.extend(numbers.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())));
    archive(&files)
}

fn package(tensors: &Tensors) -> Vec<u8> {
    archive(&[(FILE, &checkpoint(&list(tensors), b"little", tensors))])
}

fn job<T>(cancel: &Cancel, work: impl FnOnce(JobContext) -> T) -> T {
    let need = Need { domain: Domain::Models, bytes: PIANO_BYTES, name: "converting".to_owned() };
    JobContext::run(&Budgets::new(Limits::default()), need, cancel, work).unwrap()
}

fn convert_bytes(bytes: &[u8], folder: &Path) -> Result<(), ConvertError> {
    job(&Cancel::default(), |job| convert(&SMALL, Cursor::new(bytes), folder, &job, &mut |_, _| ()))
}

fn run<const N: usize>(
    model: &rten::Model,
    input: &str,
    shape: &[usize],
    numbers: &[f32],
    outputs: [&str; N],
) -> [Vec<f32>; N] {
    let view = ValueView::from_shape(shape, numbers).unwrap();
    let ids = outputs.map(|name| model.node_id(name).unwrap());
    let inputs = vec![(model.node_id(input).unwrap(), view.into())];
    model.run_n(inputs, ids, None).unwrap().map(|output| match output {
        Value::FloatTensor(output) => output.to_vec(),
        _ => panic!("no real numbers"),
    })
}

/// The largest difference, in parts of the largest number.
fn difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let largest = b.iter().fold(1e-9_f32, |largest, it| largest.max(it.abs()));
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) / largest
}

#[test]
fn the_graph_computes_what_the_code_of_the_package_does() {
    let golden: Golden = serde_json::from_str(include_str!("../../../tests/data/piano/small.json")).unwrap();
    let tensors = tensors(&SMALL);
    assert_eq!(tensors.len(), golden.tensors);
    let folder = tempfile::tempdir().unwrap();
    convert_bytes(&package(&tensors), folder.path()).unwrap();
    let model = ModelOptions::with_all_ops().load_file(folder.path().join(GRAPH)).unwrap();
    let (frames, width) = (SMALL.frames, SMALL.width());
    let shape = [1, SMALL.windows, frames, SMALL.bands];
    let spectra = Chance(2).numbers(shape.iter().product());
    let [tracks] = run(&model, "spectra", &shape, &spectra, ["tracks"]);
    let track = SMALL.steps() * width;
    for (n, number) in golden.tracks.iter().enumerate() {
        let track = &tracks[number * track..(number + 1) * track];
        let outputs = ["context", "scores", "alone"];
        let [context, mut scores, alone] = run(&model, "track", &[SMALL.steps(), width], track, outputs);
        for begin in 0..frames {
            (0..frames).for_each(|end| scores[begin * frames + end] *= end.abs_diff(begin) as f32);
            scores[begin * frames + begin] += alone[begin];
        }
        let (context, scores) =
            (difference(&context, &golden.context[n]), difference(&scores, &golden.scores[n]));
        println!("track {number}: context {context:e}, scores {scores:e}");
        assert!(context < 1e-4 && scores < 1e-4, "{context} {scores}");
    }
    let pairs = Chance(3).numbers(9 * width);
    let [velocities, times] = run(&model, "pairs", &[3, 3 * width], &pairs, ["velocities", "times"]);
    assert!(difference(&velocities, &golden.velocities) < 1e-5 && difference(&times, &golden.times) < 1e-5);
    // The controls: other tracks, and other weights.
    let other = &tracks[track..2 * track];
    let [context] = run(&model, "track", &[SMALL.steps(), width], other, ["context"]);
    assert!(difference(&context, &golden.context[0]) > 1e-3);
    let mut changed = tensors.clone();
    changed.get_mut("backbone.encoderLayers.1.mhaBlockT.scale").unwrap().1[0] += 1.0;
    convert_bytes(&package(&changed), folder.path()).unwrap();
    let model = ModelOptions::with_all_ops().load_file(folder.path().join(GRAPH)).unwrap();
    let [moved] = run(&model, "spectra", &shape, &spectra, ["tracks"]);
    assert!(difference(&moved, &tracks) > 1e-3);
}

#[test]
fn the_same_package_gives_the_same_files() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let bytes = package(&tensors(&SMALL));
    for folder in [&first, &second] {
        convert_bytes(&bytes, folder.path()).unwrap();
    }
    for name in [GRAPH, WEIGHTS] {
        let hashes = [&first, &second].map(|folder| sha256_of(&folder.path().join(name)).unwrap());
        assert_eq!(hashes[0], hashes[1], "{name}");
    }
    let names: Vec<_> = std::fs::read_dir(first.path()).unwrap().collect();
    assert_eq!(names.len(), 2, "nothing else is left there: {names:?}");
}

#[test]
fn a_checkpoint_that_is_another_or_damaged_or_wants_to_run_something_is_refused() {
    let tensors = tensors(&SMALL);
    let with = |change: &dyn Fn(&mut Tensors)| {
        let mut changed = tensors.clone();
        change(&mut changed);
        package(&changed)
    };
    let wrap = |checkpoint: &[u8]| archive(&[(FILE, checkpoint)]);
    let whole = checkpoint(&list(&tensors), b"little", &tensors);
    let hostile = b"\x80\x02cposix\nsystem\n(X\x07\x00\x00\x00touch ytR.";
    let mut short = tensors.clone();
    short.values_mut().for_each(|(_, numbers)| numbers.truncate(3));
    let cases = [
        (with(&|it| drop(it.remove("scorer.map.0.weight"))), "it has no scorer.map.0.weight"),
        (with(&|it| it.get_mut("scorer.map.0.bias").unwrap().0.push(1)), "of the shape"),
        (with(&|it| it.get_mut("scorer.map.0.bias").unwrap().1[2] = f32::NAN), "no numbers"),
        (wrap(&checkpoint(hostile, b"little", &tensors)), "wants to call posix.system"),
        (wrap(&checkpoint(&list(&tensors), b"big", &tensors)), "highest bytes first"),
        (wrap(&checkpoint(&list(&tensors), b"little", &short)), "bytes, not"),
        (wrap(&checkpoint(&vec![b'}'; 2 << 20], b"little", &tensors)), "more than 1048576 bytes"),
        (wrap(&whole[..whole.len() / 2]), "zip"),
        (wrap(b""), "zip"),
        (archive(&[("transkun/__init__.py", b"")]), "not found"),
        (archive(&[(FILE, &archive(&[("2.0/version", b"3")]))]), "no list of tensors"),
        (b"no package".to_vec(), "zip"),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (bytes, told) in cases {
        let error = convert_bytes(&bytes, folder.path()).unwrap_err();
        let text = error.to_string().to_lowercase();
        assert!(
            matches!(error, ConvertError::Package(_)) && text.contains(&told.to_lowercase()),
            "{told}: {error}"
        );
        assert!(!folder.path().join(GRAPH).exists(), "{told}: the graph comes last");
    }
}

#[test]
fn a_byte_that_changed_on_the_way_is_seen() {
    let bytes = package(&tensors(&SMALL));
    let folder = tempfile::tempdir().unwrap();
    let mut found = 0;
    for place in (0..bytes.len()).step_by(bytes.len() / 50) {
        let mut changed = bytes.clone();
        changed[place] ^= 0x55;
        // Some bytes of an archive say nothing that counts, such as when a file was made.
        found += usize::from(convert_bytes(&changed, folder.path()).is_err());
    }
    assert!(found >= 45, "{found}");
}

#[test]
fn a_conversion_that_is_cancelled_ends_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let cancel = Cancel::default();
    let bytes = package(&tensors(&SMALL));
    let mut steps = 0;
    let ended = job(&cancel, |job| {
        convert(&SMALL, Cursor::new(&bytes), folder.path(), &job, &mut |_, _| {
            steps += 1;
            if steps == 3 {
                cancel.cancel();
            }
        })
    });
    assert!(matches!(ended, Err(ConvertError::Stopped(JobError::Cancelled))), "{ended:?}");
    assert_eq!(steps, 3);
}

#[test]
fn the_catalogue_says_what_the_conversion_makes() {
    let entry = Catalog::of_the_program().entry(ModelName::Piano);
    assert_eq!(entry.files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(), [GRAPH, WEIGHTS]);
    assert_eq!(entry.examples[0].shape, [1, PIANO.windows, PIANO.frames, PIANO.bands]);
    assert_eq!(entry.examples[1].shape, [PIANO.steps(), PIANO.width()]);
    assert_eq!(entry.examples[2].shape[1], 3 * PIANO.width());
}
