//! Each default modulator, and modulators that a file defines.

use crate::against::oracle;
use crate::measure::*;
use crate::residual::residual_db;
use crate::rig::*;
use kmidi_core::Event;
use kmidi_soundfont::Generator::{self, *};
use kmidi_soundfont::{Modulator, Source, SynthConfig, Transform};

fn wheel(value: i16) -> Action {
    Event::PitchBend { channel: 0, value }.into()
}

fn pressure(pressure: u8) -> Action {
    Event::ChannelPressure { channel: 0, pressure }.into()
}

/// A steady tone whose samples are the left gain; controllers at their most open.
fn steady(first: Action, key: u8, velocity: u8) -> [Vec<f32>; 2] {
    let actions = [(0, cc(7, 127)), (0, first), (0, on(key, velocity))];
    let [left, right] = play(vec![ZoneSketch::constant()], &actions, 4800);
    [left[2400..].to_vec(), right[2400..].to_vec()]
}

/// What a constant at full scale gives on one side in the middle.
const HALF_POWER_DB: f64 = -3.0103;

#[test]
fn velocity_to_attenuation() {
    for velocity in [1u8, 10, 64, 100, 127] {
        let expected = HALF_POWER_DB + 40.0 * (f64::from(velocity) / 127.0).log10();
        let [left, right] = steady(cc(11, 127), 60, velocity);
        close(level_db(&left), expected, 0.02, "left");
        close(level_db(&right), expected, 0.02, "right");
    }
}

#[test]
fn volume_and_expression() {
    for controller in [7, 11] {
        for value in [1u8, 32, 90, 127] {
            let [left, _] = steady(cc(controller, value), 60, 127);
            let expected = HALF_POWER_DB + 40.0 * (f64::from(value) / 127.0).log10();
            close(level_db(&left), expected, 0.02, &format!("controller {controller} at {value}"));
        }
        let [left, right] = steady(cc(controller, 0), 60, 127);
        assert!(energy(&left) + energy(&right) < 1e-6, "controller {controller} at 0 is silence");
    }
}

#[test]
fn pan() {
    for (value, angle) in [(0u8, 0.0f64), (32, 0.25), (64, 0.5), (127, 1.0)] {
        let [left, right] = steady(cc(10, value), 60, 127);
        let angle = angle * std::f64::consts::FRAC_PI_2;
        close(f64::from(left[0]), angle.cos(), 1e-3, "left");
        close(f64::from(right[0]), angle.sin(), 1e-3, "right");
    }
}

/// Two ways to the same sound: what is played with a controller equals a generator set to what the
/// modulator should give.
#[track_caller]
fn same(controller: Action, velocity: u8, generator: Generator, value: f64) {
    let zone = || ZoneSketch::sine().set(VibLfoToPitch, 0).set(FreqVibLfo, -200).set(InitialFilterFc, 9000);
    let before = zone().generators[generator];
    let fixed = zone().set(generator, before + value.round() as i32);
    let fixed = ZoneSketch { modulators: vec![], ..fixed }.set(InitialAttenuation, 0);
    let moved = ZoneSketch {
        modulators: zone().modulators.into_iter().filter(|m| m.destination == generator).collect(),
        ..zone()
    };
    let moved = play(vec![moved], &[(0, controller), (0, on(72, velocity))], 24_000);
    let fixed = oracle(vec![fixed], &[(0, on(72, velocity))], 24_000);
    let residual = residual_db(&moved, &fixed);
    assert!(residual < -60.0, "{generator:?}: {residual:.1} dB");
}

#[test]
fn velocity_to_filter_cutoff() {
    same(cc(11, 127), 127, InitialFilterFc, 0.0);
    same(cc(11, 127), 64, InitialFilterFc, -2400.0 * 63.0 / 127.0 - 0.05);
    same(cc(11, 127), 20, InitialFilterFc, -2400.0 * 107.0 / 127.0);
}

#[test]
fn channel_pressure_to_vibrato() {
    same(pressure(127), 127, VibLfoToPitch, 50.0);
    same(pressure(0), 127, VibLfoToPitch, 0.0);
}

#[test]
fn modulation_wheel_to_vibrato() {
    same(cc(1, 127), 127, VibLfoToPitch, 50.0);
}

