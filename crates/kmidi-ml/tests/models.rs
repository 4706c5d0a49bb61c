//! Models are loaded once, counted, run on one thread, and given back: with the real ones.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Barrier};

use kmidi_memory::{Budgets, Cancel, Domain, Heap, Limits, MIB, Scope};
use kmidi_ml::model::{Catalog, FileState, Input, ModelCache, ModelError, ModelFolders, ModelName};

#[global_allocator]
static HEAP: Heap = Heap::new();

fn assets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/models")
}

fn cache() -> ModelCache {
    ModelCache::new(Budgets::default(), ModelFolders::default())
}

/// The program's catalogue, but nothing is part of the program.
fn fetched() -> Catalog {
    let text = fs::read_to_string(assets().join("manifest.toml")).unwrap();
    Catalog::parse(&text.replace("built_in = true", "built_in = false")).unwrap()
}

fn models_live() -> u64 {
    kmidi_memory::tally(Domain::Models).live_bytes()
}

/// The thread for models keeps what it packs matrices into: that is not to be taken for what a model leaves.
fn settled() {
    cache().warm_up(ModelName::HamaAsr).unwrap();
}

#[test]
fn every_model_can_be_loaded_and_run_within_its_lease() {
    settled();
    let cache = cache();
    for model in ModelName::ALL {
        if !cache.entry(model).built_in {
            continue;
        }
        let before = models_live();
        let loading = Scope::start();
        let loaded = cache.get(model).unwrap();
        let peak = loading.finish().of(Domain::Models).peak_bytes - before;
        let entry = loaded.entry();
        let (heap, most) = (loaded.heap_bytes(), entry.load_bytes());
        assert!(heap > 0 && peak <= most, "{model}: {peak} bytes at most while loading, {most} promised");

        let before = models_live();
        let running = Scope::start();
        loaded.warm_up().unwrap();
        let usage = running.finish().of(Domain::Models);
        let (peak, most) = (usage.peak_bytes.saturating_sub(before), entry.run_bytes());
        println!("{model}: {heap} bytes, {peak} more while running, {most} promised");
        assert!(peak <= most, "{model}: {peak} bytes more while running, {most} promised");
    }
}

#[test]
fn concurrent_first_use_loads_once() {
    let cache = Arc::new(cache());
    assert!(
        cache.statistics().iter().all(|it| it.loads == 0 && !it.is_loaded),
        "nothing before its first use"
    );
    let together = Arc::new(Barrier::new(4));
    let users = [0; 4].map(|_| {
        let (cache, together) = (cache.clone(), together.clone());
        std::thread::spawn(move || {
            together.wait();
            cache.get(ModelName::BasicPitch).unwrap().heap_bytes()
        })
    });
    let bytes = users.map(|user| user.join().unwrap());
    assert!(bytes[0] > 0 && bytes.iter().all(|it| *it == bytes[0]));
    let of = |model| cache.statistics().into_iter().find(|it| it.model == model).unwrap();
    let (used, unused) = (of(ModelName::BasicPitch), of(ModelName::HamaAsr));
    assert_eq!((used.loads, used.hits, used.is_loaded, used.heap_bytes), (1, 3, true, bytes[0]));
    assert_eq!((unused.loads, unused.hits, unused.is_loaded), (0, 0, false));
}

#[test]
fn all_that_a_model_takes_is_charged_to_models_and_comes_back() {
    settled();
    let budgets = Budgets::default();
    let cache = ModelCache::new(budgets.clone(), ModelFolders::default());
    let others = || [Domain::Program, Domain::Working].map(|it| kmidi_memory::tally(it).live_bytes());
    let (before, others_before) = (models_live(), others());
    let model = cache.get(ModelName::HamaAsr).unwrap();
    let heap = model.heap_bytes();
    assert_eq!(models_live() - before, heap, "what is counted is what it holds");
    assert!(heap > 8 * MIB, "{heap}: half precision becomes whole");
    let leased: u64 = budgets.holders().iter().filter(|it| it.name == "hama-asr").map(|it| it.bytes).sum();
    assert_eq!(leased, heap);
    let [program, working] = others();
    let grown = (program + working).saturating_sub(others_before[0] + others_before[1]);
    assert!(grown < 64 << 10, "{grown} bytes of it are charged to somebody else");

    model.warm_up().unwrap();
    assert!(models_live() - before <= heap + (64 << 10), "a run leaves nothing behind");
    assert!(!cache.unload(ModelName::HamaAsr), "somebody holds it");
    drop(model);
    assert!(cache.unload(ModelName::HamaAsr) && !cache.unload(ModelName::HamaAsr));
    assert!(models_live() - before < 64 << 10, "all of it comes back");
    assert!(budgets.holders().iter().all(|it| it.name != "hama-asr"), "and its lease");
}

