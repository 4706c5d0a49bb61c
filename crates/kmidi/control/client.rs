//! The other end: finds a running kmidi, makes sure that it is one, and asks.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use serde::de::DeserializeOwned;

use super::folder::{self, own_uid};
use super::protocol::{Answer, LONGEST_ANSWER, Request, Who};
use crate::exit::Unreadable;

/// How long an answer may take; a process that was stopped gives none.
const LIMIT: Duration = Duration::from_secs(20);

/// A running kmidi.
pub struct Attached {
    pub pid: u32,
    socket: PathBuf,
}

impl Attached {
    /// The process with this number; the only one without.
    pub fn find(pid: Option<u32>) -> Result<Self> {
        let folder = folder::folder()?;
        let running = folder::listening(&folder).with_context(|| folder.display().to_string())?;
        let attached = |pid| Attached { pid, socket: folder::socket(&folder, pid) };
        match (pid, running.as_slice()) {
            (Some(pid), pids) if pids.contains(&pid) => Ok(attached(pid)),
            (Some(pid), _) => {
                bail!("process {pid} is no kmidi that can be looked into: see `kmidi mem budget`")
            }
            (None, [pid]) => Ok(attached(*pid)),
            (None, []) => bail!(
                "no kmidi is running: start one in another terminal, for example `kmidi play song.mid`, or use \
                 `kmidi mem phases` or `kmidi mem profile load`, which need none"
            ),
            (None, pids) => {
                let mut text = String::from("several are running: choose one with --pid");
                for &pid in pids {
                    // One that has just ended has no name.
                    let who = attached(pid).ask::<Who>(&Request::Who {});
                    text += &format!("\n  --pid {pid}  {}", who.map_or(String::new(), |who| who.command));
                }
                Err(Unreadable(anyhow!(text)).into())
            }
        }
    }

    /// Asks, and waits for the answer.
    pub fn ask<T: DeserializeOwned>(&self, request: &Request) -> Result<T> {
        let line = self.exchange(request).with_context(|| format!("process {}", self.pid))?;
        match serde_json::from_slice(&line).with_context(|| format!("what process {} answers", self.pid))? {
            Answer::Ok(answer) => Ok(answer),
            Answer::Error(error) => bail!("process {}: {error}", self.pid),
        }
    }

    fn exchange(&self, request: &Request) -> Result<Vec<u8>> {
        let mut stream = UnixStream::connect(&self.socket)?;
        let peer = rustix::net::sockopt::socket_peercred(&stream)?;
        if peer.uid.as_raw() != own_uid() || peer.pid.as_raw_pid().unsigned_abs() != self.pid {
            bail!("somebody else listens there: remove {}", self.socket.display());
        }
        stream.set_read_timeout(Some(LIMIT))?;
        stream.set_write_timeout(Some(LIMIT))?;
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        stream.write_all(&line)?;
        stream.shutdown(std::net::Shutdown::Write)?;
        let mut answer = Vec::new();
        stream.take(LONGEST_ANSWER).read_to_end(&mut answer)?;
        if answer.is_empty() {
            bail!("it has closed the connection");
        }
        Ok(answer)
    }
}
