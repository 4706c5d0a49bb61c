//! What a song or a recording is made of.
