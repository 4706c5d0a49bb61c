//! Plugins, as the last scan found them, and their presets.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kmidi_host::scan::Index;
use kmidi_host::{Description, Kind, PluginId, Preset};

use super::{MAX_TEXT_BYTES, tidy};
use crate::catalogue::{FileRecord, Stamp};
use crate::{Item, ItemKind};

/// Parameters that say what a plugin does; some have thousands.
const MAX_PARAMETERS: usize = 16;

/// What the scan's index has, by file, with the presets of each plugin: no plugin is loaded here.
pub(crate) fn plugin_files(index: &Index, presets: &[(PluginId, Preset)]) -> BTreeMap<PathBuf, FileRecord> {
    let mut by_plugin: BTreeMap<&PluginId, Vec<&Preset>> = BTreeMap::new();
    for (plugin, preset) in presets {
        by_plugin.entry(plugin).or_default().push(preset);
    }
    let mut files = BTreeMap::new();
    for plugin in index.plugins() {
        let record = files.entry(plugin.path.clone()).or_insert_with(|| FileRecord {
            stamp: Stamp::default(),
            hash: 0,
            is_plugin: true,
            items: Ok(vec![]),
        });
        let Ok(items) = &mut record.items else { continue };
        items.push(item(plugin));
        let presets = by_plugin.get(&plugin.id).into_iter().flatten();
        items.extend(presets.map(|preset| preset_item(plugin, preset)));
    }
    for record in files.values_mut() {
        // Whatever order they are told in, the index is the same.
        if let Ok(items) = &mut record.items {
            items.sort_by(|a, b| a.part.cmp(&b.part));
            items.dedup_by(|a, b| a.part == b.part);
        }
    }
    files
}

fn item(plugin: &Description) -> Item {
    let kind = match plugin.kind {
        Kind::Instrument => "instrument synthesizer",
        Kind::Effect => "audio effect",
        Kind::NoteEffect => "MIDI note effect",
        Kind::Analyzer => "analyzer meter",
    };
    let shown = plugin.parameters.iter().filter(|it| !it.is_hidden && !it.is_output);
    let parameters: Vec<&str> = shown.take(MAX_PARAMETERS).map(|it| it.name.as_str()).collect();
    let mut text = format!(
        "{kind}. {}. {} {} plugin. {}",
        plugin.tags.join(", "),
        plugin.vendor,
        plugin.id.format.name(),
        parameters.join(", ")
    );
    text.truncate(text.floor_char_boundary(MAX_TEXT_BYTES));
    tidy(&mut text);
    Item {
        kind: ItemKind::Plugin,
        part: plugin.id.to_string(),
        name: plugin.name.clone(),
        text,
        key: None,
        bpm: None,
        duration_seconds: None,
    }
}

fn preset_item(plugin: &Description, preset: &Preset) -> Item {
    let mut text = format!("preset of {}. {}", plugin.name, plugin.tags.join(", "));
    tidy(&mut text);
    Item {
        kind: ItemKind::Preset,
        part: format!("{} {}", plugin.id, preset.key),
        name: preset.name.clone(),
        text,
        key: None,
        bpm: None,
        duration_seconds: None,
    }
}
