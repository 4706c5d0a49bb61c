//! Events in and out: dialects, times, floods.

use kmidi_core::{Event, Meter, SongTime, Span, Tempo, TimedEvent, Transport};
use kmidi_host::Told;
use kmidi_test_clap::{deeds, ids, parameters};

use crate::probe::{self, Notes};
use crate::rig::{QUANTUM, RATE, Rig, at};

/// One of each channel message, a frame apart.
fn messages() -> Vec<TimedEvent> {
    let channel = 3;
    [
        Event::PitchBend { channel, value: 4096 },
        Event::NoteOn { channel, key: 60, velocity: 1.0 },
        Event::PolyPressure { channel, key: 60, pressure: 127 },
        Event::ChannelPressure { channel, pressure: 0 },
        Event::ControlChange { channel, controller: 7, value: 100 },
        Event::ProgramChange { channel, program: 5 },
        Event::NoteOff { channel, key: 60, velocity: 0.0 },
        Event::ControlChange { channel, controller: 120, value: 0 },
        Event::ControlChange { channel, controller: 123, value: 0 },
    ]
    .into_iter()
    .zip(0..)
    .map(|(event, time)| at(time, event))
    .collect()
}

fn heard_by(id: &str) -> Vec<String> {
    let mut rig = Rig::new(probe::load(id));
    rig.run(&messages());
    rig.events()
}

#[test]
fn a_port_that_knows_clap_notes_alone_gets_expressions_for_what_is_midi() {
    let want = [
        "@0 Tuning p0 c3 k-1 1.000",
        "@1 on p0 c3 k60 v1.000",
        // The bend was before the note: it must not sound in tune.
        "@1 Tuning p0 c3 k60 1.000",
        "@2 Pressure p0 c3 k60 1.000",
        "@3 Pressure p0 c3 k-1 0.000",
        "@6 off p0 c3 k60 v0.000",
        "@7 choke p0 c3 k-1",
        "@8 off p0 c3 k-1 v0.000",
    ];
    assert_eq!(heard_by(ids::CLAP), want);
}

#[test]
fn a_port_that_knows_midi_alone_gets_every_message_as_it_is() {
    let want = [
        "@0 midi p0 [e3, 00, 60]",
        "@1 midi p0 [93, 3c, 7f]",
        "@2 midi p0 [a3, 3c, 7f]",
        "@3 midi p0 [d3, 00, 00]",
        "@4 midi p0 [b3, 07, 64]",
        "@5 midi p0 [c3, 05, 00]",
        "@6 midi p0 [83, 3c, 00]",
        "@7 midi p0 [b3, 78, 00]",
        "@8 midi p0 [b3, 7b, 00]",
    ];
    assert_eq!(heard_by(ids::MIDI), want);
    assert_eq!(heard_by(ids::MPE), want);
}

#[test]
fn a_port_that_knows_both_gets_notes_as_it_prefers_and_the_rest_as_midi() {
    let want = [
        "@0 midi p0 [e3, 00, 60]",
        "@1 on p0 c3 k60 v1.000",
        "@2 Pressure p0 c3 k60 1.000",
        "@3 midi p0 [d3, 00, 00]",
        "@4 midi p0 [b3, 07, 64]",
        "@5 midi p0 [c3, 05, 00]",
        "@6 off p0 c3 k60 v0.000",
        // What ends all notes goes both ways: not every plugin knows a choke of all keys.
        "@7 choke p0 c3 k-1",
        "@7 midi p0 [b3, 78, 00]",
        "@8 off p0 c3 k-1 v0.000",
        "@8 midi p0 [b3, 7b, 00]",
    ];
    assert_eq!(heard_by(ids::BOTH), want);
}

#[test]
fn events_for_ports_and_parameters_that_do_not_exist_do_not_arrive() {
    let mut rig = Rig::new(probe::load(ids::BOTH));
    let mut elsewhere = at(0, Event::note_on(0, 1, 1));
    elsewhere.port = 7;
    let parameter = |id, value| at(1, Event::Parameter { id, value });
    rig.run(&[
        elsewhere,
        parameter(999, 1.0),
        parameter(u32::MAX, 1.0),
        parameter(parameters::GAIN, f64::NAN),
        parameter(parameters::CALLS, 1.0),
        // The controls: out of range goes to the end, between steps to the nearest.
        parameter(parameters::GAIN, f64::INFINITY),
        parameter(parameters::MODE, 1.2),
    ]);
    assert_eq!(rig.events(), ["@1 param 1 2", "@1 param 2 1"]);
}

