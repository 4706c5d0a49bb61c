//! One test for each thing that is known to go wrong with grooves: named after it.
#![forbid(unsafe_code)]

use std::io::Cursor;

use kmidi_core::{Division, Ticks};
use kmidi_song::groove::{
    ApplyOptions, Change, ExtractOptions, Groove, Humanize, apply_file, change_song, extract, presets,
    template, templates, track_notes,
};
use kmidi_song::{Format, Note, SmfEvent, Song, SongIndex, Track};

const WHOLE: ApplyOptions = ApplyOptions { intensity: 1.0, channels: None, slots_per_whole: None };

fn song_of(tracks: Vec<Vec<(i64, SmfEvent)>>, end: i64) -> Song {
    let track = |mut events: Vec<(i64, SmfEvent)>| {
        events.sort_by_key(|event| event.0);
        let events = events.into_iter().map(|(tick, event)| (Ticks(tick), event)).collect();
        Track { events, end: Ticks(end) }
    };
    let tracks = tracks.into_iter().map(track).collect();
    Song { format: Format::Parallel, division: Division::Ppq(480), tracks }
}

/// So many sixteenths of one key, each half a sixteenth long.
fn sixteenths(count: i64, channel: u8, key: u8, velocity: u8) -> Vec<(i64, SmfEvent)> {
    let note = |place| {
        let on = SmfEvent::Channel([0x90 | channel, key, velocity]);
        let off = SmfEvent::Channel([0x80 | channel, key, 64]);
        [(place * 120, on), (place * 120 + 60, off)]
    };
    (0..count).flat_map(note).collect()
}

fn notes(song: &Song) -> Vec<Note> {
    song.tracks.iter().flat_map(track_notes).map(|pair| pair.note).collect()
}

fn applied(mut song: Song, groove: &Groove) -> Song {
    change_song(&mut song, Change::Apply(groove, &WHOLE)).unwrap();
    song
}

/// The drummer once made a track of 122,880 ticks 3.6 % longer: its ghost notes moved the clock on.
#[test]
fn stretched_track() {
    for preset in presets() {
        let mut song = song_of(vec![sixteenths(1024, 9, 38, 100)], 122_880);
        let before = notes(&song);
        change_song(&mut song, Change::Humanize(&preset.settings(1))).unwrap();
        assert_eq!(song.tracks[0].end, Ticks(122_880), "{}", preset.name);
        let after = notes(&song);
        let (last, last_before) = (after[after.len() - 1], before[before.len() - 1]);
        assert!((last.start.0 - last_before.start.0).abs() < 600, "{}: {last:?}", preset.name);
    }
}

/// It also started 69 notes while the same key still sounded: note-offs stayed where they were.
#[test]
fn overlapping_retriggers() {
    // Notes that last until the next one starts: whatever moves, moves into another.
    let mut events = vec![];
    for place in 0..1024 {
        events.push((place * 120, SmfEvent::Channel([0x99, 38, 100])));
        events.push((place * 120 + 120, SmfEvent::Channel([0x89, 38, 64])));
    }
    events.sort_by_key(|(tick, event)| (*tick, matches!(event, SmfEvent::Channel([0x99, ..]))));
    let song = song_of(vec![events], 122_880);
    for preset in presets() {
        let mut song = song.clone();
        change_song(&mut song, Change::Humanize(&preset.settings(1))).unwrap();
        let notes = notes(&song);
        assert!(notes.len() > 800);
        let overlapping = notes.windows(2).filter(|pair| pair[1].start < pair[0].end).count();
        assert_eq!(overlapping, 0, "{}", preset.name);
        assert!(notes.iter().all(|note| note.end > note.start), "{}", preset.name);
    }
    // Control: with note-offs that stay where they were, the same moves do overlap.
    let moved = applied(song.clone(), &template("rock").unwrap().groove());
    let ends = notes(&song).into_iter().map(|note| note.end);
    let starts: Vec<_> = notes(&moved).iter().map(|note| note.start).collect();
    assert!(starts[1..].iter().zip(ends).filter(|(start, end)| *start < end).count() > 0);
}

