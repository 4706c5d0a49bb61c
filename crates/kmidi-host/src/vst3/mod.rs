//! VST3 plugins.
#![allow(non_upper_case_globals, reason = "VST3's own names in patterns")]

mod audio_half;
mod buffers;
mod changes;
mod component;
mod controller;
mod description;
mod event_list;
mod exchange;
mod factory;
mod flush;
mod handler;
mod host;
mod inbound;
mod instance;
mod layout;
mod limits;
mod main_half;
mod message;
mod midi_map;
mod module;
mod outbound;
mod parameters;
mod preset_file;
mod presets;
mod range;
mod song;
mod stream;
mod text;

use std::path::{Path, PathBuf};
use std::rc::Rc;

use ::vst3::ComPtr;
use ::vst3::Steinberg::IPluginFactory;

use crate::plugin::MainHalf;
use crate::{Description, Format, LoadError, Plugin, PluginId};
use factory::Factory;
use main_half::Vst3;
use module::Module;
use text::class_id_text;

pub(crate) use presets::{files as preset_files, is_file as is_preset_file};

/// Loads the plugin with this class id.
pub(crate) fn load(path: &Path, id: &str) -> Result<Box<dyn MainHalf>, LoadError> {
    load_of(open(path)?, id)
}

/// A plugin of a VST3 factory that is linked in, not loaded from a file. `[side B]`
///
/// # Errors
/// [`LoadError`].
pub fn load_vst3_of(factory: ComPtr<IPluginFactory>, class_id: &str) -> Result<Plugin, LoadError> {
    let half = load_of(Factory::new(factory, None, PathBuf::new()), class_id)?;
    Ok(Plugin::of_half(half))
}

/// All plugins of a VST3 factory that is linked in; for each what it is, or why it cannot be asked. `[side B]`
pub fn describe_vst3_of(factory: ComPtr<IPluginFactory>) -> Vec<Result<Description, LoadError>> {
    let factory = Rc::new(Factory::new(factory, None, PathBuf::new()));
    let classes = factory.audio_classes().into_iter();
    classes.map(|class| Ok(Vst3::load(factory.clone(), class)?.description().clone())).collect()
}

/// The class ids of the plugins in a file or bundle, none of which is started. Runs foreign code all the same.
pub(crate) fn contents(path: &Path) -> Result<Vec<String>, LoadError> {
    Ok(open(path)?.audio_classes().iter().map(|class| class_id_text(&class.id)).collect())
}

fn open(path: &Path) -> Result<Factory, LoadError> {
    let module = Module::open(path)?;
    let why = || LoadError::Library { path: path.to_owned(), why: "it has no factory".to_owned() };
    let factory = module.factory().ok_or_else(why)?;
    Ok(Factory::new(factory, Some(module), path.to_owned()))
}

fn load_of(factory: Factory, id: &str) -> Result<Box<dyn MainHalf>, LoadError> {
    let found = factory.audio_classes().into_iter().find(|it| class_id_text(&it.id).eq_ignore_ascii_case(id));
    let missing = || LoadError::NotInFile { id: PluginId::new(Format::Vst3, id), path: factory.path.clone() };
    let class = found.ok_or_else(missing)?;
    Ok(Box::new(Vst3::load(Rc::new(factory), class)?))
}
