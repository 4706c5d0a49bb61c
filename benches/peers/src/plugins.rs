//! The same VST3 effect over the same file in KmiDi, pedalboard and dawdreamer, and with no host at all.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::measure::{self, Usage};

/// What the figures mean.
pub const LEGEND: &str = "\
CPU: user and system time of the process from its start to its end, files included; loading: the same with a
file of 10 ms; both the least of the rounds, which go through the hosts in turns. Chain: processor time of the
processing alone, without files, as the program itself takes it: `chain_cpu_seconds` of `kmidi fx --json`,
around `process` in pedalboard, around `render` in dawdreamer, around the loop of calls without a host. Over
bare: what that is beyond the loop, for each block. Residue: the difference from the loop's output, against
that output; the row `input` shows what it is where nothing is done. All set the effect before its first frame
and run it offline; a host whose residue is above -100 dB did other work, and its row is void.
";

/// Runs of each; the least time counts.
const ROUNDS: usize = 5;
const RATE_HZ: u32 = 48_000;
/// Above this two outputs are not the same.
const SAME_DB: f64 = -100.0;

/// An effect, with settings that do something: name, value as a person writes it, and the same from 0 to 1.
struct Effect {
    bundle: &'static str,
    id: &'static str,
    channels: u16,
    settings: &'static [(&'static str, &'static str, f64)],
}

const EFFECTS: [Effect; 2] = [
    Effect {
        bundle: "ZamEQ2",
        id: "vst3:2046504473616C633251455A00000000",
        channels: 1,
        settings: &[("Master Gain", "6", 0.75)],
    },
    Effect {
        bundle: "ZamCompX2",
        id: "vst3:2046504473616C633250435A00000000",
        channels: 2,
        settings: &[("Threshold", "-30", 0.625), ("Makeup", "6", 0.2)],
    },
];

/// Frames of a block.
const BLOCKS: [u32; 2] = [64, 256];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Host {
    Bare,
    KmiDi,
    Pedalboard,
    DawDreamer,
}

impl Host {
    const ALL: [Host; 4] = [Host::Bare, Host::KmiDi, Host::Pedalboard, Host::DawDreamer];

    fn name(self) -> &'static str {
        match self {
            Host::Bare => "no host",
            Host::KmiDi => "KmiDi",
            Host::Pedalboard => "pedalboard",
            Host::DawDreamer => "dawdreamer",
        }
    }
}

/// What one host took.
struct Taken {
    cpu: f64,
    loading: f64,
    chain: f64,
    residue_db: f64,
}

/// Measures all effects and prints a line for each as soon as it is there.
pub struct Plugins {
    kmidi: PathBuf,
    python: PathBuf,
    bare: PathBuf,
    folder: PathBuf,
    seconds: u64,
}

impl Plugins {
    /// With `folder` for files, and a `python` that has the two hosts.
    pub fn new(kmidi: &Path, python: &Path, folder: &Path, seconds: u64) -> Result<Self> {
        let own = std::env::current_exe().context("cannot find this program's own file")?;
        let bare = own.with_file_name("bare");
        ensure!(bare.is_file(), "{} is not there: build the whole crate", bare.display());
        let (kmidi, python, folder) = (kmidi.to_owned(), python.to_owned(), folder.to_owned());
        Ok(Plugins { kmidi, python, bare, folder, seconds })
    }

    /// Measures, and prints the table.
    pub fn run(&self) -> Result<()> {
        self.scan()?;
        println!("{}\n", self.versions()?);
        print!("{}", heading());
        for effect in &EFFECTS {
            for block in BLOCKS {
                eprintln!("{}, blocks of {block}", effect.bundle);
                self.effect(effect, block)?;
            }
        }
        println!("\n{LEGEND}");
        Ok(())
    }

    /// The index that `kmidi fx` reads, in a folder of this run.
    fn scan(&self) -> Result<()> {
        eprintln!("scanning plugins");
        measure::run(self.kmidi().args(["plugin", "scan", "--json"])).map(drop)
    }

    fn kmidi(&self) -> Command {
        let mut command = Command::new(&self.kmidi);
        command.env("XDG_CACHE_HOME", self.folder.join("cache"));
        command
    }

    fn versions(&self) -> Result<String> {
        let program = "import importlib.metadata as m, platform\n\
                       print('; '.join(f'{p} {m.version(p)}' for p in ('pedalboard', 'dawdreamer', 'numpy')) + '; Python ' + platform.python_version())";
        let usage = measure::run(Command::new(&self.python).args(["-c", program]))?;
        Ok(usage.stdout.trim().to_owned())
    }

