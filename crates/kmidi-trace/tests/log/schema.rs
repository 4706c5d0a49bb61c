//! What is no record is not added, and is passed over where it is there.

use std::fs;

use kmidi_trace::{Draft, Kind, MAX_RECORD_BYTES, Record, TraceError};
use serde_json::{Value, json};

use super::support::{Place, all, found, large_record, record};

fn good() -> Value {
    serde_json::to_value(record(1)).expect("JSON")
}

/// Changes a good record, which is then bad for the reason.
fn check(change: impl Fn(&mut Value), reason: &str) {
    let mut value = good();
    change(&mut value);
    let error = serde_json::from_value::<Record>(value.clone()).expect_err("it is bad");
    assert!(error.to_string().contains(reason), "{value}: {error}");
}

#[test]
fn each_field_has_its_bounds() {
    serde_json::from_value::<Record>(good()).expect("control: it is good");
    for (field, bad, reason) in [
        ("id", json!("1"), "UUID"),
        ("id", json!(null), "`id` is missing"),
        ("timestamp", json!("soon"), "is no time"),
        ("timestamp", json!(null), "`timestamp` is missing"),
        ("kind", json!("dream"), "unknown variant"),
        ("provider", json!("kmidi"), "PROGRAM::PART"),
        ("provider", json!("kmidi::"), "PROGRAM::PART"),
        ("provider", json!("Kmidi::x y"), "PROGRAM::PART"),
        ("source_id", json!(""), "`source_id`"),
        ("source_id", json!("a\nb"), "`source_id`"),
        ("source_id", json!("x".repeat(1025)), "`source_id`"),
        ("seed_params", json!([]), "expected a map"),
        ("score", json!(1.5), "`score`"),
        ("score", json!(-0.001), "`score`"),
        ("score", json!("1"), "f64"),
        ("metrics", json!({"a": "1"}), "f64"),
        ("metrics", json!({"": 1}), "`metrics`"),
        ("features", json!([]), "`features`"),
        ("features", json!([""]), "`features`"),
        ("features", json!(vec!["x"; 65]), "`features`"),
        ("features", json!("x"), "expected a sequence"),
        ("metadata", json!({"confidence": 2}), "`metadata.confidence`"),
        ("metadata", json!({"confidence": "high"}), "`metadata.confidence`"),
        ("text", json!("x"), "unknown field"),
    ] {
        check(|value| value[field] = bad.clone(), reason);
    }
    for field in ["kind", "provider", "source_id", "features"] {
        check(|value| drop(value.as_object_mut().expect("an object").remove(field)), "missing field");
    }
}

#[test]
fn what_may_be_left_out_is_given() {
    let text = r#"{"kind": "job", "provider": "a::b", "source_id": "c", "features": ["d"]}"#;
    let draft = || serde_json::from_str::<Draft>(text).expect("a draft");
    let (one, other) = (draft().finish().expect("good"), draft().finish().expect("good"));
    assert_ne!(one.id, other.id);
    assert_eq!((one.kind, one.score, one.confidence()), (Kind::Job, None, None));
    let epoch = text.replacen('{', "{\"timestamp\": 1.5, ", 1);
    let draft = serde_json::from_str::<Draft>(&epoch).expect("a draft");
    assert_eq!(draft.finish().expect("good").timestamp.to_string(), "1970-01-01T00:00:01.5Z");
}

#[test]
fn one_bad_record_keeps_all_of_its_batch_out() {
    let place = Place::new();
    place.log.append(&[record(0)]).expect("appended");
    let before = place.bytes();
    let mut bad = record(2);
    bad.score = Some(f64::NAN);
    let refused = place.log.append(&[record(1), bad]);
    assert!(matches!(refused, Err(TraceError::Schema { number: 2, .. })), "{refused:?}");
    let refused = place.log.append(&[large_record(3, MAX_RECORD_BYTES)]);
    assert!(refused.expect_err("too long").to_string().contains("longer than 1048576 bytes"));
    let many: Vec<_> = (0..70).map(|number| large_record(number, MAX_RECORD_BYTES - 1000)).collect();
    assert!(matches!(place.log.append(&many), Err(TraceError::TooMuch { .. })));
    assert_eq!(place.bytes(), before);
    place.log.append(&[large_record(4, MAX_RECORD_BYTES - 1000)]).expect("it is just short enough");
    assert_eq!(all(&place.log).len(), 2);
}

#[test]
fn lines_of_any_kind_are_passed_over_and_told_by_number() {
    let place = Place::new();
    place.log.append(&[record(1)]).expect("appended");
    let deep = "[".repeat(100_000);
    let twice = "{\"id\":\"a\",\"id\":\"b\"}";
    let long = format!("{{\"id\":\"{}\"}}", "x".repeat(2 << 20));
    let mut bytes = place.bytes();
    for bad in ["oops", &deep, twice, "null", "\u{feff}{}", &long, "{}", "\0"] {
        bytes.extend(format!("{bad}\n").bytes());
    }
    bytes.extend(b"\xff\xfe\n\n");
    fs::write(place.log.path(), bytes).expect("written");
    place.log.append(&[record(2)]).expect("appended");
    assert_eq!(found(&place.log, Default::default()).len(), 2);
    let verdict = place.log.verify(|_| {}).expect("readable");
    assert_eq!((verdict.records, verdict.bad_lines, verdict.is_sound()), (2, 9, false));
    let lines: Vec<_> = verdict.first_bad_lines.iter().map(|bad| bad.line).collect();
    assert_eq!(lines, (2..=10).collect::<Vec<_>>());
}
