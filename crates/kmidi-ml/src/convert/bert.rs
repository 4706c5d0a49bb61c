//! The graph of a BERT encoder whose matrices are whole numbers of eight bits.

use std::path::Path;

use rten_onnx::onnx::{DataType, TensorProto};

use super::ConvertError;
use super::graph::{Graph, kind, real, whole, wholes};

pub(super) const WORD_ROWS: &str = "embeddings.word_embeddings.weight";
pub(super) const PLACE_ROWS: &str = "embeddings.position_embeddings.weight";
pub(super) const TYPE_ROWS: &str = "embeddings.token_type_embeddings.weight";

/// How large a model is.
pub(super) struct Sizes {
    /// Pieces that it knows.
    pub words: usize,
    /// Numbers of each.
    pub width: usize,
    /// Numbers between the two matrices of a layer.
    pub inner: usize,
    /// Ways to look at all pieces; they share the width.
    pub heads: usize,
    pub layers: usize,
    /// Places that there are in the package.
    pub places: usize,
    /// Places that are kept: the model was trained on texts of no more.
    pub places_kept: usize,
}

/// What the rows or columns of a tensor are to be multiplied by.
pub(super) fn factor_of(tensor: &str) -> String {
    format!("{tensor}.factor")
}

/// What each column of a matrix adds up to.
pub(super) fn sum_of(matrix: &str) -> String {
    format!("{matrix}.sum")
}

/// Writes the graph, from numbers of pieces (`input_ids`) to a vector for each (`token_embeddings`).
pub(super) fn draw(sizes: &Sizes, path: &Path, weights: Vec<TensorProto>) -> Result<(), ConvertError> {
    let width = sizes.width.to_string();
    operators(sizes).write(
        path,
        weights,
        &[("input_ids", DataType::INT64, &["pieces"])],
        &[("token_embeddings", DataType::FLOAT, &["pieces", &width])],
    )
}

fn operators(sizes: &Sizes) -> Graph {
    let mut graph = Graph::default();
    let (width, heads) = (sizes.width as i64, sizes.heads as i64);
    let numbers = [
        ("zero", 0.0),
        ("half", 0.5),
        ("one", 1.0),
        ("step", 1.0 / 254.0),
        ("tiny", 1e-12),
        ("gelu", 1.0 / 2.0_f32.sqrt()),
        ("attention", 1.0 / ((width / heads) as f32).sqrt()),
    ];
    numbers.iter().for_each(|(name, value)| graph.real(name, *value));
    graph.byte("no_offset", DataType::INT8);
    graph.byte("nothing_off", DataType::UINT8);
    graph.wholes("first", &[0]);
    graph.wholes("heads", &[-1, heads, width / heads]);
    graph.wholes("width", &[-1, width]);
    let mut x = embeddings(&mut graph);
    for layer in 0..sizes.layers {
        let name = |part: &str| format!("encoder.layer.{layer}.{part}");
        let heard = attention(&mut graph, &x, layer);
        let sum = graph.add("Add", &[&heard, &x], &[]);
        let y = norm(&mut graph, None, &sum, &name("attention.output.LayerNorm"));
        let input = quantised(&mut graph, &y);
        let inner = multiplied(&mut graph, &input, &name("intermediate.dense"));
        let inner = graph.gelu(&inner);
        let input = quantised(&mut graph, &inner);
        let outer = multiplied(&mut graph, &input, &name("output.dense"));
        let sum = graph.add("Add", &[&outer, &y], &[]);
        let output = (layer + 1 == sizes.layers).then_some("token_embeddings");
        x = norm(&mut graph, output, &sum, &name("output.LayerNorm"));
    }
    graph
}

/// Words and places.
fn embeddings(graph: &mut Graph) -> String {
    let rows = [whole("axis", 0)];
    let words = graph.add("Gather", &[WORD_ROWS, "input_ids"], &rows);
    let words = graph.add("Cast", &[&words], &[kind(DataType::FLOAT)]);
    let factors = graph.add("Gather", &[&factor_of(WORD_ROWS), "input_ids"], &rows);
    let words = graph.add("Mul", &[&words, &factors], &[]);
    let count = graph.add("Shape", &["input_ids"], &[]);
    let places = graph.add("Slice", &[PLACE_ROWS, "first", &count, "first"], &[]);
    let sum = graph.add("Add", &[&words, &places], &[]);
    norm(graph, None, &sum, "embeddings.LayerNorm")
}

