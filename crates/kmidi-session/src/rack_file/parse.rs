//! From text to a [`Rack`]: every value is checked here, and what is wrong is said with its line.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use kmidi_core::limits::{MAX_MAPPINGS, MAX_NODE_CHANNELS, MIDI_CHANNELS};
use kmidi_host::{Format, PluginId};
use kmidi_rt::{MapSource, Zone};
use toml_edit::{Array, Document, Item, TableLike, Value};

use super::{
    MAX_NAME_BYTES, MAX_PARAMETERS, MAX_SLOTS, MAX_TEXT_BYTES, Rack, RackFileError, RackMapping, RackOutput,
    RackSlot, RackTarget, RackValue,
};
use crate::rack::DeviceChannels;

type Parsed<T> = Result<T, RackFileError>;
/// Something of a text, and its place there in bytes, if that is known.
type Placed<T> = (T, Option<Range<usize>>);

/// The version of the format; each before is read too.
const VERSION: i64 = 2;
/// The version of a file that says none.
const UNSAID: i64 = 1;
/// From this version on numbers of VST3 plugins are in their own units; before, they went from 0 to 1.
const PLAIN_SINCE: i64 = 2;

/// Reads a rack. What it does not know it passes over, and says so in the second part.
///
/// # Errors
/// [`RackFileError::Wrong`].
pub(super) fn parse(path: &Path, text: &str) -> Parsed<(Rack, Vec<String>)> {
    let place = Place { path, text };
    let document = Document::parse(text).map_err(|error| {
        let what = error.message().lines().collect::<Vec<_>>().join("; ");
        place.wrong(error.span(), if what.is_empty() { "this is no TOML".to_owned() } else { what })
    })?;
    let mut warnings = Vec::new();
    let mut root = Fields::new(place, document.as_table(), None);
    let version = root.integer("version", UNSAID..=i64::MAX)?.unwrap_or(UNSAID);
    if version > VERSION {
        let what = format!("version {version} is newer than this program, which reads {VERSION}: update it");
        return Err(place.wrong(root.span("version"), what));
    }
    let gain_db = root.number("gain_db", -60.0..=24.0)?.unwrap_or(0.0) as f32;
    let mut slots = Vec::new();
    for table in root.tables("slot", MAX_SLOTS)? {
        slots.push(slot(place, table, version, &mut warnings)?);
    }
    warnings.extend(parts_warning(path, &slots));
    root.tell_unknown(&mut warnings);
    check_names(place, &root, &slots)?;
    Ok((Rack { gain_db, slots }, warnings))
}

/// Numbers that mean something else in a file that says its version.
fn parts_warning(path: &Path, slots: &[RackSlot]) -> Option<String> {
    let is_number = |(_, value): &(String, RackValue)| matches!(value, RackValue::Number(_));
    let has_numbers = |slot: &&RackSlot| {
        slot.parameters.iter().any(is_number) || slot.map.iter().any(|mapping| mapping.range.is_some())
    };
    let slot = slots.iter().filter(|slot| slot.counts_parts).find(has_numbers)?;
    Some(format!(
        "{}: numbers of {} (VST3) go from 0 to 1 in this rack, as they always did. With `version = {VERSION}` in its first line \
         they are those that `kmidi plugin info` shows",
        path.display(),
        slot.name
    ))
}

