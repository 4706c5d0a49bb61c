//! The results as one Markdown table.

use std::fmt::Write;

use crate::engine::{Effects, Engine};
use crate::likeness::Likeness;
use crate::sound::OnsetError;

/// One song through one engine.
pub struct Row {
    /// The song's name.
    pub song: String,
    /// Whether reverb and chorus were on.
    pub effects: Effects,
    /// Who rendered it.
    pub engine: Engine,
    /// Processor time of the whole run, in seconds; of several runs the least.
    pub cpu: f64,
    /// Processor time of loading alone, where it can be told.
    pub loading: Option<f64>,
    /// Peak Pss in MiB.
    pub pss: f64,
    /// Voices times frames, where they are counted.
    pub voice_samples: Option<u64>,
    /// Against FluidSynth.
    pub likeness: Option<Likeness>,
    /// Of the song of strokes.
    pub onset: Option<OnsetError>,
}

impl Row {
    fn net(&self) -> f64 {
        self.cpu - self.loading.unwrap_or(0.0)
    }
}

/// Voice-samples of FluidSynth and KmiDi may differ by this much.
const SAME_VOICES: f64 = 0.01;

const HEADINGS: [&str; 14] = [
    "song",
    "effects",
    "engine",
    "CPU s",
    "loading s",
    "net s",
    "net ÷ KmiDi",
    "CPU ÷ KmiDi",
    "peak Pss MiB",
    "Pss ÷ KmiDi",
    "voice-samples M (÷ KmiDi)",
    "worst band dB",
    "envelope",
    "onset offset; error median, worst",
];

/// The first lines of the table.
pub fn heading() -> String {
    line(&HEADINGS.map(str::to_owned)) + &line(&HEADINGS.map(|_| "---".to_owned()))
}

/// The lines of whole songs.
pub fn body(rows: &[Row]) -> String {
    let own = |row: &Row| {
        let same = |other: &&Row| other.song == row.song && other.effects == row.effects;
        rows.iter().filter(same).find(|other| other.engine == Engine::KmiDi)
    };
    rows.iter().map(|row| line(&cells(row, own(row)))).collect()
}

/// The last lines: the sums of all songs.
pub fn totals(rows: &[Row]) -> String {
    body(&sums(rows))
}

fn line(cells: &[String; 14]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

fn cells(row: &Row, own: Option<&Row>) -> [String; 14] {
    let ratio = |value: fn(&Row) -> f64| or_dash(own.map(|own| format!("{:.2}", value(row) / value(own))));
    let onset = row.onset.as_ref().map(|onset| {
        let heard = format!("{:+}; {}, {}", onset.offset, onset.median, onset.worst);
        if onset.missing > 0 { format!("{heard} ({} not heard)", onset.missing) } else { heard }
    });
    [
        row.song.clone(),
        row.effects.name().to_owned(),
        row.engine.name().to_owned(),
        format!("{:.2}", row.cpu),
        or_dash(row.loading.map(|loading| format!("{loading:.2}"))),
        format!("{:.2}", row.net()),
        ratio(Row::net),
        ratio(|row| row.cpu),
        format!("{:.1}", row.pss),
        ratio(|row| row.pss),
        voices(row, own),
        or_dash(row.likeness.as_ref().map(|it| format!("{:.2}", it.worst_band_db()))),
        or_dash(row.likeness.as_ref().map(|it| format!("{:.3}", it.envelope))),
        or_dash(onset),
    ]
}

fn or_dash(cell: Option<String>) -> String {
    cell.unwrap_or_else(|| "–".to_owned())
}

/// Voice-samples; FluidSynth's beside KmiDi's: where they are not the same, the engines did not do
/// the same work.
fn voices(row: &Row, own: Option<&Row>) -> String {
    let counted = matches!(row.engine, Engine::KmiDi | Engine::FluidSynth);
    let Some(samples) = row.voice_samples.filter(|_| counted) else {
        return if counted { "n/a".to_owned() } else { "–".to_owned() };
    };
    let mut text = format!("{:.1}", samples as f64 / 1e6);
    if row.engine == Engine::FluidSynth {
        match own.and_then(|own| own.voice_samples) {
            Some(own) if own > 0 => {
                let ratio = samples as f64 / own as f64;
                let verdict = if (ratio - 1.0).abs() > SAME_VOICES { ", **void**" } else { "" };
                write!(text, " ({ratio:.4}{verdict})").expect("a string takes any text");
            }
            _ => text += " (n/a)",
        }
    }
    text
}

/// All songs together, per engine, dry and wet.
fn sums(rows: &[Row]) -> Vec<Row> {
    let mut sums: Vec<Row> = Vec::new();
    // The strokes are there for their time alone.
    for row in rows.iter().filter(|row| row.onset.is_none()) {
        match sums.iter_mut().find(|sum| sum.engine == row.engine && sum.effects == row.effects) {
            Some(sum) => {
                sum.cpu += row.cpu;
                sum.loading = sum.loading.zip(row.loading).map(|(a, b)| a + b);
                sum.pss = sum.pss.max(row.pss);
            }
            None => sums.push(Row {
                song: "all".to_owned(),
                voice_samples: None,
                likeness: None,
                onset: None,
                ..*row
            }),
        }
    }
    sums
}
