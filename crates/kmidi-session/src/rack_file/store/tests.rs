use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use fastrand::Rng;

use super::*;
use crate::rack_file::RackValue;

const TEXT: &str = "\
[[slot]] # low
name = \"bass\"
plugin = \"clap:a\"
parameters = { x = 1 }

[[slot]]
name = \"missing one\"
plugin = \"clap:not.here\"
preset = \"Mine\"
colour = \"red\"
";

const NOW: Duration = Duration::ZERO;

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("live.toml");
    fs::write(&path, TEXT).unwrap();
    (folder, path)
}

fn open(path: &Path) -> (RackStore, Reopened) {
    RackStore::open(path, true).unwrap()
}

fn parameter(value: f64) -> RackEdit {
    RackEdit::Parameter { slot: "bass".into(), symbol: "x".into(), value: RackValue::Number(value) }
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_saved_rack_comes_back_with_its_states_and_its_journal_is_gone() {
    let (folder, path) = folder();
    let (mut store, _) = open(&path);
    assert!(!store.is_changed());
    store.keep_state("missing one", b"its own", NOW).unwrap();
    store.keep_state("bass", b"one", NOW).unwrap();
    store.edit(parameter(0.25), NOW).unwrap();
    assert!(store.is_changed());
    store.save().unwrap();
    assert!(store.keep_state("bass", b"two", NOW).unwrap());
    assert!(!store.keep_state("bass", b"two", NOW).unwrap(), "it is that already");
    store.save().unwrap();
    assert!(!store.is_changed());
    let rack = store.rack().clone();
    drop(store);
    assert_eq!(names_in(&folder.path().join("live.states")), ["bass.3.state", "missing one.1.state"]);
    assert!(!folder.path().join("live.toml.journal").exists());
    let (store, reopened) = open(&path);
    assert_eq!((store.rack(), reopened.restored_edits), (&rack, 0));
    assert_eq!(store.state("bass").unwrap().unwrap(), b"two");
    assert_eq!(store.state("missing one").unwrap().unwrap(), b"its own");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("# low") && text.contains("colour = \"red\""), "{text}");
}

#[test]
fn without_a_save_the_file_stays_as_it_is_and_the_changes_come_back() {
    let (_folder, path) = folder();
    let (mut store, _) = open(&path);
    store.edit(parameter(0.25), NOW).unwrap();
    store.keep_state("bass", b"one", NOW).unwrap();
    assert!(matches!(RackStore::open(&path, true), Err(RackFileError::InUse { .. })));
    drop(store);
    assert_eq!(fs::read_to_string(&path).unwrap(), TEXT);
    let (store, reopened) = open(&path);
    assert_eq!(reopened.restored_edits, 2);
    assert_eq!(store.rack().slots[0].parameters, [("x".into(), RackValue::Number(0.25))]);
    assert_eq!(store.state("bass").unwrap().unwrap(), b"one");
    // After a second crash too.
    drop(store);
    assert_eq!(open(&path).1.restored_edits, 2);
}

/// Between any two steps of a save there is either the old rack with its states or the new one.
#[test]
fn a_crash_between_states_and_text_leaves_the_old_pair_whole() {
    let (_folder, path) = folder();
    let (mut store, _) = open(&path);
    store.keep_state("bass", b"old", NOW).unwrap();
    store.save().unwrap();
    store.keep_state("bass", b"new", NOW).unwrap();
    drop(store);
    let (store, _) = RackStore::open(&path, false).unwrap();
    assert_eq!(store.state("bass").unwrap().unwrap(), b"old", "the text names the old one, which is there");
    // A generation that a crashed program has begun is not used again.
    let (mut store, _) = open(&path);
    store.keep_state("bass", b"newer", NOW).unwrap();
    let name = store.rack().slots[0].state.clone().unwrap();
    assert_eq!(name, Path::new("live.states/bass.3.state"));
}

