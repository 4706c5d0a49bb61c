//! How a voice ends: released, faded, choked.

use super::Voice;
use crate::note::Holds;

/// Shortest time from note-on to release, in seconds: a drum hit written with no length sounds.
const SHORTEST_NOTE_SECONDS: f64 = 0.010;

/// Time in which a stolen or silenced voice fades, in seconds.
const FADE_SECONDS: f64 = 0.005;

/// Time in which a voice ended by its exclusive class fades, in seconds.
const CHOKE_SECONDS: f64 = 0.050;

/// A fade that ends a voice, from age to age.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fade {
    pub start: u32,
    pub end: u32,
}

impl Voice {
    /// The key is up and no pedal holds the note: the release starts `ahead` of the next frame.
    pub fn release(&mut self, ahead: u32, sample_rate_hz: f64) {
        self.holds = Holds::default();
        if !self.is_released() {
            let at = self.age_at(ahead).max(shortest_note_frames(sample_rate_hz));
            self.release_at = Some(at);
            self.control_at(at);
        }
    }

    /// Fades at once: the voice is stolen or silenced.
    pub fn fade_out(&mut self, ahead: u32, sample_rate_hz: f64) {
        self.fade(ahead, (FADE_SECONDS * sample_rate_hz) as u32);
    }

    /// Fades quickly: a note of the same exclusive class has begun.
    pub fn choke(&mut self, ahead: u32, sample_rate_hz: f64) {
        self.exclusive_class = 0;
        self.fade(ahead, (CHOKE_SECONDS * sample_rate_hz) as u32);
    }

    fn fade(&mut self, ahead: u32, frames: u32) {
        let start = self.age_at(ahead);
        let end = start.saturating_add(frames.max(1));
        if self.fade.is_none_or(|fade| fade.end > end) {
            self.fade = Some(Fade { start, end });
            self.holds = Holds::default();
            self.control_at(start);
        }
    }
}

fn shortest_note_frames(sample_rate_hz: f64) -> u32 {
    (SHORTEST_NOTE_SECONDS * sample_rate_hz) as u32
}