fn slot(
    place: Place<'_>,
    (table, span): SpannedTable<'_>,
    version: i64,
    warnings: &mut Vec<String>,
) -> Parsed<RackSlot> {
    let mut fields = Fields::new(place, table, span);
    let name = fields.required("name", MAX_NAME_BYTES)?.to_owned();
    if !is_name(&name) {
        let what = format!("{name:?} is no name of a slot: letters, digits, spaces, - and _");
        return Err(place.wrong(fields.span("name"), what));
    }
    let plugin = fields.required("plugin", MAX_TEXT_BYTES)?;
    let plugin: PluginId =
        plugin.parse().map_err(|error| place.wrong(fields.span("plugin"), format!("{error}")))?;
    let counts_parts = version < PLAIN_SINCE && plugin.format == Format::Vst3;
    let preset = fields.text("preset", MAX_TEXT_BYTES)?.map(str::to_owned);
    let state = fields.text("state", MAX_TEXT_BYTES)?.map(|text| inside(text).ok_or(text)).transpose();
    let state = state.map_err(|text| {
        let what = format!("{text:?} is not in the rack's folder; states are kept there");
        place.wrong(fields.span("state"), what)
    })?;
    let slot = RackSlot {
        name,
        plugin,
        preset,
        state,
        bypassed: fields.boolean("bypass")?.unwrap_or(false),
        parameters: parameters(&mut fields)?,
        counts_parts,
        zone: zone(&mut fields, warnings)?,
        map: mappings(&mut fields, counts_parts, warnings)?,
        side_chain: fields.text("side_chain", MAX_NAME_BYTES)?.map(str::to_owned),
        audio_in: fields.boolean("audio_in")?.unwrap_or(false),
        outputs: outputs(&mut fields, warnings)?,
    };
    fields.tell_unknown(warnings);
    Ok(slot)
}

/// A path below the rack's folder.
fn inside(text: &str) -> Option<PathBuf> {
    let path = PathBuf::from(text);
    let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    (plain && !text.is_empty() && !text.contains('\0')).then_some(path)
}

pub(super) fn is_name(name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    !name.is_empty() && name.trim() == name && name.chars().all(is_part)
}

fn parameters(fields: &mut Fields<'_>) -> Parsed<Vec<(String, RackValue)>> {
    let place = fields.place;
    let Some((table, span)) = fields.table("parameters")? else { return Ok(Vec::new()) };
    if table.len() > MAX_PARAMETERS {
        return Err(place.wrong(span, format!("{} parameters; {MAX_PARAMETERS} can be set", table.len())));
    }
    let parameter = |(symbol, item): (&str, &Item)| {
        let wrong = |what: &str| place.wrong(item.span(), format!("{symbol}: {what}"));
        let value = match item.as_value() {
            Some(Value::String(text)) if text.value().len() <= MAX_TEXT_BYTES => {
                RackValue::Text(text.value().clone())
            }
            Some(value) => RackValue::Number(
                number_of(value)
                    .ok_or_else(|| wrong("a value is a number, or text as the plugin shows it"))?,
            ),
            None => return Err(wrong("a value is a number, or text as the plugin shows it")),
        };
        Ok((symbol.to_owned(), value))
    };
    table.iter().map(parameter).collect()
}

fn number_of(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Float(number) => *number.value(),
        Value::Integer(number) => *number.value() as f64,
        Value::Boolean(on) => f64::from(u8::from(*on.value())),
        _ => return None,
    };
    number.is_finite().then_some(number)
}

fn zone(fields: &mut Fields<'_>, warnings: &mut Vec<String>) -> Parsed<Zone> {
    let place = fields.place;
    let Some((table, span)) = fields.table("zone")? else { return Ok(Zone::default()) };
    let all = Zone::default();
    let mut fields = Fields::new(place, table, span);
    let zone = Zone {
        channels: fields.midi_channels("channels")?.unwrap_or(all.channels),
        keys: fields
            .pair("keys", key_of, "two keys, such as [\"C2\", \"B3\"] or [36, 59]")?
            .unwrap_or(all.keys),
        velocities: fields
            .pair("velocities", |it| seven_bits(it).filter(|it| *it > 0), "two velocities from 1 to 127")?
            .unwrap_or(all.velocities),
        transpose: fields.integer("transpose", -127..=127)?.unwrap_or(0) as i8,
    };
    fields.tell_unknown(warnings);
    Ok(zone)
}

fn seven_bits(value: &Value) -> Option<u8> {
    u8::try_from(value.as_integer()?).ok().filter(|it| *it < 128)
}

