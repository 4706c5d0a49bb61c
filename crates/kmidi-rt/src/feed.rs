use kmidi_core::SongTime;

use crate::song::{Page, PageEvent, Source, Stream, Timeline};

/// What comes next in the song.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Next {
    /// This event.
    Event(PageEvent),
    /// Nothing before the loop wraps.
    Wrap,
    /// Nothing until the end of the song.
    Nothing,
    /// Not known: the page has not come yet.
    Starved,
}

/// The place in a song's source. `[side A]`
pub(crate) struct Feed {
    timeline: Option<Timeline>,
    /// Resident songs: the next event.
    cursor: usize,
    /// Streamed songs: the pages that count.
    generation: u32,
    /// No page of this generation has come yet, so waiting for one is no starvation.
    fresh: bool,
}

impl Feed {
    pub fn new() -> Self {
        Feed { timeline: None, cursor: 0, generation: 0, fresh: true }
    }

    /// Changes songs with `timeline`; where to begin comes with [`Feed::locate`].
    pub fn swap_timeline(&mut self, timeline: &mut Option<Timeline>) {
        std::mem::swap(&mut self.timeline, timeline);
    }

    /// The song's id and end, if there is a song.
    pub fn song(&self) -> Option<(u64, SongTime)> {
        self.timeline.as_ref().map(|t| (t.id, t.end))
    }

    /// Streamed songs: only pages of this generation count from now on.
    pub fn expect(&mut self, generation: u32) {
        self.generation = generation;
    }

    /// As [`Feed::expect`], and the song goes on elsewhere: at `cursor` where it is resident.
    pub fn locate(&mut self, generation: u32, cursor: usize) {
        self.generation = generation;
        self.cursor = cursor;
        self.fresh = true;
    }

    /// Whether being starved now is somebody's fault.
    pub fn is_late(&self) -> bool {
        !self.fresh
    }

    /// What comes next. Pages played or no longer wanted go home on the way.
    pub fn peek(&mut self) -> Next {
        match self.timeline.as_mut().map(|t| &mut t.source) {
            None => Next::Nothing,
            Some(Source::Resident(page)) => {
                page.events.get(self.cursor).map_or(Next::Nothing, |event| Next::Event(*event))
            }
            Some(Source::Streamed(stream)) => {
                let next = stream.peek(self.generation);
                self.fresh &= next == Next::Starved;
                next
            }
        }
    }

    /// Passes over the event that [`Feed::peek`] has shown.
    pub fn take(&mut self) {
        match self.timeline.as_mut().map(|t| &mut t.source) {
            None => {}
            Some(Source::Resident(_)) => self.cursor += 1,
            Some(Source::Streamed(stream)) => stream.cursor += 1,
        }
    }

    /// The SysEx bytes that belong to the event shown by [`Feed::peek`].
    pub fn sysex(&self) -> &[u8] {
        match self.timeline.as_ref().map(|t| &t.source) {
            None => &[],
            Some(Source::Resident(page)) => &page.sysex,
            Some(Source::Streamed(stream)) => stream.current.as_ref().map_or(&[], |page| &page.sysex),
        }
    }

    /// Goes on behind the loop's wrap: a resident song at `cursor`, a streamed one with the page
    /// that says so. `false` if that page has not come yet.
    pub fn wrap(&mut self, cursor: usize) -> bool {
        loop {
            match self.timeline.as_mut().map(|t| &mut t.source) {
                Some(Source::Streamed(stream)) => match stream.peek(self.generation) {
                    Next::Wrap => {
                        stream.wrapped = true;
                        return true;
                    }
                    // The feeder did not know of this loop's end; what lies behind it is not played.
                    Next::Event(_) => stream.cursor += 1,
                    Next::Nothing | Next::Starved => return false,
                },
                _ => {
                    self.cursor = cursor;
                    return true;
                }
            }
        }
    }
}

impl Stream {
    fn peek(&mut self, generation: u32) -> Next {
        loop {
            if let Some(page) = &self.current {
                let next = page_next(page, generation, self.cursor, self.wrapped);
                if let Some(next) = next {
                    return next;
                }
            }
            if !self.send_home() {
                return Next::Starved;
            }
            match self.pages.pop() {
                Ok(page) => {
                    self.current = Some(page);
                    self.cursor = 0;
                    self.wrapped = false;
                }
                Err(_) => return Next::Starved,
            }
        }
    }

    /// Sends the current page home; `false`, and the page stays, if there is no room.
    fn send_home(&mut self) -> bool {
        if self.current.is_some() && self.home.is_full() {
            return false;
        }
        if let Some(page) = self.current.take() {
            // There is room, and nobody else pushes here.
            self.current = self.home.push(page).err().map(|rtrb::PushError::Full(page)| page);
        }
        self.current.is_none()
    }
}

/// What a page has next; `None` if it is played or not wanted.
fn page_next(page: &Page, generation: u32, cursor: usize, wrapped: bool) -> Option<Next> {
    if page.generation != generation {
        None
    } else if page.loop_wrap && !wrapped {
        Some(Next::Wrap)
    } else if let Some(event) = page.events.get(cursor) {
        Some(Next::Event(*event))
    } else {
        page.last.then_some(Next::Nothing)
    }
}
