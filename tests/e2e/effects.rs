//! `kmidi fx`: rates, channels, pipes.

use std::f64::consts::TAU;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use kmidi_gain_clap::ID;
use serde_json::Value;

use super::plugins::{Machine, samples};
use crate::support::program::{self, Outcome};

/// What the source of every LV2 plugin begins with.
const LV2: &str = r#"
#include <stdint.h>
#include <stdlib.h>
typedef struct Descriptor {
    const char *uri;
    void *(*instantiate)(const struct Descriptor *, double, const char *, const void *const *);
    void (*connect_port)(void *, uint32_t, void *);
    void (*activate)(void *);
    void (*run)(void *, uint32_t);
    void (*deactivate)(void *);
    void (*cleanup)(void *);
    const void *(*extension_data)(const char *);
} Descriptor;
"#;

/// A mono LV2 plugin that is 37 frames late and says so.
const LATE: &str = r#"
typedef struct { float *ports[4]; float line[37]; uint32_t at; } Self;
static void *instantiate(const Descriptor *d, double rate, const char *path, const void *const *features) {
    return calloc(1, sizeof(Self));
}
static void connect(void *self, uint32_t port, void *data) { ((Self *)self)->ports[port] = data; }
static void run(void *handle, uint32_t frames) {
    Self *self = handle;
    *self->ports[3] = 37;
    for (uint32_t n = 0; n < frames; ++n) {
        float in = self->ports[0][n];
        self->ports[1][n] = self->line[self->at] * *self->ports[2];
        self->line[self->at] = in;
        self->at = (self->at + 1) % 37;
    }
}
static const Descriptor late = {"urn:kmidi:late", instantiate, connect, 0, run, 0, free, 0};
const Descriptor *lv2_descriptor(uint32_t index) { return index ? 0 : &late; }
"#;

const LATE_BUNDLE: &str = r#"
@prefix lv2: <http://lv2plug.in/ns/lv2core#> . @prefix doap: <http://usefulinc.com/ns/doap#> .
<urn:kmidi:late> a lv2:Plugin ; lv2:binary <late.so> ; doap:name "Late" ; lv2:port
    [ a lv2:AudioPort, lv2:InputPort ; lv2:index 0 ; lv2:symbol "in" ; lv2:name "In" ],
    [ a lv2:AudioPort, lv2:OutputPort ; lv2:index 1 ; lv2:symbol "out" ; lv2:name "Out" ],
    [ a lv2:ControlPort, lv2:InputPort ; lv2:index 2 ; lv2:symbol "level" ; lv2:name "Level" ;
      lv2:minimum 0.0 ; lv2:maximum 1.0 ; lv2:default 1.0 ],
    [ a lv2:ControlPort, lv2:OutputPort ; lv2:index 3 ; lv2:symbol "latency" ; lv2:name "Latency" ;
      lv2:portProperty lv2:reportsLatency ; lv2:minimum 0 ; lv2:maximum 100 ] .
"#;

/// Builds an LV2 plugin and puts it where plugins are looked for.
fn install(machine: &Machine, name: &str, source: &str, bundle: &str) {
    let folder = machine.plugins().join(format!("{name}.lv2"));
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join("manifest.ttl"), bundle).expect("written");
    let [binary, code] = [format!("{name}.so"), format!("{name}.c")].map(|it| folder.join(it));
    fs::write(&code, [LV2, source].concat()).expect("written");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-o"]).args([binary, code]);
    assert!(compiler.status().expect("the C compiler that the build needs").success());
}

/// Interleaved samples as a file of 32-bit floats.
fn write(path: &Path, channels: u16, sample_rate: u32, samples: &[f32]) {
    let (bits_per_sample, sample_format) = (32, hound::SampleFormat::Float);
    let spec = hound::WavSpec { channels, sample_rate, bits_per_sample, sample_format };
    let mut writer = hound::WavWriter::create(path, spec).expect("created");
    samples.iter().for_each(|sample| writer.write_sample(*sample).expect("written"));
    writer.finalize().expect("written");
}

/// A sine on the left and another one on the right.
fn two_sines(rate_hz: u32, frames: usize) -> Vec<f32> {
    let sine = |hz: f64, n: usize| (TAU * hz * n as f64 / f64::from(rate_hz)).sin() as f32 * 0.5;
    (0..frames).flat_map(|n| [sine(440.0, n), sine(1870.0, n)]).collect()
}