/// A key by its number or its name; C4 is 60.
fn key_of(value: &Value) -> Option<u8> {
    let Some(name) = value.as_str() else { return seven_bits(value) };
    let mut rest = name.chars();
    let within = match rest.next()?.to_ascii_uppercase() {
        'C' => 0,
        'D' => 2,
        'E' => 4,
        'F' => 5,
        'G' => 7,
        'A' => 9,
        'B' => 11,
        _ => return None,
    };
    let rest = rest.as_str();
    let (sharp, octave) = match (rest.strip_prefix('#'), rest.strip_prefix('b')) {
        (Some(octave), _) => (1, octave),
        (_, Some(octave)) => (-1, octave),
        _ => (0, rest),
    };
    let octave: i32 = octave.parse().ok().filter(|it| (-1..=9).contains(it))?;
    u8::try_from((octave + 1) * 12 + within + sharp).ok().filter(|key| *key < 128)
}

fn mappings(
    fields: &mut Fields<'_>,
    counts_parts: bool,
    warnings: &mut Vec<String>,
) -> Parsed<Vec<RackMapping>> {
    let place = fields.place;
    let mut mappings = Vec::new();
    for (table, span) in fields.tables("map", MAX_MAPPINGS)? {
        let mut fields = Fields::new(place, table, span);
        let from = fields.required("from", MAX_NAME_BYTES)?;
        let source = source_of(from).ok_or_else(|| {
            let what = format!(
                "{from:?} is no controller: \"cc 74\" (0 to 119), \"cc14 1\" (0 to 31), \"nrpn 1234\", \"nrpn7 1234\" \
                 (0 to 16382), \"bend\" or \"pressure\""
            );
            place.wrong(fields.span("from"), what)
        })?;
        let range = fields.array("range", "two numbers: the values at both ends")?;
        let range = range.map(|(array, span)| {
            let numbers: Option<Vec<f64>> = array.iter().map(number_of).collect();
            match numbers.as_deref() {
                Some(&[lowest, highest]) => Ok((lowest, highest)),
                _ => Err(place.wrong(span, "range: two numbers: the values at both ends".to_owned())),
            }
        });
        mappings.push(RackMapping {
            source,
            channels: fields.midi_channels("channels")?.unwrap_or(u16::MAX),
            parameter: fields.required("parameter", MAX_TEXT_BYTES)?.to_owned(),
            range: range.transpose()?,
            counts_parts,
            pick_up: fields.boolean("pick_up")?.unwrap_or(true),
        });
        fields.tell_unknown(warnings);
    }
    Ok(mappings)
}

fn source_of(text: &str) -> Option<MapSource> {
    let mut words = text.split_whitespace();
    let (kind, number) = (words.next()?, words.next());
    if words.next().is_some() {
        return None;
    }
    let number = |below: u16| number?.parse::<u16>().ok().filter(|it| *it < below);
    Some(match kind {
        "cc" => MapSource::Controller(number(120)? as u8),
        "cc14" => MapSource::ControllerPair(number(32)? as u8),
        "nrpn" => MapSource::Nrpn { parameter: number(16383)?, fine: true },
        "nrpn7" => MapSource::Nrpn { parameter: number(16383)?, fine: false },
        "bend" if number(u16::MAX).is_none() => MapSource::PitchBend,
        "pressure" if number(u16::MAX).is_none() => MapSource::ChannelPressure,
        _ => return None,
    })
}

fn outputs(fields: &mut Fields<'_>, warnings: &mut Vec<String>) -> Parsed<Vec<RackOutput>> {
    let place = fields.place;
    let mut outputs = Vec::new();
    for (table, span) in fields.tables("outputs", MAX_NODE_CHANNELS)? {
        let mut fields = Fields::new(place, table, span);
        let slot = fields.text("to", MAX_NAME_BYTES)?.map(|name| RackTarget::Slot(name.to_owned()));
        let device = fields.text("device", MAX_NAME_BYTES)?.map(str::parse::<DeviceChannels>).transpose();
        let device = device.map_err(|error| place.wrong(fields.span("device"), error.to_string()))?;
        let to = match (slot, device) {
            (Some(slot), None) => slot,
            (None, Some(channels)) => RackTarget::Device(channels),
            _ => {
                let what =
                    "an output goes either to a slot (to = \"SLOT\") or to the device (device = \"3-4\")";
                return Err(place.wrong(fields.span.clone(), what.to_owned()));
            }
        };
        outputs.push(RackOutput { port: fields.integer("port", 1..=64)?.unwrap_or(1) as u16, to });
        fields.tell_unknown(warnings);
    }
    Ok(outputs)
}

