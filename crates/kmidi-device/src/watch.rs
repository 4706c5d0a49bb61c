//! The manager's thread: carries out commands, and watches the stream between them.

use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use crate::backends;
use crate::limited::{Pending, Progress};
use crate::manager::{Command, Current, DeviceEvent, SharedCurrent};
use crate::stream::{Engine, Shared, Stream};
use crate::{AudioRequest, DeviceError, OnLoss, OpenDevice, null_clock};

/// How often the stream is looked at.
const TICK: Duration = Duration::from_millis(10);
/// A device is lost after this many periods without a callback, and not before this time: a busy
/// system makes any time-sharing server late.
const SILENT_PERIODS: f64 = 10.0;
const SILENT_AT_LEAST: Duration = Duration::from_millis(400);
/// At first it may take longer: servers fill their buffers, then resume the hardware (PulseAudio's
/// null sink first finishes a block of two seconds).
const STARTING_CALLBACKS: u64 = 8;
const STARTING_LIMIT: Duration = Duration::from_secs(3);
/// How long closing a stream is waited for.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);
/// How long a callback under way is waited for.
const ENGINE_LIMIT: Duration = Duration::from_secs(1);
/// Between two probes for a lost device.
const PROBE_INTERVAL: Duration = Duration::from_millis(500);
/// A stream that has gone silent is kept this long: a server that only stumbled calls again.
const STALLED_LIMIT: Duration = Duration::from_secs(2);
/// A silent stream that calls this often again is alive.
const CALLBACKS_OF_THE_LIVING: u64 = 3;
/// Xruns are told at most this often.
const XRUN_INTERVAL: Duration = Duration::from_millis(500);

pub(crate) struct Watch {
    commands: Receiver<Command>,
    events: Sender<DeviceEvent>,
    current: SharedCurrent,
    request: AudioRequest,
    state: State,
    engine: Whereabouts,
    /// Xruns that listeners know of, and when they were told.
    told: (u64, Instant),
}

enum State {
    Closed,
    Running(Running),
    Lost(Box<Lost>),
}

/// Where the engine is, and how long it has been on its way to the stream that should have it.
struct Whereabouts {
    place: Place,
    moving_since: Option<Instant>,
    stuck_told: bool,
}

enum Place {
    Nowhere,
    Parked(Box<Engine>),
    With(Arc<Shared>),
}

/// A stream that is expected to call.
struct Running {
    stream: Stream,
    callbacks: u64,
    heard: Instant,
}

impl Running {
    fn new(stream: Stream) -> Self {
        Running { stream, callbacks: 0, heard: Instant::now() }
    }

    /// Why the device counts as lost, by its own word or because it has gone silent.
    fn loss(&mut self) -> Option<Loss> {
        let shared = &self.stream.shared;
        if shared.lost.load(Relaxed) {
            return Some(Loss { reason: "the device or its server is gone".to_owned(), for_good: true });
        }
        let rate = shared.sample_rate_hz.load(Relaxed);
        if rate != self.stream.device.sample_rate_hz {
            return Some(Loss { reason: format!("it now runs at {rate} Hz"), for_good: true });
        }
        let callbacks = shared.callbacks.load(Acquire);
        if callbacks != self.callbacks {
            self.callbacks = callbacks;
            self.heard = Instant::now();
        }
        let period = f64::from(shared.period_frames.load(Relaxed)) / f64::from(rate.max(1));
        let limit = if callbacks < STARTING_CALLBACKS {
            STARTING_LIMIT
        } else {
            SILENT_AT_LEAST.max(Duration::from_secs_f64(SILENT_PERIODS * period))
        };
        let silent = self.heard.elapsed();
        (silent > limit)
            .then(|| Loss { reason: format!("no callback for {} ms", silent.as_millis()), for_good: false })
    }
}

struct Loss {
    reason: String,
    /// The stream cannot come alive again.
    for_good: bool,
}

/// A device that is gone, and what takes its place.
struct Lost {
    /// What was open: the only device that may come back.
    device: OpenDevice,
    clock: Option<Stream>,
    /// The old stream while it may still come alive by itself.
    stalled: Option<Stalled>,
    probe: Option<Pending<Result<Stream, DeviceError>>>,
    probes: u32,
    next_probe: Instant,
    /// The device, back at another rate: silent until there is an engine for it.
    waiting: Option<Stream>,
}

struct Stalled {
    stream: Stream,
    callbacks: u64,
    since: Instant,
}

impl Watch {
    pub(crate) fn new(
        commands: Receiver<Command>,
        events: Sender<DeviceEvent>,
        current: SharedCurrent,
    ) -> Self {
        Watch {
            commands,
            events,
            current,
            request: AudioRequest::default(),
            state: State::Closed,
            engine: Whereabouts { place: Place::Nowhere, moving_since: None, stuck_told: false },
            told: (0, Instant::now()),
        }
    }

