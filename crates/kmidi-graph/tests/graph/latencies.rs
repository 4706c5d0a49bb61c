//! Latencies that change, and live paths.

use kmidi_core::Event;
use kmidi_graph::{Compensation, Graph, NodeId};

use crate::rig::{Late, Rig, click, info, largest_step, source};

fn onsets(heard: &[f32]) -> Vec<usize> {
    (0..heard.len()).filter(|&frame| heard[frame] != 0.0).collect()
}

/// The song and a live input each play a clicker; the song's is also behind a late node.
fn song_and_live(compensation: Compensation, live_latency: u32) -> (Vec<usize>, u32) {
    let mut rig = Rig::new(16);
    rig.compiler.set_compensation(compensation);
    let graph = &mut rig.graph;
    let clicker = |graph: &mut Graph, latency| -> NodeId {
        graph.add_processor(info("clicker", 0, 1, latency), Late::new(1, latency)).unwrap()
    };
    let (song, live) = (graph.add_sequencer().unwrap(), graph.add_live_in().unwrap());
    let (early, late, played) = (clicker(graph, 0), clicker(graph, 100), clicker(graph, live_latency));
    let output = graph.add_output(2).unwrap();
    for node in [early, late] {
        graph.connect_events((song, 0), (node, 0)).unwrap();
        graph.connect_audio((node, 0), (output, 0)).unwrap();
    }
    graph.connect_events((live, 0), (played, 0)).unwrap();
    graph.connect_audio((played, 0), (output, 0)).unwrap();
    rig.swap_at_once();
    rig.play_live(7, Event::note_on(0, 60, 1));
    rig.quantum(&[(3, 0, Event::note_on(0, 60, 1))]);
    rig.run(40);
    (onsets(&rig.heard[0]), rig.compiler.latency_frames())
}

#[test]
fn live_paths_are_not_delayed_unless_asked() {
    assert_eq!(song_and_live(Compensation::Song, 0), (vec![7, 103], 100));
    assert_eq!(song_and_live(Compensation::All, 0), (vec![103, 107], 100));
    assert_eq!(song_and_live(Compensation::Off, 0), (vec![3, 7, 103], 100));
}

#[test]
fn the_song_does_not_wait_for_a_live_path() {
    assert_eq!(song_and_live(Compensation::Song, 250), (vec![103, 257], 100));
    assert_eq!(song_and_live(Compensation::All, 250), (vec![253, 257], 250));
}

#[test]
fn a_latency_that_changes_while_it_sounds_does_not_click_and_is_compensated() {
    let mut rig = Rig::new(16);
    let sine = |frame: u64| 0.4 * (frame as f32 * 0.05).sin();
    let graph = &mut rig.graph;
    let straight = graph.add_processor(info("straight", 0, 1, 0), source(sine)).unwrap();
    // Says it is late and is silent: what is heard is the other path, delayed.
    let other = graph.add_processor(info("other", 0, 1, 0), source(|_| 0.0)).unwrap();
    let output = graph.add_output(2).unwrap();
    graph.connect_audio((straight, 0), (output, 0)).unwrap();
    graph.connect_audio((other, 0), (output, 0)).unwrap();
    rig.swap_at_once();
    rig.run(20);
    for latency in [100, 40, 300, 0, 1000, 7] {
        rig.graph.set_latency(other, latency).unwrap();
        rig.swap();
        rig.run(150);
        let (frame, heard) = (rig.frame - 1, *rig.heard[0].last().unwrap());
        assert_eq!(heard, sine(frame - u64::from(latency)), "latency {latency}");
        assert_eq!(rig.compiler.latency_frames(), latency);
    }
    assert!(largest_step(&rig.heard[0]) < 0.03, "{}", largest_step(&rig.heard[0]));
}

#[test]
fn events_on_their_way_survive_any_change_of_latency_in_order() {
    let mut rig = Rig::new(16);
    let graph = &mut rig.graph;
    let (song, midi) = (graph.add_sequencer().unwrap(), graph.add_midi_out().unwrap());
    let late = graph.add_processor(info("late", 0, 1, 0), Late::new(1, 0)).unwrap();
    let output = graph.add_output(1).unwrap();
    graph.connect_events((song, 0), (late, 0)).unwrap();
    graph.connect_audio((late, 0), (output, 0)).unwrap();
    graph.connect_events((song, 2), (midi, 3)).unwrap();
    rig.swap_at_once();
    let mut expected = vec![];
    for (key, latency) in (1u8..).zip([0u32, 500, 20, 0, 0, 300, 299, 0, 1]) {
        rig.graph.set_latency(late, latency).unwrap();
        rig.swap();
        for on in [true, false] {
            let event = if on { Event::note_on(0, key, 1) } else { Event::note_off(0, key, 1) };
            expected.push((3, event));
            rig.quantum(&[(5, 2, event)]);
        }
    }
    rig.run(50);
    let sent: Vec<_> = rig.sent.iter().map(|(_, port, event)| (*port, *event)).collect();
    assert_eq!(sent, expected);
}

#[test]
fn what_is_heard_and_what_is_sent_leave_together() {
    let mut rig = Rig::new(16);
    let graph = &mut rig.graph;
    let (song, midi) = (graph.add_sequencer().unwrap(), graph.add_midi_out().unwrap());
    let late = graph.add_processor(info("late", 0, 1, 77), Late::new(1, 77)).unwrap();
    let output = graph.add_output(1).unwrap();
    graph.connect_events((song, 0), (late, 0)).unwrap();
    graph.connect_events((song, 0), (midi, 0)).unwrap();
    graph.connect_audio((late, 0), (output, 0)).unwrap();
    rig.swap_at_once();
    rig.quantum(&[(3, 0, Event::note_on(0, 64, 1))]);
    rig.run(10);
    assert_eq!(onsets(&rig.heard[0]), [80]);
    assert_eq!(rig.heard[1][80], click(64) as f32, "one channel is heard on both sides");
    assert_eq!(rig.sent, [(80, 0, Event::note_on(0, 64, 1))]);
}