/// Deviations were added to delta times: 1,024 sixteenths ended 31,488 ticks late in hip-hop, 21,376 in jazz, 7,552 early in rock,
/// and 1,152 late in funk.
#[test]
fn drift_of_31488_ticks() {
    for template in templates() {
        let groove = template.groove();
        let after = applied(song_of(vec![sixteenths(1024, 0, 60, 100)], 122_880), &groove);
        let notes = notes(&after);
        assert_eq!(notes.len(), 1024);
        // What a sixteenth is late in the first bar, it is late in the last.
        for slot in 0..16 {
            let (first, last) = (notes[16 + slot].start.0 - 1920, notes[1008 + slot].start.0 - 63 * 1920);
            assert_eq!(first, last, "{} {slot}", template.name);
        }
        assert_eq!(after.tracks[0].end, Ticks(122_880));
    }
}

/// Deviations were counted by the number of the note, so a rest moved all that came after it to other places of the bar.
#[test]
fn deviations_by_note_number() {
    let groove = template("hiphop").unwrap().groove();
    let all = notes(&applied(song_of(vec![sixteenths(64, 0, 60, 100)], 7680), &groove));
    let holes: Vec<_> =
        sixteenths(64, 0, 60, 100).into_iter().filter(|event| event.0 / 120 % 5 != 3).collect();
    let some = notes(&applied(song_of(vec![holes], 7680), &groove));
    assert!(some.len() < 60 && some.iter().all(|note| all.contains(note)));
}

/// The template's swing was never applied.
#[test]
fn template_swing_is_never_applied() {
    let jazz = template("jazz").unwrap().groove();
    let straight = Groove { swing: 0.0, ..jazz.clone() };
    let offbeats = |groove| -> Vec<i64> {
        let notes = notes(&applied(song_of(vec![sixteenths(16, 0, 60, 100)], 1920), groove));
        [2, 6, 10, 14].map(|place| notes[place].start.0 - place as i64 * 120).to_vec()
    };
    assert_eq!(offbeats(&straight), [0, 0, -3, 0]);
    // 0.67 of 120 ticks.
    assert_eq!(offbeats(&jazz), [80, 80, 77, 80]);
}

/// Of the sixteen velocities of a bar, the first four were given to its four quarters.
#[test]
fn per_beat_velocity_curve() {
    let groove = template("funk").unwrap().groove();
    let notes = notes(&applied(song_of(vec![sixteenths(32, 0, 60, 64)], 3840), &groove));
    let wanted = template("funk").unwrap().velocities;
    for (place, note) in notes.iter().enumerate() {
        assert_eq!(note.velocity, wanted[place % 16], "{place}");
    }
}

/// Straight sixteenths were said to swing by 0.5.
#[test]
fn straight_is_half() {
    let swing = |song: &Song| extract(song, &ExtractOptions::default()).unwrap().swing;
    assert_eq!(swing(&song_of(vec![sixteenths(64, 9, 42, 100)], 7680)), 0.0);
    let eighths = sixteenths(64, 9, 42, 100).into_iter().filter(|event| event.0 % 240 < 120).collect();
    assert_eq!(swing(&song_of(vec![eighths], 7680)), 0.0);
    let quarters = sixteenths(64, 9, 42, 100).into_iter().filter(|event| event.0 % 480 < 120).collect();
    assert_eq!(swing(&song_of(vec![quarters], 7680)), 0.0);
    // Control: triplets do swing, by two thirds.
    let triplets =
        (0..32).flat_map(|beat| [0, 320].map(|late| (beat * 480 + late, SmfEvent::Channel([0x99, 42, 100]))));
    let events = triplets.flat_map(|(tick, on)| [(tick, on), (tick + 50, SmfEvent::Channel([0x89, 42, 0]))]);
    assert!((swing(&song_of(vec![events.collect()], 15_360)) - 2.0 / 3.0).abs() < 1e-6);
}

