//! Who joins in the middle of a song knows what the song has said before, as after a seek to that place.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use kmidi_core::{Event, Frames, NodeInfo, ProcessContext, ProcessStatus, Processor, SongTime};
use kmidi_device::Offline;
use kmidi_graph::NodeId;
use kmidi_memory::Budgets;
use kmidi_rt::{ChannelFilter, Engine, When};
use kmidi_song::{ChannelState, ChaseMessage};

use super::stage::RATE;
use crate::feed::{Feed, RESIDENT_EVENTS};
use crate::job::Cancel;
use crate::rack::Compensation;
use crate::reader::SongReader;
use crate::rig::{CHANNELS, Rig, RigConfig, SoundSettings};
use crate::song::OpenSong;

const QUANTUM: u32 = 64;

/// What somebody heard: the quantum since it was made, and the event.
type Log = Arc<Mutex<Vec<(u64, Event)>>>;

struct Listener {
    log: Log,
    quantum: u64,
}

impl Processor for Listener {
    fn process(&mut self, cx: &mut ProcessContext<'_>) -> ProcessStatus {
        self.log.lock().unwrap().extend(cx.events_in.iter().map(|event| (self.quantum, event.event)));
        self.quantum += 1;
        ProcessStatus::Continue
    }

    fn reset(&mut self) {}
}

struct Stage {
    rig: Rig,
    engine: Engine,
    driver: Offline,
}

/// An engine that plays the song from here.
fn play(song: &OpenSong, from: SongTime) -> Stage {
    let config = RigConfig {
        sample_rate_hz: RATE,
        quantum_frames: QUANTUM,
        live_in: false,
        channels_in: 0,
        channels_out: CHANNELS as u16,
        midi_out: false,
        has_ceiling: false,
        compensation: Compensation::Song,
    };
    let (mut rig, engine) = Rig::new(config, &SoundSettings::default()).unwrap();
    let reader = SongReader::new(song.index.clone(), song.source.clone(), RATE).unwrap();
    let (mut feed, timeline) = Feed::open(reader, None, 1, RESIDENT_EVENTS).unwrap();
    let locate = feed.locate(from, None).unwrap();
    rig.handle.set_timeline(Some(timeline), locate, When::Now).unwrap();
    rig.handle.play().unwrap();
    Stage { rig, engine, driver: Offline::new(CHANNELS) }
}

impl Stage {
    fn run(&mut self, quanta: u64) {
        for _ in 0..quanta {
            self.driver.run(&mut self.engine, QUANTUM as usize);
            self.rig.handle.collect();
        }
    }

    fn join(&mut self, channels: u16) -> (NodeId, Log) {
        let log = Log::default();
        let info = NodeInfo { name: "listener".into(), event_inputs: 1, ..NodeInfo::default() };
        let listener = Box::new(Listener { log: log.clone(), quantum: 0 });
        let node = self.rig.graph.add_processor(info, listener).unwrap();
        self.rig.graph.connect_events((self.rig.parts.song, 0), (node, 0)).unwrap();
        self.hear(node, channels);
        (node, log)
    }

    fn hear(&mut self, node: NodeId, channels: u16) {
        let song = self.rig.parts.song;
        self.rig.graph.set_event_filter(song, node, ChannelFilter::only(channels)).unwrap();
        self.rig.handle.set_graph(&mut self.rig.graph).unwrap();
    }
}

