//! Index files that are damaged, cut, foreign or full of lies; names that are no text.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use kmidi_library::{CacheLimits, IndexError, IndexJobError, IndexSettings, Indexer, Query, Searcher};
use proptest::prelude::*;
use proptest::test_runner::Config;

use crate::support::{Hashing, Place, add, remove, song, write, write_pack};

#[path = "../../../../fuzz/checks/library.rs"]
mod library;

fn small() -> (Place, Vec<u8>) {
    let place = Place::new();
    write_pack(&place.sounds(), 8);
    place.add();
    let bytes = fs::read(place.index()).unwrap();
    (place, bytes)
}

#[test]
fn an_index_with_any_byte_changed_is_told_with_the_way_back_or_is_as_good_as_before() {
    let (place, bytes) = small();
    let names = |place: &Place| {
        let mut searcher = Searcher::open(&place.index(), CacheLimits::default())?;
        let hits = searcher.search(&Query::of("piano"), Some(&mut Hashing::new())).unwrap().to_vec();
        Ok::<_, IndexError>(hits.iter().map(|hit| searcher.found(hit.item).unwrap()).collect::<Vec<_>>())
    };
    let whole = names(&place).unwrap();
    let (mut told, mut same) = (0, 0);
    for at in (0..bytes.len()).step_by(7) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x41;
        // As an index comes to be: as a whole, by a rename.
        fs::write(place.path("new"), &damaged).unwrap();
        fs::rename(place.path("new"), place.index()).unwrap();
        match names(&place) {
            Ok(names) => {
                assert_eq!(names, whole, "byte {at}");
                same += 1;
            }
            Err(error @ (IndexError::Damaged { .. } | IndexError::Version { .. })) => {
                assert!(error.to_string().contains("--rebuild"), "{error}");
                told += 1;
            }
            Err(IndexError::NotAnIndex(_)) => assert!(at < 8, "byte {at}"),
            Err(error) => panic!("byte {at}: {error}"),
        }
    }
    assert!(told > 100 && same > 10, "{told} {same}: what only indexing reads, and gaps, harm no search");
}

#[test]
fn a_cut_index_is_damaged_and_rebuilding_it_is_the_way_back() {
    let (place, bytes) = small();
    for len in [0, 20, 511, 512, 2000, bytes.len() - 1] {
        fs::write(place.path("new"), &bytes[..len]).unwrap();
        fs::rename(place.path("new"), place.index()).unwrap();
        let opened = Searcher::open(&place.index(), CacheLimits::default()).map(drop);
        assert!(matches!(opened, Err(IndexError::Damaged { .. })), "{len}: {opened:?}");
        assert!(Indexer::open(&place.index(), IndexSettings::default()).is_err());
        let settings = IndexSettings { rebuild: true, ..IndexSettings::default() };
        let indexer = Indexer::open(&place.index(), settings).unwrap();
        assert_eq!(add(indexer, &[place.sounds()], None).unwrap().items, 8);
        Searcher::open(&place.index(), CacheLimits::default()).unwrap();
    }
}

#[test]
fn what_is_no_index_is_replaced_in_our_own_place_alone() {
    let place = Place::new();
    place.song("a.mid", 100);
    let rebuild = IndexSettings { rebuild: true, ..IndexSettings::default() };
    for foreign in [vec![0x5a; 3000], b"my own list".to_vec()] {
        fs::write(place.index(), &foreign).unwrap();
        let refused = Indexer::open(&place.index(), rebuild).map(drop).unwrap_err();
        assert!(matches!(refused, IndexError::NotAnIndex(_)), "{refused}");
        assert!(refused.to_string().contains("delete it"), "{refused}");
        let own = IndexSettings { is_own: true, ..IndexSettings::default() };
        assert!(Indexer::open(&place.index(), own).is_err(), "only where it is rebuilt");
        assert_eq!(fs::read(place.index()).unwrap(), foreign);
        let indexer = Indexer::open(&place.index(), IndexSettings { is_own: true, ..rebuild }).unwrap();
        assert_eq!(add(indexer, &[place.sounds()], None).unwrap().items, 1);
    }
}

