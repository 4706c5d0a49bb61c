//! The catalogue says what is in its folder, and each model may be given to anyone.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use kmidi_memory::Budgets;
use kmidi_ml::model::{Catalog, ModelCache, ModelEntry, ModelFolders, ModelName};
use sha2::{Digest, Sha256};

/// Licences under which a model may be given on and sold.
const ALLOWED: [&str; 4] = ["Apache-2.0", "MIT", "BSD-3-Clause", "Apache-2.0 AND MIT"];

fn assets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/models")
}

fn manifest() -> String {
    fs::read_to_string(assets().join("manifest.toml")).unwrap()
}

/// Where the files and the licence of a model lie.
fn folder_of(entry: &ModelEntry) -> PathBuf {
    assets().join(Path::new(&entry.licence_file).parent().unwrap())
}

/// What is not as the catalogue says.
fn faults(catalog: &Catalog) -> Vec<String> {
    let mut faults = vec![];
    for entry in catalog.entries() {
        if !ALLOWED.contains(&entry.licence.as_str()) {
            faults.push(format!("{}: {}", entry.name, entry.licence));
        }
        let text = fs::read_to_string(assets().join(&entry.licence_file)).unwrap_or_default();
        if text.len() < 500 || !entry.licence_text().contains(text.trim()) {
            faults.push(format!("{}: no {}", entry.name, entry.licence_file));
        }
        for file in entry.files.iter().filter(|_| entry.built_in) {
            let bytes = fs::read(folder_of(entry).join(&file.name)).unwrap_or_default();
            let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            if (bytes.len() as u64, hash) != (file.bytes, file.sha256.clone()) {
                faults.push(format!("{}: {} is another", entry.name, file.name));
            }
        }
    }
    faults
}

#[test]
fn every_file_is_what_the_catalogue_says_and_has_its_licence() {
    assert_eq!(faults(Catalog::of_the_program()), [""; 0]);
}

#[test]
fn control_another_hash_length_or_licence_is_seen() {
    let text = manifest();
    let hash = &Catalog::of_the_program().entry(ModelName::SwiftF0).files[0].sha256;
    for (from, to) in [
        (hash.as_str(), "0000000000000000000000000000000000000000000000000000000000000000"),
        ("bytes = 135090", "bytes = 135091"),
        ("licence_file = \"swift-f0/LICENSE.txt\"", "licence_file = \"swift-f0/LICENSE.md\""),
        ("licence = \"MIT\"", "licence = \"CC-BY-NC-4.0\""),
    ] {
        assert!(text.contains(from), "{from}");
        let changed = Catalog::parse(&text.replace(from, to)).unwrap();
        assert!(!faults(&changed).is_empty(), "{to}");
    }
}

#[test]
fn what_is_in_the_program_is_what_is_in_the_folder_and_nothing_else_is() {
    let cache = ModelCache::new(Budgets::default(), ModelFolders::default());
    let mut known = BTreeSet::from([PathBuf::from("manifest.toml")]);
    for entry in Catalog::of_the_program().entries() {
        let folder = Path::new(&entry.licence_file).parent().unwrap();
        known.extend(["LICENSE.txt", "LICENCE.md", "NOTICE.txt", "vocab.txt"].map(|name| folder.join(name)));
        for file in entry.files.iter().filter(|_| entry.built_in) {
            let there = fs::read(folder_of(entry).join(&file.name)).unwrap();
            assert!(cache.read(entry.name, &file.name).unwrap() == there, "{}", file.name);
            known.insert(folder.join(&file.name));
        }
    }
    let folders = fs::read_dir(assets()).unwrap().map(|it| it.unwrap().path());
    let files = folders.flat_map(|path| match path.is_dir() {
        true => fs::read_dir(path).unwrap().map(|it| it.unwrap().path()).collect(),
        false => vec![path],
    });
    let root = assets();
    let strange: Vec<_> =
        files.map(|it| it.strip_prefix(&root).unwrap().to_owned()).filter(|it| !known.contains(it)).collect();
    assert_eq!(strange, [""; 0].map(PathBuf::from));
}

#[test]
fn a_catalogue_that_lacks_a_model_or_names_a_file_outside_its_folder_is_refused() {
    let text = manifest();
    assert!(Catalog::parse("").is_err());
    assert!(
        Catalog::parse("model = []").unwrap_err().to_string().contains("basic-pitch: it is not in there")
    );
    let twice = text.replace("name = \"swift-f0\"", "name = \"silero-vad\"");
    assert!(Catalog::parse(&twice).is_err());
    for (from, to) in [
        ("name = \"nmp.onnx\"", "name = \"../nmp.onnx\""),
        ("name = \"nmp.onnx\"", "name = \"\""),
        ("sha256 = \"2c3c1d14", "sha256 = \"2c3c1d1"),
        ("built_in = true", "built_in = true\nsurprise = 1"),
    ] {
        assert!(text.contains(from), "{from}");
        assert!(Catalog::parse(&text.replacen(from, to, 1)).is_err(), "{to}");
    }
}

#[test]
fn every_model_has_a_name_that_is_read_back() {
    for model in ModelName::ALL {
        assert_eq!(model.name().parse(), Ok(model));
        assert_eq!(Catalog::of_the_program().entry(model).name, model);
    }
    assert!("gpt".parse::<ModelName>().unwrap_err().contains("basic-pitch"));
}
