use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::str::FromStr;

use crate::limits::MAX_TEMPO_SCALE;

/// A count of audio frames (one sample of every channel); signed so that differences are plain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Frames(pub i64);

/// A count of MIDI ticks in the division of its file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticks(pub i64);

/// A position in a song at its written tempo (scale 1), in 1/65536 of a frame at the engine's rate.
///
/// Made by [`TempoMap::song_time`](crate::TempoMap::song_time), always rounded *down*: rounding the
/// result half-up to whole frames then gives exactly the frame nearest to the true rational time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SongTime(pub i64);

impl SongTime {
    /// Units in one frame.
    pub const PER_FRAME: i64 = 1 << 16;
    /// The start of the song.
    pub const ZERO: SongTime = SongTime(0);
    /// Beyond any event.
    pub const MAX: SongTime = SongTime(i64::MAX);

    /// The position of a whole frame at scale 1; saturates.
    pub const fn from_frames(frames: Frames) -> Self {
        SongTime(frames.0.saturating_mul(Self::PER_FRAME))
    }

    /// The nearest whole frame at scale 1 (halves go up).
    pub const fn to_frames(self) -> Frames {
        Frames((self.0 >> 16) + ((self.0 >> 15) & 1))
    }

    /// Seconds at the given sample rate, for display.
    pub fn seconds(self, sample_rate_hz: u32) -> f64 {
        self.0 as f64 / (Self::PER_FRAME as f64 * f64::from(sample_rate_hz))
    }
}

/// How fast song time runs against the audio clock: an exact fraction, so that no speed drifts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TempoScale {
    numerator: u32,
    denominator: u32,
}

impl TempoScale {
    /// The written tempo.
    pub const ONE: TempoScale = TempoScale { numerator: 1, denominator: 1 };

    /// `numerator / denominator`, between 1/16 and 16.
    pub const fn new(numerator: u32, denominator: u32) -> Result<Self, TempoScaleError> {
        let (n, d) = (numerator as u64, denominator as u64);
        if n == 0 || d == 0 || n > d * MAX_TEMPO_SCALE as u64 || d > n * MAX_TEMPO_SCALE as u64 {
            return Err(TempoScaleError);
        }
        Ok(TempoScale { numerator, denominator })
    }

    /// As a floating-point number, for display and for plugins.
    pub fn as_f64(self) -> f64 {
        f64::from(self.numerator) / f64::from(self.denominator)
    }

    /// Song time that passes in `frames` frames of output, rounded down. `[side A]` `[side B]`
    pub const fn song_time_in(self, frames: Frames) -> SongTime {
        let t = frames.0 as i128 * SongTime::PER_FRAME as i128 * self.numerator as i128;
        SongTime(t.div_euclid(self.denominator as i128) as i64)
    }

    /// The frame of output nearest to the moment when `time` of song time has passed (halves go up).
    pub const fn frames_until(self, time: SongTime) -> Frames {
        let unit = SongTime::PER_FRAME as i128 * self.numerator as i128;
        let twice = 2 * time.0 as i128 * self.denominator as i128;
        Frames((twice + unit).div_euclid(2 * unit) as i64)
    }
}

impl Default for TempoScale {
    fn default() -> Self {
        Self::ONE
    }
}

impl fmt::Display for TempoScale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_f64())
    }
}

/// The tempo scale is not a number between 1/16 and 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("tempo scale must be a decimal number from 0.0625 to 16, like 0.5 or 1.25")]
pub struct TempoScaleError;

impl FromStr for TempoScale {
    type Err = TempoScaleError;

    /// Reads a decimal number exactly: `1.1` is 11/10, not the nearest binary fraction.
    fn from_str(text: &str) -> Result<Self, TempoScaleError> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = whole.len() + fraction.len();
        let all_digits = whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit());
        if digits == 0 || fraction.len() > 6 || !all_digits {
            return Err(TempoScaleError);
        }
        let denominator = 10u32.pow(fraction.len() as u32);
        let numerator = format!("{whole}{fraction}").parse().map_err(|_| TempoScaleError)?;
        Self::new(numerator, denominator)
    }
}

macro_rules! arithmetic {
    ($($t:ident),*) => {$(
        impl Add for $t { type Output = $t; fn add(self, other: $t) -> $t { $t(self.0 + other.0) } }
        impl Sub for $t { type Output = $t; fn sub(self, other: $t) -> $t { $t(self.0 - other.0) } }
        impl AddAssign for $t { fn add_assign(&mut self, other: $t) { self.0 += other.0 } }
    )*};
}
arithmetic!(Frames, Ticks, SongTime);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_scale_is_exact_and_never_drifts() {
        let scale: TempoScale = "1.1".parse().unwrap();
        let hour = Frames(48_000 * 3600);
        assert_eq!(scale.song_time_in(hour).0, hour.0 * SongTime::PER_FRAME / 10 * 11);
        assert_eq!(scale.frames_until(scale.song_time_in(hour)), hour);
    }

    #[test]
    fn odd_scales_are_refused() {
        for text in ["", ".", "0", "-1", "1e3", "nan", "17", "0.01", "1.2.3", "99999999999", "1.1234567"] {
            assert_eq!(text.parse::<TempoScale>(), Err(TempoScaleError), "{text}");
        }
        assert_eq!("16".parse::<TempoScale>().unwrap().as_f64(), 16.0);
    }

    #[test]
    fn halves_go_up_and_just_below_goes_down() {
        assert_eq!(SongTime(0x7fff).to_frames(), Frames(0));
        assert_eq!(SongTime(0x8000).to_frames(), Frames(1));
        for units in [0, 0x7fff, 0x8000, 0x1_7fff, 0x1_8000] {
            assert_eq!(TempoScale::ONE.frames_until(SongTime(units)), SongTime(units).to_frames());
        }
    }
}
