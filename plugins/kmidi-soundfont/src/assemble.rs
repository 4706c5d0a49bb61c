//! From the records of a file to the zones of a preset: section 9 of the specification.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use crate::file::{GeneratorRecord, ModulatorRecord, Tables, WarningKind, Warnings};
use crate::generator::{Generator, Generators};
use crate::key_set::KeySet;
use crate::modulator::{DEFAULT_MODULATORS, Modulator, Source, Transform};

/// Zones of one preset. Large pianos have about 500.
const MAX_ZONES: usize = 4096;
/// Pairs of preset and instrument zone looked at for one preset, so that a small hostile file cannot
/// keep side B busy.
const MAX_PAIRS: usize = 1 << 20;
/// Modulators of one zone, the defaults included: what each sounding note can be asked to compute.
const MAX_MODULATORS: usize = 64;

/// A zone whose sample has not been loaded.
pub(crate) struct ZonePlan {
    pub keys: RangeInclusive<u8>,
    pub velocities: RangeInclusive<u8>,
    pub generators: Generators,
    pub modulators: Box<[Modulator]>,
    /// Index among the samples of the file.
    pub sample: u16,
}

/// One zone of either level, as its records say.
#[derive(Clone)]
struct Layer {
    keys: RangeInclusive<u8>,
    velocities: RangeInclusive<u8>,
    /// What it sets, in the order of the file.
    generators: Vec<(Generator, i32)>,
    modulators: Vec<Modulator>,
    /// Instrument or sample.
    target: Option<u16>,
}

/// A preset's or an instrument's zones, and the one that gives them defaults.
#[derive(Default)]
struct Layers {
    global: Option<Layer>,
    zones: Vec<Layer>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Preset,
    Instrument,
}

impl Level {
    fn target(self) -> u16 {
        match self {
            Level::Preset => GeneratorRecord::INSTRUMENT,
            Level::Instrument => GeneratorRecord::SAMPLE,
        }
    }

    /// Whether a zone of this level may set the generator. A preset cannot set what is no quantity
    /// that an offset can be added to (section 8.1.2).
    fn allows(self, generator: Generator) -> bool {
        use Generator as G;
        let of_instruments_alone = matches!(
            generator,
            G::StartAddrsOffset
                | G::EndAddrsOffset
                | G::StartLoopAddrsOffset
                | G::EndLoopAddrsOffset
                | G::StartAddrsCoarseOffset
                | G::EndAddrsCoarseOffset
                | G::StartLoopAddrsCoarseOffset
                | G::EndLoopAddrsCoarseOffset
                | G::Keynum
                | G::Velocity
                | G::SampleModes
                | G::ExclusiveClass
                | G::OverridingRootKey
        );
        generator != G::Pitch && !(self == Level::Preset && of_instruments_alone)
    }
}

/// The zones of a preset that `keys` can sound, in the order of the file.
pub(crate) fn assemble(
    tables: &Tables,
    preset: usize,
    keys: &KeySet,
    warnings: &mut Warnings,
) -> Vec<ZonePlan> {
    let name = &tables.presets[preset].name;
    let of_preset = preset_layers(tables, preset, warnings);
    let mut instruments = HashMap::new();
    let mut plans = Vec::new();
    let mut pairs = 0;
    for outer in &of_preset.zones {
        let instrument = outer.target.expect("zones have an instrument");
        let of_instrument =
            instruments.entry(instrument).or_insert_with(|| instrument_layers(tables, instrument, warnings));
        for inner in &of_instrument.zones {
            pairs += 1;
            if plans.len() == MAX_ZONES || pairs > MAX_PAIRS {
                warnings.push(name, WarningKind::TooManyZones);
                return plans;
            }
            let (keys_of_both, velocities) =
                (both(&outer.keys, &inner.keys), both(&outer.velocities, &inner.velocities));
            if velocities.is_empty() || !keys.meets(&keys_of_both) {
                continue;
            }
            plans.push(ZonePlan {
                keys: keys_of_both,
                velocities,
                generators: generators(
                    of_instrument.global.as_ref(),
                    inner,
                    of_preset.global.as_ref(),
                    outer,
                ),
                modulators: modulators(
                    name,
                    [of_instrument.global.as_ref(), Some(inner)],
                    [of_preset.global.as_ref(), Some(outer)],
                    warnings,
                ),
                sample: inner.target.expect("zones have a sample"),
            });
        }
    }
    plans
}

fn both(a: &RangeInclusive<u8>, b: &RangeInclusive<u8>) -> RangeInclusive<u8> {
    *a.start().max(b.start())..=*a.end().min(b.end())
}

fn preset_layers(tables: &Tables, preset: usize, warnings: &mut Warnings) -> Layers {
    let name = &tables.presets[preset].name;
    let targets = tables.instruments.len().saturating_sub(1);
    let mut layers = Layers::default();
    for (place, zone) in tables.zones_of_preset(preset, warnings).enumerate() {
        let (generators, modulators) = tables.preset_zone(zone, warnings);
        let layer = layer(Level::Preset, generators, modulators, name, warnings);
        layers.add(place, layer, targets, name, warnings);
    }
    layers
}

