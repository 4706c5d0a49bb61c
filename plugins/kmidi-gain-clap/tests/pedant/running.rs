//! Life and sound: activation, processing, reset, and back, over and over.

use clap_sys::audio_buffer::clap_audio_buffer;
use clap_sys::events::{CLAP_EVENT_NOTE_CHOKE, CLAP_EVENT_NOTE_OFF, CLAP_EVENT_NOTE_ON};
use clap_sys::process::{CLAP_PROCESS_ERROR, CLAP_PROCESS_SLEEP, clap_process};

use super::events::{Input, Output, Sent, midi, note, parameter};
use super::file::File;
use super::host::Host;
use super::instance::Instance;
use super::parameters::Parameters;
use super::ports::audio;

const MAX_FRAMES: usize = 256;
/// Lengths of blocks, over and over.
const FRAMES: [usize; 8] = [1, 64, 256, 17, 255, 3, 128, 2];
/// What stands behind the frames of each buffer.
const GUARD: f32 = 123.25;

/// Channels of the ports of one direction, with room for a guard behind each.
struct Buffers {
    ports: Vec<Vec<Vec<f32>>>,
    pointers: Vec<Vec<*mut f32>>,
}

impl Buffers {
    fn new(channels: &[u32]) -> Self {
        let port = |&channels: &u32| vec![vec![GUARD; MAX_FRAMES + 8]; channels as usize];
        let mut ports: Vec<Vec<Vec<f32>>> = channels.iter().map(port).collect();
        let pointers =
            ports.iter_mut().map(|port| port.iter_mut().map(|it| it.as_mut_ptr()).collect()).collect();
        Buffers { ports, pointers }
    }

    fn raw(&mut self) -> Vec<clap_audio_buffer> {
        let buffer = |pointers: &mut Vec<*mut f32>| clap_audio_buffer {
            data32: pointers.as_mut_ptr().cast(),
            data64: std::ptr::null_mut(),
            channel_count: pointers.len() as u32,
            latency: 0,
            constant_mask: 0,
        };
        self.pointers.iter_mut().map(buffer).collect()
    }

    fn channels(&self) -> impl Iterator<Item = &Vec<f32>> {
        self.ports.iter().flatten()
    }
}

// SAFETY: the pointers are into the vectors beside them.
unsafe impl Send for Buffers {}

/// A plugin that is run.
struct Run<'a> {
    instance: &'a Instance<'a>,
    inputs: Buffers,
    outputs: Buffers,
    steady_time: i64,
    /// All that came out, the channels one behind the other in each block.
    heard: Vec<f32>,
}

impl<'a> Run<'a> {
    fn new(instance: &'a Instance<'a>) -> Self {
        let channels = |is_input| -> Vec<u32> {
            audio(instance, is_input).iter().map(|port| port.channel_count).collect()
        };
        let (inputs, outputs) = (Buffers::new(&channels(true)), Buffers::new(&channels(false)));
        Run { instance, inputs, outputs, steady_time: 0, heard: vec![] }
    }

    /// One block; its rules. `[audio thread]`
    fn block(&mut self, frames: usize, events: Vec<Sent>) {
        let host = self.instance.host;
        let start = self.steady_time as usize;
        for (number, channel) in self.inputs.ports.iter_mut().flatten().enumerate() {
            channel.fill(GUARD);
            let sound = |frame: usize| ((start + frame) as f32 * 0.031 * (number + 1) as f32).sin() * 0.5;
            channel[..frames].iter_mut().enumerate().for_each(|(frame, x)| *x = sound(frame));
        }
        self.outputs.ports.iter_mut().flatten().for_each(|channel| channel.fill(GUARD));
        let given: Vec<Vec<f32>> = self.inputs.channels().cloned().collect();
        let (input, output) = (Input::new(events), Output::default());
        let (in_events, out_events) = (input.raw(), output.raw());
        let (raw_inputs, mut raw_outputs) = (self.inputs.raw(), self.outputs.raw());
        let status = self.instance.process(&clap_process {
            steady_time: self.steady_time,
            frames_count: frames as u32,
            transport: std::ptr::null(),
            audio_inputs: raw_inputs.as_ptr(),
            audio_outputs: raw_outputs.as_mut_ptr(),
            audio_inputs_count: raw_inputs.len() as u32,
            audio_outputs_count: raw_outputs.len() as u32,
            in_events: &in_events,
            out_events: &out_events,
        });
        self.steady_time += frames as i64;
        let rule = |kept: bool, text: &str| host.rule(kept, || text.to_owned());
        rule((CLAP_PROCESS_ERROR + 1..=CLAP_PROCESS_SLEEP).contains(&status), "process fails");
        rule(given.iter().eq(self.inputs.channels()), "it writes to its inputs");
        for channel in self.outputs.channels() {
            let (sound, behind) = channel.split_at(frames);
            rule(behind.iter().all(|&x| x == GUARD), "it writes behind the end of an output");
            rule(sound.iter().all(|x| x.is_finite()), "it sends what is no number");
            rule(!sound.iter().any(|x| x.is_subnormal()), "it sends denormals");
            self.heard.extend(sound);
        }
        let sent = output.sent();
        rule(sent.is_sorted_by_key(|event| event.time), "its events are not in order");
        rule(sent.iter().all(|event| (event.time as usize) < frames), "its events are outside of the block");
    }

