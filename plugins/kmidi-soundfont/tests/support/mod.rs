//! Puts small SoundFont files together, for tests.

use kmidi_soundfont::Generator;
use kmidi_soundfont::file::{
    GeneratorRecord, MONO, ModulatorRecord, SampleRecord, Tables, VORBIS, ZoneRecords, write,
};

/// One zone of a preset or an instrument.
#[derive(Clone, Default)]
pub struct ZoneSketch {
    pub generators: Vec<GeneratorRecord>,
    pub modulators: Vec<ModulatorRecord>,
}

impl ZoneSketch {
    /// A zone without anything: global, if it comes first and stays without a target.
    pub fn new() -> Self {
        Self::default()
    }

    pub fn raw(mut self, number: u16, amount: u16) -> Self {
        self.generators.push(GeneratorRecord { number, amount });
        self
    }

    pub fn keys(self, low: u8, high: u8) -> Self {
        self.raw(GeneratorRecord::KEY_RANGE, u16::from_le_bytes([low, high]))
    }

    pub fn velocities(self, low: u8, high: u8) -> Self {
        self.raw(GeneratorRecord::VELOCITY_RANGE, u16::from_le_bytes([low, high]))
    }

    pub fn set(self, generator: Generator, amount: i16) -> Self {
        self.raw(generator as u16, amount.cast_unsigned())
    }

    pub fn modulator(mut self, source: u16, destination: u16, amount: i16, amount_source: u16) -> Self {
        self.modulators.push(ModulatorRecord { source, destination, amount, amount_source, transform: 0 });
        self
    }

    fn records(&self) -> ZoneRecords {
        (self.generators.clone(), self.modulators.clone())
    }

    /// Ends an instrument's zone.
    pub fn sample(self, index: u16) -> Self {
        self.raw(GeneratorRecord::SAMPLE, index)
    }

    /// Ends a preset's zone.
    pub fn instrument(self, index: u16) -> Self {
        self.raw(GeneratorRecord::INSTRUMENT, index)
    }
}

/// A SoundFont file in the making. Indices are those of the order in which things were added.
#[derive(Clone, Default)]
pub struct SoundFontBuilder {
    pub tables: Tables,
    pub smpl: Vec<u8>,
    pub sm24: Option<Vec<u8>>,
}

impl SoundFontBuilder {
    /// Of version 2.04, without anything.
    pub fn new() -> Self {
        let tables = Tables { version: (2, 4), name: "Test".into(), ..Tables::default() };
        SoundFontBuilder { tables, ..Self::default() }
    }

    /// One preset (bank 0, program 0) whose zones are those of one instrument on one sample.
    pub fn simple(frames: &[i16], zones: &[ZoneSketch]) -> Self {
        Self::new().sample(frames, (0, frames.len() as u32)).instrument("Instrument", zones).preset(
            0,
            0,
            "Preset",
            &[ZoneSketch::new().instrument(0)],
        )
    }

    /// Adds a sample at 48 kHz and key 60, with a loop counted from its own first frame.
    pub fn sample(mut self, frames: &[i16], (loop_start, loop_end): (u32, u32)) -> Self {
        let start = (self.smpl.len() / 2) as u32;
        self.smpl.extend(frames.iter().flat_map(|frame| frame.to_le_bytes()));
        // The specification asks for 46 zeros after each sample.
        self.smpl.extend([0; 92]);
        self.tables.samples.push(SampleRecord {
            name: format!("Sample {}", self.tables.samples.len()),
            start,
            end: start + frames.len() as u32,
            loop_start: start + loop_start,
            loop_end: start + loop_end,
            rate_hz: 48_000,
            root_key: 60,
            correction_cents: 0,
            link: 0,
            kind: MONO,
        });
        self
    }

    /// Adds a compressed sample: an Ogg Vorbis stream.
    pub fn vorbis(mut self, stream: &[u8], (loop_start, loop_end): (u32, u32)) -> Self {
        self.tables.version = (3, 0);
        let start = self.smpl.len() as u32;
        self = self.sample(&[], (0, 0));
        self.smpl.truncate(start as usize);
        self.smpl.extend(stream);
        let sample = self.tables.samples.last_mut().unwrap();
        (sample.start, sample.end) = (start, start + stream.len() as u32);
        (sample.loop_start, sample.loop_end) = (loop_start, loop_end);
        sample.kind |= VORBIS;
        self
    }

    /// Low bytes of all frames so far: makes the samples 24-bit ones.
    pub fn low_bytes(mut self, bytes: &[u8]) -> Self {
        self.sm24 = Some(bytes.to_vec());
        self
    }

    pub fn instrument(mut self, name: &str, zones: &[ZoneSketch]) -> Self {
        self.tables.add_instrument(name, zones.iter().map(ZoneSketch::records));
        self
    }

    pub fn preset(mut self, bank: u16, program: u16, name: &str, zones: &[ZoneSketch]) -> Self {
        self.tables.add_preset((bank, program), name, zones.iter().map(ZoneSketch::records));
        self
    }

    /// Adds the records that end the lists.
    pub fn finished(&self) -> Tables {
        let mut tables = self.tables.clone();
        tables.end_lists();
        tables
    }

    /// The file.
    pub fn bytes(&self) -> Vec<u8> {
        write(&self.finished(), &self.smpl, self.sm24.as_deref(), &[])
    }
}
