//! The processor: one quantum from events to sound.

use std::ptr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use basedrop::Shared;
use fearless_simd::Level;
use kmidi_core::limits::{MAX_MIDI_PORTS, MIDI_CHANNELS};
use kmidi_core::{Event, NodeInfo, ProcessContext, ProcessStatus, Processor, SysExPool};
use rtrb::{Consumer, Producer, RingBuffer};

use crate::channel::Channel;
use crate::course::{BUSSES, CONTROL_FRAMES};
use crate::effects::Effects;
use crate::handle::{Counters, INSTALL_RING, Install, PresetRequest, REQUEST_RING, SynthHandle};
use crate::interpolation::Interpolation;
use crate::kernel::Busses;
use crate::lanes::LANES;
use crate::preset_key::PresetKey;
use crate::tuning::Tunings;
use crate::voices::Voices;
use crate::zone::Preset;

/// Channels of all ports.
pub(crate) const CHANNELS: usize = MAX_MIDI_PORTS * MIDI_CHANNELS;

/// What a synthesiser is made for.
#[derive(Clone, Copy, Debug)]
pub struct SynthConfig {
    /// In Hz.
    pub sample_rate_hz: u32,
    /// Voices at the same time; a note may need several.
    pub polyphony: usize,
    /// How samples are read between their frames.
    pub interpolation: Interpolation,
    /// Whether there is a reverb at all.
    pub reverb: bool,
    /// Whether there is a chorus at all.
    pub chorus: bool,
    /// Whether softer notes are darker by the default modulator of section 8.4.2
    /// ([`DEFAULT_MODULATORS`](crate::DEFAULT_MODULATORS)`[1]`), which takes two octaves off the
    /// filter cutoff. FluidSynth and others leave it out, and today's banks are voiced for that:
    /// with it they sound dull. What a file itself defines applies in any case.
    pub velocity_to_cutoff: bool,
    /// Factor of the output: 1 lets a single voice reach full scale.
    pub gain: f32,
    /// The instruction set to compute with. None of them changes a bit of the sound.
    pub level: Level,
}

impl SynthConfig {
    /// 256 voices, both effects, a gain at which dense music stays below full scale.
    pub fn new(sample_rate_hz: u32) -> Self {
        SynthConfig {
            sample_rate_hz,
            polyphony: 256,
            interpolation: Interpolation::default(),
            reverb: true,
            chorus: true,
            velocity_to_cutoff: false,
            gain: 0.2,
            level: Level::new(),
        }
    }
}

/// A SoundFont synthesiser of [`MAX_MIDI_PORTS`] times 16 channels and one stereo output.
///
/// Envelopes and LFOs are looked at every 64 or 128 frames, controllers every 64, and run straight in between;
/// notes start and end at their exact frame. The grid of 64 frames starts with the first note
/// after silence, so that the output depends on the events and on nothing else.
pub struct Synth {
    pub(crate) sample_rate_hz: f64,
    pub(crate) velocity_to_cutoff: bool,
    gain: f32,
    pub(crate) channels: Box<[Channel]>,
    presets: Box<[Option<Shared<Preset>>]>,
    pub(crate) tunings: Tunings,
    pub(crate) voices: Voices,
    level: Level,
    effects: Effects,
    busses: Box<Busses>,
    pub(crate) frame_in_grid: u32,
    /// Whether the voices have looked at their channels at the first frame of this stretch.
    pub(crate) has_looked: bool,
    /// Frames of this quantum that have been rendered.
    rendered: usize,
    /// Frames from there to the event at hand.
    pub(crate) ahead: u32,
    pub(crate) notes_begun: u64,
    /// A bit for each key of a channel that a note may hold.
    pub(crate) keys_down: Box<[u128]>,
    installs: Consumer<Install>,
    requests: Producer<PresetRequest>,
    pub(crate) counters: Arc<Counters>,
}

