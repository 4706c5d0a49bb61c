//! From what was expected to what was heard in the fewest edits.

use super::PhonemeError;

/// One step of the way; numbers are places in what was expected and in what was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edit {
    /// Said as expected.
    Same(usize, usize),
    /// Said otherwise.
    Substituted(usize, usize),
    /// Not said.
    Missed(usize),
    /// Said without being expected.
    Added(usize),
}

/// Most pairs of phones that are compared: a quarter of a byte each, ten minutes of fast speech.
const MAX_CELLS: usize = 48 << 20;

const MISSED: u8 = 0;
const ADDED: u8 = 1;
const PAIRED: u8 = 2;

/// The way with the fewest edits, and among these the one whose substitutions are between the likest sounds.
/// `distance` is 0 for what counts as the same, and small.
///
/// # Errors
/// Both are so long that the table would not fit.
pub(super) fn shortest<T>(
    expected: &[T],
    heard: &[T],
    distance: impl Fn(&T, &T) -> u32,
) -> Result<Vec<Edit>, PhonemeError> {
    let width = heard.len() + 1;
    let cells = width.saturating_mul(expected.len() + 1);
    if cells > MAX_CELLS {
        return Err(PhonemeError::TextTooLong {
            phones: expected.len(),
            most: (MAX_CELLS / width).saturating_sub(1),
        });
    }
    let mut steps = Steps::new(cells);
    // The number of edits above, their likeness below: compared as one number.
    const EDIT: u64 = 1 << 32;
    let mut row: Vec<u64> = (0..width as u64).map(|added| added * EDIT).collect();
    (1..width).for_each(|column| steps.set(column, ADDED));
    for (i, phone) in expected.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] += EDIT;
        steps.set((i + 1) * width, MISSED);
        for (j, other) in heard.iter().enumerate() {
            let apart = u64::from(distance(phone, other));
            let paired = diagonal + if apart == 0 { 0 } else { EDIT + apart };
            let (missed, added) = (row[j + 1] + EDIT, row[j] + EDIT);
            diagonal = row[j + 1];
            let (cost, step) = if paired <= missed.min(added) {
                (paired, PAIRED)
            } else if missed <= added {
                (missed, MISSED)
            } else {
                (added, ADDED)
            };
            row[j + 1] = cost;
            steps.set((i + 1) * width + j + 1, step);
        }
    }
    Ok(walk_back(&steps, expected, heard, distance))
}

fn walk_back<T>(steps: &Steps, expected: &[T], heard: &[T], distance: impl Fn(&T, &T) -> u32) -> Vec<Edit> {
    let (mut i, mut j) = (expected.len(), heard.len());
    let mut edits = Vec::with_capacity(i.max(j));
    while (i, j) != (0, 0) {
        let edit = match steps.get(i * (heard.len() + 1) + j) {
            PAIRED => {
                (i, j) = (i - 1, j - 1);
                let same = distance(&expected[i], &heard[j]) == 0;
                if same { Edit::Same(i, j) } else { Edit::Substituted(i, j) }
            }
            MISSED => {
                i -= 1;
                Edit::Missed(i)
            }
            _ => {
                j -= 1;
                Edit::Added(j)
            }
        };
        edits.push(edit);
    }
    edits.reverse();
    edits
}

/// How many edits there are.
pub(super) fn count(edits: &[Edit]) -> usize {
    edits.iter().filter(|edit| !matches!(edit, Edit::Same(..))).count()
}

/// Two bits a step.
struct Steps(Vec<u8>);

impl Steps {
    fn new(cells: usize) -> Self {
        Steps(vec![0; cells.div_ceil(4)])
    }

    /// Once for each cell.
    fn set(&mut self, cell: usize, step: u8) {
        self.0[cell / 4] |= step << (cell % 4 * 2);
    }

    fn get(&self, cell: usize) -> u8 {
        self.0[cell / 4] >> (cell % 4 * 2) & 3
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unlike(a: &u8, b: &u8) -> u32 {
        // Neighbours are kindred.
        if a == b { 0 } else { 1 + u32::from(a.abs_diff(*b) > 1) }
    }

    fn ways(expected: &[u8], heard: &[u8]) -> Vec<Edit> {
        shortest(expected, heard, unlike).unwrap()
    }

    /// By the definition.
    fn levenshtein(a: &[u8], b: &[u8]) -> usize {
        match (a.split_last(), b.split_last()) {
            (None, _) => b.len(),
            (_, None) => a.len(),
            (Some((x, a_rest)), Some((y, b_rest))) if x == y => levenshtein(a_rest, b_rest),
            (Some((_, a_rest)), Some((_, b_rest))) => {
                1 + levenshtein(a_rest, b).min(levenshtein(a, b_rest)).min(levenshtein(a_rest, b_rest))
            }
        }
    }

    #[test]
    fn the_likest_sounds_are_paired() {
        // One of two was missed; that it was the unlike one costs the same and is what is told.
        assert_eq!(ways(&[9, 2], &[1]), [Edit::Missed(0), Edit::Substituted(1, 0)]);
        assert_eq!(ways(&[2, 9], &[1]), [Edit::Substituted(0, 0), Edit::Missed(1)]);
    }

    #[test]
    fn nothing_was_expected_or_heard() {
        assert_eq!(ways(&[], &[]), []);
        assert_eq!(ways(&[], &[1, 2]), [Edit::Added(0), Edit::Added(1)]);
        assert_eq!(ways(&[1, 2], &[]), [Edit::Missed(0), Edit::Missed(1)]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let long = vec![0_u8; 12_000];
        let error = shortest(&long, &long, unlike).unwrap_err();
        assert!(matches!(error, PhonemeError::TextTooLong { .. }), "{error}");
    }

    proptest! {
        /// Each phone of both is told once, in order, and there is no shorter way.
        #[test]
        fn a_way_is_complete_in_order_and_shortest(
            a in prop::collection::vec(0_u8..5, 0..7),
            b in prop::collection::vec(0_u8..5, 0..7),
        ) {
            let edits = ways(&a, &b);
            let (mut i, mut j) = (0, 0);
            for edit in &edits {
                match *edit {
                    Edit::Same(x, y) => { prop_assert_eq!((x, y, a[x]), (i, j, b[y])); i += 1; j += 1; }
                    Edit::Substituted(x, y) => {
                        prop_assert_eq!((x, y), (i, j));
                        prop_assert_ne!(a[x], b[y]);
                        i += 1; j += 1;
                    }
                    Edit::Missed(x) => { prop_assert_eq!(x, i); i += 1; }
                    Edit::Added(y) => { prop_assert_eq!(y, j); j += 1; }
                }
            }
            prop_assert_eq!((i, j), (a.len(), b.len()));
            prop_assert_eq!(count(&edits), levenshtein(&a, &b));
        }

        /// Who exchanges what was expected and what was heard exchanges missed and added, and keeps the count.
        #[test]
        fn the_count_is_symmetric(
            a in prop::collection::vec(0_u8..5, 0..40),
            b in prop::collection::vec(0_u8..5, 0..40),
        ) {
            let (there, back) = (ways(&a, &b), ways(&b, &a));
            prop_assert_eq!(count(&there), count(&back));
            let missed = |edits: &[Edit]| edits.iter().filter(|it| matches!(it, Edit::Missed(_))).count();
            let added = |edits: &[Edit]| edits.iter().filter(|it| matches!(it, Edit::Added(_))).count();
            let net = |edits: &[Edit]| missed(edits) as i64 - added(edits) as i64;
            prop_assert_eq!(net(&there), -net(&back));
        }
    }
}
