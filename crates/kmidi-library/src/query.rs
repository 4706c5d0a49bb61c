//! What is asked: a text and what the results must be.

use std::fmt;
use std::str::FromStr;

use crate::codec::Writer;
use crate::file::Columns;
use crate::{ItemKind, Key};

/// Longest text of a query that counts, in bytes.
pub const MAX_QUERY_BYTES: usize = 1024;

/// A range of numbers, both ends in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Lowest.
    pub from: f32,
    /// Highest.
    pub to: f32,
}

/// A text is no range.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ParseRangeError {
    /// It is none of the forms that there are.
    #[error("{0:?} is no range: 120, 90-120, 120±5, 90- (at least) or -120 (at most) are")]
    NoRange(String),
    /// Its ends are in the wrong order.
    #[error("the lower end comes first: {to}-{from}")]
    Reversed {
        /// What stands first.
        from: f32,
        /// What stands behind it.
        to: f32,
    },
}

impl Range {
    /// Whether a number is in it.
    pub fn holds(&self, number: f32) -> bool {
        (self.from..=self.to).contains(&number)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.from, self.to)
    }
}

impl FromStr for Range {
    type Err = ParseRangeError;

    /// `120` (as exact as it is written: 120±0.5; `0.1` is 0.1±0.05), `90-120`, `120±5` (or `120+-5`), `90-`, `-120`.
    fn from_str(text: &str) -> Result<Self, ParseRangeError> {
        let error = || ParseRangeError::NoRange(text.chars().take(40).collect());
        let number = |text: &str| {
            let number = text.trim().parse::<f32>().ok();
            number.filter(|number| number.is_finite() && *number >= 0.0).ok_or_else(error)
        };
        let around = text.split_once('±').or_else(|| text.split_once("+-"));
        let range = match (around, text.split_once('-')) {
            (Some((middle, width)), _) => {
                let (middle, width) = (number(middle)?, number(width)?);
                Range { from: middle - width, to: middle + width }
            }
            (None, Some(("", to))) => Range { from: 0.0, to: number(to)? },
            (None, Some((from, ""))) => Range { from: number(from)?, to: f32::INFINITY },
            (None, Some((from, to))) => Range { from: number(from)?, to: number(to)? },
            (None, None) => {
                let middle = number(text)?;
                let decimals = text.trim().split_once('.').map_or(0, |(_, decimals)| decimals.len());
                let half = 0.5 * 10f32.powi(-(decimals.min(6) as i32));
                Range { from: middle - half, to: middle + half }
            }
        };
        let Range { from, to } = range;
        if from <= to { Ok(range) } else { Err(ParseRangeError::Reversed { from, to }) }
    }
}

/// What a result must be. What is not known of an item does not pass a filter that asks for it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Filter {
    /// Of this kind.
    pub kind: Option<ItemKind>,
    /// In this key.
    pub key: Option<Key>,
    /// With a tempo in this range, in beats a minute.
    pub bpm: Option<Range>,
    /// With a length in this range, in seconds.
    pub duration_seconds: Option<Range>,
}

impl Filter {
    pub(crate) fn passes(&self, item: &Columns) -> bool {
        let within = |range: Option<Range>, value: Option<f32>| {
            range.is_none_or(|range| value.is_some_and(|value| range.holds(value)))
        };
        self.kind.is_none_or(|kind| kind == item.kind)
            && self.key.is_none_or(|key| Some(key) == item.key)
            && within(self.bpm, item.bpm)
            && within(self.duration_seconds, item.duration_seconds)
    }
}

/// A question.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Query<'a> {
    /// Words, in any order. None: everything that passes the filter, by name.
    pub text: &'a str,
    /// What results must be.
    pub filter: Filter,
    /// Most results.
    pub limit: usize,
    /// Lowest score of a result, 0 to 1.
    pub min_score: f32,
}

impl<'a> Query<'a> {
    /// The best ten for a text.
    pub fn of(text: &'a str) -> Self {
        Query { text, filter: Filter::default(), limit: 10, min_score: 0.0 }
    }

