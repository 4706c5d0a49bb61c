use kmidi_song::Random;

use super::Tone;
use super::chart::{Chart, Span};
use super::clashes;
use super::form::Form;
use super::grid::{Beat, EIGHTH, Grid, SIXTEENTH};
use super::style::{BassLine, Style};
use crate::theory::PitchClass;

/// A bass player: the line so far is what the next tone is chosen by.
struct Bassist<'a> {
    chart: &'a Chart,
    /// The keys of the chords part for each chord.
    voicings: &'a [Vec<u8>],
    grid: &'a Grid,
    style: &'a Style,
    low: i32,
    high: i32,
    last: i32,
    /// The tone before the last.
    earlier: i32,
    tones: Vec<Tone>,
}

/// The part of a chord that lies in one bar.
#[derive(Clone, Copy)]
struct Stretch<'a> {
    span: &'a Span,
    /// What the chords part has of it.
    above: &'a [u8],
    /// The chord behind it, or itself at the end.
    next: &'a Span,
    start: i64,
    end: i64,
    bar_start: i64,
    /// Whether the next chord is another one that begins where this ends.
    changes: bool,
}

/// The bass, in the bars where it plays.
pub fn bass(
    chart: &Chart,
    voicings: &[Vec<u8>],
    grid: &Grid,
    form: &Form,
    style: &Style,
    random: &mut Random,
) -> Vec<Tone> {
    let (low, high) = (i32::from(*style.bass_range.start()), i32::from(*style.bass_range.end()));
    let mut bassist =
        Bassist { chart, voicings, grid, style, low, high, last: low + 7, earlier: 0, tones: Vec::new() };
    for bar in (0..form.bars).filter(|&bar| form.layers(bar).bass) {
        let last = bar + 1 == form.bars;
        let line = style.bass_at(form, bar);
        for stretch in bassist.stretches(bar) {
            let beats = bassist.beats(&stretch);
            match if last { BassLine::Held } else { line } {
                BassLine::Pedal => bassist.pedal(&stretch),
                BassLine::Held => bassist.held(&stretch),
                BassLine::RootFifth => bassist.root_fifth(&stretch, &beats, random),
                BassLine::Walking => bassist.walking(&stretch, &beats, random),
                BassLine::Driving => bassist.driving(&stretch, &beats, random),
                BassLine::Beats => bassist.each_beat(&stretch, &beats),
                BassLine::Syncopated => bassist.syncopated(&stretch, &beats, random),
            }
        }
    }
    bassist.tones
}

