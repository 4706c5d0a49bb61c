//! The graph of `transkun`'s network, in three parts that are run by themselves:
//!
//! - from `spectra` to `tracks`: what is known of each pedal and key at each step of time,
//! - from `track`, one of these, to the scores of all its events (`scores`, a row for each frame that one may begin at; `alone`, of those of
//!   one frame), and `context` for the next part,
//! - from `pairs`, what is known at the begin and the end of events, to `velocities` and `times`.
//!
//! All scores together would be the largest there is: they are made for a track at a time.

use std::path::Path;

use rten_onnx::onnx::{DataType, TensorProto};

use super::layout::{
    self, Along, BANDS, ENDS, FRAMES, GROUPS, HALVINGS, Halving, PLACES, SCORE_PARTS, STEP, Sizes, TRACKS,
    VELOCITIES, VELOCITY,
};
use crate::convert::ConvertError;
use crate::convert::graph::{Graph, real, whole, wholes};

/// Constants that are tables of numbers.
pub(super) const COORDINATES: [&str; 3] = ["coordinates.bands", "coordinates.rows", "coordinates.tracks"];
pub(super) const ONES: &str = "ones";
pub(super) const GROUP_ONES: &str = "group.ones";
pub(super) const GROUP_ZEROS: &str = "group.zeros";

/// Writes the graph.
pub(super) fn draw(sizes: &Sizes, path: &Path, weights: Vec<TensorProto>) -> Result<(), ConvertError> {
    let mut graph = Graph::default();
    constants(&mut graph, sizes);
    let places = patches(&mut graph);
    let places = (0..sizes.layers).fold(places, |x, layer| transformed(&mut graph, &x, layer));
    tracks(&mut graph, &places);
    scores(&mut graph);
    attributes(&mut graph);
    let text = |number: usize| number.to_string();
    let (windows, frames, bands) = (text(sizes.windows), text(sizes.frames), text(sizes.bands));
    let (steps, width, tracks) = (text(sizes.steps()), text(sizes.width()), text(TRACKS));
    let (pair, velocities) = (text(3 * sizes.width()), text(VELOCITIES));
    let float = DataType::FLOAT;
    graph.write(
        path,
        weights,
        &[
            ("spectra", float, &["1", &windows, &frames, &bands]),
            ("track", float, &[&steps, &width]),
            ("pairs", float, &["events", &pair]),
        ],
        &[
            ("tracks", float, &[&tracks, &steps, &width]),
            ("context", float, &[&frames, &width]),
            ("scores", float, &[&frames, &frames]),
            ("alone", float, &[&frames, "1"]),
            ("velocities", float, &["events", &velocities]),
            ("times", float, &["events", "4"]),
        ],
    )
}

fn constants(graph: &mut Graph, sizes: &Sizes) {
    let (width, places) = (sizes.width() as i64, sizes.places() as i64);
    let (heads, head) = (sizes.heads as i64, (sizes.width() / sizes.heads) as i64);
    let numbers = [
        ("half", 0.5),
        ("one", 1.0),
        ("two", 2.0),
        ("tiny", 1e-6),
        ("gelu", 1.0 / 2.0_f32.sqrt()),
        ("wave.bands", 1.0 / (sizes.planes as f32 / 2.0).sqrt()),
        ("wave.places", 1.0 / (sizes.width() as f32 / 2.0).sqrt()),
    ];
    numbers.iter().for_each(|(name, value)| graph.real(name, *value));
    graph.wholes("groups", &[1, GROUPS as i64, -1]);
    graph.wholes("heads", &[0, 0, heads, head]);
    graph.wholes("width", &[0, 0, width]);
    graph.wholes("bands.shape", &[1, sizes.planes as i64, 1, sizes.bands as i64]);
    let (time, pitch) = (1 + sizes.steps() as i64, 1 + sizes.rows() as i64);
    graph.wholes("rows.shape", &[time, pitch, width]);
    graph.wholes("tracks.shape", &[time, TRACKS as i64, width]);
    graph.wholes("before", &[0, 1, 1, 0, 0, 0, 0, 0]);
    graph.wholes("tracks.from", &[1, pitch]);
    graph.wholes("tracks.to", &[time, places]);
    graph.wholes("time and place", &[0, 1]);
    graph.wholes("frames.shape", &[(STEP * sizes.steps()) as i64, width]);
    graph.wholes("first", &[0]);
    graph.wholes("frames.to", &[sizes.frames as i64]);
}

