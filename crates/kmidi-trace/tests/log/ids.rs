//! An id is found by the index, and rightly also where there is none or it is damaged.

use std::fs;

use kmidi_trace::{IndexUse, Record, Uuid};

use super::support::{Place, record};

fn filled(count: u64) -> (Place, Vec<Record>) {
    let place = Place::new();
    let records: Vec<_> = (0..count).map(record).collect();
    for part in records.chunks(1000) {
        place.log.append(part).expect("appended");
    }
    (place, records)
}

fn find(place: &Place, id: Uuid) -> (Option<Record>, IndexUse) {
    let found = place.log.by_id(id).expect("readable");
    (found.record, found.index)
}

#[test]
fn every_id_is_found_and_the_index_grows_with_the_log() {
    let (place, mut records) = filled(5000);
    assert_eq!(find(&place, records[7].id), (Some(records[7].clone()), IndexUse::Rebuilt));
    for record in &records {
        assert_eq!(find(&place, record.id), (Some(record.clone()), IndexUse::Used));
    }
    assert_eq!(find(&place, Uuid::new_v4()), (None, IndexUse::Used));
    // Only what is new is read, until the table is too small.
    let mut rebuilt = 0;
    for number in 5000..5200 {
        let before = place.bytes().len() as u64;
        records.push(record(number));
        place.log.append(&records[number as usize..]).expect("appended");
        let (found, index) = find(&place, records[number as usize].id);
        assert_eq!(found.as_ref(), records.last());
        let added = place.bytes().len() as u64 - before;
        assert!(index == IndexUse::Extended(added) || index == IndexUse::Rebuilt, "{index:?}");
        rebuilt += u32::from(index == IndexUse::Rebuilt);
    }
    assert!(rebuilt <= 1, "{rebuilt}");
}

#[test]
fn a_table_that_runs_over_is_made_larger() {
    let (place, mut records) = filled(1);
    find(&place, records[0].id);
    for part in 0..6u64 {
        let more: Vec<_> = (part * 1000 + 1..=part * 1000 + 1000).map(record).collect();
        place.log.append(&more).expect("appended");
        records.extend(more);
        for record in records.iter().step_by(97) {
            assert_eq!(find(&place, record.id).0.as_ref(), Some(record));
        }
    }
}

#[test]
fn ids_that_follow_each_other_and_ids_that_are_there_twice_are_found() {
    let place = Place::new();
    let mut records: Vec<_> = (0..3000).map(record).collect();
    for (number, record) in (0u128..).zip(&mut records) {
        record.id = Uuid::from_u128(number / 2);
    }
    place.log.append(&records).expect("appended");
    for pair in records.chunks(2) {
        assert_eq!(find(&place, pair[0].id).0.as_ref(), Some(&pair[0]), "the first of both");
    }
}

#[test]
fn an_id_that_is_there_is_known_with_an_index_and_without() {
    fn check(place: &Place, records: &[Record]) {
        let new: Vec<_> = (0..3).map(|_| Uuid::new_v4()).collect();
        assert_eq!(place.log.first_known(&new).expect("readable"), None);
        let mixed = [&new[..], &[records[7].id]].concat();
        assert_eq!(place.log.first_known(&mixed).expect("readable"), Some(records[7].id));
        assert_eq!(place.log.first_known(&[]).expect("readable"), None);
    }
    let (place, records) = filled(300);
    check(&place, &records);
    fs::remove_file(place.log.index_path()).expect("an index");
    fs::create_dir(place.log.index_path()).expect("a folder in its place");
    check(&place, &records);
}

#[test]
fn a_damaged_index_is_made_anew_wherever_the_damage_is() {
    let (place, records) = filled(300);
    find(&place, records[0].id);
    let whole = fs::read(place.log.index_path()).expect("an index");
    let mut random = fastrand::Rng::with_seed(3);
    let mut rebuilt = 0;
    for round in 0..400 {
        let mut damaged = whole.clone();
        match round % 4 {
            // Not in its name, by which it is known.
            0 => damaged[random.usize(8..4096)] ^= 1 << random.u32(0..8),
            1 => damaged[random.usize(4096..whole.len())] ^= 1 << random.u32(0..8),
            2 => damaged.truncate(random.usize(8..whole.len())),
            _ => {
                let page = random.usize(1..whole.len() / 4096) * 4096;
                damaged[page..page + 4096].fill(0);
            }
        }
        fs::write(place.log.index_path(), damaged).expect("written");
        let record = &records[random.usize(0..records.len())];
        let (found, index) = find(&place, record.id);
        assert_eq!(found.as_ref(), Some(record), "round {round}");
        assert!(matches!(index, IndexUse::Rebuilt | IndexUse::Used), "{index:?}");
        rebuilt += u32::from(index == IndexUse::Rebuilt);
    }
    assert!(rebuilt > 100, "control: damage is seen: {rebuilt}");
}

#[test]
fn a_log_that_is_another_one_or_shorter_makes_the_index_anew() {
    let (place, records) = filled(50);
    find(&place, records[0].id);
    let all = place.bytes();
    let half = all.len() / 2 - all[..all.len() / 2].iter().rev().position(|it| *it == b'\n').expect("a line");
    fs::write(place.log.path(), &all[..half]).expect("written");
    assert_eq!(find(&place, records[49].id), (None, IndexUse::Rebuilt));
    assert_eq!(find(&place, records[0].id).0.as_ref(), Some(&records[0]));
    fs::remove_file(place.log.path()).expect("removed");
    assert_eq!(find(&place, records[0].id).0, None);
    place.log.append(&records[20..]).expect("appended");
    assert_eq!(find(&place, records[0].id), (None, IndexUse::Rebuilt));
    assert_eq!(find(&place, records[49].id).0.as_ref(), Some(&records[49]));
}

#[test]
fn without_an_index_all_is_looked_through_and_a_file_of_the_user_stays_as_it_is() {
    let (place, records) = filled(20);
    fs::write(place.log.index_path(), "my own list of ids").expect("written");
    let (found, index) = find(&place, records[19].id);
    assert_eq!(found.as_ref(), Some(&records[19]));
    assert!(matches!(&index, IndexUse::Unusable(why) if why.contains("delete it")), "{index:?}");
    assert_eq!(fs::read_to_string(place.log.index_path()).expect("readable"), "my own list of ids");
    fs::remove_file(place.log.index_path()).expect("removed");
    fs::create_dir(place.log.index_path()).expect("made");
    assert!(matches!(find(&place, records[3].id), (Some(_), IndexUse::Unusable(_))));
}

#[test]
fn a_line_with_an_id_that_is_no_record_is_none() {
    let (place, records) = filled(3);
    let id = Uuid::new_v4();
    let mut bytes = place.bytes();
    bytes.extend(format!("{{\"id\":\"{id}\"}}\n").bytes());
    fs::write(place.log.path(), bytes).expect("written");
    assert_eq!(find(&place, id).0, None);
    let mut late = record(3);
    late.id = id;
    place.log.append(std::slice::from_ref(&late)).expect("appended");
    assert_eq!(find(&place, id).0, Some(late));
    assert_eq!(find(&place, records[2].id).0.as_ref(), Some(&records[2]));
}