/// Names are there once, and what is named is there.
fn check_names(place: Place<'_>, root: &Fields<'_>, slots: &[RackSlot]) -> Parsed<()> {
    let mut names = BTreeSet::new();
    let span = |index: usize| root.span_of_table("slot", index);
    for (index, slot) in slots.iter().enumerate() {
        if !names.insert(slot.name.as_str()) {
            return Err(place.wrong(span(index), format!("two slots have the name {:?}", slot.name)));
        }
    }
    for (index, slot) in slots.iter().enumerate() {
        let targets = slot.outputs.iter().filter_map(|output| match &output.to {
            RackTarget::Slot(name) => Some(name),
            RackTarget::Device(_) => None,
        });
        for named in targets.chain(&slot.side_chain) {
            if *named == slot.name || !names.contains(named.as_str()) {
                let what =
                    format!("slot {:?} names {named:?}, which is no other slot of this rack", slot.name);
                return Err(place.wrong(span(index), what));
            }
        }
    }
    Ok(())
}

/// Where a text is from.
#[derive(Clone, Copy)]
struct Place<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Place<'_> {
    fn line(&self, span: Option<Range<usize>>) -> usize {
        let before = span.and_then(|span| self.text.as_bytes().get(..span.start)).unwrap_or_default();
        1 + before.iter().filter(|byte| **byte == b'\n').count()
    }

    fn wrong(&self, span: Option<Range<usize>>, what: String) -> RackFileError {
        RackFileError::Wrong { path: self.path.to_owned(), line: self.line(span), what }
    }
}

type SpannedTable<'a> = (&'a dyn TableLike, Option<Range<usize>>);

