//! The SoundFonts in use, and what stands in for what they lack.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use basedrop::{Handle, Shared};
use kmidi_memory::{Budgets, Lease, MIB};
use kmidi_soundfont::{
    DRUM_BANK, KeySet, LoadedSample, Preset, PresetKey, PresetPlan, Sample, SoundFont, SoundFontError,
};

use crate::input::{FileSource, InputError};
use crate::job::{Cancel, JobContext, JobError, Need};
use crate::sound_fonts::{self, BUILT_IN, SoundFontChoice};

/// The compact General MIDI SoundFont that is part of the program.
pub static BUILT_IN_SOUND_FONT: &[u8] = include_bytes!("../../../assets/soundfonts/kmidi-gm.sf3");

/// Why a SoundFont cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SoundBankError {
    /// The file cannot be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// It is no SoundFont that can be used.
    #[error("{}: {source}", .path.display())]
    SoundFont {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: SoundFontError,
    },
    /// It is not wanted any more, or has no room.
    #[error(transparent)]
    Job(#[from] JobError),
}

/// An open stack of SoundFonts; presets can be loaded by several threads at once.
pub(crate) struct SoundBank {
    /// The top one first.
    layers: Vec<Layer>,
    /// Holds what the samples take that are in memory.
    paid: Mutex<Vec<Paid>>,
    /// Holds what its tables take.
    _lease: Lease,
}

/// Samples that were loaded together.
struct Paid {
    lease: Lease,
    layer: usize,
    /// What each takes, by its place in the file.
    bytes: HashMap<u16, u64>,
}

struct Layer {
    font: SoundFont,
    /// What is added to the banks of melodic presets.
    bank_offset: u16,
    name: String,
}

/// What is to be loaded for a preset that a song asks for.
pub(crate) struct BankPlan {
    layer: usize,
    plan: PresetPlan,
    stands_in: bool,
}

/// What was found for a preset that a song asks for.
pub(crate) struct Found {
    pub preset: Shared<Preset>,
    /// Whether it is another one than was asked for.
    pub stands_in: bool,
}

impl BankPlan {
    /// How many samples it needs.
    pub fn samples(&self) -> usize {
        self.plan.samples()
    }

    /// What a file holds of one of them, in bytes.
    pub fn file_bytes(&self, number: usize) -> u64 {
        self.plan.file_bytes(number)
    }

    /// What one of them takes in memory, in bytes.
    pub fn memory_bytes(&self, number: usize) -> u64 {
        self.plan.memory_bytes(number)
    }
}

impl SoundBank {
    /// Opens a stack, the last on top; the built-in SoundFont where there is none. What is loaded is
    /// freed by the collector of `handle`. A job with the [`need`](Self::need) of this stack.
    pub fn open(
        choices: &[SoundFontChoice],
        handle: &Handle,
        context: JobContext,
    ) -> Result<Self, SoundBankError> {
        let mut layers = Vec::new();
        for choice in sound_fonts::stack(choices) {
            layers.push(Layer::open(&choice, handle)?);
            context.check()?;
        }
        layers.reverse();
        Ok(SoundBank { layers, paid: Mutex::default(), _lease: context.settle() })
    }

    /// Opens a stack on the calling thread.
    pub fn open_here(
        choices: &[SoundFontChoice],
        handle: &Handle,
        budgets: &Budgets,
        cancel: &Cancel,
    ) -> Result<Self, SoundBankError> {
        JobContext::run(budgets, Self::need(choices), cancel, |context| Self::open(choices, handle, context))?
    }

    /// What opening a stack needs: its tables. The largest known have a few MiB.
    pub fn need(choices: &[SoundFontChoice]) -> Need {
        let stack = sound_fonts::stack(choices);
        let names: Vec<_> = stack.iter().rev().map(ToString::to_string).collect();
        Need::working(MIB * stack.len() as u64, format!("{} (tables)", names.join(" over ")))
    }

    /// The SoundFonts, the top one first.
    pub fn names(&self) -> Vec<String> {
        self.layers.iter().map(|layer| layer.name.clone()).collect()
    }

    /// How many presets each has, the top one first.
    pub fn presets(&self) -> Vec<usize> {
        self.layers.iter().map(|layer| layer.font.presets().len()).collect()
    }

