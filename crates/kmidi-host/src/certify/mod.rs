//! Whether a plugin keeps the rules of the audio thread: it is run through phases while somebody counts what it does.

mod tally;

pub use tally::{Deed, Held, Site, Tally, Watch};