/// Makes a synthesiser and side B's end of it. `[side B]`: allocates.
pub fn synth(config: SynthConfig) -> (SynthHandle, Synth) {
    let (install, installs) = RingBuffer::new(INSTALL_RING);
    let (requests, request) = RingBuffer::new(REQUEST_RING);
    let counters = Arc::<Counters>::default();
    let handle = SynthHandle { installs: install, requests: request, counters: counters.clone() };
    let synth = Synth {
        sample_rate_hz: f64::from(config.sample_rate_hz),
        velocity_to_cutoff: config.velocity_to_cutoff,
        gain: config.gain,
        channels: (0..CHANNELS).map(|i| Channel::new((i % MIDI_CHANNELS) as u8)).collect(),
        presets: (0..PresetKey::COUNT).map(|_| None).collect(),
        tunings: Tunings::new(),
        voices: Voices::new(config.polyphony, config.reverb || config.chorus, config.interpolation),
        level: config.level,
        effects: Effects::new(config.sample_rate_hz, config.reverb, config.chorus),
        busses: Box::new([[0.0; CONTROL_FRAMES as usize + LANES]; BUSSES]),
        frame_in_grid: 0,
        has_looked: false,
        rendered: 0,
        ahead: 0,
        notes_begun: 0,
        keys_down: vec![0; CHANNELS].into(),
        installs,
        requests,
        counters,
    };
    (handle, synth)
}

/// What voices need to know, borrowed beside the voices themselves.
macro_rules! surroundings {
    ($synth:expr) => {
        crate::tone::Surroundings {
            channels: &$synth.channels,
            tunings: &$synth.tunings,
            sample_rate_hz: $synth.sample_rate_hz,
            velocity_to_cutoff: $synth.velocity_to_cutoff,
            frame_in_grid: $synth.frame_in_grid,
        }
    };
}
pub(crate) use surroundings;

impl Synth {
    /// What the graph has to know.
    pub fn info(&self) -> NodeInfo {
        NodeInfo {
            name: "SoundFont synthesiser".to_owned(),
            audio_outputs: vec![2],
            event_inputs: MAX_MIDI_PORTS as u16,
            // Releases may last as long as a SoundFont says.
            tail_frames: u32::MAX,
            ..NodeInfo::default()
        }
    }

    /// Takes what side B has installed.
    fn adopt(&mut self) {
        while let Ok(Install { key, preset }) = self.installs.pop() {
            if let Some(preset) = &preset {
                let replaced = self.presets[key.index()].as_deref();
                for channel in &mut self.channels {
                    // One that waits for a preset may play this one meanwhile.
                    let waits = self.presets[channel.wanted.index()].is_none();
                    let plays =
                        || channel.preset.as_deref().map(ptr::from_ref) == replaced.map(ptr::from_ref);
                    if channel.wanted == key || (waits && replaced.is_some() && plays()) {
                        channel.preset = Some(preset.clone());
                    }
                }
            }
            // What stood here goes to its collector: nothing is freed on this thread.
            self.presets[key.index()] = preset;
        }
    }

    /// Gives a channel the preset it wants, or counts it as missing and asks for it.
    pub(crate) fn select(&mut self, channel: usize) {
        if !self.select_if_installed(channel) {
            self.counters.presets_missing.fetch_add(1, Relaxed);
            self.request(channel);
        }
    }

    /// Gives a channel the preset it wants, if that is there.
    pub(crate) fn select_if_installed(&mut self, channel: usize) -> bool {
        let channel = &mut self.channels[channel];
        let preset = &self.presets[channel.wanted.index()];
        if preset.is_some() {
            channel.preset.clone_from(preset);
        }
        preset.is_some()
    }

    /// Asks side B for what a channel wants. A full ring loses nothing that lasts: the next
    /// program change or note asks again.
    pub(crate) fn request(&mut self, channel: usize) {
        let key = self.channels[channel].wanted;
        let (port, channel) = ((channel / MIDI_CHANNELS) as u8, (channel % MIDI_CHANNELS) as u8);
        let _ = self.requests.push(PresetRequest { port, channel, key });
    }

    /// Whether nothing sounds and nothing will without an event.
    pub(crate) fn is_silent(&self) -> bool {
        self.voices.occupied() == 0 && self.effects.is_silent()
    }

    /// Goes on to `to`. What an event at this frame may change is then settled, but only whole
    /// stretches of the control grid have been rendered: voices know at which frame they change.
    fn advance(&mut self, outputs: &mut [kmidi_core::AudioBuffer], to: usize) {
        while self.rendered < to {
            if self.is_silent() {
                outputs.iter_mut().for_each(|output| output[self.rendered..to].fill(0.0));
                self.rendered = to;
                break;
            }
            self.grid();
            let stretch_end = self.rendered + (CONTROL_FRAMES - self.frame_in_grid) as usize;
            if stretch_end > to {
                break;
            }
            self.render(outputs, stretch_end);
        }
        self.ahead = (to - self.rendered) as u32;
    }

