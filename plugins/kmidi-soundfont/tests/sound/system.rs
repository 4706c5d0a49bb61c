//! Banks, presets that are missing, resets, tuning and other system messages.

use crate::measure::*;
use crate::rig::*;
use kmidi_core::Event;
use kmidi_soundfont::{Generator, PresetKey, PresetRequest, SynthConfig};

const GM_ON: &[u8] = &[0xf0, 0x7e, 0x7f, 0x09, 0x01, 0xf7];
const GM2_ON: &[u8] = &[0xf0, 0x7e, 0x7f, 0x09, 0x03, 0xf7];
const GS_RESET: &[u8] = &[0xf0, 0x41, 0x10, 0x42, 0x12, 0x40, 0x00, 0x7f, 0x00, 0x41, 0xf7];
const XG_ON: &[u8] = &[0xf0, 0x43, 0x10, 0x4c, 0x00, 0x00, 0x7e, 0x00, 0xf7];

fn sysex(bytes: &[u8]) -> Action {
    Action::SysEx(bytes.to_vec())
}

fn program(channel: u8, program: u8) -> Action {
    Event::ProgramChange { channel, program }.into()
}

fn bank(channel: u8, msb: u8, lsb: u8) -> [(usize, Action); 2] {
    let select = |controller, value| (0, Event::ControlChange { channel, controller, value }.into());
    [select(0, msb), select(32, lsb)]
}

/// What a program change asks for after these messages.
fn asked(messages: Vec<(usize, Action)>) -> Option<PresetRequest> {
    let mut rig = Rig::new(dry());
    rig.play(&messages, 64, 64);
    std::iter::from_fn(|| rig.handle.next_request()).last()
}

#[track_caller]
fn selects(reset: Option<&[u8]>, channel: u8, (msb, lsb, number): (u8, u8, u8), expected: PresetKey) {
    let mut messages: Vec<_> = reset.map(|bytes| (0, sysex(bytes))).into_iter().collect();
    messages.extend(bank(channel, msb, lsb));
    messages.push((0, program(channel, number)));
    assert_eq!(asked(messages), Some(PresetRequest { port: 0, channel, key: expected }));
}

#[test]
fn bank_rules_of_each_mode() {
    let melodic = PresetKey::melodic;
    selects(None, 0, (8, 3, 5), melodic(8, 5));
    selects(None, 9, (8, 3, 5), PresetKey::drum(5));
    selects(Some(GM_ON), 0, (8, 3, 5), melodic(0, 5));
    selects(Some(GM_ON), 9, (0, 0, 25), PresetKey::drum(25));
    selects(Some(GS_RESET), 2, (16, 3, 80), melodic(16, 80));
    selects(Some(GM2_ON), 2, (121, 2, 80), melodic(2, 80));
    selects(Some(GM2_ON), 2, (120, 0, 8), PresetKey::drum(8));
    selects(Some(XG_ON), 2, (0, 18, 80), melodic(18, 80));
    selects(Some(XG_ON), 2, (64, 0, 1), melodic(64, 1));
    selects(Some(XG_ON), 2, (127, 0, 16), PresetKey::drum(16));
    selects(Some(XG_ON), 9, (0, 0, 16), PresetKey::drum(16));
}

#[test]
fn gs_and_xg_parts_become_drums() {
    let gs =
        |part: u8, map: u8| sysex(&[0xf0, 0x41, 0x10, 0x42, 0x12, 0x40, 0x10 | part, 0x15, map, 0, 0xf7]);
    let key = |messages| asked(messages).unwrap().key;
    // Part 2 is channel 2, counted from 1; part 0 is channel 10.
    assert_eq!(key(vec![(0, gs(2, 1)), (0, program(1, 40))]), PresetKey::drum(40));
    assert_eq!(key(vec![(0, gs(11, 2)), (0, program(11, 40))]), PresetKey::drum(40));
    assert_eq!(key(vec![(0, gs(0, 0)), (0, program(9, 40))]), PresetKey::melodic(0, 40));
    let xg = |part: u8, mode: u8| sysex(&[0xf0, 0x43, 0x10, 0x4c, 0x08, part, 0x07, mode, 0xf7]);
    assert_eq!(key(vec![(0, sysex(XG_ON)), (0, xg(3, 2))]), PresetKey::drum(0));
}

