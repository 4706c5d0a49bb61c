use fearless_simd::Level;

use crate::rig::*;
use kmidi_core::Event;
use kmidi_soundfont::{Generator, Interpolation};

fn busy() -> (Vec<ZoneSketch>, Vec<(usize, Action)>) {
    let zone = ZoneSketch::sine()
        .set(Generator::AttackVolEnv, -7000)
        .set(Generator::DecayVolEnv, -1500)
        .set(Generator::SustainVolEnv, 120)
        .set(Generator::ReleaseVolEnv, -2500)
        .set(Generator::VibLfoToPitch, 40)
        .set(Generator::ModEnvToFilterFc, 2400)
        .set(Generator::DecayModEnv, -2000)
        .set(Generator::InitialFilterFc, 9000)
        .set(Generator::InitialFilterQ, 60)
        .set(Generator::ModLfoToVolume, 30);
    let mut actions = Vec::new();
    for i in 0..60usize {
        let key = 40 + (i * 7 % 40) as u8;
        actions.push((13 + i * 331, on(key, 30 + (i * 13 % 90) as u8)));
        actions.push((13 + i * 331 + 977, off(key)));
        actions.push((29 + i * 331, cc([1, 7, 10, 73, 11, 91, 75, 74][i % 8], (i * 29 % 128) as u8)));
        let bend = Event::PitchBend { channel: 0, value: (i as i16 % 16 - 8) * 1000 };
        actions.push((31 + i * 331, bend.into()));
    }
    actions.sort_by_key(|(time, _)| *time);
    (vec![zone], actions)
}

#[test]
fn bits_do_not_depend_on_the_quantum() {
    let play = |config, quantum| {
        let (zones, actions) = busy();
        Rig::with(config, zones).play(&actions, 40_000, quantum)
    };
    let full = kmidi_soundfont::SynthConfig { polyphony: 8, ..kmidi_soundfont::SynthConfig::new(RATE) };
    let read = |interpolation| kmidi_soundfont::SynthConfig { interpolation, ..dry() };
    for config in [dry(), full, read(Interpolation::Linear), read(Interpolation::Sinc)] {
        let reference = play(config, 64);
        assert!(reference[0].iter().any(|x| x.abs() > 0.01));
        assert!(reference.iter().flatten().all(|x| x.is_finite()));
        for quantum in [1, 32, 37, 441, 17, 1024] {
            let other = play(config, quantum);
            assert!(reference == other, "quantum {quantum}");
        }
    }
}

/// Every instruction set that this machine can compute with.
fn levels() -> Vec<Level> {
    let best = Level::new();
    #[cfg(target_arch = "x86_64")]
    let lesser = [
        best.as_sse2().map(Level::Sse2),
        best.as_sse4_2().map(Level::Sse4_2),
        best.as_avx2().map(Level::Avx2),
    ];
    #[cfg(not(target_arch = "x86_64"))]
    let lesser = [None];
    lesser.into_iter().flatten().chain([best]).collect()
}

#[test]
fn bits_do_not_depend_on_the_instruction_set() {
    let play = |level, last_key, interpolation| {
        let (zones, mut actions) = busy();
        actions.push((39_000, on(last_key, 100)));
        let config =
            kmidi_soundfont::SynthConfig { level, interpolation, ..kmidi_soundfont::SynthConfig::new(RATE) };
        Rig::with(config, zones).play(&actions, 40_000, 64)
    };
    let levels = levels();
    for interpolation in [Interpolation::Linear, Interpolation::Cubic, Interpolation::Sinc] {
        let reference = play(levels[0], 60, interpolation);
        assert!(reference[0].iter().any(|x| x.abs() > 0.01));
        assert!(reference != play(levels[0], 61, interpolation), "another note is another sound");
        for &level in &levels {
            assert!(reference == play(level, 60, interpolation), "{level:?} {interpolation:?}");
        }
    }
}
