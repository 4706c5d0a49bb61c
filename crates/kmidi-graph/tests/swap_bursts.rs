//! Exchanging graphs in bursts allocates and frees nothing on side A. In a binary of its own: the
//! allocator is the whole program's.

#[path = "graph/rig.rs"]
#[allow(dead_code, reason = "the other tests use more of it")]
mod rig;

use assert_no_alloc::{AllocDisabler, assert_no_alloc, reset_violation_count, violation_count};
use fastrand::Rng;
use kmidi_core::{
    AudioPorts, Event, EventBuffer, ProcessContext, ProcessStatus, Processor, SysExPool, Transport,
};
use kmidi_graph::NodeId;
use kmidi_rt::{GraphSwap, MapSource, Mapping, MidiMap, Zone, rack_input};
use rig::{Function, Rig, info};

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

/// Adds its inputs up and passes events on.
fn plain() -> Box<dyn Processor> {
    Box::new(Function(|cx: &mut ProcessContext<'_>| {
        for (channel, output) in cx.audio.outputs.iter_mut().enumerate() {
            output.fill(0.01);
            if let Some(input) = cx.audio.inputs.get(channel) {
                output.iter_mut().zip(input.iter()).for_each(|(out, x)| *out += x * 0.1);
            }
        }
        for event in cx.events_in {
            let _ = cx.events_out.push(kmidi_core::TimedEvent { port: 0, ..*event });
        }
        ProcessStatus::Continue
    }))
}

struct Case {
    rig: Rig,
    random: Rng,
    song: NodeId,
    output: NodeId,
    nodes: Vec<NodeId>,
}

impl Case {
    fn new() -> Self {
        let mut rig = Rig::new(64);
        // What the rig writes down must not need more room.
        rig.heard.iter_mut().for_each(|heard| heard.reserve(1 << 21));
        let (song, output) = (rig.graph.add_sequencer().unwrap(), rig.graph.add_output(2).unwrap());
        Case { rig, random: Rng::with_seed(7), song, output, nodes: vec![] }
    }

    /// A random edit: nodes come and go, edges too, latencies and gains change.
    fn edit(&mut self) -> GraphSwap {
        let (graph, random) = (&mut self.rig.graph, &mut self.random);
        for _ in 0..1 + random.usize(..3) {
            let some = |random: &mut Rng, nodes: &[NodeId]| nodes[random.usize(..nodes.len())];
            match random.usize(..8) {
                0 | 1 if self.nodes.len() < 12 => {
                    let latency = random.usize(..500) as u32;
                    let id = graph.add_processor(info("node", 2, 2, latency), plain()).unwrap();
                    if let Some(&before) = self.nodes.last() {
                        graph.connect_audio((before, 0), (id, 0)).unwrap();
                    }
                    graph.connect_events((self.song, 0), (id, 0)).unwrap();
                    graph.connect_audio((id, 0), (self.output, 0)).unwrap();
                    self.nodes.push(id);
                }
                _ if self.nodes.len() < 2 => {}
                2 => {
                    let gone = self.nodes.swap_remove(random.usize(..self.nodes.len()));
                    graph.remove_node(gone).unwrap();
                }
                3 => {
                    let id = some(random, &self.nodes);
                    graph.set_latency(id, random.usize(..3000) as u32).unwrap();
                }
                4 => graph.disconnect_events(self.song, some(random, &self.nodes)),
                5 => graph.connect_events((self.song, 0), (some(random, &self.nodes), 2)).unwrap(),
                6 => graph.disconnect_audio(some(random, &self.nodes), self.output),
                _ => {
                    let id = some(random, &self.nodes);
                    graph.connect_audio((id, 0), (self.output, 0)).unwrap();
                    graph.set_connection_gain(id, self.output, random.usize(..9) as f32 * 0.1).unwrap();
                }
            }
        }
        self.rig.compile()
    }
}

