use kmidi_song::Random;

use super::Tone;
use super::chart::{Chart, Span};
use super::form::Form;
use super::grid::{Grid, QUARTER};
use super::style::{Comping, Style};

/// Everything a pattern needs to fill a part of a bar.
struct Place<'a> {
    grid: &'a Grid,
    style: &'a Style,
    span: &'a Span,
    voicing: &'a [u8],
    /// From where to where, in ticks of the piece.
    start: i64,
    end: i64,
    bar_start: i64,
}

impl Place<'_> {
    /// Beats in it, in ticks of the piece, with their lengths.
    fn beats(&self) -> impl Iterator<Item = (i64, super::grid::Beat)> + '_ {
        let beats = self.grid.beats.iter().map(move |beat| (self.bar_start + beat.start, *beat));
        beats.filter(move |(at, _)| (self.start..self.end).contains(at))
    }

    /// All parts of its beats: where, how long, and which part of its beat.
    fn parts(&self) -> Vec<(i64, i64, i64)> {
        let parts = self.beats().flat_map(|(_, beat)| {
            (0..beat.parts()).map(move |part| {
                let at = beat.part(part);
                let next = if part + 1 < beat.parts() { beat.part(part + 1) } else { beat.end() };
                (self.bar_start + at, next - at, part)
            })
        });
        parts.filter(|(at, _, _)| *at < self.end).collect()
    }

    fn chord(&self, tones: &mut Vec<Tone>, start: i64, length: i64, accent: f64) {
        let end = (start + length.max(1)).min(self.end);
        tones.extend(self.voicing.iter().map(|&key| Tone { start, end, key, accent }));
    }
}

/// The chords part. `voicings` has one for each span of the chart.
pub fn comping(
    chart: &Chart,
    voicings: &[Vec<u8>],
    grid: &Grid,
    form: &Form,
    style: &Style,
    random: &mut Random,
) -> Vec<Tone> {
    let stabs = slots(grid, style, random);
    let order = random.pick(&ORDERS).copied().unwrap_or(Order::UpDown);
    let mut tones = Vec::new();
    for bar in 0..form.bars {
        let (bar_start, bar_end) = (i64::from(bar) * grid.bar, (i64::from(bar) + 1) * grid.bar);
        // Bars shorter than a beat have no room for a pattern.
        let pattern = if bar + 1 == form.bars || grid.bar < QUARTER {
            Comping::Pad
        } else {
            style.comping_at(form, bar)
        };
        for (span, voicing) in chart.spans.iter().zip(voicings) {
            if span.start >= bar_end || span.end <= bar_start {
                continue;
            }
            let (start, end) = (span.start.max(bar_start), span.end.min(bar_end));
            let place = Place { grid, style, span, voicing, start, end, bar_start };
            match pattern {
                Comping::Pad => pad(&place, bar, form, &mut tones),
                Comping::Block => block(&place, &mut tones),
                Comping::Arpeggio => arpeggio(&place, order, &mut tones),
                Comping::Pulse => pulse(&place, &mut tones),
                Comping::Stabs => at_slots(&place, &stabs, &mut tones),
                Comping::Offbeats => offbeats(&place, &mut tones),
                Comping::Broken => broken(&place, random, &mut tones),
            }
        }
    }
    tones
}

/// Held to the chord's end; struck again every second bar of a long chord, and where another pattern ends.
fn pad(place: &Place<'_>, bar: u32, form: &Form, tones: &mut Vec<Tone>) {
    let bars_in = (place.start - place.span.start) / place.grid.bar;
    let enters = place.start == place.span.start;
    let changed = bar == form.section(bar).start
        || bar > 0 && place.style.comping_at(form, bar) != place.style.comping_at(form, bar - 1)
        || bar + 1 == form.bars;
    if !enters && !changed && bars_in % 2 == 1 {
        return;
    }
    // It must not go on into a bar that strikes it again.
    let next_struck = bar + 1 == form.bars
        || bar + 2 == form.bars
        || form.section(bar).end() == bar + 1
        || place.style.comping_at(form, bar) != place.style.comping_at(form, bar + 1);
    let until = if next_struck { place.end } else { place.span.end.min(place.start + 2 * place.grid.bar) };
    let until = if !enters && bars_in % 2 == 1 { until.min(place.end) } else { until };
    let start = place.start;
    tones.extend(place.voicing.iter().map(|&key| Tone { start, end: until, key, accent: 0.0 }));
}

fn block(place: &Place<'_>, tones: &mut Vec<Tone>) {
    let mut strikes: Vec<i64> = place.beats().filter(|(_, beat)| beat.strong).map(|(at, _)| at).collect();
    if strikes.first() != Some(&place.start) {
        strikes.insert(0, place.start);
    }
    for (index, &at) in strikes.iter().enumerate() {
        let next = strikes.get(index + 1).copied().unwrap_or(place.end);
        let length = ((next - at) as f64 * place.style.articulation().max(0.6)) as i64;
        place.chord(tones, at, length, if index == 0 { 0.0 } else { -0.08 });
    }
}

/// How an arpeggio goes through the tones of a chord.
#[derive(Clone, Copy, Debug)]
enum Order {
    /// Up and down again.
    UpDown,
    /// Up, and up again.
    Up,
    /// The lowest, then the highest between all others.
    Alberti,
    /// The lowest, then the others in pairs turned round.
    Rolling,
}

const ORDERS: [Order; 4] = [Order::UpDown, Order::Up, Order::Alberti, Order::Rolling];

