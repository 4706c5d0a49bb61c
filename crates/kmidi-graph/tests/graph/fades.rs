//! No change of the graph clicks.

use kmidi_graph::NodeId;

use crate::rig::{Rig, SMOOTHING, info, largest_step, source};

/// A constant of 0.5: any edge that is cut or made at once is a step of 0.5.
fn constant() -> (Rig, NodeId, NodeId) {
    let mut rig = Rig::new(16);
    let node = rig.graph.add_processor(info("constant", 0, 2, 0), source(|_| 0.5)).unwrap();
    let output = rig.graph.add_output(2).unwrap();
    rig.graph.connect_audio((node, 0), (output, 0)).unwrap();
    rig.swap_at_once();
    rig.run(10);
    assert!(rig.heard[0].iter().all(|&x| x == 0.5), "the first graph begins as it is");
    (rig, node, output)
}

fn check(rig: &Rig, end: f32) {
    for heard in &rig.heard {
        assert!(largest_step(heard) < 0.6 / SMOOTHING as f32, "a click of {}", largest_step(heard));
        assert_eq!(heard.last(), Some(&end));
    }
}

#[test]
fn a_connection_that_is_cut_fades_out_and_a_new_one_fades_in() {
    let (mut rig, node, output) = constant();
    rig.graph.disconnect_audio(node, output);
    rig.swap();
    rig.run(10);
    check(&rig, 0.0);
    rig.graph.connect_audio((node, 0), (output, 0)).unwrap();
    rig.swap();
    rig.run(10);
    check(&rig, 0.5);
}

#[test]
fn a_node_that_is_removed_fades_out_before_it_goes_home() {
    let (mut rig, node, _) = constant();
    rig.graph.remove_node(node).unwrap();
    rig.swap();
    rig.run(10);
    check(&rig, 0.0);
}

#[test]
fn the_check_hears_a_connection_that_is_cut_at_once() {
    let (mut rig, node, output) = constant();
    rig.graph.disconnect_audio(node, output);
    rig.swap_at_once();
    rig.run(10);
    assert_eq!(largest_step(&rig.heard[0]), 0.5);
}

#[test]
fn gains_move_smoothly_through_a_burst_of_recompiles() {
    let (mut rig, node, output) = constant();
    for gain in [0.1, 1.0, 0.0, 0.7, 0.2, 1.0, 0.5] {
        rig.graph.set_connection_gain(node, output, gain).unwrap();
        rig.swap();
        rig.run(2);
    }
    rig.run(10);
    check(&rig, 0.25);
    rig.schedule.set_master_gain(2.0);
    rig.run(1);
    rig.swap();
    rig.run(10);
    check(&rig, 0.5);
}

#[test]
fn a_new_connection_behind_a_delay_waits_until_it_has_something_to_say() {
    let (mut rig, _, output) = constant();
    // 0.25 that arrives 100 frames late by itself makes everything else wait for it.
    let late = rig.graph.add_processor(info("late", 0, 2, 100), source(|_| 0.25)).unwrap();
    rig.graph.connect_audio((late, 0), (output, 0)).unwrap();
    rig.swap();
    rig.run(20);
    check(&rig, 0.75);
}

#[test]
fn one_stereo_channel_more_or_less_is_adapted() {
    for (channels, expected) in [(1, 0.5), (2, 0.5)] {
        let mut rig = Rig::new(16);
        let node = rig.graph.add_processor(info("source", 0, channels, 0), source(|_| 0.5)).unwrap();
        let through = rig.graph.add_processor(info("mono", 1, 1, 0), crate::rig::Late::new(1, 0)).unwrap();
        let output = rig.graph.add_output(2).unwrap();
        rig.graph.connect_audio((node, 0), (through, 0)).unwrap();
        rig.graph.connect_audio((through, 0), (output, 0)).unwrap();
        rig.swap_at_once();
        rig.run(2);
        assert!(rig.heard.iter().flatten().all(|&x| x == expected), "{channels}");
    }
}
