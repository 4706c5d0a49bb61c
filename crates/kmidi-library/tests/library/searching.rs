//! What is found, in which order, and that every option counts.

use std::time::Duration;

use kmidi_library::{
    CacheLimits, DIMENSIONS, Embed, EmbedError, Filter, Found, Hit, ItemKind, Key, Query, Range, SearchedBy,
    Searcher, WordMatch,
};
use proptest::prelude::*;
use proptest::test_runner::Config;

use crate::support::{
    ADJECTIVES, Hashing, Place, Recording, SOUNDS, add, questions, song, vector, write, write_pack,
};

fn pack(count: usize) -> Place {
    let place = Place::new();
    write_pack(&place.sounds(), count);
    place.add();
    place
}

fn open(place: &Place) -> Searcher {
    Searcher::open(&place.index(), CacheLimits::default()).unwrap()
}

fn search(searcher: &mut Searcher, query: &Query) -> Vec<(Hit, Found)> {
    let hits = searcher.search(query, Some(&mut Hashing::new())).unwrap().to_vec();
    hits.into_iter().map(|hit| (hit, searcher.found(hit.item).unwrap())).collect()
}

#[test]
fn the_best_comes_first_and_says_where_it_is() {
    let place = pack(1000);
    let mut searcher = open(&place);
    let results = search(&mut searcher, &Query::of("warm warm pad"));
    let (hit, first) = &results[0];
    assert!(first.name.starts_with("Warm Warm Pad"), "{first:?}");
    assert!(first.path.is_file() && hit.word_rank > 0 && hit.likeness_rank > 0, "{hit:?}");
    assert!(results.is_sorted_by(|a, b| a.0.score >= b.0.score) && results.len() == 10);
    assert!(results.iter().all(|(hit, _)| (0.0..=1.0).contains(&hit.score)));
    let worst = search(&mut searcher, &Query { limit: 1000, ..Query::of("warm warm pad") });
    assert!(worst.last().unwrap().0.likeness < hit.likeness);
}

#[test]
fn every_option_is_honoured() {
    let place = pack(1000);
    let mut searcher = open(&place);
    let all = search(&mut searcher, &Query { limit: 1000, ..Query::of("piano") });
    assert!(all.len() > 50);
    assert_eq!(search(&mut searcher, &Query { limit: 3, ..Query::of("piano") }), all[..3], "limit");
    let min_score = all[20].0.score;
    let above = search(&mut searcher, &Query { limit: 1000, min_score, ..Query::of("piano") });
    assert_eq!(above, all.iter().filter(|it| it.0.score >= min_score).cloned().collect::<Vec<_>>());
    let bpm = Some(Range { from: 90.0, to: 100.0 });
    let key = all[0].1.key;
    assert!(key.is_some());
    for filter in [
        Filter { bpm, ..Filter::default() },
        Filter { key, ..Filter::default() },
        Filter {
            bpm: Some(Range { from: 60.0, to: 140.0 }),
            key,
            kind: Some(ItemKind::Midi),
            duration_seconds: Some(Range { from: 0.0, to: 90.0 }),
        },
    ] {
        // Before ranking: ten pass, however far behind the others they are.
        let few = search(&mut searcher, &Query { filter, ..Query::of("piano") });
        assert!(!few.is_empty());
        for (_, found) in &few {
            assert!(filter.bpm.is_none_or(|range| range.holds(found.bpm.unwrap())), "{found:?}");
            assert!(filter.key.is_none() || filter.key == found.key, "{found:?}");
        }
    }
    let audio = Filter { kind: Some(ItemKind::Audio), ..Filter::default() };
    assert!(search(&mut searcher, &Query { filter: audio, ..Query::of("piano") }).is_empty());
    let long = Filter { duration_seconds: Some(Range { from: 1e4, to: 1e5 }), ..Filter::default() };
    assert!(search(&mut searcher, &Query { filter: long, ..Query::of("piano") }).is_empty());
    assert!(search(&mut searcher, &Query { limit: 0, ..Query::of("piano") }).is_empty());
}

