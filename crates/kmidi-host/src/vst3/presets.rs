//! Presets of a plugin: files in the standard folders, and the programs that it lists itself. `[side B]`

use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use super::controller::Controller;
use super::limits::{MAX_FOLDER_DEPTH, MAX_PRESETS, MAX_STATE_BYTES};
use super::midi_map::ProgramParameter;
use crate::Preset;
use crate::walk::{Walk, walk};

/// How the key of a program begins; the list's id and the program's number follow.
pub const PROGRAM: &str = "program:";
/// How the key of a file begins; its path follows.
const FILE: &str = "file:";

/// The files of a plugin in the standard folders.
pub fn files(vendor: &str, name: &str) -> Vec<Preset> {
    files_in(&folders(std::env::var_os("HOME").map(PathBuf::from), vendor, name))
}

/// Whether a preset is a file: those are there without the plugin.
pub fn is_file(preset: &Preset) -> bool {
    preset.key.starts_with(FILE)
}

/// The bytes of a file that [`files`] names.
///
/// # Errors
/// Why not.
pub fn read_file(vendor: &str, name: &str, key: &str) -> Result<Vec<u8>, String> {
    read_file_in(&folders(std::env::var_os("HOME").map(PathBuf::from), vendor, name), key)
}

/// `.vst3/presets/VENDOR/NAME` of the user, then those of the machine.
fn folders(home: Option<PathBuf>, vendor: &str, name: &str) -> Vec<PathBuf> {
    if !is_file_name(vendor) || !is_file_name(name) {
        return Vec::new();
    }
    let own = home.map(|home| home.join(".vst3"));
    let shared = ["/usr/local/share/vst3", "/usr/share/vst3"].map(PathBuf::from);
    own.into_iter().chain(shared).map(|base| base.join("presets").join(vendor).join(name)).collect()
}

/// A plugin's own words must not lead out of the folder.
fn is_file_name(text: &str) -> bool {
    let mut parts = Path::new(text).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None))
}

fn files_in(folders: &[PathBuf]) -> Vec<Preset> {
    let preset = |path: PathBuf| {
        let name = path.file_stem()?.to_str()?.to_owned();
        Some(Preset { key: format!("{FILE}{}", path.to_str()?), name })
    };
    let is_preset = |path: &Path| path.extension().is_some_and(|it| it == "vstpreset") && path.is_file();
    let mut choose = |path: &Path| if is_preset(path) { Walk::Take } else { Walk::Enter };
    let files = folders.iter().flat_map(|folder| walk(folder, MAX_FOLDER_DEPTH, &mut choose));
    files.filter_map(preset).take(MAX_PRESETS).collect()
}

fn read_file_in(folders: &[PathBuf], key: &str) -> Result<Vec<u8>, String> {
    if !files_in(folders).iter().any(|preset| preset.key == key) {
        return Err("there is no such preset".to_owned());
    }
    let path = Path::new(key.strip_prefix(FILE).unwrap_or(key));
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|why| why.to_string())?;
    let read = file.take(MAX_STATE_BYTES as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|why| why.to_string())?;
    if bytes.len() > MAX_STATE_BYTES { Err("it is too long".to_owned()) } else { Ok(bytes) }
}

/// The programs that a parameter of the plugin can choose.
pub fn programs(controller: &Controller, parameters: &[ProgramParameter]) -> Vec<Preset> {
    let mut found = Vec::new();
    for list in controller.program_lists() {
        let Some(parameter) = parameter_of(controller, parameters, list.id) else { continue };
        let programs = list.programs.min(parameter.steps as usize + 1);
        for program in 0..programs.min(MAX_PRESETS - found.len()) {
            let name = controller.program_name(list.id, program).unwrap_or_default();
            let name = if name.is_empty() { format!("Program {}", program + 1) } else { name };
            found.push(Preset { key: format!("{PROGRAM}{}:{program}", list.id), name });
        }
    }
    found
}

/// The parameter and its value that choose a program: `key` is what follows [`PROGRAM`].
pub fn program(controller: &Controller, parameters: &[ProgramParameter], key: &str) -> Option<(u32, f64)> {
    let (list, program) = key.split_once(':')?;
    let (list, program): (i32, u32) = (list.parse().ok()?, program.parse().ok()?);
    let parameter = parameter_of(controller, parameters, list)?;
    let list = controller.program_lists().into_iter().find(|it| it.id == list)?;
    let exists = (program as usize) < list.programs && program <= parameter.steps;
    exists.then(|| (parameter.id, f64::from(program) / f64::from(parameter.steps.max(1))))
}

/// The parameter that chooses among the programs of a list: that of the unit that has the list.
fn parameter_of(
    controller: &Controller,
    parameters: &[ProgramParameter],
    list: i32,
) -> Option<ProgramParameter> {
    let units = controller.units();
    let mut of_list = units.iter().filter(|unit| unit.program_list == list);
    of_list.find_map(|unit| parameters.iter().find(|it| it.unit == unit.id)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vendor_that_is_a_path_leads_nowhere() {
        for bad in ["", "..", ".", "a/b", "/etc", "../x"] {
            assert!(folders(Some("/h".into()), bad, "Name").is_empty(), "{bad}");
            assert!(folders(Some("/h".into()), "Vendor", bad).is_empty(), "{bad}");
        }
        let folders = folders(Some("/h".into()), "Vendor", "Name");
        assert_eq!(folders[0], PathBuf::from("/h/.vst3/presets/Vendor/Name"));
        assert_eq!(folders.len(), 3);
    }

    #[test]
    fn only_files_that_are_listed_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let folders = [dir.path().join("presets")];
        std::fs::create_dir_all(folders[0].join("Bass")).unwrap();
        std::fs::write(folders[0].join("Bass/Deep.vstpreset"), "bytes").unwrap();
        std::fs::write(dir.path().join("Other.vstpreset"), "secret").unwrap();
        let presets = files_in(&folders);
        assert_eq!(presets.len(), 1);
        assert_eq!(presets[0].name, "Deep");
        assert_eq!(read_file_in(&folders, &presets[0].key).unwrap(), b"bytes");
        let other = format!("file:{}/../Other.vstpreset", folders[0].display());
        assert!(read_file_in(&folders, &other).is_err());
    }
}
