//! A SoundFont as a tree that can be cut.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use kmidi_soundfont::Generator;
use kmidi_soundfont::file::{
    GeneratorRecord, ModulatorRecord, SampleRecord, SampleSource, Tables, VORBIS, Warnings, ZoneRecords,
};

/// A zone of either level. Its target (instrument, sample) is not among its generators.
#[derive(Clone, PartialEq)]
pub struct Zone {
    pub generators: Vec<GeneratorRecord>,
    pub modulators: Vec<ModulatorRecord>,
    pub target: Option<usize>,
}

impl Zone {
    pub fn get(&self, number: u16) -> Option<u16> {
        self.generators.iter().find(|it| it.number == number).map(|it| it.amount)
    }

    /// As they are written, with its target as the generator of this number.
    fn records(&self, target: u16) -> ZoneRecords {
        let target = self.target.map(|amount| GeneratorRecord { number: target, amount: amount as u16 });
        (self.generators.iter().copied().chain(target).collect(), self.modulators.clone())
    }

    pub fn value(&self, generator: Generator) -> Option<i16> {
        self.get(generator as u16).map(u16::cast_signed)
    }

    /// Sets a generator; ranges stay in front.
    pub fn set(&mut self, number: u16, amount: u16) {
        match self.generators.iter_mut().find(|it| it.number == number) {
            Some(record) => record.amount = amount,
            None if number == GeneratorRecord::KEY_RANGE => {
                self.generators.insert(0, GeneratorRecord { number, amount });
            }
            None => self.generators.push(GeneratorRecord { number, amount }),
        }
    }

    pub fn set_value(&mut self, generator: Generator, value: i16) {
        self.set(generator as u16, value.cast_unsigned());
    }

    /// Lowest and highest key.
    pub fn keys(&self) -> (u8, u8) {
        let [low, high] = self.get(GeneratorRecord::KEY_RANGE).unwrap_or(127 << 8).to_le_bytes();
        (low, high)
    }

    pub fn set_keys(&mut self, (low, high): (u8, u8)) {
        self.set(GeneratorRecord::KEY_RANGE, u16::from_le_bytes([low, high]));
    }
}

/// An instrument or a preset.
pub struct Group {
    pub name: String,
    /// Bank and program of a preset.
    pub place: (u16, u16),
    pub zones: Vec<Zone>,
}

pub struct Sample {
    pub record: SampleRecord,
    /// Full scale ±1.
    pub frames: Vec<f32>,
    /// Loop, counted from the first frame.
    pub looped: (usize, usize),
}

/// How the zones that use a sample play it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Loops {
    /// All stay in its loop until the end.
    Always,
    /// Some do, or have a loop of their own.
    Sometimes,
    Never,
}

pub struct Font {
    pub presets: Vec<Group>,
    pub instruments: Vec<Group>,
    pub samples: Vec<Sample>,
}

impl Font {
    /// Reads a sound font of 16-bit samples whole.
    pub fn read(source: &dyn SampleSource, tables: &Tables, warnings: &mut Warnings) -> io::Result<Self> {
        let zone = |(generators, modulators): (&[GeneratorRecord], &[ModulatorRecord]), target| Zone {
            generators: generators.iter().filter(|it| it.number != target).copied().collect(),
            modulators: modulators.to_vec(),
            target: generators.iter().find(|it| it.number == target).map(|it| usize::from(it.amount)),
        };
        let mut font = Font { presets: Vec::new(), instruments: Vec::new(), samples: Vec::new() };
        for (place, record) in tables.presets[..tables.presets.len() - 1].iter().enumerate() {
            let zones = tables.zones_of_preset(place, warnings);
            let zones = zones.map(|it| zone(tables.preset_zone(it, warnings), GeneratorRecord::INSTRUMENT));
            font.presets.push(Group {
                name: record.name.clone(),
                place: (record.bank, record.program),
                zones: zones.collect(),
            });
        }
        for (place, record) in tables.instruments[..tables.instruments.len() - 1].iter().enumerate() {
            let zones = tables.zones_of_instrument(place, warnings);
            let zones = zones.map(|it| zone(tables.instrument_zone(it, warnings), GeneratorRecord::SAMPLE));
            font.instruments.push(Group { name: record.name.clone(), place: (0, 0), zones: zones.collect() });
        }
        for record in &tables.samples[..tables.samples.len() - 1] {
            let mut bytes = vec![0; 2 * (record.end - record.start) as usize];
            source.read_exact_at(tables.smpl.offset + 2 * u64::from(record.start), &mut bytes)?;
            let frames = bytes.as_chunks::<2>().0.iter();
            font.samples.push(Sample {
                frames: frames.map(|frame| f32::from(i16::from_le_bytes(*frame)) / 32_768.0).collect(),
                looped: (
                    (record.loop_start - record.start) as usize,
                    (record.loop_end - record.start).min(record.end - record.start) as usize,
                ),
                record: record.clone(),
            });
        }
        Ok(font)
    }

