//! Seek, loop, pause, end of song: each at its exact frame, with what it owes and what it chases.

use kmidi_core::{Event, SongTime};
use kmidi_rt::{Locate, PageEvent, Report, Source, Timeline, When, page_stream};

use crate::rig::{Rig, at, frames, locate, resident};

fn clicks(every: SongTime, count: i64) -> Vec<PageEvent> {
    let click = |n: i64| at(SongTime(n * every.0), 0, Event::note_on(0, (n % 128) as u8, 100));
    (0..count).map(click).collect()
}

#[test]
fn a_loop_wraps_at_its_exact_frame_for_ever() {
    // A click each 1000 1/3 frames; the loop holds six of them, so that it is not whole frames long.
    let every = SongTime(1000 * SongTime::PER_FRAME + SongTime::PER_FRAME / 3);
    let song = clicks(every, 100);
    let (start, end) = (SongTime(every.0 * 2), SongTime(every.0 * 8));
    for size in [64, 441, 8192] {
        let mut rig = Rig::new(64);
        rig.load(&song, frames(200_000));
        rig.handle.locate(locate(&song, SongTime::ZERO, Some((start, end)))).unwrap();
        rig.handle.play().unwrap();
        rig.render(3_000_000, std::iter::repeat(size));
        for (n, (frame, key)) in (0i64..).zip(rig.note_ons()) {
            assert_eq!(frame as i64, SongTime(n * every.0).to_frames().0, "click {n}");
            let expected = if n < 2 { n } else { 2 + (n - 2) % 6 };
            assert_eq!(i64::from(key), expected);
        }
        assert_eq!(rig.handle.status().loop_wraps as usize, (rig.note_ons().len() - 3) / 6);
        assert!(rig.note_ons().len() > 2990);
    }
}

#[test]
fn a_streamed_loop_wraps_at_the_same_frames() {
    let every = SongTime(1000 * SongTime::PER_FRAME + SongTime::PER_FRAME / 3);
    let song = clicks(every, 100);
    let (start, end) = (SongTime(every.0 * 2), SongTime(every.0 * 8));
    let mut rig = Rig::new(64);
    let (mut sender, stream) = page_stream();
    let timeline = Timeline { id: 1, source: Source::Streamed(stream), end: frames(200_000) };
    let place = Locate { generation: 3, ..locate(&song, SongTime::ZERO, Some((start, end))) };
    rig.handle.set_timeline(Some(timeline), place, When::Now).unwrap();
    rig.handle.play().unwrap();
    let mut first = true;
    while rig.heard.len() < 1_000_000 {
        while let Some(mut page) = sender.free_page() {
            page.generation = 3;
            page.loop_wrap = !first;
            page.events.extend_from_slice(if first { &song[..8] } else { &song[2..8] });
            if let Err(page) = sender.send(page) {
                sender.give_back(page);
                break;
            }
            first = false;
        }
        rig.callback(700);
        rig.handle.collect();
    }
    for (n, (frame, key)) in (0i64..).zip(rig.note_ons()) {
        assert_eq!(frame as i64, SongTime(n * every.0).to_frames().0, "click {n}");
        assert_eq!(i64::from(key), if n < 2 { n } else { 2 + (n - 2) % 6 });
    }
    assert_eq!(rig.handle.status().starvations, 0);
    assert!(rig.note_ons().len() > 990);
}

#[test]
fn a_late_page_holds_song_time_and_loses_nothing() {
    let song = clicks(frames(1000), 40);
    let mut rig = Rig::new(64);
    let (mut sender, stream) = page_stream();
    let timeline = Timeline { id: 1, source: Source::Streamed(stream), end: frames(40_000) };
    rig.handle.set_timeline(Some(timeline), Locate::default(), When::Now).unwrap();
    rig.handle.play().unwrap();
    // Waiting for the first page after a seek is nobody's fault.
    rig.render(6400, std::iter::repeat(64));
    assert_eq!((rig.handle.status().starvations, rig.note_ons().len()), (0, 0));
    let mut expected = vec![];
    for (n, chunk) in song.chunks(10).enumerate() {
        let begin = rig.heard.len() as u64;
        let mut page = sender.free_page().unwrap();
        page.events.extend_from_slice(chunk);
        page.last = n == 3;
        sender.send(page).unwrap();
        // Ten clicks last 9000 frames; song time then holds on the frame of the last one.
        rig.render(20_480, std::iter::repeat(64));
        let first = if n == 0 { begin } else { begin + 1000 };
        expected.extend((0..10).map(|click| (first + click * 1000, (n * 10) as u8 + click as u8)));
    }
    assert_eq!(rig.note_ons(), expected);
    assert_eq!(rig.handle.status().starvations, 3);
    assert_eq!(rig.handle.reports().filter(|report| *report == Report::Starved).count(), 3);
    assert!(!rig.handle.status().playing, "the end was reached");
}

