//! However an index came about, it finds the same as one that is made at once.

use std::fs;

use kmidi_library::{CacheLimits, Filter, ItemKind, Query, Range, Searcher};
use proptest::prelude::*;
use proptest::test_runner::Config;

use crate::support::{Hashing, Place, add, compact, remove, song, write};

#[derive(Clone, Debug)]
enum Step {
    Write { name: usize, content: usize },
    Delete { name: usize },
    Rename { from: usize, to: usize },
    Add { with_model: bool },
    RemoveFolder { folder: usize },
    Compact,
}

const NAMES: [&str; 6] = [
    "pads/warm pad.mid",
    "pads/Slow_Pad.mid",
    "keys/piano.mid",
    "keys/old piano.mid",
    "loop.mid",
    "keys/x/deep.mid",
];
const FOLDERS: [&str; 3] = ["pads", "keys", "keys/x"];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let name = || 0..NAMES.len();
    let step = prop_oneof![
        4 => (name(), 0..4usize).prop_map(|(name, content)| Step::Write { name, content }),
        1 => name().prop_map(|name| Step::Delete { name }),
        2 => (name(), name()).prop_map(|(from, to)| Step::Rename { from, to }),
        3 => any::<bool>().prop_map(|with_model| Step::Add { with_model }),
        1 => (0..FOLDERS.len()).prop_map(|folder| Step::RemoveFolder { folder }),
        1 => Just(Step::Compact),
    ];
    prop::collection::vec(step, 1..14)
}

fn take(step: &Step, place: &Place) {
    let path = |name: usize| place.sounds().join(NAMES[name]);
    match step {
        Step::Write { name, content } => {
            write(&path(*name), &song("tune", 60 + 30 * *content as u32, 60 + *content as u8));
        }
        Step::Delete { name } => drop(fs::remove_file(path(*name))),
        Step::Rename { from, to } => {
            if path(*from).exists() && from != to {
                fs::create_dir_all(path(*to).parent().unwrap()).unwrap();
                fs::rename(path(*from), path(*to)).unwrap();
            }
        }
        Step::Add { with_model } => {
            let mut model = Hashing::new();
            let model = with_model.then_some(&mut model as &mut dyn kmidi_library::Embed);
            add(place.indexer(), &[place.sounds()], model).unwrap();
        }
        // Where nothing of it is indexed, this is refused.
        Step::RemoveFolder { folder } => {
            drop(remove(place.indexer(), &[place.sounds().join(FOLDERS[*folder])]))
        }
        Step::Compact => drop(compact(place.indexer()).unwrap()),
    }
}

/// All that questions of several kinds find, with scores.
fn answers(index: &std::path::Path) -> Vec<String> {
    let mut searcher = Searcher::open(index, CacheLimits::default()).unwrap();
    let audio = Filter { kind: Some(ItemKind::Audio), ..Filter::default() };
    let slow = Filter { bpm: Some(Range { from: 50.0, to: 100.0 }), ..Filter::default() };
    let mut all = vec![];
    for text in ["", "pad", "warm pad", "piano tune", "pioan", "deep keys"] {
        for filter in [Filter::default(), audio, slow] {
            let query = Query { filter, ..Query::of(text) };
            let hits = searcher.search(&query, Some(&mut Hashing::new())).unwrap().to_vec();
            let found = hits.iter().map(|hit| format!("{hit:?} {:?}", searcher.found(hit.item).unwrap()));
            all.push(format!("{text}: {}", found.collect::<Vec<_>>().join("\n")));
        }
    }
    all
}

proptest! {
    #![proptest_config(Config { cases: 24, failure_persistence: None, ..Config::default() })]
    #[test]
    fn an_index_with_a_history_is_as_good_as_a_new_one(steps in steps()) {
        let place = Place::new();
        // An empty folder is taken for one whose disk is not there.
        write(&place.sounds().join("notes.txt"), b"");
        steps.iter().for_each(|step| take(step, &place));
        // What was taken out is added again: folder by folder, and all.
        let folders: Vec<_> = FOLDERS.iter().map(|it| place.sounds().join(it)).filter(|it| it.exists()).collect();
        add(place.indexer(), &folders, Some(&mut Hashing::new())).unwrap();
        let with_history = { place.add(); answers(&place.index()) };
        fs::remove_file(place.index()).unwrap();
        place.add();
        prop_assert_eq!(with_history, answers(&place.index()));
    }
}