#[test]
fn more_results_begin_with_those_of_a_lower_limit() {
    let place = pack(2500);
    let mut searcher = open(&place);
    let mut scores = |limit| {
        let results = search(&mut searcher, &Query { limit, ..Query::of("warm piano bpm sounds major") });
        let is_far_apart =
            results.iter().filter(|(hit, _)| hit.word_rank <= 1000 && hit.likeness_rank > 1000);
        (results.iter().map(|(hit, _)| (hit.item, hit.score)).collect::<Vec<_>>(), is_far_apart.count())
    };
    let (all, far_apart) = scores(2500);
    assert!(all.len() == 2500 && far_apart > 0, "{} results, {far_apart}", all.len());
    for limit in [10, 700, 1000, 1500, 2400] {
        assert!(scores(limit).0 == all[..limit], "{limit}");
    }
}

#[test]
fn without_a_model_words_are_enough_and_the_search_says_so() {
    let place = pack(500);
    let mut searcher = open(&place);
    let query = Query::of("vibraphone");
    assert_eq!(searcher.searched_by(&query, None), SearchedBy::WordsNoModel);
    assert_eq!(searcher.searched_by(&query, Some("another")), SearchedBy::WordsOtherModel);
    assert_eq!(searcher.searched_by(&query, Some("hashing 1")), SearchedBy::LikenessAndWords);
    assert_eq!(searcher.searched_by(&Query::of(" "), None), SearchedBy::Filter);
    let hits = searcher.search(&query, None).unwrap().to_vec();
    assert!(!hits.is_empty() && hits.iter().all(|hit| hit.likeness_rank == 0));
    assert!(searcher.found(hits[0].item).unwrap().name.contains("Vibraphone"));
    let other = &mut Hashing { id: "another", ..Hashing::new() };
    assert_eq!(searcher.search(&query, Some(other)).unwrap(), hits, "vectors of two models are not compared");
    let plain = Place::new();
    plain.song("vibraphone.mid", 100);
    add(plain.indexer(), &[plain.sounds()], None).unwrap();
    assert_eq!(open(&plain).searched_by(&query, Some("hashing 1")), SearchedBy::WordsNoVectors);
}

#[test]
fn beginnings_of_words_and_one_slip_are_found() {
    let place = pack(500);
    let mut searcher = open(&place);
    for (text, name, by) in [
        ("vibr", "Vibraphone", WordMatch::Word),
        ("vibrafone", "Vibraphone", WordMatch::None),
        ("vibraphon", "Vibraphone", WordMatch::Word),
        ("virbaphone", "Vibraphone", WordMatch::Slip),
        ("clelo", "Cello", WordMatch::Slip),
        ("marimbaa", "Marimba", WordMatch::Slip),
    ] {
        let query = Query::of(text);
        assert_eq!(searcher.readings(&query)[0].by, by, "{text}");
        let hits = searcher.search(&query, None).unwrap().to_vec();
        assert_eq!(hits.is_empty(), by == WordMatch::None, "{text}");
        if let Some(hit) = hits.first() {
            assert!(searcher.found(hit.item).unwrap().name.contains(name), "{text}");
        }
    }
}

/// What a model is asked, which knows no word.
#[derive(Default)]
struct Asked(Vec<String>);

impl Embed for Asked {
    fn id(&self) -> &str {
        "hashing 1"
    }

    fn knows(&self, _: &str) -> bool {
        false
    }

    fn embed(&mut self, text: &str) -> Result<[f32; DIMENSIONS], EmbedError> {
        self.0.push(text.to_owned());
        Ok(vector(text))
    }
}

#[test]
fn a_slip_is_put_right_for_the_model_too_unless_it_knows_the_word() {
    let place = pack(500);
    let mut searcher = open(&place);
    let mut asked = |text: &str| {
        let mut model = Asked::default();
        searcher.search(&Query::of(text), Some(&mut model)).unwrap();
        model.0.remove(0)
    };
    assert_eq!(asked("Warm: virbaphone (clelo) 4ever!"), "Warm: vibraphone (cello) 4ever!");
    for whole in ["warm vibraphone", "Vibr", "with what xqzt", "VirbaPhone virba_phone", "CLELO2"] {
        assert_eq!(asked(whole), whole, "no slip, or no word of a language");
    }
    assert_eq!(asked(&"clelo ".repeat(99)).matches("cello").count(), 32, "as many as words count");
    let mut likeness = |text: &str, known| {
        let mut model = Hashing { known, ..Hashing::new() };
        let hits = searcher.search(&Query { limit: 500, ..Query::of(text) }, Some(&mut model)).unwrap();
        let alike = hits.iter().filter(|hit| hit.likeness_rank > 0);
        alike.map(|hit| (hit.item, hit.likeness)).collect::<Vec<_>>()
    };
    let right = likeness("vibraphone", &[]);
    assert!(!right.is_empty());
    assert_eq!(likeness("virbaphone", &[]), right);
    assert_ne!(likeness(" virbaphone?", &["virbaphone"]), right, "a word that the model knows is no slip");
}

