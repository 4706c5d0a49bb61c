//! What plugins play here against what they play in other hosts, bit for bit: a small host on lilv at 256 frames, and
//! `lv2apply` of lilv, which runs one frame at a time and knows audio and control ports only.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use kmidi_core::{
    AudioBuffer, AudioPorts, Event, EventBuffer, ProcessContext, Processor, SysExPool, TimedEvent, Transport,
};

use super::super::audio_half::latency_port;
use super::super::bundle::{Bundle, PluginText};
use super::super::features::Config;
use super::super::layout::Layout;
use super::super::main_half::Lv2Main;
use super::super::parameters::{Parameters, Place};
use super::super::ports::{Direction, PortType};
use super::super::position::{Field, Position};
use super::super::uris::{LV2_CONTROL, LV2_FREE_WHEELING, MIDI_EVENT, PATCH_MESSAGE};
use super::table::{CRASH, Known, Row, publish, tried_again};
use super::wave::{read_wave, write_wave};
use super::{child, compile, installed};
use crate::{Activation, Plugin};

const SAMPLE_RATE_HZ: u32 = 48_000;
/// Frames of a block for the small host, and blocks.
const HOST_RUN: (u32, u32) = (256, 100);
/// `lv2apply` has one frame in a block.
const APPLY_RUN: (u32, u32) = (1, 4096);

const FOLDER: &str = "KMIDI_TEST_LV2_FOLDER";
const URI: &str = "KMIDI_TEST_LV2_URI";
/// The other host: a path, or the name of `lv2apply`.
const OTHER: &str = "KMIDI_TEST_LV2_OTHER";
/// Gives the other host another value of the first parameter.
const WRONG: &str = "KMIDI_TEST_LV2_WRONG";
const LV2_APPLY: &str = "lv2apply";
/// Looks first whether the other host plays the same each time.
const BY_CHANCE: &str = "KMIDI_TEST_LV2_BY_CHANCE";

/// What came out of a plugin.
#[derive(Default, PartialEq)]
struct Heard {
    /// Index of each port with sound, and its samples.
    sound: Vec<(usize, Vec<f32>)>,
    /// Block, port, frame and bytes of each message.
    midi: Vec<(u32, usize, u32, Vec<u8>)>,
}

/// A control input and its values in the first and the second half of the blocks, as the plugin has them.
struct Setting {
    symbol: String,
    before: f32,
    after: f32,
    /// The parameter and its value in the second half, if it changes.
    change: Option<(u32, f64)>,
}

/// Why a plugin is not compared, as its child says it.
const EACH_TIME: &str = "it plays something else each time";

struct Subject {
    text: PluginText,
    layout: Layout,
    settings: Vec<Setting>,
}

impl Subject {
    fn new(folder: &Path, uri: &str, does_change: bool) -> Self {
        let text = Bundle::open(folder).unwrap().plugin(uri).unwrap();
        let settings = settings(&text, does_change);
        Subject { layout: Layout::of(&text), settings, text }
    }

    /// Why `lv2apply` cannot run it.
    fn not_for_apply(&self) -> Option<String> {
        let knows = |carries| matches!(carries, PortType::Audio | PortType::Control);
        if self.text.ports.iter().any(|port| !knows(port.carries)) {
            return Some("has other ports than audio and control".to_owned());
        }
        if let Some(feature) = self.text.required.first() {
            return Some(format!("requires {feature}"));
        }
        let sides = [&self.layout.inputs, &self.layout.outputs];
        let is_without = sides.iter().any(|side| side.channels.is_empty());
        is_without.then(|| "has no audio input or no output".to_owned())
    }

