//! The audio half of a watching plugin.

use std::ffi::c_char;
use std::sync::atomic::Ordering::SeqCst;

use clack_extensions::params::PluginAudioProcessorParams;
use clack_extensions::tail::{PluginTailImpl, TailLength};
use clack_plugin::events::Pckn;
use clack_plugin::events::event_types::*;
use clack_plugin::events::io::{InputEvents, OutputEvents};
use clack_plugin::events::spaces::CoreEventSpace;
use clack_plugin::events::{Event as _, UnknownEvent};
use clack_plugin::prelude::*;
use clap_sys::ext::latency::{CLAP_EXT_LATENCY, clap_host_latency};
use clap_sys::ext::log::{CLAP_EXT_LOG, CLAP_LOG_INFO, clap_host_log};
use clap_sys::ext::timer_support::{CLAP_EXT_TIMER_SUPPORT, clap_host_timer_support};

use crate::main_thread::ProbeMain;
use crate::watch::{On, Watch};
use crate::{deeds, parameters};

pub struct ProbeAudio<'a> {
    watch: &'a Watch<'a>,
}

impl<'a> PluginAudioProcessor<'a, Watch<'a>, ProbeMain<'a>> for ProbeAudio<'a> {
    fn activate(
        _: HostAudioProcessorHandle<'a>,
        _: &ProbeMain<'a>,
        watch: &'a Watch<'a>,
        config: PluginAudioConfiguration,
    ) -> Result<Self, PluginError> {
        watch.expect("activate", On::Main);
        watch.expect_state("activate", Some(false), Some(false));
        if config.sample_rate == 8_000.0 {
            return Err(PluginError::Message("not at this rate"));
        }
        watch.is_active.store(true, SeqCst);
        Ok(ProbeAudio { watch })
    }

    fn deactivate(self, _: &ProbeMain<'a>) {
        self.watch.expect("deactivate", On::Main);
        self.watch.expect_state("deactivate", Some(true), Some(false));
        self.watch.is_active.store(false, SeqCst);
    }

    fn start_processing(&mut self) -> Result<(), PluginError> {
        self.watch.expect("start_processing", On::Audio);
        self.watch.expect_state("start_processing", Some(true), Some(false));
        self.watch.is_processing.store(true, SeqCst);
        Ok(())
    }

    fn stop_processing(&mut self) {
        self.watch.expect("stop_processing", On::Audio);
        self.watch.expect_state("stop_processing", Some(true), Some(true));
        self.watch.is_processing.store(false, SeqCst);
    }

    fn reset(&mut self) {
        self.watch.expect("reset", On::Audio);
        self.watch.expect_state("reset", Some(true), None);
        self.watch.note("reset");
    }

    fn process(
        &mut self,
        process: Process<'_>,
        mut audio: Audio<'_>,
        events: Events<'_>,
    ) -> Result<ProcessStatus, PluginError> {
        let watch = self.watch;
        watch.expect("process", On::Audio);
        watch.expect_state("process", Some(true), Some(true));
        if let Some(transport) = process.transport {
            watch.note(format!("start {}", transport_text(transport)));
        }
        let masks: Vec<_> = audio.raw_input_buffers().iter().map(|port| port.constant_mask).collect();
        watch.note(format!("frames {} constant {masks:?}", audio.frames_count()));
        self.amplify(&mut audio, events.input);
        for event in events.input {
            self.take(event, events.output);
        }
        watch.set_value(parameters::CALLS, watch.value(parameters::CALLS) + 1.0);
        let calls = ParamValueEvent::new(
            0,
            ClapId::new(parameters::CALLS),
            Pckn::match_all(),
            watch.value(parameters::CALLS),
        );
        let _ = events.output.try_push(calls);
        let deed = watch.value(parameters::DEED);
        watch.set_value(parameters::DEED, 0.0);
        self.act(deed, &mut audio, events.output);
        match watch.value(parameters::STATUS) as i32 {
            1 => Ok(ProcessStatus::Continue),
            2 => Ok(ProcessStatus::ContinueIfNotQuiet),
            3 => Ok(ProcessStatus::Tail),
            4 => Ok(ProcessStatus::Sleep),
            _ => Err(PluginError::Message("failed on purpose")),
        }
    }
}

