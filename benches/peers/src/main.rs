//! `cargo xtask bench-peers`: KmiDi beside FluidSynth, TiMidity and rustysynth, and as a host of effects beside pedalboard
//! and dawdreamer.
//!
//! The same songs, of constant tempo and with their events on FluidSynth's grid of 64 frames, with
//! the same SoundFont, each a process of its own. The table goes to stdout, progress to stderr.
#![forbid(unsafe_code)]

mod compare;
mod engine;
mod library;
#[path = "../../../plugins/kmidi-soundfont/tests/songs/likeness.rs"]
mod likeness;
mod measure;
#[path = "../../../crates/kmidi-library/tests/support/mod.rs"]
mod pack;
mod plugins;
mod rusty;
#[path = "../../../plugins/kmidi-soundfont/tests/songs/score.rs"]
mod score;
mod songs;
mod sound;
mod soundfont;
mod table;
mod transcription;
mod voices;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use compare::Comparison;
use engine::Commands;
use plugins::Plugins;
use transcription::Transcription;

const USAGE: &str = "\
usage: peers KMIDI [--seconds N] [--python PATH] [--listening-python PATH] [NAME]...

  KMIDI         the kmidi to measure
  --seconds N   how long each song lasts at least, and what effects are done to (600)
  --python PATH a Python with pedalboard and dawdreamer; without it effects and searches are left out
  --listening-python PATH
                a Python with basic-pitch; without it transcription is left out
  NAME          only songs with this in their name (\"strokes\": the onset errors, \"plugins\": effects,
                \"library\": searches, \"transcription\": what is heard in recordings)
";

/// What the figures mean.
const LEGEND: &str = "\
CPU: user and system time of the process, WAV file included, the least of two runs in turns. Loading:
FluidSynth and rustysynth an empty song, KmiDi the first 10 ms of the same song; TiMidity loads as it
goes, so its net time has loading in it. Pss: the most seen, each 20 ms. Voices at once: 1024, rustysynth
256 (its most). SoundFont: FluidR3 GM without its exclusive classes, as the engines let a note that is
cut off die away in different times. Interpolation, each by default: FluidSynth fourth order, TiMidity
25-point Gauss (with a cache of interpolated notes), rustysynth linear. Voice-samples: voices times
frames; a row where FluidSynth's and KmiDi's differ by more than 1 % is void. Bands and envelope: the first
minute dry against FluidSynth's, at equal level, worst octave band and correlation in steps of 50 ms
(which says nothing of held notes, whose envelope is beats alone). Onset, in frames: 200 strokes of the
side stick at frames on no grid; the offset has the sample's own rise in it, the errors are from it.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words[..] {
        ["rustysynth", effects, soundfont, song, wav] => {
            rusty::render(Path::new(soundfont), Path::new(song), Path::new(wav), effects == "wet")
        }
        ["library", index, count] => library::ask(Path::new(index), count),
        [kmidi, ref rest @ ..] if !kmidi.starts_with('-') => bench(kmidi.into(), rest),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("peers: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What of the comparison is asked for.
struct Options {
    seconds: u64,
    python: Option<PathBuf>,
    listening_python: Option<PathBuf>,
    names: Vec<String>,
}

impl Options {
    fn wants(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|it| it == name)
    }
}

/// All of the comparison, or the part that the arguments ask for.
fn bench(kmidi: PathBuf, arguments: &[&str]) -> Result<()> {
    let options = options(arguments)?;
    let folder = tempfile::tempdir()?;
    let apart = [PLUGINS, LIBRARY, TRANSCRIPTION];
    if options.names.is_empty() || options.names.iter().any(|name| !apart.contains(&name.as_str())) {
        songs(&kmidi, &options, folder.path())?;
    }
    let named = |names: &[&str]| options.names.iter().find(|name| names.contains(&name.as_str()));
    match (&options.python, named(&[PLUGINS, LIBRARY])) {
        (Some(python), _) => {
            if options.wants(PLUGINS) {
                Plugins::new(&kmidi, python, folder.path(), options.seconds)?.run()?;
            }
            if options.wants(LIBRARY) {
                library::run(python)?;
            }
        }
        (None, Some(name)) => bail!("{name} needs --python"),
        (None, None) => {}
    }
    match (&options.listening_python, named(&[TRANSCRIPTION])) {
        (Some(python), _) if options.wants(TRANSCRIPTION) => {
            Transcription::new(&kmidi, python, folder.path(), options.seconds).run()?;
        }
        (None, Some(name)) => bail!("{name} needs --listening-python"),
        _ => {}
    }
    Ok(())
}

/// The name that stands for what is heard in recordings.
const TRANSCRIPTION: &str = "transcription";

/// The name that stands for the comparison of effects.
const PLUGINS: &str = "plugins";
/// The name that stands for the comparison of searches.
const LIBRARY: &str = "library";

fn songs(kmidi: &Path, options: &Options, folder: &Path) -> Result<()> {
    let soundfont = soundfont::without_classes(folder)?;
    let commands = Commands::new(kmidi.to_owned(), &soundfont, folder)?;
    let pieces = songs::pieces(folder, options.seconds, &options.names)?;
    let strokes = options.wants("strokes");
    if pieces.is_empty() && !strokes {
        bail!("no song has {} in its name", options.names.join(" or "));
    }
    let mut comparison = Comparison::new(commands, &soundfont, folder)?;
    println!("{}\n", versions());
    print!("{}", table::heading());
    // Each song as soon as it is measured: the whole takes hours.
    let mut shown = 0;
    for (n, piece) in pieces.iter().enumerate() {
        eprintln!("{} ({} of {})", piece.name, n + 1, pieces.len());
        comparison.song(piece)?;
        print!("{}", table::body(&comparison.rows[shown..]));
        shown = comparison.rows.len();
    }
    print!("{}", table::totals(&comparison.rows));
    if strokes {
        eprintln!("strokes");
        comparison.clicks()?;
        print!("{}", table::body(&comparison.rows[shown..]));
    }
    println!("\n{LEGEND}");
    comparison.notes.iter().for_each(|note| println!("- {note}"));
    Ok(())
}

fn options(arguments: &[&str]) -> Result<Options> {
    let mut options = Options { seconds: 600, python: None, listening_python: None, names: Vec::new() };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match *word {
            "--seconds" => {
                let value = words.next().context("--seconds takes a number")?;
                options.seconds =
                    value.parse().with_context(|| format!("--seconds takes a number, not {value}"))?;
            }
            "--python" => options.python = Some(words.next().context("--python takes a path")?.into()),
            "--listening-python" => {
                options.listening_python =
                    Some(words.next().context("--listening-python takes a path")?.into());
            }
            option if option.starts_with('-') => bail!("there is no option {option}\n\n{USAGE}"),
            name => options.names.push(name.to_owned()),
        }
    }
    Ok(options)
}

/// What the installed programs call themselves.
fn versions() -> String {
    let first_line = |program: &str| {
        let output = Command::new(program).arg("--version").output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).lines().next()?.to_owned())
    };
    ["fluidsynth", "timidity"].into_iter().filter_map(first_line).collect::<Vec<_>>().join("; ")
}
