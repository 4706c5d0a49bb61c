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

/// Sections that follow a curve and add up to `bars` (0 is read as 1): up to eight of at least four bars, in fours as far as it
/// goes; the rest is the last one's.
///
/// The third quarter has other chords, as in the old form AABA. What a section is follows from its tension.
pub fn sections(curve: TensionCurve, bars: u32) -> Vec<Section> {
    let bars = bars.max(1);
    let count = (bars / 4).clamp(1, 8);
    let fours = bars / 4 / count;
    let longer = bars / 4 % count;
    let mut sections: Vec<Section> = (0..count)
        .map(|at| Section {
            kind: SectionKind::Verse,
            // Longer ones go to the end, where there is more to say.
            bars: 4 * (fours + u32::from(at >= count - longer)),
            tension: tension(curve, at, count),
            contrast: count >= 4 && at * 4 / count == 2,
        })
        .collect();
    let given: u32 = sections.iter().map(|section| section.bars).sum();
    if let Some(last) = sections.last_mut() {
        last.bars += bars - given;
    }
    name(&mut sections);
    sections
}

/// Mean of the curve over section `at` of `count`.
fn tension(curve: TensionCurve, at: u32, count: u32) -> f64 {
    let multipliers = curve.multipliers();
    let (from, to) = (at * 8 / count, ((at + 1) * 8).div_ceil(count));
    let part = &multipliers[from as usize..to.min(8) as usize];
    let mean = part.iter().sum::<f64>() / part.len() as f64;
    // Two places are enough, and print as they are.
    (mean * 100.0).round() / 100.0
}

/// Names sections by how tense they are.
fn name(sections: &mut [Section]) {
    let count = sections.len();
    let tensions: Vec<f64> = sections.iter().map(|section| section.tension).collect();
    let highest = tensions.iter().copied().fold(f64::MIN, f64::max);
    let lowest = tensions.iter().copied().fold(f64::MAX, f64::min);
    // Where it hardly changes there is no chorus.
    let is_high = |tension: f64| highest - lowest > 0.1 && tension >= highest - (highest - lowest) * 0.25;
    for at in 0..count {
        sections[at].kind = match tensions[at] {
            tension if is_high(tension) => SectionKind::Chorus,
            _ if at == 0 && count >= 4 => SectionKind::Intro,
            _ if at + 1 == count && count >= 4 => SectionKind::Outro,
            _ if sections[at].contrast => SectionKind::Bridge,
            tension if at > 0 && is_high(tensions[at - 1]) && tension < tensions[at - 1] - 0.3 => {
                SectionKind::Breakdown
            }
            _ if at + 1 < count && is_high(tensions[at + 1]) && at > 0 => SectionKind::PreChorus,
            _ => SectionKind::Verse,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_add_up_and_keep_to_the_curve() {
        for curve in TensionCurve::ALL {
            for bars in (0..300).chain([1000, 1024]) {
                let sections = sections(curve, bars);
                assert_eq!(sections.iter().map(|it| it.bars).sum::<u32>(), bars.max(1), "{curve} {bars}");
                assert!(sections.len() <= 8 && sections.iter().all(|it| it.bars >= 1));
                assert!(sections.iter().all(|it| (0.3..=1.3).contains(&it.tension)));
                let whole = sections.iter().rev().skip(1).all(|it| it.bars.is_multiple_of(4));
                assert!(whole, "{curve} {bars}: {sections:?}");
            }
            let tensions: Vec<f64> = sections(curve, 64).iter().map(|it| it.tension).collect();
            assert_eq!(tensions, curve.multipliers());
            assert_eq!(curve.name().parse(), Ok(curve));
        }
        assert!("up".parse::<TensionCurve>().is_err());
    }

    #[test]
    fn sections_are_named_by_what_they_do() {
        let names = |curve, bars| -> String {
            sections(curve, bars).iter().map(|it| it.kind.name()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            names(TensionCurve::VerseChorus, 32),
            "intro prechorus chorus chorus bridge chorus chorus outro"
        );
        assert_eq!(names(TensionCurve::Static, 16), "intro verse bridge outro");
        assert_eq!(names(TensionCurve::SlowBuild, 16), "intro verse bridge chorus");
        assert_eq!(names(TensionCurve::Wave, 4), "verse");
        let contrast: Vec<bool> = sections(TensionCurve::Static, 32).iter().map(|it| it.contrast).collect();
        assert_eq!(contrast, [false, false, false, false, true, true, false, false]);
    }
}
