//! An ONNX graph with smaller weights: each is kept in the file as it takes less, and an operator before all others makes of it
//! what the others expect.

use std::cell::RefCell;
use std::collections::BTreeSet;

use rten_onnx::onnx::{
    AttributeProto, AttributeType, DataLocation, DataType, GraphProto, ModelProto, NodeProto, TensorProto,
};
use serde::Serialize;

use super::{Precision, half};
use crate::convert::ConvertError;

/// Tensors of fewer numbers are left as they are: biases and factors, which cost nothing and matter most.
const FEWEST_NUMBERS: usize = 256;
/// A factor for so many numbers at least, or factors would take what was saved.
const LEAST_ROW: usize = 8;
const LARGEST_INT8: f32 = 127.0;

/// What became of the weights of a graph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// Tensors that take less now.
    pub changed: usize,
    /// Tensors of real numbers that are as they were: too small, or beyond what the format holds.
    pub kept: usize,
    /// What those that changed took.
    pub before_bytes: u64,
    /// What they take, with their factors.
    pub after_bytes: u64,
}

/// A graph with smaller weights.
pub struct Shrunk {
    /// As ONNX has it.
    pub onnx: Vec<u8>,
    /// What became of its weights.
    pub counted: Counted,
}

/// Makes the weights of a graph smaller. Those that lie in files beside it are left alone, and so are those that are as small already.
///
/// # Errors
/// [`ConvertError::Package`]: it is no graph.
pub fn shrink(onnx: &[u8], to: Precision) -> Result<Shrunk, ConvertError> {
    let unreadable = |error: &dyn std::fmt::Display| ConvertError::Package(error.to_string());
    let mut model = ModelProto::parse_buf(onnx).map_err(|error| unreadable(&error))?;
    let graph = model.graph.as_mut().ok_or_else(|| ConvertError::Package("it has no graph".to_owned()))?;
    let mut counted = Counted::default();
    let (mut tensors, mut operators) = (vec![], vec![]);
    for tensor in std::mem::take(&mut graph.initializer) {
        let small = numbers(&tensor).and_then(|values| smaller(&tensor, &values, to));
        let Some(small) = small else {
            counted.kept += usize::from(is_real(&tensor));
            tensors.push(tensor);
            continue;
        };
        counted.changed += 1;
        counted.before_bytes += bytes(&tensor);
        counted.after_bytes += small.tensors.iter().map(bytes).sum::<u64>();
        tensors.extend(small.tensors);
        operators.extend(small.operators);
    }
    graph.initializer = tensors;
    put_first(graph, operators);
    let onnx = model.write_buf().map_err(|error| unreadable(&error))?;
    Ok(Shrunk { onnx, counted })
}

/// What stands for a tensor: other ones, and operators whose last output has its name.
struct Small {
    tensors: Vec<TensorProto>,
    operators: Vec<NodeProto>,
}

fn put_first(graph: &mut GraphProto, mut operators: Vec<NodeProto>) {
    // Old files list weights among the inputs.
    let made: BTreeSet<String> = operators.iter().flat_map(|it| it.output.clone()).collect();
    graph.input.retain(|it| it.name.as_ref().is_none_or(|name| !made.contains(name)));
    operators.append(&mut graph.node);
    graph.node = operators;
}

fn is_real(tensor: &TensorProto) -> bool {
    matches!(tensor.data_type, Some(DataType::FLOAT | DataType::FLOAT16))
}

fn lengths(tensor: &TensorProto) -> Vec<usize> {
    tensor.dims.iter().map(|it| usize::try_from(*it).unwrap_or(0)).collect()
}

fn bytes(tensor: &TensorProto) -> u64 {
    let width = match tensor.data_type {
        Some(DataType::INT8) => 1,
        Some(DataType::FLOAT16) => 2,
        _ => 4,
    };
    lengths(tensor).iter().product::<usize>() as u64 * width
}

/// The real numbers of a tensor that may be made smaller.
fn numbers(tensor: &TensorProto) -> Option<Vec<f32>> {
    let lengths = lengths(tensor);
    let count = lengths.iter().try_fold(1_usize, |count, it| count.checked_mul(*it))?;
    let is_beside = tensor.data_location == Some(DataLocation::EXTERNAL);
    if is_beside || lengths.len() < 2 || count < FEWEST_NUMBERS {
        return None;
    }
    let raw = tensor.raw_data.as_ref().map(RefCell::borrow);
    let values: Vec<f32> = match (tensor.data_type?, raw) {
        (DataType::FLOAT, Some(raw)) => raw.as_chunks().0.iter().map(|it| f32::from_le_bytes(*it)).collect(),
        (DataType::FLOAT, None) => tensor.float_data.clone(),
        (DataType::FLOAT16, Some(raw)) => {
            raw.as_chunks().0.iter().map(|it| half::to_f32(u16::from_le_bytes(*it))).collect()
        }
        _ => return None,
    };
    (values.len() == count && values.iter().all(|it| it.is_finite())).then_some(values)
}

fn smaller(tensor: &TensorProto, values: &[f32], to: Precision) -> Option<Small> {
    let name = tensor.name.as_deref()?;
    match to {
        Precision::F16 if tensor.data_type == Some(DataType::FLOAT) => as_f16(tensor, name, values),
        Precision::F16 => None,
        Precision::Int8 => as_int8(tensor, name, values),
    }
}

