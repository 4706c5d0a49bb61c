//! VST3 hosting against a plugin inside the test, which writes down what it was asked and in which order.

mod plugin;
mod rig;

mod events;
mod hostile;
mod layouts;
mod life;
mod numbers;
mod parameters;
mod state;

use std::sync::Arc;

use kmidi_core::{Event, Processor, TimedEvent};
use kmidi_host::{Activation, ActivePlugin, Plugin, load_vst3_of};
use plugin::{Config, Factory, Shared};
use rig::Rig;

/// The class id of the first plugin of a factory.
const CLASS: &str = "10101010101010101010101010101000";
const RUN: Activation = Activation { sample_rate_hz: 48_000, quantum_frames: 64, offline: false };

/// A plugin that is loaded, and what it shares with the test.
fn loaded(config: Config) -> (Plugin, Arc<Shared>) {
    let shared = Shared::new(config);
    let plugin = load_vst3_of(Factory::of(std::slice::from_ref(&shared)), CLASS).unwrap();
    (plugin, shared)
}

/// An active plugin and all around it.
struct Running {
    // Dropped first: the plugin stays in memory as long as it is at work.
    processor: Box<dyn Processor>,
    active: ActivePlugin,
    rig: Rig,
}

impl Running {
    fn new(plugin: Plugin) -> Self {
        let (active, processor) = plugin.activate(&RUN).map_err(|error| error.1).unwrap();
        let rig = Rig::new(active.node_info(), RUN);
        Running { active, processor, rig }
    }

    fn run(&mut self, events: &[TimedEvent]) {
        self.rig.run(self.processor.as_mut(), events);
    }

    fn end(self) -> Plugin {
        drop(self.processor);
        self.active.deactivate().map_err(|error| error.1).unwrap()
    }
}

/// A plugin that runs.
fn running(config: Config) -> (Running, Arc<Shared>) {
    let (plugin, shared) = loaded(config);
    (Running::new(plugin), shared)
}

fn at(time: u32, event: Event) -> TimedEvent {
    TimedEvent { time, port: 0, event }
}