/// What a receiver of these events is set to: by channel, what, and its value.
fn settings<'a>(events: impl Iterator<Item = &'a Event>) -> BTreeMap<(u8, String), i32> {
    let mut state = ChannelState::default();
    events.for_each(|event| state.feed(0, ChaseMessage::Event(*event)));
    let mut settings = BTreeMap::new();
    let mut selected: BTreeMap<u8, [u8; 4]> = BTreeMap::new();
    state.chase(1, u16::MAX, &mut |_, message| {
        let ChaseMessage::Event(event) = message else { return };
        let (channel, what, value) = match event {
            Event::ControlChange { channel, controller: 121, .. } => (channel, "reset".to_owned(), 0),
            Event::ControlChange { channel, controller: controller @ 98..=101, value } => {
                selected.entry(channel).or_default()[usize::from(controller - 98)] = value;
                return;
            }
            Event::ControlChange { channel, controller: controller @ (6 | 38), value } => {
                (channel, format!("data {controller} of {:?}", selected.get(&channel)), value.into())
            }
            Event::ControlChange { channel, controller, value } => {
                (channel, format!("controller {controller}"), value.into())
            }
            Event::ProgramChange { channel, program } => (channel, "program".to_owned(), program.into()),
            Event::PitchBend { channel, value } => (channel, "bend".to_owned(), value.into()),
            Event::ChannelPressure { channel, pressure } => (channel, "pressure".to_owned(), pressure.into()),
            _ => return,
        };
        settings.insert((channel, what), value);
    });
    settings
}

fn song() -> OpenSong {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/midi/freedoom/freedoom2_D_RUNNIN.mid");
    OpenSong::open_here(Path::new(path), &Budgets::default(), &Cancel::default()).unwrap()
}

fn heard(log: &Log) -> Vec<(u64, Event)> {
    log.lock().unwrap().clone()
}

/// Events of these channels alone.
fn of(channels: u16, events: &[(u64, Event)]) -> Vec<Event> {
    let is_meant = |event: &&Event| event.channel().is_some_and(|channel| channels >> channel & 1 == 1);
    events.iter().map(|(_, event)| event).filter(is_meant).copied().collect()
}

#[test]
fn who_joins_a_song_is_told_what_a_seek_to_that_place_tells() {
    let song = song();
    for (at_quantum, channels) in [(500, u16::MAX), (9_001, u16::MAX), (30_000, 0b10_0110)] {
        let mut running = play(&song, SongTime::ZERO);
        running.run(at_quantum);
        let (_, log) = running.join(channels);
        running.run(200);
        let place = SongTime::from_frames(Frames(i64::from(QUANTUM) * at_quantum as i64));
        let mut sought = play(&song, place);
        let (_, seeker) = sought.join(channels);
        sought.run(200);

        let (joined, seeker) = (of(channels, &heard(&log)), of(channels, &heard(&seeker)));
        let (is, should) = (settings(joined.iter()), settings(seeker.iter()));
        assert!(should.len() > 60, "{should:#?}");
        assert_eq!(is, should, "quantum {at_quantum}");
        // From there on it is the same music.
        let notes = |events: &[Event]| -> Vec<Event> {
            events.iter().filter(|event| matches!(event, Event::NoteOn { .. })).copied().collect()
        };
        assert_eq!(notes(&joined), notes(&seeker));
        // The control: what comes from there on does not say it.
        let later: Vec<_> = heard(&log).into_iter().filter(|(quantum, _)| *quantum > 0).collect();
        assert_ne!(settings(of(channels, &later).iter()), should);
    }
}

#[test]
fn who_gets_more_channels_is_told_of_these_alone() {
    let song = song();
    let mut stage = play(&song, SongTime::ZERO);
    let (node, log) = stage.join(0b10);
    stage.run(5_000);
    let before = heard(&log).len();
    stage.hear(node, 0b110);
    stage.run(1);
    let told = heard(&log)[before..].to_vec();
    let (old, new) = (of(0b10, &told), of(0b100, &told));
    let is_setting = |event: &&Event| !matches!(event, Event::NoteOn { .. } | Event::NoteOff { .. });
    assert!(new.iter().filter(is_setting).count() > 10, "{new:?}");
    assert!(old.iter().filter(is_setting).count() < 10, "{old:?}");
    // A graph that changes nothing of it tells nothing.
    let before = heard(&log).len();
    stage.hear(node, 0b110);
    stage.run(1);
    let told = heard(&log)[before..].to_vec();
    assert!(told.len() < 10, "{told:?}");
}
