//! `cargo xtask bench-peers`: KmiDi measured beside other synthesisers. Takes an hour or two, so no
//! part of the tests.

use std::path::PathBuf;

use anyhow::Result;

use crate::{cargo, packages, root, succeed};

/// Installs what it needs, builds `kmidi` and the comparison, and runs it with `arguments`.
///
/// # Errors
/// Something is missing, does not build, or cannot be measured.
pub fn run(arguments: &[String]) -> Result<()> {
    packages::ensure(packages::BUILD)?;
    packages::ensure(packages::PEERS)?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    let target = root().join(target);
    let build = "build --release --locked --bin kmidi --target-dir";
    succeed(cargo(build).arg(&target))?;
    let peers = "run --quiet --release --locked --manifest-path benches/peers/Cargo.toml --target-dir";
    let kmidi = target.join("release/kmidi");
    succeed(cargo(peers).arg(target.join("peers")).arg("--").arg(kmidi).args(arguments))
}
