//! Plays chords and tunes to a follower.

use kmidi_compose::analysis::follow::{Follower, Mode};

pub const RATE: u32 = 48_000;
const QUANTUM: u32 = 64;

/// Semitones of the triads and sevenths of functional harmony.
pub const MAJOR: &[u8] = &[0, 4, 7];
pub const MINOR: &[u8] = &[0, 3, 7];
pub const SEVENTH: &[u8] = &[0, 4, 7, 10];
pub const MINOR_SEVENTH: &[u8] = &[0, 3, 7, 10];
pub const MAJOR_SEVENTH: &[u8] = &[0, 4, 7, 11];

pub struct Player {
    pub follower: Follower,
}

impl Player {
    pub fn new() -> Self {
        Player { follower: Follower::new(RATE) }
    }

    /// Time passes, a quantum at a time.
    pub fn wait(&mut self, seconds: f64) {
        for _ in 0..(seconds * f64::from(RATE / QUANTUM)).round() as u32 {
            self.follower.advance(QUANTUM);
        }
    }

    /// Keys together, for so long.
    pub fn hold(&mut self, keys: &[u8], seconds: f64) {
        keys.iter().for_each(|&key| self.follower.note_on(0, 0, key));
        self.wait(seconds);
        keys.iter().for_each(|&key| self.follower.note_off(0, 0, key));
    }

    /// A chord on a root (a key), and the root an octave lower.
    pub fn chord(&mut self, root: u8, semitones: &[u8], seconds: f64) {
        let keys: Vec<u8> =
            std::iter::once(root - 12).chain(semitones.iter().map(|above| root + above)).collect();
        self.hold(&keys, seconds);
    }

    pub fn symbol(&self) -> Option<String> {
        self.follower.reading().chord_symbol()
    }

    pub fn key(&self) -> Option<(u8, Mode)> {
        self.follower.reading().key.map(|key| (key.tonic, key.mode))
    }
}
