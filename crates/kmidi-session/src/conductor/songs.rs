//! The playlist: opening, beginning, ending songs.

use std::time::Instant;

use kmidi_core::{LoopRange, SongTime};
use kmidi_rt::{ChannelMasks, Locate, MIN_LOOP, Timeline, When};

use super::{Conductor, LONGEST_TAIL, Note, Part, Slot, Wanted};
use crate::command::{LoopRequest, Position};
use crate::feeder::{Answer, Begin, Feeder};
use crate::job::JobError;
use crate::pool::Priority;
use crate::reader::SongReader;
use crate::snapshot::{PlayState, SessionEvent, Severity};
use crate::song::{OpenError, OpenSong};
use crate::song_info::{WarningInfo, warnings};

/// Under this, a tail that rings out is over: -90 dBFS.
const SILENCE: f32 = 3e-5;

impl Conductor {
    /// The song to begin as soon as it can; what plays goes on until then.
    pub(super) fn want(&mut self, number: usize, at_seconds: Option<f64>) {
        self.wanted = Some(Wanted { number, at_seconds });
        self.ended_at = None;
    }

    /// The song after this one that may be playable; from the start again if the playlist repeats.
    pub(super) fn after(&self, number: usize) -> Option<usize> {
        let playable = |n: &usize| !matches!(self.slots[*n], Slot::Bad);
        let rest = (number + 1..self.slots.len()).find(playable);
        let repeats = self.config.looping && self.slots.len() > 1;
        rest.or_else(|| (0..=number.min(self.slots.len() - 1)).find(playable).filter(|_| repeats))
    }

    fn open_song(&mut self, number: usize, priority: Priority) {
        self.tickets += 1;
        let (ticket, notes, path) = (self.tickets, self.notes.clone(), self.config.songs[number].clone());
        let queued = self.pool.spawn(
            priority,
            OpenSong::need(&path),
            move |context| OpenSong::open(&path, context),
            move |opened| {
                let _ = notes.send(Note::Song { number, ticket, opened });
            },
        );
        match queued {
            Ok(cancel) => self.slots[number] = Slot::Opening { ticket, cancel },
            Err(full) => self.tell(Severity::Warning, full.to_string()),
        }
    }

    pub(super) fn song_opened(
        &mut self,
        number: usize,
        ticket: u64,
        opened: Result<Result<OpenSong, OpenError>, JobError>,
    ) {
        let awaited = matches!(self.slots.get(number), Some(Slot::Opening { ticket: t, .. }) if *t == ticket);
        if !awaited {
            return;
        }
        let error = match opened {
            Ok(Ok(song)) => {
                let told: Vec<String> = warnings(&song.index).iter().map(WarningInfo::to_string).collect();
                self.tell_all(&song.name, &told, song.index.warnings.total());
                self.slots[number] = Slot::Open(song);
                let urgent = self.wanted.is_some_and(|wanted| wanted.number == number);
                let needed = self.needed_by(number).unwrap_or_default();
                self.load_presets(&needed, if urgent { Priority::Urgent } else { Priority::Ahead });
                return;
            }
            Ok(Err(error)) => error.to_string(),
            Err(error) => format!("{}: {error}", self.config.songs[number].display()),
        };
        self.slots[number] = Slot::Bad;
        self.tell(Severity::UnreadableInput, error);
        if self.wanted.is_some_and(|wanted| wanted.number == number) {
            match self.after(number) {
                Some(next) => self.want(next, None),
                None => self.playlist_ended(),
            }
        }
    }

    /// Begins the wanted song, if all it needs is there.
    pub(super) fn begin_wanted(&mut self) {
        let Some(wanted) = self.wanted else { return };
        if matches!(self.slots.get(wanted.number), Some(Slot::Idle)) {
            self.open_song(wanted.number, Priority::Urgent);
        }
        let Some(needed) = self.needed_by(wanted.number) else { return };
        let sounds = self.stack.bank.is_some() && self.stack.shelf.has(&needed) && self.to_install.is_empty();
        if self.rig.is_none() || !sounds || self.rack.holds_songs() {
            return;
        }
        self.wanted = None;
        self.next = None;
        self.current = self.part(wanted.number, wanted.at_seconds);
        if self.current.is_none() {
            self.slots[wanted.number] = Slot::Bad;
            match self.after(wanted.number) {
                Some(next) => self.want(next, None),
                None => self.playlist_ended(),
            }
        }
    }