#[test]
fn modulation_depth_range_scales_the_wheel() {
    // RPN 5: two semitones; the wheel at its end gives 200 cents.
    let wheel_up = [(0, cc(101, 0)), (0, cc(100, 5)), (0, cc(6, 2)), (0, cc(1, 127)), (0, on(72, 127))];
    let zone = || ZoneSketch::sine().set(FreqVibLfo, -200);
    let moved = play(vec![zone()], &wheel_up, 24_000);
    let fixed = oracle(vec![zone().set(VibLfoToPitch, 200)], &[(0, on(72, 127))], 24_000);
    let residual = residual_db(&moved, &fixed);
    assert!(residual < -60.0, "{residual:.1} dB");
}

#[test]
fn sends_to_reverb_and_chorus() {
    for controller in [91, 93] {
        let wet = |value: u8| {
            let config = SynthConfig { reverb: controller == 91, chorus: controller == 93, ..dry() };
            let other = if controller == 91 { 93 } else { 91 };
            let burst: Vec<f32> = (0..400).map(|i| (i as f32 * 0.7).sin()).collect();
            let zone = || vec![ZoneSketch::of(burst.clone())];
            let actions = [(0, cc(other, 0)), (0, cc(controller, value)), (0, on(60, 127))];
            let sound = Rig::with(config, zone()).play(&actions, 48_000, 64);
            let dry = Rig::with(dry(), zone()).play(&actions, 48_000, 64);
            let difference: Vec<f32> = sound[0].iter().zip(&dry[0]).map(|(a, b)| a - b).collect();
            energy(&difference)
        };
        assert_eq!(wet(0), 0.0);
        // 20 % at the end of the controller, straight down from there.
        close(10.0 * (wet(127) / wet(64)).log10(), 20.0 * (127.0f64 / 64.0).log10(), 0.1, "send");
    }
}

#[test]
fn generators_send_as_controllers_do() {
    for (generator, controller) in [(ReverbEffectsSend, 91), (ChorusEffectsSend, 93)] {
        let sound = |value: u8, sends: i32| {
            let zone =
                ZoneSketch::of((0..400).map(|i| (i as f32 * 0.7).sin()).collect()).set(generator, sends);
            let actions = [(0, cc(91, 0)), (0, cc(controller, value)), (0, on(60, 127))];
            Rig::with(SynthConfig { gain: 1.0, ..SynthConfig::new(RATE) }, vec![zone])
                .play(&actions, 24_000, 64)
        };
        assert!(sound(127, 0) == sound(0, 200), "{generator:?}");
        assert!(sound(0, 200) != sound(0, 0), "{generator:?}");
    }
}

#[track_caller]
fn tone(actions: Vec<(usize, Action)>, expected_cents: f64) {
    let mut all = actions;
    all.push((0, on(60, 127)));
    let [left, _] = play(vec![ZoneSketch::sine()], &all, 24_000);
    let measured = cents(frequency_hz(&left[480..], f64::from(RATE)), 1000.0);
    close(measured, expected_cents, 0.05, "pitch in cents");
}

#[test]
fn pitch_wheel() {
    tone(vec![(0, wheel(0))], 0.0);
    tone(vec![(0, wheel(8191))], 200.0 * 8191.0 / 8192.0);
    tone(vec![(0, wheel(-8192))], -200.0);
    let range =
        |semitones, cents| vec![(0, cc(101, 0)), (0, cc(100, 0)), (0, cc(6, semitones)), (0, cc(38, cents))];
    for (semitones, extra) in [(12, 0), (0, 50), (24, 0), (7, 25)] {
        let mut actions = range(semitones, extra);
        actions.push((0, wheel(-4096)));
        tone(actions, -50.0 * f64::from(semitones) - 0.5 * f64::from(extra));
    }
}

fn modulator(source: u16, destination: Generator, amount: i32, scale: u16, transform: u16) -> Modulator {
    Modulator {
        source: Source::from_bits(source).unwrap(),
        destination,
        amount,
        amount_source: Source::from_bits(scale).unwrap(),
        transform: Transform::from_bits(transform).unwrap(),
    }
}

/// Level that a file-defined modulator to attenuation leaves, with controller 20 at `value`.
#[track_caller]
fn attenuates(modulator: Modulator, value: u8, expected_db: f64) {
    let zone = ZoneSketch { modulators: vec![modulator], ..ZoneSketch::constant() };
    let [left, _] = play(vec![zone], &[(0, cc(20, value)), (0, on(60, 127))], 4800);
    close(
        -(level_db(&left[2400..]) - HALF_POWER_DB),
        expected_db,
        0.02,
        &format!("{modulator:?} at {value}"),
    );
}

