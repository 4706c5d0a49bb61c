//! A query gives exactly what its filter admits, whatever is in the log.

use std::fs;

use kmidi_trace::{Filter, Kind, Timestamp};
use proptest::prelude::*;
use proptest::sample::select;

use super::support::{Place, all, found, record};

fn filters() -> impl Strategy<Value = Filter> {
    let numbers = 0u64..40;
    let kind = prop::option::of(select(&Kind::ALL[..]));
    let provider = prop::option::of(select(&["", "kmidi::", "kmidi::render", "other", "x"][..]));
    let source_id = prop::option::of((0u64..6).prop_map(|number| format!("song {number}")));
    let score = || prop::option::of((0u64..=40).prop_map(|part| part as f64 / 100.0));
    let features = prop::collection::vec(numbers.clone().prop_map(|number| format!("number:{number}")), 0..2);
    let time = || prop::option::of((0u64..40).prop_map(|number| record(number).timestamp));
    let limit = prop::option::of(0u64..20);
    (kind, provider, source_id, (score(), score()), features, (time(), time()), limit).prop_map(
        |(kind, provider, source_id, (min_score, max_score), features, (since, until), limit)| Filter {
            kind,
            provider: provider.map(str::to_owned),
            source_id,
            min_score,
            max_score,
            features,
            since,
            until,
            limit,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_query_is_its_filter_over_all(numbers in prop::collection::vec(0u64..40, 0..60), filters in prop::collection::vec(filters(), 8)) {
        let place = Place::new();
        let records: Vec<_> = numbers.into_iter().map(record).collect();
        place.log.append(&records).expect("appended");
        for filter in filters {
            let limit = filter.limit.unwrap_or(u64::MAX) as usize;
            let expected: Vec<_> = records.iter().filter(|it| filter.admits(it)).take(limit).cloned().collect();
            prop_assert_eq!(found(&place.log, filter), expected);
        }
    }
}

/// The numbers of the records that a filter lets through, of a hundred.
fn numbers(filter: Filter) -> Vec<u64> {
    let place = Place::new();
    place.log.append(&(0..100).map(record).collect::<Vec<_>>()).expect("appended");
    let found = found(&place.log, filter);
    found.iter().map(|it| it.seed_params["number"].as_u64().expect("a number")).collect()
}

#[test]
fn each_filter_does_what_its_name_says() {
    let at = |number| Some(record(number).timestamp);
    let of = |filter| numbers(filter);
    let (kind, provider) = (Some(Kind::Plan), Some("kmidi::".to_owned()));
    assert_eq!(of(Filter { kind, limit: Some(3), ..Filter::default() }), [0, 3, 6]);
    assert_eq!(of(Filter { provider, limit: Some(4), ..Filter::default() }), [0, 1, 3, 4]);
    let source_id = Some("song 2".to_owned());
    assert_eq!(of(Filter { source_id, limit: Some(2), ..Filter::default() }), [2, 7]);
    // Of 0.97 to 0.99, 98 has no score.
    assert_eq!(of(Filter { min_score: Some(0.97), ..Filter::default() }), [97, 99]);
    assert_eq!(of(Filter { max_score: Some(0.02), ..Filter::default() }), [1, 2]);
    assert_eq!(of(Filter { since: at(97), ..Filter::default() }), [97, 98, 99]);
    assert_eq!(of(Filter { until: at(1), ..Filter::default() }), [0, 1]);
    assert_eq!(of(Filter { features: vec!["number:5".into()], ..Filter::default() }), [5]);
    let features = vec!["number:5".into(), "number:6".into()];
    assert_eq!(of(Filter { features, ..Filter::default() }), [0; 0], "all of them are needed");
    assert_eq!(of(Filter { limit: Some(0), ..Filter::default() }), [0; 0]);
    assert_eq!(of(Filter::default()).len(), 100);
}

#[test]
fn the_latest_are_the_end_of_all_also_among_lines_that_are_none() {
    let place = Place::new();
    let records: Vec<_> = (0..12).map(record).collect();
    for (number, record) in records.iter().enumerate() {
        place.log.append(std::slice::from_ref(record)).expect("appended");
        if number % 4 == 1 {
            let mut bytes = place.bytes();
            bytes.extend(format!("oops\n\n{}\n", "x".repeat(number * 300_000)).bytes());
            fs::write(place.log.path(), bytes).expect("written");
        }
    }
    for count in 0..15 {
        let latest = place.log.latest(count).expect("readable");
        let latest: Vec<_> = latest.map(|found| found.expect("readable").record).collect();
        assert_eq!(latest, records[12usize.saturating_sub(count as usize)..], "the last {count}");
    }
    assert_eq!(Place::new().log.latest(3).expect("readable").count(), 0);
}

#[test]
fn statistics_count_what_there_is() {
    let place = Place::new();
    let records: Vec<_> = (0..100).map(record).collect();
    place.log.append(&records).expect("appended");
    let stats = place.log.stats(|_| {}).expect("readable");
    assert_eq!((stats.records, stats.bad_lines, stats.bytes), (100, 0, place.bytes().len() as u64));
    assert_eq!((stats.first, stats.last), (Some(records[0].timestamp), Some(records[99].timestamp)));
    assert_eq!(stats.kinds, [("plan", 34), ("job", 33), ("session", 33)].into());
    assert_eq!(stats.providers["other::render"].records, 33);
    let scores: Vec<f64> = records.iter().filter_map(|it| it.score).collect();
    let mean = scores.iter().sum::<f64>() / scores.len() as f64;
    assert_eq!((stats.scores.count, stats.scores.min, stats.scores.max), (85, Some(0.01), Some(0.99)));
    assert!((stats.scores.mean.expect("a mean") - mean).abs() < 1e-12);
    let empty = Place::new().log.stats(|_| {}).expect("readable");
    assert_eq!((empty.records, empty.first, empty.scores.mean), (0, None, None));
}

#[test]
fn what_is_appended_later_is_not_in_a_query_that_runs() {
    let place = Place::new();
    place.log.append(&[record(0), record(1)]).expect("appended");
    let query = place.log.query(Filter::default()).expect("readable");
    place.log.append(&[record(2)]).expect("appended");
    assert_eq!(query.count(), 2);
    assert_eq!(all(&place.log).len(), 3);
    assert!(all(&place.log).is_sorted_by_key(|it| it.timestamp), "{:?}", Timestamp::now());
}
