//! A list of checks run one after another: each named, timed and counted; the first failure ends it.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// What has been run so far.
#[derive(Default)]
pub struct Steps {
    finished: Vec<(&'static str, Duration, Counts)>,
}

/// Tests that passed and failed. A step without tests of its own counts as one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
}

impl Steps {
    /// Runs one check, showing its output and counting the tests it reports.
    ///
    /// # Errors
    /// The check failed; the summary has then been printed.
    pub fn run(&mut self, name: &'static str, command: &mut Command) -> Result<()> {
        println!("\n== {name}: {}", words(command));
        let start = Instant::now();
        let (success, mut counts) = watch(command).with_context(|| format!("cannot run {name}"))?;
        if counts == Counts::default() || (!success && counts.failed == 0) {
            counts.passed += u64::from(success);
            counts.failed += u64::from(!success);
        }
        self.finished.push((name, start.elapsed(), counts));
        if success && counts.failed == 0 {
            return Ok(());
        }
        self.summary();
        bail!("`{name}` failed; run it alone with: {}", words(command));
    }

    /// Prints every step with its time, and the closing count.
    pub fn summary(&self) {
        println!("\n== summary");
        for (name, time, counts) in &self.finished {
            let verdict = if counts.failed == 0 { "ok" } else { "FAILED" };
            println!("{verdict:7} {name:28} {:6.1} s  {:5} passed", time.as_secs_f64(), counts.passed);
        }
        let passed: u64 = self.finished.iter().map(|step| step.2.passed).sum();
        let failed: u64 = self.finished.iter().map(|step| step.2.failed).sum();
        println!("{passed} passed, {failed} failed");
    }
}

/// A command as it would be typed, with the environment it sets.
fn words(command: &Command) -> String {
    let environment = command
        .get_envs()
        .filter_map(|(key, value)| Some(format!("{}={:?}", key.to_string_lossy(), value?.to_string_lossy())));
    let program = std::iter::once(command.get_program()).chain(command.get_args());
    let program = program.map(|word| word.to_string_lossy().into_owned());
    environment.chain(program).collect::<Vec<_>>().join(" ")
}

/// Runs `command`, passing its output on line by line.
fn watch(command: &mut Command) -> Result<(bool, Counts)> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (passed, failed) = (AtomicU64::new(0), AtomicU64::new(0));
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    std::thread::scope(|scope| {
        let count = |line: &str| {
            if let Some(counts) = counts(line) {
                passed.fetch_add(counts.passed, Ordering::Relaxed);
                failed.fetch_add(counts.failed, Ordering::Relaxed);
            }
        };
        let show = |line: &str| print!("{line}");
        let show_error = |line: &str| eprint!("{line}");
        scope.spawn(move || forward(stdout, show, count));
        scope.spawn(move || forward(stderr, show_error, count));
    });
    let success = child.wait()?.success();
    Ok((success, Counts { passed: passed.into_inner(), failed: failed.into_inner() }))
}

fn forward(from: Option<impl Read>, show: impl Fn(&str), count: impl Fn(&str)) {
    let Some(from) = from else { return };
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
        let text = String::from_utf8_lossy(&line);
        show(&text);
        count(&text);
        line.clear();
    }
}

/// The counts in a summary line of `cargo test` or `cargo nextest`.
fn counts(line: &str) -> Option<Counts> {
    let line = line.trim();
    let is_summary = line.starts_with("test result: ")
        || (line.starts_with("Summary [") && (line.contains(" tests run: ") || line.contains(" test run: ")));
    if !is_summary {
        return None;
    }
    let words: Vec<&str> = line.split([' ', ';', ',', '(', ')']).filter(|word| !word.is_empty()).collect();
    let before = |what: &str| {
        let pairs = words.windows(2).filter(|pair| pair[1] == what);
        pairs.filter_map(|pair| pair[0].parse::<u64>().ok()).sum()
    };
    Some(Counts { passed: before("passed"), failed: before("failed") + before("timed") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_of_both_runners_are_counted() {
        let cases = [
            (
                "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s",
                (12, 0),
            ),
            ("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out", (3, 2)),
            ("     Summary [   0.005s] 5 tests run: 5 passed, 0 skipped", (5, 0)),
            (
                "     Summary [  61.2s] 9 tests run: 6 passed (1 slow), 2 failed, 1 timed out, 0 skipped",
                (6, 3),
            ),
            ("     Summary [   0.005s] 1 test run: 1 passed, 0 skipped", (1, 0)),
        ];
        for (line, (passed, failed)) in cases {
            assert_eq!(counts(line), Some(Counts { passed, failed }), "{line}");
        }
    }

    #[test]
    fn other_lines_are_not_counted() {
        assert_eq!(counts("7 passed, 0 failed"), None);
        assert_eq!(counts("test song::tests::test_result ... ok"), None);
    }

    #[test]
    fn a_failing_step_stops_the_list() {
        let mut steps = Steps::default();
        assert!(steps.run("succeeds", &mut Command::new("true")).is_ok());
        assert!(steps.run("fails", &mut Command::new("false")).is_err());
        let counts: Vec<Counts> = steps.finished.iter().map(|step| step.2).collect();
        assert_eq!(counts, [Counts { passed: 1, failed: 0 }, Counts { passed: 0, failed: 1 }]);
    }

    #[test]
    fn a_step_that_counts_failures_but_exits_with_success_still_fails() {
        let lie = "echo 'test result: FAILED. 3 passed; 2 failed; 0 ignored'";
        assert!(Steps::default().run("lies", Command::new("sh").args(["-c", lie])).is_err());
    }
}