    fn effect(&self, effect: &Effect, block: u32) -> Result<()> {
        let ids = self.ids(effect)?;
        let (long, short) = (self.folder.join("in.wav"), self.folder.join("short.wav"));
        let frames = self.seconds * u64::from(RATE_HZ);
        write_sound(&long, effect.channels, frames)?;
        write_sound(&short, effect.channels, u64::from(RATE_HZ) / 100)?;
        let mut best: [Option<Taken>; 4] = [const { None }; 4];
        for round in 1..=ROUNDS {
            for (host, best) in Host::ALL.into_iter().zip(&mut best) {
                eprintln!("  {}, {round} of {ROUNDS}", host.name());
                let loading = measure::run(&mut self.command(host, effect, block, &ids, &short))?.cpu_seconds;
                let usage = measure::run(&mut self.command(host, effect, block, &ids, &long))?;
                let chain = chain_seconds(&usage)?;
                *best = Some(match best.take() {
                    None => Taken { cpu: usage.cpu_seconds, loading, chain, residue_db: 0.0 },
                    Some(before) => Taken {
                        cpu: before.cpu.min(usage.cpu_seconds),
                        loading: before.loading.min(loading),
                        chain: before.chain.min(chain),
                        ..before
                    },
                });
            }
        }
        let mut taken = best.map(|it| it.expect("each has run"));
        let reference = self.output(Host::Bare, effect, frames)?;
        for (host, taken) in Host::ALL.into_iter().zip(&mut taken) {
            taken.residue_db = residue_db(&self.output(host, effect, frames)?, &reference);
        }
        let input = residue_db(&read_wav(&long)?, &reference);
        print!("{}", lines(effect, block, frames.div_ceil(block.into()), &taken, input));
        Ok(())
    }

    /// The ids of the parameters that are set.
    fn ids(&self, effect: &Effect) -> Result<Vec<u64>> {
        let described = measure::run(self.kmidi().args(["plugin", "info", effect.id, "--json"]))?;
        let described: Value = serde_json::from_str(&described.stdout)?;
        let all = described["parameters"].as_array().context("a plugin has parameters")?;
        let id = |(name, ..): &(&str, &str, f64)| {
            let found = all.iter().find(|parameter| parameter["name"] == *name);
            found.and_then(|it| it["id"].as_u64()).with_context(|| format!("there is no parameter {name}"))
        };
        effect.settings.iter().map(id).collect()
    }

    fn command(&self, host: Host, effect: &Effect, block: u32, ids: &[u64], input: &Path) -> Command {
        let output = self.output_file(host);
        // Nobody may be charged for the file of the run before.
        let _ = std::fs::remove_file(&output);
        let bundle = Path::new("/usr/lib/vst3").join(effect.bundle).with_extension("vst3");
        let block = block.to_string();
        let settings = effect.settings.iter();
        match host {
            Host::Bare => {
                let mut command = Command::new(&self.bare);
                command.arg(bundle).args([input, &output]).arg(block);
                command.args(settings.zip(ids).map(|((_, _, value), id)| format!("{id}={value}")));
                command
            }
            Host::KmiDi => {
                let mut command = self.kmidi();
                command.arg("fx").arg(input).arg("-o").arg(output);
                command.args([
                    "--json",
                    "--bits",
                    "32f",
                    "--tail",
                    "0",
                    "--quantum",
                    &block,
                    "-p",
                    effect.id,
                ]);
                command
                    .args(settings.flat_map(|(name, text, _)| ["-c".to_owned(), format!("{name}={text}")]));
                command
            }
            Host::Pedalboard | Host::DawDreamer => {
                let mut command = Command::new(&self.python);
                command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/src/plugins/host.py"));
                command.arg(host.name()).arg(bundle).args([input, &output]).arg(block);
                command.args(settings.map(|(name, _, value)| format!("{name}={value}")));
                command
            }
        }
    }

    fn output_file(&self, host: Host) -> PathBuf {
        let extension = if host == Host::KmiDi { "wav" } else { "f32" };
        self.folder.join(host.name()).with_extension(extension)
    }

    /// Interleaved samples of the last run.
    fn output(&self, host: Host, effect: &Effect, frames: u64) -> Result<Vec<f32>> {
        let file = self.output_file(host);
        let sound = match host {
            Host::KmiDi => read_wav(&file)?,
            _ => {
                let bytes = std::fs::read(&file)?;
                let (samples, _) = bytes.as_chunks::<4>();
                samples.iter().map(|it| f32::from_le_bytes(*it)).collect()
            }
        };
        let wanted = frames * u64::from(effect.channels);
        ensure!(sound.len() as u64 == wanted, "{}: {} samples, not {wanted}", host.name(), sound.len());
        Ok(sound)
    }
}

