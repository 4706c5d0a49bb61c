use serde::Serialize;

use super::{NamedPocket, Preset, Style, pockets, presets, styles, templates};

/// A genre of [`Catalogue`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct GenreInfo {
    /// Its name.
    pub name: &'static str,
    /// Other names of it.
    pub aliases: &'static [&'static str],
    /// Its swing, 0 to 1.
    pub swing: f64,
    /// Tempos that it is played at, in quarter notes a minute.
    pub tempo_range_bpm: (f64, f64),
}

/// An algorithm of [`Catalogue`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct AlgorithmInfo {
    /// Its name.
    pub name: &'static str,
    /// What it does, in a line.
    pub what: &'static str,
}

/// All that can be named: `kmidi groove list`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Catalogue {
    /// Grooves of genres.
    pub genres: [GenreInfo; 9],
    /// Presets of the humaniser.
    pub presets: &'static [Preset],
    /// Styles of the humaniser.
    pub styles: &'static [Style],
    /// Pockets of drums.
    pub pockets: &'static [NamedPocket],
    /// Algorithms of the humaniser.
    pub algorithms: [AlgorithmInfo; 2],
}

/// All that can be named.
pub fn catalogue() -> Catalogue {
    let genre = |at: usize| {
        let template = &templates()[at];
        GenreInfo {
            name: template.name,
            aliases: template.aliases,
            swing: template.swing,
            tempo_range_bpm: template.tempo_range_bpm,
        }
    };
    Catalogue {
        genres: std::array::from_fn(genre),
        presets: presets(),
        styles: styles(),
        pockets: pockets(),
        algorithms: [
            AlgorithmInfo { name: "uniform", what: "every displacement within its bounds alike" },
            AlgorithmInfo {
                name: "drummer",
                what: "normally distributed, looser on the hi-hat than on the bass drum, a little late",
            },
        ],
    }
}
