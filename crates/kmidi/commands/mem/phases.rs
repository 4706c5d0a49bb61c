use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use kmidi_memory::{Domain, MIB, ProcessMemory, process_memory, tally};
use kmidi_session::{
    AudioRequest, Backend, PlayState, Session, SessionConfig, SessionEvent, Severity, SoundFontChoice,
};
use serde::Serialize;

use super::args;
use super::demo::Song;
use super::text::mib;
use crate::exit::Unreadable;
use crate::output::{print, print_json};

/// How long a song may take until it plays.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks, and how many there are: what is there for a moment only does not count.
const LOOK: Duration = Duration::from_millis(20);
const LOOKS: usize = 20;

/// A step of the start, and what is in memory then.
#[derive(Clone, Debug, Serialize)]
pub struct Phase {
    pub name: &'static str,
    /// What happened until here.
    pub what: &'static str,
    /// What the reference system takes in this phase, in MB; nothing where it adds nothing of its own.
    pub reference_mb: u64,
    pub rss_anon_mib: f64,
    pub rss_shmem_mib: f64,
    pub domains: Vec<Live>,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub struct Live {
    pub domain: Domain,
    pub live_bytes: u64,
}

#[derive(Serialize)]
struct Report {
    phases: Vec<Phase>,
}

impl Phase {
    fn now(name: &'static str, what: &'static str, reference_mb: u64) -> Result<Self> {
        let mut least = Domain::ALL.map(|domain| tally(domain).live_bytes());
        for _ in 1..LOOKS {
            thread::sleep(LOOK);
            for domain in Domain::ALL {
                let least = &mut least[domain as usize];
                *least = (*least).min(tally(domain).live_bytes());
            }
        }
        let ProcessMemory { rss_anon_bytes, rss_shmem_bytes, .. } = process_memory()?;
        let mib = |bytes: u64| bytes as f64 / MIB as f64;
        Ok(Phase {
            name,
            what,
            reference_mb,
            rss_anon_mib: mib(rss_anon_bytes),
            rss_shmem_mib: mib(rss_shmem_bytes),
            domains: Domain::ALL.map(|domain| Live { domain, live_bytes: least[domain as usize] }).to_vec(),
        })
    }
}

pub fn run(args: &args::Phases) -> Result<()> {
    let song = Song::or_demo(args.file.as_deref())?;
    let report = Report { phases: measure(song.path(), &args.sf.fonts)? };
    if args.json { print_json(&report) } else { print(text(&report).as_bytes()) }
}

/// Goes through the start of `play`, on a clock.
pub fn measure(song: &Path, fonts: &[SoundFontChoice]) -> Result<Vec<Phase>> {
    let mut phases = vec![Phase::now("baseline", "the program itself", 50)?];
    let silence = Song::silence()?;
    let session = playing(silence.path(), fonts)?;
    phases.push(Phase::now("audio", "engine and device, no song", 30)?);
    drop(session);
    phases.push(Phase::now("models", "none: nothing to load", 200)?);
    let session = playing(song, fonts)?;
    phases.push(Phase::now("ready", "song and sounds loaded, playing", 280)?);
    drop(session);
    Ok(phases)
}

/// A session that plays on a clock, with all sounds loaded.
pub fn playing(song: &Path, fonts: &[SoundFontChoice]) -> Result<Session> {
    let audio = AudioRequest { backend: Some(Backend::Null), ..AudioRequest::default() };
    let config = SessionConfig {
        songs: vec![song.to_owned()],
        sound_fonts: fonts.to_vec(),
        audio,
        ..SessionConfig::default()
    };
    let session = Session::start(config)?;
    let start = Instant::now();
    loop {
        let now = session.snapshot();
        if now.state == PlayState::Playing && now.synth.loading.is_none() {
            return Ok(session);
        }
        for event in session.events().try_iter() {
            match event {
                SessionEvent::Message(message) if message.severity == Severity::UnreadableInput => {
                    return Err(Unreadable(anyhow!(message.text)).into());
                }
                SessionEvent::Message(message) if message.severity == Severity::Failure => {
                    bail!(message.text)
                }
                SessionEvent::Closed => bail!("{}: the session has ended", song.display()),
                _ => {}
            }
        }
        if start.elapsed() > PATIENCE {
            bail!("{}: it does not begin to play within {PATIENCE:?}", song.display());
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn text(report: &Report) -> String {
    let mut out = String::from("phase     rss_anon_mib rss_shmem_mib");
    for domain in Domain::ALL {
        out += &format!(" {:>12}", format!("{}_mib", domain.name()));
    }
    out += "  reference_mb\n";
    for phase in &report.phases {
        out += &format!("{:<9} {:>12.1} {:>13.1}", phase.name, phase.rss_anon_mib, phase.rss_shmem_mib);
        for live in &phase.domains {
            out += &format!(" {:>12}", mib(live.live_bytes));
        }
        out += &format!("  {:>12}  {}\n", phase.reference_mb, phase.what);
    }
    out
}
