//! What stands between this machine and real-time audio, and the command that mends it.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use basedrop::Collector;
use kmidi_device::{Backend, BackendInfo, MemoryLimit, RealTimeFacts, list_devices, real_time_facts};
use kmidi_memory::Budgets;
use serde::Serialize;

use crate::job::Cancel;
use crate::sound_bank::SoundBank;
use crate::sound_fonts::SoundFontChoice;

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

/// Memory that may be locked, below which what the audio thread needs may be paged out: 64 MiB.
const LOCKED_BYTES: u64 = 64 << 20;

const GRANT: &str = "printf '@audio - rtprio 95\\n@audio - memlock unlimited\\n' \
    | sudo tee /etc/security/limits.d/95-kmidi.conf && sudo usermod -aG audio \"$USER\"   # then log in again";
const JOIN: &str = "sudo usermod -aG audio \"$USER\"   # then log in again";

impl Check {
    fn good(name: &'static str, found: impl Into<String>) -> Self {
        Check { name, ok: true, found: found.into(), mend: None }
    }

    fn bad(name: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Check { name, ok: false, found: found.into(), mend: Some(mend.into()) }
    }
}

/// Looks at all there is, in the order in which it should be mended. `sound_fonts` as for playing.
/// Takes up to some seconds where a sound server does not answer.
pub fn check_all(sound_fonts: &[SoundFontChoice]) -> Vec<Check> {
    let facts = real_time_facts();
    let mut checks = vec![check_priority(&facts), check_locked_memory(&facts)];
    checks.extend(check_governor(&facts));
    checks.extend(check_rights(Path::new("/dev/snd")));
    checks.push(check_devices(&list_devices()));
    checks.push(check_sound_fonts(sound_fonts));
    checks
}

fn check_priority(facts: &RealTimeFacts) -> Check {
    const NAME: &str = "real-time priority";
    if facts.real_time_allowed {
        return Check::good(NAME, "granted");
    }
    let reason = facts.real_time_refusal.as_deref().unwrap_or("refused");
    let mend = match facts.real_time_runtime_us {
        Some(0) => "sudo sysctl -w kernel.sched_rt_runtime_us=950000",
        _ => GRANT,
    };
    Check::bad(NAME, format!("{reason}: under load, audio comes too late"), mend)
}

fn check_locked_memory(facts: &RealTimeFacts) -> Check {
    const NAME: &str = "locked memory";
    match facts.locked_memory_limit {
        MemoryLimit::Unlimited => Check::good(NAME, "unlimited"),
        MemoryLimit::Bytes(bytes) if bytes >= LOCKED_BYTES => {
            Check::good(NAME, format!("up to {} MiB", bytes >> 20))
        }
        MemoryLimit::Bytes(bytes) => {
            let found =
                format!("at most {} KiB: the audio thread may wait for paged-out memory", bytes >> 10);
            Check::bad(NAME, found, GRANT)
        }
        MemoryLimit::Unknown => Check::good(NAME, "the system does not say"),
    }
}

fn check_governor(facts: &RealTimeFacts) -> Option<Check> {
    const NAME: &str = "CPU governor";
    match facts.governors.as_slice() {
        // A virtual machine, or processors of one speed.
        [] => None,
        [one] if one == "performance" => Some(Check::good(NAME, one)),
        others => Some(Check::bad(
            NAME,
            format!("{}: processors slow down between callbacks", others.join(", ")),
            "echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor",
        )),
    }
}

fn check_rights(devices: &Path) -> Option<Check> {
    const NAME: &str = "rights to sound cards";
    let mut cards = fs::read_dir(devices).ok()?.flatten().map(|entry| entry.path()).filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("control")
    });
    let first = cards.next()?;
    let denied = |path: &Path| fs::File::open(path).is_err_and(|e| e.kind() == ErrorKind::PermissionDenied);
    let refused = std::iter::once(first).chain(cards).find(|path| denied(path));
    Some(match refused {
        None => Check::good(NAME, "granted"),
        Some(path) => Check::bad(NAME, format!("{} may not be opened", path.display()), JOIN),
    })
}

