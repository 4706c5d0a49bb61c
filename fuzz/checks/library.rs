//! What must hold for any bytes at all that are taken for an index. The fuzz target and the tests both come here.
//!
//! Bytes as they are come as far as the first checksum. So they are also taken for changes to an index that is in order,
//! each a place and what it is overwritten with, and all checksums are made anew: that comes through to all that reads it.
//! The dictionary of terms stays as it is: the crate that reads it trusts its checksum.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use kmidi_library::{
    CacheLimits, DIMENSIONS, Embed, EmbedError, IndexSettings, Indexer, Query, Searcher, status,
};
use kmidi_memory::{Budgets, Cancel, JobContext, Limits, MIB, Need};

const HEADER_BYTES: usize = 512;
/// Where the table of sections begins in it, what each takes there, and how many there are.
const TABLE_AT: usize = 96;
const ENTRY_BYTES: usize = 20;
const SECTIONS: usize = 9;
const TERMS: usize = 3;

/// Panics if anything about these bytes is not as promised.
pub fn check(bytes: &[u8]) {
    read(bytes);
    opens(bytes);
    opens_unsealed(bytes);
}

/// Whether the index opens with these changes, all checksums being right.
pub fn opens(changes: &[u8]) -> bool {
    read(&seal(changed(changes)))
}

/// The same with the checksums of before.
pub fn opens_unsealed(changes: &[u8]) -> bool {
    read(&changed(changes))
}

/// Reads an index of these bytes in every way there is.
fn read(bytes: &[u8]) -> bool {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("index");
    fs::write(&path, bytes).expect("written");
    let _ = status(&path);
    let _ =
        Indexer::open(&path, IndexSettings::default()).map(|indexer| in_a_job(|job| indexer.compact(job)));
    fs::write(folder.path().join("new"), bytes).expect("written");
    fs::rename(folder.path().join("new"), &path).expect("renamed");
    let Ok(mut searcher) = Searcher::open(&path, CacheLimits::default()) else { return false };
    for text in ["", "warm pad", "pian", "clelo", "mid"] {
        let query = Query { limit: 100, ..Query::of(text) };
        let hits = searcher.search(&query, Some(&mut Flat)).expect("no model fails here").to_vec();
        assert!(hits.iter().all(|hit| (0.0..=1.0).contains(&hit.score)));
        hits.iter().for_each(|hit| drop(searcher.found(hit.item)));
        searcher.readings(&query);
    }
    true
}

/// Every text is alike.
struct Flat;

impl Embed for Flat {
    fn id(&self) -> &str {
        "flat"
    }

    fn knows(&self, _: &str) -> bool {
        false
    }

    fn embed(&mut self, _: &str) -> Result<[f32; DIMENSIONS], EmbedError> {
        Ok([1.0; DIMENSIONS])
    }
}

/// An index that is in order.
fn good() -> &'static [u8] {
    static GOOD: OnceLock<Vec<u8>> = OnceLock::new();
    GOOD.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let sounds = folder.path().join("sounds");
        for name in ["warm pad.mid", "piano.mid", "deep/cello.mid"] {
            let path = sounds.join(name);
            fs::create_dir_all(path.parent().expect("it has one")).expect("made");
            fs::write(path, b"MThd\0\0\0\x06\0\0\0\x01\0\x60MTrk\0\0\0\x04\0\xff\x2f\0").expect("written");
        }
        index(&sounds, &folder.path().join("index"))
    })
}

fn index(sounds: &Path, path: &Path) -> Vec<u8> {
    let indexer = Indexer::open(path, IndexSettings::default()).expect("a new index");
    let folders = [sounds.to_owned()];
    let done = in_a_job(|job| indexer.add(&folders, Default::default(), Some(&mut Flat), job, &mut |_| {}));
    done.expect("it can be written");
    fs::read(path).expect("it is there")
}

fn in_a_job<T>(work: impl FnOnce(&JobContext) -> T) -> T {
    let (budgets, need) = (Budgets::new(Limits::default()), Need::working(MIB, "index"));
    JobContext::run(&budgets, need, &Cancel::default(), |job| work(&job)).expect("it fits")
}

/// The good index with changes: three bytes say where, one how many bytes, then these.
fn changed(mut changes: &[u8]) -> Vec<u8> {
    let mut bytes = good().to_vec();
    let terms = section(&bytes, TERMS);
    while let [a, b, c, count, rest @ ..] = changes {
        let at = u32::from_le_bytes([*a, *b, *c, 0]) as usize % bytes.len();
        let (new, left) = rest.split_at(rest.len().min(usize::from(count % 9)));
        for (offset, byte) in new.iter().enumerate() {
            let place = at + offset;
            if place < bytes.len() && !terms.contains(&place) {
                bytes[place] = *byte;
            }
        }
        changes = left;
    }
    bytes
}

fn section(bytes: &[u8], number: usize) -> std::ops::Range<usize> {
    let entry = &bytes[TABLE_AT + number * ENTRY_BYTES..];
    let read = |at: usize| u64::from_le_bytes(entry[at..at + 8].try_into().expect("eight")) as usize;
    read(0)..read(0).saturating_add(read(8))
}

/// Makes all checksums right, of those sections that lie in the file.
fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    for number in 0..SECTIONS {
        if let Some(body) = bytes.get(section(&bytes, number)) {
            let crc = crc32fast::hash(body).to_le_bytes();
            let at = TABLE_AT + number * ENTRY_BYTES + 16;
            bytes[at..at + 4].copy_from_slice(&crc);
        }
    }
    let crc = crc32fast::hash(&bytes[..HEADER_BYTES - 4]).to_le_bytes();
    bytes[HEADER_BYTES - 4..HEADER_BYTES].copy_from_slice(&crc);
    bytes
}
