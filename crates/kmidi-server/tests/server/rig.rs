//! A server and a client that says what it likes.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kmidi_memory::{BudgetStatus, Domain, DomainSnapshot, MIB, Tally};
use kmidi_server::{Limits, Listener, Playing, Server, ServerConfig, Source};
use kmidi_session::{PlayState, SongSnapshot};

/// Longer than anything takes on a slow machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Figures that a test sets.
#[derive(Default)]
pub struct Figures {
    pub memory: Mutex<kmidi_memory::Snapshot>,
    pub playing: Mutex<Option<Playing>>,
    /// What looking at memory waits for, after it has told that it is there.
    pub hold: Mutex<Option<(Sender<()>, Receiver<()>)>>,
    /// Looking at memory panics.
    pub broken: Mutex<bool>,
}

impl Source for Figures {
    fn memory(&self) -> kmidi_memory::Snapshot {
        let hold = self.hold.lock().unwrap().take();
        if let Some((there, go_on)) = hold {
            there.send(()).unwrap();
            // A test that is over lets go too.
            let _ = go_on.recv();
        }
        assert!(!*self.broken.lock().unwrap(), "planted");
        self.memory.lock().unwrap().clone()
    }

    fn playing(&self) -> Option<Playing> {
        self.playing.lock().unwrap().clone()
    }
}

impl Figures {
    /// Has the next look at memory wait. Returns what tells that it is there, and what lets it go on.
    pub fn hold(&self) -> (Receiver<()>, Sender<()>) {
        let (there, is_there) = channel();
        let (let_go, go_on) = channel();
        *self.hold.lock().unwrap() = Some((there, go_on));
        (is_there, let_go)
    }
}

/// Memory with nothing wrong, each figure another.
pub fn memory() -> kmidi_memory::Snapshot {
    let budget = |n: u64| BudgetStatus {
        limit_bytes: 100 * MIB + n,
        live_bytes: MIB + n,
        promised_bytes: 2 * MIB + n,
        leases: 1,
        refused: n,
    };
    let domain = |domain| DomainSnapshot {
        domain,
        budget: budget(domain as u64),
        peak_bytes: 3 * MIB + domain as u64,
        tally: Tally::default(),
    };
    kmidi_memory::Snapshot {
        domains: Domain::ALL.map(domain).to_vec(),
        total: budget(10),
        total_peak_bytes: 9 * MIB,
        ..Default::default()
    }
}

/// A song that plays.
pub fn playing() -> Playing {
    let mut playing = Playing::default();
    let now = &mut playing.snapshot;
    now.state = PlayState::Playing;
    now.song = Some(SongSnapshot { number: 2, of: 3, duration_seconds: 90.5, ..SongSnapshot::default() });
    now.position.seconds = 12.25;
    now.output.dsp_load = 0.25;
    (now.output.xruns, now.output.page_faults) = (7, Some(8));
    (now.synth.voices, now.synth.polyphony) = (34, 256);
    playing
}

/// A server on a port of its own.
pub struct Rig {
    pub figures: Arc<Figures>,
    pub address: SocketAddr,
    pub server: Server,
}

pub fn rig(config: ServerConfig) -> Rig {
    let figures = Arc::new(Figures::default());
    *figures.memory.lock().unwrap() = memory();
    let listener = Listener::bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let address = listener.address();
    let server = Server::start(listener, config, figures.clone()).unwrap();
    Rig { figures, address, server }
}

pub fn with_limits(limits: Limits) -> Rig {
    rig(ServerConfig { limits, ..ServerConfig::default() })
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.0 == name).map(|header| header.1.as_str())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

impl Rig {
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"))
    }

    /// Sends bytes as they are, and reads what comes until the connection closes.
    pub fn ask(&self, request: &str) -> Answer {
        let mut stream = self.connect();
        // An answer may come, and the connection close, before all was sent.
        let _ = stream.write_all(request.as_bytes());
        answer(stream)
    }
}

pub fn answer(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes);
    let text = String::from_utf8(bytes).expect("UTF-8");
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?} {end:?}"));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.into()));
    Answer {
        status: status.unwrap_or_else(|| panic!("no status: {text}")),
        headers: lines.filter_map(header).collect(),
        body: body.into(),
    }
}
