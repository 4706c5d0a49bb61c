//! Tables that are searched as the text they are: lines of `key`, tab, `value`, sorted by bytes.
//!
//! Nothing is parsed beforehand and nothing is held in memory: the first search is as fast as the last.

/// The value of the line that has this key.
pub fn find(table: &'static str, key: &str) -> Option<&'static str> {
    let bytes = table.as_bytes();
    // A line begins at `low` or later, and before `high`.
    let (mut low, mut high) = (0, bytes.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let start = bytes[low..middle].iter().rposition(|&byte| byte == b'\n').map_or(low, |at| low + at + 1);
        let end =
            bytes[middle..].iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |at| middle + at);
        let line = &bytes[start..end];
        let tab = line.iter().position(|&byte| byte == b'\t')?;
        match line[..tab].cmp(key.as_bytes()) {
            std::cmp::Ordering::Equal => return table.get(start + tab + 1..end),
            std::cmp::Ordering::Less => low = end + 1,
            std::cmp::Ordering::Greater => high = start,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_found_and_nothing_else() {
        let table = "!\t-1\na\t1\nab\t2\nab c\t3\nb\t\nß\t5\n";
        for line in table.lines() {
            let (key, value) = line.split_once('\t').unwrap();
            assert_eq!(find(table, key), Some(value), "{key}");
        }
        for key in ["", " ", "A", "aa", "abc", "ab ", "z", "\t", "\n", "é"] {
            assert_eq!(find(table, key), None, "{key:?}");
        }
        assert_eq!(find("", "a"), None);
        assert_eq!(find("a\t1", "a"), Some("1"));
    }
}
