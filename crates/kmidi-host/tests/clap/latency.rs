//! Paths side by side through plugins that are late: whatever one note causes comes out once, together, at the told
//! latency, and every plugin is told the song's position of what it renders.

use kmidi_core::{DeviceCallback, DeviceIo, Event, Frames, MidiBuffer, SongTime};
use kmidi_graph::{Compensation, EngineHandle, Graph, NodeId, engine};
use kmidi_host::{Activation, ActivePlugin};
use kmidi_rt::{Engine, EngineConfig, Locate, Message, Page, PageEvent, Source, Timeline, When};
use kmidi_test_clap::{STAMP_UNIT, ids, parameters};

use crate::probe::load;
use crate::rig::{QUANTUM, RATE};

/// Around every border there is: nothing, a frame, a quantum, two, the longest that the plugin can be.
const LATENCIES: [u32; 9] = [0, 1, 63, 64, 65, 127, 1000, 4095, 4096];
/// The song's notes, in frames.
const WRITTEN: [usize; 7] = [0, 5, 63, 64, 127, 700, 1500];
/// Until what is new in a graph has faded in.
const BEFORE: usize = 2048;

/// What is late on a path.
#[derive(Clone, Copy, Debug)]
enum Late {
    /// The sound of the instrument.
    Sound,
    /// The notes that come to it.
    Notes,
}

/// A path from the song to the output, and by how much it is late.
type Path = (Late, u32);

struct Stage {
    graph: Graph,
    handle: EngineHandle,
    engine: Engine,
    plugins: Vec<ActivePlugin>,
}

impl Stage {
    fn add(&mut self, id: &str, frames: Option<u32>) -> NodeId {
        let mut plugin = load(id);
        frames.into_iter().for_each(|frames| plugin.set_value(parameters::FRAMES, f64::from(frames)));
        let activation = Activation { sample_rate_hz: RATE, quantum_frames: QUANTUM, offline: false };
        let (plugin, half) = plugin.activate(&activation).map_err(|(_, error)| error).unwrap();
        assert_eq!(plugin.node_info().latency_frames, frames.unwrap_or(0));
        let node = self.graph.add_processor(plugin.node_info().clone(), half).unwrap();
        self.plugins.push(plugin);
        node
    }

    fn add_path(&mut self, (late, frames): Path, song: NodeId) -> NodeId {
        let stamp = self.add(ids::STAMP, None);
        match late {
            Late::Sound => {
                let late = self.add(ids::LATE, Some(frames));
                self.graph.connect_events((song, 0), (stamp, 0)).unwrap();
                self.graph.connect_audio((stamp, 0), (late, 0)).unwrap();
                late
            }
            Late::Notes => {
                let late = self.add(ids::LATE_NOTES, Some(frames));
                self.graph.connect_events((song, 0), (late, 0)).unwrap();
                self.graph.connect_events((late, 0), (stamp, 0)).unwrap();
                stamp
            }
        }
    }

    fn run(&mut self, frames: usize) -> Vec<f32> {
        let mut heard = Vec::with_capacity(frames);
        while heard.len() < frames {
            let (mut left, mut right) = ([f32::NAN; QUANTUM as usize], [f32::NAN; QUANTUM as usize]);
            let midi_in = MidiBuffer::new(16, 256);
            let mut midi_out = MidiBuffer::new(16, 256);
            self.engine.process(&mut DeviceIo {
                frames: QUANTUM as usize,
                inputs: &[],
                outputs: &mut [&mut left, &mut right],
                midi_in: &midi_in,
                midi_out: &mut midi_out,
            });
            self.handle.collect();
            assert_eq!(left, right);
            heard.extend(left);
        }
        heard
    }

    /// The engine first: only then can plugins end.
    fn end(self) {
        let Stage { graph, handle, engine, plugins } = self;
        drop((engine, handle, graph));
        for plugin in plugins {
            drop(plugin.deactivate().map_err(|(_, still)| still).unwrap());
        }
    }
}

