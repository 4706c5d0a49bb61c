//! A song on its way to the sequencer: whole, or in pages. What a seek and a loop need is thought
//! out here, so that playing and rendering do the same.

use std::io;

use kmidi_core::limits::{PAGE_EVENTS, PAGE_SYSEX_BYTES};
use kmidi_core::{LoopRange, SongTime};
use kmidi_memory::{BudgetExceeded, audio_heap};
use kmidi_rt::{Chase, Locate, LoopPlan, Page, PageSender, Source, Stream, Timeline, page_stream};

use crate::reader::{Filled, SongReader};

/// Songs of no more events than this are handed over whole (at most 20 MiB); longer ones in pages.
pub(crate) const RESIDENT_EVENTS: u64 = 1 << 19;

/// Side B's half of a song that plays.
pub(crate) struct Feed {
    reader: SongReader,
    /// Events at or after this are not played.
    limit: SongTime,
    mode: Mode,
}

enum Mode {
    /// The times of the events that were handed over.
    Resident(Vec<SongTime>),
    Streamed(Pages),
}

/// The pages of a streamed song, in playing order.
struct Pages {
    sender: PageSender,
    /// Filled, but there was no room for it.
    waiting: Option<Box<Page>>,
    generation: u32,
    /// The loop, if it lies ahead of where feeding began.
    looping: Option<LoopRange>,
    /// The next page is the first after the wrap.
    wrap: bool,
    done: bool,
}

impl Feed {
    /// Prepares a song to be played from its start, or wherever a [`Feed::locate`] says. With `end`
    /// nothing at or after that is played. `id` names the song in the engine's reports; if it has
    /// more than `resident_events` events, it comes in pages.
    pub fn open(
        mut reader: SongReader,
        end: Option<SongTime>,
        id: u64,
        resident_events: u64,
    ) -> io::Result<(Feed, Timeline)> {
        let song_end = reader.end();
        let end = end.filter(|&end| end < song_end);
        // Without a cut, what happens at the very end belongs to the song.
        let limit = end.unwrap_or(SongTime(song_end.0.saturating_add(1)));
        // What is too large to be held whole is streamed, as is what there is no room for.
        let page = (reader.events() <= resident_events)
            .then(|| audio_heap("the song's events", || whole(&mut reader, limit)).ok())
            .flatten()
            .transpose()?;
        let (mode, source) = if let Some(page) = page {
            let times = page.events.iter().map(|event| event.time).collect();
            (Mode::Resident(times), Source::Resident(page))
        } else {
            let (pages, stream) = audio_heap("the pages of a song", Pages::new).map_err(no_room)?;
            (Mode::Streamed(pages), Source::Streamed(stream))
        };
        let timeline = Timeline { id, source, end: end.unwrap_or(song_end) };
        Ok((Feed { reader, limit, mode }, timeline))
    }

    /// Whether [`Feed::pump`] has to be called again and again while the song plays.
    pub fn is_streamed(&self) -> bool {
        matches!(self.mode, Mode::Streamed(_))
    }

    /// Thinks out a seek to `position`.
    pub fn locate(&mut self, position: SongTime, looping: Option<LoopRange>) -> io::Result<Locate> {
        let chase = self.chase(position)?;
        let looping = self.plan(looping)?;
        let cursor = self.cursor(position);
        let generation = self.restart(position, &looping)?;
        Ok(Locate { position: Some(position), generation, cursor, chase, looping })
    }

    /// Thinks out a change of the loop while the song goes on from about `now`: a position that
    /// was current a moment ago, in the loop `before`.
    pub fn relocate(
        &mut self,
        now: SongTime,
        before: Option<LoopRange>,
        looping: Option<LoopRange>,
    ) -> io::Result<Locate> {
        // Before this is adopted, the old loop may have wrapped.
        let lowest = before.filter(|range| now < range.end).map_or(now, |range| now.min(range.start));
        let looping = self.plan(looping)?;
        let generation = self.restart(lowest, &looping)?;
        Ok(Locate { position: None, generation, looping, ..Locate::default() })
    }

    /// Sends as many pages as there is room for; nothing to do for a resident song.
    pub fn pump(&mut self) -> io::Result<()> {
        match &mut self.mode {
            Mode::Resident(_) => Ok(()),
            Mode::Streamed(pages) => pages.pump(&mut self.reader, self.limit),
        }
    }