#[test]
fn file_defined_sources_and_curves() {
    const CC20: u16 = 0x80 | 20;
    let curves = [
        // linear, concave, convex, switch; amounts of 60 dB
        (CC20, 32u8, 60.0 * 32.0 / 127.0),
        (CC20 | 0x100, 32, 60.0 * 95.0 / 127.0),
        (CC20 | 0x400, 96, -60.0 * 40.0 / 96.0 * (1.0f64 - 96.0 / 127.0).log10()),
        (CC20 | 0x800, 96, 60.0 * (1.0 + 40.0 / 96.0 * (96.0f64 / 127.0).log10())),
        (CC20 | 0xc00, 63, 0.0),
        (CC20 | 0xc00, 64, 60.0),
        (CC20 | 0xd00, 63, 60.0),
        (CC20 | 0x200, 96, 60.0 * 32.0 / 63.0),
        (CC20 | 0x300, 32, 60.0 * 32.0 / 64.0),
    ];
    for (source, value, expected) in curves {
        attenuates(modulator(source, InitialAttenuation, 600, 0, 0), value, expected);
    }
    // Without a source the amount itself applies.
    attenuates(modulator(0, InitialAttenuation, 60, 0, 0), 0, 6.0);
    // The second source scales: key 60.
    attenuates(modulator(CC20, InitialAttenuation, 600, 3, 0), 127, 60.0 * 60.0 / 127.0);
}

#[test]
fn the_absolute_transform_drops_the_sign() {
    const BIPOLAR_CC20: u16 = 0x280 | 20;
    attenuates(modulator(BIPOLAR_CC20, InitialAttenuation, 600, 0, 2), 0, 60.0);
    attenuates(modulator(BIPOLAR_CC20, InitialAttenuation, 600, 0, 2), 127, 60.0);
    // As it is, a negative result only takes attenuation away.
    attenuates(modulator(BIPOLAR_CC20, InitialAttenuation, 600, 0, 0), 0, 0.0);
}

#[test]
fn poly_pressure_moves_its_own_key_only() {
    let zone = || ZoneSketch {
        modulators: vec![modulator(10, InitialAttenuation, 200, 0, 0)],
        ..ZoneSketch::constant()
    };
    for (key, expected) in [(60, 20.0), (61, 0.0)] {
        let press = Event::PolyPressure { channel: 0, key, pressure: 127 };
        let [left, _] = play(vec![zone()], &[(0, press.into()), (0, on(60, 127))], 4800);
        close(HALF_POWER_DB - level_db(&left[2400..]), expected, 0.02, "attenuation");
    }
}

#[test]
fn links_and_unknown_sources_are_refused() {
    for bits in [127, 1, 4, 0x80, 0x80 | 6, 0x80 | 32, 0x80 | 98, 0x80 | 120, 0x1000] {
        assert_eq!(Source::from_bits(bits), None, "{bits:#x}");
    }
    assert_eq!(Transform::from_bits(1), None);
}

#[test]
fn a_controller_that_moves_while_a_note_sounds_does_not_step() {
    let actions = [(0, on(60, 127)), (9600, cc(7, 10)), (14_400, cc(10, 0)), (19_200, cc(11, 20))];
    let [left, right] = play(vec![ZoneSketch::sine()], &actions, 24_000);
    for side in [left, right] {
        assert!(sharpest_bend(&side[600..]) < 0.025, "{}", sharpest_bend(&side[600..]));
    }
}

#[test]
fn envelope_times_that_change_under_a_note_neither_stop_it_nor_step() {
    // Attack, decay and release by sound controllers; the sustain level by a file's own modulator.
    for value in [0, 127] {
        let to_sustain = modulator(0x80 | 20, SustainVolEnv, 400, 0, 0);
        let zone = || {
            let mut zone = ZoneSketch::sine().set(AttackVolEnv, 0).set(DecayVolEnv, 0).set(ReleaseVolEnv, 0);
            zone.modulators.push(to_sustain);
            zone
        };
        let moves = [73, 75, 72, 20].map(|controller| move |at: usize| (at, cc(controller, value)));
        let mut actions = vec![(0, on(60, 127)), (100_000, off(60))];
        for at in [5000, 60_000, 101_000] {
            actions.extend(moves.iter().map(|change| change(at)));
        }
        actions.sort_by_key(|(time, _)| *time);
        let [left, _] = play(vec![zone()], &actions, 110_000);
        assert!(sharpest_bend(&left) < 0.025, "value {value}: {}", sharpest_bend(&left));
        assert!(energy(&left[102_000..]) > 0.0 || value == 0, "value {value}");
    }
}
