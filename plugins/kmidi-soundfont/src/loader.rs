//! A SoundFont of which only what is played is in memory. `[side B]`

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use basedrop::{Handle, Shared};

use crate::assemble::{self, ZonePlan};
use crate::error::SoundFontError;
use crate::fetch::{self, Failure};
use crate::file::{SampleSource, Tables, WarningKind, Warnings};
use crate::key_set::KeySet;
use crate::sample::Sample;
use crate::zone::{Preset, Zone};

/// Memory that the samples of one SoundFont may take, unless [`SoundFont::set_memory_limit`] says otherwise.
const DEFAULT_MEMORY_LIMIT_BYTES: u64 = 2 << 30;

/// A preset of a SoundFont, which may not be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresetInfo {
    /// SoundFont bank; 128 holds drum kits.
    pub bank: u16,
    /// MIDI program.
    pub program: u8,
    /// Name in the file.
    pub name: String,
}

/// A preset and the samples that it needs, which may not be loaded. `[side B]`
pub struct PresetPlan {
    bank: u16,
    program: u8,
    name: String,
    zones: Vec<ZonePlan>,
    /// Of the samples of the file, those needed, each once; and the place of each in that list.
    samples: Vec<u16>,
    numbers: HashMap<u16, usize>,
    file_bytes: Vec<u64>,
    memory_bytes: Vec<u64>,
    /// For all keys.
    whole: bool,
}

impl PresetPlan {
    /// How many samples it needs.
    pub fn samples(&self) -> usize {
        self.samples.len()
    }

    /// What the file holds of the sample `number`, in bytes.
    ///
    /// # Panics
    /// The plan has no such sample.
    pub fn file_bytes(&self, number: usize) -> u64 {
        self.file_bytes[number]
    }

    /// What the sample `number` takes in memory, in bytes. Of a compressed one, what its file says, which need
    /// not be true.
    ///
    /// # Panics
    /// The plan has no such sample.
    pub fn memory_bytes(&self, number: usize) -> u64 {
        self.memory_bytes[number]
    }

    /// Place of the sample `number` in the file.
    ///
    /// # Panics
    /// The plan has no such sample.
    pub fn sample_index(&self, number: usize) -> u16 {
        self.samples[number]
    }

    /// Name of the preset.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// A sample that is in memory.
pub struct LoadedSample {
    /// The sample.
    pub sample: Shared<Sample>,
    /// Whether it was not there before.
    pub is_new: bool,
}

/// An open SoundFont file. Presets may be loaded from several threads at once. `[side B]`
///
/// Whatever it has loaded is resident: when the file shrinks or goes away later, further loads fail
/// with an error and what sounds is not touched.
pub struct SoundFont {
    source: Arc<dyn SampleSource>,
    handle: Handle,
    tables: Tables,
    presets: Vec<PresetInfo>,
    /// Place in the file's table, by bank and program.
    places: BTreeMap<(u16, u8), usize>,
    memory_limit_bytes: u64,
    loaded: Mutex<Loaded>,
}

#[derive(Default)]
struct Loaded {
    samples: HashMap<u16, Shared<Sample>>,
    bytes: u64,
    warnings: Warnings,
}

impl SoundFont {
    /// Reads everything of a SoundFont file but its samples. What it loads later is freed by the
    /// collector of `handle`.
    ///
    /// # Errors
    /// The source cannot be read, is no SoundFont, or has no presets.
    pub fn open(source: Arc<dyn SampleSource>, handle: &Handle) -> Result<Self, SoundFontError> {
        let mut warnings = Warnings::default();
        let tables = Tables::read(&*source, &mut warnings)?;
        let mut places = BTreeMap::new();
        // The last record only ends the list.
        for (place, record) in tables.presets.iter().rev().skip(1).rev().enumerate() {
            match u8::try_from(record.program) {
                Ok(program @ 0..=127) if !places.contains_key(&(record.bank, program)) => {
                    places.insert((record.bank, program), place);
                }
                Ok(0..=127) => warnings.push(&record.name, WarningKind::PresetTwice),
                _ => warnings.push(&record.name, WarningKind::BadProgram),
            }
        }
        if places.is_empty() {
            return Err(SoundFontError::NoPresets);
        }
        let info = |(&(bank, program), &place): (&(u16, u8), &usize)| PresetInfo {
            bank,
            program,
            name: tables.presets[place].name.clone(),
        };
        Ok(SoundFont {
            presets: places.iter().map(info).collect(),
            source,
            handle: handle.clone(),
            tables,
            places,
            memory_limit_bytes: DEFAULT_MEMORY_LIMIT_BYTES,
            loaded: Mutex::new(Loaded { warnings, ..Loaded::default() }),
        })
    }

