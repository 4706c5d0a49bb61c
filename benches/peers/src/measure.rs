//! One child process: its processor time and the most memory it held.

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// How often memory is looked at.
const POLL: Duration = Duration::from_millis(20);

/// What `/proc` counts time in, on every Linux that Rust runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// What a process took, and what it printed.
pub struct Usage {
    /// User and system time of all its threads, in seconds.
    pub cpu_seconds: f64,
    /// Peak of its proportional set size, in MiB: memory shared with others counts by its share.
    pub peak_pss_mib: f64,
    /// Its standard output.
    pub stdout: String,
}

/// Runs `command` to its end.
///
/// # Errors
/// It cannot be run, or it fails.
pub fn run(command: &mut Command) -> Result<Usage> {
    run_to(&[0], command)
}

/// The same of one that may end with any of these codes.
pub fn run_to(codes: &[i32], command: &mut Command) -> Result<Usage> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = tempfile::tempfile()?;
    let errors = tempfile::tempfile()?;
    // Files, not pipes: nobody reads while it runs.
    let mut child = command
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(errors.try_clone()?)
        .spawn()
        .with_context(|| format!("cannot run {name}"))?;
    let folder = format!("/proc/{}", child.id());
    let mut peak_kib = 0;
    // A zombie keeps its times until it is waited for.
    let cpu_seconds = loop {
        let stat = fs::read_to_string(format!("{folder}/stat"))?;
        let (state, cpu_seconds) = parse_stat(&stat).context("/proc/PID/stat is not understood")?;
        if state == "Z" {
            break cpu_seconds;
        }
        let rollup = fs::read_to_string(format!("{folder}/smaps_rollup")).unwrap_or_default();
        peak_kib = peak_kib.max(parse_pss(&rollup));
        std::thread::sleep(POLL);
    };
    if !child.wait()?.code().is_some_and(|code| codes.contains(&code)) {
        bail!("{name} failed: {}", text(errors)?.trim());
    }
    Ok(Usage { cpu_seconds, peak_pss_mib: peak_kib as f64 / 1024.0, stdout: text(output)? })
}

/// All of a file that a child wrote.
fn text(mut file: fs::File) -> Result<String> {
    use std::io::Seek;
    file.rewind()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// State, and user plus system time in seconds. The name before them may hold blanks and brackets.
fn parse_stat(stat: &str) -> Option<(&str, f64)> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some((fields.first()?, (ticks(11)? + ticks(12)?) as f64 / TICKS_PER_SECOND))
}

/// KiB of the line `Pss:`.
fn parse_pss(rollup: &str) -> u64 {
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_are_found_behind_an_odd_name() {
        let stat = "7 (a) b (c) Z 1 7 7 0 -1 4 0 0 0 0 250 50 0 0 20 0 1 0 9";
        assert_eq!(parse_stat(stat), Some(("Z", 3.0)));
    }

    #[test]
    fn a_busy_child_is_measured_and_a_failing_one_is_an_error() {
        let busy = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; echo done";
        let usage = run(Command::new("sh").args(["-c", busy])).unwrap();
        assert_eq!(usage.stdout, "done\n");
        assert!(usage.cpu_seconds > 0.05 && usage.peak_pss_mib > 0.1);
        let error = run(Command::new("sh").args(["-c", "echo why >&2; exit 3"])).err().unwrap();
        assert_eq!(error.to_string(), "sh failed: why");
    }
}
