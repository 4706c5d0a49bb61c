use std::collections::HashSet;

use crate::scan::Index;
use crate::{Format, PluginId, Preset, lv2, vst3};

/// The presets of all plugins that an index knows, each with its plugin. No plugin is loaded: those of CLAP, and the programs of
/// VST3, are what the scan was told; `.vstpreset` files are those that lie in the standard folders now, and those of LV2 what
/// bundles say now.
pub fn known_presets(index: &Index) -> Vec<(PluginId, Preset)> {
    let plugins = index.plugins();
    let lv2_plugins: HashSet<&str> =
        plugins.iter().filter(|it| it.id.format == Format::Lv2).map(|it| it.id.name.as_str()).collect();
    let of_bundles = if lv2_plugins.is_empty() { vec![] } else { lv2::all_presets() };
    let of_bundles = of_bundles.into_iter().filter(|(uri, _)| lv2_plugins.contains(uri.as_str()));
    let files = plugins.iter().filter(|it| it.id.format == Format::Vst3).flat_map(|plugin| {
        let files = vst3::preset_files(&plugin.vendor, &plugin.name);
        files.into_iter().map(|preset| (plugin.id.clone(), preset))
    });
    let told = index.presets().cloned();
    told.chain(files)
        .chain(of_bundles.map(|(uri, preset)| (PluginId::new(Format::Lv2, uri), preset)))
        .collect()
}
