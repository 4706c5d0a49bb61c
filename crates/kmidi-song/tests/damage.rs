//! Each kind of damage: what can be read plays at its time, and the warning says what and where.
#![forbid(unsafe_code)]

mod common;

use common::{END, chunk, file, header, index, keys, notes, single, warnings};
use kmidi_core::{Division, SmpteRate, Ticks};
use kmidi_song::WarningKind as W;
use kmidi_song::{Format, Song, SongError, SongIndex};

/// Ticks and keys of `count` notes of [`notes`].
fn scale(count: u8) -> Vec<(i64, u8)> {
    (0..count).map(|i| (96 * i64::from(i), 60 + i)).collect()
}

/// All of these notes play, and these are the warnings.
fn check(bytes: &[u8], expected_keys: &[(i64, u8)], expected: &[(Option<u32>, u64, W)]) {
    assert_eq!(warnings(bytes), expected);
    assert_eq!(keys(bytes), expected_keys);
    // The song in memory is the same song.
    let (song, told) = Song::from_smf(bytes).expect("a song");
    let played = song.tracks.iter().flat_map(|track| &track.events);
    let note_ons =
        played.filter(|(_, event)| matches!(event.event(), Some(kmidi_core::Event::NoteOn { .. })));
    assert_eq!(note_ons.count(), expected_keys.len());
    let structural: Vec<_> = expected
        .iter()
        .filter(|w| !matches!(w.2, W::UnterminatedSysEx { .. } | W::UnusableMeta { .. }))
        .collect();
    assert_eq!(told.total(), structural.len() as u64);
}

/// A single-track file of the pieces, each piece's offset in the file given to `expected`.
fn check_pieces(
    pieces: &[&[u8]],
    expected_keys: &[(i64, u8)],
    expected: impl Fn(&[u64]) -> Vec<(Option<u32>, u64, W)>,
) {
    let mut offsets = vec![];
    let mut at = 22;
    for piece in pieces {
        offsets.push(at);
        at += piece.len() as u64;
    }
    check(&single(&pieces.concat()), expected_keys, &expected(&offsets));
}

const C_MAJOR: [u8; 8] = [60, 62, 64, 65, 67, 69, 71, 72];

fn c_major() -> Vec<(i64, u8)> {
    C_MAJOR.iter().enumerate().map(|(i, &key)| (96 * i as i64, key)).collect()
}

#[test]
fn no_damage_no_warning() {
    check(&single(&[notes(8), END.to_vec()].concat()), &scale(8), &[]);
    for name in
        ["test-vlq-2-byte.mid", "test-vlq-3-byte.mid", "test-vlq-4-byte.mid", "test-c-major-scale.mid"]
    {
        check(&file(name), &c_major(), &[]);
    }
}

#[test]
fn music_goes_on_after_every_illegal_status() {
    for (name, status, offset, skipped) in [
        ("f1-xx", 0xf1, 215, 3),
        ("f2-xx-xx", 0xf2, 220, 4),
        ("f3-xx", 0xf3, 212, 3),
        ("f4", 0xf4, 204, 2),
        ("f5", 0xf5, 204, 2),
        ("f6", 0xf6, 207, 2),
        ("f8", 0xf8, 207, 2),
        ("f9", 0xf9, 204, 2),
        ("fa", 0xfa, 200, 2),
        ("fb", 0xfb, 203, 2),
        ("fc", 0xfc, 199, 2),
        ("fd", 0xfd, 204, 2),
        ("fe", 0xfe, 209, 2),
    ] {
        let bytes = file(&format!("test-illegal-message-{name}.mid"));
        check(&bytes, &c_major(), &[(Some(0), offset, W::IllegalStatus { status, skipped })]);
    }
}

