use thiserror::Error;

/// A chord symbol, a progression or a Roman numeral that cannot be read: where, what stands there, and what would be possible.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("column {column}: {}; possible here: {expected}", quoted(.found))]
pub struct ChordError {
    /// Where reading stopped, in characters, from 1.
    pub column: usize,
    /// What stands there, cut short; nothing at the end of the text.
    pub found: String,
    /// What could stand there.
    pub expected: &'static str,
}

fn quoted(found: &str) -> String {
    if found.is_empty() { "the text ends".to_owned() } else { format!("cannot read `{found}`") }
}

impl ChordError {
    /// What goes wrong at `rest`, the end of `text`.
    pub(crate) fn at(text: &str, rest: &str, expected: &'static str) -> Self {
        let before = text.len().saturating_sub(rest.len());
        let column = text.get(..before).map_or(0, |read| read.chars().count()) + 1;
        Self { column, found: crate::theory::shortened(rest), expected }
    }

    /// The same error in a longer text, in which `before` comes first.
    pub(crate) fn after(mut self, before: &str) -> Self {
        self.column += before.chars().count();
        self
    }
}