    /// Memory that its samples may take, in bytes; 2 GiB if it is not set.
    pub fn set_memory_limit(&mut self, bytes: u64) {
        self.memory_limit_bytes = bytes;
    }

    /// Name of the SoundFont, as its file says.
    pub fn name(&self) -> &str {
        &self.tables.name
    }

    /// The presets, by bank and program.
    pub fn presets(&self) -> &[PresetInfo] {
        &self.presets
    }

    /// Whether it has this preset.
    pub fn has_preset(&self, bank: u16, program: u8) -> bool {
        self.places.contains_key(&(bank, program))
    }

    /// What is wrong with the file, as far as it has been read.
    pub fn warnings(&self) -> Warnings {
        self.loaded().warnings.clone()
    }

    /// Memory that the loaded samples take, in bytes.
    pub fn resident_bytes(&self) -> u64 {
        self.loaded().bytes
    }

    /// Lets go of samples that no preset has any more, and tells their places in the file. Their memory comes
    /// free when the collector runs.
    pub fn free_unused(&self) -> Vec<u16> {
        let Loaded { samples, bytes, .. } = &mut *self.loaded();
        let mut freed = Vec::new();
        samples.retain(|&index, sample| {
            let is_unused = Shared::get_mut(sample).is_some();
            if is_unused {
                *bytes -= sample.bytes();
                freed.push(index);
            }
            !is_unused
        });
        freed
    }

    /// Loads a preset: all of it, or just what sounds at some `keys`. Samples that are loaded already
    /// are shared; a zone whose sample is damaged beyond use is left out with a warning.
    ///
    /// A host with several threads plans the preset, loads its samples side by side, and joins them.
    ///
    /// # Errors
    /// There is no such preset, nothing of it can sound, it does not fit into memory, or the source
    /// cannot be read any more.
    pub fn load_preset(
        &self,
        bank: u16,
        program: u8,
        keys: Option<&KeySet>,
    ) -> Result<Shared<Preset>, SoundFontError> {
        let plan = self.plan_preset(bank, program, keys)?;
        let load = |n| Ok(self.load_sample(&plan, n)?.map(|loaded| loaded.sample));
        let samples = (0..plan.samples()).map(load).collect::<Result<Vec<_>, SoundFontError>>();
        self.join_preset(&plan, &samples?)
    }

    /// Finds out which samples a preset needs: all of it, or just what sounds at some `keys`.
    ///
    /// # Errors
    /// [`SoundFontError::NoPreset`].
    pub fn plan_preset(
        &self,
        bank: u16,
        program: u8,
        keys: Option<&KeySet>,
    ) -> Result<PresetPlan, SoundFontError> {
        let place = *self.places.get(&(bank, program)).ok_or(SoundFontError::NoPreset { bank, program })?;
        let mut warnings = Warnings::default();
        let zones = assemble::assemble(&self.tables, place, keys.unwrap_or(&KeySet::ALL), &mut warnings);
        self.loaded().warnings.extend(warnings);
        let mut samples = Vec::new();
        let mut numbers = HashMap::new();
        for zone in &zones {
            numbers.entry(zone.sample).or_insert_with(|| {
                samples.push(zone.sample);
                samples.len() - 1
            });
        }
        let file_bytes = samples
            .iter()
            .map(|&index| fetch::file_bytes(&self.tables.samples[usize::from(index)]))
            .collect();
        let memory_bytes =
            samples.iter().map(|&index| fetch::memory_bytes(&*self.source, &self.tables, index)).collect();
        let name = self.tables.presets[place].name.clone();
        let whole = keys.is_none();
        Ok(PresetPlan { bank, program, name, zones, numbers, samples, file_bytes, memory_bytes, whole })
    }

