//! The audio half of an LV2 plugin allocates and frees nothing, whatever reaches it.

mod lv2_bench;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use kmidi_core::{Event, SongTime, TimedEvent, Transport};
use kmidi_host::Activation;
use lv2_bench::{ACTIVATION, activate, deactivate, load};

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

/// Counts what Rust asks of the allocator on this thread. Foreign code has its own.
struct Counting;

// SAFETY: all is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Notes, SysEx, and every parameter at another place in every quantum.
fn events(quantum: usize, parameters: &[(u32, f64, f64)], sysex: Event) -> Vec<TimedEvent> {
    let at = |time, event| TimedEvent { time, port: 0, event };
    let mut events = vec![at(0, Event::note_on(0, 60, 100)), at(1, sysex), at(2, Event::note_off(0, 60, 0))];
    for (id, min, max) in parameters {
        let value = min + (max - min) * ((quantum % 7) as f64 / 6.0);
        events.push(at((quantum % 2 * 40) as u32, Event::Parameter { id: *id, value }));
    }
    events.sort_by_key(|it| it.time);
    events
}

fn calls_of(folder: &str, uri: &str, activation: &Activation) -> Option<u64> {
    let plugin = load(folder, uri)?;
    let parameters: Vec<_> =
        plugin.description().parameters.iter().map(|it| (it.id, it.min, it.max)).collect();
    let (active, mut bench) = activate(plugin, activation);
    let channels: Vec<Vec<f32>> = bench.inputs.clone();
    let inputs: Vec<&[f32]> = channels.iter().map(Vec::as_slice).collect();
    let mut calls = 0;
    for quantum in 0..300 {
        let handle = bench.sysex.push(&[0xf0, 1, 0xf7]).unwrap();
        let events = events(quantum, &parameters, Event::SysEx(handle));
        // The song jumps each time, so that it is told each time.
        let transport = Transport {
            playing: quantum % 2 == 0,
            position: SongTime((quantum * 1_000_000) as i64),
            ..Transport::default()
        };
        if quantum == 150 {
            bench.processor.reset();
        }
        bench.events_out.clear();
        let before = CALLS.get();
        bench.run_with(&inputs, &events, &transport);
        calls += CALLS.get() - before;
    }
    deactivate(active, bench);
    Some(calls)
}

#[test]
fn notes_parameters_and_a_jumping_song_cost_no_allocation() {
    let before = CALLS.get();
    drop(Box::new(1));
    assert_eq!(CALLS.get() - before, 2, "the counter counts");
    let offline = Activation { offline: true, ..ACTIVATION };
    let cases = [
        ("eg-amp.lv2", "http://lv2plug.in/plugins/eg-amp"),
        ("eg-fifths.lv2", "http://lv2plug.in/plugins/eg-fifths"),
        ("eg-metro.lv2", "http://lv2plug.in/plugins/eg-metro"),
        ("eg-params.lv2", "http://lv2plug.in/plugins/eg-params"),
        ("eg-sampler.lv2", "http://lv2plug.in/plugins/eg-sampler"),
        ("mda.lv2", "http://drobilla.net/plugins/mda/Piano"),
        ("ZamVerb.lv2", "urn:zamaudio:ZamVerb"),
        ("calf.lv2", "http://calf.sourceforge.net/plugins/Compressor"),
        ("lsp-plugins.lv2", "http://lsp-plug.in/plugins/lv2/para_equalizer_x16_stereo"),
    ];
    for (folder, uri) in cases {
        for activation in [ACTIVATION, offline] {
            let calls = calls_of(folder, uri, &activation);
            println!("{uri} offline {}: {calls:?}", activation.offline);
            assert!(
                matches!(calls, Some(0) | None),
                "{uri}: {calls:?} calls, offline {}",
                activation.offline
            );
        }
    }
}
