//! System packages: which are needed, which are missing, and how they get installed.

use std::io::IsTerminal;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// A Debian package and what it is for.
pub struct Package {
    /// Its name in Debian and Ubuntu.
    pub name: &'static str,
    /// What stops working without it.
    pub purpose: &'static str,
}

const fn package(name: &'static str, purpose: &'static str) -> Package {
    Package { name, purpose }
}

/// What `cargo build` needs.
pub const BUILD: &[Package] = &[
    package("gcc", "C compiler driver, with which Rust links"),
    package("libc6-dev", "C library headers"),
    package("pkg-config", "finds the two libraries below"),
    package("libasound2-dev", "ALSA headers"),
    package("libjack-jackd2-dev", "JACK headers (the library itself is loaded at run time, if there is one)"),
];

/// What the tests need besides [`BUILD`].
pub const TEST: &[Package] = &[
    package("g++", "links the fuzz targets"),
    package("jackd2", "JACK server with a dummy driver"),
    package("jack-tools", "jack_freewheel, jack_bufsize, jack_wait"),
    package("jack-capture", "records what a JACK client plays"),
    package("pulseaudio", "PulseAudio server with a null sink"),
    package("pulseaudio-utils", "pactl, parecord"),
    package("libasound2-plugins", "ALSA devices that play to PulseAudio"),
    package("fluidsynth", "the reference sound"),
    package("fluid-soundfont-gm", "the SoundFont of the reference sound"),
    package("timgm6mb-soundfont", "a small SoundFont"),
    package("valgrind", "callgrind counts instructions, memcheck finds lost memory"),
    package("strace", "shows system calls"),
    package("sox", "makes and looks at audio files"),
    package("vorbis-tools", "makes compressed SoundFonts"),
    package("python3-prometheus-client", "reads metrics as Prometheus does"),
];

/// Plugins of others, on which hosting is proved, and lilv, which other hosts read LV2 with. Only tests use them.
pub const PLUGINS: &[Package] = &[
    package("zam-plugins", "17 plugins as CLAP, VST3 and LV2"),
    package("amsynth", "LV2: a synthesiser"),
    package("avldrums.lv2", "LV2: drum kits that a worker loads"),
    package("blop-lv2", "LV2: oscillators and filters with control voltages"),
    package("calf-plugins", "LV2: effects and instruments that take long to load"),
    package("dpf-plugins-lv2", "LV2: effects of another framework"),
    package("dragonfly-reverb-lv2", "LV2: reverbs"),
    package("fomp", "LV2: filters and oscillators with control voltages"),
    package("invada-studio-plugins-lv2", "LV2: effects"),
    package("ir.lv2", "LV2: convolution"),
    package("lsp-plugins-lv2", "LV2: effects with many ports"),
    package("lv2-examples", "LV2: the examples of the specification"),
    package("mda-lv2", "LV2: effects and instruments"),
    package("rubberband-lv2", "LV2: pitch shifting with latency"),
    package("so-synth-lv2", "LV2: a library that cannot be loaded"),
    package("swh-lv2", "LV2: a hundred small effects"),
    package("synthv1-lv2", "LV2: a synthesiser with Qt"),
    package("x42-plugins", "LV2: filters of MIDI, meters, effects"),
    package("zynaddsubfx-lv2", "LV2: a synthesiser with many presets"),
    package("lilv-utils", "lv2apply, whose output ours is compared with"),
    package("liblilv-dev", "what LV2 bundles say, to compare with"),
];

/// What making the shipped SoundFont needs.
pub const SOUNDFONT: &[Package] = &[
    package("fluid-soundfont-gm", "the SoundFont it is made from"),
    package("vorbis-tools", "compresses the samples"),
    package("fluidsynth", "another reader, to compare with"),
];

/// What the comparison with other synthesisers needs besides [`BUILD`].
pub const PEERS: &[Package] = &[
    package("fluidsynth", "a synthesiser to compare with"),
    package("libfluidsynth-dev", "the same as a library, which tells its voices"),
    package("timidity", "a synthesiser to compare with"),
    package("fluid-soundfont-gm", "the SoundFont that all play with"),
];

/// What the comparison with other hosts of plugins needs besides [`BUILD`].
pub const PLUGIN_PEERS: &[Package] = &[
    package("zam-plugins", "the effects that all hosts run"),
    package("python3-venv", "keeps the other hosts, which are Python packages, to themselves"),
];

