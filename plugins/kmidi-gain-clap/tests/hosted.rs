//! The gain as a plugin is the gain.

use kmidi_core::{
    AudioBuffer, AudioPorts, Event, EventBuffer, ProcessContext, Processor, SysExPool, TimedEvent, Transport,
};
use kmidi_gain::{GAIN_DB, Gain};
use kmidi_gain_clap::ID;
use kmidi_host::{Activation, Format, Kind, Plugin, PluginId, StateError};

const RATE: u32 = 48_000;
const FRAMES: usize = 64;

fn load() -> Plugin {
    let file = std::env::current_exe().unwrap().with_file_name("libkmidi_gain_clap.so");
    Plugin::load(&file, &PluginId::new(Format::Clap, ID)).unwrap()
}

/// A second of a ramp, in which the gain is changed now and then.
fn render(node: &mut dyn Processor) -> Vec<f32> {
    let mut outputs = [AudioBuffer::silent(FRAMES), AudioBuffer::silent(FRAMES)];
    let (mut events_out, mut sysex) = (EventBuffer::with_capacity(8), SysExPool::new());
    let mut rendered = Vec::new();
    for quantum in 0..RATE as usize / FRAMES {
        let ramp: Vec<_> = (0..FRAMES).map(|frame| (quantum * FRAMES + frame) as f32 / RATE as f32).collect();
        let gain_db = (quantum as f64 * 7.0) % 100.0 - 80.0;
        let events = [3, 40].map(|time| TimedEvent {
            time,
            port: 0,
            event: Event::Parameter { id: GAIN_DB, value: gain_db + f64::from(time) },
        });
        node.process(&mut ProcessContext {
            frames: FRAMES as u32,
            transport: &Transport::default(),
            audio: AudioPorts {
                inputs: &[&ramp, &ramp],
                outputs: &mut outputs,
                silent_inputs: 0,
                silent_outputs: 0,
            },
            events_in: if quantum % 9 == 0 { &events } else { &[] },
            events_out: &mut events_out,
            sysex: &mut sysex,
        });
        rendered.extend(outputs.iter().flat_map(|channel| channel.iter().copied()));
    }
    rendered
}

#[test]
fn it_sounds_bit_by_bit_like_the_node() {
    let activation = Activation { sample_rate_hz: RATE, quantum_frames: FRAMES as u32, offline: false };
    let (_active, mut half) = load().activate(&activation).map_err(|(_, error)| error).unwrap();
    let plugin = render(&mut *half);
    assert!(kmidi_core::peak(&plugin) > 0.1);
    assert_eq!(plugin, render(&mut Gain::new(0.0, RATE)));
    assert_ne!(plugin, render(&mut Gain::new(-6.0, RATE)), "the control: another gain sounds otherwise");
}

#[test]
fn its_parameter_has_words_and_its_state_is_its_own() {
    let mut plugin = load();
    assert_eq!(plugin.description().kind, Kind::Effect);
    let parameter = &plugin.description().parameters[0];
    assert_eq!((parameter.symbol.as_str(), parameter.unit.as_str()), ("gain", "dB"));
    assert_eq!(plugin.value_of(GAIN_DB, "-6 dB"), Some(-6.0));
    plugin.set_value(GAIN_DB, -6.0);
    assert_eq!(plugin.text_of(GAIN_DB, -6.0).unwrap(), "-6.00 dB");
    let mut state = plugin.save().unwrap();
    let mut other = load();
    other.restore(&state).unwrap();
    assert_eq!(other.value(GAIN_DB), Some(-6.0));
    state.data[0] ^= 1;
    assert!(matches!(other.restore(&state), Err(StateError::Refused { .. })));
    assert_eq!(other.value(GAIN_DB), Some(-6.0));
}
