use kmidi_song::Random;

use super::Tone;
use super::form::Form;
use super::grid::{Beat, Grid, SIXTEENTH};
use super::style::{Kit, Style, unit};
use crate::plan::SectionKind;

/// Keys of the General MIDI kit.
mod key {
    pub const KICK: u8 = 36;
    pub const SIDE_STICK: u8 = 37;
    pub const SNARE: u8 = 38;
    pub const FLOOR_TOM: u8 = 41;
    pub const HAT: u8 = 42;
    pub const HAT_PEDAL: u8 = 44;
    pub const LOW_TOM: u8 = 45;
    pub const HAT_OPEN: u8 = 46;
    pub const MIDDLE_TOM: u8 = 47;
    pub const CRASH: u8 = 49;
    pub const HIGH_TOM: u8 = 50;
    pub const RIDE: u8 = 51;
}

/// How long a stroke is written, in ticks.
const STROKE: i64 = SIXTEENTH;

/// A drummer: what is chosen once for a piece, and what is played so far.
struct Drummer<'a> {
    grid: &'a Grid,
    style: &'a Style,
    /// Places of the bar where a kick comes beside those on strong beats.
    kicks: Vec<i64>,
    tones: Vec<Tone>,
}

/// The drums, in the bars where they play; nothing for a silent kit.
pub fn drums(grid: &Grid, form: &Form, style: &Style, random: &mut Random) -> Vec<Tone> {
    if style.kit == Kit::Silent {
        return vec![];
    }
    let kicks = extra_kicks(grid, style, random);
    let mut drummer = Drummer { grid, style, kicks, tones: Vec::new() };
    for bar in 0..form.bars {
        let start = i64::from(bar) * grid.bar;
        let section = form.section(bar);
        let opens = bar == section.start && bar > 0 && form.energy(bar) > 0.5;
        if bar + 1 == form.bars && form.bars > 1 {
            drummer.last_stroke(start, form.energy(bar.saturating_sub(1)));
        } else if form.layers(bar).drums {
            if opens && matches!(style.kit, Kit::Straight | Kit::Driving | Kit::March) {
                drummer.hit(start, key::CRASH, 0.05);
            }
            let fills = bar + 1 == section.end() && section.kind != SectionKind::Outro && bar + 2 < form.bars;
            let until = if fills { drummer.fill(start, random) } else { grid.bar };
            drummer.bar(start, until, form.energy(bar), random);
        }
    }
    drummer.tones
}

/// Kicks between the strong beats, the same in every bar: more of them where the plan is bold.
fn extra_kicks(grid: &Grid, style: &Style, random: &mut Random) -> Vec<i64> {
    let mut kicks = Vec::new();
    for beat in &grid.beats {
        let last = beat.part(beat.parts() - 1);
        if random.chance(0.2 + 0.35 * style.syncopation) {
            kicks.push(last);
        }
    }
    kicks
}