#[test]
fn of_the_words_that_a_slip_can_stand_for_the_one_of_more_items_is_meant() {
    let check = |guits: usize, guitars: usize, likeliest: &str| {
        let place = Place::new();
        (0..guits).for_each(|number| place.song(&format!("guit {number}.mid"), 100));
        (0..guitars).for_each(|number| place.song(&format!("guitar {number}.mid"), 100));
        (0..40).for_each(|number| place.song(&format!("piano {number}.mid"), 100));
        place.add();
        let mut searcher = open(&place);
        let mut model = Asked::default();
        let hits = searcher.search(&Query::of("guitr"), Some(&mut model)).unwrap().to_vec();
        let first = hits.iter().min_by_key(|hit| hit.word_rank).unwrap().item;
        assert_eq!(searcher.found(first).unwrap().name.split(' ').next(), Some(likeliest));
        assert_eq!(searcher.readings(&Query::of("guitr"))[0].terms[0], likeliest);
        assert_eq!(model.0, [likeliest]);
        assert_eq!(hits.len(), guits + guitars, "the other one is found, too");
    };
    check(1, 6, "guitar");
    check(6, 1, "guit");
}

#[test]
fn words_that_neither_the_index_nor_the_model_knows_are_told() {
    let place = pack(500);
    let mut searcher = open(&place);
    let known = &Hashing { known: &["lovely"], ..Hashing::new() };
    for (text, with_model, without) in [
        ("the lovely clelo qwer", &["qwer"][..], &["lovely", "qwer"][..]),
        ("asdf qwer asdf", &["asdf", "qwer"], &["asdf", "qwer"]),
        ("vibr", &[], &[]),
        (" ", &[], &[]),
    ] {
        let query = Query::of(text);
        assert_eq!(searcher.unknown_words(&query, Some(known)), with_model, "{text}");
        assert_eq!(searcher.unknown_words(&query, None), without, "{text}");
    }
}

#[test]
fn a_word_is_found_in_its_other_forms_and_those_of_one_item_count_once() {
    let place = Place::new();
    for name in ["Distortion", "Plucked", "Reed", "Rest", "Phasing", "Drum Song", "Drum Drums"] {
        place.song(&format!("{name}.mid"), 100);
    }
    place.add();
    let mut searcher = open(&place);
    let mut found = |text: &str| {
        let hits = searcher.search(&Query::of(text), None).unwrap().to_vec();
        let name = |hit: &Hit| searcher.found(hit.item).unwrap().name;
        hits.iter().map(|hit| (name(hit), hit.bm25)).collect::<Vec<_>>()
    };
    for (text, name) in
        [("distorted", "Distortion"), ("plucking", "Plucked"), ("distort", "Distortion"), ("reeds", "Reed")]
    {
        assert_eq!(found(text).iter().map(|it| it.0.as_str()).collect::<Vec<_>>(), [name], "{text}");
    }
    for text in ["phaser", "rested", "resion"] {
        assert_eq!(found(text).len(), usize::from(text == "rested"), "{text}");
    }
    let drums = found("drum");
    assert!(drums.len() == 2 && drums[0].1 == drums[1].1, "{drums:?}");
    let drums = found("drum song");
    assert!(drums[0].0 == "Drum Song" && drums[0].1 > drums[1].1, "control: another word counts: {drums:?}");
}

#[test]
fn words_in_a_name_count_more_than_words_in_a_folder() {
    let place = Place::new();
    write(&place.sounds().join("strings/one.mid"), &song("", 100, 60));
    write(&place.sounds().join("other/strings.mid"), &song("", 100, 60));
    place.add();
    let mut searcher = open(&place);
    let hits = searcher.search(&Query::of("strings"), None).unwrap().to_vec();
    assert_eq!(searcher.found(hits[0].item).unwrap().name, "strings");
    assert_eq!(hits.len(), 2);
}

#[test]
fn key_and_tempo_come_from_the_notes() {
    let place = Place::new();
    place.song("tune.mid", 90);
    place.add();
    let mut searcher = open(&place);
    let (_, found) = search(&mut searcher, &Query::of("tune")).remove(0);
    assert_eq!((found.key, found.kind), (Some(Key::new(0, false)), ItemKind::Midi));
    assert!((found.bpm.unwrap() - 90.0).abs() < 1.0 && found.duration_seconds.unwrap() > 1.0, "{found:?}");
}

