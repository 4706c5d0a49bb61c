use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use indicatif::ProgressBar;
use kmidi_memory::Budgets;
use kmidi_session::{
    Cancel, OnProgress, RackConfig, RenderError, RenderProgress, RenderReport, RenderRequest, SILENCE_DBFS,
    Tail,
};

use crate::cli::Render;
use crate::commands::{progress_bar, sort_files, sound_settings, warn_of_grades};
use crate::exit::{Interrupted, Unreadable, on_signals};
use crate::output::print_json;
use crate::screens::player::clock;
use crate::trace_flag::Entry;

pub fn run(args: Render, entry: &mut Entry) -> Result<ExitCode> {
    let json = args.sound.json;
    let memory = args.sound.memory.start(|line| eprintln!("kmidi: {line}"))?;
    let request = request(args, memory.budgets.clone())?;
    warn_of_grades(request.rack.plugins.iter().map(|plugin| &plugin.choice));
    let cancel = Cancel::default();
    let interrupted = cancel.clone();
    on_signals(move || interrupted.cancel())?;
    let bar = progress_bar();
    let shown = bar.clone();
    let on_progress: OnProgress = Arc::new(move |progress| show(&shown, progress));
    let result = kmidi_session::render(&request, &cancel, &on_progress);
    bar.finish_and_clear();
    let report = result.map_err(error)?;
    note(&report, entry);
    tell(&report);
    if json {
        print_json(&report)?;
    }
    let differs = report.verify.as_ref().is_some_and(|verify| !verify.identical);
    Ok(if differs { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn request(args: Render, budgets: Budgets) -> Result<RenderRequest> {
    let (mut songs, sound_fonts) = sort_files(&args.files, &args.sound.sf)?;
    let (Some(song), true) = (songs.pop(), songs.is_empty()) else {
        let font =
            sound_fonts.last().and_then(|font| font.file.as_ref()).filter(|font| args.files.contains(font));
        let font = font.map_or(String::new(), |font| format!("; {} is a SoundFont", font.display()));
        return Err(Unreadable(anyhow!("render takes one MIDI file{font}")).into());
    };
    if args.output.is_none() && !args.verify && !args.loudness && args.stems.is_none() {
        let error = anyhow!("--output FILE is missing (or --verify, --loudness or --stems, which need none)");
        return Err(Unreadable(error).into());
    }
    Ok(RenderRequest {
        song,
        sound_fonts,
        output: args.output,
        format: args.bits.into(),
        sample_rate_hz: args.rate,
        quantum_frames: args.quantum,
        sound: sound_settings(&args.sound),
        rack: RackConfig { plugins: args.rack.checked()?, ..RackConfig::default() },
        from: args.sound.from,
        to: args.sound.to,
        tail: args.tail.map_or(Tail::default(), Tail::Seconds),
        stems: args.stems,
        loudness: args.loudness,
        verify: args.verify,
        budgets,
    })
}

fn error(error: RenderError) -> anyhow::Error {
    match error {
        RenderError::Cancelled => Interrupted.into(),
        error if error.is_unreadable_input() => Unreadable(error.into()).into(),
        error => error.into(),
    }
}

fn show(bar: &ProgressBar, progress: RenderProgress) {
    let (what, done) = match progress {
        RenderProgress::Opening(done) => ("opening", done),
        RenderProgress::Rendering(done) => ("rendering", done),
        RenderProgress::Stems(done) => ("stems", done),
        RenderProgress::Verifying(done) => ("verifying", done),
    };
    if bar.message() != what {
        bar.set_message(what);
    }
    bar.set_position((done * 1000.0) as u64);
}

/// What happened, for the log.
fn note(report: &RenderReport, entry: &mut Entry) {
    entry.param("sample_rate_hz", report.sample_rate_hz);
    entry.param("quantum_frames", report.quantum_frames);
    for (name, value) in [
        ("duration_seconds", report.duration_seconds),
        ("peak_dbfs", report.peak_dbfs.into()),
        ("speed", report.speed),
        ("most_voices", report.most_voices.into()),
        ("warnings", (report.warnings.len() + report.missing_sounds.len()) as f64),
    ] {
        entry.metric(name, value);
    }
}

/// What happened, for people: on stderr.
fn tell(report: &RenderReport) {
    for warning in &report.warnings {
        eprintln!("kmidi: warning: {}: {warning}", report.song);
    }
    for text in &report.messages {
        eprintln!("kmidi: {text}");
    }
    for text in &report.missing_sounds {
        eprintln!("kmidi: warning: {text}");
    }
    for (count, what) in [
        (report.stolen_voices, "notes were cut short for new ones: raise --polyphony"),
        (report.dropped_events, "events were dropped: too many at once"),
        (report.notes_off_the_keyboard, "notes were transposed beyond the keyboard and are not heard"),
        (report.guard_trips, "times a node was muted for sending what is no sound"),
    ] {
        if count > 0 {
            eprintln!("kmidi: warning: {count} {what}");
        }
    }
    if report.limited_frames > 0 {
        eprintln!(
            "kmidi: warning: {} frames were too loud (up to {:+.1} dBFS) and were lowered: lower the --gain, or use --bits 32f",
            report.limited_frames, report.peak_dbfs
        );
    }
    if report.peak_dbfs <= SILENCE_DBFS {
        eprintln!("kmidi: warning: nothing sounds: see --mute, --solo, --from and --to, and `kmidi info`");
    }
    if let Some(output) = &report.output {
        eprintln!(
            "kmidi: wrote {}: {}, peak {:.1} dBFS, {:.0} times faster than real time",
            output.display(),
            clock(report.duration_seconds),
            report.peak_dbfs,
            report.speed
        );
    }
    if let Some(stems) = &report.stems {
        eprintln!("kmidi: wrote {} stems", stems.len());
    }
    if let Some(loudness) = &report.loudness {
        let integrated = loudness.integrated_lufs.map_or("silence".into(), |lufs| format!("{lufs:.1} LUFS"));
        eprintln!(
            "kmidi: loudness {integrated}, range {:.1} LU, true peak {:.1} dBTP",
            loudness.range_lu, loudness.true_peak_dbtp
        );
    }
    if let Some(verify) = &report.verify {
        match verify.first_difference {
            None => eprintln!("kmidi: every bit is the same for every callback size"),
            Some(difference) => eprintln!(
                "kmidi: error: differs from frame {} on (channel {}) through callbacks of {} frames{}",
                difference.frame,
                difference.channel + 1,
                difference.callback_size.map_or("random".into(), |size| size.to_string()),
                verify.plugin.as_ref().map_or(String::new(), |plugin| format!(
                    ": {plugin} does not sound the same twice; without it, and what stands behind it, all is the same"
                ))
            ),
        }
    }
}
