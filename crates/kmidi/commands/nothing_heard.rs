//! Why no notes were heard in a recording, in words.

use kmidi_session::Heard;

/// What is quieter is no sound to a model.
const QUIET_PEAK: f32 = 1e-3;
/// What is shorter holds no note.
const SHORT_SECONDS: f64 = 0.2;

/// Why there are no notes in a recording that was heard as a single voice or not.
pub fn why(heard: &Heard, seconds: f64, is_mono: bool) -> String {
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
        return format!("it lasts {seconds:.2} s, and a note lasts longer; --min-note-ms takes shorter ones");
    }
    match is_mono {
        true => "it holds no single voice; without --mono, chords are heard".to_owned(),
        false => "nothing in it has a pitch that lasts; lower thresholds hear more".to_owned(),
    }
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
            why(&Heard { frames: 0, peak: 0.0, ..whole }, 0.0, false),
            why(&Heard { not_numbers: 16_000, peak: 0.0, ..whole }, 1.0, false),
            why(&Heard { peak: 0.0, ..whole }, 1.0, false),
            why(&Heard { peak: 5e-4, ..whole }, 1.0, false),
            why(&whole, 0.1, false),
            why(&whole, 1.0, true),
            why(&whole, 1.0, false),
        ];
        let words = ["empty", "damaged", "it is silent", "next to silent", "0.10 s", "without --mono"];
        for (at, reason) in reasons.iter().take(6).enumerate() {
            assert!(reason.contains(words[at]), "{reason}");
        }
        assert!(reasons[6].contains("nothing in it has a pitch"));
        assert!(!reasons[2].contains("damaged") && !reasons[6].contains("--mono"));
    }
}
