//! Songs from bytes and from the test data, and what plays of them.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::path::PathBuf;
use std::sync::Arc;

use kmidi_core::Event;
use kmidi_song::{EventStream, Message, SongIndex, WarningKind};

/// All MIDI files of the test data, with their names.
pub fn files() -> Vec<(String, Vec<u8>)> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/midi"));
    let mut found = vec![];
    for folder in ["freedoom", "jazzsoft"] {
        for entry in std::fs::read_dir(root.join(folder)).expect("test data") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|extension| extension == "mid") {
                let name = path.file_name().expect("a name").to_string_lossy().into_owned();
                found.push((name, std::fs::read(&path).expect("readable")));
            }
        }
    }
    found.sort();
    assert!(found.len() >= 80, "only {} files", found.len());
    found
}

pub fn file(name: &str) -> Vec<u8> {
    files().into_iter().find(|(found, _)| found == name).expect("the file exists").1
}

/// A header chunk.
pub fn header(format: u16, tracks: u16, division: u16) -> Vec<u8> {
    let words = [format, tracks, division].map(u16::to_be_bytes).concat();
    [&b"MThd\0\0\0\x06"[..], &words].concat()
}

/// A track chunk with the right length; the end-of-track is the caller's.
pub fn chunk(data: &[u8]) -> Vec<u8> {
    [b"MTrk", &(data.len() as u32).to_be_bytes()[..], data].concat()
}

pub const END: [u8; 4] = [0x00, 0xff, 0x2f, 0x00];

/// Notes from key 60 on, each 96 ticks long, one after another, without an end-of-track.
pub fn notes(count: u8) -> Vec<u8> {
    (0..count).flat_map(|i| [0x00, 0x90, 60 + i, 100, 96, 0x80, 60 + i, 64]).collect()
}

/// A format 0 file of one track (96 ticks per quarter note).
pub fn single(data: &[u8]) -> Vec<u8> {
    [header(0, 1, 96), chunk(data)].concat()
}

pub fn index(bytes: &[u8]) -> SongIndex {
    SongIndex::scan(&bytes, &mut |_| {}).expect("a song")
}

/// Tick and key of every note-on, as streamed.
pub fn keys(bytes: &[u8]) -> Vec<(i64, u8)> {
    let index = Arc::new(index(bytes));
    let total = index.notes;
    let mut stream = EventStream::new(index, bytes).expect("memory does not fail");
    let mut keys = vec![];
    while let Some(event) = stream.next().expect("memory does not fail") {
        if let Message::Event(Event::NoteOn { key, .. }) = event.message {
            keys.push((event.tick.0, key));
        }
    }
    assert_eq!(keys.len() as u64, total, "the stream gives what the index counted");
    keys
}

/// Every event of a stream from where it is, as text: comparable, whatever it lends.
pub fn rest<S: kmidi_song::ByteSource>(stream: &mut EventStream<S>) -> Vec<String> {
    let mut all = vec![];
    while let Some(event) = stream.next().expect("memory does not fail") {
        all.push(format!("{event:?}"));
    }
    all
}

/// Track, byte offset and kind of each warning.
pub fn warnings(bytes: &[u8]) -> Vec<(Option<u32>, u64, WarningKind)> {
    index(bytes).warnings.into_iter().map(|w| (w.track, w.offset, w.kind)).collect()
}