    /// Whether the sample `number` of a plan is loaded.
    ///
    /// # Panics
    /// The plan has no such sample.
    pub fn has_sample(&self, plan: &PresetPlan, number: usize) -> bool {
        self.loaded().samples.contains_key(&plan.samples[number])
    }

    /// Loads the sample `number` of a plan, from 0 to [`PresetPlan::samples`], unless it is loaded
    /// already; `None` if it is damaged beyond use, with a warning. Several threads may do so at once.
    ///
    /// # Errors
    /// It does not fit into memory, or the source cannot be read any more.
    ///
    /// # Panics
    /// The plan has no such sample.
    pub fn load_sample(
        &self,
        plan: &PresetPlan,
        number: usize,
    ) -> Result<Option<LoadedSample>, SoundFontError> {
        let index = plan.samples[number];
        let known = |sample: &Shared<Sample>| LoadedSample { sample: sample.clone(), is_new: false };
        let free_bytes = {
            let loaded = self.loaded();
            if let Some(sample) = loaded.samples.get(&index) {
                return Ok(Some(known(sample)));
            }
            self.memory_limit_bytes.saturating_sub(loaded.bytes)
        };
        let too_large = |needed_bytes, free_bytes| SoundFontError::TooLarge {
            name: plan.name.clone(),
            needed_bytes,
            free_bytes,
        };
        // Not under the lock, so that threads decode side by side.
        let mut warnings = Warnings::default();
        let fetched = fetch::fetch(&*self.source, &self.tables, index, free_bytes, &mut warnings);
        let mut loaded = self.loaded();
        loaded.warnings.extend(warnings);
        let sample = match fetched {
            Ok(sample) => sample,
            Err(Failure::Silent) => return Ok(None),
            Err(Failure::Io(error)) => return Err(error.into()),
            Err(Failure::TooLarge { needed_bytes }) => return Err(too_large(needed_bytes, free_bytes)),
        };
        // Another thread may have been faster: then its sample is the one that is shared.
        if let Some(sample) = loaded.samples.get(&index) {
            return Ok(Some(known(sample)));
        }
        let bytes = sample.bytes();
        let free_bytes = self.memory_limit_bytes.saturating_sub(loaded.bytes);
        if bytes > free_bytes {
            return Err(too_large(bytes, free_bytes));
        }
        let sample = Shared::new(&self.handle, sample);
        loaded.bytes += bytes;
        loaded.samples.insert(index, sample.clone());
        Ok(Some(LoadedSample { sample, is_new: true }))
    }

    /// Makes the preset of a plan, whose samples are given in their order.
    ///
    /// # Errors
    /// [`SoundFontError::SilentPreset`].
    pub fn join_preset(
        &self,
        plan: &PresetPlan,
        samples: &[Option<Shared<Sample>>],
    ) -> Result<Shared<Preset>, SoundFontError> {
        let zone = |zone: &ZonePlan| {
            Some(Zone {
                keys: zone.keys.clone(),
                velocities: zone.velocities.clone(),
                generators: zone.generators.clone(),
                modulators: zone.modulators.clone(),
                sample: samples.get(plan.numbers[&zone.sample])?.clone()?,
            })
        };
        let zones: Box<[Zone]> = plan.zones.iter().filter_map(zone).collect();
        // With a choice of keys there may rightly be nothing.
        if zones.is_empty() && plan.whole {
            return Err(SoundFontError::SilentPreset { name: plan.name.clone() });
        }
        let (bank, program, name) = (plan.bank, plan.program, plan.name.clone());
        Ok(Shared::new(&self.handle, Preset { bank, program, name, zones }))
    }

    fn loaded(&self) -> MutexGuard<'_, Loaded> {
        // Nothing is left half done under this lock, so what a panic elsewhere leaves is whole.
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
