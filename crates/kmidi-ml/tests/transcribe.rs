//! Transcription with the real models: what is heard, what is refused, and in how much memory.

use std::f64::consts::TAU;
use std::sync::{Arc, Mutex, PoisonError};

use kmidi_memory::{Budgets, Cancel, Domain, Heap, JobContext, JobError, Limits, MIB, Need, Scope};
use kmidi_ml::model::{Model, ModelCache, ModelFolders, ModelName};
use kmidi_ml::transcribe::{
    HeardNote, MonoOptions, PolyOptions, TranscribeError, Transcription, WORKING_BYTES, monophonic,
    polyphonic,
};
use kmidi_ml::{MonoSource, Samples, SourceError};

#[global_allocator]
static HEAP: Heap = Heap::new();

fn model(name: ModelName) -> Arc<Model> {
    ModelCache::new(Budgets::default(), ModelFolders::default()).get(name).unwrap()
}

fn in_job<T>(cancel: &Cancel, work: impl FnOnce(JobContext) -> T) -> Result<T, JobError> {
    let need = Need { domain: Domain::Working, bytes: WORKING_BYTES, name: "a test".into() };
    JobContext::run(&Budgets::default(), need, cancel, work)
}

fn poly(source: &mut dyn MonoSource, options: &PolyOptions) -> Result<Transcription, TranscribeError> {
    let model = model(ModelName::BasicPitch);
    in_job(&Cancel::default(), |job| polyphonic(&model, source, options, &job, &mut |_| {})).unwrap()
}

fn mono(source: &mut dyn MonoSource, options: &MonoOptions) -> Result<Transcription, TranscribeError> {
    let model = model(ModelName::SwiftF0);
    in_job(&Cancel::default(), |job| monophonic(&model, source, options, &job, &mut |_| {})).unwrap()
}

fn hz(key: u8) -> f64 {
    440.0 * ((f64::from(key) - 69.0) / 12.0).exp2()
}

/// A struck string, about: overtones that fade, the high ones sooner.
fn struck(key: u8, age_seconds: f64) -> f64 {
    let overtone = |n: u32| {
        let n = f64::from(n);
        (TAU * n * hz(key) * age_seconds).sin() / n * (-age_seconds * (1.0 + n)).exp()
    };
    let attack = (age_seconds / 0.004).min(1.0);
    0.3 * attack * (1..=6).map(overtone).sum::<f64>()
}

/// Keys, each for so long, one after the other.
fn scale(keys: &[u8], seconds: f64, rate_hz: u32) -> Samples {
    let each = (seconds * f64::from(rate_hz)) as usize;
    let sample = |n: usize| struck(keys[n / each], (n % each) as f64 / f64::from(rate_hz)) as f32;
    Samples::new((0..each * keys.len()).map(sample).collect(), rate_hz)
}

fn keys(heard: &Transcription) -> Vec<u8> {
    heard.notes.iter().map(|note| note.key).collect()
}

const SCALE: [u8; 8] = [60, 62, 64, 65, 67, 69, 71, 72];

#[test]
fn a_scale_is_heard_note_by_note() {
    let heard = poly(&mut scale(&SCALE, 0.5, 22_050), &PolyOptions::default()).unwrap();
    // Beside the notes the model hears some of their overtones.
    let is_of_scale = |note: &&HeardNote| note.key <= 72;
    let notes: Vec<&HeardNote> = heard.notes.iter().filter(is_of_scale).collect();
    assert_eq!(notes.iter().map(|note| note.key).collect::<Vec<_>>(), SCALE);
    assert!(heard.notes.len() <= 12, "{heard:?}");
    for (n, note) in notes.iter().enumerate() {
        let late = note.start_seconds - n as f64 * 0.5;
        assert!(late.abs() < 0.03, "note {n} is {late} s late");
        assert!(note.end_seconds > note.start_seconds + 0.1 && note.end_seconds <= 4.0);
    }
    assert_eq!((heard.seconds, heard.cuts), (4.0, 0));
}

#[test]
fn frequencies_that_do_not_count_are_not_heard() {
    let options = PolyOptions { min_hz: Some(hz(64)), max_hz: Some(hz(70)), ..PolyOptions::default() };
    let heard = poly(&mut scale(&SCALE, 0.5, 22_050), &options).unwrap();
    assert_eq!(keys(&heard), [64, 65, 67, 69]);
}