#[test]
fn an_index_that_was_replaced_is_searched_anew() {
    let place = pack(100);
    let mut searcher = open(&place);
    let before = search(&mut searcher, &Query::of("theremin"));
    place.song("Theremin.mid", 100);
    place.add();
    let after = search(&mut searcher, &Query::of("theremin"));
    assert!(before.iter().all(|(_, found)| found.name != "Theremin"));
    assert_eq!(after[0].1.name, "Theremin");
}

/// The ten that are most alike, by exact arithmetic, and the likeness of the tenth.
fn exact(vectors: &[[f32; kmidi_library::DIMENSIONS]], query: &[f32]) -> Vec<(f64, usize)> {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let cosine = |a: &[f32], b: &[f32]| dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
    let mut all: Vec<_> = vectors.iter().map(|it| cosine(it, query)).zip(0..).collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    all.truncate(10);
    all
}

#[test]
fn the_ten_most_alike_are_those_of_exact_arithmetic() {
    let place = Place::new();
    write_pack(&place.sounds(), 2000);
    let mut model = Recording::default();
    add(place.indexer(), &[place.sounds()], Some(&mut model)).unwrap();
    let mut searcher = open(&place);
    let vectors = model.vectors(&searcher);
    let (mut right, mut wanted) = (0, 0);
    for text in questions().iter().step_by(10) {
        let best = exact(&vectors, &crate::support::vector(text));
        let least = best.last().unwrap().0 - 1e-6;
        let hits =
            searcher.search(&Query { limit: 200, ..Query::of(text) }, Some(&mut Hashing::new())).unwrap();
        let alike = hits.iter().filter(|hit| (1..=10).contains(&hit.likeness_rank));
        let exactly = |item: u32| exact(&[vectors[item as usize]], &crate::support::vector(text))[0].0;
        right += alike.filter(|hit| exactly(hit.item) >= least).count();
        wanted += best.iter().filter(|it| it.0 >= 0.201).count();
    }
    let recall = right as f64 / wanted as f64;
    println!("recall@10 {recall:.4} over {wanted} places");
    assert!(wanted > 500 && recall >= 0.99, "{recall} of {wanted}");
}

proptest! {
    #![proptest_config(Config { cases: 12, failure_persistence: None, ..Config::default() })]
    /// The cache gives what a search without one gives, whatever was asked before.
    #[test]
    fn the_cache_never_answers_another_question(
        asked in prop::collection::vec(
            (0..6usize, 0..3usize, 0..3usize, prop::option::of(0..4u8), prop::option::of(0..3u32), 0..2usize),
            10..60,
        )
    ) {
        let place = pack(60);
        let limits = CacheLimits { bytes: 6000, answers: 12, age: Duration::from_secs(60) };
        let mut cached = Searcher::open(&place.index(), limits).unwrap();
        let none = CacheLimits { answers: 0, ..limits };
        for (text, limit, score, kind, bpm, model) in asked {
            let query = Query {
                text: ["piano", "warm piano", "warm", "rhodes", "", "harp"][text],
                limit: [1, 5, 50][limit],
                min_score: [0.0, 0.3, 0.9][score],
                filter: Filter {
                    kind: kind.map(|kind| ItemKind::ALL[usize::from(kind)]),
                    bpm: bpm.map(|at| Range { from: 60.0, to: 70.0 + 30.0 * at as f32 }),
                    ..Filter::default()
                },
            };
            let (mut one, mut other) = (Hashing::new(), Hashing::new());
            let mut fresh = Searcher::open(&place.index(), none).unwrap();
            let expected = fresh.search(&query, (model == 1).then_some(&mut one as &mut dyn Embed)).unwrap();
            prop_assert_eq!(cached.search(&query, (model == 1).then_some(&mut other as &mut dyn Embed)).unwrap(), expected);
        }
        prop_assert!(cached.memory().unwrap().cache_bytes <= 6000);
    }
}

#[test]
fn the_names_that_tests_search_among_are_many() {
    let mut sounds: Vec<_> = SOUNDS.iter().map(|it| it.1).collect();
    sounds.sort_unstable();
    sounds.dedup();
    assert_eq!(sounds.len() * ADJECTIVES.len(), 5000);
}
