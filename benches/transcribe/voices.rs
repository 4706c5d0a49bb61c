//! A single voice, with `--mono` and without: tunes and the same note again and again, by instruments that are played alone.

use std::path::Path;

use anyhow::{Context, Result};
use kmidi_core::{Division, Ticks};
use kmidi_song::{Format, SmfEvent, Song, Track};

use super::{Note, Score, hear, json, kmidi, notes, score};

const TICKS_PER_QUARTER: u16 = 480;
/// What plays: its name, its program, and how far from middle C it plays.
const INSTRUMENTS: [(&str, u8, i8); 8] = [
    ("flute", 73, 12),
    ("trumpet", 56, 0),
    ("violin", 40, 7),
    ("clarinet", 71, 0),
    ("tenor saxophone", 66, 0),
    ("choir", 53, 0),
    ("finger bass", 33, -24),
    ("piano", 0, 0),
];
const TUNE: [u8; 16] = [60, 62, 64, 65, 67, 69, 71, 72, 71, 67, 64, 60, 62, 67, 72, 60];

/// What is played: its name, keys, ticks from one to the next, ticks that each sounds, quarters a minute.
fn tunes() -> [(&'static str, Vec<u8>, i64, i64, u32); 3] {
    let again = [60, 64, 67].iter().flat_map(|key| [*key; 8]).collect();
    [
        ("tune", TUNE.to_vec(), 480, 456, 100),
        ("fast tune", [TUNE, TUNE].concat(), 240, 230, 120),
        ("repeated notes", again, 240, 216, 120),
    ]
}

/// Prints the table, and says whether a single voice is heard better than by chance.
pub fn run(folder: &Path) -> Result<bool> {
    println!("| instrument | plays | notes | `--mono`: heard | onset F1 | without: heard | onset F1 |");
    println!("|---|---|---|---|---|---|---|");
    let (mut mono, mut without, mut chance, mut rows) = (0.0, 0.0, 0.0, 0.0);
    for (name, program, shift) in INSTRUMENTS {
        for (plays, keys, step, length, bpm) in tunes() {
            let keys: Vec<u8> = keys.iter().map(|key| key.saturating_add_signed(shift)).collect();
            let (song, wav) = (folder.join("voice.mid"), folder.join("voice.wav"));
            let bytes = voice(program, &keys, (step, length), bpm).to_smf().context("a song")?;
            std::fs::write(&song, &bytes)?;
            json(kmidi().arg("render").arg(&song).arg("-o").arg(&wav).args(["--sf", "built-in", "--json"]))?;
            let truth = notes(&bytes)?;
            let of = |flags: &[&str]| -> Result<(Score, Score)> {
                let (heard, _) = hear(&wav, &folder.join("heard.mid"), flags)?;
                let moved: Vec<Note> = heard.iter().map(|it| Note { key: it.key + 6, ..*it }).collect();
                Ok((score(&truth, &heard, false), score(&truth, &moved, false)))
            };
            let ((single, moved), (any, _)) = (of(&["--mono"])?, of(&[])?);
            println!(
                "| {name} | {plays} | {} | {} | {:.2} | {} | {:.2} |",
                single.truth,
                single.heard,
                single.f1(),
                any.heard,
                any.f1()
            );
            mono += single.f1();
            without += any.f1();
            chance += moved.f1();
            rows += 1.0;
        }
    }
    let (mono, without, chance) = (mono / rows, without / rows, chance / rows);
    println!("| **mean** | | | | {mono:.2} | | {without:.2} |");
    println!("\nThe same a tritone higher: {chance:.3}");
    Ok(mono > 0.6 && mono > 2.0 * chance)
}

/// A voice of notes of one length, each so many ticks behind the one before.
fn voice(program: u8, keys: &[u8], (step, length): (i64, i64), bpm: u32) -> Song {
    let mut events = vec![
        (Ticks(0), SmfEvent::tempo(60_000_000 / bpm)),
        (Ticks(0), SmfEvent::Channel([0xc0, program, 0])),
    ];
    for (number, key) in keys.iter().enumerate() {
        let start = number as i64 * step;
        events.push((Ticks(start), SmfEvent::Channel([0x90, *key, 90])));
        events.push((Ticks(start + length), SmfEvent::Channel([0x80, *key, 64])));
    }
    let track = Track { events, end: Ticks(keys.len() as i64 * step) };
    Song { format: Format::Single, division: Division::Ppq(TICKS_PER_QUARTER), tracks: vec![track] }
}
