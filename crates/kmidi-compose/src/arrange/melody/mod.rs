//! The melody: a motif that is repeated, varied, moved and answered, in phrases that breathe, over the chords.
mod line;
mod motif;
mod phrase;

use kmidi_song::Random;

use self::line::{Rules, Wish, chord_of, is_structural, line};
use self::motif::{Motif, Taste};
use self::phrase::{Breath, Cadence, Sketch, Theme, phrase, phrases};
use super::Tone;
use super::chart::Chart;
use super::form::{Form, Section};
use super::grid::{EIGHTH, Grid, SIXTEENTH};
use super::style::{Style, unit};
use crate::mood::Contour;
use crate::plan::{HarmonyPlan, SectionKind};

/// Sixteenths are played up to this many quarter notes a minute.
const SIXTEENTHS_UP_TO_BPM: f64 = 112.0;

/// All that a melody is made from.
pub struct Ground<'a> {
    /// The plan.
    pub plan: &'a HarmonyPlan,
    /// Its beats.
    pub grid: &'a Grid,
    /// Its sections.
    pub form: &'a Form,
    /// Its chords.
    pub chart: &'a Chart,
    /// Its manner.
    pub style: &'a Style,
    /// Held keys of the other parts for each chord.
    pub sounding: &'a [Vec<u8>],
    /// The highest key of the chords part for each chord.
    pub tops: &'a [u8],
}

/// Themes of a piece: what verses say, what choruses say, and that from its other side.
struct Themes {
    verse: Theme,
    chorus: Theme,
    bridge: Theme,
}

/// The melody, in the bars where it plays.
pub fn melody(ground: &Ground<'_>, random: &mut Random) -> Vec<Tone> {
    let themes = ground.themes(random);
    let seed = u64::from(random.below(u32::MAX));
    let climax = ground.climax(&themes);
    let mut tones: Vec<Tone> = Vec::new();
    for section in &ground.form.sections {
        let bars = ground.bars(section);
        if bars.is_empty() {
            continue;
        }
        let sketches = ground.sketch(section, bars, &themes);
        let wishes = ground.wishes(section, &sketches, climax);
        // A section that comes again is led by the same chance, so that it is known again.
        let mut random = Random::new(seed.wrapping_add(section.kind as u64));
        let before = tones.last().map(|tone| i32::from(tone.key));
        let keys = line(&ground.rules(), &wishes, before, &mut random);
        tones.extend(ground.tones(&wishes, &keys));
    }
    tones
}

