//! Phones from real speech by the real models; and what is no speech.

use std::path::Path;

use kmidi_memory::{Budgets, Cancel, Domain, Heap, JobContext, MIB, Need, Scope};
use kmidi_ml::model::{ModelCache, ModelFolders};
use kmidi_ml::phonemes::{
    Analysis, EditKind, Expectation, Fault, Limits, PhonemeError, SAMPLE_RATE_HZ, Settings, analyse,
    text_grid,
};
use kmidi_ml::{MonoSource, Samples, SourceError};

#[global_allocator]
static HEAP: Heap = Heap::new();

const RATE: usize = SAMPLE_RATE_HZ as usize;
const TEXT: &str = "He was not an ill disposed young man.";

/// "He was not an ill disposed young man", three seconds.
fn speech() -> Vec<f32> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/speech/austen-disposed.flac");
    let mut reader = claxon::FlacReader::open(path).expect("the clip is there");
    assert_eq!(reader.streaminfo().sample_rate, SAMPLE_RATE_HZ);
    reader.samples().map(|it| it.expect("it is whole") as f32 / 32_768.0).collect()
}

fn models() -> ModelCache {
    ModelCache::new(Budgets::default(), ModelFolders::default())
}

fn text(text: &str) -> Settings {
    Settings { expectation: Some(Expectation::Text(text.to_owned())), ..Settings::default() }
}

fn phones(phones: &str) -> Settings {
    Settings { expectation: Some(Expectation::Phones(phones.to_owned())), ..Settings::default() }
}

fn run(
    models: &ModelCache,
    source: &mut dyn MonoSource,
    settings: &Settings,
    cancel: &Cancel,
) -> Result<Analysis, PhonemeError> {
    let need = Need::working(64 * MIB, "phonemes");
    let run = |job: JobContext| analyse(models, source, settings, &job, &mut |_| ());
    JobContext::run(&Budgets::default(), need, cancel, run)?
}

fn analysed(samples: Vec<f32>, settings: &Settings) -> Result<Analysis, PhonemeError> {
    run(&models(), &mut Samples::new(samples, SAMPLE_RATE_HZ), settings, &Cancel::default())
}

fn heard(analysis: &Analysis) -> String {
    analysis.phones.iter().map(|it| it.ipa.as_str()).collect::<Vec<_>>().join(" ")
}

fn error_rate(analysis: &Analysis) -> f64 {
    analysis.score.expect("there is a text").phoneme_error_rate
}

/// The same each time, as loud as that.
fn noise(seconds: f64, amplitude: f32) -> Vec<f32> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..(seconds * RATE as f64) as usize).map(|_| next() * amplitude).collect()
}

#[test]
fn real_speech_is_heard_as_the_models_own_package_hears_it() {
    let analysis = analysed(speech(), &Settings::default()).unwrap();
    assert!(analysis.quality.accepted, "{:?}", analysis.quality);
    // What hama 1.3.13 prints for the same samples.
    let package = "h i | w ɑ z | n ɑ t | æ n d | oʊ l d s p oʊ z | j ʌ ŋ | m æ n";
    assert_eq!(heard(&analysis), package.replace("| ", ""));
    let words: Vec<&str> = analysis.words.iter().map(|it| it.text.as_str()).collect();
    assert_eq!(words, package.replace(' ', "").split('|').collect::<Vec<_>>());
    assert!(analysis.score.is_none());
}

#[test]
fn phones_have_times_in_order_within_the_recording() {
    let analysis = analysed(speech(), &text(TEXT)).unwrap();
    let times: Vec<(f64, f64)> =
        analysis.phones.iter().map(|it| (it.start_seconds, it.end_seconds)).collect();
    assert!(times.iter().all(|it| 0.0 <= it.0 && it.0 < it.1 && it.1 <= analysis.duration_seconds));
    assert!(times.windows(2).all(|it| it[0].1 <= it[1].0));
    let words: Vec<(f64, f64)> =
        analysis.words.iter().map(|it| (it.start_seconds.unwrap(), it.end_seconds.unwrap())).collect();
    assert!(words.windows(2).all(|it| it[0].1 <= it[1].0 + 1e-9), "{words:?}");
    assert_eq!(words.len(), 8);
    // The same a second later is a second later.
    let later = analysed([vec![0.0; RATE], speech()].concat(), &text(TEXT)).unwrap();
    for (word, (start, end)) in later.words.iter().zip(words) {
        assert!((word.start_seconds.unwrap() - start - 1.0).abs() < 0.1, "{word:?}");
        assert!((word.end_seconds.unwrap() - end - 1.0).abs() < 0.1, "{word:?}");
    }
}

