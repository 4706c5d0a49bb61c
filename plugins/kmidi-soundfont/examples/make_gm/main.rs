//! Makes the SoundFont that KmiDi is shipped with from FluidR3 GM: `make_gm FROM.sf2 TO.sf3`.
//! `cargo xtask soundfont` runs it and checks what comes out.
//!
//! Presets, instruments and their generators stay as their author made them, since its velocity layers
//! are made of filters and envelopes, not of recordings. What makes the file small is: only the 128
//! programs and the standard kit; one channel instead of two where the difference is hardly heard; fewer
//! recordings over the keyboard; and Vorbis.
#![forbid(unsafe_code)]

mod encode;
mod font;
mod mono;
mod thin;

use std::fs::File;
use std::process::ExitCode;

use kmidi_soundfont::file::{Tables, Warnings};

/// Programs whose stereo recordings stay stereo: the pianos and the strings.
const STEREO_PROGRAMS: &[u16] = &[0, 48];

const INFORMATION: &[([u8; 4], &str)] = &[
    (*b"ICOP", "Copyright (c) 2000-2002, 2008 Frank Wen; (c) 2008 Toby Smithe"),
    (
        *b"ICMT",
        "FluidR3 GM, made small for KmiDi: fewer recordings, mono, Vorbis. MIT licence, see the text beside this file.",
    ),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [from, to] = &arguments[..] else {
        eprintln!("usage: make_gm FROM.sf2 TO.sf3");
        return ExitCode::from(2);
    };
    match make(from, to) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("make_gm: {error}");
            ExitCode::FAILURE
        }
    }
}

fn make(from: &str, to: &str) -> Result<(), Box<dyn std::error::Error>> {
    let source = File::open(from).map_err(|error| format!("{from}: {error}"))?;
    let mut warnings = Warnings::default();
    let tables = Tables::read(&source, &mut warnings)?;
    let mut font = font::Font::read(&source, &tables, &mut warnings)?;
    if let [warning, ..] = warnings.kept() {
        return Err(format!("{from}: {warning}").into());
    }

    font.keep_presets(|bank, program| bank == 0 || (bank, program) == (128, 0));
    font.drop_unused();
    report("general MIDI", &font);
    let stereo = font.samples_of_presets(|bank, program| bank == 0 && STEREO_PROGRAMS.contains(&program));
    mono::make_mono(&mut font, &stereo);
    font.drop_unused();
    report("mono", &font);
    let kit = font.samples_of_presets(|bank, _| bank == 128);
    thin::thin(&mut font, &kit);
    font.drop_unused();
    report("thinned", &font);

    let streams = encode::encode(&mut font)?;
    let (tables, smpl) = font.tables("KmiDi GM (FluidR3)", &streams);
    std::fs::write(to, kmidi_soundfont::file::write(&tables, &smpl, None, INFORMATION))?;
    Ok(())
}

fn report(step: &str, font: &font::Font) {
    let seconds: f64 =
        font.samples.iter().map(|it| it.frames.len() as f64 / f64::from(it.record.rate_hz)).sum();
    eprintln!("{step}: {} samples, {seconds:.0} s", font.samples.len());
}
