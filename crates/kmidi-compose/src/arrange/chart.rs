use super::form::Form;
use super::grid::Grid;
use crate::plan::HarmonyPlan;
use crate::theory::{Chord, Key, Letter, PitchClass, PitchClassSet, diatonic_chord};

/// A chord while it lasts.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// In ticks from the beginning of the piece.
    pub start: i64,
    /// Where the next one begins.
    pub end: i64,
    /// The chord.
    pub chord: Chord,
    /// Its tones.
    pub tones: PitchClassSet,
    /// What melodies may use while it lasts: the key's pitches, as far as the chord does not alter them, and the chord's.
    pub scale: PitchClassSet,
}

impl Span {
    fn new(start: i64, end: i64, chord: Chord, key: Key) -> Self {
        Span { start, end, chord, tones: chord.pitch_classes(), scale: local_scale(chord, key) }
    }

    /// Whether a key is one of the chord's tones.
    pub fn has(&self, key: u8) -> bool {
        self.tones.contains(class(key))
    }
}

/// The chords of a piece, without a gap.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// In order; never empty.
    pub spans: Vec<Span>,
}

impl Chart {
    /// The plan's chords laid out: over and over, from the first again where a section has room for all of them.
    pub fn new(plan: &HarmonyPlan, grid: &Grid, form: &Form) -> Self {
        let mut spans: Vec<Span> = Vec::new();
        let mut run_start = 0;
        for section in &form.sections {
            let contrast = section.contrast && !plan.contrast.is_empty();
            let progression = if contrast { &plan.contrast } else { &plan.progression };
            let layout = Layout::of(plan, grid, contrast);
            if section.contrast || layout.has_room(section.bars, progression.len()) {
                run_start = section.start;
            }
            for bar in section.start..section.end() {
                let (first, count) = layout.chords_of(bar - run_start);
                let goes_on = bar > run_start && bar > section.start && layout.goes_on(bar - run_start);
                for (index, at) in starts(grid, count).into_iter().enumerate() {
                    let chord = progression.get((first + index) % progression.len().max(1)).copied();
                    let chord = chord.unwrap_or_else(|| tonic_chord(plan));
                    let at = i64::from(bar) * grid.bar + at;
                    if index > 0 || !goes_on {
                        close(&mut spans, at);
                        spans.push(Span::new(at, at, chord, plan.key));
                    }
                }
            }
        }
        close(&mut spans, i64::from(form.bars) * grid.bar);
        let mut chart = Chart { spans };
        if !keeps_to_the_letter(plan) && form.bars >= 4 {
            chart.end_well(plan, grid, form);
        }
        chart
    }

    /// The chord at a tick; before the first and after the last, these.
    pub fn at(&self, tick: i64) -> &Span {
        let later = self.spans.partition_point(|span| span.start <= tick);
        &self.spans[later.saturating_sub(1)]
    }

    /// The chords that begin in a bar, or last into it from before.
    pub fn in_bar(&self, grid: &Grid, bar: u32) -> impl Iterator<Item = &Span> {
        let (start, end) = (i64::from(bar) * grid.bar, (i64::from(bar) + 1) * grid.bar);
        self.spans.iter().filter(move |span| span.start < end && span.end > start)
    }

    /// The last bar at rest on the tonic, and something else before it; or, where the plan wants it open, not on the tonic.
    fn end_well(&mut self, plan: &HarmonyPlan, grid: &Grid, form: &Form) {
        let last = i64::from(form.bars - 1) * grid.bar;
        let tonic = plan.key.tonic.pitch_class();
        let elsewhere =
            plan.progression.iter().rev().find(|chord| chord.root().pitch_class() != tonic).copied();
        let home = tonic_chord(plan);
        let end = i64::from(form.bars) * grid.bar;
        self.spans.retain(|span| span.start <= last);
        let is_home = |span: &Span| span.chord.root().pitch_class() == tonic;
        let final_chord = if plan.resolves { home } else { elsewhere.unwrap_or(home) };
        close(&mut self.spans, last);
        self.spans.retain(|span| span.start < last);
        if let (Some(elsewhere), Some(before)) = (elsewhere, self.spans.last_mut())
            && plan.resolves
            && is_home(before)
        {
            if before.end - before.start > grid.bar {
                let split = last - grid.bar;
                before.end = split;
                self.spans.push(Span::new(split, last, elsewhere, plan.key));
            } else {
                *before = Span::new(before.start, last, elsewhere, plan.key);
            }
        }
        self.spans.push(Span::new(last, end, final_chord, plan.key));
    }
}