#[test]
fn illegal_messages_in_a_row_take_no_time_and_no_notes() {
    let bytes = file("test-illegal-message-all.mid");
    let found = warnings(&bytes);
    assert_eq!(found.len(), 13);
    assert!(found.iter().all(|w| matches!(w.2, W::IllegalStatus { .. })), "{found:?}");
    assert_eq!(keys(&bytes), c_major());
    assert_eq!(index(&bytes).end, Ticks(8 * 96));
}

#[test]
fn time_that_passes_before_an_illegal_message_still_passes() {
    check_pieces(
        &[&notes(1), &[0x10, 0xf8], &[0x00, 0x90, 70, 100, 0x10, 0x80, 70, 0], &END],
        &[(0, 60), (96 + 16, 70)],
        |at| vec![(Some(0), at[1], W::IllegalStatus { status: 0xf8, skipped: 2 })],
    );
}

#[test]
fn running_status_across_meta_and_sysex() {
    for (name, offset) in [("metaevent", 233), ("sysex", 224)] {
        let bytes = file(&format!("test-running-status-{name}.mid"));
        check(&bytes, &c_major(), &[(Some(0), offset, W::RunningStatusAcrossMeta { status: 0x90 })]);
    }
}

#[test]
fn a_byte_short_at_the_end() {
    check(
        &file("test-corrupt-file-missing-byte.mid"),
        &c_major(),
        &[(Some(0), 264, W::EndsInsideEvent { bytes: 3 }), (Some(0), 267, W::FileTruncated { missing: 1 })],
    );
}

#[test]
fn a_byte_too_many_at_the_end() {
    check(&file("test-corrupt-file-extra-byte.mid"), &c_major(), &[(None, 275, W::Junk { bytes: 1 })]);
}

#[test]
fn a_chunk_that_is_no_track() {
    let kind = W::UnknownChunk { id: *b"Junk", bytes: 35 };
    check(&file("test-non-midi-track.mid"), &c_major(), &[(None, 14, kind)]);
}

#[test]
fn junk_between_tracks() {
    let track = chunk(&[notes(4), END.to_vec()].concat());
    let bytes = [header(1, 2, 96), track.clone(), vec![1, 2, 3, 0xff, 0], track.clone()].concat();
    let mut expected = scale(4);
    expected.extend(scale(4));
    expected.sort();
    check(&bytes, &expected, &[(None, 14 + track.len() as u64, W::Junk { bytes: 5 })]);
}

#[test]
fn a_format_0_file_with_two_tracks() {
    let bytes = file("test-2-tracks-type-0.mid");
    assert_eq!(warnings(&bytes), [(None, 8, W::SingleTrackFormat { tracks: 2 })]);
    assert_eq!((index(&bytes).format, keys(&bytes).len()), (Format::Parallel, 16));
}

#[test]
fn format_2_plays_its_songs_one_after_another() {
    let bytes = file("test-2-tracks-type-2.mid");
    assert_eq!(warnings(&bytes), []);
    let index = index(&bytes);
    assert_eq!(index.tracks[1].start, index.tracks[0].end);
    let keys = keys(&bytes);
    assert_eq!(keys.len(), 16);
    assert!(keys[..8].iter().map(|key| key.1).eq(C_MAJOR));
    assert!(keys[8].0 >= index.tracks[1].start.0);
}

#[test]
fn each_song_of_format_2_starts_with_the_default_tempo() {
    let slow = [&[0x00, 0xff, 0x51, 0x03, 0x0f, 0x42, 0x40][..], &notes(1), &END].concat();
    let bytes = [header(2, 2, 96), chunk(&slow), chunk(&[notes(1), END.to_vec()].concat())].concat();
    // A quarter note of one second, and one of half a second.
    assert_eq!(index(&bytes).duration_seconds(), 1.5);
}

#[test]
fn a_missing_end_of_track() {
    let bytes = single(&notes(8));
    check(&bytes, &scale(8), &[(Some(0), bytes.len() as u64, W::MissingEndOfTrack)]);
}