    /// Runs it as the engine does, offline.
    fn here(&self, (frames, blocks): (u32, u32)) -> Result<Heard, String> {
        let config = Config { sample_rate_hz: SAMPLE_RATE_HZ, quantum_frames: frames };
        let main = Lv2Main::with_config(self.text.clone(), config).map_err(|error| error.to_string())?;
        let activation = Activation { sample_rate_hz: SAMPLE_RATE_HZ, quantum_frames: frames, offline: true };
        let plugin = Plugin::of_half(Box::new(main));
        let (_active, mut half) = plugin.activate(&activation).map_err(|(_, error)| error.to_string())?;
        let mut heard = Heard::default();
        heard.sound.extend(self.layout.outputs.channels.iter().map(|port| (*port, Vec::new())));
        let mut noise: Vec<u32> = self.layout.inputs.channels.iter().map(|port| *port as u32 + 1).collect();
        let mut outputs: Vec<_> = noise_free(&self.layout, frames);
        let mut inputs = vec![vec![0.0f32; frames as usize]; noise.len()];
        for block in 0..blocks {
            for (input, noise) in inputs.iter_mut().zip(&mut noise) {
                input.iter_mut().for_each(|sample| *sample = next_noise(noise));
            }
            let mut events = self.changes(block == blocks / 2);
            if !self.layout.event_inputs.is_empty() {
                events.extend(notes(block));
            }
            self.block(half.as_mut(), block, frames, &inputs, &mut outputs, &events, &mut heard);
        }
        heard.sound.sort_by_key(|(port, _)| *port);
        heard.midi.sort();
        Ok(heard)
    }

    #[allow(clippy::too_many_arguments, reason = "all that a quantum has")]
    fn block(
        &self,
        half: &mut dyn Processor,
        block: u32,
        frames: u32,
        inputs: &[Vec<f32>],
        outputs: &mut [AudioBuffer],
        events: &[TimedEvent],
        heard: &mut Heard,
    ) {
        let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
        let (mut events_out, mut sysex) = (EventBuffer::with_capacity(8192), SysExPool::new());
        half.process(&mut ProcessContext {
            frames,
            transport: &Transport::default(),
            audio: AudioPorts { inputs: &inputs, outputs, silent_inputs: 0, silent_outputs: 0 },
            events_in: events,
            events_out: &mut events_out,
            sysex: &mut sysex,
        });
        for (output, (_, sound)) in outputs.iter().zip(&mut heard.sound) {
            sound.extend_from_slice(&output[..frames as usize]);
        }
        for event in events_out.as_slice() {
            let port = self.layout.event_outputs[usize::from(event.port)];
            heard.midi.push((block, port, event.time, bytes_of(event.event, &sysex)));
        }
    }

    fn changes(&self, is_now: bool) -> Vec<TimedEvent> {
        let changes = self.settings.iter().filter_map(|it| it.change).filter(|_| is_now);
        let event = |(id, value)| TimedEvent { time: 0, port: 0, event: Event::Parameter { id, value } };
        changes.map(event).collect()
    }

    /// Where the small host is to send notes and questions, as this host would; -1 is nowhere.
    fn host_ports(&self) -> [i64; 2] {
        let ports = &self.text.ports;
        let inputs = || self.layout.event_inputs.iter();
        let notes = inputs().find(|port| ports[**port].takes(MIDI_EVENT));
        let ask = inputs().find(|port| ports[**port].takes(PATCH_MESSAGE));
        let ask = ask.or_else(|| inputs().find(|port| ports[**port].is_for(LV2_CONTROL)));
        let ask = ask.filter(|_| !self.text.properties.is_empty());
        [notes, ask].map(|port| port.map_or(-1, |port| *port as i64))
    }

    /// Runs it in the small host.
    fn in_host(&self, host: &Path, is_wrong: bool) -> Result<Heard, String> {
        let folder = tempfile::tempdir().unwrap();
        let [notes, ask] = self.host_ports();
        let mut command = Command::new(host);
        command.arg(format!("{}/", self.text.folder.display())).arg(&self.text.uri);
        for number in [HOST_RUN.0.into(), HOST_RUN.1.into(), notes, ask] {
            command.arg(number.to_string());
        }
        for (at, it) in self.settings.iter().enumerate() {
            let after = it.after + if is_wrong && at == 0 { 1.0 } else { 0.0 };
            command.arg(format!("{}={:?},{after:?}", it.symbol, it.before));
        }
        child::watch(command.current_dir(folder.path()))?;
        let bytes = std::fs::read(folder.path().join("sound")).unwrap();
        let samples: Vec<f32> =
            bytes.chunks_exact(4).map(|it| f32::from_le_bytes(it.try_into().unwrap())).collect();
        let ports = self.sounding();
        let mut sound: Vec<_> = ports.iter().map(|port| (*port, Vec::new())).collect();
        for (at, block) in samples.chunks_exact(HOST_RUN.0 as usize).enumerate() {
            let count = sound.len();
            sound[at % count].1.extend_from_slice(block);
        }
        // Channels beyond those that a node may have are not heard here.
        sound.retain(|(port, _)| self.layout.outputs.channels.contains(port));
        let text = std::fs::read_to_string(folder.path().join("midi")).unwrap();
        let mut midi: Vec<_> = text.lines().map(message).collect();
        midi.sort();
        Ok(Heard { sound, midi })
    }

