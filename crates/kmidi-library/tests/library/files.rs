//! What indexing does with files: as they come, change, move, go, and cannot be read.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use kmidi_library::{
    CacheLimits, IndexJobError, IndexReport, IndexSettings, Indexer, Plugins, Query, Searcher, status,
};
use kmidi_memory::{Budgets, Cancel, JobContext, JobError, Limits, MIB, Need};

use crate::support::{Hashing, Place, add, in_a_job, remove, song, write};

/// Names of what a search finds, best first.
fn found(place: &Place, text: &str) -> Vec<String> {
    let mut searcher = Searcher::open(&place.index(), CacheLimits::default()).unwrap();
    let hits = searcher.search(&Query::of(text), None).unwrap().to_vec();
    hits.iter().map(|hit| searcher.found(hit.item).unwrap().name).collect()
}

/// Long enough ago that time says whether a file has changed.
fn age(path: &std::path::Path) {
    let then = SystemTime::now() - Duration::from_secs(60);
    fs::File::options().write(true).open(path).unwrap().set_modified(then).unwrap();
}

/// New, changed, moved, unchanged, removed.
fn counts(report: &IndexReport) -> [u64; 5] {
    [report.added, report.changed, report.moved, report.unchanged, report.removed]
}

#[test]
fn what_has_not_changed_is_not_read_again_and_what_has_is() {
    let place = Place::new();
    for (name, bpm) in [("a.mid", 90), ("b.mid", 120), ("c.mid", 150)] {
        place.song(name, bpm);
        age(&place.sounds().join(name));
    }
    assert_eq!(counts(&place.add()), [3, 0, 0, 0, 0]);
    let before = status(&place.index()).unwrap().generation;
    assert_eq!(counts(&place.add()), [0, 0, 0, 3, 0]);
    assert_eq!(status(&place.index()).unwrap().generation, before, "nothing was written");
    fs::rename(place.sounds().join("a.mid"), place.sounds().join("renamed.mid")).unwrap();
    fs::remove_file(place.sounds().join("b.mid")).unwrap();
    place.song("c.mid", 80);
    let report = place.add();
    assert_eq!(counts(&report), [0, 1, 1, 0, 2], "one changed, one moved, two names gone");
    assert_eq!((found(&place, "renamed"), found(&place, "b").len()), (vec!["renamed".to_owned()], 0));
    // What was deleted and comes back is known; also under the same time and another name.
    place.song("back.mid", 120);
    assert_eq!(counts(&place.add())[2], 1);
}

#[test]
fn a_change_within_one_tick_of_the_clock_is_seen() {
    let place = Place::new();
    place.song("a.mid", 100);
    place.add();
    let path = place.sounds().join("a.mid");
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    write(&path, &song("", 101, 60));
    fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    assert_eq!(counts(&place.add()), [0, 1, 0, 0, 0]);
}

#[test]
fn damaged_files_are_told_and_all_others_are_found() {
    let place = Place::new();
    place.song("good.mid", 100);
    for (name, bytes) in [
        ("empty.mid", &b""[..]),
        ("noise.mid", b"this is no song"),
        ("cut.wav", b"RIFF\x24\0\0\0WAVEfmt "),
        ("empty.wav", b""),
        ("text.sf2", b"RIFF\x04\0\0\0sfbk"),
        ("liar.flac", b"fLaC\xff\xff\xff\xff"),
    ] {
        write(&place.sounds().join(name), bytes);
    }
    write(&place.sounds().join("notes.txt"), b"not looked at");
    let report = place.add();
    assert_eq!((report.items, report.damaged_files, report.damaged.len()), (1, 6, 6));
    assert!(report.damaged.iter().all(|it| !it.reason.is_empty()));
    assert_eq!(place.add().damaged_files, 6, "told again");
    assert_eq!(status(&place.index()).unwrap().damaged.len(), 6);
}

#[test]
fn what_is_taken_out_of_a_folder_stays_out_until_it_is_added_again() {
    let place = Place::new();
    place.song("keep/a.mid", 100);
    place.song("old/b.mid", 110);
    place.add();
    let old = place.sounds().join("old");
    assert_eq!(remove(place.indexer(), std::slice::from_ref(&old)).unwrap().removed, 1);
    assert_eq!((place.add().items, found(&place, "b").len()), (1, 0));
    assert!(matches!(remove(place.indexer(), &[place.path("never")]), Err(IndexJobError::NoSuch { .. })));
    add(place.indexer(), &[old], None).unwrap();
    assert_eq!(found(&place, "b"), ["b"]);
    assert_eq!(remove(place.indexer(), &[place.sounds()]).unwrap().items, 0);
    assert!(status(&place.index()).unwrap().roots.is_empty());
}

#[test]
fn a_folder_that_cannot_be_read_keeps_what_is_known_of_it() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    place.song("closed/a.mid", 100);
    place.song("open/b.mid", 110);
    place.add();
    let closed = place.sounds().join("closed");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o0)).unwrap();
    // Nothing is closed to the administrator.
    if fs::read_dir(&closed).is_err() {
        let report = place.add();
        assert_eq!((report.items, report.closed.len()), (2, 1));
    }
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
    fs::remove_dir_all(&closed).unwrap();
    assert_eq!(place.add().items, 1);
}

