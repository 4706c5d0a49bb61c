//! `kmidi search`: finds sounds, songs, presets and plugins.

mod hints;

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;

use anyhow::Result;
use clap::{Args, ValueEnum};
use kmidi_library::{
    CacheLimits, Embed, Filter, Found, Hit, ItemKind, Key, MAX_LIMIT, Query, Range, Reading, SearchError,
    SearchedBy, Searcher, WordMatch,
};
use kmidi_memory::{Cancel, JobContext, Need};
use serde::Serialize;

use super::index::{LibraryFile, index_error};
use super::meaning;
use crate::memory::MemoryArgs;
use crate::models_flag::ModelsFlag;
use crate::output::{print, print_json};

const AFTER_HELP: &str = "\
Best first: by words (names count more than what else is written; the beginning of a word or another form of it is enough, and where a
word is in no item, one slip is forgiven: the word that more items have is meant) and, less, by meaning (what is like the text). A score of 1
is what is first in both orders. Without the model for meaning, words alone decide, and stderr says so; it also says when no word of the text is
known (--json: note, unknown_words). Without a text, all that passes the filters is listed.

What is not known of an item does not pass a filter that asks for it. Paths that are no Unicode are shown with marks in their place;
--paths writes them as they are.

EXAMPLES:
  kmidi search warm slow pad
  kmidi search kick --type audio --duration -1
  kmidi search \"sad piano\" --type midi --key Am --bpm 60-90
  kmidi search pad --type audio --paths -0 | xargs -0 -n1 aplay
  kmidi search strings --json | jq -r .results[0].path";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Search {
    /// What to look for, in English words
    #[arg(value_name = "TEXT")]
    pub text: Vec<String>,
    /// Most results
    #[arg(long, short = 'n', value_name = "N", default_value_t = 10,
          value_parser = clap::value_parser!(u32).range(1..=MAX_LIMIT as i64))]
    pub limit: u32,
    /// Lowest score, 0 to 1
    #[arg(long, value_name = "X", default_value_t = 0.0, value_parser = score)]
    pub min_score: f32,
    /// Kind of item
    #[arg(long = "type", value_name = "KIND", value_enum)]
    pub kind: Option<Kind>,
    /// Key: Am, "F# major", Bbm
    #[arg(long, value_name = "KEY")]
    pub key: Option<Key>,
    /// Beats a minute: 120, 90-120, 120±5, 90- or -120
    #[arg(long, value_name = "RANGE", allow_hyphen_values = true)]
    pub bpm: Option<Range>,
    /// Length in seconds: 0-1, 30-, -2.5, or 2 (1.5 to 2.5) and 2.0 (1.95 to 2.05)
    #[arg(long, value_name = "RANGE", allow_hyphen_values = true)]
    pub duration: Option<Range>,
    /// Search by words alone
    #[arg(long)]
    pub no_model: bool,
    /// Say how each score came about
    #[arg(long)]
    pub explain: bool,
    /// Print the paths alone, one a line, each file once
    #[arg(long, conflicts_with_all = ["json", "explain"])]
    pub paths: bool,
    /// End each path with a zero byte (with --paths)
    #[arg(long = "null", short = '0', requires = "paths")]
    pub null: bool,
    #[command(flatten)]
    pub models: ModelsFlag,
    #[command(flatten)]
    pub file: LibraryFile,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub memory: MemoryArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Kind {
    Audio,
    Midi,
    Preset,
    Plugin,
}

impl From<Kind> for ItemKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Audio => ItemKind::Audio,
            Kind::Midi => ItemKind::Midi,
            Kind::Preset => ItemKind::Preset,
            Kind::Plugin => ItemKind::Plugin,
        }
    }
}

fn score(text: &str) -> Result<f32, String> {
    let score = text.parse().ok().filter(|score| (0.0..=1.0).contains(score));
    score.ok_or_else(|| "a number from 0 to 1 is needed".into())
}

/// What `--json` prints.
#[derive(Serialize)]
struct Answer<'a> {
    query: &'a str,
    searched_by: SearchedBy,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
    /// Which no item has, and the model does not know.
    unknown_words: Vec<String>,
    results: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    path: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    part: String,
    score: f32,
    #[serde(rename = "type")]
    kind: ItemKind,
    key: Option<Key>,
    bpm: Option<f32>,
    duration_s: Option<f32>,
    why: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explain: Option<Explained>,
}

/// How a score came about.
#[derive(Serialize)]
struct Explained {
    likeness: f32,
    likeness_rank: u32,
    bm25: f32,
    word_rank: u32,
}

