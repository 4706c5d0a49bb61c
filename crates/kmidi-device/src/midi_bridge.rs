//! MIDI for backends that have none of their own: the system's sequencer (ALSA, CoreMIDI, WinMM).

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use kmidi_core::MidiBuffer;
use kmidi_sys::{monotonic_ns, sleep_until_ns};
use midir::{MidiIO, MidiInput, MidiInputConnection, MidiOutput, MidiOutputConnection};
use rtrb::{Consumer, Producer, RingBuffer};

use crate::{AudioRequest, Backend, DeviceError, MidiPort};

/// Messages that can wait between the sequencer's threads and the callback, per direction.
const RING: usize = 2048;
/// Longest message, in bytes; longer ones (SysEx) are dropped and counted.
const MESSAGE_BYTES: usize = 256;
/// How often the sender looks for something to send.
const SENDER_NAP: Duration = Duration::from_millis(1);

#[derive(Clone, Copy)]
struct Message {
    /// By the monotonic clock: when it came, or when it is to be sent.
    time_ns: u64,
    len: u16,
    bytes: [u8; MESSAGE_BYTES],
}

impl Message {
    fn new(time_ns: u64, message: &[u8]) -> Option<Self> {
        let mut bytes = [0; MESSAGE_BYTES];
        bytes.get_mut(..message.len())?.copy_from_slice(message);
        Some(Message { time_ns, len: message.len() as u16, bytes })
    }
}

/// The callback's end. A message that comes in during one period is played at the same place of the
/// next: its latency is one period, whenever it comes. What is sent goes out one period later too.
pub(crate) struct Bridge {
    input: Option<Consumer<Message>>,
    output: Option<Producer<Message>>,
    sample_rate_hz: u64,
    dropped_in: Arc<AtomicU64>,
    dropped_out: u64,
}

impl Bridge {
    /// Replaces what is in `midi_in` by what came during the last period. `[side A]`
    pub(crate) fn receive(&mut self, midi_in: &mut MidiBuffer, now_ns: u64, frames: usize) {
        let period_ns = self.frames_to_ns(frames as u64);
        let Some(input) = &mut self.input else { return };
        midi_in.clear();
        let period_start_ns = now_ns.saturating_sub(period_ns);
        let mut last = 0;
        while let Ok(message) = input.pop() {
            let since_ns = message.time_ns.saturating_sub(period_start_ns);
            let frame = (since_ns * self.sample_rate_hz / 1_000_000_000).min(frames as u64 - 1) as u32;
            last = frame.max(last);
            // A refusal is counted by the buffer.
            midi_in.push(last, &message.bytes[..usize::from(message.len)]).ok();
        }
    }

    /// Hands what the callback sends to the sender. `[side A]`
    pub(crate) fn send(&mut self, midi_out: &MidiBuffer, now_ns: u64) {
        let sample_rate_hz = self.sample_rate_hz;
        let Some(output) = &mut self.output else { return };
        for (frame, message) in midi_out.iter() {
            let time_ns = now_ns + u64::from(frame) * 1_000_000_000 / sample_rate_hz;
            let sent = Message::new(time_ns, message).and_then(|message| output.push(message).ok());
            self.dropped_out += u64::from(sent.is_none());
        }
    }

    /// Messages refused so far: in, out. `[side A]`
    pub(crate) fn dropped(&self) -> (u64, u64) {
        (self.dropped_in.load(Relaxed), self.dropped_out)
    }

    fn frames_to_ns(&self, frames: u64) -> u64 {
        frames * 1_000_000_000 / self.sample_rate_hz
    }
}

/// The sequencer's end; dropping it closes the ports.
#[derive(Default)]
pub(crate) struct Ports {
    _input: Option<MidiInputConnection<()>>,
    _follower: Option<Follower>,
    sender: Option<JoinHandle<()>>,
}

/// Ends all notes and lifts all pedals of whoever played and is gone. `[side A]`
pub(crate) fn let_go(midi_in: &mut MidiBuffer) {
    for_all_channels(|message| {
        // A refusal is counted by the buffer.
        midi_in.push(0, message).ok();
    });
}

fn for_all_channels(mut send: impl FnMut(&[u8])) {
    const HOLD_PEDALS: [u8; 3] = [64, 66, 69];
    const ALL_NOTES_OFF: u8 = 123;
    for channel in 0..16 {
        HOLD_PEDALS.into_iter().chain([ALL_NOTES_OFF]).for_each(|it| send(&[0xb0 | channel, it, 0]));
    }
}

