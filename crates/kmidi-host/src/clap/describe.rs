//! What a plugin is: asked of its descriptor and of an instance.

use std::path::Path;

use clack_extensions::audio_ports::{AudioPortFlags, AudioPortInfoBuffer, PluginAudioPorts};
use clack_extensions::note_ports::{NoteDialect, NoteDialects, NotePortInfoBuffer, PluginNotePorts};
use clack_extensions::params::PluginParams;
use clack_host::prelude::*;
use kmidi_core::limits::MAX_NODE_CHANNELS;

use super::params::{self, Settable};
use super::text::{bounded_list, bounded_text, lossy};
use crate::{AudioPort, Description, EventPort, Format, Kind, PluginId, PortRole};

/// Ports of one kind and direction; a plugin that says it has more is not activated.
pub(super) const MAX_PORTS: u32 = 64;
/// Channels of one direction that a plugin may have; what is over the engine's [`MAX_NODE_CHANNELS`] it gets as silence,
/// and what it gives there is not heard.
pub(super) const MAX_CHANNELS: u32 = 1024;

/// How notes go to a note port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notes {
    Clap,
    Midi,
    /// It speaks nothing that the host speaks.
    Nothing,
}

/// What a note port takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    pub notes: Notes,
    /// Whether what is not a note goes as MIDI.
    pub midi: bool,
}

impl Dialect {
    fn of(supported: NoteDialects, preferred: Option<NoteDialect>) -> Self {
        let midi = supported.intersects(NoteDialects::MIDI | NoteDialects::MIDI_MPE);
        let clap = supported.contains(NoteDialects::CLAP);
        let prefers_midi = matches!(preferred, Some(NoteDialect::Midi | NoteDialect::MidiMpe));
        let notes = match (clap, midi) {
            (true, true) if prefers_midi => Notes::Midi,
            (true, _) => Notes::Clap,
            (false, true) => Notes::Midi,
            (false, false) => Notes::Nothing,
        };
        Dialect { notes, midi }
    }
}

/// An audio port as the plugin has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct PortLayout {
    pub channels: u32,
    /// Whether the engine knows of it.
    pub is_seen: bool,
}

/// The ports as the plugin counts them (ports that it does not describe have no channels), and the parameters.
#[derive(Clone, Default)]
pub(super) struct Layout {
    pub inputs: Vec<PortLayout>,
    pub outputs: Vec<PortLayout>,
    pub note_inputs: Vec<Dialect>,
    pub note_outputs: u16,
    pub settable: Vec<Settable>,
    /// What is wrong with it, if it cannot run.
    pub impossible: Option<String>,
}

/// Asks an instance what it is.
pub(super) fn describe(id: &str, path: &Path, handle: &PluginMainThreadHandle) -> (Description, Layout) {
    let mut layout = Layout::default();
    let (audio_inputs, inputs) = audio_ports(handle, true, &mut layout.impossible);
    let (audio_outputs, outputs) = audio_ports(handle, false, &mut layout.impossible);
    let (event_inputs, note_inputs) = note_ports(handle, true);
    let (event_outputs, note_outputs) = note_ports(handle, false);
    let (parameters, settable) =
        handle.get_extension::<PluginParams>().map(|it| params::read(it, handle)).unwrap_or_default();
    layout.inputs = inputs;
    layout.outputs = outputs;
    layout.note_inputs = note_inputs;
    layout.note_outputs = note_outputs.len() as u16;
    layout.settable = settable;
    let words = Words::of(handle);
    let is_generator = audio_inputs.is_empty() && !audio_outputs.is_empty() && !event_inputs.is_empty();
    let description = Description {
        id: PluginId::new(Format::Clap, id),
        name: if words.name.is_empty() { id.to_owned() } else { words.name },
        vendor: words.vendor,
        version: words.version,
        path: path.to_owned(),
        kind: kind(&words.features, is_generator),
        tags: words.features,
        audio_inputs,
        audio_outputs,
        event_inputs,
        event_outputs,
        parameters,
    };
    (description, layout)
}

/// The descriptor's text.
#[derive(Default)]
struct Words {
    name: String,
    vendor: String,
    version: String,
    features: Vec<String>,
}

impl Words {
    fn of(handle: &PluginMainThreadHandle) -> Self {
        let Some(descriptor) = handle.descriptor() else { return Words::default() };
        let raw = descriptor.as_raw();
        // SAFETY: a descriptor's strings live as long as the plugin is loaded (CLAP); null pointers and missing ends are
        // looked for.
        unsafe {
            Words {
                name: bounded_text(raw.name),
                vendor: bounded_text(raw.vendor),
                version: bounded_text(raw.version),
                features: bounded_list(raw.features),
            }
        }
    }
}