#[test]
fn silence_noise_and_next_to_nothing_are_right_answers() {
    let heard = |samples: Vec<f32>| {
        let frames = samples.len();
        let heard = poly(&mut Samples::new(samples, 22_050), &PolyOptions::default()).unwrap();
        assert_eq!(heard.seconds, frames as f64 / 22_050.0);
        heard.notes
    };
    for frames in [0, 1, 2205, 100_000] {
        assert!(heard(vec![0.0; frames]).is_empty(), "{frames} frames of silence");
    }
    let constant = heard(vec![1.0; 100_000]);
    // The model takes so much of it for the lowest frequencies that it knows.
    assert!(constant.len() < 5 && constant.iter().all(|note| note.key < 30), "{constant:?}");
    let mut state = 1u32;
    let noise = (0..220_500).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    });
    let notes = heard(noise.collect());
    println!("{} notes in ten seconds of noise", notes.len());
    assert!(notes.len() < 40);
    assert!(heard((0..2205).map(|n| struck(60, f64::from(n) / 22_050.0) as f32).collect()).len() <= 1);
}

#[test]
fn what_cannot_be_heard_is_refused_with_a_reason() {
    let rate = poly(&mut Samples::new(vec![0.0; 10], 44_100), &PolyOptions::default());
    assert!(matches!(rate, Err(TranscribeError::SampleRate { expected_hz: 22_050, found_hz: 44_100 })));
    for bad in [f32::NAN, f32::INFINITY] {
        let mut samples = vec![0.0; 60_000];
        samples[50_000] = bad;
        let refused = poly(&mut Samples::new(samples.clone(), 22_050), &PolyOptions::default());
        assert!(matches!(refused, Err(TranscribeError::NotANumber { frame: 50_000 })), "{refused:?}");
        let refused = mono(&mut Samples::new(samples, 16_000), &MonoOptions::default());
        assert!(matches!(refused, Err(TranscribeError::NotANumber { frame: 50_000 })), "{refused:?}");
    }
    let with = |change: fn(&mut PolyOptions)| {
        let mut options = PolyOptions::default();
        change(&mut options);
        poly(&mut Samples::new(vec![], 22_050), &options)
    };
    for refused in [
        with(|options| options.onset_threshold = 0.0),
        with(|options| options.frame_threshold = 1.5),
        with(|options| options.onset_threshold = f64::NAN),
        with(|options| options.min_note_ms = -1.0),
        with(|options| options.max_hz = Some(0.0)),
        with(|options| (options.min_hz, options.max_hz) = (Some(1000.0), Some(500.0))),
        mono(
            &mut Samples::new(vec![], 16_000),
            &MonoOptions { min_hz: Some(5000.0), ..MonoOptions::default() },
        ),
    ] {
        assert!(matches!(refused, Err(TranscribeError::Option(_))), "{refused:?}");
    }
}

/// Fails after some sound.
struct Broken(usize);

impl MonoSource for Broken {
    fn sample_rate_hz(&self) -> u32 {
        22_050
    }

    fn read(&mut self, into: &mut [f32]) -> Result<usize, SourceError> {
        self.0 = self.0.checked_sub(1).ok_or_else(|| SourceError("the disk is gone".into()))?;
        into.fill(0.1);
        Ok(into.len())
    }

    fn frames(&self) -> Option<u64> {
        None
    }
}

#[test]
fn a_source_that_breaks_off_is_an_error_not_half_a_transcription() {
    let broken = poly(&mut Broken(3), &PolyOptions::default());
    assert!(
        matches!(&broken, Err(TranscribeError::Source(error)) if error.to_string() == "the disk is gone")
    );
}

#[test]
fn a_job_that_is_cancelled_ends_at_the_next_window() {
    let model = model(ModelName::BasicPitch);
    let cancel = Cancel::default();
    let mut windows = 0;
    let mut sound = Samples::new(vec![0.1; 2_000_000], 22_050);
    let ended = in_job(&cancel, |job| {
        polyphonic(&model, &mut sound, &PolyOptions::default(), &job, &mut |_| {
            windows += 1;
            if windows == 2 {
                cancel.cancel();
            }
        })
    });
    assert!(matches!(ended, Ok(Err(TranscribeError::Job(JobError::Cancelled)))), "{ended:?}");
    assert_eq!(windows, 2);
}