pub fn run(args: Search) -> Result<()> {
    let text = args.text.join(" ");
    let query = Query {
        text: &text,
        filter: Filter {
            kind: args.kind.map(Into::into),
            key: args.key,
            bpm: args.bpm,
            duration_seconds: args.duration,
        },
        limit: args.limit as usize,
        min_score: args.min_score,
    };
    let mut searcher = Searcher::open(&args.file.path()?, CacheLimits::default()).map_err(index_error)?;
    let memory = args.memory.start(|line| eprintln!("kmidi: {line}"))?;
    let mut opened = meaning::Opened::Missing;
    // Without words there is nothing that it could tell.
    if !args.no_model && !text.trim().is_empty() && searcher.index().model().is_some() {
        opened = meaning::open(&args.models, &memory.budgets);
    }
    let is_told = matches!(opened, meaning::Opened::Told);
    let id = opened.model().map(|model| model.id().to_owned());
    let searched_by = searcher.searched_by(&query, id.as_deref());
    let readings = searcher.readings(&query);
    let unknown_words = searcher.unknown_words(&query, opened.model().map(|model| model as &dyn Embed));
    let is_nonsense = !readings.is_empty() && unknown_words.len() == readings.len();
    let note = match searched_by {
        SearchedBy::LikenessAndWords => is_nonsense.then_some(NONSENSE),
        by => note(by).filter(|_| !args.no_model),
    };
    if let Some(note) = note.filter(|_| !is_told) {
        eprintln!("kmidi: {note}");
    }
    for hint in hints::of(&text, &query.filter) {
        eprintln!("kmidi: {hint}");
    }
    let model = opened.model().map(|model| model as &mut dyn Embed);
    let bytes = searcher.most_bytes(query.limit) + searcher.index().mapped_bytes();
    let search =
        |_| -> Result<Vec<Hit>> { Ok(searcher.search(&query, model).map_err(search_error)?.to_vec()) };
    let done = JobContext::run(&memory.budgets, Need::working(bytes, "search"), &Cancel::default(), search);
    let hits = done??;
    let found = |hit: &Hit| Some((*hit, searcher.found(hit.item)?));
    let found: Vec<_> = hits.iter().filter_map(found).collect();
    if args.paths {
        return print(&paths(&found, if args.null { 0 } else { b'\n' }));
    }
    let results: Vec<_> =
        found.into_iter().map(|(hit, found)| row(&hit, found, &readings, args.explain)).collect();
    if args.json {
        return print_json(&Answer { query: &text, searched_by, note, unknown_words, results });
    }
    print(list(&results)?.as_bytes())
}

fn search_error(error: SearchError) -> anyhow::Error {
    match error {
        SearchError::Index(error) => index_error(error),
        error => error.into(),
    }
}

const NONSENSE: &str = "no word of the text is known: no item has one, and the model, which reads English, has met none of them. \
                        What is found is only somewhat like their letters";

/// Why a search does not go by meaning.
fn note(searched_by: SearchedBy) -> Option<&'static str> {
    match searched_by {
        SearchedBy::LikenessAndWords | SearchedBy::Filter => None,
        SearchedBy::WordsNoModel => Some(
            "searching by words alone: the model for meaning is not here; `kmidi models fetch minilm` brings it",
        ),
        SearchedBy::WordsNoVectors => Some(
            "searching by words alone: the index was made without the model for meaning. `kmidi models fetch minilm` \
             brings it, `kmidi index add` uses it",
        ),
        SearchedBy::WordsOtherModel => Some(
            "searching by words alone: another model made the index's vectors. `kmidi index add` makes them anew",
        ),
    }
}

/// Each file once, where its best item is.
fn paths(found: &[(Hit, Found)], end: u8) -> Vec<u8> {
    let mut seen = std::collections::HashSet::new();
    let mut out = vec![];
    for (_, found) in found {
        if seen.insert(&found.path) {
            out.extend(found.path.as_os_str().as_bytes());
            out.push(end);
        }
    }
    out
}

fn row(hit: &Hit, found: Found, readings: &[Reading], explain: bool) -> Row {
    let explained = Explained {
        likeness: hit.likeness,
        likeness_rank: hit.likeness_rank,
        bm25: hit.bm25,
        word_rank: hit.word_rank,
    };
    Row {
        why: why(hit, readings),
        name: found.name,
        path: found.path.to_string_lossy().into_owned(),
        part: found.part,
        score: hit.score,
        kind: found.kind,
        key: found.key,
        bpm: found.bpm,
        duration_s: found.duration_seconds,
        explain: explain.then_some(explained),
    }
}

/// What matched.
fn why(hit: &Hit, readings: &[Reading]) -> Vec<String> {
    let matched = readings.iter().enumerate().filter(|(bit, _)| hit.words & (1 << bit) != 0);
    let mut why: Vec<String> = matched
        .map(|(_, reading)| match (reading.by, reading.terms.as_slice()) {
            (WordMatch::Slip, [term, ..]) => format!("{} (for {})", term, reading.word),
            _ => reading.word.clone(),
        })
        .collect();
    if hit.likeness_rank > 0 {
        why.push(format!("like {:.2}", hit.likeness));
    }
    why
}

fn list(rows: &[Row]) -> Result<String> {
    let mut out = String::new();
    if rows.is_empty() {
        return Ok("nothing found\n".into());
    }
    for row in rows {
        let mut facts: Vec<String> = vec![];
        facts.extend(row.key.map(|key| key.to_string()));
        facts.extend(row.bpm.map(|bpm| format!("{bpm:.0} bpm")));
        facts.extend(row.duration_s.map(|seconds| format!("{seconds:.1} s")));
        let part = if row.part.is_empty() { String::new() } else { format!("  [{}]", row.part) };
        writeln!(
            out,
            "{:.3}  {:<6}  {}  {}",
            row.score,
            row.kind.name(),
            one_line(&row.name),
            facts.join(", ")
        )?;
        writeln!(out, "               {}{part}", one_line(&row.path))?;
        if !row.why.is_empty() {
            writeln!(out, "               {}", row.why.join(", "))?;
        }
        if let Some(it) = &row.explain {
            writeln!(
                out,
                "               likeness {}, words {}",
                place(it.likeness, it.likeness_rank),
                place(it.bm25, it.word_rank)
            )?;
        }
    }
    Ok(out)
}

/// What an order says of a result, and where it has it.
fn place(value: f32, rank: u32) -> String {
    if rank == 0 { "none".to_owned() } else { format!("{value:.3} (place {rank})") }
}

/// Without what would break the lines of a list, or steer a terminal.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