    /// Has the next song follow the current one without a gap.
    pub(super) fn prepare_next(&mut self) {
        let Some(current) = self.current.as_ref().filter(|part| part.sent) else { return };
        if self.next.is_some() || self.wanted.is_some() || current.looping.is_some() {
            return;
        }
        let Some(number) = self.after(current.number) else { return };
        if matches!(self.slots[number], Slot::Idle) {
            return self.open_song(number, Priority::Ahead);
        }
        let Some(needed) = self.needed_by(number) else { return };
        self.load_presets(&needed, Priority::Ahead);
        if self.stack.shelf.has(&needed) && self.to_install.is_empty() {
            self.next = self.part(number, None);
            if self.next.is_none() {
                self.slots[number] = Slot::Bad;
            }
        }
    }

    /// Starts to feed an open song. What is wrong is told.
    fn part(&mut self, number: usize, at_seconds: Option<f64>) -> Option<Part> {
        let (Slot::Open(song), Some(rig)) = (&self.slots[number], &self.rig) else { return None };
        let (song, rate) = (song.clone(), rig.config.sample_rate_hz);
        let place = |position| song.song_time(position, SongTime::ZERO, rate);
        let start = self.config.from.map_or(SongTime::ZERO, place);
        let position = at_seconds.map_or(start, |seconds| place(Position::Seconds(seconds)));
        let end = self.config.to.map(place);
        // A song without any music is played as it is.
        if end.is_some_and(|end| end <= start) && song.end(rate) > SongTime::ZERO {
            let text = format!("{}: there is nothing to play: the end is not after the start", song.name);
            self.tell(Severity::UnreadableInput, text);
            return None;
        }
        let repeats = self.config.looping && self.slots.len() == 1;
        let request = LoopRequest { from: self.config.from, to: self.config.to };
        let looping = repeats.then(|| self.loop_range(&song, request, rate)).flatten();
        let begin = Begin { position, looping, end };
        match self.feeder(&song, begin, rate) {
            Ok(feeder) => Some(Part { number, song, feeder, looping, sent: false, seeking: Some(position) }),
            Err(error) => {
                self.tell(Severity::UnreadableInput, format!("{}: {error}", song.name));
                None
            }
        }
    }

    fn feeder(&mut self, song: &OpenSong, begin: Begin, rate: u32) -> std::io::Result<Feeder> {
        self.timelines += 1;
        let (id, notes) = (self.timelines, self.notes.clone());
        let (index, source) = (song.index.clone(), song.source.clone());
        let open = move || SongReader::new(index, source, rate);
        Feeder::start(open, begin, id, move |answer| {
            let _ = notes.send(Note::Feeder { id, answer: Box::new(answer) });
        })
    }

    /// The range of a loop; too short a one is told and refused.
    pub(super) fn loop_range(&self, song: &OpenSong, request: LoopRequest, rate: u32) -> Option<LoopRange> {
        let place = |position| song.song_time(position, SongTime::ZERO, rate);
        let start = request.from.map_or(SongTime::ZERO, place);
        let end = request.to.map_or_else(|| song.end(rate), place);
        if end.0.saturating_sub(start.0) < MIN_LOOP.0 {
            let shortest = 1000.0 * MIN_LOOP.seconds(rate);
            self.tell(
                Severity::Warning,
                format!("a loop lasts at least {shortest:.0} ms: this one is left out"),
            );
            return None;
        }
        Some(LoopRange { start, end })
    }

