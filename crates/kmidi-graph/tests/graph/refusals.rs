//! What is refused, and in what words.

use kmidi_core::NodeInfo;
use kmidi_core::limits::{MAX_EDGES, MAX_LATENCY_FRAMES, MAX_NODE_CHANNELS, MAX_NODES};
use kmidi_graph::{CompileError, Compiler, Graph, GraphError, NodeId};

use crate::rig::{Late, Rig, info};

fn add(graph: &mut Graph, name: &str, inputs: u16, outputs: u16) -> NodeId {
    graph.add_processor(info(name, inputs, outputs, 0), Late::new(outputs, 0)).unwrap()
}

#[test]
fn a_cycle_is_refused_with_its_nodes_named_and_nothing_is_lost() {
    let mut rig = Rig::new(16);
    let names = ["outside", "alpha", "beta", "gamma", "behind"];
    let [outside, alpha, beta, gamma, behind] = names.map(|name| add(&mut rig.graph, name, 2, 2));
    for (from, to) in [(outside, alpha), (alpha, beta), (beta, gamma), (gamma, behind)] {
        rig.graph.connect_audio((from, 0), (to, 0)).unwrap();
    }
    rig.graph.connect_events((gamma, 0), (alpha, 1)).unwrap();
    let Err(error @ CompileError::Cycle(_)) = rig.compiler.compile(&mut rig.graph) else {
        panic!("a cycle was compiled")
    };
    let text = error.to_string();
    assert!(["alpha", "beta", "gamma"].iter().all(|name| text.contains(name)), "{text}");
    assert!(!text.contains("outside") && !text.contains("behind"), "{text}");
    rig.graph.disconnect_events(gamma, alpha);
    rig.swap_at_once();
    rig.run(2);
    let mut alone = Graph::new();
    let node = add(&mut alone, "alone", 1, 1);
    alone.connect_audio((node, 0), (node, 0)).unwrap();
    let error = Compiler::new(16, 48_000).compile(&mut alone).err().unwrap();
    assert!(error.to_string().contains("alone"), "{error}");
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let mut graph = Graph::new();
    let (mono, three) = (add(&mut graph, "mono", 1, 1), add(&mut graph, "three", 3, 3));
    let mismatch =
        |from_channels, to_channels| Err(GraphError::ChannelMismatch { from_channels, to_channels });
    assert_eq!(graph.connect_audio((mono, 0), (three, 0)), mismatch(1, 3));
    assert_eq!(graph.connect_audio((three, 0), (mono, 0)), mismatch(3, 1));
    let no_port = graph.connect_audio((mono, 1), (three, 0)).unwrap_err();
    assert_eq!(no_port.to_string(), "'mono' has no audio output 1; it has 1");
    assert!(matches!(graph.connect_events((mono, 0), (three, 4)), Err(GraphError::NoSuchPort { .. })));
    assert_eq!(graph.set_connection_gain(mono, three, 1.0), Err(GraphError::NotConnected));
    let no_channel = graph.connect_channel((three, 3), (mono, 0), 1.0).unwrap_err();
    assert_eq!(no_channel.to_string(), "'three' has no output channel 3; it has 3");
    assert!(matches!(graph.connect_channel((three, 0), (mono, 1), 1.0), Err(GraphError::NoSuchPort { .. })));
    let too_loud = graph.connect_channel((three, 0), (mono, 0), f32::NAN);
    assert!(matches!(too_loud, Err(GraphError::GainOutOfRange { .. })));
    graph.connect_audio((mono, 0), (mono, 0)).unwrap();
    for gain in [f32::NAN, f32::INFINITY, 1e9] {
        assert!(matches!(
            graph.set_connection_gain(mono, mono, gain),
            Err(GraphError::GainOutOfRange { .. })
        ));
    }
    graph.remove_node(mono).unwrap();
    assert_eq!(graph.connect_events((mono, 0), (three, 0)), Err(GraphError::NoSuchNode));
    assert_eq!(graph.remove_node(mono), Err(GraphError::NoSuchNode));
    graph.add_output(2).unwrap();
    assert_eq!(graph.add_output(2), Err(GraphError::Duplicate));
}

#[test]
fn every_limit_is_met_and_not_passed() {
    let mut rig = Rig::new(16);
    let graph = &mut rig.graph;
    let wide = MAX_NODE_CHANNELS as u16;
    let nodes: Vec<NodeId> = (0..MAX_NODES).map(|_| add(graph, "node", wide, wide)).collect();
    let too_many = |result: Result<NodeId, GraphError>| matches!(result, Err(GraphError::TooMany { .. }));
    assert!(too_many(graph.add_processor(info("more", 1, 1, 0), Late::new(1, 0))));
    for pair in nodes.windows(2).take(MAX_EDGES / MAX_NODE_CHANNELS) {
        graph.connect_audio((pair[0], 0), (pair[1], 0)).unwrap();
        graph.connect_audio((pair[0], 0), (pair[1], 0)).expect("the same again is no other edge");
    }
    assert!(matches!(graph.connect_events((nodes[0], 0), (nodes[9], 0)), Err(GraphError::TooMany { .. })));
    rig.swap_at_once();
    rig.run(3);
    let graph = &mut Graph::new();
    let two_ports = NodeInfo { audio_inputs: vec![wide, 1], ..info("wide", 0, 0, 0) };
    assert!(too_many(graph.add_processor(two_ports, Late::new(0, 0))));
    let most = MAX_LATENCY_FRAMES as u32;
    assert!(too_many(graph.add_processor(info("late", 0, 0, most + 1), Late::new(0, 0))));
    let first = graph.add_processor(info("first", 0, 1, most), Late::new(1, most)).unwrap();
    let second = graph.add_processor(info("second", 1, 1, 1), Late::new(1, 1)).unwrap();
    graph.connect_audio((first, 0), (second, 0)).unwrap();
    let error = Compiler::new(16, 48_000).compile(graph).err().unwrap();
    assert_eq!(error, CompileError::TooLate { node: "second".into(), frames: most + 1 });
}
