//! Whether a plugin is after a restart what it was before: states and presets.

use std::io;

use super::plan::{Phase, Random};
use super::repeats::{first_difference, sound_of};
use super::report::{PhaseReport, Violation};
use super::stimulus::value_at;
use super::trial::{Trial, settable};
use crate::{Format, Parameter, Plugin, State, StateError};

/// By so much of its range a value may differ: some plugins keep theirs as text.
const TOLERANCE: f64 = 1e-3;
/// The first id of a property of LV2 ([`Parameter::id`]).
const FIRST_PROPERTY: u32 = 1 << 31;
/// Values that are named.
const MAX_NAMED: usize = 4;

/// The state phase; gives the plugin back.
pub(super) fn run(trial: &mut Trial<'_>, mut plugin: Plugin) -> io::Result<Plugin> {
    if !trial.plan.has(Phase::State) {
        return Ok(plugin);
    }
    trial.begin(Phase::State)?;
    let mut random = Random::new(trial.plan.seed ^ 0x57a7e);
    let (mut report, saved) = trial.counted(Phase::State, || set_and_save(&mut plugin, &mut random));
    match saved {
        Ok(state) => {
            let before = values(&plugin);
            disturb(&mut plugin, &mut random);
            match plugin.restore(&state) {
                Ok(()) => compare(&mut report, "the same instance", &plugin, &before),
                Err(error) => report.fail(Violation::State, error.to_string()),
            }
            report.notes.push(format!("{} bytes", state.data.len()));
            fresh(trial, &mut report, &state, &before)?;
        }
        Err(StateError::None { .. }) => report.notes.push("it has no state to save".to_owned()),
        Err(error) => report.fail(Violation::State, error.to_string()),
    }
    trial.done(report)?;
    Ok(plugin)
}

/// Sets all parameters anywhere, and saves.
fn set_and_save(plugin: &mut Plugin, random: &mut Random) -> Result<State, StateError> {
    disturb(plugin, random);
    plugin.save()
}

fn disturb(plugin: &mut Plugin, random: &mut Random) {
    for parameter in settable(plugin.description()) {
        if !parameter.is_bypass {
            plugin.set_value(parameter.id, value_at(&parameter, random.unit()));
        }
    }
}

/// A parameter and its value.
struct Known {
    id: u32,
    name: String,
    range: f64,
    value: Option<f64>,
}

/// All values that a host can know: a property of LV2 is told by the plugin when it likes.
fn values(plugin: &Plugin) -> Vec<Known> {
    let is_lv2 = plugin.description().id.format == Format::Lv2;
    let known = settable(plugin.description()).into_iter().filter(|it| !is_lv2 || it.id < FIRST_PROPERTY);
    let value =
        |Parameter { id, name, min, max, .. }| Known { id, name, range: max - min, value: plugin.value(id) };
    known.map(value).collect()
}

fn compare(report: &mut PhaseReport, which: &str, plugin: &Plugin, before: &[Known]) {
    let now = values(plugin);
    let differs = |(before, now): &(&Known, &Known)| match (before.value, now.value) {
        (Some(one), Some(other)) => (one - other).abs() > before.range * TOLERANCE,
        (None, None) => false,
        _ => true,
    };
    let different: Vec<_> = before.iter().zip(&now).filter(differs).collect();
    if !different.is_empty() {
        let named = different.iter().take(MAX_NAMED).map(|(before, now)| {
            let shown = |value: Option<f64>| value.map_or("none".to_owned(), |value| format!("{value:.4}"));
            format!("{} was {} and is {}", before.name, shown(before.value), shown(now.value))
        });
        let named = named.collect::<Vec<_>>().join(", ");
        let count = different.len();
        report.fail(
            Violation::State,
            format!("{count} of {} values are not restored in {which}: {named}", now.len()),
        );
    }
}