#[test]
fn the_error_rate_is_low_for_what_was_said_and_high_for_what_was_not() {
    let right = analysed(speech(), &text(TEXT)).unwrap();
    assert!(error_rate(&right) <= 0.2, "{:?}", right.score);
    let wrong = analysed(speech(), &text("Seven green bottles fell off this wall")).unwrap();
    assert!(error_rate(&wrong) >= 0.6, "{:?}", wrong.score);
    assert!(right.score.unwrap().confidence > wrong.score.unwrap().confidence);
    let backwards: Vec<f32> = speech().into_iter().rev().collect();
    let backwards = analysed(backwards, &Settings { force: true, ..text(TEXT) }).unwrap();
    assert!(error_rate(&backwards) >= 0.6, "{:?}", backwards.score);
}

#[test]
fn a_planted_mistake_is_found_in_its_word() {
    // "not" was said; "lot", "nots" and "knob" are expected.
    let mistake = |other: &str, kind: EditKind| {
        let analysis = analysed(speech(), &text(&TEXT.replace("not", other))).unwrap();
        let word = &analysis.words[2];
        assert_eq!(word.text, other);
        assert!(word.edits.iter().any(|it| it.kind == kind), "{other}: {:?}", word.edits);
        assert!(!analysis.problems.is_empty());
    };
    mistake("lot", EditKind::Substituted);
    mistake("nots", EditKind::Missed);
    let right = analysed(speech(), &text(TEXT)).unwrap();
    assert!(right.words[2].edits.is_empty(), "control: {:?}", right.words[2]);
}

#[test]
fn phones_can_be_given_in_both_alphabets() {
    let arpabet = "HH IY | W AA Z | N AA T | AE N | IH L | D IH S P OW Z D | Y AH NG | M AE N";
    let ipa = "hi | wɑːz | nɑt | æn | ɪl | dɪspoʊzd | jʌŋ | mæn";
    let (arpabet, ipa) =
        (analysed(speech(), &phones(arpabet)).unwrap(), analysed(speech(), &phones(ipa)).unwrap());
    assert_eq!(error_rate(&arpabet), error_rate(&ipa));
    assert!(error_rate(&ipa) <= 0.2, "{:?}", ipa.score);
    assert_eq!(ipa.words.len(), 8);
    assert!(matches!(analysed(speech(), &phones("hh 7")), Err(PhonemeError::NoPhone(_))));
    assert!(matches!(analysed(speech(), &phones(" | ")), Err(PhonemeError::NoWords)));
}

#[test]
fn a_beam_hears_no_worse_and_every_phone_has_its_place() {
    let rate = |beam| {
        let analysis = analysed(speech(), &Settings { beam, ..text(TEXT) }).unwrap();
        assert!(analysis.phones.iter().all(|it| it.start_seconds < it.end_seconds));
        error_rate(&analysis)
    };
    let greedy = rate(0);
    assert!(rate(16) <= greedy + 0.05, "{} beside {greedy}", rate(16));
    assert!(rate(1) <= 0.35);
}