#[test]
fn a_folder_that_somebody_named_is_not_made_for_an_index() {
    let place = Place::new();
    let index = place.path("nope/x.index");
    let refused = Indexer::open(&index, IndexSettings::default()).map(drop).unwrap_err();
    assert!(matches!(refused, IndexError::NoFolder(_)), "{refused}");
    assert!(!place.path("nope").exists());
    Indexer::open(&index, IndexSettings { is_own: true, ..IndexSettings::default() }).map(drop).unwrap();
    assert!(place.path("nope").exists());
}

#[test]
fn an_index_of_another_version_is_told_with_the_way_back() {
    let (place, mut bytes) = small();
    bytes[8..12].copy_from_slice(&99u32.to_le_bytes());
    fs::write(place.index(), &bytes).unwrap();
    let told = Searcher::open(&place.index(), CacheLimits::default()).map(drop).unwrap_err();
    assert!(matches!(told, IndexError::Version { version: 99, .. }), "{told}");
    assert!(told.to_string().contains("--rebuild"), "{told}");
    let settings = IndexSettings { rebuild: true, ..IndexSettings::default() };
    let indexer = Indexer::open(&place.index(), settings).unwrap();
    assert_eq!(add(indexer, &[place.sounds()], None).unwrap().items, 8);
}

#[test]
fn an_index_of_nothing_is_searched_and_grows() {
    let place = Place::new();
    fs::create_dir(place.sounds()).unwrap();
    assert_eq!(place.add().items, 0);
    let mut searcher = Searcher::open(&place.index(), CacheLimits::default()).unwrap();
    for text in ["", "pad"] {
        assert_eq!(searcher.search(&Query::of(text), Some(&mut Hashing::new())).unwrap(), []);
    }
    place.song("pad.mid", 100);
    assert_eq!(place.add().items, 1);
    assert_eq!(searcher.search(&Query::of("pad"), Some(&mut Hashing::new())).unwrap().len(), 1);
}

#[test]
fn a_folder_that_is_missing_is_refused_and_one_whose_disk_goes_keeps_its_items() {
    let place = Place::new();
    place.song("a.mid", 100);
    let missing = add(place.indexer(), &[place.path("never")], None);
    assert!(matches!(missing, Err(IndexJobError::NoSuch { .. })), "{missing:?}");
    assert_eq!(place.add().items, 1);
    for is_mounted_on in [false, true] {
        fs::remove_dir_all(place.sounds()).unwrap();
        if is_mounted_on {
            fs::create_dir(place.sounds()).unwrap();
        }
        let report = add(place.indexer(), &[], None).unwrap();
        assert_eq!((report.items, report.closed.len()), (1, 1), "{report:?}");
        assert!(report.closed[0].reason.contains("kmidi index remove"), "{report:?}");
        place.song("a.mid", 100);
        let report = add(place.indexer(), &[], None).unwrap();
        assert_eq!((report.items, report.closed.len()), (1, 0), "{report:?}");
    }
    fs::remove_dir_all(place.sounds()).unwrap();
    assert_eq!(remove(place.indexer(), &[place.sounds()]).unwrap().items, 0);
    let report = add(place.indexer(), &[], None).unwrap();
    assert_eq!((report.items, report.closed.len()), (0, 0), "{report:?}");
}

#[test]
fn a_file_of_a_kind_that_is_not_indexed_is_refused_by_name() {
    let place = Place::new();
    let notes = place.sounds().join("notes.txt");
    write(&notes, b"");
    place.song("a.mid", 100);
    let refused = add(place.indexer(), &[notes], None);
    assert!(matches!(refused, Err(IndexJobError::NoSuch { .. })), "{refused:?}");
    assert_eq!(add(place.indexer(), &[place.sounds().join("a.mid")], None).unwrap().items, 1);
}