fn check_devices(backends: &[BackendInfo]) -> Check {
    const NAME: &str = "audio devices";
    let real = || backends.iter().filter(|info| info.backend != Backend::Null);
    let usable: Vec<String> = real()
        .filter(|info| info.unavailable.is_none())
        .flat_map(|info| info.devices.iter().map(|device| format!("{} {}", info.backend, device.name)))
        .collect();
    if !usable.is_empty() {
        return Check::good(NAME, usable.join(", "));
    }
    let reason = |info: &BackendInfo| {
        format!("{}: {}", info.backend, info.unavailable.as_deref().unwrap_or("it has no device"))
    };
    let reasons: Vec<String> = real().map(reason).collect();
    Check::bad(
        NAME,
        reasons.join("; "),
        "systemctl --user start pipewire pipewire-pulse   # or: jackd -d alsa -r 48000 -p 256; \
         without a sound card: kmidi render SONG.mid -o out.wav",
    )
}

fn check_sound_fonts(choices: &[SoundFontChoice]) -> Check {
    const NAME: &str = "SoundFont";
    let handle = Collector::new().handle();
    match SoundBank::open_here(choices, &handle, &Budgets::default(), &Cancel::default()) {
        Ok(bank) => {
            let named = bank.names().into_iter().zip(bank.presets());
            let found: Vec<_> = named.map(|(name, presets)| format!("{name}, {presets} presets")).collect();
            Check::good(NAME, found.join("; "))
        }
        Err(error) => Check::bad(
            NAME,
            error.to_string(),
            "unset KMIDI_SF   # and take `sf` out of the configuration file: the built-in one is used then",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> RealTimeFacts {
        RealTimeFacts {
            real_time_allowed: true,
            real_time_refusal: None,
            real_time_priority_limit: Some(95),
            locked_memory_limit: MemoryLimit::Unlimited,
            groups: vec![],
            processors: 2,
            governors: vec!["performance".into()],
            kernel_preemption: None,
            real_time_runtime_us: Some(950_000),
        }
    }

    /// Whether the check is fine with good facts and comes with a mend for bad ones.
    fn check(judge: impl Fn(&RealTimeFacts) -> Check, worse: impl Fn(&mut RealTimeFacts), mend: &str) {
        assert_eq!(judge(&facts()).mend, None);
        let mut bad = facts();
        worse(&mut bad);
        let check = judge(&bad);
        assert!(!check.ok && check.mend.as_deref().is_some_and(|text| text.contains(mend)), "{check:?}");
    }

    #[test]
    fn everything_that_is_wrong_comes_with_the_command_that_mends_it() {
        let refused = |facts: &mut RealTimeFacts| {
            facts.real_time_allowed = false;
            facts.real_time_refusal = Some("Operation not permitted".into());
        };
        check(check_priority, refused, "rtprio");
        let no_time = |facts: &mut RealTimeFacts| {
            facts.real_time_allowed = false;
            facts.real_time_runtime_us = Some(0);
        };
        check(check_priority, no_time, "sched_rt_runtime_us");
        check(
            check_locked_memory,
            |facts| facts.locked_memory_limit = MemoryLimit::Bytes(8 << 20),
            "memlock",
        );
        let governor = |facts: &RealTimeFacts| check_governor(facts).unwrap();
        check(governor, |facts| facts.governors = vec!["performance".into(), "powersave".into()], "governor");
    }

    #[test]
    fn a_machine_without_devices_is_told_how_to_get_sound_all_the_same() {
        let backend = |backend, unavailable: Option<&str>| BackendInfo {
            backend,
            unavailable: unavailable.map(str::to_string),
            devices: vec![],
            midi_inputs: vec![],
            midi_outputs: vec![],
            midi_unavailable: None,
        };
        let check = check_devices(&[backend(Backend::Jack, Some("no server")), backend(Backend::Null, None)]);
        assert!(!check.ok && check.found == "JACK: no server", "{check:?}");
        assert!(check.mend.unwrap().contains("kmidi render"));
    }

    #[test]
    fn a_missing_soundfont_is_found() {
        let missing = SoundFontChoice { file: Some("/nonexistent.sf2".into()), bank_offset: 0 };
        assert!(!check_sound_fonts(&[SoundFontChoice::default(), missing]).ok);
        assert!(check_sound_fonts(&[]).ok);
    }
}
