//! The half of a plugin that makes sound.

use std::sync::Arc;

use clack_extensions::params::PluginParams;
use clack_extensions::tail::{PluginTail, TailLength};
use clack_host::events::io::{InputEvents, OutputEvents};
use clack_host::prelude::*;
use clack_host::process::ProcessStatus as ClapStatus;
use clack_host::process::audio_buffers::{InputAudioBuffers, OutputAudioBuffers};
use kmidi_core::{ProcessContext, ProcessStatus, Processor, peak};
use kmidi_sys::FloatModes;

use super::audio_buffers::PortBuffers;
use super::describe::Layout;
use super::events_in::InputPool;
use super::events_out::Sink;
use super::host::{Common, Host, OnAudioThread};
use super::transport::SongClock;
use crate::Told;
use crate::told::Line;

/// Output under this is quiet: -120 dBFS.
const QUIET: f32 = 1e-6;
/// How long a plugin that leaves it to its host must have been quiet, with nothing coming in, until it is left alone: an echo can
/// be seconds behind what it repeats, and many plugins leave it to their hosts whatever they still hold.
const QUIET_SECONDS: u64 = 10;

/// The audio half of a CLAP plugin. Made and dropped on side B.
///
/// It never says [`Sleep`](ProcessStatus::Sleep) to the engine: a plugin that sleeps may ask from any thread to be woken
/// (`request_process`), and the engine has no ear for that. While the plugin sleeps it is not called from here either.
pub(super) struct AudioHalf {
    node: Node,
    common: Arc<Common>,
}

/// All of it but what names the thread.
struct Node {
    processor: PluginAudioProcessor<Host>,
    inputs: PortBuffers,
    outputs: PortBuffers,
    events: InputPool,
    /// Values that the main half restores.
    restored: rtrb::Consumer<(u32, f64)>,
    note_outputs: u16,
    params: Option<PluginParams>,
    tail: Option<PluginTail>,
    sample_rate_hz: u32,
    max_frames: u32,
    /// Frames since activation.
    steady_time: u64,
    asleep: bool,
    /// Whether the song played at the last quantum.
    playing: bool,
    /// Frames since something last came in.
    idle_frames: u64,
    /// Frames since its output was last not quiet.
    quiet_frames: u64,
}

impl AudioHalf {
    /// `[side B]`: allocates.
    pub fn new(
        processor: StoppedPluginAudioProcessor<Host>,
        common: Arc<Common>,
        layout: &Layout,
        restored: rtrb::Consumer<(u32, f64)>,
        sample_rate_hz: u32,
        max_frames: u32,
    ) -> Self {
        let handle = processor.shared_plugin_handle();
        let (params, tail) = (handle.get_extension(), handle.get_extension());
        let node = Node {
            processor: processor.into(),
            inputs: PortBuffers::new(&layout.inputs, max_frames as usize),
            outputs: PortBuffers::new(&layout.outputs, max_frames as usize),
            events: InputPool::new(&layout.note_inputs, &layout.settable),
            restored,
            note_outputs: layout.note_outputs,
            params,
            tail,
            sample_rate_hz,
            max_frames,
            steady_time: 0,
            asleep: false,
            playing: false,
            idle_frames: 0,
            quiet_frames: 0,
        };
        AudioHalf { node, common }
    }
}

impl Node {
    /// Whether the plugin can be left alone at this quantum, which is silent then.
    fn sleeps_on(&mut self, common: &Common, cx: &ProcessContext<'_>) -> bool {
        let is_called = Common::take(&common.process);
        let something_came = !cx.events_in.is_empty()
            || !cx.audio.inputs_are_silent()
            || !self.restored.is_empty()
            // What plays by itself begins with the song.
            || cx.transport.playing != self.playing;
        self.playing = cx.transport.playing;
        self.idle_frames = if something_came { 0 } else { self.idle_frames + u64::from(cx.frames) };
        self.asleep && !is_called && !something_came
    }

    /// Parameters that the plugin wants to exchange while it sleeps.
    fn flush(&mut self, common: &Common) {
        let Some(params) = self.params else { return };
        let mut sink = Sink { common, notes: None, ports: 0, frames: 0 };
        let mut raw = sink.raw();
        // SAFETY: the list is valid while `sink` lives, which is longer than the call.
        let out = unsafe { OutputEvents::from_raw_mut(&mut raw) };
        params.flush_active(&mut self.processor.plugin_handle(), &InputEvents::empty(), out);
    }