/// Runs bursts of swaps; all of side A inside the watch. Returns the number of nodes that went home.
fn bursts(rounds: usize, planted: bool) -> (u32, usize) {
    let mut case = Case::new();
    let song: Vec<_> = (0..16u8).map(|key| (u32::from(key), 0, Event::note_on(key % 3, key, 100))).collect();
    reset_violation_count();
    let mut home = 0;
    for _ in 0..rounds {
        let size = 1 + case.random.usize(..8);
        let mut burst: Vec<GraphSwap> = (0..size).map(|_| case.edit()).collect();
        let polite = case.random.bool();
        let rig = &mut case.rig;
        rig.sent.reserve(1 << 12);
        assert_no_alloc(|| {
            for swap in &mut burst {
                while polite && !swap.ready(&mut rig.schedule) {
                    rig.quantum(&song);
                }
                swap.adopt(&mut rig.schedule, &mut rig.nodes);
                if planted {
                    drop(std::hint::black_box(Box::new(1)));
                }
            }
            (0..4).for_each(|_| rig.quantum(&song));
        });
        home += burst.into_iter().map(|swap| swap.into_processors().count()).sum::<usize>();
        rig.heard.iter_mut().for_each(Vec::clear);
    }
    (violation_count(), home)
}

#[test]
fn bursts_of_graphs_allocate_and_free_nothing() {
    let (violations, _) = bursts(2, true);
    assert!(violations > 0, "a planted allocation is seen");
    let (violations, home) = bursts(if cfg!(miri) { 2 } else { 300 }, false);
    assert_eq!(violations, 0);
    assert!(home > 20, "processors came home: {home}");
}

/// Plays a storm through the node in front of a rack's plugin while its zone and its map change.
fn storm(planted: bool) -> u32 {
    let mut random = Rng::with_seed(3);
    let mut map = MidiMap::default();
    for (source, parameter) in
        [(MapSource::Controller(7), 1), (MapSource::ControllerPair(1), 2), (MapSource::PitchBend, 3)]
    {
        let pick_up = parameter == 2;
        map.push(Mapping {
            source,
            channels: 3,
            parameter,
            at_lowest: 0.0,
            at_highest: 1.0,
            pick_up,
            present: 0.5,
        })
        .unwrap();
    }
    let (mut handle, mut node) = rack_input(Zone::default(), &map);
    let (mut events_in, mut events_out) = (EventBuffer::with_capacity(256), EventBuffer::with_capacity(64));
    let (mut sysex, transport) = (SysExPool::new(), Transport::default());
    reset_violation_count();
    for round in 0..2_000u32 {
        events_in.clear();
        for time in 0..random.u32(..64) {
            let bytes = [random.u8(0x80..0xf0), random.u8(..128), random.u8(..128)];
            let event = Event::from_midi1(&bytes).unwrap();
            let _ = events_in.push(kmidi_core::TimedEvent { time, port: 0, event });
        }
        if round % 16 == 0 {
            let low = random.u8(..128);
            let zone = Zone { keys: (low, 127), transpose: random.i8(-24..24), ..Zone::default() };
            let none = MidiMap::default();
            let _ = handle.set(zone, if random.bool() { &map } else { &none });
            let _ = handle.present(2, random.f64());
        }
        assert_no_alloc(|| {
            events_out.clear();
            if planted {
                drop(std::hint::black_box(Box::new(1)));
            }
            node.process(&mut ProcessContext {
                frames: 64,
                transport: &transport,
                audio: AudioPorts { inputs: &[], outputs: &mut [], silent_inputs: 0, silent_outputs: 0 },
                events_in: events_in.as_slice(),
                events_out: &mut events_out,
                sysex: &mut sysex,
            });
        });
        while round % 64 == 0 && handle.moved().is_some() {}
    }
    violation_count()
}

#[test]
fn what_is_in_front_of_a_racks_plugin_allocates_and_frees_nothing() {
    assert!(storm(true) > 0, "a planted allocation is seen");
    assert_eq!(storm(false), 0);
}