fn norm(graph: &mut Graph, output: Option<&str>, x: &str, name: &str) -> String {
    let (weight, bias) = (format!("{name}.weight"), format!("{name}.bias"));
    let inputs = [x, &weight, &bias];
    let attributes = [whole("axis", -1), real("epsilon", 1e-12)];
    match output {
        Some(output) => {
            graph.add_named(output, "LayerNormalization", &inputs, &attributes);
            output.to_owned()
        }
        None => graph.add("LayerNormalization", &inputs, &attributes),
    }
}

/// Heads, each of which looks at all pieces.
fn attention(graph: &mut Graph, x: &str, layer: usize) -> String {
    let name = |part: &str| format!("encoder.layer.{layer}.attention.{part}");
    let input = quantised(graph, x);
    let mut head = |part: &str, order: &[i64]| {
        let all = multiplied(graph, &input, &name(part));
        let heads = graph.add("Reshape", &[&all, "heads"], &[]);
        graph.add("Transpose", &[&heads], &[wholes("perm", order)])
    };
    let (query, key) = (head("self.query", &[1, 0, 2]), head("self.key", &[1, 2, 0]));
    let value = head("self.value", &[1, 0, 2]);
    let scores = graph.add("MatMul", &[&query, &key], &[]);
    let scores = graph.add("Mul", &[&scores, "attention"], &[]);
    let shares = graph.add("Softmax", &[&scores], &[whole("axis", -1)]);
    let heard = graph.add("MatMul", &[&shares, &value], &[]);
    let heard = graph.add("Transpose", &[&heard], &[wholes("perm", &[1, 0, 2])]);
    let heard = graph.add("Reshape", &[&heard, "width"], &[]);
    let input = quantised(graph, &heard);
    multiplied(graph, &input, &name("output.dense"))
}

/// Bytes for a row of real numbers: `(byte - offset) * factor` is near each.
struct Quantised {
    bytes: String,
    /// One for each row, beneath each other: a whole number from 0 to 255, as a real one.
    offset: String,
    /// One for each row, beneath each other.
    factor: String,
}

/// From the smallest to the largest value of a row there are 254 steps: rounding both ends up still ends at 255.
fn quantised(graph: &mut Graph, x: &str) -> Quantised {
    let across = [wholes("axes", &[-1]), whole("keepdims", 1)];
    let largest = graph.add("ReduceMax", &[x], &across);
    let largest = graph.add("Max", &[&largest, "zero"], &[]);
    let smallest = graph.add("ReduceMin", &[x], &across);
    let smallest = graph.add("Min", &[&smallest, "zero"], &[]);
    let range = graph.add("Sub", &[&largest, &smallest], &[]);
    let factor = graph.add("Mul", &[&range, "step"], &[]);
    let factor = graph.add("Max", &[&factor, "tiny"], &[]);
    let below = graph.add("Sub", &["zero", &smallest], &[]);
    let offset = graph.add("Div", &[&below, &factor], &[]);
    let offset = graph.add("Round", &[&offset], &[]);
    let steps = graph.add("Div", &[x, &factor], &[]);
    let steps = graph.add("Round", &[&steps], &[]);
    let steps = graph.add("Add", &[&steps, &offset], &[]);
    let bytes = graph.add("Cast", &[&steps], &[kind(DataType::UINT8)]);
    Quantised { bytes, offset, factor }
}

/// The product with a matrix, and its bias.
///
/// What offsets add is taken off behind the product: the runtime (rten 0.27) takes one offset for all rows, and errs with one for each.
fn multiplied(graph: &mut Graph, input: &Quantised, name: &str) -> String {
    let (matrix, bias) = (format!("{name}.weight"), format!("{name}.bias"));
    let product = graph.add("MatMulInteger", &[&input.bytes, &matrix, "nothing_off", "no_offset"], &[]);
    let product = graph.add("Cast", &[&product], &[kind(DataType::FLOAT)]);
    let product = graph.add("Mul", &[&product, &factor_of(&matrix)], &[]);
    let added = graph.add("Mul", &[&input.offset, &sum_of(&matrix)], &[]);
    let product = graph.add("Sub", &[&product, &added], &[]);
    let product = graph.add("Mul", &[&product, &input.factor], &[]);
    graph.add("Add", &[&product, &bias], &[])
}
