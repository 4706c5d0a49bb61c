//! What changes notes stands before the next instrument of the row, and no note of it hangs.

use kmidi_test_clap::ids;

use super::notes::{Notes, heard, instrument};
use super::stage::{Stage, request};
use crate::rack::{PluginRequest, RackConfig};

/// Sends all to the channel after its own.
fn shift(channels: &[u8]) -> PluginRequest {
    PluginRequest { channels: channels.to_vec(), ..request(ids::SHIFT) }
}

/// On which channels notes begin within the next second.
fn new_channels(stage: &mut Stage, instance: u64) -> Vec<u8> {
    stage.settle();
    // What began before ends.
    stage.run(0.3);
    let before = heard(stage, instance);
    stage.run(1.0);
    let after = heard(stage, instance);
    let begun = |notes: &Notes, channel| notes.get(channel).map_or(0, |(on, _)| *on);
    after.keys().filter(|channel| begun(&after, channel) > begun(&before, channel)).copied().collect()
}

/// Channels on which fewer notes ended than began, but for the one that sounds.
fn hanging(stage: &mut Stage, instance: u64) -> usize {
    heard(stage, instance).values().map(|(on, off)| on - off).sum::<usize>().saturating_sub(1)
}

#[test]
fn what_changes_notes_plays_the_instrument_behind_it_alone() {
    let mut stage = Stage::with_player();
    stage.rack.add_plugin(0, instrument(&[]));
    assert_eq!(new_channels(&mut stage, 1), [0, 1, 2, 3]);
    stage.rack.add_plugin(0, shift(&[]));
    assert_eq!(new_channels(&mut stage, 1), [1, 2, 3, 4]);
    // One behind the other.
    stage.rack.add_plugin(1, shift(&[]));
    assert_eq!(new_channels(&mut stage, 1), [2, 3, 4, 5]);
    // Only what was named for it, and the others pass by.
    stage.rack.add_plugin(0, shift(&[4]));
    assert_eq!(new_channels(&mut stage, 1), [2, 3, 4, 6]);
    stage.rack.bypass_plugin(3, true);
    assert_eq!(new_channels(&mut stage, 1), [1, 2, 3, 5]);
    stage.rack.bypass_plugin(3, false);
    stage.rack.remove_plugin(4);
    stage.rack.remove_plugin(2);
    assert_eq!(new_channels(&mut stage, 1), [1, 2, 3, 4]);
    // The instrument before it is not its own.
    stage.rack.move_plugin(3, 1);
    assert_eq!(new_channels(&mut stage, 1), [0, 1, 2, 3]);
    assert_eq!(hanging(&mut stage, 1), 0);
    assert_eq!(
        stage.said,
        ["Test changes notes, and no instrument behind it plays them: it is not heard. Put one behind it"]
    );
    assert!(stage.close());
}

#[test]
fn what_changes_notes_at_the_end_is_told_where_nothing_plays_it() {
    for (plugins, synthesiser, is_heard) in [
        (vec![shift(&[])], true, true),
        (vec![shift(&[])], false, false),
        (vec![shift(&[]), instrument(&[])], false, true),
        // All channels are the instrument's.
        (vec![instrument(&[]), shift(&[])], true, false),
        (vec![instrument(&[1]), shift(&[])], true, true),
        (vec![instrument(&[1]), shift(&[])], false, false),
        (vec![PluginRequest { bypassed: true, ..shift(&[]) }], false, true),
    ] {
        let count = plugins.len();
        let mut stage = Stage::with(RackConfig { plugins, synthesiser, ..RackConfig::default() });
        stage.settle();
        stage.run(0.1);
        let told = stage.said.iter().filter(|text| text.contains("it is not heard")).count();
        assert_eq!(told, usize::from(!is_heard), "{count} plugins, {synthesiser}: {:?}", stage.said);
        assert!(stage.close());
    }
}

#[test]
fn two_instruments_have_each_what_stands_before_it() {
    let mut stage = Stage::with_player();
    stage.rack.add_plugin(usize::MAX, shift(&[]));
    stage.rack.add_plugin(usize::MAX, instrument(&[1]));
    stage.rack.add_plugin(usize::MAX, instrument(&[]));
    assert_eq!(new_channels(&mut stage, 2), [1], "its own channel, moved");
    assert_eq!(new_channels(&mut stage, 3), [1, 2, 3]);
    assert_eq!(hanging(&mut stage, 2) + hanging(&mut stage, 3), 0);
    assert!(stage.close());
}