/// What the comparison with Python packages needs besides [`BUILD`].
pub const PYTHON: &[Package] = &[package("python3-venv", "keeps Python packages to themselves")];

/// Installs those of `packages` that are missing, where this is Debian (or a child of it) and the
/// user may; elsewhere says what is needed and goes on, since it may be there under another name.
///
/// # Errors
/// The packages are missing and cannot be installed from here: the message has the command that does.
pub fn ensure(packages: &[Package]) -> Result<()> {
    let Some(missing) = missing(packages)? else {
        eprintln!(
            "This is not a Debian system. If the next step fails, install what these Debian packages hold:"
        );
        for package in packages {
            eprintln!("  {:20} {}", package.name, package.purpose);
        }
        return Ok(());
    };
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("System packages to install:");
    for package in &missing {
        eprintln!("  {:20} {}", package.name, package.purpose);
    }
    let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
    let Some(sudo) = privilege()? else {
        bail!(
            "these packages are missing and this user may not install them. Run\n\n    sudo apt-get install {}\n\nand then this command again",
            names.join(" ")
        );
    };
    if install(sudo, &names)? {
        return Ok(());
    }
    // A fresh machine or container has no package lists, or stale ones.
    apt(sudo, &["update"])?;
    if !install(sudo, &names)? {
        bail!("apt-get could not install {} (its message is above)", names.join(" "));
    }
    Ok(())
}

/// The packages that are not installed, or `None` where there is no dpkg.
fn missing(packages: &[Package]) -> Result<Option<Vec<&Package>>> {
    let names = packages.iter().map(|package| package.name);
    let query = Command::new("dpkg-query")
        .args(["--show", "--showformat=${Package} ${db:Status-Status}\n"])
        .args(names)
        .stderr(Stdio::null())
        .output();
    match query {
        Ok(output) => Ok(Some(not_installed(packages, &String::from_utf8_lossy(&output.stdout)))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).context("cannot run dpkg-query"),
    }
}

fn not_installed<'a>(packages: &'a [Package], listing: &str) -> Vec<&'a Package> {
    let installed: Vec<&str> = listing.lines().filter_map(|line| line.strip_suffix(" installed")).collect();
    packages.iter().filter(|package| !installed.contains(&package.name)).collect()
}

/// How to become root: `Some(false)` is root already, `Some(true)` through sudo, `None` not at all.
fn privilege() -> Result<Option<bool>> {
    let id = Command::new("id").arg("--user").output().context("cannot run id")?;
    if id.stdout.trim_ascii() == b"0" {
        return Ok(Some(false));
    }
    // A password can be asked for only where somebody can type it.
    let mut sudo = Command::new("sudo");
    sudo.stdout(Stdio::null()).stderr(Stdio::null());
    let allowed = match std::io::stdin().is_terminal() {
        true => sudo.arg("--version").status(),
        false => sudo.args(["--non-interactive", "true"]).status(),
    };
    Ok(allowed.is_ok_and(|status| status.success()).then_some(true))
}

fn install(sudo: bool, names: &[&str]) -> Result<bool> {
    // `--no-remove`: never trade a user's sound server for ours.
    let mut arguments = vec!["install", "--yes", "--no-install-recommends", "--no-remove"];
    arguments.extend(names);
    apt(sudo, &arguments)
}

fn apt(sudo: bool, arguments: &[&str]) -> Result<bool> {
    let mut words = if sudo { vec!["sudo"] } else { vec![] };
    words.extend(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet"]);
    words.extend(arguments);
    eprintln!("$ {}", words.join(" "));
    // stdout is for what the command was asked for, such as a table.
    let mut command = Command::new(words[0]);
    let status =
        command.args(&words[1..]).stdout(std::io::stderr()).status().context("cannot run apt-get")?;
    Ok(status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_package_whose_settings_remain_is_missing() {
        let wanted = [package("sox", ""), package("strace", ""), package("valgrind", "")];
        let listing = "sox installed\nstrace config-files\n";
        let names: Vec<&str> = not_installed(&wanted, listing).iter().map(|package| package.name).collect();
        assert_eq!(names, ["strace", "valgrind"]);
    }
}
