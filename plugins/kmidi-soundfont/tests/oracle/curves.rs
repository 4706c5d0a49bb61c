use kmidi_soundfont::{Curve, Source};

/// Section 8.2.4, figure by figure: a source's output from its position on both scales.
pub fn curve(source: Source, unipolar: f64, bipolar: f64) -> f64 {
    let one_sided = |x: f64| match source.curve {
        Curve::Linear => x,
        Curve::Concave => concave(x),
        Curve::Convex => convex(x),
        Curve::Switch => (x >= 0.5) as u8 as f64,
    };
    match (source.bipolar, source.negative) {
        (false, false) => one_sided(unipolar),
        (false, true) => one_sided(1.0 - unipolar),
        (true, negative) => {
            let x = if negative { -bipolar } else { bipolar };
            if source.curve == Curve::Switch {
                return if x >= 0.0 { 1.0 } else { -1.0 };
            }
            x.signum() * one_sided(x.abs())
        }
    }
}

/// -20/96 log10 ((1 - x)^2), held within 0 and 1.
pub fn concave(x: f64) -> f64 {
    if x >= 1.0 { 1.0 } else { (-20.0 / 96.0 * ((1.0 - x) * (1.0 - x)).log10()).clamp(0.0, 1.0) }
}

pub fn convex(x: f64) -> f64 {
    1.0 - concave(1.0 - x)
}

/// A triangle from zero upwards, `x` in periods.
pub fn triangle(x: f64) -> f64 {
    match x - x.floor() {
        x if x < 0.25 => 4.0 * x,
        x if x < 0.75 => 2.0 - 4.0 * x,
        x => 4.0 * x - 4.0,
    }
}

/// The times of an envelope, in frames, and how far it falls to its sustain level (1: all the way).
#[derive(Clone, Copy)]
pub struct Times {
    pub delay: f64,
    pub attack: f64,
    pub hold: f64,
    pub decay: f64,
    pub fall: f64,
    pub release: f64,
}

impl Times {
    /// How far below the peak, in parts of the whole way, `t` frames after the start; `None`
    /// before the peak.
    pub fn fallen(&self, t: f64) -> Option<f64> {
        let after_peak = t - self.delay - self.attack;
        if after_peak <= 0.0 {
            return None;
        }
        Some(((after_peak - self.hold).max(0.0) / self.decay).min(self.fall))
    }

    /// The part of the attack that has passed `t` frames after the start.
    pub fn risen(&self, t: f64) -> f64 {
        let since = t - self.delay;
        if since <= 0.0 { 0.0 } else { (since / self.attack).min(1.0) }
    }
}
