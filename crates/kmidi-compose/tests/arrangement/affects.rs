//! Feelings are told apart by what is heard, with the tempo the same for all.

use kmidi_compose::arrange::arrange;
use kmidi_compose::mood::Affect;

use crate::measure::Features;
use crate::plans::{PRIMARY, plan};

/// The features of a feeling's music, over some seeds.
fn features(affect: Affect, seeds: std::ops::Range<u64>) -> Features {
    let all: Vec<Features> = seeds.map(|seed| Features::of(&arrange(&plan(affect, seed)), 0)).collect();
    Features::mean(&all)
}

#[test]
fn feelings_differ_in_four_of_six_features_at_the_same_tempo() {
    let all: Vec<(Affect, Features)> = Affect::all().map(|affect| (affect, features(affect, 0..6))).collect();
    for (affect, it) in &all {
        let ([size, rise, arch], [loud, varied]) = (it.contour, it.dynamics);
        println!(
            "{affect:13} register {:4.1}  density {:4.2}  dynamics {loud:5.1} ±{varied:4.1}  steps {size:4.2} rise {rise:+4.1} \
             arch {arch:+4.1}  articulation {:4.2}  mode {:?}",
            it.register, it.density, it.articulation, it.mode
        );
    }
    print!("{:13}", "");
    all.iter().for_each(|(affect, _)| print!(" {:.4}", affect.name()));
    println!();
    let mut alike = vec![];
    for (one, of_one) in &all {
        print!("{one:13}");
        for (other, of_other) in &all {
            let differences = of_one.differences(of_other);
            print!(" {:4}", differences.len());
            if one < other && differences.len() < 4 && PRIMARY.contains(one) && PRIMARY.contains(other) {
                alike.push(format!("{one} and {other} differ only in {differences:?}"));
            }
        }
        println!();
    }
    assert_eq!(alike, [""; 0]);
}

#[test]
fn control_two_seeds_of_a_feeling_are_not_different() {
    for affect in Affect::all() {
        let differences = features(affect, 0..6).differences(&features(affect, 6..12));
        assert!(differences.len() < 2, "{affect}: {differences:?}");
    }
}
