//! A piano with the real model, where it has been fetched: event for event what the package hears, what is refused, and in how much memory.
#![forbid(unsafe_code)]

mod fetched;

use std::f64::consts::TAU;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use kmidi_memory::{Budgets, Cancel, Domain, Heap, JobContext, JobError, Need, Scope};
use kmidi_ml::model::{Model, ModelName};
use kmidi_ml::transcribe::{
    HeardNote, PIANO_SAMPLE_RATE_HZ, PIANO_WORKING_BYTES, TranscribeError, Transcription, piano,
};
use kmidi_ml::{MonoSource, Samples, SourceError};

#[global_allocator]
static HEAP: Heap = Heap::new();

fn model() -> Option<Arc<Model>> {
    fetched::models(ModelName::Piano).map(|models| models.get(ModelName::Piano).unwrap())
}

fn in_job<T>(cancel: &Cancel, work: impl FnOnce(JobContext) -> T) -> Result<T, JobError> {
    let need = Need { domain: Domain::Working, bytes: PIANO_WORKING_BYTES, name: "a test".into() };
    JobContext::run(&Budgets::default(), need, cancel, work)
}

fn hear(model: &Model, source: &mut dyn MonoSource) -> Result<Transcription, TranscribeError> {
    in_job(&Cancel::default(), |job| piano(model, source, &job, &mut |_| {})).unwrap()
}

fn sound(samples: Vec<f32>) -> Samples {
    Samples::new(samples, PIANO_SAMPLE_RATE_HZ)
}

/// A recording of the tests.
fn recording(name: &str) -> Samples {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/piano").join(name);
    let mut reader = claxon::FlacReader::open(path).unwrap();
    assert_eq!((reader.streaminfo().sample_rate, reader.streaminfo().channels), (PIANO_SAMPLE_RATE_HZ, 1));
    sound(reader.samples().map(|sample| sample.unwrap() as f32 / 32_768.0).collect())
}

/// Start and end in seconds, key (below 0: the controller of a pedal), velocity.
type Event = (f64, f64, i32, i32);

/// What the package hears.
fn golden(text: &str) -> Vec<Event> {
    let event = |line: &str| {
        let numbers: Vec<f64> = line.split(' ').map(|number| number.parse().unwrap()).collect();
        (numbers[0], numbers[1], numbers[2] as i32, numbers[3] as i32)
    };
    sorted(text.lines().map(event).collect())
}

fn events(heard: &Transcription) -> Vec<Event> {
    let notes = heard.notes.iter();
    let notes = notes.map(|it| (it.start_seconds, it.end_seconds, i32::from(it.key), i32::from(it.velocity)));
    let pedals = heard.pedals.iter();
    let pedals =
        pedals.map(|it| (it.start_seconds, it.end_seconds, -i32::from(it.controller), i32::from(it.value)));
    sorted(notes.chain(pedals).collect())
}

/// By key, then by time: what begins at the same time within the rounding of the file comes in the same order.
fn sorted(mut events: Vec<Event>) -> Vec<Event> {
    events.sort_by(|a, b| a.2.cmp(&b.2).then(a.0.total_cmp(&b.0)));
    events
}

/// What differs by more than 2 ms, or in its key, or by more than one step of velocity.
fn differences(ours: &[Event], golden: &[Event]) -> Vec<String> {
    let mut differences: Vec<String> = ours
        .iter()
        .zip(golden)
        .filter(|(a, b)| {
            a.2 != b.2 || (a.0 - b.0).abs() > 2e-3 || (a.1 - b.1).abs() > 2e-3 || (a.3 - b.3).abs() > 1
        })
        .map(|(a, b)| format!("{a:?} where the package has {b:?}"))
        .collect();
    if ours.len() != golden.len() {
        differences.push(format!("{} events, the package has {}", ours.len(), golden.len()));
    }
    differences
}

