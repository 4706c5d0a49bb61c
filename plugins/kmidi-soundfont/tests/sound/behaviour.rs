//! Notes, pedals, modes, exclusive classes, stealing.

use crate::measure::*;
use crate::rig::*;
use kmidi_core::Event;
use kmidi_soundfont::Generator::*;
use kmidi_soundfont::SynthConfig;

/// Whether a stretch of sound can be heard.
fn heard(sound: &[f32]) -> bool {
    sound.iter().any(|x| x.abs() > 1e-4)
}

fn quick() -> ZoneSketch {
    ZoneSketch::sine().set(ReleaseVolEnv, -6000)
}

#[test]
fn a_note_starts_and_ends_at_its_exact_frame() {
    for start in [0, 1, 63, 64, 100, 1000] {
        let zone = ZoneSketch::constant().set(ReleaseVolEnv, -12_000);
        let length = 1000;
        let [left, _] = play(vec![zone], &[(start, on(60, 127)), (start + length, off(60))], 4000);
        assert!(left[..start].iter().all(|&x| x == 0.0), "nothing before frame {start}");
        assert!(left[start] > 0.0, "sound in frame {start}");
        let before = left[start + length - 1];
        assert!((before - left[start + length - 2]).abs() < 1e-6, "steady until its end");
        assert!(left[start + length] < before * 0.9, "the release begins in its frame");
        assert!(left[start + length + 60..].iter().all(|&x| x == 0.0));
    }
}

#[test]
fn loop_modes() {
    let short = |mode| {
        ZoneSketch::of(vec![0.5; 2400]).looped(100, 2000).set(SampleModes, mode).set(ReleaseVolEnv, 2400)
    };
    let ends = |mode| {
        let [left, _] = play(vec![short(mode)], &[(0, on(60, 127)), (12_000, off(60))], 24_000);
        left.iter().rposition(|&x| x != 0.0).unwrap()
    };
    assert_eq!(ends(0), 2399);
    assert_eq!(ends(2), 2399);
    assert_eq!(ends(1), 23_999, "loops through its release");
    let after = ends(3) - 12_000;
    assert!((400..2400).contains(&after), "plays on to the sample's end: {after} frames");
}

#[test]
fn a_loop_of_a_few_frames_reads_no_frame_outside() {
    // Everything outside the loop is wild; inside it is constant.
    for length in 1..6u32 {
        let mut sample = vec![0.25; 64];
        sample[20..20 + length as usize].fill(0.5);
        let zone = ZoneSketch::of(sample).looped(20, 20 + length).set(ScaleTuning, 37);
        let [left, _] = play(vec![zone], &[(0, cc(7, 127)), (0, on(71, 127))], 4800);
        let expected = 0.5 * std::f32::consts::FRAC_1_SQRT_2;
        assert!(left[1000..].iter().all(|x| (x - expected).abs() < 1e-4), "length {length}");
    }
}

#[test]
fn sustain_and_sostenuto_hold() {
    let sounds_at = |actions: &[(usize, Action)], frame: usize| {
        heard(&play(vec![quick()], actions, frame + 480)[0][frame..])
    };
    let strike = || vec![(0, on(60, 100))];
    let with = |more: Vec<(usize, Action)>| strike().into_iter().chain(more).collect::<Vec<_>>();
    assert!(!sounds_at(&with(vec![(9600, off(60))]), 14_400));
    // Sustain.
    assert!(sounds_at(&with(vec![(4800, cc(64, 127)), (9600, off(60))]), 14_400));
    assert!(!sounds_at(&with(vec![(4800, cc(64, 127)), (9600, off(60)), (10_000, cc(64, 0))]), 14_400));
    // Sostenuto holds what was down when it went down,
    assert!(sounds_at(&with(vec![(4800, cc(66, 127)), (9600, off(60))]), 14_400));
    // not what came later.
    let later = vec![(0, cc(66, 127)), (4800, on(60, 100)), (9600, off(60))];
    assert!(!sounds_at(&later, 14_400));
    // Reset all controllers lifts both.
    assert!(!sounds_at(&with(vec![(4800, cc(64, 127)), (9600, off(60)), (10_000, cc(121, 0))]), 14_400));
}