    /// Indices of the outputs with sound.
    fn sounding(&self) -> Vec<usize> {
        let is_sound = |port: &super::super::ports::Port| {
            port.is(Direction::Output, PortType::Audio) || port.is(Direction::Output, PortType::Cv)
        };
        (0..self.text.ports.len()).filter(|port| is_sound(&self.text.ports[*port])).collect()
    }

    /// Runs it in `lv2apply`.
    fn in_apply(&self, is_wrong: bool) -> Result<Heard, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let mut inputs = self.layout.inputs.channels.clone();
        inputs.sort_unstable();
        let mut noise: Vec<u32> = inputs.iter().map(|port| *port as u32 + 1).collect();
        let samples: Vec<f32> =
            (0..APPLY_RUN.1).flat_map(|_| noise.iter_mut().map(next_noise).collect::<Vec<f32>>()).collect();
        write_wave(&path("in.wav"), inputs.len() as u16, SAMPLE_RATE_HZ, &samples);
        // A folder with this bundle alone: `lv2apply` reads every one that there is.
        std::fs::create_dir(path("lv2")).unwrap();
        let link = path("lv2").join(self.text.folder.file_name().unwrap());
        std::os::unix::fs::symlink(&self.text.folder, link).unwrap();
        let mut command = Command::new(LV2_APPLY);
        command.env("LV2_PATH", path("lv2")).args(["-i", "in.wav", "-o", "out.wav"]);
        for (at, it) in self.settings.iter().enumerate() {
            let value = it.before + if is_wrong && at == 0 { 1.0 } else { 0.0 };
            command.arg("-c").arg(&it.symbol).arg(format!("{value:?}"));
        }
        child::watch(command.arg(&self.text.uri).current_dir(folder.path()))?;
        let ports = self.sounding();
        let samples = read_wave(&path("out.wav"));
        let channel = |(at, port): (usize, &usize)| {
            (*port, samples.iter().skip(at).step_by(ports.len()).copied().collect())
        };
        Ok(Heard { sound: ports.iter().enumerate().map(channel).collect(), midi: Vec::new() })
    }

    fn there(&self, other: &OsStr, is_wrong: bool) -> Result<Heard, String> {
        match other == OsStr::new(LV2_APPLY) {
            true => self.in_apply(is_wrong),
            false => self.in_host(Path::new(other), is_wrong),
        }
    }

    /// Whether the other host plays something else each time.
    fn is_by_chance(&self, other: &OsStr) -> bool {
        let hear = || self.there(other, false).unwrap_or_default();
        difference(&hear(), &hear()).is_some()
    }
}

fn noise_free(layout: &Layout, frames: u32) -> Vec<AudioBuffer> {
    layout.outputs.channels.iter().map(|_| AudioBuffer::silent(frames as usize)).collect()
}

fn next_noise(state: &mut u32) -> f32 {
    *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    ((*state >> 9) as f32 / 4_194_304.0 - 1.0) * 0.25
}

/// The same as in `host.c`.
fn notes(block: u32) -> Option<TimedEvent> {
    let event = match block % 40 {
        0 => Event::note_on(0, 60, 100),
        5 => Event::ControlChange { channel: 0, controller: 1, value: 64 },
        10 => Event::PitchBend { channel: 0, value: 1000 },
        20 => Event::note_off(0, 60, 64),
        _ => return None,
    };
    Some(TimedEvent { time: 13, port: 0, event })
}

fn bytes_of(event: Event, sysex: &SysExPool) -> Vec<u8> {
    let mut bytes = [0; 3];
    match event {
        Event::SysEx(handle) => sysex.get(handle).unwrap_or_default().to_vec(),
        event => event.to_midi1(&mut bytes).map_or(Vec::new(), |len| bytes[..len].to_vec()),
    }
}

