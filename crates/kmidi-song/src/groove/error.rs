use crate::error::{SongError, WriteError};

/// Why nothing was done to a groove or with one.
#[derive(Debug, thiserror::Error)]
pub enum GrooveError {
    /// The song has no beats: its ticks are fractions of seconds.
    #[error(
        "the file counts time in SMPTE frames, not in beats, so there is no groove to it; save it with ticks per quarter note"
    )]
    Smpte,
    /// There is no note that could be used.
    #[error("there are no notes {0}")]
    NoNotes(&'static str),
    /// A number outside its range.
    #[error("{what} must be a number from {least} to {most}, not {value}")]
    Range {
        /// What it is for.
        what: &'static str,
        /// The smallest value.
        least: f64,
        /// The largest value.
        most: f64,
        /// What it was.
        value: f64,
    },
    /// A name that nothing has.
    #[error("no {what} is called {name:?}{}; there are {known}", .nearest.map_or_else(String::new, |it| format!("; did you mean {it}?")))]
    Unknown {
        /// What was looked for.
        what: &'static str,
        /// The name.
        name: String,
        /// The names that there are.
        known: String,
        /// The one that it may mean.
        nearest: Option<&'static str>,
    },
    /// A number of places that grooves do not have.
    #[error("a groove has 4, 8, 12, 16, 24 or 32 places in a whole note, not {0}")]
    Places(u8),
    /// A groove file that cannot be used.
    #[error("not a groove file: {0}")]
    File(String),
    /// A song that cannot be read.
    #[error(transparent)]
    Song(#[from] SongError),
    /// A song that does not fit the file format.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// What was read or written could not be.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Checks that a number is in its range (and a number).
pub(crate) fn in_range(what: &'static str, value: f64, least: f64, most: f64) -> Result<f64, GrooveError> {
    if (least..=most).contains(&value) {
        Ok(value)
    } else {
        Err(GrooveError::Range { what, least, most, value })
    }
}

/// The error for a name that is not among those known.
pub(crate) fn unknown(
    what: &'static str,
    name: &str,
    known: impl Iterator<Item = &'static str>,
) -> GrooveError {
    let known: Vec<&'static str> = known.collect();
    let nearest = crate::nearest(name, known.iter().copied());
    GrooveError::Unknown { what, name: name.chars().take(64).collect(), known: known.join(", "), nearest }
}

/// A name as it is looked up: without case, and with spaces, hyphens and underscores alike.
pub(crate) fn plain_name(name: &str) -> String {
    let letters = name.trim().chars().flat_map(char::to_lowercase);
    letters.filter(|c| !matches!(c, ' ' | '-' | '_')).collect()
}
