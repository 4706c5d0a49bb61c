//! The life of a plugin: inactive, active with its audio half lent out, inactive again.

use std::marker::PhantomData;
use std::path::Path;
use std::sync::{Arc, Weak};

use kmidi_core::{NodeInfo, ProcessContext, ProcessStatus, Processor};

use crate::{
    ActivateError, Activation, Description, Format, LoadError, PluginId, State, StateError, Told, clap, lv2,
    vst3,
};

/// A stored setting of a plugin that it or its bundle offers.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Preset {
    /// What [`Plugin::load_preset`] takes: stays the same over scans.
    pub key: String,
    /// Name shown to people.
    pub name: String,
}

/// What each format does for [`Plugin`]. Called on the plugin's main thread alone.
pub(crate) trait MainHalf {
    fn description(&self) -> &Description;
    fn value(&self, id: u32) -> Option<f64>;
    /// Sets a parameter of an instance that is not active.
    fn set_value(&mut self, id: u32, value: f64);
    fn text_of(&self, id: u32, value: f64) -> Option<String>;
    /// What a person wrote, in the units that [`Self::text_of`] shows.
    fn value_of(&self, id: u32, text: &str) -> Option<f64>;
    fn save(&mut self) -> Result<Vec<u8>, StateError>;
    fn load(&mut self, data: &[u8]) -> Result<(), StateError>;
    fn presets(&mut self) -> Vec<Preset>;
    fn load_preset(&mut self, key: &str) -> Result<(), StateError>;
    /// Takes up work: returns its audio half and what is true of it while it is active.
    fn activate(&mut self, activation: &Activation) -> Result<(Box<dyn Processor>, NodeInfo), ActivateError>;
    /// Its audio half has been dropped.
    fn deactivate(&mut self);
    /// What the plugin wants done on its main thread now and then.
    fn idle(&mut self);
    /// What the audio half said since the last call; `None` when there is no more.
    fn told(&mut self) -> Option<Told>;
    /// Latency in frames as the active plugin says it now, where that is no longer what it was activated with.
    fn new_latency_frames(&mut self) -> Option<u32>;
    /// Whether it asked to be activated anew. Asked once, said once.
    fn wants_restart(&mut self) -> bool;
    /// Whether it said, since the last call, that its state is another one. Formats that cannot say so never do.
    fn has_changed(&mut self) -> bool {
        false
    }
}

/// A plugin that is loaded and not active. It stays on the thread that made it.
pub struct Plugin {
    half: Box<dyn MainHalf>,
    _stays: PhantomData<*const ()>,
}

/// A plugin whose audio half is at work.
pub struct ActivePlugin {
    // `None` only while it is being dropped or taken apart.
    half: Option<Box<dyn MainHalf>>,
    info: NodeInfo,
    lent: Weak<()>,
    _stays: PhantomData<*const ()>,
}

/// The audio half has not come home yet: drop it first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the audio half of the plugin is still at work")]
pub struct StillLent;

/// The audio half, and the sign that it is alive. The processor is dropped first.
struct Lent {
    processor: Box<dyn Processor>,
    _sign: Arc<()>,
}

impl Processor for Lent {
    fn process(&mut self, cx: &mut ProcessContext<'_>) -> ProcessStatus {
        self.processor.process(cx)
    }

    fn reset(&mut self) {
        self.processor.reset();
    }
}

impl Plugin {
    /// Loads a plugin from the file or bundle it is in. May take seconds, and runs foreign code.
    ///
    /// # Errors
    /// [`LoadError`].
    pub fn load(path: &Path, id: &PluginId) -> Result<Self, LoadError> {
        let half: Box<dyn MainHalf> = match id.format {
            Format::Clap => clap::load(path, &id.name)?,
            Format::Vst3 => vst3::load(path, &id.name)?,
            Format::Lv2 => lv2::load(path, &id.name)?,
        };
        Ok(Plugin::of_half(half))
    }

    /// A plugin that has come to life otherwise.
    pub(crate) fn of_half(half: Box<dyn MainHalf>) -> Self {
        Plugin { half, _stays: PhantomData }
    }

    /// What it says of itself.
    pub fn description(&self) -> &Description {
        self.half.description()
    }

    /// The value of a parameter.
    pub fn value(&self, id: u32) -> Option<f64> {
        self.half.value(id)
    }

    /// Sets a parameter; one that does not exist is passed over, a value outside its range is moved to its end.
    pub fn set_value(&mut self, id: u32, value: f64) {
        self.half.set_value(id, value);
    }

    /// A value as the plugin shows it, with its unit.
    pub fn text_of(&self, id: u32, value: f64) -> Option<String> {
        self.half.text_of(id, value)
    }

    /// The value that a person means: a number in the plugin's unit, or the name of a choice.
    pub fn value_of(&self, id: u32, text: &str) -> Option<f64> {
        self.half.value_of(id, text)
    }