#[test]
fn what_is_no_speech_is_refused_with_its_reason() {
    let fault = |samples: Vec<f32>| {
        let analysis = analysed(samples, &text(TEXT)).unwrap();
        assert!(!analysis.quality.accepted && analysis.phones.is_empty() && analysis.score.is_none());
        analysis.quality.faults[0]
    };
    assert!(matches!(fault(vec![]), Fault::TooShort { .. }));
    assert!(matches!(fault(speech()[8_000..9_600].to_vec()), Fault::TooShort { .. }));
    assert!(matches!(fault(vec![0.0; 3 * RATE]), Fault::NoSound));
    assert!(matches!(fault(vec![f32::NAN; 3 * RATE]), Fault::NoSound));
    assert!(matches!(fault(noise(3.0, 0.3)), Fault::LittleSpeech { .. }));
    let loud: Vec<f32> = speech().into_iter().map(|it| (it * 100.0).clamp(-1.0, 1.0)).collect();
    assert!(matches!(fault(loud), Fault::Clipped { .. }));
    let quiet: Vec<f32> = speech().into_iter().map(|it| it * 0.002).collect();
    assert!(matches!(fault(quiet), Fault::TooQuiet { .. }));
    let sparse = [speech(), vec![0.0; 40 * RATE]].concat();
    assert!(matches!(fault(sparse), Fault::MostlySilent { .. }));
    let noisy: Vec<f32> = speech().iter().zip(noise(3.0, 0.12)).map(|(a, b)| a + b).collect();
    let faults = analysed(noisy, &Settings::default()).unwrap().quality.faults;
    assert!(
        faults.iter().any(|it| matches!(it, Fault::Noisy { .. } | Fault::LittleSpeech { .. })),
        "{faults:?}"
    );
}

/// A part of the clip, from and to these seconds.
fn part(from: f64, to: f64) -> Vec<f32> {
    speech()[(from * RATE as f64) as usize..(to * RATE as f64) as usize].to_vec()
}

#[test]
fn words_that_are_cut_close_are_heard_to_their_edges_and_have_the_times_of_the_recording() {
    // "young man", which begins with the first sample, and of which nothing but one vowel was heard without silence around it.
    let analysis = analysed(part(2.08, 2.74), &text("young man")).unwrap();
    assert!(error_rate(&analysis) <= 0.5, "{}: {:?}", heard(&analysis), analysis.score);
    assert!(heard(&analysis).ends_with("m æ n"), "{}", heard(&analysis));
    assert!((analysis.duration_seconds - 0.66).abs() < 0.001);
    let within = |it: &kmidi_ml::phonemes::TimedPhone| 0.0 <= it.start_seconds && it.end_seconds <= 0.66;
    assert!(analysis.phones.iter().all(within), "{:?}", analysis.phones);
    // In the whole clip the last word begins at 2.35 s.
    let man = analysis.words[1].start_seconds.unwrap();
    assert!((man - (2.35 - 2.08)).abs() < 0.06, "{man}");
}

#[test]
fn speech_of_which_no_phone_is_heard_is_told_and_gets_no_score() {
    let limits = Limits { min_seconds: 0.2, ..Limits::default() };
    let short = Settings { limits, ..text("young") };
    let nothing = analysed(part(2.08, 2.34), &short).unwrap();
    assert_eq!(nothing.quality.faults, [Fault::NothingHeard], "{:?}", nothing.quality);
    assert!(!nothing.quality.accepted && nothing.score.is_none() && nothing.words.is_empty());
    assert!(Fault::NothingHeard.to_string().contains("nothing was heard"));
    let forced = analysed(part(2.08, 2.34), &Settings { force: true, ..short }).unwrap();
    assert!(!forced.quality.accepted && error_rate(&forced) == 1.0);
}

#[test]
fn noise_that_is_forced_through_is_no_crash() {
    let forced = Settings { force: true, ..text(TEXT) };
    for samples in [vec![], vec![0.0; RATE], noise(1.0, 0.5), noise(0.05, 0.5), vec![f32::INFINITY; 5_000]] {
        let analysis = analysed(samples, &forced).unwrap();
        assert!(error_rate(&analysis) > 0.5, "{:?}", analysis.score);
    }
}

