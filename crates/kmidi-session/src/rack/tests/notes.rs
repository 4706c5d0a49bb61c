//! Instruments: who hears which note, and that each note ends.

use std::collections::BTreeMap;

use kmidi_core::{Event, NodeInfo, ProcessContext, ProcessStatus, Processor, TimedEvent};
use kmidi_test_clap::ids;

use super::stage::{Stage, request};
use crate::rack::worker::Saving;
use crate::rack::{Order, PluginRequest, SavedPlugin};

/// Quanta from one note to the next; it ends when the next begins.
const NOTE_QUANTA: u64 = 40;

/// Plays a note on each of the first four channels in turn, for ever.
pub struct Player {
    quantum: u64,
}

impl Player {
    pub fn boxed() -> Box<Self> {
        Box::new(Player { quantum: 0 })
    }

    pub fn info() -> NodeInfo {
        NodeInfo { name: "player".into(), event_outputs: 1, ..NodeInfo::default() }
    }
}

impl Processor for Player {
    fn process(&mut self, cx: &mut ProcessContext<'_>) -> ProcessStatus {
        if self.quantum.is_multiple_of(NOTE_QUANTA) {
            let note = self.quantum / NOTE_QUANTA;
            let key = |note: u64| ((note % 4) as u8, 40 + (note / 4 % 40) as u8);
            let mut send = |event| cx.events_out.push(TimedEvent { time: 0, port: 0, event }).expect("room");
            if let Some(before) = note.checked_sub(1) {
                let (channel, key) = key(before);
                send(Event::note_off(channel, key, 64));
            }
            let (channel, key) = key(note);
            send(Event::note_on(channel, key, 100));
        }
        self.quantum += 1;
        ProcessStatus::Continue
    }

    fn reset(&mut self) {}
}

/// For each channel the notes that began and the ones that ended.
pub type Notes = BTreeMap<u8, (usize, usize)>;

/// What a watching instrument has heard so far. It forgets what it has told.
pub fn heard(stage: &mut Stage, instance: u64) -> Notes {
    stage.saved.clear();
    let plugins = vec![(Some(instance), SavedPlugin::default())];
    stage.rack.order(Order::Save(Saving { plugins, ..Saving::default() }));
    stage.until("what it has heard", |stage| !stage.saved.is_empty());
    let state = stage.saved[0].state.clone().expect("its notes are its state");
    let text = String::from_utf8_lossy(&state).into_owned();
    assert!(!text.contains("violation"), "{:?}", text.lines().find(|line| line.contains("violation")));
    // What came before it was in the graph was to warm it up.
    let text = text.rsplit("reset").next().unwrap_or_default();
    let notes = stage.notes.entry(instance).or_default();
    for line in text.lines() {
        let Some((what, rest)) = line.split_once(" p0 c") else { continue };
        let channel = rest.split(' ').next().and_then(|channel| channel.parse().ok()).expect("a channel");
        let counts = notes.entry(channel).or_default();
        counts.0 += usize::from(what.ends_with(" on"));
        counts.1 += usize::from(what.ends_with(" off"));
    }
    notes.clone()
}

pub fn instrument(channels: &[u8]) -> PluginRequest {
    PluginRequest { channels: channels.to_vec(), ..request(ids::CLAP) }
}

#[test]
fn instruments_share_channels_and_none_keeps_a_note() {
    let mut stage = Stage::with_player();
    // One for all there is, then two for channels of their own: the first gives these away.
    stage.rack.add_plugin(0, instrument(&[]));
    stage.settle();
    stage.run(1.0);
    let all = heard(&mut stage, 1);
    assert_eq!(all.keys().copied().collect::<Vec<_>>(), [0, 1, 2, 3]);
    stage.rack.add_plugin(1, instrument(&[2]));
    stage.rack.add_plugin(2, instrument(&[3, 4]));
    stage.settle();
    stage.run(0.3);
    let before = heard(&mut stage, 1);
    stage.run(1.0);
    let after = heard(&mut stage, 1);
    assert!(after[&0].0 > before[&0].0);
    for channel in 1..4 {
        assert_eq!(after[&channel], before[&channel], "channel {channel} is another's");
        assert_eq!(after[&channel].0, after[&channel].1, "a note hangs on channel {channel}");
    }
    let second = heard(&mut stage, 2);
    let third = heard(&mut stage, 3);
    assert_eq!(
        second.iter().filter(|(_, notes)| notes.0 > 0).map(|(channel, _)| *channel).collect::<Vec<_>>(),
        [1]
    );
    assert_eq!(
        third.iter().filter(|(_, notes)| notes.0 > 0).map(|(channel, _)| *channel).collect::<Vec<_>>(),
        [2, 3]
    );

    // The one that leaves is heard out, with every note ended; the others get its channels.
    stage.rack.remove_plugin(3);
    stage.until("that it leaves", |stage| stage.slots() == [1, 2]);
    stage.run(0.2);
    let gone = heard(&mut stage, 3);
    assert!(gone.values().all(|(on, off)| on == off), "{gone:?}");
    stage.settle();
    stage.run(1.0);
    let rest = heard(&mut stage, 1);
    assert!(rest[&2].0 > after[&2].0 && rest[&1] == after[&1], "{rest:?} {after:?}");

    // Another takes the place of one: no note begins in both.
    let before: usize = heard(&mut stage, 1).values().map(|notes| notes.0).sum();
    stage.rack.replace_plugin(1, instrument(&[]));
    stage.until("the other", |stage| stage.rack.snapshot()[0].slot == 1 && stage.rack.instances == 4);
    let begun = stage.heard.len();
    // It comes to life in its own time, however fast the quanta are run.
    stage.until("its arrival", |stage| {
        stage.rack.entries.iter().any(|entry| entry.instance == 4 && entry.is_active())
    });
    stage.run(0.4);
    let old: usize = heard(&mut stage, 1).values().map(|notes| notes.0).sum();
    let new: usize = heard(&mut stage, 4).values().map(|notes| notes.0).sum();
    let quanta = (stage.heard.len() - begun) as u64 / 64;
    // Three of four notes are theirs.
    let most = (quanta + 40) / NOTE_QUANTA + 4;
    assert!((old - before + new) as u64 <= most, "{} and {new} of {most}", old - before);
    assert!(new > 0);
    assert!(stage.close());
}
