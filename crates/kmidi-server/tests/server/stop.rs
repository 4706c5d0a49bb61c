use std::io::Write;
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use kmidi_server::{Limits, Listener, ServerConfig, ServerError};

use crate::rig::{PATIENCE, rig, with_limits};

#[test]
fn a_request_under_way_is_answered_before_the_server_ends() {
    let limits = Limits { stop_time: PATIENCE, ..Limits::default() };
    let rig = with_limits(limits);
    let (is_there, let_go) = rig.figures.hold();
    let mut stream = rig.connect();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    is_there.recv_timeout(PATIENCE).unwrap();
    let stopping = thread::spawn(move || rig.server.stop());
    thread::sleep(Duration::from_millis(50));
    assert!(!stopping.is_finished());
    let_go.send(()).unwrap();
    assert_eq!(crate::rig::answer(stream).status, 200);
    assert!(stopping.join().unwrap());
}

#[test]
fn what_hangs_is_left_behind() {
    let rig = with_limits(Limits { stop_time: Duration::from_millis(50), ..Limits::default() });
    let (is_there, _let_go) = rig.figures.hold();
    let mut stream = rig.connect();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    is_there.recv_timeout(PATIENCE).unwrap();
    assert!(!rig.server.stop());
}

#[test]
fn idle_connections_do_not_keep_it() {
    let rig = rig(ServerConfig::default());
    let _never = rig.connect();
    let mut idle = rig.connect();
    idle.write_all(b"GET /live HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    assert_eq!(rig.get("/live").status, 200);
    assert!(rig.server.stop());
}

#[test]
fn nobody_is_answered_after_the_end() {
    let rig = rig(ServerConfig::default());
    let address = rig.address;
    assert_eq!(rig.get("/live").status, 200);
    drop(rig.server);
    assert!(std::net::TcpStream::connect(address).is_err());
    Listener::bind(address).expect("the port is free again");
}

#[test]
fn an_address_that_cannot_be_had_says_why() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let error = Listener::bind(address).map(|_| ()).unwrap_err();
    assert!(matches!(error, ServerError::InUse(it) if it == address), "{error}");
    // For documentation: no machine has it.
    let error = Listener::bind("203.0.113.1:0".parse().unwrap()).map(|_| ()).unwrap_err();
    assert!(matches!(error, ServerError::NoSuchAddress(_)), "{error}");
}