    /// All that it wants to be the same next time.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn save(&mut self) -> Result<State, StateError> {
        let data = self.half.save()?;
        Ok(State { id: self.description().id.clone(), data })
    }

    /// Takes a state up again.
    ///
    /// # Errors
    /// [`StateError`]; the plugin may then be in any state that it likes.
    pub fn restore(&mut self, state: &State) -> Result<(), StateError> {
        check_owner(self.half.as_ref(), state)?;
        self.half.load(&state.data)
    }

    /// The presets that come with it.
    pub fn presets(&mut self) -> Vec<Preset> {
        self.half.presets()
    }

    /// Takes up a preset.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn load_preset(&mut self, key: &str) -> Result<(), StateError> {
        self.half.load_preset(key)
    }

    /// Lets the plugin do what it wants done on its main thread. Call it some thirty times a second.
    pub fn idle(&mut self) {
        self.half.idle();
    }

    /// Makes it ready to run; its audio half is what the graph gets.
    ///
    /// # Errors
    /// The plugin, as it was, and why.
    pub fn activate(
        mut self,
        activation: &Activation,
    ) -> Result<(ActivePlugin, Box<dyn Processor>), (Plugin, ActivateError)> {
        let (processor, info) = match self.half.activate(activation) {
            Ok(active) => active,
            Err(error) => return Err((self, error)),
        };
        let sign = Arc::new(());
        let lent = Arc::downgrade(&sign);
        let active = ActivePlugin { half: Some(self.half), info, lent, _stays: PhantomData };
        Ok((active, Box::new(Lent { processor, _sign: sign })))
    }
}

impl ActivePlugin {
    fn half(&self) -> &dyn MainHalf {
        self.half.as_deref().expect("taken out only by what consumes it")
    }

    fn half_mut(&mut self) -> &mut dyn MainHalf {
        self.half.as_deref_mut().expect("taken out only by what consumes it")
    }

    /// What it says of itself.
    pub fn description(&self) -> &Description {
        self.half().description()
    }

    /// What the graph must know of its audio half.
    pub fn node_info(&self) -> &NodeInfo {
        &self.info
    }

    /// The value of a parameter as the main half knows it; what events change it may learn late.
    pub fn value(&self, id: u32) -> Option<f64> {
        self.half().value(id)
    }

    /// A value as the plugin shows it, with its unit.
    pub fn text_of(&self, id: u32, value: f64) -> Option<String> {
        self.half().text_of(id, value)
    }

    /// The value that a person means.
    pub fn value_of(&self, id: u32, text: &str) -> Option<f64> {
        self.half().value_of(id, text)
    }

    /// All that it wants to be the same next time.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn save(&mut self) -> Result<State, StateError> {
        let data = self.half_mut().save()?;
        Ok(State { id: self.description().id.clone(), data })
    }

    /// Takes a state up while it runs.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn restore(&mut self, state: &State) -> Result<(), StateError> {
        check_owner(self.half(), state)?;
        self.half_mut().load(&state.data)
    }

    /// Lets the plugin do what it wants done on its main thread. Call it some thirty times a second.
    pub fn idle(&mut self) {
        self.half_mut().idle();
    }

    /// What the audio half said; `None` when there is no more for now.
    pub fn told(&mut self) -> Option<Told> {
        self.half_mut().told()
    }

    /// The latency it has now, if that has changed.
    pub fn new_latency_frames(&mut self) -> Option<u32> {
        self.half_mut().new_latency_frames()
    }

    /// Whether it asked, since the last call, to be activated anew.
    pub fn wants_restart(&mut self) -> bool {
        self.half_mut().wants_restart()
    }

    /// Whether it said, since the last call, that its state is another one by its own doing.
    pub fn has_changed(&mut self) -> bool {
        self.half_mut().has_changed()
    }

    /// Whether its audio half has been dropped.
    pub fn is_home(&self) -> bool {
        self.lent.strong_count() == 0
    }

    /// Ends its work.
    ///
    /// # Errors
    /// [`StillLent`], with the plugin still at work.
    pub fn deactivate(mut self) -> Result<Plugin, (ActivePlugin, StillLent)> {
        if !self.is_home() {
            return Err((self, StillLent));
        }
        let mut half = self.half.take().expect("taken out only by what consumes it");
        half.deactivate();
        Ok(Plugin { half, _stays: PhantomData })
    }
}

impl Drop for ActivePlugin {
    /// What still runs is never taken from under the audio half: it is left in memory then.
    fn drop(&mut self) {
        let Some(mut half) = self.half.take() else { return };
        match self.lent.strong_count() {
            0 => half.deactivate(),
            _ => std::mem::forget(half),
        }
    }
}

fn check_owner(half: &dyn MainHalf, state: &State) -> Result<(), StateError> {
    let id = &half.description().id;
    match state.id == *id {
        true => Ok(()),
        false => Err(StateError::Other { id: id.clone(), of: state.id.clone() }),
    }
}