/// Whether the chords are the user's own, to be kept in every bar.
fn keeps_to_the_letter(plan: &HarmonyPlan) -> bool {
    plan.progression_given
}

/// The progression's own chord on the tonic, else the key's triad.
pub fn tonic_chord(plan: &HarmonyPlan) -> Chord {
    let tonic = plan.key.tonic.pitch_class();
    let own = plan.progression.iter().find(|chord| chord.root().pitch_class() == tonic);
    own.copied().unwrap_or_else(|| diatonic_chord(plan.key, 0, false))
}

/// The pitch class of a MIDI key.
pub fn class(key: u8) -> PitchClass {
    PitchClass::new(i32::from(key))
}

fn close(spans: &mut [Span], at: i64) {
    if let Some(last) = spans.last_mut() {
        last.end = at;
    }
}

/// Chords in a bar: not more than it has beats.
fn rate(plan: &HarmonyPlan, grid: &Grid) -> f64 {
    let given = plan.character.chords_per_bar;
    if given.is_finite() { given.clamp(0.25, grid.beats.len() as f64) } else { 1.0 }
}

/// How many chords the bars of a run have.
enum Layout<'a> {
    /// So many a bar, on the whole.
    Rate(f64),
    /// As the user wrote them, over and over.
    Bars(&'a [usize]),
}

impl<'a> Layout<'a> {
    fn of(plan: &'a HarmonyPlan, grid: &Grid, contrast: bool) -> Self {
        let bars = &plan.chords_of_bars;
        let written = !bars.is_empty() && bars.iter().sum::<usize>() == plan.progression.len();
        if written && !contrast { Self::Bars(bars) } else { Self::Rate(rate(plan, grid)) }
    }

    /// Whether so many bars have room for all the chords.
    fn has_room(&self, bars: u32, chords: usize) -> bool {
        match self {
            Self::Rate(rate) => f64::from(bars) * rate >= chords as f64,
            Self::Bars(written) => bars as usize >= written.len(),
        }
    }

    /// The number of a bar's first chord, counted on from the run's first bar, and how many it has.
    fn chords_of(&self, bar: u32) -> (usize, usize) {
        match self {
            Self::Rate(rate) => {
                let first = (f64::from(bar) * rate + 1e-9) as usize;
                let next = (f64::from(bar + 1) * rate + 1e-9) as usize;
                (first, next.saturating_sub(first).max(1))
            }
            Self::Bars(written) => {
                let place = bar as usize % written.len();
                let before: usize = written[..place].iter().sum();
                // A bar without a chord has the one before it, if there is one.
                if written[place] == 0 { (before.saturating_sub(1), 1) } else { (before, written[place]) }
            }
        }
    }

    /// Whether a bar, which is not the first, begins with the chord that the one before it ended with.
    fn goes_on(&self, bar: u32) -> bool {
        match self {
            Self::Rate(_) => {
                let (before, count) = self.chords_of(bar - 1);
                before + count - 1 == self.chords_of(bar).0
            }
            Self::Bars(written) => {
                let place = bar as usize % written.len();
                written[place] == 0 && place > 0
            }
        }
    }
}

/// Where so many chords of a bar begin: on beats, as far as there are enough.
fn starts(grid: &Grid, count: usize) -> Vec<i64> {
    match count {
        0 | 1 => vec![0],
        2 => vec![0, grid.middle()],
        count if count > grid.beats.len() => {
            (0..count).map(|index| grid.bar * index as i64 / count as i64).collect()
        }
        count => (0..count).map(|index| grid.beats[index * grid.beats.len() / count].start).collect(),
    }
}

/// The key's pitches, but for those whose letter the chord has with another accidental, and the chord's own.
fn local_scale(chord: Chord, key: Key) -> PitchClassSet {
    let of_key = key.pitch_classes();
    let spelled: Vec<(Letter, PitchClass)> =
        chord.spelled().map(|name| (name.letter(), name.pitch_class())).collect();
    let foreign = |letter| spelled.iter().any(|(it, class)| *it == letter && !of_key.contains(*class));
    let kept = (0..key.scale.semitones().len()).map(|degree| key.degree(degree));
    let kept = kept.filter(|name| !foreign(name.letter())).map(|name| name.pitch_class());
    kept.chain(spelled.iter().map(|(_, class)| *class)).collect()
}