/// What the features say it is; where they say nothing, what the ports do.
fn kind(features: &[String], is_generator: bool) -> Kind {
    let is = |feature: &str| features.iter().any(|it| it == feature);
    match () {
        () if is("instrument") => Kind::Instrument,
        () if is("note-effect") => Kind::NoteEffect,
        () if is("analyzer") && !is("audio-effect") => Kind::Analyzer,
        () if !is("audio-effect") && is_generator => Kind::Instrument,
        () => Kind::Effect,
    }
}

/// The ports that the engine sees, and the channels of all that there are.
fn audio_ports(
    handle: &PluginMainThreadHandle,
    is_input: bool,
    impossible: &mut Option<String>,
) -> (Vec<AudioPort>, Vec<PortLayout>) {
    let Some(extension) = handle.get_extension::<PluginAudioPorts>() else { return Default::default() };
    let count = extension.count(handle, is_input);
    let (mut ports, mut layout) = (Vec::new(), Vec::new());
    let mut buffer = AudioPortInfoBuffer::new();
    for index in 0..count.min(MAX_PORTS) {
        let info = extension.get(handle, index, is_input, &mut buffer);
        let of_port = info.as_ref().map_or(0, |info| info.channel_count);
        layout.push(PortLayout { channels: of_port, is_seen: false });
        let seen: usize = ports.iter().map(|port: &AudioPort| usize::from(port.channels)).sum();
        if let Some(info) = info
            && (1..=MAX_NODE_CHANNELS).contains(&(of_port as usize))
            && seen + of_port as usize <= MAX_NODE_CHANNELS
        {
            let role = match info.flags.contains(AudioPortFlags::IS_MAIN) {
                true => PortRole::Main,
                false if is_input => PortRole::SideChain,
                false => PortRole::Aux,
            };
            ports.push(AudioPort { name: lossy(info.name), channels: of_port as u16, role });
            layout[index as usize].is_seen = true;
        }
    }
    // A plugin that marks no port means its first one.
    if ports.iter().all(|port| port.role != PortRole::Main)
        && let Some(first) = ports.first_mut()
    {
        first.role = PortRole::Main;
    }
    let total = layout.iter().fold(0u32, |total, port| total.saturating_add(port.channels));
    if count > MAX_PORTS || total > MAX_CHANNELS {
        *impossible = Some(format!("it says it has {count} audio ports with {total} channels or more"));
    }
    (ports, layout)
}

fn note_ports(handle: &PluginMainThreadHandle, is_input: bool) -> (Vec<EventPort>, Vec<Dialect>) {
    let Some(extension) = handle.get_extension::<PluginNotePorts>() else { return Default::default() };
    let mut buffer = NotePortInfoBuffer::new();
    let ports = (0..extension.count(handle, is_input).min(MAX_PORTS)).map(|index| {
        match extension.get(handle, index, is_input, &mut buffer) {
            Some(info) => {
                let dialect = Dialect::of(info.supported_dialects, info.preferred_dialect);
                let midi = dialect.notes != Notes::Nothing;
                (EventPort { name: lossy(info.name), midi }, dialect)
            }
            None => {
                let nothing = Dialect { notes: Notes::Nothing, midi: false };
                (EventPort { name: String::new(), midi: false }, nothing)
            }
        }
    });
    ports.unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_spoken_to_in_the_dialect_it_prefers_of_those_it_knows() {
        let of = |supported, preferred| {
            let dialect = Dialect::of(supported, preferred);
            (dialect.notes, dialect.midi)
        };
        let both = NoteDialects::CLAP | NoteDialects::MIDI;
        assert_eq!(of(both, Some(NoteDialect::Clap)), (Notes::Clap, true));
        assert_eq!(of(both, Some(NoteDialect::Midi)), (Notes::Midi, true));
        assert_eq!(of(both, None), (Notes::Clap, true));
        assert_eq!(of(NoteDialects::CLAP, Some(NoteDialect::Midi)), (Notes::Clap, false));
        assert_eq!(of(NoteDialects::MIDI_MPE, Some(NoteDialect::MidiMpe)), (Notes::Midi, true));
        assert_eq!(of(NoteDialects::MIDI2, Some(NoteDialect::Midi2)), (Notes::Nothing, false));
    }

    #[test]
    fn features_decide_the_kind_and_ports_only_without_them() {
        let of = |features: &[&str], is_generator| {
            kind(&features.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>(), is_generator)
        };
        assert_eq!(of(&["synthesizer", "instrument"], false), Kind::Instrument);
        assert_eq!(of(&["note-effect"], true), Kind::NoteEffect);
        assert_eq!(of(&["analyzer"], false), Kind::Analyzer);
        assert_eq!(of(&["audio-effect", "analyzer"], false), Kind::Effect);
        assert_eq!(of(&[], true), Kind::Instrument);
        assert_eq!(of(&[], false), Kind::Effect);
    }
}
