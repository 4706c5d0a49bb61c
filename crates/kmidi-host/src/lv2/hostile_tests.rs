//! Bundles that are broken or mean harm.

use std::path::Path;

use proptest::prelude::*;

use super::bundle::{Bundle, PluginText};
use super::graph::{file_url, path_of};
use super::layout::Layout;
use super::parameters::Parameters;
use super::ports::PortType;
use super::{description, presets, read};
use crate::{Kind, LoadError, PortRole};

const PREFIXES: &str = "@prefix lv2: <http://lv2plug.in/ns/lv2core#> . @prefix doap: <http://usefulinc.com/ns/doap#> .
    @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix atom: <http://lv2plug.in/ns/ext/atom#> .
    @prefix pset: <http://lv2plug.in/ns/ext/presets#> . @prefix state: <http://lv2plug.in/ns/ext/state#> .
    @prefix pg: <http://lv2plug.in/ns/ext/port-groups#> . @prefix units: <http://lv2plug.in/ns/extensions/units#> .
    @prefix patch: <http://lv2plug.in/ns/ext/patch#> . @prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .\n";

fn bundle(body: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("manifest.ttl"), format!("{PREFIXES}{body}")).unwrap();
    folder
}

fn plugin(body: &str) -> Result<PluginText, LoadError> {
    let folder = bundle(&format!("<urn:p> a lv2:Plugin ; lv2:binary <p.so> . {body}"));
    Bundle::open(folder.path())?.plugin("urn:p")
}

fn port(index: &str, symbol: &str, rest: &str) -> String {
    format!("<urn:p> lv2:port [ lv2:index {index} ; lv2:symbol \"{symbol}\" ; {rest} ] . ")
}

const CONTROL: &str = "a lv2:ControlPort, lv2:InputPort ; lv2:name \"x\"";

#[test]
fn a_port_table_that_would_crash_the_plugin_is_refused_and_a_good_one_is_not() {
    let good = port("0", "a", CONTROL) + &port("1", "b", CONTROL);
    assert_eq!(plugin(&good).unwrap().ports.len(), 2);
    let bad = [
        port("0", "a", CONTROL) + &port("2", "b", CONTROL),
        port("0", "a", CONTROL) + &port("0", "b", CONTROL),
        port("0", "a", CONTROL) + &port("1", "a", CONTROL),
        port("-1", "a", CONTROL),
        port("0.5", "a", CONTROL),
        port("4000000000", "a", CONTROL),
        port("\"many\"", "a", CONTROL),
        port("0", "a", "a lv2:ControlPort"),
        port("0", "a", "a lv2:InputPort, lv2:OutputPort, lv2:ControlPort"),
        "<urn:p> lv2:port [ a lv2:InputPort, lv2:AudioPort ] .".to_owned(),
        "<urn:p> lv2:port \"a port\" .".to_owned(),
    ];
    for body in bad {
        assert!(matches!(plugin(&body), Err(LoadError::Bundle { .. })), "{body}");
    }
}

#[test]
fn a_file_that_is_no_file_or_no_turtle_is_an_error_and_never_waited_for() {
    let good = bundle("<urn:p> a lv2:Plugin ; lv2:binary <p.so> .");
    assert_eq!(read(good.path()).unwrap().len(), 1);
    for text in [
        "<urn:p> a lv2:Plugin",
        "\u{0}\u{0}",
        "@prefix",
        "<urn:p> a <",
        &"[".repeat(100_000),
        &"(".repeat(100_000),
    ] {
        let folder = bundle(text);
        assert!(matches!(read(folder.path()), Err(LoadError::Bundle { .. })), "{:.20}", text);
    }
    assert!(matches!(read(Path::new("/nowhere")), Err(LoadError::Bundle { .. })));
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("manifest.ttl")).unwrap();
    assert!(matches!(read(folder.path()), Err(LoadError::Bundle { .. })));
    let endless = bundle(
        "<urn:p> a lv2:Plugin ; lv2:binary <p.so> ; rdfs:seeAlso <file:///dev/zero>, <http://a.b/c>, <gone.ttl> .",
    );
    assert!(read(endless.path()).unwrap().remove(0).1.is_ok());
}