#[test]
fn what_comes_back_has_its_time_and_comes_in_order() {
    let mut rig = Rig::new(probe::load(ids::BOTH));
    let sent = [
        at(5, Event::NoteOn { channel: 1, key: 64, velocity: 0.5 }),
        at(5, Event::ControlChange { channel: 2, controller: 1, value: 9 }),
        at(40, Event::NoteOff { channel: 1, key: 64, velocity: 0.25 }),
        at(63, Event::PitchBend { channel: 0, value: -8192 }),
    ];
    rig.run(&sent);
    assert_eq!(rig.events_out.as_slice(), sent);
    // Nothing of one quantum is in the next.
    rig.run(&[]);
    assert_eq!(rig.events_out.as_slice(), []);
}

#[test]
fn system_exclusive_goes_there_and_back_and_a_stale_one_does_not() {
    let mut rig = Rig::new(probe::load(ids::MIDI));
    let message = [0xf0, 0x7e, 0x7f, 0x09, 0x01, 0xf7];
    let handle = rig.sysex.push(&message).unwrap();
    rig.run(&[at(9, Event::SysEx(handle))]);
    assert_eq!(rig.events(), ["@9 sysex [f0, 7e, 7f, 09, 01, f7]"]);
    let [back] = rig.events_out.as_slice() else { panic!("one event") };
    let Event::SysEx(back) = back.event else { panic!("{back:?}") };
    assert_eq!(rig.sysex.get(back), Some(&message[..]));
    assert_ne!(back, handle);
    for _ in 0..20 {
        rig.sysex.push(&[0; 10_000]).unwrap();
    }
    rig.run(&[at(9, Event::SysEx(handle))]);
    assert_eq!(rig.events(), [""; 0]);
    // A port without MIDI gets none.
    let mut rig = Rig::new(probe::load(ids::CLAP));
    let handle = rig.sysex.push(&message).unwrap();
    rig.run(&[at(9, Event::SysEx(handle))]);
    assert_eq!(rig.events(), [""; 0]);
}

#[test]
fn a_flood_is_cut_off_and_counted_and_the_next_quantum_is_well() {
    let mut rig = Rig::new(probe::load(ids::BOTH));
    rig.run(&[at(0, Event::Parameter { id: parameters::DEED, value: deeds::FLOOD })]);
    let out = rig.events_out.as_slice();
    assert!(!out.is_empty() && out.len() < 256, "{}", out.len());
    assert!(rig.events_out.dropped() > 90_000, "{}", rig.events_out.dropped());
    assert!(out.iter().all(|it| it.time < QUANTUM && it.port == 0));
    let velocity_is_sane = |event| match event {
        Event::NoteOn { velocity, .. } => velocity > 0.0 && velocity <= 1.0,
        _ => false,
    };
    assert!(out.iter().all(|it| velocity_is_sane(it.event)));
    let told = rig.told();
    assert!((100..2000).contains(&told.len()), "{}", told.len());
    let dropped = rig.events_out.dropped();
    rig.run(&[at(3, Event::note_on(0, 60, 100))]);
    assert_eq!(rig.events_out.as_slice().len(), 1);
    assert_eq!(rig.events_out.dropped(), dropped);
    assert!(matches!(rig.told()[..], [Told::Parameter { id: parameters::CALLS, .. }]));
}

#[test]
fn the_busiest_quantum_of_the_engine_arrives_whole() {
    let mut rig = Rig::new(probe::load(ids::CLAP));
    let mut events = vec![at(0, Event::PitchBend { channel: 0, value: 100 })];
    // With a bend in force each note-on asks for two places.
    let note = |at_frame: usize| at((at_frame / 128) as u32, Event::note_on(0, (at_frame % 128) as u8, 1));
    events.extend((1..kmidi_core::limits::MAX_EVENTS_PER_QUANTUM).map(note));
    let last = at(QUANTUM - 1, Event::note_off(0, 1, 1));
    *events.last_mut().unwrap() = last;
    rig.run(&events);
    let notes = rig.events();
    assert_eq!(notes.iter().filter(|it| it.contains("on p0")).count(), events.len() - 2);
    assert!(notes.last().unwrap().starts_with("@63 off"), "{:?}", notes.last());
    assert!(!rig.told().iter().any(|it| matches!(it, Told::Log(_))), "nothing was dropped");
    // The control: one more event than that is dropped, and said.
    events.insert(0, at(0, Event::note_on(0, 1, 1)));
    rig.run(&events);
    assert!(rig.told().iter().any(|it| matches!(it, Told::Log(_))));
}

