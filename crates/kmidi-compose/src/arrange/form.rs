use crate::plan::{self, HarmonyPlan, SectionKind};

/// A section in its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// What it is.
    pub kind: SectionKind,
    /// Whether it has the plan's contrasting chords.
    pub contrast: bool,
    /// Its first bar, from 0.
    pub start: u32,
    /// Its length in bars, at least 1.
    pub bars: u32,
    /// From 0 (at rest) to 1 (at its utmost).
    pub energy: f64,
    /// How many sections of this kind came before.
    pub turn: u32,
}

impl Section {
    /// The bar behind its last one.
    pub fn end(&self) -> u32 {
        self.start + self.bars
    }

    /// Its name, with a number if it comes again: `verse 2`.
    pub fn name(&self) -> String {
        if self.turn == 0 { self.kind.to_string() } else { format!("{} {}", self.kind, self.turn + 1) }
    }
}

/// Which parts play in a bar; the chords always do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layers {
    /// The bass.
    pub bass: bool,
    /// The melody.
    pub melody: bool,
    /// The guide tones.
    pub guide: bool,
    /// The drums.
    pub drums: bool,
}

/// The sections of a piece, which together last exactly as long as it.
#[derive(Clone, Debug, PartialEq)]
pub struct Form {
    /// In order; never empty.
    pub sections: Vec<Section>,
    /// Length in bars.
    pub bars: u32,
}

/// The highest multiplier that the tension curves have.
const UTMOST_TENSION: f64 = 1.3;

impl Form {
    /// The plan's sections, cut or prolonged to its length. A plan without sections is one verse.
    pub fn new(plan: &HarmonyPlan) -> Self {
        Self::of(plan.sections.clone(), plan.length_bars.max(1))
    }

    fn of(mut given: Vec<plan::Section>, bars: u32) -> Self {
        given.retain(|section| section.bars > 0);
        if given.is_empty() {
            given.push(plan::Section { kind: SectionKind::Verse, bars, tension: 0.9, contrast: false });
        }
        let energies = energies(&given);
        let mut sections: Vec<Section> = Vec::new();
        let mut start = 0;
        for (section, energy) in given.iter().zip(energies) {
            let bars = section.bars.min(bars - start);
            if bars == 0 {
                break;
            }
            let turn = sections.iter().filter(|it| it.kind == section.kind).count() as u32;
            sections.push(Section {
                kind: section.kind,
                contrast: section.contrast,
                start,
                bars,
                energy,
                turn,
            });
            start += bars;
        }
        if let Some(last) = sections.last_mut() {
            last.bars += bars - start;
        }
        Form { sections, bars }
    }

    /// The section of a bar.
    pub fn section(&self, bar: u32) -> &Section {
        let found = self.sections.iter().find(|section| bar < section.end());
        found.unwrap_or(&self.sections[self.sections.len() - 1])
    }

    /// How much happens in a bar, 0 to 1: its section's energy, rising a little towards the section's end (falling in an outro).
    pub fn energy(&self, bar: u32) -> f64 {
        let section = self.section(bar);
        let way = f64::from(bar - section.start.min(bar)) / f64::from(section.bars);
        let slope = if section.kind == SectionKind::Outro { -0.25 } else { 0.12 };
        (section.energy + slope * (way - 0.4)).clamp(0.0, 1.0)
    }

    /// The bar where the piece is highest: in the section of most energy (of equals the last), three quarters through it.
    pub fn climax(&self) -> u32 {
        let mut top = &self.sections[0];
        for section in &self.sections {
            if section.energy >= top.energy && section.kind != SectionKind::Outro {
                top = section;
            }
        }
        top.start + (top.bars * 3 / 4).min(top.bars - 1)
    }

