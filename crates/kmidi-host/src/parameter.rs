use serde::{Deserialize, Serialize};

/// A parameter of a plugin. Values are those of [`Event::Parameter`](kmidi_core::Event::Parameter): as the plugin counts,
/// except where [`Parameter::is_part`] says otherwise; [`Plugin::text_of`](crate::Plugin::text_of) says what they mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// Its id in events. LV2: the port's index, or for a property 2^31 and its place among the properties.
    pub id: u32,
    /// A word for command lines and files that stays when the name is changed or translated: the port's symbol
    /// (LV2), else made of the name. Unique in the plugin.
    pub symbol: String,
    /// Name shown to people.
    pub name: String,
    /// Where it belongs, `/` between the levels; may be empty.
    pub group: String,
    /// Unit as it is written behind a number; may be empty.
    pub unit: String,
    /// Lowest value.
    pub min: f64,
    /// Highest value, not under `min`.
    pub max: f64,
    /// Value of a fresh instance, from `min` to `max`.
    pub default: f64,
    /// Number of steps from `min` to `max`; 0 if it moves without steps, 1 for a switch.
    pub steps: u32,
    /// Names of certain values, in order of these (enumerations).
    pub choices: Vec<(f64, String)>,
    /// Its values are parts of its range, 0 to 1, whatever its unit is: what it shows follows them in no straight line that is
    /// known (VST3).
    #[serde(default)]
    pub is_part: bool,
    /// The plugin sets it, not the host: a meter, a latency.
    pub is_output: bool,
    /// Not meant for people.
    pub is_hidden: bool,
    /// Whether the plugin passes its input through unchanged while this is at `max`.
    pub is_bypass: bool,
}

impl Parameter {
    /// The value at a part of the range, 0 to 1.
    pub fn at(&self, part: f64) -> f64 {
        (self.min + (self.max - self.min) * part).clamp(self.min, self.max)
    }
}