fn song_time(seconds: f64) -> SongTime {
    SongTime((seconds * f64::from(RATE) * SongTime::PER_FRAME as f64) as i64)
}

#[test]
fn the_song_is_told_at_the_start_and_where_it_changes() {
    let mut rig = Rig::new(probe::load(ids::BOTH));
    rig.transport = Transport {
        playing: true,
        position: song_time(4.0),
        tempo: Tempo { micros_per_quarter: 500_000 },
        meter: Meter { numerator: 3, denominator_log2: 2 },
        beats: kmidi_core::Beats(8 << 31),
        bar_start: kmidi_core::Beats(6 << 31),
        bar: 2,
        looping: Some(kmidi_core::LoopRange { start: song_time(2.0), end: song_time(8.0) }),
        ..Transport::default()
    };
    let span = Span { offset: 48, frames: 16, position: song_time(2.0), jumped: true };
    rig.transport.spans.push(span);
    rig.run(&[
        at(30, Event::Tempo(Tempo { micros_per_quarter: 1_000_000 })),
        at(48, Event::Jump),
        at(48, Event::Meter(Meter { numerator: 6, denominator_log2: 3 })),
    ]);
    let notes: Vec<_> = rig.notes().into_iter().filter(|it| it.contains("transport")).collect();
    // Playing 16, loop 64, and that all four of tempo, beats, seconds and meter are there: 15.
    let want = [
        "start transport flags 95 beats 8.000 seconds 4.000 tempo 120.000 bar 2 at 6.000 meter 3/4 \
         loop 2.000..8.000 beats 4.000..16.000",
        "@30 transport flags 95 beats 8.001 seconds 4.001 tempo 60.000 bar 2 at 6.000 meter 3/4 \
         loop 2.000..8.000 beats 6.001..12.001",
        "@48 transport flags 95 beats 6.001 seconds 2.000 tempo 60.000 bar 2 at 6.000 meter 3/4 \
         loop 2.000..8.000 beats 6.001..12.001",
    ];
    assert_eq!(notes[..3], want);
    assert!(notes[3].contains("meter 6/8") && notes.len() == 4, "{notes:?}");
    // A song that stands.
    rig.transport = Transport::default();
    rig.run(&[]);
    assert!(rig.notes()[0].starts_with("start transport flags 15 beats 0.000"));
}

#[test]
fn a_storm_of_every_kind_of_event_arrives_in_order_and_breaks_nothing() {
    let mut seed = 1u64;
    let mut random = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for id in [ids::CLAP, ids::MIDI, ids::BOTH, ids::GAIN] {
        let mut rig = Rig::new(probe::load(id));
        for _ in 0..100 {
            let handle = rig.sysex.push(&vec![0xf0; random(200) as usize]).unwrap();
            let mut events: Vec<_> = (0..random(300))
                .map(|_| {
                    let (channel, key, value) = (random(16) as u8, random(128) as u8, random(128) as u8);
                    let event = match random(14) {
                        0..3 => Event::NoteOn { channel, key, velocity: f32::from(value) / 127.0 },
                        3 => Event::NoteOff { channel, key, velocity: f32::NAN },
                        4 => Event::ControlChange { channel, controller: 120 + key % 8, value },
                        5 => Event::PitchBend { channel, value: random(65_536) as u16 as i16 },
                        6 => Event::ProgramChange { channel, program: value },
                        7 => Event::ChannelPressure { channel, pressure: value },
                        8 => Event::PolyPressure { channel, key, pressure: value },
                        9 => Event::SysEx(handle),
                        10 => Event::Tempo(Tempo { micros_per_quarter: random(1 << 24) as u32 }),
                        11 => Event::Meter(Meter { numerator: key, denominator_log2: value }),
                        12 => Event::Jump,
                        // Not those that make the plugin misbehave or fail.
                        _ => Event::Parameter { id: random(3) as u32, value: f64::from(value) - 60.0 },
                    };
                    TimedEvent { time: random(QUANTUM.into()) as u32, port: random(3) as u16, event }
                })
                .collect();
            events.sort_by_key(|event| event.time);
            rig.transport.playing = random(2) == 0;
            rig.run(&events);
            assert!(rig.outputs.iter().all(|channel| channel.iter().all(|it| it.is_finite())));
            if id != ids::GAIN {
                let frame = |note: &String| note[1..].split(' ').next().unwrap().parse::<u32>().unwrap();
                assert!(rig.events().iter().map(frame).is_sorted());
            }
        }
        assert!(!rig.told().contains(&Told::ProcessFailed));
    }
}