#[test]
fn one_broken_plugin_does_not_cost_its_neighbour_in_the_bundle() {
    let folder = bundle(
        "<urn:bad> a lv2:Plugin ; lv2:binary <p.so> ; rdfs:seeAlso <bad.ttl> .
         <urn:good> a lv2:Plugin ; lv2:binary <p.so> . <urn:none> a lv2:Plugin .",
    );
    std::fs::write(folder.path().join("bad.ttl"), "no turtle").unwrap();
    let read: Vec<_> =
        read(folder.path()).unwrap().into_iter().map(|(id, it)| (id.name, it.is_ok())).collect();
    assert_eq!(
        read,
        [("urn:bad".to_owned(), false), ("urn:good".to_owned(), true), ("urn:none".to_owned(), false)]
    );
}

#[test]
fn of_several_languages_the_plain_one_is_taken_then_the_english_one_then_the_first() {
    let cases = [
        ("\"Verstärker\"@de, \"plain\", \"amp\"@en", "plain"),
        ("\"Verstärker\"@de, \"amp\"@en-gb", "amp"),
        ("\"Verstärker\"@de, \"ampli\"@fr", "Verstärker"),
    ];
    for (names, name) in cases {
        assert_eq!(plugin(&format!("<urn:p> doap:name {names} .")).unwrap().name, name);
    }
}

#[test]
fn a_range_is_never_upside_down_nor_without_its_default() {
    let cases = [
        ("", (0.0, 1.0, 0.0)),
        ("; lv2:default 5", (0.0, 5.0, 5.0)),
        ("; lv2:default -3", (-3.0, 1.0, -3.0)),
        ("; lv2:minimum 4 ; lv2:maximum 2 ; lv2:default 9", (4.0, 4.0, 4.0)),
        ("; lv2:minimum 1 ; lv2:maximum 2 ; lv2:default 9", (1.0, 2.0, 2.0)),
        ("; lv2:minimum \"NaN\" ; lv2:maximum \"inf\" ; lv2:default 1", (0.0, 1.0, 1.0)),
        ("; lv2:maximum 0.5 ; lv2:portProperty lv2:sampleRate", (0.0, 24_000.0, 0.0)),
        ("; lv2:scalePoint [ rdf:value 7 ; rdfs:label \"x\" ]", (0.0, 7.0, 0.0)),
    ];
    for (said, (min, max, default)) in cases {
        let text = plugin(&port("0", "a", &format!("{CONTROL} {said}"))).unwrap();
        let parameter = Parameters::of(&text, 48_000).list.remove(0);
        assert_eq!((parameter.min, parameter.max, parameter.default), (min, max, default), "{said}");
    }
}

#[test]
fn what_a_parameter_is_follows_from_what_its_port_says() {
    let body = port(
        "0",
        "on",
        &format!("{CONTROL} ; lv2:designation lv2:enabled ; lv2:minimum 0 ; lv2:maximum 1 ; lv2:default 1"),
    ) + &port(
        "1",
        "mode",
        &format!(
            "{CONTROL} ; lv2:portProperty lv2:enumeration, lv2:integer ; lv2:minimum 0 ; lv2:maximum 2 ; lv2:scalePoint [ rdf:value 2 ; rdfs:label \"Two\" ], [ rdf:value 0 ; rdfs:label \"None\" ]"
        ),
    ) + &port("2", "freq", &format!("{CONTROL} ; lv2:maximum 20000 ; units:unit units:hz"))
        + &port("3", "lat", "a lv2:ControlPort, lv2:OutputPort ; lv2:portProperty lv2:reportsLatency");
    let text = plugin(&body).unwrap();
    let parameters = Parameters::of(&text, 48_000);
    let list = &parameters.list;
    assert_eq!((list[0].is_bypass, list[0].default, list[0].symbol.as_str()), (true, 0.0, "bypass"));
    assert_eq!(parameters.turn(0, 1.0), 0.0);
    assert_eq!((list[1].steps, parameters.text_of(1, 2.0).unwrap()), (2, "Two".to_owned()));
    assert_eq!(parameters.value_of(1, " two"), Some(2.0));
    assert_eq!(parameters.text_of(2, 440.0).unwrap(), "440 Hz");
    assert_eq!(
        (parameters.value_of(2, "440 Hz"), parameters.value_of(2, "1e9")),
        (Some(440.0), Some(20_000.0))
    );
    assert_eq!((list[3].is_output, list[3].is_hidden), (true, true));
    assert_eq!((parameters.find(7), parameters.text_of(7, 0.0)), (None, None));
}

