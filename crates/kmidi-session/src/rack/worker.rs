//! What the plugin thread does: it has the plugins, which no other thread may touch.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use kmidi_core::{NodeInfo, Processor};
use kmidi_host::{Activation, Description, Kind, Parameter, Plugin, State, StateError, Told, warm_up};
use kmidi_memory::{Foreign, ForeignNote, note_foreign};

use super::offline::prepare;
use super::request::{PluginRequest, SavedPlugin};
use super::sides::{self, Made, Sides};
use crate::certify;
use crate::chain::{self, ChainError, Find, Phase, PluginChoice};

/// Messages of one plugin that are passed on between two looks at it; one that talks without end is cut short.
const TOLD_AT_ONCE: usize = 4;

/// What the plugin thread is asked for. An instance is named by a number that is never used again.
pub(crate) enum Order {
    /// Load a plugin and make it ready.
    Load { instance: u64, request: Box<PluginRequest>, activation: Activation },
    /// Make it ready anew, as soon as its audio half is home.
    Activate { instance: u64, activation: Activation },
    /// Load the plugin of `like` once more, with its state.
    Copy { like: u64, instance: u64, activation: Activation },
    /// End it, as soon as its audio half is home.
    Unload { instance: u64 },
    /// Find out what a person means by a value.
    Parse { instance: u64, parameter: String, text: String },
    /// Take up a state.
    Restore { instance: u64, state: Vec<u8> },
    /// Complete these with what the plugins know, and send them back.
    Save(Saving),
}

/// What is known of plugins, on its way over the threads that know more.
#[derive(Clone, Debug, Default)]
pub(crate) struct Saving {
    pub ticket: u64,
    /// With their instances, where there are any.
    pub plugins: Vec<(Option<u64>, SavedPlugin)>,
    /// The thread that has it.
    pub thread: usize,
}

/// What the plugin thread has to say.
pub(crate) enum Answer {
    /// It is ready, and this is its audio half.
    Ready { instance: u64, half: Box<Half> },
    /// It cannot be had.
    Failed { instance: u64, is_missing: bool, reason: String },
    /// A value for the engine.
    Parsed { instance: u64, id: u32, value: f64 },
    /// Something to tell the user.
    Said { instance: u64, text: String },
    /// Its latency is another one while it runs.
    Latency { instance: u64, frames: u32 },
    /// It asks to be activated anew.
    WantsRestart { instance: u64 },
    /// It says that its state is another one.
    Changed { instance: u64 },
    /// Has been asked for.
    Saved(Saving),
    /// It begins to load this, which may take any time.
    Begins { instance: u64 },
    /// What it loads changes notes.
    ChangesNotes,
}

/// An audio half on its way to the graph.
pub(crate) struct Half {
    pub processor: Box<dyn Processor>,
    pub info: NodeInfo,
    pub description: Description,
    pub activation: Activation,
    /// What its parameters are by now.
    pub values: Vec<(u32, f64)>,
}

enum Life {
    Active(Sides),
    /// To be activated anew when its audio half has come home.
    Returning(Sides, Activation),
    /// To be ended then.
    Leaving(Sides),
}

impl Life {
    fn plugin(&mut self) -> &mut Sides {
        let (Life::Active(plugin) | Life::Returning(plugin, _) | Life::Leaving(plugin)) = self;
        plugin
    }
}

pub(crate) struct Worker<F> {
    instances: BTreeMap<u64, Life>,
    /// What reports of memory say of each of them.
    noted: BTreeMap<u64, ForeignNote>,
    find: Arc<Find>,
    tell: F,
}

impl<F: FnMut(Answer)> Worker<F> {
    pub fn new(find: Arc<Find>, tell: F) -> Self {
        Worker { instances: BTreeMap::new(), noted: BTreeMap::new(), find, tell }
    }

    pub fn is_empty(&self) -> bool {
        self.instances.is_empty()
    }

