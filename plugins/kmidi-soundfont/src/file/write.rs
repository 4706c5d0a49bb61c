//! Puts a SoundFont file together.

use super::Tables;
use super::records::{
    Bag, GeneratorRecord, InstrumentRecord, ModulatorRecord, PresetRecord, Record, SampleRecord,
};

/// A zone in the making: its generators, ranges first and what it plays last, and its modulators.
pub type ZoneRecords = (Vec<GeneratorRecord>, Vec<ModulatorRecord>);

/// Putting tables together; samples are pushed to their list as they are. `[side B]`
impl Tables {
    /// Adds a preset behind those there are.
    pub fn add_preset(
        &mut self,
        (bank, program): (u16, u16),
        name: &str,
        zones: impl IntoIterator<Item = ZoneRecords>,
    ) {
        let bag = self.preset_bags.len() as u16;
        self.presets.push(PresetRecord { name: name.to_owned(), program, bank, bag });
        for (generators, modulators) in zones {
            self.mark_preset_zone();
            self.preset_generators.extend(generators);
            self.preset_modulators.extend(modulators);
        }
    }

    /// Adds an instrument behind those there are.
    pub fn add_instrument(&mut self, name: &str, zones: impl IntoIterator<Item = ZoneRecords>) {
        let bag = self.instrument_bags.len() as u16;
        self.instruments.push(InstrumentRecord { name: name.to_owned(), bag });
        for (generators, modulators) in zones {
            self.mark_instrument_zone();
            self.instrument_generators.extend(generators);
            self.instrument_modulators.extend(modulators);
        }
    }

    /// Adds the records that end the lists; nothing may be added behind them.
    pub fn end_lists(&mut self) {
        self.add_preset((0, 0), "EOP", []);
        self.add_instrument("EOI", []);
        self.mark_preset_zone();
        self.mark_instrument_zone();
        self.preset_generators.push(GeneratorRecord::default());
        self.instrument_generators.push(GeneratorRecord::default());
        self.preset_modulators.push(ModulatorRecord::default());
        self.instrument_modulators.push(ModulatorRecord::default());
        self.samples.push(SampleRecord { name: "EOS".to_owned(), ..SampleRecord::default() });
    }

    /// A bag says where its zone begins, and so where the one before ends.
    fn mark_preset_zone(&mut self) {
        self.preset_bags.push(Bag {
            generator: self.preset_generators.len() as u16,
            modulator: self.preset_modulators.len() as u16,
        });
    }

    fn mark_instrument_zone(&mut self) {
        self.instrument_bags.push(Bag {
            generator: self.instrument_generators.len() as u16,
            modulator: self.instrument_modulators.len() as u16,
        });
    }
}

/// The bytes of a SoundFont file with these tables. `smpl` is its sample data, `sm24` the low bytes of
/// 24-bit samples, `information` further texts by their chunk's identifier (`ICOP`, `ICMT`, ..);
/// `tables.smpl` and `tables.sm24` are not looked at. Nothing is checked: the lists must have been
/// ended ([`Tables::end_lists`]).
pub fn write(tables: &Tables, smpl: &[u8], sm24: Option<&[u8]>, information: &[([u8; 4], &str)]) -> Vec<u8> {
    let mut info = b"INFO".to_vec();
    let (major, minor) = tables.version;
    chunk(&mut info, *b"ifil", &[major.to_le_bytes(), minor.to_le_bytes()].concat());
    chunk(&mut info, *b"isng", &text("EMU8000"));
    chunk(&mut info, *b"INAM", &text(&tables.name));
    for (id, value) in information {
        chunk(&mut info, *id, &text(value));
    }

    let mut samples = b"sdta".to_vec();
    chunk(&mut samples, *b"smpl", smpl);
    if let Some(sm24) = sm24 {
        chunk(&mut samples, *b"sm24", sm24);
    }

    let mut records = b"pdta".to_vec();
    chunk(&mut records, *b"phdr", &bytes(&tables.presets));
    chunk(&mut records, *b"pbag", &bytes(&tables.preset_bags));
    chunk(&mut records, *b"pmod", &bytes(&tables.preset_modulators));
    chunk(&mut records, *b"pgen", &bytes(&tables.preset_generators));
    chunk(&mut records, *b"inst", &bytes(&tables.instruments));
    chunk(&mut records, *b"ibag", &bytes(&tables.instrument_bags));
    chunk(&mut records, *b"imod", &bytes(&tables.instrument_modulators));
    chunk(&mut records, *b"igen", &bytes(&tables.instrument_generators));
    chunk(&mut records, *b"shdr", &bytes(&tables.samples));

    let mut body = b"sfbk".to_vec();
    for list in [info, samples, records] {
        chunk(&mut body, *b"LIST", &list);
    }
    let mut file = Vec::with_capacity(body.len() + 8);
    chunk(&mut file, *b"RIFF", &body);
    file
}

fn bytes<R: Record>(records: &[R]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(records.len() * R::SIZE);
    records.iter().for_each(|record| record.write(&mut bytes));
    bytes
}

/// Text with one or two NULs that make its length even, at most 256 bytes: others are refused by
/// some readers.
fn text(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes()[..text.len().min(254)].to_vec();
    bytes.push(0);
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes
}

fn chunk(out: &mut Vec<u8>, id: [u8; 4], data: &[u8]) {
    out.extend(id);
    out.extend((data.len() as u32).to_le_bytes());
    out.extend(data);
    if data.len() % 2 == 1 {
        out.push(0);
    }
}
