use proptest::prelude::*;

use super::*;
use crate::rack_file::RackEdit;

const WHOLE: &str = r#"
# A piano over a bass.
version = 1
gain_db = -3

[[slot]]
name = "bass"
plugin = "lv2:urn:a:bass"
preset = "Warm"
state = "live.states/bass.3.state"
bypass = true
parameters = { cutoff = 0.5, mode = "Saw", on = true }
zone = { channels = [1, 16], keys = ["C-1", "B3"], velocities = [1, 90], transpose = -12 }
side_chain = "piano"
audio_in = true
outputs = [{ to = "piano" }, { port = 2, device = "3-4" }]

[[slot.map]]
from = "cc 74"
parameter = "cutoff"

[[slot.map]]
from = "nrpn 1234"
channels = [2]
parameter = "mode"
range = [1, -0.5]
pick_up = false

[[slot]]
name = "piano"
plugin = "clap:a.piano"
zone = { keys = [60, 127] }
"#;

fn parsed(text: &str) -> Parsed<(Rack, Vec<String>)> {
    parse(Path::new("live.toml"), text)
}

#[test]
fn a_rack_says_all_that_can_be_said() {
    let (rack, warnings) = parsed(WHOLE).unwrap();
    assert_eq!(warnings, [""; 0]);
    let bass = RackSlot {
        name: "bass".into(),
        plugin: "lv2:urn:a:bass".parse().unwrap(),
        preset: Some("Warm".into()),
        state: Some("live.states/bass.3.state".into()),
        bypassed: true,
        parameters: vec![
            ("cutoff".into(), RackValue::Number(0.5)),
            ("mode".into(), RackValue::Text("Saw".into())),
            ("on".into(), RackValue::Number(1.0)),
        ],
        counts_parts: false,
        zone: Zone { channels: 0x8001, keys: (0, 59), velocities: (1, 90), transpose: -12 },
        map: vec![
            RackMapping {
                source: MapSource::Controller(74),
                channels: u16::MAX,
                parameter: "cutoff".into(),
                range: None,
                counts_parts: false,
                pick_up: true,
            },
            RackMapping {
                source: MapSource::Nrpn { parameter: 1234, fine: true },
                channels: 2,
                parameter: "mode".into(),
                range: Some((1.0, -0.5)),
                counts_parts: false,
                pick_up: false,
            },
        ],
        side_chain: Some("piano".into()),
        audio_in: true,
        outputs: vec![
            RackOutput { port: 1, to: RackTarget::Slot("piano".into()) },
            RackOutput { port: 2, to: RackTarget::Device("3-4".parse().unwrap()) },
        ],
    };
    assert_eq!((rack.gain_db, &rack.slots[0]), (-3.0, &bass));
    assert_eq!((rack.device_channels(), Rack::default().device_channels()), (4, 2));
    let piano = &rack.slots[1];
    assert_eq!((piano.name.as_str(), piano.zone.keys, piano.zone.velocities), ("piano", (60, 127), (1, 127)));
    assert_eq!(parsed("").unwrap().0, Rack::default());
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    let slot = |more: &str| format!("[[slot]]\nname = \"a\"\nplugin = \"clap:a\"\n{more}\n");
    let deep = format!("x = {}1{}", "[".repeat(5000), "]".repeat(5000));
    let many = slot("").replace("\"a\"", "\"NAME\"");
    let many: String = (0..=MAX_SLOTS).map(|n| many.replace("NAME", &format!("s{n}"))).collect();
    let long = slot(&format!("preset = \"{}\"", "x".repeat(2000)));
    for (text, line, said) in [
        ("a = ".to_owned(), 1, ""),
        ("\n\n[[slot]\n".into(), 3, ""),
        (deep, 1, "recurs"),
        ("version = 3".into(), 1, "newer"),
        ("version = \"1\"".into(), 1, "whole number"),
        ("slot = 3".into(), 1, "a list of tables"),
        ("\n[[slot]]\nplugin = \"clap:a\"".into(), 2, "name is missing"),
        ("[[slot]]\nname = \"a\"\n".into(), 1, "plugin is missing"),
        ("[[slot]]\nname = \"a\"\nplugin = \"/usr/lib/a.clap\"".into(), 3, "no plugin id"),
        ("[[slot]]\nname = \"../a\"\nplugin = \"clap:a\"".into(), 2, "no name of a slot"),
        (slot("state = \"../../etc/shadow\""), 4, "not in the rack's folder"),
        (slot("state = \"/etc/shadow\""), 4, "not in the rack's folder"),
        (slot("bypass = 1"), 4, "true or false"),
        (slot("parameters = { x = nan }"), 4, "x: a value is a number"),
        (slot("parameters = { x = [1] }"), 4, "x: a value is a number"),
        (slot("zone = { keys = [60, 59] }"), 4, "the lower one first"),
        (slot("zone = { keys = [\"H1\", 59] }"), 4, "two keys"),
        (slot("zone = { keys = [\"C-1\", \"A9\"] }"), 4, "two keys"),
        (slot("zone = { velocities = [0, 9] }"), 4, "1 to 127"),
        (slot("zone = { channels = [17] }"), 4, "from 1 to 16"),
        (slot("zone = 3"), 4, "a table"),
        (slot("map = [{ from = \"cc 120\", parameter = \"x\" }]"), 4, "no controller"),
        (slot("map = [{ from = \"cc14 32\", parameter = \"x\" }]"), 4, "no controller"),
        (slot("map = [{ from = \"bend 1\", parameter = \"x\" }]"), 4, "no controller"),
        (slot("\n[[slot.map]]\nfrom = \"cc 1\""), 5, "parameter is missing"),
        (slot("map = [{ from = \"cc 1\", parameter = \"x\", range = [1] }]"), 4, "two numbers"),
        (slot("outputs = [{ to = \"b\" }]"), 1, "no other slot"),
        (slot("outputs = [{ device = \"4-3\" }]"), 4, "no channels of a device"),
        (slot("outputs = [{ port = 2 }]"), 4, "either to a slot"),
        (slot("outputs = [{ to = \"b\", device = \"3\" }]"), 4, "either to a slot"),
        (slot("side_chain = \"a\""), 1, "no other slot"),
        (slot("outputs = [{ port = 0, to = \"b\" }]"), 4, "from 1 to 64"),
        (slot("") + &slot(""), 5, "two slots have the name"),
        (long, 4, "at most 1024 bytes"),
        (many, 1, "48 can be"),
    ] {
        let start = &text[..text.len().min(60)];
        let Err(error) = parsed(&text) else { panic!("{start} is read") };
        let shown = error.to_string();
        assert!(shown.starts_with(&format!("live.toml:{line}: ")), "{start:?}: {shown}");
        assert!(shown.contains(said), "{start:?}: {shown}");
        assert_eq!(shown.lines().count(), 1, "{shown}");
    }
}