fn as_f16(tensor: &TensorProto, name: &str, values: &[f32]) -> Option<Small> {
    let halves: Vec<u16> = values.iter().map(|it| half::from_f32(*it)).collect::<Option<_>>()?;
    let raw = halves.iter().flat_map(|it| it.to_le_bytes()).collect();
    let small = constant(format!("{name}.f16"), tensor.dims.clone(), DataType::FLOAT16, raw);
    let cast = operator("Cast", &[&format!("{name}.f16")], name, "to", DataType::FLOAT.0.into());
    Some(Small { tensors: vec![small], operators: vec![cast] })
}

fn as_int8(tensor: &TensorProto, name: &str, values: &[f32]) -> Option<Small> {
    let lengths = lengths(tensor);
    // What belongs together differs from operator to operator: the axis that costs least is the one.
    let axes = (0..lengths.len()).filter(|axis| values.len() / lengths[*axis].max(1) >= LEAST_ROW);
    let ways = axes.map(|axis| (axis, Rows::of(values, &lengths, axis)));
    let (axis, rows) =
        ways.reduce(|best, it| if it.1.squared_error < best.1.squared_error { it } else { best })?;
    let (whole_name, factor_name) = (format!("{name}.int8"), format!("{name}.factor"));
    let raw = rows.whole.iter().map(|it| it.cast_unsigned()).collect();
    let factors = rows.factors.iter().flat_map(|it| it.to_le_bytes()).collect();
    let tensors = vec![
        constant(whole_name.clone(), tensor.dims.clone(), DataType::INT8, raw),
        constant(factor_name.clone(), vec![tensor.dims[axis]], DataType::FLOAT, factors),
    ];
    let is_half = tensor.data_type == Some(DataType::FLOAT16);
    let real_name = if is_half { format!("{name}.real") } else { name.to_owned() };
    let mut operators =
        vec![operator("DequantizeLinear", &[&whole_name, &factor_name], &real_name, "axis", axis as i64)];
    if is_half {
        operators.push(operator("Cast", &[&real_name], name, "to", DataType::FLOAT16.0.into()));
    }
    Some(Small { tensors, operators })
}

/// Whole numbers, and a factor for all that have the same place along one axis.
struct Rows {
    whole: Vec<i8>,
    factors: Vec<f32>,
    squared_error: f64,
}

impl Rows {
    fn of(values: &[f32], lengths: &[usize], axis: usize) -> Self {
        let behind: usize = lengths[axis + 1..].iter().product();
        let row = |place: usize| place / behind % lengths[axis];
        let mut factors = vec![0.0_f32; lengths[axis]];
        for (place, value) in values.iter().enumerate() {
            let largest = &mut factors[row(place)];
            *largest = largest.max(value.abs() / LARGEST_INT8);
        }
        factors.iter_mut().filter(|it| **it == 0.0).for_each(|it| *it = 1.0);
        let whole = |(place, value): (usize, &f32)| {
            (value / factors[row(place)]).round().clamp(-LARGEST_INT8, LARGEST_INT8) as i8
        };
        let whole: Vec<i8> = values.iter().enumerate().map(whole).collect();
        let error = |(place, value): (usize, &f32)| {
            f64::from(value - f32::from(whole[place]) * factors[row(place)]).powi(2)
        };
        let squared_error = values.iter().enumerate().map(error).sum();
        Rows { whole, factors, squared_error }
    }
}

fn constant(name: String, dims: Vec<i64>, kind: DataType, raw: Vec<u8>) -> TensorProto {
    TensorProto {
        name: Some(name),
        dims,
        data_type: Some(kind),
        raw_data: Some(RefCell::new(raw)),
        ..TensorProto::default()
    }
}

fn operator(kind: &str, inputs: &[&str], output: &str, attribute: &str, value: i64) -> NodeProto {
    NodeProto {
        name: Some(format!("{output}.{kind}")),
        input: inputs.iter().map(|it| (*it).to_owned()).collect(),
        output: vec![output.to_owned()],
        op_type: Some(kind.to_owned()),
        attribute: vec![AttributeProto {
            name: Some(attribute.to_owned()),
            i: Some(value),
            r#type: Some(AttributeType::INT),
            ..AttributeProto::default()
        }],
        ..NodeProto::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_along_the_axis_that_differs_cost_least_and_each_number_is_off_by_half_a_step() {
        // Each row is twice as large as the one before.
        let values: Vec<f32> =
            (0..1024).map(|it| (it as f32 * 0.7).sin() * f32::from(1_u16 << (it / 64))).collect();
        let by_row = Rows::of(&values, &[16, 64], 0);
        for (place, value) in values.iter().enumerate() {
            let factor = by_row.factors[place / 64];
            assert!((value - f32::from(by_row.whole[place]) * factor).abs() <= factor * 0.501);
        }
        assert!(by_row.squared_error * 2.0 < Rows::of(&values, &[16, 64], 1).squared_error);
        assert_eq!(Rows::of(&[0.0; 4], &[2, 2], 1).whole, [0; 4]);
    }

    #[test]
    fn what_is_no_graph_is_an_error() {
        assert!(matches!(shrink(b"no graph at all", Precision::F16), Err(ConvertError::Package(_))));
    }
}
