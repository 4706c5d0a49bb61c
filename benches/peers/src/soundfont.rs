//! The SoundFont of the comparison: FluidR3 GM without exclusive classes.
//!
//! A closed hi-hat that another stroke cuts off dies away within 0.05 s in KmiDi and within a second in
//! FluidSynth: both sound well, but in a song of many strokes FluidSynth would have far more
//! voices to compute. Without classes all strokes ring out, and the engines do the same work.

use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Of the Debian package fluid-soundfont-gm.
const ORIGINAL: &str = "/usr/share/sounds/sf2/FluidR3_GM.sf2";

/// The generator that says which notes cut each other off.
const EXCLUSIVE_CLASS: u16 = 57;

/// Writes it into `folder`.
pub fn without_classes(folder: &Path) -> Result<PathBuf> {
    let mut file = std::fs::read(ORIGINAL).with_context(|| format!("cannot read {ORIGINAL}"))?;
    let presets = chunk(&file, 12..file.len(), *b"LIST", Some(*b"pdta"));
    let generators = presets.and_then(|list| chunk(&file, list.start + 4..list.end, *b"igen", None));
    let generators = generators.with_context(|| format!("{ORIGINAL} has no generators"))?;
    for generator in file[generators].as_chunks_mut::<4>().0 {
        if u16::from_le_bytes([generator[0], generator[1]]) == EXCLUSIVE_CLASS {
            generator[2..].fill(0);
        }
    }
    let path = folder.join("FluidR3_GM without classes.sf2");
    std::fs::write(&path, file)?;
    Ok(path)
}

/// The data of the first chunk called `name` that begins with `kind`.
fn chunk(file: &[u8], within: Range<usize>, name: [u8; 4], kind: Option<[u8; 4]>) -> Option<Range<usize>> {
    let mut at = within.start;
    while at + 8 <= within.end {
        let length = u32::from_le_bytes(*file[at + 4..].first_chunk()?) as usize;
        let data = at + 8..at + 8 + length;
        if file[at..].starts_with(&name) && kind.is_none_or(|kind| file[data.start..].starts_with(&kind)) {
            return Some(data);
        }
        at = data.end.next_multiple_of(2);
    }
    None
}