#[test]
fn notes_and_pedals_are_those_of_the_package() {
    let Some(model) = model() else { return };
    let pieces = [
        ("e1m7.flac", include_str!("data/piano/e1m7.notes")),
        ("pedal.flac", include_str!("data/piano/pedal.notes")),
    ];
    for (name, text) in pieces {
        let heard = hear(&model, &mut recording(name)).unwrap();
        let (ours, golden) = (events(&heard), golden(text));
        let worst = ours
            .iter()
            .zip(&golden)
            .map(|(a, b)| (a.0 - b.0).abs().max((a.1 - b.1).abs()))
            .fold(0.0, f64::max);
        println!("{name}: {} events, times differ by at most {:.3} ms", ours.len(), worst * 1e3);
        assert_eq!(differences(&ours, &golden), [""; 0], "{name}");
        assert!(golden.len() > 10 && heard.seconds == 12.0, "{name}");
    }
    let pedals = golden(pieces[1].1).iter().filter(|event| event.2 == -64).count();
    assert!(pedals >= 3, "the sustain pedal is heard: {pedals}");
}

#[test]
fn control_an_event_that_differs_is_seen() {
    let golden = golden(include_str!("data/piano/e1m7.notes"));
    let with = |change: &dyn Fn(&mut Vec<Event>)| {
        let mut changed = golden.clone();
        change(&mut changed);
        differences(&changed, &golden).len()
    };
    assert_eq!(with(&|_| {}), 0);
    assert_eq!(with(&|events| events[3].0 += 3e-3), 1);
    assert_eq!(with(&|events| events[3].2 += 12), 1);
    assert_eq!(with(&|events| events[3].3 += 2), 1);
    let without = |events: &mut Vec<Event>| {
        events.remove(3);
    };
    assert!(with(&without) >= 1);
}

/// A struck string, about: overtones that fade, the high ones sooner.
fn struck(key: u8, age_seconds: f64) -> f64 {
    let hz = 440.0 * ((f64::from(key) - 69.0) / 12.0).exp2();
    let overtone = |n: u32| {
        let n = f64::from(n);
        (TAU * n * hz * age_seconds).sin() / n * (-age_seconds * (1.0 + n)).exp()
    };
    0.3 * (age_seconds / 0.004).min(1.0) * (1..=6).map(overtone).sum::<f64>()
}

/// The notes of a recording as long as it is. It takes a run of sixteen seconds at least, and three where there is sound in it.
fn notes(model: &Model, samples: Vec<f32>) -> Vec<HeardNote> {
    let seconds = samples.len() as f64 / f64::from(PIANO_SAMPLE_RATE_HZ);
    let heard = hear(model, &mut sound(samples)).unwrap();
    assert_eq!(heard.seconds, seconds);
    heard.notes
}

#[test]
fn silence_and_noise_are_right_answers() {
    let Some(model) = model() else { return };
    let mut state = 1u32;
    let noise = (0..2 * 44_100).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    });
    let (constant, silence) = (vec![1.0; 44_100], |frames| vec![0.0; frames]);
    let parts = constant.into_iter().chain(silence(44_100)).chain(noise).chain(silence(300_000));
    let heard = notes(&model, parts.collect());
    let in_part =
        |from: f64, to: f64| heard.iter().filter(|it| (from..to).contains(&it.start_seconds)).count();
    let (constant, noise, silence) = (in_part(0.0, 1.5), in_part(1.5, 4.5), in_part(4.5, 99.0));
    println!("{constant} notes in a constant, {noise} in two seconds of noise, {silence} in silence");
    assert!(constant < 10 && noise < 15 && silence == 0);
}

#[test]
fn next_to_nothing_is_a_right_answer() {
    let Some(model) = model() else { return };
    assert!(notes(&model, vec![]).is_empty());
    let short: Vec<f32> = (0..4410).map(|n| struck(60, f64::from(n) / 44_100.0) as f32).collect();
    assert!(notes(&model, short).len() <= 2);
}