#[test]
fn a_few_samples_that_are_no_numbers_are_told_and_passed_over() {
    let mut samples = speech();
    (samples[20_000], samples[30_000]) = (f32::NAN, f32::NEG_INFINITY);
    let analysis = analysed(samples, &text(TEXT)).unwrap();
    assert_eq!(analysis.quality.damaged_samples, 2);
    assert!(error_rate(&analysis) <= 0.25);
}

#[test]
fn a_text_that_cannot_be_said_is_an_error_that_says_why() {
    let refused = |it: &str| analysed(speech(), &text(it)).unwrap_err();
    assert!(matches!(refused("... 🎵"), PhonemeError::NoWords));
    assert!(matches!(refused("\u{10330}\u{10331}"), PhonemeError::Unreadable { .. }));
    assert!(matches!(refused(&"word ".repeat(5_000)), PhonemeError::TextChars { .. }));
    assert!(matches!(refused(&"x".repeat(200)), PhonemeError::WordTooLong { .. }));
}

#[test]
fn more_text_than_there_is_room_for_is_compared_and_not_placed() {
    let analysis = analysed(speech(), &text(&"number ".repeat(60))).unwrap();
    assert!(error_rate(&analysis) > 0.5);
    assert_eq!(analysis.score.unwrap().confidence, None);
    assert_eq!(analysis.words.len(), 60);
}

#[test]
fn who_is_not_wanted_any_more_ends_at_once() {
    /// Asks to end after a second.
    struct Cancelling(Samples, Cancel, usize);
    impl MonoSource for Cancelling {
        fn sample_rate_hz(&self) -> u32 {
            self.0.sample_rate_hz()
        }
        fn read(&mut self, into: &mut [f32]) -> Result<usize, SourceError> {
            self.2 += 1;
            if self.2 == 30 {
                self.1.cancel();
            }
            assert!(self.2 <= 31, "it reads on");
            self.0.read(into)
        }
        fn frames(&self) -> Option<u64> {
            self.0.frames()
        }
    }
    let cancel = Cancel::default();
    let mut source = Cancelling(Samples::new(speech(), SAMPLE_RATE_HZ), cancel.clone(), 0);
    let result = run(&models(), &mut source, &Settings::default(), &cancel);
    assert!(matches!(result, Err(PhonemeError::Cancelled)), "{result:?}");
}

#[test]
fn another_rate_and_a_source_that_fails_are_errors() {
    let result = run(&models(), &mut Samples::new(speech(), 8_000), &Settings::default(), &Cancel::default());
    assert!(matches!(result, Err(PhonemeError::Rate { found_hz: 8_000 })));
    struct Failing;
    impl MonoSource for Failing {
        fn sample_rate_hz(&self) -> u32 {
            SAMPLE_RATE_HZ
        }
        fn read(&mut self, _: &mut [f32]) -> Result<usize, SourceError> {
            Err(SourceError("the disk is gone".into()))
        }
        fn frames(&self) -> Option<u64> {
            None
        }
    }
    let result = run(&models(), &mut Failing, &Settings::default(), &Cancel::default());
    assert!(matches!(result, Err(PhonemeError::Source(_))));
}

/// A clip again and again, with a pause between, without holding it all.
struct Again {
    clip: Vec<f32>,
    at: usize,
    left: usize,
}

impl MonoSource for Again {
    fn sample_rate_hz(&self) -> u32 {
        SAMPLE_RATE_HZ
    }
    fn read(&mut self, into: &mut [f32]) -> Result<usize, SourceError> {
        let count = into.len().min(self.left);
        for sample in &mut into[..count] {
            *sample = self.clip[self.at];
            self.at = (self.at + 1) % self.clip.len();
        }
        self.left -= count;
        Ok(count)
    }
    fn frames(&self) -> Option<u64> {
        Some(self.left as u64)
    }
}