/// Notes that sound at once were told apart by their key alone, so a note-off of one channel ended the note of another.
#[test]
fn colliding_channels() {
    let mut events = vec![];
    for bar in 0..4 {
        let tick = bar * 1920;
        events.push((tick, SmfEvent::Channel([0x90, 60, 100])));
        events.push((tick + 10, SmfEvent::Channel([0x91, 60, 30])));
        events.push((tick + 100, SmfEvent::Channel([0x81, 60, 0])));
        events.push((tick + 400, SmfEvent::Channel([0x80, 60, 0])));
    }
    let song = song_of(vec![events], 7680);
    let lengths: Vec<_> = notes(&song).iter().map(|note| (note.channel, note.length().0)).collect();
    assert_eq!(lengths[..2], [(0, 400), (1, 90)]);
    let groove = extract(&song, &ExtractOptions::default()).unwrap();
    let channels: Vec<_> = groove
        .channels
        .iter()
        .map(|it| (it.channel, it.statistics.notes, it.statistics.mean_ticks, it.statistics.mean_velocity))
        .collect();
    assert_eq!(channels, [(1, 4, 0.0, 100.0), (2, 4, 10.0, 30.0)]);
    // And when they are humanised, none is cut or ended by the other.
    let mut after = song.clone();
    change_song(&mut after, Change::Humanize(&Humanize::drummer(0.5, 0.5, 1))).unwrap();
    let mut lengths_after: Vec<_> =
        notes(&after).iter().map(|note| (note.channel, note.length().0)).collect();
    let mut lengths = lengths;
    lengths.sort_unstable();
    lengths_after.sort_unstable();
    assert_eq!(lengths_after, lengths);
}

/// Of several tempos the last was taken for the whole file.
#[test]
fn last_tempo_wins() {
    // A bar at 120, a bar at 60, a bar at 240: all notes 48 ticks late, which are 50, 100 and 25 ms.
    let mut events = vec![];
    for (bar, micros) in [(0, 500_000), (1, 1_000_000), (2, 250_000)] {
        events.push((bar * 1920, SmfEvent::tempo(micros)));
        for beat in 0..4 {
            let tick = bar * 1920 + beat * 480 + 48;
            events.push((tick, SmfEvent::Channel([0x99, 36, 100])));
            events.push((tick + 50, SmfEvent::Channel([0x89, 36, 0])));
        }
    }
    let groove = extract(&song_of(vec![events], 5760), &ExtractOptions::default()).unwrap();
    let found = groove.statistics.unwrap();
    assert_eq!((found.mean_ticks, found.sd_ticks, found.most_ms), (48.0, 0.0, 100.0));
    assert!((found.mean_ms - 175.0 / 3.0).abs() < 1e-6, "{}", found.mean_ms);
    assert_eq!(groove.tempo_range_bpm, (60.0, 240.0));
}

/// "Applied", a groove was these words in a file called .mid, and whatever was asked was a success.
#[test]
fn midi_with_genre_applied() {
    let song = song_of(vec![sixteenths(64, 9, 42, 90)], 7680).to_smf().unwrap();
    let index = SongIndex::scan(&song, &mut |_| {}).unwrap();
    let mut files: Vec<Vec<u8>> = vec![];
    for template in templates() {
        let mut out = Cursor::new(vec![]);
        apply_file(&song, &index, &template.groove(), &WHOLE, &mut out, &mut |_| {}).unwrap();
        let out = out.into_inner();
        assert_eq!(notes(&Song::from_smf(&out).unwrap().0).len(), 64, "{}", template.name);
        assert!(out != song, "{}: nothing was done", template.name);
        // Hip-hop has two names and one groove.
        files.retain(|file| *file != out);
        files.push(out);
    }
    assert!(files.len() >= templates().len() - 1, "{} files", files.len());
    assert!(template("no genre at all").is_err(), "and what there is not is refused");
}