#[test]
fn a_missing_program_keeps_the_old_sound_until_the_new_one_is_there() {
    let mut rig = Rig::with(dry(), vec![ZoneSketch::constant()]);
    let level = |rig: &mut Rig| {
        let sound = rig.play(&[(0, cc(120, 0)), (480, on(60, 127))], 2400, 64);
        level_db(&sound[0][1200..])
    };
    let before = level(&mut rig);
    rig.play(&[(0, program(0, 33))], 64, 64);
    close(level(&mut rig), before, 0.01, "the old sound");
    assert_eq!(rig.handle.status().presets_missing, 1);
    let key = PresetKey::melodic(0, 33);
    assert_eq!(rig.handle.next_request(), Some(PresetRequest { port: 0, channel: 0, key }));
    assert_eq!(rig.handle.next_request(), None);
    let soft = ZoneSketch::constant().set(Generator::InitialAttenuation, 250);
    rig.handle.install(key, preset(vec![soft])).unwrap();
    close(level(&mut rig), before - 10.0, 0.01, "the new sound");
}

#[test]
fn a_replaced_preset_is_not_freed_by_the_callback_and_sounds_to_its_end() {
    let mut rig = Rig::with(dry(), vec![ZoneSketch::constant()]);
    let before = rig.play(&[(0, on(60, 127))], 640, 64);
    rig.handle.install(PresetKey::melodic(0, 0), preset(vec![ZoneSketch::of(vec![])])).unwrap();
    let after = rig.play(&[], 640, 64);
    close(level_db(&after[0]), level_db(&before[0][600..]), 0.01, "the note goes on");
}

#[test]
fn a_channel_that_waits_for_a_preset_takes_what_replaces_the_one_it_plays() {
    let mut rig = Rig::with(dry(), vec![ZoneSketch::constant()]);
    let heard =
        |rig: &mut Rig| rig.play(&[(0, cc(120, 0)), (480, on(60, 127))], 2400, 64)[0][1200..].to_vec();
    rig.play(&[(0, program(0, 33))], 64, 64);
    // Another one's change is none of its business.
    rig.handle.install(PresetKey::melodic(0, 1), preset(vec![ZoneSketch::of(vec![])])).unwrap();
    assert!(heard(&mut rig).iter().all(|&x| x > 0.0));
    rig.handle.install(PresetKey::melodic(0, 0), preset(vec![ZoneSketch::of(vec![])])).unwrap();
    assert!(!rig.handle.has_taken_all());
    assert!(heard(&mut rig).iter().all(|&x| x == 0.0));
    assert!(rig.handle.has_taken_all());
}

#[test]
fn a_note_without_any_preset_asks() {
    let mut rig = Rig::new(dry());
    let sound = rig.play(&[(0, on(60, 127))], 640, 64);
    assert!(sound[0].iter().all(|&x| x == 0.0));
    assert_eq!(rig.handle.status().notes_without_preset, 1);
    assert_eq!(rig.handle.next_request().unwrap().key, PresetKey::melodic(0, 0));
}

#[test]
fn a_full_ring_gives_the_preset_back() {
    let mut rig = Rig::new(dry());
    let preset = preset(vec![ZoneSketch::constant()]);
    let taken =
        (0..100_000).take_while(|_| rig.handle.install(PresetKey::melodic(0, 0), preset.clone()).is_ok());
    let room = taken.count();
    assert!((128..100_000).contains(&room), "{room}");
    rig.play(&[], 64, 64);
    assert!(rig.handle.install(PresetKey::melodic(0, 0), preset).is_ok());
}