#[test]
fn what_was_done_before_a_cancel_stays_and_the_next_run_goes_on_there() {
    let place = Place::new();
    for number in 0..20 {
        place.song(&format!("{number:02}.mid"), 60 + number);
    }
    let (budgets, cancel) = (Budgets::new(Limits::default()), Cancel::default());
    let sounds = [place.sounds()];
    let ended = JobContext::run(&budgets, Need::working(MIB, "test"), &cancel, |job| {
        let stop = cancel.clone();
        place.indexer().add(&sounds, Plugins::default(), Some(&mut Hashing::new()), &job, &mut |progress| {
            if progress.done == 8 {
                stop.cancel();
            }
        })
    })
    .unwrap();
    assert!(matches!(ended, Err(IndexJobError::Job(JobError::Cancelled))));
    let done = status(&place.index()).unwrap().files;
    assert!((7..20).contains(&done), "{done}");
    let mut model = Hashing::new();
    let report = add(place.indexer(), &sounds, Some(&mut model)).unwrap();
    assert_eq!((report.items, report.added), (20, 20 - done));
    assert_eq!((model.calls, report.without_vector), (20 - done, 0));
}

#[test]
fn commits_on_the_way_are_indexes_that_can_be_searched() {
    let place = Place::new();
    for number in 0..6 {
        place.song(&format!("song {number}.mid"), 60 + number);
    }
    let settings = IndexSettings { commit_every: Duration::ZERO, ..IndexSettings::default() };
    let indexer = Indexer::open(&place.index(), settings).unwrap();
    let mut seen = vec![];
    in_a_job(|job| {
        indexer.add(&[place.sounds()], Plugins::default(), None, job, &mut |progress| {
            if progress.done > 0 {
                seen.push(found(&place, "song").len());
            }
        })
    })
    .unwrap();
    assert_eq!(seen, [1, 2, 3, 4, 5]);
}

#[test]
fn a_model_that_comes_later_is_used_for_all_and_another_one_makes_all_anew() {
    let place = Place::new();
    place.song("a.mid", 100);
    place.song("b.mid", 110);
    assert_eq!(add(place.indexer(), &[place.sounds()], None).unwrap().without_vector, 2);
    assert_eq!(status(&place.index()).unwrap().model, None);
    let mut model = Hashing::new();
    let report = add(place.indexer(), &[], Some(&mut model)).unwrap();
    assert_eq!((model.calls, report.embedded, report.without_vector), (2, 2, 0));
    // Without a model, what there is of vectors stays.
    place.song("c.mid", 120);
    assert_eq!(add(place.indexer(), &[], None).unwrap().without_vector, 1);
    let mut other = Hashing { id: "hashing 2", ..Hashing::new() };
    assert_eq!(add(place.indexer(), &[], Some(&mut other)).unwrap().embedded, 3);
    assert_eq!(status(&place.index()).unwrap().model.as_deref(), Some("hashing 2"));
}

#[test]
fn two_do_not_index_at_once() {
    let place = Place::new();
    let first = place.indexer();
    let second = Indexer::open(&place.index(), IndexSettings::default());
    assert!(second.is_err_and(|error| error.to_string().contains("another kmidi")));
    drop(first);
    place.indexer();
}

/// A SoundFont inside a program is added by its name, is found, stays when all is brought up to date, and leaves by its name.
#[test]
fn a_soundfont_that_is_no_file_is_found_by_its_name() {
    let place = Place::new();
    place.song("a.mid", 100);
    static FONT: &[u8] = include_bytes!("../../../../assets/soundfonts/kmidi-gm.sf3");
    let plugins = Plugins { sound_font: Some(("built-in", FONT)), ..Plugins::default() };
    let bring = |folders: &[PathBuf]| {
        in_a_job(|job| place.indexer().add(folders, plugins, None, job, &mut |_| {})).unwrap()
    };
    assert_eq!(bring(&[place.sounds()]).items, 1, "the control: nobody has named it");
    let added = bring(&["built-in".into()]);
    assert!(added.items > 100 && added.added == 1, "{added:?}");
    let again = bring(&[]);
    assert_eq!((again.items, again.unchanged), (added.items, 2), "{again:?}");
    // Also where nobody brings it along.
    assert_eq!(add(place.indexer(), &[], None).unwrap().items, added.items);
    let mut searcher = Searcher::open(&place.index(), CacheLimits::default()).unwrap();
    let hits = searcher.search(&Query::of("church organ"), None).unwrap().to_vec();
    let found = searcher.found(hits[0].item).unwrap();
    assert_eq!((found.path.as_path(), found.part.as_str()), (Path::new("built-in"), "0:19"));
    let removed = in_a_job(|job| place.indexer().remove(&["built-in".into()], job)).unwrap();
    assert_eq!(removed.items, 1);
}