    fn plan(&mut self, looping: Option<LoopRange>) -> io::Result<Option<LoopPlan>> {
        let Some(range) = looping else { return Ok(None) };
        Ok(Some(LoopPlan { range, cursor: self.cursor(range.start), chase: self.chase(range.start)? }))
    }

    /// What goes to the engine is on its heap.
    fn chase(&mut self, position: SongTime) -> io::Result<Chase> {
        audio_heap("a place in the song", || self.reader.chase(position)).map_err(no_room)?
    }

    fn cursor(&self, position: SongTime) -> usize {
        match &self.mode {
            Mode::Resident(times) => times.partition_point(|&time| time < position),
            Mode::Streamed(_) => 0,
        }
    }

    fn restart(&mut self, from: SongTime, looping: &Option<LoopPlan>) -> io::Result<u32> {
        let Mode::Streamed(pages) = &mut self.mode else { return Ok(0) };
        pages.generation = pages.generation.wrapping_add(1);
        pages.looping = looping.as_ref().map(|plan| plan.range).filter(|range| from < range.end);
        (pages.wrap, pages.done) = (false, false);
        if let Some(stale) = pages.waiting.take() {
            pages.sender.give_back(stale);
        }
        self.reader.seek(from)?;
        Ok(pages.generation)
    }
}

fn no_room(exceeded: BudgetExceeded) -> io::Error {
    io::Error::new(io::ErrorKind::OutOfMemory, exceeded)
}

fn whole(reader: &mut SongReader, limit: SongTime) -> io::Result<Box<Page>> {
    let mut page = Box::new(Page { last: true, ..Page::default() });
    page.events.reserve_exact(reader.events() as usize);
    reader.seek(SongTime::ZERO)?;
    while reader.fill(&mut page, limit, usize::MAX, usize::MAX)? == Filled::Page {}
    Ok(page)
}

impl Pages {
    fn new() -> (Self, Stream) {
        let (sender, stream) = page_stream();
        let pages = Pages { sender, waiting: None, generation: 0, looping: None, wrap: false, done: false };
        (pages, stream)
    }

    fn pump(&mut self, reader: &mut SongReader, limit: SongTime) -> io::Result<()> {
        loop {
            let page = match self.waiting.take() {
                Some(page) => page,
                None if self.done => return Ok(()),
                None => match self.sender.free_page() {
                    Some(page) => self.fill(page, reader, limit)?,
                    None => return Ok(()),
                },
            };
            if let Err(page) = self.sender.send(page) {
                self.waiting = Some(page);
                return Ok(());
            }
        }
    }