impl Drummer<'_> {
    fn hit(&mut self, start: i64, key: u8, accent: f64) {
        self.tones.push(Tone { start, end: start + STROKE, key, accent });
    }

    /// Beats that stand last in their group: where the backbeat is.
    fn backbeats(&self) -> Vec<Beat> {
        self.grid.groups().filter(|group| group.len() > 1).filter_map(|group| group.last().copied()).collect()
    }

    /// A bar from `start`, as far as `until` (ticks of the bar).
    fn bar(&mut self, start: i64, until: i64, energy: f64, random: &mut Random) {
        let first = self.tones.len();
        match self.style.kit {
            Kit::Silent => {}
            Kit::Soft => self.soft(start, energy),
            Kit::Swing => self.swing(start, energy, random),
            Kit::Straight => self.straight(start, energy, random),
            Kit::Driving => self.driving(start, energy),
            Kit::Toms => self.toms(start, energy),
            Kit::March => self.march(start, energy),
            Kit::Broken => self.broken(start, energy, random),
        }
        let mut index = 0;
        self.tones.retain(|tone| {
            index += 1;
            index <= first || tone.start < start + until
        });
    }

    fn soft(&mut self, start: i64, energy: f64) {
        let amount = unit(self.style.character.drums);
        self.hit(start, key::KICK, -0.05);
        for beat in self.backbeats() {
            self.hit(start + beat.start, key::SIDE_STICK, -0.1);
        }
        if amount + energy > 0.6 {
            for beat in &self.grid.beats.clone() {
                let parts = if amount + energy > 1.0 { beat.parts() } else { 1 };
                for part in 0..parts {
                    self.hit(start + beat.part(part), key::HAT, -0.15 - 0.05 * part as f64);
                }
            }
        }
    }

    fn swing(&mut self, start: i64, energy: f64, random: &mut Random) {
        let backbeats = self.backbeats();
        for beat in &self.grid.beats.clone() {
            let back = backbeats.contains(beat);
            self.hit(start + beat.start, key::RIDE, if back { -0.02 } else { -0.08 });
            // The swing of the whole piece brings this to its place.
            if back && beat.parts() == 2 {
                self.hit(start + beat.part(1), key::RIDE, -0.14);
            }
            if back {
                self.hit(start + beat.start, key::HAT_PEDAL, -0.1);
                if energy > 0.4 {
                    self.hit(start + beat.start, key::SIDE_STICK, -0.12);
                }
            }
            if random.chance(0.15 * energy) {
                self.hit(start + beat.part(beat.parts() - 1), key::SNARE, -0.3);
            }
        }
        self.hit(start, key::KICK, -0.12);
    }

    fn straight(&mut self, start: i64, energy: f64, random: &mut Random) {
        let cymbal = if energy > 0.8 { key::RIDE } else { key::HAT };
        let beats = self.grid.beats.clone();
        let opens = random.chance(0.25 * self.style.fills + 0.1);
        for (index, beat) in beats.iter().enumerate() {
            let parts = if energy > 0.35 { beat.parts() } else { 1 };
            for part in 0..parts {
                let last = index + 1 == beats.len() && part + 1 == beat.parts();
                let key = if last && opens { key::HAT_OPEN } else { cymbal };
                self.hit(start + beat.part(part), key, if part == 0 { -0.06 } else { -0.16 });
            }
            if beat.strong {
                self.hit(start + beat.start, key::KICK, 0.02);
            }
        }
        let snare = if energy > 0.3 { key::SNARE } else { key::SIDE_STICK };
        for beat in self.backbeats() {
            self.hit(start + beat.start, snare, 0.04);
        }
        if energy > 0.4 {
            for at in self.kicks.clone() {
                self.hit(start + at, key::KICK, -0.06);
            }
        }
    }

    fn driving(&mut self, start: i64, energy: f64) {
        let backbeats = self.backbeats();
        for beat in &self.grid.beats.clone() {
            for part in 0..beat.parts() {
                let at = start + beat.part(part);
                let cymbal = if energy > 0.7 { key::HAT_OPEN } else { key::HAT };
                self.hit(at, cymbal, if part == 0 { 0.0 } else { -0.08 });
                if !backbeats.contains(beat) || part > 0 && energy > 0.6 {
                    self.hit(at, key::KICK, if part == 0 { 0.06 } else { -0.02 });
                }
            }
        }
        for beat in backbeats {
            self.hit(start + beat.start, key::SNARE, 0.1);
        }
    }

    /// Far apart where there is little energy, rolling where there is much.
    fn toms(&mut self, start: i64, energy: f64) {
        self.hit(start, key::FLOOR_TOM, 0.0);
        self.hit(start, key::KICK, -0.02);
        let beats = self.grid.beats.clone();
        if energy > 0.35 {
            let last = beats[beats.len() - 1];
            self.hit(start + last.part(last.parts() - 1), key::LOW_TOM, -0.12);
        }
        if energy > 0.6 {
            for (index, beat) in beats.iter().enumerate().skip(1) {
                let key = if index % 2 == 0 { key::FLOOR_TOM } else { key::LOW_TOM };
                self.hit(start + beat.start, key, -0.06);
                if energy > 0.8 {
                    self.hit(start + beat.part(1), key::FLOOR_TOM, -0.16);
                }
            }
        }
    }

    fn march(&mut self, start: i64, energy: f64) {
        let beats = self.grid.beats.clone();
        for (index, beat) in beats.iter().enumerate() {
            let last = index + 1 == beats.len();
            self.hit(start + beat.start, key::SNARE, if beat.strong { 0.02 } else { -0.04 });
            if beat.strong {
                self.hit(start + beat.start, key::KICK, 0.06);
            } else if energy > 0.4 {
                self.hit(start + beat.part(1), key::SNARE, -0.14);
            }
            if last && energy > 0.5 {
                for sixteenth in 1..4 {
                    self.hit(
                        start + beat.start + beat.length * sixteenth / 4,
                        key::SNARE,
                        -0.2 + 0.05 * sixteenth as f64,
                    );
                }
            }
        }
    }

    fn broken(&mut self, start: i64, energy: f64, random: &mut Random) {
        self.hit(start, key::KICK, 0.0);
        let usual = 0.15 + 0.3 * energy;
        for beat in &self.grid.beats.clone() {
            for sixteenth in 0..4 {
                if !random.chance(usual) {
                    continue;
                }
                let at = start + beat.start + beat.length * sixteenth / 4;
                let keys = [key::HAT, key::SIDE_STICK, key::SNARE, key::HAT, key::LOW_TOM];
                let key = random.pick(&keys).copied().unwrap_or(key::HAT);
                self.hit(at, key, -0.1 + 0.15 * random.unit());
            }
        }
    }

    /// A run at the end of a bar that a section ends with. Gives where it begins, in ticks of the bar.
    fn fill(&mut self, start: i64, random: &mut Random) -> i64 {
        let beats = &self.grid.beats;
        let long = beats.len() > 2 && self.style.fills > 0.5;
        let from = beats[beats.len().saturating_sub(if long { 2 } else { 1 })].start;
        let soft = matches!(self.style.kit, Kit::Soft | Kit::Swing);
        if soft {
            // A few soft strokes that lead on.
            let last = beats[beats.len() - 1];
            let at = start + last.part(last.parts() - 1);
            self.hit(at, if self.style.kit == Kit::Swing { key::SNARE } else { key::SIDE_STICK }, -0.12);
            return self.grid.bar;
        }
        let runs: [&[u8]; 3] = [
            &[key::SNARE, key::SNARE, key::HIGH_TOM, key::MIDDLE_TOM, key::LOW_TOM, key::FLOOR_TOM],
            &[key::SNARE, key::HIGH_TOM, key::HIGH_TOM, key::LOW_TOM, key::FLOOR_TOM, key::FLOOR_TOM],
            &[key::HIGH_TOM, key::SNARE, key::MIDDLE_TOM, key::SNARE, key::LOW_TOM, key::SNARE],
        ];
        let run = random.pick(&runs).copied().unwrap_or(runs[0]);
        let dense = 0.45 + 0.5 * self.style.fills;
        let strokes = ((self.grid.bar - from) / SIXTEENTH).max(1);
        for index in 0..strokes {
            let on_eighth = index % 2 == 0;
            if on_eighth || random.chance(dense) {
                let key = run[(index as usize * run.len() / strokes as usize).min(run.len() - 1)];
                let rise = index as f64 / strokes as f64;
                self.hit(start + from + index * SIXTEENTH, key, -0.08 + 0.16 * rise);
            }
        }
        self.hit(start + from, key::KICK, 0.0);
        from
    }

    /// What a piece ends with: one stroke, of a cymbal too where it is loud.
    fn last_stroke(&mut self, start: i64, energy: f64) {
        self.hit(start, key::KICK, 0.0);
        if matches!(self.style.kit, Kit::Straight | Kit::Driving | Kit::March) {
            self.hit(start, key::CRASH, 0.0);
        } else if energy > 0.4 && self.style.kit == Kit::Swing {
            self.hit(start, key::RIDE, -0.05);
        }
    }
}