/// A machine and the two files.
struct Bench {
    machine: Machine,
    input: PathBuf,
    output: PathBuf,
}

impl Bench {
    fn new(machine: Machine) -> Self {
        let (input, output) = (machine.path("in.wav"), machine.path("out.wav"));
        Bench { machine, input, output }
    }

    fn fx(&self, more: &[&str]) -> Outcome {
        let [input, output] = [&self.input, &self.output].map(|path| path.to_str().expect("UTF-8"));
        self.machine.run(&[&["fx", input, "-o", output, "--bits", "32f", "--json"], more].concat())
    }

    fn report(&self, more: &[&str]) -> Value {
        self.fx(more).success().json()
    }
}

fn channel(samples: &[f32], channels: usize, at: usize) -> Vec<f32> {
    samples.iter().skip(at).step_by(channels).copied().collect()
}

/// Most that two sounds differ by between these frames.
fn difference(one: &[f32], other: &[f32], frames: std::ops::Range<usize>) -> f32 {
    frames.map(|n| (one[n] - other[n]).abs()).fold(0.0, f32::max)
}

#[test]
fn a_mono_plugin_runs_once_for_each_side_and_keeps_them_apart_and_in_time() {
    let bench = Bench::new(Machine::new());
    install(&bench.machine, "late", LATE, LATE_BUNDLE);
    bench.machine.scan();
    let before = two_sines(48_000, 30_011);
    write(&bench.input, 2, 48_000, &before);
    let late = ["-p", "lv2:urn:kmidi:late", "-c", "level=0.5"];
    let report = bench.report(&[&late[..], &["-p", "lv2:urn:kmidi:late"]].concat());
    for plugin in report["plugins"].as_array().expect("a list") {
        assert_eq!((&plugin["instances"], &plugin["latency_frames"]), (&2.into(), &37.into()));
    }
    assert_eq!(report["latency_frames"], 74);
    assert_eq!((&report["frames"], &report["channels"]), (&30_011.into(), &2.into()));
    let after = samples(&bench.output);
    let half: Vec<f32> = before.iter().map(|it| it / 2.0).collect();
    assert!(after == half, "each side at its place, at half the level");
    // What a mix of both would be is far from that.
    let mix: Vec<f32> = before.chunks(2).map(|both| both.iter().sum::<f32>() / 4.0).collect();
    assert!(difference(&mix, &channel(&after, 2, 0), 0..30_000) > 0.1);

    // One is enough for a mono file.
    write(&bench.input, 1, 48_000, &channel(&before, 2, 1));
    let report = bench.report(&late);
    assert_eq!((&report["plugins"][0]["instances"], &report["channels"]), (&1.into(), &1.into()));
    assert!(samples(&bench.output) == channel(&half, 2, 1));
}

#[test]
fn a_stereo_plugin_makes_stereo_of_a_mono_file_and_more_channels_are_refused() {
    let bench = Bench::new(Machine::new());
    bench.machine.install_gain();
    bench.machine.scan();
    let plugin = format!("clap:{ID}");
    let mono = channel(&two_sines(44_100, 20_000), 2, 0);
    write(&bench.input, 1, 44_100, &mono);
    let report = bench.report(&["-p", &plugin]);
    assert_eq!((&report["input_channels"], &report["channels"]), (&1.into(), &2.into()));
    let after = samples(&bench.output);
    assert!(difference(&channel(&after, 2, 0), &mono, 10_000..20_000) < 1e-4, "not at half the level");
    assert!(channel(&after, 2, 0) == channel(&after, 2, 1));

    let three: Vec<f32> = mono.iter().flat_map(|it| [*it, 0.0, -*it]).collect();
    write(&bench.input, 3, 44_100, &three);
    let refused = bench.fx(&["-p", &plugin]);
    assert_eq!(refused.code, Some(2), "{refused:#?}");
    assert!(refused.stderr.contains("the file has 3 channels and"), "{refused:#?}");
    assert_eq!(bench.report(&[])["channels"], 3);
    assert!(samples(&bench.output) == three, "without plugins all go through");
}