    pub fn obey(&mut self, order: Order) {
        match order {
            Order::Load { instance, request, activation } => {
                // A rack plays what it can have of a slot. Who names a plugin for a song wants it so and not otherwise.
                let is_lenient = request.input.is_some();
                let refused = RefCell::new(None);
                let prepare = |plugin: &mut Plugin| match prepare(plugin, &request) {
                    Err(error) if is_lenient => {
                        *refused.borrow_mut() = Some(error);
                        Ok(())
                    }
                    done => done,
                };
                self.load(instance, &request.choice, activation, prepare);
                if let Some(error) = refused.into_inner() {
                    (self.tell)(Answer::Said { instance, text: format!("{error}; it plays as it comes") });
                }
            }
            Order::Copy { like, instance, activation } => self.copy(like, instance, activation),
            Order::Activate { instance, activation } => {
                self.change(instance, |plugin| Life::Returning(plugin, activation));
            }
            Order::Unload { instance } => self.change(instance, Life::Leaving),
            Order::Parse { instance, parameter, text } => self.parse(instance, &parameter, &text),
            Order::Restore { instance, state } => self.restore(instance, &state),
            Order::Save(mut saving) => {
                for (instance, plugin) in &mut saving.plugins {
                    *plugin = self.save(*instance, std::mem::take(plugin));
                }
                (self.tell)(Answer::Saved(saving));
            }
        }
    }

    /// What plugins want done now and then, and what they have to say. Some thirty times a second.
    pub fn idle(&mut self) {
        let all: Vec<u64> = self.instances.keys().copied().collect();
        for instance in all {
            if let Some(Life::Active(plugin)) = self.instances.get_mut(&instance) {
                plugin.idle();
                listen(instance, plugin, &mut self.tell);
            }
            self.go_on(instance);
        }
    }

    fn load(
        &mut self,
        instance: u64,
        choice: &PluginChoice,
        activation: Activation,
        prepare: impl Fn(&mut Plugin) -> Result<(), ChainError>,
    ) {
        let tell = &mut self.tell;
        tell(Answer::Begins { instance });
        // It may take the program with it: what is known against it comes first.
        let before = |found: &Description| {
            if found.kind == Kind::NoteEffect {
                tell(Answer::ChangesNotes);
            }
            if let Some(text) = certify::warning(found) {
                tell(Answer::Said { instance, text });
            }
        };
        match sides::link(&*self.find, choice, &activation, prepare, before) {
            Ok(made) => self.ready(instance, made, activation),
            Err(error) => {
                let is_missing = matches!(error.phase, Phase::Finding | Phase::Loading);
                self.fail(instance, is_missing, error.to_string());
            }
        }
    }

    fn copy(&mut self, like: u64, instance: u64, activation: Activation) {
        let Some(life) = self.instances.get_mut(&like) else { return };
        let plugin = life.plugin();
        let choice = PluginChoice { plugin: plugin.description().id.to_string(), ..PluginChoice::default() };
        let values = values(plugin);
        let state = match plugin.save() {
            Ok(state) => Some(state),
            Err(StateError::None { .. }) => None,
            Err(error) => {
                let reason = format!("{}, taking its state: {error}", plugin.description().name);
                return self.fail(instance, false, reason);
            }
        };
        self.load(instance, &choice, activation, |copy| {
            if let Some(state) = &state {
                return Ok(copy.restore(state)?);
            }
            values.iter().for_each(|(id, _, value)| copy.set_value(*id, *value));
            Ok(())
        });
    }

    fn fail(&mut self, instance: u64, is_missing: bool, reason: String) {
        self.noted.remove(&instance);
        (self.tell)(Answer::Failed { instance, is_missing, reason });
    }

    fn ready(&mut self, instance: u64, mut made: Made, activation: Activation) {
        // Pages of its library, as those of the program when the engine was made.
        kmidi_sys::prefault_code();
        warm_up(&mut *made.processor, &made.info, activation.quantum_frames);
        let Made { processor, sides, info } = made;
        let description = sides.description().clone();
        let values = values(&sides).into_iter().map(|(id, _, value)| (id, value)).collect();
        // Each instance takes what one takes.
        let instances = sides.instances() as u64;
        self.instances.insert(instance, Life::Active(sides));
        let note = || {
            let name = format!("{} ({})", description.name, description.id);
            let estimated_bytes = certify::resting_bytes(&description).map(|bytes| bytes * instances);
            note_foreign(Foreign { name, estimated_bytes })
        };
        self.noted.entry(instance).or_insert_with(note);
        let half = Box::new(Half { processor, info, description, activation, values });
        (self.tell)(Answer::Ready { instance, half });
    }

