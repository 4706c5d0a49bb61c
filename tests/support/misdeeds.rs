//! The plugins of `tests/data/misdeeds.c`, built. Stands on nothing else of the tests, so that any crate's can include it.

use std::path::PathBuf;
use std::process::Command;

const SOURCE: &str = include_str!("../data/misdeeds.c");

/// A bundle with all of them, `urn:misdeed:NAME` each.
pub struct Misdeeds {
    folder: tempfile::TempDir,
}

impl Misdeeds {
    /// Compiles them. Needs the C compiler that the build needs too.
    #[allow(clippy::new_without_default, reason = "it starts a compiler")]
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let misdeeds = Misdeeds { folder };
        let bundle = misdeeds.bundle();
        std::fs::create_dir(&bundle).expect("a folder");
        let source = misdeeds.folder.path().join("misdeeds.c");
        std::fs::write(&source, SOURCE).expect("written");
        let mut cc = Command::new("cc");
        cc.args(["-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o"]);
        cc.arg(bundle.join("misdeeds.so")).arg(source).args(["-pthread", "-ldl", "-lm"]);
        let done = cc.output().expect("cc runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        std::fs::write(bundle.join("manifest.ttl"), manifest()).expect("written");
        misdeeds
    }

    /// Where they are, with the name that a bundle has.
    pub fn bundle(&self) -> PathBuf {
        self.folder.path().join("misdeeds.lv2")
    }
}

/// The names of all, as the table in the source has them.
pub fn names() -> Vec<&'static str> {
    let table = SOURCE.split_once("MISDEEDS[] = {").and_then(|(_, rest)| rest.split_once("};"));
    let (table, _) = table.expect("there is a table");
    table.lines().filter_map(|line| line.trim().strip_prefix("{ \"")?.split('"').next()).collect()
}

fn manifest() -> String {
    let plugin = |name: &str| {
        format!(
            "<urn:misdeed:{name}> a lv2:Plugin ; doap:name \"{name}\" ; lv2:binary <misdeeds.so> ;
             lv2:extensionData <http://lv2plug.in/ns/ext/state#interface> ;
             lv2:requiredFeature <http://lv2plug.in/ns/ext/urid#map> ; lv2:port
             [ a lv2:AudioPort, lv2:InputPort ; lv2:index 0 ; lv2:symbol \"in\" ; lv2:name \"In\" ],
             [ a lv2:AudioPort, lv2:OutputPort ; lv2:index 1 ; lv2:symbol \"out\" ; lv2:name \"Out\" ],
             [ a lv2:ControlPort, lv2:OutputPort ; lv2:index 2 ; lv2:symbol \"latency\" ; lv2:name \"Latency\" ;
               lv2:designation lv2:latency ; lv2:minimum 0 ; lv2:maximum 8192 ] .\n"
        )
    };
    let prefixes =
        "@prefix lv2: <http://lv2plug.in/ns/lv2core#> . @prefix doap: <http://usefulinc.com/ns/doap#> .\n";
    std::iter::once(prefixes.to_owned()).chain(names().into_iter().map(plugin)).collect()
}
