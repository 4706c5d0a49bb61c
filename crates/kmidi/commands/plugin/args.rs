use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use kmidi_session::plugins::{Format, Kind};

const AFTER_HELP: &str = "\
Plugins are CLAP, VST3 and LV2. They are looked for in the standard folders of each format and in CLAP_PATH, VST3_PATH
and LV2_PATH. Each is asked by a process of its own, kmidi-probe: one that crashes, hangs or exits costs nothing but
itself, and `kmidi plugin list --failed` says why.

EXAMPLES:
  kmidi plugin scan                      find what is installed; only what has changed is asked again
  kmidi plugin list --kind instrument    what there is
  kmidi plugin info ZamComp              ports and parameters, by name or by id";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Plugin {
    #[command(subcommand)]
    pub what: What,
}

#[derive(Debug, Subcommand)]
pub enum What {
    /// Find the plugins that are installed, and ask each new one what it is
    Scan(Scan),
    /// List the plugins that the last scan found
    List(List),
    /// Describe a plugin: ports and parameters
    Info(Info),
    /// List the presets that come with a plugin; the plugin is started for that
    Presets(Info),
}

impl Plugin {
    pub fn wants_json(&self) -> bool {
        match &self.what {
            What::Scan(args) => args.json,
            What::List(args) => args.json,
            What::Info(args) | What::Presets(args) => args.json,
        }
    }
}

#[derive(Debug, Args)]
pub struct Scan {
    /// Further folders to look in, for plugins of any format
    #[arg(long = "plugin-folder", value_name = "FOLDER", value_delimiter = ',')]
    pub folders: Vec<PathBuf>,
    /// How many seconds a plugin may take before it is given up
    #[arg(long, value_name = "S", default_value = "30", value_parser = seconds)]
    pub timeout: Duration,
    /// Ask those again that have failed before
    #[arg(long)]
    pub retry: bool,
    /// Ask all plugins again, also those that have not changed
    #[arg(long)]
    pub all: bool,
    /// Print one JSON object on stdout at the end
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct List {
    /// Only of this format
    #[arg(long, value_enum)]
    pub format: Option<OfFormat>,
    /// Only of this kind
    #[arg(long, value_enum)]
    pub kind: Option<OfKind>,
    /// What cannot be used, and why, instead
    #[arg(long)]
    pub failed: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Info {
    /// Plugin: its id, or its name where only one has it
    pub plugin: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum OfFormat {
    Clap,
    Vst3,
    Lv2,
}

impl From<OfFormat> for Format {
    fn from(format: OfFormat) -> Self {
        match format {
            OfFormat::Clap => Format::Clap,
            OfFormat::Vst3 => Format::Vst3,
            OfFormat::Lv2 => Format::Lv2,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum OfKind {
    Instrument,
    Effect,
    NoteEffect,
    Analyzer,
}

impl From<OfKind> for Kind {
    fn from(kind: OfKind) -> Self {
        match kind {
            OfKind::Instrument => Kind::Instrument,
            OfKind::Effect => Kind::Effect,
            OfKind::NoteEffect => Kind::NoteEffect,
            OfKind::Analyzer => Kind::Analyzer,
        }
    }
}

pub fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map_err(|_| "this is no number of seconds")?;
    match seconds {
        0.1..=3600.0 => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("from 0.1 to 3600 seconds".to_owned()),
    }
}
