use super::*;

const TEXT: &str = "a text";

fn gain(gain_db: f64) -> RackEdit {
    RackEdit::Gain { gain_db }
}

fn bypass(slot: &str) -> RackEdit {
    RackEdit::Bypass { slot: slot.into(), bypassed: true }
}

fn open(path: &Path, text: &str) -> (Journal, Found) {
    Journal::open(path, text).unwrap()
}

#[test]
fn what_is_written_is_found_and_torn_or_changed_lines_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.toml.journal");
    let edits = [gain(1.0), bypass("a"), bypass("b")];
    let (mut journal, found) = open(&path, TEXT);
    assert_eq!(found, Found::default());
    edits.iter().for_each(|edit| journal.append(edit, Duration::ZERO).unwrap());
    assert!(matches!(Journal::open(&path, TEXT), Err(RackFileError::InUse { .. })));
    drop(journal);
    let whole = std::fs::read(&path).unwrap();
    let ends: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] == b'\n').map(|at| at + 1).collect();
    for cut in 0..=whole.len() {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let (mut journal, found) = open(&path, TEXT);
        let lines = ends.iter().filter(|end| **end <= cut).count();
        assert_eq!(found.edits, edits[..lines.saturating_sub(1)], "cut at {cut}");
        // What follows is found too.
        journal.append(&gain(9.0), Duration::ZERO).unwrap();
        drop(journal);
        assert_eq!(open(&path, TEXT).1.edits.last(), Some(&gain(9.0)), "cut at {cut}");
    }
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        std::fs::write(&path, &damaged).unwrap();
        let line = ends.iter().filter(|end| **end <= at).count();
        let (_, found) = open(&path, TEXT);
        assert_eq!(found.edits, edits[..line.saturating_sub(1)], "changed at {at}");
    }
}

#[test]
fn changes_of_another_text_are_told_with_it_and_stay_until_they_are_those_of_this_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.toml.journal");
    open(&path, TEXT).0.append(&gain(1.0), Duration::ZERO).unwrap();
    for _ in 0..2 {
        let (_, found) = open(&path, "another text");
        let of_text = Some(TEXT.to_owned());
        assert_eq!(found, Found { edits: vec![gain(1.0)], of_text, put_aside: None });
    }
    let (mut journal, _) = open(&path, "another text");
    journal.rebase("another text", vec![bypass("a")]).unwrap();
    drop(journal);
    let (mut journal, found) = open(&path, "another text");
    assert_eq!(found, Found { edits: vec![bypass("a")], ..Found::default() });
    journal.rebase(TEXT, vec![]).unwrap();
    drop(journal);
    assert!(!path.exists());
}

#[test]
fn changes_of_a_text_that_is_not_known_are_put_aside_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.toml.journal");
    for name in ["r.toml.journal.old", "r.toml.journal.old.2"] {
        let of = Line::Of { journal: VERSION, text: checksum(TEXT.as_bytes()), whole: None };
        let lines = written(&of).unwrap() + &written(&Line::Edit(gain(1.0))).unwrap();
        std::fs::write(&path, &lines).unwrap();
        assert_eq!(open(&path, TEXT).1, Found { edits: vec![gain(1.0)], ..Found::default() });
        let (journal, found) = open(&path, "another text");
        assert_eq!((found.edits.len(), journal.bytes), (0, 0));
        assert_eq!(found.put_aside, Some(folder.path().join(name)));
        assert_eq!(std::fs::read_to_string(folder.path().join(name)).unwrap(), lines);
    }
}

#[test]
fn what_could_not_be_written_is_written_with_the_next_that_can() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.toml.journal");
    let (mut journal, _) = open(&path, TEXT);
    journal.append(&gain(1.0), Duration::ZERO).unwrap();
    // One that cannot be written to.
    journal.file = File::open(&path).unwrap();
    journal.append(&bypass("a"), Duration::ZERO).unwrap_err();
    assert!(!journal.is_whole());
    journal.append(&bypass("b"), Duration::ZERO).unwrap();
    assert!(journal.is_whole());
    drop(journal);
    assert_eq!(open(&path, TEXT).1.edits, [gain(1.0), bypass("a"), bypass("b")]);
}

