//! Why no notes were heard in a recording, in words.

use kmidi_session::Heard;

use super::transcribe::Ear;

/// What is quieter is no sound to a model.
const QUIET_PEAK: f32 = 1e-3;
/// What is shorter holds no note.
const SHORT_SECONDS: f64 = 0.2;

/// Why there are no notes in a recording that a model has heard.
pub fn why(heard: &Heard, seconds: f64, ear: Ear) -> String {
    if heard.frames == 0 {
        return "there is no sound in it: it is cut off, or empty".to_owned();
    }
    if heard.peak == 0.0 && heard.not_numbers + heard.too_loud > 0 {
        return "there is nothing in it beside samples that are damaged".to_owned();
    }
    if heard.peak == 0.0 {
        return "it is silent".to_owned();
    }
    if heard.peak < QUIET_PEAK {
        return format!("it is next to silent, its peak at {:.0} dBFS", 20.0 * heard.peak.log10());
    }
    if seconds < SHORT_SECONDS {
        let shorter = if ear == Ear::Piano { "" } else { "; --min-note-ms takes shorter ones" };
        return format!("it lasts {seconds:.2} s, and a note lasts longer{shorter}");
    }
    match ear {
        Ear::SwiftF0 => "it holds no single voice; without --mono, chords are heard",
        Ear::BasicPitch => "nothing in it has a pitch that lasts; lower thresholds hear more",
        Ear::Piano => "nothing in it sounds like a piano; without --model piano, all instruments are heard",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_told_of_what_it_is_of() {
        let whole = Heard {
            sample_rate_hz: 16_000,
            channels: 1,
            frames: 16_000,
            loss: Default::default(),
            not_numbers: 0,
            too_loud: 0,
            cancelled_frames: 0,
            peak: 0.5,
        };
        let reasons = [
            (why(&Heard { frames: 0, peak: 0.0, ..whole }, 0.0, Ear::BasicPitch), "empty"),
            (why(&Heard { not_numbers: 16_000, peak: 0.0, ..whole }, 1.0, Ear::BasicPitch), "damaged"),
            (why(&Heard { peak: 0.0, ..whole }, 1.0, Ear::BasicPitch), "it is silent"),
            (why(&Heard { peak: 5e-4, ..whole }, 1.0, Ear::BasicPitch), "next to silent"),
            (why(&whole, 0.1, Ear::BasicPitch), "0.10 s, and a note lasts longer; --min-note-ms"),
            (why(&whole, 0.1, Ear::Piano), "0.10 s"),
            (why(&whole, 1.0, Ear::SwiftF0), "without --mono"),
            (why(&whole, 1.0, Ear::BasicPitch), "lower thresholds"),
            (why(&whole, 1.0, Ear::Piano), "without --model piano"),
        ];
        for (reason, words) in &reasons {
            assert!(reason.contains(words), "{reason}");
            // The flags of another model are of no use.
            let is_of_piano = words.contains("piano") || reason == &reasons[5].0;
            assert!(!is_of_piano || !(reason.contains("threshold") || reason.contains("--min")), "{reason}");
        }
        assert!(!reasons[2].0.contains("damaged"));
    }
}