#[test]
fn memory_does_not_grow_with_the_recording_and_a_second_call_loads_nothing() {
    let models = models();
    let clip = [speech(), vec![0.0; RATE / 2]].concat();
    let peak = |seconds: usize| {
        let scope = Scope::start();
        let before = kmidi_memory::tally(Domain::Working).live_bytes();
        let mut source = Again { clip: clip.clone(), at: 0, left: seconds * RATE };
        let analysis = run(&models, &mut source, &Settings::default(), &Cancel::default()).unwrap();
        assert_eq!(analysis.duration_seconds, seconds as f64);
        assert!(analysis.chunks >= seconds / 12);
        (scope.finish().of(Domain::Working).peak_bytes.saturating_sub(before), analysis.phones.len())
    };
    peak(5);
    let loads = |models: &ModelCache| models.statistics().iter().map(|it| it.loads).sum::<u64>();
    let loaded = loads(&models);
    let (short, some) = peak(30);
    let (long, many) = peak(120);
    assert!(many > 3 * some);
    let grown = long.saturating_sub(short);
    assert!(short > 500_000 && grown < 400_000, "{short} bytes for half a minute, {long} for two");
    assert_eq!(loads(&models), loaded);
}

/// A clip every ten minutes, and nothing between.
struct Rare {
    clip: Vec<f32>,
    at: usize,
    frames: usize,
}

const EVERY_SECONDS: usize = 600;

impl MonoSource for Rare {
    fn sample_rate_hz(&self) -> u32 {
        SAMPLE_RATE_HZ
    }
    fn read(&mut self, into: &mut [f32]) -> Result<usize, SourceError> {
        let count = into.len().min(self.frames - self.at);
        for sample in &mut into[..count] {
            *sample = self.clip.get(self.at % (EVERY_SECONDS * RATE)).copied().unwrap_or(0.0);
            self.at += 1;
        }
        Ok(count)
    }
    fn frames(&self) -> Option<u64> {
        Some(self.frames as u64)
    }
}

#[test]
fn three_hours_take_no_more_memory_than_they_may_and_lose_nothing() {
    const CLIPS: usize = 18;
    let models = models();
    let settings = Settings { force: true, ..Settings::default() };
    let mut source = Rare { clip: speech(), at: 0, frames: CLIPS * EVERY_SECONDS * RATE };
    let before = kmidi_memory::tally(Domain::Working).live_bytes();
    let scope = Scope::start();
    let mut last = 0;
    let analysis = JobContext::run(&Budgets::default(), settings.need(), &Cancel::default(), |job| {
        analyse(&models, &mut source, &settings, &job, &mut |progress| last = progress.frames)
    });
    let peak = scope.finish().of(Domain::Working).peak_bytes.saturating_sub(before);
    let analysis = analysis.unwrap().unwrap();
    println!("three hours: {peak} bytes at most, {} phones", analysis.phones.len());
    assert!(peak > 500_000, "{peak} bytes: nothing was measured");
    assert!(peak <= settings.need().bytes, "{peak} bytes");
    assert_eq!((analysis.duration_seconds, last), (10_800.0, 10_800 * RATE as u64));
    // Those of a clip, by its number, as they would be if it stood at the start.
    let of_clip = |clip: usize| {
        let start = (clip * EVERY_SECONDS) as f64;
        let within = analysis.phones.iter().filter(|it| (start..start + 4.0).contains(&it.start_seconds));
        within
            .map(|it| (it.ipa.as_str().to_owned(), ((it.start_seconds - start) * 1000.0).round()))
            .collect::<Vec<_>>()
    };
    assert!(of_clip(0).len() > 15);
    for clip in 1..CLIPS {
        assert_eq!(of_clip(clip), of_clip(1), "clip {clip}");
    }
    assert_eq!(of_clip(0).len() + (CLIPS - 1) * of_clip(1).len(), analysis.phones.len(), "nothing was added");
}

#[test]
fn a_text_grid_has_all_its_tiers() {
    let with_text = text_grid(&analysed(speech(), &text(TEXT)).unwrap());
    for part in ["name = \"words\"", "name = \"phones\"", "name = \"heard\"", "text = \"disposed\""] {
        assert!(with_text.contains(part), "{part}");
    }
    let without = text_grid(&analysed(speech(), &Settings::default()).unwrap());
    assert!(without.contains("size = 2") && !without.contains("heard"));
}
