//! End-to-end tests: the real program, what it writes and how it ends. One binary, a module a subject.
#![forbid(unsafe_code)]

mod support;

mod e2e {
    mod bad_songs;
    mod bad_soundfonts;
    mod big_song;
    mod budgets;
    mod certify;
    mod command_line;
    mod effects;
    mod hooks;
    mod jack;
    mod live_callback;
    mod live_rack;
    mod memory;
    mod models;
    mod music;
    mod outputs;
    mod phonemes;
    mod playing;
    mod plugins;
    mod pulse;
    mod rack;
    mod screen;
    mod serve;
    mod slow_plugin;
    mod soak;
    mod soundfont_swap;
    mod soundfonts;
    mod therapy_sound;
    mod tight_memory;
    mod time;
}
