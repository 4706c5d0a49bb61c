//! An analysis, for people.

use std::fmt::Write;
use std::path::Path;

use kmidi_ml::phonemes::{Analysis, EditKind, HeardWord, Problem, Score, WordEdit};

pub fn text(path: &Path, analysis: &Analysis) -> String {
    let mut out = String::new();
    // Writing into a string does not fail.
    let _ = writeln!(out, "{}", path.display());
    let _ = writeln!(out, "  recording   {}", recording(analysis));
    if let Some(score) = &analysis.score {
        let _ = writeln!(out, "  score       {}", score_line(score));
        words_with_edits(&mut out, &analysis.words);
        problems(&mut out, &analysis.problems);
    } else {
        stretches(&mut out, analysis);
    }
    out
}

fn recording(analysis: &Analysis) -> String {
    let quality = &analysis.quality;
    let snr = quality.snr_db.map_or(String::new(), |it| format!(", speech {it:.0} dB over noise"));
    let level = quality.rms_dbfs.map_or(String::new(), |it| format!(", level {it:.0} dBFS"));
    let damaged = match quality.damaged_samples {
        0 => String::new(),
        count => format!(", {count} samples are no numbers"),
    };
    let pieces = if analysis.chunks == 1 { String::new() } else { format!(", {} pieces", analysis.chunks) };
    format!("{:.2} s{snr}{level}{pieces}{damaged}", analysis.duration_seconds)
}

fn score_line(score: &Score) -> String {
    let confidence = score
        .confidence
        .map_or("the text does not fit into it".to_owned(), |it| format!("confidence {it:.2}"));
    format!(
        "phoneme error rate {:.1} % ({} missed, {} added, {} otherwise, of {}); {} of {} words right; {confidence}",
        score.phoneme_error_rate * 100.0,
        score.missed,
        score.added,
        score.substituted,
        score.expected,
        score.words_right,
        score.words,
    )
}

fn words_with_edits(out: &mut String, words: &[HeardWord]) {
    let _ =
        writeln!(out, "\n  {:>16}  {:16}  {:20}  {:20}  differences", "seconds", "word", "expected", "heard");
    for word in words {
        let expected = joined(word.expected.iter().map(|it| it.ipa.as_str()));
        let heard = joined(word.heard.iter().map(|it| it.as_str()));
        let edits = joined(word.edits.iter().map(edit));
        let _ = writeln!(
            out,
            "  {:>16}  {:16}  {}  {}  {edits}",
            when(word.start_seconds, word.end_seconds),
            word.text,
            padded(&expected, 20),
            padded(&heard, 20)
        );
    }
}

fn edit(edit: &WordEdit) -> String {
    let phone = |it: &Option<_>| it.as_ref().map_or(String::new(), ToString::to_string);
    match edit.kind {
        EditKind::Missed => format!("-{}", phone(&edit.expected)),
        EditKind::Added => format!("+{}", phone(&edit.heard)),
        EditKind::Substituted => format!("{}>{}", phone(&edit.expected), phone(&edit.heard)),
    }
}

fn problems(out: &mut String, problems: &[Problem]) {
    if problems.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n  {:10}  {:>7}  {:>10}  phones", "problems", "wrong", "difficulty");
    for problem in problems {
        let phones = joined(
            problem
                .phones
                .iter()
                .map(|it| format!("{} ({} of {})", it.ipa, it.missed + it.heard.len(), it.expected)),
        );
        let _ = writeln!(
            out,
            "  {:10}  {:>7}  {:>10}  {phones}",
            problem.class.plural(),
            format!("{}/{}", problem.wrong, problem.expected),
            problem.difficulty
        );
    }
}

fn stretches(out: &mut String, analysis: &Analysis) {
    let _ = writeln!(out, "  phones      {}\n", analysis.phones.len());
    let _ = writeln!(out, "  {:>16}  {:24}  confidence", "seconds", "phones");
    for word in &analysis.words {
        let phones = joined(word.heard.iter().map(|it| it.as_str()));
        let _ = writeln!(
            out,
            "  {:>16}  {}  {:.2}",
            when(word.start_seconds, word.end_seconds),
            padded(&phones, 24),
            word.confidence
        );
    }
}

fn when(start: Option<f64>, end: Option<f64>) -> String {
    match (start, end) {
        (Some(start), Some(end)) => format!("{start:.2} - {end:.2}"),
        _ => "not found".to_owned(),
    }
}

fn joined(parts: impl Iterator<Item = impl ToString>) -> String {
    parts.map(|it| it.to_string()).collect::<Vec<_>>().join(" ")
}

/// To a width as it is seen: marks over and ties between letters take no room.
fn padded(text: &str, width: usize) -> String {
    let seen = text.chars().filter(|it| !('\u{300}'..='\u{36f}').contains(it)).count();
    format!("{text}{}", " ".repeat(width.saturating_sub(seen)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_take_no_room() {
        assert_eq!(padded("t͡ʃ", 4), "t͡ʃ  ");
        assert_eq!(padded("abcde", 4), "abcde");
    }
}