impl<'a> Bassist<'a> {
    fn stretches(&self, bar: u32) -> Vec<Stretch<'a>> {
        let (bar_start, bar_end) = (i64::from(bar) * self.grid.bar, (i64::from(bar) + 1) * self.grid.bar);
        let stretch = |span: &'a Span| {
            let end = span.end.min(bar_end);
            let next = self.chart.at(span.end);
            let changes = span.end <= bar_end && next.start == span.end;
            let index = self.chart.spans.partition_point(|it| it.start < span.start);
            let above = self.voicings.get(index).map_or(&[][..], Vec::as_slice);
            Stretch { span, above, next, start: span.start.max(bar_start), end, bar_start, changes }
        };
        self.chart.in_bar(self.grid, bar).map(stretch).collect()
    }

    /// The beats that begin in a stretch, in ticks of the piece; one for all of it if none does.
    fn beats(&self, stretch: &Stretch<'_>) -> Vec<(i64, Beat)> {
        let beats = self.grid.beats.iter().map(|beat| (stretch.bar_start + beat.start, *beat));
        let beats: Vec<_> = beats.filter(|(at, _)| (stretch.start..stretch.end).contains(at)).collect();
        if beats.is_empty() {
            let start = stretch.start - stretch.bar_start;
            return vec![(stretch.start, Beat { start, length: stretch.end - stretch.start, strong: true })];
        }
        beats
    }

    /// The key of a pitch class that lies nearest to a place, inside the range.
    fn near(&self, class: PitchClass, around: i32) -> i32 {
        let first = self.low + (i32::from(class.number()) - self.low).rem_euclid(12);
        let candidates = (first..=self.high).step_by(12);
        // Half-way up an octave it rather falls: a bass that climbs is soon no bass.
        candidates.min_by_key(|key| 2 * (key - around).abs() + i32::from(*key > around)).unwrap_or(first)
    }

    /// The root's key for a new chord: near the last tone, drawn towards the lower half of the range.
    fn root(&self, span: &Span) -> i32 {
        let home = self.low + (self.high - self.low) / 3;
        self.near(span.chord.bass().pitch_class(), (2 * self.last + home) / 3)
    }

    /// The chord's fifth, or what it has in its place; above the root, or below if that is too high.
    fn fifth(&self, span: &Span, root: i32) -> i32 {
        let above = [7, 6, 8, 5].into_iter().find(|up| span.tones.contains(PitchClass::new(root + up)));
        match above {
            Some(up) if root + up <= self.high - 3 => root + up,
            Some(up) if root + up - 12 >= self.low => root + up - 12,
            _ => root,
        }
    }

    /// A step into the next chord's root: of the scale, or chromatic where the piece is bold.
    fn approach(&self, stretch: &Stretch<'_>, from: i32, random: &mut Random) -> i32 {
        let target = self.root(stretch.next);
        let bold = random.chance(0.5 * self.style.syncopation);
        let side = if from < target { -1 } else { 1 };
        let fits = |key: i32| (self.low..=self.high).contains(&key);
        let of_scale = |key: i32| stretch.span.scale.contains(PitchClass::new(key));
        let steps = if bold { [1, 2] } else { [2, 1] };
        let candidates = [side * steps[0], side * steps[1], -side * steps[0], -side * steps[1]];
        let usable =
            |step: &i32| fits(target + step) && target + step != from && (bold || of_scale(target + step));
        candidates.into_iter().find(usable).map_or(from, |step| target + step)
    }

    fn push(&mut self, start: i64, end: i64, key: i32, accent: f64) {
        let key = key.clamp(self.low, self.high);
        (self.earlier, self.last) = (self.last, key);
        self.tones.push(Tone { start, end, key: key as u8, accent });
    }

    /// How long a tone of a written length sounds. A bass is never as short as what stands above it.
    fn sounding(&self, length: i64) -> i64 {
        ((length as f64 * (0.35 + 0.65 * self.style.articulation())) as i64).max(1)
    }

    fn pedal(&mut self, stretch: &Stretch<'_>) {
        let held = self.tones.last().copied();
        let fits = |key: u8| stretch.span.has(key);
        let goes_on = held.is_some_and(|held| held.end == stretch.start && fits(held.key));
        let long_enough = |held: Tone| held.end - held.start >= 2 * self.grid.bar;
        match held {
            Some(held) if goes_on && !long_enough(held) && stretch.span.start != stretch.start => {
                self.prolong(stretch.end);
            }
            Some(held) if goes_on && fits(held.key) && held.end - held.start < self.grid.bar => {
                self.prolong(stretch.end);
            }
            _ => {
                let root = self.root(stretch.span);
                self.push(stretch.start, stretch.end, root, 0.0);
            }
        }
    }

    fn prolong(&mut self, end: i64) {
        if let Some(last) = self.tones.last_mut() {
            last.end = end;
        }
    }

    fn held(&mut self, stretch: &Stretch<'_>) {
        let root = self.root(stretch.span);
        self.push(stretch.start, stretch.end, root, 0.0);
    }

    fn root_fifth(&mut self, stretch: &Stretch<'_>, beats: &[(i64, Beat)], random: &mut Random) {
        let root = self.root(stretch.span);
        let approaches =
            stretch.changes && beats.len() > 1 && random.chance(0.35 + 0.4 * self.style.syncopation);
        let &(last_at, last_beat) = &beats[beats.len() - 1];
        let approach_at = last_at + last_beat.part(last_beat.parts() - 1) - last_beat.start;
        let end = if approaches { approach_at } else { stretch.end };
        let second = beats.iter().skip(1).find(|(_, beat)| beat.strong).or(beats.get(2)).map(|(at, _)| *at);
        match second.filter(|at| *at < end) {
            Some(at) => {
                let fifth = self.fifth(stretch.span, root);
                self.push(stretch.start, stretch.start + self.sounding(at - stretch.start), root, 0.04);
                self.push(at, at + self.sounding(end - at), fifth, -0.03);
            }
            None => self.push(stretch.start, stretch.start + self.sounding(end - stretch.start), root, 0.04),
        }
        if approaches {
            let key = self.approach(stretch, self.last, random);
            self.push(approach_at, approach_at + self.sounding(stretch.end - approach_at), key, -0.05);
        }
    }

    /// Root, chord tones and passing tones by step, and a step into the next chord.
    fn walking(&mut self, stretch: &Stretch<'_>, beats: &[(i64, Beat)], random: &mut Random) {
        let root = self.root(stretch.span);
        let target = if stretch.changes { self.root(stretch.next) } else { root };
        for (index, &(at, beat)) in beats.iter().enumerate() {
            let last = index + 1 == beats.len() && beats.len() > 1;
            let key = if index == 0 {
                root
            } else if last && stretch.changes {
                self.approach(stretch, self.last, random)
            } else {
                self.stride(stretch, beat.strong, target, random)
            };
            let accent = if index == 0 { 0.04 } else { -0.02 };
            self.push(at, at + self.sounding(beat.length), key, accent);
        }
    }

    /// The next tone of a walk: a third or so from the last, rather towards where it goes, never the same again.
    fn stride(&self, stretch: &Stretch<'_>, strong: bool, target: i32, random: &mut Random) -> i32 {
        let cost = |key: &i32| {
            let step = (key - self.last).abs();
            let of_chord = stretch.span.tones.contains(PitchClass::new(*key));
            let tone = if of_chord {
                0
            } else if strong {
                20
            } else {
                3
            };
            let back = if *key == self.earlier { 7 } else { 0 };
            let rubs = if stretch.above.iter().any(|&it| clashes(it, *key as u8)) { 40 } else { 0 };
            tone + back + rubs + 2 * (step - 3).abs() + (key - target).abs() / 2
        };
        let candidates = (self.last - 7..=self.last + 7).filter(|key| {
            (self.low..=self.high).contains(key)
                && *key != self.last
                && stretch.span.scale.contains(PitchClass::new(*key))
        });
        let jitter: Vec<i32> = (0..15).map(|_| random.below(4) as i32).collect();
        let drawn = |key: &i32| cost(key) + jitter[(key - self.last + 7) as usize];
        candidates.min_by_key(drawn).unwrap_or(self.last)
    }

    fn driving(&mut self, stretch: &Stretch<'_>, beats: &[(i64, Beat)], random: &mut Random) {
        let root = self.root(stretch.span);
        let octave = if root + 12 <= self.high { root + 12 } else { root };
        for (index, &(at, beat)) in beats.iter().enumerate() {
            for part in 0..beat.parts() {
                let start = at + beat.part(part) - beat.start;
                let end = if part + 1 < beat.parts() {
                    at + beat.part(part + 1) - beat.start
                } else {
                    at + beat.length
                };
                let last = index + 1 == beats.len() && part + 1 == beat.parts() && beats.len() > 1;
                let leaps = part > 0 && random.chance(0.12 + 0.25 * self.style.syncopation);
                let key = match () {
                    () if last && stretch.changes => self.approach(stretch, root, random),
                    () if leaps => octave,
                    () => root,
                };
                let accent = if part == 0 { 0.04 } else { -0.08 };
                self.push(start, start + self.sounding((end - start).min(EIGHTH)), key, accent);
            }
        }
    }

    fn each_beat(&mut self, stretch: &Stretch<'_>, beats: &[(i64, Beat)]) {
        let root = self.root(stretch.span);
        for &(at, beat) in beats {
            self.push(at, at + self.sounding(beat.length), root, if beat.strong { 0.04 } else { -0.06 });
        }
    }

    /// On the first beat, before a later one, and into the next chord.
    fn syncopated(&mut self, stretch: &Stretch<'_>, beats: &[(i64, Beat)], random: &mut Random) {
        let root = self.root(stretch.span);
        let fifth = self.fifth(stretch.span, root);
        let mut strikes = vec![(stretch.start, root, 0.06)];
        for &(at, beat) in beats.iter().skip(1) {
            let before = at - (beat.length / 2).min(EIGHTH);
            if random.chance(0.35 + 0.4 * self.style.syncopation) {
                strikes.push((before, if random.chance(0.5) { fifth } else { root }, -0.03));
            } else if beat.strong || random.chance(0.3) {
                strikes.push((at, if beat.strong { fifth } else { root }, 0.0));
            }
        }
        let approach_at = stretch.end - EIGHTH;
        if stretch.changes && strikes.last().is_some_and(|last| last.0 + SIXTEENTH < approach_at) {
            strikes.push((approach_at, self.approach(stretch, self.last, random), -0.05));
        }
        for index in 0..strikes.len() {
            let (at, key, accent) = strikes[index];
            let next = strikes.get(index + 1).map_or(stretch.end, |next| next.0);
            self.push(at, at + self.sounding(next - at), key, accent);
        }
    }
}
