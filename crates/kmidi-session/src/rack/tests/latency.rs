//! Latency: paths line up, before and after it changes.

use std::sync::atomic::Ordering::Relaxed;

use kmidi_core::Smoothed;
use kmidi_core::limits::MAX_LATENCY_FRAMES;
use kmidi_test_clap::ids;
use kmidi_test_clap::parameters::MAX_FRAMES;

use super::stage::{RATE, STEP, Stage, request, tone};
use crate::rack::{Compensation, ParameterValue, PluginState, RackConfig};

fn late(frames: u32) -> crate::PluginRequest {
    let mut request = request(ids::LATE);
    request.choice.settings.push(("frames".into(), frames.to_string()));
    request
}

#[test]
fn past_a_late_effect_goes_the_sound_in_time_with_it() {
    let mut stage = Stage::with(RackConfig { plugins: vec![late(1000)], ..RackConfig::default() });
    stage.settle();
    assert_eq!(stage.rack.snapshot()[0].latency_frames, 1000);
    let begin = stage.heard.len();
    stage.run(0.1);
    for bypassed in [true, false, true, false] {
        stage.rack.bypass_plugin(1, bypassed);
        stage.settle();
    }
    stage.run(0.1);
    assert!(stage.tone_from(1000).is_some_and(|frame| frame <= begin), "{:?}", stage.tone_from(1000));
    assert_eq!(stage.tone_from(999), None, "the control: a frame is seen");
    assert!(stage.close());
}

#[test]
fn a_latency_that_changes_is_taken_up_by_a_second_instance_and_paths_line_up_again() {
    let mut stage =
        Stage::with(RackConfig { plugins: vec![late(64), request(ids::GAIN)], ..RackConfig::default() });
    stage.settle();
    stage.run(0.1);
    for frames in [1, 63, 65, 127, 1000, 4095, 4096, 0, 64, 333] {
        stage.rack.set_parameter(1, "frames".into(), ParameterValue::Plain(f64::from(frames)));
        stage.until("the new latency", |stage| stage.rack.snapshot()[0].latency_frames == frames);
        stage.settle();
        stage.run(0.2);
        let from = stage.tone_from(frames as usize).expect("it lines up again");
        for bypassed in [true, false] {
            stage.rack.bypass_plugin(1, bypassed);
            stage.settle();
        }
        assert_eq!(stage.tone_from(frames as usize), Some(from), "and stays so past it");
    }
    assert!(stage.largest_step() < 2.5 * STEP, "{}", stage.largest_step());
    assert_eq!(stage.said, [""; 0]);
    assert!(stage.close());
}

#[test]
fn where_there_is_no_second_instance_it_is_muted_for_a_time_that_is_told_and_counted() {
    let mut stage = Stage::with(RackConfig { plugins: vec![late(64)], ..RackConfig::default() });
    stage.settle();
    stage.no_more.store(true, Relaxed);
    let begin = stage.heard.len();
    stage.rack.set_parameter(1, "frames".into(), ParameterValue::Plain(512.0));
    stage.until("the new latency", |stage| stage.rack.snapshot()[0].latency_frames == 512);
    stage.settle();
    let lasted = stage.heard.len() - begin;
    stage.run(0.2);
    assert!(stage.tone_from(512).is_some(), "it lines up again");
    assert!(stage.said.iter().any(|said| said.contains("muted")), "{:?}", stage.said);
    let muted = stage.rack.muted_frames() as usize;
    assert!((1..=lasted).contains(&muted), "{muted}");
    // Before and behind what was declared there is but the way out and the way in.
    let is_late = |frame: &usize| (stage.heard[*frame] - tone(frame - 64)).abs() < 1e-5;
    let lost_from = (begin..stage.heard.len()).find(|frame| !is_late(frame)).expect("it was muted");
    let lost = stage.tone_from(512).map_or(0, |found| found - lost_from);
    let fade = Smoothed::frames(RATE) as usize;
    assert!((1..=muted + 2 * (fade + 512 + 64)).contains(&lost), "{lost} frames, {muted} declared");
    assert!(stage.largest_step() < 2.5 * STEP, "{}", stage.largest_step());
    assert!(stage.close());
}

#[test]
fn a_row_that_would_be_too_late_is_refused_and_the_one_that_plays_goes_on() {
    let frames = MAX_FRAMES as usize;
    let most = MAX_LATENCY_FRAMES / frames;
    let mut stage =
        Stage::with(RackConfig { plugins: vec![late(MAX_FRAMES); most], ..RackConfig::default() });
    stage.settle();
    stage.rack.add_plugin(0, late(1));
    stage.until("the answer", |stage| stage.state(most as u32 + 1) != PluginState::Loading);
    let refused = stage.state(most as u32 + 1);
    assert!(
        matches!(&refused, PluginState::Failed { reason } if reason.contains("over the limit")),
        "{refused:?}"
    );
    stage.settle();
    let begin = stage.heard.len();
    stage.run(0.1);
    assert!(stage.tone_from(most * frames).is_some_and(|frame| frame < begin));
    stage.rack.remove_plugin(1);
    stage.settle();
    stage.run(1.5);
    assert!(stage.tone_from((most - 1) * frames).is_some(), "and can be changed");
    assert!(stage.close());
}

#[test]
fn without_compensation_nothing_is_delayed() {
    let config =
        RackConfig { plugins: vec![late(500)], compensation: Compensation::Off, ..RackConfig::default() };
    let mut stage = Stage::with(config);
    stage.settle();
    stage.rack.bypass_plugin(1, true);
    stage.settle();
    stage.run(0.1);
    assert!(stage.tone_from(0).is_some());
    assert!(stage.close());
}