    fn change(&mut self, instance: u64, to: impl FnOnce(Sides) -> Life) {
        let Some(life) = self.instances.remove(&instance) else { return };
        let (Life::Active(plugin) | Life::Returning(plugin, _) | Life::Leaving(plugin)) = life;
        self.instances.insert(instance, to(plugin));
        self.go_on(instance);
    }

    /// Does what has waited for an audio half to come home.
    fn go_on(&mut self, instance: u64) {
        let waits = |life: &mut Life| !matches!(life, Life::Active(_)) && life.plugin().is_home();
        if !self.instances.get_mut(&instance).is_some_and(waits) {
            return;
        }
        let Some(Life::Returning(plugin, activation)) = self.instances.remove(&instance) else {
            self.noted.remove(&instance);
            return;
        };
        let name = plugin.description().name.clone();
        match plugin.activate_again(&activation) {
            None => {}
            Some(Ok(made)) => self.ready(instance, made, activation),
            Some(Err(error)) => self.fail(instance, false, format!("{name}, activating it again: {error}")),
        }
    }

    fn parse(&mut self, instance: u64, parameter: &str, text: &str) {
        let Some(life) = self.instances.get_mut(&instance) else { return };
        let plugin = life.plugin();
        let said = plugin.description().id.to_string();
        let answer = match chain::parse(plugin.plugin(), &said, parameter, text) {
            Ok((id, value)) => Answer::Parsed { instance, id, value },
            Err(error) => Answer::Said { instance, text: error.to_string() },
        };
        (self.tell)(answer);
    }

    fn restore(&mut self, instance: u64, state: &[u8]) {
        let Some(life) = self.instances.get_mut(&instance) else { return };
        if let Err(error) = State::from_bytes(state).and_then(|state| life.plugin().restore(&state)) {
            (self.tell)(Answer::Said { instance, text: format!("the state is not taken up: {error}") });
        }
    }

    fn save(&mut self, instance: Option<u64>, mut saved: SavedPlugin) -> SavedPlugin {
        let life = instance.and_then(|instance| self.instances.get_mut(&instance));
        let Some(plugin) = life.map(Life::plugin) else { return saved };
        saved.parameters = values(plugin).into_iter().map(|(_, symbol, value)| (symbol, value)).collect();
        let parameters = plugin.plugin().description().parameters.iter();
        saved.ranges = parameters.map(|it| (it.symbol.clone(), (it.min, it.max))).collect();
        match plugin.save() {
            Ok(state) => saved.state = Some(state.to_bytes()),
            Err(StateError::None { .. }) => saved.state = None,
            Err(error) => saved.error = Some(error.to_string()),
        }
        saved
    }
}

/// Id, symbol and value of all that can be set.
fn values(sides: &Sides) -> Vec<(u32, String, f64)> {
    let plugin = sides.plugin();
    let parameters = plugin.description().parameters.iter().filter(|it| !it.is_output);
    let value = |it: &Parameter| Some((it.id, it.symbol.clone(), plugin.value(it.id)?));
    parameters.filter_map(value).collect()
}

fn listen(instance: u64, plugin: &mut Sides, tell: &mut impl FnMut(Answer)) {
    let mut said = 0;
    while let Some(told) = plugin.told() {
        let text = match told {
            Told::Log(line) => line.as_str().to_owned(),
            Told::ProcessFailed => "failed, and is silent where it does".to_owned(),
            Told::Parameter { .. } => continue,
        };
        said += 1;
        if said <= TOLD_AT_ONCE {
            tell(Answer::Said { instance, text });
        }
    }
    if let Some(frames) = plugin.new_latency_frames() {
        tell(Answer::Latency { instance, frames });
    }
    if plugin.wants_restart() {
        tell(Answer::WantsRestart { instance });
    }
    if plugin.has_changed() {
        tell(Answer::Changed { instance });
    }
}
