//! Whether a recording is good enough to judge what is said in it, and why not.

use std::fmt;

use serde::Serialize;

use super::voice::WINDOW_SAMPLES;
use crate::FULL_SCALE;

/// What a recording has to reach. `Default` is what works with the model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Shorter recordings are no word.
    pub min_seconds: f64,
    /// Speech over noise, at least.
    pub min_snr_db: f64,
    /// Level of the whole, at least.
    pub min_rms_dbfs: f64,
    /// Share of samples at full scale, at most.
    pub max_clipped_share: f64,
    /// Share of windows in which next to nothing is to be heard, at most.
    pub max_silence_share: f64,
    /// Share of speech in the rest, at least.
    pub min_speech_share: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            min_seconds: 0.3,
            min_snr_db: 5.0,
            min_rms_dbfs: -60.0,
            max_clipped_share: 0.1,
            max_silence_share: 0.85,
            min_speech_share: 0.3,
        }
    }
}

/// Why a recording is not analysed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Fault {
    /// Too short to be a word.
    TooShort {
        /// How long it is.
        seconds: f64,
        /// How long it has to be.
        least: f64,
    },
    /// Nothing but zeros.
    NoSound,
    /// Too quiet.
    TooQuiet {
        /// Its level.
        rms_dbfs: f64,
        /// What it has to be.
        least: f64,
    },
    /// Recorded too loud.
    Clipped {
        /// Share of samples at full scale.
        share: f64,
        /// The most there may be.
        most: f64,
    },
    /// Mostly pauses.
    MostlySilent {
        /// Share of silence.
        share: f64,
        /// The most there may be.
        most: f64,
    },
    /// Nobody speaks in it, or only now and then.
    LittleSpeech {
        /// Share of speech in what is not silent.
        share: f64,
        /// The least there has to be.
        least: f64,
    },
    /// The noise is nearly as loud as the speech.
    Noisy {
        /// Speech over noise.
        snr_db: f64,
        /// What it has to be.
        least: f64,
    },
    /// There is speech in it, of which the model hears no phone.
    NothingHeard,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |share: f64| share * 100.0;
        match self {
            Fault::TooShort { seconds, least } => {
                write!(f, "it is too short: {seconds:.2} s, and a word takes at least {least} s")
            }
            Fault::NoSound => write!(f, "there is no sound in it: is the microphone on?"),
            Fault::TooQuiet { rms_dbfs, least } => {
                write!(
                    f,
                    "it is too quiet: {rms_dbfs:.0} dBFS, at least {least:.0} are needed; go nearer to the microphone"
                )
            }
            Fault::Clipped { share, most } => write!(
                f,
                "it was recorded too loud: {:.0} % of it is at full scale, {:.0} % may be; turn the input down",
                percent(*share),
                percent(*most)
            ),
            Fault::MostlySilent { share, most } => write!(
                f,
                "it is mostly silence: {:.0} %, {:.0} % may be; cut the pauses away",
                percent(*share),
                percent(*most)
            ),
            Fault::LittleSpeech { share, least } => write!(
                f,
                "there is hardly any speech in it: {:.0} % of what is to be heard, at least {:.0} % are needed",
                percent(*share),
                percent(*least)
            ),
            Fault::Noisy { snr_db, least } => write!(
                f,
                "it is too noisy: speech is {snr_db:.0} dB over the noise, at least {least:.0} dB are needed"
            ),
            Fault::NothingHeard => write!(
                f,
                "nothing was heard in it that is a phone, which says nothing of who spoke: it may be too short, or cut too close"
            ),
        }
    }
}

/// How good a recording is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Quality {
    /// Whether it is good enough.
    pub accepted: bool,
    /// Why not.
    pub faults: Vec<Fault>,
    /// Speech over noise, 100 at most; none without speech.
    pub snr_db: Option<f64>,
    /// Level of the whole; none for zeros.
    pub rms_dbfs: Option<f64>,
    /// The highest sample; none for zeros.
    pub peak_dbfs: Option<f64>,
    /// Share of samples at full scale, in the worst channel.
    pub clipped_share: f64,
    /// Share of windows in which next to nothing is to be heard.
    pub silence_share: f64,
    /// Share of speech in the rest.
    pub speech_share: f64,
    /// Samples that were no numbers, and are taken for zeros.
    pub damaged_samples: u64,
}

