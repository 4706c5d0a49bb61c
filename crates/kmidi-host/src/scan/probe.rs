//! The child's side of a scan.

use std::io::{self, Write};
use std::path::Path;

use super::report::Report;
use crate::{Format, Plugin, PluginId, Preset, contents, vst3};

/// Name of the program that runs foreign code for others.
pub const PROBE: &str = "kmidi-probe";

/// Asks every plugin of a file but those to `skip` what it is, and tells the parent on `out`. Runs foreign code: whatever
/// happens in it happens to this process.
///
/// # Errors
/// The parent is gone.
pub fn describe_for_parent(
    format: Format,
    path: &Path,
    skip: &[PluginId],
    out: &mut impl Write,
) -> io::Result<()> {
    let mut tell = |report: Report| {
        serde_json::to_writer(&mut *out, &report)?;
        out.write_all(b"\n")?;
        out.flush()
    };
    let ids = match contents(format, path) {
        Ok(ids) => ids,
        Err(error) => {
            tell(Report::Failed(error.to_string()))?;
            return tell(Report::End);
        }
    };
    tell(Report::Contents(ids.clone()))?;
    for id in ids.iter().filter(|id| !skip.contains(id)) {
        tell(Report::Begin(id.clone()))?;
        match Plugin::load(path, id) {
            Ok(plugin) => {
                let description = plugin.description().clone();
                // What it does when it ends is its fault too.
                drop(plugin);
                tell(Report::Done(Box::new(description)))?;
                // Those of LV2 stand in bundles: who wants them reads them there.
                if format != Format::Lv2 {
                    tell(Report::Presets(presets(path, id)))?;
                }
            }
            Err(error) => tell(Report::Failed(error.to_string()))?,
        }
    }
    tell(Report::End)
}

/// The presets of a plugin that no file says, asked of another instance: one that fails at this can be used all the same.
fn presets(path: &Path, id: &PluginId) -> Vec<Preset> {
    let all = Plugin::load(path, id).map(|mut plugin| plugin.presets()).unwrap_or_default();
    all.into_iter().filter(|preset| id.format != Format::Vst3 || !vst3::is_preset_file(preset)).collect()
}
