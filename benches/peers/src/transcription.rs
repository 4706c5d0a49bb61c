//! The same recordings heard by KmiDi and by the Python package whose model it has.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::measure::{self, Usage};

/// What the figures mean.
pub const LEGEND: &str = "\
CPU: user and system time of the process from its start to its end; loading: the same with 100 ms of silence; both the least of
the rounds, which go through the two in turns. Net: what is beyond loading. Both have one thread for the network. Pss: the most
seen, each 20 ms. Equal: notes of the same key that begin and end in the same frame (12 ms); the package leaves out the last hundredth
of a recording, which is not counted. A row with fewer than 90 % of them equal is void.
";

/// Runs of each; the least time counts.
const ROUNDS: usize = 3;
/// As both hear: nothing is resampled.
const RATE_HZ: u32 = 22_050;
/// A song's recording is no longer: the package holds all of it.
const MOST_SECONDS: u64 = 120;
const SONGS: [&str; 3] = ["freedoom1_D_E1M1", "freedoom1_D_E1M5", "freedoom2_D_ROMERO"];
/// Seconds that a frame lasts.
const FRAME: f64 = 256.0 / RATE_HZ as f64;

/// What one of the two took.
#[derive(Clone, Copy)]
struct Taken {
    cpu: f64,
    loading: f64,
    pss_mib: f64,
}