impl Ground<'_> {
    fn themes(&self, random: &mut Random) -> Themes {
        let taste = self.taste(1.0);
        let verse = Theme::new(Motif::new(self.grid, taste, random), self.grid, random);
        let more = Motif::new(self.grid, self.taste(1.15), random);
        let chorus = Theme::new(more, self.grid, random);
        let bridge = verse.other_side(self.grid, random);
        Themes { verse, chorus, bridge }
    }

    fn density(&self) -> f64 {
        let given = self.style.character.density_per_beat;
        let given = if given.is_finite() { given.clamp(0.2, 3.0) } else { 1.0 };
        given * (1.0 - 0.15 * self.style.vulnerability)
    }

    fn taste(&self, more: f64) -> Taste {
        let density = self.density() * more;
        let short_bar = self.grid.beats.len() < 3;
        Taste {
            // Cadences and rests have fewer notes than the rest of a phrase, which makes up for it.
            density: density * 1.2,
            syncopation: self.style.syncopation,
            contour: self.style.character.contour,
            sixteenths: density > 1.9 || density > 0.9 && self.plan.tempo_bpm <= SIXTEENTHS_UP_TO_BPM,
            restless: (2.5 * (unit(self.style.character.dissonance) - 0.3)).clamp(0.0, 0.75),
            bars: if density < 0.8 || short_bar { 2 } else { 1 },
        }
    }

    fn rules(&self) -> Rules<'_> {
        let low = i32::from(*self.style.melody_range.start());
        Rules {
            grid: self.grid,
            chart: self.chart,
            sounding: self.sounding,
            tops: self.tops,
            tonic: self.plan.key.tonic.pitch_class(),
            centre: self.centre(),
            low,
            foreign: if self.style.character.dissonance >= 0.5 { 90 } else { 400 },
            clash: if self.style.may_clash() { 30 } else { 300 },
            widest_leap: self.style.widest_leap,
            resolves: self.plan.resolves,
        }
    }

    fn centre(&self) -> i32 {
        let range = &self.style.melody_range;
        i32::from(self.style.melody_centre.clamp(range.start() + 4, range.end() - 4))
    }

    /// The bars of a section that have a melody: from the first to the last that has one.
    fn bars(&self, section: &Section) -> std::ops::Range<u32> {
        let mut with = (section.start..section.end()).filter(|&bar| self.form.layers(bar).melody);
        match (with.next(), with.next_back()) {
            (Some(first), Some(last)) => first..last + 1,
            (Some(first), None) => first..first + 1,
            _ => 0..0,
        }
    }

    /// The section's phrases, one behind the other: question and answer in turns.
    fn sketch(&self, section: &Section, bars: std::ops::Range<u32>, themes: &Themes) -> Vec<Sketch> {
        let theme = match section.kind {
            SectionKind::Chorus => &themes.chorus,
            SectionKind::Bridge | SectionKind::Breakdown => &themes.bridge,
            _ => &themes.verse,
        };
        let character = &self.style.character;
        let breath = Breath {
            space: unit(character.space),
            contour: character.contour,
            span: self.span(),
            density: self.density(),
        };
        let lengths = phrases(bars.len() as u32);
        let mut sketches = Vec::new();
        let mut bar = bars.start;
        for (index, &length) in lengths.iter().enumerate() {
            let last = index + 1 == lengths.len();
            let cadence = match () {
                () if bar + length == self.form.bars => Cadence::Final,
                () if last || index % 2 == 1 => Cadence::Closed,
                () => Cadence::Open,
            };
            let start = i64::from(bar) * self.grid.bar;
            sketches.extend(phrase(theme, self.grid, start, length, cadence, breath));
            bar += length;
        }
        if bar == self.form.bars {
            self.hold_the_end(&mut sketches);
        }
        sketches
    }

    /// In the last bar of a piece the melody comes to its last note at once, and stays.
    fn hold_the_end(&self, sketches: &mut Vec<Sketch>) {
        let last_bar = i64::from(self.form.bars - 1) * self.grid.bar;
        let inside = sketches.iter().filter(|sketch| sketch.start >= last_bar).count();
        if inside > 1 && self.form.bars > 1 {
            let model = sketches[sketches.len() - 1];
            sketches.truncate(sketches.len() - inside);
            sketches.push(Sketch { start: last_bar, step: None, ..model });
        }
        if let Some(last) = sketches.last_mut() {
            last.end = i64::from(self.form.bars) * self.grid.bar;
        }
    }

    /// How far a phrase goes from its middle, in semitones.
    fn span(&self) -> f64 {
        let range = f64::from(self.style.melody_range.end() - self.style.melody_range.start());
        match self.style.character.contour {
            Contour::Level => 1.0,
            Contour::Jagged => 5.0_f64.min(range / 4.0),
            _ => (range / 5.0).clamp(3.0, 6.0),
        }
    }

    /// How much higher than the centre a section is, in semitones.
    fn lift(&self, section: &Section) -> f64 {
        let range = f64::from(self.style.melody_range.end() - self.style.melody_range.start());
        let most = if self.style.character.contour == Contour::Level { 2.0 } else { (range / 5.0).min(5.0) };
        (section.energy - 0.5) * 2.0 * most
    }

    /// Tick and key of the highest note: the weightiest note of the bar of the climax, or of the nearest bar that has one; the
    /// highest tone of its chord in the range. A level melody has no climax.
    fn climax(&self, themes: &Themes) -> Option<(i64, i32)> {
        if self.style.character.contour == Contour::Level {
            return None;
        }
        let bar = self.form.climax();
        let section = self.form.section(bar);
        let bars = self.bars(section);
        if bars.is_empty() {
            return None;
        }
        let sketches = self.sketch(section, bars, themes);
        let wanted = i64::from(bar) * self.grid.bar;
        let worth = |sketch: &&Sketch| {
            let bars_away = (sketch.start.div_euclid(self.grid.bar) - wanted.div_euclid(self.grid.bar)).abs();
            let structural = is_structural(self.grid, sketch);
            (sketch.cadence.is_some(), bars_away, !structural, -(sketch.end - sketch.start))
        };
        let note = sketches.iter().min_by_key(worth)?;
        let span = chord_of(self.chart, note);
        let (low, high) =
            (i32::from(*self.style.melody_range.start()), i32::from(*self.style.melody_range.end()));
        let clear = |key: &i32| {
            let index = self.chart.spans.iter().position(|it| it.start == span.start).unwrap_or(0);
            !self
                .sounding
                .get(index)
                .is_some_and(|keys| keys.iter().any(|&it| super::clashes(it, *key as u8)))
        };
        let peak = (low + 8..=high).rev().find(|key| span.has(*key as u8) && clear(key))?;
        Some((note.start, peak))
    }

    /// The notes with their bounds: all below the climax, and the more so the less a section has to say.
    fn wishes(&self, section: &Section, sketches: &[Sketch], climax: Option<(i64, i32)>) -> Vec<Wish> {
        let (low, high) =
            (i32::from(*self.style.melody_range.start()), i32::from(*self.style.melody_range.end()));
        let peak = climax.map_or(high, |(_, key)| key - 1);
        let lift = self.lift(section);
        let wish = |sketch: &Sketch| {
            let bar = sketch.start.div_euclid(self.grid.bar) as u32;
            let reach = 0.62 + 0.38 * self.form.energy(bar);
            let top = (f64::from(low) + f64::from(high - low) * reach) as i32;
            let mut sketch = *sketch;
            sketch.height += lift;
            match climax {
                Some((start, key)) if start == sketch.start => {
                    sketch.height = f64::from(key - self.centre());
                    Wish { sketch, top: key, fixed: Some(key) }
                }
                // The line climbs towards the climax, and comes down from it.
                Some((start, key)) if (sketch.start - start).abs() <= self.grid.bar => {
                    sketch.height = sketch.height.max(f64::from(key - self.centre() - 5));
                    Wish { sketch, top: peak.min(high), fixed: None }
                }
                _ => Wish { sketch, top: top.min(peak), fixed: None },
            }
        };
        sketches.iter().map(wish).collect()
    }

    /// The notes as they sound: with the plan's articulation, and none into a chord that it does not belong to.
    fn tones(&self, wishes: &[Wish], keys: &[u8]) -> Vec<Tone> {
        let articulation = self.style.articulation();
        let tone = |(wish, &key): (&Wish, &u8)| {
            let sketch = &wish.sketch;
            let mut end = sketch.end;
            if !sketch.last {
                end = sketch.start + ((sketch.end - sketch.start) as f64 * articulation) as i64;
            }
            let span = chord_of(self.chart, sketch);
            if end > span.end && !self.chart.at(span.end).has(key) && span.end > sketch.start + SIXTEENTH {
                end = span.end;
            }
            // A phrase swells to its middle.
            let swell = 0.08 - 0.32 * (sketch.way - 0.55) * (sketch.way - 0.55);
            let short = if sketch.end - sketch.start < EIGHTH { -0.05 } else { 0.0 };
            Tone { start: sketch.start, end: end.max(sketch.start + 1), key, accent: swell + short }
        };
        wishes.iter().zip(keys).map(tone).collect()
    }
}
