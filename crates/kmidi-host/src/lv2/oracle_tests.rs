//! The reader against `lv2info` of lilv, field by field, for every plugin that is installed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use super::bundle::{Bundle, PluginText, bundles};
use super::graph::path_of;
use super::ports::{Direction, Port, PortType};
use super::properties::last_word;
use super::uris::*;

/// What `lv2info` says: the plugin's fields, and those of each port.
#[derive(Default)]
struct Said {
    fields: BTreeMap<String, Vec<String>>,
    ports: Vec<BTreeMap<String, Vec<String>>>,
}

fn parse(text: &str) -> Said {
    let mut said = Said::default();
    let mut key = String::new();
    for line in text.lines() {
        let depth = line.bytes().take_while(|byte| *byte == b'\t').count();
        let rest = &line[depth..];
        if rest.trim().is_empty() {
            continue;
        }
        if depth == 1 && rest.starts_with("Port ") {
            said.ports.push(BTreeMap::new());
            continue;
        }
        let field_depth = if said.ports.is_empty() { 1 } else { 2 };
        let fields = if depth < 2 || said.ports.is_empty() {
            &mut said.fields
        } else {
            said.ports.last_mut().unwrap()
        };
        let is_more = rest.starts_with(' ') || depth > field_depth;
        let value = match rest.split_once(':') {
            Some((name, value)) if !is_more => {
                key = name.to_owned();
                value.trim()
            }
            _ => rest.trim(),
        };
        let values = fields.entry(key.clone()).or_default();
        if !value.is_empty() {
            values.push(value.to_owned());
        }
    }
    said
}

/// Classes that lilv knows only if the specification is installed: a bundle with their names alone.
fn write_specification(folder: &Path) {
    let classes = "Allpass Amplifier Analyser Bandpass Chorus Comb Compressor Constant Converter Delay Distortion \
                   Dynamics EQ Envelope Expander Filter Flanger Function Gate Generator Highpass Instrument Limiter \
                   Lowpass MIDI Mixer Modulator MultiEQ Oscillator ParaEQ Phaser Pitch Reverb Simulator Spatial \
                   Spectral Utility Waveshaper";
    let mut text = String::from(
        "@prefix lv2: <http://lv2plug.in/ns/lv2core#> .\n@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n\
         <http://lv2plug.in/ns/lv2core> a lv2:Specification ; rdfs:seeAlso <manifest.ttl> .\n\
         lv2:Plugin a rdfs:Class ; rdfs:label \"Plugin\" .\n",
    );
    for class in classes.split_whitespace() {
        text += &format!(
            "lv2:{class}Plugin a rdfs:Class ; rdfs:subClassOf lv2:Plugin ; rdfs:label \"{class}Plugin\" .\n"
        );
    }
    let bundle = folder.join("core.lv2");
    std::fs::create_dir(&bundle).unwrap();
    std::fs::write(bundle.join("manifest.ttl"), text).unwrap();
}

fn set(values: &[String]) -> BTreeSet<String> {
    values.iter().cloned().collect()
}

struct Comparison {
    wrong: Vec<String>,
    fields: usize,
}