/// A table of which it is known what has been asked for.
struct Fields<'a> {
    place: Place<'a>,
    table: &'a dyn TableLike,
    /// Of the table.
    span: Option<Range<usize>>,
    asked: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    fn new(place: Place<'a>, table: &'a dyn TableLike, span: Option<Range<usize>>) -> Self {
        Fields { place, table, span, asked: Vec::new() }
    }

    fn get(&mut self, key: &'static str) -> Option<&'a Item> {
        self.asked.push(key);
        self.table.get(key)
    }

    fn span(&self, key: &str) -> Option<Range<usize>> {
        self.table.get(key).and_then(Item::span).or_else(|| self.span.clone())
    }

    fn wrong<T>(&self, key: &str, what: &str) -> Parsed<T> {
        Err(self.place.wrong(self.span(key), format!("{key}: {what}")))
    }

    fn value<T>(
        &mut self,
        key: &'static str,
        read: impl Fn(&'a Value) -> Option<T>,
        what: &str,
    ) -> Parsed<Option<T>> {
        match self.get(key) {
            None => Ok(None),
            Some(item) => match item.as_value().and_then(read) {
                Some(value) => Ok(Some(value)),
                None => self.wrong(key, what),
            },
        }
    }

    fn text(&mut self, key: &'static str, max_bytes: usize) -> Parsed<Option<&'a str>> {
        let what = format!("a text of at most {max_bytes} bytes");
        self.value(key, |value| value.as_str().filter(|text| text.len() <= max_bytes), &what)
    }

    fn required(&mut self, key: &'static str, max_bytes: usize) -> Parsed<&'a str> {
        match self.text(key, max_bytes)? {
            Some(text) => Ok(text),
            None => Err(self.place.wrong(self.span.clone(), format!("{key} is missing here"))),
        }
    }

    fn boolean(&mut self, key: &'static str) -> Parsed<Option<bool>> {
        self.value(key, Value::as_bool, "true or false")
    }

    fn integer(&mut self, key: &'static str, range: std::ops::RangeInclusive<i64>) -> Parsed<Option<i64>> {
        let what = format!("a whole number from {} to {}", range.start(), range.end());
        self.value(key, |value| value.as_integer().filter(|it| range.contains(it)), &what)
    }

    fn number(&mut self, key: &'static str, range: std::ops::RangeInclusive<f64>) -> Parsed<Option<f64>> {
        let what = format!("a number from {} to {}", range.start(), range.end());
        self.value(key, |value| number_of(value).filter(|it| range.contains(it)), &what)
    }

    fn array(&mut self, key: &'static str, what: &str) -> Parsed<Option<Placed<&'a Array>>> {
        self.value(key, |value| value.as_array().map(|array| (array, value.span())), what)
    }

    fn pair(
        &mut self,
        key: &'static str,
        read: impl Fn(&Value) -> Option<u8>,
        what: &str,
    ) -> Parsed<Option<(u8, u8)>> {
        let pair = |value: &'a Value| {
            let [low, high] = value.as_array()?.iter().map(&read).collect::<Option<Vec<u8>>>()?[..] else {
                return None;
            };
            (low <= high).then_some((low, high))
        };
        self.value(key, pair, &format!("{what}, the lower one first"))
    }

    /// A set of MIDI channels, counted from 1.
    fn midi_channels(&mut self, key: &'static str) -> Parsed<Option<u16>> {
        let read = |value: &'a Value| {
            let channel = |it: &Value| {
                let number = it.as_integer()?;
                (1..=MIDI_CHANNELS as i64).contains(&number).then(|| 1u16 << (number - 1))
            };
            value.as_array()?.iter().map(channel).try_fold(0, |all, bit| Some(all | bit?))
        };
        self.value(key, read, "a list of MIDI channels from 1 to 16")
    }

    fn table(&mut self, key: &'static str) -> Parsed<Option<SpannedTable<'a>>> {
        match self.get(key) {
            None => Ok(None),
            Some(item) => match item.as_table_like() {
                Some(table) => Ok(Some((table, item.span().or_else(|| self.span.clone())))),
                None => self.wrong(key, "a table"),
            },
        }
    }

    /// Tables in a list, written as `[[key]]` or as a list of inline ones.
    fn tables(&mut self, key: &'static str, most: usize) -> Parsed<Vec<SpannedTable<'a>>> {
        let Some(item) = self.get(key) else { return Ok(Vec::new()) };
        let tables: Option<Vec<SpannedTable<'a>>> = match item {
            Item::ArrayOfTables(tables) => {
                Some(tables.iter().map(|table| (table as &dyn TableLike, table.span())).collect())
            }
            Item::Value(Value::Array(array)) => array
                .iter()
                .map(|it| it.as_inline_table().map(|table| (table as &dyn TableLike, it.span())))
                .collect(),
            _ => None,
        };
        match tables {
            Some(tables) if tables.len() <= most => Ok(tables),
            Some(tables) => self.wrong(key, &format!("{} of them; {most} can be", tables.len())),
            None => self.wrong(key, &format!("a list of tables: [[{key}]]")),
        }
    }

    fn span_of_table(&self, key: &str, index: usize) -> Option<Range<usize>> {
        match self.table.get(key)? {
            Item::ArrayOfTables(tables) => tables.get(index)?.span(),
            Item::Value(Value::Array(array)) => array.get(index)?.span(),
            _ => None,
        }
    }

    /// Says what was not asked for: perhaps a slip of the pen.
    fn tell_unknown(&self, warnings: &mut Vec<String>) {
        for (key, _) in self.table.iter().filter(|(key, _)| !self.asked.contains(key)) {
            let span = self.table.get_key_value(key).and_then(|(key, _)| key.span());
            let line = self.place.line(span.or_else(|| self.span.clone()));
            warnings.push(format!(
                "{}:{line}: {key} is not known: kept, and passed over",
                self.place.path.display()
            ));
        }
    }
}

#[cfg(test)]
mod tests;
