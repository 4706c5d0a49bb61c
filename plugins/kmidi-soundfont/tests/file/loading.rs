//! Loading: what is shared, what it may cost, and what happens when the file goes away.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use basedrop::Collector;
use kmidi_soundfont::{SampleSource, SoundFont, SoundFontError};

use crate::open;
use crate::support::{SoundFontBuilder, ZoneSketch};

/// Three presets: two on the first sample, one on both.
fn builder() -> SoundFontBuilder {
    let zone = ZoneSketch::new;
    SoundFontBuilder::new()
        .sample(&[1; 1000], (0, 1000))
        .sample(&[2; 3000], (0, 3000))
        .instrument("One", &[zone().sample(0)])
        .instrument("Both", &[zone().sample(0), zone().sample(1), zone().sample(1)])
        .preset(0, 0, "A", &[zone().instrument(0)])
        .preset(0, 1, "B", &[zone().instrument(0)])
        .preset(0, 2, "C", &[zone().instrument(1)])
}

const SMALL: u64 = (1000 + 16) * 4;
const LARGE: u64 = (3000 + 16) * 4;

/// A file that counts what is read, and can shrink.
struct Shrinking {
    bytes: Vec<u8>,
    length: AtomicU64,
    read: AtomicU64,
}

impl Shrinking {
    fn new(bytes: Vec<u8>) -> Arc<Self> {
        Arc::new(Shrinking { length: AtomicU64::new(bytes.len() as u64), bytes, read: AtomicU64::new(0) })
    }
}

impl SampleSource for Shrinking {
    fn len(&self) -> io::Result<u64> {
        Ok(self.length.load(Relaxed))
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let there = &self.bytes[..self.length.load(Relaxed) as usize];
        // Short reads are allowed.
        let most = buffer.len().min(777);
        let count = there.read_at(offset, &mut buffer[..most])?;
        self.read.fetch_add(count as u64, Relaxed);
        Ok(count)
    }
}

#[test]
fn opening_reads_headers_alone_and_loading_only_what_sounds() {
    let bytes = SoundFontBuilder::simple(&[1; 500_000], &[ZoneSketch::new().sample(0)]).bytes();
    let source = Shrinking::new(bytes);
    let font = open(source.clone()).unwrap();
    let headers = source.read.swap(0, Relaxed);
    assert!(headers < 2000, "{headers} bytes");
    font.load_preset(0, 0, None).unwrap();
    assert_eq!(source.read.load(Relaxed), 1_000_000);
}

#[test]
fn samples_are_loaded_once_and_shared() {
    let font = open(builder().bytes()).unwrap();
    let presets: Vec<_> = [0, 1, 2].map(|program| font.load_preset(0, program, None).unwrap()).into();
    assert_eq!(font.resident_bytes(), SMALL + LARGE);
    let first = |preset: usize| presets[preset].zones[0].sample.data.as_ptr();
    assert_eq!((first(0), first(0)), (first(1), first(2)));
}

#[test]
fn a_preset_is_planned_loaded_sample_by_sample_and_joined() {
    let font = open(builder().bytes()).unwrap();
    let plan = font.plan_preset(0, 2, None).unwrap();
    let bytes: Vec<_> = (0..plan.samples()).map(|number| plan.file_bytes(number)).collect();
    assert_eq!(bytes, [2000, 6000], "the second is needed twice and loaded once");
    assert_eq!(font.resident_bytes(), 0);
    let samples = std::thread::scope(|scope| {
        let load = |number: usize| {
            scope.spawn({
                let (font, plan) = (&font, &plan);
                move || font.load_sample(plan, number).unwrap()
            })
        };
        let threads = [1, 0].map(load);
        let [second, first] = threads.map(|thread| thread.join().unwrap());
        [first, second]
    });
    let samples = samples.map(|loaded| loaded.filter(|loaded| loaded.is_new).map(|loaded| loaded.sample));
    assert!(font.load_sample(&plan, 0).unwrap().is_some_and(|again| !again.is_new));
    let data = |preset: &kmidi_soundfont::Preset| {
        preset.zones.iter().map(|zone| zone.sample.data.as_ptr()).collect::<Vec<_>>()
    };
    let joined = font.join_preset(&plan, &samples).unwrap();
    assert_eq!(data(&joined), data(&font.load_preset(0, 2, None).unwrap()));
    assert_eq!(joined.zones.len(), 3);
    // A sample that is not there takes its zones with it, and all of them the preset.
    let [first, _] = samples;
    assert_eq!(font.join_preset(&plan, &[first, None]).unwrap().zones.len(), 1);
    assert!(matches!(font.join_preset(&plan, &[None, None]), Err(SoundFontError::SilentPreset { .. })));
    assert!(matches!(font.plan_preset(0, 9, None), Err(SoundFontError::NoPreset { .. })));
}

