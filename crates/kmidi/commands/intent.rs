//! `kmidi intent`: what a song is to say, the rules that it breaks for it, and the song.

use std::fs::File;
use std::io::{Read, stdin};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use clap::{Args, Subcommand};
use kmidi_compose::intent::{self, Intent, IntentError, MAX_INTENT_BYTES, MoodName};
use kmidi_session::STDIN;

use crate::exit::{UNREADABLE, Unreadable};
use crate::output::{print, print_json, write_whole};
use crate::song_output::{SongOutput, report};
use crate::trace_flag::{Entry, TraceArgs};

const AFTER_HELP: &str = "\
An intent is a JSON file in three phases: why there is a song, what it feels like, how it is made. What is left empty
follows the mood.

EXAMPLES:
  kmidi intent new --title Harbour --mood longing -o harbour.json   a file to fill in
  kmidi intent suggest longing                                      rules to break, and why
  kmidi intent validate harbour.json                                all that is missing or wrong, and what to do
  kmidi intent process harbour.json -o harbour.mid                  the song
  kmidi intent list rules                                           every word that an intent may use";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct IntentCommand {
    #[command(subcommand)]
    pub what: What,
}

#[derive(Debug, Subcommand)]
pub enum What {
    /// Write an intent to fill in
    New(New),
    /// Make a song of an intent
    Process(Process),
    /// Name rules to break for a mood, and why
    Suggest(Suggest),
    /// List the moods, rules, genres, feels, arcs, images, stakes and degrees of vulnerability that there are
    List(List),
    /// Say all that is wrong with an intent; exit code 2 if no song can be made of it
    Validate(Validate),
}

#[derive(Debug, Args)]
pub struct New {
    /// Title of the song
    #[arg(long, default_value = "")]
    pub title: String,
    /// Mood to begin with: its modes and tempos are filled in
    #[arg(long, value_parser = mood)]
    pub mood: Option<MoodName>,
    /// File to write, on stdout otherwise; one that is there is not replaced
    #[arg(short, long, value_name = "FILE.json")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Process {
    /// The intent; - for standard input
    #[arg(value_name = "FILE.json")]
    pub file: PathBuf,
    /// Other music of the same intent
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true, value_parser = super::seed)]
    pub seed: u64,
    /// MIDI file to write; it appears when it is complete; - pipes it to the next program
    #[arg(short, long, value_name = "FILE.mid")]
    pub output: Option<PathBuf>,
    /// Print the plan as one JSON object on stdout
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub trace: TraceArgs,
}

