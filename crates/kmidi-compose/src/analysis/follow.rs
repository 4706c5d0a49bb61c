//! Follows the chord and the key of what is played, note by note, as it happens.
//!
//! A [`Follower`] may live in the audio callback: after it has been made it takes no memory and no lock, and each call
//! has a bounded amount of work. Time is counted in frames and all its memory is in seconds, so a reading does not
//! depend on how often it is asked, nor on the sample rate.
//!
//! - **Chord.** The keys that sound are held against 39 chords on each of twelve roots; the lowest tone decides between
//!   names for the same tones. Where the keys that sound make no whole chord (an arpeggio, a bass and a tune), keys that
//!   were let go less than [`MEMORY_SECONDS`] ago are counted in. Another chord is told when it has stood for
//!   [`SETTLE_SECONDS`]: a chord's notes do not come all at once.
//! - **Key.** How long each tone has sounded, fading over seconds, is correlated with the 24 key profiles of Krumhansl
//!   and Kessler and with those of the other five modes. Another key must be better for a second.

mod chord;
mod chord_table;
mod key;
mod reading;
mod sounding;

use kmidi_core::limits::{MAX_MIDI_PORTS, MIDI_CHANNELS};

use chord::{Match, recognise};
pub use chord_table::ChordQuality;
use key::KeyFollower;
pub use key::Mode;
pub use reading::{ChordReading, KeyReading, Reading};
use sounding::{Sounding, bass, pitch_classes};

/// How long a key that was let go can still belong to a chord, in seconds; so long a chord is still the current one
/// when all its keys are up.
pub const MEMORY_SECONDS: f64 = 1.0;
/// How long another chord must stand until it is the current one, in seconds. Pianists spread a chord's notes
/// over some 30 ms (Goebl, Melody lead in piano performance, JASA 110, 2001).
pub const SETTLE_SECONDS: f64 = 0.05;
/// A chord is looked for once in so many seconds at most, however many notes there are.
const LEAST_STEP_SECONDS: f64 = 0.001;
/// How often the key is looked at, in seconds.
const LOOK_SECONDS: f64 = 0.25;
/// Share of tones that must fit where keys that were let go are counted in.
const LEAST_FIT_OF_MEMORY: f32 = 0.75;
/// The channel of every port that has no pitches in General MIDI: drums.
const DRUMS: u8 = 9;

/// Follows chord and key. `[side A]`, but for [`Follower::new`].
pub struct Follower {
    now: u64,
    memory_frames: u64,
    settle_frames: u64,
    step_frames: u64,
    look_frames: u64,
    sounding: Sounding,
    /// What sounds now.
    candidate: Option<Match>,
    candidate_since: u64,
    decided: u64,
    /// What is told.
    current: Option<Match>,
    key: KeyFollower,
    /// Up to where the key has heard what sounded.
    heard: u64,
    looked: u64,
}

impl Follower {
    /// `[side B]` One that has heard nothing, for time in frames of this rate.
    pub fn new(sample_rate_hz: u32) -> Self {
        let frames = |seconds: f64| (seconds * f64::from(sample_rate_hz.max(1))) as u64;
        Follower {
            now: 0,
            memory_frames: frames(MEMORY_SECONDS),
            settle_frames: frames(SETTLE_SECONDS),
            step_frames: frames(LEAST_STEP_SECONDS),
            look_frames: frames(LOOK_SECONDS).max(1),
            sounding: Sounding::new(),
            candidate: None,
            candidate_since: 0,
            decided: 0,
            current: None,
            key: KeyFollower::new(sample_rate_hz),
            heard: 0,
            looked: 0,
        }
    }

    /// A key is struck. Channels and ports count from 0; channel 9 is drums and is not listened to, nor is a port or
    /// channel that there is not.
    pub fn note_on(&mut self, port: u8, channel: u8, key: u8) {
        if let Some(voice) = voice(port, channel) {
            self.hear();
            self.sounding.note_on(voice, key);
            self.key.attack(key % 12);
        }
    }

    /// A key comes up; one that was not down is ignored.
    pub fn note_off(&mut self, port: u8, channel: u8, key: u8) {
        if let Some(voice) = voice(port, channel) {
            self.hear();
            self.sounding.note_off(voice, key, self.now);
        }
    }

