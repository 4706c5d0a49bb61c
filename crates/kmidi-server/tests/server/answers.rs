use kmidi_memory::{Pressure, Violations};
use kmidi_server::{ServerConfig, Trouble, TroubledPart};
use kmidi_session::PlayState;

use crate::rig::{playing, rig};

#[test]
fn live_is_answered_whatever_is_wrong() {
    let rig = rig(ServerConfig::default());
    *rig.figures.broken.lock().unwrap() = true;
    let answer = rig.get("/live");
    assert_eq!((answer.status, answer.json()["status"].as_str()), (200, Some("live")));
}

#[test]
fn ready_follows_what_plays() {
    let rig = rig(ServerConfig::default());
    assert_eq!(rig.get("/ready").status, 200);
    let mut now = playing();
    now.snapshot.state = PlayState::Loading;
    *rig.figures.playing.lock().unwrap() = Some(now.clone());
    let answer = rig.get("/ready");
    assert_eq!(answer.status, 503);
    assert_eq!(answer.json()["reason"], "the song and its sounds are being read");
    now.snapshot.state = PlayState::Playing;
    *rig.figures.playing.lock().unwrap() = Some(now.clone());
    assert_eq!(rig.get("/ready").status, 200);
    now.troubles.push(Trouble { part: TroubledPart::Engine, text: "it has ended".into() });
    *rig.figures.playing.lock().unwrap() = Some(now);
    assert_eq!(rig.get("/ready").json()["reason"], "it has ended");
}

#[test]
fn health_is_503_where_a_part_is_degraded() {
    let rig = rig(ServerConfig::default());
    *rig.figures.playing.lock().unwrap() = Some(playing());
    let answer = rig.get("/health");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["status"], "ok");
    assert_eq!(answer.json()["parts"]["song"], serde_json::json!({ "status": "ok", "reasons": [] }));
    rig.figures.memory.lock().unwrap().pressure = Pressure::Critical;
    rig.figures.memory.lock().unwrap().violations = Violations { allocations: 1, frees: 0 };
    let answer = rig.get("/health");
    assert_eq!(answer.status, 503);
    let json = answer.json();
    assert_eq!(json["status"], "degraded");
    assert_eq!(json["parts"]["memory"]["status"], "degraded");
    assert_eq!(json["parts"]["realtime"]["reasons"].as_array().map(Vec::len), Some(1));
    assert_eq!(json["parts"]["device"]["status"], "ok");
}

#[test]
fn every_answer_to_a_request_carries_its_id() {
    let rig = rig(ServerConfig::default());
    for path in ["/live", "/ready", "/health", "/metrics", "/", "/nowhere", "/live/x"] {
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: x\r\nx-request-id: me-1\r\nconnection: close\r\n\r\n");
        assert_eq!(rig.ask(&request).header("x-request-id"), Some("me-1"), "{path}");
        let made = rig.get(path);
        assert_eq!(made.header("x-request-id").map(str::len), Some(32), "{made:#?}");
    }
    let request = "POST /live HTTP/1.1\r\nhost: x\r\nx-request-id: a b\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let refused = rig.ask(request);
    assert_eq!((refused.status, refused.header("x-request-id").map(str::len)), (405, Some(32)));
}

#[test]
fn what_is_not_there_is_said_so() {
    let rig = rig(ServerConfig::default());
    let nowhere = rig.get("/%00%ff?x=1");
    assert_eq!(nowhere.status, 404);
    assert!(nowhere.json()["error"].as_str().is_some_and(|text| text.contains("/metrics")));
    let deleted = rig.ask("DELETE /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert_eq!(deleted.status, 405);
    assert!(deleted.json()["error"].is_string());
    let head = rig.ask("HEAD /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}

#[test]
fn a_source_that_panics_is_a_500_and_the_server_goes_on() {
    let rig = rig(ServerConfig { concurrency: 1, ..ServerConfig::default() });
    *rig.figures.broken.lock().unwrap() = true;
    for _ in 0..3 {
        assert_eq!(rig.get("/metrics").status, 500);
    }
    *rig.figures.broken.lock().unwrap() = false;
    assert_eq!(rig.get("/metrics").status, 200);
}