/// Opens the ports that `request` asks for; none, if it asks for none.
pub(crate) fn open(
    request: &AudioRequest,
    sample_rate_hz: u32,
    period_frames: u32,
    notes: &mut Vec<String>,
) -> Result<(Option<Bridge>, Ports), DeviceError> {
    if request.midi_in == MidiPort::Off && request.midi_out == MidiPort::Off {
        return Ok((None, Ports::default()));
    }
    crate::cpal_host::quiet();
    let mut ports = Ports::default();
    let mut bridge = Bridge {
        input: None,
        output: None,
        sample_rate_hz: u64::from(sample_rate_hz),
        dropped_in: Arc::default(),
        dropped_out: 0,
    };
    if request.midi_in != MidiPort::Off {
        let (ring, input) = RingBuffer::new(RING);
        let receiver = Receiver { ring: Arc::new(Mutex::new(ring)), dropped: bridge.dropped_in.clone() };
        match &request.midi_in {
            MidiPort::Follow(wanted) => match follow(request, wanted.clone(), receiver, &mut ports) {
                Ok(note) => notes.extend(note),
                Err(error) => notes.push(format!("no live MIDI: {error}")),
            },
            _ => ports._input = Some(open_input(request, receiver)?),
        }
        bridge.input = Some(input);
    }
    if request.midi_out != MidiPort::Off {
        let connection = open_output(request)?;
        let (output, ring) = RingBuffer::new(RING);
        let delay_ns = bridge.frames_to_ns(u64::from(period_frames));
        let sender = std::thread::Builder::new()
            .name("kmidi-midi-out".to_owned())
            .spawn(move || send_all(connection, ring, delay_ns))
            .map_err(|error| DeviceError::NoThread { reason: error.to_string() })?;
        ports.sender = Some(sender);
        bridge.output = Some(output);
    }
    Ok((Some(bridge), ports))
}

/// Where messages go that come in. The lock is between threads of the sequencer alone.
#[derive(Clone)]
struct Receiver {
    ring: Arc<Mutex<Producer<Message>>>,
    dropped: Arc<AtomicU64>,
}

impl Receiver {
    fn receive(&self, message: &[u8]) {
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let received = Message::new(monotonic_ns(), message).and_then(|message| ring.push(message).ok());
        self.dropped.fetch_add(u64::from(received.is_none()), Relaxed);
    }
}

fn input_of(request: &AudioRequest) -> Result<MidiInput, DeviceError> {
    let mut input = MidiInput::new(&request.client_name).map_err(no_sequencer)?;
    input.ignore(midir::Ignore::None);
    Ok(input)
}

fn open_input(request: &AudioRequest, receiver: Receiver) -> Result<MidiInputConnection<()>, DeviceError> {
    let input = input_of(request)?;
    let receive = move |_stamp: u64, message: &[u8], _: &mut ()| receiver.receive(message);
    match &request.midi_in {
        MidiPort::Connect(wanted) => {
            let port = find(&input, wanted)?;
            input.connect(&port, "midi_in", receive, ()).map_err(refused)
        }
        #[cfg(unix)]
        _ => midir::os::unix::VirtualInput::create_virtual(input, "midi_in", receive, ()).map_err(refused),
        #[cfg(not(unix))]
        _ => Err(no_virtual_ports()),
    }
}

/// Opens a port that others can connect to, or follows the one that is wanted. Returns what is to be told.
fn follow(
    request: &AudioRequest,
    wanted: Option<String>,
    receiver: Receiver,
    ports: &mut Ports,
) -> Result<Option<String>, DeviceError> {
    let Some(wanted) = wanted else {
        ports._input = Some(open_input(request, receiver)?);
        return Ok(None);
    };
    let is_there = find(&input_of(request)?, &wanted).is_ok();
    ports._follower = Some(Follower::start(request.clone(), wanted.clone(), receiver)?);
    Ok((!is_there).then(|| {
        format!(
            "there is no MIDI port {wanted} yet (`kmidi devices` lists those that are there): it is connected as soon as it appears"
        )
    }))
}

