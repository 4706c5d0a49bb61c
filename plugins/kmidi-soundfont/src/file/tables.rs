//! Everything of a file but its samples: versions, names, records, and where the sample data is.

use std::ops::Range;

use super::SampleSource;
use super::records::{
    Bag, Fields, GeneratorRecord, InstrumentRecord, ModulatorRecord, PresetRecord, Record, SampleRecord, text,
};
use super::riff::{self, Chunk, Id};
use super::warning::{WarningKind, Warnings};
use crate::error::SoundFontError;

/// Records read of one kind. Indices have 16 bits, and each list ends with a record that only ends it.
const MAX_RECORDS: u64 = 1 << 16;
/// Bytes read of a text.
const MAX_TEXT: u64 = 256;

/// Some bytes of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Blob {
    /// Of the first, from the start of the file.
    pub offset: u64,
    /// How many.
    pub length: u64,
}

/// The contents of a SoundFont file, apart from its samples. Lists keep the record that ends them;
/// nothing in a record has been checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tables {
    /// Major and minor version of the format; 3 if samples are compressed.
    pub version: (u16, u16),
    /// Name of the SoundFont.
    pub name: String,
    /// Presets.
    pub presets: Vec<PresetRecord>,
    /// Zones of presets.
    pub preset_bags: Vec<Bag>,
    /// Modulators of preset zones.
    pub preset_modulators: Vec<ModulatorRecord>,
    /// Generators of preset zones.
    pub preset_generators: Vec<GeneratorRecord>,
    /// Instruments.
    pub instruments: Vec<InstrumentRecord>,
    /// Zones of instruments.
    pub instrument_bags: Vec<Bag>,
    /// Modulators of instrument zones.
    pub instrument_modulators: Vec<ModulatorRecord>,
    /// Generators of instrument zones.
    pub instrument_generators: Vec<GeneratorRecord>,
    /// Samples.
    pub samples: Vec<SampleRecord>,
    /// Sample data: 16 bits a frame, or compressed streams.
    pub smpl: Blob,
    /// The low eight bits of each frame of 24-bit samples, if there are any.
    pub sm24: Option<Blob>,
}

impl Tables {
    /// Reads everything but the samples, in at most 10 MiB of memory. `[side B]`
    ///
    /// # Errors
    /// The source cannot be read, is no SoundFont, or ends before its presets.
    pub fn read(source: &dyn SampleSource, warnings: &mut Warnings) -> Result<Self, SoundFontError> {
        let length = source.len()?;
        let mut header = [0; 12];
        if length < 12 {
            return Err(SoundFontError::NotASoundFont { length });
        }
        source.read_exact_at(0, &mut header)?;
        let [b'R', b'I', b'F', b'F', l0, l1, l2, l3, b's', b'f', b'b', b'k'] = header else {
            return Err(SoundFontError::NotASoundFont { length });
        };
        let stated = 8 + u64::from(u32::from_le_bytes([l0, l1, l2, l3]));
        // A pad byte may or may not be there.
        if stated != length && stated + 1 != length {
            warnings.push("RIFF", WarningKind::WrongFileLength);
        }
        let lists = Lists::find(source, length, warnings)?;
        let mut reader = Reader { source, warnings, chunks: Vec::new() };
        let mut tables = Tables::default();
        tables.read_information(&mut reader, lists.information)?;
        tables.read_sample_places(&mut reader, lists.samples)?;
        tables.read_records(&mut reader, lists.records)?;
        Ok(tables)
    }

