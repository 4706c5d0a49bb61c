//! A graph of ONNX operators while it is being drawn up.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use rten_onnx::onnx::{
    AttributeProto, AttributeType, DataType, Dimension, GraphProto, ModelProto, NodeProto,
    OperatorSetIdProto, TensorProto, TensorShapeProto, TypeProto, TypeProtoTensor, ValueInfoProto,
};

use super::ConvertError;

/// The version of ONNX's operators that is meant, and that of its files.
const OPERATORS: i64 = 17;
const FILES: i64 = 8;

/// Operators and constants so far. Each operator has one output, by whose name the next ones find it.
#[derive(Default)]
pub(super) struct Graph {
    nodes: Vec<NodeProto>,
    constants: Vec<TensorProto>,
}

impl Graph {
    /// Adds an operator; returns the name of its output.
    pub fn add(&mut self, operator: &str, inputs: &[&str], attributes: &[AttributeProto]) -> String {
        let output = format!("{operator}_{}", self.nodes.len());
        self.add_named(&output, operator, inputs, attributes);
        output
    }

    /// Adds an operator whose output has this name.
    pub fn add_named(
        &mut self,
        output: &str,
        operator: &str,
        inputs: &[&str],
        attributes: &[AttributeProto],
    ) {
        self.nodes.push(NodeProto {
            name: Some(output.to_owned()),
            input: inputs.iter().map(|it| (*it).to_owned()).collect(),
            output: vec![output.to_owned()],
            op_type: Some(operator.to_owned()),
            attribute: attributes.to_vec(),
            ..NodeProto::default()
        });
    }

    /// A number that operators use.
    pub fn real(&mut self, name: &str, value: f32) {
        let float_data = vec![value];
        self.constant(
            name,
            TensorProto { data_type: Some(DataType::FLOAT), float_data, ..TensorProto::default() },
        );
    }

    /// A zero of eight bits.
    pub fn byte(&mut self, name: &str, kind: DataType) {
        let int32_data = vec![0];
        self.constant(name, TensorProto { data_type: Some(kind), int32_data, ..TensorProto::default() });
    }

    /// A row of whole numbers: a shape, or places.
    pub fn wholes(&mut self, name: &str, values: &[i64]) {
        let (dims, int64_data) = (vec![values.len() as i64], values.to_vec());
        let data_type = Some(DataType::INT64);
        self.constant(name, TensorProto { dims, data_type, int64_data, ..TensorProto::default() });
    }

    fn constant(&mut self, name: &str, tensor: TensorProto) {
        self.constants.push(TensorProto { name: Some(name.to_owned()), ..tensor });
    }

    /// Adds GELU, by the constants `gelu`, `one` and `half`: as the runtime computes it, which knows the operators as one then.
    pub fn gelu(&mut self, x: &str) -> String {
        let scaled = self.add("Mul", &[x, "gelu"], &[]);
        let error = self.add("Erf", &[&scaled], &[]);
        let error = self.add("Add", &[&error, "one"], &[]);
        let product = self.add("Mul", &[x, &error], &[]);
        self.add("Mul", &[&product, "half"], &[])
    }

    /// Writes it, with constants that lie elsewhere.
    pub fn write(
        mut self,
        path: &Path,
        weights: Vec<TensorProto>,
        inputs: &[Port<'_>],
        outputs: &[Port<'_>],
    ) -> Result<(), ConvertError> {
        self.constants.extend(weights);
        let graph = GraphProto {
            node: self.nodes,
            initializer: self.constants,
            input: inputs.iter().map(value).collect(),
            output: outputs.iter().map(value).collect(),
            ..GraphProto::default()
        };
        let model = ModelProto {
            ir_version: Some(FILES),
            graph: Some(graph),
            opset_import: vec![OperatorSetIdProto { domain: Some(String::new()), version: Some(OPERATORS) }],
            ..ModelProto::default()
        };
        let bytes = model.write_buf().map_err(|error| ConvertError::Package(error.to_string()))?;
        let write = || {
            let mut file = File::create(path)?;
            file.write_all(&bytes)?;
            file.sync_all()
        };
        write().map_err(|source| ConvertError::Write { path: path.to_owned(), source })
    }
}

/// What goes in or comes out: its name, what its numbers are, and its dimensions. One that is no number differs from run to run.
pub(super) type Port<'a> = (&'a str, DataType, &'a [&'a str]);

fn value((name, kind, dimensions): &Port<'_>) -> ValueInfoProto {
    let dimension = |text: &&str| match text.parse() {
        Ok(length) => Dimension { dim_value: Some(length), dim_param: None },
        Err(_) => Dimension { dim_value: None, dim_param: Some((*text).to_owned()) },
    };
    let shape = TensorShapeProto { dim: dimensions.iter().map(dimension).collect() };
    let tensor = TypeProtoTensor { elem_type: Some(*kind), shape: Some(shape) };
    let kind = TypeProto { tensor_type: Some(tensor), sequence: None };
    ValueInfoProto { name: Some((*name).to_owned()), r#type: Some(kind) }
}

/// An attribute that is a whole number.
pub(super) fn whole(name: &str, value: i64) -> AttributeProto {
    attribute(name, AttributeType::INT, |it| it.i = Some(value))
}

/// An attribute that is a row of whole numbers.
pub(super) fn wholes(name: &str, values: &[i64]) -> AttributeProto {
    attribute(name, AttributeType::INTS, |it| it.ints = values.to_vec())
}

/// An attribute that is a real number.
pub(super) fn real(name: &str, value: f32) -> AttributeProto {
    attribute(name, AttributeType::FLOAT, |it| it.f = Some(value))
}

/// The attribute of `Cast`.
pub(super) fn kind(kind: DataType) -> AttributeProto {
    whole("to", kind.0.into())
}

fn attribute(name: &str, kind: AttributeType, set: impl FnOnce(&mut AttributeProto)) -> AttributeProto {
    let mut attribute =
        AttributeProto { name: Some((*name).to_owned()), r#type: Some(kind), ..AttributeProto::default() };
    set(&mut attribute);
    attribute
}
