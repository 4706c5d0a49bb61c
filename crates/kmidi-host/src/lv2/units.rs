//! Units of values, and values as text.

use super::graph::{Graph, Id};
use super::uris::*;

/// Longest pattern of a unit that is followed, in bytes.
const MAX_RENDER_BYTES: usize = 64;

/// A unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unit {
    /// As it is written behind a number; empty if there is none.
    pub symbol: String,
    /// Pattern of a number with its unit, in the manner of `printf`.
    pub render: Option<String>,
}

/// The units that the specification names.
const KNOWN: [(&str, &str); 23] = [
    ("bar", "bars"),
    ("beat", "beats"),
    ("bpm", "BPM"),
    ("cent", "ct"),
    ("cm", "cm"),
    ("coef", ""),
    ("db", "dB"),
    ("degree", "deg"),
    ("frame", "frames"),
    ("hz", "Hz"),
    ("inch", "in"),
    ("khz", "kHz"),
    ("km", "km"),
    ("m", "m"),
    ("mhz", "MHz"),
    ("midiNote", "note"),
    ("mile", "mi"),
    ("min", "min"),
    ("mm", "mm"),
    ("ms", "ms"),
    ("oct", "oct"),
    ("pc", "%"),
    ("s", "s"),
];

impl Unit {
    /// The unit of a port or property.
    pub fn read(graph: &Graph, id: Id) -> Unit {
        let Some(unit) = graph.object(id, UNITS_UNIT) else { return Unit::default() };
        let render = graph.label(unit, UNITS_RENDER).filter(|it| it.len() <= MAX_RENDER_BYTES);
        let tail = graph.iri(unit).and_then(|iri| iri.strip_prefix(UNITS));
        let known = tail.and_then(|tail| match tail {
            "semitone12TET" => Some("semi"),
            _ => KNOWN.iter().find(|(name, _)| *name == tail).map(|(_, symbol)| *symbol),
        });
        let symbol =
            known.or_else(|| graph.label(unit, UNITS_SYMBOL)).or_else(|| graph.label(unit, RDFS_LABEL));
        Unit { symbol: symbol.unwrap_or_default().to_owned(), render: render.map(str::to_owned) }
    }

    /// A value with its unit.
    pub fn show(&self, value: f64, is_whole: bool) -> String {
        let rendered = self.render.as_deref().and_then(|pattern| render(pattern, value));
        if let Some(text) = rendered {
            return text;
        }
        let number = match is_whole {
            true => format!("{value:.0}"),
            false => digits(value),
        };
        match self.symbol.as_str() {
            "" => number,
            "%" => format!("{number}%"),
            symbol => format!("{number} {symbol}"),
        }
    }
}

/// Four digits that matter, without zeros at the end.
fn digits(value: f64) -> String {
    let before_point = if value.abs() >= 1.0 { value.abs().log10().floor() as i32 + 1 } else { 1 };
    let decimals = (4 - before_point).clamp(0, 3) as usize;
    let text = format!("{value:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// Fills a pattern such as `%.1f dB`; `None` where it asks for anything but one number.
fn render(pattern: &str, value: f64) -> Option<String> {
    let mut text = String::new();
    let mut rest = pattern;
    let mut is_filled = false;
    while let Some((before, behind)) = rest.split_once('%') {
        text.push_str(before);
        if let Some(behind) = behind.strip_prefix('%') {
            text.push('%');
            rest = behind;
            continue;
        }
        let end = behind.find(|it: char| it.is_ascii_alphabetic())?;
        let precision = match behind[..end].split_once('.') {
            Some((_, digits)) => Some(digits.parse::<usize>().ok()?.min(17)),
            None => None,
        };
        if is_filled {
            return None;
        }
        is_filled = true;
        match (behind.as_bytes()[end], precision) {
            (b'd' | b'i' | b'u', _) => text.push_str(&format!("{value:.0}")),
            (b'f' | b'F' | b'e' | b'g', Some(precision)) => text.push_str(&format!("{value:.precision$}")),
            (b'f' | b'F' | b'e' | b'g', None) => text.push_str(&digits(value)),
            _ => return None,
        }
        rest = &behind[end + 1..];
    }
    text.push_str(rest);
    is_filled.then_some(text)
}

/// The number that a person wrote, with or without the unit behind it.
pub fn number_in(text: &str) -> Option<f64> {
    let text = text.trim();
    let is_part = |it: char| it.is_ascii_digit() || matches!(it, '.' | '-' | '+' | 'e' | 'E');
    let end = text.find(|it| !is_part(it)).unwrap_or(text.len());
    (0..=end).rev().find_map(|end| text.get(..end)?.parse::<f64>().ok()).filter(|it| it.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(symbol: &str, render: Option<&str>) -> Unit {
        Unit { symbol: symbol.to_owned(), render: render.map(str::to_owned) }
    }

    #[test]
    fn a_value_is_shown_in_its_unit_and_read_back() {
        let cases = [
            (unit("dB", None), -12.0, false, "-12 dB"),
            (unit("%", None), 33.333_3, false, "33.33%"),
            (unit("Hz", None), 12_345.678, false, "12346 Hz"),
            (unit("", None), 3.0, true, "3"),
            (unit("dB", Some("%+6.1f dB")), 6.25, false, "6.2 dB"),
            (unit("%", Some("%d%%")), 50.0, false, "50%"),
            (unit("x", Some("%s")), 0.5, false, "0.5 x"),
            (unit("x", Some("%f and %f")), 0.5, false, "0.5 x"),
            (unit("x", Some("100%")), 0.5, false, "0.5 x"),
        ];
        for (unit, value, is_whole, text) in cases {
            let shown = unit.show(value, is_whole);
            assert_eq!(shown, text);
            let read = number_in(&shown).unwrap();
            assert!((read - value).abs() <= value.abs() * 1e-2, "{shown} was read as {read}");
        }
        assert_eq!(number_in("1e3 Hz"), Some(1000.0));
        assert_eq!(number_in("5 em"), Some(5.0));
        assert_eq!(number_in("5em"), Some(5.0));
        for text in ["", "dB", "-", "nan", "e"] {
            assert_eq!(number_in(text), None, "{text}");
        }
    }
}