/// Looks for a port again and again: the sequencer's library does not say when one comes.
struct Follower {
    stop: Option<crossbeam_channel::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// How often it looks.
const FOLLOW_INTERVAL: Duration = Duration::from_secs(1);

impl Follower {
    fn start(request: AudioRequest, wanted: String, receiver: Receiver) -> Result<Self, DeviceError> {
        let (stop, stopped) = crossbeam_channel::bounded::<()>(0);
        let work = move || {
            let request = AudioRequest { midi_in: MidiPort::Connect(wanted.clone()), ..request };
            let mut connection = None;
            loop {
                let is_there = input_of(&request).is_ok_and(|input| find(&input, &wanted).is_ok());
                match (is_there, connection.is_some()) {
                    (true, false) => connection = open_input(&request, receiver.clone()).ok(),
                    (false, true) => {
                        connection = None;
                        for_all_channels(|message| receiver.receive(message));
                    }
                    _ => {}
                }
                if stopped.recv_timeout(FOLLOW_INTERVAL) != Err(crossbeam_channel::RecvTimeoutError::Timeout)
                {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("kmidi-midi-port".to_owned()).spawn(work);
        let thread = thread.map_err(|error| DeviceError::NoThread { reason: error.to_string() })?;
        Ok(Follower { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

fn open_output(request: &AudioRequest) -> Result<MidiOutputConnection, DeviceError> {
    let output = MidiOutput::new(&request.client_name).map_err(no_sequencer)?;
    match &request.midi_out {
        MidiPort::Connect(wanted) => {
            let port = find(&output, wanted)?;
            output.connect(&port, "midi_out").map_err(refused)
        }
        #[cfg(unix)]
        _ => midir::os::unix::VirtualOutput::create_virtual(output, "midi_out").map_err(refused),
        #[cfg(not(unix))]
        _ => Err(no_virtual_ports()),
    }
}

/// Sends each message at its time, until the callback's end is gone and all is sent.
fn send_all(mut connection: MidiOutputConnection, mut ring: Consumer<Message>, delay_ns: u64) {
    loop {
        let last = ring.is_abandoned();
        while let Ok(message) = ring.pop() {
            sleep_until_ns(message.time_ns + delay_ns).ok();
            // A port that is gone takes nothing; the song goes on.
            connection.send(&message.bytes[..usize::from(message.len)]).ok();
        }
        if last {
            return;
        }
        std::thread::sleep(SENDER_NAP);
    }
}

/// The port whose name is `wanted`, or else the first whose name contains it.
fn find<IO: MidiIO>(io: &IO, wanted: &str) -> Result<IO::Port, DeviceError> {
    let named: Vec<(String, IO::Port)> =
        io.ports().into_iter().filter_map(|port| Some((io.port_name(&port).ok()?, port))).collect();
    let names: Vec<String> = named.iter().map(|(name, _)| name.clone()).collect();
    let position = crate::list::position_of(&names, wanted);
    match position.and_then(|position| named.into_iter().nth(position)) {
        Some((_, port)) => Ok(port),
        None => Err(DeviceError::NotFound {
            backend: Backend::Alsa,
            wanted: format!("MIDI port {wanted}"),
            existing: names,
        }),
    }
}

/// Names of the sequencer's ports: those to receive from, those to send to.
pub(crate) fn port_names(client_name: &str) -> Result<(Vec<String>, Vec<String>), DeviceError> {
    crate::cpal_host::quiet();
    fn names<IO: MidiIO>(io: &IO) -> Vec<String> {
        io.ports().iter().filter_map(|port| io.port_name(port).ok()).collect()
    }
    let input = MidiInput::new(client_name).map_err(no_sequencer)?;
    let output = MidiOutput::new(client_name).map_err(no_sequencer)?;
    Ok((names(&input), names(&output)))
}

fn no_sequencer(_: midir::InitError) -> DeviceError {
    let reason = if cfg!(target_os = "linux") {
        "the MIDI sequencer is not there (no /dev/snd/seq; `modprobe snd-seq` loads it)"
    } else {
        "the system's MIDI service does not answer"
    };
    DeviceError::unavailable(Backend::Alsa, reason)
}

fn refused<T>(error: midir::ConnectError<T>) -> DeviceError {
    DeviceError::unavailable(Backend::Alsa, format!("the MIDI port does not connect: {error}"))
}

#[cfg(not(unix))]
fn no_virtual_ports() -> DeviceError {
    DeviceError::BadRequest { what: "this system has no MIDI ports of our own; name one to connect to" }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: usize = 480;
    const PERIOD_NS: u64 = 10_000_000;

    fn bridge() -> (Bridge, Producer<Message>, Consumer<Message>) {
        let (to_callback, input) = RingBuffer::new(4);
        let (output, from_callback) = RingBuffer::new(4);
        let bridge = Bridge {
            input: Some(input),
            output: Some(output),
            sample_rate_hz: 48_000,
            dropped_in: Arc::default(),
            dropped_out: 0,
        };
        (bridge, to_callback, from_callback)
    }

    #[test]
    fn what_comes_in_is_played_one_period_later_at_its_frame() {
        let (mut bridge, mut sequencer, _) = bridge();
        let now_ns = 5 * PERIOD_NS;
        // Long ago, a quarter and a half into the period, and a moment too late for it.
        for time_ns in [1, now_ns - PERIOD_NS * 3 / 4, now_ns - PERIOD_NS / 2, now_ns + 100] {
            sequencer.push(Message::new(time_ns, &[0x90, 60, 100]).unwrap()).ok().unwrap();
        }
        let mut midi_in = MidiBuffer::new(8, 64);
        bridge.receive(&mut midi_in, now_ns, PERIOD);
        let frames: Vec<u32> = midi_in.iter().map(|(frame, _)| frame).collect();
        assert_eq!(frames, [0, 120, 240, 479]);
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let (mut bridge, _, mut sender) = bridge();
        let mut midi_out = MidiBuffer::new(16, 1024);
        for frame in 0..6 {
            midi_out.push(frame * 48, &[0xf8]).unwrap();
        }
        bridge.send(&midi_out, 1_000);
        assert_eq!(bridge.dropped(), (0, 2));
        let times: Vec<u64> = std::iter::from_fn(|| sender.pop().ok()).map(|it| it.time_ns).collect();
        assert_eq!(times, [1_000, 1_001_000, 2_001_000, 3_001_000]);
        midi_out.clear();
        midi_out.push(0, &[0xf0; MESSAGE_BYTES + 1]).unwrap();
        bridge.send(&midi_out, 2_000);
        assert_eq!(bridge.dropped(), (0, 3));
    }
}