#[test]
fn a_crash_on_either_side_of_a_save_loses_and_repeats_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.toml.journal");
    let (mut journal, _) = open(&path, TEXT);
    journal.append(&gain(1.0), Duration::ZERO).unwrap();
    journal.saving("new text").unwrap();
    drop(journal);
    let before = std::fs::read(&path).unwrap();
    assert_eq!(open(&path, TEXT).1.edits, [gain(1.0)], "the old text is still there");
    std::fs::write(&path, before).unwrap();
    let (mut journal, found) = open(&path, "new text");
    assert_eq!(found, Found::default());
    journal.append(&bypass("a"), Duration::ZERO).unwrap();
    drop(journal);
    let (mut journal, found) = open(&path, "new text");
    assert_eq!(found.edits, [bypass("a")]);
    journal.saving("newer text").unwrap();
    journal.saved("newer text").unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 0);
}

#[test]
fn a_journal_with_nothing_to_say_goes_at_the_end_and_one_with_changes_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.toml.journal");
    let (journal, _) = open(&path, TEXT);
    assert!(path.exists(), "it is the lock");
    drop(journal);
    assert!(!path.exists());
    let (mut journal, _) = open(&path, TEXT);
    journal.append(&gain(1.0), Duration::ZERO).unwrap();
    drop(journal);
    assert!(path.exists());
    // One that somebody has put into its place is not its own.
    let (mut journal, _) = open(&path, TEXT);
    journal.saved(TEXT).unwrap();
    std::fs::rename(&path, folder.path().join("elsewhere")).unwrap();
    std::fs::write(&path, "").unwrap();
    drop(journal);
    assert!(path.exists());
}

#[test]
fn whoever_waits_for_a_journal_that_goes_has_one_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.toml.journal");
    let next = std::sync::atomic::AtomicU32::new(1);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    // Held for long by the others at worst.
                    let Ok((mut journal, found)) = Journal::open(&path, TEXT) else { continue };
                    assert_eq!(found, Found::default());
                    let number = f64::from(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
                    journal.append(&gain(number), Duration::ZERO).unwrap();
                    let written = std::fs::read(&path).expect("the file that it writes is at its path");
                    let read = read(&written, TEXT);
                    assert_eq!((read.of, read.edits), (Of::This, vec![gain(number)]));
                    journal.saved(TEXT).unwrap();
                }
            });
        }
    });
    assert!(next.into_inner() > 50, "the control: most had it");
    assert!(!path.exists());
}

#[test]
fn a_journal_of_a_storm_stays_small_and_has_the_last_of_each() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.toml.journal");
    let (mut journal, _) = open(&path, TEXT);
    journal.append(&bypass("a"), Duration::ZERO).unwrap();
    for n in 0..40_000 {
        journal.append(&gain(f64::from(n)), Duration::ZERO).unwrap();
    }
    assert!(matches!(Journal::open(&path, TEXT), Err(RackFileError::InUse { .. })), "still its own");
    drop(journal);
    assert!(std::fs::metadata(&path).unwrap().len() < COMPACT_BYTES + 1000);
    assert_eq!(open(&path, TEXT).1.edits, [bypass("a"), gain(39_999.0)]);
}

#[test]
fn a_line_is_on_the_disk_within_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(&folder.path().join("r.toml.journal"), TEXT);
    let at = Duration::from_millis;
    journal.append(&gain(1.0), at(1000)).unwrap();
    journal.append(&gain(2.0), at(1200)).unwrap();
    journal.sync_if_due(at(1249)).unwrap();
    assert!(journal.unsynced_since.is_some(), "control: not yet");
    journal.sync_if_due(at(1250)).unwrap();
    assert!(journal.unsynced_since.is_none());
}
