//! What hosting an LV2 plugin costs over calling it: both in one run, in turn. The plugin copies its input and is compiled
//! for it, which takes a C compiler.
//!
//! Another program on the machine slows the median; the best times are what to hold against the target.
//!
//! `cargo bench -p kmidi-host --bench lv2`

#[path = "../tests/lv2_bench/mod.rs"]
mod lv2_bench;

use std::ffi::{c_char, c_void};
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use kmidi_core::{Event, TimedEvent, Transport};
use kmidi_host::{Format, Plugin, PluginId};
use libloading::Library;
use lv2_bench::{ACTIVATION, QUANTUM_FRAMES, activate};

/// Blocks between two looks at the clock: one block is too short for it.
const BATCH: usize = 64;
const ROUNDS: usize = 4000;
/// The most that hosting may cost in a block without events.
const TARGET: Duration = Duration::from_nanos(200);
const URI: &str = "urn:kmidi:null";
const BUNDLE: &str = "
    @prefix lv2: <http://lv2plug.in/ns/lv2core#> . @prefix atom: <http://lv2plug.in/ns/ext/atom#> .
    <urn:kmidi:null> a lv2:Plugin ; lv2:binary <null.so> ; lv2:port
        [ a lv2:AudioPort, lv2:InputPort ; lv2:index 0 ; lv2:symbol \"in_left\" ],
        [ a lv2:AudioPort, lv2:InputPort ; lv2:index 1 ; lv2:symbol \"in_right\" ],
        [ a lv2:AudioPort, lv2:OutputPort ; lv2:index 2 ; lv2:symbol \"out_left\" ],
        [ a lv2:AudioPort, lv2:OutputPort ; lv2:index 3 ; lv2:symbol \"out_right\" ],
        [ a atom:AtomPort, lv2:InputPort ; lv2:index 4 ; lv2:symbol \"notes\" ; atom:bufferType atom:Sequence ;
          atom:supports <http://lv2plug.in/ns/ext/midi#MidiEvent> ],
        [ a lv2:ControlPort, lv2:InputPort ; lv2:index 5 ; lv2:symbol \"level\" ;
          lv2:minimum 0.0 ; lv2:maximum 1.0 ; lv2:default 1.0 ] .";

fn main() {
    // Without `--bench` Cargo asks whether the bench is one: as a test it has nothing to say.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let folder = bundle();
    let mut bare = Bare::load(folder.path());
    let plugin = Plugin::load(folder.path(), &PluginId::new(Format::Lv2, URI)).unwrap();
    let (_active, mut bench) = activate(plugin, &ACTIVATION);
    bench.make_noise();
    let channels = bench.inputs.clone();
    let inputs: Vec<&[f32]> = channels.iter().map(Vec::as_slice).collect();
    let transport = Transport::default();
    let events: Vec<TimedEvent> = (0..8)
        .map(|at| TimedEvent { time: at * 8, port: 0, event: Event::note_on(0, at as u8, 100) })
        .chain([TimedEvent { time: 63, port: 0, event: Event::Parameter { id: 5, value: 0.5 } }])
        .collect();
    let kinds = [&[][..], &events[8..], &events[..4], &events[..]];
    let mut times: [Vec<Duration>; 5] = Default::default();
    for _ in 0..ROUNDS {
        times[0].push(per_block(|| bare.run()));
        for (times, events) in times[1..].iter_mut().zip(kinds) {
            times.push(per_block(|| {
                bench.events_out.clear();
                bench.run_with(black_box(&inputs), events, &transport);
            }));
        }
    }
    assert!(bench.outputs[1].iter().eq(channels[1].iter()), "the plugin has run");
    times.iter_mut().for_each(|times| times.sort_unstable());
    let over = |at: usize, rank: usize| times[at][rank].saturating_sub(times[0][rank]);
    println!("a block of {QUANTUM_FRAMES} frames, stereo in and out, {ROUNDS} batches of {BATCH} blocks:");
    println!("{:20} {:>10} {:>10} {:>12} {:>12}", "", "best", "median", "best - bare", "median - bare");
    let names = ["called bare", "hosted", "with one parameter", "with four notes", "with nine events"];
    for (at, what) in names.into_iter().enumerate() {
        let [best, median] = [0, ROUNDS / 2].map(|rank| (times[at][rank], over(at, rank)));
        println!("{what:20} {:>10.1?} {:>10.1?} {:>12.1?} {:>12.1?}", best.0, median.0, best.1, median.1);
    }
    let over = over(1, 0);
    assert!(over <= TARGET, "hosting costs {over:?} a block");
}

fn per_block(mut block: impl FnMut()) -> Duration {
    let began = Instant::now();
    (0..BATCH).for_each(|_| block());
    began.elapsed() / BATCH as u32
}

fn bundle() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/lv2_null.c");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O2", "-o"]).args([&folder.path().join("null.so"), &source]);
    assert!(compiler.status().expect("a C compiler").success());
    std::fs::write(folder.path().join("manifest.ttl"), BUNDLE).unwrap();
    folder
}

/// `LV2_Descriptor`.
#[repr(C)]
struct Descriptor {
    uri: *const c_char,
    instantiate:
        unsafe extern "C" fn(*const Descriptor, f64, *const c_char, *const *const c_void) -> *mut c_void,
    connect_port: unsafe extern "C" fn(*mut c_void, u32, *mut c_void),
    activate: *const c_void,
    run: unsafe extern "C" fn(*mut c_void, u32),
}

/// The plugin with buffers connected once, and nothing around it.
struct Bare {
    run: unsafe extern "C" fn(*mut c_void, u32),
    handle: *mut c_void,
    _channels: [Vec<f32>; 4],
    _library: Library,
}

impl Bare {
    fn load(folder: &Path) -> Self {
        let mut channels = [const { Vec::new() }; 4].map(|_: Vec<f32>| vec![0.1f32; QUANTUM_FRAMES as usize]);
        // SAFETY: the plugin of this folder, whose descriptor is as above and which takes no features.
        unsafe {
            let library = Library::new(folder.join("null.so")).unwrap();
            let descriptors =
                library.get::<unsafe extern "C" fn(u32) -> *const Descriptor>(b"lv2_descriptor").unwrap();
            let descriptor = &*descriptors(0);
            let features: [*const c_void; 1] = [std::ptr::null()];
            let handle = (descriptor.instantiate)(descriptor, 48_000.0, c"".as_ptr(), features.as_ptr());
            for (port, channel) in channels.iter_mut().enumerate() {
                (descriptor.connect_port)(handle, port as u32, channel.as_mut_ptr().cast());
            }
            Bare { run: descriptor.run, handle, _channels: channels, _library: library }
        }
    }

    fn run(&mut self) {
        // SAFETY: the ports that it uses are connected to channels of this length.
        unsafe { (self.run)(black_box(self.handle), QUANTUM_FRAMES) };
    }
}
