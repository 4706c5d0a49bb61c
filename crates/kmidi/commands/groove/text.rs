//! What the commands of a groove did, and what can be named, as text.

use std::fmt::Write as _;

use kmidi_song::groove::{self, Algorithm, ApplyReport, Catalogue, ExtractReport, HumanizeReport};

fn numbers(channels: &[u8]) -> String {
    channels.iter().map(u8::to_string).collect::<Vec<_>>().join(", ")
}

fn changed(out: &mut String, changes: &groove::Changes, channels: &[u8]) -> std::fmt::Result {
    writeln!(out, "  channels    {}", numbers(channels))?;
    writeln!(
        out,
        "  notes       {} played, {} moved (at most {} ticks), {} left out, {} ghost notes, {} shortened",
        changes.notes, changes.moved, changes.most_ticks, changes.dropped, changes.ghosts, changes.shortened
    )
}

pub fn humanized(report: &HumanizeReport) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    let algorithm = match report.algorithm {
        Algorithm::Uniform => "uniform",
        Algorithm::Drummer => "drummer",
    };
    writeln!(
        out,
        "  played by   {algorithm}, complexity {}, vulnerability {}, dropout {:.2}, ghosts {:.2}, seed {}",
        report.complexity, report.vulnerability, report.dropout, report.ghost_probability, report.seed
    )?;
    changed(&mut out, &report.changes, &report.channels)?;
    writeln!(out, "  timing      {:+.1} ticks, deviation {:.1}", report.mean_ticks, report.sd_ticks)?;
    writeln!(out, "  velocity    {:.0}, was {:.0}", report.mean_velocity, report.mean_velocity_before)?;
    Ok(out)
}

pub fn applied(report: &ApplyReport) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    writeln!(
        out,
        "  groove      {}, intensity {}, swing {}, {} places",
        report.groove, report.intensity, report.swing, report.slots_per_whole
    )?;
    changed(&mut out, &report.changes, &report.channels)?;
    writeln!(out, "  velocity    {:.0}, was {:.0}", report.mean_velocity, report.mean_velocity_before)?;
    Ok(out)
}

pub fn extracted(report: &ExtractReport) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    let it = &report.statistics;
    let (slowest, fastest) = report.tempo_range_bpm;
    writeln!(out, "{}", report.groove)?;
    writeln!(out, "  swing       {:.2}", report.swing)?;
    writeln!(out, "  tempo       {slowest:.1} to {fastest:.1} bpm")?;
    writeln!(
        out,
        "  notes       {} on {} of {} places",
        it.notes, report.slots_known, report.slots_per_whole
    )?;
    writeln!(
        out,
        "  timing      {:+.1} ticks ({:+.1} ms), deviation {:.1} ({:.1} ms), at most {:.1} ({:.1} ms)",
        it.mean_ticks, it.mean_ms, it.sd_ticks, it.sd_ms, it.most_ticks, it.most_ms
    )?;
    writeln!(
        out,
        "  velocity    {:.0}, deviation {:.0}, {} ghost notes, {} accents",
        it.mean_velocity, it.sd_velocity, it.ghosts, it.accents
    )?;
    Ok(out)
}

pub fn list(all: &Catalogue) -> Result<String, std::fmt::Error> {
    let mut out = String::from("genres\n");
    for genre in &all.genres {
        let (slowest, fastest) = genre.tempo_range_bpm;
        let also = match genre.aliases {
            [] => String::new(),
            names => format!("  (also {})", names.join(", ")),
        };
        writeln!(out, "  {:24} swing {:.2}, {slowest} to {fastest} bpm{also}", genre.name, genre.swing)?;
    }
    out += "presets\n";
    for preset in all.presets {
        writeln!(
            out,
            "  {:24} complexity {:.2}, vulnerability {:.2}, style {}",
            preset.name, preset.complexity, preset.vulnerability, preset.style
        )?;
    }
    out += "styles\n";
    for style in all.styles {
        writeln!(
            out,
            "  {:24} complexity {:.2}, vulnerability {:.2}, swing {:.2}",
            style.name, style.complexity, style.vulnerability, style.swing
        )?;
    }
    out += "pockets (ms)\n";
    for named in all.pockets {
        let it = named.pocket;
        writeln!(
            out,
            "  {:24} bass drum {:+}, snare {:+}, hi-hat {:+}, pedal {:+}",
            named.name, it.kick_ms, it.snare_ms, it.hat_ms, it.pedal_hat_ms
        )?;
    }
    out += "algorithms\n";
    for algorithm in &all.algorithms {
        writeln!(out, "  {:24} {}", algorithm.name, algorithm.what)?;
    }
    Ok(out)
}
