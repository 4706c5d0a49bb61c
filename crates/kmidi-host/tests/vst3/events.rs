//! Events and the song.

use kmidi_core::{Beats, Event, Frames, LoopRange, Meter, SongTime, Tempo, Transport};
use kmidi_host::Told;
use vst3::Steinberg::Vst::ProcessContext_::StatesAndFlags_::{kCycleActive, kPlaying, kTempoValid};

use crate::plugin::{Config, GAIN, MIDI, PROGRAM, config};
use crate::{Running, at, running};

fn synth() -> Config {
    Config { event_inputs: 2, event_outputs: 1, ..config(&[], &[(2, true)]) }
}

#[test]
fn notes_arrive_at_their_frame_and_come_back_from_it() {
    let (mut running, shared) = running(synth());
    let events = [
        at(0, Event::note_on(0, 60, 127)),
        at(7, Event::PolyPressure { channel: 15, key: 127, pressure: 127 }),
        at(63, Event::NoteOff { channel: 0, key: 60, velocity: 0.25 }),
    ];
    running.run(&events);
    assert_eq!(running.rig.events_out.as_slice(), events);
    let seen: Vec<_> =
        shared.seen().iter().map(|it| (it.kind, it.offset, it.channel, it.pitch, it.value)).collect();
    assert_eq!(seen, [(0, 0, 0, 60, 1.0), (3, 7, 15, 127, 1.0), (1, 63, 0, 60, 0.25)]);
    running.run(&[]);
    assert_eq!(running.rig.events_out.as_slice(), [], "the control");
    assert_eq!(shared.seen(), []);
}

#[test]
fn events_go_to_the_bus_of_their_port_and_nowhere_from_a_port_there_is_not() {
    let (mut running, shared) = running(synth());
    let mut events =
        [at(1, Event::note_on(0, 60, 1)), at(2, Event::note_on(0, 61, 1)), at(3, Event::note_on(0, 62, 1))];
    events[1].port = 1;
    events[2].port = 2;
    running.run(&events);
    let buses: Vec<_> = shared.seen().iter().map(|it| (it.bus, it.pitch)).collect();
    assert_eq!(buses, [(0, 60), (1, 61)]);
    assert_eq!(running.rig.events_out.as_slice().len(), 1, "there is one event output");
}

#[test]
fn system_exclusive_messages_go_in_and_out_whole() {
    let (mut running, shared) = running(synth());
    let message = [0xf0, 0x7e, 1, 2, 3, 0xf7];
    let handle = running.rig.sysex.push(&message).unwrap();
    running.run(&[at(9, Event::SysEx(handle))]);
    assert_eq!(shared.seen()[0].channel, message.len() as i16);
    let [sent] = running.rig.events_out.as_slice() else { panic!("one message") };
    let Event::SysEx(back) = sent.event else { panic!("{sent:?}") };
    assert_ne!(back, handle);
    assert_eq!((sent.time, running.rig.sysex.get(back)), (9, Some(&message[..])));
}

#[test]
fn controllers_move_the_parameters_that_stand_for_them() {
    let (mut running, shared) = running(Config { maps_midi: true, ..synth() });
    running.run(&[
        at(1, Event::ControlChange { channel: 2, controller: 11, value: 127 }),
        at(2, Event::ChannelPressure { channel: 0, pressure: 0 }),
        at(3, Event::PitchBend { channel: 1, value: 8191 }),
        at(4, Event::PitchBend { channel: 1, value: -8192 }),
        at(5, Event::ProgramChange { channel: 0, program: 9 }),
        at(6, Event::ProgramChange { channel: 0, program: 10 }),
        at(7, Event::ProgramChange { channel: 9, program: 3 }),
        at(8, Event::ControlChange { channel: 2, controller: 11, value: 0 }),
    ]);
    let expected = [
        (MIDI + 2 * 130 + 11, 1, 1.0),
        (MIDI + 2 * 130 + 11, 8, 0.0),
        (MIDI + 128, 2, 0.0),
        (MIDI + 130 + 129, 3, 1.0),
        (MIDI + 130 + 129, 4, 0.0),
        (PROGRAM, 5, 1.0),
        // The only program parameter serves channels of other units too.
        (PROGRAM, 7, 3.0 / 9.0),
    ];
    assert_eq!(shared.points(), expected);
    assert_eq!(shared.seen(), []);
    running.active.idle();
    assert_eq!(*shared.violations.lock().unwrap(), Vec::<String>::new());
}

#[test]
fn stand_ins_for_controllers_are_no_parameters_but_one_for_people_that_is_mapped_is() {
    for maps_midi in [false, true] {
        let (running, _) = running(Config { maps_midi, ..synth() });
        let ids: Vec<u32> = running.active.description().parameters.iter().map(|it| it.id).collect();
        assert_eq!(ids, [100, 101, 102, 103, 104]);
    }
    let (mut running, shared) = running(synth());
    running.run(&[at(4, Event::ControlChange { channel: 3, controller: 7, value: 127 })]);
    assert_eq!(shared.points(), [(GAIN, 4, 1.0)]);
}

