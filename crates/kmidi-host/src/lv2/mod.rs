//! LV2: bundles are read without their libraries, plugins run behind the face of [`crate::Plugin`].
//!
//! What follows from the format:
//! - A control port has one value a quantum. A parameter event at the first frame of a quantum takes effect there, a
//!   later one at the start of the next; events and messages of atom ports keep their frame.
//! - Parameters that are properties go to the plugin as `patch:Set`.
//! - A plugin never says how long it sounds after its input has ended: its node says 0 and never sleeps.
//! - Songs jump between quanta: a plugin hears of tempo, meter and position at the start of a quantum.
//! - The function that prints logs takes a variable number of arguments, which a function of stable Rust cannot: the log
//!   feature is not offered. No plugin among several hundred needs it.

mod abi;
mod atom;
mod atom_ports;
mod audio_half;
mod bundle;
mod features;
mod files;
mod graph;
#[cfg(test)]
mod hostile_tests;
mod instance;
mod layout;
mod library;
#[cfg(test)]
mod lilv_tests;
mod main_half;
mod packed;
mod parameters;
mod ports;
mod position;
mod presets;
mod properties;
mod sequence;
mod state;
mod state_entry;
mod units;
mod urid;
mod uris;
mod values;
mod worker;

use std::path::Path;

use self::bundle::{Bundle, PluginText};
use self::layout::Layout;
use self::main_half::Lv2Main;
use self::parameters::Parameters;
use self::properties::last_word;
use self::uris::{LV2_ANALYSER, LV2_HARD_RT, LV2_INSTRUMENT, LV2_MIDI_PLUGIN, MIDI_EVENT};
use crate::plugin::MainHalf;
use crate::{Description, Format, Kind, LoadError, PluginId};

pub use self::bundle::bundles;
pub use self::presets::all as all_presets;

/// Sample rate at which a plugin is described and first made, in Hz.
const FIRST_SAMPLE_RATE_HZ: u32 = 48_000;

/// A plugin of a bundle, and what is known of it or why nothing is.
pub type Described = (PluginId, Result<Description, LoadError>);

/// What a bundle folder says of each of its plugins. Runs no foreign code. `[side B]`
///
/// # Errors
/// [`LoadError::Bundle`] if the manifest cannot be read; with each plugin, if what describes it cannot.
pub fn read(folder: &Path) -> Result<Vec<Described>, LoadError> {
    let mut bundle = Bundle::open(folder)?;
    let plugins = bundle.plugins();
    let read_one = |uri: String| {
        let description = bundle.plugin(&uri).map(|text| description(&text));
        (PluginId::new(Format::Lv2, uri), description)
    };
    Ok(plugins.into_iter().map(read_one).collect())
}

/// What is known of a plugin from its bundle.
fn description(text: &PluginText) -> Description {
    let layout = Layout::of(text);
    let event_inputs = Layout::event_ports(text, &layout.event_inputs);
    let event_outputs = Layout::event_ports(text, &layout.event_outputs);
    let is_class_of_effects = |name: &&str| name.ends_with("Plugin") && *name != "Plugin";
    let classes = text.classes.iter().map(|iri| last_word(iri));
    // What it says of itself: `certify` says whether it is so.
    let says_hard_rt = text.required.iter().chain(&text.optional).any(|feature| feature == LV2_HARD_RT);
    let hard_rt = says_hard_rt.then(|| last_word(LV2_HARD_RT));
    Description {
        id: PluginId::new(Format::Lv2, &text.uri),
        name: if text.name.is_empty() { last_word(&text.uri).to_owned() } else { text.name.clone() },
        vendor: text.vendor.clone(),
        version: text.version.clone(),
        path: text.folder.clone(),
        kind: kind(text, &layout),
        tags: classes.filter(is_class_of_effects).chain(hard_rt).map(str::to_owned).collect(),
        audio_inputs: layout.inputs.ports,
        audio_outputs: layout.outputs.ports,
        event_inputs,
        event_outputs,
        parameters: Parameters::of(text, FIRST_SAMPLE_RATE_HZ).list,
    }
}

/// By its class; by its ports where it has none that says it.
fn kind(text: &PluginText, layout: &Layout) -> Kind {
    let is = |class: &str| text.classes.iter().any(|it| it == class);
    let has_midi = |ports: &[usize]| ports.iter().any(|index| text.ports[*index].takes(MIDI_EVENT));
    let hears_notes = has_midi(&layout.event_inputs);
    let has_sound_in = !layout.inputs.channels.is_empty();
    let has_sound_out = !layout.outputs.channels.is_empty();
    match () {
        () if is(LV2_INSTRUMENT) => Kind::Instrument,
        () if is(LV2_MIDI_PLUGIN) => Kind::NoteEffect,
        () if is(LV2_ANALYSER) => Kind::Analyzer,
        () if hears_notes && has_sound_out && !has_sound_in => Kind::Instrument,
        () if has_midi(&layout.event_outputs) && !has_sound_in && !has_sound_out => Kind::NoteEffect,
        () => Kind::Effect,
    }
}

/// Loads the plugin with this URI.
pub(crate) fn load(path: &Path, name: &str) -> Result<Box<dyn MainHalf>, LoadError> {
    Ok(Box::new(Lv2Main::load(path, name)?))
}

/// The URIs of the plugins in a bundle. Runs no foreign code.
pub(crate) fn contents(path: &Path) -> Result<Vec<String>, LoadError> {
    Ok(Bundle::open(path)?.plugins())
}
