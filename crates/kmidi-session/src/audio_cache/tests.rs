use std::collections::BTreeMap;
use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;

fn key(number: u32) -> CacheKey {
    let content = ContentHash::of(&mut &b"a recording"[..]).unwrap();
    CacheKey::new(&content, "test", &[("number", &number)])
}

fn limits(bytes: u64) -> CacheLimits {
    CacheLimits { bytes, ..CacheLimits::default() }
}

fn cache(bytes: u64) -> (TempDir, AudioCache) {
    let place = tempfile::tempdir().unwrap();
    let cache = AudioCache::open(&place.path().join("audio"), limits(bytes)).unwrap();
    (place, cache)
}

fn result(number: u32, bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| (at as u32 * 7 + number) as u8).collect()
}

fn got(cache: &AudioCache, number: u32) -> Option<Vec<u8>> {
    cache.get(&key(number)).map(|it| it.to_vec().unwrap())
}

/// When an entry was used last.
fn set_used(cache: &AudioCache, number: u32, ago: Duration) {
    let file = File::open(cache.folder.entry_path(&key(number))).unwrap();
    file.set_modified(SystemTime::now() - ago).unwrap();
}

#[test]
fn what_is_put_is_got_and_another_key_is_another_result() {
    let (_place, cache) = cache(1 << 20);
    assert_eq!(got(&cache, 1), None);
    cache.put(&key(1), &result(1, 5000)).unwrap();
    cache.put(&key(2), b"").unwrap();
    assert_eq!((got(&cache, 1), got(&cache, 2), got(&cache, 3)), (Some(result(1, 5000)), Some(vec![]), None));
    cache.put(&key(1), &result(9, 70)).unwrap();
    assert_eq!(got(&cache, 1), Some(result(9, 70)), "the last one counts");
    assert_eq!(cache.stat().unwrap().entries, 2);
    let (one, other) = (ContentHash::of(&mut &b"1"[..]).unwrap(), ContentHash::of(&mut &b"2"[..]).unwrap());
    let keys = [
        CacheKey::new(&one, "a", &[]),
        CacheKey::new(&other, "a", &[]),
        CacheKey::new(&one, "b", &[]),
        CacheKey::new(&one, "a", &[("b", &"c")]),
        CacheKey::new(&one, "a", &[("bc", &"")]),
        CacheKey::new(&one, "a", &[("b", &"c"), ("b", &"c")]),
    ];
    for (number, key) in keys.iter().enumerate() {
        assert!(!keys[..number].contains(key), "{number}");
    }
}

#[test]
fn a_long_result_is_written_and_read_in_parts_and_half_of_one_is_none() {
    let (_place, cache) = cache(1 << 20);
    let mut writer = cache.writer(&key(1)).unwrap();
    let all = result(1, 100_000);
    for part in all.chunks(999) {
        writer.write(part).unwrap();
        assert!(got(&cache, 1).is_none());
    }
    writer.commit().unwrap();
    let mut found = cache.get(&key(1)).unwrap();
    assert_eq!(found.len_bytes(), 100_000);
    // Removed meanwhile, it is readable all the same.
    cache.clear().unwrap();
    let mut read = vec![];
    found.read_to_end(&mut read).unwrap();
    assert_eq!(read, all);
    let mut writer = cache.writer(&key(2)).unwrap();
    writer.write(b"half").unwrap();
    drop(writer);
    assert_eq!(cache.stat().unwrap(), CacheStat::default());
}

#[test]
fn it_never_grows_beyond_its_limit_and_what_was_not_used_for_longest_goes() {
    let (_place, cache) = cache(10_000);
    for number in 0..8 {
        cache.put(&key(number), &result(number, 1000)).unwrap();
        set_used(&cache, number, Duration::from_secs(100 - u64::from(number)));
    }
    // Used now: the next to go is 1.
    assert!(got(&cache, 0).is_some());
    cache.put(&key(8), &result(8, 2500)).unwrap();
    let kept: Vec<_> = (0..9).filter(|number| got(&cache, *number).is_some()).collect();
    assert_eq!(kept, [0, 3, 4, 5, 6, 7, 8]);
    for number in 9..200 {
        cache.put(&key(number), &result(number, (number as usize * 37) % 4000)).unwrap();
        assert!(cache.stat().unwrap().bytes <= 10_000);
    }
    let refused = cache.put(&key(500), &result(0, 10_000));
    assert!(matches!(refused, Err(CacheError::TooLarge { .. })), "{refused:?}");
    assert!(cache.stat().unwrap().entries > 0, "what is too large costs the others nothing");
}

