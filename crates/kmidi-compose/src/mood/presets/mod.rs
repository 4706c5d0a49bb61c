//! The music of each feeling.
//!
//! Mode, tempo and progression of the first nine and of neutral, and all figures of those whose source says "circumplex", are
//! tables of the KmiDi system that this one follows. The rest is set by what listeners hear in music, as gathered by
//! Gabrielsson & Lindström (2010, "The role of structure in the musical expression of emotions") and Juslin & Laukka (2003,
//! "Communication of emotions in vocal expression and music performance", table 11): anger is fast, loud, even, sharp; fear
//! fast, soft, uneven, staccato, high; happiness fast, rather loud, high, staccato; sadness slow, soft, low, legato, falling;
//! tenderness slow, soft, legato, falling. Valence and arousal: Russell (1980, "A circumplex model of affect").
//!
//! Two feelings differ clearly in at least four of mode, register, density, dynamics, contour and articulation; a test holds
//! them to that.
mod first;
mod more;
#[cfg(test)]
mod tests;

use super::{Affect, AffectPreset};

/// By [`Affect`], in its order.
pub(super) static PRESETS: [AffectPreset; Affect::COUNT] = [
    first::GRIEF,
    first::RAGE,
    first::AWE,
    first::NOSTALGIA,
    first::FEAR,
    first::DISSOCIATION,
    first::DEFIANCE,
    first::TENDERNESS,
    first::CONFUSION,
    more::JOY,
    more::CALM,
    more::HOPE,
    more::TRIUMPH,
    more::LOVE,
    more::LONGING,
    more::MELANCHOLY,
    more::GRATITUDE,
    more::TENSION,
    more::NEUTRAL,
];