    /// At the first frame of a stretch of the control grid, lets the voices look at their channels,
    /// before a later event changes these.
    fn grid(&mut self) {
        if self.frame_in_grid == 0 && !self.has_looked {
            self.has_looked = true;
            let around = surroundings!(self);
            self.voices.grid(&around);
        }
    }

    /// Renders up to `to`, which is not behind the end of this stretch of the control grid.
    fn render(&mut self, outputs: &mut [kmidi_core::AudioBuffer], to: usize) {
        let (at, frames) = (self.rendered, to - self.rendered);
        if frames == 0 {
            return;
        }
        self.busses.iter_mut().for_each(|bus| bus.fill(0.0));
        let around = surroundings!(self);
        self.voices.render(self.level, &mut self.busses, frames, &around);
        self.effects.process(self.level, &mut self.busses, frames);
        for (output, bus) in outputs.iter_mut().zip(self.busses.iter()) {
            for (output, sound) in output[at..to].iter_mut().zip(bus) {
                *output = sound * self.gain;
            }
        }
        self.rendered = to;
        self.frame_in_grid += frames as u32;
        if self.frame_in_grid == CONTROL_FRAMES {
            self.frame_in_grid = 0;
            self.has_looked = false;
            self.effects.grid();
        }
    }

    fn handle(&mut self, port: u16, event: Event, sysex: &SysExPool) {
        let port = usize::from(port);
        if port >= MAX_MIDI_PORTS {
            return;
        }
        let at = |channel: u8| port * MIDI_CHANNELS + usize::from(channel & 15);
        match event {
            Event::NoteOn { channel, key, velocity } => {
                self.note_on(at(channel), key & 127, (velocity * 127.0).clamp(0.0, 127.0));
            }
            Event::NoteOff { channel, key, .. } => self.note_off(at(channel), key & 127),
            Event::PolyPressure { channel, key, pressure } => {
                self.channels[at(channel)].set_key_pressure(key, pressure & 127);
            }
            Event::ControlChange { channel, controller, value } => {
                self.control_change(at(channel), controller & 127, value & 127);
            }
            Event::ProgramChange { channel, program } => {
                self.channels[at(channel)].set_program(program & 127);
                self.select(at(channel));
            }
            Event::ChannelPressure { channel, pressure } => {
                self.channels[at(channel)].set_pressure(pressure & 127);
            }
            Event::PitchBend { channel, value } => self.channels[at(channel)].set_wheel(value),
            Event::SysEx(handle) => {
                if let Some(message) = sysex.get(handle) {
                    self.system_exclusive(port, message);
                }
            }
            Event::Parameter { .. } | Event::Tempo(_) | Event::Meter(_) | Event::Jump => {}
        }
    }
}

impl Processor for Synth {
    fn process(&mut self, cx: &mut ProcessContext<'_>) -> ProcessStatus {
        self.adopt();
        let frames = cx.frames as usize;
        self.rendered = 0;
        let was_silent = cx.events_in.is_empty() && self.is_silent();
        for timed in cx.events_in {
            let time = (timed.time as usize).min(frames);
            self.advance(cx.audio.outputs, time);
            if let Event::NoteOn { channel, .. } = timed.event
                && self.is_legato(usize::from(timed.port) * MIDI_CHANNELS + usize::from(channel & 15))
            {
                self.render(cx.audio.outputs, time);
                self.ahead = 0;
            }
            self.handle(timed.port, timed.event, cx.sysex);
        }
        self.advance(cx.audio.outputs, frames);
        self.render(cx.audio.outputs, frames);
        self.counters.voices.store(self.voices.occupied() as u32, Relaxed);
        self.counters.voice_samples.store(self.voices.voice_samples, Relaxed);
        self.counters.voices_stolen.store(self.voices.stolen, Relaxed);
        self.counters.voices_refused.store(self.voices.refused, Relaxed);
        if was_silent {
            cx.audio.silence_outputs();
        }
        if self.is_silent() { ProcessStatus::Sleep } else { ProcessStatus::Continue }
    }

    fn reset(&mut self) {
        self.voices.clear();
        self.keys_down.fill(0);
        self.effects.clear();
        (self.frame_in_grid, self.has_looked) = (0, false);
    }
}
