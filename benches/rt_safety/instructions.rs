//! The worst quantum's instructions, counted by callgrind: the same on every run and under any load.

use std::path::Path;
use std::process::Command;

use crate::scenario::Scenario;
use crate::watch::kmidi_watched_process;
use crate::{SEED, crowd};

/// Most instructions a quantum of the measured run may take. Recorded with what it measured:
/// see `budget.txt`; raise it only with a reason in the commit.
const BUDGET: &str = include_str!("budget.txt");
/// Quanta of the measured run.
const QUANTA: u32 = 4000;
/// Which measured run this process is.
const MEASURED: &str = "KMIDI_RT_SAFETY_MEASURED";
const LIFE: &str = "life";
const CROWD: &str = "crowd";

/// Whether this process runs under callgrind; it has then done what callgrind looks at.
pub fn is_a_measured_run() -> bool {
    match std::env::var(MEASURED).as_deref() {
        Ok(LIFE) => {
            let mut scenario = Scenario::new(SEED, 64);
            for _ in 0..QUANTA {
                scenario.step_one_quantum(&mut kmidi_watched_process);
            }
        }
        Ok(CROWD) => crowd::measured_run(&mut kmidi_watched_process),
        _ => return false,
    }
    true
}

fn budget() -> u64 {
    let number = BUDGET.lines().find(|line| !line.starts_with('#')).expect("a number in budget.txt");
    number.trim().parse().expect("a number in budget.txt")
}

/// Runs this program under callgrind; whether the worst quantum keeps within the budget, and a burst
/// of notes near what they cost later. Without valgrind there is nothing to measure, which is said
/// and passes.
pub fn gate() -> bool {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("instructions: valgrind is not installed; not measured (apt-get install valgrind)");
        return true;
    }
    let life = measure(LIFE, QUANTA as usize).is_some_and(|mut quanta| {
        quanta.sort_unstable();
        let (worst, median) = (quanta[quanta.len() - 1], quanta[quanta.len() / 2]);
        println!("instructions a quantum: median {median}, worst {worst}, budget {}", budget());
        worst <= budget()
    });
    // The first quantum only selects the programs.
    let crowd = measure(CROWD, crowd::MEASURED_QUANTA).is_some_and(|quanta| crowd::judge(&quanta));
    life && crowd
}

/// The instructions of each quantum of a measured run, in their order.
fn measure(run: &str, least: usize) -> Option<Vec<u64>> {
    let folder = std::env::temp_dir().join(format!("kmidi-rt-safety-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    let quanta = callgrind(&folder, run, least);
    // Left behind it would be harmless.
    let _ = std::fs::remove_dir_all(&folder);
    quanta
}

fn callgrind(folder: &Path, name: &str, least: usize) -> Option<Vec<u64>> {
    let out = folder.join("callgrind.out");
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--combine-dumps=yes", "--compress-strings=yes"])
        .args(["--toggle-collect=kmidi_watched_process", "--dump-after=kmidi_watched_process"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe().expect("this program has a path"))
        .env(MEASURED, name)
        .output()
        .expect("valgrind is there: seen above");
    let profile = std::fs::read_to_string(&out).unwrap_or_default();
    let quanta: Vec<u64> = profile
        .lines()
        .filter_map(|line| line.strip_prefix("totals: "))
        .filter_map(|number| number.split_whitespace().next()?.parse().ok())
        .filter(|&instructions| instructions > 0)
        .collect();
    if !run.status.success() || quanta.len() < least {
        println!("instructions: FAILED: callgrind gave {} quanta of {name}", quanta.len());
        println!("{}", String::from_utf8_lossy(&run.stderr));
        return None;
    }
    Some(quanta)
}
