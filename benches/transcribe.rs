//! How well `kmidi transcribe` hears what `kmidi render` played: each song as it is, without its drums, and its busiest
//! instrument alone.
//!
//! `cargo bench --bench transcribe [-- FOLDER...]`; without a folder, the songs that come with the project. A note counts
//! as heard if its key is the same and it begins within 50 ms; with its end, if that is also within 50 ms or a fifth of its
//! length: as `mir_eval.transcription` has it, each note of one side paired with at most one of the other, as many as can be.
//! `cargo bench --bench transcribe -- --voices` compares `--mono` with what it is without, on single voices.
//! It exits with 1 if there are fewer than twenty pieces, or if what is heard is no better than chance.
//!
//! With `--piano`, the pianos of each song alone, by basic-pitch and by `--model piano`, which has to be fetched before; with `--sf FILE`,
//! by another SoundFont. It exits with 1 if there are fewer than five of them, or if `--model piano` does not hear them better.
#![forbid(unsafe_code)]

#[path = "transcribe/voices.rs"]
mod voices;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use kmidi_core::Division;
use kmidi_song::{SmfEvent, Song};
use serde_json::Value;

/// The longest that a piece is listened to.
const SECONDS: f64 = 30.0;
/// Pieces with fewer notes say nothing.
const FEW: usize = 20;
const DRUMS: u8 = 9;
/// What is below is named as hard.
const HARD: f64 = 0.4;

const FAMILIES: [&str; 16] = [
    "piano",
    "bells",
    "organ",
    "guitar",
    "bass",
    "strings",
    "ensemble",
    "brass",
    "reed",
    "pipe",
    "lead",
    "pad",
    "effects",
    "ethnic",
    "percussive",
    "sounds",
];

#[derive(Clone, Copy, Debug, PartialEq)]
struct Note {
    start: f64,
    end: f64,
    key: u8,
    channel: u8,
    program: u8,
}

/// What is rendered, and what should be heard.
struct Piece {
    name: String,
    song: PathBuf,
    from: f64,
    muted: Vec<u8>,
    notes: Vec<Note>,
}

/// How much was heard.
#[derive(Clone, Copy, Default)]
struct Score {
    truth: usize,
    heard: usize,
    right: usize,
}

impl Score {
    fn precision(self) -> f64 {
        self.right as f64 / self.heard.max(1) as f64
    }

    fn recall(self) -> f64 {
        self.right as f64 / self.truth.max(1) as f64
    }