    /// The sustain pedal of a channel goes down or up.
    pub fn sustain(&mut self, port: u8, channel: u8, is_down: bool) {
        if let Some(voice) = voice(port, channel) {
            self.hear();
            self.sounding.pedal(voice, is_down, self.now);
        }
    }

    /// All keys of a channel come up.
    pub fn all_notes_off(&mut self, port: u8, channel: u8) {
        if let Some(voice) = voice(port, channel) {
            self.hear();
            self.sounding.all_notes_off(voice, self.now);
        }
    }

    /// A channel falls silent, whatever its pedal says.
    pub fn all_sound_off(&mut self, port: u8, channel: u8) {
        if let Some(voice) = voice(port, channel) {
            self.hear();
            self.sounding.all_sound_off(voice, self.now);
        }
    }

    /// Time goes on; what was struck and let go since the last time is taken together.
    pub fn advance(&mut self, frames: u32) {
        if frames == 0 {
            return;
        }
        self.decide();
        self.settle();
        self.now += u64::from(frames);
        if self.sounding.recent() != 0 {
            self.sounding.forget_until(self.now.saturating_sub(self.memory_frames));
            self.decide();
        }
        self.settle();
        // At set times, however long the steps are.
        if self.now / self.look_frames != self.looked / self.look_frames {
            self.hear();
            self.key.look(self.now - self.looked);
            self.looked = self.now;
        }
    }

    /// What has been heard so far.
    pub fn reading(&self) -> Reading {
        let chord = self.current.map(|it| ChordReading {
            root: it.root,
            quality: it.quality,
            bass: it.bass,
            confidence: it.fit,
        });
        let key = self.key.current().map(|it| KeyReading {
            tonic: it.tonic,
            mode: it.mode,
            confidence: it.confidence,
        });
        Reading { chord, key }
    }

    /// Forgets everything, as if new.
    pub fn reset(&mut self) {
        self.sounding.clear();
        self.key.clear();
        (self.candidate, self.current) = (None, None);
        (self.candidate_since, self.heard, self.looked) = (self.now, self.now, self.now);
    }

    /// Lets the key hear what has sounded until now, before that changes.
    fn hear(&mut self) {
        if self.now > self.heard {
            let keys = self.sounding.keys();
            self.key.sounded(pitch_classes(keys), bass(keys), self.now - self.heard);
            self.heard = self.now;
        }
    }

    /// Looks which chord sounds, if anything has changed.
    fn decide(&mut self) {
        if self.now < self.decided + self.step_frames || !self.sounding.take_changed() {
            return;
        }
        self.decided = self.now;
        let found = self.find();
        let is_same = match (&found, &self.candidate) {
            (Some(found), Some(candidate)) => found.is_same(candidate),
            (found, candidate) => found.is_none() && candidate.is_none(),
        };
        if !is_same {
            self.candidate_since = self.now;
        }
        self.candidate = found;
    }

    fn find(&self) -> Option<Match> {
        let (keys, recent) = (self.sounding.keys(), self.sounding.recent());
        if keys == 0 {
            // What fades out one by one is not a row of other chords.
            return self.candidate.filter(|_| recent != 0);
        }
        let held = recognise(pitch_classes(keys), bass(keys));
        if held.is_some_and(|held| held.fit == 1.0) && pitch_classes(keys).count_ones() >= 3 || recent == 0 {
            return held;
        }
        let all = keys | recent;
        let with_memory = recognise(pitch_classes(all), bass(all)).filter(|it| it.fit >= LEAST_FIT_OF_MEMORY);
        match (held, with_memory) {
            (Some(held), Some(all)) => Some(if all.fit > held.fit { all } else { held }),
            (held, all) => held.or(all).or(self.candidate),
        }
    }

    /// Makes the candidate the current chord when it has stood long enough.
    fn settle(&mut self) {
        if self.now - self.candidate_since >= self.settle_frames {
            self.current = self.candidate;
        }
    }
}

/// The number of a channel among those of all ports, if it has pitches.
fn voice(port: u8, channel: u8) -> Option<usize> {
    let (port, channel) = (usize::from(port), usize::from(channel));
    let is_there = port < MAX_MIDI_PORTS && channel < MIDI_CHANNELS && channel != usize::from(DRUMS);
    is_there.then_some(port * MIDI_CHANNELS + channel)
}
