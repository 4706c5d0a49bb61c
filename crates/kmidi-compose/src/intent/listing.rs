//! Every word that an intent may use, with a line each.

use std::fmt;

use serde::Serialize;

use super::rule::Rule;
use super::vocabulary::{Feel, Genre, Imagery, MoodName, NarrativeArc, Stakes, Vulnerability};

/// All words of all lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lists {
    /// The lists, in the order in which an intent asks for them.
    pub lists: Vec<List>,
}

/// The words of one list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct List {
    /// What it is called: `moods`.
    pub name: &'static str,
    /// Where in an intent its words stand: `phase_1.mood_primary`.
    pub field: &'static str,
    /// Its words.
    pub entries: Vec<Entry>,
}

/// A word, and what it means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The word.
    pub name: &'static str,
    /// What it means, in a line.
    pub meaning: &'static str,
}

macro_rules! list {
    ($name:literal, $field:literal, $words:ident) => {
        List {
            name: $name,
            field: $field,
            entries: $words::ALL.iter().map(|it| Entry { name: it.name(), meaning: it.meaning() }).collect(),
        }
    };
}

/// Every word that an intent may use.
pub fn list() -> Lists {
    Lists {
        lists: vec![
            list!("stakes", "phase_0.stakes", Stakes),
            list!("moods", "phase_1.mood_primary", MoodName),
            list!("imagery", "phase_1.imagery", Imagery),
            list!("vulnerability", "phase_1.vulnerability", Vulnerability),
            list!("arcs", "phase_1.narrative_arc", NarrativeArc),
            list!("genres", "phase_2.genre", Genre),
            list!("feels", "phase_2.groove_feel", Feel),
            list!("rules", "phase_2.rule", Rule),
        ],
    }
}

impl Lists {
    /// Only the list of this name; `None` if there is none.
    pub fn only(mut self, name: &str) -> Option<Lists> {
        self.lists.retain(|list| super::names::same(list.name, name));
        (!self.lists.is_empty()).then_some(self)
    }
}

impl fmt::Display for Lists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, list) in self.lists.iter().enumerate() {
            if place > 0 {
                writeln!(f)?;
            }
            writeln!(f, "{} ({}, {})", list.name, list.entries.len(), list.field)?;
            let width = list.entries.iter().map(|entry| entry.name.len()).max().unwrap_or(0);
            for entry in &list.entries {
                writeln!(f, "  {:<width$}  {}", entry.name, entry.meaning)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_a_line_and_a_list_can_be_had_alone() {
        let all = list();
        let lengths: Vec<usize> = all.lists.iter().map(|list| list.entries.len()).collect();
        assert_eq!(lengths, [6, 18, 15, 3, 8, 15, 8, 21]);
        let text = all.to_string();
        assert!(text.lines().all(|line| line.len() <= 130 && !line.contains("  \n")), "{text}");
        let entries = all.lists.iter().flat_map(|list| &list.entries);
        assert!(entries.clone().all(|entry| !entry.meaning.is_empty()));
        assert_eq!(text.lines().count(), 94 + 8 + 7);
        assert_eq!(all.clone().only("Rules").unwrap().lists[0].entries.len(), 21);
        assert_eq!(all.only("colours"), None);
    }
}
