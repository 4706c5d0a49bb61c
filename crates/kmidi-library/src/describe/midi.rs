//! Standard MIDI Files.

use std::path::Path;

use kmidi_compose::analysis::{NoteView, key_name, key_of, tempo_of};
use kmidi_memory::JobContext;
use kmidi_song::{ByteSource, Song, SongIndex, TextKind};

use super::{DescribeError, Source, gm, names, tempo_words};
use crate::{Item, ItemKind, Key};

/// Largest file whose notes are analysed.
const MAX_ANALYSED_BYTES: u64 = 4 << 20;
/// Texts of a song that count.
const MAX_TEXTS: usize = 40;

pub(super) fn describe(path: &Path, job: &JobContext) -> Result<Item, DescribeError> {
    let source = Source::open(path)?;
    let index = SongIndex::scan(&source, &mut |_| {}).map_err(DescribeError::damaged)?;
    job.check()?;
    let heard = if source.len <= MAX_ANALYSED_BYTES { analyse(&source) } else { None };
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let named = names::read(&name);
    let key = heard.map(|heard| heard.0).or(named.key);
    let bpm = heard.map(|heard| heard.1).or(named.bpm);
    let mut text = texts(&index);
    text.push_str(&instruments(&index));
    if let Some(bpm) = bpm {
        text.push(' ');
        text.push_str(tempo_words(bpm));
    }
    if let Some(key) = key {
        text.push_str(&format!(" {key}"));
    }
    Ok(Item {
        kind: ItemKind::Midi,
        part: String::new(),
        name: String::new(),
        text,
        key,
        bpm,
        duration_seconds: Some(index.duration_seconds() as f32),
    })
}

/// Key and tempo from the notes.
fn analyse(source: &Source) -> Option<(Key, f32)> {
    let mut bytes = vec![0; usize::try_from(source.len).ok()?];
    let mut read = 0;
    while read < bytes.len() {
        match ByteSource::read_at(source, read as u64, &mut bytes[read..]).ok()? {
            0 => break,
            count => read += count,
        }
    }
    let (song, _) = Song::from_smf(&bytes[..read]).ok()?;
    let view = NoteView::from_song(&song).ok()?;
    let key = key_name(key_of(&view).key).parse().ok()?;
    Some((key, tempo_of(&view).bpm as f32))
}

/// Title, names of tracks and what else is written, each once.
fn texts(index: &SongIndex) -> String {
    let wanted = |kind: TextKind| {
        matches!(
            kind,
            TextKind::Text | TextKind::Copyright | TextKind::InstrumentName | TextKind::ProgramName
        )
    };
    let tracks = index.tracks.iter().map(|track| &*track.name);
    let others = index.texts.iter().filter(|text| wanted(text.kind)).map(|text| &*text.text);
    let mut all: Vec<&str> = vec![];
    for text in tracks.chain(others).map(str::trim).filter(|text| text.len() > 2) {
        if all.len() < MAX_TEXTS && !all.contains(&text) {
            all.push(text);
        }
    }
    all.iter().map(|text| format!("{text}. ")).collect()
}

/// What it is played with.
fn instruments(index: &SongIndex) -> String {
    let mut names: Vec<&str> = vec![];
    for used in &index.programs {
        let name = if used.drums { "Drums" } else { gm::program(used.program) };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}
