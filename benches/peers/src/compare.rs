//! The measurements: each song through each engine, dry and wet, in turns.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::engine::{Commands, Effects, Engine};
use crate::likeness::Likeness;
use crate::measure::{self, Usage};
use crate::songs::{self, Piece};
use crate::sound;
use crate::table::Row;
use crate::voices::VoiceCounter;

/// Runs of each; the least time counts.
const ROUNDS: usize = 2;

/// What of a song is compared by its sound.
const HEARD_SECONDS: u32 = 60;

/// Measures, and collects what came out.
pub struct Comparison {
    commands: Commands,
    counter: VoiceCounter,
    folder: PathBuf,
    /// Results so far.
    pub rows: Vec<Row>,
    /// What the table cannot say.
    pub notes: Vec<String>,
}

impl Comparison {
    /// With `folder` for its files.
    pub fn new(commands: Commands, soundfont: &Path, folder: &Path) -> Result<Self> {
        std::fs::write(folder.join("empty.mid"), songs::empty()?)?;
        let counter = VoiceCounter::build(soundfont, folder)?;
        Ok(Self { commands, counter, folder: folder.to_owned(), rows: Vec::new(), notes: Vec::new() })
    }

    /// Measures one song dry and wet.
    pub fn song(&mut self, piece: &Piece) -> Result<()> {
        eprintln!("  voices");
        let voices = self.counter.count(&piece.file)?;
        if voices.most > crate::rusty::POLYPHONY as u64 {
            let most = voices.most;
            self.note(format!("{}: up to {most} voices, which rustysynth's 256 do not hold", piece.name));
        }
        let loading = Engine::ALL.map(|engine| self.loading(engine, &piece.file));
        for effects in [Effects::Dry, Effects::Wet] {
            let usages = self.rounds(piece, effects);
            for ((engine, usage), loading) in Engine::ALL.into_iter().zip(usages).zip(&loading) {
                let Some(usage) = usage else { continue };
                let voice_samples = match engine {
                    Engine::KmiDi => voice_samples(&usage.stdout),
                    Engine::FluidSynth => Some(voices.samples),
                    Engine::TiMidity | Engine::RustySynth => None,
                };
                self.check_length(piece, effects, engine)?;
                self.rows.push(Row {
                    song: piece.name.clone(),
                    effects,
                    engine,
                    cpu: usage.cpu_seconds,
                    loading: *loading,
                    pss: usage.peak_pss_mib,
                    voice_samples,
                    likeness: if effects == Effects::Dry { self.likeness(engine)? } else { None },
                    onset: None,
                });
            }
        }
        Ok(())
    }

    /// Measures how exactly notes come.
    pub fn clicks(&mut self) -> Result<()> {
        let piece = Piece { name: "200 strokes".to_owned(), file: self.folder.join("clicks.mid") };
        std::fs::write(&piece.file, songs::clicks()?)?;
        let due = songs::click_frames();
        for engine in Engine::ALL {
            let loading = self.loading(engine, &piece.file);
            let Some(usage) = self.run(&piece, Effects::Dry, engine) else { continue };
            let onset = sound::onset_error(&sound::read(&self.wav(engine), 600)?, &due);
            self.rows.push(Row {
                song: piece.name.clone(),
                effects: Effects::Dry,
                engine,
                cpu: usage.cpu_seconds,
                loading,
                pss: usage.peak_pss_mib,
                voice_samples: None,
                likeness: None,
                onset,
            });
        }
        Ok(())
    }

    /// All engines in turns, so that what else the machine does meets each alike.
    fn rounds(&mut self, piece: &Piece, effects: Effects) -> [Option<Usage>; 4] {
        let mut best: [Option<Usage>; 4] = [const { None }; 4];
        for round in 1..=ROUNDS {
            for (engine, best) in Engine::ALL.into_iter().zip(&mut best) {
                eprintln!("  {}, {}, {round} of {ROUNDS}", effects.name(), engine.name());
                let Some(usage) = self.run(piece, effects, engine) else { continue };
                *best = Some(match best.take() {
                    None => usage,
                    Some(before) => Usage {
                        cpu_seconds: before.cpu_seconds.min(usage.cpu_seconds),
                        peak_pss_mib: before.peak_pss_mib.max(usage.peak_pss_mib),
                        ..usage
                    },
                });
            }
        }
        best
    }

    /// One run; one that fails becomes a note.
    fn run(&mut self, piece: &Piece, effects: Effects, engine: Engine) -> Option<Usage> {
        let wav = self.wav(engine);
        // Nobody may be charged for the file of the run before.
        let _ = std::fs::remove_file(&wav);
        let result = measure::run(&mut self.commands.render(engine, effects, &piece.file, &wav));
        result.map_err(|error| self.note(format!("{}, {}: {error:#}", piece.name, effects.name()))).ok()
    }

    /// Processor time that loading takes, where it can be told.
    fn loading(&mut self, engine: Engine, song: &Path) -> Option<f64> {
        let wav = self.folder.join("loading.wav");
        let mut least: Option<f64> = None;
        for _ in 0..ROUNDS {
            let _ = std::fs::remove_file(&wav);
            let mut command = self.commands.load(engine, song, &self.folder.join("empty.mid"), &wav)?;
            match measure::run(&mut command) {
                Ok(usage) => least = Some(least.map_or(usage.cpu_seconds, |it| it.min(usage.cpu_seconds))),
                Err(error) => self.note(format!("loading in {}: {error:#}", engine.name())),
            }
        }
        least
    }

    /// The start of the song as `engine` has just rendered it, beside FluidSynth's.
    fn likeness(&self, engine: Engine) -> Result<Option<Likeness>> {
        let reference = self.wav(Engine::FluidSynth);
        if engine == Engine::FluidSynth || !reference.exists() {
            return Ok(None);
        }
        let sound = sound::read(&self.wav(engine), HEARD_SECONDS)?;
        Ok(Some(Likeness::of(&sound, &sound::read(&reference, HEARD_SECONDS)?)))
    }

    /// An engine that stopped early, or went on for long, did other work.
    fn check_length(&mut self, piece: &Piece, effects: Effects, engine: Engine) -> Result<()> {
        let own = sound::seconds(&self.wav(Engine::KmiDi))?;
        let other = sound::seconds(&self.wav(engine))?;
        if (other / own - 1.0).abs() > 0.01 {
            let (song, effects, name) = (&piece.name, effects.name(), engine.name());
            self.note(format!("{song}, {effects}: {name}'s file lasts {other:.1} s, KmiDi's {own:.1} s"));
        }
        Ok(())
    }

    fn wav(&self, engine: Engine) -> PathBuf {
        self.folder.join(engine.name()).with_extension("wav")
    }

    fn note(&mut self, note: String) {
        eprintln!("  {note}");
        self.notes.push(note);
    }
}

/// The field of `kmidi render --json`, which earlier versions do not have.
fn voice_samples(stdout: &str) -> Option<u64> {
    serde_json::from_str::<serde_json::Value>(stdout).ok()?.get("voice_samples")?.as_u64()
}
