//! What the commands of the program are made of: from options to a file and a report.

use std::io::Cursor;

use kmidi_song::groove::{
    Algorithm, ApplyOptions, Channels, HumanizeChoice, apply_file, catalogue, drift, humanize_file, template,
};
use kmidi_song::{Song, SongIndex};

use super::songs::{notes_of, song_of, steady};

fn song() -> Song {
    let mut notes = steady(64, 120, 9, 42, 90);
    notes.extend(steady(64, 120, 0, 60, 90));
    song_of(480, &notes, 64 * 120)
}

fn humanized(choice: &HumanizeChoice) -> (Song, kmidi_song::groove::HumanizeReport) {
    let bytes = song().to_smf().unwrap();
    let index = SongIndex::scan(&bytes, &mut |_| {}).unwrap();
    let mut out = Cursor::new(vec![]);
    let report = humanize_file(&bytes, &index, choice, &mut out, &mut |_| {}).unwrap();
    let out = out.into_inner();
    let after = SongIndex::scan(&out, &mut |_| {}).unwrap();
    assert!(drift(&index, &after).is_none());
    (Song::from_smf(&out).unwrap().0, report)
}

#[test]
fn without_a_choice_the_drums_are_humanised_and_nothing_else() {
    let (after, report) = humanized(&HumanizeChoice::default());
    assert_eq!((report.algorithm, report.channels.as_slice()), (Algorithm::Drummer, &[10][..]));
    let melody =
        |song: &Song| notes_of(song).into_iter().filter(|note| note.channel == 0).collect::<Vec<_>>();
    assert_eq!(melody(&after), melody(&song()));
    assert!(report.changes.moved > 40);
    let json = serde_json::to_value(&report).unwrap();
    assert!(json["moved"].as_u64().unwrap() > 40 && json["algorithm"] == "drummer", "{json}");
}

#[test]
fn what_is_chosen_is_what_is_done() {
    let base = HumanizeChoice { preset: Some("lofi_depression".to_owned()), ..HumanizeChoice::default() };
    let settings = base.settings().unwrap();
    assert_eq!((settings.complexity, settings.vulnerability, settings.ghosts), (0.4, 0.8, 0.2));
    assert_eq!(settings.feel.swing, 0.35, "the feel of its style");
    let other = HumanizeChoice { style: Some("jazzy".into()), complexity: Some(0.1), ..base.clone() };
    let settings = other.settings().unwrap();
    assert_eq!((settings.complexity, settings.vulnerability, settings.feel.swing), (0.1, 0.8, 0.67));
    let silent = HumanizeChoice { ghost_notes: false, ..base.clone() };
    assert_eq!(silent.settings().unwrap().ghosts, 0.0);
    let first = HumanizeChoice { channel: Some(1), seed: 9, ..base.clone() };
    assert_eq!(humanized(&first).1.channels, [1]);
    let uniform = HumanizeChoice {
        algorithm: Some(Algorithm::Uniform),
        complexity: Some(0.0),
        vulnerability: Some(0.0),
        channel: Some(10),
        ..HumanizeChoice::default()
    };
    let (after, report) = humanized(&uniform);
    let drums: Vec<_> = notes_of(&after).into_iter().filter(|note| note.channel == 9).collect();
    assert!(
        drums.iter().enumerate().all(|(i, note)| note.start.0 == i as i64 * 120 + 2 && note.velocity == 99)
    );
    assert_eq!((report.mean_ticks, report.sd_ticks), (2.0, 0.0));
}

