//! The network as it is computed here against the same graph in the runtime for any graph.

use kmidi_memory::Budgets;

use super::*;
use crate::model::{Input, ModelCache, ModelFolders, ModelName};

/// How far two of the network's answers may be apart. Pure tones are apart most: between them lies nothing but what
/// rounding leaves, and the network sees it by its logarithm. Songs are ten times nearer.
const SAME: f32 = 1e-3;

fn model() -> std::sync::Arc<Model> {
    ModelCache::new(Budgets::default(), ModelFolders::default()).get(ModelName::BasicPitch).unwrap()
}

fn graph(model: &Model, window: &[f32]) -> [Vec<f32>; 3] {
    let input = Input::f32("serving_default_input_2:0", &[1, WINDOW, 1], window);
    let names = ["StatefulPartitionedCall:1", "StatefulPartitionedCall:2", "StatefulPartitionedCall:0"];
    let outputs = model.run(&[input], &names).unwrap();
    std::array::from_fn(|output| outputs[output].f32s().to_vec())
}

fn difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn tones(amplitude: f32) -> Vec<f32> {
    let tone = |n: usize, hz: f32, from: usize| {
        let age = n.saturating_sub(from) as f32 / 22_050.0;
        let phase = age * hz * std::f32::consts::TAU;
        if n < from { 0.0 } else { (phase.sin() + 0.5 * (2.0 * phase).sin()) * (-2.0 * age).exp() }
    };
    let chord =
        |n| tone(n, 220.0, 0) + tone(n, 277.18, 9_000) + tone(n, 1318.5, 20_000) + tone(n, 41.2, 30_000);
    (0..WINDOW).map(|n| amplitude * chord(n)).collect()
}

fn noise(amplitude: f32) -> Vec<f32> {
    let mut state = 7u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        amplitude * ((state >> 8) as f32 / (1 << 23) as f32 - 1.0)
    };
    (0..WINDOW).map(|_| next()).collect()
}

#[test]
fn every_window_is_heard_as_the_graph_hears_it() {
    let model = model();
    let mut network = Network::new(&model).unwrap();
    let mut click = vec![0.0; WINDOW];
    click[20_000] = 1.0;
    let windows = [
        ("tones", tones(0.3)),
        ("loud", tones(1.0)),
        ("noise", noise(0.2)),
        ("silence", vec![0.0; WINDOW]),
        ("click", click),
    ];
    // Twice: nothing of a window is left for the next.
    for (name, window) in windows.iter().chain(&windows) {
        let [notes, onsets, contours] = graph(&model, window);
        let heard = network.run(window);
        let apart = [
            difference(&heard.notes, &notes),
            difference(&heard.onsets, &onsets),
            difference(&heard.contours, &contours),
        ];
        println!("{name}: {apart:?} apart");
        assert!(apart.iter().all(|apart| *apart < SAME), "{name}: {apart:?}");
    }
}

#[test]
fn control_another_window_is_heard_otherwise() {
    let model = model();
    let mut network = Network::new(&model).unwrap();
    let [notes, ..] = graph(&model, &tones(0.3));
    let mut late = tones(0.3);
    late.rotate_right(256);
    assert!(difference(&network.run(&late).notes, &notes) > 20.0 * SAME);
}

#[test]
fn every_instruction_set_hears_the_same() {
    let model = model();
    let mut network = Network::new(&model).unwrap();
    let window = tones(0.3);
    let notes = network.run(&window).notes.clone();
    network.level = Level::baseline();
    assert!(difference(&network.run(&window).notes, &notes) < SAME);
}

#[test]
fn another_model_is_refused() {
    let models = ModelCache::new(Budgets::default(), ModelFolders::default());
    let other = models.get(ModelName::SwiftF0).unwrap();
    assert!(matches!(Network::new(&other), Err(TranscribeError::Model(_))));
}
