//! Tables that are searched as the text they are: lines of `key`, tab, `value`, sorted by bytes.
use std::cmp::Ordering;

/// Such a text, and where its lines begin: four bytes a line are all that is made of it.
pub struct Table {
    text: &'static str,
    lines: Vec<u32>,
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
        Self { text, lines: lines.collect() }
    }

    /// The value of the line that has this key.
    pub fn find(&self, key: &str) -> Option<&'static str> {
        let line = |start: u32| &self.text.as_bytes()[start as usize..];
        let found = self.lines.binary_search_by(|&start| compare(line(start), key.as_bytes())).ok()?;
        let value = &self.text[self.lines[found] as usize + key.len() + 1..];
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
