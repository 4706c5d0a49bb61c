use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::control::protocol::Order;
use crate::font_flag::FontFlag;
use crate::models_flag::ModelsFlag;

const AFTER_HELP: &str = "\
EXAMPLES:
  kmidi play song.mid                    in one terminal, and in another:
  kmidi mem dashboard                    a live picture of its memory; --once prints one
  kmidi mem hot --top 5 --by peak        where in the program most is allocated
  kmidi mem hot --collapsed > stacks.txt for a flame graph
  kmidi mem leaks                        what goes on growing
  kmidi mem profile render song.mid      what a render takes, and leaves behind
  kmidi mem profile transcribe take.wav  what listening takes, beside what it was promised
  kmidi mem trend --baseline before.json exit code 1 where something has grown by more than 10 %";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Mem {
    #[command(subcommand)]
    pub what: What,
}

#[derive(Debug, Subcommand)]
pub enum What {
    /// Budgets of a running kmidi: what is in use, promised, refused, and by whom it is held
    Budget(Attach),
    /// Places in a running kmidi that allocate most
    Hot(Hot),
    /// Places in a running kmidi whose memory goes on growing
    Leaks(Leaks),
    /// A live picture of a running kmidi's memory
    Dashboard(Dashboard),
    /// Start as `play` does, and print the memory in use at each step
    Phases(Phases),
    /// Memory of this process and of the system
    Info(Info),
    /// Do something for real, and print what memory it takes and leaves behind
    Profile(Profile),
    /// Compare phases and profiles with those of another version
    Trend(Trend),
}

impl Mem {
    pub fn wants_json(&self) -> bool {
        match &self.what {
            What::Budget(args) => args.json,
            What::Hot(args) => args.attach.json,
            What::Leaks(args) => args.attach.json,
            What::Dashboard(args) => args.attach.json,
            What::Phases(args) => args.json,
            What::Info(args) => args.json,
            What::Profile(args) => args.json,
            What::Trend(args) => args.json,
        }
    }
}

#[derive(Debug, Args)]
pub struct Attach {
    /// Process to look into; the only one running otherwise
    #[arg(long, value_name = "PID")]
    pub pid: Option<u32>,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Hot {
    #[command(flatten)]
    pub attach: Attach,
    /// Places to show
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub top: u16,
    /// What to sort by
    #[arg(long, value_enum, default_value_t = Order::Bytes)]
    pub by: Order,
    /// Print whole call stacks, one a line with its bytes in use, as flame graph programs read them
    #[arg(long)]
    pub collapsed: bool,
}

#[derive(Debug, Args)]
pub struct Leaks {
    #[command(flatten)]
    pub attach: Attach,
    /// Places to show
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub top: u16,
}

#[derive(Debug, Args)]
#[command(after_help = "KEYS:\n  r  free what can be had again (as SIGUSR1 does)\n  q  end")]
pub struct Dashboard {
    #[command(flatten)]
    pub attach: Attach,
    /// Print one picture as text (with --json as JSON) and end
    #[arg(long)]
    pub once: bool,
    /// Seconds from one picture to the next, 0.1 to 60
    #[arg(long, value_name = "S", default_value_t = 1.0, value_parser = interval_seconds)]
    pub interval: f64,
}

#[derive(Debug, Args)]
pub struct Phases {
    /// A MIDI file; a demo song otherwise
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub sf: FontFlag,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Info {
    /// Print one JSON object on stdout
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Profile {
    /// What to do
    #[arg(value_enum, value_name = "OP", required_unless_present = "all")]
    pub operation: Option<Operation>,
    /// A MIDI file, a recording for `transcribe`, `piano` and `phonemes`, a folder for `index` and `search`; a demo song and a sentence
    /// otherwise
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Do all of them that need nothing that has to be fetched, one after the other
    #[arg(long, conflicts_with = "operation")]
    pub all: bool,
    #[command(flatten)]
    pub sf: FontFlag,
    #[command(flatten)]
    pub models: ModelsFlag,
    /// Exit with code 1 if more than this was in use at once, in MiB: the peak of `all`, whatever the process has in RAM
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    pub max_mb: Option<u64>,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Operation {
    /// Open SoundFont, song and engine until it plays, and close them
    Load,
    /// Render a song from its start to its end, without writing it
    Render,
    /// Read and describe a song
    Read,
    /// Turn a feeling into a plan and the plan into a MIDI file, without writing it
    Therapy,
    /// Humanise a song, without writing it
    Groove,
    /// Hear the notes of a recording, without writing them; its model is loaded before
    Transcribe,
    /// Hear the notes of a piano; its model, which has to be fetched, is loaded before
    Piano,
    /// Hear the phones of a recording; its models are loaded before
    Phonemes,
    /// Index a folder by words, into an index that is gone afterwards
    Index,
    /// Ask a thousand questions of the index of a folder, by words; it is made before
    Search,
    /// Make a text a vector; its model, which has to be fetched, is loaded before
    Embed,
}

impl Operation {
    /// All that need nothing that has to be fetched.
    pub const ALL: [Operation; 9] = [
        Operation::Load,
        Operation::Render,
        Operation::Read,
        Operation::Therapy,
        Operation::Groove,
        Operation::Transcribe,
        Operation::Phonemes,
        Operation::Index,
        Operation::Search,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Operation::Load => "load",
            Operation::Render => "render",
            Operation::Read => "read",
            Operation::Therapy => "therapy",
            Operation::Groove => "groove",
            Operation::Transcribe => "transcribe",
            Operation::Piano => "piano",
            Operation::Phonemes => "phonemes",
            Operation::Index => "index",
            Operation::Search => "search",
            Operation::Embed => "embed",
        }
    }
}

#[derive(Debug, Args)]
pub struct Trend {
    /// Figures of another version to compare with, as --output writes them
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// File to write the figures to
    #[arg(long, short = 'o', value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Commit that the figures are of, told in them
    #[arg(long, value_name = "ID")]
    pub commit: Option<String>,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub json: bool,
}

fn interval_seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.1..=60.0).contains(seconds));
    seconds.ok_or_else(|| "a number of seconds from 0.1 to 60 is needed".into())
}