    fn fill(
        &mut self,
        mut page: Box<Page>,
        reader: &mut SongReader,
        limit: SongTime,
    ) -> io::Result<Box<Page>> {
        page.generation = self.generation;
        page.loop_wrap = std::mem::take(&mut self.wrap);
        let until = self.looping.map_or(limit, |range| limit.min(range.end));
        if reader.fill(&mut page, until, PAGE_EVENTS, PAGE_SYSEX_BYTES)? == Filled::Everything {
            match self.looping {
                Some(range) => {
                    reader.seek(range.start)?;
                    self.wrap = true;
                }
                None => self.done = true,
            }
        }
        page.last = self.done;
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use kmidi_core::Frames;
    use kmidi_memory::Budgets;
    use kmidi_rt::{Message, PageEvent};

    use super::*;
    use crate::song::OpenSong;

    const RATE_HZ: u32 = 48_000;

    /// A real song, large enough for several pages.
    fn reader() -> SongReader {
        let path =
            concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/midi/freedoom/freedoom2_D_RUNNIN.mid");
        let song = OpenSong::open_here(path.as_ref(), &Budgets::default(), &Default::default()).unwrap();
        assert!(song.index.events > 2 * PAGE_EVENTS as u64);
        SongReader::new(song.index, song.source, RATE_HZ).unwrap()
    }

    fn seconds(seconds: i64) -> SongTime {
        SongTime::from_frames(Frames(seconds * i64::from(RATE_HZ)))
    }

    /// All events of the song, with the bytes of SysEx messages in place of where they are.
    fn resident(end: Option<SongTime>) -> (Feed, Vec<(PageEvent, Vec<u8>)>) {
        let (feed, timeline) = Feed::open(reader(), end, 1, u64::MAX).unwrap();
        let Source::Resident(page) = timeline.source else { panic!("asked for a resident song") };
        (feed, told(&page))
    }

    fn told(page: &Page) -> Vec<(PageEvent, Vec<u8>)> {
        let told = |event: &PageEvent| match event.message {
            Message::SysEx { start, len } => {
                let bytes = page.sysex[start as usize..][..usize::from(len)].to_vec();
                (PageEvent { message: Message::SysEx { start: 0, len }, ..*event }, bytes)
            }
            Message::Event(_) => (*event, vec![]),
        };
        page.events.iter().map(told).collect()
    }

    /// The next pages of a streamed song of this generation, until `enough`.
    fn pages(
        feed: &mut Feed,
        stream: &mut Stream,
        generation: u32,
        enough: impl Fn(&[Page]) -> bool,
    ) -> Vec<Page> {
        let mut seen = vec![];
        while !enough(&seen) {
            feed.pump().unwrap();
            let page = stream.pages.pop().expect("the feed goes on");
            if page.generation == generation {
                let Page { generation, events, sysex, last, loop_wrap } = &*page;
                let (events, sysex) = (events.clone(), sysex.clone());
                seen.push(Page {
                    generation: *generation,
                    events,
                    sysex,
                    last: *last,
                    loop_wrap: *loop_wrap,
                });
            }
            stream.home.push(page).expect("there is room for every page");
        }
        seen
    }

    fn streamed(end: Option<SongTime>) -> (Feed, Stream) {
        let (feed, timeline) = Feed::open(reader(), end, 1, 0).unwrap();
        let Source::Streamed(stream) = timeline.source else { panic!("asked for a streamed song") };
        (feed, stream)
    }

    #[test]
    fn pages_hold_what_the_whole_song_holds_from_any_place_to_any_end() {
        for (from, end) in [(0, None), (30, None), (0, Some(40)), (31, Some(32)), (1000, None)] {
            let end = end.map(seconds);
            let (mut whole, events) = resident(end);
            let (mut feed, mut stream) = streamed(end);
            let expected = whole.locate(seconds(from), None).unwrap();
            let located = feed.locate(seconds(from), None).unwrap();
            assert_eq!(located.chase.events, expected.chase.events);
            let is_last = |pages: &[Page]| pages.last().is_some_and(|page| page.last);
            let seen = pages(&mut feed, &mut stream, located.generation, is_last);
            let seen: Vec<_> = seen.iter().flat_map(told).collect();
            assert!(seen == events[expected.cursor..], "from {from} s to {end:?}");
            assert!(events[..expected.cursor].iter().all(|(event, _)| event.time < seconds(from)));
        }
    }

    #[test]
    fn a_loop_is_fed_in_playing_order_with_every_wrap_marked() {
        let range = LoopRange { start: seconds(10), end: seconds(14) };
        let (whole, events) = resident(None);
        let turn = &events[whole.cursor(range.start)..whole.cursor(range.end)];
        let (mut feed, mut stream) = streamed(None);
        let located = feed.locate(seconds(12), Some(range)).unwrap();
        assert_eq!(located.looping.as_ref().unwrap().range, range);
        let wraps = |pages: &[Page]| pages.iter().filter(|page| page.loop_wrap).count();
        let seen = pages(&mut feed, &mut stream, located.generation, |seen| wraps(seen) == 4);
        let turns: Vec<Vec<_>> = seen
            .chunk_by(|_, next| !next.loop_wrap)
            .map(|pages| pages.iter().flat_map(told).collect())
            .collect();
        assert!(
            turns[0] == events[whole.cursor(seconds(12))..whole.cursor(range.end)],
            "the way into the loop"
        );
        assert!(turns[1..4].iter().all(|seen| seen == turn), "whole turns");
    }

    #[test]
    fn a_loop_that_is_switched_off_goes_on_from_no_later_than_where_it_may_be() {
        let range = LoopRange { start: seconds(10), end: seconds(14) };
        let (mut feed, mut stream) = streamed(None);
        feed.locate(seconds(12), Some(range)).unwrap();
        let located = feed.relocate(seconds(13), Some(range), None).unwrap();
        assert_eq!((located.position, located.looping.is_none()), (None, true));
        let first = |pages: &[Page]| !pages.is_empty();
        let seen = pages(&mut feed, &mut stream, located.generation, first);
        // Before this is adopted, the old loop may have wrapped to its start.
        assert!(seen[0].events[0].time <= seconds(11) && !seen[0].loop_wrap);
    }
}
