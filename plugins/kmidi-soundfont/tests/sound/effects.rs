//! Reverb and chorus: how loud, how long, how wide, and that they sleep.

use crate::measure::*;
use crate::rig::*;
use kmidi_core::{AudioBuffer, ProcessStatus, TimedEvent};
use kmidi_soundfont::{Generator, SynthConfig};

/// What an effect adds to a short burst of noise that is sent to it in full; and the burst's own energy.
fn wet(reverb: bool, seconds: usize) -> ([Vec<f32>; 2], f64) {
    let mut state = 1u32;
    let noise: Vec<f32> = (0..2400)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        })
        .collect();
    let send = if reverb { Generator::ReverbEffectsSend } else { Generator::ChorusEffectsSend };
    let zone = || vec![ZoneSketch::of(noise.clone()).set(send, 1000)];
    let actions = [(0, cc(91, 0)), (0, cc(93, 0)), (0, on(60, 127))];
    let render = |config| Rig::with(config, zone()).play(&actions, seconds * RATE as usize, 64);
    let dry_sound = render(dry());
    let mut sound = render(SynthConfig { reverb, chorus: !reverb, ..dry() });
    for (wet, dry) in sound.iter_mut().zip(&dry_sound) {
        wet.iter_mut().zip(dry).for_each(|(wet, dry)| *wet -= dry);
    }
    (sound, energy(&dry_sound[0]) + energy(&dry_sound[1]))
}

fn decibels(ratio: f64) -> f64 {
    10.0 * ratio.log10()
}

/// Correlation of left and right.
fn correlation([left, right]: &[Vec<f32>; 2]) -> f64 {
    let product: f64 = left.iter().zip(right).map(|(a, b)| f64::from(a * b)).sum();
    product / (energy(left) * energy(right)).sqrt()
}

#[test]
fn a_full_send_is_about_as_loud_as_the_sound_itself() {
    for reverb in [true, false] {
        let (sound, dry_energy) = wet(reverb, 5);
        let level = decibels((energy(&sound[0]) + energy(&sound[1])) / dry_energy);
        assert!(level.abs() < 3.0, "reverb {reverb}: {level:.2} dB");
        assert!(decibels(energy(&sound[0]) / energy(&sound[1])).abs() < 1.0, "both sides alike");
        assert!(correlation(&sound).abs() < 0.5, "wide");
    }
}

#[test]
fn the_reverb_dies_away_evenly() {
    let (sound, _) = wet(true, 5);
    let step = RATE as usize / 10;
    let levels: Vec<f64> = sound[0].chunks(step).map(|chunk| decibels(energy(chunk))).collect();
    // From 0.2 s on straight down: 60 dB in about 2 s.
    let slope = (levels[17] - levels[2]) / 1.5;
    assert!((-40.0..-24.0).contains(&slope), "{slope:.1} dB a second");
    for (i, pair) in levels[2..20].windows(2).enumerate() {
        assert!((-7.0..1.0).contains(&(pair[1] - pair[0])), "step {i}: {pair:?}");
    }
}

#[test]
fn effects_sleep_when_they_have_died_away_and_wake_again() {
    let config = SynthConfig { gain: 1.0, ..SynthConfig::new(RATE) };
    let zone = ZoneSketch::of(vec![0.5; 480]).set(Generator::ChorusEffectsSend, 500);
    let mut rig = Rig::with(config, vec![zone]);
    let mut buffers = [64, 64].map(AudioBuffer::silent);
    let note = TimedEvent { time: 5, port: 0, event: kmidi_core::Event::note_on(0, 60, 127) };
    for round in 0..2 {
        assert_eq!(rig.quantum(&[note], &mut buffers), ProcessStatus::Continue);
        let mut quanta = 1;
        while rig.quantum(&[], &mut buffers) == ProcessStatus::Continue {
            quanta += 1;
            assert!(quanta < 15_000, "round {round} never ends");
        }
        assert!(quanta > 750, "round {round}: the tail is heard for more than a second");
        rig.quantum(&[], &mut buffers);
        assert!(buffers.iter().all(|buffer| buffer.iter().all(|&x| x == 0.0)), "asleep it is silent");
    }
}

#[test]
fn a_dry_synthesiser_sleeps_with_its_last_voice() {
    let mut rig = Rig::with(dry(), vec![ZoneSketch::of(vec![0.5; 480])]);
    let mut buffers = [64, 64].map(AudioBuffer::silent);
    let note = TimedEvent { time: 5, port: 0, event: kmidi_core::Event::note_on(0, 60, 127) };
    assert_eq!(rig.quantum(&[], &mut buffers), ProcessStatus::Sleep);
    assert_eq!(rig.quantum(&[note], &mut buffers), ProcessStatus::Continue);
    let awake = (0..100).take_while(|_| rig.quantum(&[], &mut buffers) == ProcessStatus::Continue).count();
    assert_eq!(awake, (480 + 5) / 64 - 1);
}
