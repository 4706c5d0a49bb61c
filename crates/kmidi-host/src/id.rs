use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A plugin format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// CLever Audio Plug-in.
    Clap,
    /// Steinberg's VST 3.
    Vst3,
    /// LV2.
    Lv2,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 3] = [Format::Clap, Format::Vst3, Format::Lv2];

    /// Its name in ids.
    pub fn name(self) -> &'static str {
        match self {
            Format::Clap => "clap",
            Format::Vst3 => "vst3",
            Format::Lv2 => "lv2",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which plugin, wherever it is installed: `clap:` and its id, `vst3:` and its class id in 32 hex digits, `lv2:` and
/// its URI.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PluginId {
    /// The format.
    pub format: Format,
    /// The id that the format knows it by.
    pub name: String,
}

/// The text is no plugin id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no plugin id: these are clap:ID, vst3:CLASS or lv2:URI, as `kmidi plugin list` shows them")]
pub struct ParseIdError(String);

impl PluginId {
    /// The id of a plugin of a format.
    pub fn new(format: Format, name: impl Into<String>) -> Self {
        PluginId { format, name: name.into() }
    }
}

impl fmt::Display for PluginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.format, self.name)
    }
}

impl FromStr for PluginId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let (format, name) = text.split_once(':').ok_or_else(|| ParseIdError(text.to_owned()))?;
        let format = Format::ALL.into_iter().find(|it| it.name() == format);
        match format {
            Some(format) if !name.is_empty() => Ok(PluginId::new(format, name)),
            _ => Err(ParseIdError(text.to_owned())),
        }
    }
}

impl TryFrom<String> for PluginId {
    type Error = ParseIdError;

    fn try_from(text: String) -> Result<Self, ParseIdError> {
        text.parse()
    }
}

impl From<PluginId> for String {
    fn from(id: PluginId) -> String {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text_and_a_path_is_none() {
        for text in ["clap:com.zam.ZamComp", "vst3:00112233445566778899AABBCCDDEEFF", "lv2:http://a.b/c#d"] {
            assert_eq!(text.parse::<PluginId>().unwrap().to_string(), text);
        }
        for text in ["", "clap:", "ladspa:x", "/usr/lib/clap/ZamComp.clap", "ZamComp"] {
            assert!(text.parse::<PluginId>().is_err(), "{text}");
        }
    }
}
