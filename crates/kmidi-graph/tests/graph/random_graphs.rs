//! The law of compensation, over random graphs: whatever the latencies, all that one event causes
//! comes out once, together, at the told latency; audio and events alike. The reference computes the same
//! graph without any latency, over the whole length at once.

use std::collections::HashMap;

use fastrand::Rng;
use kmidi_core::Event;
use kmidi_graph::{Compensation, NodeId};

use crate::rig::{Late, Rig, click, info};

const LENGTH: usize = 300;

#[derive(Clone)]
struct Drawn {
    inputs: u16,
    outputs: u16,
    latency: u32,
    /// Earlier nodes whose audio it gets, with the gain.
    audio: Vec<(usize, f32)>,
    /// Earlier nodes whose events it gets.
    events: Vec<usize>,
    /// Whether it gets the song's events.
    song: bool,
}

struct Case {
    quantum_frames: usize,
    nodes: Vec<Drawn>,
    /// What goes to the output and to the MIDI output.
    heard: Vec<(usize, f32)>,
    sent: Vec<usize>,
    song: Vec<(usize, u8)>,
}

fn draw(random: &mut Rng) -> Case {
    let gain = |random: &mut Rng| [1.0, 1.0, 0.5, -0.25][random.usize(..4)];
    let count = 1 + random.usize(..9);
    let mut nodes: Vec<Drawn> = vec![];
    for at in 0..count {
        let some = |random: &mut Rng| (0..at).filter(|_| random.usize(..3) == 0).collect::<Vec<_>>();
        nodes.push(Drawn {
            inputs: random.usize(..3) as u16,
            outputs: 1 + random.usize(..2) as u16,
            latency: if random.bool() { 0 } else { random.usize(..200) as u32 },
            audio: vec![],
            events: some(random),
            song: at == 0 || random.usize(..3) == 0,
        });
        if nodes[at].inputs > 0 {
            nodes[at].audio = some(random).into_iter().map(|from| (from, gain(random))).collect();
        }
    }
    let to_output: Vec<usize> = (0..count - 1).filter(|_| random.usize(..3) == 0).collect();
    let mut heard: Vec<_> = to_output.into_iter().map(|from| (from, gain(random))).collect();
    heard.push((count - 1, 1.0));
    let sent = (0..count).filter(|_| random.usize(..4) == 0).collect();
    let song = (0..6).map(|_| (random.usize(..LENGTH), 1 + random.usize(..127) as u8)).collect();
    Case { quantum_frames: [16, 64, 100][random.usize(..3)], nodes, heard, sent, song }
}

/// Builds the case's graph, its nodes in a random order of making.
fn build(case: &Case, random: &mut Rng) -> (Rig, Vec<NodeId>) {
    let mut rig = Rig::new(case.quantum_frames);
    let graph = &mut rig.graph;
    let (song, output) = (graph.add_sequencer().unwrap(), graph.add_output(2).unwrap());
    let midi = graph.add_midi_out().unwrap();
    let mut ids: HashMap<usize, NodeId> = HashMap::new();
    let mut left: Vec<usize> = (0..case.nodes.len()).collect();
    while !left.is_empty() {
        let at = left.swap_remove(random.usize(..left.len()));
        let node = &case.nodes[at];
        let info = info(&format!("n{at}"), node.inputs, node.outputs, node.latency);
        ids.insert(at, graph.add_processor(info, Late::new(node.outputs, node.latency)).unwrap());
    }
    for (at, node) in case.nodes.iter().enumerate() {
        for (from, gain) in &node.audio {
            graph.connect_audio((ids[from], 0), (ids[&at], 0)).unwrap();
            graph.set_connection_gain(ids[from], ids[&at], *gain).unwrap();
        }
        for from in &node.events {
            graph.connect_events((ids[from], 0), (ids[&at], random.usize(..4) as u16)).unwrap();
        }
        if node.song {
            graph.connect_events((song, 0), (ids[&at], 0)).unwrap();
        }
    }
    for (from, gain) in &case.heard {
        graph.connect_audio((ids[from], 0), (output, 0)).unwrap();
        graph.set_connection_gain(ids[from], output, *gain).unwrap();
    }
    for from in &case.sent {
        graph.connect_events((ids[from], 0), (midi, 0)).unwrap();
    }
    (rig, (0..case.nodes.len()).map(|at| ids[&at]).collect())
}

fn play(rig: &mut Rig, case: &Case, quanta: usize) {
    for _ in 0..quanta {
        let now = rig.frame as usize;
        let due = case.song.iter().filter(|(time, _)| (now..now + rig.quantum_frames).contains(time));
        let events: Vec<_> = due.map(|(t, key)| ((t - now) as u32, 0, Event::note_on(0, *key, 9))).collect();
        rig.quantum(&events);
    }
}

