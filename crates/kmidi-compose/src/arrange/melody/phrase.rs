use kmidi_song::Random;

use super::motif::{Motif, Stroke};
use crate::arrange::grid::{EIGHTH, Grid};
use crate::mood::Contour;

/// How a phrase ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cadence {
    /// As a question: on a chord tone that is not the root.
    Open,
    /// As an answer: on the root.
    Closed,
    /// For good: on the tonic.
    Final,
}

/// A note of a melody that has a place and a wish, but no pitch yet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sketch {
    /// In ticks of the piece.
    pub start: i64,
    /// Where it ends.
    pub end: i64,
    /// Steps of the scale from the note before; `None` where it begins anew.
    pub step: Option<i32>,
    /// Where it would like to be, in semitones from the melody's centre.
    pub height: f64,
    /// Whether a phrase ends on it.
    pub cadence: Option<Cadence>,
    /// Whether a rest follows it, or the phrase ends.
    pub last: bool,
    /// How far it is into its phrase, 0 to 1.
    pub way: f64,
}

/// What is repeated, and in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Schema {
    /// The motif, the motif elsewhere, its head twice, end.
    Sentence,
    /// The motif, its answer, the motif, end.
    Period,
    /// The motif further and further on, end.
    Sequence,
    /// The motif, the same with another end, the answer, end.
    Question,
}

const SCHEMAS: [Schema; 4] = [Schema::Sentence, Schema::Period, Schema::Sequence, Schema::Question];

/// What a section's melody is made of.
#[derive(Clone, Debug)]
pub struct Theme {
    motif: Motif,
    answer: Motif,
    varied: Motif,
    schema: Schema,
}

impl Theme {
    /// A theme on a motif.
    pub fn new(motif: Motif, grid: &Grid, random: &mut Random) -> Self {
        let answer = motif.answer(grid, random);
        let mut varied = motif.clone();
        varied.vary_end(grid, random);
        let schema = random.pick(&SCHEMAS).copied().unwrap_or(Schema::Period);
        Theme { motif, answer, varied, schema }
    }

    /// The same motif from its answer's side, in another order: what a bridge says.
    pub fn other_side(&self, grid: &Grid, random: &mut Random) -> Self {
        let at = SCHEMAS.iter().position(|schema| *schema == self.schema).unwrap_or(0);
        let schema = SCHEMAS[(at + 1 + random.below(3) as usize) % SCHEMAS.len()];
        let mut varied = self.answer.clone();
        varied.vary_end(grid, random);
        Theme { motif: self.answer.clone(), answer: self.motif.clone(), varied, schema }
    }

    /// What a bar of a phrase has, and how many steps of the scale away; the last bar is the cadence's.
    fn bar(&self, grid: &Grid, bar: u32, direction: i32) -> (Motif, i32) {
        if self.motif.bars == 2 {
            let part = bar % 2;
            return match (self.schema, bar / 2) {
                (_, 0) => (self.motif.bar(grid, part), 0),
                (Schema::Sentence | Schema::Sequence, _) => (self.motif.bar(grid, part), direction),
                (Schema::Question, _) => (self.varied.bar(grid, part), 0),
                (Schema::Period, _) => (self.answer.bar(grid, part), 0),
            };
        }
        match (self.schema, bar) {
            (_, 0) | (Schema::Period, 2) => (self.motif.clone(), 0),
            (Schema::Sentence, 1) => (self.motif.clone(), direction),
            (Schema::Sentence, _) => (self.motif.twice_its_head(grid), 2 * direction),
            (Schema::Sequence, bar) => (self.motif.clone(), direction * bar as i32),
            (Schema::Question, 1) => (self.varied.clone(), 0),
            (Schema::Period | Schema::Question, _) => (self.answer.clone(), 0),
        }
    }
}

/// What a phrase is to be like.
#[derive(Clone, Copy, Debug)]
pub struct Breath {
    /// The part of it that is rest.
    pub space: f64,
    /// The way it goes.
    pub contour: Contour,
    /// How far it goes up or down, in semitones.
    pub span: f64,
    /// Notes a beat.
    pub density: f64,
}

/// How high a phrase is at a part of its way, -1 to 1.
fn shape(contour: Contour, way: f64) -> f64 {
    match contour {
        Contour::Falling => 1.0 - 2.0 * way,
        Contour::Rising => 2.0 * way - 1.0,
        Contour::Arch => 1.0 - 8.0 * (way - 0.5) * (way - 0.5),
        // A triangle up, down and up again.
        Contour::Wave => {
            let turn = (way * 1.5).fract();
            if turn < 0.5 { 4.0 * turn - 1.0 } else { 3.0 - 4.0 * turn }
        }
        Contour::Level => 0.0,
        Contour::Jagged => {
            if (way * 4.0) as i32 % 2 == 0 {
                -0.8
            } else {
                0.8
            }
        }
    }
}

