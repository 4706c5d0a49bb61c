/// How short memory is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Pressure {
    /// Enough is free.
    #[default]
    None,
    /// Somebody should know.
    Alert,
    /// What can be had again is freed.
    Cleanup,
    /// All of it is, at once.
    Critical,
}

impl Pressure {
    /// The name that reports use.
    pub const fn name(self) -> &'static str {
        match self {
            Pressure::None => "none",
            Pressure::Alert => "alert",
            Pressure::Cleanup => "cleanup",
            Pressure::Critical => "critical",
        }
    }
}

/// From which bytes on memory is how short, with a way back that is longer than the way in: a level is
/// left where [`RETURN`] of it is reached, so that a value on the edge does not ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Levels {
    bounds: [u64; 3],
    now: Pressure,
}

/// The part of a level below which it is left.
pub const RETURN: f64 = 0.9;

/// Why levels make no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the levels alert {alert}, cleanup {cleanup} and critical {critical} must rise in this order")]
pub struct LevelsError {
    /// Bytes.
    pub alert: u64,
    /// Bytes.
    pub cleanup: u64,
    /// Bytes.
    pub critical: u64,
}

impl Levels {
    /// At these bytes.
    ///
    /// # Errors
    /// [`LevelsError`] where they do not rise.
    pub fn new(alert: u64, cleanup: u64, critical: u64) -> Result<Self, LevelsError> {
        if alert == 0 || alert > cleanup || cleanup > critical {
            return Err(LevelsError { alert, cleanup, critical });
        }
        Ok(Levels { bounds: [alert, cleanup, critical], now: Pressure::None })
    }

    /// At 70, 85 and 95 % of a budget.
    pub fn of_budget(bytes: u64) -> Self {
        let part = |percent: u64| (u128::from(bytes) * u128::from(percent) / 100).max(1) as u64;
        Levels { bounds: [part(70), part(85), part(95)], now: Pressure::None }
    }

    /// What `bytes` in use mean. The pressure from before, if it is another one now.
    ///
    /// ```
    /// use kmidi_memory::{Levels, Pressure};
    ///
    /// let mut levels = Levels::new(1000, 1500, 2000)?;
    /// assert_eq!(levels.see(1600), Some(Pressure::None));
    /// assert_eq!(levels.pressure(), Pressure::Cleanup);
    /// assert_eq!(levels.see(1400), None, "still above 90 % of 1500");
    /// assert_eq!(levels.see(1200), Some(Pressure::Cleanup));
    /// assert_eq!(levels.pressure(), Pressure::Alert);
    /// # Ok::<(), kmidi_memory::LevelsError>(())
    /// ```
    pub fn see(&mut self, bytes: u64) -> Option<Pressure> {
        const RISING: [Pressure; 3] = [Pressure::Alert, Pressure::Cleanup, Pressure::Critical];
        let mut next = Pressure::None;
        for (pressure, bound) in RISING.into_iter().zip(self.bounds) {
            let bound = if self.now >= pressure { (bound as f64 * RETURN) as u64 } else { bound };
            if bytes >= bound {
                next = pressure;
            }
        }
        let before = std::mem::replace(&mut self.now, next);
        (before != next).then_some(before)
    }

    /// The bytes of alert, cleanup and critical.
    pub fn bounds(&self) -> [u64; 3] {
        self.bounds
    }

    /// As it was seen last.
    pub fn pressure(&self) -> Pressure {
        self.now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u64], expected: &[Pressure]) {
        let mut levels = Levels::new(100, 200, 300).unwrap();
        let seen: Vec<_> = bytes
            .iter()
            .map(|&bytes| {
                levels.see(bytes);
                levels.pressure()
            })
            .collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn levels_are_reached_in_order_or_jumped_over() {
        use Pressure::{Alert, Cleanup, Critical, None};
        check(&[0, 99, 100, 200, 300, u64::MAX], &[None, None, Alert, Cleanup, Critical, Critical]);
        check(&[500, 0], &[Critical, None]);
    }

    #[test]
    fn a_value_on_the_edge_does_not_ring() {
        use Pressure::{Alert, Cleanup};
        check(
            &[200, 199, 200, 181, 180, 179, 199],
            &[Cleanup, Cleanup, Cleanup, Cleanup, Cleanup, Alert, Alert],
        );
    }

    #[test]
    fn levels_that_do_not_rise_are_refused() {
        assert!(Levels::new(300, 200, 100).is_err());
        assert!(Levels::new(0, 200, 300).is_err());
        assert!(Levels::new(200, 200, 200).is_ok());
    }
}