    fn read_information(&mut self, reader: &mut Reader, list: Option<Chunk>) -> Result<(), SoundFontError> {
        reader.enter(list, "INFO")?;
        self.name = text(&reader.bytes(*b"INAM", MAX_TEXT)?);
        self.version = match *reader.bytes(*b"ifil", 4)? {
            [a, b, c, d] => (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])),
            _ => (0, 0),
        };
        if !matches!(self.version.0, 2 | 3) {
            reader.warnings.push("ifil", WarningKind::UnknownVersion);
        }
        Ok(())
    }

    fn read_sample_places(&mut self, reader: &mut Reader, list: Option<Chunk>) -> Result<(), SoundFontError> {
        reader.enter(list, "sdta")?;
        let place = |chunk: Chunk| Blob { offset: chunk.offset, length: chunk.length };
        let smpl = reader.find(*b"smpl").ok_or(SoundFontError::MissingChunk("smpl"))?;
        self.smpl = place(smpl);
        if let Some(sm24) = reader.find(*b"sm24") {
            let frames = self.smpl.length / 2;
            if self.version >= (2, 4) && sm24.length >= frames {
                self.sm24 = Some(place(sm24));
            } else {
                reader.warnings.push("sm24", WarningKind::BadExtension);
            }
        }
        Ok(())
    }

    fn read_records(&mut self, reader: &mut Reader, list: Option<Chunk>) -> Result<(), SoundFontError> {
        reader.enter(list, "pdta")?;
        self.presets = reader.records("phdr")?;
        self.preset_bags = reader.records("pbag")?;
        self.preset_modulators = reader.optional_records("pmod")?;
        self.preset_generators = reader.records("pgen")?;
        self.instruments = reader.records("inst")?;
        self.instrument_bags = reader.records("ibag")?;
        self.instrument_modulators = reader.optional_records("imod")?;
        self.instrument_generators = reader.records("igen")?;
        self.samples = reader.records("shdr")?;
        Ok(())
    }

    /// Indices of the zones of a preset.
    pub fn zones_of_preset(&self, preset: usize, warnings: &mut Warnings) -> Range<usize> {
        let [this, next, ..] = &self.presets[preset..] else { return 0..0 };
        span(this.bag, next.bag, self.preset_bags.len(), &this.name, warnings)
    }

    /// Indices of the zones of an instrument.
    pub fn zones_of_instrument(&self, instrument: usize, warnings: &mut Warnings) -> Range<usize> {
        let [this, next, ..] = &self.instruments[instrument..] else { return 0..0 };
        span(this.bag, next.bag, self.instrument_bags.len(), &this.name, warnings)
    }

    /// Generators and modulators of a preset's zone.
    pub fn preset_zone(
        &self,
        zone: usize,
        warnings: &mut Warnings,
    ) -> (&[GeneratorRecord], &[ModulatorRecord]) {
        contents(
            &self.preset_bags[zone..],
            &self.preset_generators,
            &self.preset_modulators,
            ["pgen", "pmod"],
            warnings,
        )
    }

    /// Generators and modulators of an instrument's zone.
    pub fn instrument_zone(
        &self,
        zone: usize,
        warnings: &mut Warnings,
    ) -> (&[GeneratorRecord], &[ModulatorRecord]) {
        contents(
            &self.instrument_bags[zone..],
            &self.instrument_generators,
            &self.instrument_modulators,
            ["igen", "imod"],
            warnings,
        )
    }
}

/// From one record's index to the next one's, within a list whose last record only ends it.
fn span(start: u16, end: u16, records: usize, place: &str, warnings: &mut Warnings) -> Range<usize> {
    let (start, end, usable) = (usize::from(start), usize::from(end), records.saturating_sub(1));
    if start <= end && end <= usable {
        return start..end;
    }
    warnings.push(place, WarningKind::BadIndices);
    let end = end.min(usable);
    start.min(end)..end
}

fn contents<'a>(
    bags: &[Bag],
    generators: &'a [GeneratorRecord],
    modulators: &'a [ModulatorRecord],
    names: [&str; 2],
    warnings: &mut Warnings,
) -> (&'a [GeneratorRecord], &'a [ModulatorRecord]) {
    let [this, next, ..] = bags else { return (&[], &[]) };
    let of_generators = span(this.generator, next.generator, generators.len(), names[0], warnings);
    // A file without modulators may leave out even the record that ends the list.
    let of_modulators = if this.modulator == next.modulator {
        0..0
    } else {
        span(this.modulator, next.modulator, modulators.len(), names[1], warnings)
    };
    (&generators[of_generators], &modulators[of_modulators])
}