fn message(line: &str) -> (u32, usize, u32, Vec<u8>) {
    let mut words = line.split(' ');
    let mut number = || words.next().unwrap().parse::<u32>().unwrap();
    let (block, port, frame) = (number(), number(), number());
    (block, port as usize, frame, words.map(|it| u8::from_str_radix(it, 16).unwrap()).collect())
}

/// Values of all control inputs: the defaults, and where `does_change` then a place between the ends of each.
fn settings(text: &PluginText, does_change: bool) -> Vec<Setting> {
    let parameters = Parameters::of(text, SAMPLE_RATE_HZ);
    let position = Position::of(&Transport::default());
    let mut settings = Vec::new();
    for (at, parameter) in parameters.list.iter().enumerate().filter(|(_, it)| !it.is_output) {
        let Place::Port(index) = parameters.sources[at].place else { continue };
        let port = &text.ports[index];
        let field = port.designation.as_deref().and_then(Field::of).map(|field| position.field(field));
        let of_host = field.or(port.is_for(LV2_FREE_WHEELING).then_some(1.0));
        let wish = 0.3 + 0.4 * (at % 7) as f64 / 6.0;
        let steps = f64::from(parameter.steps);
        let place = if parameter.steps > 0 { (wish * steps).round() / steps } else { wish };
        let value = parameter.min + (parameter.max - parameter.min) * place;
        let change =
            (does_change && of_host.is_none() && !parameter.is_bypass).then_some((parameter.id, value));
        let plain = |value: f64| of_host.unwrap_or(parameters.turn(at, value) as f32);
        let before = plain(parameter.default);
        let after = change.map_or(before, |(_, value)| plain(value));
        settings.push(Setting { symbol: port.symbol.clone(), before, after, change });
    }
    settings
}

/// The first place where two differ.
fn difference(ours: &Heard, theirs: &Heard) -> Option<String> {
    for ((port, ours), (other, theirs)) in ours.sound.iter().zip(&theirs.sound) {
        if (port, ours.len()) != (other, theirs.len()) {
            return Some(format!("port {port} has {} frames, {other} has {}", ours.len(), theirs.len()));
        }
        // What is no number has bits of no meaning.
        let differ = |ours: f32, theirs: f32| {
            ours.to_bits() != theirs.to_bits() && !(ours.is_nan() && theirs.is_nan())
        };
        let at = ours.iter().zip(theirs).position(|(ours, theirs)| differ(*ours, *theirs));
        if let Some(at) = at {
            return Some(format!("port {port} is {:e} in frame {at}, and there {:e}", ours[at], theirs[at]));
        }
    }
    if ours.midi != theirs.midi {
        let at = ours.midi.iter().zip(&theirs.midi).position(|(ours, theirs)| ours != theirs);
        let at = at.unwrap_or(ours.midi.len().min(theirs.midi.len()));
        return Some(format!(
            "message {at} is {:02x?}, and there {:02x?}",
            ours.midi.get(at),
            theirs.midi.get(at)
        ));
    }
    (ours.sound.len() != theirs.sound.len()).then(|| "other ports".to_owned())
}

#[test]
#[ignore = "run by the others, in a process of its own"]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let (uri, other) = (std::env::var(URI).unwrap(), std::env::var_os(OTHER).unwrap());
    let is_apply = other == OsStr::new(LV2_APPLY);
    let subject = Subject::new(Path::new(&folder), &uri, !is_apply);
    if let Some(why) = subject.not_for_apply().filter(|_| is_apply) {
        return child::tell(&format!("- {why}"));
    }
    if std::env::var_os(BY_CHANCE).is_some() {
        assert!(!subject.is_by_chance(&other), "{EACH_TIME}");
    }
    let run = if is_apply { APPLY_RUN } else { HOST_RUN };
    let hear = || {
        let ours = subject.here(run).unwrap_or_else(|why| panic!("{why}"));
        let theirs = subject.there(&other, std::env::var_os(WRONG).is_some());
        (ours, theirs.unwrap_or_else(|why| panic!("the other host: {why}")))
    };
    let (mut ours, mut theirs) = hear();
    if SEEDED_BY_THE_CLOCK.contains(&uri.as_str()) && difference(&ours, &theirs).is_some() {
        (ours, theirs) = hear();
    }
    if let Some(what) = difference(&ours, &theirs) {
        panic!(
            "{what}{}",
            if subject.is_by_chance(&other) { format!("; {EACH_TIME}") } else { String::new() }
        );
    }
    let frames: usize = ours.sound.iter().map(|(_, sound)| sound.len()).sum();
    let peak = ours.sound.iter().flat_map(|(_, sound)| sound).fold(0.0f32, |peak, it| peak.max(it.abs()));
    let has_latency = if latency_port(&subject.text).is_some() { "tells its latency" } else { "" };
    child::tell(&format!("{frames} | {} | {peak:.3e} | {has_latency}", ours.midi.len()));
}

