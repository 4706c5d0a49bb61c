//! `/metrics`, read by parsers of the format that are not ours.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use kmidi_memory::Violations;
use kmidi_server::ServerConfig;
use prom_text_format_parser::{Scrape, Type};

use crate::rig::{Rig, playing, rig};

/// Samples by name and labels, as a strict parser reads them.
type Samples = BTreeMap<String, f64>;

fn read(text: &str) -> Result<Samples, String> {
    let scrape = Scrape::parse(text).map_err(|error| format!("{error:?}"))?;
    let mut samples = Samples::new();
    for metric in scrape.metrics {
        let expected = if metric.name.ends_with("_total") { Type::Counter } else { Type::Gauge };
        if metric.kind != expected || metric.help_desc.is_none() {
            return Err(format!("{}: type {} or no help", metric.name, metric.kind));
        }
        for sample in metric.samples {
            let mut labels: Vec<_> =
                sample.labels.iter().map(|label| format!("{}={}", label.key, label.value)).collect();
            labels.sort();
            let key = format!("{}{{{}}}", metric.name, labels.join(","));
            if samples.insert(key.clone(), sample.value.value.as_f64()).is_some() {
                return Err(format!("{key} twice"));
            }
        }
    }
    Ok(samples)
}

fn playing_rig() -> Rig {
    let rig = rig(ServerConfig::default());
    *rig.figures.playing.lock().unwrap() = Some(playing());
    rig.figures.memory.lock().unwrap().violations = Violations { allocations: 5, frees: 6 };
    rig
}

#[test]
fn the_text_is_of_the_format_and_says_what_is() {
    let rig = playing_rig();
    let _ = (rig.get("/health"), rig.get("/nowhere"), rig.get("/elsewhere"));
    let answer = rig.get("/metrics");
    let format = "text/plain; version=0.0.4; charset=utf-8";
    assert_eq!((answer.status, answer.header("content-type")), (200, Some(format)));
    let samples = read(&answer.body).unwrap();
    let mib = f64::from(1 << 20);
    for (key, value) in [
        ("kmidi_memory_bytes{domain=audio,kind=live}", mib + 1.0),
        ("kmidi_memory_bytes{domain=working,kind=peak}", 3.0 * mib + 3.0),
        ("kmidi_memory_bytes{domain=program,kind=promised}", 2.0 * mib),
        ("kmidi_memory_bytes{domain=models,kind=limit}", 100.0 * mib + 2.0),
        ("kmidi_memory_bytes{domain=total,kind=limit}", 100.0 * mib + 10.0),
        ("kmidi_memory_bytes{domain=total,kind=peak}", 9.0 * mib),
        ("kmidi_memory_leases_refused_total{domain=models}", 2.0),
        ("kmidi_rt_violations_total{class=allocation}", 5.0),
        ("kmidi_rt_violations_total{class=free}", 6.0),
        ("kmidi_rt_page_faults_total{}", 8.0),
        ("kmidi_rt_xruns_total{}", 7.0),
        ("kmidi_playing{}", 1.0),
        ("kmidi_voices{}", 34.0),
        ("kmidi_audio_load_ratio{}", 0.25),
        ("kmidi_song_position_seconds{}", 12.25),
        ("kmidi_song_duration_seconds{}", 90.5),
        ("kmidi_http_requests_total{code=503,path=/health}", 1.0),
        ("kmidi_http_requests_total{code=404,path=other}", 2.0),
        ("kmidi_http_requests_total{code=200,path=/live}", 0.0),
    ] {
        assert_eq!(samples.get(key), Some(&value), "{key}: {samples:#?}");
    }
    let percent = samples["kmidi_api_system_memory_percent{}"];
    assert!((0.0..=100.0).contains(&percent), "{percent}");
    assert!(samples["kmidi_api_system_memory_available_bytes{}"] > 0.0);
    assert!(!samples.contains_key("kmidi_memory_bytes{domain=program,kind=limit}"), "there is none");
}

#[test]
fn what_is_not_known_is_left_out() {
    let rig = rig(ServerConfig::default());
    let samples = read(&rig.get("/metrics").body).unwrap();
    for counter in ["kmidi_rt_page_faults_total{}", "kmidi_rt_xruns_total{}"] {
        assert_eq!(samples.get(counter), Some(&0.0), "no callback has done anything");
    }
    for prefix in ["kmidi_song", "kmidi_voices", "kmidi_audio_load", "kmidi_playing"] {
        assert!(!samples.keys().any(|key| key.starts_with(prefix)), "{prefix}");
    }
    let mut unknown = playing();
    unknown.snapshot.output.page_faults = None;
    *rig.figures.playing.lock().unwrap() = Some(unknown);
    let samples = read(&rig.get("/metrics").body).unwrap();
    assert!(!samples.contains_key("kmidi_rt_page_faults_total{}"));
}

/// What to replace, and by what, so that a text is not of the format any more.
const BREACHES: [(&str, &str); 5] = [
    ("kind=\"live\"", "kind=\"live"),
    ("# TYPE kmidi_voices gauge", "# TYPE kmidi_voices gage"),
    ("kmidi_rt_xruns_total 7", "kmidi_rt_xruns_total seven"),
    ("kmidi_voices 34", "kmidi-voices 34"),
    ("kmidi_playing 1", "kmidi_playing"),
];

#[test]
fn control_a_text_that_is_not_of_the_format_is_refused() {
    let text = playing_rig().get("/metrics").body;
    for (from, to) in BREACHES {
        assert!(text.contains(from), "{from}");
        assert!(read(&text.replacen(from, to, 1)).is_err(), "{to}");
    }
}

/// Whether a program says that a text is of the format; None where it is not installed.
fn judged(program: &str, arguments: &[&str], probe: &[&str], text: &str) -> Option<bool> {
    let quiet = |command: &mut Command| {
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    if !quiet(Command::new(program).args(probe)) {
        eprintln!("{program} {probe:?} does not work here: nothing tested");
        return None;
    }
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may have seen enough.
    let _ = child.stdin.take().unwrap().write_all(text.as_bytes());
    let outcome = child.wait_with_output().unwrap();
    eprint!("{}", String::from_utf8_lossy(&outcome.stderr));
    Some(outcome.status.success())
}

/// Prometheus' own client library.
const PYTHON: &str = "import sys; from prometheus_client.parser import text_string_to_metric_families as parse\n\
     names = [family.name for family in parse(sys.stdin.read())]\n\
     sys.exit(0 if len(names) > 10 and len(names) == len(set(names)) else 1)";

#[test]
fn other_parsers_read_it_too() {
    let text = playing_rig().get("/metrics").body;
    let broken = text.replacen("kmidi_rt_xruns_total 7", "kmidi_rt_xruns_total seven", 1);
    let import = ["-c", "import prometheus_client"];
    for (program, arguments, probe) in [
        ("python3", &["-c", PYTHON], &import[..]),
        // The system's, where another comes first.
        ("/usr/bin/python3", &["-c", PYTHON], &import[..]),
        ("promtool", &["check", "metrics"], &["--version"]),
    ] {
        if let Some(is_good) = judged(program, arguments, probe, &text) {
            assert!(is_good, "{program}: {text}");
            assert_eq!(judged(program, arguments, probe, &broken), Some(false), "{program}");
        }
    }
}