fn song() -> Timeline {
    let time = |frame: usize| SongTime::from_frames(Frames(frame as i64));
    let note =
        |frame: &usize, event| PageEvent { time: time(*frame), port: 0, message: Message::Event(event) };
    let events = WRITTEN.iter().map(|frame| note(frame, Event::note_on(0, 60, 90))).collect();
    let page = Page { events, last: true, ..Page::default() };
    Timeline { id: 1, source: Source::Resident(Box::new(page)), end: time(1 << 16) }
}

/// What comes of a song that goes two ways, the second half as loud as the first; and the told latency.
fn heard(paths: [Path; 2], compensation: Compensation) -> (Vec<f32>, usize) {
    let config = EngineConfig {
        sample_rate_hz: RATE,
        quantum_frames: QUANTUM,
        channels_in: 0,
        channels_out: 2,
        has_ceiling: false,
    };
    let (mut handle, engine) = engine(config).unwrap();
    handle.compiler().set_compensation(compensation);
    let mut stage = Stage { graph: Graph::new(), handle, engine, plugins: vec![] };
    let song_node = stage.graph.add_sequencer().unwrap();
    let output = stage.graph.add_output(2).unwrap();
    for (path, gain) in paths.into_iter().zip([1.0, 0.5]) {
        let end = stage.add_path(path, song_node);
        stage.graph.connect_audio((end, 0), (output, 0)).unwrap();
        stage.graph.set_connection_gain(end, output, gain).unwrap();
    }
    stage.handle.set_graph(&mut stage.graph).unwrap();
    stage.run(BEFORE);
    stage.handle.set_timeline(Some(song()), Locate::default(), When::Now).unwrap();
    stage.handle.play().unwrap();
    let latency = stage.handle.compiler().latency_frames() as usize;
    let heard = stage.run(WRITTEN[WRITTEN.len() - 1] + 4096 + 2 * QUANTUM as usize);
    stage.end();
    (heard, latency)
}

/// All that is not silence, with its frame.
fn sounds(heard: &[f32]) -> Vec<(usize, f32)> {
    heard.iter().copied().enumerate().filter(|(_, sample)| *sample != 0.0).collect()
}

/// Both paths together: every note once, at the told latency, with the position that the song has there.
fn together(latency: usize) -> Vec<(usize, f32)> {
    WRITTEN.iter().map(|&frame| (frame + latency, 1.5 * (frame + 1) as f32 * STAMP_UNIT)).collect()
}

fn sweep(kinds: [Late; 2]) {
    for first in LATENCIES {
        for second in LATENCIES {
            let paths = [(kinds[0], first), (kinds[1], second)];
            let (heard, latency) = heard(paths, Compensation::Song);
            assert_eq!(latency, first.max(second) as usize, "{paths:?}");
            assert_eq!(sounds(&heard), together(latency), "{paths:?}");
        }
    }
}

#[test]
fn sound_through_plugins_of_any_two_latencies_lines_up() {
    sweep([Late::Sound, Late::Sound]);
}

#[test]
fn notes_through_plugins_of_any_two_latencies_line_up_and_find_the_song_where_they_are_written() {
    sweep([Late::Notes, Late::Notes]);
}

#[test]
fn sound_that_is_late_lines_up_with_notes_that_are() {
    sweep([Late::Sound, Late::Notes]);
}

#[test]
fn control_without_compensation_nothing_lines_up() {
    for (first, second) in [(0, 1), (64, 63), (1000, 0), (4096, 4095), (0, 4096)] {
        let (heard, _) = heard([(Late::Sound, first), (Late::Sound, second)], Compensation::Off);
        let sounds = sounds(&heard);
        assert_ne!(sounds, together(first.max(second) as usize));
        let path = |late: u32, part: f32| {
            WRITTEN.map(|frame| (frame + late as usize, part * (frame + 1) as f32 * STAMP_UNIT))
        };
        let mut apart: Vec<_> = path(first, 1.0).into_iter().chain(path(second, 0.5)).collect();
        apart.sort_by_key(|it| it.0);
        // Two that meet by chance are one sound.
        apart.dedup_by(|later, earlier| {
            let meet = later.0 == earlier.0;
            earlier.1 += if meet { later.1 } else { 0.0 };
            meet
        });
        assert_eq!(sounds, apart, "{first} and {second}");
    }
}
