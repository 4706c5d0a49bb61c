//! From where symbols are heard to when phones begin and end.

use serde::Serialize;

use super::SAMPLE_RATE_HZ;
use super::ipa::Phone;
use super::quality::rounded;
use super::recognise::Sound;
use super::vocabulary::{Symbol, Vocabulary};

/// A phone and when it is said.
///
/// The model says a phone somewhere within it. Between two phones that follow each other the border is half-way; at
/// a pause a phone ends a twentieth of a second behind the last frame that says it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimedPhone {
    /// The phone.
    pub ipa: Phone,
    /// When it begins.
    pub start_seconds: f64,
    /// When it ends.
    pub end_seconds: f64,
    /// The highest probability that a frame gives it, 0 to 1.
    pub confidence: f64,
}

/// So far beyond its frames a phone may reach, in samples.
const REACH_SAMPLES: u64 = SAMPLE_RATE_HZ as u64 / 20;

/// Frames of something that follows other such things.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub first: u64,
    pub last: u64,
}

/// Begin and end of each in seconds, none before 0 and none behind the end.
pub(super) fn borders(places: &[Place], end_samples: u64) -> Vec<(f64, f64)> {
    let seconds = |samples: u64| rounded(samples.min(end_samples) as f64 / f64::from(SAMPLE_RATE_HZ));
    let between = |a: Place, b: Place| (b.first.saturating_sub(a.last) / 2).min(REACH_SAMPLES);
    (0..places.len())
        .map(|at| {
            let place = places[at];
            let before = at.checked_sub(1).map_or(REACH_SAMPLES, |it| between(places[it], place));
            let behind = places.get(at + 1).map_or(REACH_SAMPLES, |next| between(place, *next));
            (seconds(place.first.saturating_sub(before)), seconds(place.last + behind))
        })
        .collect()
}

/// The phones of what was heard, and in front of which of them a word's border was heard.
pub(super) fn phones(
    sounds: &[Sound],
    vocabulary: &Vocabulary,
    end_samples: u64,
) -> (Vec<TimedPhone>, Vec<usize>) {
    let (mut phones, mut places, mut word_starts): (Vec<TimedPhone>, Vec<Place>, Vec<usize>) =
        (vec![], vec![], vec![0]);
    for sound in sounds {
        match vocabulary.symbol(sound.symbol) {
            Symbol::Phone(ipa) => {
                places.push(Place { first: sound.first, last: sound.last });
                let confidence = rounded(sound.probability.into());
                phones.push(TimedPhone {
                    ipa: ipa.clone(),
                    start_seconds: 0.0,
                    end_seconds: 0.0,
                    confidence,
                });
            }
            Symbol::Mark(mark) => {
                if let (Some(phone), Some(place)) = (phones.last_mut(), places.last_mut()) {
                    phone.ipa = phone.ipa.marked(mark);
                    place.last = place.last.max(sound.last);
                }
            }
            Symbol::Border => word_starts.push(phones.len()),
            Symbol::Nothing => {}
        }
    }
    for (phone, (start, end)) in phones.iter_mut().zip(borders(&places, end_samples)) {
        (phone.start_seconds, phone.end_seconds) = (start, end);
    }
    // Where a pause is longer than the reach of its phones, words end too.
    let paused = |at: &usize| phones[*at].start_seconds - phones[at - 1].end_seconds > WORD_PAUSE_SECONDS;
    word_starts.extend((1..phones.len()).filter(paused));
    word_starts.sort_unstable();
    word_starts.dedup();
    word_starts.retain(|at| *at < phones.len());
    (phones, word_starts)
}

/// More than the mouth is closed before a plosive.
const WORD_PAUSE_SECONDS: f64 = 0.3;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn neighbours_share_a_border_and_a_pause_is_left_free() {
        let place = |first, last| Place { first, last };
        let times = borders(&[place(320, 640), place(960, 960), place(16_000, 16_000)], 16_320);
        assert_eq!(times, [(0.0, 0.05), (0.05, 0.11), (0.95, 1.02)]);
    }

    proptest! {
        /// In order, none over another, none longer than the sound.
        #[test]
        fn phones_are_in_order_and_do_not_overlap(steps in prop::collection::vec((1_u64..40, 0_u64..4), 0..40)) {
            let mut at = 0;
            let mut places = vec![];
            for (gap, length) in steps {
                places.push(Place { first: (at + gap) * 320, last: (at + gap + length) * 320 });
                at += gap + length;
            }
            let end = at * 320 + 100;
            let times = borders(&places, end);
            prop_assert!(times.iter().all(|it| 0.0 <= it.0 && it.0 < it.1));
            prop_assert!(times.iter().all(|it| it.1 <= rounded(end as f64 / 16_000.0)));
            prop_assert!(times.windows(2).all(|it| it[0].1 <= it[1].0 + 1e-9));
        }
    }
}
