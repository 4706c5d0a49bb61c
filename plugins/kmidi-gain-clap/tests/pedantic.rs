//! The gain as a plugin goes by the headers of CLAP.
#![deny(clippy::undocumented_unsafe_blocks)]

mod pedant;

#[test]
fn it_breaks_no_rule_of_the_headers() {
    let file = std::env::current_exe().unwrap().with_file_name("libkmidi_gain_clap.so");
    assert_eq!(pedant::violations(&file, kmidi_gain_clap::ID), [""; 0]);
}

#[test]
fn control_a_plugin_that_breaks_rules_is_caught() {
    let file = std::env::current_exe().unwrap().with_file_name("libkmidi_test_clap.so");
    let broken = pedant::violations(&file, kmidi_test_clap::ids::BOTH);
    for rule in [
        "a value out of the range is taken",
        "it calls latency.changed off the main thread",
        "it calls latency.changed while it is not being activated",
        "it calls timer_support.register_timer off the main thread",
        "it has an audio port behind the last",
        "it logs a null",
        "it takes half of it for a state",
        "its events are not in order",
    ] {
        assert!(broken.iter().any(|it| it == rule), "{rule}: {broken:#?}");
    }
}
