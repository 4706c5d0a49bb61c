use std::fmt;

use kmidi_song::Note;
use serde::Serialize;

use super::NoteView;
use super::grid::{Chroma, ChromaSums, Grid};
use super::material::{Material, materials};

/// What a section is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SectionKind {
    /// Before it begins in earnest.
    Intro,
    /// Tells on; not the most energetic part.
    Verse,
    /// Leads from a verse to a chorus.
    Prechorus,
    /// The part that returns with most energy.
    Chorus,
    /// Something else, once, in the second half.
    Bridge,
    /// Energy drops for a while.
    Breakdown,
    /// After the last of it.
    Outro,
}

impl fmt::Display for SectionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            SectionKind::Intro => "intro",
            SectionKind::Verse => "verse",
            SectionKind::Prechorus => "prechorus",
            SectionKind::Chorus => "chorus",
            SectionKind::Bridge => "bridge",
            SectionKind::Breakdown => "breakdown",
            SectionKind::Outro => "outro",
        })
    }
}

/// A section of a song.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Section {
    /// What it is for.
    pub kind: SectionKind,
    /// Its material: sections with the same letter are the same again, or nearly. `A` is the first.
    pub material: String,
    /// First bar, from 1.
    pub bar: u32,
    /// Its length in bars.
    pub bars: u32,
    /// Mean energy, 0 to 1: `0.4 notes a beat / 8 + 0.4 velocity / 127 + 0.2 range / 48 semitones`.
    pub energy: f64,
}

/// Change of energy between windows that begins a section.
const ENERGY_STEP: f64 = 0.15;
/// Change of what is played, 0 to 1, that begins one: more than twice as much as where least changes (the lowest tenth of all
/// changes), within these.
const NOVELTY: std::ops::RangeInclusive<f64> = 0.24..=0.42;
/// Change below which two sections that do not return are one.
const FAINT: f64 = 0.32;
/// Shortest section in bars.
const SHORTEST_BARS: usize = 4;
/// Windows that are compared at most: in longer songs they are longer than two bars.
const MOST_WINDOWS: usize = 2048;

/// Two bars (more in very long songs) and what is in them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub energy: f64,
    pub chroma: Chroma,
    /// Pitched notes a beat.
    pub density: f64,
    /// Drum notes a beat.
    pub drums: f64,
    /// Channels that play, a bit each.
    pub channels: u16,
}

/// Cuts a song into sections and says what each is for.
pub(crate) fn sections(view: &NoteView, grid: &Grid, sums: &ChromaSums) -> Vec<Section> {
    let bars = view.bars() as usize;
    let mut window_bars = 2;
    while bars.div_ceil(window_bars) > MOST_WINDOWS {
        window_bars *= 2;
    }
    let windows = windows(view, grid, sums, window_bars);
    let shortest = SHORTEST_BARS.div_ceil(window_bars);
    let spans = spans(&windows, shortest);
    let materials = materials(&windows, &spans);
    let energies = energies(&windows, &spans);
    let kinds = Labels { spans: &spans, materials: &materials, energies: &energies }.kinds();
    let section = |at: usize| {
        let (first, end) = spans[at];
        let first_bar = first * window_bars;
        Section {
            kind: kinds[at],
            material: materials[at].to_string(),
            bar: first_bar as u32 + 1,
            bars: ((end * window_bars).min(bars) - first_bar) as u32,
            energy: energies[at],
        }
    };
    (0..spans.len()).map(section).collect()
}

/// The windows of each section: cut where enough changes, and joined again where that leads to nothing new.
fn spans(windows: &[Window], shortest: usize) -> Vec<(usize, usize)> {
    let firsts = borders(windows, shortest);
    let between = |firsts: &[usize]| -> Vec<(usize, usize)> {
        let ends = firsts.iter().copied().skip(1).chain([windows.len()]);
        firsts.iter().copied().zip(ends).collect()
    };
    let spans = between(&firsts);
    let (materials, energies) = (materials(windows, &spans), energies(windows, &spans));
    let returns = |at: usize| materials.iter().filter(|it| **it == materials[at]).count() > 1;
    let joined = |at: usize| {
        let step = (energies[at] - energies[at - 1]).abs();
        let (before, behind) = sides(windows, spans[at].0, shortest);
        let faint = step < ENERGY_STEP && difference(before, behind) < FAINT;
        materials[at] == materials[at - 1] || (faint && !returns(at) && !returns(at - 1))
    };
    let kept: Vec<usize> =
        (0..spans.len()).filter(|&at| at == 0 || !joined(at)).map(|at| spans[at].0).collect();
    between(&kept)
}

