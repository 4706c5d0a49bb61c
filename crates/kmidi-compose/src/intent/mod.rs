//! What a song is to say, in three phases, and the rules that it breaks for it.
