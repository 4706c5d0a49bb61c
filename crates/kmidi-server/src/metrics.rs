//! The figures. What is not known is left out.

use std::collections::BTreeMap;

use kmidi_memory::{BudgetStatus, Domain};
use kmidi_session::PlayState;
use kmidi_sys::SystemMemory;

use crate::exposition::Exposition;
use crate::exposition::Kind::{Counter, Gauge};
use crate::source::Playing;

/// What the text is made from.
pub struct Figures {
    pub memory: kmidi_memory::Snapshot,
    pub system: Option<SystemMemory>,
    pub playing: Option<Playing>,
    pub answers: BTreeMap<(String, u16), u64>,
}

/// All figures in the text format.
pub fn text(figures: &Figures) -> String {
    let mut text = Exposition::default();
    if let Some(system) = &figures.system {
        write_system(&mut text, system);
    }
    write_process(&mut text, &figures.memory);
    write_budgets(&mut text, &figures.memory);
    write_realtime(&mut text, figures);
    if let Some(playing) = &figures.playing {
        write_playing(&mut text, &playing.snapshot);
    }
    write_answers(&mut text, &figures.answers);
    text.finish()
}

fn write_system(text: &mut Exposition, system: &SystemMemory) {
    let SystemMemory { total_bytes, available_bytes } = *system;
    let used = 100.0 * (1.0 - available_bytes as f64 / total_bytes.max(1) as f64);
    text.family(
        "kmidi_api_system_memory_percent",
        Gauge,
        "Memory of the machine in use by all programs, in percent.",
    )
    .sample(&[], used);
    text.family(
        "kmidi_api_system_memory_available_bytes",
        Gauge,
        "Memory of the machine that programs can have without others being swapped out.",
    )
    .sample(&[], available_bytes);
}

fn write_process(text: &mut Exposition, memory: &kmidi_memory::Snapshot) {
    let process = &memory.process;
    let kinds = [
        ("anon", process.rss_anon_bytes),
        ("file", process.rss_file_bytes),
        ("shmem", process.rss_shmem_bytes),
    ];
    text.family(
        "process_resident_memory_bytes",
        Gauge,
        "Memory of the process that is in RAM, mapped files included.",
    )
    .sample(&[], kinds.iter().map(|(_, bytes)| bytes).sum::<u64>());
    text.family(
        "kmidi_process_rss_bytes",
        Gauge,
        "The same by kind: anon (heaps and stacks), file (code above all), shmem.",
    );
    for (kind, bytes) in kinds {
        text.sample(&[("kind", kind)], bytes);
    }
}

fn write_budgets(text: &mut Exposition, memory: &kmidi_memory::Snapshot) {
    text.family(
        "kmidi_memory_bytes",
        Gauge,
        "Memory by domain: live (in use), peak (the most that was), promised (by leases, on top of live), limit \
         (the budget; the program itself has none).",
    );
    let of_domains = memory.domains.iter().map(|it| (it.domain.name(), it.budget, it.peak_bytes));
    for (domain, budget, peak) in of_domains.chain([("total", memory.total, memory.total_peak_bytes)]) {
        let BudgetStatus { live_bytes, promised_bytes, limit_bytes, .. } = budget;
        let mut sample = |kind, bytes: u64| {
            text.sample(&[("domain", domain), ("kind", kind)], bytes);
        };
        sample("live", live_bytes);
        sample("peak", peak);
        sample("promised", promised_bytes);
        if domain != Domain::Program.name() {
            sample("limit", limit_bytes);
        }
    }
    text.family("kmidi_memory_leases_refused_total", Counter, "Leases on memory that were refused.");
    for it in &memory.domains {
        text.sample(&[("domain", it.domain.name())], it.budget.refused);
    }
    text.family(
        "kmidi_memory_pressure",
        Gauge,
        "How short memory is: 0 not, 1 alert, 2 cleanup, 3 critical.",
    )
    .sample(&[], memory.pressure as u32);
    text.family(
        "kmidi_audio_heap_bytes",
        Gauge,
        "The audio callback's region: reserved (addresses), populated (pages that are there), highest (end of \
         the highest block so far).",
    );
    let region = &memory.region;
    for (kind, bytes) in [
        ("reserved", region.reserved_bytes),
        ("populated", region.populated_bytes),
        ("highest", region.highest_bytes),
    ] {
        text.sample(&[("kind", kind)], bytes as u64);
    }
    text.family("kmidi_audio_heap_spills_total", Counter, "Blocks that did not fit into that region.")
        .sample(&[], region.spills);
}

/// What the audio callback did; before there is one it did nothing.
fn write_realtime(text: &mut Exposition, figures: &Figures) {
    let violations = &figures.memory.violations;
    text.family(
        "kmidi_rt_violations_total",
        Counter,
        "What the audio callback did that it must not do, by class.",
    )
    .sample(&[("class", "allocation")], violations.allocations)
    .sample(&[("class", "free")], violations.frees);
    let output = figures.playing.as_ref().map(|playing| &playing.snapshot.output);
    if let Some(faults) = output.map_or(Some(0), |output| output.page_faults) {
        text.family(
            "kmidi_rt_page_faults_total",
            Counter,
            "Page faults of the threads that call the engine, from their first callback on (which warms up).",
        )
        .sample(&[], faults);
    }
    text.family("kmidi_rt_xruns_total", Counter, "Periods of the audio device that came too late.")
        .sample(&[], output.map_or(0, |output| output.xruns));
}

fn write_playing(text: &mut Exposition, now: &kmidi_session::Snapshot) {
    let is_playing = u32::from(now.state == PlayState::Playing);
    text.family("kmidi_playing", Gauge, "Whether song time runs.").sample(&[], is_playing);
    text.family(
        "kmidi_audio_load_ratio",
        Gauge,
        "Part of the period that the audio callback needs, over about a second; 1 is all of it.",
    )
    .sample(&[], f64::from(now.output.dsp_load));
    text.family("kmidi_voices", Gauge, "Voices that sound.").sample(&[], now.synth.voices);
    text.family("kmidi_voices_limit", Gauge, "Voices that can sound.").sample(&[], now.synth.polyphony);
    text.family("kmidi_voices_stolen_total", Counter, "Voices cut short for new ones.")
        .sample(&[], now.synth.stolen_voices);
    if let Some(song) = &now.song {
        text.family("kmidi_song_position_seconds", Gauge, "Where the song stands, at its written tempo.")
            .sample(&[], now.position.seconds);
        text.family("kmidi_song_duration_seconds", Gauge, "Length of the song, at its written tempo.")
            .sample(&[], song.duration_seconds);
        text.family("kmidi_song_number", Gauge, "Place of the song in the playlist, from 1.")
            .sample(&[], song.number as u64);
    }
    let losses = &now.losses;
    text.family("kmidi_losses_total", Counter, "What was lost while playing, by kind.");
    for (kind, count) in [
        ("events", losses.dropped_events),
        ("notes_off_the_keyboard", losses.notes_off_the_keyboard),
        ("waits_for_the_file", losses.starvations),
        ("nodes_muted", losses.guard_trips),
    ] {
        text.sample(&[("kind", kind)], count);
    }
}

fn write_answers(text: &mut Exposition, answers: &BTreeMap<(String, u16), u64>) {
    text.family("kmidi_http_requests_total", Counter, "Requests answered, by route and status.");
    for ((path, code), count) in answers {
        text.sample(&[("path", path), ("code", &code.to_string())], *count);
    }
}
