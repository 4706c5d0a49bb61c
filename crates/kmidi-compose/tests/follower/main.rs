//! The follower hears what a musician would: chords as they change, keys as they are left.

#[path = "player.rs"]
mod player;

mod chords;
mod keys;
mod theory;