#[test]
fn bad_choices_are_refused_and_nothing_is_written() {
    let bytes = song().to_smf().unwrap();
    let empty = song_of(480, &[], 100).to_smf().unwrap();
    let refused = |bytes: &Vec<u8>, choice: HumanizeChoice| {
        let index = SongIndex::scan(bytes, &mut |_| {}).unwrap();
        let mut out = Cursor::new(vec![]);
        let error = humanize_file(bytes, &index, &choice, &mut out, &mut |_| {}).unwrap_err();
        assert!(out.into_inner().is_empty());
        error.to_string()
    };
    let default = HumanizeChoice::default;
    for (choice, word) in [
        (HumanizeChoice { preset: Some("none".into()), ..default() }, "lofi_depression"),
        (HumanizeChoice { style: Some("none".into()), ..default() }, "hip-hop"),
        (HumanizeChoice { complexity: Some(f64::NAN), ..default() }, "complexity"),
        (HumanizeChoice { vulnerability: Some(1.5), ..default() }, "vulnerability"),
        (HumanizeChoice { channel: Some(17), ..default() }, "channel"),
        (HumanizeChoice { channel: Some(5), ..default() }, "no notes"),
    ] {
        let text = refused(&bytes, choice);
        assert!(text.contains(word), "{text}");
    }
    assert_eq!(refused(&empty, default()), "there are no notes in the file");
}

#[test]
fn a_groove_is_applied_and_told() {
    let bytes = song().to_smf().unwrap();
    let index = SongIndex::scan(&bytes, &mut |_| {}).unwrap();
    let groove = template("hiphop").unwrap().groove();
    let mut out = Cursor::new(vec![]);
    let options = ApplyOptions { channels: Some(Channels::one(0)), ..ApplyOptions::default() };
    let report = apply_file(&bytes, &index, &groove, &options, &mut out, &mut |_| {}).unwrap();
    assert_eq!((report.groove.as_str(), report.channels.as_slice()), ("hiphop", &[1][..]));
    assert_eq!((report.changes.notes, report.changes.left, report.changes.dropped), (64, 64, 0));
    assert!(report.mean_velocity < report.mean_velocity_before);
    let after = SongIndex::scan(&out.into_inner(), &mut |_| {}).unwrap();
    assert!(drift(&index, &after).is_none());
}

#[test]
fn control_drift_is_seen() {
    let scan = |end| {
        let bytes = song_of(480, &steady(4, 120, 9, 42, 90), end).to_smf().unwrap();
        SongIndex::scan(&bytes, &mut |_| {}).unwrap()
    };
    let drifted = drift(&scan(480), &scan(500));
    assert!(!drifted.is_none());
    assert_eq!((drifted.end_ticks, drifted.most_track_end_ticks), (20, 20));
}

#[test]
fn everything_that_can_be_named_is_listed() {
    let json = serde_json::to_value(catalogue()).unwrap();
    let count = |list: &str| json[list].as_array().unwrap().len();
    assert_eq!(["genres", "presets", "styles", "pockets", "algorithms"].map(count), [9, 10, 11, 13, 2]);
}

#[test]
fn how_many_notes_are_left_out_and_added_is_chosen_and_told() {
    let choice = |dropout, ghosts| HumanizeChoice {
        complexity: Some(0.8),
        dropout,
        ghosts,
        channel: Some(10),
        algorithm: Some(Algorithm::Uniform),
        ..HumanizeChoice::default()
    };
    let (after, report) = humanized(&choice(Some(0.0), None));
    assert_eq!((report.changes.dropped, report.dropout, notes_of(&after).len()), (0, 0.0, 128));
    let (_, report) = humanized(&choice(Some(1.0), None));
    assert_eq!((report.changes.dropped, report.changes.notes), (64, 0));
    // Control: without a choice, a fifth of the complexity.
    let (_, report) = humanized(&choice(None, None));
    assert!((report.dropout - 0.16).abs() < 1e-9 && report.changes.dropped > 0, "{report:?}");
    let snare = |ghosts, ghost_notes| {
        let choice = HumanizeChoice { ghosts, ghost_notes, ..HumanizeChoice::default() };
        choice.settings().unwrap().ghosts
    };
    assert_eq!([snare(Some(0.7), true), snare(Some(0.7), false), snare(None, true)], [0.7, 0.0, 0.0]);
    for bad in [choice(Some(1.1), None), choice(None, Some(f64::NAN))] {
        assert!(bad.settings().unwrap_err().to_string().contains("probability"));
    }
}

