//! TextGrid, the annotation format of Praat, in its long form.

use std::fmt::Write;

use super::{Analysis, HeardWord};

struct Interval<'a> {
    start: f64,
    end: f64,
    text: &'a str,
}

/// An analysis as a TextGrid: a tier of words and one of phones; with a text these are what was expected, where it
/// was found, and a third tier is what was heard.
pub fn text_grid(analysis: &Analysis) -> String {
    let word = |it: &'_ HeardWord| Some((it.start_seconds?, it.end_seconds?));
    let words = analysis.words.iter().filter_map(|it| {
        let (start, end) = word(it)?;
        Some(Interval { start, end, text: &it.text })
    });
    let heard = analysis.phones.iter().map(|it| Interval {
        start: it.start_seconds,
        end: it.end_seconds,
        text: it.ipa.as_str(),
    });
    let expected = analysis.words.iter().flat_map(|it| &it.expected).filter_map(|it| {
        Some(Interval { start: it.start_seconds?, end: it.end_seconds?, text: it.ipa.as_str() })
    });
    let mut tiers = vec![("words", words.collect())];
    if analysis.score.is_some() {
        tiers.extend([("phones", expected.collect()), ("heard", heard.collect())]);
    } else {
        tiers.push(("phones", heard.collect()));
    }
    grid(analysis.duration_seconds, &tiers)
}

fn grid(duration: f64, tiers: &[(&str, Vec<Interval<'_>>)]) -> String {
    // A grid of no length is none to Praat.
    let duration = duration.max(0.001);
    let mut out = format!(
        "File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n\nxmin = 0\nxmax = {duration}\ntiers? <exists>\n\
         size = {}\nitem []:\n",
        tiers.len()
    );
    for (number, (name, intervals)) in tiers.iter().enumerate() {
        let intervals = filled(intervals, duration);
        let _ = write!(
            out,
            "    item [{}]:\n        class = \"IntervalTier\"\n        name = \"{name}\"\n        xmin = 0\n        \
             xmax = {duration}\n        intervals: size = {}\n",
            number + 1,
            intervals.len()
        );
        for (number, interval) in intervals.iter().enumerate() {
            let _ = write!(
                out,
                "        intervals [{}]:\n            xmin = {}\n            xmax = {}\n            text = \"{}\"\n",
                number + 1,
                interval.start,
                interval.end,
                interval.text.replace('"', "\"\"")
            );
        }
    }
    out
}

/// With empty intervals between and around them: a tier has no holes. What overlaps the one before begins behind it.
fn filled<'a>(intervals: &[Interval<'a>], duration: f64) -> Vec<Interval<'a>> {
    let mut out = vec![];
    let mut at = 0.0;
    for interval in intervals {
        let (start, end) = (interval.start.max(at), interval.end.min(duration));
        if end <= start {
            continue;
        }
        if start > at {
            out.push(Interval { start: at, end: start, text: "" });
        }
        out.push(Interval { start, end, text: interval.text });
        at = end;
    }
    if at < duration {
        out.push(Interval { start: at, end: duration, text: "" });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tier_has_no_holes_and_quotes_are_doubled() {
        let interval = |start, end, text| Interval { start, end, text };
        let text = grid(2.0, &[("words", vec![interval(0.5, 1.0, "\"a\""), interval(0.9, 1.5, "b")])]);
        assert!(text.contains("text = \"\"\"a\"\"\""), "{text}");
        assert!(text.contains("intervals: size = 4"), "{text}");
        let times: Vec<f64> = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("xmin = ").map(|it| it.parse().unwrap()))
            .collect();
        assert_eq!(times, [0.0, 0.0, 0.0, 0.5, 1.0, 1.5]);
    }

    #[test]
    fn nothing_is_one_empty_interval() {
        assert!(grid(0.0, &[("words", vec![])]).contains("intervals: size = 1"));
    }
}
