//! Silence masks and sleeping nodes.

use std::sync::{Arc, Mutex};

use kmidi_core::{Event, NodeInfo, ProcessContext, ProcessStatus};
use kmidi_graph::NodeId;

use crate::rig::{Function, Rig, info};

type Masks = Arc<Mutex<Vec<u64>>>;

/// Remembers the mask of its silent inputs; holds it against the samples; passes them on.
fn witness(masks: &Masks) -> Box<dyn kmidi_core::Processor> {
    let masks = masks.clone();
    Box::new(Function(move |cx: &mut ProcessContext<'_>| {
        for (channel, input) in cx.audio.inputs.iter().enumerate() {
            let silent = cx.audio.silent_inputs & (1 << channel) != 0;
            assert!(!silent || input.iter().all(|&x| x == 0.0), "channel {channel} is not silent");
            cx.audio.outputs[channel].copy_from_slice(input);
        }
        masks.lock().unwrap().push(cx.audio.silent_inputs);
        cx.audio.silent_outputs = cx.audio.silent_inputs;
        ProcessStatus::Continue
    }))
}

/// A stereo source that plays ones on the channels whose bit in `sounding[quantum]` is set, and says
/// of the others that they are silent.
fn half_silent(sounding: Vec<u64>) -> Box<dyn kmidi_core::Processor> {
    let mut quantum = 0;
    Box::new(Function(move |cx: &mut ProcessContext<'_>| {
        let sounding = sounding.get(quantum).copied().unwrap_or(0);
        quantum += 1;
        for (channel, output) in cx.audio.outputs.iter_mut().enumerate() {
            output.fill(if sounding & (1 << channel) != 0 { 0.5 } else { 0.0 });
        }
        cx.audio.silent_outputs = !sounding;
        ProcessStatus::Continue
    }))
}

/// Source, witness, output; beside it a path of `latency` frames that makes the first one wait.
fn rig(sounding: &[u64], latency: u32) -> (Rig, Masks) {
    let (mut rig, masks) = (Rig::new(16), Masks::default());
    let graph = &mut rig.graph;
    let source = graph.add_processor(info("source", 0, 2, 0), half_silent(sounding.to_vec())).unwrap();
    let node: NodeId = graph.add_processor(info("witness", 2, 2, 0), witness(&masks)).unwrap();
    let late = graph.add_processor(info("late", 0, 2, latency), half_silent(vec![])).unwrap();
    let output = graph.add_output(2).unwrap();
    graph.connect_audio((source, 0), (node, 0)).unwrap();
    graph.connect_audio((late, 0), (node, 0)).unwrap();
    graph.connect_audio((node, 0), (output, 0)).unwrap();
    rig.swap_at_once();
    (rig, masks)
}

#[test]
fn one_silent_channel_of_a_stereo_node_is_right() {
    let (mut rig, masks) = rig(&[1, 1, 2, 3, 0, 0, 1, 0], 0);
    rig.run(8);
    assert_eq!(*masks.lock().unwrap(), [2, 2, 1, 0, 3, 3, 2, 3]);
    let heard = |channel: usize| rig.heard[channel].chunks(16).map(|q| q[5]).collect::<Vec<_>>();
    assert_eq!(heard(0), [0.5, 0.5, 0.0, 0.5, 0.0, 0.0, 0.5, 0.0]);
    assert_eq!(heard(1), [0.0, 0.0, 0.5, 0.5, 0.0, 0.0, 0.0, 0.0]);
}

#[test]
fn one_silent_channel_behind_a_delay_is_right() {
    // 24 frames: each quantum of sound is spread over two.
    let (mut rig, masks) = rig(&[1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3], 24);
    rig.run(16);
    let masks = masks.lock().unwrap();
    // A channel counts as silent again once its delay is empty; the other one all the while.
    assert_eq!(masks[..7], [2, 2, 2, 1, 1, 1, 3]);
    let sum = |channel: usize| rig.heard[channel].iter().sum::<f32>();
    assert_eq!((sum(0), sum(1)), (16.0, 16.0), "nothing is lost and nothing comes twice");
}

#[test]
fn a_sleeping_node_is_not_run_until_something_wakes_it() {
    let (mut rig, runs) = (Rig::new(16), Arc::new(Mutex::new(0)));
    let counted = runs.clone();
    let sleeper = Function(move |cx: &mut ProcessContext<'_>| {
        *counted.lock().unwrap() += 1;
        cx.audio.outputs[0].fill(if cx.events_in.is_empty() { 0.0 } else { 1.0 });
        ProcessStatus::Sleep
    });
    let graph = &mut rig.graph;
    let source = graph.add_processor(info("source", 0, 1, 0), half_silent(vec![0, 0, 0, 1])).unwrap();
    let node = graph.add_processor(NodeInfo { ..info("sleeper", 1, 1, 0) }, Box::new(sleeper)).unwrap();
    let (song, output) = (graph.add_sequencer().unwrap(), graph.add_output(1).unwrap());
    graph.connect_audio((source, 0), (node, 0)).unwrap();
    graph.connect_audio((node, 0), (output, 0)).unwrap();
    graph.connect_events((song, 0), (node, 0)).unwrap();
    rig.swap_at_once();
    let mut after = |quantum: &mut dyn FnMut(&mut Rig)| {
        quantum(&mut rig);
        *runs.lock().unwrap()
    };
    assert_eq!(after(&mut |rig| rig.run(3)), 1, "it said sleep");
    assert_eq!(after(&mut |rig| rig.run(1)), 2, "a sound wakes it");
    assert_eq!(after(&mut |rig| rig.run(3)), 2);
    assert_eq!(after(&mut |rig| rig.quantum(&[(3, 0, Event::note_on(0, 1, 1))])), 3, "an event wakes it");
    assert_eq!(after(&mut |rig| rig.run(3)), 3);
    let slot = rig.graph.slot(node).unwrap();
    rig.nodes.parameter(slot, 7, 1.0);
    rig.run(3);
    assert_eq!(*runs.lock().unwrap(), 4, "a parameter wakes it");
    assert_eq!(rig.heard[0].iter().sum::<f32>(), 32.0, "and it is silent while it sleeps");
}
