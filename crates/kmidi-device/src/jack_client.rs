//! JACK: audio and MIDI, in and out, in one client.

mod follow;

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use arrayvec::ArrayVec;
use crossbeam_channel::Sender;
use jack::{
    AsyncClient, AudioIn, AudioOut, Client, ClientOptions, ClientStatus, Control, LatencyType, MidiIn,
    MidiOut, NotificationHandler, Port, PortFlags, PortId, PortSpec, ProcessHandler, ProcessScope, RawMidi,
};
use kmidi_core::limits::{MAX_CALLBACK_FRAMES, MAX_DEVICE_CHANNELS};

use crate::list::position_of;
use crate::stream::{Driver, Shared, Stream};
use crate::{AudioRequest, Backend, BackendInfo, DeviceError, DeviceInfo, MidiPort, OpenDevice};

/// The id of a client that is connected to nothing.
const UNCONNECTED: &str = "none";
const AUDIO: &str = "32 bit float mono audio";
const MIDI: &str = "8 bit raw midi";

pub(crate) fn open(request: &AudioRequest) -> Result<Stream, DeviceError> {
    let client = connect(&request.client_name)?;
    let shared = Arc::new(Shared::default());
    shared.sample_rate_hz.store(client.sample_rate(), Relaxed);
    shared.period_frames.store(client.buffer_size(), Relaxed);
    let sink = choose_sink(&client, request.device.as_deref())?;

    let process = Process {
        inputs: ports(&client, "in", request.channels_in, AudioIn::default)?,
        outputs: ports(&client, "out", request.channels_out, AudioOut::default)?,
        midi_in: midi_port(&client, "midi_in", &request.midi_in, MidiIn::default)?,
        midi_lost: Arc::default(),
        midi_out: midi_port(&client, "midi_out", &request.midi_out, MidiOut::default)?,
        driver: Driver::new(shared.clone(), None),
        shared: shared.clone(),
    };
    let first_output = process.outputs.first().map(Port::clone_unowned);
    let wires = wires(&client, request, sink.as_deref())?;
    let (appeared, appearances) = crossbeam_channel::bounded(1);
    let midi_lost = process.midi_lost.clone();
    let notifications = Notifications { shared: shared.clone(), appeared };
    let client = client.activate_async(notifications, process).map_err(|error| {
        DeviceError::unavailable(Backend::Jack, format!("the client does not start: {error}"))
    })?;
    let client = Arc::new(client);
    // Only the ports of an active client can be connected.
    for (from, to) in wires {
        client.as_client().connect_ports_by_name(&from, &to).map_err(|error| {
            DeviceError::unavailable(Backend::Jack, format!("{from} does not connect to {to}: {error}"))
        })?;
    }
    let latency = first_output.map_or(0, |port| port.get_latency_range(LatencyType::Playback).1);
    let mut device = describe(&client, request, sink, latency);
    if let MidiPort::Follow(Some(wanted)) = &request.midi_in {
        device.notes.extend(follow::start(&client, wanted.clone(), appearances, midi_lost)?);
    }
    Ok(Stream { shared, device, handle: Box::new(client) })
}

/// What the running server offers.
pub(crate) fn list() -> Result<BackendInfo, DeviceError> {
    let client = connect("kmidi-list")?;
    let default = choose_sink(&client, None)?;
    let ports = client.ports(None, Some(AUDIO), PortFlags::IS_INPUT);
    let mut info = BackendInfo::new(Backend::Jack);
    for owner in owners(&ports) {
        let start = format!("{owner}:");
        info.devices.push(DeviceInfo {
            is_default: default.as_ref() == Some(&owner),
            sample_rate_hz: Some(client.sample_rate()),
            channels: Some(ports.iter().filter(|port| port.starts_with(&start)).count() as u16),
            name: owner.clone(),
            id: owner,
        });
    }
    info.devices.push(DeviceInfo {
        id: UNCONNECTED.to_owned(),
        name: "ports not connected".to_owned(),
        is_default: default.is_none(),
        sample_rate_hz: Some(client.sample_rate()),
        channels: None,
    });
    info.midi_inputs = client.ports(None, Some(MIDI), PortFlags::IS_OUTPUT);
    info.midi_outputs = client.ports(None, Some(MIDI), PortFlags::IS_INPUT);
    Ok(info)
}

/// The clients that have these ports, in their order.
fn owners(ports: &[String]) -> Vec<String> {
    let mut owners: Vec<String> = Vec::new();
    for port in ports {
        let owner = port.split(':').next().unwrap_or_default();
        if !owners.iter().any(|known| known == owner) {
            owners.push(owner.to_owned());
        }
    }
    owners
}