fn compare((folder, uri): &(PathBuf, String), other: &OsStr, flag: Option<&str>) -> Row {
    let mut environment = vec![(FOLDER, folder.as_os_str()), (URI, OsStr::new(uri)), (OTHER, other)];
    environment.extend(flag.map(|flag| (flag, OsStr::new("1"))));
    // Some plugins play memory that they have not initialised. The C library fills what is asked for with the complement of
    // this: zero in both hosts. What a thread keeps back for itself it would not fill.
    environment.push(("MALLOC_PERTURB_", OsStr::new("255")));
    environment.push(("GLIBC_TUNABLES", OsStr::new("glibc.malloc.tcache_count=0")));
    let told = child::run("lv2::lilv_tests::sound::child", &environment);
    let cells = |lines: Vec<String>| match lines.as_slice() {
        [line] => Ok(line.split('|').map(|cell| cell.trim().to_owned()).collect()),
        _ => Err("it told nothing".to_owned()),
    };
    (uri.clone(), told.and_then(cells))
}

/// Plugins whose dice begin with the second in which they were made: it may have passed between both hosts.
const SEEDED_BY_THE_CLOCK: [&str; 1] = ["http://gareus.org/oss/lv2/midifilter#randvelocity"];

const COLUMNS: [&str; 4] = ["samples the same", "messages the same", "peak", "notes"];

/// Plugins with a gain in dB as their first port and their output as the third, for the control.
const PLAIN: [&str; 2] = ["http://lv2plug.in/plugins/eg-amp", "http://plugin.org.uk/swh-plugins/amp"];

fn all_play_the_same(name: &str, other: &OsStr, known: &[Known]) {
    let Some(plugins) = installed() else { return };
    let by_chance = |uri: &str| {
        let is_by_chance = |known: &&Known| known.says == EACH_TIME;
        known.iter().filter(is_by_chance).any(|known| known.id == uri).then_some(BY_CHANCE)
    };
    let run = |plugin: &(PathBuf, String)| compare(plugin, other, by_chance(&plugin.1));
    let rows = tried_again(child::in_parallel(&plugins, run), known, |at| run(&plugins[at]));
    publish(name, &COLUMNS, &rows, known);
    // A host that gives another value is seen.
    for plugin in plugins.iter().filter(|(_, uri)| PLAIN.contains(&uri.as_str())) {
        let (uri, result) = compare(plugin, other, Some(WRONG));
        let is_seen = result.as_ref().is_err_and(|why| why.contains("port 2 is"));
        assert!(is_seen, "{uri}: {result:?}");
    }
}

#[test]
fn at_256_frames_every_plugin_plays_what_it_plays_in_a_small_host_on_lilv() {
    let Some(program) = compile("host.c") else { return };
    all_play_the_same("lilv-host", program.path.as_os_str(), &HOST_KNOWN);
}

#[test]
fn at_1_frame_every_plugin_for_audio_and_control_plays_what_it_plays_in_lv2apply() {
    let version = Command::new(LV2_APPLY).arg("--version").output();
    if child::is_there("lilv-utils", version.is_ok()) {
        all_play_the_same("lv2apply", OsStr::new(LV2_APPLY), &APPLY_KNOWN);
    }
}

const fn known(id: &'static str, says: &'static str, why: &'static str) -> Known {
    Known { id, says, why, at_times: "" }
}