impl Quality {
    /// Says that it is not good enough after all.
    pub(super) fn refuse(&mut self, fault: Fault) {
        self.accepted = false;
        self.faults.push(fault);
    }
}

/// Windows so far below the loudest one are silent.
const SILENT_BELOW_LOUDEST_DB: f64 = 40.0;

/// And all below this.
const SILENT_DBFS: f64 = -70.0;

const MAX_SNR_DB: f64 = 100.0;

/// Levels of windows, counted in bins of 1 dB from -120 dBFS up.
#[derive(Clone, Debug)]
struct Levels([u64; 141]);

impl Levels {
    fn bin(dbfs: f64) -> usize {
        (dbfs + 120.0).clamp(0.0, 140.0) as usize
    }

    fn count(&self) -> u64 {
        self.0.iter().sum()
    }

    fn below(&self, dbfs: f64) -> u64 {
        self.0[..Levels::bin(dbfs)].iter().sum()
    }

    /// The level that this share of the windows does not reach.
    fn quantile(&self, share: f64) -> Option<f64> {
        let wanted = self.count() as f64 * share;
        let mut seen = 0;
        let bin = self.0.iter().position(|count| {
            seen += count;
            seen > 0 && seen as f64 >= wanted
        });
        bin.map(|it| it as f64 - 119.5)
    }

    fn loudest(&self) -> Option<f64> {
        self.0.iter().rposition(|count| *count > 0).map(|it| it as f64 - 119.5)
    }
}

/// Measures a recording window by window, in a fixed amount of memory.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    speech: Levels,
    others: Levels,
    speech_power: f64,
    power: f64,
    samples: u64,
    clipped: u64,
    clipped_in_a_channel: f64,
    damaged: u64,
    peak: f32,
}

impl Meter {
    pub fn new() -> Self {
        let levels = Levels([0; 141]);
        Meter {
            speech: levels.clone(),
            others: levels,
            speech_power: 0.0,
            power: 0.0,
            samples: 0,
            clipped: 0,
            clipped_in_a_channel: 0.0,
            damaged: 0,
            peak: 0.0,
        }
    }

    /// Takes out what is no number; before a window is used.
    pub fn mend(&mut self, samples: &mut [f32]) {
        for sample in samples.iter_mut().filter(|it| !it.is_finite()) {
            *sample = 0.0;
            self.damaged += 1;
        }
    }

    /// What share of a channel was at full scale before it was mixed with others.
    pub fn before_the_mix(&mut self, clipped_share: f64) {
        self.clipped_in_a_channel = clipped_share;
    }

    /// The next window, of which so many samples are of the recording.
    pub fn push(&mut self, window: &[f32; WINDOW_SAMPLES], count: usize, is_speech: bool) -> f64 {
        let window = &window[..count];
        let power: f64 = window.iter().map(|it| f64::from(*it) * f64::from(*it)).sum();
        self.samples += count as u64;
        self.power += power;
        self.clipped += window.iter().filter(|it| it.abs() >= FULL_SCALE).count() as u64;
        self.peak = window.iter().fold(self.peak, |peak, it| peak.max(it.abs()));
        let level = dbfs(power / count.max(1) as f64);
        let levels = if is_speech { &mut self.speech } else { &mut self.others };
        levels.0[Levels::bin(level)] += 1;
        if is_speech {
            self.speech_power += power / count.max(1) as f64;
        }
        level
    }

