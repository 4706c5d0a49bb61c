//! The player on a terminal: what it shows and what its keys do.

use std::time::{Duration, Instant};

use crate::support::{program, root};

#[test]
fn the_screen_follows_the_keys_and_leaves_the_terminal_as_it_was() {
    let song = root().join("tests/data/midi/freedoom/freedoom1_D_E1M1.mid");
    let arguments = ["play", "--json", "--audio", "null", song.to_str().expect("UTF-8")];
    let (mut player, mut keyboard) = program::spawn_on_terminal(&arguments);
    std::thread::sleep(Duration::from_secs(2));
    assert!(player.is_running());
    for keys in ["\x1b[C", "\x1b[C", " ", " ", "+", "l"] {
        program::press(&mut keyboard, keys);
        std::thread::sleep(Duration::from_millis(300));
    }
    program::press(&mut keyboard, "q");
    let outcome = player.wait(Duration::from_secs(10)).success();
    assert!(outcome.stdout.contains("freedoom1_D_E1M1"), "{outcome:#?}");
    let end = outcome.json_behind_screen();
    assert!(end["position"]["seconds"].as_f64() > Some(10.0), "two steps of five seconds on: {end:#}");
    assert_eq!(end["gain_db"], 1.0);
    assert!(end["looping"].is_object(), "{end:#}");
    let (enter, leave) = ("\x1b[?1049h", "\x1b[?1049l");
    assert!(
        outcome.stdout.rfind(enter) < outcome.stdout.rfind(leave),
        "the terminal is not given back: {outcome:#?}"
    );
}

#[test]
fn a_terminal_that_is_closed_ends_the_player() {
    let song = root().join("tests/data/midi/freedoom/freedoom1_D_E1M1.mid");
    let arguments = ["play", "--audio", "null", song.to_str().expect("UTF-8")];
    let (terminal, _keyboard) = program::spawn_on_terminal(&arguments);
    let player = program::wait_for_child(terminal.id(), "kmidi");
    std::thread::sleep(Duration::from_secs(1));
    assert!(program::is_alive(player), "it plays");
    terminal.signal("KILL");
    let start = Instant::now();
    while program::is_alive(player) {
        assert!(start.elapsed() < Duration::from_secs(5), "it plays on for nobody");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn keys_in_a_row_all_count() {
    let song = root().join("tests/data/midi/freedoom/freedoom1_D_E1M1.mid");
    let arguments = ["play", "--json", "--audio", "null", song.to_str().expect("UTF-8")];
    let (player, mut keyboard) = program::spawn_on_terminal(&arguments);
    std::thread::sleep(Duration::from_secs(2));
    program::press(&mut keyboard, &"\x1b[A\x1b[B+-".repeat(20));
    program::press(&mut keyboard, "\x1b[A\x1b[A+++");
    std::thread::sleep(Duration::from_secs(1));
    program::press(&mut keyboard, "q");
    let end = player.wait(Duration::from_secs(10)).success().json_behind_screen();
    assert_eq!((&end["tempo_scale"], &end["gain_db"]), (&1.1.into(), &3.0.into()), "{end:#}");
}

#[test]
fn ctrl_c_ends_cleanly_without_a_terminal_too() {
    let song = root().join("tests/data/midi/freedoom/freedoom1_D_E1M1.mid");
    let arguments = ["play", "--audio", "null", song.to_str().expect("UTF-8")];
    let mut player = program::spawn(program::command(&arguments));
    std::thread::sleep(Duration::from_secs(1));
    assert!(player.is_running());
    player.signal("INT");
    let outcome = player.wait(Duration::from_secs(5)).success();
    assert!(!outcome.stderr.contains('\x1b'), "control characters without a terminal: {outcome:#?}");
}
