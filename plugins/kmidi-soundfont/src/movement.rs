//! What moves a voice between two control points.

/// A value on its way between two control points.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Way {
    pub from: f64,
    pub to: f64,
}

impl Way {
    pub fn at_rest(at: f64) -> Self {
        Way { from: at, to: at }
    }

    /// On from where it led.
    pub fn on_to(self, to: f64) -> Self {
        Way { from: self.to, to }
    }

    /// Whether it is no way at all.
    pub fn stands(&self) -> bool {
        self.from == self.to
    }

    pub fn at(self, part: f64) -> f64 {
        self.from + (self.to - self.from) * part
    }
}

/// What moves inside a stretch, at one end of it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Movement {
    /// Factors.
    pub speed: f64,
    pub gain: f64,
    /// Absolute cents.
    pub cutoff: f64,
}

/// The end of a straight ramp of speeds over `frames` frames that covers the same distance as the
/// curve through start, middle and end (Simpson's rule): chords alone would leave the sample out of
/// phase where the modulation envelope sweeps, and sharp under a wide vibrato.
pub(crate) fn same_distance(start: f64, middle: f64, end: f64, frames: f64) -> f64 {
    if frames < 2.0 {
        return end;
    }
    let mean = (start + 4.0 * middle + end) / 6.0;
    (start + (2.0 * frames * (mean - start) - (end - start)) / (frames - 1.0)).max(0.0)
}