#[test]
fn all_notes_off_lets_go_of_every_held_note_where_no_parameter_stands_for_it() {
    let hold = |running: &mut Running| {
        running.run(&[
            at(0, Event::note_on(1, 10, 90)),
            at(0, Event::note_on(1, 127, 90)),
            at(1, Event::note_on(2, 50, 90)),
            at(2, Event::note_on(1, 20, 90)),
            at(3, Event::note_off(1, 20, 0)),
        ]);
    };
    let off = |controller| [at(5, Event::ControlChange { channel: 1, controller, value: 0 })];
    for controller in [120, 123, 127] {
        let (mut running, shared) = running(synth());
        hold(&mut running);
        running.run(&off(controller));
        let seen: Vec<_> =
            shared.seen().iter().map(|it| (it.kind, it.offset, it.channel, it.pitch)).collect();
        assert_eq!(seen, [(1, 5, 1, 10), (1, 5, 1, 127)]);
        running.run(&off(controller));
        assert_eq!(shared.seen(), []);
    }
    let (mut mapped, shared) = running(Config { maps_midi: true, ..synth() });
    hold(&mut mapped);
    mapped.run(&off(123));
    assert_eq!((shared.seen().len(), shared.points().len()), (0, 1), "the control");
}

#[test]
fn a_reset_lets_go_of_the_notes_of_a_plugin_that_does_not_know_it() {
    let (mut running, shared) = running(synth());
    running.run(&[at(0, Event::note_on(0, 60, 90))]);
    running.processor.reset();
    running.run(&[at(0, Event::note_on(0, 60, 90))]);
    let kinds: Vec<u16> = shared.seen().iter().map(|it| it.kind).collect();
    assert_eq!(kinds, [1, 0]);
    running.run(&[]);
    assert_eq!(shared.seen(), []);
}

#[test]
fn a_plugin_that_floods_its_outputs_is_cut_off_and_named_once() {
    let (mut running, _) = running(Config { floods: true, ..synth() });
    for _ in 0..3 {
        running.run(&[]);
        assert_eq!(running.rig.events_out.as_slice().len(), 2048);
        assert!(running.rig.outputs[0].iter().all(|&it| it == 0.5));
    }
    let told: Vec<Told> = std::iter::from_fn(|| running.active.told()).collect();
    assert_eq!(told.iter().filter(|it| matches!(it, Told::Log(_))).count(), 1, "{told:?}");
    assert!(!told.contains(&Told::ProcessFailed));
}

#[test]
fn a_flood_of_notes_and_changes_arrives_in_order_and_what_ends_it_is_not_lost() {
    let (mut running, shared) = running(synth());
    let mut events = Vec::new();
    for time in 0..64 {
        for key in 0..60 {
            events.push(at(time, Event::note_on(0, key, 100)));
            events.push(at(time, Event::note_off(0, key, 0)));
        }
        events.push(at(time, Event::Parameter { id: GAIN, value: f64::from(time) / 63.0 }));
    }
    running.run(&events);
    assert_eq!(*shared.violations.lock().unwrap(), Vec::<String>::new());
    assert_eq!(shared.points().len(), 32);
    assert_eq!(shared.points().last(), Some(&(GAIN, 63, 1.0)));
    let told: Vec<Told> = std::iter::from_fn(|| running.active.told()).collect();
    assert!(
        told.iter().any(|it| matches!(it, Told::Log(_))),
        "32 points of 64 had room, 2,048 echoes of 7,680"
    );
}

#[test]
fn the_song_is_told_as_it_is_at_the_start_of_the_quantum() {
    let (mut running, shared) = running(synth());
    running.rig.transport = Transport {
        playing: true,
        position: SongTime::from_frames(Frames(1000)),
        tempo: Tempo { micros_per_quarter: 400_000 },
        meter: Meter { numerator: 7, denominator_log2: 3 },
        beats: Beats(9 << 30),
        bar_start: Beats(7 << 30),
        bar: 1,
        looping: Some(LoopRange { start: SongTime::ZERO, end: SongTime::from_frames(Frames(48_000)) }),
        ..Transport::default()
    };
    running.run(&[]);
    let song = shared.song.lock().unwrap().unwrap();
    assert_eq!(song.state & (kPlaying | kCycleActive | kTempoValid), kPlaying | kCycleActive | kTempoValid);
    assert_eq!((song.projectTimeSamples, song.continousTimeSamples, song.sampleRate), (1000, 0, 48_000.0));
    assert_eq!((song.projectTimeMusic, song.barPositionMusic, song.tempo), (4.5, 3.5, 150.0));
    assert_eq!((song.timeSigNumerator, song.timeSigDenominator), (7, 8));
    running.rig.transport = Transport::default();
    running.run(&[]);
    let song = shared.song.lock().unwrap().unwrap();
    assert_eq!(song.state & (kPlaying | kCycleActive), 0);
    assert_eq!((song.projectTimeSamples, song.continousTimeSamples, song.tempo), (0, 64, 120.0));
}