impl Taken {
    fn net(self) -> f64 {
        self.cpu - self.loading
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Note {
    start: f64,
    end: f64,
    key: u64,
}

/// Measures all songs, and prints a line for each as soon as it is there.
pub struct Transcription {
    kmidi: PathBuf,
    python: PathBuf,
    folder: PathBuf,
    seconds: u64,
}

impl Transcription {
    /// With `folder` for files, and a `python` that has basic-pitch.
    pub fn new(kmidi: &Path, python: &Path, folder: &Path, seconds: u64) -> Self {
        let (kmidi, python, folder) = (kmidi.to_owned(), python.to_owned(), folder.to_owned());
        Transcription { kmidi, python, folder, seconds: seconds.min(MOST_SECONDS) }
    }

    /// Measures, and prints the table.
    pub fn run(&self) -> Result<()> {
        println!("{}\n", self.versions()?);
        print!("{}", line(&HEADINGS.map(str::to_owned)));
        print!("{}", line(&HEADINGS.map(|_| "---".to_owned())));
        let silence = self.folder.join("silence.wav");
        write_silence(&silence)?;
        for song in SONGS {
            eprintln!("transcription of {song}");
            print!("{}", self.song(song, &silence)?);
        }
        println!("\n{LEGEND}");
        Ok(())
    }

    fn versions(&self) -> Result<String> {
        let program = "import importlib.metadata as m, platform\n\
                       print('; '.join(f'{p} {m.version(p)}' for p in ('basic-pitch', 'onnxruntime', 'numpy')) + '; Python ' + platform.python_version())";
        let usage = measure::run(Command::new(&self.python).args(["-c", program]))?;
        Ok(usage.stdout.trim().to_owned())
    }

    fn song(&self, name: &str, silence: &Path) -> Result<String> {
        let wav = self.folder.join(name).with_extension("wav");
        self.render(name, &wav)?;
        let (mut own, mut package) = (None, None);
        for round in 1..=ROUNDS {
            eprintln!("  {round} of {ROUNDS}");
            own = Some(take(own, &mut |sound| self.own(sound), silence, &wav)?);
            package = Some(take(package, &mut |sound| self.package(sound), silence, &wav)?);
        }
        let (own, package) = (own.context("it has run")?, package.context("it has run")?);
        let (ours, theirs) = (notes(&own.1)?, notes(&package.1)?);
        Ok(row(name, (own.0, &ours), (package.0, &theirs)))
    }

    fn render(&self, name: &str, wav: &Path) -> Result<()> {
        let song = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/midi/freedoom").join(name);
        let mut render = Command::new(&self.kmidi);
        render.arg("render").arg(song.with_extension("mid")).arg("-o").arg(wav);
        render.args(["--sf", "built-in", "--mute", "10", "--tail", "0", "-r", &RATE_HZ.to_string()]);
        measure::run(render.args(["--to", &format!("{}s", self.seconds)])).map(drop)
    }

    fn own(&self, sound: &Path) -> Command {
        let mut command = Command::new(&self.kmidi);
        command.arg("transcribe").arg(sound).arg("-o").arg(self.folder.join("heard.mid")).arg("--json");
        command
    }

    fn package(&self, sound: &Path) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/src/transcription/listen.py")).arg(sound);
        command.env("OMP_NUM_THREADS", "1").env("OPENBLAS_NUM_THREADS", "1");
        command
    }
}

/// Runs one of the two on nothing and on a recording; the least so far, and what it printed.
fn take(
    before: Option<(Taken, String)>,
    command: &mut dyn FnMut(&Path) -> Command,
    silence: &Path,
    sound: &Path,
) -> Result<(Taken, String)> {
    // Of silence one of them says that no notes were heard, with exit code 1.
    let loading = measure::run_to(&[0, 1], &mut command(silence))?.cpu_seconds;
    let Usage { cpu_seconds, peak_pss_mib, stdout } = measure::run(&mut command(sound))?;
    let now = Taken { cpu: cpu_seconds, loading, pss_mib: peak_pss_mib };
    let taken = before.map_or(now, |(before, _)| Taken {
        cpu: before.cpu.min(now.cpu),
        loading: before.loading.min(now.loading),
        pss_mib: before.pss_mib.max(now.pss_mib),
    });
    Ok((taken, stdout))
}

fn notes(printed: &str) -> Result<Vec<Note>> {
    let printed: Value = serde_json::from_str(printed.trim())?;
    let heard = printed["heard"].as_array().context("no notes are told")?;
    let note = |note: &Value| {
        let number = |name: &str| note[name].as_f64().with_context(|| format!("a note without {name}"));
        let key = note["key"].as_u64().context("a note without key")?;
        Ok(Note { start: number("start_seconds")?, end: number("end_seconds")?, key })
    };
    let notes = heard.iter().map(note).collect::<Result<Vec<_>>>()?;
    ensure!(!notes.is_empty(), "nothing was heard");
    Ok(notes)
}

/// Of how many notes that begin before `end` there is the same on the other side.
fn equal(notes: &[Note], others: &[Note], end: f64) -> (usize, usize) {
    let near = |a: f64, b: f64| (a - b).abs() < FRAME;
    let same = |a: &Note, b: &Note| a.key == b.key && near(a.start, b.start) && near(a.end, b.end);
    let counted: Vec<&Note> = notes.iter().filter(|note| note.end < end).collect();
    let found = counted.iter().filter(|note| others.iter().any(|other| same(note, other))).count();
    (found, counted.len())
}

const HEADINGS: [&str; 10] = [
    "song",
    "KmiDi CPU s",
    "net s",
    "peak Pss MiB",
    "basic-pitch CPU s",
    "net s",
    "peak Pss MiB",
    "net, KmiDi ÷ basic-pitch",
    "Pss, KmiDi ÷ basic-pitch",
    "equal notes",
];

fn row(name: &str, own: (Taken, &[Note]), package: (Taken, &[Note])) -> String {
    let ((own, ours), (package, theirs)) = (own, package);
    let last = |notes: &[Note]| notes.iter().map(|note| note.end).fold(0.0, f64::max);
    // Behind its last note the package may have left something out.
    let end = last(theirs).min(last(ours)) - 1.0;
    let (found, of) = equal(theirs, ours, end);
    let (_, own_of) = equal(ours, theirs, end);
    let is_void = found * 10 < of.max(own_of) * 9;
    let ratio =
        |own: f64, other: f64| if is_void { "**void**".to_owned() } else { format!("{:.2}", own / other) };
    line(&[
        name.to_owned(),
        format!("{:.2}", own.cpu),
        format!("{:.2}", own.net()),
        format!("{:.0}", own.pss_mib),
        format!("{:.2}", package.cpu),
        format!("{:.2}", package.net()),
        format!("{:.0}", package.pss_mib),
        ratio(own.net(), package.net()),
        ratio(own.pss_mib, package.pss_mib),
        format!("{found} of {of} (KmiDi has {own_of})"),
    ])
}

fn line(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

fn write_silence(path: &Path) -> Result<()> {
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: RATE_HZ,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(path, spec)?;
    (0..2 * RATE_HZ / 10).try_for_each(|_| file.write_sample(0i16))?;
    Ok(file.finalize()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_in_which_other_notes_were_heard_is_void() {
        let taken = Taken { cpu: 3.0, loading: 1.0, pss_mib: 100.0 };
        let notes: Vec<Note> =
            (0..100).map(|n| Note { start: f64::from(n), end: f64::from(n) + 0.5, key: 60 }).collect();
        let moved: Vec<Note> = notes.iter().map(|note| Note { start: note.start + 0.02, ..*note }).collect();
        assert!(!row("a", (taken, &notes), (taken, &notes)).contains("void"));
        assert_eq!(row("a", (taken, &moved), (taken, &notes)).matches("**void**").count(), 2);
    }
}