/// What comes out of the same graph if nothing takes time: two channels, and events sent.
fn reference(case: &Case) -> ([Vec<f64>; 2], Vec<(usize, u8)>) {
    let mut audio: Vec<Vec<Vec<f64>>> = vec![];
    let mut events: Vec<Vec<(usize, u8)>> = vec![];
    let mixed = |audio: &[Vec<Vec<f64>>], from: &[(usize, f32)], channels: usize| {
        let mut inputs = vec![vec![0.0; LENGTH]; channels];
        for &(from, gain) in from {
            let source = &audio[from];
            for (channel, input) in inputs.iter_mut().enumerate() {
                for frame in 0..LENGTH {
                    let sample = match (source.len(), channels) {
                        (1, _) => source[0][frame],
                        (2, 1) => 0.5 * (source[0][frame] + source[1][frame]),
                        _ => source[channel][frame],
                    };
                    input[frame] += sample * f64::from(gain);
                }
            }
        }
        inputs
    };
    for node in &case.nodes {
        let mut received: Vec<(usize, u8)> = if node.song { case.song.clone() } else { vec![] };
        node.events.iter().for_each(|from| received.extend(&events[*from]));
        let inputs = mixed(&audio, &node.audio, node.inputs.into());
        let outputs = (0..usize::from(node.outputs)).map(|channel| {
            let mut output =
                if inputs.is_empty() { vec![0.0; LENGTH] } else { inputs[channel % inputs.len()].clone() };
            received.iter().for_each(|(time, key)| output[*time] += click(*key));
            output
        });
        audio.push(outputs.collect());
        events.push(received);
    }
    let heard: [Vec<f64>; 2] = mixed(&audio, &case.heard, 2).try_into().unwrap();
    let mut sent: Vec<_> = case.sent.iter().flat_map(|from| events[*from].clone()).collect();
    sent.sort();
    (heard, sent)
}

/// The longest way to any of `to`, in frames.
fn longest(case: &Case, to: impl Iterator<Item = usize>) -> usize {
    let mut departure: Vec<usize> = vec![];
    for node in &case.nodes {
        let sources = node.audio.iter().map(|(from, _)| *from).chain(node.events.iter().copied());
        departure.push(sources.map(|from| departure[from]).max().unwrap_or(0) + node.latency as usize);
    }
    to.map(|node| departure[node]).max().unwrap_or(0)
}

/// Whether the graph gives what the reference says, at the latency the compiler tells.
fn holds(seed: u64, compensation: Compensation) -> bool {
    let mut random = Rng::with_seed(seed);
    let case = draw(&mut random);
    let (mut rig, _) = build(&case, &mut random);
    rig.compiler.set_compensation(compensation);
    rig.swap_at_once();
    let latency = rig.compiler.latency_frames() as usize;
    let ends = case.heard.iter().map(|(from, _)| *from).chain(case.sent.iter().copied());
    let true_latency = longest(&case, ends);
    play(&mut rig, &case, (LENGTH + latency.max(true_latency)).div_ceil(case.quantum_frames) + 1);

    let (expected, expected_events) = reference(&case);
    let mut exact = latency == true_latency || compensation == Compensation::Off;
    for (heard, expected) in rig.heard.iter().zip(&expected) {
        exact &= heard.iter().enumerate().all(|(frame, &sample)| {
            let expected =
                frame.checked_sub(latency).and_then(|frame| expected.get(frame)).copied().unwrap_or(0.0);
            (f64::from(sample) - expected).abs() <= 1e-6 * expected.abs().max(click(1))
        });
    }
    let mut sent: Vec<(usize, u8)> = rig
        .sent
        .iter()
        .map(|(frame, _, event)| match event {
            Event::NoteOn { key, .. } => ((*frame as usize).wrapping_sub(latency), *key),
            other => panic!("{other:?} was never sent"),
        })
        .collect();
    sent.sort();
    exact && sent == expected_events && rig.schedule.dropped_events() == 0
}

#[test]
fn whatever_the_latencies_everything_arrives_once_and_together() {
    let graphs = if cfg!(miri) { 3 } else { 3000 };
    for seed in 0..graphs {
        assert!(holds(seed, Compensation::Song), "seed {seed}");
        assert!(seed % 8 > 0 || holds(seed, Compensation::All), "seed {seed}");
    }
}

#[test]
fn without_compensation_the_check_fails() {
    let failures = (0..200).filter(|&seed| !holds(seed, Compensation::Off)).count();
    assert!(failures > 60, "only {failures} of 200 graphs show that nothing is compensated");
}

/// What is heard with edits that nobody hears at random moments, or without.
fn with_recompiles(seed: u64, recompile: bool) -> Rig {
    let mut random = Rng::with_seed(seed);
    let case = draw(&mut random);
    let (mut rig, ids) = build(&case, &mut random);
    rig.swap_at_once();
    let quanta = (LENGTH + rig.compiler.latency_frames() as usize).div_ceil(case.quantum_frames) + 1;
    let mut unheard = vec![];
    for _ in 0..quanta {
        play(&mut rig, &case, 1);
        if recompile && random.bool() {
            if random.bool()
                && let Some(node) = unheard.pop()
            {
                rig.graph.remove_node(node).unwrap();
            } else {
                let node = rig.graph.add_processor(info("unheard", 2, 2, 50), Late::new(2, 50)).unwrap();
                let from = ids[random.usize(..ids.len())];
                rig.graph.connect_audio((from, 0), (node, 0)).unwrap();
                rig.graph.connect_events((from, 0), (node, 0)).unwrap();
                unheard.push(node);
            }
            rig.swap_at_once();
        }
    }
    rig
}

#[test]
fn a_recompile_keeps_what_is_on_its_way_bit_by_bit() {
    for seed in 0..if cfg!(miri) { 2 } else { 300 } {
        let (with, without) = (with_recompiles(seed, true), with_recompiles(seed, false));
        assert_eq!(with.heard, without.heard, "seed {seed}");
        assert_eq!(with.sent, without.sent, "seed {seed}");
    }
}
