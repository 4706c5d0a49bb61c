//! Whether what was measured is as it should be.

use kmidi_memory::Trend;
use serde::Serialize;

use super::user::Deeds;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    pub name: String,
    /// Nothing bad was found.
    pub ok: bool,
    /// Whether there was enough to find anything in.
    pub can_tell: bool,
    /// The figures.
    pub found: String,
}

impl Verdict {
    fn too_few(name: &str, what: &str, count: usize) -> Self {
        let found = format!("{count} {what} are too few to tell");
        Verdict { name: name.into(), ok: true, can_tell: false, found }
    }
}

fn verdict(name: &str, ok: bool, found: String) -> Verdict {
    Verdict { name: name.into(), ok, can_tell: true, found }
}

/// All of them for people, a line each.
pub fn lines(verdicts: &[Verdict]) -> String {
    let sign = |verdict: &Verdict| match (verdict.ok, verdict.can_tell) {
        (false, _) => "BAD ",
        (true, true) => "ok  ",
        (true, false) => "?   ",
    };
    verdicts.iter().map(|it| format!("{} {}: {}\n", sign(it), it.name, it.found)).collect()
}

/// What all of them come to, for people.
pub fn sum(verdicts: &[Verdict]) -> &'static str {
    match (verdicts.iter().all(|it| it.ok), verdicts.iter().all(|it| it.can_tell)) {
        (false, _) => "something is BAD",
        (true, true) => "nothing piled up",
        (true, false) => "nothing piled up as far as can be told (a longer run tells more)",
    }
}

/// Bad where the floor of the bytes rises, not by chance, and by more than is allowed in all.
pub fn growth(name: &str, series: &[(f64, f64)], allowed_bytes: u64) -> Verdict {
    let (Some(trend), [first, .., last]) = (Trend::of(series), series) else {
        return Verdict::too_few(name, "measurements", series.len());
    };
    let risen = trend.slope * (last.0 - first.0);
    let ok = !(trend.rises() && risen > allowed_bytes as f64);
    let found = format!(
        "{:.0} KiB at first and {:.0} at last; the floor went {:+.1} KiB in {:.0} s ({:+.1} standard deviations)",
        first.1 / 1024.0,
        last.1 / 1024.0,
        risen / 1024.0,
        last.0 - first.0,
        trend.score,
    );
    verdict(name, ok, found)
}

/// Bad, if it is to be `checked`, where a count is not back where it was when all is closed, or rises in
/// between.
pub fn back(name: &str, series: &[(f64, f64)], counts: [Option<u64>; 2], checked: bool) -> Verdict {
    let [Some(before), Some(after)] = counts else {
        return verdict(name, !checked, "this system does not tell".into());
    };
    let trend = Trend::of(series).filter(Trend::rises);
    let risen = trend.map_or(0.0, |trend| trend.slope * (series[series.len() - 1].0 - series[0].0));
    let mut found = format!("{before} before and {after} after");
    if risen >= 1.0 {
        found += &format!("; {risen:.1} more and more while it played");
    }
    if !checked {
        found += " (not checked)";
    }
    verdict(name, !checked || (before == after && risen < 1.0), found)
}

/// Bad where any of these was counted.
pub fn none(name: &str, counts: &[(&str, u64)]) -> Verdict {
    let found: Vec<_> = counts.iter().map(|(what, count)| format!("{count} {what}")).collect();
    verdict(name, counts.iter().all(|(_, count)| *count == 0), found.join(", "))
}

/// Bad where something failed or no song began, unless it was ended early.
pub fn went_on(deeds: &Deeds, interrupted: bool) -> Verdict {
    let ok = deeds.failures.is_empty() && (interrupted || deeds.songs_started > 0);
    let failures = if deeds.failures.is_empty() { "no failure".into() } else { deeds.failures.join("; ") };
    let found = format!("{} songs begun, {failures}", deeds.songs_started);
    verdict("playing", ok, found)
}

