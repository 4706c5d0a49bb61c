//! What a song is to say, in three phases, and the rules that it breaks for it.
//!
//! An [`Intent`] is a file that somebody fills in: why there is a song (phase 0), what it feels like (phase 1), how it is made
//! (phase 2). [`validate`] says all that is wrong with it, [`process`] makes music of it, [`suggest`] names rules to break for a
//! mood, [`list()`] has every word that it may use.
//!
//! The words (moods, arcs, genres, feels, imagery, stakes, vulnerability) and the names of the rules are those of the KmiDi
//! system that this one follows. What breaking a rule does is this one's own and is told by [`Rule::meaning`].

mod breaking;
mod listing;
mod names;
mod problem;
mod process;
mod rule;
mod schema;
mod shape;
mod suggest;
mod validate;
mod vocabulary;

pub use breaking::Unbreakable;
pub use listing::{Entry, List, Lists, list};
pub use problem::{Problem, Severity, Validation};
pub use process::{Broken, Processed, process};
pub use rule::{Category, Example, Rule};
pub use schema::{Feeling, Intent, IntentError, MAX_FIELD_CHARS, MAX_INTENT_BYTES, Root, Technique};
pub use suggest::{Suggestion, Suggestions, UnknownMood, suggest, suggest_for};
pub use validate::{TEMPO_LIMITS_BPM, validate};
pub use vocabulary::{Feel, Genre, Imagery, MoodName, NarrativeArc, Stakes, Vulnerability};
