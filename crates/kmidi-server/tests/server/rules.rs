//! The files of `assets/monitoring/` fit to what the server says.

use std::path::{Path, PathBuf};
use std::process::Command;

use kmidi_server::ServerConfig;
use prom_text_format_parser::{Sample, Scrape};
use yaml_rust2::{Yaml, YamlLoader};

use crate::rig::{playing, rig};

fn monitoring(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/monitoring").join(name)
}

fn yaml(name: &str) -> Yaml {
    let path = monitoring(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    YamlLoader::load_from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}")).remove(0)
}

fn list(yaml: &Yaml) -> &[Yaml] {
    yaml.as_vec().map_or(&[], Vec::as_slice)
}

/// The text of `/metrics` with something playing.
fn scrape() -> Scrape {
    let rig = rig(ServerConfig::default());
    *rig.figures.playing.lock().unwrap() = Some(playing());
    Scrape::parse(&rig.get("/metrics").body).unwrap()
}

/// Names and labels of an expression that the scrape has not. `up`, `job` and `instance` are the scraper's.
fn unknown(expression: &str, scrape: &Scrape) -> Vec<String> {
    const WORDS: [&str; 6] = ["up", "increase", "ignoring", "kind", "and", "offset"];
    let mut problems = Vec::new();
    let mut rest = expression;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphabetic() || c == '_') {
        let is_duration = rest[..start].ends_with(|c: char| c.is_ascii_digit());
        let word = &rest[start..];
        let end = word.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(word.len());
        let (word, after) = word.split_at(end);
        let (labels, after) = match after.strip_prefix('{').and_then(|after| after.split_once('}')) {
            Some((labels, after)) => (labels, after),
            None => ("", after),
        };
        rest = after;
        if is_duration || WORDS.contains(&word) {
            continue;
        }
        let samples = scrape.metrics.iter().find(|metric| metric.name == word);
        let Some(metric) = samples else {
            problems.push(word.to_owned());
            continue;
        };
        let wanted: Vec<_> = labels.split(',').filter(|it| !it.is_empty()).map(pair).collect();
        let has = |sample: &Sample, (key, value): &(String, String)| {
            sample.labels.iter().any(|label| label.key == *key && label.value == *value)
        };
        if !metric.samples.iter().any(|sample| wanted.iter().all(|pair| has(sample, pair))) {
            problems.push(format!("{word}{{{labels}}}"));
        }
    }
    problems
}

fn pair(label: &str) -> (String, String) {
    let (key, value) = label.split_once('=').unwrap_or_else(|| panic!("no plain label: {label}"));
    (key.trim().into(), value.trim().trim_matches('"').into())
}

#[test]
fn every_alert_watches_figures_that_there_are() {
    let (rules, scrape) = (yaml("alerts.yml"), scrape());
    let rules: Vec<&Yaml> = list(&rules["groups"]).iter().flat_map(|group| list(&group["rules"])).collect();
    assert!(rules.len() >= 6);
    for rule in rules {
        let name = rule["alert"].as_str().expect("a name");
        let expression = rule["expr"].as_str().unwrap_or_else(|| panic!("{name}: no expression"));
        assert_eq!(unknown(expression, &scrape), [""; 0], "{name}");
        assert!(rule["annotations"]["summary"].as_str().is_some(), "{name}: no summary");
    }
}

#[test]
fn control_a_figure_that_there_is_not_is_seen() {
    let scrape = scrape();
    for (expression, expected) in [
        ("increase(kmidi_rt_xrun_total[5m]) > 0", "kmidi_rt_xrun_total"),
        ("kmidi_memory_bytes{kind=\"alive\"} > 1", "kmidi_memory_bytes{kind=\"alive\"}"),
        ("rate(kmidi_rt_xruns_total[5m])", "rate"),
    ] {
        assert_eq!(unknown(expression, &scrape), [expected]);
    }
}

#[test]
fn the_memory_rule_waits_five_minutes_beyond_85_percent() {
    let rules = yaml("alerts.yml");
    let rules = list(&rules["groups"][0]["rules"]);
    let rule = rules.iter().find(|rule| rule["alert"].as_str() == Some("KmidiMemoryBudgetNearlyFull"));
    let rule = rule.expect("there is one");
    assert_eq!(rule["for"].as_str(), Some("5m"));
    assert!(rule["expr"].as_str().is_some_and(|text| text.ends_with("> 0.85")));
}

#[test]
fn the_scraper_is_told_of_the_rules_and_the_default_address() {
    let config = yaml("prometheus.yml");
    assert_eq!(config["rule_files"][0].as_str(), Some("alerts.yml"));
    let job = &config["scrape_configs"][0];
    assert_eq!(job["job_name"].as_str(), Some("kmidi"));
    assert_eq!(job["metrics_path"].as_str(), Some("/metrics"));
    assert_eq!(job["static_configs"][0]["targets"][0].as_str(), Some("127.0.0.1:8000"));
}

#[test]
fn containers_have_limits() {
    let compose = yaml("compose.yml");
    let memory = |service: &str, kind: &str| {
        let resources = &compose["services"][service]["deploy"]["resources"];
        resources[kind]["memory"].as_str().map(str::to_owned)
    };
    assert_eq!(memory("kmidi", "limits").as_deref(), Some("1G"));
    assert_eq!(memory("kmidi", "reservations").as_deref(), Some("512M"));
    assert_eq!(memory("kmidi-small", "limits").as_deref(), Some("512M"));
}

#[test]
fn prometheus_own_tool_agrees() {
    let run = |arguments: &[&str]| Command::new("promtool").args(arguments).output();
    if run(&["--version"]).is_err() {
        eprintln!("promtool is not installed: nothing tested");
        return;
    }
    let (alerts, config) = (monitoring("alerts.yml"), monitoring("prometheus.yml"));
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/alerts.test.yml");
    for (what, file) in [("check rules", &alerts), ("check config", &config), ("test rules", &cases)] {
        let file = file.to_str().expect("UTF-8");
        let words: Vec<&str> = what.split(' ').chain([file]).collect();
        let output = run(&words).unwrap();
        assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