#[test]
fn at_another_rate_a_file_is_as_long_and_nothing_moves() {
    let bench = Bench::new(Machine::new());
    bench.machine.install_gain();
    bench.machine.scan();
    // An impulse on a frame that both rates have, and a sine.
    const AT: usize = 44_100 / 300 * 100;
    let sine = |rate_hz: f64, n: usize| (TAU * 1000.0 * n as f64 / rate_hz).sin() as f32 * 0.25;
    let frames = 2 * 44_100 + 1;
    let impulse = |n: usize| if n == AT { 1.0 } else { 0.0 };
    let before: Vec<f32> = (0..frames).flat_map(|n| [impulse(n), sine(44_100.0, n)]).collect();
    write(&bench.input, 2, 44_100, &before);

    bench.report(&["--rate", "44100"]);
    assert!(samples(&bench.output) == before, "its own rate changes nothing");

    let plugin = format!("clap:{ID}");
    for more in [&[][..], &["-p", &plugin]] {
        let report = bench.report(&[&["--rate", "48000", "--tail", "0"], more].concat());
        assert_eq!((&report["input_rate_hz"], &report["sample_rate_hz"]), (&44_100.into(), &48_000.into()));
        assert_eq!((&report["input_frames"], &report["frames"]), (&frames.into(), &96_001.into()));
        let header = hound::WavReader::open(&bench.output).expect("a WAV file").spec();
        assert_eq!(header.sample_rate, 48_000);
        let after = samples(&bench.output);
        let left = channel(&after, 2, 0);
        let loudest = (0..left.len()).max_by(|a, b| left[*a].abs().total_cmp(&left[*b].abs()));
        assert_eq!(loudest, Some(AT / 147 * 160), "{more:?}");
        let expected: Vec<f32> = (0..96_001).map(|n| sine(48_000.0, n)).collect();
        let worst = difference(&channel(&after, 2, 1), &expected, 48_000..90_000);
        assert!(worst < 1e-5, "{more:?}: {worst}");
        assert!(difference(&channel(&after, 2, 1)[1..], &expected, 48_000..90_000) > 0.01, "a frame is seen");
    }

    let refused = bench.fx(&["--rate", "1000"]);
    assert_eq!(refused.code, Some(2), "{refused:#?}");
}

#[test]
fn a_pipe_goes_in_and_a_pipe_comes_out() {
    let bench = Bench::new(Machine::new());
    let before = two_sines(44_100, 5_000);
    write(&bench.input, 2, 44_100, &before);
    let mut cat = Command::new("cat");
    let mut cat = cat.arg(&bench.input).stdout(std::process::Stdio::piped()).spawn().expect("cat");
    let mut command = program::command(&["fx", "-", "-o", "-", "--bits", "32f"]);
    command.env("XDG_CACHE_HOME", bench.machine.path("cache"));
    command.stdin(cat.stdout.take().expect("a pipe")).stdout(File::create(&bench.output).expect("created"));
    let status = command.status().expect("it runs");
    cat.wait().expect("cat ends");
    assert!(status.success());
    assert!(samples(&bench.output) == before, "bit for bit");

    let mut both = program::command(&["fx", "-", "-o", "-", "--json"]);
    let both = both.stdin(std::process::Stdio::null()).output().expect("it runs");
    assert_eq!(both.status.code(), Some(2));
}

/// A mono LV2 plugin that gives its input back five seconds later, as an echo, and nothing else.
const ECHO: &str = r#"
typedef struct { float *ports[2]; float line[240000]; uint32_t at; } Self;
static void *instantiate(const Descriptor *d, double rate, const char *path, const void *const *features) {
    return calloc(1, sizeof(Self));
}
static void connect(void *self, uint32_t port, void *data) { ((Self *)self)->ports[port] = data; }
static void run(void *handle, uint32_t frames) {
    Self *self = handle;
    for (uint32_t n = 0; n < frames; ++n) {
        float in = self->ports[0][n];
        self->ports[1][n] = self->line[self->at];
        self->line[self->at] = in;
        self->at = (self->at + 1) % 240000;
    }
}
static const Descriptor echo = {"urn:kmidi:echo", instantiate, connect, 0, run, 0, free, 0};
const Descriptor *lv2_descriptor(uint32_t index) { return index ? 0 : &echo; }
"#;

