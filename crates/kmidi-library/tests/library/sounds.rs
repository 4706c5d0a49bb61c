//! What recordings are found by: their tags, their names, and what analysis hears.

use std::f32::consts::TAU;

use kmidi_library::{CacheLimits, Found, Key, Query, Searcher};

use crate::support::{Place, write};

/// A WAV file of 32-bit floats, with what RIFF INFO says of it.
fn wav(rate_hz: u32, channels: u16, samples: &[f32], info: &[(&[u8; 4], &str)]) -> Vec<u8> {
    let mut body = b"WAVEfmt \x10\0\0\0\x03\0".to_vec();
    body.extend(channels.to_le_bytes());
    body.extend(rate_hz.to_le_bytes());
    body.extend((rate_hz * u32::from(channels) * 4).to_le_bytes());
    body.extend((channels * 4).to_le_bytes());
    body.extend(32u16.to_le_bytes());
    let mut list = b"INFO".to_vec();
    for (id, text) in info {
        // Texts end with a zero byte and lie at even places.
        let padded = format!("{text}{}", if text.len() % 2 == 0 { "\0\0" } else { "\0" });
        list.extend(*id);
        list.extend((padded.len() as u32).to_le_bytes());
        list.extend(padded.bytes());
    }
    chunk(&mut body, b"LIST", &list);
    let frames = samples.iter().flat_map(|sample| vec![*sample; channels.into()]);
    chunk(&mut body, b"data", &frames.flat_map(f32::to_le_bytes).collect::<Vec<_>>());
    let mut file = vec![];
    chunk(&mut file, b"RIFF", &body);
    file
}

fn chunk(out: &mut Vec<u8>, id: &[u8; 4], bytes: &[u8]) {
    out.extend(id);
    out.extend((bytes.len() as u32).to_le_bytes());
    out.extend(bytes);
}

fn sine(rate_hz: u32, hz: f32, seconds: f32) -> Vec<f32> {
    (0..(rate_hz as f32 * seconds) as u32)
        .map(|at| 0.3 * (TAU * hz * at as f32 / rate_hz as f32).sin())
        .collect()
}

/// Indexes the files, and finds one by words.
fn find(files: &[(&str, Vec<u8>)], text: &str) -> Vec<Found> {
    let place = Place::new();
    for (name, bytes) in files {
        write(&place.sounds().join(name), bytes);
    }
    let report = place.add();
    assert_eq!(report.damaged, []);
    let mut searcher = Searcher::open(&place.index(), CacheLimits::default()).unwrap();
    let hits = searcher.search(&Query::of(text), None).unwrap().to_vec();
    hits.iter().map(|hit| searcher.found(hit.item).unwrap()).collect()
}

#[test]
fn a_recording_is_found_by_its_tags_and_by_how_it_sounds() {
    let tagged =
        wav(44_100, 2, &sine(44_100, 220.0, 3.0), &[(b"INAM", "Foghorn at night"), (b"IGNR", "Nautical")]);
    let files = [
        ("a/one.wav", tagged),
        ("b/two.wav", wav(44_100, 1, &sine(44_100, 6000.0, 0.4), &[])),
        ("c/three.wav", wav(44_100, 1, &sine(44_100, 1500.0, 5.0), &[])),
    ];
    for (text, name) in
        [("foghorn", "one"), ("nautical", "one"), ("dark deep", "one"), ("airy", "two"), ("one-shot", "two")]
    {
        assert_eq!(find(&files, text)[0].name, name, "{text}");
    }
    assert!((find(&files, "nautical")[0].duration_seconds.unwrap() - 3.0).abs() < 0.01);
}

#[test]
fn key_and_tempo_in_a_name_win_over_what_is_heard() {
    let files = [("Drone Ebm 72bpm.wav", wav(44_100, 1, &sine(44_100, 440.0, 2.0), &[]))];
    let found = &find(&files, "drone")[0];
    assert_eq!((found.key, found.bpm), (Some(Key::new(3, true)), Some(72.0)));
    assert_eq!(find(&files, "slow")[0].name, "Drone Ebm 72bpm");
}

#[test]
fn three_hours_are_listened_to_in_part_and_are_as_long_as_they_are() {
    const RATE_HZ: u32 = 8_000;
    const SECONDS: u32 = 3 * 3600;
    let place = Place::new();
    // A tone, and behind it zeros that take no room on the disk.
    let mut bytes = wav(RATE_HZ, 1, &sine(RATE_HZ, 220.0, 2.0), &[]);
    let all = (bytes.len() as u32 - RATE_HZ * 2 * 4) + SECONDS * RATE_HZ * 4;
    bytes[4..8].copy_from_slice(&(all - 8).to_le_bytes());
    let data = bytes.windows(4).position(|it| it == b"data").unwrap();
    bytes[data + 4..data + 8].copy_from_slice(&(SECONDS * RATE_HZ * 4).to_le_bytes());
    let path = place.sounds().join("meeting.wav");
    write(&path, &bytes);
    std::fs::File::options().append(true).open(&path).unwrap().set_len(all.into()).unwrap();
    let report = place.add();
    assert_eq!((report.items, report.damaged), (1, vec![]));
    let mut searcher = Searcher::open(&place.index(), CacheLimits::default()).unwrap();
    let item = searcher.search(&Query::of("meeting long"), None).unwrap()[0].item;
    assert_eq!(searcher.found(item).unwrap().duration_seconds, Some(SECONDS as f32));
}

#[test]
fn odd_recordings_are_described_and_samples_that_are_no_numbers_are_told() {
    let files = [
        ("surround.wav", wav(48_000, 6, &sine(48_000, 440.0, 0.5), &[])),
        ("telephone.wav", wav(8_000, 1, &sine(8_000, 440.0, 1.0), &[])),
        ("blip.wav", wav(44_100, 1, &sine(44_100, 440.0, 0.1), &[])),
        ("hush.wav", wav(44_100, 1, &[0.0; 44_100], &[])),
        ("click.wav", wav(44_100, 1, &[1.0], &[])),
    ];
    for name in ["surround", "telephone", "blip", "hush", "click"] {
        assert_eq!(find(&files, name)[0].name, name);
    }
    assert_eq!(find(&files, "silence")[0].name, "hush");
    let place = Place::new();
    write(&place.sounds().join("bad.wav"), &wav(44_100, 1, &[0.1, f32::NAN, 0.1], &[]));
    write(&place.sounds().join("none.wav"), &wav(44_100, 1, &[], &[]));
    let report = place.add();
    assert_eq!((report.items, report.damaged_files), (0, 2), "{report:?}");
    let told: Vec<_> = report.damaged.iter().map(|it| it.reason.as_str()).collect();
    assert_eq!(told, ["1 samples are no numbers, or infinite", "there is no sound in it"]);
}
