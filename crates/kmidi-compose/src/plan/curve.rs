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
        let plain = name.trim().replace(['-', ' '], "_");
        let found = Self::ALL.into_iter().find(|curve| curve.name().eq_ignore_ascii_case(&plain));
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
    #[serde(rename = "prechorus")]
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

/// Names sections as listeners expect them: a verse before any chorus, other chords as a bridge, and a chorus before and after it
/// where tension moves at all. Which of them are choruses is told by how tense they are.
fn name(sections: &mut [Section]) {
    let tense = Tense::of(sections);
    for at in 0..sections.len() {
        sections[at].kind = tense.kind(sections, at);
    }
    if tense.is_flat() {
        return;
    }
    let Some(bridge) = sections.iter().position(|section| section.kind == SectionKind::Bridge) else {
        return;
    };
    let verse = sections.iter().position(|section| section.kind == SectionKind::Verse).unwrap_or(bridge);
    if bridge > verse + 2 && sections[..bridge].iter().all(|section| section.kind != SectionKind::Chorus) {
        let later = verse + 1..bridge;
        // Of equals the last.
        let most = later.max_by(|a, b| sections[*a].tension.total_cmp(&sections[*b].tension));
        most.into_iter().for_each(|at| sections[at].kind = SectionKind::Chorus);
    }
    let after =
        sections.iter().rposition(|section| section.kind == SectionKind::Bridge).unwrap_or(bridge) + 1;
    if let Some(section) = sections.get_mut(after)
        && section.kind == SectionKind::Verse
        && section.tension >= tense.mean
    {
        section.kind = SectionKind::Chorus;
    }
}

/// What the tensions of sections are measured by.
struct Tense {
    lowest: f64,
    highest: f64,
    mean: f64,
}

impl Tense {
    fn of(sections: &[Section]) -> Self {
        let tensions = || sections.iter().map(|section| section.tension);
        Self {
            lowest: tensions().fold(f64::MAX, f64::min),
            highest: tensions().fold(f64::MIN, f64::max),
            mean: tensions().sum::<f64>() / sections.len().max(1) as f64,
        }
    }

    /// Where it hardly changes there is no chorus.
    fn is_flat(&self) -> bool {
        self.highest - self.lowest <= 0.1
    }

    fn is_high(&self, tension: f64) -> bool {
        !self.is_flat() && tension >= self.highest - (self.highest - self.lowest) * 0.25
    }

    /// What a section is, after those before it have been named.
    fn kind(&self, sections: &[Section], at: usize) -> SectionKind {
        let (count, tension) = (sections.len(), sections[at].tension);
        let before = at.checked_sub(1).map(|at| sections[at]);
        let told = sections[..at].iter().any(|section| section.kind == SectionKind::Verse);
        match tension {
            _ if sections[at].contrast => SectionKind::Bridge,
            _ if at == 0 && count >= 4 && !self.is_high(tension) => SectionKind::Intro,
            _ if !told => SectionKind::Verse,
            _ if self.is_high(tension) => SectionKind::Chorus,
            _ if at + 1 == count && count >= 4 => SectionKind::Outro,
            _ => match before {
                Some(before) if before.kind == SectionKind::Chorus && tension < before.tension - 0.3 => {
                    SectionKind::Breakdown
                }
                Some(before)
                    if before.kind == SectionKind::Verse
                        && tension >= before.tension
                        && sections
                            .get(at + 1)
                            .is_some_and(|next| !next.contrast && self.is_high(next.tension)) =>
                {
                    SectionKind::PreChorus
                }
                _ => SectionKind::Verse,
            },
        }
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
            assert_eq!(curve.name().replace('_', "-").to_uppercase().parse(), Ok(curve));
        }
        assert!("up".parse::<TensionCurve>().is_err());
    }

    /// Songs that open with a chorus, or have none to wait for it, are not what listeners expect.
    #[test]
    fn a_verse_comes_before_every_chorus_and_in_every_song() {
        for curve in TensionCurve::ALL {
            for bars in 1..300 {
                let kinds: Vec<SectionKind> = sections(curve, bars).iter().map(|it| it.kind).collect();
                let first = |kind| kinds.iter().position(|it| *it == kind);
                let verse = first(SectionKind::Verse);
                assert!(verse.is_some_and(|at| at < 2), "{curve} {bars}: {kinds:?}");
                let chorus = first(SectionKind::Chorus).or(first(SectionKind::PreChorus));
                assert!(chorus.is_none_or(|at| Some(at) > verse), "{curve} {bars}: {kinds:?}");
                let flat = curve == TensionCurve::Static;
                assert!(flat || kinds.len() < 8 || chorus.is_some(), "{curve} {bars}: {kinds:?}");
            }
        }
    }

    #[test]
    fn sections_are_named_by_what_they_do() {
        let names = |curve, bars| -> String {
            sections(curve, bars).iter().map(|it| it.kind.name()).collect::<Vec<_>>().join(" ")
        };
        for (curve, named) in [
            (TensionCurve::VerseChorus, "intro verse chorus chorus bridge bridge chorus outro"),
            (TensionCurve::SlowBuild, "intro verse verse chorus bridge bridge chorus chorus"),
            (TensionCurve::FrontLoaded, "verse chorus verse verse bridge bridge chorus outro"),
            (TensionCurve::Wave, "intro verse verse chorus bridge bridge verse outro"),
            (TensionCurve::Catharsis, "intro verse verse chorus bridge bridge chorus outro"),
            (TensionCurve::Static, "intro verse verse verse bridge bridge verse outro"),
            (TensionCurve::Descent, "verse chorus verse verse bridge bridge verse outro"),
            (TensionCurve::Spiral, "intro verse verse chorus bridge bridge chorus chorus"),
        ] {
            assert_eq!(names(curve, 32), named, "{curve}");
        }
        assert_eq!(names(TensionCurve::Static, 16), "intro verse bridge outro");
        assert_eq!(names(TensionCurve::SlowBuild, 16), "intro verse bridge chorus");
        assert_eq!(names(TensionCurve::VerseChorus, 16), "intro verse bridge chorus");
        assert_eq!(names(TensionCurve::Wave, 4), "verse");
        let contrast: Vec<bool> = sections(TensionCurve::Static, 32).iter().map(|it| it.contrast).collect();
        assert_eq!(contrast, [false, false, false, false, true, true, false, false]);
    }
}