#[test]
fn a_file_cut_at_any_byte_keeps_all_notes_before_the_cut() {
    let whole = single(&[notes(8), END.to_vec()].concat());
    for cut in 23..whole.len() {
        let complete = ((cut - 22 + 4) / 8).min(8) as u8;
        assert_eq!(keys(&whole[..cut]), scale(complete), "cut at {cut}");
        assert!(!warnings(&whole[..cut]).is_empty(), "cut at {cut}");
    }
}

#[test]
fn sixty_five_thousand_tracks_claimed() {
    let bytes = [header(1, 65_535, 96), chunk(&[notes(8), END.to_vec()].concat())].concat();
    check(&bytes, &scale(8), &[(None, 10, W::TrackCount { claimed: 65_535, found: 1 })]);
}

#[test]
fn a_chunk_length_too_short_or_too_long() {
    let data = [notes(8), END.to_vec()].concat();
    let other = chunk(&[notes(1), END.to_vec()].concat());
    for claimed in [0, 5, data.len() as u32 - 5, data.len() as u32 + 7, u32::MAX] {
        let mut track = chunk(&data);
        track[4..8].copy_from_slice(&claimed.to_be_bytes());
        let mut expected = scale(8);
        expected.insert(1, (0, 60));
        let bytes = [header(1, 2, 96), track, other.clone()].concat();
        let kind = W::ChunkLength { claimed, found: data.len() as u64 };
        check(&bytes, &expected, &[(Some(0), 18, kind)]);
    }
}

#[test]
fn music_after_the_end_of_track() {
    check_pieces(&[&notes(1), &END, &[0, 0x90, 70, 9, 9, 0x80, 70, 0], &END], &[(0, 60), (96, 70)], |at| {
        vec![(Some(0), at[2], W::MusicAfterEnd { bytes: 12 })]
    });
}

#[test]
fn padding_after_the_end_of_track() {
    check_pieces(&[&notes(2), &END, &[0; 11]], &scale(2), |at| {
        vec![(Some(0), at[2], W::JunkAfterEnd { bytes: 11 })]
    });
}

#[test]
fn junk_in_the_middle_of_a_track() {
    let mut later = notes(4);
    later[0] = 0;
    let mut expected = scale(4);
    expected.extend((0..4).map(|i| (96 * (4 + i64::from(i)), 60 + i)));
    // A status byte before it would let data bytes pass as notes: none of these can be read so.
    check_pieces(&[&notes(4), &[0x00, 0xf4, 0xfd, 0xfd, 0xc8, 0xc9], &later, &END], &expected, |at| {
        vec![(Some(0), at[1], W::IllegalStatus { status: 0xf4, skipped: 6 })]
    });
}

#[test]
fn a_status_byte_among_the_data_of_a_note() {
    check_pieces(
        &[&notes(2), &[0x00, 0x90, 0xff, 0xff], &[0x00, 0x90, 70, 100, 96, 0x80, 70, 0], &END],
        &[(0, 60), (96, 61), (192, 70)],
        |at| vec![(Some(0), at[1], W::BrokenMessage { status: 0x90, skipped: 4 })],
    );
}

#[test]
fn data_without_any_status() {
    check_pieces(&[&[0x00, 0x40, 0x40, 0x40], &notes(8), &END], &scale(8), |at| {
        vec![(Some(0), at[0], W::NoStatus { skipped: 4 })]
    });
}

#[test]
fn a_delta_time_of_more_than_28_bits() {
    check_pieces(
        &[&notes(1), &[0xff; 9], &[0x00, 0x90, 70, 9, 9, 0x80, 70, 0], &END],
        &[(0, 60), (96, 70)],
        |at| vec![(Some(0), at[1], W::NumberTooLong { skipped: 9 })],
    );
}