#[test]
fn groups_are_ports_side_chains_are_told_apart_and_too_many_channels_are_left_out() {
    let audio = "a lv2:AudioPort, lv2:InputPort";
    let body = "<urn:key> pg:sideChainOf <urn:main> ; lv2:name \"Key\" . <urn:main> lv2:name \"Main\" .
        <urn:p> pg:mainInput <urn:main> . "
        .to_owned()
        + &port("0", "k", &format!("{audio} ; pg:group <urn:key>"))
        + &port("1", "l", &format!("{audio} ; pg:group <urn:main>"))
        + &port("2", "r", &format!("{audio} ; pg:group <urn:main>"))
        + &port("3", "cv", "a lv2:CVPort, lv2:InputPort ; lv2:name \"CV\"");
    let inputs = Layout::of(&plugin(&body).unwrap()).inputs;
    let ports: Vec<_> = inputs.ports.iter().map(|it| (it.name.as_str(), it.channels, it.role)).collect();
    assert_eq!(
        ports,
        [("Main", 2, PortRole::Main), ("Key", 1, PortRole::SideChain), ("CV", 1, PortRole::Cv)]
    );
    assert_eq!(inputs.channels, [1, 2, 0, 3]);
    let many: String =
        (0..98).map(|n| port(&n.to_string(), &format!("o{n}"), "a lv2:AudioPort, lv2:OutputPort")).collect();
    let text = plugin(&many).unwrap();
    let outputs = Layout::of(&text).outputs;
    assert_eq!((outputs.channels.len(), outputs.ports[0].channels), (64, 64));
    assert!(text.ports.iter().all(|port| port.carries == PortType::Audio));
    assert_eq!(description(&text).kind, Kind::Effect);
}

#[test]
fn a_preset_of_another_bundle_is_read_with_its_ports_and_its_state() {
    let folder = bundle(
        "<urn:one> a pset:Preset ; lv2:appliesTo <urn:p> ; rdfs:label \"One\" ; rdfs:seeAlso <one.ttl> .
         <urn:other> a pset:Preset ; lv2:appliesTo <urn:q> ; rdfs:label \"Other\" .",
    );
    let one = "<urn:one> lv2:port [ lv2:symbol \"gain\" ; pset:value -3.5 ] ;
        state:state [ <urn:text> \"hello\" ; <urn:list> [ a atom:Vector ; atom:childType atom:Int ; rdf:value ( 1 2 ) ] ] .";
    std::fs::write(folder.path().join("one.ttl"), format!("{PREFIXES}{one}")).unwrap();
    let found = presets::find("urn:p", folder.path());
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].preset.name.as_str(), found[0].preset.key.as_str()), ("One", "urn:one"));
    let saved = presets::read(&found[0]).unwrap();
    assert_eq!(saved.values, [("gain".to_owned(), -3.5)]);
    let lens: Vec<_> = saved.entries.iter().map(|entry| (entry.key.as_str(), entry.bytes.len())).collect();
    assert_eq!(lens, [("urn:text", 6), ("urn:list", 16)]);
}

proptest! {
    #[test]
    fn any_turtle_is_read_or_refused(body in "[ -~\\n]{0,200}") {
        let _ = plugin(&body);
    }

    #[test]
    fn ports_said_in_any_way_make_sound_parameters(
        numbers in proptest::collection::vec("-?[0-9]{1,3}(\\.[0-9])?|\"NaN\"|true|\"1e999\"", 3),
        properties in proptest::sample::subsequence(vec!["toggled", "integer", "enumeration", "sampleRate"], 0..4),
    ) {
        let said: String = properties.iter().map(|it| format!("; lv2:portProperty lv2:{it} ")).collect();
        let rest = format!("{CONTROL} ; lv2:minimum {} ; lv2:maximum {} ; lv2:default {} {said}", numbers[0], numbers[1], numbers[2]);
        let text = plugin(&port("0", "a", &rest)).unwrap();
        let parameters = Parameters::of(&text, 44_100);
        let it = &parameters.list[0];
        prop_assert!(it.min <= it.default && it.default <= it.max && it.min.is_finite() && it.max.is_finite());
        let shown = parameters.text_of(0, it.default).unwrap();
        prop_assert!(parameters.value_of(0, &shown).is_some(), "{}", shown);
    }

    #[test]
    fn a_path_survives_its_url(name in "/[ -~äß]{1,20}") {
        prop_assert_eq!(path_of(&file_url(Path::new(&name))), Some(name.into()));
    }
}
