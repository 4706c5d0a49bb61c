//! Fewer recordings over the keyboard.

use std::collections::BTreeSet;

use kmidi_soundfont::Generator;
use kmidi_soundfont::file::GeneratorRecord;

use crate::font::{Font, Sample, Zone};
use crate::mono::power_db;

/// Widest distance, in semitones, between the pitches of two neighbouring recordings after one between
/// them was dropped: no key is then more than half of it from its recording.
const DISTANCE: i32 = 9;
/// A recording that differs from its neighbours by this level, in dB, stays.
const LEVEL_DB: f64 = 4.0;

/// Drops recordings whose neighbours can stand in for them, except those in `keep`.
pub fn thin(font: &mut Font, keep: &BTreeSet<usize>) {
    let mut kept = keep.clone();
    for instrument in 0..font.instruments.len() {
        let samples = &font.samples;
        let zones = &mut font.instruments[instrument].zones;
        let mut gone = BTreeSet::new();
        for chain in chains(zones) {
            gone.extend(thin_chain(zones, &chain, samples, &mut kept));
        }
        let mut index = 0;
        zones.retain(|_| {
            index += 1;
            !gone.contains(&(index - 1))
        });
    }
}

/// Lists of zones, each beginning at the key after the one before it, of the same velocities and place.
fn chains(zones: &[Zone]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..zones.len()).filter(|&zone| zones[zone].target.is_some()).collect();
    order.sort_by_key(|&zone| zones[zone].keys());
    let kind = |zone: usize| {
        let zone: &Zone = &zones[zone];
        let coarse = zone.value(Generator::CoarseTune).unwrap_or(0);
        (zone.get(GeneratorRecord::VELOCITY_RANGE), zone.value(Generator::Pan).unwrap_or(0).signum(), coarse)
    };
    let mut chains: Vec<Vec<usize>> = Vec::new();
    for zone in order {
        let follows = |chain: &&mut Vec<usize>| {
            let last = *chain.last().expect("a chain has a zone");
            kind(last) == kind(zone) && u16::from(zones[last].keys().1) + 1 == u16::from(zones[zone].keys().0)
        };
        match chains.iter_mut().find(follows) {
            Some(chain) => chain.push(zone),
            None => chains.push(vec![zone]),
        }
    }
    chains
}

/// The zones that go; their neighbours take over their keys.
fn thin_chain(
    zones: &mut [Zone],
    chain: &[usize],
    samples: &[Sample],
    kept: &mut BTreeSet<usize>,
) -> Vec<usize> {
    let sample = |zone: &Zone| zone.target.expect("zones of a chain have a sample");
    let root = |zone: &Zone| match zone.value(Generator::OverridingRootKey) {
        Some(key @ 0..=127) => i32::from(key),
        _ => i32::from(samples[sample(zone)].record.root_key),
    };
    let mut gone = Vec::new();
    let Some(&first) = chain.first() else { return gone };
    let mut before = first;
    kept.insert(sample(&zones[first]));
    for (place, &this) in chain.iter().enumerate().skip(1) {
        let used = sample(&zones[this]);
        let like = |other: usize| {
            let [a, b] = [used, sample(&zones[other])].map(|it| power_db(&samples[it].frames));
            (a - b).abs() < LEVEL_DB
        };
        let after = chain.get(place + 1).copied().filter(|&after| {
            let (low, middle, high) = (root(&zones[before]), root(&zones[this]), root(&zones[after]));
            low < middle && middle < high && high - low <= DISTANCE && like(before) && like(after)
        });
        match after {
            Some(after) if !kept.contains(&used) => {
                // Keys go to the nearer of the two.
                let middle = (root(&zones[before]) + root(&zones[after])) / 2;
                let (low, high) = zones[this].keys();
                let border = (middle as u8).clamp(low.saturating_sub(1), high);
                let keys = (zones[before].keys().0, border);
                zones[before].set_keys(keys);
                let keys = (border + 1, zones[after].keys().1);
                zones[after].set_keys(keys);
                gone.push(this);
            }
            _ => {
                kept.insert(used);
                before = this;
            }
        }
    }
    gone
}
