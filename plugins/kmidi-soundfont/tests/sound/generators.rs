//! Every generator, held against the oracle, with a control that it does something at all.

use crate::against::oracle;
use crate::residual::residual_db;
use crate::rig::*;
use kmidi_soundfont::Generator::{self, *};

/// A rich, looped sound: a decaying sawtooth-like wave of five partials with a loop of whole periods.
fn base() -> ZoneSketch {
    let wave = |i: usize| {
        let phase = std::f64::consts::TAU * i as f64 / 96.0;
        let after_loop = if i > 96 * 350 + 8 { 0.6 } else { 0.0 };
        let partials = (1..=5).map(|k| (phase * f64::from(k)).sin() / f64::from(k));
        (partials.sum::<f64>() + after_loop * (phase * 1.5).sin()) as f32 * 0.5
    };
    ZoneSketch::of((0..96 * 450 + 8).map(wave).collect()).looped(96 * 10, 96 * 350)
}

/// A note of 0.75 s and what follows, off the control grid.
fn song() -> Vec<(usize, Action)> {
    vec![(17, on(64, 100)), (17 + 36_000, off(64))]
}

const FRAMES: usize = 54_000;

/// The engine agrees with the oracle for these settings, and the last of them is heard.
#[track_caller]
fn check(settings: &[(Generator, i32)]) {
    let build =
        |settings: &[(Generator, i32)]| {
            vec![settings.iter().fold(base().set(ReleaseVolEnv, -2400), |zone, &(generator, value)| {
                zone.set(generator, value)
            })]
        };
    let sound = play(build(settings), &song(), FRAMES);
    let reference = oracle(build(settings), &song(), FRAMES);
    let residual = residual_db(&sound, &reference);
    assert!(residual < -60.0, "{settings:?}: residual {residual:.1} dB");
    let without = oracle(build(&settings[..settings.len() - 1]), &song(), FRAMES);
    let heard = residual_db(&sound, &without);
    assert!(heard > -50.0, "{settings:?}: the last makes no difference ({heard:.1} dB)");
}

#[test]
fn a_loop_shorter_than_a_stretch_is_left_at_its_end() {
    let build =
        |modes| vec![base().looped(96 * 10, 96 * 10 + 24).set(SampleModes, modes).set(ReleaseVolEnv, -2400)];
    let reference = oracle(build(3), &song(), FRAMES);
    let residual = residual_db(&play(build(3), &song(), FRAMES), &reference);
    assert!(residual < -60.0, "residual {residual:.1} dB");
    let kept = residual_db(&play(build(1), &song(), FRAMES), &reference);
    assert!(kept > -30.0, "a loop that is kept sounds other ({kept:.1} dB)");
}

macro_rules! generator_tests {
    ($($name:ident: $([$($setting:expr),+])+;)*) => {$(
        #[test]
        fn $name() { $(check(&[$($setting),+]);)+ }
    )*};
}

generator_tests! {
    start_addrs_offset: [(StartAddrsOffset, 333)];
    end_addrs_offset: [(SampleModes, 0), (EndAddrsOffset, -1500)];
    start_loop_addrs_offset: [(StartLoopAddrsOffset, 101)];
    end_loop_addrs_offset: [(EndLoopAddrsOffset, -57)];
    start_addrs_coarse_offset: [(StartAddrsCoarseOffset, 1)];
    end_addrs_coarse_offset: [(SampleModes, 0), (EndAddrsCoarseOffset, -1)];
    start_loop_addrs_coarse_offset: [(StartLoopAddrsCoarseOffset, 1)];
    end_loop_addrs_coarse_offset: [(EndLoopAddrsCoarseOffset, -1)];
    mod_lfo_to_pitch: [(FreqModLfo, -200), (ModLfoToPitch, 70)];
    vib_lfo_to_pitch: [(FreqVibLfo, -100), (VibLfoToPitch, -60)];
    mod_env_to_pitch: [(AttackModEnv, -5000), (DecayModEnv, -2500), (ModEnvToPitch, 500)];
    initial_filter_fc: [(InitialFilterFc, 7500)];
    initial_filter_q: [(InitialFilterFc, 7500), (InitialFilterQ, 150)];
    mod_lfo_to_filter_fc: [(InitialFilterFc, 7500), (ModLfoToFilterFc, 1500)];
    mod_env_to_filter_fc: [(InitialFilterFc, 6500), (DecayModEnv, -2500), (ModEnvToFilterFc, 3000)];
    mod_lfo_to_volume: [(FreqModLfo, 0), (ModLfoToVolume, 60)] [(ModLfoToVolume, -60)];
    pan: [(Pan, -300)] [(Pan, 500)];
    delay_mod_lfo: [(ModLfoToPitch, 70), (DelayModLfo, -3000)];
    freq_mod_lfo: [(ModLfoToPitch, 70), (FreqModLfo, -1200)];
    delay_vib_lfo: [(VibLfoToPitch, 70), (DelayVibLfo, -3000)];
    freq_vib_lfo: [(VibLfoToPitch, 70), (FreqVibLfo, -700)];
    delay_mod_env: [(ModEnvToPitch, 400), (DelayModEnv, -4000)];
    attack_mod_env: [(ModEnvToPitch, 400), (AttackModEnv, -3000)];
    hold_mod_env: [(ModEnvToPitch, 400), (SustainModEnv, 1000), (DecayModEnv, -3000), (HoldModEnv, -3000)];
    decay_mod_env: [(ModEnvToPitch, 400), (SustainModEnv, 1000), (DecayModEnv, -2000)];
    sustain_mod_env: [(ModEnvToPitch, 400), (DecayModEnv, -4000), (SustainModEnv, 700)];
    release_mod_env: [(ModEnvToPitch, 400), (ReleaseModEnv, -1500)];
    keynum_to_mod_env_hold:
        [(ModEnvToPitch, 400), (SustainModEnv, 1000), (HoldModEnv, -4000), (KeynumToModEnvHold, -300)];
    keynum_to_mod_env_decay:
        [(ModEnvToPitch, 400), (SustainModEnv, 1000), (DecayModEnv, -4000), (KeynumToModEnvDecay, -300)];
    delay_vol_env: [(DelayVolEnv, -5000)];
    attack_vol_env: [(AttackVolEnv, -3000)] [(AttackVolEnv, 0)];
    hold_vol_env: [(DecayVolEnv, -1000), (SustainVolEnv, 1000), (HoldVolEnv, -3000)];
    decay_vol_env: [(SustainVolEnv, 1000), (DecayVolEnv, 0)];
    sustain_vol_env: [(DecayVolEnv, -3000), (SustainVolEnv, 80)];
    release_vol_env: [(ReleaseVolEnv, 0)] [(ReleaseVolEnv, -12_000)];
    keynum_to_vol_env_hold: [(DecayVolEnv, -1000), (SustainVolEnv, 1000), (HoldVolEnv, -4000), (KeynumToVolEnvHold, -300)];
    keynum_to_vol_env_decay: [(SustainVolEnv, 1000), (DecayVolEnv, -2000), (KeynumToVolEnvDecay, -300)];
    keynum: [(Keynum, 71)];
    velocity: [(Velocity, 50)];
    initial_attenuation: [(InitialAttenuation, 150)];
    coarse_tune: [(CoarseTune, -5)];
    fine_tune: [(FineTune, 33)];
    sample_modes: [(SampleModes, 0)] [(ReleaseVolEnv, 0), (EndLoopAddrsOffset, -19_230), (SampleModes, 3)];
    scale_tuning: [(ScaleTuning, 50)];
    overriding_root_key: [(OverridingRootKey, 48)];
}
