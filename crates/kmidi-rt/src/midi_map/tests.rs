use proptest::prelude::*;

use super::*;

const ANY_CHANNEL: u16 = u16::MAX;

fn mapping(source: MapSource) -> Mapping {
    Mapping {
        source,
        channels: ANY_CHANNEL,
        parameter: 7,
        at_lowest: 0.0,
        at_highest: 1.0,
        pick_up: false,
        present: 0.0,
    }
}

fn mapper(mappings: &[Mapping]) -> Mapper {
    let mut map = MidiMap::default();
    mappings.iter().for_each(|mapping| map.push(*mapping).unwrap());
    Mapper::new(&map)
}

fn control(channel: u8, controller: u8, value: u8) -> Event {
    Event::ControlChange { channel, controller, value }
}

/// What the parameters are set to by these events, and which of these were taken.
fn moved(mapper: &mut Mapper, events: &[Event]) -> (Vec<f64>, Vec<bool>) {
    let mut to = EventBuffer::with_capacity(4096);
    let taken = events.iter().map(|event| mapper.take(0, *event, &mut to)).collect();
    let value = |it: &TimedEvent| match it.event {
        Event::Parameter { value, .. } => value,
        other => panic!("{other:?}"),
    };
    (to.as_slice().iter().map(value).collect(), taken)
}

proptest! {
    /// High and low part in any order: the value is the last high part with the low part that came behind it.
    #[test]
    fn a_pair_of_controllers_is_what_the_specification_makes_of_it(
        messages in prop::collection::vec((any::<bool>(), 0u8..128, 0u8..2), 1..60),
    ) {
        let mut mapper = mapper(&[mapping(MapSource::ControllerPair(1))]);
        let mut state = [(0u8, 0u8); 2];
        for (is_high, value, channel) in messages {
            let of_channel = &mut state[usize::from(channel)];
            *of_channel = if is_high { (value, 0) } else { (of_channel.0, value) };
            let number = u32::from(of_channel.0) * 128 + u32::from(of_channel.1);
            let event = control(channel, if is_high { 1 } else { 33 }, value);
            let (values, taken) = moved(&mut mapper, &[event]);
            prop_assert_eq!(values, [f64::from(number) / 16383.0]);
            prop_assert_eq!(taken, [true]);
        }
    }

    /// A parameter stays chosen for all data entry that follows, channel by channel, until another one is.
    #[test]
    fn data_entry_goes_to_the_parameter_chosen_last(
        messages in prop::collection::vec(
            (prop_oneof![Just(6u8), Just(38), Just(96), Just(97), Just(98), Just(99), Just(100), Just(101)],
             prop_oneof![2 => 0u8..2, 1 => Just(127), 1 => 0u8..128], 0u8..2),
            1..200),
    ) {
        // By the letter of the specification: numbers, not bytes.
        let number = 128 + 1;
        let mut mapper = mapper(&[mapping(MapSource::Nrpn { parameter: number, fine: true })]);
        let mut chosen = [None; 2];
        let mut last = [(127u16, 127u16); 2];
        let mut value = [0u16; 2];
        for (controller, byte, channel) in messages {
            let at = usize::from(channel);
            match controller {
                98 => { last[at].1 = byte.into(); chosen[at] = Some(last[at].0 * 128 + last[at].1); }
                99 => { last[at].0 = byte.into(); chosen[at] = Some(last[at].0 * 128 + last[at].1); }
                100 | 101 => chosen[at] = None,
                _ => {}
            }
            let goes_there = matches!(controller, 6 | 38 | 96 | 97) && chosen[at] == Some(number);
            if goes_there {
                value[at] = match controller {
                    6 => u16::from(byte) * 128,
                    38 => value[at] / 128 * 128 + u16::from(byte),
                    96 => (value[at] + 1).min(16383),
                    _ => value[at].saturating_sub(1),
                };
            }
            let (values, taken) = moved(&mut mapper, &[control(channel, controller, byte)]);
            prop_assert_eq!(taken, [goes_there]);
            let expected = goes_there.then(|| f64::from(value[at]) / 16383.0);
            prop_assert_eq!(values, Vec::from_iter(expected));
        }
    }

    /// However a knob is turned, the parameter never moves by more than the knob and never before they meet.
    #[test]
    fn a_knob_takes_hold_only_where_it_meets_the_value(
        present in -1.0f64..2.0, inverted in any::<bool>(), turns in prop::collection::vec(0u8..128, 1..100),
    ) {
        let (at_lowest, at_highest) = if inverted { (1.0, 0.0) } else { (0.0, 1.0) };
        let knob = Mapping { pick_up: true, present, at_lowest, at_highest, ..mapping(MapSource::Controller(74)) };
        let mut mapper = mapper(&[knob]);
        let target = present.clamp(0.0, 1.0);
        let place = |turn: u8| {
            let part = f64::from(turn) / 127.0;
            if inverted { 1.0 - part } else { part }
        };
        let mut holds = false;
        let mut before: Option<f64> = None;
        for turn in turns {
            let at = place(turn);
            let (low, high) = (before.unwrap_or(at).min(at), before.unwrap_or(at).max(at));
            let meets = (low <= target && target <= high) || (at - target).abs() <= 0.5 / 127.0 + 1e-12;
            let (values, taken) = moved(&mut mapper, &[control(3, 74, turn)]);
            prop_assert_eq!(taken, [true]);
            let moves = values.first().copied();
            prop_assert!(moves.is_none() || holds || meets, "{moves:?} at {at}, which does not meet {target}");
            holds |= moves.is_some();
            prop_assert!(!holds || moves.is_some_and(|value| (value - at).abs() < 1e-12));
            before = Some(at);
        }
        // From one end to the other it meets any value.
        moved(&mut mapper, &[control(3, 74, 0)]);
        prop_assert_eq!(moved(&mut mapper, &[control(3, 74, 127)]).0, [at_highest]);
    }
}