#[test]
fn the_soft_pedal_softens_what_begins_under_it() {
    let level = |pedal| {
        let [left, _] = play(vec![ZoneSketch::constant()], &[(0, cc(67, pedal)), (0, on(60, 127))], 4800);
        level_db(&left[2400..])
    };
    close(level(0) - level(127), 4.0, 0.05, "softer by");
}

#[test]
fn a_very_short_note_still_sounds_for_ten_milliseconds() {
    let [left, _] = play(vec![quick()], &[(100, on(60, 127)), (100, off(60))], 9600);
    assert!(left[100..580].iter().any(|x| x.abs() > 0.4), "sounds at full level");
    assert!(!heard(&left[4800..]));
}

#[test]
fn an_exclusive_class_ends_the_note_before() {
    let open = || ZoneSketch { keys: 46..=46, ..quick().set(ExclusiveClass, 1) };
    let closed = || ZoneSketch { keys: 42..=42, ..ZoneSketch::of(vec![0.0; 48_000]).set(ExclusiveClass, 1) };
    let other = || ZoneSketch { keys: 51..=51, ..ZoneSketch::of(vec![0.0; 48_000]).set(ExclusiveClass, 2) };
    let sound = |second: u8| {
        play(vec![open(), closed(), other()], &[(0, on(46, 127)), (4800, on(second, 127))], 14_400)
    };
    assert!(!heard(&sound(42)[0][4800 + 2500..]), "choked within 50 ms");
    assert!(sharpest_bend(&sound(42)[0][4000..]) < 0.025, "without a click");
    assert!(heard(&sound(51)[0][4800 + 2500..]), "another class leaves it alone");
    // Two layers of one note with the same class do not end each other.
    let both = play(vec![open(), open()], &[(0, on(46, 127))], 9600);
    close(level_db(&both[0][4800..]) - level_db(&sound(51)[0][2400..4800]), 6.02, 0.1, "both layers");
}

#[test]
fn stealing_takes_what_is_heard_least_and_never_clicks() {
    let config = SynthConfig { polyphony: 4, ..dry() };
    let zone = || ZoneSketch::sine().set(AttackVolEnv, -5000).set(ReleaseVolEnv, 1200);
    let mut actions: Vec<(usize, Action)> =
        (0..4).map(|i| (i * 2400, on(48 + 7 * i as u8, [100, 20, 110, 90][i]))).collect();
    actions.push((20_000, on(72, 100)));
    let mut rig = Rig::with(config, vec![zone()]);
    let sound = rig.play(&actions, 40_000, 64);
    assert_eq!(rig.handle.status().voices_stolen, 1);
    assert_eq!(rig.handle.status().voices, 4);
    assert!(sharpest_bend(&sound[0]) < 0.05, "no click: {}", sharpest_bend(&sound[0]));
    // The quiet one (key 55) went: without it the end sounds the same.
    let without: Vec<_> = actions.into_iter().filter(|(time, _)| *time != 2400).collect();
    let mut rest = Rig::with(config, vec![zone()]).play(&without, 40_000, 64);
    for (side, rest) in sound.iter().zip(&mut rest) {
        let difference: Vec<f32> = side.iter().zip(rest.iter()).map(|(a, b)| a - b).collect();
        assert!(!heard(&difference[21_000..]));
        assert!(heard(&difference[15_000..20_000]), "it was there before");
    }
}

#[test]
fn a_flood_of_notes_is_refused_not_cut_off() {
    let config = SynthConfig { polyphony: 16, ..dry() };
    let mut rig = Rig::with(config, vec![ZoneSketch::sine().set(AttackVolEnv, -5000)]);
    let actions: Vec<_> = (0..128).map(|i| (i / 20, on(i as u8, 20))).collect();
    let sound = rig.play(&actions, 24_000, 64);
    let status = rig.handle.status();
    assert_eq!(status.voices_refused, 128 - 2 * 16, "{status:?}");
    assert_eq!(status.voices, 16, "{status:?}");
    assert!(sound[0].iter().all(|x| x.abs() < 1.0));
}

