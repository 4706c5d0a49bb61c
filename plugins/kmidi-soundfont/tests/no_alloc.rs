//! The callback of the synthesiser allocates nothing and frees nothing. In a binary of its own:
//! the allocator is the whole program's.

#[path = "sound/rig.rs"]
#[allow(dead_code, reason = "the other tests use more of it")]
mod rig;

use assert_no_alloc::{AllocDisabler, assert_no_alloc, reset_violation_count, violation_count};
use kmidi_core::{AudioBuffer, Event, TimedEvent};
use kmidi_soundfont::{Generator, PresetKey, SynthConfig};
use rig::{RATE, Rig, ZoneSketch, preset};

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

/// Events of every kind, far too many of them, from a fixed sequence.
fn storm(seed: &mut u64, frames: u32) -> Vec<TimedEvent> {
    let mut random = |below: u64| {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 33) % below
    };
    let mut events: Vec<_> = (0..random(60))
        .map(|_| {
            let (channel, key, value) = (random(16) as u8, random(128) as u8, random(128) as u8);
            let event = match random(10) {
                0..=3 => Event::note_on(channel, key, value),
                4 => Event::note_off(channel, key, value),
                5 => Event::ControlChange { channel, controller: key, value },
                6 => Event::PitchBend { channel, value: random(16_384) as i16 - 8192 },
                7 => Event::ProgramChange { channel, program: value % 4 },
                8 => Event::ChannelPressure { channel, pressure: value },
                _ => Event::PolyPressure { channel, key, pressure: value },
            };
            TimedEvent { time: random(u64::from(frames)) as u32, port: random(4) as u16, event }
        })
        .collect();
    events.sort_by_key(|event| event.time);
    events
}

#[test]
fn the_callback_neither_allocates_nor_frees() {
    let zones = || {
        let zone = ZoneSketch::sine()
            .set(Generator::ReleaseVolEnv, -1200)
            .set(Generator::ModEnvToPitch, 300)
            .set(Generator::InitialFilterFc, 8000);
        vec![zone, ZoneSketch::of(vec![0.5; 5000]).set(Generator::ExclusiveClass, 1)]
    };
    let config = SynthConfig { polyphony: 32, ..SynthConfig::new(RATE) };
    let mut rig = Rig::with(config, zones());
    let mut buffers = [64, 64].map(AudioBuffer::silent);
    let mut seed = 1;
    let mut peak = 0.0f32;
    reset_violation_count();
    for quantum in 0..5000u32 {
        // Presets come and go meanwhile.
        if quantum % 50 == 0 {
            let key = PresetKey::melodic(0, (quantum / 50 % 4) as u8);
            rig.handle.install(key, preset(zones())).unwrap();
        }
        let events = storm(&mut seed, 64);
        assert_no_alloc(|| rig.quantum(&events, &mut buffers));
        peak = buffers[0].iter().fold(peak, |peak, x| peak.max(x.abs()));
        assert!(buffers.iter().all(|buffer| buffer.iter().all(|x| x.is_finite())));
    }
    assert_eq!(violation_count(), 0);
    let status = rig.handle.status();
    assert!(peak > 0.01 && status.voices_stolen > 0 && status.presets_missing > 0, "{peak} {status:?}");

    // The watch is awake: the same with a planted allocation.
    assert_no_alloc(|| drop(std::hint::black_box(Box::new(1))));
    assert!(violation_count() > 0, "a planted allocation must be caught");
}
