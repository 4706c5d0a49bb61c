//! The reader of bundles against lilv, field by field, for every plugin that is installed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use super::super::bundle::{Bundle, PluginText, bundles};
use super::super::graph::path_of;
use super::super::ports::{Direction, Port, PortType};
use super::super::presets;
use super::super::properties::Property;
use super::super::units::Unit;
use super::super::uris::*;
use super::facts::{Facts, Fields, parse};
use super::{compile, installed};

#[derive(Default)]
struct Comparison {
    /// By what: fields that were compared.
    fields: BTreeMap<&'static str, usize>,
    wrong: Vec<String>,
}

/// As the program writes it.
fn plain(text: &str) -> String {
    text.replace(['\t', '\n', '\r'], " ").trim().to_owned()
}

fn set(values: &[String]) -> BTreeSet<String> {
    values.iter().cloned().collect()
}

fn points(list: &[(f64, String)]) -> Vec<(u32, String)> {
    let mut points: Vec<_> = list
        .iter()
        .map(|(value, name)| ((*value as f32).to_bits(), name.replace(['\t', '\n'], " ")))
        .collect();
    points.sort();
    points.dedup();
    points
}

impl Comparison {
    fn same<T: PartialEq + std::fmt::Debug>(&mut self, at: &str, what: &'static str, ours: T, lilvs: T) {
        *self.fields.entry(what).or_default() += 1;
        if ours != lilvs {
            self.wrong.push(format!("{at} {what}: {ours:?}, lilv says {lilvs:?}"));
        }
    }

    fn plugin(&mut self, text: &PluginText, facts: &Facts) {
        let (at, said) = (&text.uri, &facts.own);
        self.same(at, "name", plain(&text.name).as_str(), said.text("name"));
        self.same(at, "author", plain(&text.vendor).as_str(), said.text("author"));
        self.same(at, "library", Some(text.binary.clone()), said.first("binary").and_then(path_of));
        let folder = said.first("bundle").and_then(path_of).map(|it| it.components().collect());
        self.same(at, "bundle", Some(text.folder.clone()), folder);
        self.same(at, "classes", set(&text.classes), said.all("class"));
        self.same(at, "required features", set(&text.required), said.all("required"));
        self.same(at, "optional features", set(&text.optional), said.all("optional"));
        let (minor, micro) = (said.first("minor"), said.first("micro"));
        let version = format!("{}.{}", minor.unwrap_or("0"), micro.unwrap_or("0"));
        let lilvs = if minor.or(micro).is_some() { version.as_str() } else { "" };
        self.same(at, "version", text.version.as_str(), lilvs);
        let latency = super::super::audio_half::latency_port(text).map(|it| it as f32);
        self.same(at, "latency port", latency, said.number("latency"));
        self.same(at, "ports", text.ports.len(), facts.ports.len());
        for (index, (port, said)) in text.ports.iter().zip(&facts.ports).enumerate() {
            self.port(&format!("{at} port {index}"), port, said);
        }
        self.properties(text, facts);
    }

    fn port(&mut self, at: &str, port: &Port, said: &Fields) {
        self.same(at, "symbol", port.symbol.as_str(), said.text("symbol"));
        self.same(at, "port name", plain(&port.name).as_str(), said.text("name"));
        let types = said.all("type");
        let is = |class: &str| types.contains(class);
        let is_input = port.direction == Direction::Input;
        self.same(at, "direction", (is_input, !is_input), (is(LV2_INPUT_PORT), is(LV2_OUTPUT_PORT)));
        let kinds = [
            (PortType::Audio, LV2_AUDIO_PORT),
            (PortType::Control, LV2_CONTROL_PORT),
            (PortType::Cv, LV2_CV_PORT),
            (PortType::Atom, ATOM_PORT),
        ];
        for (carries, class) in kinds {
            self.same(at, "type", port.carries == carries, is(class));
        }
        self.same(at, "properties", set(&port.properties), said.all("property"));
        self.same(at, "group", port.group.as_deref(), said.first("group"));
        self.same(at, "designation", port.designation.as_deref(), said.first("designation"));
        self.same(at, "understood atoms", set(&port.supports), said.all("supports"));
        let bytes = port.minimum_bytes.map(|it| it as f32);
        self.same(at, "least size", bytes, said.number("bytes"));
        self.ranges(at, [port.min, port.max, port.default], said);
        self.same(at, "scale points", points(&port.scale_points), said.pairs("point", 0));
        self.unit(at, &port.unit, said);
    }

    fn ranges(&mut self, at: &str, ours: [Option<f64>; 3], said: &Fields) {
        for ((what, name), ours) in
            [("minimum", "min"), ("maximum", "max"), ("default", "default")].into_iter().zip(ours)
        {
            // lilv has 32 bits.
            let bits = |it: f32| it.to_bits();
            self.same(at, what, ours.map(|it| bits(it as f32)), said.number(name).map(bits));
        }
    }

    /// Of the units of the specification this host has a list of its own, with symbols alone.
    fn unit(&mut self, at: &str, unit: &Unit, said: &Fields) {
        let symbol = said.first("unit symbol").or(said.first("unit label")).unwrap_or_default();
        self.same(at, "unit", unit.symbol.as_str(), symbol);
        if !said.text("unit").starts_with(UNITS) {
            self.same(at, "pattern of the unit", unit.render.as_deref(), said.first("unit render"));
        }
    }