/// Spectra as steps of time and pitch, with what says where each is, and a place for each track.
fn patches(graph: &mut Graph) -> String {
    let x = convolved(graph, "spectra", "backbone.inputConv", [1, 1], [1; 4]);
    let bands = placed(graph, COORDINATES[0], BANDS, "wave.bands");
    let bands = graph.add("Transpose", &[&bands], &[wholes("perm", &[1, 0])]);
    let bands = graph.add("Reshape", &[&bands, "bands.shape"], &[]);
    let mut x = graph.add("Add", &[&x, &bands], &[]);
    for (n, halving) in HALVINGS.iter().enumerate() {
        x = halved(graph, &x, halving);
        if n + 1 < HALVINGS.len() {
            x = graph.gelu(&x);
        }
    }
    let x = graph.add("Transpose", &[&x], &[wholes("perm", &[0, 2, 3, 1])]);
    // One that stands for all time, and one for all bands.
    let x = graph.add("Pad", &[&x, "before"], &[]);
    let x = graph.add("Reshape", &[&x, "rows.shape"], &[]);
    let rows = placed(graph, COORDINATES[1], PLACES[0], "wave.places");
    let rows = graph.add("Reshape", &[&rows, "rows.shape"], &[]);
    let rows = graph.add("Add", &[&x, &rows], &[]);
    let tracks = placed(graph, COORDINATES[2], PLACES[1], "wave.places");
    let tracks = graph.add("Reshape", &[&tracks, "tracks.shape"], &[]);
    graph.add("Concat", &[&rows, &tracks], &[whole("axis", 1)])
}

fn convolved(graph: &mut Graph, x: &str, name: &str, strides: [i64; 2], pads: [i64; 4]) -> String {
    let (weight, bias) = (format!("{name}.weight"), format!("{name}.bias"));
    let attributes = [wholes("kernel_shape", &[3, 3]), wholes("strides", &strides), wholes("pads", &pads)];
    graph.add("Conv", &[x, &weight, &bias], &attributes)
}

/// A convolution, and its planes at the same level, a group by itself.
fn halved(graph: &mut Graph, x: &str, halving: &Halving) -> String {
    let x = convolved(graph, x, halving.convolution, halving.strides, halving.pads);
    let lengths = graph.add("Shape", &[&x], &[]);
    let groups = graph.add("Reshape", &[&x, "groups"], &[]);
    let inputs = [groups.as_str(), GROUP_ONES, GROUP_ZEROS];
    let normed = graph.add("InstanceNormalization", &inputs, &[real("epsilon", 1e-5)]);
    let normed = graph.add("Reshape", &[&normed, &lengths], &[]);
    let scaled = graph.add("Mul", &[&normed, &format!("{}.weight", halving.norm)], &[]);
    graph.add("Add", &[&scaled, &format!("{}.bias", halving.norm)], &[])
}

/// A vector for each coordinate, found by two matrices from waves of it.
fn placed(graph: &mut Graph, coordinates: &str, name: &str, level: &str) -> String {
    let phases = multiplied(graph, None, coordinates, &format!("{name}.proj"));
    let waves = graph.add("Cos", &[&phases], &[]);
    let waves = graph.add("Mul", &[&waves, level], &[]);
    between(graph, None, &waves, &format!("{name}.mlp"))
}

/// Two matrices with GELU between them.
fn between(graph: &mut Graph, output: Option<&str>, x: &str, name: &str) -> String {
    let inner = multiplied(graph, None, x, &format!("{name}.0"));
    let inner = graph.gelu(&inner);
    multiplied(graph, output, &inner, &format!("{name}.3"))
}

/// The product with a matrix, and its bias.
fn multiplied(graph: &mut Graph, output: Option<&str>, x: &str, name: &str) -> String {
    let product = graph.add("MatMul", &[x, &format!("{name}.weight")], &[]);
    added(graph, output, &[&product, &format!("{name}.bias")])
}

