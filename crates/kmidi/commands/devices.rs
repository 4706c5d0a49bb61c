use std::fmt::Write;

use anyhow::Result;
use kmidi_session::BackendInfo;
use serde::Serialize;

use crate::cli::Devices;
use crate::output::{print, print_json};

#[derive(Serialize)]
struct Report {
    backends: Vec<BackendInfo>,
}

pub fn run(args: Devices) -> Result<()> {
    let report = Report { backends: kmidi_session::list_devices() };
    if args.json { print_json(&report) } else { print(text(&report)?.as_bytes()) }
}

fn text(report: &Report) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    for info in &report.backends {
        match &info.unavailable {
            Some(reason) => writeln!(out, "{}: not available: {reason}", info.backend)?,
            None => writeln!(out, "{}", info.backend)?,
        }
        for device in &info.devices {
            let rate = device.sample_rate_hz.map_or(String::new(), |rate| format!(", {rate} Hz"));
            let channels = device.channels.map_or(String::new(), |count| format!(", {count} channels"));
            let default = if device.is_default { ", default" } else { "" };
            writeln!(out, "  --device {:?}  {}{rate}{channels}{default}", device.id, device.name)?;
        }
        for port in &info.midi_inputs {
            writeln!(out, "  --midi-in {port:?}")?;
        }
        for port in &info.midi_outputs {
            writeln!(out, "  --midi-out {port:?}")?;
        }
        if let Some(reason) = &info.midi_unavailable {
            writeln!(out, "  no MIDI ports: {reason}")?;
        }
    }
    Ok(out)
}