/// Edits a rack in four places and has somebody else write the file meanwhile.
fn edited_on_both_sides(text: &str) -> (tempfile::TempDir, PathBuf, RackStore) {
    let (folder, path) = folder();
    let (mut store, _) = open(&path);
    store.keep_state("bass", b"mine", NOW).unwrap();
    store.edit(parameter(0.25), NOW).unwrap();
    store.edit(RackEdit::Bypass { slot: "bass".into(), bypassed: true }, NOW).unwrap();
    store.edit(RackEdit::Gain { gain_db: -6.0 }, NOW).unwrap();
    fs::write(&path, text).unwrap();
    (folder, path, store)
}

#[test]
fn what_both_sides_changed_is_as_the_file_has_it_and_the_other_is_put_aside() {
    let (folder, path, mut store) = edited_on_both_sides(&("gain_db = 1\n".to_owned() + TEXT));
    let here = store.rack().clone();
    let reopened = store.reload().unwrap();
    assert_eq!(reopened.restored_edits, 3);
    let told: Vec<_> = reopened.warnings.iter().filter(|it| it.contains("gain_db otherwise")).collect();
    let aside = folder.path().join("live.toml.unsaved");
    assert!(matches!(told[..], [it] if it.contains(aside.to_str().unwrap())), "{:?}", reopened.warnings);
    let rack = store.rack().clone();
    assert_eq!((rack.gain_db, rack.slots[0].bypassed), (1.0, true));
    assert_eq!(rack.slots[0].parameters, [("x".into(), RackValue::Number(0.25))]);
    // The one that was put aside is a rack like others, and stays one when the states of this one change.
    store.keep_state("bass", b"newer", NOW).unwrap();
    store.save().unwrap();
    assert_eq!(names_in(&folder.path().join("live.states")), ["bass.1.state", "bass.2.state"]);
    let (other, _) = RackStore::open(&aside, false).unwrap();
    assert_eq!((other.rack(), other.state("bass").unwrap().unwrap()), (&here, b"mine".to_vec()));
    drop(other);
    fs::remove_file(aside).unwrap();
    store.keep_state("bass", b"newest", NOW).unwrap();
    store.save().unwrap();
    assert_eq!(names_in(&folder.path().join("live.states")), ["bass.3.state"]);
    // Another plugin under that name has nothing of them.
    store.edit(parameter(0.5), NOW).unwrap();
    fs::write(&path, TEXT.replace("clap:a", "clap:b")).unwrap();
    let reopened = store.reload().unwrap();
    assert_eq!(reopened.restored_edits, 0);
    assert!(reopened.warnings.iter().any(|it| it.contains("x of bass otherwise")), "{reopened:?}");
}

#[test]
fn what_both_sides_changed_to_the_same_is_no_matter() {
    let (folder, _, mut store) = edited_on_both_sides(&("gain_db = -6\n".to_owned() + TEXT));
    let reopened = store.reload().unwrap();
    assert!(!reopened.warnings.iter().any(|it| it.contains("otherwise")), "{reopened:?}");
    assert_eq!((reopened.restored_edits, store.rack().gain_db), (3, -6.0));
    assert_eq!(names_in(folder.path()), ["live.states", "live.toml", "live.toml.journal"]);
}

#[test]
fn a_file_that_cannot_be_read_again_changes_nothing() {
    let (_folder, path, mut store) = edited_on_both_sides("slot = 1");
    let before = store.rack().clone();
    assert!(store.reload().is_err());
    assert_eq!(store.rack(), &before);
    drop(store);
    fs::write(&path, TEXT).unwrap();
    let (store, reopened) = open(&path);
    assert_eq!((store.rack(), reopened.restored_edits), (&before, 4));
    let slip = "colour is not known";
    assert!(reopened.warnings.iter().all(|it| it.contains(slip)), "nothing is put aside: {reopened:?}");
}