#[derive(Debug, Args)]
pub struct Suggest {
    /// A mood (kmidi intent list moods), an affect (kmidi emotions), or words for one: furious
    #[arg(value_name = "MOOD")]
    pub mood: String,
    /// An intent whose words the justifications are to have; - for standard input
    #[arg(long, value_name = "FILE.json")]
    pub intent: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct List {
    /// Only this list: moods, rules, genres, feels, arcs, imagery, stakes, vulnerability
    #[arg(value_name = "LIST")]
    pub list: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Validate {
    /// The intent; - for standard input
    #[arg(value_name = "FILE.json")]
    pub file: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl IntentCommand {
    pub fn wants_json(&self) -> bool {
        match &self.what {
            What::New(_) => false,
            What::Process(args) => args.json,
            What::Suggest(args) => args.json,
            What::List(args) => args.json,
            What::Validate(args) => args.json,
        }
    }
}

fn mood(name: &str) -> Result<MoodName, String> {
    let all = || MoodName::ALL.iter().map(|mood| mood.name()).collect::<Vec<_>>().join(", ");
    MoodName::named(name).ok_or_else(|| format!("there are {}", all()))
}

pub fn run(args: IntentCommand, entry: &mut Entry) -> Result<ExitCode> {
    match args.what {
        What::New(args) => new(args).map(|()| ExitCode::SUCCESS),
        What::Process(args) => process(args, entry).map(|()| ExitCode::SUCCESS),
        What::Suggest(args) => suggest(args).map(|()| ExitCode::SUCCESS),
        What::List(args) => list(args).map(|()| ExitCode::SUCCESS),
        What::Validate(args) => validate(args),
    }
}

fn new(args: New) -> Result<()> {
    let mut intent = Intent::template(&args.title);
    if let Some(mood) = args.mood {
        intent = intent.with_mood(mood);
    }
    let json = intent.to_json();
    let path = args.output.filter(|path| path.as_os_str() != STDIN);
    let Some(path) = path else { return print(json.as_bytes()) };
    // What somebody has filled in is never lost to a template.
    if path.exists() {
        return Err(Unreadable(anyhow!("{} is there already; choose another name", path.display())).into());
    }
    write_whole(&path, json.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
    eprintln!("kmidi: wrote {}; fill it in, then `kmidi intent validate {0}`", path.display());
    Ok(())
}

/// The bytes of an intent, no more than it may have and one.
fn bytes(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = vec![];
    let most = MAX_INTENT_BYTES as u64 + 1;
    let read = if path.as_os_str() == STDIN {
        stdin().lock().take(most).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes))
    };
    read.with_context(|| path.display().to_string()).map_err(Unreadable)?;
    Ok(bytes)
}

fn read(path: &Path) -> Result<Intent> {
    let of_file = |error: IntentError| Unreadable(anyhow!("{}: {error}", path.display()));
    Ok(Intent::from_json(&bytes(path)?).map_err(of_file)?)
}

fn process(args: Process, entry: &mut Entry) -> Result<()> {
    let output = args.output.as_deref();
    let output =
        output.map(|path| SongOutput::new(path, std::iter::once(&args.file), args.json)).transpose()?;
    let intent = read(&args.file)?;
    let of_file = |error: IntentError| Unreadable(anyhow!("{}: {error}", args.file.display()));
    let processed = intent::process(&intent, args.seed).map_err(of_file)?;
    super::therapy::note(&processed.plan, entry);
    entry.param("seed", args.seed);
    if let Some(output) = &output {
        output.write(&processed.score.to_song().to_smf()?)?;
        if !output.is_pipe() {
            eprintln!("kmidi: wrote {}", output.name());
        }
    }
    if args.json { print_json(&processed) } else { report(output.as_ref(), &processed.to_string()) }
}

fn suggest(args: Suggest) -> Result<()> {
    let intent = args.intent.as_deref().map(read).transpose()?.unwrap_or_default();
    let found = intent::suggest_for(&args.mood, &intent).map_err(|error| Unreadable(error.into()))?;
    if args.json { print_json(&found) } else { print(found.to_string().as_bytes()) }
}

fn list(args: List) -> Result<()> {
    let mut lists = intent::list();
    if let Some(name) = &args.list {
        let names = lists.lists.iter().map(|list| list.name).collect::<Vec<_>>().join(", ");
        let unknown = || Unreadable(anyhow!("no list is called {name}; there are {names}"));
        lists = lists.only(name).ok_or_else(unknown)?;
    }
    if args.json { print_json(&lists) } else { print(lists.to_string().as_bytes()) }
}

fn validate(args: Validate) -> Result<ExitCode> {
    // What cannot be read as an intent is a finding too, so that all findings have one form.
    let validation = match Intent::from_json(&bytes(&args.file)?) {
        Ok(intent) => intent::validate(&intent),
        Err(IntentError::Problems(problems)) => intent::Validation { valid: false, problems },
        Err(error) => return Err(Unreadable(anyhow!("{}: {error}", args.file.display())).into()),
    };
    if args.json {
        print_json(&validation)?;
    } else {
        print(format!("{validation}\n").as_bytes())?;
    }
    Ok(if validation.valid { ExitCode::SUCCESS } else { ExitCode::from(UNREADABLE) })
}
