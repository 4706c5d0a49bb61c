use std::fmt::Write;

use anyhow::Result;
use kmidi_session::{DivisionInfo, SongInfo};

use crate::cli::Info;
use crate::exit::Unreadable;
use crate::output::{print, print_json};
use crate::screens::player::clock;

pub fn run(args: Info) -> Result<()> {
    let info = kmidi_session::describe(&args.file).map_err(|error| Unreadable(error.into()))?;
    if args.json { print_json(&info) } else { print(text(&info)?.as_bytes()) }
}

fn text(info: &SongInfo) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    writeln!(out, "{}", info.file)?;
    if let Some(title) = &info.title {
        writeln!(out, "  title       {title}")?;
    }
    for copyright in &info.copyright {
        writeln!(out, "  copyright   {copyright}")?;
    }
    let division = match &info.division {
        DivisionInfo::Ppq(ticks) => format!("{ticks} ticks per quarter note"),
        DivisionInfo::Smpte { frames_per_second, ticks_per_frame } => {
            format!("{frames_per_second:.2} frames per second, {ticks_per_frame} ticks per frame")
        }
    };
    writeln!(out, "  format      {}, {division}", info.format)?;
    writeln!(
        out,
        "  duration    {} ({} s, {} {})",
        clock(info.duration_seconds),
        info.duration_fraction,
        info.bars,
        if info.bars == 1 { "bar" } else { "bars" }
    )?;
    writeln!(out, "  tracks      {} ({} events, {} notes)", info.tracks, info.events, info.notes)?;
    for track in info.track_list.iter().filter(|track| track.events > 0) {
        let channels: Vec<_> = track.channels.iter().map(u8::to_string).collect();
        let on = if channels.is_empty() { String::new() } else { format!(" on {}", channels.join(", ")) };
        writeln!(out, "    {:>3}  {:>6} notes{on}  {}", track.number, track.notes, track.name)?;
    }
    let first = info.tempos.first().map_or(120.0, |tempo| tempo.bpm);
    writeln!(out, "  tempo       {first:.2} bpm, {} changes", info.tempo_changes)?;
    let meters: Vec<_> = info
        .meters
        .iter()
        .take(8)
        .map(|m| format!("{}/{} from bar {}", m.numerator, m.denominator, m.bar))
        .collect();
    writeln!(out, "  meter       {}{}", meters.join(", "), if info.meters.len() > 8 { ", ..." } else { "" })?;
    writeln!(out, "  programs")?;
    for program in &info.programs {
        let port = if program.port > 1 { format!("port {} ", program.port) } else { String::new() };
        let kind = if program.drums { "drum kit" } else { "program" };
        let bank = match (program.bank_msb, program.bank_lsb) {
            (0, 0) => String::new(),
            (msb, lsb) => format!(", bank {msb}:{lsb}"),
        };
        writeln!(
            out,
            "    {port}channel {:>2}: {kind} {}{bank}, {} keys",
            program.channel, program.program, program.keys
        )?;
    }
    if info.warnings_total > 0 {
        writeln!(out, "  warnings    {}", info.warnings_total)?;
        for warning in &info.warnings {
            writeln!(out, "    {warning}")?;
        }
    }
    Ok(out)
}
