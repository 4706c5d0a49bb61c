//! Recordings that are made here, of which every onset and beat is known.

mod onsets;
mod synth;
mod tempo;