fn energies(windows: &[Window], spans: &[(usize, usize)]) -> Vec<f64> {
    spans.iter().map(|&(first, end)| mean(windows[first..end].iter().map(|it| it.energy))).collect()
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0u32), |(sum, count), value| (sum + value, count + 1));
    sum / f64::from(count.max(1))
}

fn lowest_tenth(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 10).copied().unwrap_or(0.0)
}

fn windows(view: &NoteView, grid: &Grid, sums: &ChromaSums, window_bars: usize) -> Vec<Window> {
    let starts = view.bar_starts();
    let bars = starts.len() - 1;
    let begun = |notes: &[Note], from: i64, to: i64| {
        let first = notes.partition_point(|note| note.start.0 < from);
        let end = notes.partition_point(|note| note.start.0 < to);
        (first, end)
    };
    (0..bars.div_ceil(window_bars))
        .map(|window| {
            let (from, to) = (starts[window * window_bars], starts[((window + 1) * window_bars).min(bars)]);
            let (first, end) = begun(view.notes(), from, to);
            let (first_drum, end_drum) = begun(view.drums(), from, to);
            let notes = &view.notes()[first..end];
            let drums = &view.drums()[first_drum..end_drum];
            let beats = ((to - from) as f64 / view.ticks_per_quarter() as f64).max(1e-9);
            let slot = |tick: i64| grid.starts.partition_point(|&start| start < tick).min(grid.slots());
            Window {
                energy: energy(notes, drums, beats),
                chroma: sums.of(slot(from), slot(to).max(slot(from))),
                density: notes.len() as f64 / beats,
                drums: drums.len() as f64 / beats,
                channels: notes.iter().chain(drums).fold(0, |set, note| set | 1 << (note.channel & 15)),
            }
        })
        .collect()
}

/// How much is going on: density, loudness and range.
fn energy(notes: &[Note], drums: &[Note], beats: f64) -> f64 {
    let all = || notes.iter().chain(drums);
    if all().next().is_none() {
        return 0.0;
    }
    let density = all().count() as f64 / beats;
    let velocity = mean(all().map(|note| f64::from(note.velocity)));
    let keys = notes.iter().map(|note| note.key);
    let range = keys.clone().max().unwrap_or(0).saturating_sub(keys.min().unwrap_or(0));
    0.4 * (density / 8.0).min(1.0) + 0.4 * velocity / 127.0 + 0.2 * (f64::from(range) / 48.0).min(1.0)
}

/// Cosine of the angle between two chromas: 1 for the same proportions; 1 for two silences, 0 for one.
pub(crate) fn cosine(one: &Chroma, other: &Chroma) -> f64 {
    let product = |a: &Chroma, b: &Chroma| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let (a, b) = (product(one, one), product(other, other));
    match (a > 1e-12, b > 1e-12) {
        (true, true) => product(one, other) / libm::sqrt(a * b),
        (false, false) => 1.0,
        _ => 0.0,
    }
}

/// How different two stretches are, 0 to 1: tones, energy, density, drums and instruments.
pub(crate) fn difference(one: &[Window], other: &[Window]) -> f64 {
    let of = |windows: &[Window], what: &dyn Fn(&Window) -> f64| mean(windows.iter().map(what));
    let far = |scale: f64, what: &dyn Fn(&Window) -> f64| {
        ((of(one, what) - of(other, what)).abs() / scale).min(1.0)
    };
    let chroma = |windows: &[Window]| -> Chroma {
        std::array::from_fn(|class| windows.iter().map(|window| window.chroma[class]).sum())
    };
    let channels = |windows: &[Window]| windows.iter().fold(0u16, |set, window| set | window.channels);
    let (a, b) = (channels(one), channels(other));
    let instruments = f64::from((a ^ b).count_ones()) / f64::from((a | b).count_ones().max(1));
    0.35 * ((1.0 - cosine(&chroma(one), &chroma(other))) * 2.0).min(1.0)
        + 0.25 * far(0.25, &|window| window.energy)
        + 0.15 * far(3.0, &|window| window.density)
        + 0.1 * far(3.0, &|window| window.drums)
        + 0.15 * instruments
}

/// What is just before a window and what begins with it, the shortest section on either side.
fn sides(windows: &[Window], at: usize, shortest: usize) -> (&[Window], &[Window]) {
    (&windows[at.saturating_sub(shortest)..at], &windows[at..(at + shortest).min(windows.len())])
}

