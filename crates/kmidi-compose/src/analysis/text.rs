//! How keys are written for people and in JSON.
use std::fmt::Display;

use serde::Serializer;

use crate::theory::{Key, Scale};

/// `C major`, `A minor`; other modes by their names.
pub fn key_name(key: Key) -> String {
    if key.scale == Scale::IONIAN {
        format!("{} major", key.tonic)
    } else if key.scale == Scale::AEOLIAN {
        format!("{} minor", key.tonic)
    } else {
        key.to_string()
    }
}

pub(crate) fn as_text<S: Serializer>(key: &Key, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&key_name(*key))
}

/// `1 bar`, `16 bars`.
pub(crate) fn count_of_bars(bars: u32) -> String {
    format!("{bars} {}", if bars == 1 { "bar" } else { "bars" })
}

/// Seconds as `m:ss`.
pub(crate) fn clock(seconds: f64) -> impl Display {
    let whole = seconds.max(0.0) as u64;
    format!("{}:{:02}", whole / 60, whole % 60)
}