    pub fn keep_presets(&mut self, keep: impl Fn(u16, u16) -> bool) {
        self.presets.retain(|preset| keep(preset.place.0, preset.place.1));
        self.presets.sort_by_key(|preset| preset.place);
    }

    /// Samples that some presets use.
    pub fn samples_of_presets(&self, which: impl Fn(u16, u16) -> bool) -> BTreeSet<usize> {
        let presets = self.presets.iter().filter(|preset| which(preset.place.0, preset.place.1));
        let instruments = presets.flat_map(|preset| &preset.zones).filter_map(|zone| zone.target);
        let zones = instruments.flat_map(|instrument| &self.instruments[instrument].zones);
        zones.filter_map(|zone| zone.target).collect()
    }

    /// Drops instruments and samples that no preset reaches.
    pub fn drop_unused(&mut self) {
        let used = targets(&self.presets);
        keep(&mut self.instruments, &used, &mut self.presets);
        let used = targets(&self.instruments);
        for sample in &mut self.samples {
            let link = used.get(&usize::from(sample.record.link));
            sample.record.link = link.map_or(0, |&link| link as u16);
        }
        keep(&mut self.samples, &used, &mut self.instruments);
    }

    /// How each sample is played.
    pub fn loops(&self) -> Vec<Loops> {
        let mut loops = vec![None; self.samples.len()];
        for instrument in &self.instruments {
            let global = instrument.zones.first().filter(|zone| zone.target.is_none());
            for zone in &instrument.zones {
                let Some(sample) = zone.target else { continue };
                let value = |generator| {
                    zone.value(generator).or_else(|| global.and_then(|it| it.value(generator))).unwrap_or(0)
                };
                let this = match (value(Generator::SampleModes), ADDRESSES.iter().any(|&it| value(it) != 0)) {
                    (1, false) => Loops::Always,
                    (0, _) => Loops::Never,
                    _ => Loops::Sometimes,
                };
                loops[sample] = match loops[sample] {
                    Some(before) if before != this => Some(Loops::Sometimes),
                    _ => Some(this),
                };
            }
        }
        loops.into_iter().map(|loops| loops.unwrap_or(Loops::Never)).collect()
    }

    /// The records and the sample data of a file with these compressed samples.
    pub fn tables(&self, name: &str, streams: &[Vec<u8>]) -> (Tables, Vec<u8>) {
        let mut tables = Tables { version: (3, 0), name: name.to_owned(), ..Tables::default() };
        for preset in &self.presets {
            let zones = preset.zones.iter().map(|zone| zone.records(GeneratorRecord::INSTRUMENT));
            tables.add_preset(preset.place, &preset.name, zones);
        }
        for instrument in &self.instruments {
            let zones = instrument.zones.iter().map(|zone| zone.records(GeneratorRecord::SAMPLE));
            tables.add_instrument(&instrument.name, zones);
        }
        let mut smpl = Vec::new();
        for (sample, stream) in self.samples.iter().zip(streams) {
            let start = smpl.len() as u32;
            smpl.extend(stream);
            let end = smpl.len() as u32;
            // Not every reader knows of the pad byte after a chunk of odd length.
            smpl.resize(smpl.len().next_multiple_of(2), 0);
            tables.samples.push(SampleRecord {
                start,
                end,
                loop_start: sample.looped.0 as u32,
                loop_end: sample.looped.1 as u32,
                kind: sample.record.kind | VORBIS,
                ..sample.record.clone()
            });
        }
        tables.end_lists();
        (tables, smpl)
    }
}

/// Generators that move the places of a sample.
pub const ADDRESSES: [Generator; 8] = [
    Generator::StartAddrsOffset,
    Generator::EndAddrsOffset,
    Generator::StartLoopAddrsOffset,
    Generator::EndLoopAddrsOffset,
    Generator::StartAddrsCoarseOffset,
    Generator::EndAddrsCoarseOffset,
    Generator::StartLoopAddrsCoarseOffset,
    Generator::EndLoopAddrsCoarseOffset,
];

/// Old and new index of everything that the groups refer to.
fn targets(groups: &[Group]) -> BTreeMap<usize, usize> {
    let used: BTreeSet<usize> =
        groups.iter().flat_map(|group| &group.zones).filter_map(|zone| zone.target).collect();
    used.into_iter().enumerate().map(|(new, old)| (old, new)).collect()
}

fn keep<T>(things: &mut Vec<T>, used: &BTreeMap<usize, usize>, users: &mut [Group]) {
    let mut index = 0;
    things.retain(|_| {
        index += 1;
        used.contains_key(&(index - 1))
    });
    for target in users.iter_mut().flat_map(|user| &mut user.zones).filter_map(|zone| zone.target.as_mut()) {
        *target = used[target];
    }
}