#[test]
fn a_file_that_was_changed_behind_a_crash_has_both_changes() {
    let (folder, path, store) = edited_on_both_sides(&("gain_db = 1\n".to_owned() + TEXT));
    drop(store);
    let (store, reopened) = open(&path);
    assert_eq!(reopened.restored_edits, 3);
    for what in ["changed since the crash: both", "gain_db otherwise"] {
        assert!(reopened.warnings.iter().any(|it| it.contains(what)), "{what}: {:?}", reopened.warnings);
    }
    let rack = store.rack().clone();
    assert_eq!((rack.gain_db, rack.slots[0].bypassed), (1.0, true));
    assert_eq!(rack.slots[0].parameters, [("x".into(), RackValue::Number(0.25))]);
    assert_eq!(store.state("bass").unwrap().unwrap(), b"mine");
    drop(store);
    let aside = RackStore::open(&folder.path().join("live.toml.unsaved"), false).unwrap().0;
    assert_eq!(aside.rack().gain_db, -6.0);
    // Once is enough: the next crash has them all.
    let (store, reopened) = open(&path);
    assert_eq!((store.rack(), reopened.restored_edits), (&rack, 3));
    assert!(!reopened.warnings.iter().any(|it| it.contains("otherwise")), "{reopened:?}");
}

#[test]
fn a_file_that_is_gone_behind_a_crash_is_there_again_from_its_journal() {
    let (_folder, path) = folder();
    let (mut store, _) = open(&path);
    store.edit(parameter(0.25), NOW).unwrap();
    let rack = store.rack().clone();
    drop(store);
    fs::remove_file(&path).unwrap();
    let (mut store, opened) = open(&path);
    assert!(opened.warnings.iter().any(|it| it.contains("was not there any more")), "{opened:?}");
    assert_eq!((store.rack(), opened.restored_edits, store.is_changed()), (&rack, 1, true));
    store.save().unwrap();
    assert!(!store.is_changed());
    assert!(fs::read_to_string(&path).unwrap().contains("[[slot]] # low"));
    drop(store);
    fs::remove_file(&path).unwrap();
    let nothing = RackStore::open(&path, true);
    assert!(matches!(nothing, Err(RackFileError::Read { .. })), "there is no journal any more");
}

#[test]
fn without_a_journal_too_a_file_that_is_read_again_has_both_changes() {
    let (folder, path) = folder();
    let (mut store, _) = RackStore::open(&path, false).unwrap();
    store.edit(parameter(0.25), NOW).unwrap();
    store.edit(RackEdit::Gain { gain_db: -6.0 }, NOW).unwrap();
    assert!(!store.is_written_down());
    fs::write(&path, "gain_db = 1\n".to_owned() + TEXT).unwrap();
    assert_eq!(store.reload().unwrap().restored_edits, 1);
    assert_eq!(store.rack().gain_db, 1.0);
    assert_eq!(store.rack().slots[0].parameters, [("x".into(), RackValue::Number(0.25))]);
    assert_eq!(names_in(folder.path()), ["live.toml", "live.toml.unsaved"]);
    store.reload().unwrap();
    assert_eq!(store.rack().slots[0].parameters, [("x".into(), RackValue::Number(0.25))]);
}

/// Killed between the new text and its note in the journal, and then edited.
#[test]
fn what_was_saved_before_the_crash_is_no_change_of_this_side() {
    let (_folder, path) = folder();
    let (mut store, _) = open(&path);
    store.edit(RackEdit::Gain { gain_db: -6.0 }, NOW).unwrap();
    let journal = fs::read(store.beside(".journal")).unwrap();
    store.save().unwrap();
    drop(store);
    fs::write(path.with_extension("toml.journal"), journal).unwrap();
    let saved = fs::read_to_string(&path).unwrap();
    fs::write(&path, saved.replace("x = 1", "x = 2")).unwrap();
    let (store, reopened) = open(&path);
    assert!(!reopened.warnings.iter().any(|it| it.contains("otherwise")), "{reopened:?}");
    assert_eq!(store.rack().gain_db, -6.0);
    assert_eq!(store.rack().slots[0].parameters, [("x".into(), RackValue::Number(2.0))]);
}

