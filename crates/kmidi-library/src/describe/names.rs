//! Key and tempo, where they are written into a name as sample packs do: `Pad_Am_90bpm`.

use crate::Key;

#[derive(Debug, Default, PartialEq)]
pub(super) struct Named {
    pub key: Option<Key>,
    pub bpm: Option<f32>,
}

pub(super) fn read(name: &str) -> Named {
    let words: Vec<&str> = name
        .split(|c: char| !c.is_alphanumeric() && !matches!(c, '#' | '♯' | '♭'))
        .filter(|it| !it.is_empty())
        .collect();
    let mut named = Named::default();
    for (at, word) in words.iter().enumerate() {
        let next = words.get(at + 1).copied().unwrap_or_default();
        named.key = named.key.or_else(|| key(word, next));
        named.bpm = named.bpm.or_else(|| bpm(word, next));
    }
    named
}

/// A tonic alone is more often a letter than a key: its mode must be there.
fn key(word: &str, next: &str) -> Option<Key> {
    if !word.starts_with(|c: char| ('A'..='G').contains(&c)) {
        return None;
    }
    let tonic_len = word.trim_end_matches(|c: char| c.is_ascii_lowercase() && c != 'b').len();
    let mode = &word[tonic_len..];
    if matches!(mode, "m" | "min" | "minor" | "maj" | "major") {
        return word.parse().ok();
    }
    let next = next.to_ascii_lowercase();
    let is_mode = matches!(next.as_str(), "min" | "minor" | "maj" | "major");
    (word.chars().count() <= 2 && is_mode).then(|| format!("{word} {next}").parse().ok()).flatten()
}

fn bpm(word: &str, next: &str) -> Option<f32> {
    let word = word.to_ascii_lowercase();
    let digits = match (word.strip_suffix("bpm"), word.strip_prefix("bpm")) {
        (Some(""), _) => next,
        (Some(digits), _) | (None, Some(digits)) => digits,
        _ if next.eq_ignore_ascii_case("bpm") => &word,
        _ => return None,
    };
    digits.parse::<u16>().ok().filter(|bpm| (30..=300).contains(bpm)).map(f32::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_and_tempo_are_read_where_they_are_meant() {
        let named = |name: &str| {
            let Named { key, bpm } = read(name);
            (key.map(|key| key.to_string()).unwrap_or_default(), bpm.unwrap_or(0.0))
        };
        assert_eq!(named("Pad_Am_90bpm"), ("A minor".into(), 90.0));
        assert_eq!(named("loop 128 BPM F#min"), ("F# minor".into(), 128.0));
        assert_eq!(named("bpm140-Bb major"), ("Bb major".into(), 140.0));
        assert_eq!(named("Ebm lead"), ("Eb minor".into(), 0.0));
        for plain in
            ["A long day", "Bass 01", "Grand Piano", "Cm3000x", "999bpm", "bpm", "Amen break", "E1M1"]
        {
            assert_eq!(named(plain), (String::new(), 0.0), "{plain}");
        }
    }
}
