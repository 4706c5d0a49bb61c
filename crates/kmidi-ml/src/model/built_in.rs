//! The models that are part of the program: it works wherever it is installed, and without a network.

use super::ModelName;

macro_rules! file {
    ($path:literal) => {
        include_bytes!(concat!("../../../../assets/models/", $path))
    };
}

static BASIC_PITCH: &[u8] = file!("basic-pitch/nmp.onnx");
static SWIFT_F0: &[u8] = file!("swift-f0/model.onnx");
static SILERO_VAD: &[u8] = file!("silero-vad/silero_vad_16k_op15.onnx");
static HAMA_ASR: &[u8] = file!("hama/asr_waveform_fp16.onnx");
static HAMA_ENCODER: &[u8] = file!("hama/encoder.onnx");
static HAMA_DECODER: &[u8] = file!("hama/decoder_step.onnx");
static HAMA_VOCABULARY: &[u8] = file!("hama/g2p_vocab.json");

/// A file of a model that is part of the program.
pub(super) fn file(model: ModelName, name: &str) -> Option<&'static [u8]> {
    match (model, name) {
        (ModelName::BasicPitch, "nmp.onnx") => Some(BASIC_PITCH),
        (ModelName::SwiftF0, "model.onnx") => Some(SWIFT_F0),
        (ModelName::SileroVad, "silero_vad_16k_op15.onnx") => Some(SILERO_VAD),
        (ModelName::HamaAsr, "asr_waveform_fp16.onnx") => Some(HAMA_ASR),
        (ModelName::HamaG2pEncoder, "encoder.onnx") => Some(HAMA_ENCODER),
        (ModelName::HamaG2pDecoder, "decoder_step.onnx") => Some(HAMA_DECODER),
        (ModelName::HamaAsr | ModelName::HamaG2pEncoder, "g2p_vocab.json") => Some(HAMA_VOCABULARY),
        _ => None,
    }
}

/// Every file of a model that is part of the program: 10 MB that are read when a model is loaded, if ever.
pub fn built_in_files() -> impl Iterator<Item = &'static [u8]> {
    [BASIC_PITCH, SWIFT_F0, SILERO_VAD, HAMA_ASR, HAMA_ENCODER, HAMA_DECODER, HAMA_VOCABULARY].into_iter()
}

macro_rules! text {
    ($path:literal) => {
        include_str!(concat!("../../../../assets/models/", $path))
    };
}

/// The licence of a model, and what has to be given on with it: whoever has the program has these too.
pub(super) fn licence(model: ModelName) -> &'static [&'static str] {
    match model {
        ModelName::BasicPitch => &[text!("basic-pitch/NOTICE.txt"), text!("basic-pitch/LICENSE.txt")],
        ModelName::SwiftF0 => &[text!("swift-f0/LICENSE.txt")],
        ModelName::SileroVad => &[text!("silero-vad/LICENSE.txt")],
        ModelName::HamaAsr | ModelName::HamaG2pEncoder | ModelName::HamaG2pDecoder => {
            &[text!("hama/LICENCE.md"), text!("../../LICENSE-APACHE")]
        }
        ModelName::MiniLm => &[text!("minilm/NOTICE.txt"), text!("minilm/LICENSE.txt")],
        ModelName::Piano => &[text!("piano/NOTICE.txt"), text!("piano/LICENSE.txt")],
    }
}