/// A track's name of 10 kB, and folders as deep as the system lets a path be.
#[test]
fn names_of_ten_thousand_bytes_and_paths_of_four_thousand_are_found() {
    let place = Place::new();
    let long = "warm ".repeat(2000);
    let mut track = vec![0, 0xff, 0x03, 0x80 | (long.len() >> 7) as u8, long.len() as u8 & 0x7f];
    track.extend(long.as_bytes());
    track.extend([0, 0xff, 0x2f, 0]);
    let mut bytes = b"MThd\0\0\0\x06\0\0\0\x01\0\x60MTrk".to_vec();
    bytes.extend((track.len() as u32).to_be_bytes());
    bytes.extend(track);
    write(&place.sounds().join("plain.mid"), &bytes);
    let deep = place.sounds().join([&"d".repeat(250); 14].map(String::as_str).join("/"));
    write(&deep.join(format!("{} pad.mid", "x".repeat(200))), &song("", 100, 60));
    assert_eq!(place.add().items, 2);
    let mut searcher = Searcher::open(&place.index(), CacheLimits::default()).unwrap();
    for text in ["warm", "pad"] {
        let hits = searcher.search(&Query::of(text), None).unwrap().to_vec();
        assert_eq!(hits.len(), 1, "{text}");
        assert!(searcher.found(hits[0].item).unwrap().path.is_file());
    }
}

#[test]
fn a_file_of_another_kind_is_never_replaced() {
    let place = Place::new();
    for bytes in [&b"my diary"[..], &[7; 4000]] {
        fs::write(place.index(), bytes).unwrap();
        for rebuild in [false, true] {
            let settings = IndexSettings { rebuild, ..IndexSettings::default() };
            let opened = Indexer::open(&place.index(), settings).map(drop);
            assert!(matches!(opened, Err(IndexError::NotAnIndex(_))), "{opened:?}");
        }
        assert_eq!(fs::read(place.index()).unwrap(), bytes);
    }
}

#[test]
fn an_index_that_cannot_be_written_leaves_the_old_one() {
    let (place, bytes) = small();
    place.song("new.mid", 100);
    let indexer = place.indexer();
    // The name is taken by what no file can replace.
    fs::rename(place.index(), place.path("kept")).unwrap();
    fs::create_dir_all(place.index().join("in the way")).unwrap();
    assert!(add(indexer, &[place.sounds()], None).is_err());
    fs::remove_dir_all(place.index()).unwrap();
    assert_eq!(fs::read(place.path("kept")).unwrap(), bytes);
    let left = fs::read_dir(place.folder.path()).unwrap().count();
    assert_eq!(left, 3, "sounds, the index, its lock: no half of an index");
}

#[test]
fn names_that_are_no_text_are_found_and_kept_as_they_are() {
    let place = Place::new();
    let names: [&[u8]; 4] =
        [b"pad \xff\xfe.mid", b"new\nline pad.mid", "päd ✈ pad.mid".as_bytes(), &[b'x'; 200]];
    for name in names {
        let path = place.sounds().join(OsStr::from_bytes(&[name, b".mid"].concat()));
        write(&path, &song("pad", 100, 60));
    }
    assert_eq!(place.add().items, 4);
    let mut searcher = Searcher::open(&place.index(), CacheLimits::default()).unwrap();
    let hits = searcher.search(&Query::of("pad"), Some(&mut Hashing::new())).unwrap().to_vec();
    assert_eq!(hits.len(), 4);
    for hit in hits {
        assert!(searcher.found(hit.item).unwrap().path.is_file());
    }
    for text in ["\u{0}", "\u{fffd}", &"pad ".repeat(5000), "'\"\\%*?[", "ﬀ Ǆ İ"] {
        searcher.search(&Query::of(text), Some(&mut Hashing::new())).unwrap();
    }
}

proptest! {
    #![proptest_config(Config { cases: 64, failure_persistence: None, ..Config::default() })]
    #[test]
    fn any_bytes_are_refused_or_searched(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        library::check(&bytes);
    }
}

#[test]
fn control_a_sealed_change_comes_through_the_checksums() {
    let change = [40, 0, 0, 1, 0x55];
    assert!(library::opens(&change) && !library::opens_unsealed(&change));
}