/// The last line of what a host prints; plugins print too.
fn chain_seconds(usage: &Usage) -> Result<f64> {
    let objects = usage.stdout.rfind("{\"").or_else(|| usage.stdout.find('{'));
    let parsed = objects.and_then(|at| {
        // `kmidi` prints one object over many lines.
        let whole = serde_json::from_str::<Value>(usage.stdout.trim()).ok();
        whole.or_else(|| serde_json::from_str(usage.stdout[at..].trim()).ok())
    });
    match parsed.as_ref().and_then(|it| it["chain_cpu_seconds"].as_f64()) {
        Some(seconds) => Ok(seconds),
        None => bail!("a host did not say what the processing took: {}", usage.stdout.trim()),
    }
}

/// Noise whose level goes up and down, so that a compressor has something to do.
fn write_sound(path: &Path, channels: u16, frames: u64) -> Result<()> {
    let spec = hound::WavSpec {
        channels,
        sample_rate: RATE_HZ,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(path, spec)?;
    let mut seed = 1u32;
    for frame in 0..frames {
        let level = 0.25 * (1.0 + (frame as f64 / 30_000.0).sin());
        for _ in 0..channels {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            file.write_sample((f64::from(seed as i32 >> 16) * level) as i16)?;
        }
    }
    Ok(file.finalize()?)
}

/// Interleaved samples of a file of 16-bit integers or floats.
fn read_wav(path: &Path) -> Result<Vec<f32>> {
    let mut reader = hound::WavReader::open(path)?;
    Ok(match reader.spec().sample_format {
        hound::SampleFormat::Float => reader.samples().collect::<Result<_, _>>()?,
        hound::SampleFormat::Int => {
            let samples = reader.samples::<i16>().map(|it| it.map(|it| f32::from(it) / 32768.0));
            samples.collect::<Result<_, _>>()?
        }
    })
}

fn residue_db(sound: &[f32], reference: &[f32]) -> f64 {
    let energy = |samples: &mut dyn Iterator<Item = f64>| samples.map(|it| it * it).sum::<f64>();
    let pairs = sound.iter().zip(reference);
    let difference = energy(&mut pairs.map(|(one, other)| f64::from(*one) - f64::from(*other)));
    10.0 * (difference / energy(&mut reference.iter().map(|it| f64::from(*it)))).log10()
}

const HEADINGS: [&str; 9] = [
    "effect",
    "block",
    "host",
    "CPU s",
    "loading s",
    "net s",
    "chain µs a block",
    "over bare µs a block",
    "residue dB",
];

fn heading() -> String {
    line(&HEADINGS.map(str::to_owned)) + &line(&HEADINGS.map(|_| "---".to_owned()))
}

fn line(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

fn lines(effect: &Effect, block: u32, blocks: u64, taken: &[Taken; 4], input_db: f64) -> String {
    let mut text = String::new();
    let per_block = |seconds: f64| format!("{:.3}", seconds * 1e6 / blocks as f64);
    for (host, it) in Host::ALL.into_iter().zip(taken) {
        let over = match host {
            Host::Bare => "–".to_owned(),
            _ if it.residue_db > SAME_DB => "**void**".to_owned(),
            _ => per_block(it.chain - taken[0].chain),
        };
        let residue = if it.residue_db == f64::NEG_INFINITY {
            "none".to_owned()
        } else {
            format!("{:.1}", it.residue_db)
        };
        text += &line(&[
            effect.bundle.to_owned(),
            block.to_string(),
            host.name().to_owned(),
            format!("{:.2}", it.cpu),
            format!("{:.2}", it.loading),
            format!("{:.2}", it.cpu - it.loading),
            per_block(it.chain),
            over,
            residue,
        ]);
    }
    let dashes = "– | ".repeat(5);
    writeln!(text, "| {} | {block} | input | {dashes}{input_db:.1} |", effect.bundle)
        .expect("a string takes any text");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_did_nothing_is_void() {
        let reference: Vec<f32> = (0..1000).map(|n| (n as f32 * 0.1).sin()).collect();
        let half: Vec<f32> = reference.iter().map(|it| it / 2.0).collect();
        assert_eq!(residue_db(&reference, &reference), f64::NEG_INFINITY);
        let residue = residue_db(&half, &reference);
        assert!((residue + 6.02).abs() < 0.01, "{residue}");
        let taken = [f64::NEG_INFINITY, -150.0, residue, -99.0].map(|residue_db| Taken {
            cpu: 1.0,
            loading: 0.1,
            chain: 0.5,
            residue_db,
        });
        let text = lines(&EFFECTS[0], 64, 1000, &taken, 0.0);
        assert_eq!(text.matches("**void**").count(), 2, "{text}");
    }
}