    /// Samples so far.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// What it all comes to.
    pub fn quality(&self, limits: &Limits) -> Quality {
        let share = |part: u64, of: u64| if of == 0 { 0.0 } else { part as f64 / of as f64 };
        let windows = self.speech.count() + self.others.count();
        let loudest = self.speech.loudest().unwrap_or(-120.0).max(self.others.loudest().unwrap_or(-120.0));
        let silent_below = (loudest - SILENT_BELOW_LOUDEST_DB).max(SILENT_DBFS);
        let silent = self.speech.below(silent_below) + self.others.below(silent_below);
        let audible_speech = self.speech.count() - self.speech.below(silent_below);
        let is_zero = self.peak == 0.0;
        let mut quality = Quality {
            accepted: true,
            faults: vec![],
            snr_db: self.snr_db().map(rounded),
            rms_dbfs: (!is_zero).then(|| rounded(dbfs(self.power / self.samples.max(1) as f64))),
            peak_dbfs: (!is_zero).then(|| rounded(dbfs(f64::from(self.peak).powi(2)))),
            clipped_share: rounded(share(self.clipped, self.samples).max(self.clipped_in_a_channel)),
            silence_share: rounded(share(silent, windows)),
            speech_share: rounded(share(audible_speech, windows - silent)),
            damaged_samples: self.damaged,
        };
        quality.faults = self.faults(&quality, limits);
        quality.accepted = quality.faults.is_empty();
        quality
    }

    /// Of the faults that say the same in other words, only the first is told.
    fn faults(&self, quality: &Quality, limits: &Limits) -> Vec<Fault> {
        let seconds = self.samples as f64 / f64::from(super::SAMPLE_RATE_HZ);
        let mut faults = vec![];
        if seconds < limits.min_seconds {
            faults.push(Fault::TooShort { seconds: rounded(seconds), least: limits.min_seconds });
        }
        let Some(rms_dbfs) = quality.rms_dbfs else {
            faults.push(Fault::NoSound);
            return faults;
        };
        if rms_dbfs < limits.min_rms_dbfs {
            faults.push(Fault::TooQuiet { rms_dbfs, least: limits.min_rms_dbfs });
        }
        let (share, most) = (quality.clipped_share, limits.max_clipped_share);
        if share > most {
            faults.push(Fault::Clipped { share, most });
        }
        let (share, most) = (quality.silence_share, limits.max_silence_share);
        if share > most {
            faults.push(Fault::MostlySilent { share, most });
        }
        let (share, least) = (quality.speech_share, limits.min_speech_share);
        if share < least {
            faults.push(Fault::LittleSpeech { share, least });
        } else if let Some(snr_db) = quality.snr_db.filter(|it| *it < limits.min_snr_db) {
            faults.push(Fault::Noisy { snr_db, least: limits.min_snr_db });
        }
        faults
    }

    /// Speech beside the median of what is none, which what the detector takes for none at the ends of words does
    /// not move; beside the quietest windows where nothing but speech is there, and not at all in a short word.
    fn snr_db(&self) -> Option<f64> {
        const ENOUGH_WINDOWS: u64 = 5;
        const WINDOWS_OF_A_SECOND: u64 = 31;
        let speech = self.speech_power / self.speech.count().max(1) as f64;
        if speech <= 0.0 {
            return None;
        }
        let noise_dbfs = if self.others.count() >= ENOUGH_WINDOWS {
            self.others.quantile(0.5)
        } else if self.speech.count() >= WINDOWS_OF_A_SECOND {
            self.speech.quantile(0.05)
        } else {
            None
        };
        let noise = 10_f64.powf(noise_dbfs? / 10.0);
        let ratio = ((speech - noise) / noise).max(1e-3);
        Some((10.0 * ratio.log10()).min(MAX_SNR_DB))
    }
}

fn dbfs(power: f64) -> f64 {
    10.0 * power.max(1e-12).log10()
}

