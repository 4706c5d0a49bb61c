//! LV2 plugins of all packages.

use std::path::PathBuf;

use kmidi_host::{Format, PluginId, lv2};

use crate::child::{in_parallel, is_there};
use crate::run::{COLUMNS, in_child, on_screen};
use crate::table::{CRASH, Known, publish, tried_again};

/// Plugins in the packages that `cargo xtask test` installs.
const LEAST_PLUGINS: usize = 500;

const fn known(id: &'static str, says: &'static str, why: &'static str) -> Known {
    Known { id, says, why, at_times: "" }
}

const FFTW: &str = "its library is not linked to the fftw that it calls";
const FINITE: &str = "its library calls functions that the C library has no more";
const MEMORY: &str = "its index into a table is memory that it has not initialised";
const THREAD: &str = "a thread of its own reads an instance that has just ended";
const NOT_IN_LIBRARY: &str = "it is not in its library";

/// Plugins of Debian that do not get through it.
const KNOWN: [Known; 10] = [
    known(
        "lv2:http://zynaddsubfx.sourceforge.net/fx#Reverb",
        "foreign exception",
        "it throws std::bad_alloc out of its run function when its type becomes Bandwidth",
    ),
    known("lv2:http://plugin.org.uk/swh-plugins/mbeq", "fftw", FFTW),
    known("lv2:http://plugin.org.uk/swh-plugins/pitchScaleHQ", "fftw", FFTW),
    known("lv2:http://breakfastquay.com/rdf/lv2-rubberband#r3mono", "is not in", NOT_IN_LIBRARY),
    known("lv2:http://breakfastquay.com/rdf/lv2-rubberband#r3stereo", "is not in", NOT_IN_LIBRARY),
    known("lv2:urn:50m30n3:plugins:SO-666", "powf_finite", FINITE),
    known("lv2:urn:50m30n3:plugins:SO-kl5", "powf_finite", FINITE),
    known("lv2:urn:50m30n3:plugins:SO-404", "powf_finite", FINITE),
    Known { at_times: CRASH, ..known("lv2:http://synthv1.sourceforge.net/lv2", "", THREAD) },
    Known { at_times: CRASH, ..known("lv2:http://calf.sourceforge.net/plugins/Wavetable", "", MEMORY) },
];

fn installed() -> Vec<(PathBuf, PluginId)> {
    let of_bundle = |folder: PathBuf| {
        let plugins = lv2::read(&folder).unwrap();
        plugins.into_iter().map(move |(id, _)| (folder.clone(), id))
    };
    lv2::bundles().into_iter().flat_map(of_bundle).collect()
}

#[test]
fn every_installed_lv2_plugin_runs_and_keeps_its_state() {
    let plugins = installed();
    if !is_there("one of the packages of LV2 plugins", plugins.len() >= LEAST_PLUGINS) {
        return;
    }
    let run = |(folder, id): &(PathBuf, PluginId)| in_child(Format::Lv2, folder, Some(id)).remove(0);
    let rows = tried_again(in_parallel(&plugins, run), &KNOWN, |at| run(&plugins[at]));
    publish("lv2", &COLUMNS, &rows, &KNOWN);
    // All that are known not to work are known to be installed.
    assert!(KNOWN.iter().all(|known| rows.iter().any(|(id, _)| id == known.id)));
}

#[test]
fn control_a_plugin_that_is_not_in_its_bundle_fails_in_the_child() {
    let Some((folder, _)) = installed().into_iter().next() else { return };
    let none = PluginId::new(Format::Lv2, "urn:none");
    let (id, result) = in_child(Format::Lv2, &folder, Some(&none)).remove(0);
    assert!(id == "lv2:urn:none" && result.is_err(), "{id} {result:?}");
}

/// Why children are told to do without a screen.
#[test]
fn control_without_a_screen_a_plugin_with_qt_ends_its_process_where_it_is_not_told() {
    let uri = "lv2:http://synthv1.sourceforge.net/lv2";
    let plugins = installed();
    let synthv1 = plugins.iter().find(|(_, id)| id.to_string() == uri);
    let Some((folder, id)) = synthv1.filter(|_| is_there("synthv1-lv2", synthv1.is_some())) else { return };
    let (_, result) = on_screen(Format::Lv2, folder, id).remove(0);
    assert!(result.as_ref().is_err_and(|why| why.contains("signal")), "{result:?}");
}
