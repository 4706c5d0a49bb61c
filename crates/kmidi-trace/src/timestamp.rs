//! Points in time, to the microsecond.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::de::{Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const MICROS: i64 = 1_000_000;
/// The years 0 to 9999, which RFC 3339 can write: microseconds since 1970.
const RANGE: std::ops::RangeInclusive<i64> = -62_167_219_200 * MICROS..=253_402_300_800 * MICROS - 1;

/// A point in time, as RFC 3339 writes it: `2026-11-29T02:05:00.25Z`. Read as that, or as seconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Microseconds since 1970; in [`RANGE`].
    micros: i64,
}

/// What is no point in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no time: write 2026-11-29T02:05:00Z, 2026-11-29, or seconds since 1970")]
pub struct BadTimestamp(String);

impl Timestamp {
    /// Now, as the system's clock has it.
    pub fn now() -> Self {
        let micros = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |micros| -micros),
        };
        Timestamp { micros: micros.clamp(*RANGE.start(), *RANGE.end()) }
    }

    /// Microseconds since 1970; None outside the years 0 to 9999.
    pub fn from_micros(micros: i64) -> Option<Self> {
        RANGE.contains(&micros).then_some(Timestamp { micros })
    }

    /// Microseconds since 1970.
    pub fn micros(self) -> i64 {
        self.micros
    }

    fn from_seconds(seconds: f64) -> Option<Self> {
        // What is not in range, or no number, is none after the cast either: it saturates.
        let micros = (seconds * MICROS as f64).round();
        micros.is_finite().then_some(micros as i64).and_then(Self::from_micros)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.micros) * 1000);
        f.write_str(&time.ok().and_then(|time| time.format(&Rfc3339).ok()).ok_or(fmt::Error)?)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = BadTimestamp;

    /// Reads RFC 3339, a day (its first moment in UTC), or seconds since 1970.
    fn from_str(text: &str) -> Result<Self, BadTimestamp> {
        let bad = || BadTimestamp(text.chars().take(40).collect());
        let seconds = || text.parse().ok().and_then(Self::from_seconds);
        let at = |text: &str| {
            let nanos = OffsetDateTime::parse(text, &Rfc3339).ok()?.unix_timestamp_nanos();
            Self::from_micros(i64::try_from(nanos.div_euclid(1000)).ok()?)
        };
        at(text).or_else(|| at(&format!("{text}T00:00:00Z"))).or_else(seconds).ok_or_else(bad)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrNumber)
    }
}

struct TextOrNumber;

impl Visitor<'_> for TextOrNumber {
    type Value = Timestamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time: RFC 3339, or seconds since 1970")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Timestamp, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: serde::de::Error>(self, seconds: u64) -> Result<Timestamp, E> {
        self.visit_f64(seconds as f64)
    }

    fn visit_i64<E: serde::de::Error>(self, seconds: i64) -> Result<Timestamp, E> {
        self.visit_f64(seconds as f64)
    }

    fn visit_f64<E: serde::de::Error>(self, seconds: f64) -> Result<Timestamp, E> {
        Timestamp::from_seconds(seconds).ok_or_else(|| E::custom(BadTimestamp(seconds.to_string())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(text: &str) -> Option<i64> {
        text.parse::<Timestamp>().ok().map(Timestamp::micros)
    }

    #[test]
    fn what_is_written_is_read_as_the_same_time_at_both_ends_of_the_range() {
        for it in [0, 1, -1, 1_764_381_900_250_000, *RANGE.start(), *RANGE.end()] {
            let time = Timestamp::from_micros(it).unwrap();
            assert_eq!(micros(&time.to_string()), Some(it), "{time}");
        }
        assert_eq!(Timestamp::from_micros(RANGE.end() + 1), None);
        assert_eq!(
            Timestamp::from_micros(1_764_381_900_250_000).unwrap().to_string(),
            "2025-11-29T02:05:00.25Z"
        );
    }

    #[test]
    fn every_way_to_write_a_time_is_read_and_no_other() {
        assert_eq!(micros("1970-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(micros("1970-01-02"), Some(86_400_000_000));
        assert_eq!(micros("1.5"), Some(1_500_000));
        for bad in
            ["", "yesterday", "2026-13-01", "1e300", "NaN", "inf", "2026-11-29T25:00:00Z", "2026-11-29 "]
        {
            assert_eq!(micros(bad), None, "{bad}");
        }
        let json = |text| serde_json::from_str::<Timestamp>(text).ok().map(Timestamp::micros);
        assert_eq!(
            (json("2"), json("-2.5"), json("\"2\"")),
            (Some(2_000_000), Some(-2_500_000), Some(2_000_000))
        );
        assert_eq!(
            (json("null"), json("[2]"), json("1e300"), json("18446744073709551615")),
            (None, None, None, None)
        );
    }
}