const ECHO_BUNDLE: &str = r#"
@prefix lv2: <http://lv2plug.in/ns/lv2core#> . @prefix doap: <http://usefulinc.com/ns/doap#> .
<urn:kmidi:echo> a lv2:Plugin ; lv2:binary <echo.so> ; doap:name "Echo" ; lv2:port
    [ a lv2:AudioPort, lv2:InputPort ; lv2:index 0 ; lv2:symbol "in" ; lv2:name "In" ],
    [ a lv2:AudioPort, lv2:OutputPort ; lv2:index 1 ; lv2:symbol "out" ; lv2:name "Out" ] .
"#;

#[test]
fn an_echo_that_comes_seconds_later_is_in_the_file_and_no_silence_behind_it() {
    let bench = Bench::new(Machine::new());
    install(&bench.machine, "echo", ECHO, ECHO_BUNDLE);
    bench.machine.scan();
    let before = channel(&two_sines(48_000, 9_600), 2, 0);
    write(&bench.input, 1, 48_000, &before);
    let echo = ["-p", "lv2:urn:kmidi:echo"];
    bench.report(&echo);
    let after = samples(&bench.output);
    assert_eq!(after.len(), 249_600, "five seconds and the sound");
    assert!(after[..240_000].iter().all(|it| *it == 0.0) && after[240_000..] == before);
    bench.report(&[&echo[..], &echo].concat());
    assert_eq!(samples(&bench.output).len(), 480_000 + 9_600);
    // What is asked for is what is given, and without plugins there is nothing to wait for.
    bench.report(&[&echo[..], &["--tail", "1"]].concat());
    assert_eq!(samples(&bench.output).len(), 57_600);
    bench.report(&[]);
    assert!(samples(&bench.output) == before);

    // A song too: what is cut off today is the music itself.
    let song = format!("{}/tests/data/midi/jazzsoft/test-c-major-scale.mid", env!("CARGO_MANIFEST_DIR"));
    let output = bench.output.to_str().expect("UTF-8");
    let render = |more: &[&str]| {
        let arguments = ["render", &song, "-o", output, "--bits", "32f", "--json"];
        bench.machine.run(&[&arguments[..], more].concat()).success().json();
        samples(&bench.output)
    };
    let (plain, late) = (render(&[]), render(&echo));
    // Both end half a second behind their last sound.
    assert_eq!(late.len(), plain.len() + 2 * 240_000);
    assert!(difference(&plain, &late[2 * 240_000..], 0..plain.len()) < 1e-6);
}

#[test]
fn what_is_too_loud_for_the_format_is_said_with_how_loud_it_was() {
    let bench = Bench::new(Machine::new());
    let loud: Vec<f32> = two_sines(44_100, 10_000).iter().map(|it| it * 16.0).collect();
    write(&bench.input, 2, 44_100, &loud);
    let report = bench.report(&[]);
    assert_eq!(report["limited_frames"], 0, "floating point holds it");
    let [input, output] = [&bench.input, &bench.output].map(|path| path.to_str().expect("UTF-8"));
    let fx = || bench.machine.run(&["fx", input, "-o", output, "--json"]).success();
    let outcome = fx();
    let report = outcome.json();
    let peak = report["peak_dbfs"].as_f64().expect("a number");
    assert!((peak - 18.06).abs() < 0.05, "{outcome:#?}");
    assert!(report["limited_frames"].as_u64() > Some(0), "{outcome:#?}");
    assert!(outcome.stderr.contains("frames were too loud (up to +18.1 dBFS)"), "{outcome:#?}");
    assert!(outcome.stderr.contains("--bits 32f"), "{outcome:#?}");

    // What is no number is counted, and harms nothing else.
    let mut broken = two_sines(44_100, 10_000);
    broken[4_000] = f32::NAN;
    broken[4_001] = f32::INFINITY;
    write(&bench.input, 2, 44_100, &broken);
    for more in [&[][..], &["--rate", "48000"]] {
        let outcome = bench.fx(more).success();
        assert_eq!(outcome.json()["not_numbers"], 2, "{outcome:#?}");
        assert!(outcome.stderr.contains("2 samples are no numbers"), "{outcome:#?}");
        assert!(samples(&bench.output).iter().all(|it| it.abs() < 0.6));
    }
    // Control.
    write(&bench.input, 2, 44_100, &two_sines(44_100, 10_000));
    let outcome = fx();
    assert_eq!(outcome.json()["not_numbers"], 0);
    assert!(!outcome.stderr.contains("warning"), "{outcome:#?}");
}

