//! The device, and the engine in it.

use kmidi_core::limits::DEFAULT_QUANTUM_FRAMES;
use kmidi_device::{Backend, DeviceError, DeviceEvent, MidiPort, OnLoss, OpenDevice};
use kmidi_memory::audio_heap;
use kmidi_rt::LoadMeter;

use super::{Conductor, Note};
use crate::rig::{CHANNELS, Rig, RigConfig};
use crate::snapshot::{PlayState, Severity};
use crate::watched::Watched;

impl Conductor {
    /// Opens the device on a thread of its own: that may take seconds.
    pub(super) fn open_device(&mut self) {
        let (manager, notes) = (self.manager.clone(), self.notes.clone());
        let request = self.config.audio.clone();
        let thread = std::thread::Builder::new().name("kmidi-open-device".into());
        let open = move || {
            let opened = manager.open(request);
            // The manager goes before the answer: whoever has the last one closes the device.
            drop(manager);
            let _ = notes.send(Note::Device(opened));
        };
        if let Err(error) = thread.spawn(open) {
            self.fail(Severity::Failure, format!("no thread to open the device: {error}"));
        }
    }

    pub(super) fn device_opened(&mut self, opened: Result<OpenDevice, DeviceError>) {
        match opened {
            Ok(device) => {
                self.tell_device(&device);
                self.build_engine(device);
            }
            Err(error) => self.fail(Severity::Failure, format!("cannot open the audio device: {error}")),
        }
    }

    fn tell_device(&self, device: &OpenDevice) {
        for note in &device.notes {
            self.tell(Severity::Info, note.clone());
        }
        let asked = self.config.audio.backend;
        if device.backend == Backend::Null && asked != Some(Backend::Null) {
            let song = self.config.songs.first().map_or("SONG.mid".into(), |song| song.display().to_string());
            self.tell(
                Severity::Warning,
                format!(
                    "no audio device works here: playing in silence. For a sound file: kmidi render {song} -o out.wav; \
                     for what is missing: kmidi doctor"
                ),
            );
        }
    }

    /// Makes an engine for a device and hands it over. A song that is playing goes on in it.
    fn build_engine(&mut self, device: OpenDevice) {
        let period = (device.period_frames as usize).max(1);
        let config = RigConfig {
            sample_rate_hz: device.sample_rate_hz,
            quantum_frames: period.min(DEFAULT_QUANTUM_FRAMES) as u32,
            live_in: self.config.audio.midi_in != MidiPort::Off,
            channels_in: device.channels_in as u16,
            channels_out: device.channels_out.max(CHANNELS) as u16,
            midi_out: self.config.audio.midi_out != MidiPort::Off,
            has_ceiling: true,
            compensation: self.config.rack.compensation,
        };
        let (rig, engine) = match Rig::new(config, &self.config.sound) {
            Ok(made) => made,
            Err(error) => return self.fail(Severity::Failure, format!("no engine for the device: {error}")),
        };
        self.resume_elsewhere();
        self.device = Some(device);
        self.rack.rig_built(&rig);
        self.rig = Some(rig);
        self.to_install = self.stack.shelf.presets().map(|(key, _)| key).collect();
        let melodic = self.melodic();
        let sound = self.config.sound.clone();
        self.engine(|rig| rig.apply(&sound, melodic));
        let callback = audio_heap("the engine", || Box::new(Watched(LoadMeter::new(engine))));
        let installed = match callback {
            Ok(callback) => self.manager.install(callback).map_err(|error| error.to_string()),
            Err(exceeded) => Err(exceeded.to_string()),
        };
        if let Err(error) = installed {
            self.fail(Severity::Failure, format!("the device does not take the engine: {error}"));
        }
    }

    /// The engine is about to be replaced: its song goes on in the next one.
    fn resume_elsewhere(&mut self) {
        let (Some(rig), Some(part)) = (&self.rig, &self.current) else { return };
        let position = part.seeking.unwrap_or_else(|| rig.handle.status().position);
        let seconds = position.seconds(rig.config.sample_rate_hz);
        let number = part.number;
        self.want(number, Some(seconds));
    }

    pub(super) fn hear_device(&mut self, event: DeviceEvent) {
        match event {
            DeviceEvent::Lost { name, reason, action } => self.device_lost(&name, &reason, action),
            DeviceEvent::Restored(device) => {
                self.tell(Severity::Info, format!("{} {} is back", device.backend, device.name));
                self.device = Some(device);
                if std::mem::take(&mut self.held_by_loss) {
                    self.resume();
                }
            }
            DeviceEvent::RateChanged(device) => {
                let rate = device.sample_rate_hz;
                self.tell(Severity::Info, format!("{} now runs at {rate} Hz", device.name));
                self.build_engine(device);
            }
            DeviceEvent::PeriodChanged { period_frames } => {
                if let Some(device) = &mut self.device {
                    device.period_frames = period_frames;
                }
            }
            // Counted in the snapshot.
            DeviceEvent::Xruns { .. } => {}
            DeviceEvent::TapFailed { reason } => {
                self.tell(
                    Severity::Failure,
                    format!("what is heard is not recorded any more, and there is no file: {reason}"),
                );
            }
            DeviceEvent::EngineStuck => {
                self.tell(Severity::Warning, "the device holds the engine in a callback that does not end");
            }
        }
    }

    fn device_lost(&mut self, name: &str, reason: &str, action: OnLoss) {
        let backend = self.device.as_ref().map_or(String::new(), |device| format!("{}: ", device.backend));
        let lost = format!("{backend}device {name} was lost: {reason}");
        match action {
            OnLoss::Stop => self.fail(Severity::Failure, lost),
            OnLoss::Continue => self.tell(Severity::Warning, format!("{lost}; the song goes on in silence")),
            OnLoss::Pause => {
                self.tell(Severity::Warning, format!("{lost}; the song waits until it is back"));
                self.held_by_loss = matches!(self.state, PlayState::Playing | PlayState::Loading);
                self.pause();
            }
        }
    }
}