/// First windows of the sections; the first is 0.
fn borders(windows: &[Window], shortest: usize) -> Vec<usize> {
    let count = windows.len();
    let change = |at: usize| {
        let (before, behind) = sides(windows, at, shortest);
        difference(before, behind)
    };
    let differences: Vec<f64> = (1..count).map(change).collect();
    let novelty = (2.0 * lowest_tenth(&differences)).clamp(*NOVELTY.start(), *NOVELTY.end());
    let step = |at: usize| {
        let (before, behind) = sides(windows, at, shortest);
        let energy =
            (mean(before.iter().map(|it| it.energy)) - mean(behind.iter().map(|it| it.energy))).abs();
        // Each on its own scale: 1 is as much as begins a section.
        (energy / ENERGY_STEP).max(differences[at - 1] / novelty)
    };
    let steps: Vec<f64> = (0..count).map(|at| if at == 0 { 0.0 } else { step(at) }).collect();
    // The strongest first; whatever is too near to a stronger one is part of it.
    let mut candidates: Vec<usize> = (1..count).filter(|&at| steps[at] >= 1.0).collect();
    candidates.sort_by(|&one, &other| steps[other].total_cmp(&steps[one]).then(one.cmp(&other)));
    let mut borders = vec![0];
    for at in candidates {
        let near_end = count - at < shortest;
        if !near_end && borders.iter().all(|&border| at.abs_diff(border) >= shortest) {
            borders.push(at);
        }
    }
    borders.sort_unstable();
    borders
}

/// What is known when sections are named.
struct Labels<'a> {
    spans: &'a [(usize, usize)],
    materials: &'a [Material],
    energies: &'a [f64],
}

impl Labels<'_> {
    fn kinds(&self) -> Vec<SectionKind> {
        let count = self.spans.len();
        let chorus = self.chorus();
        let mut kinds: Vec<SectionKind> = (0..count).map(|at| self.first_guess(at, chorus)).collect();
        for at in 0..count {
            let before_chorus = kinds.get(at + 1) == Some(&SectionKind::Chorus);
            let behind_verse = at > 0 && kinds[at - 1] == SectionKind::Verse;
            let rises = at > 0 && self.energies[at] > self.energies[at - 1];
            let short = self.windows(at) <= 4;
            if kinds[at] == SectionKind::Verse && before_chorus && behind_verse && short && rises {
                kinds[at] = SectionKind::Prechorus;
            }
        }
        kinds
    }

    fn windows(&self, at: usize) -> usize {
        self.spans[at].1 - self.spans[at].0
    }

    fn times(&self, material: Material) -> usize {
        self.materials.iter().filter(|it| **it == material).count()
    }

    fn mean_energy(&self, material: Material) -> f64 {
        mean(self.materials.iter().zip(self.energies).filter(|it| *it.0 == material).map(|it| *it.1))
    }

    /// Energy of the calmest material that returns; of all sections where none does.
    fn calmest_returning(&self) -> f64 {
        let returning = self.materials.iter().copied().filter(|it| self.times(*it) > 1);
        let calmest = returning.map(|it| self.mean_energy(it)).fold(f64::INFINITY, f64::min);
        if calmest.is_finite() { calmest } else { mean(self.energies.iter().copied()) }
    }

    /// The material that returns with most energy; where nothing returns, the most energetic, if it stands out.
    fn chorus(&self) -> Option<Material> {
        let all = mean(self.energies.iter().copied());
        let stands_out = |material: &Material| self.mean_energy(*material) > all + 0.02;
        let most = |materials: &mut dyn Iterator<Item = Material>| {
            materials.max_by(|one, other| self.mean_energy(*one).total_cmp(&self.mean_energy(*other)))
        };
        let returning = most(&mut self.materials.iter().copied().filter(|it| self.times(*it) > 1));
        returning.filter(stands_out).or_else(|| {
            let any = most(&mut self.materials.iter().copied());
            any.filter(|it| self.mean_energy(*it) > all + ENERGY_STEP / 2.0)
        })
    }

    fn first_guess(&self, at: usize, chorus: Option<Material>) -> SectionKind {
        let (material, energy) = (self.materials[at], self.energies[at]);
        let all = mean(self.energies.iter().copied());
        let (first, last) = (at == 0, at + 1 == self.spans.len());
        let short = self.windows(at) <= 4 && self.spans.len() > 1;
        if Some(material) == chorus {
            return SectionKind::Chorus;
        }
        if first && short && energy < all && (self.times(material) == 1 || self.windows(at) <= 2) {
            return SectionKind::Intro;
        }
        if last && short && energy < all && self.spans.len() > 2 {
            return SectionKind::Outro;
        }
        let dropped = at > 0 && self.energies[at - 1] - energy >= ENERGY_STEP;
        let rises_again = !last && self.energies[at + 1] - energy >= ENERGY_STEP;
        let second_half = self.spans[at].0 * 2 >= self.spans[self.spans.len() - 1].1;
        match () {
            _ if self.times(material) > 1 => SectionKind::Verse,
            _ if dropped && rises_again && energy < self.calmest_returning() => SectionKind::Breakdown,
            _ if second_half && !last => SectionKind::Bridge,
            _ => SectionKind::Verse,
        }
    }
}