/// A client of the running server; none is started.
fn connect(name: &str) -> Result<Client, DeviceError> {
    let unavailable = |reason: String| DeviceError::unavailable(Backend::Jack, reason);
    match Client::new(name, ClientOptions::NO_START_SERVER) {
        Ok((client, _)) => Ok(client),
        Err(jack::Error::LibraryError(_)) => {
            Err(unavailable("its library is not installed (libjack.so.0)".to_owned()))
        }
        Err(jack::Error::ClientError(status)) if status.contains(ClientStatus::SERVER_FAILED) => {
            Err(unavailable("no server is running".to_owned()))
        }
        Err(error) => Err(unavailable(error.to_string())),
    }
}

fn port_error(error: jack::Error) -> DeviceError {
    DeviceError::unavailable(Backend::Jack, format!("a port cannot be registered: {error}"))
}

fn ports<S: PortSpec + Copy>(
    client: &Client,
    prefix: &str,
    count: usize,
    spec: fn() -> S,
) -> Result<ArrayVec<Port<S>, MAX_DEVICE_CHANNELS>, DeviceError> {
    let port = |channel| client.register_port(&format!("{prefix}_{channel}"), spec()).map_err(port_error);
    (0..count).map(port).collect()
}

fn midi_port<S: PortSpec + Copy>(
    client: &Client,
    name: &str,
    wanted: &MidiPort,
    spec: fn() -> S,
) -> Result<Option<Port<S>>, DeviceError> {
    (*wanted != MidiPort::Off).then(|| client.register_port(name, spec()).map_err(port_error)).transpose()
}

/// The name of the client to play to: the one asked for, or else the first that is hardware.
fn choose_sink(client: &Client, wanted: Option<&str>) -> Result<Option<String>, DeviceError> {
    if wanted == Some(UNCONNECTED) {
        return Ok(None);
    }
    let Some(wanted) = wanted else {
        let flags = PortFlags::IS_INPUT | PortFlags::IS_PHYSICAL;
        return Ok(owners(&client.ports(None, Some(AUDIO), flags)).into_iter().next());
    };
    let owners = owners(&client.ports(None, Some(AUDIO), PortFlags::IS_INPUT));
    if owners.iter().any(|owner| owner == wanted) {
        return Ok(Some(wanted.to_owned()));
    }
    Err(DeviceError::NotFound {
        backend: Backend::Jack,
        wanted: format!("client {wanted}"),
        existing: owners,
    })
}

/// Pairs of ports to connect: from, to.
fn wires(
    client: &Client,
    request: &AudioRequest,
    sink: Option<&str>,
) -> Result<Vec<(String, String)>, DeviceError> {
    let ours = |port: String| format!("{}:{port}", client.name());
    let of = |owner: &str, flags| -> Vec<String> {
        let start = format!("{owner}:");
        client.ports(None, Some(AUDIO), flags).into_iter().filter(|port| port.starts_with(&start)).collect()
    };
    let mut wires = Vec::new();
    if let Some(sink) = sink {
        let outputs = (0..request.channels_out).map(|channel| ours(format!("out_{channel}")));
        wires.extend(outputs.zip(of(sink, PortFlags::IS_INPUT)));
        let inputs = (0..request.channels_in).map(|channel| ours(format!("in_{channel}")));
        wires.extend(of(sink, PortFlags::IS_OUTPUT).into_iter().zip(inputs));
    }
    if let MidiPort::Connect(wanted) = &request.midi_in {
        wires.push((find_midi(client, PortFlags::IS_OUTPUT, wanted)?, ours("midi_in".to_owned())));
    }
    if let MidiPort::Connect(wanted) = &request.midi_out {
        wires.push((ours("midi_out".to_owned()), find_midi(client, PortFlags::IS_INPUT, wanted)?));
    }
    Ok(wires)
}

fn find_midi(client: &Client, flags: PortFlags, wanted: &str) -> Result<String, DeviceError> {
    let own = format!("{}:", client.name());
    let mut names = client.ports(None, Some(MIDI), flags);
    names.retain(|name| !name.starts_with(&own));
    match position_of(&names, wanted) {
        Some(position) => Ok(names.swap_remove(position)),
        None => Err(DeviceError::NotFound {
            backend: Backend::Jack,
            wanted: format!("MIDI port {wanted}"),
            existing: names,
        }),
    }
}

fn describe<N, P>(
    client: &AsyncClient<N, P>,
    request: &AudioRequest,
    sink: Option<String>,
    latency_frames: u32,
) -> OpenDevice
where
    N: 'static + Send + Sync + NotificationHandler,
    P: 'static + Send + ProcessHandler,
{
    let client = client.as_client();
    let (rate, period) = (client.sample_rate(), client.buffer_size());
    let mut notes = Vec::new();
    if request.sample_rate_hz.is_some_and(|wanted| wanted != rate) {
        notes.push(format!("the JACK server runs at {rate} Hz"));
    }
    if request.period_frames.is_some_and(|wanted| wanted != period) {
        notes.push(format!("the JACK server's period is {period} frames"));
    }
    if sink.is_none() && request.channels_out > 0 {
        notes.push("connected to nothing: connect the ports yourself".to_owned());
    }
    OpenDevice {
        backend: Backend::Jack,
        name: match &sink {
            Some(sink) => sink.clone(),
            None => "ports not connected".to_owned(),
        },
        device: sink.unwrap_or_else(|| UNCONNECTED.to_owned()),
        sample_rate_hz: rate,
        period_frames: period,
        channels_in: request.channels_in,
        channels_out: request.channels_out,
        latency_frames,
        notes,
    }
}

