//! What the network's file holds, by the names it has there.

use crate::model::Model;
use crate::transcribe::{TranscribeError, constant};

/// Numbers of each constant of the file.
pub(super) struct Weights {
    /// Real and imaginary parts of the filters of the top octave.
    pub octave: [Vec<f32>; 2],
    /// The filter that halves the sample rate.
    pub halving: Vec<f32>,
    /// What each filter's output is multiplied by.
    pub scales: Vec<f32>,
    /// Factor and offset of the normalised level.
    pub level: [f32; 2],
    /// Weights and biases of a convolution.
    pub pitch_planes: Layer,
    pub contours: Layer,
    pub onset_planes: Layer,
    pub note_planes: Layer,
    pub notes: Layer,
    pub onsets: Layer,
}

/// A convolution's weights, and its biases.
pub(super) struct Layer {
    pub weights: Vec<f32>,
    pub biases: Vec<f32>,
}

const BATCH_NORM: &str =
    "model_1/batch_normalization/FusedBatchNormV3;model_1/batch_normalization/FusedBatchNormV3";
const ONSET_PLANES: &str = "model_1/re_lu_3/Relu;model_1/re_lu_3/Relu;\
    model_1/batch_normalization_3/FusedBatchNormV3;model_1/batch_normalization_3/FusedBatchNormV3;\
    model_1/conv2d_4/BiasAdd/ReadVariableOp;model_1/conv2d_4/BiasAdd/ReadVariableOp;\
    model_1/conv2d_4/BiasAdd;model_1/conv2d_4/BiasAdd;model_1/conv2d_2/Conv2D;model_1/conv2d_2/Conv2D;\
    model_1/conv2d_4/Conv2D;model_1/conv2d_4/Conv2D";
const PITCH_PLANES: &str = "model_1/re_lu_1/Relu;model_1/re_lu_1/Relu;\
    model_1/batch_normalization_2/FusedBatchNormV3;model_1/batch_normalization_2/FusedBatchNormV3;\
    model_1/conv2d_1/BiasAdd/ReadVariableOp;model_1/conv2d_1/BiasAdd/ReadVariableOp;\
    model_1/conv2d_1/BiasAdd;model_1/conv2d_1/BiasAdd;model_1/conv2d_1/Conv2D;model_1/conv2d_1/Conv2D";

impl Weights {
    /// Takes them out of the loaded model.
    pub fn of(model: &Model) -> Result<Self, TranscribeError> {
        let numbers = |name: &str, count: usize| constant(model, name, count);
        let bias = |layer: &str| {
            format!("model_1/{layer}/BiasAdd/ReadVariableOp;model_1/{layer}/BiasAdd/ReadVariableOp")
        };
        let layer = |weights: &str, biases: &str, channels: usize, taps: usize| {
            Ok::<_, TranscribeError>(Layer {
                weights: numbers(weights, channels * taps)?,
                biases: numbers(biases, channels)?,
            })
        };
        let doubled = |name: &str| format!("{name};{name}");
        Ok(Weights {
            octave: [numbers("const_fold_opt__655", 36 * 256)?, numbers("const_fold_opt__664", 36 * 256)?],
            halving: numbers("const_fold_opt__734", 256)?,
            scales: numbers(&doubled("model_1/cq_t2010v2_1/Sqrt"), 309)?,
            level: [numbers(BATCH_NORM, 1)?[0], numbers(&format!("{BATCH_NORM}1"), 1)?[0]],
            pitch_planes: layer("const_fold_opt__727", PITCH_PLANES, 8, 8 * 3 * 39)?,
            contours: layer("const_fold_opt__710", &bias("contours-reduced"), 1, 8 * 5 * 5)?,
            onset_planes: layer("const_fold_opt__707", ONSET_PLANES, 32, 8 * 5 * 5)?,
            note_planes: layer("const_fold_opt__738", &bias("conv2d_2"), 32, 7 * 7)?,
            notes: layer("const_fold_opt__702", &bias("conv2d_3"), 1, 32 * 7 * 3)?,
            onsets: layer("const_fold_opt__680", &bias("conv2d_5"), 1, 33 * 3 * 3)?,
        })
    }
}
