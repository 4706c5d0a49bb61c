use std::fmt::Write;
use std::ops::Range;

use kmidi_song::Note;

use super::grid::Grid;
use super::part;
use crate::score::{Part, Score};

/// Sizes, in pixels.
const WIDTH: i64 = 1200;
const LEFT: i64 = 44;
const RIGHT: i64 = 12;
const HEAD: i64 = 58;
const ROW: i64 = 6;
const DRUM_ROW: i64 = 8;
const GAP: i64 = 14;
const FOOT: i64 = 40;

/// Colours that can be told apart by most eyes (Okabe & Ito 2008), by part.
fn colour(name: &str) -> &'static str {
    match name {
        part::MELODY => "#d55e00",
        part::CHORDS => "#56b4e9",
        part::BASS => "#0072b2",
        part::GUIDE_TONES => "#009e73",
        part::DRUMS => "#444444",
        _ => "#cc79a7",
    }
}

/// What is drawn, and where.
struct Sheet<'a> {
    score: &'a Score,
    bar: i64,
    from: i64,
    to: i64,
    low: u8,
    high: u8,
    drum_keys: Vec<u8>,
}

/// Bars of a score (counted from 0, as far as it has them) as a picture in SVG: notes by part, brighter where softer, with bar
/// lines, sections, chord symbols and a legend. The drums stand below, a row for each instrument. The same score gives the same
/// picture.
pub fn piano_roll(score: &Score, bars: Range<u32>) -> String {
    let sheet = Sheet::new(score, bars);
    let mut svg = String::with_capacity(32 * 1024);
    let height = sheet.roll_end() + sheet.drums_height() + FOOT;
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\"><rect width=\"{WIDTH}\" height=\"{height}\" rx=\"6\" fill=\"#fff\"/>"
    );
    sheet.keys(&mut svg);
    sheet.bars(&mut svg);
    sheet.sections(&mut svg);
    sheet.chords(&mut svg);
    // The first part is the tune: it lies on top.
    for part in score.parts.iter().rev() {
        sheet.part(part, &mut svg);
    }
    sheet.legend(height - FOOT / 2 + 4, &mut svg);
    svg.push_str("</svg>\n");
    svg
}

impl<'a> Sheet<'a> {
    fn new(score: &'a Score, bars: Range<u32>) -> Self {
        let bar = Grid::new(score.meter).bar;
        let last = ((score.end.0 + bar - 1) / bar).max(1);
        let first = i64::from(bars.start).min(last - 1);
        let (from, to) = (first * bar, i64::from(bars.end).clamp(first + 1, last) * bar);
        let mut sheet = Sheet { score, bar, from, to, low: 127, high: 0, drum_keys: vec![] };
        for part in &score.parts {
            for note in part.notes.iter().filter(|note| sheet_has(from, to, note)) {
                if part.channel == 9 {
                    sheet.drum_keys.push(note.key);
                } else {
                    (sheet.low, sheet.high) = (sheet.low.min(note.key), sheet.high.max(note.key));
                }
            }
        }
        if sheet.low > sheet.high {
            (sheet.low, sheet.high) = (60, 72);
        }
        sheet.low = sheet.low.saturating_sub(2);
        sheet.high = (sheet.high + 2).min(127);
        sheet.drum_keys.sort_unstable();
        sheet.drum_keys.dedup();
        sheet
    }

    fn x(&self, tick: i64) -> i64 {
        LEFT + (tick - self.from) * (WIDTH - LEFT - RIGHT) / (self.to - self.from).max(1)
    }

    /// The middle of a key's row.
    fn y(&self, key: u8) -> i64 {
        HEAD + (i64::from(self.high) - i64::from(key)) * ROW + ROW / 2
    }

    fn drum_y(&self, key: u8) -> i64 {
        let row = self.drum_keys.iter().rev().position(|it| *it == key).unwrap_or(0) as i64;
        self.roll_end() + GAP + row * DRUM_ROW + DRUM_ROW / 2
    }

    fn roll_end(&self) -> i64 {
        self.y(self.low) + ROW / 2
    }

    fn drums_height(&self) -> i64 {
        if self.drum_keys.is_empty() { 0 } else { GAP + self.drum_keys.len() as i64 * DRUM_ROW }
    }

    /// Grey rows for the black keys, and the octaves' names.
    fn keys(&self, svg: &mut String) {
        let mut rows = String::new();
        for key in (self.low..=self.high).filter(|key| [1, 3, 6, 8, 10].contains(&(key % 12))) {
            let _ = write!(rows, "M{LEFT} {}h{}", self.y(key), WIDTH - LEFT - RIGHT);
        }
        let _ = write!(svg, "<path d=\"{rows}\" stroke=\"#f3f3f3\" stroke-width=\"{ROW}\"/>");
        for key in (self.low..=self.high).filter(|key| key % 12 == 0) {
            let (y, octave) = (self.y(key) + 4, i32::from(key) / 12 - 1);
            let _ = write!(
                svg,
                "<text x=\"{}\" y=\"{y}\" text-anchor=\"end\" fill=\"#888\">C{octave}</text>",
                LEFT - 6
            );
        }
    }

