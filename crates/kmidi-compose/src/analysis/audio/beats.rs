//! Where the beats are, once it is known how far apart.

/// How far from where it is expected an onset may be to be that beat, in beats.
const REACH: f64 = 0.13;
/// How much of its distance the beat follows, and how much of it the tempo.
const FOLLOW: f64 = 0.6;
const FOLLOW_TEMPO: f64 = 0.1;
/// How far the tempo may go, as a part of the period.
const RUBATO: f64 = 0.08;
/// Beats on both sides that decide whether an onset is a good one to count from.
const SUPPORT_BEATS: f64 = 8.0;
/// Onsets among which that is looked for.
const ANCHORS: usize = 256;

/// The beats (seconds) of onsets (seconds, strength; in order) that are about a period apart.
pub(super) fn beats(onsets: &[(f64, f64)], period: f64) -> Vec<f64> {
    let (Some(first), Some(last)) = (onsets.first(), onsets.last()) else { return vec![] };
    let anchor = anchor(onsets, period);
    let mut beats: Vec<f64> = walk(onsets, period, anchor, -1.0, first.0 - REACH * period).collect();
    beats.reverse();
    beats.push(anchor);
    beats.extend(walk(onsets, period, anchor, 1.0, last.0 + REACH * period));
    beats
}

/// The onset that most others agree with: they are whole beats away from it.
fn anchor(onsets: &[(f64, f64)], period: f64) -> f64 {
    let mut best = (0.0, onsets[0].0);
    for &(at, strength) in onsets.iter().take(ANCHORS) {
        let near = near(onsets, at - SUPPORT_BEATS * period, at + SUPPORT_BEATS * period);
        let support: f64 = near
            .map(|(other, strength)| {
                let beats = (other - at) / period;
                strength * (1.0 - (beats - beats.round()).abs() / REACH).max(0.0)
            })
            .sum();
        // The first of those that are about alike: music seldom begins beside the beat.
        if strength * support > best.0 * 1.05 {
            best = (strength * support, at);
        }
    }
    best.1
}

/// The onsets in a range of time.
fn near(onsets: &[(f64, f64)], from: f64, to: f64) -> impl Iterator<Item = (f64, f64)> {
    let start = onsets.partition_point(|onset| onset.0 < from);
    onsets[start..].iter().copied().take_while(move |onset| onset.0 <= to)
}

/// Beat after beat from one that is known, forwards (1) or backwards (-1), up to a time.
fn walk(
    onsets: &[(f64, f64)],
    period: f64,
    from: f64,
    direction: f64,
    until: f64,
) -> impl Iterator<Item = f64> {
    let (mut beat, mut step) = (from, period);
    std::iter::from_fn(move || {
        let expected = beat + direction * step;
        let reach = REACH * period;
        let weight = |&(at, strength): &(f64, f64)| strength * (1.0 - (at - expected).abs() / reach);
        let played =
            near(onsets, expected - reach, expected + reach).max_by(|a, b| weight(a).total_cmp(&weight(b)));
        let off = played.map_or(0.0, |(at, _)| at - expected);
        beat = expected + FOLLOW * off;
        step =
            (step + direction * FOLLOW_TEMPO * off).clamp(period * (1.0 - RUBATO), period * (1.0 + RUBATO));
        ((until - beat) * direction >= 0.0).then_some(beat)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beats_follow_a_player_who_slows_down_and_skip_nothing() {
        let (mut onsets, mut at) = (vec![], 1.0);
        for beat in 0..60 {
            onsets.push((at, 1.0));
            if beat % 7 == 3 {
                onsets.push((at + 0.25, 0.5));
            }
            at += 0.5 * (1.0 + f64::from(beat) * 0.001);
        }
        let silent = onsets.remove(onsets.iter().position(|onset| onset.1 == 1.0 && onset.0 > 9.0).unwrap());
        let found = beats(&onsets, 0.51);
        assert_eq!(found.len(), 60);
        let played = onsets.iter().filter(|onset| onset.1 == 1.0).chain([&silent]);
        for (at, _) in played {
            assert!(found.iter().any(|beat| (beat - at).abs() < 0.02), "{at}: {found:?}");
        }
    }

    #[test]
    fn nothing_has_no_beats_and_one_onset_has_one() {
        assert!(beats(&[], 0.5).is_empty());
        assert_eq!(beats(&[(3.0, 1.0)], 0.5), [3.0]);
    }
}