/// The value that so large a part of the sorted ones does not exceed; 0 of none.
pub fn percentile(sorted: &[f64], part: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * part).round() as usize).copied().unwrap_or(0.0)
}

/// Bad where calls take longer and longer: where the 95th percentile of the last third is half as long again as that of the
/// first, and the times rise not by chance.
pub fn flat(name: &str, calls: &[(f64, f64)]) -> Verdict {
    let Some(trend) = Trend::of(calls) else {
        return Verdict::too_few(name, "calls", calls.len());
    };
    let third = calls.len() / 3;
    let p95 = |calls: &[(f64, f64)]| {
        let mut seconds: Vec<f64> = calls.iter().map(|it| it.1).collect();
        seconds.sort_by(f64::total_cmp);
        percentile(&seconds, 0.95)
    };
    let (first, last) = (p95(&calls[..third]), p95(&calls[calls.len() - third..]));
    let ok = !(trend.rises() && last > 1.5 * first);
    let found = format!("{:.1} ms in the first third, {:.1} in the last", first * 1000.0, last * 1000.0);
    verdict(name, ok, found)
}

/// Bad where a model was loaded again after the first call, or was not used. Each model with how often it was loaded,
/// and how often it was there already.
pub fn loaded_once(first: Vec<(&str, u64, u64)>, last: Vec<(&str, u64, u64)>, calls: u64) -> Verdict {
    let loads = |of: &[(&str, u64, u64)]| of.iter().map(|it| (it.0.to_owned(), it.1)).collect::<Vec<_>>();
    let is_used = calls < 2 || last.iter().all(|it| it.2 > 0);
    let ok = !first.is_empty() && loads(&first) == loads(&last) && is_used;
    let told: Vec<_> = last
        .iter()
        .map(|(model, loads, hits)| format!("{model} loaded {loads}, there already {hits} times"))
        .collect();
    verdict("loading", ok, told.join("; "))
}

