//! What goes into a model and comes out of it, without copies on the way in.

use rten::{Value, ValueOrView, ValueView};

use super::{ModelError, ModelName};

/// An input of a model: borrowed, so that one buffer serves all windows.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// What the model calls it.
    pub name: &'a str,
    shape: &'a [usize],
    values: Borrowed<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Borrowed<'a> {
    F32(&'a [f32]),
    I32(&'a [i32]),
}

impl<'a> Input<'a> {
    /// Real numbers; the shape's product is their number, an empty shape is one number.
    pub fn f32(name: &'a str, shape: &'a [usize], values: &'a [f32]) -> Self {
        Input { name, shape, values: Borrowed::F32(values) }
    }

    /// Whole numbers and truth values: whatever ONNX calls int64, int32 or bool.
    pub fn i32(name: &'a str, shape: &'a [usize], values: &'a [i32]) -> Self {
        Input { name, shape, values: Borrowed::I32(values) }
    }

    pub(super) fn check(&self, model: ModelName) -> Result<(), ModelError> {
        match self.values {
            Borrowed::F32(values) if values.iter().any(|value| !value.is_finite()) => {
                Err(ModelError::NotANumber { model, tensor: self.name.to_owned() })
            }
            Borrowed::F32(_) | Borrowed::I32(_) => Ok(()),
        }
    }

    pub(super) fn view(&self, model: ModelName) -> Result<ValueOrView<'a>, ModelError> {
        let wrong = |reason: String| ModelError::Run { model, reason: format!("{}: {reason}", self.name) };
        let view = match self.values {
            Borrowed::F32(values) => {
                ValueView::from_shape(self.shape, values).map_err(|error| wrong(error.to_string()))?
            }
            Borrowed::I32(values) => {
                ValueView::from_shape(self.shape, values).map_err(|error| wrong(error.to_string()))?
            }
        };
        Ok(view.into())
    }
}

/// An output of a model, in the memory of whoever asked for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Lengths of the dimensions, the outermost first.
    pub shape: Vec<usize>,
    /// The numbers, the last dimension's neighbours side by side.
    pub values: Values,
}

/// Numbers of a tensor.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Real numbers, none of them NaN.
    F32(Vec<f32>),
    /// Whole numbers and truth values.
    I32(Vec<i32>),
}

impl Tensor {
    /// The real numbers; none where it has others.
    pub fn f32s(&self) -> &[f32] {
        match &self.values {
            Values::F32(values) => values,
            Values::I32(_) => &[],
        }
    }

    /// The whole numbers; none where it has others.
    pub fn i32s(&self) -> &[i32] {
        match &self.values {
            Values::I32(values) => values,
            Values::F32(_) => &[],
        }
    }

    pub(super) fn of(value: &Value, model: ModelName, name: &str) -> Result<Self, ModelError> {
        use rten_tensor::prelude::*;
        let (shape, values) = match value {
            Value::FloatTensor(tensor) => (tensor.shape().to_vec(), Values::F32(tensor.to_vec())),
            Value::Int32Tensor(tensor) => (tensor.shape().to_vec(), Values::I32(tensor.to_vec())),
            _ => {
                let reason = format!("{name} is neither of real nor of whole numbers");
                return Err(ModelError::Run { model, reason });
            }
        };
        let tensor = Tensor { shape, values };
        if tensor.f32s().iter().any(|value| value.is_nan()) {
            return Err(ModelError::NotANumber { model, tensor: name.to_owned() });
        }
        Ok(tensor)
    }
}