#[test]
fn what_was_not_used_for_too_long_goes_at_the_next_cleaning_that_is_due() {
    let (place, cache) = cache(1 << 20);
    for number in 0..4 {
        cache.put(&key(number), b"x").unwrap();
    }
    set_used(&cache, 0, Duration::from_secs(31 * 24 * 3600));
    set_used(&cache, 1, Duration::from_secs(29 * 24 * 3600));
    File::open(cache.folder.entry_path(&key(2)))
        .unwrap()
        .set_modified(SystemTime::now() + Duration::from_secs(9999))
        .unwrap();
    let folder = place.path().join("audio");
    AudioCache::open(&folder, limits(1 << 20)).unwrap();
    assert_eq!(cache.stat().unwrap().entries, 4, "it was cleaned within the hour");
    let marker = File::open(folder.join("CACHEDIR.TAG")).unwrap();
    marker.set_modified(SystemTime::now() - Duration::from_secs(3601)).unwrap();
    AudioCache::open(&folder, limits(1 << 20)).unwrap();
    let kept: Vec<_> = (0..4).filter(|number| got(&cache, *number).is_some()).collect();
    assert_eq!(kept, [1, 2, 3]);
    assert!(marker.metadata().unwrap().modified().unwrap().elapsed().unwrap() < Duration::from_secs(60));
}

#[test]
fn a_damaged_entry_is_none_and_is_gone_wherever_the_damage_is() {
    let (_place, cache) = cache(1 << 20);
    let path = cache.folder.entry_path(&key(1));
    cache.put(&key(1), &result(1, 300)).unwrap();
    let whole = fs::read(&path).unwrap();
    assert_eq!(got(&cache, 1), Some(result(1, 300)), "control");
    // By its first eight bytes it is known.
    for at in 8..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << (at % 8);
        fs::write(&path, damaged).unwrap();
        assert_eq!(got(&cache, 1), None, "byte {at}");
        assert!(!path.exists());
    }
    let longer = [&whole[..], b"x"].concat();
    for damaged in [&whole[..whole.len() - 1], &whole[..64], &whole[..9], &[], &[0; 500], &longer] {
        fs::write(&path, damaged).unwrap();
        assert_eq!(got(&cache, 1), None, "{} bytes", damaged.len());
        assert!(!path.exists());
    }
    // One that was renamed is none of that name.
    fs::write(cache.folder.entry_path(&key(2)), &whole).unwrap();
    assert_eq!(got(&cache, 2), None);
}

/// Every file below a folder that is no entry of ours: what it has, or where it leads.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        if metadata.is_dir() {
            all.extend(files(&path));
        } else if metadata.is_symlink() {
            let target = fs::read_link(&path).unwrap();
            all.insert(path, target.into_os_string().into_encoded_bytes());
        } else {
            let bytes = fs::read(&path).unwrap();
            all.insert(path, bytes);
        }
    }
    all
}

#[test]
fn what_it_has_not_made_is_never_touched() {
    let (place, cache) = cache(3000);
    let folder = cache.folder().to_owned();
    fs::write(place.path().join("song.wav"), "a song").unwrap();
    let entry = |number| cache.folder.entry_path(&key(number));
    for (path, text) in [
        (folder.join("song.wav"), "mine"),
        (folder.join("notes.kmaudio"), "mine"),
        (folder.join(".writing-0123456789abcdef.kmaudio"), "mine, with the name of another"),
        (entry(100), "mine, with the name of an entry"),
    ] {
        fs::write(path, text).unwrap();
    }
    fs::create_dir(folder.join("folder")).unwrap();
    fs::write(folder.join("folder").join(entry(1).file_name().unwrap()), "mine").unwrap();
    symlink(place.path().join("song.wav"), entry(101)).unwrap();
    symlink(place.path(), folder.join("all")).unwrap();
    fs::create_dir(entry(102)).unwrap();
    let before = files(place.path());
    for number in 0..10 {
        cache.put(&key(number), &result(number, 500)).unwrap();
    }
    for number in 100..103 {
        assert_eq!(got(&cache, number), None);
        let refused = cache.put(&key(number), b"x");
        assert!(matches!(refused, Err(CacheError::ForeignFile { .. })), "{number}: {refused:?}");
    }
    cache.clean().unwrap();
    assert!(cache.stat().unwrap().entries > 1, "control: there was something to remove");
    assert!(cache.clear().unwrap().removed > 1);
    assert_eq!(files(place.path()), before);
}

