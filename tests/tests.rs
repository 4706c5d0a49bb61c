//! End-to-end tests: the real program, what it writes and how it ends. One binary, a module a subject.
#![forbid(unsafe_code)]

mod support;

mod e2e {
    mod bad_songs;
    mod bad_soundfonts;
    mod big_song;
    mod command_line;
    mod jack;
    mod live_callback;
    mod outputs;
    mod playing;
    mod pulse;
    mod screen;
    mod time;
}