#[test]
fn each_port_has_its_own_channels() {
    let mut rig = Rig::with(dry(), vec![ZoneSketch::constant()]);
    let mut buffers = [64, 64].map(kmidi_core::AudioBuffer::silent);
    let at = |port, event| kmidi_core::TimedEvent { time: 0, port, event };
    let volume = Event::ControlChange { channel: 0, controller: 7, value: 0 };
    let note = Event::note_on(0, 60, 127);
    rig.quantum(&[at(1, volume), at(0, note), at(2, note), at(99, note)], &mut buffers);
    assert_eq!(rig.handle.status().voices, 2);
    assert!(buffers[0][63] > 0.5);
}

/// Pitch of key 60 in cents from its own, after these messages.
#[track_caller]
fn tuned(messages: Vec<Action>, channel: u8, key: u8, expected: f64) {
    let mut actions: Vec<_> = messages.into_iter().map(|message| (0, message)).collect();
    actions.push((0, Event::note_on(channel, key, 127).into()));
    let [left, _] = play(vec![ZoneSketch::sine()], &actions, 24_000);
    let straight = 100.0 * (f64::from(key) - 60.0);
    let measured = cents(frequency_hz(&left[480..], f64::from(RATE)), 1000.0) - straight;
    close(measured, expected, 0.05, "cents");
}

fn rpn(number: u8, msb: u8, lsb: u8) -> Vec<Action> {
    vec![cc(101, 0), cc(100, number), cc(6, msb), cc(38, lsb)]
}

#[test]
fn rpn_tuning() {
    tuned(rpn(1, 96, 0), 0, 60, 50.0);
    tuned(rpn(1, 0, 0), 0, 60, -100.0);
    tuned(rpn(2, 64 + 7, 0), 0, 60, 700.0);
    // The null parameter: data goes nowhere.
    tuned(vec![cc(101, 0), cc(100, 2), cc(101, 127), cc(100, 127), cc(6, 70)], 0, 60, 0.0);
}

#[test]
fn nrpn_moves_generators_and_sound_controllers() {
    // SoundFont NRPN: fine tune is generator 52.
    let data = 8192 + 40;
    let nrpn = vec![
        cc(99, 120),
        cc(98, 52),
        cc(38, (data & 127) as u8),
        cc(6, (data >> 7) as u8),
        cc(38, (data & 127) as u8),
    ];
    tuned(nrpn, 0, 60, 40.0);
    // GS NRPN 1/32 is the cutoff, as controller 74.
    let zone = || ZoneSketch::sine().set(Generator::InitialFilterFc, 9000);
    let sound = |messages: Vec<Action>| {
        let mut actions: Vec<_> = messages.into_iter().map(|message| (0, message)).collect();
        actions.push((0, on(72, 127)));
        play(vec![zone()], &actions, 4800)
    };
    let gs = sound(vec![cc(99, 1), cc(98, 32), cc(6, 20)]);
    assert!(gs == sound(vec![cc(74, 20)]));
    assert!(energy(&gs[0]) < 0.5 * energy(&sound(vec![])[0]), "darker");
}

