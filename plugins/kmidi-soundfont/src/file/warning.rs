/// Warnings that are kept in full; later ones are only counted.
const KEPT: usize = 64;

/// Something in a file that is not as the specification wants it, and was mended or left out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {kind}")]
pub struct Warning {
    /// Chunk, or what kind of thing with which name.
    pub place: String,
    /// What is wrong and what was done.
    pub kind: WarningKind,
}

/// What is wrong, and what was done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WarningKind {
    /// The RIFF header's length is not the file's.
    #[error("the length in the file's header is wrong; ignored")]
    WrongFileLength,
    /// A chunk is said to end after what contains it.
    #[error("ends after what contains it; cut")]
    ChunkCut,
    /// A chunk occurs twice.
    #[error("occurs twice; the first one counts")]
    ChunkTwice,
    /// More chunks than any sane file has.
    #[error("has too many chunks; the rest is ignored")]
    TooManyChunks,
    /// A chunk that may be empty is not there at all.
    #[error("is missing; taken as empty")]
    ChunkMissing,
    /// A list of records ends inside one.
    #[error("ends inside a record; that record is ignored")]
    PartRecord,
    /// More records than an index can reach.
    #[error("has more records than can be used; the rest is ignored")]
    TooManyRecords,
    /// A version that this reader does not know.
    #[error("is of an unknown version; read as version 2")]
    UnknownVersion,
    /// The 24-bit extension is too short, or in a file whose version does not have it.
    #[error("does not fit the samples; only 16 bits are used")]
    BadExtension,
    /// Indices that run backwards or beyond their list.
    #[error("has indices outside their list; cut")]
    BadIndices,
    /// A preset has a program above 127.
    #[error("has a program number above 127; left out")]
    BadProgram,
    /// Two presets have the same bank and program.
    #[error("has the bank and program of an earlier preset; left out")]
    PresetTwice,
    /// A zone refers to an instrument or sample that is not there.
    #[error("refers to what is not there; the zone is left out")]
    BadReference,
    /// A zone that is not the first has neither instrument nor sample.
    #[error("has a zone without a sound; left out")]
    EmptyZone,
    /// A generator that may not stand where it does.
    #[error("has a generator that may not stand there; ignored")]
    BadGenerator,
    /// A key or velocity range whose ends are the wrong way round.
    #[error("has a range whose low end is above its high end; the zone is left out")]
    BadRange,
    /// A modulator of a kind that 2.04 does not define, or one linked to another.
    #[error("has a modulator of unknown kind; ignored")]
    BadModulator,
    /// More modulators in a zone than are supported.
    #[error("has too many modulators in a zone; the rest is ignored")]
    TooManyModulators,
    /// More zones in a preset than are supported.
    #[error("has too many zones; the rest is ignored")]
    TooManyZones,
    /// A sample lies in a sound card's ROM.
    #[error("is in a sound card's ROM; silent")]
    RomSample,
    /// A sample that has no frames inside the file.
    #[error("has no data in the file; silent")]
    EmptySample,
    /// A sample that ends after the sample data.
    #[error("ends after the sample data; cut")]
    SampleCut,
    /// A loop that is not inside its sample.
    #[error("has a loop outside the sample; cut to it")]
    BadLoop,
    /// A sample rate outside 400 to 192,000 Hz.
    #[error("has an impossible sample rate; brought into range")]
    BadRate,
    /// A compressed sample that is damaged.
    #[error("is damaged; the part before the damage is used")]
    DamagedSample,
    /// A compressed sample that is no mono Vorbis stream.
    #[error("is no Vorbis stream; silent")]
    NoVorbis,
}

/// The first warnings of a file, and how many there were.
#[derive(Clone, Debug, Default)]
pub struct Warnings {
    kept: Vec<Warning>,
    total: usize,
}

impl Warnings {
    /// The first ones.
    pub fn kept(&self) -> &[Warning] {
        &self.kept
    }

    /// How many there were.
    pub fn total(&self) -> usize {
        self.total
    }

    pub(crate) fn push(&mut self, place: impl Into<String>, kind: WarningKind) {
        // One thing said about one place is enough, however often it is met.
        let warning = Warning { place: place.into(), kind };
        if self.kept.contains(&warning) {
            return;
        }
        self.total += 1;
        if self.kept.len() < KEPT {
            self.kept.push(warning);
        }
    }

    pub(crate) fn extend(&mut self, later: Warnings) {
        let only_counted = later.total - later.kept.len();
        later.kept.into_iter().for_each(|warning| self.push(warning.place, warning.kind));
        self.total += only_counted;
    }
}
