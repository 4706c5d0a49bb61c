use std::path::Path;

use kmidi_memory::{Budgets, Cancel, Domain, Lease};
use rten::{ModelOptions, NodeId, Value, ValueOrView};

use super::worker::Worker;
use super::{ExampleInput, Input, ModelEntry, ModelError, ModelFolders, ModelName, Tensor, mapped, verify};

/// A model in memory. `[side B]`, any thread: runs wait for each other.
///
/// As long as it is kept it is not unloaded.
pub struct Model {
    /// Given back where it was made: what is free can be returned to the system there only.
    graph: Option<rten::Model>,
    entry: ModelEntry,
    heap_bytes: u64,
    mapped_bytes: u64,
    budgets: Budgets,
    _lease: Lease,
}

impl Model {
    /// Loads it, and holds a lease for what it takes.
    pub(super) fn load(
        entry: &ModelEntry,
        folders: &ModelFolders,
        budgets: &Budgets,
    ) -> Result<Self, ModelError> {
        let lease = budgets.lease(Domain::Models, entry.load_bytes(), entry.name.name())?;
        let live = || kmidi_memory::tally(Domain::Models).live_bytes();
        let load = || {
            let before = live();
            let graph = read_graph(entry, folders)?;
            Ok::<_, ModelError>((graph, live().saturating_sub(before)))
        };
        let (graph, heap_bytes) = Worker::get().run(load, |loaded| loaded)?;
        let mapped_bytes = entry.files.iter().filter(|file| file.mapped).map(|file| file.bytes).sum();
        // What is mapped is in use without having been allocated: it stays promised.
        lease.settle(heap_bytes + mapped_bytes);
        lease.fill(heap_bytes);
        Ok(Model {
            graph: Some(graph),
            entry: entry.clone(),
            heap_bytes,
            mapped_bytes,
            budgets: budgets.clone(),
            _lease: lease,
        })
    }

    /// Runs it on the one thread for models, and returns `outputs` in their order.
    ///
    /// # Errors
    /// [`ModelError`]: no room, inputs that it does not take, no numbers.
    pub fn run(&self, inputs: &[Input<'_>], outputs: &[&str]) -> Result<Vec<Tensor>, ModelError> {
        self.run_unless(&Cancel::default(), inputs, outputs)
    }

    /// The same, unless it is not wanted any more before it is its turn. A run itself is not interrupted: windows
    /// are short.
    ///
    /// # Errors
    /// As [`run`](Self::run), and [`ModelError::Cancelled`].
    pub fn run_unless(
        &self,
        cancel: &Cancel,
        inputs: &[Input<'_>],
        outputs: &[&str],
    ) -> Result<Vec<Tensor>, ModelError> {
        for input in inputs {
            input.check(self.entry.name)?;
        }
        let lease = self.budgets.lease(Domain::Models, self.entry.run_bytes(), &self.name_of_run())?;
        let run = || {
            if cancel.is_cancelled() {
                return Err(ModelError::Cancelled);
            }
            self.run_here(inputs, outputs)
        };
        // The outputs are copied for the caller to keep, and freed before anyone else's turn: what is counted
        // while a model is loaded is that model.
        let copied = Worker::get().run(run, |values| self.copied(values?, outputs));
        drop(lease);
        copied
    }

    fn name_of_run(&self) -> String {
        format!("running {}", self.entry.name)
    }

    fn run_here<'a>(&self, inputs: &[Input<'a>], outputs: &[&str]) -> Result<Vec<Value>, ModelError> {
        let model = self.entry.name;
        let graph = self.graph.as_ref().expect("it is there until it is dropped");
        let failed = |error: rten::RunError| ModelError::Run { model, reason: error.to_string() };
        let named = |input: &Input<'a>| -> Result<(NodeId, ValueOrView<'a>), ModelError> {
            Ok((graph.node_id(input.name).map_err(failed)?, input.view(model)?))
        };
        // Views into the caller's buffers, which it lends until the run is over.
        let inputs: Vec<_> = inputs.iter().map(named).collect::<Result<_, _>>()?;
        let outputs: Vec<_> =
            outputs.iter().map(|name| graph.node_id(name).map_err(failed)).collect::<Result<_, _>>()?;
        graph.run(inputs, &outputs, Some(Worker::get().options())).map_err(failed)
    }

    fn copied(&self, values: Vec<Value>, names: &[&str]) -> Result<Vec<Tensor>, ModelError> {
        values.iter().zip(names).map(|(value, name)| Tensor::of(value, self.entry.name, name)).collect()
    }

    /// Runs it once on the catalogue's example: after that nothing is done for the first time.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn warm_up(&self) -> Result<(), ModelError> {
        let examples: Vec<_> = self.entry.examples.iter().map(Example::of).collect();
        let inputs: Vec<_> = examples.iter().map(Example::input).collect();
        let names = self.output_names();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        self.run(&inputs, &names).map(|_| ())
    }

    /// What the model calls its outputs.
    pub fn output_names(&self) -> Vec<String> {
        let graph = self.graph.as_ref().expect("it is there until it is dropped");
        let name = |id: &NodeId| graph.node_info(*id).and_then(|node| node.name()).map(str::to_owned);
        graph.output_ids().iter().filter_map(name).collect()
    }

    /// What the catalogue says of it.
    pub fn entry(&self) -> &ModelEntry {
        &self.entry
    }

    /// What it has allocated.
    pub fn heap_bytes(&self) -> u64 {
        self.heap_bytes
    }

    /// What is used where it lies on disk, and is in memory as long as there is room.
    pub fn mapped_bytes(&self) -> u64 {
        self.mapped_bytes
    }
}

