//! What side B prepares of a song: pages of events, where to start, what to chase. The sequencer
//! only follows it.

use kmidi_core::{Event, LoopRange, MusicalAnchor, SongTime};
use rtrb::{Consumer, Producer};

/// What a song says at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Message {
    /// A channel message, or a tempo (as written, unscaled) or meter change.
    Event(Event),
    /// A complete SysEx message, `F0` to `F7`: a range of the bytes beside the events.
    SysEx {
        /// First byte.
        start: u32,
        /// Bytes.
        len: u16,
    },
}

/// A message, when it happens and on which MIDI port of the song.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PageEvent {
    /// When.
    pub time: SongTime,
    /// MIDI port, below [`MAX_MIDI_PORTS`](kmidi_core::limits::MAX_MIDI_PORTS); others are counted as dropped.
    pub port: u8,
    /// What.
    pub message: Message,
}

const _: () = assert!(size_of::<PageEvent>() <= 40);

/// A run of a song's events in time order: the whole song, or one page of a streamed one.
#[derive(Debug, Default)]
pub struct Page {
    /// Which [`Locate`] this belongs to; pages of another one are sent home unplayed.
    pub generation: u32,
    /// The events in time order.
    pub events: Vec<PageEvent>,
    /// The bytes of its SysEx messages.
    pub sysex: Vec<u8>,
    /// No page follows: nothing happens after these events until the end of the song.
    pub last: bool,
    /// The first page after the loop has wrapped; it starts at the loop's start.
    pub loop_wrap: bool,
}

/// The two rings of a streamed song, as the sequencer holds them.
pub struct Stream {
    /// Pages in playing order, loop wraps included.
    pub pages: Consumer<Box<Page>>,
    /// Where played pages go home; as long as there is no room here, no next page is taken.
    pub home: Producer<Box<Page>>,
    /// The page being played and the next event in it.
    pub(crate) current: Option<Box<Page>>,
    pub(crate) cursor: usize,
    /// Whether the wrap in front of a `loop_wrap` page has happened.
    pub(crate) wrapped: bool,
}

impl Stream {
    /// `[side B]` A stream that takes from `pages` and gives back through `home`.
    pub fn new(pages: Consumer<Box<Page>>, home: Producer<Box<Page>>) -> Self {
        Stream { pages, home, current: None, cursor: 0, wrapped: false }
    }
}

/// Where a song's events come from.
pub enum Source {
    /// All of them, in memory.
    Resident(Box<Page>),
    /// Page by page, from a feeder on side B.
    Streamed(Stream),
}

/// A song, ready to be played.
pub struct Timeline {
    /// Named in [`Report`](crate::Report)s and in the status.
    pub id: u64,
    /// Its events.
    pub source: Source,
    /// Where it ends; events after this are not played.
    pub end: SongTime,
}

/// A song to be played instead of, or after, the current one.
pub struct TimelineSwap {
    /// At once, or gaplessly behind the current song.
    pub when: When,
    /// The song; `None` unloads. Once adopted: the song before.
    pub timeline: Option<Timeline>,
    /// Where it begins (at its start if it names no position). Once adopted: the place before.
    pub locate: Locate,
}

/// When a new song begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// With the next quantum.
    Now,
    /// At the exact frame where the current song ends. One song can be queued; another one, or a
    /// song that begins now, sends it home unplayed.
    AtEnd,
}

/// Everything that brings a synthesiser from any state to the one a position needs (programs,
/// controllers, tempo, ...), in the order of sending. The times of the events are not used.
#[derive(Clone, Debug, Default)]
pub struct Chase {
    /// The messages.
    pub events: Vec<PageEvent>,
    /// The bytes of its SysEx messages.
    pub sysex: Vec<u8>,
    /// Musical time there.
    pub musical: MusicalAnchor,
}

/// A loop, with what its wrap needs.
#[derive(Debug)]
pub struct LoopPlan {
    /// What repeats; at least [`MIN_LOOP`](crate::MIN_LOOP) long.
    pub range: LoopRange,
    /// Resident songs: index of the first event at or after the start.
    pub cursor: usize,
    /// The state at the start.
    pub chase: Chase,
}

/// A new place in the song, thought out by side B; takes effect at the next quantum.
#[derive(Debug, Default)]
pub struct Locate {
    /// Where to go; `None` stays (the loop was changed, or a streamed song is fed anew). The pages
    /// of the new generation then start at or before the lowest position that may be current by
    /// then: what has already been played is skipped.
    pub position: Option<SongTime>,
    /// Streamed songs: which pages are valid from now on.
    pub generation: u32,
    /// Resident songs: index of the first event at or after the position.
    pub cursor: usize,
    /// The state at the position; unused if it stays.
    pub chase: Chase,
    /// The loop from now on.
    pub looping: Option<LoopPlan>,
}