    /// Which parts play in a bar.
    pub fn layers(&self, bar: u32) -> Layers {
        let section = self.section(bar);
        let late = 2 * (bar - section.start.min(bar)) >= section.bars;
        let all = Layers { bass: true, melody: true, guide: true, drums: true };
        if self.bars <= 4 || self.sections.len() == 1 && self.bars <= 8 {
            return all;
        }
        match section.kind {
            SectionKind::Intro => Layers {
                bass: late && section.bars > 1,
                drums: late && section.energy > 0.5,
                ..Layers::default()
            },
            SectionKind::Verse | SectionKind::PreChorus => {
                Layers { guide: section.turn > 0 || section.energy > 0.6 || late && section.bars > 4, ..all }
            }
            SectionKind::Chorus => all,
            // One bridge is entered alone; the next goes on.
            SectionKind::Bridge => {
                Layers { bass: late || section.turn > 0, drums: late || section.turn > 0, ..all }
            }
            SectionKind::Breakdown => Layers { bass: late, drums: false, ..all },
            SectionKind::Outro => {
                Layers { drums: !late && section.energy > 0.3, melody: !late || section.bars < 3, ..all }
            }
        }
    }
}

/// Energies of sections: half what the curve says, half where it stands between the curve's ends. A curve that is flat stays
/// flat, one that moves a little is heard to move.
fn energies(sections: &[plan::Section]) -> Vec<f64> {
    let tension = |section: &plan::Section| {
        if section.tension.is_finite() {
            section.tension.clamp(0.0, UTMOST_TENSION)
        } else {
            UTMOST_TENSION / 2.0
        }
    };
    let most = sections.iter().map(tension).fold(0.0, f64::max);
    let least = sections.iter().map(tension).fold(UTMOST_TENSION, f64::min);
    let energy = |section| {
        let (absolute, range) = (tension(section) / UTMOST_TENSION, most - least);
        if range < 0.05 { absolute } else { 0.5 * absolute + 0.5 * (tension(section) - least) / range }
    };
    sections.iter().map(energy).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(kind: SectionKind, bars: u32, tension: f64) -> plan::Section {
        plan::Section { kind, bars, tension, contrast: false }
    }

    fn song() -> Vec<plan::Section> {
        vec![
            section(SectionKind::Intro, 2, 0.4),
            section(SectionKind::Verse, 4, 0.6),
            section(SectionKind::Chorus, 4, 1.0),
            section(SectionKind::Verse, 4, 0.7),
            section(SectionKind::Outro, 2, 0.5),
        ]
    }

    #[test]
    fn sections_last_exactly_as_long_as_the_piece() {
        for bars in 1..40 {
            let form = Form::of(song(), bars);
            assert_eq!(form.sections.last().unwrap().end(), bars);
            assert!(form.sections.iter().all(|section| section.bars > 0));
            assert!(form.climax() < bars);
        }
        assert_eq!(Form::of(vec![], 7).sections.len(), 1);
        assert_eq!(Form::of(vec![section(SectionKind::Verse, 0, f64::NAN)], 7).sections[0].bars, 7);
        assert_eq!(Form::of(song(), 16).sections[3].name(), "verse 2");
    }

    #[test]
    fn the_climax_lies_where_the_tension_is_highest() {
        let form = Form::of(song(), 16);
        assert_eq!(form.section(form.climax()).kind, SectionKind::Chorus);
        let other = vec![section(SectionKind::Verse, 8, 1.2), section(SectionKind::Chorus, 8, 0.3)];
        assert_eq!(Form::of(other, 16).climax(), 6);
    }

    #[test]
    fn parts_enter_and_leave() {
        let form = Form::of(song(), 16);
        let count = |bar| {
            let layers = form.layers(bar);
            [layers.bass, layers.melody, layers.guide, layers.drums].iter().filter(|&&plays| plays).count()
        };
        assert_eq!([count(0), count(1), count(6)], [0, 1, 4]);
        assert!(count(15) < 4);
        assert!(form.energy(7) > form.energy(3));
    }
}
