//! The SoundFont synthesiser as a plugin goes by the headers of CLAP.
#![deny(clippy::undocumented_unsafe_blocks)]

#[path = "../../kmidi-gain-clap/tests/pedant/mod.rs"]
mod pedant;

#[test]
fn it_breaks_no_rule_of_the_headers() {
    let file = std::env::current_exe().unwrap().with_file_name("libkmidi_soundfont_clap.so");
    assert_eq!(pedant::violations(&file, kmidi_soundfont_clap::ID), [""; 0]);
}
