//! What the LV2 half does with plugins whose behaviour is known: the examples of the specification and some of Debian's.

mod lv2_bench;

use std::time::{Duration, Instant};

use kmidi_core::{Beats, Event, SongTime, TimedEvent, Transport};
use kmidi_host::{Activation, Format, Kind, Plugin, StateError, Told, contents, lv2};
use lv2_bench::{ACTIVATION, activate, bundle, deactivate, load};

const OFFLINE: Activation = Activation { offline: true, ..ACTIVATION };

fn at(time: u32, event: Event) -> TimedEvent {
    TimedEvent { time, port: 0, event }
}

#[test]
fn a_parameter_changes_at_the_first_frame_at_once_and_later_in_the_next_quantum() {
    let Some(plugin) = load("eg-amp.lv2", "http://lv2plug.in/plugins/eg-amp") else { return };
    assert_eq!(plugin.text_of(0, -6.0).as_deref(), Some("-6 dB"));
    assert_eq!(plugin.value_of(0, "-6 dB"), Some(-6.0));
    let (active, mut bench) = activate(plugin, &ACTIVATION);
    bench.inputs[0].fill(1.0);
    let gain = |value| Event::Parameter { id: 0, value };
    let mut level = |events: &[TimedEvent]| {
        bench.run(events);
        (bench.outputs[0][0], bench.outputs[0][63])
    };
    assert_eq!(level(&[]), (1.0, 1.0));
    let half = 10f32.powf(-6.0 / 20.0);
    assert_eq!(level(&[at(0, gain(-6.0))]), (half, half));
    assert_eq!(level(&[at(32, gain(0.0))]), (half, half));
    assert_eq!(level(&[]), (1.0, 1.0));
    level(&[at(0, gain(f64::NAN)), at(0, Event::Parameter { id: 99, value: 1.0 })]);
    assert_eq!(active.value(0), Some(0.0));
    level(&[at(0, gain(1e9))]);
    assert_eq!(active.value(0), Some(24.0));
}

#[test]
fn notes_and_sysex_keep_their_frames_on_the_way_through() {
    let Some(plugin) = load("eg-fifths.lv2", "http://lv2plug.in/plugins/eg-fifths") else { return };
    assert_eq!(plugin.description().kind, Kind::NoteEffect);
    let (_active, mut bench) = activate(plugin, &ACTIVATION);
    let message = [0xf0, 1, 2, 3, 0xf7];
    let handle = bench.sysex.push(&message).unwrap();
    bench.run(&[
        at(3, Event::note_on(2, 60, 100)),
        at(40, Event::SysEx(handle)),
        at(63, Event::note_off(2, 60, 0)),
    ]);
    let out = bench.events_out.as_slice();
    let times: Vec<u32> = out.iter().map(|it| it.time).collect();
    let event = |key| Event::note_on(2, key, 100);
    assert_eq!(times, [3, 3, 40, 63, 63]);
    assert_eq!((out[0].event, out[1].event), (event(60), event(67)));
    let Event::SysEx(handle) = out[2].event else { panic!("{:?}", out[2]) };
    assert_eq!(bench.sysex.get(handle), Some(&message[..]));
}

#[test]
fn a_flood_of_notes_is_all_heard_and_what_finds_no_room_behind_is_counted() {
    let Some(plugin) = load("eg-fifths.lv2", "http://lv2plug.in/plugins/eg-fifths") else { return };
    let (_active, mut bench) = activate(plugin, &ACTIVATION);
    let flood: Vec<_> =
        (0..8192).map(|n| at(n / 128, Event::note_off((n % 16) as u8, (n % 100) as u8, 0))).collect();
    bench.run(&flood);
    let sent = bench.events_out.as_slice().len() as u64;
    assert_eq!(sent, bench.events_out.capacity() as u64);
    assert!(bench.events_out.dropped() > 1000, "{} dropped", bench.events_out.dropped());
    bench.run(&[]);
    assert_eq!(bench.events_out.as_slice().len(), 0);
}

#[test]
fn a_metronome_follows_the_song_and_is_silent_without_it() {
    let Some(plugin) = load("eg-metro.lv2", "http://lv2plug.in/plugins/eg-metro") else { return };
    let (_active, mut bench) = activate(plugin, &ACTIVATION);
    let mut clicks = |playing: bool| {
        let mut peak = 0.0f32;
        for quantum in 0..750i64 {
            let beats = Beats(((quantum * 64) as f64 / 24_000.0 * (1u64 << 31) as f64) as i64);
            let position = SongTime(quantum * 64 * SongTime::PER_FRAME);
            bench.transport = Transport { playing, position, beats, ..Transport::default() };
            bench.run(&[]);
            peak = peak.max(bench.peak());
        }
        peak
    };
    assert!(clicks(true) > 0.05);
    clicks(false);
    assert_eq!(clicks(false), 0.0);
}