#[test]
fn what_cannot_be_heard_is_refused_with_a_reason() {
    let Some(model) = model() else { return };
    let rate = hear(&model, &mut Samples::new(vec![0.0; 10], 22_050));
    assert!(matches!(rate, Err(TranscribeError::SampleRate { expected_hz: 44_100, found_hz: 22_050 })));
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut samples = vec![0.0; 60_000];
        samples[50_000] = bad;
        let refused = hear(&model, &mut sound(samples));
        assert!(matches!(refused, Err(TranscribeError::NotANumber { frame: 50_000 })), "{refused:?}");
    }
    // The largest numbers that there are do not become others on the way.
    let loud = (0..44_100).map(|n| if n % 2 == 0 { f32::MAX } else { f32::MIN }).collect();
    println!("{:?}", hear(&model, &mut sound(loud)).map(|heard| heard.notes.len()));
}

#[test]
fn a_job_that_is_cancelled_ends_at_the_next_segment() {
    let Some(model) = model() else { return };
    let cancel = Cancel::default();
    let mut segments = 0;
    let mut source = sound(vec![0.1; 2_000_000]);
    let ended = in_job(&cancel, |job| {
        piano(&model, &mut source, &job, &mut |_| {
            segments += 1;
            cancel.cancel();
        })
    });
    assert!(matches!(ended, Ok(Err(TranscribeError::Job(JobError::Cancelled)))), "{ended:?}");
    assert_eq!(segments, 1);
}

/// A recording, silence until twenty minutes are over, and the recording again.
struct Sparse {
    recording: Vec<f32>,
    at: usize,
}

impl Sparse {
    /// A multiple of the distance between two segments.
    const SECONDS: usize = 1200;
    const AGAIN: usize = Self::SECONDS * PIANO_SAMPLE_RATE_HZ as usize;

    fn new(name: &str) -> Self {
        let (mut source, mut recording) = (recording(name), vec![0.0; 600_000]);
        let count = source.read(&mut recording).unwrap();
        recording.truncate(count);
        Sparse { recording, at: 0 }
    }
}

impl MonoSource for Sparse {
    fn sample_rate_hz(&self) -> u32 {
        PIANO_SAMPLE_RATE_HZ
    }

    fn read(&mut self, into: &mut [f32]) -> Result<usize, SourceError> {
        let count = into.len().min(Self::AGAIN + self.recording.len() - self.at);
        for sample in &mut into[..count] {
            *sample = self.recording.get(self.at % Self::AGAIN).copied().unwrap_or(0.0);
            self.at += 1;
        }
        Ok(count)
    }

    fn frames(&self) -> Option<u64> {
        None
    }
}

/// Memory is counted for all threads together: one test after the other.
static MEASURING: Mutex<()> = Mutex::new(());

#[test]
fn twenty_minutes_take_no_more_memory_than_they_may_and_silence_takes_no_time() {
    let Some(model) = model() else { return };
    let _alone = MEASURING.lock().unwrap_or_else(PoisonError::into_inner);
    let (peak, heard) = in_job(&Cancel::default(), |job| {
        let before = kmidi_memory::tally(Domain::Working).live_bytes();
        let scope = Scope::start();
        let heard = piano(&model, &mut Sparse::new("e1m7.flac"), &job, &mut |_| {}).unwrap();
        (scope.finish().of(Domain::Working).peak_bytes.saturating_sub(before), heard)
    })
    .unwrap();
    println!("{peak} bytes at most");
    assert!(peak > 4 << 20, "{peak} bytes: nothing was measured");
    assert!(peak <= PIANO_WORKING_BYTES, "{peak} bytes");
    let again = Sparse::SECONDS as f64;
    let notes = events(&heard).into_iter().filter(|event| event.2 >= 0);
    let (first, second): (Vec<_>, Vec<_>) = notes.partition(|event| event.0 < again / 2.0);
    assert!(first.len() > 20, "{first:?}");
    // The second ends with the recording, and is not quite the same to the network: it may have a note or two more there.
    let is_same = |a: &Event, b: &Event| a.2 == b.2 && (b.0 - again - a.0).abs() < 0.02;
    let lost: Vec<_> = first.iter().filter(|a| !second.iter().any(|b| is_same(a, b))).collect();
    assert!(lost.is_empty() && second.len() <= first.len() + 2, "{lost:?} of {first:?} in {second:?}");
}
