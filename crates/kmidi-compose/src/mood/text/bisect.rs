//! Tables that are searched as the text they are: lines of `key`, tab, `value`, sorted by bytes.
use std::cmp::Ordering;

/// Such a text, and where its lines begin: four bytes a line, and four for each first byte, are all that is made of it.
pub struct Table {
    text: &'static str,
    lines: Vec<u32>,
    /// How many lines begin with a lesser byte, for each byte and one more.
    lesser: [u32; 257],
}

impl Table {
    /// A table of a text that is sorted.
    pub fn new(text: &'static str) -> Self {
        let mut next = 0;
        let lines = text.split_inclusive('\n').map(|line| {
            let start = next;
            next += line.len() as u32;
            start
        });
        let lines: Vec<u32> = lines.collect();
        let first = |line: &u32| usize::from(text.as_bytes()[*line as usize]);
        let lesser = std::array::from_fn(|byte| lines.partition_point(|line| first(line) < byte) as u32);
        Self { text, lines, lesser }
    }

    /// The value of the line that has this key.
    pub fn find(&self, key: &str) -> Option<&'static str> {
        let line = |start: u32| &self.text.as_bytes()[start as usize..];
        let byte = usize::from(*key.as_bytes().first()?);
        let lines = &self.lines[self.lesser[byte] as usize..self.lesser[byte + 1] as usize];
        let found = lines.binary_search_by(|&start| compare(line(start), key.as_bytes())).ok()?;
        let value = &self.text[lines[found] as usize + key.len() + 1..];
        Some(value.split('\n').next().unwrap_or_default())
    }
}

/// Compares the key of the line that `text` begins with.
fn compare(text: &[u8], key: &[u8]) -> Ordering {
    let common = key.len().min(text.len());
    // No key has a sign below the tab in it, so that a line whose key ends earlier comes out less.
    text[..common].cmp(&key[..common]).then_with(|| match text.get(key.len()) {
        Some(b'\t') => Ordering::Equal,
        Some(_) => Ordering::Greater,
        None => Ordering::Less,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_found_and_nothing_else() {
        let text = "!\t-1\na\t1\nab\t2\nab c\t3\nb\t\nß\t5\n";
        let table = Table::new(text);
        for line in text.lines() {
            let (key, value) = line.split_once('\t').unwrap();
            assert_eq!(table.find(key), Some(value), "{key}");
        }
        for key in ["", " ", "A", "aa", "abc", "ab ", "z", "é", "ab c and more than there is", "ßß"] {
            assert_eq!(table.find(key), None, "{key:?}");
        }
        assert_eq!(Table::new("").find("a"), None);
        assert_eq!(Table::new("a\t1").find("a"), Some("1"));
    }
}