impl Comparison {
    fn same<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, ours: T, lilvs: T) {
        self.fields += 1;
        if ours != lilvs {
            self.wrong.push(format!("{what}: {ours:?}, lilv says {lilvs:?}"));
        }
    }

    fn plugin(&mut self, text: &PluginText, said: &Said) {
        let none = Vec::new();
        let field = |name: &str| said.fields.get(name).unwrap_or(&none);
        let first = |name: &str| field(name).first().cloned().unwrap_or_default();
        let uri = &text.uri;
        self.same(&format!("{uri} name"), text.name.trim(), first("Name").as_str());
        self.same(&format!("{uri} author"), text.vendor.trim(), first("Author").as_str());
        self.same(&format!("{uri} binary"), Some(text.binary.clone()), path_of(&first("Binary")));
        self.same(&format!("{uri} required"), set(&text.required), set(field("Required Features")));
        self.same(&format!("{uri} optional"), set(&text.optional), set(field("Optional Features")));
        let class = first("Class");
        let names: Vec<&str> = text.classes.iter().map(|iri| last_word(iri)).collect();
        let has_class = names.contains(&class.as_str()) || names.contains(&format!("{class}Plugin").as_str());
        self.same(&format!("{uri} class {class} among {names:?}"), has_class, true);
        self.same(&format!("{uri} ports"), text.ports.len(), said.ports.len());
        let latency =
            text.ports.iter().position(|port| port.has(LV2_REPORTS_LATENCY) || port.is_for(LV2_LATENCY));
        let lilvs = first("Has latency");
        let lilvs = lilvs.strip_prefix("yes, reported by port ").map(|index| index.parse().unwrap());
        self.same(&format!("{uri} latency"), latency, lilvs);
        for (index, (port, said)) in text.ports.iter().zip(&said.ports).enumerate() {
            self.port(&format!("{uri} port {index}"), port, said);
        }
    }

    fn port(&mut self, at: &str, port: &Port, said: &BTreeMap<String, Vec<String>>) {
        let none = Vec::new();
        let field = |name: &str| said.get(name).unwrap_or(&none);
        let first = |name: &str| field(name).first().cloned().unwrap_or_default();
        self.same(&format!("{at} symbol"), port.symbol.as_str(), first("Symbol").as_str());
        self.same(&format!("{at} name"), port.name.trim(), first("Name").as_str());
        let is = |class: &str| field("Type").iter().any(|it| it == class);
        let inputs = (is(LV2_INPUT_PORT), is(LV2_OUTPUT_PORT));
        let is_input = port.direction == Direction::Input;
        self.same(&format!("{at} direction"), (is_input, !is_input), inputs);
        let carries =
            [PortType::Audio, PortType::Control, PortType::Cv, PortType::Atom].map(|it| port.carries == it);
        let types = [LV2_AUDIO_PORT, LV2_CONTROL_PORT, LV2_CV_PORT, ATOM_PORT].map(is);
        self.same(&format!("{at} types"), carries, types);
        self.same(&format!("{at} properties"), set(&port.properties), set(field("Properties")));
        self.same(&format!("{at} group"), port.group.clone().unwrap_or_default(), first("Group"));
        let designation = port.designation.clone().unwrap_or_default();
        self.same(&format!("{at} designation"), designation, first("Designation"));
        // `lv2info` prints no ranges of sound.
        let ranges = [("Minimum", port.min), ("Maximum", port.max), ("Default", port.default)];
        for (name, value) in ranges.into_iter().filter(|_| port.carries == PortType::Control) {
            // lilv has 32 bits and writes six decimals; NaN where there is nothing.
            let ours = value.map_or("nan".to_owned(), |value| format!("{:.6}", value as f32));
            let lilvs = field(name).first().cloned().unwrap_or("nan".to_owned());
            let is_near = match (ours.parse::<f32>(), lilvs.parse::<f32>()) {
                (Ok(ours), Ok(lilvs)) => (ours - lilvs).abs() <= 2e-6 || ours.is_nan() && lilvs.is_nan(),
                _ => false,
            };
            self.same(&format!("{at} {name} {ours} {lilvs}"), is_near, true);
        }
        let point = |(value, name): &(f64, String)| format!("{} = \"{name}\"", short(*value));
        let ours: BTreeSet<String> = port.scale_points.iter().map(point).collect();
        self.same(
            &format!("{at} scale points"),
            ours,
            field("Scale Points").iter().map(|it| normal_point(it)).collect(),
        );
    }
}

fn short(value: f64) -> String {
    format!("{:.5}", value as f32)
}

fn normal_point(text: &str) -> String {
    let (value, name) = text.split_once(" = ").unwrap();
    format!("{} = {name}", short(value.parse().unwrap()))
}

#[test]
fn the_reader_says_of_every_installed_plugin_what_lilv_says() {
    if Command::new("lv2ls").output().is_err() {
        assert!(std::env::var_os("KMIDI_REQUIRE_PLUGINS").is_none(), "lilv-utils is not installed");
        println!("passed over: lilv-utils is not installed");
        return;
    }
    let specification = tempfile::tempdir().unwrap();
    write_specification(specification.path());
    let path = format!("/usr/lib/lv2:{}", specification.path().display());
    let lilv = |program: &str, arguments: &[&str]| {
        let output =
            Command::new(program).args(arguments).env("LV2_PATH", &path).env("LANG", "C").output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let mut expected: BTreeSet<String> = lilv("lv2ls", &[]).lines().map(str::to_owned).collect();
    let mut comparison = Comparison { wrong: Vec::new(), fields: 0 };
    let mut plugins = 0;
    for folder in bundles().into_iter().filter(|it| it.starts_with("/usr/lib/lv2")) {
        let mut bundle = Bundle::open(&folder).unwrap();
        for uri in bundle.plugins() {
            assert!(expected.remove(&uri), "{uri} is none to lilv, or is there twice");
            let text = bundle.plugin(&uri).unwrap();
            comparison.plugin(&text, &parse(&lilv("lv2info", &[&uri])));
            plugins += 1;
        }
    }
    println!("{plugins} plugins, {} fields compared, {} differ", comparison.fields, comparison.wrong.len());
    assert!(expected.is_empty(), "lilv has these besides: {expected:?}");
    assert!(comparison.wrong.is_empty(), "{}", comparison.wrong.join("\n"));
    // The comparison itself: a port table with one thing changed is seen.
    if let Some(folder) = bundles().iter().find(|it| it.ends_with("eg-amp.lv2")) {
        let mut text = Bundle::open(folder).unwrap().plugin("http://lv2plug.in/plugins/eg-amp").unwrap();
        text.ports[0].max = Some(25.0);
        let said = parse(&lilv("lv2info", &[&text.uri]));
        comparison.plugin(&text, &said);
        assert_eq!(comparison.wrong.len(), 1);
    }
}
