//! The same samples whatever the lengths of the callbacks.

use fastrand::Rng;
use kmidi_core::{Event, NodeInfo, ProcessContext, ProcessStatus, Processor, TempoScale};

use crate::rig::{Rig, dense_song, frames, locate};

const LENGTH: usize = 100_000;

/// A song with a loop, another tempo, mutes, transposition and a seek, all sent at fixed frames.
fn scenario(rig: &mut Rig, mut sizes: impl Iterator<Item = usize>) -> Vec<[f32; 2]> {
    let song = dense_song(5, 1500, frames(90_000));
    rig.load(&song, frames(90_000));
    rig.handle.set_tempo_scale("1.1".parse::<TempoScale>().unwrap()).unwrap();
    rig.handle.locate(locate(&song, frames(1000), Some((frames(900), frames(20_001))))).unwrap();
    rig.handle.play().unwrap();
    rig.render(LENGTH / 2, &mut sizes);
    // Mail is taken by quanta, so it is sent where every run has just finished one.
    rig.handle.mute(1, 0x0f0f).unwrap();
    rig.handle.transpose(5, [!(1 << 9); 4]).unwrap();
    rig.handle.master_gain(0.5).unwrap();
    rig.handle.locate(locate(&song, frames(40_000), None)).unwrap();
    rig.render(LENGTH / 2, &mut sizes);
    std::mem::take(&mut rig.heard)
}

fn bits(heard: &[[f32; 2]]) -> Vec<[u32; 2]> {
    heard.iter().map(|frame| frame.map(f32::to_bits)).collect()
}

fn run(quantum: u32, sizes: impl Iterator<Item = usize>) -> Vec<[u32; 2]> {
    bits(&scenario(&mut Rig::new(quantum), sizes))
}

#[test]
fn any_callback_length_gives_the_same_bits() {
    // Half of the length is a multiple of this quantum.
    assert_eq!(LENGTH / 2 % 50, 0);
    let reference = run(50, std::iter::repeat(50));
    assert!(reference.iter().filter(|frame| frame[0] != 0).count() > LENGTH / 2, "it sounds");
    assert_eq!(run(50, std::iter::repeat(50)), reference, "and again");
    for size in [1, 32, 64, 441, 1024, 8192, 20_000] {
        assert!(run(50, std::iter::repeat(size)) == reference, "callbacks of {size}");
    }
    for seed in 1..4 {
        let mut random = Rng::with_seed(seed);
        let sizes = std::iter::repeat_with(move || 1 + random.u64(..3000) as usize);
        assert!(run(50, sizes) == reference, "random callbacks, seed {seed}");
    }
}

#[test]
fn another_quantum_gives_the_same_bits_too() {
    // The recorder renders by frames, so only the smoothing of gains could differ, and must not.
    let song = dense_song(9, 1500, frames(90_000));
    let run = |quantum| {
        let mut rig = Rig::new(quantum);
        rig.load(&song, frames(90_000));
        rig.handle.set_tempo_scale("0.93".parse().unwrap()).unwrap();
        rig.handle.locate(locate(&song, frames(1000), Some((frames(900), frames(20_001))))).unwrap();
        rig.handle.play().unwrap();
        rig.render(50_000, std::iter::repeat(512));
        bits(&rig.heard)
    };
    let reference = run(64);
    for quantum in [1, 16, 100, 256, 1024] {
        assert!(run(quantum) == reference, "quantum {quantum}");
    }
}

/// Puts a click at the start of each block it is given: the sort of node that is to be caught.
struct BlockDependent;

impl Processor for BlockDependent {
    fn process(&mut self, cx: &mut ProcessContext<'_>) -> ProcessStatus {
        cx.audio.outputs[0].fill(0.0);
        cx.audio.outputs[0][0] = 0.5;
        ProcessStatus::Continue
    }
    fn reset(&mut self) {}
}