#[test]
fn properties_are_set_told_and_kept() {
    let uri = "http://lv2plug.in/plugins/eg-params";
    let Some(mut plugin) = load("eg-params.lv2", uri) else { return };
    let id_of = |plugin: &kmidi_host::Plugin, symbol: &str| {
        plugin.description().parameters.iter().find(|it| it.symbol == symbol).unwrap().id
    };
    let (float, spring) = (id_of(&plugin, "float"), id_of(&plugin, "spring"));
    assert!(float >= 1 << 31);
    plugin.set_value(float, 0.75);
    let (mut active, mut bench) = activate(plugin, &ACTIVATION);
    bench.run(&[at(5, Event::Parameter { id: spring, value: 1.0 })]);
    let mut told = Vec::new();
    for _ in 0..100 {
        bench.run(&[]);
        told.extend(std::iter::from_fn(|| active.told()));
    }
    // The spring goes down by itself, and says so.
    let springs = told.iter().filter(|it| matches!(it, Told::Parameter { id, .. } if *id == spring)).count();
    assert!((2..=10).contains(&springs), "{springs} tellings in 133 ms");
    assert!(active.value(spring).unwrap() < 1.0);
    let state = active.save().unwrap();
    let mut second = load("eg-params.lv2", uri).unwrap();
    second.restore(&state).unwrap();
    assert_eq!(second.value(float), Some(0.75));
    let plugin = deactivate(active, bench);
    let mut other = load("eg-amp.lv2", "http://lv2plug.in/plugins/eg-amp").unwrap();
    assert!(matches!(other.restore(&state), Err(StateError::Other { .. })));
    drop(plugin);
}

#[test]
fn a_sampler_gets_its_default_sample_and_a_restore_while_it_runs_is_heard() {
    let Some(plugin) = load("eg-sampler.lv2", "http://lv2plug.in/plugins/eg-sampler") else { return };
    for activation in [ACTIVATION, OFFLINE] {
        let plugin = load("eg-sampler.lv2", "http://lv2plug.in/plugins/eg-sampler").unwrap();
        let (mut active, mut bench) = activate(plugin, &activation);
        bench.run(&[at(0, Event::note_on(0, 60, 127))]);
        assert!(bench.peak() > 0.01, "{activation:?}");
        let state = active.save().unwrap();
        active.restore(&state).unwrap();
        bench.run(&[]);
        bench.run(&[at(0, Event::note_on(0, 60, 127))]);
        assert!(bench.peak() > 0.01, "{activation:?} after a restore");
    }
    drop(plugin);
}

#[test]
fn a_kit_that_is_loaded_by_its_worker_sounds_offline_from_the_first_note_on() {
    let Some(folder) = bundle("avldrums.lv2") else { return };
    let id = lv2::read(&folder).unwrap().remove(0).0;
    let (_active, mut bench) = activate(Plugin::load(&folder, &id).unwrap(), &OFFLINE);
    // The kit is asked for in the first quantum, and worked for before that ends.
    bench.run(&[]);
    bench.run(&[at(0, Event::note_on(0, 36, 120))]);
    let mut peak = 0.0f32;
    for _ in 0..20 {
        bench.run(&[]);
        peak = peak.max(bench.peak());
    }
    assert!(peak > 0.01 && peak.is_finite(), "peak {peak}");
}