#[test]
fn what_an_unloaded_model_took_goes_back_to_the_system() {
    settled();
    let resident = || kmidi_memory::process_memory().unwrap().rss_anon_bytes;
    let cache = cache();
    let before = resident();
    cache.get(ModelName::HamaAsr).unwrap();
    let loaded = resident();
    assert!(loaded > before + 8 * MIB, "{before} -> {loaded}");
    assert!(cache.unload_idle() > 8 * MIB);
    let after = resident();
    assert!(after < before + 2 * MIB, "{before} -> {loaded} -> {after}");
}

#[test]
fn who_was_used_longest_ago_goes_first_and_who_is_in_use_stays() {
    let budgets = Budgets::new(Limits::default().with(Some(Domain::Models), 80 * MIB));
    let cache = ModelCache::new(budgets.clone(), ModelFolders::default());
    let old = cache.get(ModelName::SileroVad).unwrap();
    cache.get(ModelName::BasicPitch).unwrap();
    cache.get(ModelName::SwiftF0).unwrap();
    cache.get(ModelName::BasicPitch).unwrap();
    let is_loaded = || {
        let of = |model| cache.statistics().iter().any(|it| it.model == model && it.is_loaded);
        [ModelName::SileroVad, ModelName::SwiftF0, ModelName::BasicPitch].map(of)
    };
    assert_eq!(is_loaded(), [true; 3]);
    let free = {
        let status = budgets.status(Some(Domain::Models));
        status.limit_bytes - status.live_bytes - status.promised_bytes
    };
    let lease = budgets.lease(Domain::Models, free + 1, "somebody").unwrap();
    assert_eq!(is_loaded(), [true, false, true], "the idle one that was used longest ago, and no other");
    drop(lease);
    drop(old);
    assert!(cache.unload_idle() > 0);
    assert_eq!(is_loaded(), [false; 3]);
    cache.get(ModelName::SwiftF0).unwrap();
    assert_eq!(is_loaded(), [false, true, false], "it can be had again");
}

#[test]
fn a_budget_too_small_is_a_refusal_that_says_so() {
    let budgets = Budgets::new(Limits::default().with(Some(Domain::Models), 2 * MIB));
    let cache = ModelCache::new(budgets.clone(), ModelFolders::default());
    let error = cache.get(ModelName::HamaAsr).map(|_| ()).unwrap_err();
    assert!(matches!(error, ModelError::OverBudget(_)), "{error}");
    assert!(error.to_string().contains("hama-asr") && error.to_string().contains("KMIDI_MEMORY_MODELS_MB"));
    budgets.set_limits(Limits::default());
    let model = cache.get(ModelName::HamaAsr).unwrap();
    budgets.set_limits(Limits::default().with(Some(Domain::Models), model.heap_bytes() + MIB));
    let error = model.warm_up().unwrap_err();
    assert!(error.to_string().contains("running hama-asr"), "{error}");
}

#[test]
fn a_missing_model_names_the_command_that_gets_it() {
    let folder = tempfile::tempdir().unwrap();
    let folders = ModelFolders::new([folder.path().to_owned()]);
    let cache = ModelCache::with_catalog(Budgets::default(), folders, fetched());
    let error = cache.get(ModelName::SwiftF0).map(|_| ()).unwrap_err();
    assert!(matches!(error, ModelError::Missing { .. }));
    assert!(error.to_string().contains("`kmidi models fetch swift-f0`"), "{error}");
    assert_eq!(cache.state(ModelName::SwiftF0).0, FileState::Missing);
}

