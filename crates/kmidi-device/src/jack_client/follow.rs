//! A MIDI port that comes and goes is connected again whenever it is there.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};
use jack::{AsyncClient, Client, PortFlags};

use super::{Notifications, Process, find_midi};
use crate::DeviceError;

/// Between two attempts to connect a port that is there: its client may not have started yet.
const RETRY: Duration = Duration::from_millis(100);
/// Attempts for one port.
const ATTEMPTS: u32 = 50;

type Our = AsyncClient<Notifications, Process>;

/// Connects what is there, and has a thread do so as often as it appears. Returns what is to be told. The thread ends
/// with the client.
pub(super) fn start(
    client: &Arc<Our>,
    wanted: String,
    appearances: Receiver<()>,
    lost: Arc<AtomicBool>,
) -> Result<Option<String>, DeviceError> {
    let note = find_midi(client.as_client(), PortFlags::IS_OUTPUT, &wanted).err().map(|_| {
        format!("there is no MIDI port {wanted} yet (`kmidi devices` lists those that are there): it is connected as soon as it appears")
    });
    let mut follower =
        Follower { client: Arc::downgrade(client), wanted, lost, connected: None, attempts: ATTEMPTS };
    follower.look();
    std::thread::Builder::new()
        .name("kmidi-midi-port".to_owned())
        .spawn(move || follower.run(&appearances))
        .map_err(|error| DeviceError::NoThread { reason: error.to_string() })?;
    Ok(note)
}

struct Follower {
    client: Weak<Our>,
    wanted: String,
    lost: Arc<AtomicBool>,
    /// The port that has been connected. One that the user disconnects stays so until it comes anew.
    connected: Option<String>,
    attempts: u32,
}

impl Follower {
    fn run(mut self, appearances: &Receiver<()>) {
        loop {
            let is_trying = self.connected.is_none() && self.attempts < ATTEMPTS;
            let heard = match is_trying {
                true => appearances.recv_timeout(RETRY),
                false => appearances.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match heard {
                Ok(()) => self.attempts = 0,
                Err(RecvTimeoutError::Timeout) => self.attempts += 1,
                // The client is gone.
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.look();
        }
    }

    fn look(&mut self) {
        let Some(client) = self.client.upgrade() else { return };
        let client = client.as_client();
        if self.connected.as_ref().is_some_and(|name| client.port_by_name(name).is_none()) {
            self.connected = None;
            self.lost.store(true, Relaxed);
        }
        if self.connected.is_none() {
            self.connected = connect(client, &self.wanted);
        }
    }
}

fn connect(client: &Client, wanted: &str) -> Option<String> {
    let port = find_midi(client, PortFlags::IS_OUTPUT, wanted).ok()?;
    let ours = format!("{}:midi_in", client.name());
    let is_connected = client.port_by_name(&ours)?.is_connected_to(&port).unwrap_or(false);
    (is_connected || client.connect_ports_by_name(&port, &ours).is_ok()).then_some(port)
}