#[test]
fn a_kit_that_is_loaded_by_the_worker_thread_sounds_live_after_a_while() {
    let Some(folder) = bundle("avldrums.lv2") else { return };
    let id = lv2::read(&folder).unwrap().remove(0).0;
    let (_active, mut bench) = activate(kmidi_host::Plugin::load(&folder, &id).unwrap(), &ACTIVATION);
    let start = Instant::now();
    let mut peak = 0.0f32;
    while peak < 0.01 && start.elapsed() < Duration::from_secs(20) {
        bench.run(&[at(0, Event::note_on(0, 36, 120))]);
        peak = peak.max(bench.peak());
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(peak >= 0.01, "silent for {:?}", start.elapsed());
}

#[test]
fn latency_is_known_before_the_first_quantum() {
    let Some(plugin) = load("dj_eq-swh.lv2", "http://plugin.org.uk/swh-plugins/dj_eq") else { return };
    let (mut active, mut bench) = activate(plugin, &ACTIVATION);
    assert_eq!(active.node_info().latency_frames, 3);
    bench.run(&[]);
    assert_eq!(active.new_latency_frames(), None);
}

#[test]
fn another_sample_rate_and_quantum_keep_the_state() {
    let Some(mut plugin) = load("eg-amp.lv2", "http://lv2plug.in/plugins/eg-amp") else { return };
    plugin.set_value(0, -20.0);
    let activation = Activation { sample_rate_hz: 96_000, quantum_frames: 32, offline: false };
    let (active, mut bench) = activate(plugin, &activation);
    // A quantum longer than was said is silence, not a crash.
    bench.inputs[0].fill(1.0);
    bench.run(&[]);
    assert_eq!(bench.peak(), 0.0);
    let plugin = deactivate(active, bench);
    let (_active, mut bench) = activate(plugin, &ACTIVATION);
    bench.inputs[0].fill(1.0);
    bench.run(&[]);
    assert!((bench.peak() - 0.1).abs() < 1e-6, "{}", bench.peak());
}

#[test]
fn a_reset_offline_leaves_nothing_of_what_was_heard() {
    let Some(plugin) = load("mda.lv2", "http://drobilla.net/plugins/mda/Delay") else { return };
    let (_active, mut bench) = activate(plugin, &OFFLINE);
    for is_reset in [false, true] {
        for _ in 0..1000 {
            bench.make_noise();
            bench.run(&[]);
        }
        if is_reset {
            bench.processor.reset();
        }
        bench.inputs.iter_mut().for_each(|it| it.fill(0.0));
        let mut peak = 0.0f32;
        for _ in 0..500 {
            bench.run(&[]);
            peak = peak.max(bench.peak());
        }
        assert_eq!(peak > 1e-4, !is_reset, "peak {peak}");
    }
}

#[test]
fn a_reset_ends_the_notes_that_sound() {
    for activation in [ACTIVATION, OFFLINE] {
        let Some(plugin) = load("midifilter.lv2", "http://gareus.org/oss/lv2/midifilter#passthru") else {
            return;
        };
        let (_active, mut bench) = activate(plugin, &activation);
        bench.run(&[at(0, Event::note_on(0, 60, 127))]);
        assert_eq!(bench.events_out.as_slice().len(), 1);
        bench.processor.reset();
        bench.run(&[]);
        assert_eq!(bench.events_out.as_slice().len(), 32);
        assert!(bench.events_out.as_slice().iter().all(|it| it.event.ends_sound()));
    }
}

#[test]
fn a_damaged_state_reaches_no_plugin() {
    let Some(mut plugin) = load("eg-params.lv2", "http://lv2plug.in/plugins/eg-params") else { return };
    let good = plugin.save().unwrap();
    for len in [0, 7, 8, 12, good.data.len() - 1] {
        let cut = kmidi_host::State { id: good.id.clone(), data: good.data[..len].to_vec() };
        assert!(matches!(plugin.restore(&cut), Err(StateError::Damaged(_))), "{len} bytes");
    }
    plugin.restore(&good).unwrap();
}

#[test]
fn presets_are_found_and_taken() {
    let presets_of = |folder: &str, uri: &str| {
        let mut plugin = load(folder, uri)?;
        let presets = plugin.presets();
        assert!(!presets.is_empty(), "{uri}");
        let before = plugin.save().unwrap();
        plugin.load_preset(&presets[presets.len() / 2].key).unwrap();
        assert!(plugin.load_preset("urn:none").is_err());
        let (_active, mut bench) = activate(plugin, &OFFLINE);
        bench.run(&[at(0, Event::note_on(0, 60, 127))]);
        let plugin = deactivate(_active, bench);
        Some((before, plugin))
    };
    // One with values of ports, one with a state of its own.
    for (folder, uri) in [
        ("ZynAddSubFX.lv2", "http://zynaddsubfx.sourceforge.net"),
        ("mda.lv2", "http://drobilla.net/plugins/mda/DX10"),
    ] {
        let Some((before, mut plugin)) = presets_of(folder, uri) else { continue };
        assert!(plugin.save().unwrap() != before, "{uri}");
    }
}

#[test]
fn a_plugin_is_what_its_bundle_says_and_one_whose_library_lacks_something_says_what() {
    let Some(folder) = bundle("eg-amp.lv2") else { return };
    let (id, read) = lv2::read(&folder).unwrap().remove(0);
    assert_eq!(*Plugin::load(&folder, &id).unwrap().description(), read.unwrap());
    let Some(broken) = bundle("mbeq-swh.lv2") else { return };
    let id = contents(Format::Lv2, &broken).unwrap().remove(0);
    let error = Plugin::load(&broken, &id).err().unwrap().to_string();
    assert!(error.contains("fftw"), "{error}");
}
