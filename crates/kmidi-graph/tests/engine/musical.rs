//! Musical time: beats and bars as a node is told them, through changes of tempo and meter, loops and latency.

use std::sync::{Arc, Mutex};

use kmidi_core::{
    Beats, Event, Meter, MusicalAnchor, NodeInfo, ProcessContext, ProcessStatus, Processor, Tempo,
};
use kmidi_rt::When;

use crate::rig::{RATE, Recorder, Rig, at, frames, locate, resident};

/// Song frame, beats, start of the bar and bars before it, at each quantum in which the song plays.
type Seen = Arc<Mutex<Vec<(i64, f64, f64, i32)>>>;

struct Witness {
    seen: Seen,
}

impl Processor for Witness {
    fn process(&mut self, cx: &mut ProcessContext<'_>) -> ProcessStatus {
        let transport = cx.transport;
        if transport.playing {
            let position = transport.position.to_frames().0;
            let (beats, bar_start) = (transport.beats.as_f64(), transport.bar_start.as_f64());
            self.seen.lock().unwrap().push((position, beats, bar_start, transport.bar));
        }
        cx.audio.silence_outputs();
        ProcessStatus::Continue
    }
    fn reset(&mut self) {}
}

const SECOND: i64 = RATE as i64;

/// Two beats in the first second and one in each other; from beat 3 on, three to a bar.
fn expected(position: i64) -> (f64, f64, i32) {
    let seconds = position as f64 / SECOND as f64;
    let beats = if seconds < 1.0 { 2.0 * seconds } else { 1.0 + seconds };
    let bars = ((beats - 3.0) / 3.0).floor();
    if beats < 3.0 { (beats, 0.0, 0) } else { (beats, 3.0 + 3.0 * bars, 1 + bars as i32) }
}

/// What side B would say of the place at one second.
fn at_one_second() -> MusicalAnchor {
    MusicalAnchor {
        time: frames(SECOND),
        beats: Beats::from_ticks(2, 1),
        tempo: Tempo { micros_per_quarter: 1_000_000 },
        sample_rate_hz: RATE,
        ..MusicalAnchor::default()
    }
}

#[test]
fn beats_and_bars_are_those_of_the_song_whatever_happens_on_the_way() {
    let waltz = Meter { numerator: 3, denominator_log2: 2 };
    let song = [
        at(frames(SECOND), 0, Event::Tempo(Tempo { micros_per_quarter: 1_000_000 })),
        at(frames(2 * SECOND), 0, Event::Meter(waltz)),
    ];
    for latency_frames in [0, 100] {
        let mut rig = Rig::new(64);
        let seen = Seen::default();
        let late = NodeInfo { audio_outputs: vec![1], latency_frames, ..Recorder::info("late") };
        let late = rig.graph.add_processor(late, Box::new(Witness { seen: Seen::default() })).unwrap();
        let witness = NodeInfo { audio_inputs: vec![1], ..Recorder::info("witness") };
        let witness = rig.graph.add_processor(witness, Box::new(Witness { seen: seen.clone() })).unwrap();
        rig.graph.connect_audio((late, 0), (witness, 0)).unwrap();
        rig.graph.connect_audio((witness, 0), (rig.output, 0)).unwrap();
        rig.handle.set_graph(&mut rig.graph).unwrap();
        // From the start to second 7, then from second 1 again and again.
        let mut place = locate(&song, frames(0), Some((frames(SECOND), frames(7 * SECOND))));
        place.chase.musical = MusicalAnchor { sample_rate_hz: RATE, ..MusicalAnchor::default() };
        place.looping.as_mut().unwrap().chase.musical = at_one_second();
        let song = resident(1, &song, frames(20 * SECOND));
        rig.handle.set_timeline(Some(song), place, When::Now).unwrap();
        rig.handle.play().unwrap();
        rig.render(15 * SECOND as usize, std::iter::repeat(64));
        let seen = seen.lock().unwrap();
        let begun = seen.iter().filter(|it| (SECOND..SECOND + 64).contains(&it.0)).count();
        assert_eq!(begun, 3, "once and two wraps: {:?}", &seen[seen.len() - 3..]);
        for &(position, beats, bar_start, bar) in seen.iter() {
            let (exact_beats, exact_start, exact_bar) = expected(position);
            assert!((beats - exact_beats).abs() < 1e-3, "{position}: beat {beats}, not {exact_beats}");
            // Within a frame of a bar line either side is right.
            let distance = (exact_beats - exact_start).min(3.0 - (exact_beats - exact_start));
            if distance > 1e-3 {
                assert!((bar_start - exact_start).abs() < 1e-3 && bar == exact_bar, "{position}: bar {bar}");
            }
        }
    }
}