#[test]
fn delta_times_at_the_28_bit_limit_are_no_damage() {
    let far = [0xff, 0xff, 0xff, 0x7f];
    let data = [&far[..], &[0x90, 60, 1], &far, &[0x80, 60, 0], &far, &[0x90, 61, 1], &END].concat();
    let limit = (1 << 28) - 1;
    check(&single(&data), &[(limit, 60), (3 * limit, 61)], &[]);
    // Zeros in front say the same number in more bytes than the format has.
    let padded = [&[0x80, 0x80, 0x80, 0x80, 0x80, 0x05, 0x90, 60, 1][..], &END].concat();
    check(&single(&padded), &[(5, 60)], &[]);
}

#[test]
fn meta_events_of_wrong_length() {
    let tempo = |len: u8| vec![0x00, 0xff, 0x51, len, 0x0f, 0x42, 0x40];
    for claimed in [0, 1, 2, 4, 9, 100] {
        let bytes = single(&[tempo(claimed), notes(8), END.to_vec()].concat());
        let kind = W::WrongLength { claimed: u32::from(claimed), found: 3 };
        check(&bytes, &scale(8), &[(Some(0), 22, kind)]);
        assert_eq!(index(&bytes).tempo_map.tempo(Ticks(0)).micros_per_quarter, 1_000_000);
    }
}

#[test]
fn a_text_that_claims_more_than_it_has() {
    for claimed in [&[0x0a][..], &[0x20], &[0x8f, 0xff, 0x7f], &[0x8f, 0xff, 0xff, 0x7f]] {
        let text = [&[0x00, 0xff, 0x01][..], claimed, b"words"].concat();
        let bytes = single(&[text, notes(8), END.to_vec()].concat());
        let found = warnings(&bytes);
        assert!(matches!(found[..], [(Some(0), 22, W::WrongLength { found: 5, .. })]), "{found:?}");
        assert_eq!(keys(&bytes), scale(8));
        assert_eq!(&*index(&bytes).texts[0].text, "words");
    }
}

#[test]
fn a_text_that_claims_less_than_it_has() {
    check_pieces(&[&[0x00, 0xff, 0x01, 2], b"wo", b"rds", &notes(8), &END], &scale(8), |at| {
        vec![(Some(0), at[2], W::NoStatus { skipped: 3 })]
    });
}

#[test]
fn a_meta_event_longer_than_its_track() {
    let tail = [0x00, 0xff, 0x01, 0x8f, 0xff, 0xff, 0x7f, b'x', b'y'];
    let bytes = single(&[notes(8), tail.to_vec()].concat());
    let end = bytes.len() as u64;
    let expected =
        [(Some(0), end - 9, W::EndsInsideEvent { bytes: 9 }), (Some(0), end, W::MissingEndOfTrack)];
    check(&bytes, &scale(8), &expected);
}

#[test]
fn a_sysex_that_swallows_music_gives_it_back() {
    let sysex = [0x00, 0xf0, 0x7f, 0x7e, 0x7f, 0x09, 0x01, 0xf7];
    let bytes = single(&[sysex.to_vec(), notes(16), END.to_vec()].concat());
    check(&bytes, &scale(16), &[(Some(0), 22, W::WrongLength { claimed: 127, found: 5 })]);
    assert_eq!(index(&bytes).modes.len(), 1);
}

#[test]
fn a_sysex_without_an_end() {
    check_pieces(&[&[0x00, 0xf0, 0x04, 0x7e, 0x7f, 0x09, 0x01], &notes(1), &END], &scale(1), |at| {
        vec![(Some(0), at[0], W::UnterminatedSysEx { bytes: 5 })]
    });
}

#[test]
fn tempo_events_without_a_tempo() {
    let bytes = single(&[&[0x00, 0xff, 0x51, 0x03, 0, 0, 0][..], &notes(8), &END].concat());
    check(&bytes, &scale(8), &[(Some(0), 22, W::UnusableMeta { kind: 0x51, bytes: 3 })]);
    assert_eq!(index(&bytes).tempo_map.changes().count(), 1);
}