impl Order {
    /// The voices of a chord of `voices` tones in their order, each of them at least once.
    fn of(self, voices: usize) -> Vec<usize> {
        let top = voices.saturating_sub(1);
        match self {
            _ if voices < 3 => (0..voices).collect(),
            Order::UpDown => (0..voices).chain((1..top).rev()).collect(),
            Order::Up => (0..voices).collect(),
            Order::Alberti => {
                std::iter::once(0).chain((1..top).flat_map(|voice| [top, voice])).chain([top]).collect()
            }
            Order::Rolling => {
                let pairs = (1..top).step_by(2).flat_map(|voice| [voice + 1, voice]);
                let last = (voices % 2 == 0).then_some(top);
                std::iter::once(0).chain(pairs).chain(last).collect()
            }
        }
    }
}

/// A tone each eighth, or each beat where there is little to say; each rings until the chord ends or its key comes again. A chord
/// that does not last long enough for all its tones is struck at once.
fn arpeggio(place: &Place<'_>, order: Order, tones: &mut Vec<Tone>) {
    let slow = place.style.character.density_per_beat < 0.6;
    let places: Vec<i64> = if slow {
        place.beats().map(|(at, _)| at).collect()
    } else {
        place.parts().into_iter().map(|(at, _, _)| at).collect()
    };
    let order = order.of(place.voicing.len());
    if places.len() < order.len() {
        return block(place, tones);
    }
    let first = tones.len();
    for (index, &at) in places.iter().enumerate() {
        let key = place.voicing[order[index % order.len()]];
        for before in &mut tones[first..] {
            if before.key == key && before.end > at {
                before.end = at;
            }
        }
        let accent = if index == 0 { 0.05 } else { -0.06 };
        tones.push(Tone { start: at, end: place.end, key, accent });
        // A slow one begins on its lowest tone and its highest.
        if let Some(&top) = place.voicing.last().filter(|&&top| slow && index == 0 && top != key) {
            tones.push(Tone { start: at, end: place.end, key: top, accent: -0.1 });
        }
    }
}

fn pulse(place: &Place<'_>, tones: &mut Vec<Tone>) {
    for (at, length, part) in place.parts() {
        let accent = match place.grid.weight(at - place.bar_start) {
            3 => 0.06,
            _ if part == 0 => 0.0,
            _ => -0.1,
        };
        let sounding = (length as f64 * place.style.articulation()) as i64;
        place.chord(tones, at, sounding, accent);
    }
}

fn offbeats(place: &Place<'_>, tones: &mut Vec<Tone>) {
    let parts = place.parts();
    let last_part =
        |at: i64| place.beats().any(|(start, beat)| start + beat.part(beat.parts() - 1) - beat.start == at);
    for &(at, length, _) in parts.iter().filter(|(at, _, _)| last_part(*at)) {
        place.chord(tones, at, (length as f64 * place.style.articulation()) as i64, 0.0);
    }
    // What begins between no beats would leave the bar's start bare.
    if place.start == place.bar_start {
        place.chord(tones, place.start, place.grid.beats[0].length * 3 / 8, 0.04);
    }
}

/// Places of a bar where stabs stand: its start, and others chosen once for the piece.
fn slots(grid: &Grid, style: &Style, random: &mut Random) -> Vec<(i64, bool)> {
    let mut slots = vec![(0, true)];
    for beat in grid.beats.iter().skip(1) {
        let before = beat.start - beat.length / 2;
        if random.chance(0.25 + 0.4 * style.syncopation) && slots.last().is_some_and(|last| last.0 < before) {
            slots.push((before, false));
        } else if random.chance(if beat.strong { 0.8 } else { 0.35 }) {
            slots.push((beat.start, beat.strong));
        }
    }
    slots
}

fn at_slots(place: &Place<'_>, slots: &[(i64, bool)], tones: &mut Vec<Tone>) {
    let mut struck: Vec<(i64, f64)> = slots
        .iter()
        .map(|(at, strong)| (place.bar_start + at, if *strong { 0.08 } else { 0.0 }))
        .filter(|(at, _)| (place.start..place.end).contains(at))
        .collect();
    if struck.first().is_none_or(|first| first.0 > place.start) {
        struck.insert(0, (place.start, 0.05));
    }
    let longest = place.grid.beats[0].length;
    for (index, &(at, accent)) in struck.iter().enumerate() {
        let next = struck.get(index + 1).map_or(place.end, |next| next.0);
        let length = ((next - at).min(longest) as f64 * place.style.articulation() * 0.8) as i64;
        place.chord(tones, at, length, accent);
    }
}

/// Two or three of the tones at a time, where chance has it; the chord's start is kept, so that it can be heard what it is.
fn broken(place: &Place<'_>, random: &mut Random, tones: &mut Vec<Tone>) {
    let parts = place.parts();
    for (index, &(at, length, _)) in parts.iter().enumerate() {
        if index == 0 {
            place.chord(tones, at, place.grid.beats[0].length, 0.05);
        } else if index > 1 && random.chance(0.85) {
            let left_out = random.below(place.voicing.len().max(1) as u32) as usize;
            let sounding = length * (1 + i64::from(random.below(2)));
            let end = (at + (sounding as f64 * place.style.articulation().max(0.4)) as i64).min(place.end);
            let some = place.voicing.iter().enumerate().filter(|(voice, _)| *voice != left_out);
            tones.extend(some.map(|(_, &key)| Tone { start: at, end, key, accent: -0.05 }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arpeggios_have_every_tone() {
        for order in ORDERS {
            for voices in 0..8 {
                let mut heard = order.of(voices);
                heard.sort_unstable();
                heard.dedup();
                assert_eq!(heard, (0..voices).collect::<Vec<_>>(), "{order:?} of {voices}");
            }
        }
    }
}