const FFTW: &str = "its library is not linked to the fftw that it calls";
const FINITE: &str = "its library calls functions that the C library has no more";
const NOISE: &str = "it makes noise, another each time";
const DITHER: &str = "it dithers, with other noise each time";
const STACK: &str = "it plays a variable that it has not initialised";
const NOT_IN_LIBRARY: &str = "it is not in its library";

/// As valgrind's memcheck found: what they play there is what another has left.
const fn beyond(id: &'static str) -> Known {
    Known { id, says: "", why: "it reads what is behind its own memory", at_times: "port " }
}

const HOST_KNOWN: [Known; 25] = [
    beyond("http://calf.sourceforge.net/plugins/ReverseDelay"),
    beyond("http://drobilla.net/plugins/fomp/cs_chorus1"),
    beyond("http://drobilla.net/plugins/fomp/cs_chorus2"),
    beyond("http://drobilla.net/plugins/fomp/triple_chorus"),
    beyond("http://gareus.org/oss/lv2/tuna#one"),
    beyond("http://gareus.org/oss/lv2/tuna#two"),
    beyond("http://plugin.org.uk/swh-plugins/hermesFilter"),
    known("http://plugin.org.uk/swh-plugins/chebstortion", EACH_TIME, STACK),
    known("http://lsp-plug.in/plugins/lv2/limiter_mono", EACH_TIME, DITHER),
    known("http://lsp-plug.in/plugins/lv2/limiter_stereo", EACH_TIME, DITHER),
    known("http://lsp-plug.in/plugins/lv2/sc_limiter_mono", EACH_TIME, DITHER),
    known("http://lsp-plug.in/plugins/lv2/sc_limiter_stereo", EACH_TIME, DITHER),
    known("http://lsp-plug.in/plugins/lv2/noise_generator_x1", EACH_TIME, NOISE),
    known("http://lsp-plug.in/plugins/lv2/noise_generator_x2", EACH_TIME, NOISE),
    known("http://lsp-plug.in/plugins/lv2/noise_generator_x4", EACH_TIME, NOISE),
    known("http://gareus.org/oss/lv2/testsignal", EACH_TIME, NOISE),
    // And a thread of its own reads instances that have just ended.
    Known { at_times: CRASH, ..known("http://synthv1.sourceforge.net/lv2", EACH_TIME, NOISE) },
    known("http://gareus.org/oss/lv2/mididebug", "[af]", "it sends messages without their data bytes"),
    known("http://plugin.org.uk/swh-plugins/mbeq", "fftw", FFTW),
    known("http://plugin.org.uk/swh-plugins/pitchScaleHQ", "fftw", FFTW),
    known("http://breakfastquay.com/rdf/lv2-rubberband#r3mono", "is not in", NOT_IN_LIBRARY),
    known("http://breakfastquay.com/rdf/lv2-rubberband#r3stereo", "is not in", NOT_IN_LIBRARY),
    known("urn:50m30n3:plugins:SO-666", "powf_finite", FINITE),
    known("urn:50m30n3:plugins:SO-kl5", "powf_finite", FINITE),
    known("urn:50m30n3:plugins:SO-404", "powf_finite", FINITE),
];

/// A plugin that tells its latency runs a quantum here before it is activated for good, to learn it.
const KEEPS: &str = "it keeps what it heard when it is activated anew, and is run once before that here";

const APPLY_KNOWN: [Known; 7] = [
    known("http://plugin.org.uk/swh-plugins/chebstortion", EACH_TIME, STACK),
    known("http://plugin.org.uk/swh-plugins/amPitchshift", "port 3 is", KEEPS),
    known("http://tomszilagyi.github.io/plugins/lv2/ir", "port 2 is", KEEPS),
    known("http://plugin.org.uk/swh-plugins/mbeq", "fftw", FFTW),
    known("http://plugin.org.uk/swh-plugins/pitchScaleHQ", "fftw", FFTW),
    known("http://breakfastquay.com/rdf/lv2-rubberband#r3mono", "is not in", NOT_IN_LIBRARY),
    known("http://breakfastquay.com/rdf/lv2-rubberband#r3stereo", "is not in", NOT_IN_LIBRARY),
];
