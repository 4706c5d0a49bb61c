//! What `kmidi plugin` prints for people.

use std::fmt::Write;

use kmidi_session::certify::{Certificate, Grade};
use kmidi_session::plugins::{
    AudioPort, Description, EventPort, Kind, Parameter, PortRole, Preset, ScanSummary,
};

use super::{Failed, Row};
use crate::commands::certify::text as certified;

type Text = Result<String, std::fmt::Error>;

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Instrument => "instrument",
        Kind::Effect => "effect",
        Kind::NoteEffect => "note effect",
        Kind::Analyzer => "analyzer",
    }
}

pub fn scan(summary: &ScanSummary, plugins: usize, failures: &[Failed<'_>]) -> Text {
    let mut out = String::new();
    let ScanSummary { scanned, unchanged, removed, .. } = summary;
    writeln!(out, "{plugins} plugins; {scanned} files asked, {unchanged} unchanged, {removed} gone")?;
    if !failures.is_empty() {
        writeln!(out, "{} cannot be used:", failures.len())?;
        out += &self::failures(failures)?;
    }
    Ok(out)
}

pub fn failures(failures: &[Failed<'_>]) -> Text {
    let mut out = String::new();
    for Failed { path, failure } in failures {
        match &failure.id {
            Some(id) => writeln!(out, "  {id} in {}: {}", path.display(), failure.reason)?,
            None => writeln!(out, "  {}: {}", path.display(), failure.reason)?,
        }
    }
    Ok(out)
}

pub fn list(rows: &[Row<'_>]) -> Text {
    let mut out = String::new();
    let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0).min(40);
    for row in rows {
        let grade = row.grade.map_or("-", Grade::name);
        writeln!(out, "{:width$}  {:<11}  {grade:<5}  {}", row.name, kind(row.kind), row.id)?;
    }
    Ok(out)
}

pub fn info(description: &Description) -> Text {
    let mut out = String::new();
    writeln!(out, "{}", description.name)?;
    writeln!(out, "  id          {}", description.id)?;
    for (what, value) in [("vendor", &description.vendor), ("version", &description.version)] {
        if !value.is_empty() {
            writeln!(out, "  {what:<10}  {value}")?;
        }
    }
    writeln!(out, "  kind        {}", kind(description.kind))?;
    if !description.tags.is_empty() {
        writeln!(out, "  tags        {}", description.tags.join(", "))?;
    }
    writeln!(out, "  file        {}", description.path.display())?;
    let audio = [("audio in", &description.audio_inputs), ("audio out", &description.audio_outputs)];
    for (what, port) in audio.into_iter().flat_map(|(what, ports)| ports.iter().map(move |port| (what, port)))
    {
        writeln!(out, "  {what:<10}  {}", audio_port(port))?;
    }
    let events = [("events in", &description.event_inputs), ("events out", &description.event_outputs)];
    for (what, port) in
        events.into_iter().flat_map(|(what, ports)| ports.iter().map(move |port| (what, port)))
    {
        let EventPort { name, midi } = port;
        writeln!(out, "  {what:<10}  {name}{}", if *midi { "" } else { " (no notes)" })?;
    }
    let shown: Vec<_> = description.parameters.iter().filter(|parameter| !parameter.is_hidden).collect();
    writeln!(out, "  parameters  {}", shown.len())?;
    let width = shown.iter().map(|it| it.symbol.chars().count()).max().unwrap_or(0).min(32);
    for parameter in &shown {
        writeln!(out, "    {:width$}  {}", parameter.symbol, range(parameter))?;
    }
    if shown.iter().any(|parameter| parameter.is_part) {
        writeln!(
            out,
            "    of its range: 0 is its lowest value and 1 its highest, whatever the plugin shows; what it shows can be"
        )?;
        writeln!(out, "    written too (-c PARAMETER=\"-3 dB\")")?;
    }
    Ok(out)
}

/// The grade, the memory and what each phase found; how to get these where there is no certificate.
pub fn certificate(certificate: Option<&Certificate>) -> Text {
    let mut out = String::new();
    let Some(certificate) = certificate else {
        writeln!(out, "  grade       not certified (kmidi certify)")?;
        return Ok(out);
    };
    writeln!(out, "  grade       {} at level {}", certificate.grade.name(), certificate.level)?;
    if let Some(reason) = certificate.reasons.first() {
        writeln!(out, "              {}", certified::in_short(reason))?;
    }
    writeln!(
        out,
        "  memory      {} KiB when it is loaded and activated",
        certificate.resting_bytes() / 1024
    )?;
    out += &certified::phases(certificate)?;
    Ok(out)
}

pub fn presets(presets: &[Preset]) -> Text {
    let mut out = String::new();
    for Preset { key, name } in presets {
        writeln!(out, "{name}  ({key})")?;
    }
    Ok(out)
}

fn audio_port(port: &AudioPort) -> String {
    let role = match port.role {
        PortRole::Main => "",
        PortRole::SideChain => ", side chain",
        PortRole::Aux => ", further",
        PortRole::Cv => ", control voltage",
    };
    let channels = match port.channels {
        1 => "mono".to_owned(),
        2 => "stereo".to_owned(),
        channels => format!("{channels} channels"),
    };
    format!("{} ({channels}{role})", port.name)
}

fn range(parameter: &Parameter) -> String {
    let Parameter { name, min, max, default, unit, .. } = parameter;
    let unit = match (parameter.is_part, unit.as_str()) {
        (true, "") => " of its range".to_owned(),
        (true, unit) => format!(" of its range in {unit}"),
        (false, "") => String::new(),
        (false, unit) => format!(" {unit}"),
    };
    let number = |value: &f64| format!("{}", (value * 1e4).round() / 1e4);
    let mut text = format!("{name}: {} to {}{unit}, {}", number(min), number(max), number(default));
    if parameter.is_output {
        text += ", shown only";
    }
    if !parameter.choices.is_empty() {
        let choices: Vec<_> = parameter.choices.iter().map(|(_, name)| name.as_str()).collect();
        text += &format!(" [{}]", choices.join(" | "));
    }
    text
}