    /// Some hundred blocks of odd lengths, with notes, controllers, parameters and what is none of them.
    fn piece(&mut self, sets: &[(u32, f64, f64)]) {
        for block in 0..200usize {
            let frames = FRAMES[block % FRAMES.len()];
            let last = frames as u32 - 1;
            let key = 36 + (block % 48) as i16;
            let mut events = vec![
                note(0, CLAP_EVENT_NOTE_ON, (block % 16) as i16, key),
                midi(0, [0x90 | (block % 16) as u8, key as u8, 90]),
                midi(last / 2, [0xb0, (block % 120) as u8, (block * 7 % 128) as u8]),
                midi(last / 2, [0xff, 0x00, 0x85]),
                note(last / 2, 999, 0, 60),
                note(last, CLAP_EVENT_NOTE_OFF, (block % 16) as i16, key),
                midi(last, [0x80 | (block % 16) as u8, key as u8, 0]),
            ];
            if let Some((id, min, max)) = sets.get(block % sets.len().max(1)) {
                let value = if block % 3 == 0 { *max } else { (min + (block % 13) as f64).min(*max) };
                events.push(parameter(last, *id, value));
            }
            if block == 150 {
                events = vec![note(0, CLAP_EVENT_NOTE_CHOKE, -1, -1)];
            }
            self.block(frames, events);
        }
    }
}

/// Parameters that may be set, with the ends of their ranges.
fn settable(instance: &Instance<'_>) -> Vec<(u32, f64, f64)> {
    use clap_sys::ext::params::CLAP_PARAM_IS_READONLY;
    let infos = Parameters::of(instance).map(|parameters| parameters.infos()).unwrap_or_default();
    let is_settable =
        |info: &&clap_sys::ext::params::clap_param_info| info.flags & CLAP_PARAM_IS_READONLY == 0;
    infos.iter().filter(is_settable).map(|info| (info.id, info.min_value, info.max_value)).collect()
}

/// The rules of a plugin that runs.
pub fn check(file: &File<'_>, id: &str, host: &Host) {
    let instance = Instance::new(file, id, host);
    let sets = settable(&instance);
    // Active and never run; then at several rates, twice without a pause between.
    if instance.activate(48_000.0, 1, MAX_FRAMES as u32) {
        instance.deactivate();
    }
    for sample_rate_hz in [44_100.0, 48_000.0, 96_000.0, 8_000.0, 192_000.0] {
        let mut run = Run::new(&instance);
        if !instance.activate(sample_rate_hz, 1, MAX_FRAMES as u32) {
            continue;
        }
        for _ in 0..2 {
            host.on_audio_thread(|| {
                if instance.start_processing() {
                    run.piece(&sets);
                    instance.reset();
                    run.block(64, vec![]);
                    instance.stop_processing();
                }
            });
            instance.idle();
        }
        // Off the clock, a value comes by flush: on the audio thread, as it is active.
        if let (Some(parameters), Some((id, min, _))) = (Parameters::of(&instance), sets.first()) {
            host.on_audio_thread(|| parameters.flush(vec![parameter(0, *id, *min)]));
            host.rule(parameters.value(*id) == Some(*min), || {
                "a value flushed while active is not taken".into()
            });
        }
        instance.deactivate();
    }
    let [first, second] = [(), ()].map(|()| {
        let instance = Instance::new(file, id, host);
        let mut run = Run::new(&instance);
        if instance.activate(48_000.0, 1, MAX_FRAMES as u32) {
            host.on_audio_thread(|| {
                if instance.start_processing() {
                    run.piece(&sets);
                    instance.stop_processing();
                }
            });
            instance.deactivate();
        }
        run.heard
    });
    host.rule(first == second, || "the same again sounds otherwise".into());
}