#[test]
fn without_room_nothing_is_begun() {
    let budgets = Budgets::new(Limits::default().with(Some(Domain::Working), 8 * MIB));
    let need = Need { domain: Domain::Working, bytes: WORKING_BYTES, name: "transcribing".into() };
    let refused = JobContext::run(&budgets, need, &Cancel::default(), |_| panic!("it was begun"));
    assert!(matches!(refused, Err(JobError::OverBudget(_))));
}

/// Sound that is made as it is read: some notes, then a long silence, again and again.
struct Sparse {
    at: u64,
    frames: u64,
    /// Seconds from some notes to the next.
    every: u64,
    rate_hz: u32,
}

impl Sparse {
    fn hours(hours: u64, every: u64, rate_hz: u32) -> Self {
        Sparse { at: 0, frames: hours * 3600 * u64::from(rate_hz), every, rate_hz }
    }
}

impl MonoSource for Sparse {
    fn sample_rate_hz(&self) -> u32 {
        self.rate_hz
    }

    fn read(&mut self, into: &mut [f32]) -> Result<usize, SourceError> {
        let rate = u64::from(self.rate_hz);
        let count = into.len().min((self.frames - self.at) as usize);
        let mut filled = 0;
        while filled < count {
            let within = self.at % (self.every * rate);
            let (note, age) = (within / rate, (within % rate) as f64 / rate as f64);
            // Silence comes in one go: it is most of it.
            let part = if note < 3 { 1 } else { (self.every * rate - within) as usize };
            let samples = &mut into[filled..count.min(filled + part)];
            samples.fill(if note < 3 { struck(60 + note as u8, age) as f32 } else { 0.0 });
            filled += samples.len();
            self.at += samples.len() as u64;
        }
        Ok(count)
    }

    fn frames(&self) -> Option<u64> {
        Some(self.frames)
    }
}

/// Memory is counted for all threads together: one test after the other.
static MEASURING: Mutex<()> = Mutex::new(());

/// What a job had in use at most, and what it found.
fn peak_of(work: impl FnOnce(&JobContext) -> Transcription) -> (u64, Transcription) {
    let _alone = MEASURING.lock().unwrap_or_else(PoisonError::into_inner);
    in_job(&Cancel::default(), |job| {
        let before = kmidi_memory::tally(Domain::Working).live_bytes();
        let scope = Scope::start();
        let heard = work(&job);
        (scope.finish().of(Domain::Working).peak_bytes.saturating_sub(before), heard)
    })
    .unwrap()
}

fn starts_at(note: &HeardNote, seconds: u64) -> bool {
    (note.start_seconds - seconds as f64).abs() < 0.05
}

#[test]
fn three_hours_take_no_more_memory_than_they_may_and_lose_nothing() {
    let model = model(ModelName::BasicPitch);
    let mut source = Sparse::hours(3, 600, 22_050);
    let options = PolyOptions::default();
    let (peak, heard) = peak_of(|job| polyphonic(&model, &mut source, &options, job, &mut |_| {}).unwrap());
    println!("three hours: {peak} bytes at most, {} notes, {} cuts", heard.notes.len(), heard.cuts);
    assert!(peak > 4 << 20, "{peak} bytes: nothing was measured");
    assert!(peak <= WORKING_BYTES, "{peak} bytes");
    assert_eq!(heard.seconds, 10_800.0);
    for cluster in 0..18 {
        for note in 0..3 {
            let there =
                heard.notes.iter().any(|it| it.key == 60 + note as u8 && starts_at(it, cluster * 600 + note));
            assert!(there, "note {note} at {} s", cluster * 600);
        }
    }
    assert!(heard.cuts > 50);
}

/// Beyond the model: two seconds of sound, and a stretch without a pause as frames. `WORKING_BYTES` is for all instruments.
const VOICE_BYTES: u64 = 1 << 20;

