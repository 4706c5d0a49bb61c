//! What can be asked and what is answered.

use kmidi_memory::{Leak, Site, Snapshot};
use serde::{Deserialize, Serialize};

use super::symbols::{Image, Symbols};

/// The longest question, in bytes.
pub const LONGEST_QUESTION: usize = 4096;
/// The longest answer.
pub const LONGEST_ANSWER: u64 = 16 << 20;
/// The most places that an answer has.
pub const MOST_SITES: usize = 256;
/// Measurements of each domain in an answer.
pub const SERIES: usize = 240;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "lowercase", deny_unknown_fields)]
pub enum Request {
    /// Which process this is: [`Who`].
    Who {},
    /// Its memory: [`Status`].
    Snapshot {},
    /// The places that allocate most: [`Sites`].
    Sites {
        top: usize,
        #[serde(default)]
        by: Order,
    },
    /// The places that leak: [`Leaks`].
    Leaks { top: usize },
    /// Frees all that can be had again, as SIGUSR1 does: [`Relieved`].
    Relieve {},
}

/// What makes a place a hot one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Bytes in use
    #[default]
    Bytes,
    /// Blocks allocated so far
    Count,
    /// Bytes of a block
    Average,
    /// The most bytes in use at once
    Peak,
}

impl Order {
    pub fn of(self, site: &Site) -> u64 {
        match self {
            Order::Bytes => site.live_bytes,
            Order::Count => site.allocations,
            Order::Average => site.allocated_bytes / site.allocations.max(1),
            Order::Peak => site.peak_bytes,
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer<T> {
    Ok(T),
    Error(String),
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Who {
    pub pid: u32,
    /// What was typed behind `kmidi`.
    pub command: String,
    pub uptime_seconds: f64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    #[serde(flatten)]
    pub who: Who,
    #[serde(flatten)]
    pub memory: Snapshot,
    /// Seconds and bytes in use of each domain, at the last looks.
    pub series: Vec<Vec<(f64, f64)>>,
}

/// A call on the way to a place that allocates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    pub function: String,
    /// File and line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

/// A site whose addresses have names.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NamedSite {
    #[serde(flatten)]
    pub site: Site,
    /// The innermost call first.
    pub calls: Vec<Call>,
}

/// Sites as the process has them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sites {
    pub image: Image,
    pub sites: Vec<Site>,
    /// Samples for which there was no place.
    pub lost_samples: u64,
}

/// [`Sites`] with names.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Hot {
    /// Whether that process runs this very program: only then addresses have names.
    pub same_program: bool,
    pub sites: Vec<NamedSite>,
    pub lost_samples: u64,
}

/// Leaks as the process has them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Leaks {
    pub image: Image,
    /// How long places have been watched.
    pub watched_seconds: f64,
    pub leaks: Vec<Leak>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NamedLeak {
    #[serde(flatten)]
    pub leak: Leak,
    pub calls: Vec<Call>,
}

/// [`Leaks`] with names.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NamedLeaks {
    /// As in [`Hot`].
    pub same_program: bool,
    pub watched_seconds: f64,
    pub leaks: Vec<NamedLeak>,
}

impl Sites {
    pub fn named(self, symbols: &mut Symbols) -> Hot {
        let Sites { image, sites, lost_samples } = self;
        let same_program = symbols.knows(&image);
        let named = |site| NamedSite { calls: symbols.calls(&image, &site), site };
        Hot { same_program, sites: sites.into_iter().map(named).collect(), lost_samples }
    }
}

impl Leaks {
    pub fn named(self, symbols: &mut Symbols) -> NamedLeaks {
        let Leaks { image, watched_seconds, leaks } = self;
        let same_program = symbols.knows(&image);
        let named = |leak: Leak| NamedLeak { calls: symbols.calls(&image, &leak.site), leak };
        NamedLeaks { same_program, watched_seconds, leaks: leaks.into_iter().map(named).collect() }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Relieved {
    /// It is done soon, on a thread of that process.
    pub asked: bool,
}
