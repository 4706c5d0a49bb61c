//! The four synthesisers, each as the command that renders a song to a WAV file.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// Voices at once; rustysynth takes no more than 256.
pub const POLYPHONY: u32 = 1024;

/// A synthesiser.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// `kmidi render`.
    KmiDi,
    /// `fluidsynth`.
    FluidSynth,
    /// `timidity`.
    TiMidity,
    /// The library, in a process of its own.
    RustySynth,
}

impl Engine {
    /// All of them; the first is what the others are compared with.
    pub const ALL: [Engine; 4] = [Engine::KmiDi, Engine::FluidSynth, Engine::TiMidity, Engine::RustySynth];

    /// What it is called in the table.
    pub fn name(self) -> &'static str {
        match self {
            Engine::KmiDi => "KmiDi",
            Engine::FluidSynth => "FluidSynth",
            Engine::TiMidity => "TiMidity",
            Engine::RustySynth => "rustysynth",
        }
    }
}

/// Whether reverb and chorus are on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Effects {
    /// Off.
    Dry,
    /// On, as each has them.
    Wet,
}

impl Effects {
    /// What it is called in the table.
    pub fn name(self) -> &'static str {
        match self {
            Effects::Dry => "dry",
            Effects::Wet => "wet",
        }
    }
}

/// Where the programs and their files are.
pub struct Commands {
    kmidi: PathBuf,
    own: PathBuf,
    soundfont: PathBuf,
    timidity_config: PathBuf,
}

impl Commands {
    /// With the `kmidi` to measure; `folder` takes a file for TiMidity.
    pub fn new(kmidi: PathBuf, soundfont: &Path, folder: &Path) -> Result<Self> {
        let own = std::env::current_exe().context("cannot find this program's own file")?;
        let timidity_config = folder.join("timidity.cfg");
        // The same SoundFont and nothing else: Debian's settings change the loudness of each program.
        std::fs::write(&timidity_config, format!("soundfont \"{}\"\n", soundfont.display()))?;
        Ok(Self { kmidi, own, soundfont: soundfont.to_owned(), timidity_config })
    }

    /// Renders `song` to `wav`.
    pub fn render(&self, engine: Engine, effects: Effects, song: &Path, wav: &Path) -> Command {
        match engine {
            Engine::KmiDi => self.kmidi(effects, song, wav),
            Engine::FluidSynth => self.fluidsynth(effects, song, wav),
            Engine::TiMidity => self.timidity(effects, song, wav),
            Engine::RustySynth => {
                let mut command = Command::new(&self.own);
                command.arg("rustysynth").arg(effects.name()).args([self.soundfont.as_path(), song, wav]);
                command
            }
        }
    }

    /// Loads what `song` needs and renders next to nothing; `empty` is a song without events.
    /// None for TiMidity, which loads as it goes.
    pub fn load(&self, engine: Engine, song: &Path, empty: &Path, wav: &Path) -> Option<Command> {
        match engine {
            Engine::KmiDi => {
                let mut command = self.kmidi(Effects::Dry, song, wav);
                command.args(["--to", "0.01s", "--tail", "0"]);
                Some(command)
            }
            Engine::FluidSynth | Engine::RustySynth => Some(self.render(engine, Effects::Dry, empty, wav)),
            Engine::TiMidity => None,
        }
    }

    fn kmidi(&self, effects: Effects, song: &Path, wav: &Path) -> Command {
        let mut command = Command::new(&self.kmidi);
        command
            .args(["render", "--json", "--polyphony", &POLYPHONY.to_string(), "--sf"])
            .arg(&self.soundfont);
        if effects == Effects::Dry {
            command.arg("--no-effects");
        }
        command.arg("-o").args([wav, song]);
        command
    }

    fn timidity(&self, effects: Effects, song: &Path, wav: &Path) -> Command {
        let mut command = Command::new("timidity");
        command.arg("-c").arg(&self.timidity_config);
        // Silence at the start counts too. Noise shaping is no part of what the others do.
        command.args(["-Ow", "-s", "48000", "--preserve-silence", "--no-polyphony-reduction", "-EFns=0"]);
        // At its own loudness the songs clip.
        command.arg("-A10").arg(format!("-p{POLYPHONY}"));
        if effects == Effects::Dry {
            command.args(["-EFreverb=d", "-EFchorus=d", "-EFdelay=d"]);
        }
        command.arg("-o").args([wav, song]);
        command
    }

    fn fluidsynth(&self, effects: Effects, song: &Path, wav: &Path) -> Command {
        let on = if effects == Effects::Wet { "1" } else { "0" };
        let mut command = Command::new("fluidsynth");
        command.args(["-ni", "-q", "-g", "0.2", "-r", "48000", "-T", "wav", "-O", "s16", "-R", on, "-C", on]);
        command.args(["-o", &format!("synth.polyphony={POLYPHONY}"), "-F"]);
        command.args([wav, &self.soundfont, song]);
        command
    }
}
