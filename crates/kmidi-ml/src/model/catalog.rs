//! What models there are, as `assets/models/manifest.toml` says.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use kmidi_memory::MIB;
use serde::{Deserialize, Serialize};

use super::{ModelFolders, UnusedCopy, copies};

/// A model of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelName {
    /// Notes of any instruments from sound.
    BasicPitch,
    /// The pitch of one voice.
    SwiftF0,
    /// Whether somebody speaks.
    SileroVad,
    /// Phonemes from speech.
    HamaAsr,
    /// Spelling to phonemes: what is read once a word.
    HamaG2pEncoder,
    /// Spelling to phonemes: a phoneme a step.
    HamaG2pDecoder,
    /// Text as a vector.
    #[serde(rename = "minilm")]
    MiniLm,
    /// Notes and pedals of a piano.
    Piano,
}

impl ModelName {
    /// All of them.
    pub const ALL: [ModelName; 8] = [
        ModelName::BasicPitch,
        ModelName::SwiftF0,
        ModelName::SileroVad,
        ModelName::HamaAsr,
        ModelName::HamaG2pEncoder,
        ModelName::HamaG2pDecoder,
        ModelName::MiniLm,
        ModelName::Piano,
    ];

    /// The name that flags, folders and reports use.
    pub const fn name(self) -> &'static str {
        match self {
            ModelName::BasicPitch => "basic-pitch",
            ModelName::SwiftF0 => "swift-f0",
            ModelName::SileroVad => "silero-vad",
            ModelName::HamaAsr => "hama-asr",
            ModelName::HamaG2pEncoder => "hama-g2p-encoder",
            ModelName::HamaG2pDecoder => "hama-g2p-decoder",
            ModelName::MiniLm => "minilm",
            ModelName::Piano => "piano",
        }
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ModelName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = || ModelName::ALL.map(ModelName::name).join(", ");
        let of_name = ModelName::ALL.into_iter().find(|model| model.name() == text);
        of_name.ok_or_else(|| format!("there is no model {text}: {}", names()))
    }
}

/// A catalogue that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// It is not written as a catalogue is.
    #[error("the catalogue of models: {0}")]
    Format(#[from] toml::de::Error),
    /// What it says of a model cannot be.
    #[error("the catalogue of models: {model}: {reason}")]
    Entry {
        /// Which.
        model: ModelName,
        /// What is wrong.
        reason: String,
    },
}

/// What models there are. `[side B]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    model: Vec<ModelEntry>,
}

/// What the catalogue says of a model.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelEntry {
    /// Which.
    pub name: ModelName,
    /// The command that needs it.
    pub task: String,
    /// What it does, in a few words.
    pub about: String,
    /// The package that it comes from: name and version, as pip writes them.
    pub package: String,
    /// SHA-256 of the package's file.
    pub package_sha256: String,
    /// The licence, as SPDX writes it.
    pub licence: String,
    /// Its text, beside the catalogue.
    pub licence_file: String,
    /// What else is known of the licence.
    #[serde(default)]
    pub licence_note: String,
    /// Whether it is part of the program; otherwise it is fetched.
    pub built_in: bool,
    /// Whether it is a copy with smaller weights, in the place of the model.
    #[serde(skip)]
    pub(super) is_copy: bool,
    /// How its weights are kept on disk: `f32`, `f16` or `int8`.
    pub weights: String,
    /// What makes its files from those of the package, where they are not in there as they are used.
    #[serde(default)]
    pub conversion: Option<String>,
    /// The most that loading it takes, with what stays.
    load_mib: u64,
    /// The most that running it takes beyond that.
    run_mib: u64,
    /// Its files; the first one is the graph.
    pub files: Vec<ModelFile>,
    /// What it can be tried with.
    pub examples: Vec<ExampleInput>,
}

/// A file of a model.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// Its name, which is a name only.
    pub name: String,
    /// Where it lies in the package; empty for what a conversion makes.
    #[serde(default)]
    pub from: String,
    /// Its SHA-256, in 64 digits.
    pub sha256: String,
    /// Its length.
    pub bytes: u64,
    /// Weights that are mapped and used where they lie.
    #[serde(default)]
    pub mapped: bool,
}

/// An input for a trial: numbers that are all the same, or go up evenly.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExampleInput {
    /// What the model calls it.
    pub name: String,
    /// Lengths of its dimensions: the longest that are ever used.
    pub shape: Vec<usize>,
    /// The whole number that it is full of; real ones without it.
    #[serde(default)]
    pub whole: Option<i32>,
    /// Its first real number.
    #[serde(default)]
    pub real: f32,
    /// How much more each next one is.
    #[serde(default)]
    pub step: f32,
}

impl ModelEntry {
    /// The most that loading it takes.
    pub fn load_bytes(&self) -> u64 {
        self.load_mib * MIB
    }

    /// The most that running it takes beyond what it is.
    pub fn run_bytes(&self) -> u64 {
        self.run_mib * MIB
    }

    /// All its files together.
    pub fn file_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// The text of its licence, and of what has to be given on with it.
    pub fn licence_text(&self) -> String {
        super::built_in::licence(self.name).join("\n\n")
    }

    /// Its file of that name.
    pub fn file(&self, name: &str) -> Option<&ModelFile> {
        self.files.iter().find(|file| file.name == name)
    }

    pub(super) fn fault(&self) -> Option<String> {
        let is_name = |name: &str| !name.is_empty() && !name.contains(['/', '\\']) && name != "..";
        let is_hash = |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if self.files.is_empty() {
            return Some("it has no file".to_owned());
        }
        if !is_hash(&self.package_sha256) {
            return Some("the package's SHA-256 is none".to_owned());
        }
        self.files.iter().find_map(|file| match file {
            _ if !is_name(&file.name) => Some(format!("{} is no name of a file", file.name)),
            _ if !is_hash(&file.sha256) => Some(format!("the SHA-256 of {} is none", file.name)),
            _ => None,
        })
    }
}

impl Catalog {
    /// Reads one.
    ///
    /// # Errors
    /// [`CatalogError`]: each model of [`ModelName::ALL`] is there once, or there is no catalogue.
    pub fn parse(text: &str) -> Result<Self, CatalogError> {
        let catalog: Catalog = toml::from_str(text)?;
        for model in ModelName::ALL {
            let entries: Vec<_> = catalog.model.iter().filter(|entry| entry.name == model).collect();
            let reason = match entries[..] {
                [entry] => entry.fault(),
                [] => Some("it is not in there".to_owned()),
                _ => Some("it is in there more than once".to_owned()),
            };
            if let Some(reason) = reason {
                return Err(CatalogError::Entry { model, reason });
            }
        }
        Ok(catalog)
    }

    /// The program's own.
    pub fn of_the_program() -> &'static Catalog {
        static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
            Catalog::parse(include_str!("../../../../assets/models/manifest.toml"))
                .expect("a test reads the program's catalogue")
        });
        &CATALOG
    }

    /// With the copies of models that lie in these folders in the place of those models, and the copies that cannot be that.
    pub(super) fn with_copies(mut self, folders: &ModelFolders) -> (Self, Vec<UnusedCopy>) {
        let mut unused = vec![];
        for entry in &mut self.model {
            if let Some(copy) = copies::find(entry, folders, &mut unused) {
                *entry = copy;
            }
        }
        (self, unused)
    }

    /// What it says of a model.
    pub fn entry(&self, model: ModelName) -> &ModelEntry {
        self.model.iter().find(|entry| entry.name == model).expect("all are there, or there is no catalogue")
    }

    /// All that it says.
    pub fn entries(&self) -> &[ModelEntry] {
        &self.model
    }
}
