//! One channel instead of two.

use std::collections::{BTreeMap, BTreeSet};

use kmidi_soundfont::Generator;
use kmidi_soundfont::file::MONO;

use crate::font::{ADDRESSES, Font, Sample, Zone};

/// Highest peak of a sample that was made louder, so that its Vorbis copy stays below full scale.
const PEAK: f64 = 0.95;
/// Least correlation of the channels at which their sum is taken; below it, the sum would sound hollow.
const CORRELATION: f64 = 0.5;
/// Synthesisers apply this part of a zone's attenuation, as the hardware did that FluidR3 was made for.
const ATTENUATION: f64 = 0.4;

/// A pair of samples that became one.
struct Pair {
    left: usize,
    right: usize,
    /// Whether a zone of each channel can be one zone in the middle: the sample then has the power of
    /// both channels, otherwise their mean power.
    can_merge: bool,
    /// By how much the sample is stronger than the left and the right channel was, in dB.
    gain_db: [f64; 2],
}

/// Makes stereo pairs mono, except those in `keep`.
pub fn make_mono(font: &mut Font, keep: &BTreeSet<usize>) {
    for (left, right) in pairs(font) {
        if !keep.contains(&left) && !keep.contains(&right) {
            let pair = join(font, left, right);
            for instrument in &mut font.instruments {
                use_pair(&mut instrument.zones, &pair);
            }
        }
    }
}

/// Left and right samples. FluidR3 does not link them; their names differ by one letter.
fn pairs(font: &Font) -> Vec<(usize, usize)> {
    let names: BTreeMap<&str, usize> =
        font.samples.iter().enumerate().map(|(place, it)| (&*it.record.name, place)).collect();
    let endings = [("(L)", "(R)"), ("L", "R")];
    let partner = |(left, sample): (usize, &Sample)| {
        let right = endings.iter().find_map(|(l, r)| {
            let stem = sample.record.name.strip_suffix(l)?;
            names.get(&*format!("{stem}{r}")).copied()
        })?;
        let other = &font.samples[right];
        let sound = [sample, other].iter().all(|it| !it.frames.is_empty());
        (sound && sample.record.rate_hz == other.record.rate_hz).then_some((left, right))
    };
    font.samples.iter().enumerate().filter_map(partner).collect()
}

fn power(frames: &[f32]) -> f64 {
    frames.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / frames.len() as f64
}

/// Mean level, in dBFS.
pub fn power_db(frames: &[f32]) -> f64 {
    10.0 * power(frames).max(1e-12).log10()
}

/// Puts one channel, or the mean of both, in the place of the left sample.
fn join(font: &mut Font, left: usize, right: usize) -> Pair {
    let [l, r] = [&font.samples[left], &font.samples[right]];
    let powers = [power(&l.frames), power(&r.frames)];
    let product: f64 =
        l.frames.iter().zip(&r.frames).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
    let correlation = product / l.frames.len() as f64 / (powers[0] * powers[1]).sqrt();
    let alike = l.frames.len() == r.frames.len()
        && l.looped == r.looped
        && l.record.root_key == r.record.root_key
        && l.record.correction_cents == r.record.correction_cents;
    let (from, frames) = if alike && correlation > CORRELATION {
        (l, l.frames.iter().zip(&r.frames).map(|(a, b)| (a + b) / 2.0).collect())
    } else if powers[0] >= powers[1] {
        (l, l.frames.clone())
    } else {
        (r, r.frames.clone())
    };
    let (mut record, looped) = (from.record.clone(), from.looped);
    let peak = f64::from(frames.iter().fold(0.0f32, |peak, x: &f32| peak.max(x.abs())));
    let loudest = PEAK / peak;
    let own = power(&frames);
    let of_both = ((powers[0] + powers[1]) / own).sqrt();
    let can_merge = of_both <= loudest;
    let gain = if can_merge { of_both } else { (of_both / f64::sqrt(2.0)).min(loudest) };

    (record.kind, record.link) = (MONO, 0);
    let sample = &mut font.samples[left];
    (sample.record, sample.looped) = (record, looped);
    sample.frames = frames.iter().map(|x| (f64::from(*x) * gain) as f32).collect();
    let gain_db = powers.map(|channel| 10.0 * (gain * gain * own / channel).log10());
    Pair { left, right, can_merge, gain_db }
}

/// Lets zones of either channel use the one sample; two zones that differ by their place alone become one.
fn use_pair(zones: &mut Vec<Zone>, pair: &Pair) {
    if pair.can_merge {
        while let Some((left, right)) = mergeable(zones, pair) {
            let place = |zone: &Zone| i32::from(zone.value(Generator::Pan).unwrap_or(0));
            let middle = (place(&zones[left]) + place(&zones[right])) / 2;
            zones[left].set_value(Generator::Pan, middle as i16);
            // Marks it as done; the other pass must not see it again.
            zones[left].target = Some(usize::MAX);
            zones.remove(right);
        }
    }
    let global = zones.first().filter(|zone| zone.target.is_none());
    let global = global.and_then(|zone| zone.value(Generator::InitialAttenuation)).unwrap_or(0);
    for zone in zones {
        let channel = [pair.left, pair.right].iter().position(|&it| zone.target == Some(it));
        if let Some(channel) = channel {
            let centibels = (pair.gain_db[channel] * 10.0 / ATTENUATION).round() as i16;
            let before = zone.value(Generator::InitialAttenuation).unwrap_or(global);
            zone.set_value(Generator::InitialAttenuation, (before + centibels).max(0));
            zone.target = Some(pair.left);
        } else if zone.target == Some(usize::MAX) {
            zone.target = Some(pair.left);
        }
    }
}

/// Two zones on the two channels, alike in all but where they stand between the loudspeakers.
fn mergeable(zones: &[Zone], pair: &Pair) -> Option<(usize, usize)> {
    // What says nothing, or the same as silence would, does not make a difference.
    let essence = |zone: &Zone| {
        let mut generators: Vec<(u16, u16)> = zone
            .generators
            .iter()
            .filter(|it| it.number != Generator::Pan as u16 && !(it.amount == 0 && is_address(it.number)))
            .map(|it| (it.number, it.amount))
            .collect();
        generators.sort_unstable();
        (generators, zone.modulators.clone())
    };
    zones.iter().enumerate().filter(|(_, zone)| zone.target == Some(pair.left)).find_map(|(left, zone)| {
        let of_left = essence(zone);
        let right =
            zones.iter().position(|other| other.target == Some(pair.right) && essence(other) == of_left)?;
        Some((left, right))
    })
}

fn is_address(number: u16) -> bool {
    ADDRESSES.iter().any(|&generator| generator as u16 == number)
}