/// An example input with its numbers.
pub(crate) enum Example<'a> {
    F32(&'a ExampleInput, Vec<f32>),
    I32(&'a ExampleInput, Vec<i32>),
}

impl<'a> Example<'a> {
    pub fn of(input: &'a ExampleInput) -> Self {
        let count: usize = input.shape.iter().product();
        let real = |place: usize| input.real + input.step * place as f32;
        match input.whole {
            Some(value) => Example::I32(input, vec![value; count]),
            None => Example::F32(input, (0..count).map(real).collect()),
        }
    }

    pub fn input(&self) -> Input<'_> {
        match self {
            Example::F32(input, values) => Input::f32(&input.name, &input.shape, values),
            Example::I32(input, values) => Input::i32(&input.name, &input.shape, values),
        }
    }
}

fn read_graph(entry: &ModelEntry, folders: &ModelFolders) -> Result<rten::Model, ModelError> {
    use std::borrow::Cow;
    let mut options = ModelOptions::with_all_ops();
    // Of this one the weights are read, by their names; the optimiser forgets those of a smaller copy.
    options.enable_optimization(entry.name != ModelName::BasicPitch);
    let failed = |error: rten::LoadError| ModelError::Load { model: entry.name, reason: error.to_string() };
    let graph = entry.files.first().expect("a catalogue has none without");
    if entry.files.iter().any(|file| file.mapped) {
        let folder = folders.folder_of(entry);
        let path = |name: &str| -> std::path::PathBuf { Path::new(&folder).join(name) };
        for file in &entry.files {
            verify(entry, file, &path(&file.name))?;
        }
        return mapped::load(&options, &path(&graph.name)).map_err(failed);
    }
    match folders.read(entry, graph)? {
        Cow::Borrowed(bytes) => options.load_static_slice(bytes).map_err(failed),
        Cow::Owned(bytes) => options.load(bytes).map_err(failed),
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        let Some(graph) = self.graph.take() else { return };
        let free = || {
            drop(graph);
            kmidi_memory::release_unused();
        };
        // While another model runs it is freed here: what it took comes back a little later then.
        if let Err(free) = Worker::get().try_run(free) {
            free();
        }
    }
}
