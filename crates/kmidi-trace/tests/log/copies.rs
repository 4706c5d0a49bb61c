//! Copies, and what is added while somebody looks.

use std::fs;

use kmidi_trace::{Follow, TraceError};

use super::support::{Place, all, record};

#[test]
fn a_copy_has_all_whole_lines_and_replaces_nothing() {
    let place = Place::new();
    let copy = place.path("copy.jsonl");
    assert!(matches!(place.log.back_up(&copy), Err(TraceError::Read { .. })), "there is nothing to copy");
    assert!(!copy.exists());
    place.log.append(&[record(0), record(1)]).expect("appended");
    let whole = place.bytes();
    fs::write(place.log.path(), [&whole[..], b"{\"id\":\"torn"].concat()).expect("written");
    assert_eq!(place.log.back_up(&copy).expect("copied"), whole.len() as u64);
    assert_eq!(fs::read(&copy).expect("readable"), whole);
    place.log.append(&[record(2)]).expect("appended");
    assert!(matches!(place.log.back_up(&copy), Err(TraceError::Exists { .. })));
    assert_eq!(fs::read(&copy).expect("readable"), whole);
    let link = place.path("link.jsonl");
    std::os::unix::fs::symlink("/nonexistent", &link).expect("made");
    assert!(matches!(place.log.back_up(&link), Err(TraceError::Exists { .. })));
}

fn news(follow: &mut Follow) -> Vec<u64> {
    let news = follow.news().expect("readable").map(|found| found.expect("readable").record);
    news.map(|record| record.seed_params["number"].as_u64().expect("a number")).collect()
}

#[test]
fn who_follows_sees_each_record_once_also_in_a_file_that_is_new() {
    let place = Place::new();
    let mut early = place.log.latest(0).expect("readable").follow();
    assert_eq!(news(&mut early), [0; 0]);
    place.log.append(&[record(0)]).expect("appended");
    let mut late = place.log.latest(0).expect("readable").follow();
    place.log.append(&[record(1), record(2)]).expect("appended");
    assert_eq!((news(&mut early), news(&mut late)), (vec![0, 1, 2], vec![1, 2]));
    let whole = place.bytes();
    fs::write(place.log.path(), [&whole[..], b"{\"id\":\"torn"].concat()).expect("written");
    assert_eq!(news(&mut late), [0; 0], "half a line is no news");
    place.log.append(&[record(3)]).expect("appended");
    assert_eq!(news(&mut late), [3]);
    fs::rename(place.log.path(), place.path("old.jsonl")).expect("renamed");
    place.log.append(&[record(4)]).expect("appended");
    assert_eq!(news(&mut late), [4]);
    assert_eq!(all(&place.log).len(), 1);
}
