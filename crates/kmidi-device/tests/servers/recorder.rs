//! A JACK client that keeps every sample of the ports it is connected to.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jack::{AsyncClient, AudioIn, Client, ClientOptions, Control, Port, ProcessHandler, ProcessScope};

/// Two channels, from the moment it is connected until it is full.
pub struct Recorder {
    client: AsyncClient<(), Tape>,
    recorded: Arc<AtomicUsize>,
    frames: usize,
}

struct Tape {
    ports: [Port<AudioIn>; 2],
    samples: Vec<[f32; 2]>,
    frames: usize,
    recorded: Arc<AtomicUsize>,
}

impl ProcessHandler for Tape {
    fn process(&mut self, _: &Client, scope: &ProcessScope) -> Control {
        let [left, right] = self.ports.each_ref().map(|port| port.as_slice(scope));
        let room = self.frames - self.samples.len();
        self.samples.extend(left.iter().zip(right).take(room).map(|(&left, &right)| [left, right]));
        self.recorded.store(self.samples.len(), Ordering::Release);
        Control::Continue
    }
}

impl Recorder {
    /// Records `frames` frames of `source`'s ports `out_0` and `out_1`.
    pub fn start(source: &str, frames: usize) -> Self {
        let (client, _) = Client::new("recorder", ClientOptions::NO_START_SERVER).unwrap();
        let port = |name| client.register_port(name, AudioIn::default()).unwrap();
        let ports = [port("in_0"), port("in_1")];
        let recorded = Arc::new(AtomicUsize::new(0));
        // Prefaulted: the tape must not cause xruns.
        let mut samples = vec![[1.0; 2]; frames];
        samples.clear();
        let tape = Tape { ports, samples, frames, recorded: recorded.clone() };
        let client = client.activate_async((), tape).unwrap();
        for channel in 0..2 {
            let (from, to) = (format!("{source}:out_{channel}"), format!("recorder:in_{channel}"));
            client.as_client().connect_ports_by_name(&from, &to).unwrap();
        }
        Recorder { client, recorded, frames }
    }

    /// Waits until it is full; everything from the first sound on.
    pub fn finish(self) -> Vec<[f32; 2]> {
        crate::rig::wait_until("the recorder is full", || {
            std::thread::sleep(Duration::from_millis(10));
            self.recorded.load(Ordering::Acquire) == self.frames
        });
        let (_, (), tape) = self.client.deactivate().unwrap();
        let silent = tape.samples.iter().take_while(|frame| **frame == [0.0; 2]).count();
        tape.samples[silent..].to_vec()
    }
}