    /// Its text as far as it counts.
    pub(crate) fn text(&self) -> &'a str {
        self.text[..self.text.floor_char_boundary(MAX_QUERY_BYTES)].trim()
    }

    /// Writes all that the answer follows from, but the index and the model.
    pub(crate) fn write_key(&self, out: &mut Writer) {
        let Filter { kind, key, bpm, duration_seconds } = self.filter;
        out.u8(kind.map_or(u8::MAX, |kind| kind as u8));
        out.u8(Key::number(key));
        for range in [bpm, duration_seconds] {
            // What is not asked for has a range that nothing else has.
            let range = range.unwrap_or(Range { from: f32::NAN, to: f32::NAN });
            out.u32(range.from.to_bits());
            out.u32(range.to.to_bits());
        }
        out.u64(self.limit as u64);
        out.u32(self.min_score.to_bits());
        out.bytes(self.text().as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_people_write_them() {
        for (text, from, to) in [
            ("120", 119.5, 120.5),
            ("90-120", 90.0, 120.0),
            ("120±5", 115.0, 125.0),
            ("120 +- 5", 115.0, 125.0),
            ("90-", 90.0, f32::INFINITY),
            ("-0.5", 0.0, 0.5),
        ] {
            assert_eq!(text.parse(), Ok(Range { from, to }), "{text}");
        }
        for text in ["", "-", "fast", "nan", "1-2-3", "±", "inf-inf"] {
            assert!(matches!(text.parse::<Range>(), Err(ParseRangeError::NoRange(_))), "{text}");
        }
        assert_eq!("120-90".parse::<Range>(), Err(ParseRangeError::Reversed { from: 120.0, to: 90.0 }));
        assert!("120-90".parse::<Range>().unwrap_err().to_string().contains("90-120"));
    }

    #[test]
    fn a_number_is_as_exact_as_it_is_written() {
        let has = |text: &str, value: f32| {
            let range = text.parse::<Range>().unwrap();
            range.from <= value && value <= range.to
        };
        assert!(has("0.1", 0.06) && has("0.1", 0.14) && !has("0.1", 0.5));
        assert!(has("120", 120.4) && !has("120.0", 120.4) && has("120.0", 120.04));
    }

    #[test]
    fn what_is_not_known_does_not_pass_a_filter_that_asks_for_it() {
        let item = Columns {
            kind: ItemKind::Midi,
            key: Some(Key::new(9, true)),
            bpm: None,
            duration_seconds: Some(3.0),
            weight: 1,
            name_at: 0,
        };
        let all = Filter::default();
        let range = Some(Range { from: 1.0, to: 3.0 });
        assert!(all.passes(&item));
        assert!(Filter { kind: Some(ItemKind::Midi), key: Some(Key::new(9, true)), ..all }.passes(&item));
        assert!(Filter { duration_seconds: range, ..all }.passes(&item));
        assert!(!Filter { bpm: range, ..all }.passes(&item));
        assert!(!Filter { key: Some(Key::new(9, false)), ..all }.passes(&item));
        assert!(!Filter { kind: Some(ItemKind::Audio), ..all }.passes(&item));
    }

    #[test]
    fn questions_that_differ_in_anything_have_different_keys() {
        let key = |query: Query| {
            let mut out = Writer::default();
            query.write_key(&mut out);
            out.0
        };
        let one = Query::of("warm pad");
        let range = |from, to| Some(Range { from, to });
        let filter = |filter| Query { filter, ..one };
        let all = Filter::default();
        let different = [
            one,
            Query { text: "warm pads", ..one },
            Query { limit: 100, ..one },
            Query { min_score: 0.1, ..one },
            filter(Filter { kind: Some(ItemKind::Audio), ..all }),
            filter(Filter { key: Some(Key::new(0, false)), ..all }),
            filter(Filter { bpm: range(0.0, 1.0), ..all }),
            filter(Filter { duration_seconds: range(0.0, 1.0), ..all }),
            filter(Filter { bpm: range(0.0, 2.0), ..all }),
        ];
        for (a, first) in different.iter().enumerate() {
            for (b, second) in different.iter().enumerate() {
                assert_eq!(a == b, key(*first) == key(*second), "{first:?} {second:?}");
            }
        }
        assert_eq!(key(one), key(Query { text: "  warm pad ", ..one }));
    }
}