#[test]
fn who_else_writes_the_file_or_a_state_is_seen() {
    let (folder, path) = folder();
    let (mut store, _) = open(&path);
    store.keep_state("bass", b"one", NOW).unwrap();
    store.edit(parameter(0.5), NOW).unwrap();
    assert!(!store.is_overtaken());
    store.save().unwrap();
    assert!(!store.is_overtaken(), "its own save is nobody else");
    assert_eq!(store.reload().unwrap().rewritten_states, [""; 0]);
    let state = folder.path().join(store.rack().slot("bass").unwrap().state.as_ref().unwrap());
    fs::write(&state, b"another").unwrap();
    assert_eq!(store.reload().unwrap().rewritten_states, ["bass"]);
    assert_eq!(store.reload().unwrap().rewritten_states, [""; 0], "told once");
    for text in [&b"# mine\n"[..], b"\xff", b""] {
        fs::write(&path, text).unwrap();
        assert!(store.is_overtaken(), "{text:?}");
    }
    fs::remove_file(&path).unwrap();
    assert!(!store.is_overtaken(), "there is nothing to lose");
    assert_eq!(store.save_aside().unwrap(), folder.path().join("live.toml.unsaved"));
    assert_eq!(
        fs::read_to_string(folder.path().join("live.toml.unsaved")).unwrap(),
        store.document.to_string()
    );
}

#[test]
fn what_cannot_be_read_is_refused_with_one_line() {
    let (folder, path) = folder();
    let refused = |path: &Path| match RackStore::open(path, true) {
        Ok(_) => panic!("it is open"),
        Err(error) => error.to_string(),
    };
    fs::write(&path, vec![b'#'; MAX_RACK_BYTES as usize + 1]).unwrap();
    assert!(refused(&path).contains("longer than"));
    fs::write(&path, b"#\n#\n\xff\n").unwrap();
    assert!(refused(&path).contains("live.toml:3: "));
    assert!(refused(folder.path()).contains("no file"));
    assert!(refused(Path::new("/dev/zero")).contains("no file"));
    assert!(refused(&folder.path().join("none.toml")).contains("none.toml: "));
    assert_eq!(names_in(folder.path()), ["live.toml"], "no journal of what is no rack");
}

// A simulated hour, in which the program is killed again and again.

const HOUR: Duration = Duration::from_secs(3600);
const CHILD: &str = "rack_file::store::tests::child_that_edits_until_it_is_killed";

#[derive(Clone, Debug)]
enum Deed {
    Edit(RackEdit),
    State(&'static str, Vec<u8>),
    Save,
}

/// What a restless user does in an hour, and when.
fn deeds(seed: u64) -> Vec<(Duration, Deed)> {
    let mut random = Rng::with_seed(seed);
    let mut now = Duration::ZERO;
    let mut deeds = Vec::new();
    while now < HOUR {
        now += Duration::from_millis(random.u64(..1600));
        let slot = *random.choice(&["bass", "missing one"]).unwrap();
        let name = slot.to_owned();
        let deed = match random.u32(..100) {
            0..70 => Deed::Edit(RackEdit::Parameter {
                slot: name,
                symbol: format!("p{}", random.u32(..5)),
                value: RackValue::Number(random.f64() * 2.0 - 1.0),
            }),
            70..80 => Deed::Edit(RackEdit::Bypass { slot: name, bypassed: random.bool() }),
            80..88 => Deed::Edit(RackEdit::Transpose { slot: name, semitones: random.i8(-24..24) }),
            88..92 => Deed::Edit(RackEdit::Gain { gain_db: f64::from(random.i8(-60..24)) }),
            92..99 => Deed::State(slot, std::iter::repeat_with(|| random.u8(..)).take(200).collect()),
            _ => Deed::Save,
        };
        deeds.push((now, deed));
    }
    deeds
}

fn do_it(store: &mut RackStore, deed: &Deed, now: Duration) {
    match deed {
        Deed::Edit(edit) => store.edit(edit.clone(), now).unwrap(),
        Deed::State(slot, bytes) => drop(store.keep_state(slot, bytes, now).unwrap()),
        Deed::Save => store.save().unwrap(),
    }
}

#[test]
#[ignore = "the child of the test below"]
fn child_that_edits_until_it_is_killed() {
    let Ok(arguments) = std::env::var("KMIDI_TEST_RACK") else { return };
    let mut arguments = arguments.splitn(4, ' ');
    let mut next = || arguments.next().unwrap();
    let (seed, first, journal) = (next().parse().unwrap(), next().parse().unwrap(), next() == "true");
    let path = PathBuf::from(next());
    let (mut store, _) = RackStore::open(&path, journal).unwrap();
    for (number, (now, deed)) in deeds(seed).iter().enumerate().skip(first) {
        do_it(&mut store, deed, *now);
        store.sync_if_due(*now).unwrap();
        println!("did {number}");
    }
}

/// What is kept after the first deeds, apart from the names of files.
struct Kept {
    rack: Rack,
    states: [Option<Vec<u8>>; 2],
}

impl Kept {
    fn of(store: &RackStore) -> Kept {
        let state = |slot| store.state(slot).unwrap();
        Kept { rack: store.rack().clone(), states: ["bass", "missing one"].map(state) }
    }