    /// What is wrong with each file, as far as it has been read: its name, the first few, and how many
    /// in all.
    pub fn warnings(&self) -> Vec<(&str, Vec<String>, usize)> {
        let of = |layer: &'_ Layer| {
            let warnings = layer.font.warnings();
            (warnings.kept().iter().map(ToString::to_string).collect(), warnings.total())
        };
        let named = |layer| {
            let (kept, total) = of(layer);
            (layer.name.as_str(), kept, total)
        };
        self.layers.iter().map(named).collect()
    }

    /// What has to be loaded for `key` to sound, as far as `keys` need it; `None` if nothing can stand in.
    pub fn plan(&self, key: PresetKey, keys: &KeySet) -> Result<Option<BankPlan>, SoundFontError> {
        let Some((layer, bank, program, stands_in)) = self.find(key) else { return Ok(None) };
        let plan = self.layers[layer].font.plan_preset(bank, program, Some(keys))?;
        Ok(Some(BankPlan { layer, plan, stands_in }))
    }

    /// Loads one sample of a plan; `None` if it is beyond use.
    ///
    /// # Errors
    /// The file cannot be read any more, or memory does not suffice.
    pub fn load_sample(
        &self,
        plan: &BankPlan,
        number: usize,
    ) -> Result<Option<LoadedSample>, SoundFontError> {
        self.layers[plan.layer].font.load_sample(&plan.plan, number)
    }

    /// Makes the preset of a plan whose samples are loaded.
    pub fn join(&self, plan: &BankPlan, samples: &[Option<Shared<Sample>>]) -> Result<Found, SoundFontError> {
        let preset = self.layers[plan.layer].font.join_preset(&plan.plan, samples)?;
        Ok(Found { preset, stands_in: plan.stands_in })
    }

    /// What loading the samples of a plan will take in memory, in bytes: nothing for those that are there.
    pub fn missing_bytes(&self, plan: &BankPlan) -> u64 {
        let font = &self.layers[plan.layer].font;
        let missing = |n| if font.has_sample(&plan.plan, n) { 0 } else { plan.memory_bytes(n) };
        (0..plan.samples()).map(missing).sum()
    }

    /// Keeps the lease of samples that were loaded for a plan until they are let go of. Each with its number in the
    /// plan and its bytes.
    pub fn pay(&self, plan: &BankPlan, lease: Lease, samples: impl Iterator<Item = (usize, u64)>) {
        let bytes = samples.map(|(number, bytes)| (plan.plan.sample_index(number), bytes)).collect();
        self.paid().push(Paid { lease, layer: plan.layer, bytes });
    }

    /// Lets go of samples that nobody else has, and of what was paid for them.
    pub fn free_unused(&self) {
        // What is loaded meanwhile is paid when that is over.
        let mut paid = self.paid();
        for (number, layer) in self.layers.iter().enumerate() {
            let freed = layer.font.free_unused();
            for paid in paid.iter_mut().filter(|paid| paid.layer == number && !freed.is_empty()) {
                paid.bytes.retain(|index, _| !freed.contains(index));
                paid.lease.settle(paid.bytes.values().sum());
            }
        }
        paid.retain(|paid| !paid.bytes.is_empty());
    }

    fn paid(&self) -> MutexGuard<'_, Vec<Paid>> {
        // Nothing under this lock panics half-way.
        self.paid.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the memory of a plan is for.
    pub fn purpose(&self, plan: &BankPlan) -> String {
        format!("{} ({})", plan.plan.name(), self.layers[plan.layer].name)
    }

    /// The preset itself, of the highest SoundFont that has it; else a melodic one of the capital bank,
    /// or its first; for drums the standard kit; else anything there is of the kind. The place of the
    /// SoundFont, bank and program in its file, and whether it stands in.
    fn find(&self, key: PresetKey) -> Option<(usize, u16, u8, bool)> {
        let (bank, program) = (key.bank(), key.program());
        let tries = if key.is_drum() {
            [(DRUM_BANK, program), (DRUM_BANK, 0), (DRUM_BANK, 0)]
        } else {
            [(bank, program), (0, program), (0, 0)]
        };
        let layers = || self.layers.iter().enumerate();
        let having = |(bank, program)| {
            let (layer, bank) = layers().find_map(|(n, layer)| Some((n, layer.own_bank(bank, program)?)))?;
            Some((layer, bank, program))
        };
        let any = || {
            layers().find_map(|(n, layer)| {
                let kind = |bank| (bank == DRUM_BANK) == key.is_drum();
                let info = layer.font.presets().iter().find(|info| kind(info.bank))?;
                Some((n, info.bank, info.program))
            })
        };
        let exact = having(tries[0]).map(|(layer, bank, program)| (layer, bank, program, false));
        let other = || tries[1..].iter().find_map(|&there| having(there)).or_else(any);
        exact.or_else(|| other().map(|(layer, bank, program)| (layer, bank, program, true)))
    }
}

impl Layer {
    fn open(choice: &SoundFontChoice, handle: &Handle) -> Result<Self, SoundBankError> {
        let (path, opened) = match &choice.file {
            None => (Path::new(BUILT_IN), SoundFont::open(Arc::new(BUILT_IN_SOUND_FONT), handle)),
            Some(path) => (path.as_path(), SoundFont::open(Arc::new(FileSource::open(path)?), handle)),
        };
        let font = opened.map_err(|source| SoundBankError::SoundFont { path: path.to_path_buf(), source })?;
        Ok(Layer { font, bank_offset: choice.bank_offset.into(), name: choice.to_string() })
    }

    /// The bank in the file of a preset, if it has it.
    fn own_bank(&self, bank: u16, program: u8) -> Option<u16> {
        let own = if bank == DRUM_BANK { bank } else { bank.checked_sub(self.bank_offset)? };
        self.font.has_preset(own, program).then_some(own)
    }
}
