//! A broken node is muted and named, and its neighbours do not notice.

use kmidi_core::limits::GUARD_HOLD_MS;
use kmidi_core::{ProcessContext, ProcessStatus};
use kmidi_graph::NodeId;
use kmidi_rt::Report;
use kmidi_sys::FlushDenormals;

use crate::rig::{Function, RATE, Rig, info, largest_step, source};

fn sine(frame: u64) -> f32 {
    0.25 * (frame as f32 * 0.05).sin()
}

/// A good node on the left, and one on the right that plays `bad` at frame 1000.
fn good_and_bad(bad: f32) -> (Rig, NodeId) {
    let mut rig = Rig::new(16);
    let graph = &mut rig.graph;
    let stereo = |name: &str| kmidi_core::NodeInfo { audio_outputs: vec![1, 1], ..info(name, 0, 0, 0) };
    let mut frame = 0u64;
    let left = Function(move |cx: &mut ProcessContext<'_>| {
        (frame..).zip(cx.audio.outputs[0].iter_mut()).for_each(|(frame, out)| *out = sine(frame));
        cx.audio.outputs[1].fill(0.0);
        frame += u64::from(cx.frames);
        ProcessStatus::Continue
    });
    let good = graph.add_processor(stereo("good"), Box::new(left)).unwrap();
    let signal = move |frame| if frame == 1000 { bad } else { sine(frame) };
    let broken = graph.add_processor(info("broken", 0, 1, 0), source(signal)).unwrap();
    let output = graph.add_processor(
        kmidi_core::NodeInfo { audio_inputs: vec![1, 1], ..info("merge", 0, 2, 0) },
        Box::new(Function(|cx: &mut ProcessContext<'_>| {
            for (output, input) in cx.audio.outputs.iter_mut().zip(cx.audio.inputs) {
                output.copy_from_slice(input);
            }
            ProcessStatus::Continue
        })),
    );
    let (merge, output) = (output.unwrap(), graph.add_output(2).unwrap());
    graph.connect_audio((good, 0), (merge, 0)).unwrap();
    graph.connect_audio((broken, 0), (merge, 1)).unwrap();
    graph.connect_audio((merge, 0), (output, 0)).unwrap();
    rig.swap_at_once();
    (rig, broken)
}

#[test]
fn garbage_mutes_its_node_alone_and_names_it() {
    let hold = (RATE * GUARD_HOLD_MS / 1000) as usize;
    for (bad, non_finite) in
        [(f32::NAN, true), (f32::INFINITY, true), (f32::NEG_INFINITY, true), (31.6, false), (-1e30, false)]
    {
        let (mut rig, broken) = good_and_bad(bad);
        rig.run((1200 + hold + 200) / 16);
        let slot = rig.graph.slot(broken).unwrap();
        assert_eq!(rig.reports(), [Report::GuardTripped { slot, non_finite, quantum: 1000 / 16 }]);
        assert_eq!(rig.graph.name_of_slot(slot), Some("broken"));
        assert_eq!(rig.nodes.guard_trips(), 1);
        let sound = |frame: usize| sine(frame as u64);
        assert!((0..rig.heard[0].len()).all(|frame| rig.heard[0][frame] == sound(frame)), "{bad}");
        let right = &rig.heard[1];
        assert!((0..1000).all(|frame| right[frame] == sound(frame)));
        assert!(right[1100..1000 + hold].iter().all(|&x| x == 0.0), "{bad}: muted");
        assert!((1000 + hold + 110..right.len()).all(|frame| right[frame] == sound(frame)), "{bad}: back");
        assert!(largest_step(right) < 0.02, "{bad}: a click of {}", largest_step(right));
    }
}

#[test]
fn denormals_and_loud_music_are_no_garbage() {
    for sample in [1e-40, -1e-45, 15.8, -15.8] {
        let (mut rig, _) = good_and_bad(sample);
        rig.run(100);
        assert_eq!((rig.reports(), rig.nodes.guard_trips()), (vec![], 0), "{sample}");
    }
}

#[test]
fn a_guard_that_has_tripped_survives_a_recompile() {
    let (mut rig, _) = good_and_bad(f32::NAN);
    rig.run(70);
    rig.swap();
    rig.run(100);
    assert_eq!(rig.nodes.guard_trips(), 1);
    assert!(rig.heard[1][1120..].iter().all(|&x| x == 0.0), "still muted");
}

#[test]
#[cfg_attr(miri, ignore = "Miri has no floating-point modes")]
fn floating_point_modes_that_a_node_leaves_behind_are_put_back() {
    let mut rig = Rig::new(16);
    let careless = Function(|cx: &mut ProcessContext<'_>| {
        std::mem::forget(FlushDenormals::enable());
        cx.audio.silence_outputs();
        ProcessStatus::Continue
    });
    let careless = rig.graph.add_processor(info("careless", 0, 1, 0), Box::new(careless)).unwrap();
    let seen = std::sync::Arc::new(std::sync::Mutex::new(vec![]));
    let log = seen.clone();
    let witness = Function(move |cx: &mut ProcessContext<'_>| {
        log.lock().unwrap().push(FlushDenormals::is_on());
        cx.audio.silence_outputs();
        ProcessStatus::Continue
    });
    let witness = rig.graph.add_processor(info("witness", 1, 1, 0), Box::new(witness)).unwrap();
    rig.graph.connect_audio((careless, 0), (witness, 0)).unwrap();
    rig.swap_at_once();
    rig.run(2);
    assert_eq!(*seen.lock().unwrap(), [false, false]);
    assert!(!FlushDenormals::is_on());
}

#[test]
fn the_output_never_exceeds_full_scale() {
    let mut rig = Rig::new(16);
    let output = rig.graph.add_output(2).unwrap();
    for _ in 0..5 {
        let loud = rig.graph.add_processor(info("loud", 0, 2, 0), source(|f| 9.0 * sine(f))).unwrap();
        rig.graph.connect_audio((loud, 0), (output, 0)).unwrap();
    }
    rig.swap_at_once();
    rig.run(100);
    let peak = rig.heard.iter().flatten().fold(0.0f32, |peak, x| peak.max(x.abs()));
    assert!((0.99..=1.0).contains(&peak), "{peak}");
    assert!(rig.schedule.ceiling_frames() > 1000);
}
