//! What a certification found, in types that are stored and sent.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::plan::Phase;
use super::tally::{Deed, Held, Tally};
use crate::PluginId;

/// How often something was found, and where first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// How often.
    pub count: u64,
    /// The first block that has it, counted from 0 in its phase; 0 of a call.
    pub first_block: Option<u32>,
    /// Blocks that have it.
    pub blocks: u32,
}

impl Count {
    /// Notes that a block has it so many times.
    pub(super) fn add(&mut self, count: u64, block: u32) {
        if count > 0 {
            self.count += count;
            self.blocks += 1;
            self.first_block.get_or_insert(block);
        }
    }
}

/// What is to be said of the samples of a phase.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sound {
    /// Samples that are not a number.
    pub not_a_number: Count,
    /// Infinite samples.
    pub infinite: Count,
    /// Samples too small for a normal number.
    pub denormal: Count,
    /// Samples over +24 dBFS, at which the engine mutes a node.
    pub over_level: Count,
    /// The highest finite sample.
    pub peak: f32,
    /// The highest sample of the last tenth of the blocks.
    pub end_peak: f32,
    /// The mean of a channel over the last tenth, the one farthest from zero.
    pub end_dc: f32,
    /// Events that it sent.
    pub events_out: u64,
}

/// How long blocks took: by a clock, without what the machine did for others while the plugin did not wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// Half of the blocks took no longer, in nanoseconds.
    pub median_ns: u64,
    /// The middle half of the blocks lies so far apart, in nanoseconds.
    pub spread_ns: u64,
    /// 99 % of the blocks took no longer, in nanoseconds.
    pub p99_ns: u64,
    /// The longest, in nanoseconds.
    pub worst_ns: u64,
    /// Which one that was.
    pub worst_block: u32,
}

/// What the blocks of a phase cost in instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseInstructions {
    /// Which phase.
    pub phase: Phase,
    /// Half of the blocks cost no more.
    pub median: u64,
    /// The most.
    pub worst: u64,
    /// Which one that was.
    pub worst_block: u32,
}

/// Something that comes back again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Burst {
    /// Whether deeds come back; else the blocks are longer than the others.
    pub deeds: bool,
    /// Blocks from one to the next.
    pub every_blocks: u32,
    /// How many there were.
    pub count: u32,
}

/// How a process or a plugin failed in a phase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// In what way.
    pub kind: Violation,
    /// In words.
    pub text: String,
}

/// What a phase found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhaseReport {
    /// Which phase.
    pub phase: Phase,
    /// Blocks that were run.
    pub blocks: u32,
    /// Frames of the longest.
    pub block_frames: u32,
    /// What was counted in all blocks together, or in the one call.
    pub tally: Tally,
    /// Memory of the plugin at the end of the phase, and the most in it; of all its threads.
    pub held: Held,
    /// How often each thing was done that is held against the plugin: a lock that is only tried is not.
    pub deeds: BTreeMap<Deed, Count>,
    /// Blocks in which pages were missing.
    pub fault_blocks: Count,
    /// Blocks in which the thread waited.
    pub switch_blocks: Count,
    /// The samples.
    pub sound: Sound,
    /// How long the blocks took.
    pub times: Option<Times>,
    /// What comes back periodically.
    pub bursts: Vec<Burst>,
    /// What is wrong and is none of the above.
    pub failures: Vec<Failure>,
    /// What is worth knowing and not wrong.
    pub notes: Vec<String>,
}

impl PhaseReport {
    pub(super) fn new(phase: Phase) -> Self {
        PhaseReport {
            phase,
            blocks: 0,
            block_frames: 0,
            tally: Tally::default(),
            held: Held::default(),
            deeds: BTreeMap::new(),
            fault_blocks: Count::default(),
            switch_blocks: Count::default(),
            sound: Sound::default(),
            times: None,
            bursts: Vec::new(),
            failures: Vec::new(),
            notes: Vec::new(),
        }
    }

    pub(super) fn fail(&mut self, kind: Violation, text: impl Into<String>) {
        self.failures.push(Failure { kind, text: text.into() });
    }
}

/// What kind of rule was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Violation {
    /// It did something that no audio thread may.
    Deed(Deed),
    /// Pages were missing again and again.
    PageFaults,
    /// The thread waited, for whatever cause.
    Waited,
    /// Its output is not a number.
    NotANumber,
    /// Its output is infinite.
    Infinite,
    /// Its output is over +24 dBFS where nothing asked for it.
    OverLevel,
    /// Its output has denormal numbers though the thread flushes them.
    Denormal,
    /// It said that it failed in a block.
    ProcessFailed,
    /// It is not as it was saved.
    State,
    /// It does not take a preset of its own.
    Preset,
    /// Sound comes out at another time than it says.
    Latency,
    /// It does not start anew.
    Activation,
    /// It crashed.
    Crash,
    /// It did not come back.
    Hang,
    /// It ended the process.
    Exit,
    /// What the process said is no answer.
    Nonsense,
    /// It cannot be loaded, or does not start.
    NotLoadable,
}

/// How well a plugin keeps the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// No rule was broken.
    Green,
    /// Only in its first blocks, which can be run before anybody listens, or in touching memory for the first time.
    Amber,
    /// A rule was broken.
    Red,
}

impl Grade {
    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Grade::Green => "green",
            Grade::Amber => "amber",
            Grade::Red => "red",
        }
    }
}

/// How a certification ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is green or amber.
    Passed,
    /// It broke rules.
    Violations,
    /// It crashed, hung, or ended the process.
    Crashed,
    /// It does not come to life.
    NotLoadable,
}

/// What a grade was given for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Where it happened.
    pub phase: Phase,
    /// What.
    pub kind: Violation,
    /// How often.
    pub count: u64,
    /// Blocks that have it; 0 where it is not counted by blocks.
    pub blocks: u32,
    /// The first of these.
    pub first_block: Option<u32>,
    /// In words.
    pub text: String,
    /// By what: the function of libc or the system call; empty where it is none.
    pub call: String,
    /// The calls, the innermost first; empty where they are not known.
    pub stack: Vec<String>,
}

/// All that is known of a plugin after it was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// Which plugin.
    pub id: PluginId,
    /// Name shown to people.
    pub name: String,
    /// Who made it; may be empty.
    pub vendor: String,
    /// The file or bundle.
    pub path: PathBuf,
    /// Hash of the binary that was tried ([`Stamp`](crate::scan::Stamp)).
    pub sha256: String,
    /// How strict, 1 to 10.
    pub level: u8,
    /// What the random values followed from.
    pub seed: u64,
    /// Whether system calls that do not go through libc were seen.
    pub sees_system_calls: bool,
    /// The grade.
    pub grade: Grade,
    /// How it ended.
    pub outcome: Outcome,
    /// What the grade was given for, the worst first; empty if it is green.
    pub reasons: Vec<Reason>,
    /// What each phase found.
    pub phases: Vec<PhaseReport>,
    /// What blocks cost in instructions, where that was asked for.
    #[serde(default)]
    pub instructions: Vec<PhaseInstructions>,
    /// What is worth knowing of all of it.
    #[serde(default)]
    pub notes: Vec<String>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

impl Certificate {
    /// Bytes of memory that it holds after it was loaded and activated.
    pub fn resting_bytes(&self) -> u64 {
        let activation = self.phases.iter().find(|it| it.phase == Phase::Activation);
        activation.map_or(0, |it| it.held.live_bytes)
    }
}
