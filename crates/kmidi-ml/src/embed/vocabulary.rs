//! The pieces that a model knows, a line each; the number of the line is the piece's.

/// Pieces of words, found by their text. `[side B]`
///
/// It keeps numbers only: the text is the caller's, and may be part of the program.
pub(super) struct Vocabulary {
    text: &'static str,
    /// Where each line begins; one more at the end.
    starts: Vec<u32>,
    /// Numbers of the lines, in the order of their text.
    sorted: Vec<u32>,
}

impl Vocabulary {
    pub fn new(text: &'static str) -> Self {
        let mut starts = vec![0];
        starts.extend(text.match_indices('\n').map(|(at, _)| at as u32 + 1));
        if !text.is_empty() && !text.ends_with('\n') {
            starts.push(text.len() as u32 + 1);
        }
        let mut vocabulary = Vocabulary { text, starts, sorted: Vec::new() };
        let mut sorted: Vec<u32> = (0..vocabulary.len() as u32).collect();
        sorted.sort_by_key(|id| vocabulary.piece(*id));
        vocabulary.sorted = sorted;
        vocabulary
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// The number of a piece.
    pub fn id(&self, piece: &str) -> Option<i32> {
        let at = self.sorted.binary_search_by(|id| self.piece(*id).cmp(piece)).ok()?;
        i32::try_from(self.sorted[at]).ok()
    }

    fn piece(&self, id: u32) -> &'static str {
        let (from, to) = (self.starts[id as usize] as usize, self.starts[id as usize + 1] as usize - 1);
        self.text[from..to].trim_end_matches('\r')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_line_is_the_number_of_its_piece() {
        let vocabulary = Vocabulary::new("the\n##s\ncat\r\n\na");
        assert_eq!(vocabulary.len(), 5);
        assert_eq!(
            ["the", "##s", "cat", "a"].map(|it| vocabulary.id(it)),
            [Some(0), Some(1), Some(2), Some(4)]
        );
        assert_eq!((vocabulary.id("s"), vocabulary.id("cats")), (None, None));
        assert_eq!(Vocabulary::new("").len(), 0);
    }
}