#[test]
fn a_value_moved_by_somebody_else_is_waited_for_again() {
    let knob = Mapping { pick_up: true, present: 0.0, ..mapping(MapSource::Controller(74)) };
    let mut mapper = mapper(&[knob]);
    assert_eq!(moved(&mut mapper, &[control(0, 74, 0), control(0, 74, 127)]).0, [0.0, 1.0]);
    mapper.present(7, 1.0);
    assert_eq!(moved(&mut mapper, &[control(0, 74, 0)]).0, [0.0], "nothing has changed: it holds");
    mapper.present(7, 0.5);
    assert_eq!(moved(&mut mapper, &[control(0, 74, 20), control(0, 74, 60)]).0, [], "not yet");
    assert_eq!(moved(&mut mapper, &[control(0, 74, 70)]).0, [70.0 / 127.0]);
    // Without pick-up it jumps.
    mapper.set_map(&MidiMap { mappings: [Mapping { pick_up: false, ..knob }].into_iter().collect() });
    assert_eq!(moved(&mut mapper, &[control(0, 74, 1)]).0, [1.0 / 127.0]);
}

#[test]
fn a_map_that_changes_elsewhere_leaves_hold_where_it_was() {
    let knob = Mapping { pick_up: true, present: 0.5, ..mapping(MapSource::Controller(74)) };
    let other = Mapping { parameter: 8, ..mapping(MapSource::PitchBend) };
    let mut mapper = mapper(&[knob]);
    moved(&mut mapper, &[control(0, 74, 0), control(0, 74, 127)]);
    mapper.set_map(&MidiMap { mappings: [other, knob].into_iter().collect() });
    assert_eq!(moved(&mut mapper, &[control(0, 74, 3)]).0, [3.0 / 127.0], "it still holds");
    let wider = Mapping { at_highest: 2.0, ..knob };
    mapper.set_map(&MidiMap { mappings: [wider].into_iter().collect() });
    assert_eq!(moved(&mut mapper, &[control(0, 74, 10)]).0, [], "another knob, which has to meet the value");
}

#[test]
fn ranges_are_exact_at_both_ends_and_go_either_way() {
    let bend = |value| Event::PitchBend { channel: 0, value };
    let pressure = |pressure| Event::ChannelPressure { channel: 0, pressure };
    let cases = [
        (MapSource::Controller(7), vec![control(0, 7, 0), control(0, 7, 127)]),
        (MapSource::PitchBend, vec![bend(-8192), bend(8191)]),
        (MapSource::ChannelPressure, vec![pressure(0), pressure(127)]),
        (MapSource::ControllerPair(0), vec![control(0, 32, 0), control(0, 0, 127), control(0, 32, 127)]),
    ];
    for (source, events) in cases {
        for (at_lowest, at_highest) in [(-60.0, 6.0), (0.1, 0.3), (20_000.0, 20.0)] {
            let mut mapper = mapper(&[Mapping { at_lowest, at_highest, ..mapping(source) }]);
            let (values, taken) = moved(&mut mapper, &events);
            assert_eq!((values[0], *values.last().unwrap()), (at_lowest, at_highest), "{source:?}");
            assert!(taken.iter().all(|it| *it));
        }
    }
    // Seven bits of data entry reach the end as well.
    let mut mapper = mapper(&[mapping(MapSource::Nrpn { parameter: 3, fine: false })]);
    let choose = [control(0, 99, 0), control(0, 98, 3)];
    assert_eq!(moved(&mut mapper, &choose).1, [false, false], "the plugin may choose parameters of its own");
    assert_eq!(moved(&mut mapper, &[control(0, 6, 127), control(0, 38, 9), control(0, 96, 0)]).0, [1.0; 3]);
    assert_eq!(moved(&mut mapper, &[control(0, 97, 0)]).0, [126.0 / 127.0]);
}

#[test]
fn what_has_no_room_is_sent_and_told_later_and_only_the_last_value() {
    let mut mapper = mapper(&[mapping(MapSource::Controller(1))]);
    let mut full = EventBuffer::with_capacity(0);
    for value in [1, 2, 127] {
        assert!(mapper.take(0, control(0, 1, value), &mut full));
    }
    mapper.tell(|_, _| false);
    assert!(!mapper.is_settled());
    let mut to = EventBuffer::with_capacity(16);
    mapper.settle(&mut to);
    let event = Event::Parameter { id: 7, value: 1.0 };
    assert_eq!(to.as_slice(), [TimedEvent { time: 0, port: 0, event }]);
    let mut told = vec![];
    mapper.tell(|parameter, value| {
        told.push((parameter, value));
        true
    });
    assert_eq!((told, mapper.is_settled()), (vec![(7, 1.0)], true));
}

#[test]
fn mappings_that_cannot_be_are_refused_and_so_is_one_too_many() {
    let mut map = MidiMap::default();
    for source in [
        MapSource::Controller(120),
        MapSource::ControllerPair(32),
        MapSource::Nrpn { parameter: 16384, fine: true },
    ] {
        assert_eq!(map.push(mapping(source)), Err(Full), "{source:?}");
    }
    let nan = Mapping { at_highest: f64::NAN, ..mapping(MapSource::PitchBend) };
    assert_eq!(map.push(nan), Err(Full));
    (0..MAX_MAPPINGS).for_each(|_| map.push(mapping(MapSource::PitchBend)).unwrap());
    assert_eq!(map.push(mapping(MapSource::PitchBend)), Err(Full));
}