#[test]
fn all_notes_off_releases_and_all_sound_off_fades() {
    let zone = || ZoneSketch::sine().set(ReleaseVolEnv, 0);
    let sound =
        |controller| play(vec![zone()], &[(0, on(60, 127)), (4801, cc(controller, 0))], 14_400).map(|x| x);
    assert!(heard(&sound(123)[0][9600..]), "all notes off lets the release sound");
    assert!(!heard(&sound(120)[0][4801 + 250..]), "all sound off is over in 5 ms");
    assert!(sharpest_bend(&sound(120)[0][600..]) < 0.025, "without a click");
    // All notes off respects the sustain pedal, all sound off does not.
    let held = [(0, on(60, 127)), (10, cc(64, 127)), (4801, cc(123, 0))];
    assert!(heard(&play(vec![quick()], &held, 14_400)[0][12_000..]));
}

#[test]
fn a_key_struck_again_ends_its_former_note() {
    let mut rig = Rig::with(dry(), vec![quick()]);
    rig.play(&[(0, on(60, 100)), (4800, on(60, 100))], 14_400, 64);
    assert_eq!(rig.handle.status().voices, 1);
}

#[test]
fn mono_mode_has_one_note() {
    let mut rig = Rig::with(dry(), vec![quick()]);
    rig.play(&[(0, cc(126, 1)), (0, on(60, 100)), (4800, on(64, 100)), (4800, on(67, 100))], 14_400, 64);
    assert_eq!(rig.handle.status().voices, 1);
    let mut rig = Rig::with(dry(), vec![quick()]);
    rig.play(&[(0, cc(127, 0)), (0, on(60, 100)), (4800, on(64, 100)), (4800, on(67, 100))], 14_400, 64);
    assert_eq!(rig.handle.status().voices, 3);
}

#[test]
fn legato_takes_the_voice_over_without_a_new_attack() {
    let zone = || ZoneSketch::sine().set(AttackVolEnv, -2400);
    let actions = [(0, cc(68, 127)), (0, on(60, 127)), (24_000, on(72, 127)), (24_100, off(60))];
    let mut rig = Rig::with(dry(), vec![zone()]);
    let [left, _] = rig.play(&actions, 48_000, 64);
    assert_eq!(rig.handle.status().voices, 1);
    close(cents(frequency_hz(&left[25_000..47_000], f64::from(RATE)), 2000.0), 0.0, 0.1, "an octave up");
    assert!(left[24_000..24_100].iter().any(|x| x.abs() > 0.4), "at the level it had");
}

#[test]
fn portamento_slides_from_the_key_before() {
    let slide = |prepare: Vec<(usize, Action)>| {
        let mut actions = prepare;
        actions.extend([(0, cc(5, 90)), (24_000, on(72, 127))]);
        actions.sort_by_key(|(time, _)| *time);
        let [left, _] = play(vec![quick()], &actions, 110_000);
        let pitch = |from: usize| cents(frequency_hz(&left[from..from + 960], f64::from(RATE)), 2000.0);
        (pitch(24_240), pitch(105_000))
    };
    let (begins, ends) = slide(vec![(0, cc(65, 127)), (0, on(60, 127)), (9600, off(60))]);
    assert!((-1200.0..-1150.0).contains(&begins), "{begins}");
    close(ends, 0.0, 0.5, "arrives");
    let (begins, _) = slide(vec![(0, on(60, 127)), (9600, off(60))]);
    close(begins, 0.0, 0.5, "without portamento");
    // Controller 84 gives the start by itself, once.
    let (begins, ends) = slide(vec![(0, cc(84, 48))]);
    assert!((-2400.0..-2300.0).contains(&begins), "{begins}");
    close(ends, 0.0, 0.5, "arrives");
}

