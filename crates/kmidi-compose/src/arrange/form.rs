use crate::plan::HarmonyPlan;

/// What a section does in a song, whatever it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Opens: the harmony alone, others enter.
    Intro,
    /// Tells.
    Verse,
    /// Says what it is about, by all.
    Chorus,
    /// Goes elsewhere: fewer parts, that come back.
    Bridge,
    /// Takes leave.
    Outro,
}

/// A section in its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// As the plan calls it.
    pub name: String,
    /// What it does.
    pub role: Role,
    /// Its first bar, from 0.
    pub start: u32,
    /// Its length in bars, at least 1.
    pub bars: u32,
    /// From 0 (at rest) to 1 (at its utmost).
    pub energy: f64,
    /// How many sections of this role came before.
    pub turn: u32,
}

impl Section {
    /// The bar behind its last one.
    pub fn end(&self) -> u32 {
        self.start + self.bars
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
        let bars = plan.length_bars.max(1);
        let given = plan.sections.iter().map(|it| (it.name.as_str(), it.bars, it.tension));
        Self::of(given.collect(), bars)
    }

    fn of(mut given: Vec<(&str, u32, f64)>, bars: u32) -> Self {
        given.retain(|section| section.1 > 0);
        if given.is_empty() {
            given.push(("verse", bars, 0.7));
        }
        let tensions = || given.iter().map(|it| if it.2.is_finite() { it.2.clamp(0.0, UTMOST_TENSION) } else { 0.5 });
        let most = tensions().fold(0.0, f64::max);
        let least = tensions().fold(UTMOST_TENSION, f64::min);
        // Half what the curve says, half where it stands between the curve's ends: a curve that is flat stays flat, one that
        // moves a little is heard to move.
        let energy = |tension: f64| {
            let absolute = tension / UTMOST_TENSION;
            if most - least < 0.05 { absolute } else { 0.5 * absolute + 0.5 * (tension - least) / (most - least) }
        };
        let energies: Vec<f64> = tensions().map(energy).collect();
        let mut sections: Vec<Section> = Vec::new();
        let mut start = 0;
        for ((name, length, _), energy) in given.iter().zip(energies) {
            let length = (*length).min(bars - start);
            if length == 0 {
                break;
            }
            let role = role(name);
            let turn = sections.iter().filter(|it| it.role == role).count() as u32;
            sections.push(Section { name: (*name).to_owned(), role, start, bars: length, energy, turn });
            start += length;
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
        let slope = if section.role == Role::Outro { -0.25 } else { 0.12 };
        (section.energy + slope * (way - 0.4)).clamp(0.0, 1.0)
    }

    /// The bar where the piece is highest: in the section of most energy (of equals the last), three quarters through it.
    pub fn climax(&self) -> u32 {
        let mut top = &self.sections[0];
        for section in &self.sections {
            if section.energy >= top.energy && section.role != Role::Outro {
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
        match section.role {
            Role::Intro => Layers { bass: late && section.bars > 1, drums: late && section.energy > 0.5, ..Layers::default() },
            Role::Verse => Layers { guide: section.turn > 0 || section.energy > 0.6 || late && section.bars > 4, ..all },
            Role::Chorus => all,
            Role::Bridge => Layers { bass: late, drums: late, ..all },
            Role::Outro => Layers { drums: !late && section.energy > 0.3, melody: !late || section.bars < 3, ..all },
        }
    }
}

/// What a section of this name does. A number behind the name counts as nothing.
fn role(name: &str) -> Role {
    let name = name.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if has(&["intro", "opening", "prelude"]) {
        Role::Intro
    } else if has(&["outro", "coda", "ending", "close"]) {
        Role::Outro
    } else if has(&["bridge", "breakdown", "middle", "interlude"]) {
        Role::Bridge
    } else if has(&["pre"]) {
        Role::Verse
    } else if has(&["chorus", "refrain", "hook", "drop", "climax", "peak"]) {
        Role::Chorus
    } else {
        Role::Verse
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SONG: [(&str, u32, f64); 5] =
        [("intro", 2, 0.4), ("verse", 4, 0.6), ("chorus", 4, 1.0), ("verse 2", 4, 0.7), ("outro", 2, 0.5)];

    #[test]
    fn sections_last_exactly_as_long_as_the_piece() {
        for bars in 1..40 {
            let form = Form::of(SONG.to_vec(), bars);
            assert_eq!(form.sections.last().unwrap().end(), bars);
            assert!(form.sections.iter().all(|section| section.bars > 0));
            assert!(form.climax() < bars);
        }
        assert_eq!(Form::of(vec![], 7).sections.len(), 1);
        assert_eq!(Form::of(vec![("x", 0, f64::NAN)], 7).sections[0].bars, 7);
    }

    #[test]
    fn the_climax_lies_where_the_tension_is_highest() {
        let form = Form::of(SONG.to_vec(), 16);
        assert_eq!(form.section(form.climax()).role, Role::Chorus);
        let other = [("verse", 8, 1.2), ("chorus", 8, 0.3)];
        assert_eq!(Form::of(other.to_vec(), 16).climax(), 6);
    }

    #[test]
    fn parts_enter_and_leave() {
        let form = Form::of(SONG.to_vec(), 16);
        let count = |bar| {
            let layers = form.layers(bar);
            [layers.bass, layers.melody, layers.guide, layers.drums].iter().filter(|&&plays| plays).count()
        };
        assert_eq!([count(0), count(1), count(6)], [0, 1, 4]);
        assert!(count(15) < 4);
        assert!(form.energy(7) > form.energy(3));
    }
}
