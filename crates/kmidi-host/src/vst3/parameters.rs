//! The parameters of a plugin as people are shown them. `[side B]`

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ::vst3::Steinberg::Vst::ParameterInfo;
use ::vst3::Steinberg::Vst::ParameterInfo_::ParameterFlags_::{
    kCanAutomate, kIsBypass, kIsHidden, kIsList, kIsProgramChange, kIsReadOnly,
};

use super::controller::{Controller, Unit};
use super::exchange::normalised;
use super::limits::{MAX_CHOICES, MAX_UNIT_DEPTH};
use super::midi_map::{MidiMap, ProgramParameter};
use super::range::Range;
use super::text::from_utf16;
use crate::Parameter;

/// So many parameters moved by controllers of MIDI are not meant for people: they stand for each controller of each
/// channel.
const DENSE_MIDI_MAP: usize = 1024;

/// What a controller says of its parameters.
#[derive(Default)]
pub struct Parameters {
    /// Those meant for people.
    pub shown: Vec<Parameter>,
    /// Ids of all.
    pub ids: Vec<u32>,
    /// What people count in, of those that are shown.
    pub ranges: BTreeMap<u32, Range>,
    /// How controllers of MIDI get in.
    pub midi: Arc<MidiMap>,
    /// Those that choose programs.
    pub programs: Vec<ProgramParameter>,
}

impl Parameters {
    /// Asks the controller.
    pub fn read(controller: &Controller, event_inputs: usize) -> Self {
        let infos = controller.parameters();
        let units = controller.units();
        let programs: Vec<_> = infos.iter().filter_map(program_parameter).collect();
        let midi = MidiMap::read(controller, event_inputs, &programs);
        let mapped = midi.parameters();
        let mut seen = BTreeSet::new();
        let mut symbols = BTreeMap::new();
        let shown: Vec<_> = infos
            .iter()
            .filter(|info| !is_pseudo(info, &mapped) && seen.insert(info.id))
            .map(|info| parameter(controller, info, &units, &mut symbols))
            .collect();
        let ranges = shown.iter().map(|it| (it.id, Range { min: it.min, max: it.max })).collect();
        let ids = infos.iter().map(|info| info.id).collect();
        Parameters { shown, ids, ranges, midi: Arc::new(midi), programs }
    }
}

fn program_parameter(info: &ParameterInfo) -> Option<ProgramParameter> {
    let steps = u32::try_from(info.stepCount).unwrap_or(0);
    let is_program = info.flags & kIsProgramChange != 0;
    is_program.then_some(ProgramParameter { id: info.id, unit: info.unitId, steps })
}

/// Whether it merely stands for a controller of MIDI. A parameter for people may be moved by one too; then it is neither
/// hidden nor closed to automation, nor one of a table of thousands.
fn is_pseudo(info: &ParameterInfo, mapped: &BTreeSet<u32>) -> bool {
    let out_of_sight = info.flags & kIsHidden != 0 || info.flags & kCanAutomate == 0;
    mapped.contains(&info.id) && (out_of_sight || mapped.len() >= DENSE_MIDI_MAP)
}

fn parameter(
    controller: &Controller,
    info: &ParameterInfo,
    units: &[Unit],
    symbols: &mut BTreeMap<String, u32>,
) -> Parameter {
    let name = from_utf16(&info.title);
    let steps = u32::try_from(info.stepCount).unwrap_or(0);
    let has = |flag| info.flags & flag != 0;
    let found = Range::read(controller, info.id, steps);
    let range = found.unwrap_or(Range::NORMALISED);
    let default = normalised(info.defaultNormalizedValue).unwrap_or(0.0);
    Parameter {
        id: info.id,
        symbol: symbol(&name, symbols),
        group: group(info.unitId, units),
        unit: from_utf16(&info.units),
        min: range.min,
        max: range.max,
        default: range.plain(default),
        steps,
        choices: if has(kIsList) { choices(controller, info.id, steps, range) } else { Vec::new() },
        is_part: found.is_none_or(|range| range == Range::NORMALISED && !shows_it(controller, info)),
        is_output: has(kIsReadOnly),
        is_hidden: has(kIsHidden),
        is_bypass: has(kIsBypass),
        name,
    }
}

/// Whether 0 and 1 are what the plugin shows for them, or it merely has no numbers of its own.
fn shows_it(controller: &Controller, info: &ParameterInfo) -> bool {
    let shows = |value: f64| {
        let text = controller.text_of(info.id, value);
        text.is_some_and(|text| text.trim().parse() == Ok(value))
    };
    info.stepCount == 1 || shows(0.0) && shows(1.0)
}

fn choices(controller: &Controller, id: u32, steps: u32, range: Range) -> Vec<(f64, String)> {
    if steps == 0 || steps as usize >= MAX_CHOICES {
        return Vec::new();
    }
    let value = |step| f64::from(step) / f64::from(steps);
    let choice = |step| Some((range.plain(value(step)), controller.text_of(id, value(step))?));
    (0..=steps).filter_map(choice).collect()
}

/// Letters and digits of the name in lower case, `_` between; a number behind it where that is not unique.
fn symbol(name: &str, taken: &mut BTreeMap<String, u32>) -> String {
    let words: Vec<&str> =
        name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|it| !it.is_empty()).collect();
    let mut base = words.join("_").to_ascii_lowercase();
    if base.is_empty() || base.starts_with(|c: char| c.is_ascii_digit()) {
        base.insert(0, 'p');
    }
    if !taken.contains_key(&base) {
        taken.insert(base.clone(), 1);
        return base;
    }
    loop {
        let count = taken.entry(base.clone()).or_insert(1);
        *count += 1;
        let numbered = format!("{base}_{count}");
        if !taken.contains_key(&numbered) {
            taken.insert(numbered.clone(), 1);
            return numbered;
        }
    }
}

/// The names of a unit and those above it but the root, `/` between.
fn group(unit: i32, units: &[Unit]) -> String {
    let mut names = Vec::new();
    let mut at = unit;
    // The depth ends circles.
    while names.len() < MAX_UNIT_DEPTH
        && at != 0
        && let Some(unit) = units.iter().find(|it| it.id == at)
    {
        names.push(unit.name.as_str());
        at = unit.parent;
    }
    names.reverse();
    names.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_words_and_unique_whatever_the_names_are() {
        let mut taken = BTreeMap::new();
        let names = ["Gain (dB)", "gain-db", "Gain dB 2", "", "???", "3 Band", "gain dB", "größe"];
        let symbols: Vec<_> = names.iter().map(|name| symbol(name, &mut taken)).collect();
        assert_eq!(
            symbols,
            ["gain_db", "gain_db_2", "gain_db_2_2", "p", "p_2", "p3_band", "gain_db_3", "gr_e"]
        );
    }

    #[test]
    fn units_that_are_their_own_parents_end() {
        let unit = |id, parent, name: &str| Unit { id, parent, name: name.to_owned(), program_list: -1 };
        let units = [unit(0, -1, "Root"), unit(1, 0, "A"), unit(2, 1, "B"), unit(3, 4, "x"), unit(4, 3, "y")];
        assert_eq!(group(2, &units), "A/B");
        assert_eq!(group(0, &units), "");
        assert_eq!(group(99, &units), "");
        assert_eq!(group(3, &units).split('/').count(), MAX_UNIT_DEPTH);
    }
}
