//! The records of the `pdta` chunks (section 7), field by field.

/// `sfSampleType`: one channel.
pub const MONO: u16 = 1;
/// `sfSampleType`: right channel of a pair.
pub const RIGHT: u16 = 2;
/// `sfSampleType`: left channel of a pair.
pub const LEFT: u16 = 4;
/// `sfSampleType`, bit: an Ogg Vorbis stream of an SF3 file, in bytes `start..end` of `smpl`, its loop
/// counted from its own first frame.
pub const VORBIS: u16 = 0x10;
/// `sfSampleType`, bit: in the ROM of a sound card that is not here.
pub const ROM: u16 = 0x8000;

/// A record of fixed size in little-endian order.
pub(super) trait Record: Sized {
    /// In bytes.
    const SIZE: usize;
    /// Reads it from exactly [`Self::SIZE`] bytes.
    fn read(bytes: Fields<'_>) -> Self;
    /// Appends it.
    fn write(&self, out: &mut Vec<u8>);
}

/// Takes little-endian fields one after another from a record that is long enough.
pub(super) struct Fields<'a>(pub &'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (field, rest) = self.0.split_first_chunk().expect("a record is cut to its size");
        self.0 = rest;
        *field
    }

    fn u8(&mut self) -> u8 {
        self.take::<1>()[0]
    }

    fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.take())
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    fn name(&mut self) -> String {
        text(&self.take::<20>())
    }
}

/// Text up to the first NUL. Bytes outside ASCII are read as Latin-1, which is what old editors wrote.
pub(super) fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    let bytes = bytes[..end].trim_ascii();
    match str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

fn write_name(name: &str, out: &mut Vec<u8>) {
    let mut field = [0; 20];
    // The last byte stays NUL.
    for (byte, character) in field[..19].iter_mut().zip(name.chars()) {
        *byte = u8::try_from(character).unwrap_or(b'?');
    }
    out.extend(field);
}

/// `sfPresetHeader`; the three fields reserved by the specification are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresetRecord {
    /// Name, at most 20 characters.
    pub name: String,
    /// MIDI program.
    pub program: u16,
    /// Bank.
    pub bank: u16,
    /// First of its zones in the preset bags; they end where the next record's begin.
    pub bag: u16,
}

impl Record for PresetRecord {
    const SIZE: usize = 38;

    fn read(mut from: Fields<'_>) -> Self {
        PresetRecord { name: from.name(), program: from.u16(), bank: from.u16(), bag: from.u16() }
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_name(&self.name, out);
        out.extend([self.program, self.bank, self.bag].iter().flat_map(|field| field.to_le_bytes()));
        out.extend([0; 12]);
    }
}

/// `sfInst`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstrumentRecord {
    /// Name, at most 20 characters.
    pub name: String,
    /// First of its zones in the instrument bags; they end where the next record's begin.
    pub bag: u16,
}

impl Record for InstrumentRecord {
    const SIZE: usize = 22;

    fn read(mut from: Fields<'_>) -> Self {
        InstrumentRecord { name: from.name(), bag: from.u16() }
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_name(&self.name, out);
        out.extend(self.bag.to_le_bytes());
    }
}

/// `sfPresetBag`, `sfInstBag`: a zone. Its generators and modulators end where the next record's begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bag {
    /// First of its generators.
    pub generator: u16,
    /// First of its modulators.
    pub modulator: u16,
}

impl Record for Bag {
    const SIZE: usize = 4;

    fn read(mut from: Fields<'_>) -> Self {
        Bag { generator: from.u16(), modulator: from.u16() }
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend([self.generator, self.modulator].iter().flat_map(|field| field.to_le_bytes()));
    }
}

/// `sfModList`, `sfInstModList`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ModulatorRecord {
    /// Primary source.
    pub source: u16,
    /// Generator it moves; with bit 15, a modulator of its zone.
    pub destination: u16,
    /// Amount at full swing, in the destination's unit.
    pub amount: i16,
    /// Source that scales the amount.
    pub amount_source: u16,
    /// Transform.
    pub transform: u16,
}

impl Record for ModulatorRecord {
    const SIZE: usize = 10;

    fn read(mut from: Fields<'_>) -> Self {
        ModulatorRecord {
            source: from.u16(),
            destination: from.u16(),
            amount: from.u16().cast_signed(),
            amount_source: from.u16(),
            transform: from.u16(),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        let fields =
            [self.source, self.destination, self.amount.cast_unsigned(), self.amount_source, self.transform];
        out.extend(fields.iter().flat_map(|field| field.to_le_bytes()));
    }
}

/// `sfGenList`, `sfInstGenList`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GeneratorRecord {
    /// Number of the generator.
    pub number: u16,
    /// Its value: unsigned, signed, or a range with its low end in the low byte.
    pub amount: u16,
}

impl GeneratorRecord {
    /// Number of `keyRange`.
    pub const KEY_RANGE: u16 = 43;
    /// Number of `velRange`.
    pub const VELOCITY_RANGE: u16 = 44;
    /// Number of `instrument`, the last generator of a preset zone.
    pub const INSTRUMENT: u16 = 41;
    /// Number of `sampleID`, the last generator of an instrument zone.
    pub const SAMPLE: u16 = 53;
}

impl Record for GeneratorRecord {
    const SIZE: usize = 4;

    fn read(mut from: Fields<'_>) -> Self {
        GeneratorRecord { number: from.u16(), amount: from.u16() }
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend([self.number, self.amount].iter().flat_map(|field| field.to_le_bytes()));
    }
}

/// `sfSample`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SampleRecord {
    /// Name, at most 20 characters.
    pub name: String,
    /// First frame in `smpl`; first byte if [`VORBIS`].
    pub start: u32,
    /// Frame (byte) after the last.
    pub end: u32,
    /// First frame of the loop, counted as `start`; from the recording's own first frame if [`VORBIS`].
    pub loop_start: u32,
    /// Frame after the last of the loop.
    pub loop_end: u32,
    /// Rate, in Hz.
    pub rate_hz: u32,
    /// MIDI key of its pitch; 255 if it has none.
    pub root_key: u8,
    /// Correction to its pitch, in cents.
    pub correction_cents: i8,
    /// The other half of a stereo pair.
    pub link: u16,
    /// [`MONO`], [`RIGHT`], [`LEFT`], and the bits [`VORBIS`] and [`ROM`].
    pub kind: u16,
}

impl Record for SampleRecord {
    const SIZE: usize = 46;

    fn read(mut from: Fields<'_>) -> Self {
        SampleRecord {
            name: from.name(),
            start: from.u32(),
            end: from.u32(),
            loop_start: from.u32(),
            loop_end: from.u32(),
            rate_hz: from.u32(),
            root_key: from.u8(),
            correction_cents: from.u8().cast_signed(),
            link: from.u16(),
            kind: from.u16(),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_name(&self.name, out);
        let places = [self.start, self.end, self.loop_start, self.loop_end, self.rate_hz];
        out.extend(places.iter().flat_map(|field| field.to_le_bytes()));
        out.extend([self.root_key, self.correction_cents.cast_unsigned()]);
        out.extend([self.link, self.kind].iter().flat_map(|field| field.to_le_bytes()));
    }
}
