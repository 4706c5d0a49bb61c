use std::collections::BTreeSet;
use std::fs;

use kmidi_sys::Resource;

/// What decides whether audio can run in time on this machine. Facts only: what is good enough,
/// and how it is mended, is for others to say.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RealTimeFacts {
    /// Whether a thread of this process may be real-time (`SCHED_FIFO`), found by trying.
    pub real_time_allowed: bool,
    /// Why not, as the system says it.
    pub real_time_refusal: Option<String>,
    /// Highest real-time priority without privileges, 0 to 99; `None`: unknown or unlimited.
    pub real_time_priority_limit: Option<u64>,
    /// Bytes that may be locked in memory.
    pub locked_memory_limit: MemoryLimit,
    /// Whether the user is in one of the groups that distributions give real-time rights to, and which.
    pub groups: Vec<String>,
    /// Processors online.
    pub processors: usize,
    /// Frequency governors in use; empty: the system does not say (a virtual machine, often).
    pub governors: Vec<String>,
    /// `PREEMPT_RT`, `PREEMPT_DYNAMIC` or `PREEMPT`, if the kernel says one.
    pub kernel_preemption: Option<String>,
    /// Microseconds of each second that real-time threads may use; -1: all of it.
    pub real_time_runtime_us: Option<i64>,
}

/// A limit in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MemoryLimit {
    /// At most so many bytes.
    Bytes(u64),
    /// No limit.
    Unlimited,
    /// The system does not say.
    Unknown,
}

/// Groups that get real-time rights by the packages of usual distributions.
const REAL_TIME_GROUPS: &[&str] = &["audio", "realtime", "pipewire", "jackuser"];

/// Looks at the machine. Takes a few milliseconds.
pub fn real_time_facts() -> RealTimeFacts {
    let refusal = std::thread::Builder::new()
        .spawn(|| kmidi_sys::set_fifo(1).err())
        .ok()
        .and_then(|thread| thread.join().ok())
        .unwrap_or_else(|| Some(std::io::Error::other("no thread can be started")));
    RealTimeFacts {
        real_time_allowed: refusal.is_none(),
        real_time_refusal: refusal.map(|error| error.to_string()),
        real_time_priority_limit: kmidi_sys::limit(Resource::RealTimePriority).ok().flatten(),
        locked_memory_limit: match kmidi_sys::limit(Resource::LockedMemory) {
            Ok(Some(bytes)) => MemoryLimit::Bytes(bytes),
            Ok(None) => MemoryLimit::Unlimited,
            Err(_) => MemoryLimit::Unknown,
        },
        groups: real_time_groups(&read("/proc/self/status"), &read("/etc/group")),
        processors: std::thread::available_parallelism().map_or(1, usize::from),
        governors: governors(),
        kernel_preemption: preemption(&read("/proc/version")),
        real_time_runtime_us: read("/proc/sys/kernel/sched_rt_runtime_us").trim().parse().ok(),
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn real_time_groups(status: &str, groups: &str) -> Vec<String> {
    let ids: BTreeSet<&str> = status
        .lines()
        .filter(|line| line.starts_with("Groups:") || line.starts_with("Gid:"))
        .flat_map(|line| line.split_whitespace().skip(1))
        .collect();
    let named = groups.lines().filter_map(|line| {
        let mut fields = line.split(':');
        Some((fields.next()?, fields.nth(1)?))
    });
    named
        .filter(|(name, id)| REAL_TIME_GROUPS.contains(name) && ids.contains(id))
        .map(|(name, _)| name.to_owned())
        .collect()
}

fn governors() -> Vec<String> {
    let processors = fs::read_dir("/sys/devices/system/cpu").into_iter().flatten().flatten();
    let files = processors.map(|entry| entry.path().join("cpufreq/scaling_governor"));
    let found: BTreeSet<String> =
        files.filter_map(|file| fs::read_to_string(file).ok()).map(|text| text.trim().to_owned()).collect();
    found.into_iter().collect()
}

fn preemption(version: &str) -> Option<String> {
    let known = ["PREEMPT_RT", "PREEMPT_DYNAMIC", "PREEMPT"];
    known
        .iter()
        .find(|kind| version.split_whitespace().any(|word| word == **kind))
        .map(|kind| (*kind).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_system_writes() {
        let status = "Name:\tx\nGid:\t1000\t1000\t1000\t1000\nGroups:\t4 29 1000 \n";
        let groups = "root:x:0:\nadm:x:4:u\naudio:x:29:u\nrealtime:x:129:\n";
        assert_eq!(real_time_groups(status, groups), ["audio"]);
        assert_eq!(real_time_groups("Gid:\t0\t0\nGroups:\t0\n", groups), [""; 0]);
        let version = "Linux version 6.1.0 (gcc) #1 SMP PREEMPT_DYNAMIC Debian 6.1";
        assert_eq!(preemption(version).as_deref(), Some("PREEMPT_DYNAMIC"));
        assert_eq!(preemption("Linux version 6.1.0 #1 SMP"), None);
    }

    #[test]
    fn what_is_found_by_trying_comes_with_a_reason() {
        let facts = real_time_facts();
        assert_eq!(facts.real_time_allowed, facts.real_time_refusal.is_none());
        assert!(facts.processors > 0);
    }
}