/// To a thousandth: more is no knowledge.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Windows of a tone or of noise at these levels, speech or not.
    fn measured(windows: &[(f32, bool)]) -> Quality {
        let mut meter = Meter::new();
        for (amplitude, is_speech) in windows {
            let mut window = [0.0; WINDOW_SAMPLES];
            for (index, sample) in window.iter_mut().enumerate() {
                *sample = amplitude * (index as f32 * 0.3).sin();
            }
            meter.push(&window, WINDOW_SAMPLES, *is_speech);
        }
        meter.quality(&Limits::default())
    }

    /// Speech and a quiet room.
    fn spoken(amplitude: f32) -> Vec<(f32, bool)> {
        [many(40, (amplitude, true)), many(10, (amplitude / 100.0, false))].concat()
    }

    fn many(count: usize, window: (f32, bool)) -> Vec<(f32, bool)> {
        vec![window; count]
    }

    #[test]
    fn speech_well_over_noise_is_accepted() {
        let quality = measured(&[many(30, (0.3, true)), many(20, (0.001, false))].concat());
        assert!(quality.accepted, "{quality:?}");
        assert!((quality.snr_db.unwrap() - 49.5).abs() < 1.0, "{quality:?}");
        assert_eq!(quality.speech_share, 1.0);
    }

    #[test]
    fn each_fault_is_found_and_is_alone() {
        let only = |windows: Vec<(f32, bool)>| {
            let quality = measured(&windows);
            assert_eq!(quality.faults.len(), 1, "{quality:?}");
            assert!(!quality.accepted);
            quality.faults[0]
        };
        assert!(matches!(only(many(5, (0.3, true))), Fault::TooShort { .. }));
        assert!(matches!(only(many(50, (0.0, false))), Fault::NoSound));
        assert!(matches!(only(spoken(0.0008)), Fault::TooQuiet { .. }));
        assert!(matches!(only(spoken(8.0)), Fault::Clipped { .. }));
        assert!(matches!(only(many(50, (0.3, false))), Fault::LittleSpeech { .. }));
        let noisy = [many(30, (0.3, true)), many(20, (0.25, false))].concat();
        assert!(matches!(only(noisy), Fault::Noisy { .. }));
        let pauses = [many(10, (0.3, true)), many(90, (0.0001, false))].concat();
        assert!(matches!(only(pauses), Fault::MostlySilent { .. }));
    }

    #[test]
    fn clipping_is_absolute() {
        // A wave that is flat at its own peak, at a tenth of full scale: not clipped here.
        let mut meter = Meter::new();
        let square = |amplitude: f32| {
            let mut window = [amplitude; WINDOW_SAMPLES];
            window.iter_mut().step_by(2).for_each(|it| *it = -amplitude);
            window
        };
        for _ in 0..50 {
            meter.push(&square(0.1), WINDOW_SAMPLES, true);
        }
        assert_eq!(meter.quality(&Limits::default()).clipped_share, 0.0);
        for _ in 0..50 {
            meter.push(&square(1.0), WINDOW_SAMPLES, true);
        }
        assert_eq!(meter.quality(&Limits::default()).clipped_share, 0.5);
        // Worse in one of the channels that were mixed.
        meter.before_the_mix(0.7);
        assert_eq!(meter.quality(&Limits::default()).clipped_share, 0.7);
    }

    #[test]
    fn what_is_no_number_is_counted_and_taken_for_nothing() {
        let mut meter = Meter::new();
        let mut window = [0.1; WINDOW_SAMPLES];
        (window[3], window[9], window[10]) = (f32::NAN, f32::INFINITY, f32::NEG_INFINITY);
        meter.mend(&mut window);
        meter.push(&window, WINDOW_SAMPLES, true);
        let quality = meter.quality(&Limits::default());
        assert_eq!(quality.damaged_samples, 3);
        assert!(quality.rms_dbfs.unwrap().is_finite());
        assert_eq!(quality.clipped_share, 0.0);
    }

    #[test]
    fn every_fault_is_said_in_words() {
        let quality = measured(&many(3, (0.0, false)));
        for fault in &quality.faults {
            assert!(fault.to_string().len() > 20);
        }
        assert_eq!(quality.faults.len(), 2, "too short, and nothing in it");
    }
}
