//! What is said in a recording: phones of the IPA with their times, and how they differ from what was expected.
//!
//! A recording is judged first ([`Quality`]): what is noise, silence or clipped gives no phones. What is left is cut
//! where nobody speaks, heard by a model that says a symbol or nothing each 20 ms, and read by CTC. With a text, its
//! spelling becomes phones, these are aligned to the frames (where is each word?) and compared with what was heard
//! (what was missed, added, said otherwise?).

mod analysis;
mod arpabet;
mod chunks;
mod ctc;
mod edits;
mod error;
mod expected;
mod forced;
mod frames;
mod g2p;
mod ipa;
mod problems;
mod quality;
mod recognise;
mod score;
mod sounds;
mod text;
mod text_grid;
mod times;
mod variants;
mod vocabulary;
mod voice;

use kmidi_memory::{MIB, Need};

pub use analysis::{Analysis, FORMAT_VERSION, analyse};
pub use arpabet::parse_phones;
pub use error::PhonemeError;
pub use frames::SAMPLE_RATE_HZ;
pub(crate) use g2p::spelled;
pub use ipa::{NoPhone, Phone};
pub use problems::{Problem, Trouble};
pub use quality::{Fault, Limits, Quality};
pub use score::{EditKind, ExpectedPhone, HeardWord, Score, WordEdit};
pub use sounds::{Class, difficulty};
pub use text::MAX_TEXT_CHARS;
pub use text_grid::text_grid;
pub use times::TimedPhone;

/// What should be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// Words, as they are spelled.
    Text(String),
    /// Phones, in IPA or ARPABET; a bar parts words.
    Phones(String),
}

/// How a recording is analysed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// What it has to reach.
    pub limits: Limits,
    /// Analyse it also if it does not.
    pub force: bool,
    /// Prefixes that are kept while searching for the likeliest phones; 0 takes the best symbol of each frame.
    pub beam: usize,
    /// What should be said in it.
    pub expectation: Option<Expectation>,
}

impl Settings {
    /// What an analysis of minutes takes beyond the models, with what it returns; hours of speech take some
    /// megabytes an hour more, for what is returned.
    pub fn need(&self) -> Need {
        let mib = if self.expectation.is_some() { 20 } else { 10 };
        Need::working(mib * MIB, "phonemes")
    }
}
