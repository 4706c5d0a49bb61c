//! How long notes take to be humanised, given a groove and learnt from, and a file to be humanised on its way to another. Gated on
//! growth alone, within one run: eight times the notes may take no more than sixteen times as long. The system that KmiDi
//! descends from takes 137 µs for 128 notes and 4.3 ms for 1,024, in Python.
#![forbid(unsafe_code)]

use std::hint::black_box;
use std::io::Cursor;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use kmidi_core::{Division, Ticks};
use kmidi_song::groove::{
    ApplyOptions, Change, ExtractOptions, Humanize, Pulse, change_file, change_song, extract, humanize,
    preset_named, template,
};
use kmidi_song::{Format, Note, SmfEvent, Song, SongIndex, Track};

const ROUNDS: usize = 2000;
/// Notes, what the Python original takes for them, and what is aimed at.
const SIZES: [(usize, &str, &str); 2] = [(128, "137 µs", "5 µs"), (1024, "4.3 ms", "40 µs")];
/// Notes of the file.
const FILE_NOTES: usize = 500_000;

/// Sixteenths of a drum kit.
fn notes(count: usize) -> Vec<Note> {
    let note = |place: usize| {
        let start = Ticks(place as i64 * 120);
        Note { start, end: start + Ticks(60), channel: 9, key: [36, 42, 38, 42][place % 4], velocity: 100 }
    };
    (0..count).map(note).collect()
}

fn song(count: usize) -> Song {
    let events = notes(count).into_iter().flat_map(|note| {
        let on = SmfEvent::Channel([0x99, note.key, note.velocity]);
        [(note.start, on), (note.end, SmfEvent::Channel([0x89, note.key, 64]))]
    });
    let tracks = vec![Track { events: events.collect(), end: Ticks(count as i64 * 120) }];
    Song { format: Format::Single, division: Division::Ppq(480), tracks }
}

/// The shortest of many.
fn best<T>(mut prepare: impl FnMut() -> T, mut work: impl FnMut(T), rounds: usize) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..rounds {
        let prepared = prepare();
        let start = Instant::now();
        work(prepared);
        best = best.min(start.elapsed());
    }
    best
}

/// Takes of one kind for both sizes; prints them.
fn row(name: &str, of: impl Fn(usize) -> Duration) -> bool {
    let times = SIZES.map(|(count, ..)| of(count));
    let cells = times.map(|time| format!("{:9.2} µs", time.as_secs_f64() * 1e6)).join("");
    let growth = times[1].as_secs_f64() / times[0].as_secs_f64();
    println!("  {name:34}{cells}   {growth:5.1} times");
    growth <= 16.0
}

fn main() -> ExitCode {
    let pulse = Pulse::steady(480, 120.0);
    let humanized = |settings: Humanize| {
        let pulse = pulse.clone();
        move |count: usize| {
            let (all, end) = (notes(count), Ticks(count as i64 * 120));
            best(|| all.clone(), |mut all| _ = black_box(humanize(&mut all, &pulse, end, &settings)), ROUNDS)
        }
    };
    let jazz = template("jazz").expect("a template").groove();
    let options = ApplyOptions::default();
    let lofi = preset_named("lofi_depression").expect("a preset").settings(1);

    println!("notes, best of {ROUNDS}:{:>29}{:>12}", SIZES[0].0, SIZES[1].0);
    let rows = [
        row("humanize, uniform", humanized(Humanize::uniform(0.5, 0.5, 1))),
        row("humanize, drummer", humanized(Humanize::drummer(0.5, 0.5, 1))),
        row("humanize, preset with its style", humanized(lofi)),
        row("a song with the groove of jazz", |count| {
            let song = song(count);
            let work = |mut song| _ = black_box(change_song(&mut song, Change::Apply(&jazz, &options)));
            best(|| song.clone(), work, ROUNDS / 10)
        }),
        row("groove of a song", |count| {
            let song = song(count);
            best(|| (), |()| _ = black_box(extract(&song, &ExtractOptions::default())), ROUNDS / 10)
        }),
    ];
    println!("  {:34}{:>12}{:>12}", "aimed at, for uniform", SIZES[0].2, SIZES[1].2);
    println!("  {:34}{:>12}{:>12}", "the Python original, uniform", SIZES[0].1, SIZES[1].1);

    let bytes = song(FILE_NOTES).to_smf().expect("fits");
    let index = SongIndex::scan(&bytes, &mut |_| {}).expect("a song");
    let settings = Humanize::drummer(0.5, 0.5, 1);
    let work = |mut out| {
        _ = black_box(change_file(&bytes, &index, Change::Humanize(&settings), &mut out, &mut |_| {}))
    };
    let time = best(|| Cursor::new(Vec::with_capacity(2 * bytes.len())), work, 3);
    let rate = bytes.len() as f64 / 1e6 / time.as_secs_f64();
    println!("a file of {} notes to a file: {:.0} ms, {rate:.0} MB/s", FILE_NOTES, time.as_secs_f64() * 1e3);
    match rows.iter().all(|&grows_evenly| grows_evenly) {
        true => ExitCode::SUCCESS,
        false => {
            eprintln!("eight times the notes take more than sixteen times as long");
            ExitCode::FAILURE
        }
    }
}
