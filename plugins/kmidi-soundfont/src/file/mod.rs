//! What stands in a SoundFont file: chunks and records, as they are.

mod records;
mod riff;
mod source;
mod tables;
mod warning;
mod write;

pub use records::{
    Bag, GeneratorRecord, InstrumentRecord, LEFT, MONO, ModulatorRecord, PresetRecord, RIGHT, ROM,
    SampleRecord, VORBIS,
};
pub use source::SampleSource;
pub use tables::{Blob, Tables};
pub use warning::{Warning, WarningKind, Warnings};
pub use write::{ZoneRecords, write};
