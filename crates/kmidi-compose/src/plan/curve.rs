//! How tension goes through a piece, and the sections that follow it.
use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// A shape of tension over a whole piece, as eight multipliers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TensionCurve {
    /// Verses and choruses in turns.
    VerseChorus,
    /// More and more.
    SlowBuild,
    /// At once, and then less.
    FrontLoaded,
    /// Back and forth.
    Wave,
    /// More and more, a summit, a release.
    Catharsis,
    /// The same all the time.
    Static,
    /// Less and less.
    Descent,
    /// Back and forth, higher each time.
    Spiral,
}

impl TensionCurve {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::VerseChorus,
        Self::SlowBuild,
        Self::FrontLoaded,
        Self::Wave,
        Self::Catharsis,
        Self::Static,
        Self::Descent,
        Self::Spiral,
    ];

    /// Its name: `slow_build`.
    pub fn name(self) -> &'static str {
        match self {
            Self::VerseChorus => "verse_chorus",
            Self::SlowBuild => "slow_build",
            Self::FrontLoaded => "front_loaded",
            Self::Wave => "wave",
            Self::Catharsis => "catharsis",
            Self::Static => "static",
            Self::Descent => "descent",
            Self::Spiral => "spiral",
        }
    }

    /// What tension is multiplied by in each eighth of the piece, 0.3 to 1.3.
    pub fn multipliers(self) -> [f64; 8] {
        match self {
            Self::VerseChorus => [0.6, 0.6, 1.0, 1.0, 0.6, 1.0, 1.0, 0.8],
            Self::SlowBuild => [0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2],
            Self::FrontLoaded => [1.2, 1.0, 0.6, 0.6, 0.8, 0.8, 1.0, 1.0],
            Self::Wave => [0.6, 0.9, 0.6, 1.0, 0.5, 1.1, 0.6, 0.8],
            Self::Catharsis => [0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.3, 1.0],
            Self::Static => [0.8, 0.8, 0.8, 0.85, 0.8, 0.85, 0.8, 0.8],
            Self::Descent => [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3],
            Self::Spiral => [0.5, 0.7, 0.6, 0.9, 0.7, 1.1, 0.9, 1.3],
        }
    }
}

impl fmt::Display for TensionCurve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for TensionCurve {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|curve| curve.name().eq_ignore_ascii_case(name.trim()));
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("no tension curve is called `{name}`; there are {names}")
        })
    }
}

/// A stretch of the piece.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Section {
    /// What it is.
    pub kind: SectionKind,
    /// How long, at least 1.
    pub bars: u32,
    /// 0.3 to 1.3, 1 being as the mood has it: what density and loudness are multiplied by.
    pub tension: f64,
    /// Whether it has the plan's contrasting chords.
    pub contrast: bool,
}

/// What a section is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SectionKind {
    /// Before the first verse.
    Intro,
    /// Tells.
    Verse,
    /// Leads to a chorus.
    PreChorus,
    /// What is remembered.
    Chorus,
    /// Something else, once.
    Bridge,
    /// Less of everything.
    Breakdown,
    /// After the last.
    Outro,
}

impl SectionKind {
    /// Its name: `verse`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Intro => "intro",
            Self::Verse => "verse",
            Self::PreChorus => "prechorus",
            Self::Chorus => "chorus",
            Self::Bridge => "bridge",
            Self::Breakdown => "breakdown",
            Self::Outro => "outro",
        }
    }
}

impl fmt::Display for SectionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