    fn after(deeds: &[(Duration, Deed)]) -> Kept {
        let (mut rack, _) = crate::rack_file::parse::parse(Path::new("live.toml"), TEXT).unwrap();
        let mut states = [None, None];
        for (_, deed) in deeds {
            match deed {
                Deed::Edit(edit) => rack.apply(edit).unwrap(),
                Deed::State(slot, bytes) => states[usize::from(*slot != "bass")] = Some(bytes.clone()),
                Deed::Save => {}
            }
        }
        Kept { rack, states }
    }

    fn is_like(&self, other: &Kept) -> bool {
        let without_files = |rack: &Rack| {
            let mut rack = rack.clone();
            rack.slots.iter_mut().for_each(|slot| {
                slot.state = None;
                // What is set first stands first; the order means nothing.
                slot.parameters.sort_by(|a, b| a.0.cmp(&b.0));
            });
            rack
        };
        self.states == other.states && without_files(&self.rack) == without_files(&other.rack)
    }
}

/// Has a child edit from the deed `first` on and kills it after so many; says how many deeds are kept then.
fn killed(path: &Path, seed: u64, first: usize, last: usize, journal: bool) -> Result<usize, String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", CHILD, "--ignored", "--nocapture"])
        .env("KMIDI_TEST_RACK", format!("{seed} {first} {journal} {}", path.display()))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut done = first;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let Some(number) = line.unwrap().strip_prefix("did ").and_then(|it| it.parse::<usize>().ok()) else {
            continue;
        };
        // It goes on meanwhile: what it has said before it was killed counts.
        done = number + 1;
        if number == last {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    let deeds = deeds(seed);
    let (store, _) = RackStore::open(path, journal).map_err(|error| error.to_string())?;
    let kept = Kept::of(&store);
    // One more can have been done than was said.
    let most = (done + 1).min(deeds.len());
    let known = (0..=most).rev().find(|count| kept.is_like(&Kept::after(&deeds[..*count])));
    let known = known.ok_or("what is kept was never there")?;
    let time = |count: usize| deeds[..count].last().map_or(Duration::ZERO, |deed| deed.0);
    let lost = time(done).saturating_sub(time(known));
    match known > first && lost <= Duration::from_secs(1) {
        true => Ok(known),
        false => Err(format!("{lost:?} are lost: {known} of {done} deeds are kept")),
    }
}

#[test]
fn a_rack_edited_for_an_hour_and_killed_again_and_again_is_there_to_the_last_second() {
    let (_folder, path) = folder();
    let seed = 11;
    let all = deeds(seed).len();
    assert!(all > 4000, "{all} deeds");
    let mut random = Rng::with_seed(seed);
    let (mut first, mut kills) = (0, 0);
    while first < all {
        let last = (first + random.usize(20..all / 6)).min(all - 1);
        first = killed(&path, seed, first, last, true)
            .unwrap_or_else(|error| panic!("{error}, killed at {last}"));
        kills += 1;
    }
    assert!(kills > 5, "{kills} kills");
}

#[test]
fn control_without_a_journal_more_than_a_second_is_lost() {
    let (_folder, path) = folder();
    let error = killed(&path, 11, 0, 60, false).unwrap_err();
    assert!(error.contains("lost") || error.contains("never there"), "{error}");
}