fn added(graph: &mut Graph, output: Option<&str>, inputs: &[&str]) -> String {
    match output {
        Some(output) => {
            graph.add_named(output, "Add", inputs, &[]);
            output.to_owned()
        }
        None => graph.add("Add", inputs, &[]),
    }
}

/// At the same level, each place by itself: as the runtime computes it, which knows the operators as one then.
fn norm(graph: &mut Graph, x: &str) -> String {
    let squares = graph.add("Pow", &[x, "two"], &[]);
    let mean = graph.add("ReduceMean", &[&squares], &[wholes("axes", &[-1]), whole("keepdims", 1)]);
    let mean = graph.add("Add", &["tiny", &mean], &[]);
    let level = graph.add("Sqrt", &[&mean], &[]);
    let factor = graph.add("Reciprocal", &[&level], &[]);
    let normed = graph.add("Mul", &[x, &factor], &[]);
    graph.add("Mul", &[&normed, ONES], &[])
}

/// A layer: all places of a step of time look at each other, then all steps of a place. What is looked at is what the layer was given.
fn transformed(graph: &mut Graph, x: &str, layer: usize) -> String {
    let mut heard = x.to_owned();
    for along in Along::BOTH {
        let normed = norm(graph, &heard);
        let more = attention(graph, &normed, x, &layout::attention(layer, along), along);
        heard = graph.add("Add", &[&heard, &more], &[]);
        let normed = norm(graph, &heard);
        let more = between(graph, None, &normed, &format!("{}.module", layout::inner(layer, along)));
        heard = graph.add("Add", &[&heard, &more], &[]);
    }
    heard
}

/// Heads, each of which looks along one axis. Time is the first axis of all, places the second.
fn attention(graph: &mut Graph, query: &str, looked_at: &str, name: &str, along: Along) -> String {
    // Behind these, what does not look at each other comes first, then the heads.
    let (rows, columns, back) = match along {
        Along::Pitch => ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]),
        Along::Time => ([1, 2, 0, 3], [1, 2, 3, 0], [2, 0, 1, 3]),
    };
    let mut head = |x: &str, part: &str, order: &[i64]| {
        let all = graph.add("MatMul", &[x, &format!("{name}.module.{part}_proj_weight")], &[]);
        let heads = graph.add("Reshape", &[&all, "heads"], &[]);
        graph.add("Transpose", &[&heads], &[wholes("perm", order)])
    };
    let (query, key) = (head(query, "q", &rows), head(looked_at, "k", &columns));
    let value = head(looked_at, "v", &rows);
    let scores = graph.add("MatMul", &[&query, &key], &[]);
    let shares = graph.add("Softmax", &[&scores], &[whole("axis", -1)]);
    let heard = graph.add("MatMul", &[&shares, &value], &[]);
    let heard = graph.add("Transpose", &[&heard], &[wholes("perm", &back)]);
    let heard = graph.add("Reshape", &[&heard, "width"], &[]);
    multiplied(graph, None, &heard, &format!("{name}.module.out_proj"))
}

/// What is known of each track, without what stands for all time.
fn tracks(graph: &mut Graph, places: &str) {
    let tracks = graph.add("Slice", &[places, "tracks.from", "tracks.to", "time and place"], &[]);
    graph.add_named("tracks", "Transpose", &[&tracks], &[wholes("perm", &[1, 0, 2])]);
}

/// The frames of a track, and what its events are scored by.
fn scores(graph: &mut Graph) {
    let steps = multiplied(graph, None, "track", FRAMES);
    let frames = graph.add("Reshape", &[&steps, "frames.shape"], &[]);
    graph.add_named("context", "Slice", &[&frames, "first", "frames.to", "first"], &[]);
    let [end, begin, alone] = SCORE_PARTS;
    let ends = multiplied(graph, None, "context", end);
    let ends = graph.add("Transpose", &[&ends], &[wholes("perm", &[1, 0])]);
    let begins = multiplied(graph, None, "context", begin);
    graph.add_named("scores", "MatMul", &[&begins, &ends], &[]);
    multiplied(graph, Some("alone"), "context", alone);
}

/// How loud events are, and when within their frames they begin and end.
fn attributes(graph: &mut Graph) {
    between(graph, Some("velocities"), "pairs", VELOCITY);
    between(graph, Some("times"), "pairs", ENDS);
}
