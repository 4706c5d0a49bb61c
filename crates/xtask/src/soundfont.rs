//! `cargo xtask soundfont`: makes the SoundFont that is shipped, from FluidR3 GM.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{cargo, packages, root, succeed};

const SOURCE: &str = "/usr/share/sounds/sf2/FluidR3_GM.sf2";
const COPYRIGHT: &str = "/usr/share/doc/fluid-soundfont-gm/copyright";
/// Of the source: another release of it would make another file.
const SOURCE_SHA256: &str = "74594e8f4250680adf590507a306655a299935343583256f3b722c48a1bc1cb0";
const MADE: &str = "kmidi-gm.sf3";
const LICENCE: &str = "kmidi-gm.LICENSE.txt";

/// Installs what it needs, makes the file and its manifest, and runs the tests that look at it.
///
/// # Errors
/// Something is missing, another release of FluidR3 is installed, or the file fails its tests.
pub fn run() -> Result<()> {
    packages::ensure(packages::BUILD)?;
    packages::ensure(packages::SOUNDFONT)?;
    let folder = root().join("assets/soundfonts");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let sum = sha256(Path::new(SOURCE), &folder)?;
    if !sum.starts_with(SOURCE_SHA256) {
        bail!("{SOURCE} is not the FluidR3 GM that this was written for: its sha256 is {sum}");
    }
    let maker = "run --quiet --release --locked -p kmidi-soundfont --example make_gm --";
    succeed(cargo(maker).arg(SOURCE).arg(folder.join(MADE)))?;
    std::fs::write(folder.join(LICENCE), licence()?).context("cannot write the licence")?;
    let manifest = [sha256(Path::new(LICENCE), &folder)?, sha256(Path::new(MADE), &folder)?].concat();
    std::fs::write(folder.join("SHA256SUMS"), manifest).context("cannot write the manifest")?;
    succeed(&mut cargo("test --quiet --release --locked -p kmidi-soundfont --test file shipped"))
}

/// A line of a manifest.
fn sha256(file: &Path, folder: &Path) -> Result<String> {
    let output = Command::new("sha256sum").arg(file).current_dir(folder).output();
    let output = output.context("cannot run sha256sum")?;
    if !output.status.success() {
        bail!("{}: {}", file.display(), String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The copyright and licence of FluidR3, without what concerns Debian's packaging alone.
fn licence() -> Result<String> {
    let text = std::fs::read_to_string(COPYRIGHT).with_context(|| format!("cannot read {COPYRIGHT}"))?;
    let (Some(start), Some(end)) = (text.find("Upstream Author:"), text.find("The Debian packaging is"))
    else {
        bail!("{COPYRIGHT} has changed: look at it");
    };
    Ok(format!(
        "{MADE} was made from FluidR3 GM (FluidR3_GM.sf2, Debian package fluid-soundfont-gm) by\n\
         `cargo xtask soundfont`: fewer samples, mostly mono, Vorbis-compressed. It stays under the licence\n\
         of FluidR3 GM:\n\n{}\n",
        text[start..end].trim_end()
    ))
}