#[test]
fn midi_tuning_standard() {
    // Single key, real time: key 60 to 61 and a quarter.
    let single = [0xf0, 0x7f, 0x7f, 0x08, 0x02, 0x00, 1, 60, 61, 32, 0, 0xf7];
    tuned(vec![sysex(&single)], 0, 60, 125.0);
    tuned(vec![sysex(&single)], 0, 61, 0.0);
    // Tuning program 3, chosen by RPN 3.
    let third = [0xf0, 0x7f, 0x7f, 0x08, 0x02, 0x03, 1, 60, 59, 64, 0, 0xf7];
    tuned(vec![sysex(&third)], 0, 60, 0.0);
    let mut chosen = vec![sysex(&third)];
    chosen.extend(rpn(3, 3, 0));
    tuned(chosen, 0, 60, -50.0);
    // Bulk: every key half a semitone up.
    let mut bulk = vec![0xf0, 0x7e, 0x7f, 0x08, 0x01, 0x00];
    bulk.extend([b' '; 16]);
    bulk.extend((0..128).flat_map(|key| [key, 64, 0]));
    bulk.extend([0, 0xf7]);
    tuned(vec![sysex(&bulk)], 0, 64, 50.0);
    // Scale and octave, one byte: C of channel 1 down by 20 cents; channel 2 is not in the mask.
    let mut octave = vec![0xf0, 0x7f, 0x7f, 0x08, 0x08, 0, 0, 1, 44];
    octave.extend([64; 11]);
    octave.push(0xf7);
    tuned(vec![sysex(&octave)], 0, 60, -20.0);
    tuned(vec![sysex(&octave)], 0, 62, 0.0);
    tuned(vec![sysex(&octave)], 1, 60, 0.0);
    // GS scale tuning of part 1.
    let mut gs = vec![0xf0, 0x41, 0x10, 0x42, 0x12, 0x40, 0x11, 0x40];
    gs.extend([74; 12]);
    gs.extend([0, 0xf7]);
    tuned(vec![sysex(&gs)], 0, 60, 10.0);
    // A sounding note follows.
    let [left, _] = play(vec![ZoneSketch::sine()], &[(0, on(60, 127)), (9600, sysex(&single))], 33_600);
    close(cents(frequency_hz(&left[10_000..], f64::from(RATE)), 1000.0), 125.0, 0.05, "cents");
}

#[test]
fn master_volume_and_tuning() {
    let master = |id: u8, lsb: u8, msb: u8| sysex(&[0xf0, 0x7f, 0x7f, 0x04, id, lsb, msb, 0xf7]);
    let level = |message: Action| {
        let [left, _] = play(vec![ZoneSketch::constant()], &[(0, message), (0, on(60, 127))], 4800);
        level_db(&left[2400..])
    };
    close(level(master(1, 127, 127)) - level(master(1, 0, 64)), 40.0 * 2f64.log10(), 0.05, "half");
    tuned(vec![master(3, 0, 96)], 0, 60, 50.0);
    tuned(vec![master(4, 0, 66)], 0, 60, 200.0);
    tuned(vec![master(4, 0, 66)], 9, 60, 0.0);
}

#[test]
fn a_system_reset_silences_and_restores() {
    for reset in [GM_ON, GM2_ON, GS_RESET, XG_ON] {
        let mut rig = Rig::with(dry(), vec![ZoneSketch::sine()]);
        let dirty = [(0, cc(7, 20)), (0, cc(10, 0)), (0, cc(64, 127)), (0, on(60, 127)), (640, sysex(reset))];
        rig.play(&dirty, 1920, 64);
        assert_eq!(rig.handle.status().voices, 0);
        let after = rig.play(&[(0, on(60, 127))], 4800, 64);
        assert!(after == play(vec![ZoneSketch::sine()], &[(0, on(60, 127))], 4800));
    }
}

#[test]
fn broken_system_messages_are_no_danger() {
    let whole: Vec<Vec<u8>> = vec![
        GM_ON.into(),
        GS_RESET.into(),
        XG_ON.into(),
        [0xf0, 0x7f, 0x7f, 0x08, 0x02, 0x00, 1, 60, 61, 32, 0, 0xf7].into(),
        [0xf0, 0x7f, 0x7f, 0x08, 0x09, 3, 127, 127].into_iter().chain([64; 24]).chain([0xf7]).collect(),
    ];
    let mut rig = Rig::with(SynthConfig::new(RATE), vec![ZoneSketch::sine()]);
    for message in &whole {
        for cut in 0..message.len() {
            let mut with_junk = message.clone();
            with_junk[cut] = 0xff;
            let messages = [(0, sysex(&message[..cut])), (1, sysex(&with_junk)), (2, on(60, 100))];
            let sound = rig.play(&messages, 64, 64);
            assert!(sound[0].iter().all(|x| x.is_finite()));
        }
    }
}
