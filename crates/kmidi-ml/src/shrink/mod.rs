//! Copies of models whose weights take less: what they save, and what that costs in what the models say.
//!
//! A copy lies in a folder of models, in a folder of the model's name, with a `copy.toml` that says what it is a copy of. Where that
//! folder is looked into ([`ModelFolders`](crate::model::ModelFolders)), the copy takes the model's place.

mod compare;
mod graph;
mod half;
mod write;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use compare::{Difference, sample_rate_hz};
pub use graph::{Counted, Shrunk, shrink};
pub use write::{ShrinkError, write_copy};

/// How weights are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Real numbers of 16 bits.
    F16,
    /// Whole numbers of 8 bits, with a factor for each row.
    Int8,
}

impl Precision {
    /// Its name in flags, reports and names of files.
    pub const fn name(self) -> &'static str {
        match self {
            Precision::F16 => "f16",
            Precision::Int8 => "int8",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Precision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let of_name = [Precision::F16, Precision::Int8].into_iter().find(|it| it.name() == text);
        of_name.ok_or_else(|| "f16 or int8 is needed".to_owned())
    }
}
