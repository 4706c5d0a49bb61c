//! Pitches and their names, scales, keys, chord symbols, Roman numerals, voicings.
