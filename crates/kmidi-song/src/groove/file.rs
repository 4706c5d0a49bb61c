//! Grooves as JSON.

use serde::{Deserialize, Serialize};

use super::{Groove, GrooveError};

/// What such a file says it is.
const FORMAT: &str = "kmidi-groove";
/// The version that is written, and the only one there is.
const VERSION: u32 = 1;
/// Bytes of a file at most: sixteen channels of a groove are some 30 KB.
pub const MAX_GROOVE_BYTES: usize = 1 << 20;

#[derive(Serialize)]
struct Written<'a> {
    format: &'static str,
    version: u32,
    groove: &'a Groove,
}

#[derive(Deserialize)]
struct Heading {
    format: String,
    version: u32,
}

#[derive(Deserialize)]
struct Read {
    groove: Groove,
}

impl Groove {
    /// The groove as a file: JSON, indented, with a line break at its end.
    pub fn to_json(&self) -> String {
        let written = Written { format: FORMAT, version: VERSION, groove: self };
        let text = serde_json::to_string_pretty(&written);
        text.expect("there is nothing in a groove that JSON has no form for") + "\n"
    }

    /// Reads such a file, and checks all that is in it.
    ///
    /// # Errors
    /// [`GrooveError::File`] or [`GrooveError::Range`].
    pub fn from_json(bytes: &[u8]) -> Result<Self, GrooveError> {
        if bytes.len() > MAX_GROOVE_BYTES {
            return Err(GrooveError::File(format!("it is longer than {MAX_GROOVE_BYTES} bytes")));
        }
        if bytes.starts_with(b"MThd") {
            const MIDI: &str = "it is a MIDI file: `kmidi groove extract` makes a groove file of it";
            return Err(GrooveError::File(MIDI.to_owned()));
        }
        let not_json = |error: serde_json::Error| GrooveError::File(error.to_string());
        let heading: Heading = serde_json::from_slice(bytes).map_err(not_json)?;
        if heading.format != FORMAT {
            return Err(GrooveError::File(format!("its format is not {FORMAT:?}")));
        }
        if heading.version != VERSION {
            let found = heading.version;
            return Err(GrooveError::File(format!(
                "it is of version {found}; this program reads version {VERSION}"
            )));
        }
        let Read { groove } = serde_json::from_slice(bytes).map_err(not_json)?;
        groove.check()?;
        Ok(groove)
    }
}

#[cfg(test)]
mod tests {
    use super::super::templates;
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        for template in templates() {
            let groove = template.groove();
            assert_eq!(Groove::from_json(groove.to_json().as_bytes()).unwrap(), groove);
        }
    }

    #[test]
    fn what_is_no_groove_is_refused_with_the_reason() {
        let good = templates()[0].groove().to_json();
        let refused = |text: &str| Groove::from_json(text.as_bytes()).unwrap_err().to_string();
        for (from, to, reason) in [
            ("kmidi-groove", "other", "format"),
            ("\"version\": 1", "\"version\": 2", "version 2"),
            ("\"swing\": 0.15", "\"swing\": 1.5", "swing"),
            ("\"swing\": 0.15", "\"swing\": 1e999", "number out of range"),
            ("\"swing\": 0.15", "\"wing\": 0.15", "wing"),
            ("\"velocity\": 110.0", "\"velocity\": 0.0", "velocity"),
            ("\"timing_ticks\": -8.0", "\"timing_ticks\": -122.0", "timing_ticks"),
            ("\"slots_per_whole\": 16", "\"slots_per_whole\": 8", "16 slots"),
            ("\"slots_per_whole\": 16", "\"slots_per_whole\": 0", "slots_per_whole"),
            ("\"ticks_per_quarter\": 480", "\"ticks_per_quarter\": 0", "ticks_per_quarter"),
            ("\"snare_ms\": 12.0", "\"snare_ms\": 1200.0", "milliseconds"),
            ("\"name\": \"funk\"", "\"name\": \"fu\\u0007nk\"", "name"),
        ] {
            assert!(good.contains(from), "{from}");
            let text = refused(&good.replacen(from, to, 1));
            assert!(text.contains(reason), "{to}: {text}");
        }
        assert!(refused("").contains("not a groove file"));
        assert!(refused(&"[".repeat(100_000)).contains("not a groove file"));
        assert!(refused(&" ".repeat(MAX_GROOVE_BYTES + 1)).contains("longer"));
    }
}