#[test]
fn a_fetched_model_is_used_only_as_it_should_be() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("swift-f0/model.onnx");
    fs::create_dir(file.parent().unwrap()).unwrap();
    let whole = fs::read(assets().join("swift-f0/model.onnx")).unwrap();
    let folders = ModelFolders::new([folder.path().to_owned()]);
    let cache = ModelCache::with_catalog(Budgets::default(), folders, fetched());
    let refusal = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        cache.get(ModelName::SwiftF0).map(|_| ()).unwrap_err()
    };

    let truncated = refusal(&whole[..1000]);
    assert!(truncated.to_string().contains("has 1000 bytes of 135090"), "{truncated}");
    let mut other = whole.clone();
    other[70_000] ^= 1;
    let changed = refusal(&other);
    let ModelError::Hash { expected, found, .. } = &changed else { panic!("{changed}") };
    assert!(expected.starts_with("6385e8c2") && !found.starts_with("6385e8c2") && found.len() == 64);
    assert!(changed.to_string().contains(expected.as_str()) && changed.to_string().contains(found.as_str()));
    assert_eq!(cache.state(ModelName::SwiftF0).0, FileState::Damaged);
    let empty = refusal(&[]);
    assert!(matches!(empty, ModelError::Length { found_bytes: 0, .. }));
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert!(matches!(cache.get(ModelName::SwiftF0).map(|_| ()), Err(ModelError::Read { .. })));
    fs::remove_dir(&file).unwrap();

    fs::write(&file, &whole).unwrap();
    cache.warm_up(ModelName::SwiftF0).unwrap();
    assert_eq!(cache.state(ModelName::SwiftF0).0, FileState::There);
    let counts = cache.statistics().into_iter().find(|it| it.model == ModelName::SwiftF0).unwrap();
    assert_eq!((counts.loads, counts.hits), (1, 0), "a refusal is no load");
}

#[test]
fn what_is_no_number_is_refused_and_what_does_not_fit_is_told() {
    let cache = cache();
    let model = cache.get(ModelName::BasicPitch).unwrap();
    let name = &model.entry().examples[0].name;
    let mut window = vec![0.0; 43844];
    let shape = [1, 43844, 1];
    let run = |window: &[f32], shape: &[usize]| {
        let outputs = model.output_names();
        let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
        model.run(&[Input::f32(name, shape, window)], &outputs)
    };
    let outputs = run(&window, &shape).unwrap();
    assert!(outputs.iter().any(|it| it.shape == [1, 172, 88] && it.f32s().len() == 172 * 88));
    let error = run(&window, &[1, 43000, 1]).unwrap_err();
    assert!(matches!(error, ModelError::Run { .. }) && error.to_string().contains(name.as_str()), "{error}");
    window[7] = f32::NAN;
    assert!(matches!(run(&window, &shape), Err(ModelError::NotANumber { .. })));
    window[7] = f32::INFINITY;
    assert!(matches!(run(&window, &shape), Err(ModelError::NotANumber { .. })));
    assert!(matches!(model.run(&[], &["nothing of that name"]), Err(ModelError::Run { .. })));

    let cancel = Cancel::default();
    cancel.cancel();
    assert!(matches!(model.run_unless(&cancel, &[], &[]), Err(ModelError::Cancelled)));
}

#[test]
fn a_model_that_many_run_at_once_gives_each_the_same() {
    let cache = cache();
    let model = cache.get(ModelName::SwiftF0).unwrap();
    let names: Vec<&str> = vec!["pitch", "confidence"];
    let sound: Vec<f32> =
        (0..16_000).map(|at| (at as f32 * 440.0 * std::f32::consts::TAU / 16_000.0).sin()).collect();
    let run = || {
        let audio = Input::f32("audio", &[1, 16_000], &sound);
        let inputs = [audio, Input::f32("fmin", &[], &[46.875]), Input::f32("fmax", &[], &[2093.75])];
        model.run(&inputs, &names).unwrap()
    };
    let alone = run();
    let hz = alone[0].f32s()[alone[0].f32s().len() / 2];
    assert!((hz - 440.0).abs() < 5.0, "{hz}");
    std::thread::scope(|scope| {
        let all = [0; 4].map(|_| scope.spawn(run));
        assert!(all.into_iter().all(|it| it.join().unwrap() == alone));
    });
}