/// At 96 ticks a quarter, what chance moves a note by is less than a tick before it is rounded.
#[test]
fn uniform_moves_notes_of_coarse_files_too() {
    let notes = steady(256, 24, 9, 42, 90);
    let bytes = song_of(96, &notes, 256 * 24).to_smf().unwrap();
    let index = SongIndex::scan(&bytes, &mut |_| {}).unwrap();
    let moved = |complexity| {
        let choice = HumanizeChoice {
            algorithm: Some(Algorithm::Uniform),
            complexity,
            dropout: Some(0.0),
            ..HumanizeChoice::default()
        };
        let mut out = Cursor::new(vec![]);
        humanize_file(&bytes, &index, &choice, &mut out, &mut |_| {}).unwrap().changes
    };
    let defaults = moved(None);
    assert!(defaults.moved > 50 && defaults.most_ticks == 1, "{defaults:?}");
    // Control: at no complexity a note is 0.4 of a tick late, which is none.
    assert_eq!(moved(Some(0.0)).moved, 0);
}

/// A file that says every status byte, which is never written so.
fn without_running_status() -> Vec<u8> {
    let mut track = vec![];
    for _ in 0..8 {
        track.extend([0, 0x99, 42, 90, 60, 0x99, 42, 0]);
    }
    track.extend([0, 0xff, 0x2f, 0]);
    let mut bytes = b"MThd\0\0\0\x06\0\0\0\x01\0\x78MTrk".to_vec();
    bytes.extend((track.len() as u32).to_be_bytes());
    bytes.extend(track);
    bytes
}

#[test]
fn no_intensity_leaves_every_byte() {
    let bytes = without_running_status();
    let index = SongIndex::scan(&bytes, &mut |_| {}).unwrap();
    let applied = |intensity| {
        let mut out = Cursor::new(vec![]);
        let groove = template("jazz").unwrap().groove();
        let options = ApplyOptions { intensity, ..ApplyOptions::default() };
        let report = apply_file(&bytes, &index, &groove, &options, &mut out, &mut |_| {}).unwrap();
        (out.into_inner(), report)
    };
    let (after, report) = applied(0.0);
    assert!(after == bytes && report.changes.left == 8 && report.changes.moved == 0, "{report:?}");
    // Control: any intensity writes the file anew.
    assert!(applied(0.5).0 != bytes);
}

#[test]
fn a_name_that_is_nearly_right_is_told() {
    let preset = HumanizeChoice { preset: Some("lofi_depresion".into()), ..HumanizeChoice::default() };
    let style = HumanizeChoice { style: Some("jazy".into()), ..HumanizeChoice::default() };
    for (error, meant) in [
        (preset.settings().unwrap_err(), "did you mean lofi_depression?"),
        (style.settings().unwrap_err(), "did you mean jazzy?"),
        (template("hip hopp").unwrap_err(), "did you mean hiphop?"),
    ] {
        assert!(error.to_string().contains(meant), "{error}");
    }
    // Control: what is far from all of them is not made one.
    let error = template("polka").unwrap_err().to_string();
    assert!(!error.contains("did you mean") && error.contains("funk"), "{error}");
    let places = ApplyOptions { slots_per_whole: Some(7), ..ApplyOptions::default() };
    let bytes = song().to_smf().unwrap();
    let index = SongIndex::scan(&bytes, &mut |_| {}).unwrap();
    let groove = template("funk").unwrap().groove();
    let error = apply_file(&bytes, &index, &groove, &places, Cursor::new(vec![]), &mut |_| {}).unwrap_err();
    assert_eq!(error.to_string(), "a groove has 4, 8, 12, 16, 24 or 32 places in a whole note, not 7");
}