#[test]
fn a_folder_with_files_of_others_is_refused_and_stays_as_it_is() {
    let place = tempfile::tempdir().unwrap();
    let open = || AudioCache::open(place.path(), limits(1000));
    fs::write(place.path().join("mine.txt"), "mine").unwrap();
    assert!(matches!(open(), Err(CacheError::NotOurs { .. })));
    fs::write(place.path().join("CACHEDIR.TAG"), "Signature: 8a477f597d28d172789f06886806bc55\n").unwrap();
    assert!(matches!(open(), Err(CacheError::NotOurs { .. })), "a cache of another program");
    let kept = files(place.path());
    assert_eq!(kept.len(), 2);
    fs::remove_file(place.path().join("mine.txt")).unwrap();
    // A program that was killed while it made the marker.
    open().unwrap();
    let link = place.path().join("link");
    symlink(place.path(), &link).unwrap();
    AudioCache::open(&link, limits(1000)).unwrap();
    let file = place.path().join("file");
    fs::write(&file, "mine").unwrap();
    assert!(matches!(AudioCache::open(&file, limits(1000)), Err(CacheError::System(_))));
}

#[test]
fn a_marker_that_is_damaged_is_made_anew_where_all_else_is_ours() {
    let (place, cache) = cache(1 << 20);
    cache.put(&key(1), b"kept").unwrap();
    let (folder, marker) = (cache.folder().to_owned(), cache.folder().join("CACHEDIR.TAG"));
    let whole = fs::read(&marker).unwrap();
    for damaged in [vec![], whole[..20].to_vec(), vec![0; whole.len()], [&whole[..], b"more"].concat()] {
        fs::write(&marker, &damaged).unwrap();
        let cache = AudioCache::open(&folder, limits(1 << 20)).unwrap();
        assert_eq!((got(&cache, 1), fs::read(&marker).unwrap()), (Some(b"kept".to_vec()), whole.clone()));
    }
    // With a file of somebody else it is not.
    fs::write(folder.join("mine.txt"), "").unwrap();
    fs::write(&marker, "").unwrap();
    assert!(matches!(AudioCache::open(&folder, limits(1 << 20)), Err(CacheError::NotOurs { .. })));
    assert!(fs::read(&marker).unwrap().is_empty());
    drop(place);
}

#[test]
fn what_a_killed_program_was_writing_goes_and_what_another_writes_stays() {
    let (_place, cache) = cache(1 << 20);
    let writing = cache.writer(&key(1)).unwrap();
    let killed = cache.folder().join(".writing-0123456789abcdef.kmaudio");
    fs::write(&killed, Header::unfinished()).unwrap();
    assert_eq!(cache.clean().unwrap().removed, 1);
    assert!(!killed.exists());
    writing.commit().unwrap();
    assert_eq!(got(&cache, 1), Some(vec![]));
}

#[test]
fn several_at_once_keep_the_limit_and_see_whole_results_only() {
    const LIMIT: u64 = 60_000;
    let (place, watched) = cache(LIMIT);
    let folder = place.path().join("audio");
    std::thread::scope(|scope| {
        for thread in 0..4u32 {
            let folder = &folder;
            scope.spawn(move || {
                // As another program opens it.
                let cache = AudioCache::open(folder, limits(LIMIT)).unwrap();
                for round in 0..60u32 {
                    let number = (round * 7 + thread) % 20;
                    let bytes = 1000 + number as usize * 300;
                    if let Some(found) = got(&cache, number) {
                        assert_eq!(found, result(number, bytes));
                    }
                    match cache.put(&key(number), &result(number, bytes)) {
                        // What others write at the same time counts too.
                        Ok(()) | Err(CacheError::TooLarge { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                    let list = cache.folder.list().unwrap();
                    let entries: u64 = list.entries.iter().map(|entry| entry.bytes).sum();
                    assert!(entries <= LIMIT, "{entries}");
                }
            });
        }
    });
    assert!(watched.stat().unwrap().entries > 3);
    assert_eq!(watched.stat().unwrap().foreign_files, 0);
}