#[test]
fn a_missing_or_damaged_header() {
    let track = chunk(&[notes(8), END.to_vec()].concat());
    check(&track, &scale(8), &[(None, 0, W::MissingHeader)]);
    let junk = [b"Mac binary".to_vec(), header(0, 1, 96), track.clone()].concat();
    check(&junk, &scale(8), &[(None, 0, W::JunkBeforeHeader { bytes: 10 })]);
    check(
        &[header(0, 1, 0), track.clone()].concat(),
        &scale(8),
        &[(None, 12, W::UnusableDivision { division: 0 })],
    );
    check(
        &[header(7, 1, 96), track.clone()].concat(),
        &scale(8),
        &[(None, 8, W::UnknownFormat { format: 7 })],
    );
    let long = [b"MThd\0\0\0\x08\0\0\0\x01\0\x60xx".to_vec(), track].concat();
    check(&long, &scale(8), &[]);
}

#[test]
fn an_rmi_wrapper_is_no_damage() {
    let song = single(&[notes(8), END.to_vec()].concat());
    let length = |bytes: usize| (bytes as u32).to_le_bytes();
    let info = [b"INFO", &length(3)[..], b"abc\0"].concat();
    let data = [b"data", &length(song.len())[..], &song].concat();
    let after = [b"LIST", &length(2)[..], b"xx"].concat();
    let body = [b"RMID", &info[..], &data, &after].concat();
    let rmi = [b"RIFF", &length(body.len())[..], &body].concat();
    check(&rmi, &scale(8), &[]);
}

#[test]
fn smpte_divisions_have_exact_time() {
    let mut bytes = file("test-c-major-scale.mid");
    for (high, rate, per_second) in [
        (0xe8, SmpteRate::Fps24, (24, 1)),
        (0xe7, SmpteRate::Fps25, (25, 1)),
        (0xe3, SmpteRate::Fps29, (30_000, 1001)),
        (0xe2, SmpteRate::Fps30, (30, 1)),
    ] {
        bytes[12..14].copy_from_slice(&[high, 40]);
        let index = index(&bytes);
        assert_eq!(index.division, Division::Smpte { rate, subframes: 40 });
        let (numerator, denominator) = index.duration_fraction();
        assert_eq!(numerator * per_second.0 * 40, i128::from(index.end.0) * per_second.1 * denominator);
        assert!(index.warnings.is_empty());
    }
    bytes[12] = 0xc0;
    assert_eq!(warnings(&bytes), [(None, 12, W::UnknownSmpteRate { rate: 64 })]);
}

#[test]
fn what_is_no_song_is_an_error() {
    let scan = |bytes: &[u8]| SongIndex::scan(&bytes, &mut |_| {}).map(|_| ());
    assert!(matches!(scan(&file("test-empty-file.mid")), Err(SongError::Empty)));
    assert!(matches!(scan(&file("test-not-a-midi-file.mid")), Err(SongError::NotMidi)));
    assert!(matches!(scan(b"RIFF\0\0\0\0RMID"), Err(SongError::NotMidi)));
    assert!(matches!(scan(&header(1, 1, 96)), Err(SongError::NoTracks)));
    assert!(matches!(scan(&header(1, 1, 96)[..10]), Err(SongError::NoTracks)));
    assert!(matches!(Song::from_smf(b"").map(|_| ()), Err(SongError::Empty)));
}

#[test]
fn a_file_of_nothing_but_damage_warns_in_bounded_memory() {
    let bytes = single(&[0x00, 0xf4].repeat(100_000));
    let index = index(&bytes);
    assert!(index.warnings.total() >= 100_000);
    assert_eq!(index.warnings.as_slice().len(), kmidi_song::Warnings::KEPT);
    assert!(index.warnings.lose_data());
}

#[test]
fn warnings_read_as_words() {
    let bytes = file("test-illegal-message-f4.mid");
    assert_eq!(
        index(&bytes).warnings.as_slice()[0].to_string(),
        "track 1, byte 204: a 0xF4 message is not allowed in a file; 2 bytes were skipped"
    );
}
