//! What is connected with what.

use kmidi_graph::NodeId;

use super::stage::{GAIN, Stage};
use crate::rack::Routing;

/// The gain of the connections of two nodes, if there are any.
fn gain(stage: &Stage, from: NodeId, to: NodeId) -> Option<f32> {
    stage.rack.wanted(&stage.rig).audio.get(&(from, to)).map(|wire| wire.gain)
}

/// A rack of these plugins, the first of which hears the device.
fn on_the_device(plugins: &[&str]) -> (Stage, NodeId) {
    let mut stage = Stage::new(plugins);
    let device = stage.rig.graph.add_device_in(2).unwrap();
    stage.rack.route(1, Routing { audio_in: true, ..Routing::default() });
    stage.until("all that can be had", |stage| stage.rack.is_settled());
    stage.rig.parts.device_in = Some(device);
    (stage, device)
}

#[test]
fn a_bypassed_plugin_lets_the_device_through() {
    let (mut stage, device) = on_the_device(&[GAIN]);
    let nodes = stage.rack.entries[0].nodes.clone().unwrap();
    assert_eq!(
        (gain(&stage, device, nodes.plugin), gain(&stage, device, nodes.junction)),
        (Some(1.0), Some(0.0))
    );
    stage.rack.bypass_plugin(1, true);
    assert_eq!(
        (gain(&stage, device, nodes.plugin), gain(&stage, device, nodes.junction)),
        (Some(1.0), Some(1.0))
    );
    assert_eq!(gain(&stage, device, stage.rig.parts.output), None);
}

#[test]
fn what_a_missing_plugin_should_hear_goes_to_the_next_and_without_one_out() {
    let (stage, device) = on_the_device(&["not.here"]);
    assert_eq!(gain(&stage, device, stage.rig.parts.output), Some(1.0));
    let (stage, device) = on_the_device(&["not.here", GAIN]);
    let nodes = stage.rack.entries[1].nodes.clone().unwrap();
    assert_eq!(gain(&stage, device, nodes.plugin), Some(1.0));
    assert_eq!(gain(&stage, device, stage.rig.parts.output), None);
}
