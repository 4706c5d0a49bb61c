//! MIDI through JACK: its frames, in and out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jack::{Client, ClientOptions, Control, MidiIn, MidiOut, Port, ProcessHandler, ProcessScope, RawMidi};
use kmidi_core::{DeviceCallback, DeviceIo};
use kmidi_device::{AudioRequest, Backend, DeviceManager, MidiPort};

use crate::recorder::Recorder;
use crate::server::{jackd, with_jack};

/// Answers each message with an impulse at its frame, and with the message itself.
struct Echo;

impl DeviceCallback for Echo {
    fn process(&mut self, io: &mut DeviceIo<'_, '_>) {
        io.outputs.iter_mut().for_each(|channel| channel.fill(0.001));
        for (frame, message) in io.midi_in.iter() {
            io.outputs[0][frame as usize] = 1.0;
            io.midi_out.push(frame, message).unwrap();
        }
    }
}

/// Sends a note each 977 frames (a prime: at every place of a period), and keeps, in frames of the
/// server, when each was sent and when it came back.
struct Prober {
    to_kmidi: Port<MidiOut>,
    from_kmidi: Port<MidiIn>,
    next: u32,
    /// Everything is connected.
    go: Arc<AtomicBool>,
    sent: Vec<u32>,
    /// The key, which numbers the notes, and when it came.
    returned: Vec<(u8, u32)>,
}

const SPACING: u32 = 977;
const NOTES: usize = 100;

impl ProcessHandler for Prober {
    fn process(&mut self, _: &Client, scope: &ProcessScope) -> Control {
        let start = scope.last_frame_time();
        if self.next == 0 && self.go.load(Ordering::Acquire) {
            self.next = start + SPACING;
        }
        let mut writer = self.to_kmidi.writer(scope);
        while self.next > 0 && self.sent.len() < NOTES && self.next < start + scope.n_frames() {
            // A cycle that was missed makes this one late.
            let frame = self.next.max(start);
            writer
                .write(&RawMidi { time: frame - start, bytes: &[0x90, self.sent.len() as u8, 100] })
                .unwrap();
            self.sent.push(frame);
            self.next += SPACING;
        }
        for event in self.from_kmidi.iter(scope) {
            self.returned.push((event.bytes[1], start + event.time));
        }
        Control::Continue
    }
}

#[test]
fn midi_has_a_constant_latency_of_at_most_one_period() {
    with_jack("jack_midi::midi_has_a_constant_latency_of_at_most_one_period", || {
        let _server = jackd(256);
        let (client, _) = Client::new("prober", ClientOptions::NO_START_SERVER).unwrap();
        let go = Arc::new(AtomicBool::new(false));
        let prober = Prober {
            to_kmidi: client.register_port("keys", MidiOut::default()).unwrap(),
            from_kmidi: client.register_port("synth", MidiIn::default()).unwrap(),
            next: 0,
            go: go.clone(),
            sent: Vec::with_capacity(NOTES),
            returned: Vec::with_capacity(NOTES),
        };
        let client = client.activate_async((), prober).unwrap();
        let (manager, _events) = DeviceManager::start().unwrap();
        let request = AudioRequest {
            backend: Some(Backend::Jack),
            midi_in: MidiPort::Connect("prober:keys".to_owned()),
            midi_out: MidiPort::Connect("synth".to_owned()),
            ..AudioRequest::default()
        };
        manager.open(request).unwrap();
        manager.install(Box::new(Echo)).unwrap();
        let recorder = Recorder::start("kmidi", 3 * 48_000);
        go.store(true, Ordering::Release);
        let captured = recorder.finish();
        let status = manager.status();
        let (_, (), prober) = client.deactivate().unwrap();
        assert_eq!((status.midi_in_dropped, status.midi_out_dropped), (0, 0));

        let latencies: Vec<i64> = prober
            .returned
            .iter()
            .map(|&(note, frame)| i64::from(frame) - i64::from(prober.sent[usize::from(note)]))
            .collect();
        let usual = latencies[latencies.len() / 2];
        let others = latencies.iter().filter(|&&latency| latency != usual).count();
        println!("{} notes back after {usual} frames, {others} not, {} xruns", latencies.len(), status.xruns);
        assert!((0..=256).contains(&usual), "at most one period");
        assert!(latencies.len() > NOTES / 2);
        // A cycle that a busy machine has missed may move the notes of that cycle.
        assert!(others <= 3 * status.xruns as usize, "{latencies:?}");

        let impulses: Vec<usize> = (0..captured.len()).filter(|&frame| captured[frame][0] == 1.0).collect();
        let gaps: Vec<usize> = impulses.windows(2).map(|pair| pair[1] - pair[0]).collect();
        println!("{} impulses", impulses.len());
        assert!(gaps.len() > NOTES / 2);
        if status.xruns == 0 {
            assert!(
                gaps.iter().all(|&gap| gap == SPACING as usize),
                "the sound follows to the frame: {gaps:?}"
            );
        }
    });
}

#[test]
fn a_midi_port_that_is_not_there_is_an_error_that_names_those_that_are() {
    with_jack("jack_midi::a_midi_port_that_is_not_there_is_an_error_that_names_those_that_are", || {
        let _server = jackd(256);
        let (client, _) = Client::new("prober", ClientOptions::NO_START_SERVER).unwrap();
        let _port = client.register_port("keys", MidiOut::default()).unwrap();
        let (manager, _events) = DeviceManager::start().unwrap();
        let request = AudioRequest {
            backend: Some(Backend::Jack),
            midi_in: MidiPort::Connect("organ".to_owned()),
            ..AudioRequest::default()
        };
        let error = manager.open(request).unwrap_err().to_string();
        assert!(error.contains("organ") && error.contains("prober:keys"), "{error}");
    });
}
