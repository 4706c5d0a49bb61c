//! The worst quantum's instructions, counted by callgrind: the same on every run and under any load.

use std::path::Path;
use std::process::Command;

use crate::SEED;
use crate::scenario::Scenario;
use crate::watch::kmidi_watched_process;

/// Most instructions a quantum of the measured run may take. Recorded with what it measured:
/// see `budget.txt`; raise it only with a reason in the commit.
const BUDGET: &str = include_str!("budget.txt");
/// Quanta of the measured run.
const QUANTA: u32 = 4000;
const MEASURED: &str = "KMIDI_RT_SAFETY_MEASURED";

/// Whether this process runs under callgrind.
pub fn is_the_measured_run() -> bool {
    std::env::var_os(MEASURED).is_some()
}

/// What callgrind looks at: the scenario, a quantum a callback.
pub fn measured_run() {
    let mut scenario = Scenario::new(SEED, 64);
    for _ in 0..QUANTA {
        scenario.step_one_quantum(&mut kmidi_watched_process);
    }
}

fn budget() -> u64 {
    let number = BUDGET.lines().find(|line| !line.starts_with('#')).expect("a number in budget.txt");
    number.trim().parse().expect("a number in budget.txt")
}

/// Runs this program under callgrind; whether the worst quantum keeps within the budget. Without
/// valgrind there is nothing to measure, which is said and passes.
pub fn gate() -> bool {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("instructions: valgrind is not installed; not measured (apt-get install valgrind)");
        return true;
    }
    let folder = std::env::temp_dir().join(format!("kmidi-rt-safety-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    let passed = measure(&folder);
    // Left behind it would be harmless.
    let _ = std::fs::remove_dir_all(&folder);
    passed
}

fn measure(folder: &Path) -> bool {
    let out = folder.join("callgrind.out");
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--combine-dumps=yes", "--compress-strings=yes"])
        .args(["--toggle-collect=kmidi_watched_process", "--dump-after=kmidi_watched_process"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe().expect("this program has a path"))
        .env(MEASURED, "1")
        .output()
        .expect("valgrind is there: seen above");
    let profile = std::fs::read_to_string(&out).unwrap_or_default();
    let mut quanta: Vec<u64> = profile
        .lines()
        .filter_map(|line| line.strip_prefix("totals: ").or_else(|| line.strip_prefix("summary: ")))
        .filter_map(|number| number.split_whitespace().next()?.parse().ok())
        .filter(|&instructions| instructions > 0)
        .collect();
    quanta.sort_unstable();
    if !run.status.success() || quanta.len() < QUANTA as usize {
        println!("instructions: FAILED: callgrind gave {} quanta", quanta.len());
        println!("{}", String::from_utf8_lossy(&run.stderr));
        return false;
    }
    let (worst, median) = (quanta[quanta.len() - 1], quanta[quanta.len() / 2]);
    println!("instructions a quantum: median {median}, worst {worst}, budget {}", budget());
    worst <= budget()
}
