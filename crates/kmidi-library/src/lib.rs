//! Sounds, songs, presets and plugins, found by what they are. `[side B]`
#![forbid(unsafe_code)]