    fn bars(&self, svg: &mut String) {
        let height = self.roll_end() + self.drums_height() - HEAD;
        let mut lines = String::new();
        for tick in (self.from..=self.to).step_by(self.bar as usize) {
            let _ = write!(lines, "M{} {HEAD}v{height}", self.x(tick));
        }
        let _ = write!(svg, "<path d=\"{lines}\" stroke=\"#d8d8d8\"/>");
        let numbers = (self.from..self.to).step_by(self.bar as usize);
        for tick in numbers.filter(|tick| (self.to - self.from) / self.bar <= 32 || tick / self.bar % 4 == 0)
        {
            let (x, y) = (self.x(tick) + 3, self.roll_end() + self.drums_height() + 11);
            let _ = write!(
                svg,
                "<text x=\"{x}\" y=\"{y}\" font-size=\"9\" fill=\"#999\">{}</text>",
                tick / self.bar + 1
            );
        }
    }

    fn sections(&self, svg: &mut String) {
        let markers = &self.score.markers;
        for (index, (start, name)) in markers.iter().enumerate() {
            let end = markers.get(index + 1).map_or(self.score.end, |next| next.0);
            let (start, end) = (start.0.max(self.from), end.0.min(self.to));
            if start >= end {
                continue;
            }
            let (x, width) = (self.x(start), self.x(end) - self.x(start) - 2);
            let shade = if index % 2 == 0 { "#ececec" } else { "#e0e6ee" };
            let _ = write!(
                svg,
                "<rect x=\"{}\" y=\"8\" width=\"{width}\" height=\"20\" rx=\"3\" fill=\"{shade}\"/>\
                 <text x=\"{}\" y=\"22\" fill=\"#333\">{}</text>",
                x + 1,
                x + 8,
                escaped(name)
            );
        }
    }

    fn chords(&self, svg: &mut String) {
        let chords = self.score.chords.iter().filter(|(tick, _)| (self.from..self.to).contains(&tick.0));
        for (tick, chord) in chords {
            let (x, symbol) = (self.x(tick.0) + 3, escaped(&chord.to_string()));
            let _ =
                write!(svg, "<text x=\"{x}\" y=\"48\" font-weight=\"bold\" fill=\"#222\">{symbol}</text>");
        }
    }

    /// A part's notes as strokes, in three strengths.
    fn part(&self, part: &Part, svg: &mut String) {
        let is_drums = part.channel == 9;
        let mut paths = [String::new(), String::new(), String::new()];
        for note in part.notes.iter().filter(|note| sheet_has(self.from, self.to, note)) {
            let path = &mut paths[usize::from(note.velocity / 43).min(2)];
            let start = self.x(note.start.0.max(self.from));
            if is_drums {
                let _ = write!(path, "M{start} {}h4", self.drum_y(note.key));
            } else {
                let length = (self.x(note.end.0.min(self.to)) - start - 1).max(2);
                let _ = write!(path, "M{start} {}h{length}", self.y(note.key));
            }
        }
        let width = ROW - 1;
        let _ = write!(svg, "<g stroke=\"{}\" stroke-width=\"{width}\" fill=\"none\">", colour(&part.name));
        for (path, opacity) in paths.iter().zip(["0.55", "0.78", "1"]).filter(|(path, _)| !path.is_empty()) {
            let _ = write!(svg, "<path d=\"{path}\" opacity=\"{opacity}\"/>");
        }
        svg.push_str("</g>");
    }

    fn legend(&self, y: i64, svg: &mut String) {
        let mut x = LEFT;
        for part in &self.score.parts {
            let (colour, name) = (colour(&part.name), escaped(&part.name));
            let _ = write!(
                svg,
                "<rect x=\"{x}\" y=\"{}\" width=\"14\" height=\"8\" fill=\"{colour}\"/><text x=\"{}\" y=\"{y}\" fill=\"#333\">{name}</text>",
                y - 8,
                x + 19
            );
            x += 40 + 8 * part.name.len() as i64;
        }
        let bpm = self.score.tempos.first().map_or(120.0, |tempo| tempo.1);
        let meter = self.score.meter;
        let _ = write!(
            svg,
            "<text x=\"{}\" y=\"{y}\" text-anchor=\"end\" fill=\"#555\">{}, {bpm} bpm, {}/{}</text>",
            WIDTH - RIGHT,
            escaped(&self.score.title),
            meter.numerator,
            meter.denominator()
        );
    }
}

fn sheet_has(from: i64, to: i64, note: &Note) -> bool {
    note.start.0 < to && note.end.0 > from
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_score_is_a_picture_too() {
        let svg = piano_roll(&Score::default(), 0..16);
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
        assert_eq!(
            piano_roll(&Score::default(), std::ops::Range { start: 5, end: 2 }),
            piano_roll(&Score::default(), 0..1)
        );
    }

    #[test]
    fn names_cannot_break_the_picture() {
        assert_eq!(escaped("a<b> & c"), "a&lt;b&gt; &amp; c");
    }
}
