//! Rules that are broken in the plan: in its chords and its sections.

use super::Unbreakable;
use crate::plan::HarmonyPlan;
use crate::theory::{Chord, Key, diatonic_chord};

/// Degrees of the scale, counted from 0.
const SECOND: usize = 1;
const THIRD: usize = 2;
const FOURTH: usize = 3;
const FIFTH: usize = 4;
const SIXTH: usize = 5;
const SEVENTH: usize = 6;

fn on_degree(chord: &Chord, key: Key, degree: usize) -> bool {
    key.degree_of(chord.root().pitch_class()) == Some(degree)
}

/// Changes both progressions of a plan; whether the first was changed decides whether it is said to have been.
fn each_progression(plan: &mut HarmonyPlan, change: impl Fn(&mut Vec<Chord>, Key)) {
    // Of a scale of five or six tones the chords are those of the seven that it is taken from.
    let key = plan.key.seven_tones();
    change(&mut plan.progression, key);
    change(&mut plan.contrast, key);
}

fn printed(chords: &[Chord]) -> String {
    chords.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// The last chord of each progression becomes IV, or VI where IV comes just before it; and the piece stays open.
pub(super) fn avoid_tonic_resolution(plan: &mut HarmonyPlan) -> Result<String, Unbreakable> {
    let before = printed(&plan.progression);
    each_progression(plan, |chords, key| {
        if chords.len() < 2 {
            chords.push(diatonic_chord(key, FOURTH, false));
            return;
        }
        let open = |chord: &Chord| on_degree(chord, key, FOURTH) || on_degree(chord, key, SIXTH);
        let last = chords.len() - 1;
        if !open(&chords[last]) {
            let degree = if on_degree(&chords[last - 1], key, FOURTH) { SIXTH } else { FOURTH };
            chords[last] = diatonic_chord(key, degree, chords[last].seventh().is_some());
        }
    });
    plan.resolves = false;
    Ok(format!("{before} becomes {}, and the last bar is not at home", printed(&plan.progression)))
}

/// One chord of each progression comes from the parallel mode: the IV if it is there and differs, else another one, the first
/// chord last.
pub(super) fn modal_interchange(plan: &mut HarmonyPlan) -> Result<String, Unbreakable> {
    let before = printed(&plan.progression);
    each_progression(plan, |chords, key| {
        let foreign = |chord: &Chord| !key.pitch_classes().contains_all(chord.pitch_classes());
        let borrowed = |degree, seventh| diatonic_chord(key.parallel(), degree, seventh);
        for degree in [FOURTH, SIXTH, SEVENTH, SECOND, THIRD, FIFTH] {
            let place = chords.iter().rposition(|chord| on_degree(chord, key, degree));
            let Some(place) = place else { continue };
            let chord = borrowed(degree, chords[place].seventh().is_some());
            if foreign(&chord) && chord != chords[place] {
                chords[place] = chord;
                return;
            }
        }
        // No degree of the key but the tonic: the parallel's IV, or whichever of its chords the key does not have, comes last.
        let other = [FOURTH, SIXTH, SEVENTH].map(|degree| borrowed(degree, false));
        if chords.len() > 1 {
            chords.pop();
        }
        chords.extend(other.into_iter().find(foreign));
    });
    Ok(format!(
        "{before} becomes {}, borrowed from {}",
        printed(&plan.progression),
        plan.key.seven_tones().parallel()
    ))
}

/// The dominant becomes the seventh chord a semitone above the tonic. Where there is no dominant, what leads to the tonic does.
pub(super) fn tritone_substitution(plan: &mut HarmonyPlan) -> Result<String, Unbreakable> {
    let before = printed(&plan.progression);
    each_progression(plan, |chords, key| {
        let tonic = key.tonic.pitch_class();
        let dominant = |chord: &Chord| chord.root().pitch_class() == tonic.transposed(7);
        let root = key.tonic.up(1, 1);
        let Ok(substitute) = Chord::new(root, "7") else { return };
        if chords.iter().any(dominant) {
            chords.iter_mut().filter(|chord| dominant(chord)).for_each(|chord| *chord = substitute);
            return;
        }
        let home = |chord: &Chord| chord.root().pitch_class() == tonic;
        let leads = |place: &usize| !home(&chords[*place]) && home(&chords[(place + 1) % chords.len()]);
        match (0..chords.len()).rev().find(leads) {
            Some(place) => chords[place] = substitute,
            None => chords.push(substitute),
        }
    });
    Ok(format!("{before} becomes {}", printed(&plan.progression)))
}

/// The sections come in reverse order.
pub(super) fn structural_mismatch(plan: &mut HarmonyPlan) -> Result<String, Unbreakable> {
    let kinds = |plan: &HarmonyPlan| plan.sections.iter().map(|section| section.kind).collect::<Vec<_>>();
    let before = kinds(plan);
    plan.sections.reverse();
    let after = kinds(plan);
    if before == after {
        plan.sections.reverse();
        return Err(Unbreakable::OneSection);
    }
    let named = after.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Ok(format!("the sections come in reverse order: {named}"))
}

/// Most tension that is left after the climax, as a part of it.
pub(super) const AFTERMATH: f64 = 0.7;

/// The section of the highest tension comes first; from there on tension only falls.
pub(super) fn premature_climax(plan: &mut HarmonyPlan) -> Result<String, Unbreakable> {
    if plan.sections.len() < 2 {
        return Err(Unbreakable::OneSection);
    }
    let highest =
        plan.sections.iter().enumerate().max_by(|one, other| one.1.tension.total_cmp(&other.1.tension));
    let peak = highest.map_or(0, |(place, _)| place);
    let mut climax = plan.sections.remove(peak);
    climax.tension = climax.tension.max(1.2);
    let mut falling: Vec<f64> = plan.sections.iter().map(|section| section.tension).collect();
    falling.sort_by(|one, other| other.total_cmp(one));
    let most = climax.tension * AFTERMATH;
    for (section, tension) in plan.sections.iter_mut().zip(falling) {
        section.tension = tension.min(most);
    }
    let (kind, bars) = (climax.kind, climax.bars);
    plan.sections.insert(0, climax);
    Ok(format!("the climax, a {kind} of {bars} bars, comes first"))
}