/// The three lists of a SoundFont.
struct Lists {
    information: Option<Chunk>,
    samples: Option<Chunk>,
    records: Option<Chunk>,
}

impl Lists {
    fn find(source: &dyn SampleSource, end: u64, warnings: &mut Warnings) -> Result<Self, SoundFontError> {
        let chunks = riff::chunks(source, 12, end, "RIFF", warnings)?;
        let cut = chunks.iter().find(|chunk| chunk.length < chunk.stated);
        let mut lists = Vec::new();
        for chunk in chunks.iter().filter(|chunk| chunk.id == *b"LIST" && chunk.length >= 4) {
            let mut id = [0; 4];
            source.read_exact_at(chunk.offset, &mut id)?;
            lists.push(Chunk {
                id,
                offset: chunk.offset + 4,
                length: chunk.length - 4,
                stated: chunk.stated,
            });
        }
        let records = riff::first_of(lists.iter(), *b"pdta", warnings);
        if let (None, Some(cut)) = (records, cut) {
            return Err(SoundFontError::Truncated { length: end, needed: cut.offset + cut.stated });
        }
        Ok(Lists {
            information: riff::first_of(lists.iter(), *b"INFO", warnings),
            samples: riff::first_of(lists.iter(), *b"sdta", warnings),
            records,
        })
    }
}

/// Reads the chunks of one list.
struct Reader<'a> {
    source: &'a dyn SampleSource,
    warnings: &'a mut Warnings,
    chunks: Vec<Chunk>,
}

impl Reader<'_> {
    fn enter(&mut self, list: Option<Chunk>, name: &'static str) -> Result<(), SoundFontError> {
        let list = list.ok_or(SoundFontError::MissingChunk(name))?;
        let end = list.offset + list.length;
        self.chunks = riff::chunks(self.source, list.offset, end, name, self.warnings)?;
        Ok(())
    }

    fn find(&mut self, id: Id) -> Option<Chunk> {
        riff::first_of(self.chunks.iter(), id, self.warnings)
    }

    /// At most `limit` bytes of a chunk; none if it is not there.
    fn bytes(&mut self, id: Id, limit: u64) -> Result<Vec<u8>, SoundFontError> {
        let Some(chunk) = self.find(id) else { return Ok(Vec::new()) };
        let mut bytes = vec![0; chunk.length.min(limit) as usize];
        self.source.read_exact_at(chunk.offset, &mut bytes)?;
        Ok(bytes)
    }

    fn records<R: Record>(&mut self, name: &'static str) -> Result<Vec<R>, SoundFontError> {
        self.try_records(name)?.ok_or(SoundFontError::MissingChunk(name))
    }

    fn optional_records<R: Record>(&mut self, name: &'static str) -> Result<Vec<R>, SoundFontError> {
        let records = self.try_records(name)?;
        if records.is_none() {
            self.warnings.push(name, WarningKind::ChunkMissing);
        }
        Ok(records.unwrap_or_default())
    }

    fn try_records<R: Record>(&mut self, name: &'static str) -> Result<Option<Vec<R>>, SoundFontError> {
        let id = name.as_bytes().try_into().expect("identifiers have four letters");
        let Some(chunk) = self.find(id) else { return Ok(None) };
        let size = R::SIZE as u64;
        if chunk.length % size != 0 {
            self.warnings.push(name, WarningKind::PartRecord);
        }
        if chunk.length / size > MAX_RECORDS {
            self.warnings.push(name, WarningKind::TooManyRecords);
        }
        let count = (chunk.length / size).min(MAX_RECORDS);
        let mut bytes = vec![0; (count * size) as usize];
        self.source.read_exact_at(chunk.offset, &mut bytes)?;
        Ok(Some(bytes.chunks_exact(R::SIZE).map(|bytes| R::read(Fields(bytes))).collect()))
    }
}
