use std::path::PathBuf;

use clap::{Args, Subcommand};
use kmidi_memory::MIB;
use kmidi_trace::{Filter, Kind, Timestamp, Uuid};

use crate::trace_flag;

const AFTER_HELP: &str = "\
play, render, fx, run, serve, therapy and intent write into the log by themselves where --trace is given, KMIDI_TRACE=1 is
set, or the configuration file has `trace = true`: what was done, with which settings, from which file, how long it took.
Never the words of a feeling, nor notes. The log stays on this machine, and only its owner can read it.

A record is a line of JSON:
  {\"id\": UUID, \"timestamp\": \"2026-11-29T02:05:00Z\", \"kind\": \"plan\", \"job\" or \"session\", \"provider\": \"kmidi::render\",
   \"source_id\": \"song.mid\", \"seed_params\": {..}, \"score\": 0 to 1, \"metrics\": {\"seconds\": 1.5}, \"features\": [\"render\"],
   \"metadata\": {\"confidence\": 0 to 1}}
`append` gives it an id and a time where it has none; kind, provider (PROGRAM::PART), source_id and a feature have to be
there. No two records have one id.

EXAMPLES:
  kmidi render song.mid -o song.wav --trace
  kmidi trace query --kind job --since 2026-11-01 --min-score 0.5 --limit 1000
  kmidi trace query --provider kmidi:: --feature affect:grief --json
  kmidi trace tail -f
  kmidi trace append < records.jsonl
  kmidi trace verify                     exit code 1 where lines are bad or torn";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Trace {
    #[command(subcommand)]
    pub what: What,
}

#[derive(Debug, Subcommand)]
pub enum What {
    /// Add records: none where one is wrong or there is no room; of those that a kill interrupts the first may stay
    Append(Append),
    /// Print the records that all given flags let through
    Query(Query),
    /// Count what there is
    Stats(Whole),
    /// Check every line; exit code 1 where one is bad
    Verify(Whole),
    /// Print the last records
    Tail(Tail),
    /// Print the good lines of any file of JSON Lines, whatever their length
    Cat(Cat),
    /// Copy all whole lines to a new file
    Backup(Backup),
}

impl Trace {
    pub fn wants_json(&self) -> bool {
        match &self.what {
            What::Append(args) => args.json,
            What::Query(args) => args.json,
            What::Stats(args) | What::Verify(args) => args.json,
            What::Tail(args) => args.json,
            What::Cat(_) => false,
            What::Backup(args) => args.json,
        }
    }
}

/// Which log.
#[derive(Debug, Args)]
pub struct LogFlag {
    /// The log; $XDG_STATE_HOME/kmidi/trace.jsonl otherwise
    #[arg(long = trace_flag::FILE_FLAG, visible_alias = "file", value_name = "FILE")]
    pub file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Append {
    /// A record; - reads standard input, one a line
    #[arg(value_name = "RECORD", default_value = "-")]
    pub record: String,
    #[command(flatten)]
    pub log: LogFlag,
    /// Print the ids as one JSON object on stdout; one a line otherwise
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Query {
    /// The one with this id; an index beside the log knows where it is
    #[arg(long, value_name = "UUID")]
    pub id: Option<Uuid>,
    /// Of this kind: plan, job or session
    #[arg(long, value_parser = kind)]
    pub kind: Option<Kind>,
    /// From a provider whose name begins so
    #[arg(long, value_name = "START")]
    pub provider: Option<String>,
    /// Made of this
    #[arg(long, value_name = "ID")]
    pub source: Option<String>,
    /// With a score of at least this, 0 to 1
    #[arg(long, value_name = "X", value_parser = score)]
    pub min_score: Option<f64>,
    /// With a score of at most this, 0 to 1
    #[arg(long, value_name = "X", value_parser = score)]
    pub max_score: Option<f64>,
    /// With this feature; where it is repeated, with all of them
    #[arg(long, value_name = "TEXT")]
    pub feature: Vec<String>,
    /// Not before this: 2026-11-29T02:05:00Z, 2026-11-29, or seconds since 1970
    #[arg(long, value_name = "TIME")]
    pub since: Option<Timestamp>,
    /// Not after this
    #[arg(long, value_name = "TIME")]
    pub until: Option<Timestamp>,
    /// So many at most, the first ones
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    #[command(flatten)]
    pub log: LogFlag,
    /// Print one JSON object on stdout; a record a line otherwise
    #[arg(long)]
    pub json: bool,
}

impl Query {
    pub fn filter(&self) -> Filter {
        Filter {
            kind: self.kind,
            provider: self.provider.clone(),
            source_id: self.source.clone(),
            min_score: self.min_score,
            max_score: self.max_score,
            features: self.feature.clone(),
            since: self.since,
            until: self.until,
            limit: self.limit,
        }
    }
}

#[derive(Debug, Args)]
pub struct Whole {
    #[command(flatten)]
    pub log: LogFlag,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Tail {
    /// Records to print
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    pub records: u64,
    /// Go on, and print what is added, until Ctrl-C
    #[arg(short, long, conflicts_with = "json")]
    pub follow: bool,
    #[command(flatten)]
    pub log: LogFlag,
    /// Print one JSON object on stdout; a record a line otherwise
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Cat {
    /// The file; the log otherwise
    #[arg(value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// Fail where more memory was resident at once: 32M, 65536K
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub max_rss: Option<u64>,
    #[command(flatten)]
    pub log: LogFlag,
}

#[derive(Debug, Args)]
pub struct Backup {
    /// The copy; one that is there is not replaced
    #[arg(value_name = "FILE")]
    pub to: PathBuf,
    #[command(flatten)]
    pub log: LogFlag,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub json: bool,
}

fn kind(name: &str) -> Result<Kind, String> {
    let found = Kind::ALL.into_iter().find(|kind| kind.name() == name);
    found.ok_or_else(|| "a kind is plan, job or session".into())
}

fn score(text: &str) -> Result<f64, String> {
    let score = text.parse().ok().filter(|score| (0.0..=1.0).contains(score));
    score.ok_or_else(|| "a score is a number from 0 to 1".into())
}

fn size(text: &str) -> Result<u64, String> {
    let (number, unit) = match text.trim_end_matches(|c: char| c.is_ascii_alphabetic()) {
        number if number.len() == text.len() => (number, 1),
        number => match &text[number.len()..] {
            "K" => (number, 1 << 10),
            "M" => (number, MIB),
            "G" => (number, 1024 * MIB),
            _ => return Err("a size is a number with K, M or G behind it".into()),
        },
    };
    let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    bytes.ok_or_else(|| "a size is a whole number, with K, M or G behind it".into())
}
