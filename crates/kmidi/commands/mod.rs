//! One module a command.

pub mod devices;
pub mod doctor;
pub mod generate;
pub mod info;
pub mod play;
pub mod render;

use std::path::PathBuf;

use anyhow::{Result, anyhow};
use kmidi_session::{FileSource, InputKind, STDIN, SoundSettings};

use crate::cli::Sound;
use crate::exit::Unreadable;

/// Tells songs and the SoundFont apart by content. A SoundFont among the files wins over `--sf`,
/// which may come from the environment.
fn sort_files(files: &[PathBuf], sf: Option<&PathBuf>) -> Result<(Vec<PathBuf>, Option<PathBuf>)> {
    let (mut songs, mut fonts) = (vec![], vec![]);
    for file in files {
        // What comes through standard input is read once, and is a song.
        if file.as_os_str() == STDIN {
            songs.push(file.clone());
            continue;
        }
        match FileSource::open(file).and_then(|source| source.kind()) {
            Ok(InputKind::SoundFont) => fonts.push(file.clone()),
            // An unreadable file of a playlist is reported in its turn.
            Ok(InputKind::Song) => songs.push(file.clone()),
            Err(_) if files.len() > 1 => songs.push(file.clone()),
            Err(error) => return Err(Unreadable(error.into()).into()),
        }
    }
    if fonts.len() > 1 {
        let error = anyhow!("two SoundFonts: {} and {}", fonts[0].display(), fonts[1].display());
        return Err(Unreadable(error).into());
    }
    Ok((songs, fonts.pop().or_else(|| sf.cloned())))
}

fn sound_settings(sound: &Sound) -> SoundSettings {
    SoundSettings {
        polyphony: sound.polyphony.into(),
        effects: !sound.no_effects,
        gain_db: sound.gain,
        tempo_scale: sound.tempo_scale,
        transpose: sound.transpose,
        muted: sound.mute.clone(),
        soloed: sound.solo.clone(),
    }
}