fn instrument_layers(tables: &Tables, instrument: u16, warnings: &mut Warnings) -> Layers {
    let instrument = usize::from(instrument);
    let name = &tables.instruments[instrument].name;
    let targets = tables.samples.len().saturating_sub(1);
    let mut layers = Layers::default();
    for (place, zone) in tables.zones_of_instrument(instrument, warnings).enumerate() {
        let (generators, modulators) = tables.instrument_zone(zone, warnings);
        let layer = layer(Level::Instrument, generators, modulators, name, warnings);
        layers.add(place, layer, targets, name, warnings);
    }
    layers
}

impl Layers {
    /// Puts the zone at `place` of its preset or instrument where it belongs.
    fn add(&mut self, place: usize, layer: Layer, targets: usize, name: &str, warnings: &mut Warnings) {
        match layer.target {
            Some(target) if usize::from(target) >= targets => {
                warnings.push(name, WarningKind::BadReference);
            }
            Some(_) if layer.keys.is_empty() || layer.velocities.is_empty() => {
                warnings.push(name, WarningKind::BadRange);
            }
            Some(_) => self.zones.push(layer),
            None if place == 0 => self.global = Some(layer),
            None => warnings.push(name, WarningKind::EmptyZone),
        }
    }
}

fn layer(
    level: Level,
    generators: &[GeneratorRecord],
    modulators: &[ModulatorRecord],
    name: &str,
    warnings: &mut Warnings,
) -> Layer {
    let mut layer = Layer {
        keys: 0..=127,
        velocities: 0..=127,
        generators: Vec::new(),
        modulators: Vec::new(),
        target: None,
    };
    for (place, record) in generators.iter().enumerate() {
        let before = |number| place == 1 && generators[0].number == number;
        match record.number {
            GeneratorRecord::KEY_RANGE if place == 0 => layer.keys = range(record.amount),
            GeneratorRecord::VELOCITY_RANGE if place == 0 || before(GeneratorRecord::KEY_RANGE) => {
                layer.velocities = range(record.amount);
            }
            number if number == level.target() => {
                layer.target = Some(record.amount);
                if place + 1 != generators.len() {
                    warnings.push(name, WarningKind::BadGenerator);
                }
                break;
            }
            number => match Generator::from_number(number).filter(|&generator| level.allows(generator)) {
                Some(generator) => {
                    layer.generators.push((generator, i32::from(record.amount.cast_signed())));
                }
                None => warnings.push(name, WarningKind::BadGenerator),
            },
        }
    }
    for record in modulators {
        match modulator(record) {
            // Of two identical ones in a zone the last counts.
            Some(modulator) => replace(&mut layer.modulators, modulator, name, warnings),
            None => warnings.push(name, WarningKind::BadModulator),
        }
    }
    layer
}

fn range(amount: u16) -> RangeInclusive<u8> {
    let [low, high] = amount.to_le_bytes();
    low..=high.min(127)
}

fn modulator(record: &ModulatorRecord) -> Option<Modulator> {
    Some(Modulator {
        source: Source::from_bits(record.source)?,
        destination: Generator::from_number(record.destination)?,
        amount: i32::from(record.amount),
        amount_source: Source::from_bits(record.amount_source)?,
        transform: Transform::from_bits(record.transform)?,
    })
}

/// Defaults, set by the instrument's global zone, set by its own zone; to which is added what the
/// preset's zone says, or else its global zone.
fn generators(
    instrument_global: Option<&Layer>,
    instrument: &Layer,
    preset_global: Option<&Layer>,
    preset: &Layer,
) -> Generators {
    let mut values = Generators::default();
    for layer in instrument_global.into_iter().chain([instrument]) {
        for &(generator, value) in &layer.generators {
            values[generator] = value;
        }
    }
    let mut offsets = [0; Generator::COUNT];
    for layer in preset_global.into_iter().chain([preset]) {
        for &(generator, value) in &layer.generators {
            offsets[generator as usize] = value;
        }
    }
    for &generator in Generator::ALL {
        values[generator] += offsets[generator as usize];
    }
    values
}

/// The default modulators and the instrument's, of which a later one replaces an identical earlier
/// one; to which the preset's are added (section 9.5).
fn modulators(
    name: &str,
    instrument: [Option<&Layer>; 2],
    preset: [Option<&Layer>; 2],
    warnings: &mut Warnings,
) -> Box<[Modulator]> {
    let mut merged = DEFAULT_MODULATORS.to_vec();
    for layer in instrument.into_iter().flatten() {
        for &modulator in &layer.modulators {
            replace(&mut merged, modulator, name, warnings);
        }
    }
    let mut added = Vec::new();
    for layer in preset.into_iter().flatten() {
        for &modulator in &layer.modulators {
            replace(&mut added, modulator, name, warnings);
        }
    }
    for modulator in added {
        match merged.iter_mut().find(|other| other.is_same_as(&modulator)) {
            Some(other) => other.amount += modulator.amount,
            None => push(&mut merged, modulator, name, warnings),
        }
    }
    // A modulator of amount 0 is how a file takes a default away.
    merged.retain(|modulator| modulator.amount != 0);
    merged.into()
}

fn replace(list: &mut Vec<Modulator>, modulator: Modulator, name: &str, warnings: &mut Warnings) {
    match list.iter_mut().find(|other| other.is_same_as(&modulator)) {
        Some(other) => *other = modulator,
        None => push(list, modulator, name, warnings),
    }
}

fn push(list: &mut Vec<Modulator>, modulator: Modulator, name: &str, warnings: &mut Warnings) {
    if list.len() == MAX_MODULATORS {
        warnings.push(name, WarningKind::TooManyModulators);
    } else {
        list.push(modulator);
    }
}