impl ProbeAudio<'_> {
    /// Output is input times gain, from the very frame at which the gain changes.
    fn amplify(&self, audio: &mut Audio<'_>, events: &InputEvents<'_>) {
        let Some(mut pair) = audio.port_pair(0) else { return };
        let Ok(Some(channels)) = pair.channels().map(|channels| channels.into_f32()) else { return };
        for channel in channels {
            let ChannelPair::InputOutput(from, to) = channel else { continue };
            let mut gain = self.watch.value(parameters::GAIN) as f32;
            let mut changes = events.iter().filter_map(|event| match event.as_core_event() {
                Some(CoreEventSpace::ParamValue(it))
                    if it.param_id() == Some(ClapId::new(parameters::GAIN)) =>
                {
                    Some((it.time(), it.value() as f32))
                }
                _ => None,
            });
            let mut next = changes.next();
            for (frame, (to, from)) in to.iter_mut().zip(from).enumerate() {
                while let Some((time, value)) = next
                    && time as usize <= frame
                {
                    gain = value;
                    next = changes.next();
                }
                *to = from * gain;
            }
        }
    }

    /// Writes the event down, and sends notes and MIDI back.
    fn take(&self, event: &UnknownEvent, out: &mut OutputEvents<'_>) {
        let time = event.header().time();
        let at =
            |pckn: Pckn| format!("p{} c{} k{}", pckn.raw_port_index(), pckn.raw_channel(), pckn.raw_key());
        let text = match event.as_core_event() {
            Some(CoreEventSpace::NoteOn(it)) => format!("on {} v{:.3}", at(it.pckn()), it.velocity()),
            Some(CoreEventSpace::NoteOff(it)) => format!("off {} v{:.3}", at(it.pckn()), it.velocity()),
            Some(CoreEventSpace::NoteChoke(it)) => format!("choke {}", at(it.pckn())),
            Some(CoreEventSpace::NoteExpression(it)) => {
                format!("{:?} {} {:.3}", it.expression_type().unwrap(), at(it.pckn()), it.value())
            }
            Some(CoreEventSpace::Midi(it)) => format!("midi p{} {:02x?}", it.port_index(), it.data()),
            // SAFETY: the host keeps the bytes while the quantum lasts.
            Some(CoreEventSpace::MidiSysEx(it)) => format!("sysex {:02x?}", unsafe { it.data() }),
            Some(CoreEventSpace::ParamValue(it)) => {
                let id = it.param_id().unwrap().get();
                self.watch.set_value(id, it.value());
                if id == parameters::LATENCY {
                    self.watch.host.request_callback();
                }
                format!("param {id} {}", it.value())
            }
            Some(CoreEventSpace::Transport(it)) => transport_text(it),
            _ => "something else".to_owned(),
        };
        self.watch.note(format!("@{time} {text}"));
        if !text.starts_with("param") {
            let _ = out.try_push(event);
        }
    }

    fn act(&self, deed: f64, audio: &mut Audio<'_>, out: &mut OutputEvents<'_>) {
        if deed == deeds::FLOOD {
            flood(out);
        } else if deed == deeds::LOG {
            self.log();
        } else if deed == deeds::MODES {
            std::mem::forget(kmidi_sys::FlushDenormals::enable());
        } else if deed == deeds::RESTART {
            self.watch.host.request_restart();
        } else if deed == deeds::CONSTANT {
            // Of the two channels one really holds zeros, if the input does.
            audio.raw_output_buffers().iter_mut().for_each(|port| port.constant_mask = u64::MAX);
        } else if deed == deeds::CHANGE {
            self.watch.has_changed.store(true, SeqCst);
            self.watch.host.request_callback();
        } else if deed == deeds::WRONG_THREAD {
            self.call_on_wrong_thread();
        }
    }

    fn log(&self) {
        // SAFETY: the host's log extension is a `clap_host_log`; the texts end with NUL but for the null pointer, which is a
        // plugin's mistake that the host must live with.
        unsafe {
            let host = self.watch.host.as_raw();
            let extension = host.get_extension.unwrap()(host, CLAP_EXT_LOG.as_ptr());
            let log = (*extension.cast::<clap_host_log>()).log.unwrap();
            let long = [b"x".repeat(10_000), vec![0]].concat();
            for text in
                [c"a line".as_ptr(), long.as_ptr().cast::<c_char>(), c"\xff\xfe".as_ptr(), std::ptr::null()]
            {
                log(host, CLAP_LOG_INFO, text);
            }
        }
    }

    fn call_on_wrong_thread(&self) {
        // SAFETY: the host's extensions are of the types of their ids. That the thread is wrong is the point.
        unsafe {
            let host = self.watch.host.as_raw();
            let get = host.get_extension.unwrap();
            let timers = &*get(host, CLAP_EXT_TIMER_SUPPORT.as_ptr()).cast::<clap_host_timer_support>();
            let mut id = 0;
            let registered = timers.register_timer.unwrap()(host, 1, &mut id);
            self.watch.note(format!("timer on the audio thread: {registered}"));
            let latency = &*get(host, CLAP_EXT_LATENCY.as_ptr()).cast::<clap_host_latency>();
            latency.changed.unwrap()(host);
        }
    }
}