#[test]
fn the_next_song_begins_on_the_very_frame_where_this_one_ends() {
    let first = clicks(frames(1000), 10);
    let second = clicks(frames(700), 10);
    // Ends between two frames; the second song begins exactly there, and not at its own start.
    let end = SongTime(9500 * SongTime::PER_FRAME + SongTime::PER_FRAME / 4 * 3);
    let mut rig = Rig::new(64);
    rig.load(&first, end);
    rig.handle.play().unwrap();
    rig.render(6400, std::iter::repeat(100));
    let place = locate(&second, frames(1400), None);
    rig.handle.set_timeline(Some(resident(2, &second, frames(7000))), place, When::AtEnd).unwrap();
    rig.render(20_000, std::iter::repeat(100));
    let exact = |n: i64| SongTime(end.0 + frames(700).0 * n).to_frames().0 as u64;
    let expected: Vec<_> =
        (0..10).map(|n| (n * 1000, n as u8)).chain((0..8).map(|n| (exact(n), n as u8 + 2))).collect();
    assert_eq!(rig.note_ons(), expected);
    let reports: Vec<_> = rig.handle.reports().collect();
    assert_eq!(
        reports,
        [Report::Began { timeline: 1 }, Report::Began { timeline: 2 }, Report::Ended { timeline: 2 }]
    );
    let status = rig.handle.status();
    assert_eq!((status.timeline, status.playing, status.notes_owed), (2, false, 0));
    assert_eq!(status.position.to_frames().0, 7000);
}

#[test]
fn a_seek_chases_and_a_pause_lifts_the_pedals_until_it_goes_on() {
    let pedal = |value| Event::ControlChange { channel: 2, controller: 64, value };
    let song = [
        at(frames(100), 0, Event::ProgramChange { channel: 2, program: 9 }),
        at(frames(200), 0, pedal(100)),
        at(frames(300), 0, Event::note_on(2, 60, 90)),
        at(frames(30_000), 0, Event::note_off(2, 60, 64)),
        at(frames(31_000), 0, pedal(0)),
    ];
    let mut rig = Rig::new(64);
    rig.load(&song, frames(50_000));
    rig.handle.play().unwrap();
    rig.render(640, std::iter::repeat(64));
    let seen = |rig: &Rig| std::mem::take(&mut *rig.log.lock().unwrap());
    seen(&rig);

    rig.handle.pause().unwrap();
    rig.render(640, std::iter::repeat(64));
    let off = Event::NoteOff { channel: 2, key: 60, velocity: 0.5 };
    assert_eq!(seen(&rig), [(640, 0, off), (640, 0, pedal(0))]);

    rig.handle.play().unwrap();
    rig.render(640, std::iter::repeat(64));
    assert_eq!(seen(&rig), [(1280, 0, pedal(100))], "the note does not begin again, the pedal does");

    rig.handle.locate(locate(&song, frames(250), None)).unwrap();
    rig.render(640, std::iter::repeat(64));
    let log: Vec<_> = seen(&rig).into_iter().filter(|(_, port, _)| *port == 0).collect();
    assert_eq!(
        log,
        [
            (1920, 0, Event::Jump),
            (1920, 0, Event::ProgramChange { channel: 2, program: 9 }),
            (1920, 0, pedal(100)),
            (1970, 0, Event::note_on(2, 60, 90)),
        ]
    );
}

#[test]
fn a_note_ends_on_the_key_it_began_on_and_a_muted_one_never_began() {
    let song = [
        at(frames(10), 0, Event::note_on(0, 60, 90)),
        at(frames(20), 0, Event::note_on(9, 36, 90)),
        at(frames(200), 0, Event::note_on(1, 50, 90)),
        at(frames(300), 0, Event::note_off(0, 60, 64)),
        at(frames(310), 0, Event::note_off(9, 36, 64)),
        at(frames(320), 0, Event::note_on(0, 126, 90)),
        at(frames(330), 0, Event::note_off(0, 126, 64)),
        at(frames(340), 0, Event::note_on(0, 61, 90)),
        at(frames(500), 0, Event::note_off(1, 50, 64)),
        at(frames(510), 0, Event::note_off(0, 61, 64)),
    ];
    let mut rig = Rig::new(64);
    rig.load(&song, frames(2000));
    rig.handle.play().unwrap();
    rig.callback(64);
    rig.handle.transpose(3, [!(1 << 9); 4]).unwrap();
    rig.handle.mute(0, 1 << 1).unwrap();
    rig.render(320, std::iter::repeat(64));
    rig.handle.mute(0, 1 << 0).unwrap();
    rig.render(640, std::iter::repeat(64));
    let log = rig.log.lock().unwrap();
    let notes: Vec<_> = log.iter().filter(|e| e.1 == 0).map(|&(frame, _, event)| (frame, event)).collect();
    assert_eq!(
        notes,
        [
            (0, Event::Jump),
            (10, Event::note_on(0, 60, 90)),
            (20, Event::note_on(9, 36, 90)),
            (300, Event::note_off(0, 60, 64)),
            (310, Event::note_off(9, 36, 64)),
            (340, Event::note_on(0, 64, 90)),
            (384, Event::NoteOff { channel: 0, key: 64, velocity: 0.5 }),
        ]
    );
    let status = rig.handle.status();
    assert_eq!((status.notes_off_the_keyboard, status.drops.song), (1, 0), "126 + 3 is no key");
}
