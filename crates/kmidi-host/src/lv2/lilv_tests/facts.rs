//! What lilv knows of plugins, as the program `dump.c` writes it.

use std::collections::{BTreeMap, BTreeSet};

/// Values by the name of the field.
#[derive(Clone, Debug, Default)]
pub struct Fields(BTreeMap<String, Vec<String>>);

/// A plugin.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Of the plugin itself.
    pub own: Fields,
    /// Each at its index.
    pub ports: Vec<Fields>,
    /// By URI.
    pub properties: BTreeMap<String, Fields>,
    /// By URI.
    pub presets: BTreeMap<String, Fields>,
}

impl Fields {
    /// All values of a field.
    pub fn all(&self, name: &str) -> BTreeSet<String> {
        self.0.get(name).into_iter().flatten().cloned().collect()
    }

    /// The value of a field that has one.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.first().map(String::as_str)
    }

    /// As text that may be empty, without blanks around it.
    pub fn text(&self, name: &str) -> &str {
        self.first(name).unwrap_or_default().trim()
    }

    /// As number.
    pub fn number(&self, name: &str) -> Option<f32> {
        self.first(name)?.parse().ok()
    }

    /// Numbers with a text, as bits of the number: `NAME, number, text`.
    pub fn pairs(&self, name: &str, number_at: usize) -> Vec<(u32, String)> {
        let pair = |value: &String| {
            let parts: Vec<&str> = value.splitn(2, '\t').collect();
            let number: f32 = parts[number_at].parse().unwrap();
            (number.to_bits(), parts[1 - number_at].to_owned())
        };
        let mut pairs: Vec<_> = self.0.get(name).into_iter().flatten().map(pair).collect();
        pairs.sort();
        pairs.dedup();
        pairs
    }
}

/// Reads the lines of the program, by URI of the plugin.
pub fn parse(text: &str) -> BTreeMap<String, Facts> {
    let mut all: BTreeMap<String, Facts> = BTreeMap::new();
    let mut plugin = String::new();
    // Where the lines that follow belong.
    let mut place = (String::new(), String::new());
    for line in text.lines() {
        let (name, value) = line.split_once('\t').unwrap();
        match name {
            "PLUGIN" => (plugin, place) = (value.to_owned(), (name.to_owned(), value.to_owned())),
            "PORT" | "PRESET" => place = (name.to_owned(), value.to_owned()),
            "PROPERTY" => place = (name.to_owned(), value.split('\t').next().unwrap().to_owned()),
            _ => {}
        }
        let facts = all.entry(plugin.clone()).or_default();
        let fields = match place.0.as_str() {
            "PORT" => {
                let index: usize = place.1.parse().unwrap();
                facts.ports.resize_with(facts.ports.len().max(index + 1), Fields::default);
                &mut facts.ports[index]
            }
            "PROPERTY" => facts.properties.entry(place.1.clone()).or_default(),
            "PRESET" => facts.presets.entry(place.1.clone()).or_default(),
            _ => &mut facts.own,
        };
        fields.0.entry(name.to_owned()).or_default().push(value.to_owned());
    }
    all
}
