//! Which phases a plugin is run through, and for how long.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A part of a certification. In this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// From the file to an instance.
    Load,
    /// From the instance to its audio half.
    Activation,
    /// The first blocks of noise: what is done here alone can be done before anybody listens.
    WarmUp,
    /// Noise, and nothing else happens.
    Steady,
    /// Notes, chords, controllers, bends and pedals.
    Notes,
    /// Silence until a tail has rung out, and longer.
    Silence,
    /// Every parameter that can be set: both ends, steps, jumps and ramps.
    Sweep,
    /// Blocks of any length up to the one that was activated.
    OddSizes,
    /// The end of work.
    Deactivation,
    /// At work again, at another rate and with other blocks.
    Reactivation,
    /// Saved, changed, restored: the values and the sound must be the same.
    State,
    /// The presets that come with it.
    Presets,
    /// The latency that it tells against when an impulse comes out.
    Latency,
    /// Two instances, the same input.
    Determinism,
    /// The end of the instance.
    Unload,
}

impl Phase {
    /// Every phase, in order.
    pub const ALL: [Phase; 15] = [
        Phase::Load,
        Phase::Activation,
        Phase::WarmUp,
        Phase::Steady,
        Phase::Notes,
        Phase::Silence,
        Phase::Sweep,
        Phase::OddSizes,
        Phase::Deactivation,
        Phase::Reactivation,
        Phase::State,
        Phase::Presets,
        Phase::Latency,
        Phase::Determinism,
        Phase::Unload,
    ];

    /// Its name in reports and on command lines.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Load => "load",
            Phase::Activation => "activation",
            Phase::WarmUp => "warm-up",
            Phase::Steady => "steady",
            Phase::Notes => "notes",
            Phase::Silence => "silence",
            Phase::Sweep => "sweep",
            Phase::OddSizes => "odd-sizes",
            Phase::Deactivation => "deactivation",
            Phase::Reactivation => "reactivation",
            Phase::State => "state",
            Phase::Presets => "presets",
            Phase::Latency => "latency",
            Phase::Determinism => "determinism",
            Phase::Unload => "unload",
        }
    }

    /// Whether what is done in its blocks is held against the plugin: somebody may be listening.
    pub fn is_real_time(self) -> bool {
        matches!(self, Phase::Steady | Phase::Notes | Phase::Silence | Phase::Sweep | Phase::OddSizes)
    }

    /// Whether the others can do without it, should it end the process.
    pub fn can_be_left_out(self) -> bool {
        let needed = [
            Phase::Load,
            Phase::Activation,
            Phase::WarmUp,
            Phase::Steady,
            Phase::Deactivation,
            Phase::Unload,
        ];
        !needed.contains(&self)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Phase {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Phase::ALL.into_iter().find(|phase| phase.name() == text).ok_or(())
    }
}

/// How strict a certification is, from 1 to 10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Level(u8);

impl Level {
    /// The lowest and the highest.
    pub const RANGE: std::ops::RangeInclusive<u8> = 1..=10;

    /// A level; what is out of [`Level::RANGE`] is moved to its end.
    pub fn new(level: u8) -> Self {
        Level(level.clamp(*Self::RANGE.start(), *Self::RANGE.end()))
    }

    /// From 1 to 10.
    pub fn number(self) -> u8 {
        self.0
    }

    /// The lowest level that has this phase.
    pub fn of(phase: Phase) -> Self {
        Level(match phase {
            Phase::Notes => 2,
            Phase::State => 3,
            Phase::Sweep => 4,
            Phase::OddSizes | Phase::Silence => 5,
            Phase::Latency | Phase::Determinism => 6,
            Phase::Presets => 7,
            Phase::Reactivation => 8,
            _ => 1,
        })
    }

    /// Blocks of a phase; 0 where it has none. A sweep has more where there are many parameters.
    pub fn blocks(self, phase: Phase) -> u32 {
        let long = match self.0 {
            1..=5 => 500,
            6..=7 => 1000,
            8 => 2000,
            9 => 5000,
            _ => 10_000,
        };
        match phase {
            Phase::WarmUp => WARM_UP_BLOCKS,
            Phase::Steady | Phase::Notes | Phase::Sweep => long,
            Phase::Silence | Phase::OddSizes | Phase::Reactivation => long / 2,
            Phase::Determinism | Phase::State => 100,
            Phase::Presets => 16,
            _ => 0,
        }
    }

    /// Presets that are tried.
    pub fn presets(self) -> usize {
        match self.0 {
            10 => 64,
            9 => 32,
            _ => 8,
        }
    }
}

/// Blocks after which somebody may be listening.
const WARM_UP_BLOCKS: u32 = 32;

/// What a plugin is to be run through.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How strict.
    pub level: Level,
    /// What the random values follow from.
    pub seed: u64,
    /// Phases to leave out: they have ended the process before.
    pub leave_out: Vec<Phase>,
}

impl Plan {
    /// Whether the phase is in it.
    pub fn has(&self, phase: Phase) -> bool {
        self.level >= Level::of(phase) && !self.leave_out.contains(&phase)
    }
}

/// Numbers that follow from a seed (SplitMix64, Steele, Lea, Flood 2014).
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 up to but not including `n`.
    pub fn below(&mut self, n: u32) -> u32 {
        ((u128::from(self.next()) * u128::from(n)) >> 64) as u32
    }

    /// From 0 to 1.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_higher_level_leaves_nothing_out_and_is_not_shorter() {
        for level in 1..10 {
            let (low, high) = (Level::new(level), Level::new(level + 1));
            for phase in Phase::ALL {
                assert!(high >= Level::of(phase) || low < Level::of(phase));
                assert!(high.blocks(phase) >= low.blocks(phase), "{phase} {level}");
                assert_eq!(phase.name().parse(), Ok(phase));
            }
        }
        assert!(Phase::ALL.iter().all(|phase| Level::new(10) >= Level::of(*phase)));
        assert!(Phase::ALL.is_sorted());
    }
}
