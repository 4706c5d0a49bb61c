//! A song on its way to the sequencer: whole, or in pages. What a seek and a loop need is thought
//! out here, so that playing and rendering do the same.

use std::io;

use kmidi_core::limits::{PAGE_EVENTS, PAGE_SYSEX_BYTES};
use kmidi_core::{LoopRange, SongTime};
use kmidi_rt::{Locate, LoopPlan, Page, PageSender, Source, Stream, Timeline, page_stream};

use crate::reader::{Filled, SongReader};

/// Songs of no more events than this are handed over whole (at most 20 MiB); longer ones in pages.
const RESIDENT_EVENTS: u64 = 1 << 19;

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
    /// nothing at or after that is played. `id` names the song in the engine's reports.
    pub fn open(mut reader: SongReader, end: Option<SongTime>, id: u64) -> io::Result<(Feed, Timeline)> {
        let song_end = reader.end();
        let end = end.filter(|&end| end < song_end);
        // Without a cut, what happens at the very end belongs to the song.
        let limit = end.unwrap_or(SongTime(song_end.0.saturating_add(1)));
        let (mode, source) = if reader.events() <= RESIDENT_EVENTS {
            let page = whole(&mut reader, limit)?;
            let times = page.events.iter().map(|event| event.time).collect();
            (Mode::Resident(times), Source::Resident(page))
        } else {
            let (pages, stream) = Pages::new();
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
        let chase = self.reader.chase(position)?;
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
        Ok(Some(LoopPlan { range, cursor: self.cursor(range.start), chase: self.reader.chase(range.start)? }))
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
