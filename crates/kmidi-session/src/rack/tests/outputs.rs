//! Plugins of several outputs.

use kmidi_test_clap::{MULTI_LEVELS, ids};

use super::stage::{Stage, tone};
use crate::rack::Routing;

/// By how much what is heard lies above the tone; it does so from the given frame on.
fn above_the_tone(stage: &Stage, from: usize) -> f32 {
    let above = |frame: usize| stage.heard[frame] - tone(frame);
    let first = above(from);
    let strays = (from..stage.heard.len()).find(|frame| (above(*frame) - first).abs() > 1e-5);
    assert_eq!(strays, None, "{first} at first");
    first
}

#[test]
fn what_is_for_channels_that_the_device_lacks_is_told_and_heard_on_the_first_two() {
    let mut stage = Stage::new(&[ids::MULTI]);
    stage.settle();
    let main = MULTI_LEVELS[0][0];
    stage.run(0.1);
    let begin = stage.heard.len();
    stage.run(0.1);
    let heard = above_the_tone(&stage, begin);
    assert!((heard - main).abs() < 1e-5, "{heard}: other outputs go nowhere unless asked");
    let devices = vec![(2, "5".parse().unwrap())];
    stage.rack.route(1, Routing { devices, ..Routing::default() });
    stage.settle();
    stage.run(0.1);
    let begin = stage.heard.len();
    stage.run(0.1);
    assert!((above_the_tone(&stage, begin) - main - MULTI_LEVELS[2][0]).abs() < 1e-5);
    let said: Vec<_> = stage.said.iter().filter(|said| said.contains("channels 5")).collect();
    assert!(said.len() == 1 && said[0].contains("output 3") && said[0].contains("1-2"), "{said:?}");
    // Bypassed, none of it is heard.
    stage.rack.bypass_plugin(1, true);
    stage.settle();
    stage.run(0.1);
    let begin = stage.heard.len();
    stage.run(0.1);
    assert!(above_the_tone(&stage, begin).abs() < 1e-5);
    assert!(stage.close());
}