    /// One quantum of the plugin; `None` if it failed.
    fn run(&mut self, common: &Common, cx: &mut ProcessContext<'_>) -> Option<ClapStatus> {
        let frames = cx.frames as usize;
        let refused =
            self.events.fill(&mut self.restored, cx.events_in, cx.sysex, cx.transport, self.sample_rate_hz);
        if refused > 0 {
            common.tell(Told::Log(Line::new("more events came than it can be given; the rest was dropped")));
        }
        let transport = SongClock::new(cx.transport, self.sample_rate_hz).event(0);
        let inputs = cx.audio.inputs;
        self.inputs.point(cx.audio.silent_inputs, |at| {
            inputs
                .get(at)
                .filter(|channel| channel.len() >= frames)
                .map(|channel| channel.as_ptr().cast_mut())
        });
        // A plugin that forgets to write is silent, and does not let others' sound out.
        cx.audio.outputs.iter_mut().for_each(|channel| channel.fill(0.0));
        let outputs = &mut *cx.audio.outputs;
        self.outputs.point(0, |at| {
            outputs.get_mut(at).filter(|channel| channel.len() >= frames).map(|channel| channel.as_mut_ptr())
        });
        // SAFETY: every pointer of every port is to at least `frames` samples (the engine's channels by their length, the
        // scratch as `frames` is no more than `max_frames`) that live during the call. The outputs are this node's alone;
        // the inputs are not written by a plugin, for no output has their address.
        let (inputs, mut outputs) = unsafe {
            (
                InputAudioBuffers::from_raw_buffers(self.inputs.ports(), cx.frames),
                OutputAudioBuffers::from_raw_buffers(self.outputs.ports(), cx.frames),
            )
        };
        let mut sink = Sink {
            common,
            notes: Some((&mut *cx.events_out, &mut *cx.sysex)),
            ports: self.note_outputs,
            frames: cx.frames,
        };
        let mut raw = sink.raw();
        // SAFETY: the list is valid while `sink` lives, which is longer than the call.
        let out = unsafe { OutputEvents::from_raw_mut(&mut raw) };
        let started = self.processor.ensure_processing_started().ok()?;
        let events = InputEvents::from_buffer(&self.events);
        let steady_time = Some(self.steady_time);
        started.process(&inputs, &mut outputs, &events, out, steady_time, Some(&transport)).ok()
    }

    /// Whether the plugin need not be called until something comes.
    fn falls_asleep(&mut self, status: ClapStatus, cx: &ProcessContext<'_>) -> bool {
        // Only who leaves it to the host is looked at: the others are faster without.
        let is_quiet = || cx.audio.outputs.iter().all(|channel| peak(channel) <= QUIET);
        let is_left_to_host = matches!(status, ClapStatus::ContinueIfNotQuiet | ClapStatus::Tail);
        self.quiet_frames =
            if is_left_to_host && is_quiet() { self.quiet_frames + u64::from(cx.frames) } else { 0 };
        let has_been_quiet =
            |seconds: u64| self.quiet_frames.min(self.idle_frames) > seconds * u64::from(self.sample_rate_hz);
        let mut tail = || self.tail.map(|tail| tail.get(&self.processor.plugin_handle()));
        match status {
            ClapStatus::Continue => false,
            // Its own word: nothing more comes of what it holds.
            ClapStatus::Sleep => true,
            ClapStatus::ContinueIfNotQuiet => {
                let is_in_tail =
                    matches!(tail(), Some(TailLength::Finite(it)) if self.idle_frames <= u64::from(it));
                !is_in_tail && has_been_quiet(QUIET_SECONDS)
            }
            ClapStatus::Tail => match tail() {
                Some(TailLength::Infinite) => false,
                Some(TailLength::Finite(frames)) => self.idle_frames > u64::from(frames),
                None => has_been_quiet(QUIET_SECONDS),
            },
        }
    }

    /// The output channels that are zero, of those that the plugin says hold one value.
    fn silent_outputs(&self, cx: &ProcessContext<'_>) -> u64 {
        let constant = self.outputs.constant();
        if constant == 0 {
            return 0;
        }
        let channels = cx.audio.outputs.iter().enumerate().take(64);
        let zero = channels.filter(|(at, channel)| constant >> at & 1 == 1 && is_zero(channel));
        zero.fold(0, |mask, (at, _)| mask | 1 << at)
    }
}

/// Whether every sample is zero; one that is not a number is not.
fn is_zero(samples: &[f32]) -> bool {
    samples.iter().all(|sample| *sample == 0.0)
}

impl Node {
    /// One quantum, awake or not.
    fn quantum(&mut self, common: &Common, cx: &mut ProcessContext<'_>) {
        let wants_flush = Common::take(&common.flush);
        if cx.frames > self.max_frames {
            cx.audio.silence_outputs();
            common.tell(Told::ProcessFailed);
            return;
        }
        self.steady_time += u64::from(cx.frames);
        if self.sleeps_on(common, cx) {
            if wants_flush {
                self.flush(common);
            }
            cx.audio.silence_outputs();
            return;
        }
        match self.run(common, cx) {
            Some(status) => {
                cx.audio.silent_outputs = self.silent_outputs(cx);
                self.asleep = self.falls_asleep(status, cx);
            }
            None => {
                cx.audio.silence_outputs();
                common.tell(Told::ProcessFailed);
                self.asleep = false;
            }
        }
    }
}

impl Processor for AudioHalf {
    fn process(&mut self, cx: &mut ProcessContext<'_>) -> ProcessStatus {
        let _role = OnAudioThread::enter(&self.common);
        let modes = FloatModes::current();
        self.node.quantum(&self.common, cx);
        modes.restore();
        ProcessStatus::Continue
    }

    fn reset(&mut self) {
        let _role = OnAudioThread::enter(&self.common);
        let modes = FloatModes::current();
        let node = &mut self.node;
        node.processor.reset();
        modes.restore();
        node.events.reset();
        node.asleep = false;
        node.idle_frames = 0;
        node.quiet_frames = 0;
    }
}

impl Drop for AudioHalf {
    fn drop(&mut self) {
        let _role = OnAudioThread::enter(&self.common);
        self.node.processor.ensure_processing_stopped();
    }
}