    pub(crate) fn run(mut self) {
        loop {
            match self.commands.recv_timeout(TICK) {
                Ok(Command::Open(request, reply)) => {
                    let _ = reply.send(self.open(*request));
                }
                Ok(Command::Install(engine, reply)) => {
                    let _ = reply.send(self.install(engine));
                }
                Ok(Command::Close(reply)) => {
                    let _ = reply.send(self.close());
                }
                Ok(Command::Quit) | Err(RecvTimeoutError::Disconnected) => {
                    self.close().ok();
                    return;
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.look();
            self.settle();
            self.tell_xruns();
            self.tell_tap();
        }
    }

    fn open(&mut self, request: AudioRequest) -> Result<OpenDevice, DeviceError> {
        let engine = self.withdraw();
        self.stop();
        if let Some(engine) = engine? {
            self.engine.place = Place::Parked(engine);
        }
        self.request = request;
        let stream = backends::open(&self.request)?;
        let device = stream.device.clone();
        {
            let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
            *current = Current { device: Some(device.clone()), ..Current::default() };
        }
        self.told = (0, Instant::now());
        self.state = State::Running(Running::new(stream));
        self.publish();
        self.settle();
        Ok(device)
    }

    fn install(&mut self, engine: Box<Engine>) -> Result<Option<Engine>, DeviceError> {
        let old = self.withdraw()?;
        self.engine.place = Place::Parked(engine);
        if let State::Lost(lost) = &mut self.state
            && let Some(stream) = lost.waiting.take()
        {
            self.restore(stream);
        }
        self.settle();
        Ok(old.map(|engine| *engine))
    }

    fn close(&mut self) -> Result<Option<Engine>, DeviceError> {
        let engine = self.withdraw();
        self.stop();
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Current::default();
        Ok(engine?.map(|engine| *engine))
    }

    /// Ends every stream; the engine is out of them.
    fn stop(&mut self) {
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Closed => {}
            State::Running(running) => running.stream.discard(CLOSE_LIMIT),
            State::Lost(lost) => {
                let Lost { clock, stalled, waiting, .. } = *lost;
                let streams = clock.into_iter().chain(stalled.map(|it| it.stream)).chain(waiting);
                streams.for_each(|stream| stream.discard(CLOSE_LIMIT));
            }
        }
        self.publish();
    }

    /// Takes the engine back, waiting for a callback under way.
    fn withdraw(&mut self) -> Result<Option<Box<Engine>>, DeviceError> {
        match std::mem::replace(&mut self.engine.place, Place::Nowhere) {
            Place::Nowhere => Ok(None),
            Place::Parked(engine) => Ok(Some(engine)),
            Place::With(shared) => {
                let start = Instant::now();
                loop {
                    if let Some(engine) = shared.slot.withdraw() {
                        return Ok(Some(engine));
                    }
                    if start.elapsed() > ENGINE_LIMIT {
                        self.engine.place = Place::With(shared);
                        return Err(DeviceError::EngineStuck);
                    }
                    std::thread::sleep(Duration::from_micros(200));
                }
            }
        }
    }

    /// The stream that should have the engine.
    fn calling(&self) -> Option<&Stream> {
        match &self.state {
            State::Closed => None,
            State::Running(running) => Some(&running.stream),
            State::Lost(lost) => lost.clock.as_ref(),
        }
    }

    /// Brings the engine to the stream that should have it, as soon as the callback that has it returns.
    fn settle(&mut self) {
        let target = self.calling().map(|stream| stream.shared.clone());
        let engine = match (&self.engine.place, &target) {
            (Place::Nowhere, _) | (Place::Parked(_), None) => return,
            (Place::With(holder), Some(target)) if Arc::ptr_eq(holder, target) => return,
            (Place::With(holder), _) => holder.slot.withdraw(),
            (Place::Parked(_), Some(_)) => match std::mem::replace(&mut self.engine.place, Place::Nowhere) {
                Place::Parked(engine) => Some(engine),
                Place::Nowhere | Place::With(_) => None,
            },
        };
        let Some(engine) = engine else {
            let since = *self.engine.moving_since.get_or_insert_with(Instant::now);
            if since.elapsed() > ENGINE_LIMIT && !self.engine.stuck_told {
                self.engine.stuck_told = true;
                self.tell(DeviceEvent::EngineStuck);
            }
            return;
        };
        self.engine = Whereabouts { place: Place::Nowhere, moving_since: None, stuck_told: false };
        self.engine.place = match target {
            Some(target) => {
                target.slot.put(engine);
                Place::With(target)
            }
            None => Place::Parked(engine),
        };
    }

    /// Watches the stream, or for its return.
    fn look(&mut self) {
        match &mut self.state {
            State::Closed => {}
            State::Running(running) => match running.loss() {
                Some(loss) => self.lose(loss),
                None => self.follow_period(),
            },
            State::Lost(_) => self.look_for_return(),
        }
    }

    fn follow_period(&mut self) {
        let State::Running(running) = &mut self.state else { return };
        let period_frames = running.stream.shared.period_frames.load(Relaxed);
        if period_frames != running.stream.device.period_frames {
            running.stream.device.period_frames = period_frames;
            self.publish();
            self.tell(DeviceEvent::PeriodChanged { period_frames });
        }
    }

    fn lose(&mut self, loss: Loss) {
        let State::Running(running) = std::mem::replace(&mut self.state, State::Closed) else { return };
        let device = running.stream.device.clone();
        let action = self.request.on_loss;
        self.tell(DeviceEvent::Lost { name: device.name.clone(), reason: loss.reason, action });
        let stream = if action == OnLoss::Stop {
            Some(running.stream)
        } else {
            let now = Instant::now();
            let callbacks = running.stream.shared.callbacks.load(Acquire);
            let (dead, stalled) = if loss.for_good {
                (Some(running.stream), None)
            } else {
                (None, Some(Stalled { stream: running.stream, callbacks, since: now }))
            };
            self.state = State::Lost(Box::new(Lost {
                clock: null_clock::in_place_of(&device).ok(),
                device,
                stalled,
                probe: None,
                probes: 0,
                next_probe: now,
                waiting: None,
            }));
            dead
        };
        self.publish();
        self.settle();
        if let Some(stream) = stream {
            stream.discard(Duration::ZERO);
        }
    }

    fn look_for_return(&mut self) {
        let State::Lost(lost) = &mut self.state else { return };
        if let Some(stalled) = &lost.stalled {
            let called = stalled.stream.shared.callbacks.load(Acquire) - stalled.callbacks;
            let over = stalled.since.elapsed() > STALLED_LIMIT || stalled.stream.shared.lost.load(Relaxed);
            if called >= CALLBACKS_OF_THE_LIVING {
                let stream = lost.stalled.take().map(|stalled| stalled.stream);
                stream.into_iter().for_each(|stream| self.restore(stream));
            } else if over {
                lost.next_probe = Instant::now();
                lost.stalled.take().into_iter().for_each(|stalled| stalled.stream.discard(Duration::ZERO));
            }
            return;
        }
        if lost.waiting.as_ref().is_some_and(|stream| stream.shared.lost.load(Relaxed)) {
            lost.waiting.take().into_iter().for_each(|stream| stream.discard(Duration::ZERO));
        }
        match lost.probe.as_ref().map(Pending::poll) {
            Some(Progress::Waiting) => {}
            Some(Progress::Done(Ok(stream))) => {
                lost.probe = None;
                if stream.device.sample_rate_hz == lost.device.sample_rate_hz {
                    self.restore(stream);
                } else {
                    let device = stream.device.clone();
                    lost.waiting = Some(stream);
                    self.tell(DeviceEvent::RateChanged(device));
                }
            }
            Some(Progress::Done(Err(_)) | Progress::GivenUp) => {
                lost.probe = None;
                lost.next_probe = Instant::now() + PROBE_INTERVAL;
            }
            None if lost.waiting.is_none() && Instant::now() >= lost.next_probe => {
                lost.probes += 1;
                match backends::probe(&self.request, &lost.device, lost.probes) {
                    Ok(probe) => lost.probe = Some(probe),
                    Err(_) => lost.next_probe = Instant::now() + PROBE_INTERVAL,
                }
            }
            None => {}
        }
    }

    /// The device is back as `stream`: it calls from now on, the null clock ends.
    fn restore(&mut self, stream: Stream) {
        let device = stream.device.clone();
        let running = State::Running(Running::new(stream));
        let before = std::mem::replace(&mut self.state, running);
        self.publish();
        self.settle();
        self.tell(DeviceEvent::Restored(device));
        if let State::Lost(lost) = before {
            let Lost { clock, stalled, .. } = *lost;
            let streams = clock.into_iter().chain(stalled.map(|it| it.stream));
            streams.for_each(|stream| stream.discard(Duration::ZERO));
        }
    }

    /// Makes what calls now readable for others.
    fn publish(&self) {
        let calling = self.calling().map(|stream| (stream.device.backend, stream.shared.clone()));
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::Running(running) = &self.state {
            current.device = Some(running.stream.device.clone());
        }
        if let Some((_, before)) = &current.calling
            && !calling.as_ref().is_some_and(|(_, now)| Arc::ptr_eq(before, now))
        {
            let (xruns, faults) = (before.xruns.load(Relaxed), before.page_faults());
            current.xruns_before += xruns;
            current.faults_before += faults;
        }
        current.calling = calling;
    }

    fn tell_xruns(&mut self) {
        let total = {
            let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
            let now = current.calling.as_ref().map_or(0, |(_, shared)| shared.xruns.load(Relaxed));
            current.xruns_before + now
        };
        let (known, when) = self.told;
        if total > known && when.elapsed() >= XRUN_INTERVAL {
            self.told = (total, Instant::now());
            self.tell(DeviceEvent::Xruns { new: total - known, total });
        }
    }

    fn tell_tap(&self) {
        let failed = {
            let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
            let calling = current.calling.as_ref();
            calling.and_then(|(_, shared)| {
                shared.tap_failed.lock().unwrap_or_else(PoisonError::into_inner).take()
            })
        };
        if let Some(reason) = failed {
            self.tell(DeviceEvent::TapFailed { reason });
        }
    }

    fn tell(&self, event: DeviceEvent) {
        // Nobody listens, or not fast enough: the state is in the status all the same.
        let _ = self.events.try_send(event);
    }
}
