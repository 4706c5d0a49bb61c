//! What clients can make the server do is bounded.

use std::io::{Read, Write};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use kmidi_server::{Limits, ServerConfig};

use crate::rig::{PATIENCE, answer, rig, with_limits};

#[test]
fn one_request_too_many_at_once_is_refused_and_live_is_not() {
    let rig = rig(ServerConfig { concurrency: 1, ..ServerConfig::default() });
    let (is_there, let_go) = rig.figures.hold();
    thread::scope(|scope| {
        let held = scope.spawn(|| rig.get("/metrics"));
        is_there.recv_timeout(PATIENCE).unwrap();
        let refused = rig.get("/metrics");
        assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
        assert!(refused.header("x-request-id").is_some());
        assert_eq!(rig.get("/live").status, 200);
        let_go.send(()).unwrap();
        assert_eq!(held.join().unwrap().status, 200);
    });
    assert_eq!(rig.get("/metrics").status, 200);
}

#[test]
fn work_that_nobody_waits_for_any_more_keeps_its_place() {
    let limits = Limits { request_time: Duration::from_millis(50), ..Limits::default() };
    let rig = rig(ServerConfig { concurrency: 1, limits, ..ServerConfig::default() });
    let (is_there, let_go) = rig.figures.hold();
    let late = rig.get("/metrics");
    assert_eq!((late.status, late.json()["error"].as_str()), (503, Some("the answer took too long")));
    is_there.recv_timeout(PATIENCE).unwrap();
    let refused = rig.get("/metrics");
    assert_eq!(refused.json()["error"], "too many requests at once: try again");
    drop(let_go);
    let start = Instant::now();
    while rig.get("/metrics").status != 200 {
        assert!(start.elapsed() < PATIENCE);
    }
}

#[test]
fn who_sends_slowly_blocks_nobody() {
    let rig = rig(ServerConfig { concurrency: 1, ..ServerConfig::default() });
    let beginnings = ["", "GET /metrics HT", "GET /metrics HTTP/1.1\r\nhost: x\r\nx-slow: "];
    let with_body = "GET /metrics HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc";
    let slow: Vec<_> = (0..8)
        .flat_map(|_| beginnings.into_iter().chain([with_body]))
        .map(|beginning| {
            let mut stream = rig.connect();
            stream.write_all(beginning.as_bytes()).unwrap();
            stream
        })
        .collect();
    for _ in 0..10 {
        assert_eq!(rig.get("/metrics").status, 200);
    }
    drop(slow);
}

#[test]
fn a_head_that_does_not_come_ends_the_connection() {
    let rig = with_limits(Limits { head_time: Duration::from_millis(50), ..Limits::default() });
    let mut never = rig.connect();
    let mut half = rig.connect();
    half.write_all(b"GET /live HTTP/1.1\r\nhost: ").unwrap();
    let mut idle = rig.connect();
    idle.write_all(b"GET /live HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    for stream in [&mut never, &mut half, &mut idle] {
        let mut rest = Vec::new();
        // Closed, or reset with bytes that nobody read.
        let end = stream.read_to_end(&mut rest);
        let timed_out = end.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
        assert!(!timed_out, "still open after {PATIENCE:?}");
    }
}

#[test]
fn a_body_that_does_not_come_is_told_so() {
    let rig = with_limits(Limits { request_time: Duration::from_millis(50), ..Limits::default() });
    let answer =
        rig.ask("GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 10\r\n\r\nabc");
    assert_eq!(answer.status, 408, "{answer:#?}");
}

#[test]
fn what_is_too_long_is_refused() {
    let rig = with_limits(Limits { body_bytes: 100, ..Limits::default() });
    let with_body = |bytes: usize| {
        let body = "x".repeat(bytes);
        let head = "GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length:";
        rig.ask(&format!("{head} {bytes}\r\n\r\n{body}")).status
    };
    assert_eq!((with_body(100), with_body(101)), (200, 413));
    let with_head = |lines: usize, bytes: usize| {
        let lines = format!("x-filler: {}\r\n", "x".repeat(bytes)).repeat(lines);
        rig.ask(&format!("GET /live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{lines}\r\n")).status
    };
    assert_eq!((with_head(10, 10), with_head(100, 1), with_head(10, 4000)), (200, 431, 431));
    let endless = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(100_000));
    assert!([414, 431].contains(&rig.ask(&endless).status));
}

#[test]
fn garbage_is_a_bad_request_and_nothing_else_happens() {
    let rig = rig(ServerConfig::default());
    for garbage in [
        "garbage\r\n\r\n",
        "\0\u{1}\u{2}\u{3}\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET /live HTTP/1.1\r\nno colon here\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}\r\n\r\n",
        "POST /live HTTP/1.1\r\nhost: x\r\ncontent-length: 1e9\r\n\r\n",
        "POST /live HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc",
    ] {
        assert_eq!(rig.ask(garbage).status, 400, "{garbage:?}");
    }
    assert_eq!(rig.get("/live").status, 200);
}

#[test]
fn connections_are_bounded_and_those_that_wait_come_in_when_one_ends() {
    let rig = with_limits(Limits { connections: 2, ..Limits::default() });
    let (first, second) = (rig.connect(), rig.connect());
    let mut third = rig.connect();
    third.write_all(b"GET /live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let (tell, told) = channel();
    let waiting = thread::spawn(move || tell.send(answer(third).status));
    assert!(told.recv_timeout(Duration::from_millis(200)).is_err());
    drop((first, second));
    assert_eq!(told.recv_timeout(PATIENCE), Ok(200));
    waiting.join().unwrap().unwrap();
}