#[test]
fn the_comparison_sees_a_node_that_depends_on_its_block_length() {
    let run = |quantum, size| {
        let mut rig = Rig::new(quantum);
        let info = NodeInfo { name: "block dependent".into(), audio_outputs: vec![1], ..NodeInfo::default() };
        let node = rig.graph.add_processor(info, Box::new(BlockDependent)).unwrap();
        rig.graph.connect_audio((node, 0), (rig.output, 0)).unwrap();
        rig.handle.set_graph(&mut rig.graph).unwrap();
        rig.render(10_000, std::iter::repeat(size));
        bits(&rig.heard)
    };
    assert!(run(64, 64) != run(48, 64), "another quantum is heard");
    assert!(run(64, 64) == run(64, 441), "another callback length is not");
}

#[test]
fn a_gain_set_before_the_first_quantum_holds_from_its_first_frame_and_a_later_one_moves() {
    let run = |before: f32, later: Option<f32>| {
        let mut rig = Rig::new(64);
        rig.handle.master_gain(before).unwrap();
        rig.midi_in.push((0, vec![0x90, 127, 127]));
        rig.callback(64);
        later.into_iter().for_each(|gain| rig.handle.master_gain(gain).unwrap());
        rig.callback(64);
        rig.heard
    };
    let (full, half) = (run(1.0, None), run(0.5, None));
    assert!(full[0][0] > 0.001 && full[64][0] > 0.001, "it sounds from the first frame");
    for (full, half) in full.iter().zip(&half) {
        assert_eq!(full.map(|x| x * 0.5), *half);
    }
    let lowered = run(1.0, Some(0.5));
    assert_eq!(lowered[64], full[64], "the first frame of a move is where it was");
    assert!(lowered[127][0] < full[127][0] && lowered[127][0] > full[127][0] * 0.5);
}

#[test]
fn without_a_ceiling_loud_sound_passes_as_it_is() {
    let run = |has_ceiling| {
        let mut rig = Rig::with_ceiling(64, has_ceiling);
        rig.handle.master_gain(900.0).unwrap();
        rig.midi_in.push((0, vec![0x90, 127, 127]));
        rig.callback(256);
        let peak = rig.heard.iter().flatten().fold(0.0f32, |peak, x| peak.max(x.abs()));
        (peak, rig.handle.status().ceiling_frames)
    };
    assert!(matches!(run(true), (1.0, 1..)));
    let (peak, lowered) = run(false);
    assert!(peak > 2.0 && lowered == 0, "{peak}, {lowered}");
}

#[test]
fn live_notes_arrive_one_constant_delay_later() {
    for (size, latency) in [(64, 0), (256, 0), (100, 64), (1, 64), (441, 64)] {
        let mut rig = Rig::new(64);
        let mut sent = vec![];
        for callback in 0..2000 / size.min(100) {
            let frame = (callback * 37) % size;
            let key = (callback % 128) as u8;
            rig.midi_in.push((frame as u32, vec![0x90, key, 100]));
            sent.push(((callback * size + frame + latency) as u64, key));
            rig.callback(size);
        }
        rig.render(size * 1000usize.div_ceil(size), std::iter::repeat(size));
        assert_eq!(rig.note_ons(), sent, "callbacks of {size}");
        assert_eq!(rig.handle.status().input_latency_frames as usize, latency);
    }
}

#[test]
fn live_sysex_and_controllers_reach_the_nodes_in_order() {
    let mut rig = Rig::new(64);
    for message in
        [&[0xf0u8, 0x7e, 0x7f, 0x09, 0x01, 0xf7][..], &[0xb3, 7, 100], &[0xc3, 5], &[0xfe], &[0xe3, 0, 64]]
    {
        rig.midi_in.push((3, message.to_vec()));
    }
    rig.callback(64);
    let log = rig.log.lock().unwrap();
    assert!(matches!(log[0], (3, 0, Event::SysEx(_))), "{log:?}");
    assert_eq!(
        log[1..].iter().map(|&(frame, _, event)| (frame, event)).collect::<Vec<_>>(),
        [
            (3, Event::ControlChange { channel: 3, controller: 7, value: 100 }),
            (3, Event::ProgramChange { channel: 3, program: 5 }),
            (3, Event::PitchBend { channel: 3, value: 0 }),
        ]
    );
}