/// A phrase of so many bars, beginning at a tick.
pub fn phrase(
    theme: &Theme,
    grid: &Grid,
    start: i64,
    bars: u32,
    cadence: Cadence,
    breath: Breath,
) -> Vec<Sketch> {
    let direction = match breath.contour {
        Contour::Falling => -1,
        _ => 1,
    };
    let total = i64::from(bars) * grid.bar;
    let rest = (breath.space.clamp(0.0, 0.7) * total as f64) as i64;
    let mut notes: Vec<Sketch> = Vec::new();
    let mut rested = 0;
    for bar in 0..bars {
        let at = start + i64::from(bar) * grid.bar;
        let (motif, shift) = theme.bar(grid, bar, direction);
        let ends = bar + 1 == bars;
        let strokes = if ends { cadence_bar(&motif, grid, breath.density) } else { motif.strokes };
        let first = notes.len();
        for (index, stroke) in strokes.iter().enumerate() {
            let way = (at + stroke.at - start) as f64 / total as f64;
            notes.push(Sketch {
                start: at + stroke.at,
                end: at + stroke.at + stroke.length,
                step: (index > 0).then_some(stroke.step),
                height: shape(breath.contour, way) * breath.span + f64::from(shift) * 1.7,
                cadence: None,
                last: false,
                way,
            });
        }
        if ends {
            end(&mut notes[first..], grid, rest - rested, cadence);
        } else {
            // The end of a phrase has a beat of rest at least; bars before it share what else there is.
            let due = (rest - grid.beats[0].length) * i64::from(bar + 1) / i64::from(bars.max(2) - 1);
            rested += breathe(&mut notes[first..], grid, due - rested);
        }
    }
    notes
}

/// Takes breath in a bar: from its longest note, if that lasts a beat, half of it at most. Gives the ticks that it took.
fn breathe(notes: &mut [Sketch], grid: &Grid, due: i64) -> i64 {
    let count = notes.len();
    let length = |note: &Sketch| note.end - note.start;
    // Of equals the last.
    let Some(at) = (0..count).max_by_key(|&at| length(&notes[at])) else { return 0 };
    let long = length(&notes[at]) >= grid.beats[0].length;
    let taken = if long { due.min(length(&notes[at]) / 2).max(0) } else { 0 };
    notes[at].end -= taken;
    notes[at].last = at + 1 == count && taken >= EIGHTH;
    taken
}

/// Ends a phrase: its last note is the cadence's, and leaves what is due of rest, but lasts a beat.
fn end(notes: &mut [Sketch], grid: &Grid, due: i64, cadence: Cadence) {
    let Some(last) = notes.last_mut() else { return };
    let length = last.end - last.start;
    last.end -= due.min(length - length.min(grid.beats[0].length)).max(0);
    last.last = true;
    last.cadence = Some(cadence);
}

/// The head of a motif, then a note that stays; only the note where there are few.
fn cadence_bar(motif: &Motif, grid: &Grid, density: f64) -> Vec<Stroke> {
    let stays = if density < 0.7 { 0 } else { grid.middle() };
    let mut strokes: Vec<Stroke> = motif.strokes.iter().copied().filter(|stroke| stroke.at < stays).collect();
    strokes.push(Stroke { at: stays, length: grid.bar - stays, step: -1 });
    for index in 1..strokes.len() {
        strokes[index - 1].length = strokes[index].at - strokes[index - 1].at;
    }
    strokes
}

/// How a stretch of bars is cut into phrases: fours, and what is left in twos and threes.
pub fn phrases(bars: u32) -> Vec<u32> {
    match bars {
        0 => vec![],
        1..=4 => vec![bars],
        5 => vec![3, 2],
        6 => vec![4, 2],
        7 => vec![4, 3],
        more => {
            let mut phrases = vec![4];
            phrases.extend(self::phrases(more - 4));
            phrases
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_fill_their_bars() {
        for bars in 0..70 {
            assert_eq!(phrases(bars).iter().sum::<u32>(), bars);
            assert!(phrases(bars).iter().all(|&phrase| phrase >= 2 || bars == 1));
        }
    }

    #[test]
    fn contours_go_where_they_say() {
        let ends = |contour| (shape(contour, 0.0), shape(contour, 0.5), shape(contour, 1.0));
        assert_eq!(ends(Contour::Falling), (1.0, 0.0, -1.0));
        assert_eq!(ends(Contour::Rising), (-1.0, 0.0, 1.0));
        assert_eq!(ends(Contour::Arch), (-1.0, 1.0, -1.0));
        assert_eq!(ends(Contour::Level), (0.0, 0.0, 0.0));
    }
}