#[test]
fn damage_of_a_file_is_told_in_one_line_and_what_is_good_stays_in_time() {
    let bench = Bench::new(Machine::new());
    let before = two_sines(44_100, 80_000);
    write(&bench.input, 2, 44_100, &before);
    let [input, output] = [&bench.input, &bench.output].map(|path| path.to_str().expect("UTF-8"));
    let flac = bench.machine.path("in.flac");
    let flac = flac.to_str().expect("UTF-8");
    bench.machine.run(&["fx", input, "-o", flac]).success();
    let fx = |from: &str| bench.machine.run(&["fx", from, "-o", output, "--bits", "32f", "--json"]).success();
    let outcome = fx(flac);
    assert!(!outcome.stderr.contains("warning") && outcome.json()["is_cut_off"] == false, "{outcome:#?}");
    let whole = samples(&bench.output);

    let bytes = fs::read(flac).expect("read");
    let mut holed = bytes.clone();
    let middle = bytes.len() / 2;
    holed[middle..middle + 16].fill(0x55);
    fs::write(flac, holed).expect("written");
    let outcome = fx(flac);
    let lost = outcome.json()["silent_frames"].as_u64().expect("a number");
    assert!((1..20_000).contains(&lost), "{outcome:#?}");
    assert!(outcome.stderr.contains("are lost and silent"), "{outcome:#?}");
    let after = samples(&bench.output);
    let differ = after.iter().zip(&whole).filter(|(one, other)| one != other).count();
    assert_eq!(after.len(), whole.len());
    assert!((1..=2 * lost as usize).contains(&differ), "{differ} of {lost}");

    for (path, bytes) in [(flac, bytes), (input, fs::read(input).expect("read"))] {
        fs::write(path, &bytes[..bytes.len() / 3]).expect("written");
        let outcome = fx(path);
        let (there, missing) = (&outcome.json()["frames"], &outcome.json()["missing_frames"]);
        assert_eq!(there.as_u64().zip(missing.as_u64()).map(|it| it.0 + it.1), Some(80_000), "{outcome:#?}");
        assert!(outcome.stderr.contains("s of 1.81 s are there"), "{outcome:#?}");
    }
}

#[test]
fn what_cannot_be_is_refused_with_a_reason_and_leaves_nothing_behind() {
    let bench = Bench::new(Machine::new());
    write(&bench.input, 2, 44_100, &two_sines(44_100, 5_000));
    let empty = bench.machine.path("empty.wav");
    write(&empty, 2, 44_100, &[]);
    let path = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let (input, output) = (path(&bench.input), path(&bench.output));
    let (mp3, flac) = (path(&bench.machine.path("o.mp3")), path(&bench.machine.path("o.flac")));
    for (arguments, said) in [
        (vec![&input[..], "-o", &mp3], "ends in .wav or .flac"),
        (vec![&input, "--bits", "32f", "-o", &flac], "32-bit floats"),
        (vec![&path(&empty), "-o", &output], "there is no sound in it"),
        (vec!["/dev/urandom", "-o", &output], "a device"),
    ] {
        let refused = bench.machine.run(&[&["fx"], &arguments[..]].concat());
        assert_eq!(refused.code, Some(2), "{refused:#?}");
        assert!(refused.stderr.contains(said), "{refused:#?}");
    }
    for left in [&output, &mp3, &flac] {
        assert!(!Path::new(left).exists(), "{left}");
    }
}

#[test]
fn a_limit_on_the_size_of_files_is_told_as_a_full_disk_is() {
    let bench = Bench::new(Machine::new());
    write(&bench.input, 2, 44_100, &two_sines(44_100, 200_000));
    let program = program::command(&[]).get_program().to_owned();
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -f 64; exec \"$0\" \"$@\""]).arg(program);
    limited.arg("fx").arg(&bench.input).arg("-o").arg(&bench.output);
    let outcome = limited.output().expect("it runs");
    let said = String::from_utf8_lossy(&outcome.stderr);
    assert_eq!(outcome.status.code(), Some(1), "{said}");
    assert!(said.contains("ulimit -f") && said.contains("nothing was written"), "{said}");
    assert!(!bench.output.exists());
}