#[test]
fn numbers_of_vst3_plugins_are_parts_in_a_file_that_says_no_version_and_that_is_told() {
    let slot =
        |plugin: &str, more: &str| format!("[[slot]]\nname = \"a\"\nplugin = \"{plugin}:x\"\n{more}\n");
    let number = "parameters = { gain = 0.5 }";
    let range = "map = [{ from = \"cc 1\", parameter = \"gain\", range = [0, 1] }]";
    for (version, plugin, more, counts_parts, is_told) in [
        ("", "vst3", number, true, true),
        ("version = 1\n", "vst3", range, true, true),
        ("", "vst3", "parameters = { gain = \"-3 dB\" }", true, false),
        ("version = 2\n", "vst3", number, false, false),
        ("", "clap", number, false, false),
        ("", "lv2", range, false, false),
    ] {
        let (rack, warnings) = parsed(&format!("{version}{}", slot(plugin, more))).unwrap();
        let slot = &rack.slots[0];
        assert_eq!(
            (slot.counts_parts, !warnings.is_empty()),
            (counts_parts, is_told),
            "{version}{plugin} {more}"
        );
        assert!(slot.map.iter().all(|it| it.counts_parts == counts_parts));
        assert!(
            warnings.iter().all(|it| it.contains("version = 2") && it.lines().count() == 1),
            "{warnings:?}"
        );
        // What is set while it runs is in the plugin's own unit, and stays it.
        let edit =
            RackEdit::Parameter { slot: "a".into(), symbol: "gain".into(), value: RackValue::Number(0.25) };
        let RackEdit::Parameter { value, .. } = rack.as_written(edit) else { panic!("another edit") };
        let wanted = if counts_parts { RackValue::Text("0.25".into()) } else { RackValue::Number(0.25) };
        assert_eq!(value, wanted);
    }
}

#[test]
fn slips_of_the_pen_are_told_and_kept() {
    let (_, warnings) =
        parsed("\nvolume = 3\n[[slot]]\nname = \"a\"\nplugin = \"clap:a\"\nbypas = true\n").unwrap();
    assert_eq!(warnings.len(), 2);
    assert!(warnings[0].starts_with("live.toml:6: bypas is not known"), "{warnings:?}");
    assert!(warnings[1].starts_with("live.toml:2: volume is not known"), "{warnings:?}");
}

#[test]
fn keys_have_names() {
    let key = |name: &str| key_of(&Value::from(name));
    for (name, number) in
        [("C-1", 0), ("C4", 60), ("c4", 60), ("A4", 69), ("Bb3", 58), ("F#2", 42), ("G9", 127)]
    {
        assert_eq!(key(name), Some(number), "{name}");
    }
    for name in ["", "C", "Cb-1", "G#9", "C10", "4", "C4 ", "Cé4"] {
        assert_eq!(key(name), None, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// A file cut anywhere, or with any bytes changed, is read or refused with one line.
    #[test]
    fn a_damaged_file_is_read_or_refused_in_one_line(
        cut in 0..WHOLE.len(),
        changes in prop::collection::vec((0..WHOLE.len(), prop_oneof![any::<char>(), "[\\[\\]{}\"=\\n.#-]".prop_map(|it| it.chars().next().unwrap_or('\n'))]), 0..6),
    ) {
        let mut chars: Vec<char> = WHOLE.chars().collect();
        changes.iter().for_each(|(at, char)| chars[*at] = *char);
        let text: String = chars[..if changes.is_empty() { cut } else { chars.len() }].iter().collect();
        if let Err(error) = parsed(&text) {
            let shown = error.to_string();
            prop_assert_eq!(shown.lines().count(), 1);
            let line = shown.strip_prefix("live.toml:").and_then(|rest| rest.split(':').next()?.parse::<usize>().ok());
            prop_assert!(line.is_some_and(|line| line <= text.split('\n').count()), "{}", shown);
        }
    }
}
