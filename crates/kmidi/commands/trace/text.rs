//! For people.

use kmidi_trace::{BadLine, Scores, Stats, Timestamp};

/// On stderr: what was passed over.
pub fn warn_of_bad_lines(first: &[BadLine], count: u64, torn_bytes: u64) {
    for bad in first {
        eprintln!("kmidi: warning: {bad}");
    }
    let others = count - first.len() as u64;
    if others > 0 {
        eprintln!("kmidi: warning: {others} more lines are bad");
    }
    if torn_bytes > 0 {
        eprintln!(
            "kmidi: warning: the last line is torn ({torn_bytes} bytes); the next append takes it away"
        );
    }
}

pub fn stats(stats: &Stats) -> String {
    let time = |time: Option<Timestamp>| time.map_or("-".into(), |time| time.to_string());
    let mut text = format!(
        "records     {}\nbytes       {}\nbad lines   {}\ntorn bytes  {}\nfirst       {}\nlast        {}\nscores      {}\n",
        stats.records,
        stats.bytes,
        stats.bad_lines,
        stats.torn_bytes,
        time(stats.first),
        time(stats.last),
        scores(&stats.scores),
    );
    for (kind, records) in &stats.kinds {
        text += &format!("{kind:<11} {records}\n");
    }
    for (provider, group) in &stats.providers {
        text += &format!("  {provider:<28} {:>8}   {}\n", group.records, scores(&group.scores));
    }
    if stats.records_of_other_providers > 0 {
        text += &format!("  {:<28} {:>8}\n", "others", stats.records_of_other_providers);
    }
    text
}

fn scores(scores: &Scores) -> String {
    match (scores.min, scores.mean, scores.max) {
        (Some(min), Some(mean), Some(max)) => {
            format!("{mean:.3} ({min:.3} to {max:.3}), of {}", scores.count)
        }
        _ => "none".into(),
    }
}
