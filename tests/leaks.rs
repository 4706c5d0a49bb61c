//! What a job takes it gives back: bytes in use after it are those before it, in every domain.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use kmidi_memory::{Budgets, Domain};
use kmidi_session::{
    AudioRequest, Backend, Cancel, Command, OnProgress, PlayState, Position, RenderError, RenderProgress,
    RenderReport, RenderRequest, SampleFormat, Session, SessionConfig, SoundFontChoice, SoundSettings, Tail,
};

#[global_allocator]
static HEAP: kmidi_memory::Heap = kmidi_memory::Heap::new();

/// Longer than anything here takes on a slow machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// Bytes in use of each domain.
fn live_bytes() -> [u64; Domain::COUNT] {
    Domain::ALL.map(|domain| kmidi_memory::tally(domain).live_bytes())
}

/// The first time may make what is kept for good, and the runner of the tests may take something beside a
/// later one; what leaks does so each time.
fn check(job: impl Fn()) {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    job();
    let rounds: Vec<_> =
        (0..4).map(|_| left_by(&job)).take_while(|left| left.iter().any(|it| *it > 0)).collect();
    assert!(rounds.len() < 4, "left of {:?}: {rounds:?} bytes", Domain::ALL);
}

/// Bytes that a job leaves in each domain.
fn left_by(job: impl Fn()) -> [i64; Domain::COUNT] {
    let before = live_bytes();
    job();
    let left = || std::array::from_fn(|i| live_bytes()[i].cast_signed() - before[i].cast_signed());
    // A thread that has ended may still be giving back what it had.
    let start = Instant::now();
    while left().iter().any(|it| *it > 0) && start.elapsed() < Duration::from_secs(2) {
        std::thread::sleep(Duration::from_millis(5));
    }
    left()
}

fn song() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/midi/freedoom-e1m1.mid")
}

fn playing() -> Session {
    let audio = AudioRequest { backend: Some(Backend::Null), ..AudioRequest::default() };
    let session = Session::start(SessionConfig { songs: vec![song()], audio, ..SessionConfig::default() });
    let session = session.expect("a session");
    wait(&session, |session| session.snapshot().state == PlayState::Playing);
    session
}

fn wait(session: &Session, until: impl Fn(&Session) -> bool) {
    let start = Instant::now();
    while !until(session) {
        assert!(start.elapsed() < DEADLINE, "{:#?}", session.snapshot());
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_session_gives_all_back() {
    check(|| drop(playing()));
}

#[test]
fn a_session_that_changes_soundfonts_gives_all_back() {
    check(|| {
        let session = playing();
        let stack = vec![SoundFontChoice::default(), SoundFontChoice { file: None, bank_offset: 8 }];
        for _ in 0..10 {
            session.send(Command::SetSoundFonts(stack.clone()));
            std::thread::sleep(Duration::from_millis(100));
            session.send(Command::NextSoundFont);
            std::thread::sleep(Duration::from_millis(30));
        }
    });
}

/// Of a few seconds, into a folder that goes.
fn rendered(change: impl FnOnce(&mut RenderRequest), cancel: &Cancel, on_progress: OnProgress) -> Rendered {
    let folder = tempfile::tempdir().expect("a folder");
    let mut request = RenderRequest {
        song: song(),
        sound_fonts: vec![],
        output: Some(folder.path().join("out.wav")),
        format: SampleFormat::Int16,
        sample_rate_hz: 48_000,
        quantum_frames: 512,
        sound: SoundSettings::default(),
        rack: Default::default(),
        from: None,
        to: Some(Position::Seconds(3.0)),
        tail: Tail::Seconds(0.1),
        stems: None,
        loudness: true,
        verify: false,
        budgets: Budgets::default(),
    };
    change(&mut request);
    kmidi_session::render(&request, cancel, &on_progress)
}

type Rendered = Result<RenderReport, RenderError>;

fn nobody() -> OnProgress {
    Arc::new(|_| {})
}

#[test]
fn a_render_gives_all_back() {
    check(|| drop(rendered(|_| (), &Cancel::default(), nobody()).expect("a render")));
}

#[test]
fn a_render_that_is_cancelled_gives_all_back() {
    for at in [0.0, 0.5] {
        check(|| {
            let cancel = Cancel::default();
            let user = cancel.clone();
            let on_progress: OnProgress = Arc::new(move |progress| match progress {
                RenderProgress::Opening(_) if at == 0.0 => user.cancel(),
                RenderProgress::Rendering(part) if part > at => user.cancel(),
                _ => {}
            });
            let error = rendered(|_| (), &cancel, on_progress).expect_err("it is cancelled");
            assert!(matches!(error, RenderError::Cancelled), "{error}");
        });
    }
}

#[test]
fn a_render_that_fails_gives_all_back() {
    let fails = |change: fn(&mut RenderRequest)| {
        check(|| drop(rendered(change, &Cancel::default(), nobody()).expect_err("it fails")));
    };
    fails(|request| request.song = "/nonexistent/song.mid".into());
    fails(|request| request.song = "/dev/null".into());
    fails(|request| {
        request.sound_fonts = vec![SoundFontChoice { file: Some("/nonexistent.sf2".into()), bank_offset: 0 }];
    });
    fails(|request| request.from = Some(Position::Seconds(10.0)));
    fails(|request| request.output = Some("/nonexistent/out.wav".into()));
}

#[test]
fn a_damaged_song_gives_all_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let damaged = folder.path().join("damaged.mid");
    let bytes = std::fs::read(song()).expect("a song");
    std::fs::write(&damaged, &bytes[..bytes.len() / 2]).expect("written");
    check(|| {
        let change = |request: &mut RenderRequest| request.song = damaged.clone();
        let report = rendered(change, &Cancel::default(), nobody()).expect("what is there plays");
        assert!(!report.warnings.is_empty());
    });
}

#[test]
fn what_is_told_of_a_song_leaves_nothing() {
    check(|| drop(kmidi_session::describe(&song()).expect("a song")));
}

#[test]
#[should_panic(expected = "left of [Program, Audio, Models, Working]: [[")]
fn control_a_leak_is_seen() {
    check(|| std::mem::forget(Domain::Working.charge(|| Box::new(7u8))));
}
