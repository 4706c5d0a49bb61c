//! The known word that comes nearest to an unknown one.

/// Longer words are not compared.
const LONGEST: usize = 48;
/// Of a name, that many letters at least are its beginning.
const SHORTEST_BEGINNING: usize = 3;

/// The one of `known` that takes fewest edits (a letter put in, left out, changed, or two swapped); where all take more than a third of
/// the word's length, the shortest that begins with it; else `None`. Case does not matter. `[side B]`
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.trim().to_lowercase();
    let length = word.chars().count();
    if length > LONGEST {
        return None;
    }
    let most = (length / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    let mut begun: Option<&str> = None;
    for name in known {
        let lower = name.to_lowercase();
        let edits = edits(&word, &lower);
        if edits <= most && edits < length && best.is_none_or(|(least, _)| edits < least) {
            best = Some((edits, name));
        }
        let begins = length >= SHORTEST_BEGINNING && lower.starts_with(&word);
        if begins && begun.is_none_or(|it| name.len() < it.len()) {
            begun = Some(name);
        }
    }
    best.map(|it| it.1).or(begun)
}

/// The restricted Damerau-Levenshtein distance of two short words.
fn edits(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for i in 1..=from.len() {
        let mut row = vec![i];
        for j in 1..=to.len() {
            let change = last[j - 1] + usize::from(from[i - 1] != to[j - 1]);
            let mut least = change.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        for (from, to, count) in
            [("", "", 0), ("a", "", 1), ("dorain", "dorian", 1), ("kitten", "sitting", 3), ("abc", "abc", 0)]
        {
            assert_eq!(edits(from, to), count, "{from} {to}");
        }
    }

    #[test]
    fn a_beginning_is_completed_where_no_name_is_near() {
        let known = ["harmonic minor", "harmonic major", "harmonica", "minor"];
        assert_eq!(nearest("harm", known.into_iter()), Some("harmonica"));
        assert_eq!(nearest("minro", known.into_iter()), Some("minor"));
    }

    #[test]
    fn what_is_far_is_not_suggested() {
        let known = ["scales", "modes", "swing"];
        assert_eq!(nearest("Scale", known.into_iter()), Some("scales"));
        assert_eq!(nearest("quantum", known.into_iter()), None);
        assert_eq!(nearest("mo", known.into_iter()), None);
        assert_eq!(nearest("", known.into_iter()), None);
        assert_eq!(nearest(&"s".repeat(100_000), known.into_iter()), None);
    }
}
