//! What stands between this machine and real-time audio, and the command that mends it.

use std::fs;
use std::path::Path;

use basedrop::Collector;
use serde::Serialize;

use crate::sound_bank::SoundBank;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// Whether it is as it should be.
    pub ok: bool,
    /// What was found.
    pub found: String,
    /// The command that mends it.
    pub mend: Option<String>,
}

impl Check {
    /// All is well.
    pub fn good(name: &'static str, found: impl Into<String>) -> Self {
        Check { name, ok: true, found: found.into(), mend: None }
    }

    /// Something is wrong, and `mend` makes it right.
    pub fn bad(name: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Check { name, ok: false, found: found.into(), mend: Some(mend.into()) }
    }
}

/// Memory that may be locked, below which the audio thread can be paged out: 64 MiB.
const MEMLOCK_BYTES: u64 = 64 << 20;
/// The real-time priority that audio threads ask for.
const RT_PRIORITY: u64 = 70;

const LIMITS_FILE: &str = "/etc/security/limits.d/95-kmidi.conf";

/// Looks at all there is, in the order in which it should be mended. `sound_font` as for playing.
pub fn check_all(sound_font: Option<&Path>) -> Vec<Check> {
    let mut checks = check_system();
    checks.push(check_sound_font(sound_font));
    checks
}

/// Looks at the system: real-time priority, locked memory, CPU governor, sound devices' rights.
pub fn check_system() -> Vec<Check> {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let mut checks = vec![check_priority(&limits), check_memlock(&limits)];
    checks.extend(check_governor(Path::new("/sys/devices/system/cpu")));
    checks.extend(check_sound_rights(Path::new("/dev/snd")));
    checks
}

fn check_priority(limits: &str) -> Check {
    const NAME: &str = "real-time priority";
    match soft_limit(limits, "Max realtime priority") {
        Some(limit) if limit >= RT_PRIORITY => Check::good(NAME, format!("up to {}", limit.min(99))),
        _ if is_root() => Check::good(NAME, "any, as root"),
        limit => Check::bad(
            NAME,
            format!(
                "at most {}, audio threads ask for {RT_PRIORITY}: late callbacks under load",
                limit.unwrap_or(0)
            ),
            mend_limit("rtprio", 95),
        ),
    }
}

fn check_memlock(limits: &str) -> Check {
    const NAME: &str = "locked memory";
    match soft_limit(limits, "Max locked memory") {
        Some(u64::MAX) => Check::good(NAME, "unlimited"),
        Some(limit) if limit >= MEMLOCK_BYTES => Check::good(NAME, format!("up to {} MiB", limit >> 20)),
        _ if is_root() => Check::good(NAME, "any, as root"),
        limit => Check::bad(
            NAME,
            format!("at most {} KiB: the audio thread may wait for its pages", limit.unwrap_or(0) >> 10),
            mend_limit("memlock", MEMLOCK_BYTES >> 10),
        ),
    }
}

fn mend_limit(item: &str, value: u64) -> String {
    format!(
        "echo '@audio - {item} {value}' | sudo tee -a {LIMITS_FILE} && sudo usermod -aG audio \"$USER\"   # then log in again"
    )
}

fn check_sound_font(path: Option<&Path>) -> Check {
    const NAME: &str = "SoundFont";
    match SoundBank::open(path, &Collector::new().handle()) {
        Ok(bank) => Check::good(NAME, format!("{}, {} presets", bank.name(), bank.presets())),
        Err(error) => Check::bad(
            NAME,
            error.to_string(),
            "unset KMIDI_SF   # and take `sf` out of the configuration file: the built-in one is used then",
        ),
    }
}

fn check_governor(cpus: &Path) -> Option<Check> {
    const NAME: &str = "CPU governor";
    let governors = fs::read_dir(cpus).ok()?.flatten().filter_map(|cpu| {
        let text = fs::read_to_string(cpu.path().join("cpufreq/scaling_governor")).ok()?;
        Some(text.trim().to_string())
    });
    let mut governors: Vec<String> = governors.collect();
    governors.sort();
    governors.dedup();
    match governors.as_slice() {
        // A virtual machine, or a CPU that does not scale.
        [] => None,
        [one] if one == "performance" => Some(Check::good(NAME, one)),
        others => Some(Check::bad(
            NAME,
            format!("{}: the CPU slows down between callbacks", others.join(", ")),
            "echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor",
        )),
    }
}

fn check_sound_rights(folder: &Path) -> Option<Check> {
    const NAME: &str = "rights to sound devices";
    let mut devices = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    let refused = devices.find(|path| {
        let is_pcm = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("control"));
        is_pcm
            && fs::File::open(path).is_err_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied)
    });
    Some(match refused {
        None => Check::good(NAME, "granted"),
        Some(path) => Check::bad(
            NAME,
            format!("{} may not be opened", path.display()),
            "sudo usermod -aG audio \"$USER\"   # then log in again",
        ),
    })
}

/// The soft limit in a line of `/proc/self/limits`; `u64::MAX` for unlimited.
fn soft_limit(limits: &str, name: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}

/// Whether limits do not bind this process.
fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    ids.and_then(|ids| ids.split_whitespace().nth(1)) == Some("0")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: &str = "\
Limit                     Soft Limit           Hard Limit           Units
Max locked memory         8388608              8388608              bytes
Max realtime priority     95                   95
Max realtime timeout      unlimited            unlimited            us
";

    #[test]
    fn limits_are_read_as_the_kernel_writes_them() {
        assert_eq!(soft_limit(LIMITS, "Max locked memory"), Some(8 << 20));
        assert_eq!(soft_limit(LIMITS, "Max realtime priority"), Some(95));
        assert_eq!(soft_limit(LIMITS, "Max realtime timeout"), Some(u64::MAX));
        assert_eq!(soft_limit(LIMITS, "Max open files"), None);
        assert!(check_priority(LIMITS).ok);
    }

    #[test]
    fn a_slow_governor_is_named_with_its_mend() {
        let cpus = tempfile::tempdir().unwrap();
        assert_eq!(check_governor(cpus.path()), None);
        for (n, governor) in ["performance\n", "powersave\n"].iter().enumerate() {
            let folder = cpus.path().join(format!("cpu{n}/cpufreq"));
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("scaling_governor"), governor).unwrap();
            let check = check_governor(cpus.path()).unwrap();
            assert_eq!((check.ok, check.mend.is_some()), (n == 0, n == 1));
        }
    }
}
