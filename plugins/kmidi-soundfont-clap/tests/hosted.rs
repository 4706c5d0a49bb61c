//! The synthesiser as a plugin is the synthesiser.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use basedrop::Collector;
use kmidi_core::{
    AudioBuffer, AudioPorts, Event, EventBuffer, ProcessContext, Processor, SysExPool, TimedEvent, Transport,
    peak,
};
use kmidi_host::{Activation, Format, Kind, Plugin, PluginId, State, StateError};
use kmidi_soundfont::{PresetKey, SoundFont, Synth, SynthConfig, SynthHandle, synth};
use kmidi_soundfont_clap::{ID, state_of};

const RATE: u32 = 48_000;
const FRAMES: usize = 64;
const ACTIVATION: Activation =
    Activation { sample_rate_hz: RATE, quantum_frames: FRAMES as u32, offline: false };

fn soundfont() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/soundfonts/kmidi-gm.sf3").canonicalize().unwrap()
}

fn id() -> PluginId {
    PluginId::new(Format::Clap, ID)
}

fn load() -> Plugin {
    let file = std::env::current_exe().unwrap().with_file_name("libkmidi_soundfont_clap.so");
    Plugin::load(&file, &id()).unwrap()
}

fn playing() -> Plugin {
    let mut plugin = load();
    plugin.restore(&State { id: id(), data: state_of(&soundfont()) }).unwrap();
    plugin
}

/// The node itself, with the same SoundFont.
fn node() -> (Synth, SynthHandle) {
    let (mut handle, node) = synth(SynthConfig::new(RATE));
    let font =
        SoundFont::open(Arc::new(File::open(soundfont()).unwrap()), &Collector::new().handle()).unwrap();
    for info in font.presets() {
        let preset = font.load_preset(info.bank, info.program, None).unwrap();
        handle.install(PresetKey::new(info.bank, info.program).unwrap(), preset).unwrap();
    }
    (node, handle)
}

/// Half a second of what the messages make.
fn render(node: &mut dyn Processor, messages: &[Event], sysex: &[u8]) -> Vec<f32> {
    let mut outputs = [AudioBuffer::silent(FRAMES), AudioBuffer::silent(FRAMES)];
    let (mut events_out, mut pool) = (EventBuffer::with_capacity(8), SysExPool::new());
    let mut rendered = Vec::new();
    for quantum in 0..RATE as usize / FRAMES / 2 {
        let at = |(time, event): (u32, &Event)| TimedEvent { time, port: 0, event: *event };
        let reset = pool.push(sysex).map(Event::SysEx);
        let mut events: Vec<_> = (0..).zip(reset.iter().chain(messages)).map(at).collect();
        events.retain(|_| quantum == 3);
        node.process(&mut ProcessContext {
            frames: FRAMES as u32,
            transport: &Transport::default(),
            audio: AudioPorts { inputs: &[], outputs: &mut outputs, silent_inputs: 0, silent_outputs: 0 },
            events_in: &events,
            events_out: &mut events_out,
            sysex: &mut pool,
        });
        rendered.extend(outputs.iter().flat_map(|channel| channel.iter().copied()));
    }
    rendered
}

/// GS reset: it empties the channels' settings.
const RESET: [u8; 11] = [0xf0, 0x41, 0x10, 0x42, 0x12, 0x40, 0x00, 0x7f, 0x00, 0x41, 0xf7];

fn messages() -> [Event; 6] {
    [
        Event::ProgramChange { channel: 0, program: 40 },
        Event::note_on(0, 60, 100),
        Event::PitchBend { channel: 0, value: 2000 },
        Event::note_on(9, 36, 127),
        Event::ControlChange { channel: 1, controller: 7, value: 30 },
        Event::note_on(1, 72, 90),
    ]
}

#[test]
fn it_sounds_bit_by_bit_like_the_node() {
    let (_active, mut half) = playing().activate(&ACTIVATION).map_err(|(_, error)| error).unwrap();
    let plugin = render(&mut *half, &messages(), &RESET);
    assert!(peak(&plugin) > 0.01, "{}", peak(&plugin));
    assert_eq!(plugin, render(&mut node().0, &messages(), &RESET));
    assert_ne!(plugin, render(&mut node().0, &messages()[1..], &RESET), "the control: another program");
}

#[test]
fn a_soundfont_is_chosen_at_rest_or_at_work_and_a_file_that_is_none_is_refused() {
    let mut plugin = load();
    assert_eq!(plugin.description().kind, Kind::Instrument);
    let silent = plugin.save().unwrap();
    assert_eq!(silent.data, state_of(Path::new("")));
    let missing = State { id: id(), data: state_of(Path::new("/nonexistent.sf2")) };
    assert!(matches!(plugin.restore(&missing), Err(StateError::Refused { .. })));
    let (mut active, mut half) = plugin.activate(&ACTIVATION).map_err(|(_, error)| error).unwrap();
    assert_eq!(peak(&render(&mut *half, &messages(), &RESET)), 0.0);
    active.restore(&State { id: id(), data: state_of(&soundfont()) }).unwrap();
    assert!(peak(&render(&mut *half, &messages(), &RESET)) > 0.01);
    assert_eq!(active.save().unwrap().data, state_of(&soundfont()));
    active.restore(&silent).unwrap();
    drop(half);
    drop(active.deactivate().map_err(|(_, still)| still).unwrap());
}

#[test]
fn installed_soundfonts_are_its_presets() {
    let folder = Path::new("/usr/share/sounds/sf2");
    let installed = folder.read_dir().map_or(0, |entries| {
        let names = entries.flatten().map(|entry| entry.path());
        names.filter(|path| path.extension().is_some_and(|it| it == "sf2") && path.is_file()).count()
    });
    if installed == 0 {
        assert!(std::env::var_os("KMIDI_REQUIRE_PLUGINS").is_none(), "no SoundFont is installed");
        println!("passed over: no SoundFont is installed");
        return;
    }
    let presets = load().presets();
    let listed = presets.iter().filter(|preset| Path::new(&preset.key).starts_with(folder));
    assert_eq!(listed.count(), installed);
    assert!(presets.iter().all(|preset| !preset.name.is_empty() && !preset.name.contains('.')));
}

#[test]
fn a_variation_that_the_soundfont_lacks_is_played_by_its_main_bank() {
    let program = Event::ProgramChange { channel: 0, program: 40 };
    let played = |bank: u8, idle: bool| {
        let (mut active, mut half) = playing().activate(&ACTIVATION).map_err(|(_, error)| error).unwrap();
        let bank = Event::ControlChange { channel: 0, controller: 0, value: bank };
        render(&mut *half, &[bank, program], &[]);
        if idle {
            active.idle();
        }
        render(&mut *half, &[Event::note_on(0, 60, 100)], &[])
    };
    let main = played(0, true);
    assert!(peak(&main) > 0.01);
    assert_eq!(played(77, true), main);
    assert_ne!(played(77, false), main, "the control: unless it was asked on the main thread");
}