/// More than any buffer holds, and events that are none.
fn flood(out: &mut OutputEvents<'_>) {
    for count in 0..100_000u32 {
        let key = (count % 128) as u16;
        let _ = out.try_push(NoteOnEvent::new(u32::MAX - count, Pckn::new(0u16, 0u16, key, count), f64::NAN));
        let value =
            ParamValueEvent::new(0, ClapId::new(parameters::CALLS), Pckn::match_all(), f64::from(count));
        let _ = out.try_push(value);
    }
    let _ = out.try_push(NoteOnEvent::new(0, Pckn::from_raw(i16::MAX, i16::MIN, i16::MAX, -7), -1.0));
    let _ = out.try_push(MidiEvent::new(0, u16::MAX, [0xff; 3]));
    // SAFETY: a list of the host's, and a null pointer, which is a plugin's mistake that the host must live with; a header
    // that says it is smaller than its type is read as no more than a header.
    unsafe {
        let raw = out.as_raw_mut();
        let push = raw.try_push.unwrap();
        push(raw, std::ptr::null());
        let mut short = MidiSysExEvent::new(0, 0, &[0xf0, 0xf7]);
        short.as_raw_mut().header.size = 16;
        push(raw, short.as_unknown().as_raw());
        let mut huge = MidiSysExEvent::new(0, 0, &[0xf0, 0xf7]);
        huge.as_raw_mut().size = u32::MAX;
        push(raw, huge.as_unknown().as_raw());
        huge.as_raw_mut().buffer = std::ptr::null();
        push(raw, huge.as_unknown().as_raw());
    }
}

fn transport_text(it: &TransportEvent) -> String {
    format!(
        "transport flags {:?} beats {:.3} seconds {:.3} tempo {:.3} bar {} at {:.3} meter {}/{} loop {:.3}..{:.3} beats {:.3}..{:.3}",
        it.flags.bits(),
        it.song_pos_beats.to_float(),
        it.song_pos_seconds.to_float(),
        it.tempo,
        it.bar_number,
        it.bar_start.to_float(),
        it.time_signature_numerator,
        it.time_signature_denominator,
        it.loop_start_seconds.to_float(),
        it.loop_end_seconds.to_float(),
        it.loop_start_beats.to_float(),
        it.loop_end_beats.to_float(),
    )
}

impl PluginAudioProcessorParams for ProbeAudio<'_> {
    fn flush(&mut self, events: &InputEvents<'_>, out: &mut OutputEvents<'_>) {
        self.watch.expect("flush while active", On::Audio);
        self.watch.expect_state("flush while active", Some(true), None);
        self.watch.note("flush while active");
        events.iter().for_each(|event| self.take(event, out));
    }
}

impl PluginTailImpl for ProbeAudio<'_> {
    fn get(&self) -> TailLength {
        TailLength::Finite(200)
    }
}