#[test]
fn three_hours_of_one_voice_take_no_more_memory_than_they_may_and_lose_nothing() {
    let model = model(ModelName::SwiftF0);
    let mut source = Sparse::hours(3, 600, 16_000);
    let options = MonoOptions::default();
    let (mut told, mut last) = (0, 0);
    let mut progress = |progress: kmidi_ml::Progress| {
        assert!(progress.frames >= last && progress.of == Some(10_800 * 16_000));
        (told, last) = (told + 1, progress.frames);
    };
    let (peak, heard) = peak_of(|job| monophonic(&model, &mut source, &options, job, &mut progress).unwrap());
    println!("three hours of one voice: {peak} bytes at most, {} notes", heard.notes.len());
    assert!(peak > 128_000, "{peak} bytes: nothing was measured");
    assert!(peak <= VOICE_BYTES, "{peak} bytes");
    assert_eq!((heard.seconds, last), (10_800.0, 10_800 * 16_000));
    assert!(told > 5_000, "told {told} times");
    for cluster in 0..18 {
        for note in 0..3 {
            let there =
                heard.notes.iter().any(|it| it.key == 60 + note as u8 && starts_at(it, cluster * 600 + note));
            assert!(there, "note {note} at {} s", cluster * 600);
        }
    }
}

#[test]
fn a_minute_takes_no_more_memory_than_it_may() {
    let model = model(ModelName::BasicPitch);
    let mut source = scale(&[60; 60], 1.0, 22_050);
    let options = PolyOptions { frame_threshold: 0.01, bends: true, ..PolyOptions::default() };
    let (peak, heard) = peak_of(|job| polyphonic(&model, &mut source, &options, job, &mut |_| {}).unwrap());
    println!("a minute: {peak} bytes at most, {} notes", heard.notes.len());
    assert!(peak <= WORKING_BYTES, "{peak} bytes");
}

/// A voice that slides into each note and has vibrato.
fn sung(keys: &[u8], seconds: f64, depth: f64) -> Samples {
    let rate = 16_000.0;
    let each = (seconds * rate) as usize;
    let mut phase = 0.0;
    let mut samples = Vec::new();
    for key in keys {
        for n in 0..each {
            let age = n as f64 / rate;
            let bend = depth * (TAU * 5.5 * age).sin() * (age / 0.2).min(1.0);
            phase += hz(*key) * (bend / 12.0).exp2() / rate;
            let loud = (age / 0.02).min(1.0) * ((seconds - age) / 0.05).min(1.0);
            let sample = (1..=5).map(|n| (TAU * f64::from(n) * phase).sin() / f64::from(n)).sum::<f64>();
            samples.push((0.2 * loud * sample) as f32);
        }
    }
    Samples::new(samples, 16_000)
}

#[test]
fn a_voice_with_vibrato_is_heard_note_by_note() {
    let options = MonoOptions { bends: true, ..MonoOptions::default() };
    let heard = mono(&mut sung(&SCALE, 0.6, 0.5), &options).unwrap();
    assert_eq!(keys(&heard), SCALE);
    for (n, note) in heard.notes.iter().enumerate() {
        assert!((note.start_seconds - n as f64 * 0.6).abs() < 0.06, "{note:?}");
        let widest = note.bends.iter().map(|bend| bend.unsigned_abs()).max().unwrap();
        assert!((1000..4096).contains(&widest), "half a semitone is 2048: {widest}");
    }
    let plain = mono(&mut sung(&SCALE, 0.6, 0.5), &MonoOptions::default()).unwrap();
    assert!(plain.notes.iter().all(|note| note.bends.is_empty()));
}

#[test]
fn a_voice_is_heard_as_well_across_the_runs_of_the_model() {
    // Notes of 1.7 s: some begin at the seams of runs of two seconds.
    let keys_sung: Vec<u8> = (0..20).map(|n| 50 + n % 12).collect();
    let heard = mono(&mut sung(&keys_sung, 1.7, 0.2), &MonoOptions::default()).unwrap();
    assert_eq!(keys(&heard), keys_sung);
}

#[test]
fn a_voice_of_silence_noise_or_nothing_has_no_notes() {
    for samples in [vec![], vec![0.0; 1], vec![0.0; 1600], vec![0.0; 100_000], vec![1e-4; 100_000]] {
        let heard = mono(&mut Samples::new(samples, 16_000), &MonoOptions::default()).unwrap();
        assert!(heard.notes.is_empty(), "{heard:?}");
    }
    let mut state = 1u32;
    let noise = (0..160_000).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    });
    let heard = mono(&mut Samples::new(noise.collect(), 16_000), &MonoOptions::default()).unwrap();
    assert!(heard.notes.len() <= 2, "ten seconds of noise: {heard:?}");
    let short: Vec<f32> = (0..1600).map(|n| struck(60, f64::from(n) / 16_000.0) as f32).collect();
    assert!(mono(&mut Samples::new(short, 16_000), &MonoOptions::default()).unwrap().notes.len() <= 1);
}
