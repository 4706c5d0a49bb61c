use kmidi_song::Note;
use serde::Serialize;

use super::NoteView;
use super::key::correlation;
use crate::mood::interval_tension;
use crate::plan::TensionCurve;

/// Tension of one bar and what it is made of; each 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct BarTension {
    /// The bar, from 1.
    pub bar: u32,
    /// All of it.
    pub tension: f64,
    /// Mean dissonance of the pairs of notes that sound together, by [`interval_tension`].
    pub dissonance: f64,
    /// Notes that begin, drums included: eight a beat are 1.
    pub density: f64,
    /// How high the pitched notes lie: C2 is 0, C7 is 1.
    pub register: f64,
    /// Mean velocity.
    pub velocity: f64,
}

/// How much each part counts for the whole.
const DISSONANCE: f64 = 0.35;
const DENSITY: f64 = 0.25;
const REGISTER: f64 = 0.15;
const VELOCITY: f64 = 0.25;

/// Notes that may sound together in a bar before only some of them are compared.
const MOST_PAIRED: usize = 64;

/// Bars behind its first in which a held note still counts.
const LONGEST_HELD: usize = 64;

/// The tension of each bar.
pub fn tension(view: &NoteView) -> Vec<BarTension> {
    let starts = view.bar_starts();
    let notes = in_bars(view.notes(), &starts);
    let drums = in_bars(view.drums(), &starts);
    (0..starts.len() - 1)
        .map(|bar| {
            let span = (starts[bar], starts[bar + 1]);
            let here: Vec<Note> = notes[bar].iter().map(|&at| view.notes()[at]).collect();
            let hits: Vec<Note> = drums[bar].iter().map(|&at| view.drums()[at]).collect();
            bar_tension(bar as u32 + 1, span, &here, &hits, view.ticks_per_quarter())
        })
        .collect()
}

/// The notes that sound in each bar, by their places; of very many, those that begin there or before, up to a limit.
fn in_bars(notes: &[Note], starts: &[i64]) -> Vec<Vec<usize>> {
    let bars = starts.len() - 1;
    let mut found = vec![vec![]; bars];
    let bar_of = |tick: i64| starts.partition_point(|&start| start <= tick).saturating_sub(1).min(bars - 1);
    for (at, note) in notes.iter().enumerate() {
        let (first, last) = (bar_of(note.start.0), bar_of((note.end.0 - 1).max(note.start.0)));
        found[first].push(at);
        for bar in found[first..last.max(first) + 1].iter_mut().skip(1).take(LONGEST_HELD) {
            // Held notes: as many as can be compared anyway.
            if bar.len() < MOST_PAIRED {
                bar.push(at);
            }
        }
    }
    found
}

fn bar_tension(bar: u32, span: (i64, i64), notes: &[Note], drums: &[Note], quarter: i64) -> BarTension {
    let beats = ((span.1 - span.0) as f64 / quarter as f64).max(1e-9);
    let begins = |note: &&Note| (span.0..span.1).contains(&note.start.0);
    let begun: Vec<&Note> = notes.iter().chain(drums).filter(begins).collect();
    let mean =
        |values: &mut dyn Iterator<Item = f64>, count: usize| values.sum::<f64>() / count.max(1) as f64;
    let register = mean(&mut notes.iter().map(|note| f64::from(note.key)), notes.len());
    let mut here = BarTension {
        bar,
        dissonance: dissonance(notes, span),
        density: (begun.len() as f64 / beats / 8.0).min(1.0),
        register: if notes.is_empty() { 0.0 } else { ((register - 36.0) / 60.0).clamp(0.0, 1.0) },
        velocity: mean(&mut begun.iter().map(|note| f64::from(note.velocity) / 127.0), begun.len()),
        tension: 0.0,
    };
    here.tension = DISSONANCE * here.dissonance
        + DENSITY * here.density
        + REGISTER * here.register
        + VELOCITY * here.velocity;
    here
}

/// The mean of the interval table over all pairs of notes, weighted by how long they sound together.
fn dissonance(notes: &[Note], span: (i64, i64)) -> f64 {
    let notes = &notes[..notes.len().min(MOST_PAIRED)];
    let (mut weight, mut sum) = (0.0, 0.0);
    for (at, one) in notes.iter().enumerate() {
        for other in &notes[at + 1..] {
            let from = one.start.0.max(other.start.0).max(span.0);
            let to = one.end.0.min(other.end.0).min(span.1);
            let together = (to - from).max(0) as f64;
            weight += together;
            sum += together * interval_tension(one.key.abs_diff(other.key));
        }
    }
    if weight > 0.0 { sum / weight } else { 0.0 }
}