    pub(super) fn feeder_answered(&mut self, id: u64, answer: Answer) {
        let is = |part: &Option<Part>| part.as_ref().is_some_and(|part| part.feeder.id() == id);
        match (answer, is(&self.current), is(&self.next)) {
            (Answer::Open(timeline, locate), true, _) => self.play_now(timeline, locate),
            (Answer::Open(timeline, locate), _, true) => {
                self.engine(|rig| rig.handle.set_timeline(Some(timeline), locate, When::AtEnd));
                if let Some(next) = &mut self.next {
                    next.sent = true;
                }
            }
            (Answer::Located(locate), true, _) => self.located(locate),
            (Answer::Failed(error), true, _) => {
                let name = self.current.take().map_or(String::new(), |part| part.song.name);
                self.tell(Severity::UnreadableInput, format!("{name}: {error}"));
                self.skip_current();
            }
            // Of a song that is no longer wanted.
            _ => {}
        }
    }

    fn play_now(&mut self, timeline: Timeline, locate: Locate) {
        let melodic = self.melodic();
        let sound = self.config.sound.clone();
        self.engine(|rig| rig.apply(&sound, melodic));
        self.engine(|rig| rig.handle.set_timeline(Some(timeline), locate, When::Now));
        if let Some(current) = &mut self.current {
            current.sent = true;
        }
        if self.state != PlayState::Paused {
            self.resume();
        }
    }

    fn located(&mut self, locate: Locate) {
        self.engine(|rig| rig.handle.locate(locate));
        if let Some(current) = &mut self.current {
            current.seeking = None;
        }
        if self.state == PlayState::Ended {
            self.state = PlayState::Playing;
        }
        if self.state == PlayState::Playing {
            self.ended_at = None;
            self.engine(|rig| rig.handle.play());
        }
    }

    /// The engine has begun a song: the current one, or the one that was queued behind it.
    pub(super) fn song_began(&mut self, timeline: u64) {
        if self.next.as_ref().is_some_and(|part| part.feeder.id() == timeline) {
            self.current = self.next.take();
            let melodic = self.melodic();
            let transpose = self.config.sound.transpose;
            self.engine(|rig| rig.handle.transpose(transpose, melodic));
        }
        let began = self.current.as_mut().filter(|part| part.feeder.id() == timeline);
        let Some(current) = began else { return };
        current.seeking = None;
        let number = current.number;
        for (n, slot) in self.slots.iter_mut().enumerate() {
            // What has been played is read again if it is wanted again.
            if n != number && matches!(slot, Slot::Open(_)) {
                *slot = Slot::Idle;
            }
        }
        self.look_at_room();
        if let Some(song) = self.song_snapshot() {
            self.emit(SessionEvent::SongStarted(song));
        }
    }

    /// The engine has come to the end of a song and found nothing queued.
    pub(super) fn song_ended(&mut self, timeline: u64) {
        let ended = self.current.as_ref().is_some_and(|part| part.feeder.id() == timeline);
        if ended && self.wanted.is_none() {
            self.skip_current();
        }
    }

    /// Goes on after the current song.
    fn skip_current(&mut self) {
        let number = self.current.as_ref().map_or(0, |part| part.number);
        match self.after(number) {
            Some(next) => self.want(next, None),
            None => {
                self.state = PlayState::Ended;
                self.ended_at = Some(Instant::now());
            }
        }
    }

    /// After the last song: waits until its tail is silent.
    pub(super) fn watch_tail(&mut self) {
        let (Some(since), Some(rig)) = (self.ended_at, &self.rig) else { return };
        let quiet = rig.handle.status().levels.iter().all(|level| level.rms < SILENCE);
        // Voices may go on below hearing for many seconds: what is heard decides, as in a render.
        if quiet || since.elapsed() > LONGEST_TAIL {
            self.playlist_ended();
        }
    }

    fn playlist_ended(&mut self) {
        self.ended_at = None;
        self.wanted = None;
        self.state = PlayState::Ended;
        self.emit(SessionEvent::PlaylistEnded);
    }

    /// Channels of the current song that no transposition leaves out.
    pub(super) fn melodic(&self) -> ChannelMasks {
        self.current.as_ref().map_or(ChannelMasks::default(), |part| part.song.melodic)
    }
}
