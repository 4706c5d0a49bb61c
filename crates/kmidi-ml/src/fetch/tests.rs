use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;
use crate::model::{Catalog, FileState, ModelFolders, ModelName};

const FROM: &str = "swift_f0/model.onnx";

fn real() -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/models/swift-f0/model.onnx")).unwrap()
}

/// A package as PyPI has it.
fn package(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, bytes) in [("swift_f0/__init__.py", &b"# nothing"[..]), (name, bytes)] {
        writer.start_file(name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Where it is fetched to, from a package that is as the catalogue says.
struct Place {
    folder: tempfile::TempDir,
    entry: ModelEntry,
    package: PathBuf,
}

impl Place {
    fn new(package: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("swift_f0-0.3.0-py3-none-any.whl");
        fs::write(&path, package).unwrap();
        let mut entry = Catalog::of_the_program().entry(ModelName::SwiftF0).clone();
        entry.built_in = false;
        entry.package_sha256 = sha256_of(&path).unwrap();
        Place { folder, entry, package: path }
    }

    fn models(&self) -> PathBuf {
        self.folder.path().join("models")
    }

    fn fetch(&self) -> Result<Fetched, FetchError> {
        fetch(
            &self.entry,
            &self.models(),
            Some(&self.package),
            &Budgets::default(),
            &Cancel::default(),
            &mut |_| {},
        )
    }

    fn state(&self) -> FileState {
        ModelFolders::new([self.models()]).state(&self.entry).0
    }

    /// Nothing half done lies about.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.models()).unwrap();
        entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect()
    }
}

#[test]
fn a_model_comes_out_of_its_package_and_takes_the_place_of_a_damaged_one() {
    let place = Place::new(&package(FROM, &real()));
    assert_eq!(place.state(), FileState::Missing);
    let fetched = place.fetch().unwrap();
    assert_eq!((fetched.bytes, fetched.folder), (135_090, place.models().join("swift-f0")));
    assert_eq!(place.state(), FileState::There);
    fs::write(place.models().join("swift-f0/model.onnx"), "no model").unwrap();
    assert_eq!(place.state(), FileState::Damaged);
    place.fetch().unwrap();
    assert_eq!(place.state(), FileState::There);
    assert_eq!(place.names(), ["swift-f0"]);
}

#[test]
fn another_package_is_not_looked_into() {
    let place = Place::new(&package(FROM, &real()));
    let mut bytes = fs::read(&place.package).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&place.package, bytes).unwrap();
    let error = place.fetch().unwrap_err();
    let FetchError::Hash { expected, found, .. } = &error else { panic!("{error}") };
    assert!(expected != found && error.to_string().contains(found.as_str()));
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn a_package_that_lacks_the_file_or_holds_another_changes_nothing() {
    let good = Place::new(&package(FROM, &real()));
    let mut changed = real();
    changed[1000] ^= 1;
    let too_long = [real(), vec![0]].concat();
    let cases = [
        (package("swift_f0/other.onnx", &real()), FROM),
        (package(FROM, &changed), "SHA-256"),
        (package(FROM, &real()[..5000]), "5000 bytes of 135090"),
        (package(FROM, &too_long), "135091 bytes"),
        (b"no archive".to_vec(), "zip"),
    ];
    for (package, told) in cases {
        let place = Place::new(&package);
        fs::create_dir_all(place.models()).unwrap();
        // One that is there stays.
        fs::create_dir(place.models().join("swift-f0")).unwrap();
        fs::write(place.models().join("swift-f0/model.onnx"), real()).unwrap();
        let error = place.fetch().unwrap_err();
        assert!(error.to_string().to_lowercase().contains(&told.to_lowercase()), "{told}: {error}");
        assert_eq!((place.state(), place.names()), (FileState::There, vec!["swift-f0".to_owned()]));
    }
    good.fetch().unwrap();
}

#[test]
fn a_conversion_that_nobody_knows_and_a_full_or_forbidden_folder_are_told() {
    let mut place = Place::new(&package(FROM, &real()));
    place.entry.conversion = Some("to-gold".to_owned());
    let error = place.fetch().unwrap_err();
    assert!(matches!(error, FetchError::UnknownConversion { .. }) && error.to_string().contains("to-gold"));
    place.entry.conversion = None;
    fs::remove_dir(place.models()).unwrap();
    fs::write(place.models(), "a file").unwrap();
    assert!(matches!(place.fetch(), Err(FetchError::Write { .. })));
}

#[test]
fn what_is_cancelled_leaves_nothing() {
    let place = Place::new(&package(FROM, &real()));
    let cancel = Cancel::default();
    cancel.cancel();
    let done =
        fetch(&place.entry, &place.models(), Some(&place.package), &Budgets::default(), &cancel, &mut |_| {});
    assert!(matches!(done, Err(FetchError::Cancelled)));
    assert_eq!((place.state(), place.names()), (FileState::Missing, vec![]));
}
