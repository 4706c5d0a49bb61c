//! Plugins of one channel in a row of two: what is different on both sides stays so.

use kmidi_core::{AudioPorts, EventBuffer, NodeInfo, ProcessContext, ProcessStatus, Processor};
use kmidi_host::{Activation, ActivePlugin, Description, Plugin, State, StateError, Told};
use kmidi_memory::audio_heap;

use crate::chain::{self, ChainError, Find, Link, LinkError, Phase, PluginChoice};

/// A plugin at work; of one that takes and gives a single channel, an instance for each side.
pub(crate) struct Sides {
    left: ActivePlugin,
    right: Option<ActivePlugin>,
}

/// What a graph gets of it, and what stays.
pub(crate) struct Made {
    // Dropped first: plugins can end only without it.
    pub processor: Box<dyn Processor>,
    pub sides: Sides,
    pub info: NodeInfo,
}

/// Loads a plugin for a row of two channels, has it prepared, and activates it. `before` it is loaded what was found is shown.
pub(crate) fn link(
    find: &Find,
    choice: &PluginChoice,
    activation: &Activation,
    prepare: impl Fn(&mut Plugin) -> Result<(), ChainError>,
    before: impl FnOnce(&Description),
) -> Result<Made, LinkError> {
    let left = chain::link(find, choice, activation, &prepare, before)?;
    if !has_one_side(&left.info) {
        return Ok(Made::of_one(left));
    }
    let right = chain::link(find, choice, activation, &prepare, |_| {})?;
    Made::of_both(left, right).map_err(|source| LinkError {
        plugin: choice.plugin.clone(),
        file: None,
        phase: Phase::Activating,
        source: Box::new(source),
    })
}

fn has_one_side(info: &NodeInfo) -> bool {
    info.audio_inputs == [1] && info.audio_outputs == [1]
}

impl Made {
    fn of_one(link: Link) -> Self {
        let Link { processor, plugin, info } = link;
        Made { processor, sides: Sides { left: plugin, right: None }, info }
    }

    fn of_both(left: Link, right: Link) -> Result<Self, ChainError> {
        let (Link { processor, plugin, info }, other) = (left, right);
        let info = NodeInfo { audio_inputs: vec![2], audio_outputs: vec![2], ..info };
        let processor = audio_heap("a plugin", move || {
            let sides = [processor, other.processor];
            Box::new(BothSides { sides, unheard: EventBuffer::with_capacity(0) }) as Box<dyn Processor>
        })?;
        Ok(Made { processor, sides: Sides { left: plugin, right: Some(other.plugin) }, info })
    }
}

impl Sides {
    /// The instance that speaks for both.
    pub fn plugin(&self) -> &ActivePlugin {
        &self.left
    }

    /// How many instances there are.
    pub fn instances(&self) -> usize {
        1 + usize::from(self.right.is_some())
    }

    /// What it says of itself.
    pub fn description(&self) -> &Description {
        self.left.description()
    }

    /// Its instances.
    pub fn each(&mut self) -> impl Iterator<Item = &mut ActivePlugin> {
        std::iter::once(&mut self.left).chain(&mut self.right)
    }

    /// [`ActivePlugin::idle`].
    pub fn idle(&mut self) {
        self.each().for_each(ActivePlugin::idle);
    }

    /// [`ActivePlugin::told`].
    pub fn told(&mut self) -> Option<Told> {
        self.each().find_map(ActivePlugin::told)
    }

    /// [`ActivePlugin::new_latency_frames`].
    pub fn new_latency_frames(&mut self) -> Option<u32> {
        self.each().filter_map(ActivePlugin::new_latency_frames).last()
    }

    /// [`ActivePlugin::wants_restart`].
    pub fn wants_restart(&mut self) -> bool {
        self.each().filter_map(|plugin| plugin.wants_restart().then_some(())).count() > 0
    }

    /// [`ActivePlugin::has_changed`].
    pub fn has_changed(&mut self) -> bool {
        self.each().filter_map(|plugin| plugin.has_changed().then_some(())).count() > 0
    }

    /// [`ActivePlugin::save`].
    pub fn save(&mut self) -> Result<State, StateError> {
        self.left.save()
    }

    /// [`ActivePlugin::restore`].
    pub fn restore(&mut self, state: &State) -> Result<(), StateError> {
        self.each().try_for_each(|plugin| plugin.restore(state))
    }

    /// [`ActivePlugin::is_home`].
    pub fn is_home(&self) -> bool {
        self.left.is_home() && self.right.as_ref().is_none_or(ActivePlugin::is_home)
    }

    /// Ends its work, and makes it ready anew. `None` while its audio half is at work.
    pub fn activate_again(self, activation: &Activation) -> Option<Result<Made, ChainError>> {
        let left = self.left.deactivate().ok()?;
        let right = self.right.map(ActivePlugin::deactivate).transpose().ok()?;
        Some(Self::activate(left, right, activation))
    }

    fn activate(left: Plugin, right: Option<Plugin>, activation: &Activation) -> Result<Made, ChainError> {
        let left = chain::activate(left, activation)?;
        match right {
            None => Ok(Made::of_one(left)),
            Some(right) => Made::of_both(left, chain::activate(right, activation)?),
        }
    }
}

/// Two plugins of one channel as one of two. `[side A]`
struct BothSides {
    sides: [Box<dyn Processor>; 2],
    /// For the events of the right one, which says what the left one says.
    unheard: EventBuffer,
}

impl Processor for BothSides {
    fn process(&mut self, cx: &mut ProcessContext<'_>) -> ProcessStatus {
        let mut silent_outputs = 0;
        let mut sleeping = 0;
        let channels = cx.audio.inputs.chunks(1).zip(cx.audio.outputs.chunks_mut(1));
        for (side, ((inputs, outputs), processor)) in channels.zip(&mut self.sides).enumerate() {
            let events_out = if side == 0 { &mut *cx.events_out } else { &mut self.unheard };
            let mut own = ProcessContext {
                frames: cx.frames,
                transport: cx.transport,
                audio: AudioPorts {
                    inputs,
                    outputs,
                    silent_inputs: cx.audio.silent_inputs >> side & 1,
                    silent_outputs: 0,
                },
                events_in: cx.events_in,
                events_out,
                sysex: &mut *cx.sysex,
            };
            sleeping += u32::from(processor.process(&mut own) == ProcessStatus::Sleep);
            silent_outputs |= (own.audio.silent_outputs & 1) << side;
        }
        cx.audio.silent_outputs = silent_outputs;
        // One that sleeps is woken too early at worst.
        if sleeping == 2 { ProcessStatus::Sleep } else { ProcessStatus::Continue }
    }

    fn reset(&mut self) {
        self.sides.iter_mut().for_each(|side| side.reset());
    }
}