    fn f1(self) -> f64 {
        2.0 * self.right as f64 / (self.truth + self.heard).max(1) as f64
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("transcribe: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What a piece is played and heard with.
struct Hearing<'a> {
    model: &'a str,
    sound_font: &'a str,
    sample_rate_hz: &'a str,
}

fn run() -> Result<bool> {
    let mut arguments = std::env::args().skip(1);
    let (mut folders, mut sound_font, mut by_piano) = (Vec::<PathBuf>::new(), "built-in".to_owned(), false);
    while let Some(word) = arguments.next() {
        match word.as_str() {
            "--voices" => return voices::run(tempfile::tempdir()?.path()),
            "--sf" => sound_font = arguments.next().context("--sf FILE")?,
            "--piano" => by_piano = true,
            // What cargo says to every bench.
            flag if flag.starts_with('-') => {}
            folder => folders.push(folder.into()),
        }
    }
    if folders.is_empty() {
        folders = ["assets/midi", "tests/data/midi/freedoom"].map(PathBuf::from).to_vec();
    }
    let mut songs = Vec::new();
    for folder in &folders {
        let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
        songs.extend(entries.filter_map(|entry| Some(entry.ok()?.path())));
    }
    songs.retain(|song| song.extension().is_some_and(|ending| ending == "mid"));
    songs.sort();
    let folder = tempfile::tempdir()?;
    if by_piano {
        return pianos(&songs, &sound_font, folder.path());
    }
    let hearing = Hearing { model: "basic-pitch", sound_font: &sound_font, sample_rate_hz: "22050" };
    println!("| piece | what plays | notes | heard | precision | recall | onset F1 | with end F1 | |");
    println!("|---|---|---|---|---|---|---|---|---|");
    let (mut rows, mut by_kind) = (0, BTreeMap::<&str, Vec<(f64, f64)>>::new());
    let (mut sum, mut chance) = (0.0, 0.0);
    for song in &songs {
        for (kind, piece) in pieces(song).with_context(|| song.display().to_string())? {
            let (heard, _) = heard(&piece, &hearing, folder.path()).with_context(|| piece.name.clone())?;
            let (onsets, ends) = (score(&piece.notes, &heard, false), score(&piece.notes, &heard, true));
            // The same notes a tritone higher: what is right of these is chance.
            let moved: Vec<Note> = heard.iter().map(|note| Note { key: note.key + 6, ..*note }).collect();
            chance += score(&piece.notes, &moved, false).f1();
            println!("{}", row(&piece, onsets, ends));
            by_kind.entry(kind).or_default().push((onsets.f1(), ends.f1()));
            sum += onsets.f1();
            rows += 1;
        }
    }
    for (kind, scores) in &by_kind {
        let mean = |of: fn(&(f64, f64)) -> f64| scores.iter().map(of).sum::<f64>() / scores.len() as f64;
        println!(
            "| **{kind}** | {} pieces | | | | | {:.2} | {:.2} | |",
            scores.len(),
            mean(|it| it.0),
            mean(|it| it.1)
        );
    }
    let (mean, chance) = (sum / f64::from(rows.max(1)), chance / f64::from(rows.max(1)));
    println!("\n{rows} pieces, mean onset F1 {mean:.3}; the same a tritone higher: {chance:.3}");
    let passed = rows >= 20 && mean > 0.35 && mean > 2.0 * chance;
    println!("transcribe: {}", if passed { "passed" } else { "FAILED" });
    Ok(passed)
}

fn row(piece: &Piece, onsets: Score, ends: Score) -> String {
    let mut families: Vec<&str> =
        piece.notes.iter().map(|note| FAMILIES[usize::from(note.program) / 8]).collect();
    families.sort_unstable();
    families.dedup();
    format!(
        "| {} | {} | {} | {} | {:.2} | {:.2} | {:.2} | {:.2} | {} |",
        piece.name,
        families.join(", "),
        onsets.truth,
        onsets.heard,
        onsets.precision(),
        onsets.recall(),
        onsets.f1(),
        ends.f1(),
        if onsets.f1() < HARD { "hard" } else { "" }
    )
}

/// A song in its three forms.
fn pieces(path: &Path) -> Result<Vec<(&'static str, Piece)>> {
    let notes = notes(&std::fs::read(path)?)?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let pitched = |note: &&Note| note.channel != DRUMS;
    let Some(first) = notes.iter().filter(pitched).map(|note| note.start).reduce(f64::min) else {
        return Ok(Vec::new());
    };
    let begins = |note: &&Note| note.start < first + SECONDS;
    let mut counts = [0; 16];
    notes.iter().filter(pitched).filter(begins).for_each(|note| counts[usize::from(note.channel)] += 1);
    let busiest = (0..16u8).max_by_key(|channel| counts[usize::from(*channel)]).unwrap_or(0);
    let all_but = |alone: u8| (1..=16).filter(|channel| *channel != alone + 1).collect::<Vec<u8>>();
    let forms = [
        ("with drums", Vec::new(), None),
        ("without drums", vec![DRUMS + 1], None),
        ("alone", all_but(busiest), Some(busiest)),
    ];
    let piece = |(kind, muted, alone): (&'static str, Vec<u8>, Option<u8>)| {
        let counts = |note: &&Note| pitched(note) && alone.is_none_or(|alone| note.channel == alone);
        let from = notes.iter().filter(counts).map(|note| note.start).reduce(f64::min)?;
        let within = |note: &&Note| note.start < from + SECONDS;
        let at =
            |note: &Note| Note { start: note.start - from, end: (note.end - from).min(SECONDS), ..*note };
        let notes: Vec<Note> = notes.iter().filter(counts).filter(within).map(at).collect();
        let piece = Piece { name: format!("{name}, {kind}"), song: path.to_owned(), from, muted, notes };
        (piece.notes.len() >= FEW).then_some((kind, piece))
    };
    Ok(forms.into_iter().filter_map(piece).collect())
}

/// All notes of a file, in seconds.
fn notes(bytes: &[u8]) -> Result<Vec<Note>> {
    let (song, _) = Song::from_smf(bytes)?;
    let Division::Ppq(ticks_per_quarter) = song.division else { return Ok(Vec::new()) };
    let of_tracks = song.tracks.iter().flat_map(|track| &track.events);
    let mut events: Vec<(i64, &SmfEvent)> = of_tracks.map(|(tick, event)| (tick.0, event)).collect();
    events.sort_by_key(|event| event.0);
    let (mut seconds, mut tick, mut per_tick) = (0.0, 0, 0.5 / f64::from(ticks_per_quarter));
    let mut programs = [0; 16];
    let mut open: BTreeMap<(u8, u8), (f64, u8)> = BTreeMap::new();
    let mut notes = Vec::new();
    for (at, event) in events {
        seconds += (at - tick) as f64 * per_tick;
        tick = at;
        match event {
            SmfEvent::Meta { kind: 0x51, data } if data.len() == 3 => {
                let micros = u32::from_be_bytes([0, data[0], data[1], data[2]]);
                per_tick = f64::from(micros) * 1e-6 / f64::from(ticks_per_quarter);
            }
            SmfEvent::Channel([status, key, velocity]) => {
                let (kind, channel) = (status & 0xf0, status & 0x0f);
                let mut close = |note: (f64, u8)| {
                    let (start, program) = note;
                    notes.push(Note { start, end: seconds, key: *key, channel, program });
                };
                match (kind, velocity) {
                    (0xc0, _) => programs[usize::from(channel)] = *key,
                    (0x90, 1..) => {
                        let note = (seconds, programs[usize::from(channel)]);
                        open.insert((channel, *key), note).into_iter().for_each(&mut close);
                    }
                    (0x80 | 0x90, _) => open.remove(&(channel, *key)).into_iter().for_each(&mut close),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    notes.retain(|note| note.end > note.start);
    Ok(notes)
}

/// The pianos of all songs by both models, and what that costs.
fn pianos(songs: &[PathBuf], sound_font: &str, folder: &Path) -> Result<bool> {
    println!(
        "| piano of | notes | basic-pitch, onset F1 | with end | piano, onset F1 | with end | CPU s a second |"
    );
    println!("|---|---|---|---|---|---|---|");
    let (mut sums, mut rows) = ([0.0; 5], 0);
    for song in songs {
        let Some(piece) = piano(song).with_context(|| song.display().to_string())? else { continue };
        let mut figures = Vec::new();
        for (model, sample_rate_hz) in [("basic-pitch", "22050"), ("piano", "44100")] {
            let hearing = Hearing { model, sound_font, sample_rate_hz };
            let (heard, cost) = heard(&piece, &hearing, folder).with_context(|| piece.name.clone())?;
            figures.extend([false, true].map(|with_ends| score(&piece.notes, &heard, with_ends).f1()));
            if model == "piano" {
                figures.push(cost);
            }
        }
        let cells: String = figures.iter().map(|figure| format!(" {figure:.2} |")).collect();
        println!("| {} | {} |{cells}", piece.name, piece.notes.len());
        sums.iter_mut().zip(&figures).for_each(|(sum, figure)| *sum += figure);
        rows += 1;
    }
    let means = sums.map(|sum| sum / f64::from(rows.max(1)));
    let cells: String = means.iter().map(|mean| format!(" {mean:.2} |")).collect();
    println!("| **mean of {rows}** | |{cells}");
    let passed = rows >= 5 && means[2] > means[0] && means[3] > means[1];
    println!("transcribe: {}", if passed { "passed" } else { "FAILED" });
    Ok(passed)
}

/// The channels of a song that only have a piano.
fn piano(path: &Path) -> Result<Option<Piece>> {
    let notes = notes(&std::fs::read(path)?)?;
    let is_piano = |channel: u8| {
        let mut own = notes.iter().filter(|note| note.channel == channel).peekable();
        channel != DRUMS && own.peek().is_some() && own.all(|note| note.program < 8)
    };
    let muted = (0..16).filter(|channel| !is_piano(*channel)).map(|channel| channel + 1).collect();
    let own: Vec<&Note> = notes.iter().filter(|note| is_piano(note.channel)).collect();
    let Some(from) = own.iter().map(|note| note.start).reduce(f64::min) else { return Ok(None) };
    let within = own.into_iter().filter(|note| note.start < from + SECONDS);
    let at = |note: &Note| Note { start: note.start - from, end: (note.end - from).min(SECONDS), ..*note };
    let notes: Vec<Note> = within.map(at).collect();
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok((notes.len() >= FEW).then_some(Piece { name, song: path.to_owned(), from, muted, notes }))
}

/// Renders a piece, and hears it; CPU seconds a second of sound.
fn heard(piece: &Piece, hearing: &Hearing<'_>, folder: &Path) -> Result<(Vec<Note>, f64)> {
    let (wav, mid) = (folder.join("piece.wav"), folder.join("piece.mid"));
    let time = |seconds: f64| format!("{seconds:.6}s");
    let mut render = kmidi();
    render.arg("render").arg(&piece.song).arg("-o").arg(&wav).args([
        "--sf",
        hearing.sound_font,
        "-r",
        hearing.sample_rate_hz,
        "--tail",
        "0",
    ]);
    render.args(["--from", &time(piece.from), "--to", &time(piece.from + SECONDS)]);
    if !piece.muted.is_empty() {
        let muted: Vec<String> = piece.muted.iter().map(u8::to_string).collect();
        render.args(["--mute", &muted.join(",")]);
    }
    json(render.arg("--json"))?;
    hear(&wav, &mid, &["--model", hearing.model])
}

/// Hears a recording, with these flags; CPU seconds a second of sound, which are not told where nothing is heard.
fn hear(wav: &Path, mid: &Path, flags: &[&str]) -> Result<(Vec<Note>, f64)> {
    let output = kmidi().arg("transcribe").arg(wav).arg("-o").arg(mid).arg("--json").args(flags).output()?;
    if String::from_utf8_lossy(&output.stderr).contains("no notes were heard") {
        return Ok((Vec::new(), 0.0));
    }
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout)?;
    let heard = told["heard"].as_array().context("no notes are told")?;
    let number =
        |note: &Value, name: &str| note[name].as_f64().with_context(|| format!("a note without {name}"));
    let note = |note: &Value| {
        Ok(Note {
            start: number(note, "start_seconds")?,
            end: number(note, "end_seconds")?,
            key: number(note, "key")? as u8,
            channel: 0,
            program: 0,
        })
    };
    let cost = number(&told, "cpu_seconds")? / number(&told, "duration_seconds")?;
    Ok((heard.iter().map(note).collect::<Result<_>>()?, cost))
}

fn kmidi() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kmidi"));
    command.env("KMIDI_CONFIG", "/dev/null");
    command
}

fn json(command: &mut Command) -> Result<Value> {
    let output = command.output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// As many pairs as there can be of a note and one that was heard.
fn score(truth: &[Note], heard: &[Note], with_ends: bool) -> Score {
    let near = |a: f64, b: f64, most: f64| ((a - b).abs() * 1e4).round() / 1e4 <= most + 1e-9;
    let matches = |truth: &Note, heard: &Note| {
        let end = (0.2 * (truth.end - truth.start)).max(0.05);
        truth.key == heard.key
            && near(truth.start, heard.start, 0.05)
            && (!with_ends || near(truth.end, heard.end, end))
    };
    let candidates: Vec<Vec<usize>> =
        truth.iter().map(|note| (0..heard.len()).filter(|n| matches(note, &heard[*n])).collect()).collect();
    let mut partner = vec![None; heard.len()];
    let pairs = |note: usize| pair(note, &candidates, &mut partner, &mut vec![false; heard.len()]);
    let right = (0..truth.len()).map(pairs).filter(|found| *found).count();
    Score { truth: truth.len(), heard: heard.len(), right }
}

/// Finds a partner for a note, if need be by finding another for whose it is.
fn pair(note: usize, candidates: &[Vec<usize>], partner: &mut [Option<usize>], tried: &mut [bool]) -> bool {
    for candidate in &candidates[note] {
        if std::mem::replace(&mut tried[*candidate], true) {
            continue;
        }
        let free = match partner[*candidate] {
            None => true,
            Some(other) => pair(other, candidates, partner, tried),
        };
        if free {
            partner[*candidate] = Some(note);
            return true;
        }
    }
    false
}
