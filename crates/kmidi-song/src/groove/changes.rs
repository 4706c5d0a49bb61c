use serde::Serialize;

/// What was done to notes, in figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Changes {
    /// Notes that were played anew: those of the channels asked for, where what was asked for knows them.
    pub notes: u64,
    /// Notes that were left as they are.
    pub left: u64,
    /// Notes that start at another tick.
    pub moved: u64,
    /// Notes that were left out.
    pub dropped: u64,
    /// Soft strokes that were added.
    pub ghosts: u64,
    /// Notes that became shorter because the next of their key comes earlier, or the song ends.
    pub shortened: u64,
    /// Furthest that a note was moved, in ticks.
    pub most_ticks: u64,
    #[serde(skip)]
    sum_ticks: i64,
    #[serde(skip)]
    sum_ticks_squared: u64,
    #[serde(skip)]
    sum_velocity: u64,
    #[serde(skip)]
    sum_velocity_written: u64,
}

impl Changes {
    #[inline]
    pub(crate) fn note(&mut self, written: i64, start: i64, velocity_written: u8, velocity: u8) {
        let shift = start - written;
        self.notes += 1;
        self.moved += u64::from(shift != 0);
        self.most_ticks = self.most_ticks.max(shift.unsigned_abs());
        self.sum_ticks += shift;
        // An eighth note at most: some 14 bits. Squares of 2^35 notes fit.
        self.sum_ticks_squared += shift.unsigned_abs() * shift.unsigned_abs();
        self.sum_velocity += u64::from(velocity);
        self.sum_velocity_written += u64::from(velocity_written);
    }

    fn per_note(&self, sum: f64) -> f64 {
        if self.notes == 0 { 0.0 } else { sum / self.notes as f64 }
    }

    /// How far notes were moved on average, in ticks; later is positive.
    pub fn mean_ticks(&self) -> f64 {
        self.per_note(self.sum_ticks as f64)
    }

    /// Standard deviation of how far notes were moved, in ticks.
    pub fn sd_ticks(&self) -> f64 {
        let mean = self.mean_ticks();
        (self.per_note(self.sum_ticks_squared as f64) - mean * mean).max(0.0).sqrt()
    }

    /// Mean velocity as played, and as written.
    pub fn mean_velocities(&self) -> (f64, f64) {
        (self.per_note(self.sum_velocity as f64), self.per_note(self.sum_velocity_written as f64))
    }
}