#[test]
fn samples_that_nothing_uses_can_be_forgotten() {
    let mut collector = Collector::new();
    let font = SoundFont::open(Arc::new(builder().bytes()), &collector.handle()).unwrap();
    let small = font.load_preset(0, 0, None).unwrap();
    drop(font.load_preset(0, 2, None).unwrap());
    assert_eq!(font.resident_bytes(), SMALL + LARGE);
    // The preset itself is freed by the collector.
    collector.collect();
    font.free_unused();
    assert_eq!(font.resident_bytes(), SMALL);
    drop(small);
    collector.collect();
    font.free_unused();
    assert_eq!(font.resident_bytes(), 0);
    assert!(font.load_preset(0, 2, None).is_ok());
    drop(font);
    collector.collect();
    assert_eq!(collector.alloc_count(), 0, "nothing leaks");
}

#[test]
fn a_preset_that_does_not_fit_says_by_how_much() {
    let mut font = open(builder().bytes()).unwrap();
    font.set_memory_limit(SMALL + 100);
    assert!(font.load_preset(0, 0, None).is_ok());
    match font.load_preset(0, 2, None) {
        Err(SoundFontError::TooLarge { name, needed_bytes, free_bytes: 100 }) => {
            assert_eq!((&*name, needed_bytes), ("C", LARGE));
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it does not fit"),
    }
    assert_eq!(font.resident_bytes(), SMALL);
    font.set_memory_limit(SMALL + LARGE);
    assert!(font.load_preset(0, 2, None).is_ok());
}

#[test]
fn a_file_cut_while_it_plays_leaves_what_plays_whole() {
    let source = Shrinking::new(builder().bytes());
    let font = open(source.clone()).unwrap();
    let playing = font.load_preset(0, 0, None).unwrap();
    source.length.store(600, Relaxed);
    let again = font.load_preset(0, 1, None).unwrap();
    assert!(playing.zones[0].sample.data[8..1008].iter().all(|&frame| frame == 1.0 / 32768.0));
    assert_eq!(again.zones[0].sample.data.as_ptr(), playing.zones[0].sample.data.as_ptr());
    let error = font.load_preset(0, 2, None).map(|_| ()).unwrap_err();
    assert!(matches!(&error, SoundFontError::Io(io) if io.kind() == io::ErrorKind::UnexpectedEof), "{error}");
    assert_eq!(font.resident_bytes(), SMALL);
    // It comes back.
    source.length.store(source.bytes.len() as u64, Relaxed);
    assert!(font.load_preset(0, 2, None).is_ok());
}

#[test]
fn a_real_file_cut_while_it_plays_is_an_error_and_no_fault() {
    let path = std::env::temp_dir().join(format!("kmidi-soundfont-cut-{}.sf2", std::process::id()));
    std::fs::write(&path, builder().bytes()).unwrap();
    let font = open(std::fs::File::open(&path).unwrap()).unwrap();
    let playing = font.load_preset(0, 0, None).unwrap();
    std::fs::File::options().write(true).open(&path).unwrap().set_len(100).unwrap();
    assert!(matches!(font.load_preset(0, 2, None), Err(SoundFontError::Io(_))));
    assert_eq!(playing.zones[0].sample.frames(), 1000);
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn threads_that_load_side_by_side_share_samples() {
    let font = open(builder().bytes()).unwrap();
    let data = std::thread::scope(|scope| {
        let load = |program: u8| {
            let font = &font;
            scope.spawn(move || {
                font.load_preset(0, program, None).unwrap().zones[0].sample.data.as_ptr() as usize
            })
        };
        let threads: Vec<_> = [0, 1, 2, 0, 1, 2, 0, 1].map(load).into();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(data.iter().all(|&pointer| pointer == data[0]));
    assert_eq!(font.resident_bytes(), SMALL + LARGE);
}