/// The state in instances that know nothing: their values, and whether they sound alike.
fn fresh(trial: &mut Trial<'_>, report: &mut PhaseReport, state: &State, before: &[Known]) -> io::Result<()> {
    let mut sounds = Vec::new();
    for _ in 0..2 {
        let mut other = match trial.load() {
            Ok(other) => other,
            Err(error) => {
                report.fail(Violation::NotLoadable, error.to_string());
                return Ok(());
            }
        };
        if let Err(error) = other.restore(state) {
            report.fail(Violation::State, error.to_string());
            return Ok(());
        }
        trial.alive()?;
        if sounds.is_empty() {
            compare(report, "a fresh instance", &other, before);
            match other.save() {
                Ok(again) if again == *state => report.notes.push("saved again: the same bytes".to_owned()),
                Ok(again) => report.fail(
                    Violation::State,
                    format!(
                        "restored and saved again it has {} other bytes of {}",
                        different_bytes(&state.data, &again.data),
                        state.data.len()
                    ),
                ),
                Err(error) => report.fail(Violation::State, error.to_string()),
            }
        }
        match sound_of(trial, other, Phase::State)? {
            Ok((_, _, sound)) => sounds.push(sound),
            Err((_, why)) => {
                report.fail(Violation::Activation, why);
                return Ok(());
            }
        }
    }
    let original = set_alike(trial, before)?;
    if first_difference(&sounds[0], &sounds[1]).is_some() {
        report.notes.push("random: sound not compared".to_owned());
    } else if let Some(original) = original {
        match first_difference(&original, &sounds[0]) {
            None => report.notes.push("restored: the same sound".to_owned()),
            Some(at) => report.notes.push(format!("restored: other sound from sample {at} on")),
        }
    }
    Ok(())
}

fn different_bytes(one: &[u8], other: &[u8]) -> usize {
    let differ = one.iter().zip(other).filter(|(one, other)| one != other).count();
    differ + one.len().abs_diff(other.len())
}

/// What an instance sounds like that was set by hand as the saved one was.
fn set_alike(trial: &mut Trial<'_>, before: &[Known]) -> io::Result<Option<Vec<f32>>> {
    let Ok(mut plugin) = trial.load() else { return Ok(None) };
    let known = before.iter().filter_map(|it| Some((it.id, it.value?)));
    known.for_each(|(id, value)| plugin.set_value(id, value));
    Ok(sound_of(trial, plugin, Phase::State)?.ok().map(|(_, _, sound)| sound))
}

/// The presets phase; gives the plugin back.
pub(super) fn run_presets(trial: &mut Trial<'_>, mut plugin: Plugin) -> io::Result<Plugin> {
    if !trial.plan.has(Phase::Presets) {
        return Ok(plugin);
    }
    trial.begin(Phase::Presets)?;
    let (mut report, presets) = trial.counted(Phase::Presets, || plugin.presets());
    report.notes.push(format!("{} presets", presets.len()));
    for preset in presets.iter().take(trial.plan.level.presets()) {
        trial.alive()?;
        if let Err(error) = plugin.load_preset(&preset.key) {
            report.fail(Violation::Preset, format!("{}: {error}", preset.name));
            continue;
        }
        match sound_of(trial, plugin, Phase::Presets)? {
            Ok((back, own, _)) => {
                plugin = back;
                add_sound(&mut report, &own);
            }
            Err((back, why)) => {
                plugin = *back;
                report.fail(Violation::Activation, format!("{}: {why}", preset.name));
            }
        }
    }
    trial.done(report)?;
    Ok(plugin)
}

/// Adds the blocks of one preset to those of all.
fn add_sound(all: &mut PhaseReport, own: &PhaseReport) {
    let before = all.blocks;
    all.blocks += own.blocks;
    all.block_frames = own.block_frames;
    for (into, from) in [
        (&mut all.sound.not_a_number, own.sound.not_a_number),
        (&mut all.sound.infinite, own.sound.infinite),
        (&mut all.sound.denormal, own.sound.denormal),
        (&mut all.sound.over_level, own.sound.over_level),
    ] {
        into.add(from.count, before + from.first_block.unwrap_or(0));
    }
    all.sound.peak = all.sound.peak.max(own.sound.peak);
}
