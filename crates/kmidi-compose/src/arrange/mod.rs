//! A plan as a score: chords, bass, melody, guide tones, drums.
