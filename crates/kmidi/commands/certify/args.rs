use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::commands::plugin::args::{OfFormat, seconds};

const AFTER_HELP: &str = "\
A process of its own runs each plugin and counts what it does while it makes sound: allocations, frees, locks, waits, system
calls, page faults; it looks at every sample and at every block's time.
  green   it keeps the rules of the audio thread
  amber   it breaks them in its first 32 blocks alone, which can be run before anybody listens, or touches memory for the
          first time later on (page faults in at most one of four blocks)
  red     it breaks them later, sends garbage, does not come back as it was saved, crashes or hangs

LEVELS:
  1   load, activation, warm-up (32 blocks), steady noise (500 blocks), deactivation, unload
  2   and notes, controllers, bends and pedals
  3   and state: saved, changed, restored, in fresh instances too
  4   and a sweep over all parameters
  5   and silence until the tail has rung out, and blocks of odd sizes
  6   and latency by an impulse, and two instances against each other (1000 blocks each from here on)
  7   and presets
  8   and once more at another rate and block size (2000 blocks)
  9   5000 blocks each, 32 presets
  10  10000 blocks each, 64 presets

EXIT CODES:
  0    no plugin is red
  1    a plugin broke rules
  2    a plugin crashed, hung or ended its process; or a usage error
  3    a plugin cannot be loaded (where several are tried: and nothing worse happened)
  130  interrupted; what is done is kept, and is not done again

EXAMPLES:
  kmidi certify ZamComp                      by name or id
  kmidi certify ./target/plugins/gain.clap --level 10
  kmidi certify --all --level 5 --html out   all that are installed, and a page for each";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Certify {
    /// Plugin: its id, a name that only one has, or a file (with a slash in it)
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub plugin: Option<String>,
    /// All plugins that the last scan found
    #[arg(long)]
    pub all: bool,
    /// How strict, 1 to 10
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=10))]
    pub level: u8,
    /// Random values follow from this number
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// With --all, only of this format
    #[arg(long, value_enum, requires = "all")]
    pub format: Option<OfFormat>,
    /// Try those again that have a certificate
    #[arg(long)]
    pub fresh: bool,
    /// Count the instructions of blocks too, which no load of the machine changes (needs valgrind, takes long)
    #[arg(long)]
    pub instructions: bool,
    /// How many seconds a plugin may be silent before it is given up
    #[arg(long, value_name = "S", default_value = "30", value_parser = seconds)]
    pub timeout: Duration,
    /// Write a page for each plugin and an index.html to this folder
    #[arg(long, value_name = "DIR")]
    pub html: Option<PathBuf>,
    /// Write one table of all as Markdown
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Print one JSON object on stdout at the end
    #[arg(long)]
    pub json: bool,
}