    fn properties(&mut self, text: &PluginText, facts: &Facts) {
        let at = &text.uri;
        let is_number = |said: &Fields| {
            let range = said.text("range");
            let word = range.strip_prefix(ATOM).or_else(|| range.strip_prefix(XSD)).unwrap_or_default();
            let words = ["float", "double", "decimal", "int", "integer", "long", "bool", "boolean"];
            words.contains(&word.to_ascii_lowercase().as_str())
        };
        let numbers = facts.properties.iter().filter(|(uri, said)| is_number(said) || uri.starts_with(PARAM));
        let expected: BTreeSet<&str> = numbers.map(|(uri, _)| uri.as_str()).collect();
        self.same(
            at,
            "properties with numbers",
            text.properties.iter().map(|it| it.uri.as_str()).collect(),
            expected,
        );
        for property in &text.properties {
            if let Some(said) = facts.properties.get(&property.uri) {
                self.property(&format!("{at} {}", property.uri), property, said);
            }
        }
    }

    fn property(&mut self, at: &str, property: &Property, said: &Fields) {
        let is_writable = said.all("PROPERTY").iter().any(|it| it.ends_with("\twritable"));
        self.same(at, "access", property.is_writable, is_writable);
        if let Some(label) = said.first("label") {
            self.same(at, "property name", plain(&property.name).as_str(), label.trim());
        }
        // What the vocabulary of common parameters says stands in a bundle of its own, which need not be there.
        if property.uri.starts_with(PARAM) {
            return;
        }
        // Without a default it is the one of the plugin's default state.
        let default = if said.first("default").is_some() { property.default } else { None };
        self.ranges(at, [property.min, property.max, default], said);
        self.same(at, "scale points", points(&property.scale_points), said.pairs("point", 0));
        self.unit(at, &property.unit, said);
    }

    fn presets(&mut self, text: &PluginText, facts: &Facts) {
        let found = presets::find(&text.uri, &text.folder);
        let ours: BTreeSet<&str> = found.iter().map(|it| it.preset.key.as_str()).collect();
        self.same(&text.uri, "presets", ours, facts.presets.keys().map(String::as_str).collect());
        for found in &found {
            let Some(said) = facts.presets.get(&found.preset.key) else { continue };
            let at = &found.preset.key;
            if let Some(label) = said.first("label") {
                self.same(at, "preset name", plain(&found.preset.name).as_str(), label.trim());
            }
            let mut values: Vec<(u32, String)> = presets::read(found)
                .unwrap()
                .values
                .into_iter()
                .map(|(symbol, value)| ((value as f32).to_bits(), symbol))
                .collect();
            values.sort();
            values.dedup();
            self.same(at, "preset values", values, said.pairs("value", 1));
        }
    }
}

/// Presets of these plugins in all bundles together.
fn preset_count(plugins: &[(PathBuf, String)]) -> usize {
    let uris: BTreeSet<&str> = plugins.iter().map(|(_, uri)| uri.as_str()).collect();
    let count = |folder| {
        let bundle = Bundle::open(folder).unwrap();
        let graph = bundle.graph();
        let presets = graph.subjects_with(RDF_TYPE, PSET_PRESET).into_iter();
        let of = presets.flat_map(|preset| graph.iris(preset, LV2_APPLIES_TO));
        of.filter(|uri| uris.contains(uri.as_str())).count()
    };
    bundles().iter().map(|folder| count(folder)).sum()
}

#[test]
fn the_reader_says_of_every_installed_plugin_what_lilv_says() {
    let (Some(program), Some(plugins)) = (compile("dump.c"), installed()) else { return };
    let output = Command::new(&program.path).env("LANG", "C").output().unwrap();
    assert!(output.status.success());
    let mut expected = parse(&String::from_utf8_lossy(&output.stdout));
    let (lilvs_plugins, lilvs_presets) =
        (expected.len(), expected.values().map(|facts| facts.presets.len()).sum::<usize>());
    let mut comparison = Comparison::default();
    let mut bundle = Bundle::open(&plugins[0].0).unwrap();
    for (folder, uri) in &plugins {
        if bundle.folder != *folder {
            bundle = Bundle::open(folder).unwrap();
        }
        let text = bundle.plugin(uri).unwrap();
        let Some(facts) = expected.remove(uri) else { panic!("{uri} is none to lilv, or is there twice") };
        comparison.plugin(&text, &facts);
        // To look for presets is to read every manifest: that the others have none, the count says.
        if !facts.presets.is_empty() {
            comparison.presets(&text, &facts);
        }
        if uri == "http://lv2plug.in/plugins/eg-amp" {
            a_changed_port_is_seen(text, &facts);
        }
    }
    let fields: usize = comparison.fields.values().sum();
    println!(
        "{} plugins (lilv: {lilvs_plugins}), {lilvs_presets} presets, {fields} fields compared, {} differ",
        plugins.len(),
        comparison.wrong.len()
    );
    comparison.fields.iter().for_each(|(what, count)| println!("| {what} | {count} |"));
    assert!(expected.is_empty(), "lilv has these besides: {:?}", expected.keys());
    assert!(comparison.wrong.is_empty(), "{}", comparison.wrong.join("\n"));
    assert_eq!(preset_count(&plugins), lilvs_presets);
}

/// The comparison itself.
fn a_changed_port_is_seen(text: PluginText, facts: &Facts) {
    let change: [fn(&mut Port); 5] = [
        |port| port.max = Some(25.0),
        |port| port.symbol.push('2'),
        |port| port.unit.symbol = "Hz".to_owned(),
        |port| drop(port.scale_points.pop()),
        |port| port.properties.push(LV2_TOGGLED.to_owned()),
    ];
    for change in change {
        let (mut comparison, mut changed) = (Comparison::default(), text.clone());
        change(&mut changed.ports[0]);
        comparison.plugin(&changed, facts);
        assert_eq!(comparison.wrong.len(), 1, "{:?}", comparison.wrong);
    }
}