#[test]
fn reset_all_controllers_keeps_what_rp_015_says() {
    let play_after = |before: Vec<(u8, u8)>| {
        let mut actions: Vec<_> = before.into_iter().map(|(c, v)| (0, cc(c, v))).collect();
        actions.push((0, Event::PitchBend { channel: 0, value: 5000 }.into()));
        actions.push((0, cc(121, 0)));
        actions.push((0, on(60, 127)));
        play(vec![ZoneSketch::sine().set(FreqVibLfo, 0)], &actions, 9600)
    };
    let plain = play(vec![ZoneSketch::sine().set(FreqVibLfo, 0)], &[(0, on(60, 127))], 9600);
    assert!(play_after(vec![(1, 127), (11, 10), (67, 127), (64, 127), (8, 0)]) == plain, "these are reset");
    assert!(play_after(vec![(7, 50)]) != plain, "volume stays");
    assert!(play_after(vec![(10, 0)]) != plain, "pan stays");
}

#[test]
fn key_and_velocity_ranges_choose_layers() {
    let zones = || {
        vec![
            ZoneSketch { keys: 0..=59, ..ZoneSketch::constant() },
            ZoneSketch { velocities: 64..=127, ..ZoneSketch::constant() },
        ]
    };
    let voices = |key, velocity| {
        let mut rig = Rig::with(dry(), zones());
        rig.play(&[(0, on(key, velocity))], 640, 64);
        rig.handle.status().voices
    };
    assert_eq!([voices(59, 64), voices(59, 63), voices(60, 64), voices(60, 63)], [2, 1, 1, 0]);
}

#[test]
fn a_preset_with_odd_zones_is_no_danger() {
    let zones = vec![
        ZoneSketch::of(vec![]),
        ZoneSketch::of(vec![1.0]).looped(0, 900),
        ZoneSketch::of(vec![0.5; 10]).looped(5, 5),
        ZoneSketch::of(vec![0.5; 10]).looped(8, 2),
        ZoneSketch::of(vec![0.5; 10]).set(StartAddrsOffset, 500),
        ZoneSketch::of(vec![0.5; 100]).set(EndAddrsOffset, -99).set(StartAddrsOffset, i32::MIN),
        ZoneSketch::of(vec![0.5; 100]).looped(0, 100).set(EndLoopAddrsCoarseOffset, i32::MAX / 40_000),
        ZoneSketch::sine().set(CoarseTune, 32_767).set(InitialFilterQ, 32_767).set(InitialFilterFc, -32_768),
        ZoneSketch::sine().set(FreqVibLfo, 32_767).set(VibLfoToPitch, 32_767).set(ModLfoToVolume, 32_767),
        ZoneSketch::sine().set(DelayVolEnv, -32_768).set(HoldVolEnv, 32_767).set(KeynumToVolEnvHold, 32_767),
    ];
    let [left, right] = play(zones, &[(0, on(0, 127)), (500, on(127, 1)), (9000, off(0))], 24_000);
    assert!(left.iter().chain(&right).all(|x| x.is_finite()));
}

#[test]
fn notes_that_wait_for_their_turn_follow_and_those_silenced_meanwhile_do_not() {
    let play = |silenced: bool| {
        let config = SynthConfig { polyphony: 256, ..dry() };
        let mut rig = Rig::with(config, vec![ZoneSketch::sine()]);
        let notes = (0..2).flat_map(|channel| (0..128).map(move |key| Event::note_on(channel, key, 20)));
        let mut actions: Vec<(usize, Action)> = notes.map(|note| (0, note.into())).collect();
        if silenced {
            for channel in 0..2 {
                let off = Event::ControlChange { channel, controller: 120, value: 0 };
                actions.push((10, off.into()));
            }
        }
        rig.play(&actions, 640, 64);
        rig.handle.status()
    };
    let heard = play(false);
    assert_eq!(heard.voices, 256);
    assert!(heard.voice_samples < 256 * 640, "not all begin at once: {heard:?}");
    // Those that had begun, 64 before the first frame and 64 at it, fade in five stretches; the others
    // would add as much again.
    let silenced = play(true);
    assert_eq!(silenced.voices, 0);
    assert!(silenced.voice_samples <= 128 * 320, "{silenced:?}");
}
