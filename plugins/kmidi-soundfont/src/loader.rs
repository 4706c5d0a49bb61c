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

    /// Loads a preset: all of it, or just what sounds at some `keys`. Samples that are loaded already
    /// are shared; a zone whose sample is damaged beyond use is left out with a warning.
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
        let place = *self.places.get(&(bank, program)).ok_or(SoundFontError::NoPreset { bank, program })?;
        let name = self.tables.presets[place].name.clone();
        let mut warnings = Warnings::default();
        let plans = assemble::assemble(&self.tables, place, keys.unwrap_or(&KeySet::ALL), &mut warnings);
        let zones = self.load_zones(&name, plans, &mut warnings);
        self.loaded().warnings.extend(warnings);
        let zones = zones?;
        // With a choice of keys there may rightly be nothing.
        if zones.is_empty() && keys.is_none() {
            return Err(SoundFontError::SilentPreset { name });
        }
        Ok(Shared::new(&self.handle, Preset { bank, program, name, zones }))
    }

    /// Forgets the samples that no preset uses. Their memory comes free when the collector runs.
    pub fn release_unused(&self) {
        let loaded = &mut *self.loaded();
        loaded.samples.retain(|_, sample| Shared::get_mut(sample).is_none());
        loaded.bytes = loaded.samples.values().map(|sample| sample.bytes()).sum();
    }

    fn loaded(&self) -> MutexGuard<'_, Loaded> {
        // Nothing is left half done under this lock, so what a panic elsewhere leaves is whole.
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn load_zones(
        &self,
        name: &str,
        plans: Vec<ZonePlan>,
        warnings: &mut Warnings,
    ) -> Result<Box<[Zone]>, SoundFontError> {
        let mut samples = HashMap::new();
        let mut zones = Vec::with_capacity(plans.len());
        for plan in plans {
            let sample = match samples.get(&plan.sample) {
                Some(known) => Option::clone(known),
                None => {
                    let sample = self.load_sample(name, plan.sample, warnings)?;
                    samples.insert(plan.sample, sample.clone());
                    sample
                }
            };
            zones.extend(sample.map(|sample| Zone {
                keys: plan.keys,
                velocities: plan.velocities,
                generators: plan.generators,
                modulators: plan.modulators,
                sample,
            }));
        }
        Ok(zones.into())
    }

    /// The sample, if it can sound.
    fn load_sample(
        &self,
        preset: &str,
        index: u16,
        warnings: &mut Warnings,
    ) -> Result<Option<Shared<Sample>>, SoundFontError> {
        let free_bytes = {
            let loaded = self.loaded();
            if let Some(sample) = loaded.samples.get(&index) {
                return Ok(Some(sample.clone()));
            }
            self.memory_limit_bytes.saturating_sub(loaded.bytes)
        };
        // Not under the lock, so that threads decode side by side.
        let sample = match fetch::fetch(&*self.source, &self.tables, index, free_bytes, warnings) {
            Ok(sample) => sample,
            Err(Failure::Silent) => return Ok(None),
            Err(Failure::Io(error)) => return Err(error.into()),
            Err(Failure::TooLarge { needed_bytes }) => {
                let name = preset.to_owned();
                return Err(SoundFontError::TooLarge { name, needed_bytes, free_bytes });
            }
        };
        let mut loaded = self.loaded();
        // Another thread may have been faster: then its sample is the one that is shared.
        if let Some(sample) = loaded.samples.get(&index) {
            return Ok(Some(sample.clone()));
        }
        let bytes = sample.bytes();
        let free_bytes = self.memory_limit_bytes.saturating_sub(loaded.bytes);
        if bytes > free_bytes {
            let name = preset.to_owned();
            return Err(SoundFontError::TooLarge { name, needed_bytes: bytes, free_bytes });
        }
        let sample = Shared::new(&self.handle, sample);
        loaded.bytes += bytes;
        loaded.samples.insert(index, sample.clone());
        Ok(Some(sample))
    }
}