/// A named curve and how well it fits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CurveFit {
    /// Which.
    pub name: TensionCurve,
    /// Correlation with it, -1 to 1; for `static`, how little tension changes.
    pub fit: f64,
}

/// Change of tension, relative to its mean, below which it is static.
const STATIC: f64 = 0.06;

/// The named curve that a course of tension is nearest to; `None` for fewer than eight values.
pub fn closest_curve(tensions: &[f64]) -> Option<CurveFit> {
    if tensions.len() < 8 || tensions.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let parts = eighths(tensions);
    let mean = parts.iter().sum::<f64>() / 8.0;
    let spread = libm::sqrt(parts.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / 8.0);
    let relative = if mean.abs() > 1e-9 { spread / mean.abs() } else { 0.0 };
    if relative < STATIC {
        return Some(CurveFit { name: TensionCurve::Static, fit: 1.0 - relative / STATIC });
    }
    let moving = TensionCurve::ALL.into_iter().filter(|curve| *curve != TensionCurve::Static);
    let fits = moving.map(|name| CurveFit { name, fit: correlation(&parts, &name.multipliers()) });
    fits.max_by(|one, other| one.fit.total_cmp(&other.fit))
}

/// Means over the eight equal parts of a course; a value on a border counts for both parts by its share.
fn eighths(values: &[f64]) -> [f64; 8] {
    let length = values.len() as f64 / 8.0;
    std::array::from_fn(|part| {
        let (from, to) = (part as f64 * length, (part + 1) as f64 * length);
        let share = |at: usize| ((at + 1) as f64).min(to) - (at as f64).max(from);
        let (first, last) = (from as usize, (libm::ceil(to) as usize).min(values.len()));
        (first..last).map(|at| share(at).max(0.0) * values[at]).sum::<f64>() / length
    })
}

#[cfg(test)]
mod tests {
    use kmidi_core::{Division, MeterMap, TempoMap, Ticks};

    use super::*;

    fn view(notes: Vec<Note>) -> NoteView {
        NoteView::new(notes, TempoMap::new(Division::Ppq(96), []), MeterMap::new(96, [])).unwrap()
    }

    fn note(bar: i64, key: u8, velocity: u8) -> Note {
        Note { start: Ticks(bar * 384), end: Ticks(bar * 384 + 384), channel: 0, key, velocity }
    }

    #[test]
    fn each_curve_is_closest_to_itself_stretched_and_scaled() {
        for curve in TensionCurve::ALL {
            let course: Vec<f64> = (0..40).map(|bar| 0.2 + 0.3 * curve.multipliers()[bar / 5]).collect();
            let found = closest_curve(&course).unwrap();
            assert_eq!(found.name, curve);
            assert!(found.fit > 0.6, "{found:?}");
        }
        assert_eq!(closest_curve(&[1.0; 7]), None);
        assert_eq!(closest_curve(&[f64::NAN; 9]), None);
    }

    #[test]
    fn dissonant_loud_high_and_busy_bars_are_tense() {
        let mut notes = vec![note(0, 60, 60), note(0, 67, 60), note(1, 60, 60), note(1, 66, 60)];
        notes.extend([note(2, 60, 120), note(2, 67, 120), note(3, 84, 60), note(3, 91, 60), note(4, 60, 60)]);
        notes.extend((0..16).map(|at| Note {
            start: Ticks(4 * 384 + at * 24),
            end: Ticks(4 * 384 + at * 24 + 12),
            ..note(4, 67, 60)
        }));
        let bars = tension(&view(notes));
        let [calm, dissonant, loud, high, busy] = bars[..] else { panic!("{} bars", bars.len()) };
        assert!(dissonant.dissonance > 0.99 && calm.dissonance < 0.11);
        assert!(
            loud.velocity > calm.velocity && high.register > calm.register && busy.density > calm.density
        );
        for tense in [dissonant, loud, high, busy] {
            assert!(tense.tension > calm.tension + 0.02, "{tense:?}");
        }
        assert!(bars.iter().all(|bar| (0.0..=1.0).contains(&bar.tension)));
    }

    #[test]
    fn a_bar_of_silence_has_no_tension() {
        let bars = tension(&view(vec![note(0, 60, 80), note(2, 60, 80)]));
        assert_eq!(bars[1], BarTension { bar: 2, ..BarTension::default() });
    }
}