/// Bad where not all counts are the same.
pub fn same(name: &str, counts: &[usize]) -> Verdict {
    let (least, most) = (counts.iter().min(), counts.iter().max());
    let found = format!("{} to {} in each call", least.unwrap_or(&0), most.unwrap_or(&0));
    verdict(name, !counts.is_empty() && least == most, found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: f64 = 1048576.0;

    fn series(value: impl Fn(usize) -> f64) -> Vec<(f64, f64)> {
        (0..120).map(|n| (n as f64 * 5.0, value(n))).collect()
    }

    fn check(value: impl Fn(usize) -> f64, ok: bool) {
        let verdict = growth("memory", &series(value), 1 << 20);
        assert_eq!(verdict.ok, ok, "{verdict:?}");
    }

    #[test]
    fn a_leak_is_bad_also_under_a_saw() {
        check(|n| 10.0 * MIB + n as f64 * 0.05 * MIB, false);
        check(|n| 10.0 * MIB + n as f64 * 0.05 * MIB + (n % 9) as f64 * MIB, false);
        check(|n| n as f64 * 0.005 * MIB, true);
        check(|n| (n % 9) as f64 * 10.0 * MIB, true);
        check(|n| if n < 20 { n as f64 } else { 20.0 } * MIB, true);
        check(|n| 100.0 * MIB - n as f64 * MIB, true);
    }

    #[test]
    fn a_verdict_names_its_figures() {
        let verdict = growth("memory", &series(|n| n as f64 * MIB), 1 << 20);
        assert_eq!(
            verdict.found,
            "0 KiB at first and 121856 at last; the floor went +121856.0 KiB in 595 s (+4.5 standard deviations)"
        );
        let few = growth("memory", &[(0.0, 0.0), (1.0, 1e9)], 0);
        assert_eq!((few.ok, few.found.as_str()), (true, "2 measurements are too few to tell"));
    }

    #[test]
    fn what_cannot_be_told_is_not_called_good() {
        let few = growth("memory", &[(0.0, 0.0)], 0);
        let (good, bad) = (none("callback", &[("frees", 0)]), none("callback", &[("frees", 1)]));
        let signs = |verdicts: &[Verdict]| {
            lines(verdicts).lines().map(|line| line[..4].to_owned()).collect::<Vec<_>>().concat()
        };
        let all = [good.clone(), few.clone(), bad];
        assert_eq!(signs(&all), "ok  ?   BAD ");
        assert_eq!(sum(&all), "something is BAD");
        assert_eq!(sum(std::slice::from_ref(&good)), "nothing piled up");
        assert!(sum(&[good, few]).ends_with("(a longer run tells more)"));
    }

    fn check_back(value: impl Fn(usize) -> f64, counts: [Option<u64>; 2], ok: bool) {
        let verdict = back("open files", &series(value), counts, true);
        assert_eq!(verdict.ok, ok, "{verdict:?}");
        assert!(back("open files", &[], counts, false).ok);
    }

    #[test]
    fn a_file_left_open_is_bad() {
        check_back(|_| 20.0, [Some(5), Some(5)], true);
        check_back(|n| 20.0 + (n % 3) as f64, [Some(5), Some(5)], true);
        check_back(|_| 20.0, [Some(5), Some(6)], false);
        check_back(|_| 20.0, [Some(6), Some(5)], false);
        check_back(|n| 20.0 + (n / 20) as f64, [Some(5), Some(5)], false);
        check_back(|_| 20.0, [None, None], false);
    }

    #[test]
    fn a_violation_and_a_failure_are_bad() {
        assert_eq!(none("callback", &[("allocations", 0), ("frees", 0)]).found, "0 allocations, 0 frees");
        assert!(!none("callback", &[("allocations", 0), ("frees", 1)]).ok);
        let played = Deeds { songs_started: 3, ..Deeds::default() };
        assert!(went_on(&played, false).ok && !went_on(&Deeds::default(), false).ok);
        assert!(went_on(&Deeds::default(), true).ok);
        let failed = Deeds { failures: vec!["render: no".into()], ..played };
        assert_eq!(went_on(&failed, true).found, "3 songs begun, render: no");
        assert!(!went_on(&failed, true).ok);
    }

    #[test]
    fn calls_that_take_longer_and_longer_are_bad_and_a_slow_one_is_not() {
        let calls =
            |seconds: &dyn Fn(usize) -> f64| (0..60).map(|n| (n as f64, seconds(n))).collect::<Vec<_>>();
        assert!(flat("time", &calls(&|_| 0.1)).ok);
        assert!(flat("time", &calls(&|n| if n % 10 == 9 { 1.0 } else { 0.1 })).ok);
        assert!(flat("time", &calls(&|n| 0.1 + n as f64 * 0.0001)).ok);
        assert!(!flat("time", &calls(&|n| 0.1 + n as f64 * 0.01)).ok);
        assert!(flat("time", &[(0.0, 1.0), (1.0, 9.0)]).found.ends_with("too few to tell"));
        assert_eq!((percentile(&[], 0.5), percentile(&[1.0, 2.0, 3.0], 0.5)), (0.0, 2.0));
    }

    #[test]
    fn a_model_that_is_loaded_again_or_never_is_bad() {
        assert!(loaded_once(vec![("a", 1, 0)], vec![("a", 1, 9)], 10).ok);
        assert!(!loaded_once(vec![("a", 1, 0)], vec![("a", 2, 8)], 10).ok);
        assert!(!loaded_once(vec![("a", 1, 0)], vec![("a", 1, 0)], 10).ok);
        assert!(!loaded_once(vec![("a", 1, 0)], vec![("a", 1, 9), ("b", 1, 1)], 10).ok);
        assert!(!loaded_once(vec![], vec![], 10).ok);
        assert!(same("notes", &[3, 3]).ok && !same("notes", &[3, 4]).ok && !same("notes", &[]).ok);
    }
}