/// Called by the thread that listens to the server.
struct Notifications {
    shared: Arc<Shared>,
    /// A port has come or gone; one word is enough for many.
    appeared: Sender<()>,
}

impl NotificationHandler for Notifications {
    fn freewheel(&mut self, _: &Client, on: bool) {
        self.shared.freewheeling.store(on, Relaxed);
    }

    fn port_registration(&mut self, _: &Client, _: PortId, _: bool) {
        self.appeared.try_send(()).ok();
    }

    fn sample_rate(&mut self, _: &Client, rate_hz: jack::Frames) -> Control {
        self.shared.sample_rate_hz.store(rate_hz, Relaxed);
        Control::Continue
    }

    fn xrun(&mut self, _: &Client) -> Control {
        self.shared.xruns.fetch_add(1, Relaxed);
        Control::Continue
    }

    /// Comes right after the client starts, from that thread.
    fn graph_reorder(&mut self, _: &Client) -> Control {
        LISTENING.with_borrow_mut(|listening| {
            listening.get_or_insert_with(|| Listening(self.shared.clone()));
        });
        Control::Continue
    }
}

thread_local! {
    static LISTENING: RefCell<Option<Listening>> = const { RefCell::new(None) };
}

/// Says that the server is gone when the thread that listens to it ends. JACK's own shutdown
/// callback is an unsafe trait method, which this crate forgoes; where a server's library keeps the
/// thread, the missing callbacks tell, a little later.
struct Listening(Arc<Shared>);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.lost.store(true, Relaxed);
    }
}

/// Called by JACK's audio thread.
struct Process {
    inputs: ArrayVec<Port<AudioIn>, MAX_DEVICE_CHANNELS>,
    outputs: ArrayVec<Port<AudioOut>, MAX_DEVICE_CHANNELS>,
    midi_in: Option<Port<MidiIn>>,
    /// What was connected there has gone, perhaps with keys held.
    midi_lost: Arc<AtomicBool>,
    midi_out: Option<Port<MidiOut>>,
    driver: Driver,
    shared: Arc<Shared>,
}

impl ProcessHandler for Process {
    fn process(&mut self, _: &Client, scope: &ProcessScope) -> Control {
        let frames = scope.n_frames() as usize;
        let inputs: ArrayVec<&[f32], MAX_DEVICE_CHANNELS> =
            self.inputs.iter().map(|port| port.as_slice(scope)).collect();
        let mut outputs: ArrayVec<&mut [f32], MAX_DEVICE_CHANNELS> =
            self.outputs.iter_mut().map(|port| port.as_mut_slice(scope)).collect();
        let mut writer = self.midi_out.as_mut().map(|port| port.writer(scope));

        // A server may have longer periods than the engine takes.
        for start in (0..frames).step_by(MAX_CALLBACK_FRAMES) {
            let end = frames.min(start + MAX_CALLBACK_FRAMES);
            let inputs: ArrayVec<&[f32], MAX_DEVICE_CHANNELS> =
                inputs.iter().map(|channel| &channel[start..end]).collect();
            let mut outputs: ArrayVec<&mut [f32], MAX_DEVICE_CHANNELS> =
                outputs.iter_mut().map(|channel| &mut channel[start..end]).collect();
            self.driver.midi_in.clear();
            if self.midi_lost.swap(false, Relaxed) {
                crate::midi_bridge::let_go(&mut self.driver.midi_in);
            }
            for event in self.midi_in.iter().flat_map(|port| port.iter(scope)) {
                let frame = (event.time as usize).min(frames - 1);
                if (start..end).contains(&frame) {
                    // A refusal is counted by the buffer.
                    self.driver.midi_in.push((frame - start) as u32, event.bytes).ok();
                }
            }
            self.driver.run(end - start, &inputs, &mut outputs);
            if let Some(writer) = &mut writer {
                let mut refused = 0;
                for (frame, bytes) in self.driver.midi_out.iter() {
                    let time = start as u32 + frame.min((end - start - 1) as u32);
                    refused += u64::from(writer.write(&RawMidi { time, bytes }).is_err());
                }
                self.driver.midi_out_refused += refused;
            }
        }
        Control::Continue
    }

    fn buffer_size(&mut self, _: &Client, frames: jack::Frames) -> Control {
        self.shared.period_frames.store(frames, Relaxed);
        Control::Continue
    }
}
